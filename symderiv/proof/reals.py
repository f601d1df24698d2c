"""A real point at which two sides differ: the only ground on which a statement is called false.

Inequality in the finite field shows that a statement does not follow from what it rests on, with
functions taken as arbitrary; it may be true of the functions that there are. Here every equation
of the graph is used, every function is what it is, every entry a rational number, and both sides
are enclosed in balls (python-flint's ``arb``) that must not meet; many digits say it again. What
the equations need to have values at all, and what is declared of the inputs, holds at the point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import Any

from symderiv.algebra.binding import open_indices
from symderiv.algebra.expr import (
    Access,
    Add,
    Bracket,
    Delta,
    Expr,
    Number,
    Pow,
    Role,
    Select,
    SizeOf,
    Tensor,
)
from symderiv.algebra.index import Var
from symderiv.calculus.conditions import Condition, conditions
from symderiv.calculus.functions import NONZERO, Domain, rows
from symderiv.calculus.graph import Fact, Graph
from symderiv.proof import balls
from symderiv.proof.duals import power, sign, value_of
from symderiv.proof.field import Env, Equation, NoInstance, World, assignments
from symderiv.proof.needs import is_guard
from symderiv.proof.sizes import assign, size_symbols
from symderiv.proof.verdict import EXACT, Status, Verdict

Worlds = Callable[..., Any]  # one world, in the arithmetic and of the kind asked for

WORLDS = 24
EVERY = 400  # entries of which a condition or a fact is asked: all, at these sizes
ENTRIES = 60  # assignments of the free indices that are tried in one world
BOXES = ((Fraction(0), Fraction(1)), (Fraction(1, 4), Fraction(3)), (Fraction(-2), Fraction(2)))


@dataclass
class RealWorld(World):
    """A world whose elements are real numbers, in one arithmetic."""

    arithmetic: balls.Field = field(kw_only=True)
    box: tuple[Fraction, Fraction] = BOXES[0]
    domains: Mapping[Tensor, Domain] = field(default_factory=dict)
    arbitrary: bool = False  # whether an adjoint that is not known yet is any number

    def _compiled(self, expr: Expr) -> Callable[[Env], Any]:
        match expr:
            case Number(value):
                number = self.arithmetic.number(value)
                return lambda env: number
            case Add(terms):
                parts = [self.function(t) for t in terms]
                return lambda env: sum((part(env) for part in parts[1:]), parts[0](env))
            case Pow(base, exponent):
                inner = self.function(base)
                return lambda env: self._power(inner(env), exponent)
            case SizeOf(index):
                size = self._index_function(index)
                return lambda env: self.arithmetic.number(Fraction(size(env)))
            case Delta() | Bracket() | Select():
                whether = super()._compiled(expr)  # an integer; 3 of them below a line are a float
                return lambda env: self.arithmetic.number(Fraction(whether(env)))
            case _:
                return super()._compiled(expr)

    def _sum(self, var: Var, body: Expr) -> Callable[[Env], Any]:
        inner, nothing = self.function(body), self.arithmetic.number(Fraction(0))

        def total(env: Env) -> Any:
            return sum((inner({**env, var: n}) for n in self.walk(var, env)), nothing)

        return total

    def _product(self, factors: tuple[Expr, ...]) -> Callable[[Env], Any]:
        guards = [self._guard(f) for f in factors if is_guard(f)]
        others = [self.function(f) for f in factors if not is_guard(f)]
        nothing, one = (self.arithmetic.number(Fraction(n)) for n in (0, 1))

        def product(env: Env) -> Any:
            if not all(guard(env) for guard in guards):
                return nothing
            result = one
            for other in others:
                result = result * other(env)
            return result

        return product

    def _guard(self, factor: Expr) -> Callable[[Env], int]:
        """Whether a bracket is 1."""
        if isinstance(factor, Delta | Bracket):
            return World._compiled(self, factor)
        inner = self.function(factor)
        return lambda env: self._sign(inner(env)) != 0

    def _power(self, base: Any, exponent: int) -> Any:
        return power(base, exponent, self.arithmetic)

    def _sign(self, value: Any) -> int:
        return sign(value, self.arithmetic)

    def _drawn(self, tensor: Tensor, where: tuple[int, ...]) -> Any:
        unknown = tensor.role is Role.ADJOINT and tensor not in self.graph.upstream
        if unknown and not self.arbitrary:
            raise NoInstance(f"{tensor.name} is not known yet")
        domain = self.domains.get(tensor)
        if domain is None:
            return super()._drawn(tensor, where)
        place = World.draw(self, f"within {tensor.role.value} {tensor.name}", where)
        return self.arithmetic.number(inside(domain, place))

    def _apply(self, function: str, orders: tuple[int, ...], args: Sequence[Any]) -> Any:
        if function not in rows():
            raise NoInstance(f"{function} may be any function")
        return value_of(function, orders, args, self.arithmetic)

    def satisfies(self, condition: Condition) -> bool:
        """Whether a domain is certainly kept by every entry that it is asked of."""
        if not isinstance(condition.what, Domain):
            return True  # a kink or a tie: there an entry has no certain value
        for argument in condition.arguments:
            if not all(self._keeps(value, condition.what) for value in self.all_of(argument)):
                return False
        return True

    def all_of(self, expr: Expr) -> Iterator[Any]:
        """The values at all indices. Raises NoInstance if they are too many to be asked."""
        return (self.value(expr, env) for env in self.every(open_indices(expr)))

    def every(self, free: Iterable[Var]) -> list[Env]:
        """All values of some indices. Raises NoInstance if they are too many to be asked."""
        found = list(islice(assignments(self, list(free), list(free)), EVERY + 1))
        if len(found) > EVERY:
            raise NoInstance("too many entries")
        return found

    def _keeps(self, value: Any, domain: Domain) -> bool:
        if domain == NONZERO:
            return self._sign(value) != 0
        number = self.arithmetic.number
        if domain.values:
            return any(self._sign(value - number(v)) == 0 for v in domain.values)
        above = domain.low is None or self._sign(value - number(domain.low)) == 1
        return above and (domain.high is None or self._sign(number(domain.high) - value) == 1)

    def _left_over(self, total: Any, others: Iterable[Any]) -> Any:
        return total - sum(others, self.arithmetic.number(Fraction(0)))

    def _winner(self, var: Var, rival: Callable[[Env], Any], env: Env, at: int) -> int:
        values = {n: rival({**env, var: n}) for n in self.walk(var, env)}
        for n, value in values.items():
            if all(k == n or self._sign(value - other) == 1 for k, other in values.items()):
                return int(at == n)
        raise NoInstance("perhaps a tie")

    def draw(self, name: str, numbers: tuple[int, ...]) -> Any:
        """A rational in the box, the same for the same name, numbers and seed."""
        low, high = self.box
        place = super().draw(name, numbers) % 96 + 1  # one of 96 inside the box
        return self.arithmetic.number(low + (high - low) * Fraction(place, 97))


def inside(domain: Domain, place: int) -> Fraction:
    """A number of a domain: one of its values, or one of 96 inside."""
    if domain.values:
        return domain.values[place % len(domain.values)]
    low = domain.low if domain.low is not None else (domain.high or Fraction(0)) - 3
    high = domain.high if domain.high is not None else low + 3
    return low + (high - low) * Fraction(place % 96 + 1, 97)


def counterexample(
    graph: Graph,
    left: Expr,
    right: Expr,
    closed: Mapping[Tensor, Sequence[Equation]],
    facts: tuple[Fact, ...],
    positive: tuple[Expr, ...] = (),
) -> Verdict | None:
    """A refutation of ``left = right``: a world and an entry where both sides certainly differ.

    Every equation of the graph holds there, every closed form found so far, and what is taken to
    be ``positive`` is; what is not determined by them is a number of its own.
    """
    for seed, sizes, world in _points(graph, left, right, closed, facts, positive):
        for env in _entries(left, right, world):
            values = _differ(left, right, env, world)
            if values is not None:
                point = {k: str(n) for k, n in sizes.items()}
                point |= {v.name: str(n) for v, n in env.items()}
                point |= {"left": values[0], "right": values[1]}
                return Verdict(
                    Status.REFUTED, "certified real point", "one point", EXACT, seed, point
                )
    return None


def agree(
    graph: Graph,
    left: Expr,
    right: Expr,
    closed: Mapping[Tensor, Sequence[Equation]],
    facts: tuple[Fact, ...],
) -> bool:
    """Whether both sides may be equal wherever they have values, and have some somewhere.

    Adjoints that are not known yet are any numbers here, so a difference refutes nothing.
    """
    met = False
    for _, _, world in _points(graph, left, right, closed, facts, arbitrary=True):
        for env in _entries(left, right, world):
            if _differ(left, right, env, world) is not None:
                return False
            met = met or _has_values(left, right, env, world)
    return met


def _points(
    graph: Graph,
    left: Expr,
    right: Expr,
    closed: Mapping[Tensor, Sequence[Equation]],
    facts: tuple[Fact, ...],
    positive: tuple[Expr, ...] = (),
    arbitrary: bool = False,
) -> Iterator[tuple[int, dict[str, int], Worlds]]:
    """Worlds in which the equations have values and the facts may hold, with seed and sizes."""
    asked = conditions(graph)
    for point in worlds(graph, asked, (left, right), closed, facts, arbitrary=arbitrary):
        if _satisfies(facts, asked, positive, point[-1]):
            yield point


def worlds(
    graph: Graph,
    asked: Iterable[Condition],
    trees: Sequence[Expr],
    closed: Mapping[Tensor, Sequence[Equation]],
    facts: tuple[Fact, ...],
    seeds: Iterable[int] = range(WORLDS),
    longest: int = 4,
    arbitrary: bool = False,
) -> Iterator[tuple[int, dict[str, int], Worlds]]:
    """Worlds in which the inputs are where they are ``asked`` to be, with seed and sizes."""
    bodies = [*trees, *(d.body for d in graph.definitions)]
    bodies += [body for equations in closed.values() for _, body in equations]
    bodies += [side for fact in facts for side in (fact.left, fact.right)]
    slots = [v for d in graph.definitions for v in d.variables]
    slots += [v for fact in facts for v in fact.variables]
    names, ordered = size_symbols(bodies, [*open_indices(*trees), *slots])
    domains = {
        c.arguments[0].tensor: c.what
        for c in asked
        if isinstance(c.what, Domain) and c.what != NONZERO
        and isinstance(c.arguments[0], Access)
        and not graph.definitions_of(c.arguments[0].tensor)
    }  # fmt: skip
    for seed in seeds:
        sizes = {
            name: 2 + (n + seed) % (longest - 1) for n, name in enumerate(assign(names, ordered))
        }

        def world(
            arithmetic: balls.Field,
            made: type[RealWorld] = RealWorld,
            seed: int = seed,
            sizes: Any = sizes,
        ) -> RealWorld:
            return made(
                graph, sizes, seed, {}, closed, facts, None,
                arithmetic=arithmetic, box=BOXES[seed % len(BOXES)], domains=domains,
                arbitrary=arbitrary,
            )  # fmt: skip

        yield seed, sizes, world


def _entries(left: Expr, right: Expr, world: Worlds) -> Iterator[Env]:
    free = open_indices(left, right)
    return islice(assignments(world(balls.ball_field()), free, free), ENTRIES)


def _satisfies(
    facts: Iterable[Fact], asked: Iterable[Condition], positive: Iterable[Expr], world: Worlds
) -> bool:
    """Whether the equations certainly have values, and no declared fact is certainly wrong."""
    try:
        here = world(balls.ball_field())
        if not all(here.satisfies(condition) for condition in asked):
            return False
        if not all(here._sign(value) == 1 for expr in positive for value in here.all_of(expr)):
            return False
        for fact in facts:
            for env in here.every(fact.variables):
                if _differ(fact.left, fact.right, env, world) is not None:
                    return False
                if not _has_values(fact.left, fact.right, env, world):
                    return False
    except NoInstance:
        return False
    return True


def _has_values(left: Expr, right: Expr, env: Env, world: Worlds) -> bool:
    here = world(balls.ball_field())
    try:
        here.value(left, dict(env))
        here.value(right, dict(env))
    except (NoInstance, RecursionError):
        return False
    return True


def _differ(left: Expr, right: Expr, env: Env, world: Worlds) -> tuple[str, str] | None:
    def values(arithmetic: balls.Field) -> tuple[Any, Any]:
        here = world(arithmetic)
        return here.value(left, dict(env)), here.value(right, dict(env))

    try:
        return balls.certainly_differ(values)
    except (NoInstance, RecursionError):
        return None

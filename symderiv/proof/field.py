"""Exact evaluation over the field of 2^61 - 1 elements, at concrete sizes.

A world assigns a random element to every entry of every input and every opaque value; defined
tensors follow from their equations. Functions are random oracles: f(v), f′(v), f″(v) are
unrelated random elements, unless a step rests on a lemma, which then fixes f′ by the relation
it states. Two different rational expressions agree in a random world with a chance of about
degree/2^61.
"""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from operator import itemgetter
from typing import Any

from symderiv.algebra.binding import open_indices, replace_accesses
from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Bracket,
    Delta,
    Expr,
    Mul,
    Number,
    Partial,
    Pow,
    Role,
    Select,
    SizeOf,
    Sum,
    Tensor,
    tensors_in,
)
from symderiv.algebra.index import Index, Size, Var
from symderiv.calculus.graph import Fact, Graph
from symderiv.calculus.steps import Lemma
from symderiv.proof.exponentials import expanded
from symderiv.proof.needs import is_guard

BITS = 61
P: int = 2**BITS - 1
NAME = f"GF(2^{BITS} - 1)"
_MASK = 2**64 - 1
MANY = 150_000  # terms that are added up in one world; a network of any depth needs 44,000
Env = dict[Var, int]
Equation = tuple[tuple[Index, ...], Expr]  # the entry that it is about, and its value


class NoInstance(ArithmeticError):
    """The expression has no value in this world: a division by zero, a root of a non-square."""


class Enough(NoInstance):
    """As many terms have been added up as were wanted."""


@dataclass
class World:
    """One assignment. ``sizes`` gives a number to every size; the rest is drawn from the seed.

    Only the equations of the tensors in ``opened`` are used (None: all); every other tensor is
    drawn entry by entry, so that nothing rests on where it comes from. With ``roots``, sqrt is a
    root of its argument; else it is a function like any other. With ``apart``, exponentials of sums
    and logarithms of products are taken apart in the equations, as they are in the statement.
    After so many ``terms`` of sums evaluation raises Enough.
    """

    graph: Graph
    sizes: Mapping[str, int]
    seed: int = 0
    lemmas: Mapping[tuple[str, int], Lemma] = field(default_factory=dict)
    closed: Mapping[Tensor, Sequence[Equation]] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    opened: frozenset[Tensor] | None = None
    roots: bool = True
    apart: bool = False
    terms: int = MANY
    _functions: dict[int, tuple[Expr, Callable[[Env], int]]] = field(default_factory=dict)
    _apart: dict[Expr, Expr] = field(default_factory=dict)
    _known: dict[tuple[Tensor, tuple[int, ...]], int] = field(default_factory=dict)
    _names: dict[str, int] = field(default_factory=dict)

    def renewed(self, sizes: Mapping[str, int], seed: int, **settings: Any) -> World:
        """The same as another world: what trees were made into stays, and all values go."""
        self.sizes, self.seed, self.terms = sizes, seed, MANY
        for name, value in settings.items():
            setattr(self, name, value)
        self._known, self._names = {}, {}
        return self

    # --- indices -------------------------------------------------------------------------------

    def size(self, size: Size, env: Env) -> int:
        """The number that a size stands for. Raises NoInstance for no member of its family."""
        name = size.name if size.at is None else f"{size.name}[{self.index(size.at, env)}]"
        if name not in self.sizes:
            raise NoInstance(f"{name} is no size")
        return self.sizes[name]

    def index(self, index: Index, env: Env) -> int:
        """The value of an affine index."""
        total = index.const
        for symbol, coefficient in index.terms:
            value = env[symbol] if isinstance(symbol, Var) else self.size(symbol, env)
            total += coefficient * value
        return total

    def range(self, var: Var, env: Env) -> range:
        """The values that a variable takes."""
        return range(self.index(var.axis.start, env), self.index(var.axis.stop, env) + 1)

    def walk(self, var: Var, env: Env) -> builtins.range:
        """The values that a variable takes, all of which are asked for. Raises Enough."""
        values = self.range(var, env)
        self.spend(values.stop - values.start)
        return values

    def spend(self, terms: int) -> None:
        """Count terms that are added up. Raises Enough."""
        self.terms -= max(terms, 0)
        if self.terms < 0:
            raise Enough("too many terms to add up")

    # --- values --------------------------------------------------------------------------------

    def value(self, expr: Expr, env: Env) -> int:
        """The element that the expression stands for. Raises NoInstance."""
        return self.function(expr)(env)

    def function(self, expr: Expr) -> Callable[[Env], int]:
        """The expression as a Python function of the values of its free variables."""
        known = self._functions.get(id(expr))
        if known is None:  # kept with its tree, so that no other tree gets the same id
            known = self._functions[id(expr)] = expr, self._compiled(expr)
        return known[1]

    def _compiled(self, expr: Expr) -> Callable[[Env], int]:
        match expr:
            case Number(value):
                number = value.numerator * (
                    1 if value.denominator == 1 else inverse(value.denominator)
                )
                return lambda env: number % P
            case Access(tensor, indices):
                places = [self._index_function(i) for i in indices]
                return lambda env: self._entry(tensor, tuple([at(env) for at in places]))
            case Mul(factors):
                return self._product(factors)
            case Add(terms):
                parts = [self.function(t) for t in terms]
                return lambda env: sum([part(env) for part in parts]) % P
            case Sum(var, body):
                return self._sum(var, body)
            case Pow(base, exponent):
                inner = self.function(base)
                if exponent < 0:
                    return lambda env: pow(inverse(inner(env)), -exponent, P)
                return lambda env: pow(inner(env), exponent, P)
            case SizeOf(index):
                size = self._index_function(index)
                return lambda env: size(env) % P
            case Delta(left, right):
                first, second = self._index_function(left), self._index_function(right)
                return lambda env: int(first(env) == second(env))
            case Bracket(index):
                place = self._index_function(index)
                return lambda env: int(place(env) >= 0)
            case Apply(function, args, orders):
                given = [self.function(a) for a in args]
                return lambda env: self._apply(function, orders, [g(env) for g in given])
            case Select(at, var, body):
                rival, here = self.function(body), self._index_function(at)
                return lambda env: self._winner(var, rival, env, here(env))
            case Partial():
                raise NoInstance("a derivative must be given its meaning first")
        raise TypeError(f"not a tree of index notation: {expr!r}")

    def _index_function(self, index: Index) -> Callable[[Env], int]:
        variable = index.variable
        if variable is not None:
            return itemgetter(variable)
        if not index.terms:
            number = index.const
            return lambda env: number
        return lambda env: self.index(index, env)

    def _sum(self, var: Var, body: Expr) -> Callable[[Env], int]:
        inner = self.function(body)
        start, stop = self._index_function(var.axis.start), self._index_function(var.axis.stop)

        def total(env: Env) -> int:
            widened = dict(env)
            result = 0
            first, last = start(env), stop(env)
            self.spend(last - first + 1)
            for n in range(first, last + 1):
                widened[var] = n
                result += inner(widened)
            return result % P

        return total

    def _product(self, factors: tuple[Expr, ...]) -> Callable[[Env], int]:
        """A bracket that is 0 excludes the term: the other factors need no value there."""
        guards = [self.function(f) for f in factors if is_guard(f)]
        others = [self.function(f) for f in factors if not is_guard(f)]

        def product(env: Env) -> int:
            result = 1
            for other in others:
                result = result * other(env) % P
            return result

        def guarded(env: Env) -> int:
            return product(env) if all(guard(env) for guard in guards) else 0

        return guarded if guards else product

    def _entry(self, tensor: Tensor, where: tuple[int, ...]) -> int:
        key = (tensor, where)
        known = self._known.get(key)
        if known is None:
            known = self._computed(tensor, where)
            if known is None:  # not known yet: nothing may rest on it, so it is not kept
                return self._drawn(tensor, where)
            self._known[key] = known
        return known

    def _computed(self, tensor: Tensor, where: tuple[int, ...]) -> int | None:
        opened = self.opened is None or tensor in self.opened
        equations = self.closed.get(tensor) if opened else ()
        if equations is None:
            equations = [(d.indices, d.body) for d in self.graph.definitions_of(tensor)]
        for indices, body in equations:
            env = self._solved(indices, where)
            if env is not None:
                return self.value(self._taken_apart(body) if self.apart else body, env)
        if opened and tensor.role is Role.ADJOINT and not tensor.named:
            return None
        assumed = self._constrained(tensor, where)
        return self._drawn(tensor, where) if assumed is None else assumed

    def _drawn(self, tensor: Tensor, where: tuple[int, ...]) -> int:
        """An entry that nothing determines."""
        return self.draw(f"entry {tensor.role.value} {tensor.name}", where)

    def _taken_apart(self, body: Expr) -> Expr:
        known = self._apart.get(body)
        if known is None:
            known = self._apart[body] = expanded(body)[0]
        return known

    def _solved(self, indices: tuple[Index, ...], where: tuple[int, ...]) -> Env | None:
        """Values for the variables of an equation, if it is about this entry."""
        env: Env = {}
        rest = []
        for index, n in zip(indices, where, strict=True):
            variable = index.variable
            if variable is None:
                rest.append((index, n))
                continue
            if variable.axis.ordered and n not in self.range(variable, env):
                return None
            if env.setdefault(variable, n) != n:
                return None
        for index, n in rest:
            if not env.keys() >= set(index.variables) or self.index(index, env) != n:
                return None
        return env

    def _constrained(self, tensor: Tensor, where: tuple[int, ...]) -> int | None:
        """An entry that an assumed sum determines: the last one is what the others leave."""
        for fact in self.facts:
            match fact.left:
                case Add((*rest, Access(last, indices))) if last == tensor:
                    env = self._told(fact, indices, where)
                    if env is not None and all(tensor not in tensors_in(e) for e in rest):
                        others = [self.value(e, env) for e in rest]
                        return self._left_over(self.value(fact.right, env), others)
                case Sum(var, Access(summed, indices) as entry) if summed == tensor:
                    env = self._told(fact, indices, where)
                    values = range(0) if env is None else self.walk(var, env)
                    if env is not None and values and env.get(var) == values[-1]:
                        others = [self.value(entry, {**env, var: n}) for n in values[:-1]]
                        return self._left_over(self.value(fact.right, env), others)
        return None

    def _told(self, fact: Fact, indices: tuple[Index, ...], where: tuple[int, ...]) -> Env | None:
        """Values for all variables that a fact speaks of, if the entry tells them."""
        env = self._solved(indices, where)
        spoken = open_indices(fact.left, fact.right)
        return env if env is not None and env.keys() >= set(spoken) else None

    def _left_over(self, total: int, others: Iterable[int]) -> int:
        return (total - sum(others)) % P

    def _apply(self, function: str, orders: tuple[int, ...], args: Sequence[int]) -> int:
        if sum(orders) == 1:
            lemma = self.lemmas.get((function, orders.index(1)))
            if lemma is not None:
                return self._relation(lemma, args)
        if not any(orders):
            if function == "sqrt" and self.roots:
                return square_root(args[0])
            if function in BY_SIGN:
                return BY_SIGN[function](args[0])
        return self.draw(f"{function}{orders}", tuple(args))

    def _relation(self, lemma: Lemma, args: Sequence[int]) -> int:
        """f′ from the elements and the value of f, as the lemma says."""
        value = self._apply(lemma.function, (0,) * len(args), args)
        images: dict[Access, Expr] = {lemma.value: Number.of(value)}
        images.update(zip(lemma.args, map(Number.of, args), strict=True))
        try:
            return self.value(replace_accesses(lemma.stated, images.get), {})
        except ZeroDivisionError:
            raise NoInstance("division by zero") from None

    def _winner(self, var: Var, rival: Callable[[Env], int], env: Env, at: int) -> int:
        """1 at the first place of the greatest value, in a random order of the elements."""
        values = {n: rival({**env, var: n}) for n in self.walk(var, env)}
        if not values:
            raise NoInstance("a maximum of nothing")
        return int(at == max(values, key=lambda n: self.draw("place", (values[n],))))

    def draw(self, name: str, numbers: tuple[int, ...]) -> int:
        """A random nonzero element, the same for the same name, numbers and seed."""
        state = self._names.get(name)
        if state is None:
            digest = hashlib.blake2b(f"{self.seed}|{name}".encode(), digest_size=8).digest()
            state = self._names[name] = int.from_bytes(digest, "big")
        for number in numbers:
            state = _mix(state ^ number)
        return _mix(state) % (P - 1) + 1


def _mix(state: int) -> int:
    """One step of the splitmix64 generator."""
    state = (state + 0x9E3779B97F4A7C15) & _MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return state ^ (state >> 31)


def inverse(value: int) -> int:
    """1/value. Raises NoInstance for 0."""
    if value % P == 0:
        raise NoInstance("division by zero")
    return pow(value, -1, P)


def square_root(value: int) -> int:
    """The root that is itself a square, v^((p+1)/4). Raises NoInstance where there is none."""
    if sign(value) != 1:
        raise NoInstance("no square root")
    return pow(value, (P + 1) // 4, P)


def sign(value: int) -> int:
    """χ(v) = v^((p−1)/2), 1 for squares and −1 for the others: as −1 is no square, χ(−v) = −χ(v).

    Raises NoInstance at 0, where functions that depend on a sign have their kinks.
    """
    if value % P == 0:
        raise NoInstance("on a kink")
    return 1 if pow(value, (P - 1) // 2, P) == 1 else -1


BY_SIGN: Mapping[str, Callable[[int], int]] = {
    "positive": lambda v: (1 + sign(v)) // 2,
    "sign": lambda v: sign(v) % P,
    "abs": lambda v: sign(v) * v % P,
}


def assignments(
    world: World, variables: Sequence[Var], shifted: Collection[Var] = ()
) -> Iterator[Env]:
    """Values for free variables: every pattern of equal and different indices on an axis.

    On an ordered axis, and where an index is ``shifted`` or compared, order matters too: there
    every value is taken.
    """
    ordered = [v for v in variables if v.axis.ordered or v in shifted]
    plain = [v for v in variables if v not in ordered]
    for first in _all_values(world, ordered, {}):
        groups: dict[tuple[int, int], list[Var]] = {}
        for v in plain:
            values = world.range(v, first)
            groups.setdefault((values.start, values.stop), []).append(v)
        choices = [_patterns(group, range(*bounds)) for bounds, group in groups.items()]
        for parts in product(*choices):
            yield {**first, **{v: n for part in parts for v, n in part.items()}}


def _all_values(world: World, variables: Sequence[Var], env: Env) -> Iterator[Env]:
    if not variables:
        yield env
        return
    for n in world.walk(variables[0], env):
        yield from _all_values(world, variables[1:], {**env, variables[0]: n})


def _patterns(group: list[Var], values: range) -> list[Env]:
    """One assignment for each way to say which of the variables are equal."""
    found: list[Env] = [{}]
    for v in group:
        wider: list[Env] = []
        for env in found:
            used = sorted(set(env.values()))
            wider.extend({**env, v: n} for n in used)
            unused = next((n for n in values if n not in used), None)
            if unused is not None:
                wider.append({**env, v: unused})
            if len(wider) > MANY:
                raise Enough("too many patterns of equal indices")
        found = wider
    return found

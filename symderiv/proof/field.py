"""Exact evaluation over the field of 2^61 - 1 elements, at concrete sizes.

A world assigns a random element to every entry of every input and every opaque value; defined
tensors follow from their equations. Functions are random oracles: f(v), f′(v), f″(v) are
unrelated random elements, unless a step rests on a lemma, which then fixes f′ by the relation
it states. Two different rational expressions agree in a random world with a chance of about
degree/2^61.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from symderiv.algebra.binding import replace_accesses
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
)
from symderiv.algebra.index import Index, Size, Var
from symderiv.calculus.graph import Fact, Graph
from symderiv.calculus.steps import Lemma

P = 2**61 - 1
_MASK = 2**64 - 1
Env = dict[Var, int]
Equation = tuple[tuple[Index, ...], Expr]  # the entry that it is about, and its value


class NoInstance(ArithmeticError):
    """The expression has no value in this world: a division by zero, a root of a non-square."""


@dataclass
class World:
    """One assignment. ``sizes`` gives a number to every size; the rest is drawn from the seed."""

    graph: Graph
    sizes: Mapping[str, int]
    seed: int = 0
    lemmas: Mapping[tuple[str, int], Lemma] = field(default_factory=dict)
    closed: Mapping[Tensor, Sequence[Equation]] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    _known: dict[object, int] = field(default_factory=dict)
    _names: dict[str, int] = field(default_factory=dict)

    # --- indices -------------------------------------------------------------------------------

    def size(self, size: Size, env: Env) -> int:
        """The number that a size stands for."""
        name = size.name if size.at is None else f"{size.name}[{self.index(size.at, env)}]"
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

    # --- values --------------------------------------------------------------------------------

    def value(self, expr: Expr, env: Env) -> int:
        """The element that the expression stands for. Raises NoInstance."""
        match expr:
            case Number(value):
                return value.numerator * inverse(value.denominator) % P
            case Access():
                return self._entry(expr, env)
            case Mul(factors):
                return self._product(factors, env)
            case Add(terms):
                return sum(self.value(t, env) for t in terms) % P
            case Sum(var, body):
                return sum(self.value(body, {**env, var: n}) for n in self.range(var, env)) % P
            case Pow(base, exponent):
                inner = self.value(base, env)
                if exponent < 0:
                    return pow(inverse(inner), -exponent, P)
                return pow(inner, exponent, P)
            case SizeOf(index):
                return self.index(index, env) % P
            case Delta(left, right):
                return int(self.index(left, env) == self.index(right, env))
            case Bracket(index):
                return int(self.index(index, env) >= 0)
            case Apply(function, args, orders):
                return self._apply(function, orders, [self.value(a, env) for a in args])
            case Select(at, var, body):
                return self._winner(var, body, env, self.index(at, env))
            case Partial():
                raise NoInstance("a derivative must be given its meaning first")
        raise TypeError(f"not a tree of index notation: {expr!r}")

    def _product(self, factors: tuple[Expr, ...], env: Env) -> int:
        """A bracket that is 0 excludes the term: the other factors need no value there."""
        result = 1
        for factor in factors:
            if isinstance(factor, Delta | Bracket) and not self.value(factor, env):
                return 0
        for factor in factors:
            if not isinstance(factor, Delta | Bracket):
                result = result * self.value(factor, env) % P
        return result

    def _entry(self, access: Access, env: Env) -> int:
        where = tuple(self.index(i, env) for i in access.indices)
        key = (access.tensor.name, access.tensor.role.value, where)
        if key not in self._known:
            value = self._computed(access.tensor, where)
            if value is None:  # not known yet: nothing may rest on it, so it is not kept
                return self.draw(f"unknown {access.tensor.name}", where)
            self._known[key] = value
        return self._known[key]

    def _computed(self, tensor: Tensor, where: tuple[int, ...]) -> int | None:
        equations = self.closed.get(tensor)
        if equations is None:
            equations = [(d.indices, d.body) for d in self.graph.definitions_of(tensor)]
        for indices, body in equations:
            env = self._solved(indices, where)
            if env is not None:
                return self.value(body, env)
        if tensor.role is Role.ADJOINT and not tensor.named:
            return None
        assumed = self._constrained(tensor, where)
        if assumed is not None:
            return assumed
        return self.draw(f"entry {tensor.role.value} {tensor.name}", where)

    def _solved(self, indices: tuple[Index, ...], where: tuple[int, ...]) -> Env | None:
        """Values for the variables of an equation, if it is about this entry."""
        env: Env = {}
        for index, n in zip(indices, where, strict=True):
            variable = index.variable
            if variable is not None:
                if variable.axis.ordered and n not in self.range(variable, env):
                    return None
                env[variable] = n
            elif self.index(index, env) != n:
                return None
        return env

    def _constrained(self, tensor: Tensor, where: tuple[int, ...]) -> int | None:
        """An entry that an assumed sum determines: the last one is what the others leave."""
        for fact in self.facts:
            inner = fact.left
            if not (isinstance(inner, Sum) and isinstance(inner.body, Access)):
                continue
            if inner.body.tensor != tensor:
                continue
            env = {
                v: n for i, n in zip(inner.body.indices, where, strict=True) if (v := i.variable)
            }
            values = self.range(inner.var, env)
            if env.get(inner.var) == values[-1]:
                others = sum(self.value(inner.body, {**env, inner.var: n}) for n in values[:-1])
                return (self.value(fact.right, env) - others) % P
        return None

    def _apply(self, function: str, orders: tuple[int, ...], args: Sequence[int]) -> int:
        if sum(orders) == 1:
            lemma = self.lemmas.get((function, orders.index(1)))
            if lemma is not None:
                return self._relation(lemma, args)
        if function == "positive" and not any(orders):
            return self.draw("side", tuple(args)) % 2
        if function == "sqrt" and not any(orders):
            return square_root(args[0])
        return self.draw(f"{function}{orders}", tuple(args))

    def _relation(self, lemma: Lemma, args: Sequence[int]) -> int:
        """f′ from the elements and the value of f, as the lemma says."""
        value = self._apply(lemma.function, (0,) * len(args), args)
        images: dict[Access, Expr] = {lemma.value: Number.of(value)}
        images.update(zip(lemma.args, map(Number.of, args), strict=True))
        return self.value(replace_accesses(lemma.stated, images.get), {})

    def _winner(self, var: Var, body: Expr, env: Env, at: int) -> int:
        values = [self.value(body, {**env, var: n}) for n in self.range(var, env)]
        winner = self.draw("winner", tuple(values)) % len(values)
        return int(at == self.range(var, env)[winner])

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
    return pow(value, P - 2, P)


def square_root(value: int) -> int:
    """The root that is itself a square. Raises NoInstance where there is none."""
    root = pow(value, (P + 1) // 4, P)
    if root * root % P != value % P or pow(value, (P - 1) // 2, P) != 1:
        raise NoInstance("no square root")
    return root


def assignments(world: World, variables: Sequence[Var]) -> Iterator[Env]:
    """Values for free variables: every pattern of equal and different indices on an axis.

    On an ordered axis, and where an index is shifted, order matters too: there every value is
    taken.
    """
    ordered = [v for v in variables if v.axis.ordered]
    plain = [v for v in variables if not v.axis.ordered]
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
    for n in world.range(variables[0], env):
        yield from _all_values(world, variables[1:], {**env, variables[0]: n})


def _patterns(group: list[Var], values: range) -> list[Env]:
    """One assignment for each way to say which of the variables are equal."""
    found: list[Env] = [{}]
    for v in group:
        wider: list[Env] = []
        for env in found:
            used = sorted(set(env.values()))
            wider.extend({**env, v: n} for n in used)
            unused = [n for n in values if n not in used]
            if unused:
                wider.append({**env, v: unused[0]})
        found = wider
    return found

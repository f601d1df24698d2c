"""Run a graph forward, entry by entry, from its definitions alone, in any kind of number.

Independent of the library's own evaluators on purpose: it shares only the types of the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any, Protocol

from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Bracket,
    Delta,
    Expr,
    Mul,
    Number,
    Pow,
    Role,
    Select,
    SizeOf,
    Sum,
    Tensor,
)
from symderiv.algebra.index import Axis, Index, Size, Var, as_index
from symderiv.calculus.functions import scalar
from symderiv.calculus.graph import Definition, Graph
from symderiv.calculus.steps import Adjoint, Derivation

Where = tuple[int, ...]
Key = tuple[str, Where]
Env = Mapping[Var, int]


class Numbers(Protocol):
    """A kind of number: constants, functions, comparison, and inputs to draw."""

    def lift(self, value: Fraction) -> Any: ...
    def apply(self, name: str, orders: tuple[int, ...], args: Sequence[Any]) -> Any: ...
    def winner(self, values: Sequence[Any]) -> int: ...
    def draw(self, tensor: Tensor, where: Where) -> Any: ...


def sizes(units: Sequence[int], examples: int = 4, depth: int | None = None) -> dict[Size, int]:
    """n[0], n[1], ..., m and, for generic depth, L."""
    found = {Size("n", as_index(n)): size for n, size in enumerate(units)} | {Size("m"): examples}
    return found if depth is None else found | {Size("L"): depth}


@dataclass
class Forward:
    """All values of a graph. ``pushed`` is added to values where they arise: a cut of the graph."""

    graph: Graph
    sizes: Mapping[Size, int]
    numbers: Numbers
    inputs: Mapping[Key, Any] = field(default_factory=dict)
    pushed: Mapping[Key, Any] = field(default_factory=dict)
    values: dict[Key, Any] = field(default_factory=dict)

    def run(self) -> Forward:
        """Evaluate every equation; inputs are drawn so that the facts hold, unless given."""
        self.values = dict(self.inputs)
        if not self.inputs:
            for fact in self.graph.facts:
                for env in self.environments(fact.variables):
                    self._satisfy(fact.left, fact.right, env)
        for equation, env in self.equations():
            key = equation.target.name, self.at(equation.indices, env)
            assert key not in self.values, f"{key} is defined twice"
            value = self.value(equation.body, env)
            self.values[key] = value + self.pushed[key] if key in self.pushed else value
        defined = {d.target.name for d in self.graph.definitions}
        self.inputs = {k: v for k, v in self.values.items() if k[0] not in defined}
        return self

    def _satisfy(self, left: Expr, right: Expr, env: Env) -> None:
        """Change the last entry of a linear equation so that it holds."""
        last = max(self._entries_of(left, env))
        at: list[Any] = []
        for trial in (0, 1):
            self.values[last] = self.numbers.lift(Fraction(trial))
            at.append(self.value(left, env))
        self.values[last] = (self.value(right, env) - at[0]) / (at[1] - at[0])

    def _entries_of(self, expr: Expr, env: Env) -> list[Key]:
        match expr:
            case Access(tensor, indices):
                return [(tensor.name, self.at(indices, env))]
            case Sum(var, body):
                inner = [{**env, var: n} for n in self.span(var.axis, env)]
                return [k for e in inner for k in self._entries_of(body, e)]
            case Mul(parts) | Add(parts):
                return [k for p in parts for k in self._entries_of(p, env)]
        return []

    def equations(self) -> Iterator[tuple[Definition, Env]]:
        """Equations in an order in which they can be computed."""
        for block in self.graph.blocks:
            if isinstance(block, Definition):
                for env in self.environments(block.variables):
                    yield block, env
            else:
                for n in self.span(block.var.axis, {}):
                    for d in block.definitions:
                        if n in self.span(d.variables[0].axis, {}):
                            for env in self.environments(d.variables[1:], {d.variables[0]: n}):
                                yield d, env

    # --- indices ---------------------------------------------------------------------------------

    def number(self, index: Index, env: Env) -> int:
        total = index.const
        for symbol, coefficient in index.terms:
            if isinstance(symbol, Var):
                total += coefficient * env[symbol]
            elif symbol.at is None:
                total += coefficient * self.sizes[symbol]
            else:
                total += (
                    coefficient
                    * self.sizes[Size(symbol.name, as_index(self.number(symbol.at, env)))]
                )
        return total

    def at(self, indices: Sequence[Index], env: Env) -> Where:
        return tuple(self.number(i, env) for i in indices)

    def span(self, axis: Axis, env: Env) -> range:
        return range(self.number(axis.start, env), self.number(axis.stop, env) + 1)

    def environments(self, variables: Sequence[Var], env: Env | None = None) -> Iterator[Env]:
        if not variables:
            yield env or {}
            return
        for n in self.span(variables[0].axis, env or {}):
            yield from self.environments(variables[1:], {**(env or {}), variables[0]: n})

    def entries(self, tensor: Tensor) -> Iterator[Where]:
        """Every place of a tensor."""
        for env in self.environments(tensor.slots):
            yield tuple(env[v] for v in tensor.slots)

    # --- values ----------------------------------------------------------------------------------

    def value(
        self, expr: Expr, env: Env, adjoint: Callable[[Tensor, Where], Any] | None = None
    ) -> Any:
        """The number that a tree stands for; ``adjoint`` gives the entries of adjoints."""
        zero = self.numbers.lift(Fraction(0))

        def of(e: Expr, env: Env) -> Any:
            match e:
                case Number(value):
                    return self.numbers.lift(value)
                case SizeOf(index):
                    return self.numbers.lift(Fraction(self.number(index, env)))
                case Access(tensor, indices):
                    where = self.at(indices, env)
                    if tensor.role is Role.ADJOINT:
                        assert adjoint is not None
                        return adjoint(tensor, where)
                    return self.entry(tensor, where)
                case Delta(left, right):
                    same = self.number(left, env) == self.number(right, env)
                    return self.numbers.lift(Fraction(same))
                case Bracket(index):
                    return self.numbers.lift(Fraction(self.number(index, env) >= 0))
                case Sum(var, body):
                    terms = [of(body, {**env, var: n}) for n in self.span(var.axis, env)]
                    return sum(terms, zero)
                case Add(terms):
                    return sum((of(t, env) for t in terms), zero)
                case Mul(factors):
                    for guard in factors:  # entries that a guard excludes need not exist
                        if isinstance(guard, Bracket | Delta) and of(guard, env) == zero:
                            return zero
                    product = self.numbers.lift(Fraction(1))
                    for factor in factors:
                        product = product * of(factor, env)
                    return product
                case Pow(base, exponent):
                    return of(base, env) ** exponent
                case Apply(name, args, orders):
                    return self.numbers.apply(name, orders, [of(a, env) for a in args])
                case Select(at, var, body):
                    span = self.span(var.axis, env)
                    winner = self.numbers.winner([of(body, {**env, var: n}) for n in span])
                    return self.numbers.lift(Fraction(span[winner] == self.number(at, env)))
            raise TypeError(f"no value: {e!r}")

        return of(expr, env)

    def entry(self, tensor: Tensor, where: Where) -> Any:
        key = tensor.name, where
        if key not in self.values:
            assert not self.graph.definitions_of(tensor), f"{key} is used before it is defined"
            for n, slot in zip(where, tensor.slots, strict=True):
                env = dict(zip(tensor.slots, where, strict=True))
                assert n in self.span(slot.axis, env), f"{key} is out of range"
            drawn = self.numbers.draw(tensor, where)
            self.values[key] = drawn + self.pushed[key] if key in self.pushed else drawn
        return self.values[key]


@cache
def definition(name: str) -> tuple[tuple[Access, ...], Expr] | None:
    """A function's definition with its slots, or None for a primitive."""
    row = scalar(name)
    if row.definition is None:
        return None
    slots = tuple(Access(Tensor(f"slot-{n}"), ()) for n in range(len(row.arguments)))
    return slots, row.definition(*slots)


def by_definition(numbers: Numbers, name: str, args: Sequence[Any]) -> Any:
    """A function of a table from its definition, evaluated with the same kind of number."""
    found = definition(name)
    assert found is not None
    slots, body = found
    inner = Forward(Graph((), Tensor("none")), {}, numbers)
    inner.values = {(s.tensor.name, ()): a for s, a in zip(slots, args, strict=True)}
    return inner.value(body, {})


@dataclass
class Backward:
    """The values of the adjoints of a derivation; ``choose`` picks the formula of a chain."""

    forward: Forward
    derivation: Derivation
    choose: Callable[[Adjoint], Expr] = lambda chain: chain.closed
    _known: dict[Key, Any] = field(default_factory=dict)

    def entry(self, tensor: Tensor, where: Where) -> Any:
        """One entry of an adjoint tensor."""
        key = tensor.name, where
        if key not in self._known:
            (chain, env), *others = self._about(tensor, where)
            assert not others, f"two chains are about {key}"
            self._known[key] = self.forward.value(self.choose(chain), env, self.entry)
        return self._known[key]

    def _about(self, tensor: Tensor, where: Where) -> list[tuple[Adjoint, Env]]:
        found = []
        for chain in self.derivation.adjoints:
            if chain.tensor.name != tensor.name:
                continue
            env: dict[Var, int] = {}
            for index, n in zip(chain.indices, where, strict=True):
                variable = index.variable
                if variable is not None and n in self.forward.span(variable.axis, env):
                    env[variable] = n
                elif variable is not None or self.forward.number(index, env) != n:
                    break
            else:
                found.append((chain, env))
        return found

    def places(self, tensor: Tensor) -> list[Where]:
        """The places that some chain of the adjoint is about."""
        return [w for w in self.forward.entries(tensor) if self._about(tensor, w)]

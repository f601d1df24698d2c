"""An example in numbers: forward, back, one update, and the cost afterwards.

The numbers of the spec go through the forward equations and then through the closed forms that
were derived, entry by entry, so that a reader can redo each of them with a pocket calculator.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from symderiv.algebra.expr import (
    Access,
    Bracket,
    Delta,
    Expr,
    Role,
    Select,
    SizeOf,
    Sum,
    Tensor,
)
from symderiv.algebra.index import Index, Size, as_index
from symderiv.calculus.graph import EXAMPLE, Graph
from symderiv.calculus.steps import Derivation
from symderiv.documents.numbers import (
    MOST_DIGITS,
    PRECISION,
    NoValue,
    Undefined,
    Value,
    digits,
    evaluate,
    plus,
    shown,
    times,
)
from symderiv.frontend.example import Example

if TYPE_CHECKING:
    from symderiv.calculus.exchange import Concrete

Where = tuple[int, ...]
Given = Mapping[tuple[Tensor, Where], Value]
MAX_ENTRIES = 60  # numbers among parameters, X and Y that a reader would want to see
MAX_STEPS = 200  # steps of gradient descent that are carried out


@dataclass
class Numbers:
    """All values of a graph and of its derivatives at given inputs."""

    derivation: Derivation
    concrete: Concrete
    given: Given
    _values: dict[tuple[Tensor, Where], Value] = field(default_factory=dict)
    _digits: int = PRECISION
    _running: bool = False

    @property
    def graph(self) -> Graph:
        """The forward equations."""
        return self.derivation.graph

    def value(self, tensor: Tensor, where: Where = ()) -> Value:
        """An entry of a forward tensor, or of a derivative. Raises NoValue."""
        key = tensor, where
        if key in self.given:
            return self.given[key]
        if key not in self._values and self._running:
            self._values[key] = self._evaluated(tensor, where)
        while key not in self._values:
            try:
                with self._precisely():
                    self._values[key] = self._evaluated(tensor, where)
            except Undefined:  # or only rounded so: 1 - a, where a is very near to 1
                if self._digits >= MOST_DIGITS:
                    raise
                self._digits *= 10
                self._values.clear()
        return self._values[key]

    @contextmanager
    def _precisely(self) -> Iterator[None]:
        self._running = True
        try:
            with digits(self._digits):
                yield
        finally:
            self._running = False

    def _evaluated(self, tensor: Tensor, where: Where) -> Value:
        equations: list[tuple[Sequence[Index], Expr]] = [
            (d.indices, d.body) for d in self.graph.definitions_of(tensor)
        ]
        equations += [(a.indices, a.closed) for a in self.derivation.adjoints if a.tensor == tensor]
        for indices, body in equations:
            env = {v: n for i, n in zip(indices, where, strict=True) if (v := i.variable)}
            if self.concrete.where(indices, env) == where:
                return self.at(body, env)
        raise NoValue(f"no equation for {tensor.name}{list(where)}")

    def at(self, expr: Expr, env: Mapping[Any, int]) -> Value:
        """An index expression with numbers for its free indices."""

        def leaf(e: Expr) -> Value:
            number = self.concrete.number
            match e:
                case Access(tensor, indices):
                    return self.value(tensor, self.concrete.where(indices, env))
                case SizeOf(index):
                    return Fraction(number(index, env))
                case Delta(left, right):
                    return Fraction(number(left, env) == number(right, env))
                case Bracket(index):
                    return Fraction(number(index, env) >= 0)
                case Sum(var, body):
                    total: Value = Fraction(0)
                    for n in self.concrete.span(var.axis, env):
                        total = plus(total, self.at(body, {**env, var: n}))
                    return total
                case Select(at, var, body):
                    span = self.concrete.span(var.axis, env)
                    winner = max(span, key=lambda n: self.at(body, {**env, var: n}))
                    return Fraction(number(at, env) == winner)
            raise NoValue(f"no number for {type(e).__name__}")

        return evaluate(expr, leaf)

    def places(self, tensor: Tensor) -> Iterator[Where]:
        """Every place of a tensor in storage order."""
        for env in self.concrete.assignments(tensor.slots):
            yield tuple(env[v] for v in tensor.slots)

    def array(self, tensor: Tensor) -> dict[Where, Value]:
        """All entries of a tensor."""
        return {where: self.value(tensor, where) for where in self.places(tensor)}

    def stepped(self, rate: Fraction, held: frozenset[Tensor]) -> Numbers:
        """The same after w := w - rate ∂C/∂w, but for the parameters that are held."""
        moved = dict(self.given)
        for adjoint in self.derivation.adjoints:
            of = adjoint.of
            if of.role is not Role.PARAMETER or of in held:
                continue
            if of not in self.graph.inputs:
                continue
            for where, slope in self.array(adjoint.tensor).items():
                moved[of, where] = plus(moved[of, where], times(Fraction(-rate), slope))
        return Numbers(self.derivation, self.concrete, moved, _digits=self._digits)


def numbers_of(
    derivation: Derivation, example: Example | None, widths: Mapping[int, int | str], layout: str
) -> Numbers | None:
    """The numbers of an example; None where it is not complete, or too large to print."""
    if example is None or derivation.graph.has_families:
        return None
    arrays = _arrays(derivation.graph, example, layout)
    if arrays is None or sum(map(len, arrays.values())) > MAX_ENTRIES:
        return None
    from symderiv.calculus.exchange import Concrete

    sizes: dict[Size, int] = dict(derivation.graph.sizes)
    for layer, width in widths.items():
        if isinstance(width, int):
            sizes[Size("n", as_index(layer))] = width
    given: dict[tuple[Tensor, Where], Value] = {}
    for tensor, entries in arrays.items():
        for axis, length in zip(tensor.axes, max(entries, default=()), strict=True):
            for size, _ in axis.stop.terms:
                if isinstance(size, Size):
                    sizes.setdefault(size, length)
        given |= {(tensor, where): value for where, value in entries.items()}
    return Numbers(derivation, Concrete(sizes), given)


def _arrays(graph: Graph, example: Example, layout: str) -> dict[Tensor, dict[Where, Value]] | None:
    """The entries of every input, by their places; None where some have no value."""
    params = dict(example.params)
    found: dict[Tensor, dict[Where, Value]] = {}
    x = [t for t in graph.inputs if t.role is Role.INPUT]
    y = [t for t in graph.inputs if t.role is Role.TARGET]
    for tensors, data in ((x, example.X), (y, example.Y)):
        for n, tensor in enumerate(tensors):
            if data is not None:
                found[tensor] = dict(_of_examples(tensor, n, data))
    hyper = {t.name: value for t, value in graph.defaults} | dict(example.hyper)
    for tensor in graph.inputs:
        if tensor.role is Role.HYPERPARAMETER and tensor.name in hyper:
            found[tensor] = {(): hyper[tensor.name]}
        if tensor in found:
            continue
        if tensor.name not in params:
            break
        transpose = layout == "rows" and tensor.symbol == "W" and tensor.layer is not None
        found[tensor] = {
            where[::-1] if transpose else where: v for where, v in _entries(params[tensor.name])
        }
    found |= _letters(graph, params)
    return found if set(found) >= set(graph.inputs) else None


def _of_examples(tensor: Tensor, number: int, data: Any) -> Iterator[tuple[Where, Value]]:
    """The entries of x, whose axes are examples and units in some order; one of the two may lack.

    A tensor without units is the ``number``-th column: x1, x2, ... written out.
    """
    names = [axis.name for axis in tensor.axes]
    for s, row in enumerate(data, start=1):
        units = row if any(name != EXAMPLE for name in names) else row[number : number + 1]
        for i, value in enumerate(units, start=1):
            yield tuple(s if name == EXAMPLE else i for name in names), value
        if EXAMPLE not in names:
            return


def _entries(value: Any, before: Where = ()) -> Iterator[tuple[Where, Value]]:
    if not isinstance(value, tuple):
        yield before, value
        return
    for n, part in enumerate(value, start=1):
        yield from _entries(part, (*before, n))


def _letters(graph: Graph, params: Mapping[str, Any]) -> dict[Tensor, dict[Where, Value]]:
    """w1, w2, ... written out, in the order in which the equations use them."""
    found: dict[Tensor, dict[Where, Value]] = {}
    for name, value in params.items():
        layer = int(name[1:]) if name[1:].isdigit() else None
        members = [
            t for t in graph.inputs
            if t.role is Role.PARAMETER and not t.slots and t.name != name
            and t.symbol[:1] == name[:1].lower() and (t.layer or 1) == layer
        ]  # fmt: skip
        values = [v for _, v in _entries(value)]
        if len(members) == len(values):
            found |= {t: {(): v} for t, v in zip(members, values, strict=True)}
    return found


def require_values(numbers: Numbers, example: Example, held: frozenset[Tensor]) -> None:
    """Raises Undefined where the cost or a derivative has no value, at once or on the way down."""
    for definition in numbers.graph.definitions:
        numbers.array(definition.target)
    for adjoint in numbers.derivation.adjoints:
        numbers.array(adjoint.tensor)
    if example.rate is not None:
        done = 0
        try:
            for after in descend(numbers, example.rate, held, example.steps or 1):
                done += 1
                after.value(numbers.graph.cost)
        except Undefined as error:
            steps = "the step" if done == 1 else f"{done} steps"
            rate = shown(example.rate).ascii
            raise Undefined(f"after {steps} with the rate {rate} {error}") from None


def descend(
    numbers: Numbers, rate: Fraction, held: frozenset[Tensor], steps: int
) -> Iterator[Numbers]:
    """The numbers after each of so many steps of gradient descent."""
    for _ in range(min(steps, MAX_STEPS)):
        numbers = numbers.stepped(rate, held)
        yield numbers

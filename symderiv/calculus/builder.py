"""The builder: forward equations, one call each. Nobody writes a derivative here.

    b = Builder(layout="columns")
    x = b.tensor("x", b.batch(b.units(0)), Role.INPUT)
    z = dense(b, x, b.units(0), b.units(1), layer=1)
    a = activate(b, "sigmoid", z, b.units(1), layer=1)

A layout is nothing but the order of the axes: examples first (rows), last (columns), or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

from symderiv.algebra.expr import Access, Expr, Role, SizeOf, Tensor, sum_over, tensors_in
from symderiv.algebra.index import (
    Axis,
    Index,
    IndexLike,
    Size,
    Var,
    as_index,
    fresh,
    substitute_axis,
)
from symderiv.calculus.functions import ScalarFunction, VectorFunction, hyper_name
from symderiv.calculus.graph import Definition, Fact, Graph, Kind, Recurrence
from symderiv.options import LAYOUTS


class Builder:
    """Collects definitions in order; :meth:`graph` hands them over."""

    def __init__(self, layout: str = "columns") -> None:
        if layout not in LAYOUTS:
            raise ValueError(f"unknown layout {layout!r}; known are {', '.join(LAYOUTS)}")
        self.layout = layout
        self.blocks: list[Definition | Recurrence] = []
        self.facts: list[Fact] = []
        self.named: set[str] = set()
        self.defaults: dict[Tensor, Fraction] = {}
        self.starts: dict[Tensor, Fraction] = {}
        self._hyper: dict[str, tuple[Tensor, ...]] = {}
        self.examples = Axis("example", as_index(Size("m")))
        self._open: list[Definition] | None = None

    # --- axes and tensors ----------------------------------------------------------------------

    @staticmethod
    def axis(name: str, size: str | IndexLike, start: IndexLike = 1, ordered: bool = False) -> Axis:
        """An axis over ``start..size``; a string names a symbolic size."""
        stop = as_index(Size(size)) if isinstance(size, str) else as_index(size)
        return Axis(name, stop, as_index(start), ordered)

    @staticmethod
    def units(layer: IndexLike, size: str | None = None) -> Axis:
        """The units of a layer: n[layer] of them, or as many as a size of the user's own."""
        return Axis("unit", as_index(Size(size) if size else Size("n", as_index(layer))))

    def batch(self, axis: Axis) -> tuple[Axis, ...]:
        """An axis of units, with the examples beside it as the layout says."""
        if self.layout == "single":
            return (axis,)
        return (self.examples, axis) if self.layout == "rows" else (axis, self.examples)

    def weights(self, outputs: Axis, inputs: Axis) -> tuple[Axis, ...]:
        """The axes of a weight matrix: z = x W + b with rows, z = W x + b else."""
        return (inputs, outputs) if self.layout == "rows" else (outputs, inputs)

    def tensor(
        self,
        name: str,
        axes: Iterable[Axis],
        role: Role = Role.AUXILIARY,
        symbol: str = "",
        layer: int | None = None,
        family: Var | None = None,
        start: Fraction | None = None,
    ) -> Tensor:
        """A tensor over these axes; ``family`` is the layer (or time) the axes depend on.

        ``start`` is the value that a parameter starts from, where it is neither drawn nor 0.
        """
        slots: list[Var] = []
        mapping: dict[Var, Index] = {}
        if family is not None:
            slots.append(fresh(family.axis, family.name))
            mapping[family] = as_index(slots[0])
        slots.extend(fresh(substitute_axis(axis, mapping), "i") for axis in axes)
        made = Tensor(name, tuple(slots), role, symbol or name, layer)
        if start is not None:
            self.starts[made] = start
        return made

    def hyper(self, row: ScalarFunction) -> tuple[Access, ...]:
        """The hyperparameters of a function; wherever it is applied they are the same."""
        known = self._hyper.get(row.name)
        if known is None:
            made = []
            for name, value in row.hyper:
                taken = {tensor.name for tensor in self.defaults}
                made.append(self.tensor(hyper_name(name, taken), (), Role.HYPERPARAMETER))
                self.defaults[made[-1]] = value
            known = self._hyper[row.name] = tuple(made)
        return tuple(tensor[()] for tensor in known)

    def over(self, *axes: Axis) -> tuple[Var, ...]:
        """One new index variable for each axis."""
        return tuple(fresh(axis, _LETTERS.get(axis.name, "i")) for axis in axes)

    # --- equations -----------------------------------------------------------------------------

    def define(
        self,
        target: Tensor,
        indices: Iterable[IndexLike],
        body: Expr,
        why: str = "",
        part_of: str = "",
        eliminates: Tensor | None = None,
    ) -> Tensor:
        """Record ``target[indices] = body``."""
        over = tuple(map(as_index, indices))
        definition = Definition(target, over, body, why, part_of, eliminates)
        (self.blocks if self._open is None else self._open).append(definition)
        return target

    def assume(self, left: Expr, right: Expr, text: str, *variables: Var) -> None:
        """Record ``left = right`` as an assumption on the inputs: printed, checked at run time."""
        self.facts.append(Fact(left, right, text, variables))

    def recurrence(self, var: Var, equations: Callable[[], None]) -> None:
        """Record the equations of one step along the ordered axis of ``var``."""
        self._open = []
        equations()
        self.blocks.append(Recurrence(var, tuple(self._open)))
        self._open = None

    def parameter(self, name: str) -> Tensor:
        """A tensor that an equation recorded so far uses. Raises KeyError."""
        blocks = self.blocks if self._open is None else (*self.blocks, *self._open)
        for block in blocks:
            for d in (block,) if isinstance(block, Definition) else block.definitions:
                for tensor in tensors_in(d.body):
                    if tensor.name == name:
                        return tensor
        raise KeyError(name)

    def graph(
        self,
        cost: Tensor | None = None,
        example_loss: Tensor | None = None,
        upstream: Tensor | Iterable[Tensor] = (),
        kind: Kind | None = None,
    ) -> Graph:
        """The finished graph; ``upstream`` are the outputs of a layer that stands by itself.

        What comes after a layer is unknown: its cost C has no equation, and the adjoints of the
        outputs are given. Raises ValueError for an output that the layer uses itself.

        Without a ``kind``, equations that lead from one input and one target to the cost by way of
        a loss for each example are a network, others a program.
        """
        outputs = (upstream,) if isinstance(upstream, Tensor) else tuple(upstream)
        if (cost is None) != bool(outputs):
            raise ValueError("a graph has a cost, or else outputs with upstream gradients")
        root = cost or Tensor("C", role=Role.COST, symbol="C")
        graph = Graph(
            tuple(self.blocks),
            root,
            None if self.layout == "single" else example_loss,
            frozenset(self.named),
            tuple(self.facts),
            upstream=tuple(given_adjoint(output, root) for output in outputs),
            defaults=tuple(self.defaults.items()),
            starts=tuple(self.starts.items()),
        )
        graph = replace(graph, kind=kind or _usual_kind(graph))
        for output in outputs:
            if not graph.definitions_of(output) or graph.users(output):
                raise ValueError(f"{output.name} must be computed here, and used nowhere else")
        return graph

    # --- entries, whatever the layout ------------------------------------------------------------

    def at(self, tensor: Tensor, unit: IndexLike, example: Var | None) -> Access:
        """The entry of a batched tensor for one unit and one example."""
        if example is None:
            return tensor[unit]
        return tensor[example, unit] if self.layout == "rows" else tensor[unit, example]

    def at_family(
        self, tensor: Tensor, member: IndexLike, unit: IndexLike, example: Var | None
    ) -> Access:
        """The entry of a member of a family (a layer, a time)."""
        if example is None:
            return tensor[member, unit]
        if self.layout == "rows":
            return tensor[member, example, unit]
        return tensor[member, unit, example]

    def weight(self, tensor: Tensor, output: IndexLike, into: IndexLike) -> Access:
        """The weight that leads from input unit ``into`` to unit ``output``."""
        return tensor[into, output] if self.layout == "rows" else tensor[output, into]

    def weight_family(
        self, tensor: Tensor, member: IndexLike, output: IndexLike, into: IndexLike
    ) -> Access:
        """The same of a member of a family of weights."""
        if self.layout == "rows":
            return tensor[member, into, output]
        return tensor[member, output, into]

    def unit_and_example(self, axis: Axis) -> tuple[tuple[Var, ...], Var, Var | None]:
        """Index variables of a batched tensor in storage order, then unit and example."""
        (unit,) = self.over(axis)
        if self.layout == "single":
            return (unit,), unit, None
        (example,) = self.over(self.examples)
        pair = (example, unit) if self.layout == "rows" else (unit, example)
        return pair, unit, example


def _usual_kind(graph: Graph) -> Kind:
    roles = [t.role for t in graph.inputs]
    trained = roles.count(Role.INPUT) == roles.count(Role.TARGET) == 1
    trained = trained and any(t.role is Role.LOSS for t in graph.tensors)
    return Kind.NETWORK if trained else Kind.PROGRAM


def given_adjoint(output: Tensor, cost: Tensor) -> Tensor:
    """The upstream gradient of a layer's output: an adjoint that no chain derives."""
    return Tensor(
        f"d{output.name}",
        output.slots,
        Role.ADJOINT,
        output.symbol,
        output.layer,
        of=output,
        root=cost,
        named=True,
    )


_LETTERS = {"unit": "k", "example": "s", "layer": "l", "time": "t"}


def mean_over(variables: Iterable[Var], body: Expr) -> Expr:
    """``1/size Σ body`` over the variables."""
    for variable in variables:
        body = 1 / SizeOf(variable.axis.size) * sum_over(variable, body)
    return body


Entry = Callable[[Var, Var | None], Expr]


def compose(
    b: Builder,
    row: VectorFunction,
    arguments: Mapping[str, Entry],
    axis: Axis,
    result: Tensor,
    layer: int | None = None,
    prefix: tuple[Index, ...] = (),
) -> Tensor:
    """A vector function as equations over primitives; its last part defines ``result``.

    ``arguments`` gives each argument as an entry for a unit and an example. A part of kind
    ``sum`` has no unit axis. ``prefix`` is the layer of a result that belongs to a family.
    """
    known = dict(arguments)
    for part in row.parts:
        indices, unit, example = b.unit_and_example(axis)
        body = part.formula(*(known[name](unit, example) for name in part.of))
        over = indices
        if part.kind == "sum":
            body = sum_over(unit, body)
            over = () if example is None else (example,)
        if part is row.parts[-1]:
            return b.define(result, (*prefix, *over), body, row.why, row.name)
        name = part.name if layer is None else f"{part.name}{layer}"
        tensor = b.tensor(name, (v.axis for v in over), symbol=part.name, layer=layer)
        b.define(tensor, over, body, part_of=row.name)
        known[part.name] = _entry_of(b, tensor, part.kind)
    return result


def _entry_of(b: Builder, tensor: Tensor, kind: str) -> Entry:
    if kind == "entry":
        return lambda unit, example: b.at(tensor, unit, example)
    return lambda _, example: tensor[() if example is None else (example,)]

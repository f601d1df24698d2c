"""Every layer as a graph of its own, with sizes to try it at and what its VJP should read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from symderiv.algebra.expr import Access, Expr, Role, Tensor, mul, sum_over
from symderiv.algebra.index import Size, as_index
from symderiv.calculus.attention import attention, softmax_of_rows
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.convolution import conv1d, max_pool1d, reach
from symderiv.calculus.graph import Definition, Graph
from symderiv.calculus.layers import activate, dense
from symderiv.calculus.normalization import batch_norm, layer_norm, rms_norm
from symderiv.calculus.recurrent import lstm_cell, rnn
from symderiv.calculus.steps import Adjoint, Derivation, Step


@dataclass(frozen=True)
class LayerCase:
    """A layer: how it is built, what it is differentiated by besides its parameters, and sizes."""

    name: str
    build: Callable[[], Graph]
    inputs: tuple[str, ...]
    sizes: tuple[dict[str, int], ...]
    derivation: list[Derivation] = field(default_factory=list)

    def derive(self) -> Derivation:
        """The derivation, made once."""
        if not self.derivation:
            graph = self.build()
            self.derivation.append(backprop(graph, sources(graph, self.inputs)))
        return self.derivation[0]


def sources(graph: Graph, inputs: tuple[str, ...]) -> list[Tensor]:
    """Parameters and the inputs named."""
    return [t for t in graph.inputs if t.role is Role.PARAMETER or t.name in inputs]


def numbers(sizes: dict[str, int]) -> dict[Size, int]:
    """``{"n[1]": 3}`` as sizes."""
    found = {}
    for name, value in sizes.items():
        family, _, member = name.partition("[")
        found[Size(family, as_index(int(member[:-1])) if member else None)] = value
    return found


def with_cost(derivation: Derivation) -> tuple[Graph, Derivation]:
    """The layer with the cost C = Σ ȳ y, for oracles that need one; ȳ is drawn."""
    graph = derivation.graph
    terms: list[Expr] = []
    chains: list[Adjoint] = []
    for given in graph.upstream:
        assert given.of is not None
        drawn = Tensor(f"{given.name} drawn", given.slots, Role.INPUT)
        indices = given.fresh_indices()
        entry = Access(drawn, tuple(map(as_index, indices)))
        terms.append(sum_over(indices, mul(entry, given.of[tuple(indices)])))
        left, right = (
            Access(t, tuple(map(as_index, given.fresh_indices()))) for t in (given, given)
        )
        right = Access(drawn, left.indices)
        step = Step(left, right, "definition", "drawn")
        chains.append(Adjoint(given, left.indices, (step,), right))
    total = terms[0] if len(terms) == 1 else terms[0] + terms[1]
    cost = Definition(graph.cost, (), total)
    closed = replace(graph, blocks=(*graph.blocks, cost), upstream=())
    return closed, Derivation(closed, (*chains, *derivation.adjoints))


# --- The layers ---------------------------------------------------------------------------------


def normalised(layer: Callable[..., Tensor], layout: str) -> Graph:
    b = Builder(layout)
    units = b.units(0, "n")
    x = b.tensor("x", b.batch(units), Role.INPUT)
    return b.graph(upstream=layer(b, x, units))


def after_dense(layout: str) -> Graph:
    """dense, batch norm, relu, layer norm: layers in a row."""
    b = Builder(layout)
    inputs, units = b.units(0), b.units(1)
    x = b.tensor("x", b.batch(inputs), Role.INPUT)
    z = dense(b, x, inputs, units, layer=1)
    a = activate(b, "relu", batch_norm(b, z, units, 1), units, 1)
    return b.graph(upstream=layer_norm(b, a, units, 2))


def attended(causal: bool) -> Graph:
    b = Builder("single")
    queries = b.axis("position", "n")
    keys = queries if causal else b.axis("position", "N")
    depth, width = b.axis("depth", "d"), b.axis("width", "e")
    q = b.tensor("Q", (queries, depth), Role.INPUT)
    k = b.tensor("K", (keys, depth), Role.INPUT)
    v = b.tensor("V", (keys, width), Role.INPUT)
    return b.graph(upstream=attention(b, q, k, v, causal))


def softmaxed() -> Graph:
    b = Builder("single")
    rows, columns = b.axis("row", "m"), b.axis("column", "n")
    return b.graph(upstream=softmax_of_rows(b, b.tensor("S", (rows, columns), Role.INPUT)))


def convolved(stride: int, padding: int | str) -> Graph:
    b = Builder("single")
    x = b.tensor("x", (b.axis("channel", "d"), b.axis("position", "n")), Role.INPUT)
    pad = Size(padding) if isinstance(padding, str) else padding
    channels, positions, kernel = (
        b.axis("channel", "c"),
        b.axis("position", "q"),
        b.axis("kernel", "K"),
    )
    return b.graph(upstream=conv1d(b, x, channels, positions, kernel, stride, pad))


def pooled(stride: int) -> Graph:
    b = Builder("single")
    positions, width = b.axis("position", "q"), b.axis("window", "K")
    x = b.tensor("x", (b.axis("channel", "c"), reach(positions, width, stride)), Role.INPUT)
    return b.graph(upstream=max_pool1d(b, x, positions, width, stride))


def with_learned_slope(layout: str) -> Graph:
    b = Builder(layout)
    units = b.units(0, "n")
    z = b.tensor("z", b.batch(units), Role.INPUT)
    return b.graph(upstream=activate(b, "prelu", z, units, 1))


def recurrent(layout: str) -> Graph:
    b = Builder(layout)
    inputs, hidden, outputs = (b.units(0, name) for name in "nhk")
    (t,) = b.over(b.axis("time", "T", ordered=True))
    x = b.tensor("x", b.batch(inputs), Role.INPUT, family=t)
    return b.graph(upstream=rnn(b, x, inputs, hidden, outputs))


def lstm(layout: str) -> Graph:
    b = Builder(layout)
    inputs, hidden = b.units(0, "n"), b.units(0, "h")
    x = b.tensor("x", b.batch(inputs), Role.INPUT)
    h, c = (b.tensor(name, b.batch(hidden), Role.INPUT) for name in "hc")
    return b.graph(upstream=lstm_cell(b, x, h, c, inputs, hidden))


def _cases() -> list[LayerCase]:
    found = []
    batch = ({"n": 3, "m": 4}, {"n": 2, "m": 5})
    for layout in ("rows", "columns"):
        for name, layer in (
            ("batch norm", batch_norm),
            ("layer norm", layer_norm),
            ("RMS norm", rms_norm),
        ):
            found.append(
                LayerCase(
                    f"{name}, {layout}",
                    lambda layer=layer, layout=layout: normalised(layer, layout),  # type: ignore[misc]
                    ("x",),
                    batch,
                )
            )
    along_time = tuple({"T": t, "n": 2, "h": 3, "k": 2, "m": 3} for t in (1, 2, 4))
    tokens = {"n": 4, "N": 3, "d": 2, "e": 3}
    windows = {"c": 2, "d": 3, "K": 3}
    found += [
        LayerCase("layer norm, single", lambda: normalised(layer_norm, "single"), ("x",), batch),
        LayerCase(
            "a stack", lambda: after_dense("columns"), ("x",), ({"n[0]": 2, "n[1]": 3, "m": 4},)
        ),
        LayerCase("attention", lambda: attended(False), ("Q", "K", "V"), (tokens,)),
        LayerCase("causal attention", lambda: attended(True), ("Q", "K", "V"), (tokens,)),
        LayerCase("softmax", softmaxed, ("S",), ({"m": 3, "n": 4},)),
        LayerCase("conv1d", lambda: convolved(1, 0), ("x",), ({**windows, "n": 6, "q": 4},)),
        LayerCase(
            "conv1d, stride 2, padding 1",
            lambda: convolved(2, 1),
            ("x",),
            ({**windows, "n": 7, "q": 4}, {**windows, "n": 8, "q": 3}),
        ),
        LayerCase(
            "conv1d, stride 3, padding p",
            lambda: convolved(3, "p"),
            ("x",),
            ({**windows, "n": 7, "q": 3, "p": 2}, {**windows, "n": 7, "q": 4, "p": 3}),
        ),
        LayerCase(
            "max pooling, stride 2",
            lambda: pooled(2),
            ("x",),
            ({"c": 2, "q": 3, "K": 2}, {"c": 2, "q": 3, "K": 3}),
        ),
        LayerCase("PReLU", lambda: with_learned_slope("columns"), ("z",), batch),
        LayerCase("RNN, columns", lambda: recurrent("columns"), ("x", "h0"), along_time),
        LayerCase("RNN, rows", lambda: recurrent("rows"), ("x", "h0"), along_time[1:2]),
        LayerCase("LSTM", lambda: lstm("columns"), ("x", "h", "c"), ({"n": 2, "h": 3, "m": 2},)),
        LayerCase("LSTM, single", lambda: lstm("single"), ("x", "h", "c"), ({"n": 2, "h": 3},)),
    ]
    return found


LAYERS = {case.name: case for case in _cases()}

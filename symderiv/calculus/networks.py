"""Feed-forward networks as graphs: dense layers, a loss, a cost."""

from __future__ import annotations

from collections.abc import Sequence

from symderiv.algebra.expr import Role
from symderiv.algebra.index import Axis, Size, as_index
from symderiv.calculus.builder import Builder
from symderiv.calculus.graph import Graph, Kind
from symderiv.calculus.layers import activate, cost, dense, hidden_layers, per_example_loss


def feed_forward(
    activations: Sequence[str],
    loss: str,
    *,
    bias: Sequence[bool] | None = None,
    sizes: Sequence[str | None] | None = None,
    reduction: str = "mean",
    l2: bool = False,
    layout: str = "columns",
) -> Graph:
    """A network with one dense layer for each activation; ``sizes`` names sizes that are shared."""
    depth = len(activations)
    names = sizes or [None] * (depth + 1)
    b = Builder(layout)
    axes = [b.units(n, names[n]) for n in range(depth + 1)]
    x = b.tensor("x", b.batch(axes[0]), Role.INPUT)
    a, weights = x, []
    for n, activation in enumerate(activations, start=1):
        z = dense(b, a, axes[n - 1], axes[n], n, bias is None or bias[n - 1])
        a = activate(b, activation, z, axes[n], n)
        weights.append(b.parameter(f"W{n}"))
    ell, _ = per_example_loss(b, loss, a, axes[-1])
    return b.graph(cost(b, ell, reduction, weights, l2), ell, kind=Kind.NETWORK)


def any_depth(
    hidden: str,
    output: str,
    loss: str,
    *,
    bias: bool = True,
    reduction: str = "mean",
    l2: bool = False,
    layout: str = "columns",
) -> Graph:
    """A network of L layers of n[0], ..., n[L] units: one recurrence along the layers."""
    b = Builder(layout)
    layers = Axis("layer", as_index(Size("L")), ordered=True)
    x = b.tensor("x", b.batch(b.units(0)), Role.INPUT)
    w, a, outputs = hidden_layers(b, x, layers, hidden, output, bias)
    ell, _ = per_example_loss(b, loss, a, outputs, (layers.stop,))
    return b.graph(cost(b, ell, reduction, [w], l2), ell, kind=Kind.NETWORK)

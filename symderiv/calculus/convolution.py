"""Convolution and pooling along one axis: forward equations only.

Positions count from 1. Output i sees the input at ``stride·(i − 1) + r − padding`` for the
places r = 1…K of the kernel; what lies outside of the input counts as 0.
"""

from __future__ import annotations

from symderiv.algebra.expr import Bracket, Expr, Role, Select, Tensor, mul, sum_over
from symderiv.algebra.index import Axis, Index, IndexLike, Var, as_index, fresh, guards
from symderiv.calculus.builder import Builder


def conv1d(
    b: Builder,
    x: Tensor,
    channels: Axis,
    positions: Axis,
    kernel: Axis,
    stride: int = 1,
    padding: IndexLike = 0,
    layer: int = 1,
) -> Tensor:
    """y[c,i] = Σ_d Σ_r W[c,d,r] x[d, s(i−1)+r−p] + b[c], with x = 0 outside of its positions.

    ``x`` is (channels in, positions); ``channels`` and ``positions`` are those of the output.
    """
    inputs, line = x.axes
    weight = b.tensor(f"W{layer}", (channels, inputs, kernel), Role.PARAMETER, "W", layer)
    offset = b.tensor(f"b{layer}", (channels,), Role.PARAMETER, "b", layer)
    y = b.tensor(f"y{layer}", (channels, positions), Role.PREACTIVATION, "y", layer)
    c, i, d, r = b.over(channels, positions, inputs, kernel)
    seen = window(i, r, stride, padding)
    inside = guards(seen, line)
    if inside is None:
        raise ValueError("no output sees an input")
    masks: list[Expr] = [Bracket(e) for e in inside]
    product = mul(*masks, weight[c, d, r], x[d, seen])
    body = sum_over((d, r), product) + offset[c]
    return b.define(y, (c, i), body, "cross-correlation", "conv1d")


def max_pool1d(
    b: Builder, x: Tensor, positions: Axis, width: Axis, stride: int, layer: int = 1
) -> Tensor:
    """y[c,i] = max_r x[c, s(i−1)+r]: the entry where the maximum is, written with a selector.

    The last window must end inside of the input: raises ValueError if it might not.
    """
    channels, line = x.axes
    y = b.tensor(f"y{layer}", (channels, positions), Role.ACTIVATION, "y", layer)
    c, i, r = b.over(channels, positions, width)
    if guards(window(i, r, stride), line) != ():
        raise ValueError("a window reaches beyond the input")
    rival = fresh(width, "r")
    wins = Select(as_index(r), rival, x[c, window(i, rival, stride)])
    body = sum_over(r, wins * x[c, window(i, r, stride)])
    return b.define(y, (c, i), body, "maximum", "max-pool")


def window(i: Var, r: Var, stride: int, padding: IndexLike = 0) -> Index:
    """The input position that output i sees at place r of its window."""
    return (i - 1) * stride + r - padding


def reach(positions: Axis, width: Axis, stride: int, padding: int = 0) -> Axis:
    """The axis of inputs that the windows of all outputs cover exactly, without the padding."""
    stop = (positions.stop - 1) * stride + width.stop - 2 * padding
    return Axis(positions.name, stop)

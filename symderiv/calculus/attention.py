"""Scaled dot-product attention with a single head: forward equations only.

Source: Vaswani et al., Attention is all you need, 2017.
"""

from __future__ import annotations

from symderiv.algebra.expr import Bracket, Expr, SizeOf, Tensor, sum_over
from symderiv.calculus.builder import Builder
from symderiv.calculus.functions import exp, sqrt


def attention(b: Builder, q: Tensor, k: Tensor, v: Tensor, causal: bool = False) -> Tensor:
    """O = P V, P = softmax(S) along the keys, S = Q Kᵀ/√d; with a mask, j ≤ i only.

    Q is (queries, d), K is (keys, d), V is (keys, d′). Raises ValueError where these do not fit,
    and for a mask where queries and keys are not the same positions.
    """
    (queries, depth), (keys, depth_of_keys), (values, width) = q.axes, k.axes, v.axes
    if depth != depth_of_keys or keys != values:
        raise ValueError("queries and keys have one depth, keys and values one number")
    if causal and queries != keys:
        raise ValueError("a causal mask compares positions: queries and keys are the same ones")
    scores = b.tensor("S", (queries, keys))
    i, j, c = b.over(queries, keys, depth)
    dots = sum_over(c, q[i, c] * k[j, c])
    b.define(scores, (i, j), dots / sqrt(SizeOf(depth.size)), "scores", "attention")
    weights = softmax_of_rows(b, scores, causal)
    output = b.tensor("O", (queries, width))
    i, j, e = b.over(queries, keys, width)
    b.named.update((scores.name, weights.name))
    return b.define(
        output, (i, e), sum_over(j, weights[i, j] * v[j, e]), "weighted values", "attention"
    )


def softmax_of_rows(b: Builder, scores: Tensor, causal: bool = False) -> Tensor:
    """P[i,j] = [j ≤ i] e^S[i,j] / Σ_k [k ≤ i] e^S[i,k]; without the mask over all k."""
    rows, columns = scores.axes

    power = b.tensor("E", (rows, columns))
    i, j = b.over(rows, columns)
    b.define(power, (i, j), exp(scores[i, j]), "exponentials", "softmax")
    if causal:
        masked = b.tensor("M", (rows, columns))
        i, j = b.over(rows, columns)
        visible: Expr = Bracket(i - j)
        power = b.define(masked, (i, j), visible * power[i, j], "causal mask", "softmax")
    total = b.tensor("R", (rows,))
    i, j = b.over(rows, columns)
    b.define(total, (i,), sum_over(j, power[i, j]), "their sum", "softmax")
    weights = b.tensor("P", (rows, columns))
    i, j = b.over(rows, columns)
    return b.define(weights, (i, j), power[i, j] / total[i], "softmax", "softmax", eliminates=power)

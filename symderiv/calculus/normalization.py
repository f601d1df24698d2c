"""Normalisation: batch norm, layer norm, RMS norm; forward equations only.

All three divide by a root mean square; they differ in what the mean runs over and in whether the
mean itself is subtracted first. Source: Ioffe and Szegedy 2015; Ba, Kiros and Hinton 2016; Zhang
and Sennrich 2019.
"""

from __future__ import annotations

from fractions import Fraction

from symderiv.algebra.expr import Expr, Role, Tensor
from symderiv.algebra.index import Axis, Var
from symderiv.calculus.builder import Builder, mean_over
from symderiv.calculus.functions import sqrt


def batch_norm(b: Builder, x: Tensor, units: Axis, layer: int = 1) -> Tensor:
    """y = γ x̂ + β, x̂ = (x − μ)/s, s = √(v + ε): μ and v over the examples, for each unit.

    Raises ValueError without examples.
    """
    if b.layout == "single":
        raise ValueError("batch norm takes its mean over examples; this layout has none")
    return _standardised(b, x, units, layer, "batch-norm", across_examples=True)


def layer_norm(b: Builder, x: Tensor, units: Axis, layer: int = 1) -> Tensor:
    """y = γ x̂ + β, x̂ = (x − μ)/s, s = √(v + ε): μ and v over the units, for each example."""
    return _standardised(b, x, units, layer, "layer-norm", across_examples=False)


def _standardised(
    b: Builder, x: Tensor, units: Axis, layer: int, name: str, across_examples: bool
) -> Tensor:
    """Centre, divide by the standard deviation, scale and shift."""

    def statistic(symbol: str) -> Tensor:
        _, k, s = b.unit_and_example(units)
        over = (k,) if across_examples else () if s is None else (s,)
        return b.tensor(f"{symbol}{layer}", (v.axis for v in over), symbol=symbol)

    def at(t: Tensor, k: Var, s: Var | None) -> Expr:
        return t[k] if across_examples else t[() if s is None else (s,)]

    def each() -> tuple[tuple[Var, ...], Var, Var | None, tuple[Var, ...], Var]:
        """Indices of x; the unit and the example; those that stay, and the one averaged over."""
        pair, k, s = b.unit_and_example(units)
        run = s if across_examples and s is not None else k
        return pair, k, s, tuple(v for v in pair if v is not run), run

    mean, variance, deviation = statistic("mu"), statistic("v"), statistic("s")
    centred = b.tensor(f"c{layer}", b.batch(units), symbol="c")

    _, k, s, rest, run = each()
    b.define(mean, rest, mean_over((run,), b.at(x, k, s)), "mean", name)
    pair, k, s, _, _ = each()
    b.define(centred, pair, b.at(x, k, s) - at(mean, k, s), "centred", name)
    _, k, s, rest, run = each()
    b.define(variance, rest, mean_over((run,), b.at(centred, k, s) ** 2), "variance", name)
    _, k, s, rest, _ = each()
    epsilon = b.tensor("eps", (), Role.HYPERPARAMETER, "epsilon")
    b.define(deviation, rest, sqrt(at(variance, k, s) + epsilon[()]), "deviation", name)
    normed = b.tensor(f"xhat{layer}", b.batch(units), symbol="xhat")
    pair, k, s, _, _ = each()
    b.define(normed, pair, b.at(centred, k, s) / at(deviation, k, s), "normalised", name, centred)
    return _scaled(b, normed, units, layer, name, shift=True, named=not across_examples)


def rms_norm(b: Builder, x: Tensor, units: Axis, layer: int = 1) -> Tensor:
    """y = γ x̂, x̂ = x/r, r = √(1/n Σ_k x_k² + ε): over the units, for each example."""
    name = "rms-norm"
    pair, k, s = b.unit_and_example(units)
    rest = tuple(v for v in pair if v is not k)
    epsilon = b.tensor("eps", (), Role.HYPERPARAMETER, "epsilon")
    square = b.tensor(f"q{layer}", (v.axis for v in rest), symbol="q")
    root = b.tensor(f"r{layer}", (v.axis for v in rest), symbol="r")
    b.define(square, rest, mean_over((k,), b.at(x, k, s) ** 2), "mean square", name)
    pair, k, s = b.unit_and_example(units)
    rest = tuple(v for v in pair if v is not k)
    b.define(root, rest, sqrt(square[rest] + epsilon[()]), "root mean square", name)
    normed = b.tensor(f"xhat{layer}", b.batch(units), symbol="xhat")
    pair, k, s = b.unit_and_example(units)
    rest = tuple(v for v in pair if v is not k)
    b.define(normed, pair, b.at(x, k, s) / root[rest], "normalised", name, eliminates=x)
    return _scaled(b, normed, units, layer, name, shift=False, named=True)


def _scaled(
    b: Builder, normed: Tensor, units: Axis, layer: int, name: str, shift: bool, named: bool
) -> Tensor:
    """y = γ x̂ + β, entry by entry.

    Where γ is not constant along the mean, ∂C/∂x̂ is ``named``: its mean is taken with it.
    """
    one = Fraction(1)  # from γ = 0 no signal would pass
    gamma = b.tensor(f"gamma{layer}", (units,), Role.PARAMETER, "gamma", layer, start=one)
    y = b.tensor(f"y{layer}", b.batch(units), Role.ACTIVATION, "y", layer)
    pair, k, s = b.unit_and_example(units)
    body = gamma[k] * b.at(normed, k, s)
    if shift:
        beta = b.tensor(f"beta{layer}", (units,), Role.PARAMETER, "beta", layer)
        body = body + beta[k]
    if named:
        b.named.add(normed.name)
    return b.define(y, pair, body, "scaled", name)

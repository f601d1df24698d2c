"""``gradient("X")`` is the derivative of the cost: LaTeX, SymPy, NumPy and the module agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import symderiv


def numeric(net: dict[str, Any], params: Any, X: Any, Y: Any) -> Any:
    slopes = np.zeros_like(X)
    for place in np.ndindex(*X.shape):
        step = np.zeros_like(X)
        step[place] = 1e-6
        rise = net["cost"](params, X + step, Y) - net["cost"](params, X - step, Y)
        slopes[place] = rise / 2e-6
    return slopes


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("layout", ["rows", "columns", "single"])
def test_every_form_is_the_slope_of_the_cost(layout: str, reduction: str) -> None:
    found = symderiv.derive(f"2-3-1:tanh,identity+half-mse+{reduction}", layout=layout)
    net: dict[str, Any] = {"__name__": "net"}
    exec(str(found.render("numpy")), net)
    rng = np.random.default_rng(3)
    params = {k: rng.normal(size=v.shape) for k, v in net["init"](rng).items()}
    X, Y = rng.normal(size=(2, 4)), rng.normal(size=(1, 4))
    if layout == "rows":
        X, Y = X.T, Y.T
    if layout == "single":
        X, Y = X[:, 0], Y[:, 0]
    expected = numeric(net, params, X, Y)
    assert np.allclose(net["input_gradient"](params, X, Y), expected, atol=1e-7)

    quantity = found.gradient("X")
    mean = reduction == "mean" and layout != "single"
    assert (r"\frac{1}{m}" in quantity.latex()) == mean
    assert quantity.latex().startswith(r"\frac{\partial C}{\partial x")

    # the statement of the module, with delta1 of its own
    values = {**net, **params, "X": X, "m": 4}
    names = net["_forward"].__code__.co_varnames[: net["_forward"].__code__.co_argcount]
    forward = net["_forward"](*(values[n] for n in names))
    made = dict(zip(_returned(str(found.render("numpy")), "_forward"), forward, strict=True))
    values |= made | {"Y": Y}
    names = net["_errors"].__code__.co_varnames[: net["_errors"].__code__.co_argcount]
    errors = net["_errors"](*(values[n] for n in names))
    values |= dict(zip(_returned(str(found.render("numpy")), "_errors"), errors, strict=True))
    target, _, text = quantity.numpy().partition(" = ")
    assert target == "dX"
    assert np.allclose(eval(text, values), expected, atol=1e-7)

    # SymPy's form, entry by entry
    form = quantity.sympy()
    assert form.has(sympy.Symbol("m", integer=True, positive=True)) == mean


def _returned(text: str, function: str) -> list[str]:
    body = text[text.index(f"def {function}(") :]
    line = next(row for row in body.splitlines() if row.startswith("    return "))
    return [name.strip() for name in line.removeprefix("    return ").split(",")]


def test_asked_for_by_wrt_it_is_the_same() -> None:
    asked = symderiv.derive("2-3-1:sigmoid+bce", wrt=["X", "W1"])
    assert asked.gradient("X").latex() == symderiv.derive("2-3-1:sigmoid+bce").gradient("X").latex()
    assert r"\frac{\partial C}{\partial x" in str(asked.render("tex"))

"""Generated modules for the tests of this folder: text, and a fresh namespace that ran it."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from symderiv.algebra.expr import Role
from symderiv.calculus.backprop import backprop
from symderiv.calculus.graph import Graph
from symderiv.calculus.networks import any_depth, feed_forward
from symderiv.code.module import module_text
from symderiv.frontend.presentation import Presentation

Spec = tuple[str, ...]

# name: (activations, loss, options of feed_forward, sizes)
NETWORKS: dict[str, tuple[list[str], str, dict[str, Any], tuple[int | str, ...] | None]] = {
    "2-3-1:sigmoid+bce": (["sigmoid", "sigmoid"], "bce", {}, (2, 3, 1)),
    "5-4-3:tanh,softmax+ce+l2": (["tanh", "softmax"], "ce", {"l2": True}, (5, 4, 3)),
    "5-4-3:relu,identity+mse": (["relu", "identity"], "mse", {}, (5, 4, 3)),
    "n0-n1-n2:tanh,sigmoid+bce+sum": (
        ["tanh", "sigmoid"],
        "bce",
        {"reduction": "sum"},
        ("n0", "n1", "n2"),
    ),
    "4-3:sigmoid+mse+nobias": (["sigmoid"], "mse", {"bias": [False]}, (4, 3)),
    "3-4-5-2:gelu,elu,softmax+mse+l2+sum": (
        ["gelu", "elu", "softmax"],
        "mse",
        {"l2": True, "reduction": "sum"},
        (3, 4, 5, 2),
    ),
    "2-4-3:silu,identity+hinge": (["silu", "identity"], "hinge", {}, (2, 4, 3)),
    "n0-...-nL:sigmoid+bce+l2": (["sigmoid", "sigmoid"], "bce", {"l2": True}, None),
    "n0-...-nL:relu,softmax+ce": (["relu", "softmax"], "ce", {}, None),
    "n0-...-nL:tanh,identity+mse+nobias": (["tanh", "identity"], "mse", {"bias": False}, None),
}
LAYOUTS = ("rows", "columns", "single")


def graph(spec: str, layout: str) -> Graph:
    activations, loss, options, sizes = NETWORKS[spec]
    if sizes is None:
        return any_depth(*activations, loss, layout=layout, **options)
    return feed_forward(activations, loss, layout=layout, **options)


@cache
def source(spec: str, layout: str, freeze: tuple[str, ...] = ()) -> str:
    """The text of the module."""
    made = graph(spec, layout)
    wrt = [t for t in made.tensors if t.role in (Role.PARAMETER, Role.INPUT)]
    return module_text(
        backprop(made, wrt),
        Presentation(
            spec=spec,
            command=f"symderiv derive {spec} --layout {layout}",
            version="0",
            sizes=dict(enumerate(NETWORKS[spec][3] or ())),
            layout=layout,
            freeze=frozenset(t for t in wrt if {t.name, t.symbol} & {*freeze}),
        ),
    )


def run(text: str) -> SimpleNamespace:
    """The names that the text defines, in a namespace of their own."""
    names: dict[str, Any] = {"__name__": "generated"}
    exec(compile(text, "net.py", "exec"), names)
    return SimpleNamespace(**names)


def module(spec: str, layout: str, freeze: tuple[str, ...] = ()) -> SimpleNamespace:
    return run(source(spec, layout, freeze))


SIZES = {"n0": 3, "n1": 4, "n2": 2}
DEPTH = [3, 4, 5, 2]
M = 6


def data(spec: str, layout: str, net: SimpleNamespace, seed: int = 1) -> tuple[Any, Any, Any]:
    """Random parameters, X and Y of the right shapes and domains."""
    rng = np.random.default_rng(seed)
    _, loss, _, sizes = NETWORKS[spec]
    if sizes is None:
        params, widths = net.init(rng, DEPTH), DEPTH
    elif isinstance(sizes[0], str):
        params, widths = net.init(rng, SIZES), list(SIZES.values())
    else:
        params, widths = net.init(rng), [int(n) for n in sizes]
    params = {name: value + 0.1 * rng.normal(size=value.shape) for name, value in params.items()}
    x, y = rng.normal(size=(M, widths[0])), rng.uniform(size=(M, widths[-1]))
    if loss == "ce":
        y /= y.sum(axis=1, keepdims=True)
    if loss == "hinge":
        y = np.sign(y - 0.5)
    if layout == "single":
        return params, x[0], y[0]
    return params, *((x, y) if layout == "rows" else (x.T.copy(), y.T.copy()))

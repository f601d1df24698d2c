"""Checked derivations that the tests of documents share."""

from __future__ import annotations

from functools import cache

from symderiv.algebra.expr import Role
from symderiv.calculus.backprop import backprop
from symderiv.calculus.graph import Graph
from symderiv.calculus.networks import any_depth, feed_forward
from symderiv.documents import Presentation
from symderiv.proof.check import CheckedDerivation, check

NAMES = ("bce", "l2", "softmax", "generic", "deep", "sum")


def graph(name: str) -> Graph:
    match name:
        case "bce":
            return feed_forward(["sigmoid", "sigmoid"], "bce")
        case "l2":
            return feed_forward(["sigmoid", "sigmoid"], "bce", l2=True)
        case "softmax":
            return feed_forward(["relu", "softmax"], "ce", layout="rows")
        case "generic":
            return any_depth("sigmoid", "sigmoid", "mse", l2=True)
        case "deep":
            return feed_forward(["tanh", "tanh", "tanh", "identity"], "half-mse")
        case _:
            return feed_forward(["sigmoid"], "mse", reduction="sum", bias=[False])


PRESENTATIONS = {
    "bce": Presentation("", "2-3-1:sigmoid+bce", {0: 2, 1: 3, 2: 1}),
    "l2": Presentation("Digits & more", "400-25-10:sigmoid+bce+l2", {0: 400, 1: 25, 2: 10}),
    "softmax": Presentation("", "784-30-10:relu,softmax+ce", {0: 784, 1: 30, 2: 10}, "rows"),
    "generic": Presentation("", "n0-...-nL:sigmoid+mse+l2"),
    "deep": Presentation("", "5-4-3-2-2:tanh,tanh,tanh,identity+half-mse", {0: 5, 1: 4, 4: 2}),
    "sum": Presentation("", "3-2:sigmoid+mse+sum+nobias", {0: 3, 1: "k"}),
}


def fresh(name: str) -> CheckedDerivation:
    """Derived and checked anew."""
    made = graph(name)
    return check(backprop(made, [t for t in made.tensors if t.role is Role.PARAMETER]))


checked = cache(fresh)

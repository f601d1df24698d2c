"""The table of losses of one output (summed over the outputs), from easy to tricky.

``a`` is the output of the network and ``y`` the target; a loss on logits takes ``z``, the
pre-activation of the last layer. ``factor`` says how a definition differs from PyTorch's and
Keras's, which also average over the examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from symderiv.algebra.expr import Expr, ExprLike, apply
from symderiv.calculus.functions import (
    DISTRIBUTION,
    REAL,
    TARGET,
    UNIT,
    Part,
    Row,
    ScalarFunction,
    VectorFunction,
    exp,
    log,
)

HALF = Fraction(1, 2)


def _softplus(x: ExprLike) -> Expr:
    return log(1 + exp(x))


def _sigmoid(x: ExprLike) -> Expr:
    return apply("sigmoid", x)


_ROWS: tuple[Row, ...] = (
    ScalarFunction(
        name="mse",
        arguments=("a", "y"),
        definition=lambda a, y: (a - y) ** 2,
        derivatives=(lambda a, y, v: 2 * (a - y), lambda a, y, v: -2 * (a - y)),
        latex=r"\ell",
        call=r"(#1 - #2)^2",
        why="the power rule on the square of the error",
        domain=(REAL, REAL),
        factor="PyTorch's MSELoss and Keras's also divide by the number of outputs",
        numpy=("return (a - y) ** 2",),
        numpy_derivatives=(("return 2 * (a - y)",), ("return -2 * (a - y)",)),
    ),
    ScalarFunction(
        name="half-mse",
        arguments=("a", "y"),
        definition=lambda a, y: HALF * (a - y) ** 2,
        derivatives=(lambda a, y, v: a - y, lambda a, y, v: y - a),
        latex=r"\ell",
        call=r"\tfrac12 (#1 - #2)^2",
        why="the factor one half takes up the 2 of the power rule",
        domain=(REAL, REAL),
        factor="half of PyTorch's MSELoss with reduction='sum'; Keras has no factor one half",
        numpy=("return 0.5 * (a - y) ** 2",),
        numpy_derivatives=(("return a - y",), ("return y - a",)),
    ),
    ScalarFunction(
        name="bce",
        arguments=("a", "y"),
        definition=lambda a, y: -(y * log(a) + (1 - y) * log(1 - a)),
        derivatives=(
            lambda a, y, v: -y / a + (1 - y) / (1 - a),
            lambda a, y, v: log(1 - a) - log(a),
        ),
        latex=r"\ell",
        call=r"-\left(#2 \log #1 + (1 - #2) \log(1 - #1)\right)",
        why="log has slope 1/a, and 1 - a falls as a rises",
        domain=(UNIT, TARGET),
        needs="unit-interval",
        factor="PyTorch's BCELoss and Keras's also divide by the number of outputs",
        numpy=(
            "yes = np.where(y == 0, 1, a)  # 0 log 0 = 0",
            "no = np.where(y == 1, 0, a)",
            "return -(y * np.log(yes) + (1 - y) * np.log1p(-no))",
        ),
        numpy_derivatives=(
            (
                "yes = np.where(y == 0, 1, a)",
                "no = np.where(y == 1, 0, a)",
                "return (1 - y) / (1 - no) - y / yes",
            ),
            ("return np.log1p(-a) - np.log(a)",),
        ),
    ),
    ScalarFunction(
        name="ce",
        arguments=("a", "y"),
        definition=lambda a, y: -y * log(a),
        derivatives=(lambda a, y, v: -y / a, lambda a, y, v: -log(a)),
        latex=r"\ell",
        call=r"-#2 \log #1",
        why="log has slope 1/a; only outputs with a target contribute",
        domain=(UNIT, DISTRIBUTION),
        needs="probability-vector",
        factor="Keras's CategoricalCrossentropy; PyTorch's CrossEntropyLoss takes logits",
        numpy=(
            "yes = np.where(y == 0, 1, a)  # 0 log 0 = 0",
            "return -y * np.log(yes)",
        ),
        numpy_derivatives=(
            ("yes = np.where(y == 0, 1, a)", "return -y / yes"),
            ("return -np.log(a)",),
        ),
    ),
    ScalarFunction(
        name="bce-logits",
        arguments=("z", "y"),
        definition=lambda z, y: y * _softplus(-z) + (1 - y) * _softplus(z),
        derivatives=(lambda z, y, v: _sigmoid(z) - y, lambda z, y, v: -z),
        latex=r"\ell",
        why="softplus has slope sigma, and sigma(-z) = 1 - sigma(z)",
        domain=(REAL, TARGET),
        factor="PyTorch's BCEWithLogitsLoss also divides by the number of outputs",
        uses=("sigmoid",),
        numpy=("return y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)",),
        numpy_derivatives=(
            ("return (1 - y) * sigmoid(z) - y * sigmoid(-z)  # sigmoid(z) - y would cancel",),
            ("return -z",),
        ),
    ),
    VectorFunction(
        name="ce-logits",
        arguments=("z", "y"),
        parts=(
            Part("e", "entry", ("z",), lambda z: exp(z)),
            Part("s", "sum", ("e",), lambda e: e),
            Part("q", "entry", ("z", "s"), lambda z, s: z - log(s)),
            Part("loss", "sum", ("y", "q"), lambda y, q: -y * q),
        ),
        latex=r"\ell",
        why="the logarithm of softmax is z minus the logarithm of the sum",
        domain=(REAL, DISTRIBUTION),
        factor="PyTorch's CrossEntropyLoss with class probabilities as targets",
        numpy=(
            "t = z - np.max(z, axis=axis, keepdims=True)",
            "q = t - np.log(np.sum(np.exp(t), axis=axis, keepdims=True))",
            "return -np.sum(y * q, axis=axis)",
        ),
        numpy_gradient=(
            "top = z == np.max(z, axis=axis, keepdims=True)",
            "e = np.exp(z - np.max(z, axis=axis, keepdims=True))",
            "s = np.sum(e, axis=axis, keepdims=True)",
            "rest = np.sum(np.where(top, 0, e), axis=axis, keepdims=True)",
            "rest = rest + (np.sum(top, axis=axis, keepdims=True) - 1)  # s - 1 without cancelling",
            "miss = np.where(top, rest, s - e) / s  # 1 - p",
            "return (1 - y) * (e / s) - y * miss  # p - y would cancel where p is near y",
        ),
    ),
)

LOSSES: Mapping[str, Row] = MappingProxyType({row.name: row for row in _ROWS})

# A loss after an activation, and the loss on logits that is the same function, stable.
LOGITS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("bce", "sigmoid"): "bce-logits",
        ("ce", "softmax"): "ce-logits",
    }
)

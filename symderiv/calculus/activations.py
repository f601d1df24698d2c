"""The table of activations, from easy to tricky: one row a function.

Sources: Nielsen, Neural Networks and Deep Learning, chapters 2 and 3; for a row of its own
paper, the row says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from symderiv.algebra.expr import ONE
from symderiv.calculus.functions import (
    PRIMITIVES,
    Kink,
    Part,
    Row,
    ScalarFunction,
    VectorFunction,
    exp,
    positive,
)

_ROWS: tuple[Row, ...] = (
    ScalarFunction(
        name="identity",
        arguments=("z",),
        definition=lambda z: z,
        derivatives=(lambda z, a: ONE,),
        latex=r"\mathrm{id}",
        call="#1",
        why="the slope of a straight line is constant",
        numpy=("return +z",),
        numpy_derivatives=(("return np.ones_like(z)",),),
    ),
    ScalarFunction(
        name="sigmoid",
        arguments=("z",),
        definition=lambda z: 1 / (1 + exp(-z)),
        derivatives=(lambda z, a: a * (1 - a),),
        latex=r"\sigma",
        why="the logistic curve grows in proportion to a and to what is missing to 1",
        range_="unit-interval",
        numpy=(
            "e = np.exp(-np.abs(z))  # at most 1, so nothing overflows",
            "return np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
        ),
        numpy_derivatives=(
            (
                "e = np.exp(-np.abs(z))  # a (1 - a) would cancel where a is near 1",
                "return e / (1 + e) ** 2",
            ),
        ),
        scipy=("return special.expit(z)",),
    ),
    ScalarFunction(
        name="tanh",
        arguments=("z",),
        definition=lambda z: (exp(z) - exp(-z)) / (exp(z) + exp(-z)),
        derivatives=(lambda z, a: 1 - a**2,),
        latex=r"\tanh",
        why="the quotient rule on sinh/cosh leaves 1 minus the square of the value",
        range_="signed",
        numpy=("return np.tanh(z)",),
        numpy_derivatives=(
            (
                "e = np.exp(-2 * np.abs(z))  # 1 - a**2 would cancel where |a| is near 1",
                "return 4 * e / (1 + e) ** 2",
            ),
        ),
    ),
    ScalarFunction(
        name="relu",
        arguments=("z",),
        definition=lambda z: positive(z) * z,
        derivatives=(lambda z, a: positive(z),),
        latex=r"\operatorname{relu}",
        why="where the unit is on it copies z, where it is off it is constant",
        kinks=(Kink("z = 0", "relu'(0) = 0"),),
        numpy=("return np.maximum(z, 0)",),
        numpy_derivatives=(("return (z > 0) * np.ones_like(z)",),),
    ),
    PRIMITIVES["exp"],
    VectorFunction(
        name="softmax",
        arguments=("z",),
        parts=(
            Part("e", "entry", ("z",), lambda z: exp(z)),
            Part("s", "sum", ("e",), lambda e: e),
            Part("a", "entry", ("e", "s"), lambda e, s: e / s),
        ),
        latex=r"\operatorname{softmax}",
        why="exponentials divided by their sum: every entry depends on all of z",
        range_="probability-vector",
        sums_to_one=True,
        numpy=(
            "e = np.exp(z - np.max(z, axis=axis, keepdims=True))  # the shift cancels below",
            "return e / np.sum(e, axis=axis, keepdims=True)",
        ),
        scipy=("return special.softmax(z, axis=axis)",),
    ),
)

ACTIVATIONS: Mapping[str, Row] = MappingProxyType({row.name: row for row in _ROWS})

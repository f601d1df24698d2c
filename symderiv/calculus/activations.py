"""The table of activations, from easy to tricky: one row a function.

Sources: Nielsen, Neural Networks and Deep Learning, chapters 2 and 3; PyTorch's documentation
for the definitions that come in several variants; a paper where the row names one.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from symderiv.algebra.expr import ONE, Expr, apply
from symderiv.calculus.functions import (
    EITHER_SIGN,
    HALF,
    LOG_PROBABILITIES,
    NOT_NEGATIVE,
    PI,
    POSITIVE,
    POSITIVE_NUMBER,
    PROBABILITY,
    PROBABILITY_VECTOR,
    REAL,
    Kink,
    Part,
    Row,
    ScalarFunction,
    VectorFunction,
    absolute,
    exp,
    log,
    normal_cdf,
    normal_pdf,
    positive,
    sigmoid,
    softplus,
    sqrt,
    table,
    tanh,
    where,
)
from symderiv.calculus.primitives import PRIMITIVES

SIXTH = Fraction(1, 6)
_CUBIC = Fraction(44715, 1000000)  # of the tanh form of gelu, Hendrycks and Gimpel 2016


def _gelu_inner(z: Expr) -> Expr:
    return sqrt(2 / PI) * (z + _CUBIC * z**3)


# fmt: off
_ROWS: tuple[Row, ...] = (
    ScalarFunction(
        name="identity", arguments=("z",), latex=r"\mathrm{id}", call="#1",
        definition=lambda z: z,
        derivatives=(lambda z, a: ONE,),
        why="the slope of a straight line is constant",
        numpy=("return +z",),
        numpy_derivatives=(("return np.ones_like(z)",),),
    ),
    ScalarFunction(
        name="sigmoid", arguments=("z",), latex=r"\sigma", letter="σ", range_=PROBABILITY,
        definition=lambda z: 1 / (1 + exp(-z)),
        derivatives=(lambda z, a: a * (1 - a),),
        why="the logistic curve grows in proportion to a and to what is missing to 1",
        numpy=(
            "e = np.exp(-np.abs(z))  # at most 1, so nothing overflows",
            "return np.where(z >= 0, 1 / (1 + e), e / (1 + e))",
        ),
        numpy_derivatives=((
            "e = np.exp(-np.abs(z))  # a (1 - a) would cancel where a is near 1",
            "return e / (1 + e) ** 2",
        ),),
        scipy=("return special.expit(z)",),
    ),
    ScalarFunction(
        name="tanh", arguments=("z",), latex=r"\tanh", range_=EITHER_SIGN,
        definition=lambda z: (exp(z) - exp(-z)) / (exp(z) + exp(-z)),
        derivatives=(lambda z, a: 1 - a**2,),
        why="the quotient rule on sinh/cosh leaves 1 minus the square of the value",
        numpy=("return np.tanh(z)",),
        numpy_derivatives=((
            "e = np.exp(-2 * np.abs(z))  # 1 - a**2 would cancel where |a| is near 1",
            "return 4 * e / (1 + e) ** 2",
        ),),
    ),
    ScalarFunction(
        name="relu", arguments=("z",), latex=r"\operatorname{relu}", range_=NOT_NEGATIVE,
        definition=lambda z: positive(z) * z,
        derivatives=(lambda z, a: positive(z),),
        why="where the unit is on it copies z, where it is off it is constant",
        kinks=(Kink(at=0, slope=0),),
        numpy=("return np.maximum(z, 0)",),
        numpy_derivatives=(("return (z > 0) * np.ones_like(z)",),),
    ),
    PRIMITIVES["exp"],
    PRIMITIVES["sin"],
    PRIMITIVES["arctan"],
    ScalarFunction(
        name="gaussian", arguments=("z",), latex=r"\operatorname{gaussian}", call=r"e^{-#1^2}",
        range_=POSITIVE_NUMBER,
        definition=lambda z: exp(-(z**2)),
        derivatives=(lambda z, a: -2 * z * a,),
        why="the chain rule on the exponent -z**2",
        numpy=(
            "w = np.minimum(np.abs(z), 30)",
            "s = np.floor(16 * w) / 16  # s * s is exact: no error is magnified",
            "return np.exp(-s * s) * np.exp(-(w - s) * (w + s))",
        ),
        numpy_derivatives=(("return -2 * z * gaussian(z)",),),
        uses=("gaussian",),
    ),
    ScalarFunction(
        name="softsign", arguments=("z",), latex=r"\operatorname{softsign}", range_=EITHER_SIGN,
        definition=lambda z: z / (1 + absolute(z)),
        derivatives=(lambda z, a: 1 / (1 + absolute(z)) ** 2,),
        why="the quotient rule; z times the sign of z is |z|, which cancels",
        numpy=("return z / (1 + np.abs(z))",),
        numpy_derivatives=(("r = 1 / (1 + np.abs(z))", "return r * r"),),
    ),
    ScalarFunction(
        name="leaky-relu", arguments=("z", "alpha"), latex=r"\operatorname{lrelu}",
        domain=(REAL, POSITIVE),
        definition=lambda z, alpha: where(positive(z), z, alpha * z),
        derivatives=(lambda z, alpha, a: where(positive(z), 1, alpha), None),
        why="slope 1 where the unit is on, the leak alpha where it is off",
        hyper=(("alpha", Fraction(1, 100)),),
        kinks=(Kink(at=0, slope=lambda alpha: alpha),),
        numpy=("return np.where(z > 0, z, alpha * z)",),
        numpy_derivatives=(
            ("one = np.ones_like(z)", "return np.where(z > 0, one, alpha * one)"),
            None,
        ),
    ),
    ScalarFunction(
        name="prelu", arguments=("z", "alpha"), latex=r"\operatorname{prelu}",
        domain=(REAL, REAL), starts=(("alpha", Fraction(1, 4)),),  # He et al. 2015
        definition=lambda z, alpha: where(positive(z), z, alpha * z),
        derivatives=(
            lambda z, alpha, a: where(positive(z), 1, alpha),
            lambda z, alpha, a: (1 - positive(z)) * z,
        ),
        why="leaky relu whose leak is learned: alpha multiplies z where the unit is off",
        kinks=(Kink(at=0, slope=lambda alpha: alpha),),
        numpy=("return np.where(z > 0, z, alpha * z)",),
        numpy_derivatives=(
            ("one = np.ones_like(z)", "return np.where(z > 0, one, alpha * one)"),
            ("return np.minimum(z, 0) + 0 * alpha",),
        ),
    ),
    ScalarFunction(
        name="hard-tanh", arguments=("z",), latex=r"\operatorname{htanh}", range_=EITHER_SIGN,
        closed=True,
        definition=lambda z: where(positive(z + 1), where(positive(1 - z), z, 1), -1),
        derivatives=(lambda z, a: positive(z + 1) * positive(1 - z),),
        why="a copy of z between the two ends, constant beyond them",
        kinks=(Kink(at=-1, slope=0), Kink(at=1, slope=0)),
        numpy=("return np.clip(z, -1, 1)",),
        numpy_derivatives=(("return (np.abs(z) < 1) * np.ones_like(z)",),),
    ),
    ScalarFunction(
        name="hard-sigmoid", arguments=("z",), latex=r"\operatorname{hsigm}",
        range_=PROBABILITY, closed=True,
        definition=lambda z: where(positive(z + 3), where(positive(3 - z), (z + 3) * SIXTH, 1), 0),
        derivatives=(lambda z, a: SIXTH * positive(z + 3) * positive(3 - z),),
        why="a line of slope 1/6 between -3 and 3, constant beyond them",
        kinks=(Kink(at=-3, slope=0), Kink(at=3, slope=0)),
        numpy=("return np.clip((z + 3) / 6, 0, 1)",),
        numpy_derivatives=(("return (np.abs(z) < 3) * np.ones_like(z) / 6",),),
    ),
    ScalarFunction(
        name="hard-swish", arguments=("z",), latex=r"\operatorname{hswish}",
        definition=lambda z: z * apply("hard-sigmoid", z),
        derivatives=(
            lambda z, a: where(positive(z + 3), where(positive(3 - z), (2 * z + 3) * SIXTH, 1), 0),
        ),
        why="the product rule on z (z + 3)/6; constant slopes beyond the ends",
        kinks=(Kink(at=-3, slope=0), Kink(at=3, slope=1)),
        numpy=("return z * np.clip((z + 3) / 6, 0, 1)",),
        numpy_derivatives=(("return np.where(z > -3, np.where(z < 3, (2 * z + 3) / 6, 1), 0)",),),
    ),
    ScalarFunction(
        name="elu", arguments=("z", "alpha"), latex=r"\operatorname{elu}",
        domain=(REAL, POSITIVE),
        definition=lambda z, alpha: where(positive(z), z, alpha * (exp(z) - 1)),
        derivatives=(lambda z, alpha, a: where(positive(z), 1, a + alpha), None),
        why="the slope of alpha (e^z - 1) is alpha e^z, the value plus alpha",
        hyper=(("alpha", Fraction(1)),),
        kinks=(Kink(at=0, slope=lambda alpha: alpha, unless=("alpha", 1)),),
        numpy=("return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))",),
        numpy_derivatives=(
            ("return np.where(z > 0, 1, alpha * np.exp(np.minimum(z, 0)))",),
            None,
        ),
    ),
    ScalarFunction(
        name="selu", arguments=("z", "alpha", "scale"), latex=r"\operatorname{selu}",
        domain=(REAL, POSITIVE, POSITIVE),
        definition=lambda z, alpha, scale: where(
            positive(z), scale * z, scale * alpha * (exp(z) - 1)
        ),
        derivatives=(
            lambda z, alpha, scale, a: where(positive(z), scale, a + scale * alpha),
            None,
            None,
        ),
        why="elu times a scale: the value plus scale alpha where the unit is off",
        hyper=(
            ("alpha", Fraction("1.6732632423543772848170429916717")),  # Klambauer et al. 2017
            ("scale", Fraction("1.0507009873554804934193349852946")),
        ),
        kinks=(Kink(at=0, slope=lambda alpha, scale: scale * alpha),),
        numpy=("return scale * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))",),
        numpy_derivatives=(
            ("return scale * np.where(z > 0, 1, alpha * np.exp(np.minimum(z, 0)))",),
            None,
            None,
        ),
    ),
    ScalarFunction(
        name="celu", arguments=("z", "alpha"), latex=r"\operatorname{celu}",
        domain=(REAL, POSITIVE),
        definition=lambda z, alpha: where(positive(z), z, alpha * (exp(z / alpha) - 1)),
        derivatives=(lambda z, alpha, a: where(positive(z), 1, 1 + a / alpha), None),
        why="the slope of alpha (e^(z/alpha) - 1) is e^(z/alpha), 1 plus the value over alpha",
        hyper=(("alpha", Fraction(1)),),
        numpy=("return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0) / alpha))",),
        numpy_derivatives=(
            ("return np.where(z > 0, 1, np.exp(np.minimum(z, 0) / alpha))",),
            None,
        ),
    ),
    ScalarFunction(
        name="softplus", arguments=("z",), latex=r"\operatorname{softplus}", range_=POSITIVE_NUMBER,
        definition=lambda z: log(1 + exp(z)),
        derivatives=(lambda z, a: sigmoid(z),),
        why="the slope e^z / (1 + e^z) is sigma(z)",
        numpy=("return np.logaddexp(0, z)",),
        numpy_derivatives=(("return sigmoid(z)",),),
        uses=("sigmoid",),
    ),
    ScalarFunction(
        name="log-sigmoid", arguments=("z",), latex=r"\log\sigma", range_=LOG_PROBABILITIES,
        definition=lambda z: log(sigmoid(z)),
        derivatives=(lambda z, a: sigmoid(-z),),
        why="sigma(1 - sigma)/sigma leaves 1 - sigma(z), which is sigma(-z)",
        numpy=("return -np.logaddexp(0, -z)",),
        numpy_derivatives=(("return sigmoid(-z)",),),
        uses=("sigmoid",),
        scipy=("return special.log_expit(z)",),
    ),
    ScalarFunction(
        name="silu", arguments=("z",), latex=r"\operatorname{silu}",
        definition=lambda z: z * sigmoid(z),
        derivatives=(lambda z, a: a + sigmoid(z) * (1 - a),),
        why="the product rule: sigma(z) + z sigma(z) (1 - sigma(z)), with z sigma(z) the value",
        numpy=("return z * sigmoid(z)",),
        numpy_derivatives=(("return sigmoid(z) * (1 + z * sigmoid(-z))",),),
        uses=("sigmoid",),
    ),
    ScalarFunction(
        name="gelu", arguments=("z",), latex=r"\operatorname{gelu}",
        definition=lambda z: z * normal_cdf(z),
        derivatives=(lambda z, a: normal_cdf(z) + z * normal_pdf(z),),
        why="the product rule; the distribution function has the density as slope",
        numpy=("return z * normal_cdf(z)",),
        numpy_derivatives=(("return normal_cdf(z) + z * normal_pdf(z)",),),
        uses=("normal-cdf", "normal-pdf"),
        scipy=("return z * special.ndtr(z)",),
    ),
    ScalarFunction(
        name="gelu-tanh", arguments=("z",), latex=r"\operatorname{gelu}_{\tanh}",
        definition=lambda z: HALF * z * (1 + tanh(_gelu_inner(z))),
        derivatives=(
            lambda z, a: (
                HALF * (1 + tanh(_gelu_inner(z)))
                + HALF
                * z
                * (1 - tanh(_gelu_inner(z)) ** 2)
                * (sqrt(2 / PI) * (1 + 3 * _CUBIC * z**2))
            ),
        ),
        why="the product rule, and the chain rule on tanh of a cubic",
        numpy=(
            "t = np.clip(z, -50, 50)",
            "return z * sigmoid(1.5957691216057308 * t * (1 + 0.044715 * t * t))",
        ),
        numpy_derivatives=((
            "t = np.clip(z, -50, 50)",
            "u = 1.5957691216057308 * t * (1 + 0.044715 * t * t)  # 2 sqrt(2 / pi)",
            "slope = 1.5957691216057308 * (1 + 0.134145 * t * t)",
            "return sigmoid(u) * (1 + t * slope * sigmoid(-u))",
        ),),
        uses=("sigmoid",),
    ),
    ScalarFunction(
        name="mish", arguments=("z",), latex=r"\operatorname{mish}",
        definition=lambda z: z * tanh(softplus(z)),
        derivatives=(
            lambda z, a: tanh(softplus(z)) + z * sigmoid(z) * (1 - tanh(softplus(z)) ** 2),
        ),
        why="the product rule, and the chain rule on tanh of softplus, whose slope is sigma",
        numpy=("return z * np.tanh(np.logaddexp(0, z))",),
        numpy_derivatives=((
            "t = np.tanh(np.logaddexp(0, z))",
            "return t + z * sigmoid(z) * (1 - t * t)",
        ),),
        uses=("sigmoid",),
    ),
    VectorFunction(
        name="softmax", arguments=("z",), latex=r"\operatorname{softmax}",
        range_=PROBABILITY_VECTOR,
        parts=(
            Part("e", "entry", ("z",), lambda z: exp(z)),
            Part("s", "sum", ("e",), lambda e: e),
            Part("a", "entry", ("e", "s"), lambda e, s: e / s),
        ),
        why="exponentials divided by their sum: every entry depends on all of z",
        numpy=(
            "e = np.exp(z - np.max(z, axis=axis, keepdims=True))  # the shift cancels below",
            "return e / np.sum(e, axis=axis, keepdims=True)",
        ),
        scipy=("return special.softmax(z, axis=axis)",),
    ),
    VectorFunction(
        name="log-softmax", arguments=("z",), latex=r"\log\operatorname{softmax}",
        range_=LOG_PROBABILITIES,
        parts=(
            Part("e", "entry", ("z",), lambda z: exp(z)),
            Part("s", "sum", ("e",), lambda e: e),
            Part("a", "entry", ("z", "s"), lambda z, s: z - log(s)),
        ),
        why="the logarithm of the quotient e^z / s is z - log s",
        numpy=(
            "t = z - np.max(z, axis=axis, keepdims=True)",
            "rest = np.sum(np.where(t == 0, 0, np.exp(t)), axis=axis, keepdims=True)",
            "rest = rest + (np.sum(t == 0, axis=axis, keepdims=True, dtype=t.dtype) - 1)",
            "return t - np.log1p(rest)  # 1 + rest is the sum of exp(t)",
        ),
        scipy=("return special.log_softmax(z, axis=axis)",),
    ),
)
# fmt: on

ACTIVATIONS: Mapping[str, Row] = table(_ROWS)

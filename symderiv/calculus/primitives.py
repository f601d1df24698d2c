"""The primitives: the generators of every definition, and helpers built from them.

A generator has no definition; its stated derivative is proved against SymPy's. The helpers
(``abs``, ``normal-cdf``, ...) are defined like any other function and serve several rows.

Source of the NumPy forms of erf and of the scaled erfc: W. J. Cody, Rational Chebyshev
approximations for the error function, Math. Comp. 23 (1969) 631-637.
"""

from __future__ import annotations

from collections.abc import Mapping

from symderiv.algebra.expr import ONE, ZERO
from symderiv.calculus.functions import (
    EITHER_SIGN,
    HALF,
    NONNEGATIVE,
    NOT_NEGATIVE,
    PI,
    POSITIVE,
    POSITIVE_NUMBER,
    PROBABILITY,
    REAL,
    Kink,
    Lines,
    ScalarFunction,
    cos,
    erf,
    exp,
    log,
    normal_pdf,
    positive,
    sign,
    sin,
    sqrt,
    table,
)

_ERF_NEAR_ZERO: Lines = (
    "s = small * small",
    "p, q = 0.185777706184603153 * s, s",
    "for c, d in (",
    "    (3.16112374387056560, 23.6012909523441209),",
    "    (113.864154151050156, 244.024637934444173),",
    "    (377.485237685302021, 1282.61652607737228),",
    "):",
    "    p, q = (p + c) * s, (q + d) * s",
    "near = small * (p + 3209.37758913846947) / (q + 2844.23683343917062)",
)

# fmt: off
_ROWS = (
    ScalarFunction(
        name="exp", arguments=("z",), latex=r"\exp", call=r"e^{#1}", range_=POSITIVE_NUMBER,
        definition=None,
        derivatives=(lambda z, a: a,),
        why="the exponential function is its own derivative",
        numpy=("return np.exp(z)",),
        numpy_derivatives=(("return np.exp(z)",),),
    ),
    ScalarFunction(
        name="log", arguments=("z",), latex=r"\log", call=r"\log #1", domain=(POSITIVE,),
        definition=None,
        derivatives=(lambda z, a: 1 / z,),
        why="log inverts exp, so its slope is the reciprocal 1/z",
        numpy=("return np.log(z)",),
        numpy_derivatives=(("return 1 / z",),),
    ),
    ScalarFunction(
        name="sqrt", arguments=("z",), latex=r"\operatorname{sqrt}", call=r"\sqrt{#1}",
        domain=(POSITIVE,), range_=POSITIVE_NUMBER,
        definition=None,
        derivatives=(lambda z, a: 1 / (2 * a),),
        why="the root inverts the square, whose slope is twice the root",
        numpy=("return np.sqrt(z)",),
        numpy_derivatives=(("return 0.5 / np.sqrt(z)",),),
    ),
    ScalarFunction(
        name="power", arguments=("z", "p"), latex=r"\operatorname{power}", call=r"#1^{#2}",
        domain=(POSITIVE, REAL), range_=POSITIVE_NUMBER,
        definition=None,
        derivatives=(lambda z, p, a: p * a / z, lambda z, p, a: a * log(z)),
        why="z to the p is e to the p log z",
        numpy=("return z**p",),
        numpy_derivatives=(("return p * z**p / z",), ("return z**p * np.log(z)",)),
    ),
    ScalarFunction(
        name="sin", arguments=("z",), latex=r"\sin",
        definition=None,
        derivatives=(lambda z, a: cos(z),),
        why="the slope of sin is cos",
        numpy=("return np.sin(z)",),
        numpy_derivatives=(("return np.cos(z)",),),
    ),
    ScalarFunction(
        name="cos", arguments=("z",), latex=r"\cos",
        definition=None,
        derivatives=(lambda z, a: -sin(z),),
        why="the slope of cos is -sin",
        numpy=("return np.cos(z)",),
        numpy_derivatives=(("return -np.sin(z)",),),
    ),
    ScalarFunction(
        name="arctan", arguments=("z",), latex=r"\arctan",
        definition=None,
        derivatives=(lambda z, a: 1 / (1 + z**2),),
        why="arctan inverts tan, whose slope is 1 + tan squared",
        numpy=("return np.arctan(z)",),
        numpy_derivatives=(("h = 1 / np.hypot(1, z)  # z * z could overflow", "return h * h"),),
    ),
    ScalarFunction(
        name="pi", arguments=(), latex=r"\pi", call=r"\pi", domain=(), range_=POSITIVE_NUMBER,
        definition=None,
        derivatives=(),
        why="a constant",
        numpy=("return np.pi",),
        numpy_derivatives=(),
    ),
    ScalarFunction(
        name="positive", arguments=("z",), latex=r"\operatorname{step}", letter="step",
        call=r"[#1 > 0]",
        definition=None,
        derivatives=(lambda z, a: ZERO,),
        why="a step is flat on both sides of its jump",
        kinks=(Kink(at=0, slope=0, jumps=True),),
        numpy=("return (z > 0) * np.ones_like(z)",),
        numpy_derivatives=(("return np.zeros_like(z)",),),
    ),
    ScalarFunction(
        name="sign", arguments=("z",), latex=r"\operatorname{sgn}",
        definition=lambda z: positive(z) - positive(-z),
        derivatives=(lambda z, a: ZERO,),
        why="the sign is flat on both sides of its jump",
        kinks=(Kink(at=0, slope=0, jumps=True),),
        numpy=("return np.sign(z)",),
        numpy_derivatives=(("return np.zeros_like(z)",),),
    ),
    ScalarFunction(
        name="abs", arguments=("z",), latex=r"\operatorname{abs}", call=r"\left|#1\right|",
        range_=NOT_NEGATIVE,
        definition=lambda z: sign(z) * z,
        derivatives=(lambda z, a: sign(z),),
        why="z on the right of 0, -z on the left",
        kinks=(Kink(at=0, slope=0),),
        numpy=("return np.abs(z)",),
        numpy_derivatives=(("return np.sign(z)",),),
    ),
    ScalarFunction(
        name="erf", arguments=("z",), latex=r"\operatorname{erf}", range_=EITHER_SIGN,
        definition=None,
        derivatives=(lambda z, a: 2 / sqrt(PI) * exp(-(z**2)),),
        why="the integral of 2 exp(-t**2) / sqrt(pi) has its integrand as slope",
        uses=("gaussian", "erfcx"),
        numpy=(
            "x = np.abs(z)",
            "small = np.minimum(x, 0.46875)",
            *_ERF_NEAR_ZERO,
            "far = 1 - gaussian(x) * erfcx(np.maximum(x, 0.46875))",
            "return np.sign(z) * np.where(x < 0.46875, near, far)",
        ),
        numpy_derivatives=(("return 1.1283791670955126 * gaussian(z)  # 2 / sqrt(pi)",),),
        scipy=("return special.erf(z)",),
    ),
    ScalarFunction(
        name="erfcx", arguments=("z",), latex=r"\operatorname{erfcx}", domain=(NONNEGATIVE,),
        range_=POSITIVE_NUMBER,
        definition=lambda z: exp(z**2) * (1 - erf(z)),
        derivatives=(lambda z, a: 2 * z * a - 2 / sqrt(PI),),
        why="the product rule; the slope of erf cancels the exponential",
        numpy=(
            "small = np.minimum(z, 0.46875)",
            *_ERF_NEAR_ZERO,
            "near = np.exp(s) * (1 - near)",
            "x = np.clip(z, 0.46875, 4)",
            "p, q = 2.15311535474403846e-8 * x, x",
            "for c, d in (",
            "    (0.564188496988670089, 15.7449261107098347),",
            "    (8.88314979438837594, 117.693950891312499),",
            "    (66.1191906371416295, 537.181101862009858),",
            "    (298.635138197400131, 1621.38957456669019),",
            "    (881.952221241769090, 3290.79923573345963),",
            "    (1712.04761263407058, 4362.61909014324716),",
            "    (2051.07837782607147, 3439.36767414372164),",
            "):",
            "    p, q = (p + c) * x, (q + d) * x",
            "middle = (p + 1230.33935479799725) / (q + 1230.33935480374942)",
            "x = np.maximum(z, 4)",
            "s = (1 / x) ** 2",
            "p, q = 0.0163153871373020978 * s, s",
            "for c, d in (",
            "    (0.305326634961232344, 2.56852019228982242),",
            "    (0.360344899949804439, 1.87295284992346047),",
            "    (0.125781726111229246, 0.527905102951428412),",
            "    (0.0160837851487422766, 0.0605183413124413191),",
            "):",
            "    p, q = (p + c) * s, (q + d) * s",
            "p = s * (p + 0.000658749161529837803) / (q + 0.00233520497626869185)",
            "far = (0.5641895835477563 - p) / x  # 1 / sqrt(pi)",
            "return np.where(z < 0.46875, near, np.where(z < 4, middle, far))",
        ),
        numpy_derivatives=(("return 2 * z * erfcx(z) - 1.1283791670955126",),),
        uses=("erfcx",),
        scipy=("return special.erfcx(z)",),
    ),
    ScalarFunction(
        name="normal-pdf", arguments=("z",), latex=r"\varphi", letter="φ", range_=POSITIVE_NUMBER,
        definition=lambda z: exp(-HALF * z**2) / sqrt(2 * PI),
        derivatives=(lambda z, a: -z * a,),
        why="the chain rule on the exponent -z**2/2",
        numpy=(
            "w = np.minimum(np.abs(z), 40)",
            "s = np.floor(16 * w) / 16  # s * s is exact: no error is magnified",
            "return 0.3989422804014327 * np.exp(-0.5 * s * s) * np.exp(-0.5 * (w - s) * (w + s))",
        ),
        numpy_derivatives=(("return -z * normal_pdf(z)",),),
        uses=("normal-pdf",),
    ),
    ScalarFunction(
        name="normal-cdf", arguments=("z",), latex=r"\Phi", letter="Φ", range_=PROBABILITY,
        definition=lambda z: HALF * (1 + erf(z / sqrt(2 * ONE))),
        derivatives=(lambda z, a: normal_pdf(z),),
        why="a distribution function has its density as slope",
        numpy=(
            "w = np.abs(z)",
            "tail = 1.2533141373155003 * normal_pdf(w) * erfcx(w * 0.7071067811865476)",
            "return np.where(z > 0, 1 - tail, tail)  # 1 + erf would cancel on the left",
        ),
        numpy_derivatives=(("return normal_pdf(z)",),),
        uses=("normal-pdf", "erfcx"),
        scipy=("return special.ndtr(z)",),
    ),
)
# fmt: on

PRIMITIVES: Mapping[str, ScalarFunction] = table(_ROWS)

OF_THE_NORMAL = {"normal-cdf": "distribution function", "normal-pdf": "density"}
"""What their letters stand for, those of the standard normal."""

"""The table of losses of one output (summed over the outputs), from easy to tricky.

``a`` is the output of the network and ``y`` the target; a loss on logits takes ``z``, the
pre-activation of the last layer. ``factor`` says how a definition differs from PyTorch's and
Keras's, which also average over the examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from symderiv.calculus.functions import (
    DISTRIBUTION,
    HALF,
    LOG_PROBABILITIES,
    LOG_PROBABILITY,
    NONNEGATIVE,
    POSITIVE,
    POSITIVE_NUMBER,
    PROBABILITY,
    PROBABILITY_VECTOR,
    REAL,
    SHARE,
    SIGNS,
    TARGET,
    UNIT,
    Kink,
    Part,
    Row,
    ScalarFunction,
    VectorFunction,
    absolute,
    exp,
    log,
    positive,
    real_power,
    sigmoid,
    sign,
    softplus,
    table,
    tanh,
    where,
)

# q = z - log s, the logarithm of softmax
_LOG_SOFTMAX = (
    Part("e", "entry", ("z",), lambda z: exp(z)),
    Part("s", "sum", ("e",), lambda e: e),
    Part("q", "entry", ("z", "s"), lambda z, s: z - log(s)),
)

# p - y for p = softmax(z), where it does not cancel
_SOFTMAX_MINUS_TARGET = (
    "t = z - np.max(z, axis=axis, keepdims=True)",
    "e = np.exp(t)",
    "s = np.sum(e, axis=axis, keepdims=True)",
    "rest = np.sum(np.where(t == 0, 0, e), axis=axis, keepdims=True)",
    "rest = rest + (np.sum(t == 0, axis=axis, keepdims=True, dtype=t.dtype) - 1)",
    "miss = np.where(t == 0, rest, s - e) / s  # 1 - p",
    "return (1 - y) * (e / s) - y * miss  # p - y would cancel where p is near y",
)

_POISSON_OF = (
    "the loss poisson of a = {}(z): PyTorch's and Keras's also divide by the number of outputs"
)

# fmt: off
_ROWS: tuple[Row, ...] = (
    ScalarFunction(
        name="mse", arguments=("a", "y"), latex=r"\ell", call=r"(#1 - #2)^2",
        domain=(REAL, REAL),
        definition=lambda a, y: (a - y) ** 2,
        derivatives=(lambda a, y, v: 2 * (a - y), lambda a, y, v: -2 * (a - y)),
        why="the power rule on the square of the error",
        factor="PyTorch's MSELoss and Keras's also divide by the number of outputs",
        numpy=("return (a - y) ** 2",),
        numpy_derivatives=(("return 2 * (a - y)",), ("return -2 * (a - y)",)),
    ),
    ScalarFunction(
        name="half-mse", arguments=("a", "y"), latex=r"\ell", call=r"\tfrac12 (#1 - #2)^2",
        domain=(REAL, REAL),
        definition=lambda a, y: HALF * (a - y) ** 2,
        derivatives=(lambda a, y, v: a - y, lambda a, y, v: y - a),
        why="the factor one half takes up the 2 of the power rule",
        factor="PyTorch's MSELoss and Keras's have no factor one half, and also divide by the"
        " number of outputs",
        numpy=("return 0.5 * (a - y) ** 2",),
        numpy_derivatives=(("return a - y",), ("return y - a",)),
    ),
    ScalarFunction(
        name="mae", arguments=("a", "y"), latex=r"\ell", call=r"\left|#1 - #2\right|",
        domain=(REAL, REAL),
        definition=lambda a, y: absolute(a - y),
        derivatives=(lambda a, y, v: sign(a - y), lambda a, y, v: -sign(a - y)),
        why="the absolute value has slope 1 or -1, the sign of the error",
        factor="PyTorch's L1Loss and Keras's also divide by the number of outputs",
        kinks=(Kink(at=lambda y: y, slope=0),),
        numpy=("return np.abs(a - y)",),
        numpy_derivatives=(("return np.sign(a - y)",), ("return np.sign(y - a)",)),
    ),
    ScalarFunction(
        name="bce", arguments=("a", "y"), latex=r"\ell",
        call=r"-\left(#2 \log #1 + (1 - #2) \log(1 - #1)\right)", domain=(UNIT, TARGET),
        needs=PROBABILITY,
        definition=lambda a, y: -(y * log(a) + (1 - y) * log(1 - a)),
        derivatives=(
            lambda a, y, v: -y / a + (1 - y) / (1 - a),
            lambda a, y, v: log(1 - a) - log(a),
        ),
        why="log has slope 1/a, and 1 - a falls as a rises",
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
        name="bce-logits", arguments=("z", "y"), latex=r"\ell", domain=(REAL, TARGET),
        definition=lambda z, y: y * softplus(-z) + (1 - y) * softplus(z),
        derivatives=(lambda z, y, v: sigmoid(z) - y, lambda z, y, v: -z),
        why="softplus has slope sigma, and sigma(-z) = 1 - sigma(z)",
        factor="PyTorch's BCEWithLogitsLoss also divides by the number of outputs",
        uses=("sigmoid",),
        numpy=("return y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)",),
        numpy_derivatives=(
            ("return (1 - y) * sigmoid(z) - y * sigmoid(-z)  # sigmoid(z) - y would cancel",),
            ("return -z",),
        ),
    ),
    ScalarFunction(
        name="ce", arguments=("a", "y"), latex=r"\ell", call=r"-#2 \log #1",
        domain=(SHARE, DISTRIBUTION), needs=PROBABILITY_VECTOR,
        definition=lambda a, y: -y * log(a),
        derivatives=(lambda a, y, v: -y / a, lambda a, y, v: -log(a)),
        why="log has slope 1/a; only outputs with a target contribute",
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
        name="nll", arguments=("a", "y"), latex=r"\ell", call=r"-#2\, #1",
        domain=(LOG_PROBABILITY, DISTRIBUTION), needs=LOG_PROBABILITIES,
        definition=lambda a, y: -y * a,
        derivatives=(lambda a, y, v: -y, lambda a, y, v: -a),
        why="linear in the logarithm of the probability",
        factor="PyTorch's NLLLoss with the class as y = 1; a is a log-probability",
        numpy=("return -y * a",),
        numpy_derivatives=(("return -y * np.ones_like(a)",), ("return -a * np.ones_like(y)",)),
    ),
    ScalarFunction(
        name="kl", arguments=("a", "y"), latex=r"\ell", call=r"#2 \log\frac{#2}{#1}",
        domain=(SHARE, DISTRIBUTION), needs=PROBABILITY_VECTOR,
        definition=lambda a, y: y * (log(y) - log(a)),
        derivatives=(lambda a, y, v: -y / a, lambda a, y, v: log(y) - log(a) + 1),
        why="log has slope 1/a; the entropy of y does not depend on a",
        factor="0 log 0 counts as 0, as in Keras's KLDivergence; PyTorch's KLDivLoss takes log a,"
        " and also divides by the number of outputs unless reduction='batchmean'",
        numpy=(
            "yes = np.where(y == 0, 1, y)  # 0 log 0 = 0",
            "r = (y - a) / a",
            "near = np.log1p(np.clip(r, -0.5, 0.5))  # y near a: log(y / a) would cancel",
            "return y * np.where(np.abs(r) < 0.5, near, np.log(yes) - np.log(a))",
        ),
        numpy_derivatives=(("return -y / a",), ("return np.log(y / a) + 1",)),
    ),
    ScalarFunction(
        name="poisson", arguments=("a", "y"), latex=r"\ell", call=r"#1 - #2 \log #1",
        domain=(POSITIVE, NONNEGATIVE), needs=POSITIVE_NUMBER,
        definition=lambda a, y: a - y * log(a),
        derivatives=(lambda a, y, v: 1 - y / a, lambda a, y, v: -log(a)),
        why="log has slope 1/a",
        factor="PyTorch's PoissonNLLLoss with log_input=False and Keras's Poisson also divide by"
        " the number of outputs",
        numpy=("return a - y * np.log(np.where(y == 0, 1, a))",),
        numpy_derivatives=(
            ("yes = np.where(y == 0, 1, a)", "return (yes - y) / yes  # 1 - y / a"),
            ("return -np.log(a)",),
        ),
    ),
    ScalarFunction(
        name="poisson-log", arguments=("a", "y"), latex=r"\ell", call=r"e^{#1} - #2\, #1",
        domain=(REAL, NONNEGATIVE),
        definition=lambda a, y: exp(a) - y * a,
        derivatives=(lambda a, y, v: exp(a) - y, lambda a, y, v: -a),
        why="a is the logarithm of the rate; exp is its own derivative",
        factor="PyTorch's PoissonNLLLoss, by default with log_input=True, also divides by the"
        " number of outputs",
        numpy=("return np.exp(a) - y * a",),
        numpy_derivatives=(("return np.exp(a) - y",), ("return -a * np.ones_like(y)",)),
    ),
    ScalarFunction(
        name="poisson-sigmoid", arguments=("z", "y"), latex=r"\ell", domain=(REAL, NONNEGATIVE),
        definition=lambda z, y: sigmoid(z) + y * softplus(-z),
        derivatives=(
            lambda z, y, v: (sigmoid(z) - y) * sigmoid(-z),
            lambda z, y, v: softplus(-z),
        ),
        why="minus log a is softplus(-z), and the slope of a = sigma(z) is a sigma(-z)",
        factor=_POISSON_OF.format("sigma"),
        uses=("sigmoid",),
        numpy=("return sigmoid(z) + y * np.logaddexp(0, -z)",),
        numpy_derivatives=(
            ("return (sigmoid(z) - y) * sigmoid(-z)",),
            ("return np.logaddexp(0, -z) * np.ones_like(y)",),
        ),
    ),
    ScalarFunction(
        name="poisson-softplus", arguments=("z", "y"), latex=r"\ell", domain=(REAL, NONNEGATIVE),
        definition=lambda z, y: softplus(z) - y * log(softplus(z)),
        derivatives=(
            lambda z, y, v: sigmoid(z) - y * sigmoid(z) / softplus(z),
            lambda z, y, v: -log(softplus(z)),
        ),
        why="the slope of softplus is sigma",
        factor=_POISSON_OF.format("softplus"),
        uses=("sigmoid",),
        numpy=(
            "a = np.logaddexp(0, z)",
            "far = np.logaddexp(0, np.maximum(z, -37))  # log a is z further left",
            "return a - y * np.where(z < -37, z, np.log(far))",
        ),
        numpy_derivatives=(
            (
                "a = np.logaddexp(0, z)",
                "far = np.logaddexp(0, np.maximum(z, -37))",
                "return (a - y) * np.where(z < -37, 1, sigmoid(z) / far)  # sigma(z) / a",
            ),
            (
                "far = np.logaddexp(0, np.maximum(z, -37))",
                "return -np.where(z < -37, z, np.log(far)) * np.ones_like(y)",
            ),
        ),
    ),
    ScalarFunction(
        name="poisson-gaussian", arguments=("z", "y"), latex=r"\ell", domain=(REAL, NONNEGATIVE),
        definition=lambda z, y: exp(-(z**2)) + y * z**2,
        derivatives=(lambda z, y, v: 2 * z * (y - exp(-(z**2))), lambda z, y, v: z**2),
        why="minus log a is z squared, and the slope of a is -2 z a",
        factor=_POISSON_OF.format("gaussian"),
        uses=("gaussian",),
        numpy=("return gaussian(z) + y * z**2",),
        numpy_derivatives=(
            ("return 2 * z * (y - gaussian(z))",),
            ("return z**2 * np.ones_like(y)",),
        ),
    ),
    VectorFunction(
        name="poisson-softmax", arguments=("z", "y"), latex=r"\ell", domain=(REAL, NONNEGATIVE),
        parts=(
            *_LOG_SOFTMAX,
            Part("loss", "sum", ("y", "q"), lambda y, q: exp(q) - y * q),
        ),
        why="the logarithm of softmax is z minus the logarithm of the sum",
        factor=_POISSON_OF.format("softmax"),
        uses=("log-softmax",),
        numpy=(
            "q = log_softmax(z, axis)",
            "return np.sum(np.exp(q) - y * q, axis=axis)",
        ),
        numpy_gradient=(
            *_SOFTMAX_MINUS_TARGET[:-1],
            "others = np.sum(y, axis=axis, keepdims=True) - y",
            "return others * (e / s) - y * miss  # (sum y) p - y would cancel",
        ),
    ),
    ScalarFunction(
        name="hinge", arguments=("a", "y"), latex=r"\ell", call=r"\max(0, 1 - #2 #1)",
        domain=(REAL, SIGNS),
        definition=lambda a, y: positive(1 - y * a) * (1 - y * a),
        derivatives=(
            lambda a, y, v: -y * positive(1 - y * a),
            lambda a, y, v: -a * positive(1 - y * a),
        ),
        why="inside the margin the loss falls with slope y, outside it is 0",
        factor="Keras's Hinge also divides by the number of outputs; PyTorch has none like it",
        kinks=(Kink(at=lambda y: 1 / y, slope=0),),
        numpy=("return np.maximum(1 - y * a, 0)",),
        numpy_derivatives=(("return -y * (y * a < 1)",), ("return -a * (y * a < 1)",)),
    ),
    ScalarFunction(
        name="squared-hinge", arguments=("a", "y"), latex=r"\ell", call=r"\max(0, 1 - #2 #1)^2",
        domain=(REAL, SIGNS),
        definition=lambda a, y: positive(1 - y * a) * (1 - y * a) ** 2,
        derivatives=(
            lambda a, y, v: -2 * y * positive(1 - y * a) * (1 - y * a),
            lambda a, y, v: -2 * a * positive(1 - y * a) * (1 - y * a),
        ),
        why="the power rule inside the margin; both sides meet with slope 0",
        factor="Keras's SquaredHinge also divides by the number of outputs",
        numpy=("return np.maximum(1 - y * a, 0) ** 2",),
        numpy_derivatives=(
            ("return -2 * y * np.maximum(1 - y * a, 0)",),
            ("return -2 * a * np.maximum(1 - y * a, 0)",),
        ),
    ),
    ScalarFunction(
        name="huber", arguments=("a", "y", "kappa"), latex=r"\ell",
        domain=(REAL, REAL, POSITIVE), hyper=(("kappa", Fraction(1)),),
        definition=lambda a, y, kappa: where(
            positive(kappa - absolute(a - y)),
            HALF * (a - y) ** 2,
            kappa * (absolute(a - y) - HALF * kappa),
        ),
        derivatives=(
            lambda a, y, kappa, v: where(
                positive(kappa - absolute(a - y)), a - y, kappa * sign(a - y)
            ),
            lambda a, y, kappa, v: where(
                positive(kappa - absolute(a - y)), y - a, kappa * sign(y - a)
            ),
            None,
        ),
        why="the error itself while it is small, its sign times kappa beyond",
        factor="PyTorch's HuberLoss and Keras's also divide by the number of outputs",
        numpy=(
            "r = np.abs(a - y)",
            "c = np.minimum(r, kappa)",
            "return c * (r - 0.5 * c)",
        ),
        numpy_derivatives=(
            ("return np.clip(a - y, -kappa, kappa)",),
            ("return np.clip(y - a, -kappa, kappa)",),
            None,
        ),
    ),
    ScalarFunction(
        name="log-cosh", arguments=("a", "y"), latex=r"\ell", call=r"\log\cosh(#1 - #2)",
        domain=(REAL, REAL),
        definition=lambda a, y: log(HALF * (exp(a - y) + exp(y - a))),
        derivatives=(
            lambda a, y, v: tanh(a - y),
            lambda a, y, v: -tanh(a - y),
        ),
        why="the slope of log cosh is sinh/cosh",
        factor="Keras's LogCosh also divides by the number of outputs; PyTorch has none",
        numpy=(
            "r = np.abs(a - y)",
            "s = np.minimum(r, 1)",
            "far = r - 0.6931471805599453 + np.log1p(np.exp(-2 * r))  # log 2",
            "return np.where(r < 1, np.log1p(2 * np.sinh(0.5 * s) ** 2), far)",
        ),
        numpy_derivatives=(("return np.tanh(a - y)",), ("return np.tanh(y - a)",)),
    ),
    ScalarFunction(
        name="focal", arguments=("a", "y", "gamma"), latex=r"\ell",
        call=r"-\left(#2 (1 - #1)^{#3} \log #1 + (1 - #2) #1^{#3} \log(1 - #1)\right)",
        domain=(UNIT, TARGET, POSITIVE), hyper=(("gamma", Fraction(2)),),
        needs=PROBABILITY,
        definition=lambda a, y, gamma: -(
            y * real_power(1 - a, gamma) * log(a)
            + (1 - y) * real_power(a, gamma) * log(1 - a)
        ),
        derivatives=(
            lambda a, y, gamma, v: (
                y * real_power(1 - a, gamma) * (gamma * log(a) / (1 - a) - 1 / a)
                + (1 - y) * real_power(a, gamma) * (1 / (1 - a) - gamma * log(1 - a) / a)
            ),
            lambda a, y, gamma, v: (
                real_power(a, gamma) * log(1 - a) - real_power(1 - a, gamma) * log(a)
            ),
            None,
        ),
        why="the product rule on a weight (1 - p)^gamma and a cross-entropy -log p",
        factor="Lin et al. 2017 without alpha; Keras's BinaryFocalCrossentropy also divides by the"
        " number of outputs",
        numpy=(
            "on = y * (1 - a) ** gamma * np.log(np.where(y == 0, 1, a))  # 0 log 0 = 0",
            "off = (1 - y) * a**gamma * np.log1p(-np.where(y == 1, 0, a))",
            "return -(on + off)",
        ),
        numpy_derivatives=(
            (
                "yes, no = np.where(y == 0, 0.5, a), np.where(y == 1, 0.5, a)",
                "left = 1 - yes",
                "fall = np.log(yes) / np.where(left == 0, 1, left) - (left == 0)  # -1 at 1",
                "rise = np.log1p(-no) / np.where(no == 0, 1, no) - (no == 0)  # -1 at 0",
                "on = left**gamma * (gamma * fall - 1 / yes)",
                "off = no**gamma * (1 / (1 - no) - gamma * rise)",
                "return y * on + (1 - y) * off",
            ),
            ("return a**gamma * np.log1p(-a) - (1 - a) ** gamma * np.log(a)",),
            None,
        ),
    ),
    ScalarFunction(
        name="focal-logits", arguments=("z", "y", "gamma"), latex=r"\ell",
        domain=(REAL, TARGET, POSITIVE), hyper=(("gamma", Fraction(2)),),
        definition=lambda z, y, gamma: (
            y * exp(-gamma * softplus(z)) * softplus(-z)
            + (1 - y) * exp(-gamma * softplus(-z)) * softplus(z)
        ),
        derivatives=(
            lambda z, y, gamma, v: (
                (1 - y) * exp(-gamma * softplus(-z))
                * (gamma * sigmoid(-z) * softplus(z) + sigmoid(z))
                - y * exp(-gamma * softplus(z))
                * (gamma * sigmoid(z) * softplus(-z) + sigmoid(-z))
            ),
            lambda z, y, gamma, v: (
                exp(-gamma * softplus(z)) * softplus(-z)
                - exp(-gamma * softplus(-z)) * softplus(z)
            ),
            None,
        ),
        why="the weight (1 - a)^gamma is e^(-gamma softplus(z)), and -log a is softplus(-z)",
        factor="Keras's BinaryFocalCrossentropy with from_logits=True also divides by the number of"
        " outputs",
        uses=("sigmoid",),
        numpy=(
            "up, down = np.logaddexp(0, z), np.logaddexp(0, -z)",
            "return y * np.exp(-gamma * up) * down + (1 - y) * np.exp(-gamma * down) * up",
        ),
        numpy_derivatives=(
            (
                "up, down = np.logaddexp(0, z), np.logaddexp(0, -z)",
                "on = np.exp(-gamma * up) * (gamma * sigmoid(z) * down + sigmoid(-z))",
                "off = np.exp(-gamma * down) * (gamma * sigmoid(-z) * up + sigmoid(z))",
                "return (1 - y) * off - y * on",
            ),
            (
                "t = np.abs(z)  # odd in z; e^(-gamma up) down - e^(-gamma down) up would cancel",
                "low = np.logaddexp(0, -t)",
                "return -np.sign(z) * np.exp(-gamma * low) * (t - np.expm1(-gamma * t) * low)",
            ),
            None,
        ),
    ),
    VectorFunction(
        name="kl-logits", arguments=("z", "y"), latex=r"\ell", domain=(REAL, DISTRIBUTION),
        parts=(
            *_LOG_SOFTMAX,
            Part("loss", "sum", ("y", "q"), lambda y, q: y * (log(y) - q)),
        ),
        why="the logarithm of softmax is z minus the logarithm of the sum",
        factor="0 log 0 counts as 0; Keras's KLDivergence takes p; PyTorch's KLDivLoss takes log p,"
        " and also divides by the number of outputs unless reduction='batchmean'",
        uses=("log-softmax",),
        numpy=(
            "yes = np.where(y == 0, 1, y)  # 0 log 0 = 0",
            "return np.sum(y * (np.log(yes) - log_softmax(z, axis)), axis=axis)",
        ),
        numpy_gradient=_SOFTMAX_MINUS_TARGET,
    ),
    VectorFunction(
        name="ce-logits", arguments=("z", "y"), latex=r"\ell", domain=(REAL, DISTRIBUTION),
        parts=(
            *_LOG_SOFTMAX,
            Part("loss", "sum", ("y", "q"), lambda y, q: -y * q),
        ),
        why="the logarithm of softmax is z minus the logarithm of the sum",
        factor="PyTorch's CrossEntropyLoss with class probabilities as targets",
        uses=("log-softmax",),
        numpy=("return -np.sum(y * log_softmax(z, axis), axis=axis)",),
        numpy_gradient=_SOFTMAX_MINUS_TARGET,
    ),
)
# fmt: on

LOSSES: Mapping[str, Row] = table(_ROWS)

# A loss after an activation, and the loss on logits that is the same function, stable.
LOGITS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("bce", "sigmoid"): "bce-logits",
        ("ce", "softmax"): "ce-logits",
        ("nll", "log-softmax"): "ce-logits",
        ("kl", "softmax"): "kl-logits",
        ("focal", "sigmoid"): "focal-logits",
        ("poisson", "exp"): "poisson-log",
        ("poisson", "sigmoid"): "poisson-sigmoid",
        ("poisson", "softplus"): "poisson-softplus",
        ("poisson", "gaussian"): "poisson-gaussian",
        ("poisson", "softmax"): "poisson-softmax",
    }
)

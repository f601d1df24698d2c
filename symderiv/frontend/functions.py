"""Which functions the expression language knows, and how many arguments each takes."""

from __future__ import annotations

from symderiv.frontend.known import activation_names

ELEMENTWISE = (
    "exp", "log", "sqrt", "abs", "sign", "sin", "cos", "tan", "tanh", "sinh", "cosh", "arctan",
    "erf", "sigmoid", "softmax", "softplus", "relu", "sigma", "f",
)  # fmt: skip
"""Functions of one argument that may carry primes; ``sigma`` and ``f`` are the net's own."""

REDUCTIONS = ("sum", "mean", "max", "min")
"""Functions that take ``axis`` and ``keepdims``."""

ALIASES = {"tr": "trace", "atan": "arctan", "ln": "log", "Trace": "trace"}
"""Other spellings of a known function."""

METHODS = ("sum", "mean", "max", "min", "dot", "trace", "transpose")
"""Functions that may also be written after a dot: ``x.sum(axis=0)``."""

FREE_AS_NAMES = ("sigma", "f", "d", "tr")
"""Words that are functions before a parenthesis and variables elsewhere."""

INSTEAD = {
    "square": "write x**2",
    "power": "write x**n",
    "pow": "write x**n",
    "matmul": "write A @ B",
    "multiply": "write a*b",
    "add": "write a + b",
    "subtract": "write a - b",
    "divide": "write a/b",
    "reciprocal": "write 1/x",
    "negative": "write -x",
    "inner": "write dot(a, b)",
    "expit": "write sigmoid(x)",
    "logistic": "write sigmoid(x)",
    "einsum": "write the sum with @, *, sum, trace or diag",
    "prod": "products over an axis are not part of the language",
    "T": "write X.T",
    "var": "write mean((x - mean(x))**2)",
    "std": "write sqrt(mean((x - mean(x))**2))",
    "log1p": "write log(1 + x)",
    "expm1": "write exp(x) - 1",
    "logsumexp": "write log(sum(exp(x)))",
    "clip": "write minimum(maximum(x, a), b)",
    "vdot": "write dot(a, b)",
    **dict.fromkeys(
        ("det", "slogdet", "inv", "pinv", "solve", "eig", "eigh", "svd", "cholesky"),
        "determinants, inverses and decompositions are not part of the language",
    ),
    **dict.fromkeys(("argmax", "argmin"), "it has no derivative; max(x) and min(x) are known"),
    **dict.fromkeys(("cumsum", "cumprod"), "sums run over a whole axis: sum(x, axis=0)"),
}
"""The remedy for functions that people try and that are written otherwise."""

_FIXED = {
    "maximum": (2, 2), "minimum": (2, 2), "dot": (2, 2), "outer": (2, 2), "norm": (1, 1),
    "trace": (1, 1), "diag": (1, 1), "transpose": (1, 1), "where": (3, 3),
    "sum": (1, 1), "mean": (1, 1), "max": (1, 2), "min": (1, 2), "d": (1, 1),
}  # fmt: skip


def arities(extra: tuple[str, ...] = ()) -> dict[str, tuple[int, int]]:
    """Every known function with its least and greatest number of arguments.

    An activation may have parameters of its own (``leaky_relu(z, 0.01)``), so one takes
    up to three; names that the tables write with a hyphen have an underscore here.
    """
    table = {name.replace("-", "_"): (1, 3) for name in (*activation_names(), *extra)}
    table.update(dict.fromkeys(ELEMENTWISE, (1, 1)))
    table.update(_FIXED)
    return table


def takes_primes(name: str) -> bool:
    """Whether a derivative may be written with primes: σ'(z), exp'(x), not sum'(x)."""
    return name not in _FIXED

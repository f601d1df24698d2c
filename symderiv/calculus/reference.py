"""Plain NumPy source straight from a definition: the reference that stable code is held against.

The source is analytic, so that a complex step f(x + ih) differentiates it: branches look at the
real part, and nothing but arithmetic, ``np.exp``, ``np.log``, ... is applied. It overflows and
cancels where the definition does, so it serves at moderate points only.
"""

from __future__ import annotations

from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Expr,
    Mul,
    Number,
    Pow,
    Tensor,
    mul,
    power,
    walk,
)
from symderiv.calculus.functions import (
    Lines,
    ScalarFunction,
    VectorFunction,
    sign,
    symbols,
    unfold,
)

# erf(z) = 2/sqrt(pi) exp(-z^2) sum_n (2 z^2)^n z / (1 3 5 ... (2n+1)), for |z| < 10
# (Abramowitz and Stegun 7.1.6); all terms have one sign, so nothing cancels.
ERF_SERIES: Lines = (
    "def erf_series(z):",
    "    term = total = z",
    "    for n in range(1, 400):",
    "        term = term * 2 * z * z / (2 * n + 1)",
    "        total = total + term",
    "    return 2 / np.sqrt(np.pi) * np.exp(-z * z) * total",
)

_CALLS = {"exp", "log", "sqrt", "sin", "cos", "arctan"}


def reference_numpy(row: ScalarFunction | VectorFunction) -> Lines:
    """The body of a function of the arguments (and ``axis``, for a vector function).

    It needs ``np``, and ``erf_series`` if :func:`needs_erf` says so.
    """
    if isinstance(row, ScalarFunction):
        return (f"return {text(_definition(row))}",)
    lines = []
    for part in row.parts:
        body = text(unfold(part.formula(*(Access(Tensor(n), ()) for n in part.of))))
        if part.kind == "sum":
            last = part is row.parts[-1]
            body = f"np.sum({body}, axis=axis{'' if last else ', keepdims=True'})"
        lines.append(f"{part.name} = {body}")
    return (*lines, f"return {row.parts[-1].name}")


def needs_erf(row: ScalarFunction | VectorFunction) -> bool:
    """Whether the reference calls ``erf_series`` (see ERF_SERIES)."""
    if isinstance(row, VectorFunction):
        return False
    return any(isinstance(e, Apply) and e.function == "erf" for e in walk(_definition(row)))


def _definition(row: ScalarFunction) -> Expr:
    return unfold(row(*symbols(row)))


def reference_text(row: ScalarFunction) -> str:
    """A function as it is defined, in terms of what text() knows."""
    return text(unfold(row(*symbols(row)), keep={"sign", "abs"} - {row.name}))


def text(expr: Expr) -> str:
    """A scalar tree over the primitives as a Python expression; equal trees, equal texts."""
    return _text(expr, 0)


def _text(expr: Expr, strength: int) -> str:
    """``strength``: 0 inside a sum, 1 inside a product, 2 under a power or a division."""
    match expr:
        case Number(value) if value.denominator == 1:
            return _bracketed(str(value.numerator), value < 0 and strength > 0)
        case Number(value):
            return f"({value.numerator} / {value.denominator})"
        case Access(tensor, ()):
            return tensor.name
        case Add(terms):
            body = _text(terms[0], 0)
            for term in terms[1:]:
                body += f" - {_text(-term, 1)}" if _is_minus(term) else f" + {_text(term, 0)}"
            return _bracketed(body, strength > 0)
        case Mul((Number(value), *rest)) if value == -1:
            return _bracketed("-" + _text(mul(*rest), 1), strength > 0)
        case Mul(factors):
            return _bracketed(_quotient(factors), strength > 1)
        case Pow(_, exponent) if exponent < 0:
            return _bracketed(_quotient((expr,)), strength > 1)
        case Pow(base, exponent):
            return f"{_text(base, 2)}**{exponent}"
        case Apply("pi", ()):
            return "np.pi"
        case Apply("positive", (inner,)):
            return f"np.where(np.real({_text(inner, 0)}) > 0, 1, 0)"
        case Apply("sign", (inner,)):
            return f"np.sign(np.real({_text(inner, 0)}))"
        case Apply("abs", (inner,)):
            return _bracketed(f"{_text(sign(inner), 1)} * {_text(inner, 1)}", strength > 1)
        case Apply("power", (base, exponent)):
            return f"np.exp({_text(exponent, 1)} * np.log({_text(base, 0)}))"
        case Apply("erf", (inner,)):
            return f"erf_series({_text(inner, 0)})"
        case Apply(function, (inner,)) if function in _CALLS:
            return f"np.{function}({_text(inner, 0)})"
        case _:
            raise ValueError(f"no reference for {type(expr).__name__}")


def _quotient(factors: tuple[Expr, ...]) -> str:
    top = [f for f in factors if not (isinstance(f, Pow) and f.exponent < 0)]
    bottom = [f for f in factors if isinstance(f, Pow) and f.exponent < 0]
    body = " * ".join(_text(f, 1) for f in top) or "1"
    return body + "".join(f" / {_text(power(f.base, -f.exponent), 2)}" for f in bottom)


def _is_minus(term: Expr) -> bool:
    match term:
        case Number(value) | Mul((Number(value), *_)):
            return value < 0
        case _:
            return False


def _bracketed(body: str, needed: bool) -> str:
    return f"({body})" if needed else body

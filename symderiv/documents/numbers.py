"""Numbers for print: exact fractions as far as they go, then fifty digits; rounded at the end.

Everything is computed in rational arithmetic or by mpmath at a fixed precision, never by the
machine's floating point, so that printed digits are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import mpmath

from symderiv.algebra.expr import Access, Add, Apply, Expr, Mul, Number, Pow, Tensor
from symderiv.calculus.functions import scalar
from symderiv.documents.model import Math

PRECISION, DIGITS = 50, 9
HUGE = 10**60  # a denominator beyond this ends exactness

Value = Any
"""A Fraction, or a number of :data:`CONTEXT`."""

CONTEXT = mpmath.MPContext()
CONTEXT.dps = PRECISION


class NoValue(ValueError):
    """There is no real number to print."""


def real(value: Value) -> Any:
    """The number in fifty digits."""
    if isinstance(value, Fraction):
        return CONTEXT.mpf(value.numerator) / value.denominator
    return value


def plus(a: Value, b: Value) -> Value:
    """a + b, exact if both are."""
    exact = isinstance(a, Fraction) and isinstance(b, Fraction)
    return _kept(a + b) if exact else real(a) + real(b)


def times(a: Value, b: Value) -> Value:
    """a b, exact if both are."""
    if 0 in (a, b):
        return Fraction(0)
    exact = isinstance(a, Fraction) and isinstance(b, Fraction)
    return _kept(a * b) if exact else real(a) * real(b)


def to_power(a: Value, exponent: int) -> Value:
    """a to an integer power."""
    if exponent < 0 and a == 0:
        raise NoValue("division by 0")
    return _kept(a**exponent) if isinstance(a, Fraction) else a**exponent


def _kept(value: Fraction) -> Value:
    return real(value) if max(abs(value.numerator), value.denominator) > HUGE else value


def evaluate(expr: Expr, leaf: Callable[[Expr], Value]) -> Value:
    """A tree of arithmetic and functions; ``leaf`` gives the value of everything else."""
    match expr:
        case Number(value):
            return value
        case Add(terms):
            total: Value = Fraction(0)
            for term in terms:
                total = plus(total, evaluate(term, leaf))
            return total
        case Mul(factors):
            product: Value = Fraction(1)
            for factor in factors:
                product = times(product, evaluate(factor, leaf))
            return product
        case Pow(base, exponent):
            return to_power(evaluate(base, leaf), exponent)
        case Apply(name, args, orders):
            return apply_at(name, [evaluate(a, leaf) for a in args], orders)
        case _:
            return leaf(expr)


def apply_at(name: str, args: Sequence[Value], orders: Sequence[int] = ()) -> Value:
    """A function of a table at numbers, or its first derivative by one argument."""
    row = scalar(name)
    if any(orders):
        if sum(orders) != 1 or (stated := row.derivatives[list(orders).index(1)]) is None:
            raise NoValue(f"no derivative of {name} of these orders")
        return _called(stated, [*args, apply_at(name, args)])
    if row.definition is not None:
        return _called(row.definition, args)
    return _primitive(name, args)


def _called(formula: Callable[..., Expr], args: Sequence[Value]) -> Value:
    places = [Access(Tensor(f"argument {n}"), ()) for n in range(len(args))]
    values: dict[Expr, Value] = dict(zip(places, args, strict=True))
    return evaluate(formula(*places), lambda e: values[e])


def _primitive(name: str, args: Sequence[Value]) -> Value:
    if name == "pi":
        return +CONTEXT.pi
    if name in ("positive", "sign"):
        sign = (args[0] > 0) - (args[0] < 0)
        return Fraction(max(sign, 0) if name == "positive" else sign)
    if name == "power":
        base, exponent = args
        if isinstance(exponent, Fraction) and exponent.denominator == 1:
            return to_power(base, int(exponent))
    if name in ("log", "sqrt", "power") and args[0] <= 0:
        raise NoValue(f"{name} of a number that is not positive")
    if name == "exp" and args[0] == 0:
        return Fraction(1)
    made = {"exp": CONTEXT.exp, "log": CONTEXT.ln, "sqrt": CONTEXT.sqrt, "sin": CONTEXT.sin,
            "cos": CONTEXT.cos, "arctan": CONTEXT.atan, "erf": CONTEXT.erf,
            "power": CONTEXT.power}.get(name)  # fmt: skip
    if made is None:
        raise NoValue(f"no numbers for {name}")
    return made(*map(real, args))


# --- Printing --------------------------------------------------------------------------------


def shown(value: Value, digits: int = DIGITS) -> Math:
    """A number rounded to so many significant digits; ``1.5·10^-7`` where it is very small."""
    if value == 0:
        return Math("0", "0", "0")
    sign = "-" if value < 0 else ""
    whole, exponent = _rounded(abs(value), digits)
    text = str(whole).rstrip("0") or "0"
    if -5 <= exponent < digits:
        places = text.ljust(exponent + 1, "0") if exponent >= 0 else "0" * -exponent + text
        point = exponent + 1 if exponent >= 0 else 1
        plain = sign + (places[:point] + "." + places[point:]).rstrip(".")
        return Math(plain, plain.replace("-", "−"), plain)
    mantissa = sign + (text[0] + "." + text[1:]).rstrip(".")
    return Math(
        rf"{mantissa} \cdot 10^{{{exponent}}}",
        f"{mantissa}e{exponent}".replace("-", "−"),
        f"{mantissa}e{exponent}",
    )


def _rounded(value: Value, digits: int) -> tuple[int, int]:
    """The significant digits as a whole number, half to even, and the exponent of the first."""
    exact = value if isinstance(value, Fraction) else _fraction(value)
    exponent = len(str(exact.numerator)) - len(str(exact.denominator))
    while exact >= Fraction(10) ** (exponent + 1):
        exponent += 1
    while exact < Fraction(10) ** exponent:
        exponent -= 1
    whole = round(exact / Fraction(10) ** (exponent - digits + 1))
    if whole == 10**digits:
        whole, exponent = whole // 10, exponent + 1
    return whole, exponent


def _fraction(value: Any) -> Fraction:
    if not CONTEXT.isfinite(value):
        raise NoValue("not finite")
    _, mantissa, power, _ = value._mpf_
    return Fraction(int(mantissa)) * Fraction(2) ** int(power)

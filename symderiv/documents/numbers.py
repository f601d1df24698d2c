"""Numbers for print: exact fractions as far as they go, then fifty digits; rounded at the end.

Everything is computed in rational arithmetic or by mpmath, at a precision that the numbers alone
decide, never by the machine's floating point, so that printed digits are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from typing import Any

import mpmath

from symderiv.algebra.expr import Access, Add, Apply, Expr, Mul, Number, Pow, Tensor
from symderiv.calculus.brackets import guard_of
from symderiv.calculus.functions import scalar
from symderiv.calculus.losses import LOSSES
from symderiv.documents.model import Math

PRECISION, DIGITS = 50, 9
MOST_DIGITS = 100 * PRECISION  # where numbers nearly cancel
BITS = 64  # of a difference that must be left
HUGE = 10**60  # a denominator beyond this ends exactness
LONGEST = 10**5  # bits of a number, before the point or after it

Value = Any
"""A Fraction, or a number of :data:`CONTEXT`."""

CONTEXT = mpmath.MPContext()
CONTEXT.dps = PRECISION
_WATCHED = ContextVar("watched", default=False)


@contextmanager
def digits(number: int) -> Iterator[None]:
    """Compute with so many digits; what needs more is Imprecise, unless there are no more."""
    before = _WATCHED.set(number < MOST_DIGITS)
    try:
        with CONTEXT.workdps(number):
            yield
    finally:
        _WATCHED.reset(before)


class NoValue(ValueError):
    """There is no real number to print."""


class Undefined(NoValue):
    """A function is not defined at its argument, or its value is too long; said in words."""


class Imprecise(Undefined):
    """Rounding has left too little of a number: it is to be computed with more digits."""


def real(value: Value) -> Any:
    """The number in fifty digits."""
    if isinstance(value, Fraction):
        return CONTEXT.mpf(value.numerator) / value.denominator
    return value


def plus(a: Value, b: Value) -> Value:
    """a + b, exact if both are."""
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return _kept(a + b)
    if 0 in (a, b):
        return a + b if a == 0 == b else real(a or b)
    first, second = real(a), real(b)
    total = first + second
    if _WATCHED.get() and _is_lost(first, second, total):
        raise Imprecise("a sum needs more digits")
    return total


def _is_lost(a: Any, b: Any, total: Any) -> bool:
    """Whether a sum is one of its terms, or so much smaller that few of its digits are right."""
    if total == 0 or total in (a, b):
        return True
    left = CONTEXT.mag(total) - max(CONTEXT.mag(a), CONTEXT.mag(b)) + CONTEXT.prec
    return bool(left < BITS)


def times(a: Value, b: Value) -> Value:
    """a b, exact if both are."""
    if 0 in (a, b):
        return Fraction(0)
    exact = isinstance(a, Fraction) and isinstance(b, Fraction)
    return _kept(a * b) if exact else _small_enough(real(a) * real(b))


def to_power(a: Value, exponent: int) -> Value:
    """a to an integer power."""
    if exponent < 0 and a == 0:
        raise Undefined("1/0 has no value")
    if isinstance(a, Fraction) and abs(exponent) * _digits(a) > LONGEST:
        a = real(a)
    return _kept(a**exponent) if isinstance(a, Fraction) else _small_enough(a**exponent)


def _digits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _small_enough(value: Any) -> Any:
    """A number unless it is too large, or too near to 0."""
    if value != 0 and abs(CONTEXT.mag(value)) > LONGEST:
        raise Undefined("a number has more than 30000 digits")
    return value


def _kept(value: Fraction) -> Value:
    return real(value) if max(abs(value.numerator), value.denominator) > HUGE else value


def evaluate(expr: Expr, leaf: Callable[[Expr], Value], zero_wins: bool = False) -> Value:
    """A tree of arithmetic and functions; ``leaf`` gives the value of everything else.

    With ``zero_wins`` 0 log 0 is 0, as losses have it: a factor 0 makes a product 0, whatever
    the others are. A false bracket always does.
    """
    match expr:
        case Number(value):
            return value
        case Add(terms):
            total: Value = Fraction(0)
            for term in terms:
                total = plus(total, evaluate(term, leaf, zero_wins))
            return total
        case Mul(factors):
            product: Value = Fraction(1)
            missing: Undefined | None = None
            strong = zero_wins
            for factor in factors:
                try:
                    value = evaluate(factor, leaf, zero_wins)
                except Undefined as error:
                    missing = missing or error
                    continue
                product = times(product, value)
                strong = strong or (value == 0 and guard_of(factor) is not None)
            if missing is not None and not (strong and product == 0):
                raise missing
            return product
        case Pow(base, exponent):
            return to_power(evaluate(base, leaf, zero_wins), exponent)
        case Apply(name, args, orders):
            return apply_at(name, [evaluate(a, leaf, zero_wins) for a in args], orders)
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
        return _called(row.definition, args, zero_wins=name in LOSSES)
    return _primitive(name, args)


def _called(formula: Callable[..., Expr], args: Sequence[Value], zero_wins: bool = False) -> Value:
    places = [Access(Tensor(f"argument {n}"), ()) for n in range(len(args))]
    values: dict[Expr, Value] = dict(zip(places, args, strict=True))
    return evaluate(formula(*places), lambda e: values[e], zero_wins)


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
        raise Undefined(f"{name} of {shown(args[0], 3).ascii} has no value")
    if name == "exp" and args[0] == 0:
        return Fraction(1)
    made = {"exp": CONTEXT.exp, "log": CONTEXT.ln, "sqrt": CONTEXT.sqrt, "sin": CONTEXT.sin,
            "cos": CONTEXT.cos, "arctan": CONTEXT.atan, "erf": CONTEXT.erf,
            "power": CONTEXT.power}.get(name)  # fmt: skip
    if made is None:
        raise NoValue(f"no numbers for {name}")
    if name in ("exp", "power") and abs(args[-1]) > LONGEST:
        last = shown(args[-1], 3).ascii
        raise Undefined(f"{name} with the exponent {last} has more than 30000 digits")
    return _small_enough(made(*map(real, args)))


# --- Printing --------------------------------------------------------------------------------


def shown(value: Value, digits: int = DIGITS) -> Math:
    """A number rounded to so many significant digits; ``1.5·10^-7`` where it is very small."""
    if value == 0:
        return Math.same("0")
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
    bits = exact.numerator.bit_length() - exact.denominator.bit_length()
    exponent = bits * 30103 // 100000  # within one of it
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

"""Dual numbers: ``f(v + ε) = f(v) + f′(v)·ε`` with ε² = 0, for every function of the tables.

A function is computed from its definition, down to exponentials, logarithms and a few others whose
slopes are listed here. A derivative f′ is the rate of f where its argument moves by 1; so neither
a stated derivative nor SymPy has a part in it. Works over any kind of real number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

from symderiv.algebra.expr import Access, Add, Apply, Expr, Mul, Number, Pow, apply
from symderiv.calculus.functions import scalar, symbols
from symderiv.proof.balls import Field
from symderiv.proof.field import NoInstance


class Dual:
    """``value + rate·ε``. The value may be a dual number itself, of another ε."""

    __slots__ = ("rate", "value")

    def __init__(self, value: Any, rate: Any) -> None:
        self.value, self.rate = value, rate

    def __add__(self, other: Any) -> Dual:
        if isinstance(other, Dual):
            return Dual(self.value + other.value, self.rate + other.rate)
        return Dual(self.value + other, self.rate)

    def __mul__(self, other: Any) -> Dual:
        if isinstance(other, Dual):
            rate = self.rate * other.value + self.value * other.rate
            return Dual(self.value * other.value, rate)
        return Dual(self.value * other, self.rate * other)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Dual:
        return self * -1

    def __sub__(self, other: Any) -> Dual:
        return self.__add__(other * -1)

    def __rsub__(self, other: Any) -> Dual:
        return self.__mul__(-1).__add__(other)

    def __pow__(self, exponent: int) -> Dual:
        slope = self.value ** (exponent - 1) * exponent
        return Dual(self.value**exponent, self.rate * slope)


Call = Callable[[str, Any], Any]
SLOPES: Mapping[str, Callable[[Call, Any], Any]] = {
    "exp": lambda f, x: f("exp", x),
    "log": lambda f, x: x**-1,
    "sin": lambda f, x: f("cos", x),
    "cos": lambda f, x: f("sin", x) * -1,
    "atan": lambda f, x: (x * x + 1) ** -1,
    "erf": lambda f, x: f("exp", x * x * -1 - f("log", f("atan", x * 0 + 1)) * 0.5),  # 2/√π e^-x²
}
FLOATS = Field(
    lambda number: number.numerator / number.denominator,
    lambda: math.pi,
    {name: getattr(math, name) for name in SLOPES},
    lambda number: number > 0,
)


def real_part(number: Any) -> Any:
    """The number that is moved, without any rate."""
    return real_part(number.value) if isinstance(number, Dual) else number


def sign(number: Any, field: Field) -> int:
    """1 or -1 if the sign is certain, else 0."""
    real = real_part(number)
    return int(field.positive(real)) - int(field.positive(-real))


def value_of(function: str, orders: Sequence[int], args: Sequence[Any], field: Field) -> Any:
    """A function, or a derivative of it, of dual or of plain numbers. Raises NoInstance."""
    for place, order in enumerate(orders):
        if order:
            moved = [Dual(argument, int(n == place)) for n, argument in enumerate(args)]
            once_less = [o - (n == place) for n, o in enumerate(orders)]
            found = value_of(function, once_less, moved, field)
            return found.rate if isinstance(found, Dual) else 0
    places, body = _definition(function)
    return _value(body, dict(zip(places, args, strict=True)), field)


@cache
def _definition(function: str) -> tuple[tuple[Expr, ...], Expr]:
    row = scalar(function)
    places = symbols(row)
    return places, row.definition(*places) if row.definition else apply(function, *places)


def _value(expr: Expr, images: Mapping[Expr, Any], field: Field) -> Any:
    match expr:
        case Number(value):
            return field.number(value)
        case Access():
            return images[expr]
        case Add(terms):
            first, *rest = (_value(t, images, field) for t in terms)
            return sum(rest, first)
        case Mul(factors):
            return math.prod((_value(f, images, field) for f in factors), start=1)
        case Pow(base, exponent):
            return power(_value(base, images, field), exponent, field)
        case Apply(function, args, orders):
            given = [_value(a, images, field) for a in args]
            if scalar(function).definition is None and not any(orders):
                return _primitive(function, given, field)
            return value_of(function, orders, given, field)
    raise TypeError(f"not a formula of numbers: {expr!r}")


def power(base: Any, exponent: int, field: Field) -> Any:
    """A power. Raises NoInstance for 1/0."""
    if exponent < 0 and sign(base, field) == 0:
        raise NoInstance("perhaps a division by zero")
    return base**exponent


def _primitive(function: str, args: Sequence[Any], field: Field) -> Any:
    """A function that has no definition but its name."""
    match function, args:
        case "pi", []:
            return field.pi()
        case "positive", [argument]:
            side = sign(argument, field)
            if side == 0:
                raise NoInstance("perhaps at a kink")
            return field.number(Fraction(side > 0))
        case "arctan", [argument]:
            return _call("atan", argument, field)
        case "sqrt", [argument]:
            return _call("exp", _logarithm(argument, field) * field.number(Fraction(1, 2)), field)
        case "power", [base, exponent]:
            return _call("exp", _logarithm(base, field) * exponent, field)
        case "log", [argument]:
            return _logarithm(argument, field)
        case (("exp" | "sin" | "cos" | "erf"), [argument]):
            return _call(function, argument, field)
    raise NoInstance(f"{function} has no definition")


def _logarithm(argument: Any, field: Field) -> Any:
    if sign(argument, field) != 1:
        raise NoInstance("a logarithm of what may be negative")
    return _call("log", argument, field)


def _call(name: str, argument: Any, field: Field) -> Any:
    if not isinstance(argument, Dual):
        return field.functions[name](argument)
    slope = SLOPES[name](lambda function, x: _call(function, x, field), argument.value)
    return Dual(_call(name, argument.value, field), argument.rate * slope)

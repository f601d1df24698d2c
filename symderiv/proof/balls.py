"""Certified points: a real point where two expressions differ, beyond any doubt of rounding.

Arithmetic on balls (python-flint's ``arb``) encloses every value rigorously. A point counts only
if the balls of all its conditions exclude 0 on the right side and the ball of the difference
excludes 0; the difference is then computed again by mpmath with 60 digits.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

SEED = 20240101
BITS = 400
DIGITS = 60
POINTS = 400

Box = Mapping[Any, tuple[Fraction | None, Fraction | None]]


class NoValue(ValueError):
    """The expression has no certified real value at the point."""


@dataclass(frozen=True)
class Field:
    """Real functions in one arithmetic: balls, or many digits."""

    number: Callable[[Fraction], Any]
    pi: Callable[[], Any]
    functions: Mapping[str, Callable[[Any], Any]]
    positive: Callable[[Any], bool]


def ball_field() -> Field:
    import flint

    return Field(
        lambda q: flint.arb(flint.fmpq(q.numerator, q.denominator)),
        flint.arb.pi,
        {name: getattr(flint.arb, name) for name in _FUNCTIONS},
        lambda ball: bool(ball > 0),
    )


def digit_field() -> Field:
    import mpmath

    return Field(
        lambda q: mpmath.mpf(q.numerator) / q.denominator,
        lambda: +mpmath.pi,
        {name: getattr(mpmath, name) for name in _FUNCTIONS},
        lambda value: bool(value > 0),
    )


_FUNCTIONS = ("exp", "log", "erf", "atan", "sin", "cos", "sinh", "cosh", "tanh")


def value(expr: Any, point: Mapping[Any, Fraction], field: Field) -> Any:
    """The value of a SymPy expression. Raises NoValue where it has none that is certain."""
    if expr.is_Rational:
        return field.number(Fraction(int(expr.p), int(expr.q)))
    if expr.is_Symbol:
        return field.number(point[expr])
    name = type(expr).__name__
    if name == "Pi":
        return field.pi()
    if name == "Exp1":
        return field.functions["exp"](field.number(Fraction(1)))
    args = [value(a, point, field) for a in expr.args]
    if expr.is_Add:
        return sum(args[1:], args[0])
    if expr.is_Mul:
        product = args[0]
        for factor in args[1:]:
            product = product * factor
        return product
    if expr.is_Pow:
        return _power(args[0], args[1], expr.exp, field)
    if name == "positive":  # the step [c > 0] of definitions by pieces
        if not (field.positive(args[0]) or field.positive(-args[0])):
            raise NoValue
        return field.number(Fraction(int(field.positive(args[0]))))
    if name == "log" and not field.positive(args[0]):
        raise NoValue
    if name in field.functions:
        return field.functions[name](args[0])
    raise NoValue


def _power(base: Any, exponent: Any, exact: Any, field: Field) -> Any:
    if exact.is_Integer:
        if exact < 0 and not (field.positive(base) or field.positive(-base)):
            raise NoValue
        return base ** int(exact)
    if not field.positive(base):
        raise NoValue
    return field.functions["exp"](exponent * field.functions["log"](base))


def candidates(
    symbols: Sequence[Any], box: Box, near: Sequence[Fraction], whole: Collection[Any] = ()
) -> Iterator[dict[Any, Fraction]]:
    """Rational points inside the box, the same in every run; ``near`` lists kinks to straddle.

    The symbols in ``whole`` are given whole numbers from 3 on.
    """
    rng = random.Random(SEED)
    for _ in range(POINTS):
        yield {
            s: Fraction(rng.randint(3, 12))
            if s in whole
            else _draw(rng, *box.get(s, (None, None)), near)
            for s in symbols
        }


def _draw(
    rng: random.Random, low: Fraction | None, high: Fraction | None, near: Sequence[Fraction]
) -> Fraction:
    """A rational with a small denominator in the open interval, often close to a kink."""
    if low is not None and high is not None:
        return low + (high - low) * Fraction(rng.randint(1, 96), 97)
    size = Fraction(rng.randint(1, 97), rng.choice((7, 23, 41, 89)))
    if low is not None:
        return low + size
    if high is not None:
        return high - size
    centre = rng.choice((Fraction(0), Fraction(0), *near))
    return centre + rng.choice((1, -1)) * size


def holds_at(conditions: Sequence[Any], point: Mapping[Any, Fraction]) -> bool:
    """Whether every condition is certainly positive at the point."""
    field = ball_field()
    with _precision():
        try:
            return all(field.positive(value(c, point, field)) for c in conditions)
        except NoValue:
            return False


def is_defined(expr: Any, point: Mapping[Any, Fraction]) -> bool:
    """Whether the expression certainly has a real value at the point."""
    with _precision():
        try:
            return bool(value(expr, point, ball_field()).is_finite())
        except NoValue:
            return False


def differ(left: Any, right: Any, point: Mapping[Any, Fraction]) -> tuple[str, str] | None:
    """Both values, as text, if they certainly differ at the point."""
    try:
        return certainly_differ(
            lambda field: (value(left, point, field), value(right, point, field))
        )
    except NoValue:
        return None


def certainly_differ(values: Callable[[Field], tuple[Any, Any]]) -> tuple[str, str] | None:
    """Two values, as text, if they certainly differ: balls that are apart, and 60 digits."""
    import mpmath

    with _precision():
        one, other = values(ball_field())
        ball = one - other
        if not ball.is_finite() or bool(ball.contains(0)):
            return None
    with mpmath.workdps(DIGITS):
        one, other = values(digit_field())
        gap = abs(one - other)
        if not gap > mpmath.mpf(10) ** (10 - DIGITS) * (abs(one) + abs(other)):
            return None
        return mpmath.nstr(one, 17), mpmath.nstr(other, 17)


class _precision:
    """Balls of BITS bits inside the block; flint's precision is global, so it is put back."""

    def __enter__(self) -> None:
        import flint

        self._before = flint.ctx.prec
        flint.ctx.prec = BITS

    def __exit__(self, *_: object) -> None:
        import flint

        flint.ctx.prec = self._before

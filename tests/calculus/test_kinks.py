"""At a kink there is no derivative, nowhere else is a kink, and code computes what is said."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import mpmath
import pytest

from symderiv import derive
from symderiv.algebra.expr import Expr, Number
from symderiv.calculus.functions import Domain, ScalarFunction, symbols, unfold
from tests.calculus.test_tables_numpy import SCALARS, exact, python_function

H = mpmath.mpf(10) ** -20
POINTS = (-3, -1, 0, 1, 3)
KINKED = [row for row in SCALARS if row.kinks]

by_name = pytest.mark.parametrize("row", SCALARS, ids=lambda row: row.name)


def some(domain: Domain) -> list[Fraction]:
    """Two numbers of a domain, for an argument behind the first."""
    tried = domain.values or map(Fraction, ("-1.25", "0.3", "2"))
    return [v for v in tried if domain.contains(v)][:2]


def others(row: ScalarFunction) -> Iterator[tuple[Fraction, ...]]:
    """Values of all arguments but the first."""
    return product(*(some(domain) for domain in row.domain[1 : len(row.arguments)]))


def number(expr: Expr) -> Fraction:
    """The value of a formula of numbers."""
    return Fraction(str(exact(unfold(expr), {})))


def slopes(row: ScalarFunction, point: Fraction, rest: tuple[Fraction, ...]) -> list[mpmath.mpf]:
    """The difference quotients of the definition to the left and to the right of a point."""
    letters = symbols(row)
    definition = unfold(row(*letters))

    def value(x: mpmath.mpf) -> mpmath.mpf:
        numbers = [x, *(mpmath.mpf(v.numerator) / v.denominator for v in rest)]
        return exact(definition, dict(zip(letters, numbers, strict=True)))

    x = mpmath.mpf(point.numerator) / point.denominator
    return [(value(x) - value(x - H)) / H, (value(x + H) - value(x)) / H]


@by_name
def test_there_is_no_derivative_at_the_kinks_and_nowhere_else(row: ScalarFunction) -> None:
    with mpmath.workdps(60):
        for rest in others(row):
            said = {number(kink.point(*map(Number, rest))) for kink in row.kinks}
            tried = {*map(Fraction, POINTS), *rest, sum(rest, Fraction(0)), *said}
            for point in (p for p in tried if row.domain[0].contains(p)):
                if row.domain[0].low == point:
                    continue
                left, right = slopes(row, point, rest)
                kink = abs(left - right) > 1e-6 or abs(left) > 1e6  # a jump is steep on both sides
                assert kink == (point in said), (point, rest)


@pytest.mark.parametrize("row", KINKED, ids=lambda row: row.name)
def test_the_slope_at_a_kink_is_the_one_that_is_stated(row: ScalarFunction) -> None:
    body, formula = row.numpy_derivatives[0], row.derivatives[0]
    assert body is not None and formula is not None
    computed = python_function(row.python_name, row.arguments, body)
    for kink in row.kinks:
        for rest in others(row):
            numbers = tuple(map(Number, rest))
            point, slope = number(kink.point(*numbers)), number(kink.used(*numbers))
            assert computed(float(point), *map(float, rest)) == pytest.approx(
                float(slope), rel=1e-12
            )
            given = (Number(point), *numbers)
            assert number(formula(*given, row(*given))) == slope


@pytest.mark.parametrize(("functions", "said"), [
    ("relu,identity+mse", "at $z = 0$; the value used there is $0$."),
    ("hard-tanh,identity+mse", "at $z = -1$ and $z = 1$; the value used there is $0$."),
    ("hard-swish,relu+mse", "at $z = -3$ and $z = 3$; the values used there are $0$ and $1$."),
    ("leaky-relu,prelu+mse", r"the value used there is $\alpha$."),
    ("leaky-relu,elu+mse", r"at $z = 0$ unless $\beta = 1$; the value used there is $\beta$."),
    ("selu,identity+mse", r"the value used there is $\mathit{scale}\, \alpha$."),
    ("relu,identity+mae", "at $a = y$; the value used there is $0$."),
    ("relu,identity+hinge", r"at $a = \frac{1}{y}$; the value used there is $0$."),
])  # fmt: skip
def test_a_document_says_what_the_row_says(functions: str, said: str) -> None:
    page = derive(f"2-3-1:{functions}").render("md")
    assert isinstance(page, str) and said in page

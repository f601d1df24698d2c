"""Certified points: what they refute, and what they refuse to."""

from __future__ import annotations

from fractions import Fraction

import flint
import sympy

from symderiv.algebra.expr import Access, SizeOf, Tensor, sum_over
from symderiv.algebra.index import Axis, Size, as_index, fresh
from symderiv.calculus.functions import REAL, SIGNS, absolute, positive
from symderiv.proof import balls
from symderiv.proof.scalar import decide_scalar
from symderiv.proof.verdict import Status

X, Y = (Access(Tensor(name), ()) for name in "xy")
S, T = sympy.symbols("s t")


def test_a_difference_of_ten_to_the_minus_forty_is_seen() -> None:
    point = {S: Fraction(3, 7)}
    tiny = sympy.Rational(1, 10**40)
    assert balls.differ(sympy.exp(S), sympy.exp(S) + tiny, point) is not None


def test_equal_values_never_differ() -> None:
    for k in range(1, 40):
        point = {S: Fraction(k, 7)}
        assert balls.differ(sympy.exp(S) ** 2, sympy.exp(2 * S), point) is None
        assert balls.differ(sympy.log(S), sympy.log(S / 3) + sympy.log(3), point) is None


def test_a_point_outside_the_domain_certifies_nothing() -> None:
    assert balls.differ(sympy.log(S), sympy.Integer(1), {S: Fraction(-1)}) is None
    assert balls.differ(1 / S, sympy.Integer(1), {S: Fraction(0)}) is None
    assert balls.differ(sympy.sqrt(S), sympy.Integer(9), {S: Fraction(-4)}) is None
    assert not balls.is_defined(sympy.log(S), {S: Fraction(-1)})


def test_conditions_must_hold_beyond_doubt() -> None:
    point = {S: Fraction(1, 2)}
    assert balls.holds_at([S, 1 - S], point)
    assert not balls.holds_at([S - sympy.Rational(1, 2)], point)
    assert not balls.holds_at([sympy.exp(S) * sympy.exp(-S) - 1], point)


def test_the_precision_of_others_is_put_back() -> None:
    before = flint.ctx.prec
    balls.differ(sympy.exp(S), S, {S: Fraction(1)})
    assert flint.ctx.prec == before


def test_both_sides_of_a_kink_are_tried() -> None:
    """The two sides agree on one side of the kink at 41 and differ on the other."""
    far = X - 41
    verdict = decide_scalar(positive(far) * far, far * (1 - positive(-far)) - 0 * X)
    assert verdict.status is Status.PROVED
    verdict = decide_scalar(absolute(far), far)
    assert verdict.status is Status.REFUTED
    assert verdict.counterexample is not None
    assert Fraction(verdict.counterexample["x"]) < 41


def test_discrete_targets_are_taken_one_by_one() -> None:
    assert decide_scalar(Y**2, Y**4, {Y: SIGNS}).status is Status.PROVED
    assert decide_scalar(Y**2, Y**3, {Y: SIGNS}).status is Status.REFUTED
    assert decide_scalar(Y**2, Y**4, {Y: REAL}).status is Status.REFUTED


def test_an_atom_that_may_depend_on_others_refutes_nothing() -> None:
    m = Size("m")
    i = fresh(Axis("unit", as_index(m)))
    total = sum_over(i, Access(Tensor("v", (fresh(Axis("unit", as_index(m))),)), (as_index(i),)))
    assert decide_scalar(total + X, X + total).status is Status.PROVED
    assert decide_scalar(total, X).status is Status.UNDECIDED


def test_sizes_are_whole_numbers_in_a_counterexample() -> None:
    m = SizeOf(as_index(Size("m")))
    verdict = decide_scalar(X / m, X)
    assert verdict.status is Status.REFUTED
    assert verdict.counterexample is not None
    assert Fraction(verdict.counterexample["m"]).denominator == 1

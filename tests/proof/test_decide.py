"""Forms in which two sides agree: what is common to both is removed, and nothing else."""

from __future__ import annotations

import pytest

from symderiv.algebra.expr import ZERO, Add, Expr, Mul, Pow, Sum, Tensor, add, mul, sum_over
from symderiv.algebra.index import Axis, Size, Var, as_index, fresh
from symderiv.algebra.matching import alpha_equal
from symderiv.algebra.normal import normal
from symderiv.proof.decide import same_normal_form, strip
from symderiv.proof.quotients import over_common_denominator

N = as_index(Size("n"))
UNITS = Axis("unit", N)
X, Y = (Tensor(name, (fresh(UNITS),)) for name in "xy")
A, B, C = (Tensor(name, ())[()] for name in "abc")
K, J, I = (fresh(UNITS, "k") for _ in range(3))


@pytest.mark.parametrize("axis", [Axis("unit", N - 1), Axis("unit", N, as_index(2))])
def test_sums_over_other_ranges_have_nothing_in_common(axis: Axis) -> None:
    other = fresh(axis, "k")
    left, right = Sum(K, X[K]), Sum(other, X[other])
    assert strip(left, right) == (left, right) and same_normal_form(left, right) == ""


def test_what_is_common_is_removed() -> None:
    def quotient(k: Var) -> Expr:
        return X[k] / (A + B)

    left, right = strip(Sum(K, mul(quotient(K), Y[K])), Sum(J, mul(quotient(J), C)))
    (v,) = {i.variable for i in left.indices}  # type: ignore[attr-defined]
    assert left == Y[v] and right == C
    for one, other, rest in (
        (Mul((A, B)), Mul((B, C)), (A, C)),
        (Add((A, B)), Add((B, C)), (A, C)),
        (Mul((A, A)), Mul((A, B)), (A, B)),
        (A, B, (A, B)),
    ):
        assert strip(one, other) == rest
    assert strip(Add((A, B)), Add((B, C, A))) == (Add((A, B)), Add((B, C, A)))
    assert strip(Mul((A, B)), Add((A, B))) == (Mul((A, B)), Add((A, B)))


def test_quotients_are_compared_over_their_common_denominator() -> None:
    assert same_normal_form(A / (A + B) + B / (A + B), A / A) == "common denominator"
    assert same_normal_form(1 / (A + B) + 1 / C, (A + B + C) / ((A + B) * C)) != ""
    assert same_normal_form(1 / (A + B) + 1 / C, (A + B - C) / ((A + B) * C)) == ""
    inner = sum_over(K, X[K] / (X[K] + A))
    assert same_normal_form(inner + B / (A + B), inner + 1 - A / (A + B)) != ""
    assert same_normal_form(add(A, Pow(B, -1)), add(Pow(B, -1), A)) == "normal form"
    assert alpha_equal(over_common_denominator(A - A, B - B), ZERO)
    assert over_common_denominator(sum_over(K, X[K]) / (A + B) + C, ZERO) is not None
    whole = over_common_denominator(inner, ZERO)  # in which there is nothing to multiply out
    assert whole is not None and normal(whole).key == normal(inner).key

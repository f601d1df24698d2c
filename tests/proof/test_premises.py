"""Facts put to work: instances are found however they are written, and nothing else is."""

from __future__ import annotations

import pytest

from symderiv.algebra.expr import ONE, Expr, Role, Sum, Tensor, mul
from symderiv.algebra.index import Axis, Size, as_index, fresh
from symderiv.algebra.normal import equal
from symderiv.calculus.graph import Fact
from symderiv.proof.premises import apply_fact

UNITS, EXAMPLES = Axis("unit", as_index(Size("n"))), Axis("example", as_index(Size("m")))
A, B = (Tensor(name, (fresh(UNITS), fresh(EXAMPLES)), Role.INPUT) for name in "ab")
I, J, K, S, T = (fresh(axis, "i") for axis in (UNITS, UNITS, UNITS, EXAMPLES, EXAMPLES))


def fact(*factors: Expr) -> Fact:
    """Σ_k of these is 1, for every example s."""
    return Fact(Sum(K, mul(*factors)), ONE, "", (S,))


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_of_factors_does_not_matter(turned: bool) -> None:
    given = fact(*(A[K, S], B[K, S])[:: -1 if turned else 1])
    for body in ((A[J, S], B[J, S]), (B[J, S], A[J, S])):
        assert equal(apply_fact(mul(A[I, S], Sum(J, mul(*body))), given), A[I, S])


def test_a_fact_is_used_as_often_as_it_applies() -> None:
    given = fact(A[K, S])
    squares = mul(Sum(J, A[J, T]), Sum(K, A[K, T]), B[I, T])
    assert equal(apply_fact(squares, given), B[I, T])
    both = mul(B[I, T], Sum(J, A[J, T])) + 2 * Sum(J, A[J, S])
    assert equal(apply_fact(both, given), B[I, T] + 2)


def test_what_is_no_instance_stays() -> None:
    given = fact(A[K, S])
    for expr in (
        Sum(J, A[J, S] ** 2),
        Sum(J, mul(A[J, S], B[J, S])),
        Sum(T, A[I, T]),
        Sum(J, B[J, S]),
        Sum(J, Sum(T, mul(A[J, T], B[J, S]))),
        ONE,
    ):
        assert equal(apply_fact(expr, given), expr)
    other = Fact(Sum(K, A[K, S]), B[1, S], "", ())  # about one s alone
    assert equal(apply_fact(Sum(J, A[J, T]), other), Sum(J, A[J, T]))
    assert equal(apply_fact(Sum(J, A[J, S]), other), B[1, S])


def test_a_sum_that_bounds_another_stays() -> None:
    """Σ_k a[k,s] Σ_{u ≤ k} b[u,s]: without k the inner sum would have no end."""
    below = fresh(Axis("unit", as_index(K)), "u")
    expr = Sum(K, Sum(below, mul(A[K, S], B[below, S])))
    assert equal(apply_fact(expr, fact(A[K, S])), expr)

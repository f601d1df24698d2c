"""Facts put to work: instances are found however they are written, and nothing else is."""

from __future__ import annotations

import pytest

from symderiv.algebra.expr import ONE, Expr, Role, Sum, Tensor, mul
from symderiv.algebra.index import Axis, Size, as_index, fresh
from symderiv.algebra.normal import equal
from symderiv.calculus.graph import Fact, Graph
from symderiv.proof.field import P, World
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


Y1, Y2 = (Tensor(name, (fresh(EXAMPLES),), Role.TARGET) for name in ("y1", "y2"))
PAIR = Fact(Y1[S] + Y2[S], ONE, "", (S,))


def test_of_a_sum_of_entries_the_last_is_what_the_others_leave() -> None:
    assert equal(apply_fact(Y2[T], PAIR), 1 - Y1[T])
    assert equal(apply_fact(Y1[T] * Y2[T], PAIR), Y1[T] * (1 - Y1[T]))
    assert equal(apply_fact(A[I, T] * Y1[T], PAIR), A[I, T] * Y1[T])


def test_an_entry_out_of_the_range_of_a_fact_stays() -> None:
    beyond = Y2[T + 1]
    assert equal(apply_fact(beyond, PAIR), beyond)


def test_in_the_field_a_fact_determines_the_last_entry_alone() -> None:
    world = World(Graph((), Tensor("C")), {"n": 3, "m": 3}, facts=(PAIR,), opened=frozenset())
    for n in (1, 2, 3):
        first, last = world.value(Y1[T], {T: n}), world.value(Y2[T], {T: n})
        assert (first + last) % P == 1
        free = World(Graph((), Tensor("C")), {"n": 3, "m": 3}, opened=frozenset())
        assert first == free.value(Y1[T], {T: n}) and last != free.value(Y2[T], {T: n})
        assert world.value(A[I, T], {I: 1, T: n}) == free.value(A[I, T], {I: 1, T: n})

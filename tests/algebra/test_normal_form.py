"""The normal form keeps the value, is reached from every way of writing, and is its own."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.algebra.expr import (
    ONE,
    ZERO,
    Bracket,
    Delta,
    Expr,
    Mul,
    Pow,
    SizeOf,
    Sum,
    Tensor,
    add,
    apply,
    mul,
)
from symderiv.algebra.index import Axis, Size, as_index, fresh
from symderiv.algebra.normal import equal, normal
from tests.algebra.numeric import agree
from tests.algebra.trees import (
    FREE,
    LAYER,
    UNITS,
    C,
    I,
    J,
    N,
    W,
    X,
    examples,
    near_miss,
    rewritten,
    trees,
)


def form(expr: Expr) -> Expr | None:
    """The normal form as a tree, or None where the expression divides by zero."""
    try:
        return normal(expr).expr()
    except ZeroDivisionError:
        return None


@given(trees())
@settings(max_examples=examples(250))
def test_the_normal_form_has_the_same_values(expr: Expr) -> None:
    flat = form(expr)
    assert flat is None or agree(expr, flat, FREE)


@given(st.data())
@settings(max_examples=examples(200))
def test_equal_normal_forms_have_equal_values(data: Any) -> None:
    expr = data.draw(trees())
    other = near_miss(data.draw, expr)
    try:
        same = equal(expr, other)
    except ZeroDivisionError:
        return
    assert not same or agree(expr, other, FREE)


@given(trees())
@settings(max_examples=examples(200))
def test_the_normal_form_is_its_own_normal_form(expr: Expr) -> None:
    flat = form(expr)
    assert flat is None or normal(flat).key == normal(expr).key


@given(st.data())
@settings(max_examples=examples(200))
def test_ways_of_writing_have_one_normal_form(data: Any) -> None:
    expr = data.draw(trees(rational=False))
    assert normal(rewritten(data.draw, expr)).key == normal(expr).key


# --- Cases that once went wrong ------------------------------------------------------------


def test_a_sum_stays_where_the_lower_end_of_another_depends_on_it() -> None:
    k = fresh(UNITS, "k")
    above = fresh(Axis("unit", N, as_index(k)), "j")
    assert not equal(Sum(k, Sum(above, X[above])), normal(Sum(above, X[above])).expr() * C[()])
    assert agree(Sum(k, Sum(above, X[above])), normal(Sum(k, Sum(above, X[above]))).expr(), ())


def test_the_square_of_a_sum_over_a_moving_range() -> None:
    k = fresh(UNITS, "k")
    j = fresh(Axis("unit", as_index(Size("q", as_index(k)))), "j")
    total = Sum(k, Sum(j, X[j] * X[k]))
    assert agree(total**2, normal(total**2).expr(), ())


def test_a_sum_over_a_range_that_may_be_empty_is_not_its_length() -> None:
    c = fresh(Axis("unit", N - 2), "c")
    flat = normal(Sum(c, C[()])).expr()
    assert agree(Sum(c, C[()]), flat, ())


def test_a_delta_is_not_solved_in_a_circle() -> None:
    k = fresh(UNITS, "k")
    j = fresh(Axis("unit", as_index(Size("q", as_index(k)))), "j")
    expr = Sum(k, Sum(j, mul(Delta(as_index(k), 2 * j), X[j])))
    assert agree(expr, normal(expr).expr(), ())


def test_a_size_may_be_called_like_a_bound_variable() -> None:
    for name in ("k0", "%k0", "s0", "i~0"):
        size = as_index(Size(name))
        k = fresh(UNITS, "k")
        assert not equal(Sum(k, X[k] * X[as_index(k)]), Sum(k, X[k] * X[size]))


def test_a_delta_that_leaves_a_zero_denominator_raises() -> None:
    k = fresh(UNITS, "k")
    with pytest.raises(ZeroDivisionError):
        normal(Sum(k, mul(Delta(as_index(k), as_index(I)), (X[k] - X[I]) ** -1)))
    assert equal(Sum(k, mul(Delta(as_index(k), as_index(I)), (X[k] + X[I]) ** -1)), 1 / (2 * X[I]))


def test_nothing_is_divided_by_a_delta() -> None:
    same = Delta(as_index(I), as_index(J))
    for expr in (mul(same, same**-1), (same * X[I]) ** -1, Sum(I, same**-1)):
        with pytest.raises(ZeroDivisionError):
            normal(expr)


def test_deltas_between_free_indices_come_to_an_end() -> None:
    expr = mul(Delta(as_index(I), as_index(J)), Delta(as_index(J), as_index(LAYER)), X[J])
    assert agree(expr, normal(expr).expr(), FREE)


def test_arguments_are_equal_whatever_their_sums_are_called() -> None:
    j, k = fresh(UNITS, "j"), fresh(UNITS, "k")
    one, other = apply("log", Sum(j, X[j])), apply("log", Sum(k, X[k]))
    assert equal(one * other, one**2)
    assert equal(one / other, C[()] / C[()])


def test_a_delta_is_its_own_square() -> None:
    for same in (Delta(as_index(I), as_index(J)), Delta(2 * I, 3 * J)):
        form = normal(same)
        assert [p for _, p in form.terms[0].monomial] == [1]
        assert normal(mul(same, same)).key == normal(same**2).key == form.key
        assert normal(Delta(same.right, same.left)).key == form.key


def test_a_sum_beside_a_free_index_of_its_name() -> None:
    sums = (Sum(I, X[I]), Sum(I, W[I, J]), Sum(I, add(X[I], C[()])))
    others = (X[I], add(X[I], ONE), add(W[I, I], C[()]), add(W[J, I], X[I]), Sum(J, W[I, J]))
    for total in sums:
        for other in others:
            expr = mul(total, other)
            assert agree(expr, normal(expr).expr(), (I, J))
            assert equal(expr, mul(other, total))


def test_a_condition_is_reduced_to_whole_numbers() -> None:
    """2i - 3 >= 0 is i >= 2 for an integer i, and 2i - 4 >= 0 as well."""
    for odd in (3, 4):
        assert equal(Bracket(2 * I - odd), Bracket(I - 2))
    assert not equal(Bracket(2 * I - 5), Bracket(I - 2))


def test_a_division_by_zero_behind_a_factor_0_is_none_the_less_one() -> None:
    undefined = Pow(X[I] - X[I], -1)
    for expr in (Mul((undefined, ZERO)), Mul((ZERO, undefined)), Pow(ZERO, -1)):
        with pytest.raises(ZeroDivisionError):
            normal(expr)
    assert normal(Mul((ZERO, X[I]))).is_zero and normal(Mul((X[I], ZERO, X[I] + 1))).is_zero


# --- Names of bound variables ---------------------------------------------------------------


def cycle(lengths: tuple[int, ...], order: tuple[int, ...]) -> Expr:
    """Closed walks Σ W[a,b] W[b,c] ... W[z,a], their variables bound in the order given."""
    total = sum(lengths)
    names = [fresh(UNITS, "k") for _ in range(total)]
    factors, start = [], 0
    for length in lengths:
        loop = names[start : start + length]
        factors += [W[a, b] for a, b in zip(loop, [*loop[1:], loop[0]], strict=True)]
        start += length
    body = mul(*(factors[n] for n in order))
    for n in order:
        body = Sum(names[n], body)
    return body


def test_a_closed_walk_has_one_key_wherever_it_starts() -> None:
    keys = {normal(cycle((5,), order)).key for order in list(permutations(range(5)))[::7]}
    assert len(keys) == 1


def test_one_walk_of_six_is_not_two_of_three() -> None:
    order = tuple(range(6))
    assert normal(cycle((6,), order)).key != normal(cycle((3, 3), order)).key


def test_eight_like_sums_are_told_apart_at_once() -> None:
    order = tuple(range(8))
    for lengths in ((8,), (1,) * 8, (2, 2, 2, 2), (4, 4)):
        assert normal(cycle(lengths, order)).key == normal(cycle(lengths, order[::-1])).key


def test_the_sign_of_a_delta_does_not_depend_on_who_was_named_first() -> None:
    def form(first: str) -> str:
        made = {name: fresh(UNITS, name) for name in sorted("jk", reverse=first == "k")}
        j, k = made["j"], made["k"]
        body = mul(Delta(2 * k, 3 * j), X[k], W[j, j])
        return normal(Sum(j, Sum(k, body))).key + normal(Sum(j, apply("exp", body))).key[:4]

    assert form("j") == form("k")


def test_sums_inside_of_functions_inside_of_sums_are_told_apart() -> None:
    a, b, c, d, e = (fresh(UNITS, name) for name in "abcde")

    def nested(*last: tuple[Any, Any]) -> str:
        inner = mul(*(W[i, j] for i, j in last))
        for v in (e, d, c):
            inner = Sum(v, inner)
        return normal(Sum(a, Sum(b, mul(apply("exp", inner), X[a], W[a, b])))).key

    keys = [nested((c, d), (d, e), (e, w)) for w in (a, b, c, d, e)]
    assert len(set(keys)) == len(keys)
    assert nested((c, d), (d, e), (e, a)) == nested((d, e), (e, c), (c, a))


def test_ranges_tell_sums_apart() -> None:
    low, high = fresh(Axis("unit", N, as_index(2)), "k"), fresh(Axis("unit", N + 1), "k")
    keys = {normal(Sum(v, X[v])).key for v in (low, high, fresh(UNITS, "k"))}
    assert len(keys) == 3
    one = normal(Sum(low, Sum(high, W[low, high]))).key
    assert one == normal(Sum(high, Sum(low, W[low, high]))).key
    assert one != normal(Sum(high, Sum(low, W[high, low]))).key


def test_variables_that_only_a_range_tells_apart() -> None:
    v, w = fresh(UNITS, "v"), fresh(UNITS, "w")
    keys = []
    for top in (v, w):
        u = fresh(Axis("unit", as_index(top)), "u")
        for outer, inner in ((v, w), (w, v)):
            body = mul(X[v], X[w], W[u, u])
            keys.append(normal(Sum(outer, Sum(inner, Sum(u, body)))).key)
    assert len(set(keys)) == 1
    other = normal(Sum(v, Sum(w, Sum(fresh(UNITS, "u"), mul(X[v], X[w], C[()]))))).key
    assert other != keys[0]


def test_a_name_is_not_given_twice_below_a_binder_that_is_bound_again() -> None:
    """Σ_k σ(Σ_m σ(Σ_k σ(Σ_q x[k,q] z[m]))): three deep, and k bound again in the middle."""
    k, m, q = (fresh(UNITS, name) for name in "kmq")
    x, y = (Tensor(name, (fresh(UNITS), fresh(UNITS))) for name in "xy")
    z = Tensor("z", (fresh(UNITS),))

    def nested(inner: Expr) -> Expr:
        deepest = apply("sigmoid", Sum(q, inner * z[m]))
        return Sum(k, z[k] * apply("tanh", Sum(m, z[m] * apply("exp", Sum(k, y[k, m] * deepest)))))

    assert len({normal(nested(e)).key for e in (x[k, q], x[q, q], x[m, q], x[k, k])}) == 4


def test_a_product_of_many_equal_sums_has_a_name() -> None:
    """(Σ_ij W[i, j])⁹ has 18 indices, which come in pairs that belong to separate sums."""
    i, j = fresh(UNITS), fresh(UNITS)
    form = normal(Pow(Sum(i, Sum(j, W[i, j])), 9))
    assert form.key == normal(Pow(Sum(j, Sum(i, W[j, i])), 9)).key
    assert form.key != normal(Pow(Sum(i, Sum(j, W[j, i] * X[i])), 9)).key


def test_what_divides_a_sum_that_may_be_empty_stays_with_it() -> None:
    """(Σ_{k<n} x/(n − 1))² is 0 where n = 1, and so is not x², also beside a bracket."""
    m = Bracket(as_index(Size("m")) - 2)
    inner = Sum(fresh(Axis("unit", N - 1)), mul(m, X[I], Pow(SizeOf(N - 1), -1)))
    assert not equal(Pow(inner, 2), mul(m, X[I] ** 2))
    assert not equal(Pow(inner, 2) * X[J], mul(m, X[I] ** 2, X[J]))


def test_sums_that_a_third_index_joins_have_a_name() -> None:
    """Σ_k (Σ_ij T[i, j, k])⁹: nine pairs (i, j) that may change places, and 9! orders of them."""
    t = Tensor("t", tuple(fresh(UNITS) for _ in range(3)))
    i, j, k = (fresh(UNITS) for _ in range(3))
    inner = Sum(i, Sum(j, t[i, j, k]))
    assert normal(Sum(k, Pow(inner, 9))).key == normal(Sum(k, Pow(inner, 4) * Pow(inner, 5))).key

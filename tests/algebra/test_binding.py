"""Substitution never captures; trees that match mean the same."""

from __future__ import annotations

from itertools import islice
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.algebra.binding import (
    free_variables,
    known_in,
    open_indices,
    outer_first,
    refresh,
    substitute,
    within_ranges,
)
from symderiv.algebra.expr import (
    Apply,
    Bracket,
    Delta,
    Expr,
    Number,
    Partial,
    Pow,
    Select,
    SizeOf,
    Sum,
    Tensor,
    mul,
)
from symderiv.algebra.index import Axis, Size, as_index, fresh
from symderiv.algebra.matching import alpha_equal, match
from tests.algebra.numeric import SMALL, agree, value
from tests.algebra.trees import (
    FREE,
    LAYER,
    UNITS,
    I,
    J,
    N,
    S,
    W,
    X,
    examples,
    indices,
    near_miss,
    trees,
)


@given(trees(), indices(FREE), indices(FREE))
@settings(max_examples=examples(200))
def test_substitution_is_evaluation_at_other_indices(expr: Expr, first: Any, second: Any) -> None:
    moved = substitute(expr, {I: first, J: second})
    for sizes in SMALL:
        for env in islice(sizes.environments(FREE), 0, None, 5):
            there = {**env, I: sizes.index(first, env), J: sizes.index(second, env)}
            try:
                expected = value(expr, sizes, there)
            except ZeroDivisionError:
                continue
            assert value(moved, sizes, env) == expected


@given(trees())
def test_substitution_leaves_no_replaced_variable(expr: Expr) -> None:
    other = fresh(UNITS, "z")
    free = free_variables(expr)
    expected = free - {I} | {other} if I in free else free
    assert free_variables(substitute(expr, {I: as_index(other) + 1})) == expected


@given(trees())
def test_new_bound_variables_change_nothing(expr: Expr) -> None:
    renewed = refresh(expr)
    assert alpha_equal(expr, renewed)
    assert free_variables(renewed) == free_variables(expr)
    assert agree(expr, renewed, FREE)


@given(st.data())
@settings(max_examples=examples(200))
def test_trees_equal_up_to_names_have_equal_values(data: Any) -> None:
    expr = data.draw(trees())
    other = near_miss(data.draw, refresh(expr))
    assert not alpha_equal(expr, other) or agree(expr, other, FREE)


@given(st.data())
@settings(max_examples=examples(200))
def test_a_match_turns_the_pattern_into_the_tree(data: Any) -> None:
    pattern = data.draw(trees(depth=2))
    images = {v: data.draw(indices(FREE)) for v in (I, S)}
    for target in (substitute(pattern, images), data.draw(trees(depth=2))):
        found = match(pattern, refresh(target), (I, S))
        if found is not None:
            assert alpha_equal(substitute(pattern, found), target)
            assert agree(substitute(pattern, found), target, FREE)


@given(trees(depth=2))
def test_plain_instances_are_found(pattern: Expr) -> None:
    other = fresh(UNITS, "z")
    found = match(pattern, refresh(substitute(pattern, {I: as_index(other)})), (I,))
    if found is not None and I in free_variables(pattern):
        assert found.get(I) == as_index(other)


def test_a_bound_variable_is_not_the_free_one_of_that_name() -> None:
    v, w = fresh(UNITS, "v"), fresh(UNITS, "w")
    assert not alpha_equal(Sum(v, W[v, w]), Sum(w, W[w, w]))
    assert not alpha_equal(Sum(w, W[w, w]), Sum(v, W[v, w]))


def test_a_match_does_not_take_a_bound_variable_outside() -> None:
    k, w = fresh(UNITS, "k"), fresh(UNITS, "w")
    assert match(Sum(k, W[k, I]), Sum(w, W[w, w]), (I,)) is None
    assert match(Sum(k, W[k, I]), Sum(k, W[k, k]), (I,)) is None
    assert match(Sum(k, W[k, I]), Sum(w, W[w, J]), (I,)) == {I: as_index(J)}


def test_a_name_that_is_used_twice_is_matched_once() -> None:
    assert match(W[I, I], W[J, S], (I,)) is None
    assert match(W[I, I], W[J, J], (I,)) == {I: as_index(J)}
    assert match(X[I], X[as_index(J) + 1], (I,)) == {I: as_index(J) + 1}


def test_a_sum_hides_its_own_variable_and_takes_no_other() -> None:
    k, v = fresh(UNITS, "k"), fresh(UNITS, "v")
    hidden = substitute(Sum(I, W[I, J]), {I: as_index(S), J: as_index(k)})
    assert alpha_equal(hidden, Sum(v, W[v, k]))
    captured = substitute(Sum(k, W[k, I]), {I: as_index(k)})
    assert alpha_equal(captured, Sum(v, W[v, k])) and free_variables(captured) == {k}
    assert alpha_equal(
        substitute(Sum(k, mul(W[k, I], X[J])), {I: J + 1}), Sum(k, W[k, J + 1] * X[J])
    )


def test_a_binder_depends_on_what_its_range_depends_on() -> None:
    inner = fresh(Axis("unit", as_index(Size("q", as_index(LAYER)))), "u")
    assert free_variables(Sum(inner, X[inner])) == {LAYER}
    assert free_variables(Select(as_index(I), inner, X[inner])) == {I, LAYER}


def test_a_derivative_is_substituted_above_and_below() -> None:
    k = fresh(UNITS, "k")
    moved = substitute(Partial(mul(X[I], X[J]), W[I, J]), {I: as_index(k)})
    assert moved == Partial(mul(X[k], X[J]), W[k, J])


def test_a_substitution_of_nothing_is_the_same_tree() -> None:
    for expr in (X[I], Sum(J, W[I, J])):
        assert substitute(expr, {I: as_index(I)}) is expr
        assert substitute(expr, {S: as_index(J)}) is expr


def test_trees_that_differ_in_one_place_are_not_alike() -> None:
    k, late = fresh(UNITS, "k"), fresh(Axis("unit", N, as_index(2)), "k")
    early = fresh(Axis("unit", N - 1), "k")
    i, j = as_index(I), as_index(J)
    families: list[list[Expr]] = [
        [Sum(v, X[v]) for v in (k, late, early)] + [Sum(k, X[I])],
        [Select(i, v, X[v]) for v in (k, late, early)] + [Select(j, k, X[k]), Select(i, k, X[I])],
        [Apply(f, (X[I],), (n,)) for f in ("exp", "log") for n in (0, 1)],
        [Apply("power", args, (0, 0)) for args in ((X[I], X[J]), (X[J], X[I]))],
        [Pow(X[I], 2), Pow(X[I], 3), Pow(X[J], 2)],
        [Delta(i, j), Delta(j, i), Delta(i, i), Bracket(i), Bracket(j), SizeOf(i), SizeOf(j)],
        [Number.of(1), Number.of(2), X[I], X[J], W[I, J], mul(X[I], X[J])],
        [mul(X[I], X[J], X[I]), mul(X[J], X[I], X[J]), mul(X[I], X[I], X[J])],
    ]
    for family in families:
        for m, left in enumerate(family):
            for n, right in enumerate(family):
                assert alpha_equal(left, refresh(right)) == (m == n), (left, right)
                assert (match(left, refresh(right), ()) is not None) == (m == n), (left, right)


def test_outer_indices_come_first() -> None:
    """An order in which no range depends on a later variable; what ranges speak of is open too."""
    k = fresh(UNITS, "k")
    inner = fresh(Axis("unit", as_index(k)), "i")
    deepest = fresh(Axis("unit", as_index(inner) + 1), "r")
    assert (
        outer_first([deepest, inner, k]) == outer_first([inner, k, deepest]) == [k, inner, deepest]
    )
    assert within_ranges([deepest]) == {k, inner} and within_ranges([k]) == frozenset()
    assert open_indices(X[deepest]) == [k, inner, deepest]


def test_a_shifted_index_is_solved_for_and_every_index_has_one_value() -> None:
    pair = Tensor("p", (fresh(UNITS), fresh(UNITS)))
    i, j = fresh(UNITS, "i"), fresh(UNITS, "j")
    assert match(pair[i + 1, i], pair[j + 1, j], (i,)) == {i: as_index(j)}
    assert match(pair[i - 2, j], pair[i, j], (i,)) == {i: as_index(i) + 2}
    for one, other in ((pair[i + 1, i], pair[i + 1, j]), (pair[i * 2, i], pair[i * 2, j])):
        assert match(one, other, (i,)) is None


def test_what_is_known_beside_a_bracket() -> None:
    """A product with a false bracket is 0 whatever stands in it; a binder is a new index."""
    i, k = fresh(UNITS, "i"), fresh(UNITS, "k")
    product = mul(Bracket(i - 2), Bracket(k - 3), X[i])
    assert set(known_in(product)) == {i - 2, k - 3}
    assert set(known_in(product, (i + 7,))) == {i + 7, i - 2, k - 3}
    assert known_in(X[i] + 1, (i - 2,)) == (i - 2,)
    for binder in (Sum(k, X[k]), Select(as_index(i), k, X[k])):
        assert known_in(binder, (i - 2, k - 3, k - i)) == (i - 2,)


def test_trees_are_alike_whatever_bound_indices_are_called() -> None:
    i, k, m = fresh(UNITS, "i"), fresh(UNITS, "k"), fresh(UNITS, "m")
    for one, other in ((k, m), (m, k)):
        assert alpha_equal(
            Sum(one, Delta(as_index(one), as_index(i)) * X[one]),
            Sum(other, Delta(as_index(other), as_index(i)) * X[other]),
        )
        assert not alpha_equal(
            Sum(one, Delta(as_index(one), as_index(i)) * X[one]),
            Sum(other, Delta(as_index(i), as_index(i)) * X[other]),
        )


def test_an_index_with_a_stride_is_solved_where_it_can_be() -> None:
    x, i, j = Tensor("x", (fresh(UNITS),)), fresh(UNITS), fresh(UNITS)
    assert match(x[i * 2 + 1], x[j * 4 + 3], [i]) == {i: j * 2 + 1}
    assert match(x[i * 2 + 1], x[j * 4], [i]) is None
    assert match(x[i * 2 + 1], x[j * 3 + 1], [i]) is None

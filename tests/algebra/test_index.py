"""What is said of affine indices holds at every size and every value in range."""

from __future__ import annotations

from itertools import islice
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.algebra.index import (
    Axis,
    Index,
    Size,
    Var,
    as_index,
    fresh,
    guards,
    is_nonnegative,
    is_zero,
    lower_bound,
)
from tests.algebra.numeric import SMALL, Sizes
from tests.algebra.trees import FREE, binders, examples, indices

SIZES = (*SMALL, Sizes(1, 1, 1), Sizes(4, 3, 2))


@st.composite
def scopes(draw: Any) -> tuple[Var, ...]:
    """The free variables and some more, whose ranges may depend on them."""
    scope = FREE
    for _ in range(draw(st.integers(0, 2))):
        var = draw(binders(scope).filter(lambda v: v not in FREE))
        scope = (*scope, var)
    return scope


@st.composite
def scoped(draw: Any) -> tuple[tuple[Var, ...], Index]:
    """Variables, and an index over them."""
    scope = draw(scopes())
    return scope, draw(indices(scope)) + draw(indices(scope)) * draw(st.integers(-1, 1))


@given(scoped())
@settings(max_examples=examples(150))
def test_bounds_and_signs_hold_everywhere(case: tuple[tuple[Var, ...], Index]) -> None:
    scope, index = case
    low, sign, zero = lower_bound(index), is_nonnegative(index), is_zero(index)
    for sizes in SIZES:
        for env in sizes.environments(scope):
            number = sizes.index(index, env)
            assert low is None or number >= low
            assert sign is None or (number >= 0) == sign
            assert zero is None or (number == 0) == zero


@given(scoped(), st.data())
@settings(max_examples=examples(150))
def test_guards_say_exactly_when_an_index_is_on_an_axis(
    case: tuple[tuple[Var, ...], Index], data: Any
) -> None:
    scope, index = case
    axis: Axis = data.draw(binders(scope)).axis
    limits = guards(index, axis)
    for sizes in SIZES:
        for env in sizes.environments(scope):
            inside = sizes.index(index, env) in sizes.span(axis, env)
            if limits is None:
                assert not inside
            else:
                assert all(sizes.index(e, env) >= 0 for e in limits) == inside


@given(scoped(), scoped())
def test_affine_arithmetic(one: Any, other: Any) -> None:
    (scope, a), (more, b) = one, other
    variables = tuple(dict.fromkeys((*scope, *more)))
    for env in islice(SIZES[2].environments(variables), 0, None, 7):
        x, y = SIZES[2].index(a, env), SIZES[2].index(b, env)
        assert SIZES[2].index(a + b, env) == x + y
        assert SIZES[2].index(a - b * 3, env) == x - 3 * y
        assert a + b == b + a and (a - b) + b == a


def test_guards_leave_out_what_is_known() -> None:
    """Beside [T − t − 2 ≥ 0] the index t + 2 lies in 1…T, and t + 3 need not."""
    size = as_index(Size("T"))
    axis = Axis("time", size, ordered=True)
    t = fresh(axis)
    assert guards(t + 2, axis) == (size - t - 2,)
    assert guards(t + 2, axis, (size - t - 2,)) == ()
    assert guards(t + 2, axis, (t - 1, size - t - 5)) == ()
    assert guards(t + 3, axis, (size - t - 2,)) == (size - t - 3,)

"""Proof for all sizes by evaluation at enough of them, and what it does not cover."""

from __future__ import annotations

import pytest

from symderiv.algebra.expr import (
    Apply,
    Bracket,
    Expr,
    Number,
    Select,
    SizeOf,
    Tensor,
    apply,
    delta,
    sum_over,
    walk,
)
from symderiv.algebra.index import Axis, Size, Var, as_index, fresh
from symderiv.algebra.normal import equal
from symderiv.calculus.graph import Graph
from symderiv.proof.counting import zero_at_all_sizes
from symderiv.proof.decide import Statement, Worlds, structural
from symderiv.proof.verdict import Status, Verdict

N = Axis("unit", as_index(Size("n")))
M = Axis("example", as_index(Size("m")))


def over(axis: Axis, count: int) -> tuple[Var, ...]:
    return tuple(fresh(axis, "ijkl"[n]) for n in range(count))


def tensor(name: str, *axes: Axis) -> Tensor:
    return Tensor(name, tuple(fresh(axis) for axis in axes))


def judged(left: Expr, right: Expr) -> Verdict:
    return structural(Statement(left, right, Worlds(Graph((), Tensor("C")))), left, right)


def cayley_hamilton() -> Expr:
    """A² − tr(A) A + ½ (tr(A)² − tr(A²)) I, the zero matrix for n = 2 and for no other n."""
    a = tensor("A", N, N)
    i, j = over(N, 2)

    def trace() -> Expr:
        (k,) = over(N, 1)
        return sum_over(k, a[k, k])

    k, p, q = over(N, 3)
    square = sum_over(k, a[i, k] * a[k, j])
    of_square = sum_over((p, q), a[p, q] * a[q, p])
    half = Number.of(1) / 2
    return square - trace() * a[i, j] + half * (trace() ** 2 - of_square) * delta(i, j)


def test_an_identity_of_two_rows_is_refused() -> None:
    assert zero_at_all_sizes(cayley_hamilton(), Number.of(0))[0] == ""
    assert judged(cayley_hamilton(), Number.of(0)).status is Status.REFUTED


def quotients() -> list[tuple[Expr, Expr]]:
    """Pairs that are equal for all sizes and have different normal forms."""
    x, y, a = tensor("x", N), tensor("y", M), tensor("A", N, M)
    i, j, k, p = over(N, 4)
    s, t, u, v = over(M, 4)
    sx, sy = sum_over(i, x[i]), sum_over(s, y[s])
    one = Number.of(1)
    far, near = sum_over(k, x[k]), sum_over(t, a[j, t])
    rest = sum_over(p, apply("f", x[p])) + SizeOf(M.size)
    return [
        (one / (one / sx + one / sy), sx * sy / (sx + sy)),
        ((near + far) ** -1 * (near**2 - far**2), near - far),
        (one / (one + one / rest), rest / (one + rest)),
        ((sx + sum_over(u, y[u])) ** 14, (sx + sum_over(v, y[v])) ** 15 / (sx + sy)),
    ]


@pytest.mark.parametrize("pair", quotients())
def test_quotients_are_proved_for_all_sizes(pair: tuple[Expr, Expr]) -> None:
    left, right = pair
    verdict = judged(left, right)
    assert verdict.status is Status.PROVED and verdict.scope == "all sizes"
    assert verdict.bound is not None and (verdict.bound * 2**61).denominator == 1
    arbitrary = any(isinstance(e, Apply) for e in walk(left))  # f has no value at a real point
    expected = Status.UNDECIDED if arbitrary else Status.REFUTED
    assert judged(left, 2 * right).status is expected


def test_a_count_that_fits_some_sizes_only_is_refused() -> None:
    (k,) = over(N, 1)
    n = SizeOf(N.size)
    some = (n - 3) * (n - 4) * (n - 5) * sum_over(k, tensor("x", N)[k])
    assert not equal(some, Number.of(0))
    assert zero_at_all_sizes(some, Number.of(0))[0] == ""


def test_every_pattern_of_free_indices_is_tried() -> None:
    p = tensor("p", N)
    i, j = over(N, 2)
    jacobian = p[i] * (delta(i, j) - p[j])
    doubled = p[i] * (2 * delta(i, j) - p[j])
    assert zero_at_all_sizes(jacobian, doubled)[0] == ""
    assert judged(jacobian, doubled).status is Status.REFUTED
    assert zero_at_all_sizes(jacobian, p[j] * delta(i, j) - p[i] * p[j])[0] != ""


def test_what_the_theorem_does_not_cover_is_left_undecided() -> None:
    x = tensor("x", N)
    i, j = over(N, 2)
    ordered = fresh(Axis("time", as_index(Size("T")), ordered=True))
    for zero in (
        Bracket(i - j) * (x[i] - x[i]) + Bracket(i - j) - Bracket(i - j),
        x[i + 1] - x[i + 1],
        tensor("h", ordered.axis)[ordered] ** 2 - tensor("h", ordered.axis)[ordered] ** 2,
        sum_over(i, (x[i] + 1) ** -1) - sum_over(j, (x[j] + 1) ** -1),
    ):
        assert zero_at_all_sizes(zero, Number.of(0))[0] == ""


def test_functions_are_equal_where_their_arguments_are_equal_for_all_sizes() -> None:
    x = tensor("x", N)
    i, j, k = over(N, 3)
    twice = sum_over(j, x[j]) + sum_over(k, x[k])
    left = apply("f", twice) * x[i] / (1 + x[i])
    assert zero_at_all_sizes(left, x[i] * apply("f", 2 * sum_over(j, x[j])) / (x[i] + 1))[0] != ""
    n = SizeOf(N.size)
    hidden = (n - 3) * (n - 4) * (n - 5) * (n - 6)
    assert zero_at_all_sizes(apply("f", hidden), apply("f", Number.of(0)))[0] == ""


def hidden_entries() -> list[tuple[Var, Expr]]:
    """An index, and what stands still until it is 20: the field is asked at sizes below that."""
    x = tensor("x", N)
    i, k = over(N, 2)
    (far,) = over(Axis("unit", as_index(i) - 20), 1)
    return [
        (i, Bracket(as_index(i) - 20)),
        (i, Bracket(20 - as_index(i))),
        (i, Select(as_index(i) + 20, k, x[k])),
        (i, sum_over(far, x[far])),
    ]


@pytest.mark.parametrize("hidden", hidden_entries())
def test_an_index_in_a_bracket_is_an_argument_of_the_function(hidden: tuple[Var, Expr]) -> None:
    """Σᵢ f([i ≥ 20]) = n f([i ≥ 20]) is false from n = 20 on."""
    i, entry = hidden
    left, right = sum_over(i, apply("f", entry)), SizeOf(N.size) * apply("f", entry)
    assert zero_at_all_sizes(left, right)[0] == ""
    assert judged(left, right).status is not Status.PROVED

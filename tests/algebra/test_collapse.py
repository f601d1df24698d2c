"""Rewritings that keep the value: collapse of deltas, tidying, products in display order."""

from __future__ import annotations

from hypothesis import given, settings

from symderiv.algebra.expr import Delta, Expr, Sum, mul
from symderiv.algebra.index import Axis, as_index, fresh
from symderiv.calculus.collecting import collect
from symderiv.calculus.rewriting import collapse, tidy
from tests.algebra.numeric import agree
from tests.algebra.trees import FREE, UNITS, I, N, W, X, examples, trees


@given(trees())
@settings(max_examples=examples(200))
def test_collapse_keeps_the_value(expr: Expr) -> None:
    try:
        collapsed, _ = collapse(expr)
    except ZeroDivisionError:
        return
    assert agree(expr, collapsed, FREE)


@given(trees())
@settings(max_examples=examples(200))
def test_tidying_keeps_the_value(expr: Expr) -> None:
    try:
        tidied = tidy(expr)
    except ZeroDivisionError:
        return
    assert agree(expr, tidied, FREE)


@given(trees())
@settings(max_examples=examples(200))
def test_collecting_keeps_the_value(expr: Expr) -> None:
    try:
        collected = collect(expr)
    except ZeroDivisionError:
        return
    assert agree(expr, collected, FREE)


def test_an_index_out_of_range_leaves_a_bracket() -> None:
    short = fresh(Axis("unit", N - 1), "k")
    expr = Sum(short, mul(Delta(as_index(short), as_index(I)), X[short]))
    collapsed, survivors = collapse(expr)
    assert survivors == ["k = i"]
    assert agree(expr, collapsed, FREE) and collapsed != X[I]


def test_a_matrix_product_with_a_delta_is_a_column() -> None:
    k = fresh(UNITS, "k")
    collapsed, _ = collapse(Sum(k, mul(Delta(as_index(k), as_index(I)), W[k, I])))
    assert collapsed == W[I, I]

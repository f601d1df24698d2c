"""The plain form reads back to the same tree, and refuses everything else."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.algebra.binding import free_variables
from symderiv.algebra.expr import Role, Sum, sum_over, tensors_in
from symderiv.algebra.index import fresh
from symderiv.algebra.matching import alpha_equal
from symderiv.calculus.backprop import backprop
from symderiv.calculus.networks import any_depth, feed_forward
from symderiv.notation import Context, PlainError, from_text, to_text
from tests.notation.trees import TENSORS, UNITS, J, K, S, W, tree

CONTEXT = Context(TENSORS, {"j": J, "k": K, "s": S})
NAMES = {J: "j", K: "k", S: "s"}


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 10**9))
def test_round_trip(seed: int) -> None:
    expr = tree(random.Random(seed), 4, [J, K, S])
    line = to_text(expr, NAMES)
    assert line.isascii()
    assert alpha_equal(from_text(line, CONTEXT), expr), line


def test_round_trip_of_every_step() -> None:
    for graph in (
        feed_forward(["relu", "softmax"], "ce", l2=True),
        any_depth("tanh", "tanh", "mse"),
    ):
        parameters = [t for t in graph.tensors if t.role is Role.PARAMETER]
        for adjoint in backprop(graph, parameters).adjoints:
            for step in adjoint.steps:
                free = sorted(free_variables(step.right), key=lambda v: v.uid)
                names = {v: f"f{n}" for n, v in enumerate(free)}
                tensors = {t.name: t for t in tensors_in(step.right)}
                context = Context(tensors, {name: v for v, name in names.items()})
                line = to_text(step.right, names)
                assert alpha_equal(from_text(line, context), step.right), line


def test_a_known_string() -> None:
    k = fresh(UNITS, "k")
    expr = sum_over(k, W[k, J] * W[K, k])
    assert to_text(expr, NAMES) == "sum(k1 in 1..n[1], W1[k1,j]*W1[k,k1])"


REFUSED = [
    ("", "expected a formula"),
    ("a1[j,s] +", "expected a formula"),
    ("a1[j]", "a1 has 2 axes, not 1"),
    ("nothing", "unknown tensor"),
    ("lam lam", "the text goes on"),
    ("lam/0", "division by 0"),
    ("lam**99999", "too large"),
    ("sigmoid'3(lam)", "not there"),
    ("sum(k in 1..n[1] lam)", "expected ','"),
    ("diff(lam, 2)", "no entry"),
    ("lam; import os", "unexpected character"),
    ("__import__('os')", "unexpected character"),
    ("(" * 200 + "lam" + ")" * 200, "nested"),
    ("lam" + "+lam" * 40_000, "more than"),
    ("9" * 50, "too long"),
]


@pytest.mark.parametrize(("line", "problem"), REFUSED, ids=[p for _, p in REFUSED])
def test_refusals(line: str, problem: str) -> None:
    with pytest.raises(PlainError, match=problem):
        from_text(line, CONTEXT)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abjkslm01+-*/()[]=<>.,' ", max_size=60))
def test_anything_is_read_or_refused(line: str) -> None:
    with suppress(PlainError):
        from_text(line, CONTEXT)


def test_ranges_are_those_of_the_context() -> None:
    expr = from_text("sum(p in 1..n[1], W1[p,j])", CONTEXT)
    assert isinstance(expr, Sum) and expr.var.axis == UNITS

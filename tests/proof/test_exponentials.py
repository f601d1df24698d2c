"""exp(a + b) = exp(a) exp(b) and log(ab) = log(a) + log(b) are known, with what they need."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.algebra.expr import Apply, Expr, Number, Tensor, add, apply, mul, power, sum_over
from symderiv.algebra.index import Axis, Size, as_index, fresh
from symderiv.calculus.graph import Graph
from symderiv.proof.decide import Statement, Worlds, structural
from symderiv.proof.exponentials import expanded
from symderiv.proof.verdict import Status, Verdict
from tests.algebra.trees import examples

N = Axis("unit", as_index(Size("n")))
A, B, C = (Tensor(name)[()] for name in "abc")
X = Tensor("x", (fresh(N),))
HALF = Number.of(1) / 2
NOWHERE = Graph((), Tensor("C"))


def exp(e: Expr) -> Expr:
    return apply("exp", e)


def log(e: Expr) -> Expr:
    return apply("log", e)


def judged(left: Expr, right: Expr) -> Verdict:
    return structural(Statement(left, right, Worlds(NOWHERE)), left, right)


def total(axis: Axis = N) -> Expr:
    k = fresh(axis)
    return sum_over(k, X[k])


TRUE = [
    (exp(A + B), exp(A) * exp(B)),
    (exp(2 * A - B), exp(A) ** 2 / exp(B)),
    (exp(A - A), Number.of(1)),
    (exp((A + B) * C), exp(A * C) * exp(B * C)),
    (exp(A + 2 * total()), exp(A) * exp(total()) ** 2),
    (log(A * B), log(A) + log(B)),
    (log(A / B), log(A) - log(B)),
    (log(3 * A**2), log(Number.of(3)) + 2 * log(A)),
    (log(exp(A) * B), A + log(B)),
    (log(exp(A + B)), A + B),
    (exp(A + B) / (exp(A) + exp(A + B)), exp(B) / (1 + exp(B))),
]


@pytest.mark.parametrize("pair", TRUE, ids=range(len(TRUE)))
def test_the_relation_proves(pair: tuple[Expr, Expr]) -> None:
    left, right = pair
    assert judged(left, right).status is Status.PROVED
    assert judged(left, right + 1).status is Status.REFUTED
    assert judged(left, 2 * right).status is Status.REFUTED


def test_what_has_to_be_positive_is_said() -> None:
    assert set(judged(log(A * B), log(A) + log(B)).positive) == {A, B}
    assert judged(log(exp(A) * B), A + log(B)).positive == (B,)
    assert judged(log(A**2), 2 * log(A)).positive == (A,)
    assert judged(exp(A + B), exp(A) * exp(B)).positive == ()


def test_true_things_that_it_does_not_know_are_not_called_false() -> None:
    whole = exp(HALF * A) ** 2
    assert judged(whole, exp(A)).status is Status.UNDECIDED
    sine, cosine = apply("sin", A), apply("cos", A)
    assert judged(sine**2 + cosine**2, Number.of(1)).status is Status.UNDECIDED
    assert judged(exp(log(A + B)), A + B).status is not Status.REFUTED


@st.composite
def trees(draw: Any, depth: int = 3) -> Expr:
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from([A, B, C, Number.of(2), HALF]))
    kind = draw(st.sampled_from(["add", "mul", "power", "exp", "log"]))
    inner = [draw(trees(depth - 1)) for _ in range(2)]
    if kind == "add":
        return add(*inner)
    if kind == "mul":
        return mul(*inner)
    if kind == "power":
        return power(inner[0], draw(st.sampled_from([-1, 2])))
    return apply(kind, inner[0])


def value(e: Expr, point: dict[Expr, float]) -> float:
    if isinstance(e, Number):
        return float(e.value)
    if isinstance(e, Apply):
        return float(getattr(math, e.function)(value(e.args[0], point)))
    if e in point:
        return point[e]
    parts = [value(p, point) for p in getattr(e, "terms", getattr(e, "factors", ()))]
    if hasattr(e, "terms"):
        return sum(parts)
    if hasattr(e, "factors"):
        return math.prod(parts)
    return float(value(e.base, point) ** e.exponent)  # type: ignore[attr-defined]


@settings(max_examples=examples(200))
@given(trees(), st.tuples(*[st.floats(0.3, 1.7) for _ in "abc"]))
def test_taking_apart_keeps_the_value(e: Expr, numbers: tuple[float, ...]) -> None:
    point: dict[Expr, float] = dict(zip((A, B, C), numbers, strict=True))
    try:
        other, positive = expanded(e)
        expected = value(e, point)
        if any(value(p, point) <= 0 for p in positive):
            return
    except (ValueError, ArithmeticError):
        return
    assert math.isclose(value(other, point), expected, rel_tol=1e-6, abs_tol=1e-6)

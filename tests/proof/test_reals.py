"""False is what fails at a real point; a step that merely does not follow is undecided."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from symderiv.algebra.expr import (
    Bracket,
    Expr,
    Mul,
    Number,
    Pow,
    Role,
    Select,
    SizeOf,
    Tensor,
    apply,
    delta,
    sum_over,
)
from symderiv.algebra.index import Axis, Size, as_index, fresh
from symderiv.calculus.builder import Builder
from symderiv.calculus.functions import ScalarFunction, rows
from symderiv.calculus.graph import Fact, Graph
from symderiv.calculus.reference_values import PUBLISHED
from symderiv.proof import balls
from symderiv.proof.decide import Statement, Worlds, structural
from symderiv.proof.field import NoInstance
from symderiv.proof.reals import RealWorld, counterexample
from symderiv.proof.verdict import Status, Verdict

N = Axis("unit", as_index(Size("n")))
X, Y = (Tensor(name, (fresh(N),)) for name in "xy")
NOWHERE = Graph((), Tensor("C"))


def refuted(left: Expr, right: Expr, graph: Graph = NOWHERE) -> Verdict | None:
    return counterexample(graph, left, right, {}, ())


def test_a_difference_is_found_and_shown() -> None:
    i, k = fresh(N, "i"), fresh(N)
    verdict = refuted(sum_over(k, X[k]), X[i])
    assert verdict is not None and verdict.status is Status.REFUTED
    assert verdict.counterexample is not None
    assert {"n", "i", "left", "right"} <= set(verdict.counterexample)


def test_what_is_true_is_never_refuted() -> None:
    i, j, k = fresh(N, "i"), fresh(N, "j"), fresh(N)
    sigma = apply("sigmoid", X[i])
    rest = fresh(N)
    wins = Select(as_index(k), rest, X[rest])
    for left, right in [
        (sum_over(k, delta(k, i) * X[k]), X[i]),
        (apply("sigmoid", -X[i]), 1 - sigma),
        (apply("sigmoid", X[i], orders=(1,)), sigma * (1 - sigma)),
        (apply("relu", X[i], orders=(1,)), apply("positive", X[i])),
        (apply("abs", X[i]) ** 2, X[i] ** 2),
        (sum_over(k, wins), X[i] / X[i]),
        (delta(i, j) * X[i], delta(i, j) * X[j]),
        (apply("gelu", X[i]), X[i] * (1 + apply("erf", X[i] / apply("sqrt", 2 + 0 * X[i]))) / 2),
    ]:
        assert refuted(left, right) is None
        assert refuted(left, right + Fraction(1, 1000)) is not None


def test_equations_hold_at_the_point_even_if_no_premise_names_them() -> None:
    """x² for y is wrong for any y, and right for the y that there is."""
    b = Builder("single")
    x = b.tensor("x", (N,), Role.INPUT)
    y, cost = b.tensor("y", (N,)), b.tensor("C", (), Role.COST)
    i, k = fresh(N), fresh(N)
    b.define(y, (i,), x[i] ** 2)
    b.define(cost, (), sum_over(k, y[k]))
    graph = b.graph(cost)
    left, right = y[k], x[k] ** 2
    verdict = structural(Statement(left, right, Worlds(graph)), left, right)
    assert verdict.status is Status.UNDECIDED and verdict.method.startswith("does not follow")
    assert verdict.differs
    assert structural(Statement(left, 2 * right, Worlds(graph)), left, right).status in (
        Status.REFUTED,
    )


def test_a_function_that_may_be_any_function_has_no_point() -> None:
    i = fresh(N, "i")
    assert refuted(apply("f", X[i]), apply("g", X[i])) is None


SCALAR = [name for name, row in rows().items() if isinstance(row, ScalarFunction)]


@pytest.mark.parametrize("name", SCALAR)
def test_the_value_of_a_function_is_the_published_one(name: str) -> None:
    world = RealWorld(NOWHERE, {}, arithmetic=balls.digit_field())
    row = rows()[name]
    assert isinstance(row, ScalarFunction)
    for point, expected in PUBLISHED[name].points:
        missing = len(row.arguments) - len(point)
        numbers = [Fraction(str(p)) for p in point] + [v for _, v in row.hyper[:missing]]
        given = [world.arithmetic.number(n) for n in numbers]
        try:
            found = world._apply(name, (0,) * len(given), given)
        except NoInstance:  # a point on a kink
            assert row.kinks
            continue
        assert math.isclose(float(found), float(expected), rel_tol=1e-12, abs_tol=1e-12)


def test_a_fact_may_speak_of_a_size_that_stands_nowhere_else() -> None:
    i = fresh(Axis("unit", as_index(Size("k"))), "i")
    longer = Tensor("q", (i,))
    fact = Fact(sum_over(i, longer[i]), X[1] / X[1], "sum_i q[i] = 1", ())
    graph = Graph((), Tensor("C"), facts=(fact,))
    found = counterexample(graph, X[1], X[1] + 1, {}, graph.facts)
    assert found is not None and found.status is Status.REFUTED


def test_a_bracket_alone_is_a_number_to_a_function() -> None:
    i, j = fresh(Axis("unit", as_index(Size("n")))), fresh(Axis("unit", as_index(Size("n"))))
    for condition in (Bracket(i - 2), delta(i, j)):
        assert refuted(apply("exp", condition), apply("exp", condition) + 1) is not None


def test_what_is_false_is_the_statement_as_it_is_written() -> None:
    """exp(s D/D + [i = j] 5 D/D) is exp(s) wherever D = i − j is not 0, and nothing where it is."""
    axis = Axis("unit", as_index(Size("n")))
    i, j = fresh(axis), fresh(axis)
    s, gap = Tensor("s", (), Role.INPUT)[()], SizeOf(i - j)
    one = Mul((gap, Pow(gap, -1)))
    left, right = apply("exp", s), apply("exp", s * one + Mul((delta(i, j), Number.of(5), one)))
    found = structural(Statement(left, right, Worlds(NOWHERE)), left, right)
    assert found.status is Status.UNDECIDED


def test_every_entry_of_a_fact_is_asked() -> None:
    """z = 1 is said of the last of 64 places, and s z = s is true."""
    b = Builder("single")
    z, s = (b.tensor(name, [], Role.INPUT)[()] for name in "zs")
    axis = b.axis("unit", "n")
    places = b.over(axis, axis, axis)
    last = Mul(tuple(delta(v, axis.stop) for v in places))
    b.assume(last * z, last, "z = 1", *places)
    (k,) = b.over(axis)
    g, c = b.tensor("g", [axis], Role.INPUT), b.tensor("C", [], Role.COST)
    b.define(c, [], sum_over(k, g[k]) + s)
    graph = b.graph(c)
    assert counterexample(graph, z * s, s, {}, graph.facts) is None

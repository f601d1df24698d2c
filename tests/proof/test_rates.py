"""Closed forms against forward dual numbers: what is true agrees, what is false is named."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from unittest.mock import patch

import mpmath
import pytest

from symderiv.algebra.expr import ONE, ZERO, Add, Expr, Number, Role, Tensor, apply, delta, sum_over
from symderiv.algebra.index import as_index
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.functions import ScalarFunction, rows
from symderiv.calculus.graph import Definition, Graph
from symderiv.calculus.jacobian import jacobian
from symderiv.calculus.networks import any_depth, feed_forward
from symderiv.calculus.recurrent import rnn
from symderiv.calculus.steps import Adjoint, Derivation
from symderiv.proof.balls import ball_field, digit_field
from symderiv.proof.check import Judge, check
from symderiv.proof.duals import FLOATS, Dual, value_of
from symderiv.proof.field import NoInstance
from symderiv.proof.rates import disagreeing
from symderiv.proof.verdict import EXACT, Status, Verdict
from tests.calculus.layer_cases import LAYERS
from tests.proof.test_red_team_kernel import adjoint, step

# --- Dual numbers ---------------------------------------------------------------------------------

POINTS = (0.37, -0.61, 1.83)


@pytest.mark.parametrize("name", [n for n, r in rows().items() if isinstance(r, ScalarFunction)])
def test_the_rate_of_a_function_is_its_derivative(name: str) -> None:
    """Against the difference quotient with 60 digits, at first and at second order."""
    row = rows()[name]
    assert isinstance(row, ScalarFunction)
    count = len(row.arguments)
    with mpmath.workdps(60):
        met = 0
        for first in POINTS:
            args = [mpmath.mpf(p) for p in (first, 0.46, 0.29, 0.83)[:count]]
            for place in range(count):
                for order in (1, 2):
                    orders = tuple(order * (n == place) for n in range(count))

                    def along(x: mpmath.mpf, place: int = place, args: list[mpmath.mpf] = args):  # type: ignore[no-untyped-def]
                        moved = [*args[:place], x, *args[place + 1 :]]
                        return value_of(name, (0,) * count, moved, digit_field())

                    try:
                        found = value_of(name, orders, args, digit_field())
                        wanted = mpmath.diff(along, args[place], order, h=mpmath.mpf(10) ** -20)
                    except NoInstance:
                        continue
                    met += 1
                    assert abs(found - wanted) < 1e-12 * (1 + abs(wanted))
                    quick = value_of(name, orders, list(map(float, args)), FLOATS)
                    assert quick == pytest.approx(float(wanted), rel=1e-9, abs=1e-12)
        assert met or not count


def test_dual_numbers_multiply_and_divide() -> None:
    """(x³/(1 + x))′ at x = 2 is (3x² + 2x³)/(1 + x)² = 28/9"""
    for number in (2.0, ball_field().number(Fraction(2)), mpmath.mpf(2)):
        x = Dual(number, 1)
        found = x**3 * (1 + x) ** -1 - 0 * x
        assert float(found.value) == pytest.approx(8 / 3)
        assert float(found.rate) == pytest.approx(28 / 9)
        assert float((5 - x).rate) == -1 and float((-x).rate) == -1


# --- Derivations ----------------------------------------------------------------------------------


def softmax_jacobian() -> Derivation:
    b = Builder("single")
    units = b.units(0)
    z, p = b.tensor("z", [units], Role.INPUT), b.tensor("p", [units])
    (i,), (k,) = b.over(units), b.over(units)
    b.define(p, [i], apply("exp", z[i]) / sum_over((k,), apply("exp", z[k])))
    return jacobian(b.graph(cost=p), p, z)


def recurrent() -> Graph:
    b = Builder()
    inputs, hidden, outputs = (b.units(0, name) for name in "nhk")
    (t,) = b.over(b.axis("time", "T", ordered=True))
    x = b.tensor("x", b.batch(inputs), Role.INPUT, family=t)
    return b.graph(upstream=rnn(b, x, inputs, hidden, outputs))


def derived(graph: Graph) -> Derivation:
    return backprop(graph, graph.inputs)


DERIVATIONS: dict[str, Callable[[], Derivation]] = {
    "a network with a sum that is a fact": lambda: derived(
        feed_forward(["tanh", "softmax"], "ce", l2=True)
    ),
    "any depth": lambda: derived(any_depth("sigmoid", "sigmoid", "mse")),
    "a recurrence": lambda: derived(recurrent()),
    "a Jacobian": softmax_jacobian,
    **{name: case.derive for name, case in LAYERS.items()},
}
FORMS: dict[str, Callable[[Expr], Expr]] = {
    "sign": lambda e: -1 * e,
    "a millionth more": lambda e: e * Number.of(Fraction(1_000_001, 1_000_000)),
    "a term": lambda e: e + 1,
}
"""Errors that are seen wherever a derivative has a value."""


def closed_forms(derivation: Derivation) -> dict[Tensor, list[tuple[object, Expr]]]:
    found: dict[Tensor, list[tuple[object, Expr]]] = {}
    for a in derivation.adjoints:
        found.setdefault(a.tensor, []).append((a.indices, a.closed))
    return found


@pytest.mark.parametrize("name", DERIVATIONS)
def test_true_closed_forms_agree(name: str) -> None:
    """In floating numbers already, so that balls are not asked."""
    derivation = DERIVATIONS[name]()
    with patch("symderiv.proof.balls.certainly_differ", side_effect=AssertionError):
        assert not disagreeing(derivation.graph, closed_forms(derivation))


@pytest.mark.parametrize("name", DERIVATIONS)
def test_false_closed_forms_are_found_and_named(name: str) -> None:
    derivation = DERIVATIONS[name]()
    for a in (derivation.adjoints[0], derivation.adjoints[-1]):
        for false in FORMS.values():
            closed = closed_forms(derivation)
            closed[a.tensor] = [(at, false(e)) for at, e in closed[a.tensor]]
            assert a.tensor in disagreeing(derivation.graph, closed)


def test_an_error_on_the_diagonal_of_a_jacobian() -> None:
    """p_i ([i = j] − p_j) with its diagonal doubled"""
    derivation = softmax_jacobian()
    last = derivation.adjoints[-1]
    (i, j), closed = last.indices, closed_forms(derivation)
    closed[last.tensor] = [(last.indices, last.closed + delta(i, j) * last.closed)]
    assert disagreeing(derivation.graph, closed) == {last.tensor}


def believed(derivation: Derivation) -> list[Status]:
    """Of the last chain, the verdicts of a checker that takes every step for proved."""
    always = Verdict(Status.PROVED, "believed", "all sizes", EXACT)
    with (
        patch.object(Judge, "step", lambda *_: always),
        patch.object(Judge, "_objection", lambda *_: ""),
    ):
        checked = check(derivation)
    return [v.status for v in checked.chains[-1].verdicts]


def test_a_chain_that_differs_is_not_proved_whatever_its_steps_are() -> None:
    b = Builder("single")
    x, w = b.tensor("x", [], Role.INPUT), b.tensor("w", [], Role.PARAMETER)
    c = b.tensor("C", [], Role.COST)
    b.define(c, [], apply("sigmoid", w[()] * x[()]))
    for form, status in ((1, Status.PROVED), (2, Status.UNDECIDED)):
        slope = apply("sigmoid", w[()] * x[()], orders=(1,)) * x[()] * form
        dw = adjoint(w, c)
        chain = Adjoint(dw, (), (step(dw[()], slope),), slope)
        assert believed(Derivation(b.graph(c), (chain,))) == [status]


def test_what_is_computed_in_many_steps() -> None:
    """v[k + 1] = v[k] + w, 400 times: deeper than functions may call each other."""
    b = Builder("single")
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    last = w[()]
    for n in range(400):
        v = b.tensor(f"v{n}", [])
        b.define(v, [], last + w[()])
        last = v[()]
    b.define(c, [], last * 1)
    graph, dw = b.graph(c), adjoint(w, c)
    assert not disagreeing(graph, {dw: [((), Number.of(401))]})
    assert disagreeing(graph, {dw: [((), Number.of(400))]}) == {dw}


@pytest.mark.parametrize("side", [1, -1])
def test_what_has_no_value_at_one_point_is_compared_at_another(side: int) -> None:
    """Beside many entries: 2 + log ±x − log ±x for the slope 1 of x."""
    b = Builder("single")
    units = b.units(0), b.units(1)
    a, x = b.tensor("A", units, Role.PARAMETER), b.tensor("x", [], Role.PARAMETER)
    f = b.tensor("F", [*units, b.units(2), b.units(3)], Role.PARAMETER)
    c, i, k, j = b.tensor("C", [], Role.COST), b.over(*units), b.over(*f.axes), b.over(*units)
    b.define(c, [], sum_over(i, a[i] ** 2) + sum_over(k, f[k] ** 2) + x[()])
    hidden = apply("log", x[()] * side)
    da, df, dx, m = adjoint(a, c), adjoint(f, c), adjoint(x, c), b.over(*f.axes)
    closed = {
        da: [(tuple(map(as_index, j)), 2 * a[j])],
        df: [(tuple(map(as_index, m)), 2 * f[m])],
        dx: [((), Add((Number.of(2), hidden, -1 * hidden)))],
    }
    assert disagreeing(b.graph(c), closed) == {dx}


def test_where_nothing_has_a_value_nothing_is_said() -> None:
    """log(−1 − x²) is nowhere; a function without a definition could be any."""
    b = Builder("single")
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    for body in (apply("log", -1 - w[()] ** 2), apply("f", w[()])):
        graph = Graph((Definition(c, (), body),), c)
        assert not disagreeing(graph, {adjoint(w, c): [((), ZERO)]})


def test_what_is_assumed_holds_at_the_point() -> None:
    """Σₖ yₖ = 1, of which the last yₖ is moved like the others; |w|³ for positive w."""
    b = Builder("single")
    units = b.units(0)
    y, c = b.tensor("y", [units], Role.TARGET), b.tensor("C", [], Role.COST)
    (k,), (j,) = b.over(units), b.over(units)
    b.define(c, [], sum_over((k,), y[k] ** 2))
    b.assume(sum_over((j,), y[j]), ONE, "the entries add up to 1")
    (i,) = b.over(units)
    dy = adjoint(y, c)
    assert not disagreeing(b.graph(c), {dy: [((as_index(i),), 2 * y[i])]})
    total = sum_over((j,), y[j])
    assert not disagreeing(b.graph(c), {dy: [((as_index(i),), 2 * y[i] * total)]})
    assert disagreeing(b.graph(c), {dy: [((as_index(i),), 2 * y[i] + total)]}) == {dy}
    b = Builder("single")
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(c, [], apply("abs", w[()]) ** 3)
    closed = {adjoint(w, c): [((), 3 * w[()] ** 2)]}
    assert disagreeing(b.graph(c), closed)
    assert not disagreeing(b.graph(c), closed, [w[()]])

"""What the field knows of roots, signs and maxima; and a layer's steps stand by themselves."""

from __future__ import annotations

import pytest

from symderiv.algebra.expr import Expr, Number, Select, Tensor, apply, sum_over
from symderiv.algebra.index import Axis, Size, Var, as_index, fresh
from symderiv.calculus.backprop import backprop
from symderiv.calculus.graph import Graph
from symderiv.frontend import Network
from symderiv.frontend.build import build_graph
from symderiv.proof.check import check
from symderiv.proof.decide import Statement, Worlds, structural
from symderiv.proof.field import NoInstance, P, World, sign, square_root
from symderiv.proof.verdict import Status

N = Axis("unit", as_index(Size("n")))
X = Tensor("x", (fresh(N),))
NOWHERE = Graph((), Tensor("C"))


def status(left: Expr, right: Expr) -> Status:
    return structural(Statement(left, right, Worlds(NOWHERE)), left, right).status


def entry() -> tuple[Expr, Var]:
    i = fresh(N, "i")
    return X[i], i


def relations() -> list[tuple[str, Expr, Expr]]:
    x, _ = entry()
    one = Number.of(1)
    on, off = apply("positive", x), apply("positive", -x)
    return [
        ("the square of a root", apply("sqrt", x) ** 2, x),
        ("both sides of a kink", on + off, one),
        ("a step is 0 or 1", on * on, on),
        ("the square of |x|", apply("abs", x) ** 2, x**2),
        ("|x| = x sgn(x)", apply("abs", x), x * apply("sign", x)),
        ("|x| = |-x|", apply("abs", x), apply("abs", -x)),
        ("|x| by sides", apply("abs", x), on * x - off * x),
    ]


@pytest.mark.parametrize("name", [name for name, _, _ in relations()])
def test_a_relation_holds_where_it_is_tried(name: str) -> None:
    left, right = next((left, right) for known, left, right in relations() if known == name)
    assert status(left, right) is Status.TESTED
    assert status(left, 2 * right) is Status.REFUTED


def test_a_sign_is_odd_and_has_none_at_zero() -> None:
    assert all(sign(v) == -sign(P - v) for v in (1, 2, 3, 12345, 2**60))
    with pytest.raises(NoInstance):
        sign(0)


def test_roots_are_squares_themselves() -> None:
    for v in (4, 9, 2**40):
        root = square_root(v)
        assert root * root % P == v and sign(root) == 1
    with pytest.raises(NoInstance):
        square_root(P - 4)


def test_one_entry_wins_whatever_the_order() -> None:
    i, j, k = (fresh(N, name) for name in "ijk")
    forwards = Select(as_index(i), j, X[j])
    backwards = Select(as_index(i), k, X[N.stop - k + 1])
    assert status(sum_over(i, forwards), Number.of(1)) is Status.TESTED
    assert status(sum_over(i, forwards * X[i]), sum_over(i, forwards) * X[i]) is Status.REFUTED
    mirrored = sum_over(i, backwards * X[N.stop - i + 1])
    assert status(sum_over(i, forwards * X[i]), mirrored) is Status.TESTED


def test_division_by_zero_has_no_instance() -> None:
    x, i = entry()
    y = Tensor("y", (fresh(N),))
    hidden = (x + y[i]) ** 2 - x**2 - 2 * x * y[i] - y[i] ** 2
    assert status(hidden**-1, Number.of(0)) is Status.UNDECIDED
    assert status(hidden**-1, hidden**-1) is Status.UNDECIDED


def test_a_world_opens_no_equation_that_is_not_named() -> None:
    world = World(NOWHERE, {"n": 3}, opened=frozenset())
    i = fresh(N, "i")
    assert world.value(X[i], {i: 1}) != world.value(X[i], {i: 2})


@pytest.mark.parametrize("text", ["J = log(log(w) - log(w))", "J = sum(log((pi <= x)))"])
def test_a_derivative_that_does_not_exist_somewhere_is_no_error(text: str) -> None:
    built = build_graph(Network.build(program=text, shapes={"x": ["n"]} if "x" in text else None))
    checked = check(backprop(built.graph, built.wrt))
    verdicts = [v for chain in checked.chains for v in chain.verdicts]
    nowhere = "x" not in text  # log(1) has a value
    assert any(v.method.startswith("not applicable") for v in verdicts) == nowhere
    assert all(v.status is not Status.REFUTED for v in verdicts)

"""The evaluation over the field against plain arithmetic, and its refusals."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.algebra.binding import free_variables, range_variables
from symderiv.algebra.expr import ONE, Access, Apply, Expr, Number, Role, Sum, Tensor, apply
from symderiv.algebra.index import Axis, Size, Var, as_index, fresh
from symderiv.algebra.normal import normal
from symderiv.calculus.functions import scalar, symbols
from symderiv.calculus.graph import Fact, Graph
from symderiv.calculus.steps import Lemma
from symderiv.proof.decide import Statement, Worlds, structural
from symderiv.proof.field import NoInstance, P, World, assignments, inverse, square_root
from symderiv.proof.verdict import Status
from tests.algebra.trees import FREE, UNITS, I, J, X, Y, examples, near_miss, rewritten, trees

EMPTY = Graph((), Tensor("C", (), Role.COST))
SIZES = {"n": 3, "m": 4, "L": 2} | {f"q[{k}]": 1 + k % 3 for k in range(-40, 60)}


def world(seed: int = 0) -> World:
    return World(EMPTY, SIZES, seed)


def environments(w: World, variables: list[Var]) -> list[dict[Var, int]]:
    found: list[dict[Var, int]] = [{}]
    for v in variables:
        found = [{**env, v: n} for env in found for n in w.range(v, env)]
    return found


def field_values(w: World, expr: Expr, free: list[Var]) -> list[int | None]:
    values: list[int | None] = []
    for env in environments(w, free)[::3]:
        try:
            values.append(w.value(expr, env))
        except NoInstance:
            values.append(None)
    return values


@given(st.data())
@settings(max_examples=examples(150))
def test_ways_of_writing_have_one_value(data: st.DataObject) -> None:
    expr = data.draw(trees(depth=2))
    other = rewritten(data.draw, expr)
    used = free_variables(expr) | free_variables(other)
    used |= {w for v in used for w in range_variables(v)}
    free = [v for v in FREE if v in used]
    w = world()
    pairs = zip(field_values(w, expr, free), field_values(w, other, free), strict=True)
    assert all(a is None or b is None or a == b for a, b in pairs)


@given(st.data())
@settings(max_examples=examples(150))
def test_what_is_proved_has_one_normal_form_or_one_value(data: st.DataObject) -> None:
    """No near miss is ever proved unless exact fractions agree as well."""
    from tests.algebra.numeric import agree

    expr = data.draw(trees(depth=2))
    other = near_miss(data.draw, expr)
    try:
        verdict = structural(Statement(expr, other, Worlds(EMPTY)), expr, other)
    except KeyError:  # a family of sizes at an index beyond those that are tried
        return
    if verdict.status is Status.PROVED:
        assert agree(expr, other, FREE)


@given(st.fractions(min_value=-5, max_value=5, max_denominator=9))
def test_numbers_are_fractions_of_the_field(number: Fraction) -> None:
    value = world().value(Number(number), {})
    assert value * number.denominator % P == number.numerator % P


def test_zero_has_no_inverse() -> None:
    with pytest.raises(NoInstance):
        inverse(0)
    with pytest.raises(NoInstance):
        inverse(P)
    with pytest.raises(NoInstance):
        world().value((X[I] - X[I]) ** -1, {I: 1})
    assert inverse(7) * 7 % P == 1


@given(st.integers(1, P - 1))
def test_a_root_is_a_root_or_refused(value: int) -> None:
    square = value * value % P
    root = square_root(square)
    assert root * root % P == square
    assert square_root(root * root % P) == root  # of two roots always the same one
    with pytest.raises(NoInstance):
        square_root(P - square)


def test_a_function_is_unrelated_to_its_derivatives() -> None:
    w = world()
    found = {w.value(Apply("sigmoid", (X[I],), (k,)), {I: 1}) for k in range(4)}
    assert len(found) == 4
    assert w.value(apply("exp", X[I]), {I: 1}) != w.value(apply("exp", X[I]), {I: 2})


def test_different_seeds_and_names_draw_different_elements() -> None:
    entries = [X[I], Access(Tensor("x", X.slots, Role.ADJOINT), (as_index(I),))]
    drawn = {world(seed).value(e, {I: n}) for seed in range(20) for e in entries for n in (1, 2, 3)}
    assert len(drawn) == 120 and 0 not in drawn


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_every_pattern_of_equal_indices_is_tried(count: int) -> None:
    axis = Axis("unit", as_index(Size("w")))
    variables = [fresh(axis) for _ in range(count)]
    w = World(EMPTY, {"w": count + 1})
    tried = {tuple(env[v] for v in variables) for env in assignments(w, variables)}
    patterns = {tuple(t.index(n) for n in t) for t in tried}
    everything = product(range(1, count + 2), repeat=count)
    assert patterns == {tuple(t.index(n) for n in t) for t in everything}


def test_on_an_ordered_axis_every_value_is_tried() -> None:
    steps = Axis("time", as_index(Size("T")), ordered=True)
    s, t = fresh(steps), fresh(steps)
    w = World(EMPTY, {"T": 3})
    assert len(list(assignments(w, [s, t]))) == 9


def test_sizes_that_are_tried_are_distinct_and_at_least_three() -> None:
    worlds = Worlds(EMPTY)
    k = fresh(Axis("example", as_index(Size("m"))))
    statement = Statement(Sum(k, Y[I, k]) * X[J], ONE, worlds)
    for trial in range(3):
        sizes = worlds.world(statement, {}, trial).sizes
        numbers = [n for name, n in sizes.items() if name in ("n", "m")]
        assert len(set(numbers)) == 2 and min(numbers) >= 3


def test_a_declared_fact_holds_in_its_worlds() -> None:
    k = fresh(Axis("unit", as_index(Size("n"))))
    s = fresh(Axis("example", as_index(Size("m"))))
    fact = Fact(Sum(k, Y[k, s]), ONE, "targets sum to 1", (s,))
    w = World(EMPTY, SIZES, 0, facts=(fact,))
    assert {w.value(fact.left, {s: n}) for n in (1, 2, 3, 4)} == {1}


def test_a_lemma_fixes_the_derivative_and_nothing_else() -> None:
    row = scalar("sigmoid")
    (z,) = symbols(row)
    value = Access(Tensor("value"), ())
    lemma = Lemma("sigmoid", 0, (z,), value, value * (1 - value))
    w = World(EMPTY, SIZES, 0, {("sigmoid", 0): lemma})
    a = w.value(apply("sigmoid", X[I]), {I: 1})
    assert w.value(Apply("sigmoid", (X[I],), (1,)), {I: 1}) == a * (1 - a) % P
    assert a == world().value(apply("sigmoid", X[I]), {I: 1})
    assert w.value(Apply("tanh", (X[I],), (1,)), {I: 1}) == world().value(
        Apply("tanh", (X[I],), (1,)), {I: 1}
    )


def test_normal_forms_are_not_asked_of_derivatives() -> None:
    from symderiv.algebra.expr import Partial

    with pytest.raises(ValueError, match="partial derivative"):
        normal(Partial(X[I], X[J]))
    with pytest.raises(NoInstance):
        world().value(Partial(X[I], X[J]), {I: 1, J: 1})


def test_an_entry_beyond_its_axis_is_an_entry_like_any_other() -> None:
    """Out of the range of an axis that is not ordered the equation still says what it is."""
    from symderiv.calculus.graph import Definition

    u, i = Tensor("u", X.slots), fresh(UNITS)
    graph = Graph((Definition(u, (as_index(i),), X[i] ** 2),), Tensor("C"))
    known = World(graph, {"n": 3})
    for n in (1, 3, 4, 7):
        assert known.value(u[I], {I: n}) == known.value(X[I] ** 2, {I: n})

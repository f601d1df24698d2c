"""Attempts against the kernel itself: binders, patterns of indices, degrees, names, graphs.

Each had something false called proved or tested, or something true called false, once.
"""

from __future__ import annotations

from fractions import Fraction
from math import log2
from typing import Any

import pytest

from symderiv.algebra.binding import free_variables
from symderiv.algebra.expr import (
    ONE,
    ZERO,
    Access,
    Add,
    Apply,
    Bracket,
    Delta,
    Expr,
    Mul,
    Number,
    Pow,
    Role,
    Select,
    SizeOf,
    Sum,
    Tensor,
    apply,
    sum_over,
)
from symderiv.algebra.index import Axis, Index, Size, as_index, fresh
from symderiv.algebra.normal import normal
from symderiv.calculus.builder import Builder
from symderiv.calculus.graph import Definition, Fact, Graph, Recurrence
from symderiv.calculus.steps import Adjoint, Derivation, Lemma, Premise, Step, Uses
from symderiv.proof.check import BrokenChain
from symderiv.proof.counting import zero_at_all_sizes
from symderiv.proof.decide import TRIALS, Statement, Worlds, _degree, sample
from symderiv.proof.degrees import MAX_BITS, Degrees, Heights
from symderiv.proof.field import P, World, assignments
from symderiv.proof.verdict import Status, Verdict
from symderiv.proof.wellformed import IllFormed
from tests.proof.by_steps import check

N = Axis("unit", as_index(Size("n")))


def adjoint(of: Tensor, root: Tensor, named: bool = False) -> Tensor:
    return Tensor("d" + of.name, of.slots, Role.ADJOINT, of.symbol, of.layer, of, root, named)


def step(left: Expr, right: Expr, *premises: Premise) -> Step:
    return Step(left, right, "chain rule", "", premises)


def last(derivation: Derivation) -> Status:
    """What is said of the last step; the steps before it are true."""
    return check(derivation).chains[0].verdicts[-1].status


def factor(true: Expr, claim: Expr) -> Status:
    """C = w · true, so ∂C/∂w = true; then the claim."""
    b = Builder()
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(c, [], w[()] * true)
    dw = adjoint(w, c)
    steps = (step(dw[()], true), step(true, claim))
    return last(Derivation(b.graph(c), (Adjoint(dw, (), steps, claim),)))


def entries(true: Any, claim: Any, axis: Axis = N, *premises: Premise, b: Any = None) -> Status:
    """C = Σ w[j] · true(j), so ∂C/∂w[j] = true(j); then the claim."""
    b = b or Builder()
    w, c = b.tensor("w", [axis], Role.PARAMETER), b.tensor("C", [], Role.COST)
    (i,) = b.over(axis)
    b.define(c, [], sum_over((i,), w[i] * true(i)))
    dw = adjoint(w, c)
    (j,) = b.over(axis)
    steps = (step(dw[j], true(j)), step(true(j), claim(j), *premises))
    return last(Derivation(b.graph(c), (Adjoint(dw, (as_index(j),), steps, claim(j)),)))


FALSE = (Status.REFUTED, Status.UNDECIDED)
SCALAR = Tensor("s", (), Role.INPUT)
VECTOR = Tensor("x", (fresh(N),), Role.INPUT)
OTHER = Tensor("y", (fresh(N),), Role.INPUT)


# --- The normal form -----------------------------------------------------------------------------


def with_a_binder_below() -> tuple[Expr, Expr, list[Any]]:
    """σ(x[k]) Σ_p [k = 2p] y[p], and the same with the p of σ(x[2p]) outside of the sum."""
    k, p, q = fresh(N, "k"), fresh(N, "p"), fresh(N, "q")

    def inner(v: Any) -> Expr:
        return Sum(v, Mul((Delta(as_index(k), v * 2), OTHER[v])))

    true = Mul((apply("sigmoid", VECTOR[k]), inner(p)))
    wrong = Mul((apply("sigmoid", VECTOR[p * 2]), inner(q)))
    return true, wrong, [k, p]


def test_a_binder_is_not_lost_in_normal_form() -> None:
    true, wrong, (k, _) = with_a_binder_below()
    assert free_variables(normal(true).expr()) <= free_variables(true) == {k}
    assert normal(true).key != normal(wrong).key
    world = World(Graph((), Tensor("C")), {"n": 5}, 7, opened=frozenset())
    for env in assignments(world, [k], [k]):
        assert world.value(true, env) == world.value(normal(true).expr(), env)


# --- Values that only one index has ---------------------------------------------------------------


def prefix(start: int, stop: Any) -> Expr:
    k = fresh(Axis("unit", as_index(stop), Index(start)), "k")
    return Sum(k, VECTOR[k])


@pytest.mark.parametrize(
    ("true", "claim"),
    [
        (lambda j: VECTOR[j] * SizeOf(as_index(j)), lambda j: VECTOR[j]),
        (lambda j: prefix(2, j), lambda j: ZERO),
        (lambda j: prefix(1, j), lambda j: VECTOR[1]),
        (lambda j: Delta(as_index(j), Index(1)) * VECTOR[j], lambda j: VECTOR[j]),
        (lambda j: VECTOR[j] - VECTOR[1], lambda j: ZERO),
        (lambda j: Bracket(j - 2) * VECTOR[j], lambda j: ZERO),
    ],
)
def test_what_holds_of_one_entry_alone(true: Any, claim: Any) -> None:
    assert entries(true, claim) in FALSE


def test_an_equation_that_treats_one_entry_differently() -> None:
    b = Builder()
    t = b.tensor("t", [N])
    (i,) = b.over(N)
    b.define(t, [i], Bracket(i - 2) * VECTOR[i])
    assert entries(lambda j: t[j], lambda j: ZERO, N, Uses(t), b=b) in FALSE


@pytest.mark.parametrize(
    "other", [Axis("unit", N.stop, Index(2)), Axis("unit", as_index(Size("m")))]
)
@pytest.mark.parametrize("zero", [True, False])
def test_indices_of_ranges_that_overlap(other: Axis, zero: bool) -> None:
    b = Builder()
    x, w = b.tensor("x", [N, other], Role.INPUT), b.tensor("w", [N, other], Role.PARAMETER)
    c = b.tensor("C", [], Role.COST)
    i, j = b.over(N, other)
    b.define(c, [], sum_over((i, j), w[i, j] * x[i, j] * Delta(as_index(i), as_index(j))))
    p, q = b.over(N, other)
    true = Mul((Delta(as_index(p), as_index(q)), x[p, q]))
    claim = ZERO if zero else x[p, q]
    dw = adjoint(w, c)
    steps = (step(dw[p, q], true), step(true, claim))
    made = Adjoint(dw, (as_index(p), as_index(q)), steps, claim)
    assert last(Derivation(b.graph(c), (made,))) in FALSE


def with_cost(body: Expr) -> Graph:
    b = Builder()
    c = b.tensor("C", [], Role.COST)
    b.define(c, [], body)
    return b.graph(c)


@pytest.mark.parametrize("place", [1, 2, 0])
def test_a_fact_about_one_entry_alone(place: int) -> None:
    """s + x[1] = s makes the first entry 0, and no other; every value of j is tried."""
    b = Builder()
    (j,) = b.over(N)
    at = Index(place) if place else as_index(j)
    fact = Fact(Add((SCALAR[()], VECTOR[at])), SCALAR[()], "given", () if place else (j,))
    graph = with_cost(sum_over(j, VECTOR[j] * SCALAR[()]))
    statement = Statement(VECTOR[j], ZERO, Worlds(graph), facts=(fact,))
    assert statement.shifted == ({j} if place else set())
    assert sample(statement, {}).status is (Status.UNDECIDED if place else Status.TESTED)


def test_sizes_stay_small_in_however_many_worlds() -> None:
    graph = with_cost(VECTOR[Index(1)])
    statement = Statement(Sum(fresh(N), ONE), ONE, Worlds(graph))
    sizes = [statement.worlds.world(statement, {}, trial).sizes for trial in range(30)]
    assert all(sizes[n] == sizes[n % TRIALS] for n in range(30))


def test_what_is_drawn_depends_on_the_names() -> None:
    worlds = Worlds(with_cost(VECTOR[Index(1)]))
    (i,) = (fresh(N),)
    seeds = {Statement(t[i], ZERO, worlds).seed for t in (VECTOR, OTHER)}
    assert len(seeds) == 2


def test_a_degree_counts_the_equations_that_are_opened() -> None:
    b = Builder()
    u, c = b.tensor("u", []), b.tensor("C", [], Role.COST)
    b.define(u, [], SCALAR[()] ** 100)
    b.define(c, [], u[()])
    worlds = Worlds(b.graph(c))
    closed, opened = (Statement(u[()], ZERO, worlds, frozenset(o)) for o in ((), (u,)))
    assert _degree(closed) < 100 <= _degree(opened)


def test_a_function_of_a_range_is_not_a_scalar() -> None:
    """(1/n) Σf · Σy is not Σ f y, also where f takes its index in the range of a sum."""

    def mean_field(i: Any) -> Expr:
        k = fresh(Axis("unit", N.stop, as_index(i)), "k")
        return apply("sigmoid", Sum(k, VECTOR[k]))

    i = fresh(N)
    left = Sum(i, mean_field(i) * OTHER[i])
    right = Pow(SizeOf(N.stop), -1) * Sum(i, mean_field(i)) * Sum(i, OTHER[i])
    assert zero_at_all_sizes(left, right)[0] == ""
    assert entries(
        lambda j: (apply("sigmoid", prefix(2, j)) - apply("sigmoid", ZERO)) * (left - right),
        lambda j: ZERO,
    ) in FALSE  # fmt: skip


def test_what_was_tested_names_the_sizes() -> None:
    """[n = 2] x is 0 at all sizes that are tried, and only they are named."""
    b = Builder()
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    true = Delta(N.stop, Index(2)) * SCALAR[()] * prefix(1, N.stop)
    b.define(c, [], w[()] * true)
    dw = adjoint(w, c)
    steps = (step(dw[()], true), step(true, ZERO))
    verdict = check(Derivation(b.graph(c), (Adjoint(dw, (), steps, ZERO),))).chains[0].verdicts[1]
    assert verdict.status in FALSE or verdict.scope == "tested at n = 3, 4, 5"


# --- Degrees, heights, names ----------------------------------------------------------------------


def powers(e: Expr, *exponents: int) -> Expr:
    for exponent in exponents:
        e = Pow(e, exponent)
    return e


FERMAT = (2 * 9 * 25 * 7, 11 * 13 * 31, 41 * 61, 151, 331, 1321)  # their product is P - 1


def test_fermat() -> None:
    whole = 1
    for exponent in FERMAT:
        whole *= exponent
    assert whole == P - 1
    x = SCALAR[()]
    with pytest.raises(IllFormed, match="exponent"):
        factor(Pow(x, P), x)
    assert factor(powers(x + 1, *FERMAT) * x, x) in FALSE


def test_fermat_by_definitions() -> None:
    b = Builder()
    t: Expr = SCALAR[()]
    made = []
    for n, exponent in enumerate(FERMAT):
        tensor = b.tensor(f"t{n}", [])
        b.define(tensor, [], Pow(t, exponent))
        made.append(tensor)
        t = tensor[()]
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(c, [], w[()] * t)
    dw = adjoint(w, c)
    steps = (step(dw[()], t), step(t, ONE, *map(Uses, made)))
    assert last(Derivation(b.graph(c), (Adjoint(dw, (), steps, ONE),))) in FALSE


DENOMINATORS = (4193821, 4001191, 3819123, 3736517, 3561967, 3423395, 3344259, 3262905)


def test_a_sum_of_fractions_that_is_0_in_the_field() -> None:
    half = 2**22 - 1
    total = sum(Fraction(1, d) for d in DENOMINATORS)
    assert total.numerator % P == 0
    parts = tuple(
        Pow(Add((Number.of((half + d) // 2), Number.of(-(half - d) // 2))), -1)
        for d in DENOMINATORS
    )
    assert Heights(lambda _: 1).of(Add(parts)).above > MAX_BITS
    assert factor(Mul((Add(parts), SCALAR[()])), ZERO) in FALSE


def test_heights_are_bounds() -> None:
    k = fresh(N)
    x = VECTOR[k]
    whole = Sum(k, 1 / (x + 2)) + 1 / (SCALAR[()] - 3)
    # over Π (x[k] + 2) · (s - 3): at n = 3, (s - 3) Σ Π + Π has 4 · 3 · 9 + 27
    assert Heights(lambda _: 3).of(whole).above >= log2(4 * 3 * 9 + 27)


def test_degrees_are_bounds() -> None:
    """Σ 1/(x[k] + 2) is of degree 2 over 3, and 1/(s - 3) adds one to each."""
    k = fresh(N)
    whole = Sum(k, 1 / (VECTOR[k] + 2)) + 1 / (SCALAR[()] - 3)
    found = Degrees(3).of(whole)
    assert found.above >= 3 and found.denominator >= 4
    same = Sum(k, 1 / (SCALAR[()] - 3))
    assert Degrees(3).of(same).denominator == 1


NAMES = (
    ("a0v0_222", "a0v1_40550", "a0v2_11891", "a0v3_56642",
     "a0v4_36575", "a0v5_14555", "a0v6_12419", "a0v7_20100"),
    ("b0v0_10", "b0v1_37055", "b0v2_20197", "b0v3_5799",
     "b0v4_33074", "b0v5_2481", "b0v6_34223", "b0v7_53927"),
    ("c0v0_2059", "c0v1_39796", "c0v2_3179", "c0v3_21797",
     "c0v4_4976", "c0v5_3949", "c0v6_23414", "c0v7_46382"),
)  # fmt: skip


def test_names_that_were_chosen_for_what_is_drawn() -> None:
    """Draws follow from the names; these make a sum 0 in each of the worlds that there were."""
    sums = tuple(Add(tuple(Tensor(n, (), Role.INPUT, n)[()] for n in names)) for names in NAMES)
    assert factor(Mul(sums), ZERO) in FALSE


def test_two_sizes_of_one_name() -> None:
    with pytest.raises(IllFormed, match="size"):
        factor(
            SizeOf(as_index(Size("n[1]"))) * SCALAR[()],
            SizeOf(as_index(Size("n", Index(1)))) * SCALAR[()],
        )


def test_an_index_that_is_not_in_lowest_form() -> None:
    v = fresh(N)
    with pytest.raises(IllFormed, match="lowest form"):
        factor(Sum(v, VECTOR[v * 2]), Sum(v, Access(VECTOR, (Index(0, ((v, 1), (v, 1))),))))


class Three(Fraction):
    """Two, which calls itself three."""

    def __str__(self) -> str:
        return "3"


@pytest.mark.parametrize("value", [Three(2), 1e16, True])
def test_numbers_of_another_kind(value: Any) -> None:
    with pytest.raises(IllFormed):
        factor(Mul((Number(value), SCALAR[()])), 2 * SCALAR[()])


# --- Graphs that say nothing, or can change -------------------------------------------------------


def test_equations_cannot_be_taken_away() -> None:
    b = Builder()
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(c, [], w[()] * SCALAR[()])
    graph = b.graph(c)
    assert isinstance(graph.users(w), tuple) and isinstance(graph.definitions_of(c), tuple)


def test_a_recurrence_in_a_list() -> None:
    steps = Axis("time", as_index(Size("T")), ordered=True)
    v = fresh(steps)
    h = Tensor("h", (v,))
    c = Tensor("C", (), Role.COST)
    block = Recurrence(v, [Definition(h, (as_index(v),), SCALAR[()])])  # type: ignore[arg-type]
    graph = Graph((block, Definition(c, (), h[as_index(Size("T"))])), c)
    with pytest.raises(IllFormed, match="list"):
        check(Derivation(graph, ()))


class Another(Graph):
    """A graph that answers as it likes."""


def test_a_graph_of_another_kind() -> None:
    c = Tensor("C", (), Role.COST)
    with pytest.raises(IllFormed, match="Another"):
        check(Derivation(Another((Definition(c, (), SCALAR[()]),), c), ()))


def test_an_entry_out_of_its_axis_has_no_equation() -> None:
    b = Builder()
    t, c = b.tensor("t", [N]), b.tensor("C", [], Role.COST)
    (i,) = b.over(N)
    b.define(t, [i], VECTOR[i])
    b.define(t, [0], SCALAR[()])
    b.define(c, [], t[0])
    with pytest.raises(IllFormed, match="out of its axis"):
        check(Derivation(b.graph(c), ()))


def test_an_entry_of_a_recurrence_that_uses_itself() -> None:
    b = Builder()
    time, two = b.axis("time", "T", ordered=True), b.axis("unit", 2)
    h, c = b.tensor("h", [time, two]), b.tensor("C", [], Role.COST)
    (v,) = b.over(time)

    def equations() -> None:
        b.define(h, [v, 1], SCALAR[()])
        b.define(h, [v, 2], h[v, 2] + 1)

    b.recurrence(v, equations)
    b.define(c, [], h[as_index(Size("T")), 2])
    with pytest.raises(IllFormed, match="too early"):
        check(Derivation(b.graph(c), ()))


class Yes:
    """A memory that knows everything."""

    def _recall(self, spelling: str) -> Verdict:
        return Verdict(Status.PROVED, "normal form", "all sizes", "exact")

    recall = _recall


def test_a_memory_of_another_kind() -> None:
    c = Tensor("C", (), Role.COST)
    graph = Graph((Definition(c, (), SCALAR[()]),), c)
    with pytest.raises(TypeError, match="memory"):
        check(Derivation(graph, ()), Yes())  # type: ignore[arg-type]


# --- Signs, lemmas, refutations -------------------------------------------------------------------


@pytest.mark.parametrize("shift", range(96, 108))
def test_a_sign_that_no_point_tried_has(shift: int) -> None:
    assert factor(apply("abs", SCALAR[()] - shift), shift - SCALAR[()]) in FALSE


@pytest.mark.parametrize("number", [apply("abs", Number.of(3)), apply("sqrt", Number.of(9))])
def test_signs_beside_an_adjoint_that_is_not_known_yet(number: Expr) -> None:
    b = Builder()
    z, w, c = b.tensor("z", []), b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(z, [], number * w[()])
    b.define(c, [], apply("sigmoid", z[()]))
    dw, dz = adjoint(w, c), adjoint(z, c)
    true, claim = number * dz[()], -3 * dz[()]
    slope = Apply("sigmoid", (z[()],), (1,))
    later = Adjoint(dz, (), (step(dz[()], slope),), slope)
    first = Adjoint(dw, (), (step(dw[()], true), step(true, claim)), claim)
    assert last(Derivation(b.graph(c), (first, later))) in FALSE


def test_a_lemma_whose_value_is_its_argument() -> None:
    b = Builder()
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    u = w[()] * SCALAR[()]
    b.define(c, [], apply("sigmoid", u))
    z = Tensor("z")[()]
    true, claim = Apply("sigmoid", (u,), (1,)) * SCALAR[()], u * (1 - u) * SCALAR[()]
    dw = adjoint(w, c)
    wrong = step(true, claim, Lemma("sigmoid", 0, (z,), z, z * (1 - z)))
    made = Adjoint(dw, (), (step(dw[()], true), wrong), claim)
    with pytest.raises(IllFormed, match="lemma"):
        check(Derivation(b.graph(c), (made,)))


def assumed(cost: Any, true: Expr, claim: Expr) -> Status:
    b = Builder()
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(c, [], w[()] * true + cost)
    dw = adjoint(w, c)
    steps = (step(dw[()], true), step(true, claim))
    return last(Derivation(b.graph(c), (Adjoint(dw, (), steps, claim),)))


def test_no_refutation_where_the_equations_have_no_value() -> None:
    """Where log s is in the cost s is positive, and √s² is s."""
    s = SCALAR[()]
    root = apply("sqrt", s**2)
    assert assumed(apply("log", s), root, s) is not Status.REFUTED
    assert assumed(s, root, s) is Status.REFUTED


def test_no_refutation_at_targets_that_there_are_not() -> None:
    y = Tensor("y", (), Role.TARGET)[()]
    a = Tensor("a", (), Role.INPUT)[()]
    assert assumed(apply("hinge", a, y), y**2, ONE) is not Status.REFUTED
    assert assumed(apply("hinge", a, y), y**3, ONE) is Status.REFUTED


def test_no_refutation_at_hyperparameters_that_are_not_allowed() -> None:
    alpha = Tensor("alpha", (), Role.HYPERPARAMETER)[()]
    elu = apply("elu", SCALAR[()], alpha)
    assert assumed(elu, apply("abs", alpha), alpha) is not Status.REFUTED
    assert assumed(elu, apply("abs", alpha), 2 * alpha) is Status.REFUTED


def test_a_maximum_of_nothing_has_no_value() -> None:
    k = fresh(Axis("unit", N.stop, Index(9)), "k")
    chosen = Select(Index(9), k, VECTOR[k])
    assert factor(Mul((chosen, VECTOR[1])), VECTOR[1] * chosen) is not Status.REFUTED


def test_these_helpers_prove_what_is_true() -> None:
    x = SCALAR[()]
    assert factor(x * x, x**2) is Status.PROVED
    assert entries(lambda j: VECTOR[j] * 2, lambda j: VECTOR[j] + VECTOR[j]) is Status.PROVED
    assert assumed(x, x * 2, x + x) is Status.PROVED
    with pytest.raises(BrokenChain):
        c = Tensor("C", (), Role.COST)
        graph = Graph((Definition(c, (), x * 2),), c)
        check(Derivation(graph, (Adjoint(adjoint(SCALAR, c), (), (), ZERO),)))

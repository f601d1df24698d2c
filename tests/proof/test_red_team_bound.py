"""Attempts against the kernel by what is bound twice, what has no value and what is called alike.

Each had something false called proved, once.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from symderiv.algebra.expr import (
    ONE,
    ZERO,
    Access,
    Add,
    Apply,
    Expr,
    Mul,
    Number,
    Pow,
    Role,
    SizeOf,
    Sum,
    Tensor,
    sum_over,
)
from symderiv.algebra.index import Axis, Index, Size, as_index, fresh
from symderiv.algebra.matching import alpha_equal
from symderiv.calculus.builder import Builder
from symderiv.calculus.conditions import conditions
from symderiv.calculus.graph import Definition, Fact, Graph, Kind, Recurrence
from symderiv.calculus.steps import Adjoint, Derivation, Lemma, Step, Uses
from symderiv.proof.counting import zero_at_all_sizes
from symderiv.proof.premises import lemma_verdict
from symderiv.proof.verdict import Status
from symderiv.proof.wellformed import IllFormed
from tests.proof.by_steps import check
from tests.proof.test_red_team_kernel import N, adjoint, factor, step

M = Axis("unit", as_index(Size("m")))
SQUARE = Tensor("x", (fresh(N), fresh(N)), Role.INPUT)
LONG = Tensor("x", (fresh(N),), Role.INPUT)
OTHER = Tensor("u", (fresh(N),), Role.INPUT)
HIDDEN = SizeOf(N.stop) - 3  # is 0 at the first size that is tried


def positive(e: Expr) -> Expr:
    return Apply("positive", (e,), (0,))


# --- What is bound twice ------------------------------------------------------------------------


def shadowed(inner: bool) -> Expr:
    """Σ_a Σ_a Σ_d x[a,d] u[d], or with x[a,a] u[a]."""
    a, d = fresh(N, "a"), fresh(N, "d")
    entry = SQUARE[a, a] * OTHER[a] if inner else SQUARE[a, d] * OTHER[d]
    return Sum(a, Sum(a, Sum(d, entry)))


def test_levels_of_bound_variables_are_depths() -> None:
    """Where a variable is bound again the level of the next one was that of the last."""
    a, d, p, q, r = (fresh(N, c) for c in "adpqr")
    left = Sum(a, Sum(a, Sum(d, SQUARE[a, d])))
    assert not alpha_equal(left, Sum(a, Sum(a, Sum(d, SQUARE[a, a]))))
    assert alpha_equal(left, Sum(p, Sum(q, Sum(r, SQUARE[q, r]))))
    assert not alpha_equal(left, Sum(p, Sum(q, Sum(r, SQUARE[p, r]))))


def test_an_index_is_bound_once() -> None:
    """n⁻¹ Σ_a Σ_a Σ_d … was read as another sum between two steps."""
    with pytest.raises(IllFormed, match="bound twice"):
        factor(shadowed(False), shadowed(True))
    (i,) = (fresh(N, "i"),)
    j = fresh(Axis("unit", as_index(i)), "j")
    captured = Sum(i, LONG[i] * Sum(j, Sum(i, LONG[i])))
    with pytest.raises(IllFormed, match="bound twice"):
        factor(HIDDEN * captured, ZERO)


def test_an_index_is_bound_or_free() -> None:
    b = Builder()
    w, c = b.tensor("w", [N], Role.PARAMETER), b.tensor("C", [], Role.COST)
    (i,) = b.over(N)
    b.define(c, [], sum_over(i, w[i] * LONG[i]))
    dw = adjoint(w, c)
    (j,) = b.over(N)
    wrong = LONG[j] + Sum(j, LONG[j])
    made = Adjoint(dw, (as_index(j),), (step(dw[j], LONG[j]), step(LONG[j], wrong)), wrong)
    with pytest.raises(IllFormed, match="bound twice"):
        check(Derivation(b.graph(c), (made,)))


# --- What is called alike -----------------------------------------------------------------------


def test_an_adjoint_called_as_a_given_one() -> None:
    """Layer y = w x with dy given; dq of an unused q was called dy, and was 0."""
    b = Builder()
    w, q = b.tensor("w", [], Role.PARAMETER), b.tensor("q", [N], Role.PARAMETER)
    y = b.tensor("y", [N])
    (i,) = b.over(N)
    b.define(y, [i], w[()] * LONG[i])
    unused = b.tensor("z", [], Role.AUXILIARY)
    b.define(unused, [], sum_over(i, q[i]))
    graph = b.graph(upstream=y)
    (given,) = graph.upstream
    forged = Tensor(given.name, q.slots, Role.ADJOINT, given.symbol, None, q, graph.cost)
    k = fresh(N)
    zero = Adjoint(forged, (as_index(k),), (step(forged[k], ZERO),), ZERO)
    dw = adjoint(w, graph.cost)
    (j,) = b.over(N)
    true = sum_over(j, given[j] * LONG[j])
    made = Adjoint(dw, (), (step(dw[()], true), step(true, ZERO, Uses(forged))), ZERO)
    with pytest.raises(IllFormed, match=f"called {given.name}"):
        check(Derivation(graph, (zero, made)))


def test_an_equation_that_uses_a_derivative() -> None:
    """C = x dw + w x² has ∂C/∂x = 3x², since dw = x²; dw was taken for a constant."""
    b = Builder()
    x, w = b.tensor("x", [], Role.PARAMETER), b.tensor("w", [], Role.PARAMETER)
    c = b.tensor("C", [], Role.COST)
    dw, dx = adjoint(w, c), adjoint(x, c)
    b.define(c, [], x[()] * dw[()] + w[()] * x[()] ** 2)
    claim = dw[()] + 2 * w[()] * x[()]
    made = Adjoint(dx, (), (step(dx[()], claim),), claim)
    with pytest.raises(IllFormed, match="computed from a derivative"):
        check(Derivation(b.graph(c), (made,)))


def test_equations_of_a_recurrence_that_use_each_other() -> None:
    """u[l] = t[l] + 1 and t[l] = u[l], with an equation a[l] of something else before them."""
    time = Axis("time", as_index(Size("L")), ordered=True)
    a, u, t = (Tensor(name, (fresh(time),)) for name in "aut")
    x = Tensor("x", (fresh(time),), Role.INPUT)
    var = fresh(time, "l")
    at = (as_index(var),)
    block = Recurrence(
        var,
        (
            Definition(a, at, x[var]), Definition(u, at, t[var] + 1), Definition(t, at, u[var]),
        ),
    )  # fmt: skip
    w, c = Tensor("w", (), Role.PARAMETER), Tensor("C", (), Role.COST)
    s = fresh(time)
    true = sum_over(s, t[s])
    graph = Graph((block, Definition(c, (), w[()] * true)), c)
    dw = adjoint(w, c)
    claim = true + SizeOf(time.stop)
    made = Adjoint(dw, (), (step(dw[()], true), step(true, claim, Uses(t), Uses(u))), claim)
    with pytest.raises(IllFormed, match="too early"):
        check(Derivation(graph, (made,)))


# --- What has no value --------------------------------------------------------------------------


def nothing(e: Expr) -> Expr:
    """(e + 1)² − e² − 2e − 1, which is 0."""
    return Add((Pow(e + 1, 2), -1 * Pow(e, 2), -2 * e, Number.of(-1)))


@pytest.mark.parametrize("divided", [True, False])
def test_a_lemma_whose_factor_hides_what_has_no_value(divided: bool) -> None:
    """[z > 0] + 5 (1 − [z > 0]) ·…, which has no value, or is 5, where z < 0."""
    z, value = Tensor("z")[()], Tensor("value")[()]
    p = positive(z)
    if divided:
        more = Mul((Number.of(5), 1 - p, p, Pow(Add((p, nothing(z))), -1)))
    else:
        more = Mul((Number.of(5), 1 - p, 1 - positive(Add((p, nothing(z))))))
    verdict = lemma_verdict(Lemma("relu", 0, (z,), value, Add((p, more))))
    assert verdict.status is not Status.PROVED


def test_powers_that_are_none() -> None:
    s = Tensor("s", (), Role.INPUT)[()]
    k = fresh(N)
    total = Sum(k, LONG[k])
    with pytest.raises(IllFormed, match="exponent 0"):
        factor(Mul((HIDDEN, total, Pow(Add((s, -1 * s)), 0))), ZERO)
    half = Index(0, ((Size("n"), Fraction(1, 2)),))  # type: ignore[arg-type]
    with pytest.raises(IllFormed, match="of another kind"):
        factor(SizeOf(half), SizeOf(N.stop) * Number.of(Fraction(1, 2)))
    with pytest.raises(IllFormed, match="differentiated"):
        factor(Apply("focal", (s, s, s), (1, 1, -1)), s)


def test_a_fact_says_of_which_indices_it_speaks() -> None:
    j, k = fresh(N, "j"), fresh(N, "k")
    fact = Fact(Sum(k, SQUARE[k, j]), ONE, "one column sums to 1", ())
    b = Builder()
    b.facts.append(fact)
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    total = Sum(j, Sum(k, SQUARE[k, j]))
    b.define(c, [], w[()] * total)
    dw = adjoint(w, c)
    steps = (step(dw[()], total), step(total, SizeOf(N.stop), fact))
    with pytest.raises(IllFormed, match="what an index is"):
        check(Derivation(b.graph(c), (Adjoint(dw, (), steps, SizeOf(N.stop)),)))


def test_a_fact_that_holds_where_something_is_positive() -> None:
    """Σ log x² = 2 Σ log x for x > 0; a step that uses it did not say so."""
    k = fresh(N, "k")

    def log(e: Expr) -> Expr:
        return Apply("log", (e,), (0,))

    left, right = Sum(k, log(Pow(LONG[k], 2))), 2 * Sum(k, log(LONG[k]))
    fact = Fact(left, right, "found", (), assumed=False)
    b = Builder()
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(c, [], w[()] * HIDDEN * left)
    dw = adjoint(w, c)
    true, claim = HIDDEN * left, HIDDEN * right
    steps = (step(dw[()], true), Step(true, claim, "reduction", "", (fact,)))
    verdict = check(Derivation(b.graph(c), (Adjoint(dw, (), steps, claim),))).chains[0].verdicts[-1]
    assert verdict.status is not Status.PROVED


# --- All sizes ----------------------------------------------------------------------------------


def test_indices_of_two_ranges_in_one_axis() -> None:
    """(n−4)(n−5)(n−6) (x[i] − x[j]), i ≤ n, j ≤ m, x as long as n + m: only i = j was tried."""
    both = Tensor("x", (fresh(Axis("unit", N.stop + M.stop)),), Role.INPUT)
    i, j = fresh(N, "i"), fresh(M, "j")
    n = SizeOf(N.stop)
    hidden = (n - 4) * (n - 5) * (n - 6)
    assert zero_at_all_sizes(hidden * (both[i] - both[j]), ZERO)[0] == ""


def test_nobodys_word_is_taken_for_a_softmax() -> None:
    """p = x is marked as the last line of a softmax, so log p was taken to exist."""
    b = Builder()
    x, c = b.tensor("x", [N], Role.PARAMETER), b.tensor("C", [], Role.COST)
    p = b.tensor("p", [N])
    (i,) = b.over(N)
    b.define(p, [i], x[i], part_of="softmax")
    (j,) = b.over(N)
    b.define(c, [], sum_over(j, Apply("log", (Access(p, (as_index(j),)),), (0,))))
    assert [found.function for found in conditions(b.graph(c))] == ["log"]


# --- Axes and entries ----------------------------------------------------------------------------


def jacobian_of(of: Tensor, root: Tensor) -> Tensor:
    slots = (*root.slots, *of.slots)
    return Tensor("d" + of.name, slots, Role.ADJOINT, of.symbol, of.layer, of, root)


def test_an_axis_depends_on_earlier_ones_alone() -> None:
    """t[i,k] with i ≤ k: Σ over i ran to an index of something else, n k for n (n + 1)/2."""
    k = fresh(N, "k")
    i = fresh(Axis("unit", as_index(k)), "i")
    w, t, c = Tensor("w", (fresh(N),), Role.PARAMETER), Tensor("t", (i, k)), Tensor("C")
    j, k2 = fresh(N), fresh(N)
    i2 = fresh(Axis("unit", as_index(k2)))
    graph = Graph(
        (
            Definition(t, (as_index(i), as_index(k)), Sum(j, w[j])),
            Definition(c, (), Sum(k2, Sum(i2, t[i2, k2]))),
        ),
        c,
    )
    dt = jacobian_of(t, c)
    made = Adjoint(dt, (as_index(i), as_index(k)), (step(dt[i, k], ONE),), ONE)
    with pytest.raises(IllFormed, match="depends on a later one"):
        check(Derivation(graph, (made,)))


def test_equations_that_share_an_axis_cut_it_at_numbers() -> None:
    """C[k,l] is Σ w for l ≤ k and 7 beyond: ∂C[j,l]/∂w was 1 for l ≤ another k."""
    time = Axis("time", N.stop, Index(1), ordered=True)
    k, q, j = fresh(N), fresh(N), fresh(N)
    low = fresh(Axis("time", as_index(k), Index(1), ordered=True))
    high = fresh(Axis("time", N.stop, k + 1, ordered=True))
    w = Tensor("w", (fresh(N),), Role.PARAMETER)
    c = Tensor("C", (fresh(N), fresh(time)), Role.COST)
    seven = Number.of(7)
    graph = Graph(
        (
            Definition(c, (as_index(k), as_index(low)), Sum(q, w[q])),
            Definition(c, (as_index(k), as_index(high)), seven),
        ),
        c,
    )
    dw, place = jacobian_of(w, c), fresh(low.axis)
    indices = (as_index(j), as_index(place), as_index(k))
    made = Adjoint(dw, indices, (step(Access(dw, indices), ONE),), ONE)
    with pytest.raises(IllFormed, match="whole axis"):
        check(Derivation(graph, (made,)))


def test_a_layer_does_not_use_what_comes_after_it() -> None:
    """t = w C with dt given: ∂C/∂w is not dt C alone."""
    c, w, t = Tensor("C", (), Role.COST), Tensor("w", (), Role.PARAMETER), Tensor("t")
    dt = Tensor("dt", (), Role.ADJOINT, "t", None, t, c, named=True)
    graph = Graph((Definition(t, (), w[()] * c[()]),), c, upstream=(dt,))
    dw = jacobian_of(w, c)
    claim = dt[()] * c[()]
    with pytest.raises(IllFormed, match="before it is there"):
        check(Derivation(graph, (Adjoint(dw, (), (step(dw[()], claim),), claim),)))


@pytest.mark.parametrize("short", [True, False])
def test_entries_beyond_an_axis_are_not_used(short: bool) -> None:
    """t[n + 1] of a t with n entries, and Σ t[j] with j ≤ m."""
    b = Builder()
    w, u = b.tensor("w", [], Role.PARAMETER), b.tensor("u", [], Role.PARAMETER)
    t, c = b.tensor("t", [N]), b.tensor("C", [], Role.COST)
    (i,) = b.over(N)
    b.define(t, [i], w[()] * LONG[i])
    j = fresh(M)
    b.define(c, [], u[()] * (t[N.stop + 1] if short else Sum(j, t[j])))
    dw = adjoint(w, c)
    made = Adjoint(dw, (), (step(dw[()], ZERO),), ZERO)
    with pytest.raises(IllFormed, match="beyond its axis"):
        check(Derivation(b.graph(c), (made,)))


def test_units_that_are_only_said_to_be_written_out() -> None:
    b = Builder("single")
    w, p = b.tensor("w", [], Role.PARAMETER), b.tensor("p", [])
    c = b.tensor("C", [], Role.COST)
    b.define(p, [], w[()] - 5, part_of="softmax")
    b.define(c, [], Apply("log", (p[()],), (0,)))
    graph = b.graph(c, kind=Kind.WRITTEN_OUT)
    assert [found.function for found in conditions(graph)] == ["log"]


def test_a_condition_and_its_bracket_have_their_indices_in_common() -> None:
    """[x_i > 0] (1/y_i + Σ_k 1/y_k) asks that y_k is not 0 for every k."""
    b = Builder()
    x, y = b.tensor("x", [N], Role.PARAMETER), b.tensor("y", [N], Role.PARAMETER)
    p, c = b.tensor("p", [N]), b.tensor("C", [], Role.COST)
    (i,) = b.over(N)
    k = fresh(N)
    b.define(p, [i], positive(x[i]) * (Pow(y[i], -1) + Sum(k, Pow(y[k], -1))))
    (j,) = b.over(N)
    b.define(c, [], sum_over(j, p[j]))
    asked = [found for found in conditions(b.graph(c)) if found.function == ""]
    assert len(asked) == 2


# --- Whatever a graph says of itself ------------------------------------------------------------

W0, V0 = (Tensor(name, (), Role.PARAMETER) for name in "wv")
COST = Tensor("C", (), Role.COST)


def refused(graph: Graph, made: Adjoint, message: str) -> None:
    with pytest.raises(IllFormed, match=message):
        check(Derivation(graph, (made,)))


def by_w(claim: Expr) -> Adjoint:
    return Adjoint(adjoint(W0, COST), (), (step(adjoint(W0, COST)[()], claim),), claim)


@pytest.mark.parametrize("axis", [N, M])
def test_a_given_adjoint_is_of_an_output_of_the_graph(axis: Axis) -> None:
    """dy of another y, of another role or length, so that the layer's gradient was 0."""
    y, i = Tensor("y", (fresh(N),)), fresh(N)
    ghost = Tensor("y", (fresh(axis),), Role.ACTIVATION if axis is N else y.role)
    dy = Tensor("dy", ghost.slots, Role.ADJOINT, "", None, ghost, COST, named=True)
    graph = Graph((Definition(y, (as_index(i),), W0[()] * LONG[i]),), COST, upstream=(dy,))
    refused(graph, by_w(ZERO), "two tensors are called y")


def test_an_output_has_one_given_adjoint() -> None:
    y, i = Tensor("y", (fresh(N),)), fresh(N)
    given = tuple(
        Tensor(name, y.slots, Role.ADJOINT, "", None, y, COST, named=True) for name in ("dy", "ey")
    )
    graph = Graph((Definition(y, (as_index(i),), W0[()] * LONG[i]),), COST, upstream=given)
    refused(graph, by_w(ZERO), "two given adjoints")


@pytest.mark.parametrize("at", [N.stop * 2 - 1, as_index(Size("m")), Index(7)])
def test_an_equation_is_about_an_entry_that_there_surely_is(at: Index) -> None:
    t, j = Tensor("t", (fresh(N),)), fresh(N)
    graph = Graph((Definition(t, (at,), W0[()]), Definition(COST, (), Sum(j, t[j]))), COST)
    refused(graph, by_w(ONE), "out of its axis")


def test_the_ranges_of_a_fact_do_not_depend_on_its_indices() -> None:
    """Σ_k X[i,j,k] = 0 for j from i to i was used for every pair, where the step has that i."""
    x = Tensor("X", (fresh(N), fresh(N), fresh(N)), Role.INPUT)
    i, k, p, q, r = (fresh(N) for _ in range(5))
    j = fresh(Axis("unit", as_index(i), as_index(i)))
    fact = Fact(Sum(k, x[i, j, k]), ZERO, "the diagonal sums to 0", (i, j))
    body = W0[()] * Sum(p, Sum(q, Sum(r, x[p, q, r])))
    graph = Graph((Definition(COST, (), body),), COST, facts=(fact,))
    refused(graph, by_w(ZERO), "what an index is")


@pytest.mark.parametrize("other", [None, M])
def test_the_cost_is_the_one_of_the_equations(other: Axis | None) -> None:
    i = fresh(N)
    vector = Tensor("C", (fresh(N),), Role.COST)
    cost = COST if other is None else Tensor("C", (fresh(other),), Role.COST)
    graph = Graph((Definition(vector, (as_index(i),), W0[()] * LONG[i]),), cost)
    refused(graph, by_w(Sum(i, LONG[i])), "two tensors are called C")


def test_a_shifted_entry_stays_within_its_axis_unless_a_bracket_says_so() -> None:
    """Σ_{j<m} t[j + 1] of a t with n entries."""
    t, i = Tensor("t", (fresh(N),)), fresh(N)
    j = fresh(Axis("unit", M.stop - 1, Index(0)))
    body = V0[()] * Sum(j, t[j + 1])
    graph = Graph((Definition(t, (as_index(i),), W0[()]), Definition(COST, (), body)), COST)
    refused(graph, by_w(V0[()] * SizeOf(M.stop)), "beyond its axis")


def test_an_example_has_one_number() -> None:
    """ℓ[s,u] = x[s] x[u], of two axes that are both called example."""
    axis = Axis("example", as_index(Size("m")))
    x = Tensor("x", (fresh(axis),), Role.INPUT)
    loss = Tensor("l", (fresh(axis), fresh(axis)), Role.LOSS)
    s, u, p = (fresh(axis) for _ in range(3))
    blocks = (
        Definition(loss, (as_index(s), as_index(u)), x[s] * x[u]),
        Definition(COST, (), Sum(s, Sum(u, loss[s, u]))),
    )
    dx = Tensor("dx", x.slots, Role.ADJOINT, "", None, x, loss)
    claim = 2 * Sum(u, x[u])
    made = Adjoint(dx, (as_index(p),), (step(dx[p], claim),), claim)
    refused(Graph(blocks, COST, loss), made, "two numbers")

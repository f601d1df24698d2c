"""Deliberate attempts to have something false called proved; each was tried, and each must fail.

Those marked "once" succeeded against an earlier version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from symderiv.algebra.expr import (
    ONE,
    ZERO,
    Access,
    Delta,
    Expr,
    Mul,
    Partial,
    Pow,
    Role,
    SizeOf,
    Sum,
    Tensor,
    add,
    mul,
    sum_over,
)
from symderiv.algebra.index import Axis, Index, Var, as_index, fresh
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.functions import exp
from symderiv.calculus.graph import Fact, Graph
from symderiv.calculus.steps import Adjoint, Derivation, Premise, Step, Uses
from symderiv.proof.check import BrokenChain, CheckedDerivation
from symderiv.proof.decide import Statement, Worlds, structural
from symderiv.proof.verdict import Status, Verdict
from symderiv.proof.wellformed import IllFormed
from tests.proof.by_steps import check
from tests.proof.planted import NETWORKS, accepted, derive, with_chain, with_right

B = Builder("single")
UNITS = B.axis("unit", "n")


def new(*axes: Axis) -> tuple[Var, ...]:
    return tuple(fresh(axis) for axis in axes)


def squares() -> tuple[Graph, dict[str, Tensor]]:
    """u[i] = A[i,i] x[i]², C = Σ_i u[i]; the sizes are all n."""
    b = Builder("single")
    x = b.tensor("x", (UNITS,), Role.PARAMETER)
    a = b.tensor("A", (UNITS, UNITS), Role.PARAMETER)
    u = b.tensor("u", (UNITS,))
    c = b.tensor("C", (), Role.COST)
    i, j = new(UNITS, UNITS)
    b.define(u, (i,), a[i, i] * x[i] ** 2)
    b.define(c, (), Sum(j, u[j]))
    return b.graph(c), {"x": x, "A": a, "u": u, "C": c}


GRAPH, T = squares()
X, A = T["x"], T["A"]
I, J, K = new(UNITS, UNITS, UNITS)


def decide(left: Expr, right: Expr, graph: Graph = GRAPH) -> Verdict:
    return structural(Statement(left, right, Worlds(graph)), left, right)


def trace(of: Expr, row: Var, column: Var) -> Expr:
    return Sum(row, mul(Delta(as_index(row), as_index(column)), of))


# --- Statements that look true at some sizes --------------------------------------------------


def cayley_hamilton() -> Expr:
    """A² - tr(A) A + ½ (tr(A)² - tr(A²)) I, at (I, J): zero for n = 2 alone."""
    k, l, p, q = new(UNITS, UNITS, UNITS, UNITS)
    square = Sum(k, A[I, k] * A[k, J])
    trace_of_a = Sum(l, A[l, l])
    trace_of_square = Sum(p, Sum(q, A[p, q] * A[q, p]))
    half = (trace_of_a**2 - trace_of_square) * Delta(as_index(I), as_index(J))
    return 2 * square - 2 * trace_of_a * A[I, J] + half


def test_an_identity_of_two_by_two_matrices_is_not_one_of_all_sizes() -> None:
    assert decide(cayley_hamilton(), ZERO).status is Status.REFUTED


def test_that_identity_holds_at_size_two() -> None:
    from symderiv.proof.field import World

    for size, holds in ((2, True), (3, False), (4, False)):
        world = World(GRAPH, {"n": size}, 1)
        found = {world.value(cayley_hamilton(), {I: i, J: j}) for i in (1, 2) for j in (1, 2)}
        assert (found == {0}) is holds


def test_a_size_is_not_a_number() -> None:
    k = fresh(UNITS)
    for size in (3, 4, 5):
        claim = decide(Sum(k, X[K]), size * X[K])
        assert claim.status is not Status.PROVED
    assert decide(Sum(k, X[K]), SizeOf(UNITS.size) * X[K]).status is Status.PROVED


def test_a_product_over_sizes_that_are_tried_is_not_zero() -> None:
    n = SizeOf(UNITS.size)
    vanishing = mul(*(n - size for size in range(3, 9)))
    verdict = decide(vanishing * X[I], ZERO)
    assert verdict.status is not Status.PROVED


# --- The Jacobian of softmax ------------------------------------------------------------------


def softmax() -> tuple[Graph, Tensor, Tensor]:
    b = Builder("single")
    z = b.tensor("z", (UNITS,), Role.PARAMETER)
    e, s, p, c = (
        b.tensor("e", (UNITS,)),
        b.tensor("s", ()),
        b.tensor("p", (UNITS,)),
        b.tensor("C", (), Role.COST),
    )
    w = b.tensor("w", (UNITS,), Role.INPUT)
    i, j, k, l = new(UNITS, UNITS, UNITS, UNITS)
    b.define(e, (i,), exp(z[i]))
    b.define(s, (), Sum(j, e[j]))
    b.define(p, (k,), e[k] / s[()])
    b.define(c, (), Sum(l, w[l] * p[l]))
    return b.graph(c), z, p


@pytest.mark.parametrize("factor", [2, -1, 0])
def test_a_wrong_diagonal_of_the_softmax_jacobian_is_caught(factor: int) -> None:
    graph, z, p = softmax()
    w = next(t for t in graph.inputs if t.name == "w")
    derivation = backprop(graph, [z])
    at = next(n for n, a in enumerate(derivation.adjoints) if a.tensor.of == z)
    chain = derivation.adjoints[at]
    (i,) = (v for index in chain.indices for v in index.variables)
    j = fresh(UNITS)
    diagonal = mul(Delta(as_index(i), as_index(j)), p[i])
    true = Sum(j, w[j] * (diagonal - p[i] * p[j]))
    wrong = Sum(j, w[j] * (factor * diagonal - p[i] * p[j]))
    definitions = tuple(Uses(d.target) for d in graph.definitions)
    for closed, expected in ((true, True), (wrong, False)):
        last = Step(chain.closed, closed, "collect", "", definitions)
        longer = replace(chain, steps=(*chain.steps, last), closed=closed)
        verdict = check(with_chain(derivation, at, longer)).chains[at].verdicts[-1]
        assert (verdict.status is Status.PROVED) is expected
        assert (verdict.status is Status.REFUTED) is not expected


# --- Zero denominators ------------------------------------------------------------------------


def test_a_quotient_by_zero_is_not_applicable() -> None:
    for left, right in (
        ((X[I] - X[I]) ** -1, ZERO),
        (1 / (Sum(K, X[K]) - Sum(J, X[J])), ONE),
        (X[I] / (X[I] - X[I]), X[I] / (X[I] - X[I])),
    ):
        verdict = decide(left, right)
        assert verdict.status is Status.UNDECIDED and "not applicable" in verdict.method


def test_a_zero_that_only_definitions_show_has_no_instance() -> None:
    b = Builder("single")
    x, r, c = b.tensor("x", (UNITS,)), b.tensor("r", ()), b.tensor("C", (), Role.COST)
    i, j = new(UNITS, UNITS)
    b.define(r, (), Sum(i, x[i]) - Sum(j, x[j]))
    b.define(c, (), r[()])
    worlds = Worlds(b.graph(c))
    statement = Statement(r[()] / r[()], ONE, worlds, frozenset({r}))
    verdict = structural(statement, statement.left, statement.right)
    assert verdict.status is Status.UNDECIDED and "not applicable" in verdict.method


def test_a_fact_that_empties_a_denominator_does_not_crash() -> None:
    """Once: ZeroDivisionError out of check()."""
    b = Builder("single")
    y, w = b.tensor("y", (UNITS,), Role.TARGET), b.tensor("w", (), Role.PARAMETER)
    c = b.tensor("C", (), Role.COST)
    i, j = new(UNITS, UNITS)
    fact = Fact(Sum(i, y[i]), ZERO, "sum to 0")
    b.define(c, (), w[()] / Sum(j, y[j]))
    derivation = backprop(b.graph(c), [w])
    chain = derivation.adjoints[0]
    steps = tuple(replace(s, premises=(*s.premises, fact)) for s in chain.steps)
    graph = replace(derivation.graph, facts=(fact,))
    checked = check(Derivation(graph, (replace(chain, steps=steps),)))
    assert any(v.status is Status.UNDECIDED for v in checked.chains[0].verdicts)
    assert checked.chains[0].verdicts[-1].status is not Status.PROVED


# --- Names ------------------------------------------------------------------------------------


def derived() -> Derivation:
    return backprop(GRAPH, [X, A])


def position(derivation: Derivation, of: Tensor) -> int:
    return next(n for n, a in enumerate(derivation.adjoints) if a.tensor.of == of)


def test_a_chain_is_about_its_own_derivative() -> None:
    """Once: the first step could show the tensor of another derivative by the same name."""
    derivation = derived()
    at = position(derivation, X)
    chain = derivation.adjoints[at]
    forged = replace(chain.tensor, of=T["u"])
    liar = replace(chain, tensor=forged)
    with pytest.raises((IllFormed, BrokenChain)):
        check(with_chain(derivation, at, liar))
    u = derivation.adjoints[position(derivation, T["u"])]
    first = replace(u.steps[0], left=Access(replace(u.tensor, name=chain.tensor.name), u.indices))
    stolen = replace(chain, steps=(first, *u.steps[1:]), closed=u.closed)
    with pytest.raises((IllFormed, BrokenChain)):
        check(with_chain(derivation, at, stolen))


def test_two_derivatives_of_one_name_are_refused() -> None:
    """Once: the equation of the one was used for the other."""
    derivation = derived()
    u = position(derivation, T["u"])
    chain = derivation.adjoints[u]
    renamed = replace(chain.tensor, name="dx")
    with pytest.raises(IllFormed):
        check(with_chain(derivation, u, replace(chain, tensor=renamed)))


def test_a_tensor_that_prints_as_another_is_refused() -> None:
    derivation = derive(NETWORKS["2-1:sigmoid+bce"]())
    at = len(derivation.adjoints) - 1
    chain = derivation.adjoints[at]
    for node in (chain.closed, *chain.steps[-1].right.__dict__.get("factors", ())):
        if isinstance(node, Access):
            disguised = Access(replace(node.tensor, symbol="W", layer=7), node.indices)
            with pytest.raises(IllFormed):
                check(with_right(derivation, at, len(chain.steps) - 1, disguised))


def test_a_tensor_of_no_graph_is_refused() -> None:
    derivation = derived()
    stranger = Tensor("q", new(UNITS), Role.INPUT, "q")
    chain = derivation.adjoints[0]
    (i,) = chain.indices
    wrong = chain.steps[-1].right + stranger[i] - stranger[i]
    with pytest.raises(IllFormed):
        check(with_right(derivation, 0, len(chain.steps) - 1, wrong))


# --- What a chain covers ----------------------------------------------------------------------


def test_a_chain_about_the_diagonal_is_not_about_the_matrix() -> None:
    """Once: proved for A[i,i], it was used for A[i,j]."""
    derivation = derived()
    at = position(derivation, A)
    chain = derivation.adjoints[at]
    first, _ = chain.indices
    with pytest.raises(IllFormed):
        check(with_chain(derivation, at, replace(chain, indices=(first, first))))


def test_a_chain_about_some_entries_is_not_about_all() -> None:
    derivation = derived()
    at = position(derivation, X)
    shorter = as_index(fresh(Axis("unit", UNITS.stop - 1)))
    with pytest.raises((IllFormed, BrokenChain)):
        check(with_chain(derivation, at, replace(derivation.adjoints[at], indices=(shorter,))))


def test_an_empty_chain_proves_nothing() -> None:
    derivation = derived()
    chain = derivation.adjoints[0]
    with pytest.raises(BrokenChain):
        check(with_chain(derivation, 0, replace(chain, steps=(), closed=chain.left)))


def test_an_equation_may_not_be_used_before_it_is_derived() -> None:
    derivation = derived()
    u, x = position(derivation, T["u"]), position(derivation, X)
    assert u < x
    chains = list(derivation.adjoints)
    chains[u], chains[x] = chains[x], chains[u]
    assert not accepted(Derivation(GRAPH, tuple(chains)))


# --- Captured and shadowed names --------------------------------------------------------------


def test_a_row_sum_does_not_turn_into_a_trace_between_two_steps() -> None:
    """Once: the two trees were taken for equal, so the chain seemed to meet."""
    (v,) = new(UNITS)
    derivation = derived()
    chain = derivation.adjoints[0]
    (i,) = (u for index in chain.indices for u in index.variables)
    row_sum, total = Sum(v, A[v, i]), Sum(i, A[i, i])
    target = chain.steps[-1]
    steps = (
        *chain.steps[:-1],
        Step(target.left, mul(ONE, target.right) * row_sum / row_sum, "collect", ""),
        Step(target.right * total / total, target.right, "collect", ""),
    )
    with pytest.raises(IllFormed, match="bound twice"):
        check(with_chain(derivation, 0, replace(chain, steps=steps)))


def test_both_sides_of_a_statement_may_use_one_name_in_two_ways() -> None:
    """Once: v is bound on the left and free on the right, and only sampling saw it."""
    from symderiv.proof.decide import same_normal_form

    v, w = new(UNITS, UNITS)
    left, right = Sum(v, A[v, v] * X[v]), Sum(w, A[w, v] * X[w])
    assert not same_normal_form(left, right)
    assert decide(left, right).status is Status.REFUTED


def test_a_derivative_under_a_sum_of_the_same_name() -> None:
    """Once: ∂(Σ_v x[v] a[v,v])/∂x[v] captured its v. Now an index cannot be bound and free."""
    (v,) = new(UNITS)
    derivation = derived()
    at = position(derivation, X)
    chain = derivation.adjoints[at]
    (i,) = (u for index in chain.indices for u in index.variables)
    captured = Partial(Sum(i, X[i] * A[i, i]), X[i])
    for value in (A[i, i], Sum(v, A[v, v])):
        wrong = chain.closed + captured - value
        longer = Step(chain.closed, wrong, "derivative", "")
        step = replace(chain, steps=(*chain.steps, longer), closed=wrong)
        with pytest.raises(IllFormed, match="bound twice"):
            check(with_chain(derivation, at, step))


def test_the_derivative_of_an_entry_by_itself_is_not_zero() -> None:
    """Once: ∂u[i]/∂u[i] stood for the derivative of the equation of u, which is 0."""
    derivation = derived()
    at = position(derivation, T["u"])
    chain = derivation.adjoints[at]
    (i,) = chain.indices
    wrong = chain.closed + Partial(T["u"][i], T["u"][i])
    longer = Step(chain.closed, wrong, "derivative", "")
    step = replace(chain, steps=(*chain.steps, longer), closed=wrong)
    verdict = check(with_chain(derivation, at, step)).chains[at].verdicts[-1]
    assert verdict.status is Status.UNDECIDED


# --- Facts ------------------------------------------------------------------------------------


def with_fact(fact: Fact, formula: Expr | Callable[[Index], Expr], after: Expr) -> Verdict:
    """The verdict on a step of the chain of x[i] that replaces a formula (in i) by ``after``."""
    derivation = derived()
    at = position(derivation, X)
    chain = derivation.adjoints[at]
    before = formula if isinstance(formula, Expr) else formula(chain.indices[0])
    added = chain.closed + before - before
    steps = (
        *chain.steps,
        Step(chain.closed, added, "collect", ""),
        Step(added, chain.closed + after - before, "reduction", "", (fact,)),
    )
    longer = replace(chain, steps=steps, closed=steps[-1].right)
    return check(with_chain(derivation, at, longer)).chains[at].verdicts[-1]


def test_a_fact_that_nobody_declared_is_no_premise() -> None:
    fact = Fact(Sum(K, X[K]), ONE, "the inputs sum to 1")
    assert with_fact(fact, Sum(J, X[J]), ONE).status is Status.UNDECIDED


def test_a_value_that_a_sum_does_not_have_is_no_premise() -> None:
    fact = Fact(Sum(K, X[K]), ONE, "found", assumed=False)
    assert with_fact(fact, Sum(J, X[J]), ONE).status is not Status.PROVED


def test_a_fact_about_indices_in_range_says_nothing_beyond() -> None:
    """Once: Σ_j [j = i] = 1 holds for i up to n, and was used at i + 1."""
    (i,) = new(UNITS)
    fact = Fact(trace(ONE, J, i), ONE, "one term is left", (i,), assumed=False)
    verdict = with_fact(fact, lambda index: Sum(J, Delta(as_index(J), index + 1)), ONE)
    assert verdict.status is not Status.PROVED


def test_an_index_that_nobody_named_is_refused() -> None:
    """Once: σ(w) was found as a[i] with an i of its own, and the step was proved for every i."""
    derivation = derived()
    chain = derivation.adjoints[0]
    wrong = chain.closed * X[K] / X[K]
    longer = Step(chain.closed, wrong, "collect", "")
    with pytest.raises(IllFormed, match="what an index is"):
        check(with_chain(derivation, 0, replace(chain, steps=(*chain.steps, longer), closed=wrong)))


def test_a_fact_about_rows_says_nothing_of_the_diagonal() -> None:
    """Once: Σ_k A[k,i] = s[i] matched Σ_w A[w,w], and w was left without its sum."""
    b = Builder("single")
    y = b.tensor("y", (UNITS, UNITS), Role.TARGET)
    w, c = b.tensor("w", (), Role.PARAMETER), b.tensor("C", (), Role.COST)
    k, i, j = new(UNITS, UNITS, UNITS)
    b.assume(Sum(k, y[k, i]), ONE, "columns sum to 1", i)
    b.define(c, (), w[()] * Sum(j, y[j, j]))
    derivation = backprop(b.graph(c), [w])
    chain = derivation.adjoints[-1]
    wrong = Step(chain.closed, ONE, "reduction", "", (b.facts[0],))
    longer = replace(chain, steps=(*chain.steps, wrong), closed=ONE)
    verdict = check(with_chain(derivation, len(derivation.adjoints) - 1, longer))
    assert verdict.chains[-1].verdicts[-1].status is not Status.PROVED


def test_a_declared_fact_does_not_rest_on_the_equations_of_what_it_is_about() -> None:
    """Σ_k p[k] = 1 is declared of a p that is computed: the step may use the fact, and only it."""
    b = Builder("single")
    x, p = b.tensor("x", (UNITS,), Role.INPUT), b.tensor("p", (UNITS,))
    w, c = b.tensor("w", (), Role.PARAMETER), b.tensor("C", (), Role.COST)
    k, i, j = new(UNITS, UNITS, UNITS)
    b.define(p, (i,), x[i] ** 2)
    b.assume(Sum(k, p[k]), ONE, "p sums to 1")
    b.define(c, (), w[()] * Sum(j, p[j]))
    derivation = backprop(b.graph(c), [w])
    chain = derivation.adjoints[-1]
    assert chain.closed == ONE and chain.steps[-1].premises == (b.facts[0],)
    checked = check(derivation)
    assert checked.chains[-1].verdicts[-1].status is Status.PROVED
    assert checked.assumptions == (b.facts[0],)


# --- Graphs that say nothing ------------------------------------------------------------------


def graph_of(*equations: tuple[Tensor, Iterable[Any], Expr], cost: Tensor) -> Graph:
    b = Builder("single")
    for target, indices, body in equations:
        b.define(target, indices, body)
    return b.graph(cost)


def refused(graph: Graph) -> str:
    with pytest.raises(IllFormed) as caught:
        check(Derivation(graph, ()))
    return str(caught.value)


def test_ill_formed_graphs_are_refused() -> None:
    b = Builder("single")
    u, v = b.tensor("u", (UNITS,)), b.tensor("v", (UNITS,))
    m = b.tensor("M", (UNITS, UNITS))
    c = b.tensor("C", (), Role.COST)
    i, j = new(UNITS, UNITS)
    short = fresh(Axis("unit", UNITS.stop - 1))
    cost = (c, (), sum_over(j, u[j]))
    assert "two equations" in refused(graph_of((u, (i,), X[i]), (u, (j,), ONE), cost, cost=c))
    assert "whole axis" in refused(graph_of((u, (short,), X[short]), cost, cost=c))
    assert "too early" in refused(graph_of((v, (i,), u[i]), (u, (j,), v[j]), cost, cost=c))
    assert "too early" in refused(graph_of((u, (i,), u[i]), cost, cost=c))
    assert "index" in refused(graph_of((u, (i,), X[j]), cost, cost=c))
    assert "twice" in refused(graph_of((m, (i, i), X[i]), (c, (), m[1, 1]), cost=c))
    twin = b.tensor("u", (UNITS,), Role.INPUT)
    assert "called u" in refused(graph_of((u, (i,), twin[i]), cost, cost=c))


def test_a_recurrence_may_not_look_ahead() -> None:
    b = Builder("single")
    time = b.axis("time", "T", ordered=True)
    (t,) = b.over(time)
    h, c = b.tensor("h", (), family=t), b.tensor("C", (), Role.COST)
    b.recurrence(t, lambda: b.define(h, (t,), h[as_index(t) + 1]) and None)
    b.define(c, (), h[1])
    assert "too early" in refused(b.graph(c))


# --- The seal ---------------------------------------------------------------------------------


def test_only_check_makes_a_checked_derivation() -> None:
    good, bad = check(derived()), derive(NETWORKS["2-1:sigmoid+bce"]())
    parts = (bad, good.chains, good.lemmas, good.assumptions)
    for seal in (None, object(), good.seal):
        with pytest.raises(TypeError):
            CheckedDerivation(*parts, seal)
    with pytest.raises(TypeError):
        replace(good, derivation=bad)
    with pytest.raises(TypeError):
        replace(good, chains=good.chains[:1])


def test_a_chain_that_ends_elsewhere_is_broken() -> None:
    derivation = derived()
    chain: Adjoint = derivation.adjoints[0]
    for closed in (ZERO, chain.closed * 2, chain.steps[0].right):
        with pytest.raises(BrokenChain):
            check(with_chain(derivation, 0, replace(chain, closed=closed)))


# --- Premises that are not there --------------------------------------------------------------


def test_an_input_has_no_equation() -> None:
    derivation = derived()
    chain = derivation.adjoints[0]
    premises: tuple[Premise, ...] = (Uses(X),)
    step = Step(chain.closed, chain.closed * X[1] / X[1], "insert", "", premises)
    longer = replace(chain, steps=(*chain.steps, step), closed=step.right)
    assert check(with_chain(derivation, 0, longer)).chains[0].verdicts[-1].status is (
        Status.UNDECIDED
    )


def test_written_out_products_and_powers_are_read_as_they_stand() -> None:
    assert decide(Mul((X[I], Pow(add(X[I], X[J]), 2))), X[I] * (X[I] + X[J]) ** 2).status is (
        Status.PROVED
    )
    assert decide(Pow(Pow(X[I], 2), 3), X[I] ** 8).status is Status.REFUTED

"""Attempts by steps that are true alone, sums bound again inside, ranges, and domains of lemmas.

Each had something false called proved, once.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from symderiv.algebra.binding import replace_accesses, replace_where
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
    Partial,
    Pow,
    Role,
    SizeOf,
    Sum,
    Tensor,
    apply,
    mul,
    sum_over,
)
from symderiv.algebra.index import Axis, Index, Size, Var, as_index, fresh
from symderiv.algebra.matching import match
from symderiv.algebra.normal import normal
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.conditions import conditions
from symderiv.calculus.functions import VectorFunction, rows, scalar, symbols
from symderiv.calculus.graph import Definition, Fact, Graph
from symderiv.calculus.steps import Adjoint, Derivation, Lemma, Premise, Step, Uses
from symderiv.proof.check import UNSAID
from symderiv.proof.counting import zero_at_all_sizes
from symderiv.proof.decide import NOWHERE, Statement, Worlds, same_normal_form, sample
from symderiv.proof.premises import apply_fact, lemma_verdict
from symderiv.proof.verdict import Status
from symderiv.proof.wellformed import IllFormed
from tests.proof.by_steps import check
from tests.proof.test_red_team_kernel import N, adjoint, step

HIDDEN = SizeOf(N.stop) - 3  # is 0 at the first size that is tried
SHORT = Axis("unit", N.stop - 1)
VECTOR, WEIGHTS = Tensor("x", (fresh(N),), Role.INPUT), Tensor("g", (fresh(N),), Role.INPUT)
SCALAR = Tensor("s", (), Role.INPUT)[()]
Z, VALUE = Tensor("z")[()], Tensor("value")[()]
Claim = tuple[Callable[..., Expr], tuple[Premise, ...]]


def positive(e: Expr) -> Expr:
    return apply("positive", e)


def all_proved(derivation: Derivation) -> bool:
    verdicts = (v for chain in check(derivation).chains for v in chain.verdicts)
    return all(v.status is Status.PROVED for v in verdicts)


def by_factor(b: Builder, true: Expr, *claims: tuple[Expr, tuple[Premise, ...]]) -> Derivation:
    """C = w · true, so ∂C/∂w = true; then the claims."""
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(c, [], w[()] * true)
    dw = adjoint(w, c)
    steps = [step(dw[()], true)]
    for claim, premises in claims:
        steps.append(step(steps[-1].right, claim, *premises))
    return Derivation(b.graph(c), (Adjoint(dw, (), tuple(steps), steps[-1].right),))


def jacobian(
    true: Callable[..., Expr],
    *claims: Callable[..., Expr],
    axes: tuple[Axis, ...],
    extra: Expr = ZERO,
) -> Derivation:
    """C[i, …] = w · true(i, …), so ∂C[i, …]/∂w = true(i, …); then the claims."""
    slots = tuple(map(fresh, axes))
    w, c = Tensor("w", (), Role.PARAMETER), Tensor("C", slots, Role.COST)
    i = c.fresh_indices()
    definition = Definition(c, tuple(map(as_index, i)), w[()] * true(*i) + extra)
    dw = Tensor("dw", slots, Role.ADJOINT, "w", None, w, c)
    j = c.fresh_indices()
    steps: list[Step] = []
    for claim in (true, *claims):
        steps.append(step(steps[-1].right if steps else dw[j], claim(*j)))
    chain = Adjoint(dw, tuple(map(as_index, j)), tuple(steps), steps[-1].right)
    return Derivation(Graph((definition,), c), (chain,))


# --- Sums ---------------------------------------------------------------------------------------


def test_a_delta_that_is_solved_moves_with_the_range_of_its_index() -> None:
    """Σ_k Σ_{l≤k} [k = j] [2l = i] x[l] is no Σ_{l≤j} x[l]: the index l is another when k is j."""
    k = fresh(N, "k")
    l, q = (fresh(Axis("unit", as_index(k)), name) for name in "lq")

    def true(i: Var, j: Var) -> Expr:
        picked = Mul((Delta(as_index(k), as_index(j)), Delta(l * 2, as_index(i)), VECTOR[l]))
        return HIDDEN * SizeOf(as_index(j)) * Sum(k, Sum(l, picked))

    def claim(i: Var, j: Var) -> Expr:
        deltas = (Delta(l * 2, as_index(i)), Delta(as_index(k), as_index(j)))
        return HIDDEN * Sum(k, Sum(l, Mul((*deltas, Sum(q, VECTOR[q])))))

    i, j = fresh(N, "i"), fresh(N, "j")
    assert normal(true(i, j)).key != normal(claim(i, j)).key
    assert not all_proved(jacobian(true, claim, axes=(N, N)))


def test_a_sum_inside_a_sum_over_the_same_index_has_a_name_of_its_own() -> None:
    """(Σ_k g[k]) (Σ_m σ(Σ_k y[k,m] σ(Σ_q x[k,q] z[m]))): a product binds the inner k below k."""
    y, x = (Tensor(name, (fresh(N), fresh(N)), Role.INPUT) for name in "yx")
    z = Tensor("z", (fresh(N),), Role.INPUT)
    k, m, q = (fresh(N, name) for name in "kmq")

    def nested(inner: Expr) -> Expr:
        deepest = apply("sigmoid", Sum(q, inner * z[m]))
        return Mul((Sum(k, WEIGHTS[k]), Sum(m, apply("sigmoid", Sum(k, y[k, m] * deepest)))))

    true, claim = nested(x[k, q]), nested(x[q, q])
    assert normal(true).key != normal(claim).key
    assert not all_proved(by_factor(Builder(), HIDDEN * true, (HIDDEN * claim, ())))


def test_an_index_is_not_bound_again_while_a_range_speaks_of_it() -> None:
    """i runs up to k; Σ_k g[k] Σ_{r≤k} [r = i] would be read as if i ≤ k for every k."""
    slot = fresh(N, "k")
    inner = fresh(Axis("unit", as_index(slot)), "i")
    w, c = Tensor("w", (), Role.PARAMETER), Tensor("C", (slot, inner), Role.COST)

    def tail(q: Var, i: Var) -> Expr:
        r = fresh(Axis("unit", as_index(q)), "r")
        return HIDDEN * Sum(q, WEIGHTS[q] * Sum(r, Delta(as_index(r), as_index(i))))

    a, i = c.fresh_indices()
    definition = Definition(c, (as_index(a), as_index(i)), w[()] * tail(fresh(N), i))
    dw = Tensor("dw", (slot, inner), Role.ADJOINT, "w", None, w, c)
    k = fresh(N, "k")
    j = fresh(Axis("unit", as_index(k)), "i")
    honest, captured = tail(fresh(N), j), tail(k, j)
    q = fresh(N)
    claim = HIDDEN * Sum(q, WEIGHTS[q])
    for steps in (
        (step(dw[k, j], honest), step(captured, claim)),
        (step(dw[k, j], honest),),
    ):
        chain = Adjoint(dw, (as_index(k), as_index(j)), steps, steps[-1].right)
        derivation = Derivation(Graph((definition,), c), (chain,))
        if len(steps) == 1:  # what is true of a range that depends on an index is judged
            assert all_proved(derivation)
        else:
            with pytest.raises(IllFormed, match="bound twice"):
                check(derivation)


# --- Facts --------------------------------------------------------------------------------------


def test_a_fact_is_matched_with_one_value_of_its_index() -> None:
    """That Σ_k x[i+1,k] y[i,k] = 1 for every i says nothing of x[i+1,k] y[j,k]."""
    x, y = (Tensor(name, (fresh(N), fresh(N)), Role.INPUT) for name in "xy")
    i, j, k, q = fresh(SHORT, "i"), fresh(SHORT, "j"), fresh(N), fresh(N)

    def product(i: Var, j: Var, k: Var) -> Expr:
        return Sum(k, Mul((x[i + 1, k], y[j, k])))

    fact = Fact(product(i, i, k), ONE, "sum_k x[i+1,k] y[i,k] = 1", (i,))
    b = Builder()
    b.facts.append(fact)
    w, c = b.tensor("w", [SHORT, SHORT], Role.PARAMETER), b.tensor("C", [], Role.COST)
    r, s = b.over(SHORT, SHORT)
    b.define(c, [], sum_over((r, s), w[r, s] * (HIDDEN * product(r, s, q))))
    dw = adjoint(w, c)
    true = HIDDEN * product(i, j, fresh(N))
    steps = (step(dw[i, j], true), step(true, HIDDEN, fact))
    chain = Adjoint(dw, (as_index(i), as_index(j)), steps, HIDDEN)
    assert not all_proved(Derivation(b.graph(c), (chain,)))
    assert match(x[i + 1, i], x[i + 1, j], (i,)) is None
    assert match(x[i * 2, i], x[i * 2, j], (i,)) is None
    assert match(x[i + 1, i], x[j + 1, j], (i,)) == {i: as_index(j)}


def test_the_value_of_a_sum_stays_inside_the_sum_that_its_range_depends_on() -> None:
    """Σ_u g[u] Σ_{v≤u} p[v] with Σ_{v≤f} p[v] = f s is Σ_u g[u] u s, and no (Σ_u g[u]) j s."""
    b = Builder()
    p = b.tensor("p", [N])
    (i,) = b.over(N)
    b.define(p, [i], SCALAR)
    end, j, q = fresh(N, "f"), fresh(N, "j"), fresh(N)

    def prefix(stop: Var) -> Expr:
        v = fresh(Axis("unit", as_index(stop)), "v")
        return Sum(v, p[v])

    def true(u: Var) -> Expr:
        return HIDDEN * Sum(u, WEIGHTS[u] * prefix(u))

    fact = Fact(prefix(end), SizeOf(as_index(end)) * SCALAR, "found", (end,), assumed=False)
    w, c = b.tensor("w", [N], Role.PARAMETER), b.tensor("C", [], Role.COST)
    (a,) = b.over(N)
    b.define(c, [], Sum(a, w[a] * true(fresh(N))))
    dw = adjoint(w, c)
    claim = HIDDEN * Sum(q, WEIGHTS[q]) * SizeOf(as_index(j)) * SCALAR
    steps = (step(dw[j], true(fresh(N))), step(true(fresh(N)), claim, fact))
    assert not all_proved(Derivation(b.graph(c), (Adjoint(dw, (as_index(j),), steps, claim),)))
    with pytest.raises(IllFormed, match="bound twice"):  # that j is the index of the derivative
        steps = (steps[0], step(true(j), claim, fact))
        check(Derivation(b.graph(c), (Adjoint(dw, (as_index(j),), steps, claim),)))


def test_a_fact_about_no_index_at_all_says_nothing() -> None:
    """For every i < n: Σ_k (y[k] + z[i] − z[i]) = 1. With n = 1 there is no such i."""
    y, z = (Tensor(name, (fresh(N),), Role.INPUT) for name in "yz")
    i, k, q, r = fresh(SHORT, "i"), fresh(N), fresh(N), fresh(N)
    fact = Fact(Sum(k, Add((y[k], z[i], -1 * z[i]))), ONE, "sum_k (y[k] + z[i] - z[i]) = 1", (i,))
    b = Builder()
    b.facts.append(fact)
    true = HIDDEN * Sum(q, y[q])
    b.define(b.tensor("t", []), [], Sum(r, z[r]))
    assert not all_proved(by_factor(b, true, (HIDDEN, (fact,))))


def test_a_fact_for_every_index_is_a_fact_where_there_is_one() -> None:
    """For every i: Σ_k (y[k] + z[i] − z[i]) = 1. There is a first one, whatever n is."""
    y, z = (Tensor(name, (fresh(N),), Role.INPUT) for name in "yz")
    i, k, q, r = fresh(N, "i"), fresh(N), fresh(N), fresh(N)
    fact = Fact(Sum(k, Add((y[k], z[i], -1 * z[i]))), ONE, "sum_k (y[k] + z[i] - z[i]) = 1", (i,))
    plain = Fact(Sum(k, y[k]), ONE, "sum_k y[k] = 1", ())
    b = Builder()
    b.facts += [fact, plain]
    b.define(b.tensor("t", []), [], Sum(r, z[r]))
    assert all_proved(by_factor(b, SCALAR * Sum(q, y[q]), (SCALAR, (plain,))))
    known = apply_fact(SCALAR * Sum(q, y[q]), fact)
    assert normal(known).key == normal(SCALAR).key


@pytest.mark.parametrize("shared", [True, False])
def test_the_last_entry_is_what_the_others_leave_where_it_tells_of_which(shared: bool) -> None:
    """y[i] + x[i+1,i] = 1 tells x[3,2] = 1 − y[2]; y[j] + x[i+1,i] = 1 does not tell of which j."""
    x, y = Tensor("x", (fresh(N), fresh(N)), Role.INPUT), Tensor("y", (fresh(N),), Role.INPUT)
    i, j, a = fresh(SHORT, "i"), fresh(SHORT, "j"), fresh(SHORT, "a")
    rest = y[i] if shared else y[j]
    fact = Fact(Add((rest, x[i + 1, i])), ONE, "", (i,) if shared else (i, j))
    graph = Graph((), Tensor("C"), facts=(fact,))
    statement = Statement(x[a + 1, a], 1 - y[a], Worlds(graph), facts=(fact,))
    assert sample(statement, {}).differs is not shared
    free = Fact(Add((x[i + 1, i], y[i])), SizeOf(as_index(j)), "", (i, j))
    statement = Statement(y[a], ONE, Worlds(graph), facts=(free,))
    assert sample(statement, {}).differs


# --- Lemmas -------------------------------------------------------------------------------------

LOG = Lemma("log", 0, (Z,), VALUE, Pow(Z, -1))
ROOT = Lemma("log", 0, (Z,), VALUE, Pow(apply("sqrt", Pow(Z, 2)), -1))  # the same where z > 0


def test_two_lemmas_that_differ_off_the_domain_are_not_played_off_there() -> None:
    """√x² = 1/log′(x) = x, if nobody asks whether x > 0."""
    assert lemma_verdict(LOG).status is Status.PROVED
    x = Tensor("x", (), Role.INPUT)[()]
    slope = Apply("log", (x,), (1,))
    for lemma in (ROOT, Lemma("log", 0, (Z,), VALUE, Pow(apply("abs", Z), -1))):
        assert lemma_verdict(lemma).status is Status.UNDECIDED
        true = replace_accesses(Pow(lemma.stated, -1), {Z: x}.get)
        b = Builder()
        b.define(b.tensor("t", []), [], positive(x) * apply("log", x))  # asks nothing of x
        assert not all_proved(by_factor(b, true, (Pow(slope, -1), (lemma,)), (x, (LOG,))))


def test_a_stated_derivative_has_no_roots_of_its_own() -> None:
    """e^z √z²√(1+z²)/(√(z+z³)√z) is e^z where z > 0, and nothing where z < 0."""
    root, long = apply("sqrt", Pow(Z, 2)), apply("sqrt", Z + Pow(Z, 3))
    above, below = root * apply("sqrt", 1 + Pow(Z, 2)), long * apply("sqrt", Z)
    for stated in (VALUE * above * Pow(below, -1), VALUE * Pow(apply("sqrt", Z), 2) * Pow(Z, -1)):
        assert lemma_verdict(Lemma("exp", 0, (Z,), VALUE, stated)).status is Status.UNDECIDED


SLOPE = scalar("bce").derivatives[0]
assert SLOPE is not None
A, Y = Tensor("a")[()], Tensor("y")[()]
NULL = Add((Pow(apply("sin", Z), 2), Pow(apply("cos", Z), 2), Number.of(-1)))
KINKS: dict[str, tuple[str, int, Expr]] = {
    # 7 more at the hard targets, which are in the domain
    "at the ends": (
        "bce",
        0,
        SLOPE(A, Y, VALUE) + 7 * (1 - positive(Y)) + 7 * (1 - positive(1 - Y)),
    ),
    # 1 more at z = 5, where exp has no kink
    "at a number": ("exp", 0, VALUE + 1 - positive(Z - 5) - positive(5 - Z)),
    # 7 more wherever sin² + cos² − 1 is 0
    "everywhere": ("exp", 0, VALUE + 7 * positive(Z) * (1 - positive(NULL) - positive(-NULL))),
}


@pytest.mark.parametrize("name", KINKS)
def test_a_stated_derivative_has_no_kinks_of_its_own(name: str) -> None:
    function, argument, stated = KINKS[name]
    args = (A, Y) if function == "bce" else (Z,)
    lemma = Lemma(function, argument, args, VALUE, stated)
    assert lemma_verdict(lemma).status is Status.UNDECIDED


CELU = scalar("celu").derivatives[0]
ALPHA = Tensor("alpha")[()]
BRACKETS: dict[str, Lemma] = {
    # 0 at z = 0, where celu has the slope 1
    "celu": Lemma("celu", 0, (Z, ALPHA), VALUE,
                  positive(Z) + positive(-Z) * apply("exp", Z / ALPHA)),
    # 7 more at z = 0, where softsign has the slope 1
    "softsign": Lemma("softsign", 0, (Z,), VALUE,
                      Pow(1 + apply("abs", Z), -2) + 7 * (1 - positive(Z) - positive(-Z))),
}  # fmt: skip


@pytest.mark.parametrize("name", BRACKETS)
def test_a_smooth_function_is_stated_where_its_brackets_change(name: str) -> None:
    assert lemma_verdict(BRACKETS[name]).status is Status.UNDECIDED


def test_a_lemma_for_some_values_is_about_what_is_said_to_have_them() -> None:
    """hinge′ with a target that nobody has said to be 1 or −1: two forms differ at y = 2."""
    row = scalar("hinge")
    (first, *_), args = row.derivatives, symbols(row)
    assert first is not None
    plain = first(*args, VALUE)
    lemmas = [Lemma("hinge", 0, args, VALUE, plain + n * (args[1] ** 2 - 1)) for n in (0, 7)]
    assert lemma_verdict(lemmas[0]).status is Status.PROVED
    assert "brackets" in lemma_verdict(lemmas[1]).method
    a, y = (Tensor(name, (), Role.INPUT)[()] for name in "ay")
    slope = Apply("hinge", (a, y), (1, 0))
    value = replace_accesses(plain, {args[0]: a, args[1]: y}.get)
    steps = ((SCALAR + slope - value, (lemmas[0],)), (SCALAR + 7 * (y**2 - 1), (lemmas[1],)))
    b = Builder()
    b.define(b.tensor("t", []), [], a * y)
    (chain,) = check(by_factor(b, SCALAR, *steps)).chains
    assert chain.verdicts[1].method == UNSAID


def test_a_softmax_sums_over_all_units() -> None:
    """e^z[i]/e^z[1] may be above 1, whatever the lines are called."""
    row = rows()["softmax"]
    assert isinstance(row, VectorFunction)
    b = Builder("single")
    made = {"z": b.tensor("z", [N], Role.PARAMETER)}
    for part in row.parts:
        axis = Axis("unit", Index(1)) if part.kind == "sum" else N
        (v,) = b.over(axis)
        body = part.formula(*(made[n][v] if made[n].slots else made[n][()] for n in part.of))
        target = made[part.name] = b.tensor(part.name, [] if part.kind == "sum" else [N])
        over, value = ([], Sum(v, body)) if part.kind == "sum" else ([v], body)
        b.define(target, over, value, part_of="softmax")
    c = b.tensor("C", [], Role.COST)
    t = b.tensor("t", [N], Role.TARGET)
    (k,) = b.over(N)
    b.define(c, [], Sum(k, apply("ce", made[row.parts[-1].name][k], t[k])))
    asked = {condition.arguments[0] for condition in conditions(b.graph(c))}
    assert any(expr == made[row.parts[-1].name][k] for expr in asked)


# --- Steps together -----------------------------------------------------------------------------


def test_what_has_no_value_between_two_steps_gives_no_proof() -> None:
    """[i = 7] s = [i = 7] s D/D = … = 0 with D = x[i] − x[7]: each step holds where D is not 0."""

    def gap(i: Var) -> Expr:
        return VECTOR[i] - VECTOR[Index(7)]

    def at(i: Var) -> Expr:
        return Delta(as_index(i), Index(7))

    def true(i: Var) -> Expr:
        return Mul((at(i), SCALAR))

    def widened(i: Var) -> Expr:
        return Mul((at(i), SCALAR, gap(i), Pow(gap(i), -1)))

    def apart(i: Var) -> Expr:
        parts = (Mul((at(i), SCALAR, VECTOR[i])), -1 * Mul((at(i), SCALAR, VECTOR[Index(7)])))
        return Mul((Add(parts), Pow(gap(i), -1)))

    k = fresh(N)
    derivation = jacobian(true, widened, apart, lambda i: ZERO, axes=(N,), extra=Sum(k, VECTOR[k]))
    (chain,) = check(derivation).chains
    assert UNSAID in {v.method for v in chain.verdicts}


def divided(*names: str) -> tuple[Builder, dict[str, Tensor]]:
    """a = x, b = x and each of the others a − b, which is 0 whatever x is."""
    b, x = Builder(), Tensor("x", (), Role.INPUT)
    made = {name: b.tensor(name, []) for name in ("a", "b", *names)}
    for name in "ab":
        b.define(made[name], [], x[()])
    for name in names:
        b.define(made[name], [], made["a"][()] - made["b"][()])
    return b, made


def test_nothing_is_divided_by_what_is_0_by_its_equation() -> None:
    """s = s d/d = s e/d = s (a − b)/d = 0, in one chain, or each step in a chain of its own."""
    b, made = divided("d", "e")
    d, e, first, second = (made[name][()] for name in "deab")
    lines = (SCALAR * d / d, SCALAR * e / d, SCALAR * (first - second) / d, ZERO)
    used = ((), ("d", "e"), ("e",), ("a", "b"))
    premises = [tuple(Uses(made[name]) for name in names) for names in used]
    assert not all_proved(by_factor(b, SCALAR, *zip(lines, premises, strict=True)))

    b, made = divided("d", "e")
    before = b.tensor("p", [], Role.PARAMETER)
    for name in ("v", "u", "t"):
        made[name] = b.tensor(name, [])
        b.define(made[name], [], before[()])
        before = made[name]
    c = b.tensor("C", [], Role.COST)
    b.define(c, [], SCALAR * before[()])
    chains: list[Adjoint] = []
    p = next(t for t in b.graph(c).inputs if t.name == "p")
    for of, line, names in zip((*(made[n] for n in "tuv"), p), lines, used, strict=True):
        own = adjoint(of, c)
        uses = [*(chains[-1:] and [Uses(chains[-1].tensor)]), *(Uses(made[n]) for n in names)]
        chains.append(Adjoint(own, (), (step(own[()], line, *uses),), line))
    assert not all_proved(Derivation(b.graph(c), tuple(chains)))


def test_a_chain_has_a_value_somewhere() -> None:
    """With u = s/(2^61 − 1), which the field cannot divide by, nothing would be compared."""
    b, made = divided()
    u = b.tensor("u", [])
    b.define(u, [], SCALAR * Fraction(1, 2**61 - 1))
    one = made["a"][()] / made["a"][()]
    claims = ((SCALAR * one, ()), (SCALAR, ()), (SCALAR, (Uses(u),)))
    (chain,) = check(by_factor(b, (SCALAR + u[()] - u[()]) * one, *claims)).chains
    assert {v.method for v in chain.verdicts} == {NOWHERE}


@pytest.mark.parametrize(
    "hidden", [Bracket(N.stop - 13), Bracket(2 - as_index(N.stop)), ONE], ids=["13", "2", "1"]
)
def test_a_denominator_that_is_0_where_two_indices_are_equal(hidden: Expr) -> None:
    """[i = j] s = [i = j] s D/D = … = 0 with D = x[i] − x[j], behind sizes that are not tried."""

    def gap(i: Var, j: Var) -> Expr:
        return VECTOR[i] - VECTOR[j]

    def true(i: Var, j: Var) -> Expr:
        return Mul((hidden, Delta(as_index(i), as_index(j)), SCALAR))

    def widened(i: Var, j: Var) -> Expr:
        return Mul((*true(i, j).factors, gap(i, j), Pow(gap(i, j), -1)))  # type: ignore[attr-defined]

    def apart(i: Var, j: Var) -> Expr:
        at, bracket = Delta(as_index(i), as_index(j)), hidden
        parts = (Mul((at, SCALAR, VECTOR[i])), -1 * Mul((at, SCALAR, VECTOR[j])))
        return Mul((bracket, Add(parts), Pow(gap(i, j), -1)))

    k = fresh(N)
    lines = (widened, apart, lambda i, j: ZERO)
    assert not all_proved(jacobian(true, *lines, axes=(N, N), extra=Sum(k, VECTOR[k])))


def test_what_divides_beside_a_bracket_that_excludes_its_zeros() -> None:
    """Σ_{i<j} s/(x[i] − x[j]) has a value: where i = j the bracket is 0."""
    b = Builder()
    i, j = fresh(N), fresh(N)
    pair = Mul((Bracket(j - i - 1), Pow(VECTOR[i] - VECTOR[j], -1)))
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(c, [], w[()] * Sum(i, Sum(j, pair)))
    assert all_proved(backprop(b.graph(c), [w]))


def test_a_quotient_is_multiplied_out_where_every_term_is_there() -> None:
    """[i = 20] s is not [i ≥ 21] s (20/(i (i − 20)) − 1/(i − 20) + 1/i), which is 0 there."""
    i = fresh(N, "i")
    n, gap = SizeOf(as_index(i)), SizeOf(i - 20)
    sides = (
        Mul((Delta(as_index(i), Index(20)), SCALAR)),
        Mul((Bracket(i - 21), SCALAR, Add((20 / (n * gap), -1 / gap, 1 / n)))),
    )
    assert same_normal_form(*sides) == ""
    assert same_normal_form(SCALAR * n / n + SCALAR / gap, SCALAR * (gap + 1) / gap)


def test_what_an_empty_sum_divides_by_may_be_0() -> None:
    """Σ_{k=1}^{n−1} s/(n − 1) is s, and 0 where n is 1."""
    m = SizeOf(as_index(Size("m")))
    hidden = (SizeOf(N.stop) - m) * (SizeOf(N.stop) - m - 1)  # 0 in most worlds
    k, whole = fresh(SHORT), fresh(N)
    claim = hidden * Sum(k, SCALAR * Pow(SizeOf(N.stop - 1), -1))
    assert not all_proved(by_factor(Builder(), hidden * SCALAR, (claim, ())))
    claim = hidden * Sum(whole, SCALAR * Pow(SizeOf(N.stop), -1))  # there is always a first one
    assert all_proved(by_factor(Builder(), hidden * SCALAR, (claim, ())))


def test_the_derivative_of_the_cost_means_one_thing() -> None:
    """C = w x + t with t = w y: ∂C/∂w is x + y, and no name for x beside it."""
    b = Builder()
    x, y = (Tensor(name, (), Role.INPUT)[()] for name in "xy")
    w, t, c = b.tensor("w", [], Role.PARAMETER), b.tensor("t", []), b.tensor("C", [], Role.COST)
    b.define(t, [], w[()] * y)
    b.define(c, [], w[()] * x + t[()])
    derivation = backprop(b.graph(c), [w])
    assert all_proved(derivation)
    chain = derivation.adjoints[-1]
    partial = Partial(c[()], w[()])
    longer = (*chain.steps, step(chain.closed, partial + y))
    changed = Adjoint(chain.tensor, chain.indices, longer, partial + y)
    assert not all_proved(Derivation(derivation.graph, (*derivation.adjoints[:-1], changed)))


# --- What is known beside a bracket ---------------------------------------------------------------


def family() -> tuple[Builder, Tensor, Axis, Expr]:
    """h[1] = r and h[l] = 2 s for l = 2…L."""
    long = Axis("time", as_index(Size("L")), Index(1), ordered=True)
    b, h = Builder(), Tensor("h", (fresh(long),))
    b.define(h, [Index(1)], Tensor("r", (), Role.INPUT)[()])
    b.define(h, [fresh(Axis("time", long.stop, Index(2), ordered=True))], 2 * SCALAR)
    return b, h, long, Tensor("g", (fresh(long),), Role.INPUT)[Index(1)]


@pytest.mark.parametrize("beside", [True, False])
def test_an_equation_is_used_beside_the_bracket_that_says_it_is_there(beside: bool) -> None:
    """Σ_k [k ≥ 2] h[k] is Σ_k [k ≥ 2] 2 s, and Σ_k h[k] is not Σ_k 2 s."""
    b, h, long, _ = family()
    k, q = fresh(long), fresh(long)
    known = Bracket(k - 2) if beside else ONE
    true, claim = Sum(k, mul(known, h[k])), Sum(k, mul(known, 2 * SCALAR))
    b.define(b.tensor("t", []), [], Sum(q, h[q]))
    assert all_proved(by_factor(b, true, (claim, (Uses(h),)))) is beside


def test_what_a_bracket_says_of_an_index_it_does_not_say_of_another_of_that_name() -> None:
    """In Σ_k [k ≥ 2] g[k] Σ_m σ(Σ_k h[k] z[m]) nothing is known of the inner k."""
    b, h, long, entry = family()
    y, z = (Tensor(name, (fresh(N),), Role.INPUT) for name in "yz")
    q, m, k = fresh(N), fresh(N), fresh(long)
    b.define(b.tensor("t", []), [], Sum(q, y[q]))
    b.facts.append(Fact(Sum(q, y[q]), ONE, "sum of y is 1", ()))

    def line(inner: Expr) -> Expr:
        outer = Sum(k, Mul((Bracket(k - 2), Access(entry.tensor, (as_index(k),)))))  # type: ignore[attr-defined]
        return Mul((outer, Sum(m, apply("sigmoid", Sum(k, Mul((inner, z[m])))))))

    true, claim = line(h[k]), line(2 * SCALAR)
    assert not all_proved(by_factor(b, true, (claim, (Uses(h), b.facts[0]))))
    found = replace_where(
        Sum(k, Mul((Bracket(k - 2), h[k], Sum(k, h[k])))),
        lambda access, known: SCALAR if known else None,
    )
    assert found == Sum(k, Mul((Bracket(k - 2), SCALAR, Sum(k, h[k]))))


def test_what_is_bound_is_no_index_of_the_equation() -> None:
    """ℓ[e] = Σ_e a[e]² uses all examples, though its index is called as that of ℓ."""
    examples = Axis("example", as_index(Size("m")))
    b = Builder()
    a, ell = b.tensor("a", [examples]), b.tensor("l", [examples], Role.LOSS)
    c, x = b.tensor("C", [], Role.COST), Tensor("X", (fresh(examples),), Role.INPUT)
    e, f, g = b.over(examples, examples, examples)
    b.define(a, [e], x[e] ** 2)
    b.define(ell, [f], Sum(f, a[f] ** 2))
    b.define(c, [], Sum(g, ell[g]))
    with pytest.raises(IllFormed, match="bound twice"):
        check(Derivation(b.graph(c, ell), ()))


def test_a_softmax_is_that_of_its_own_row_and_member() -> None:
    """e[i,j]/Σ_k e[k,k], e[l,k]/s[l − 1] and an e with another first member are none."""
    b = Builder("single")
    z = Tensor("z", (fresh(N), fresh(N)), Role.INPUT)
    e, s, a = b.tensor("e", [N, N]), b.tensor("s", []), b.tensor("a", [N, N])
    i, j, k, p, r, u, v = b.over(N, N, N, N, N, N, N)
    b.define(e, [i, j], apply("exp", z[i, j]), part_of="softmax")
    b.define(s, [], Sum(k, e[k, k]), part_of="softmax")
    b.define(a, [p, r], e[p, r] * Pow(s[()], -1), part_of="softmax")
    c = b.tensor("C", [], Role.COST)
    b.define(c, [], Sum(u, Sum(v, apply("log", 2 - a[u, v]))))
    assert "log" in {condition.function for condition in conditions(b.graph(c))}

    long = Axis("time", as_index(Size("L")), Index(0), ordered=True)
    later = Axis("time", long.stop, Index(1), ordered=True)
    for shift, first in ((1, False), (0, True)):
        b = Builder("single")
        z = Tensor("z", (fresh(long), fresh(N)), Role.INPUT)
        e, s, a = b.tensor("e", [long, N]), b.tensor("s", [long]), b.tensor("a", [long, N])
        l, i, m, k, q, r, t, u = b.over(later if first else long, N, long, N, later, N, later, N)
        if first:
            (o,) = b.over(N)
            b.define(e, [Index(0), o], Tensor("x", (fresh(N),), Role.INPUT)[o])
        b.define(e, [l, i], apply("exp", z[l, i]), part_of="softmax")
        b.define(s, [m], Sum(k, e[m, k]), part_of="softmax")
        b.define(a, [q, r], e[q, r] * Pow(s[q - shift], -1), part_of="softmax")
        c = b.tensor("C", [], Role.COST)
        b.define(c, [], Sum(t, Sum(u, apply("log", 2 - a[t, u]))))
        assert "log" in {condition.function for condition in conditions(b.graph(c))}


def test_functions_have_as_many_arguments_as_they_have() -> None:
    x, y = (Tensor(name, (), Role.INPUT)[()] for name in "xy")
    pair = Apply("exp", (x, y), (0, 0))
    with pytest.raises(IllFormed, match="exp has 1 arguments"):
        check(by_factor(Builder(), pair, (Apply("exp", (x, x), (0, 0)), ())))


def test_a_sum_that_brackets_make_0_is_0() -> None:
    """Σ_{k≥j} i [k = i] [k = j − 1] (x[1] − 1), where j is i. Once a crash: no term is left."""
    i = fresh(N, "i")
    j = fresh(Axis("unit", as_index(i), as_index(i)), "j")
    k = fresh(Axis("unit", N.stop, as_index(j)), "k")
    deltas = (Delta(as_index(k), as_index(i)), Delta(j - 1, as_index(k)))
    nothing = Sum(k, Mul((SizeOf(as_index(i)), *deltas)))
    assert normal(Mul((nothing, VECTOR[Index(1)] - 1))).is_zero
    with pytest.raises(ZeroDivisionError):
        normal(Mul((Pow(nothing, -1), VECTOR[Index(1)] - 1)))


@pytest.mark.parametrize("wrong", [Bracket(N.stop - 7), SizeOf(N.stop) - 3, SizeOf(N.stop) - 9])
def test_sizes_are_tried_beyond_the_numbers_that_are_compared(wrong: Expr) -> None:
    i, j = fresh(N), fresh(N)
    statement = Statement(wrong * VECTOR[i], wrong * VECTOR[j], Worlds(Graph((), Tensor("C"))))
    assert sample(statement, {}, 1, statement.further_worlds).differs


def test_counting_takes_the_axes_of_the_tensors_of_a_statement() -> None:
    """x along n + m, where a form was made, and kept, for an x along n and another along m."""
    m = Axis("unit", as_index(Size("m")))
    long = Tensor("x", (fresh(Axis("unit", N.stop + m.stop)),), Role.INPUT, "x")
    one, other = (Tensor("x", (fresh(axis),), Role.INPUT, "x") for axis in (N, m))
    i, j, n = fresh(N), fresh(m), SizeOf(N.stop)
    hidden = (n - 3) * (n - 4) * (n - 5) * (n - 6)
    kept = normal(hidden * (one[i] - other[j])).expr()
    assert kept == normal(hidden * (long[i] - long[j])).expr()  # names are all that is compared
    assert zero_at_all_sizes(kept, ZERO, tensors=[long]) == ("", None)


def test_what_grows_without_end_is_given_up() -> None:
    """A fact about itself, 30 equations that use the one before twice, a lemma of a high degree."""
    b = Builder("single")
    y, s = b.tensor("y", [N], Role.INPUT), SCALAR
    k, l, m = b.over(N, N, N)
    fact = Fact(Sum(l, y[l]), Sum(l, y[l]), "found", (), assumed=False)
    whole = s * Sum(m, y[m])
    b.define(b.tensor("p", []), [], Sum(k, y[k]))
    assert not all_proved(by_factor(b, whole, (whole, (fact,))))

    b, before = Builder(), SCALAR
    doubled = []
    for n in range(30):
        doubled.append(b.tensor(f"t{n}", []))
        b.define(doubled[-1], [], apply("sin", before) + apply("cos", before))
        before = doubled[-1][()]
    uses = tuple(map(Uses, doubled))
    assert not all_proved(by_factor(b, before, (before * 1, uses), (before + 0, uses)))

    high = VALUE + positive((1 + Z) ** 9999) - positive((1 + Z) ** 9999)
    assert lemma_verdict(Lemma("exp", 0, (Z,), VALUE, high)).status is Status.UNDECIDED

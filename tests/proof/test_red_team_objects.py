"""What objects built by hand may say of themselves: equations, lemmas, facts, sizes of trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction

import pytest

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
    Select,
    SizeOf,
    Sum,
    Tensor,
    apply,
    children,
    mul,
    sum_over,
    with_parts,
)
from symderiv.algebra.index import Axis, Index, Size, Var, as_index, fresh
from symderiv.calculus.builder import Builder
from symderiv.calculus.conditions import Condition, conditions
from symderiv.calculus.functions import POSITIVE, Domain
from symderiv.calculus.graph import Definition, Fact, Graph, Recurrence
from symderiv.calculus.steps import Adjoint, Derivation, Lemma, Step, Uses
from symderiv.proof.check import BrokenChain, Judge
from symderiv.proof.defined import TRIED, Granted
from symderiv.proof.needs import needs
from symderiv.proof.premises import lemma_verdict
from symderiv.proof.verdict import Status
from symderiv.proof.wellformed import IllFormed
from tests.proof.by_steps import check
from tests.proof.test_defined import log
from tests.proof.test_red_team_kernel import N, adjoint, step
from tests.proof.test_red_team_together import (
    LOG,
    SCALAR,
    VALUE,
    Z,
    all_proved,
    by_factor,
    jacobian,
)

LONG = Axis("unit", N.stop + 40)
TIME = Axis("time", as_index(Size("T")), ordered=True)
X = Tensor("x", (), Role.INPUT)[()]
T_FROM_2 = Axis("time", TIME.stop, Index(2), ordered=True)
LONG_TIME = Axis("time", Index(5000), ordered=True)
FAMILY = Tensor("h", (fresh(LONG_TIME),))
PLACE = fresh(N, "k")


def statuses(derivation: Derivation) -> list[Status]:
    return [v.status for v in check(derivation).chains[-1].verdicts]


def chain(of: Access, *lines: Expr | tuple[Expr, Uses | Lemma | Fact]) -> Adjoint:
    """A chain of these lines, some with a premise."""
    steps: list[Step] = []
    here: Expr = of
    for line in lines:
        right, *premises = line if isinstance(line, tuple) else (line,)
        steps.append(step(here, right, *premises))
        here = right
    return Adjoint(of.tensor, of.indices, tuple(steps), here)


# --- What a line needs --------------------------------------------------------------------------


def test_bound_indices_of_what_is_granted_are_its_own() -> None:
    """Σ_p Σ_k [p + k ≤ 40]/(x[p] − x[40]) says nothing of x[40] − x[40]; the chain is about k."""
    x = Tensor("x", (fresh(LONG),), Role.INPUT)
    b = Builder("single")
    p = fresh(N, "p")

    def gap(i: Var) -> Expr:
        return x[i] - x[40]

    below = Mul((Bracket(40 - as_index(p) - PLACE), Pow(gap(p), -1)))
    b.define(b.tensor("t", []), [], Sum(p, Sum(PLACE, below)))
    slot, i = fresh(N), fresh(N)
    w, c = Tensor("w", (), Role.PARAMETER), Tensor("C", (slot,), Role.COST)
    only = Delta(as_index(i), Index(40))
    cost = Definition(c, (as_index(i),), w[()] * only * SCALAR)
    dw = Tensor("dw", (slot,), Role.ADJOINT, "w", None, w, c)
    here = Delta(as_index(PLACE), Index(40))
    line = Mul((here, here, SCALAR, gap(PLACE), Pow(gap(PLACE), -1)))
    last = chain(dw[PLACE], here * SCALAR, line)
    found = statuses(Derivation(Graph((*b.blocks, cost), c), (last,)))
    assert found == [Status.PROVED, Status.UNDECIDED]


def test_an_adjoint_below_a_line_is_not_0() -> None:
    """1/(∂C/∂g) beside a derivative that is 0: the line has no value where ∂C/∂g = 2 g s is 0."""
    b = Builder("single")
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    v, g = b.tensor("v", [N], Role.PARAMETER), b.tensor("g", [], Role.PARAMETER)
    u, k = b.tensor("u", []), fresh(N)
    b.define(u, [], Select(Index(1), k, v[k]))
    b.define(c, [], w[()] * X + g[()] ** 2 * SCALAR + u[()])
    dg, dw = adjoint(g, c), adjoint(w, c)
    idle = Mul((Pow(dg[()], -1), Partial(u[()], v[1])))
    chains = (chain(dg[()], 2 * g[()] * SCALAR), chain(dw[()], X, X + idle))
    assert statuses(Derivation(b.graph(c), chains)) == [Status.PROVED, Status.UNDECIDED]


def test_what_must_have_a_value_stays_what_it_is() -> None:
    """log′(1/x) is x by a lemma; where x < 0 there is an x and no log′(1/x)."""
    b = Builder("single")
    b.define(b.tensor("t", []), [], Pow(X, -1))
    slope = apply("log", Pow(X, -1), orders=(1,))
    assert not all_proved(by_factor(b, SCALAR, (SCALAR + slope - slope, (LOG,))))


def test_an_entry_out_of_its_axis_is_not_there_by_its_equation() -> None:
    b = Builder("single")
    y, k = b.tensor("y", [N]), fresh(N)
    b.define(y, [k], X)
    w, c = b.tensor("w", [N], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(c, [], Sum(k, w[k] * SCALAR * y[k]))
    for place, proved in ((PLACE - 1, False), (as_index(PLACE), True)):
        line = SCALAR * X + y[place] - y[place]
        last = chain(adjoint(w, c)[PLACE], SCALAR * y[PLACE], (line, Uses(y)))
        assert (statuses(Derivation(b.graph(c), (last,)))[1] is Status.PROVED) is proved


def test_a_derivative_at_a_jump_exists_by_no_closed_form() -> None:
    """C = w x + v s + [v > 0] has no ∂C/∂v at v = 0, although it is s elsewhere."""
    b = Builder("single")
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    v = b.tensor("v", [], Role.PARAMETER)
    b.define(c, [], w[()] * X + v[()] * SCALAR + apply("positive", v[()]))
    dv, dw = adjoint(v, c), adjoint(w, c)
    flat = Lemma("positive", 0, (Z,), VALUE, ZERO)
    jump = apply("positive", v[()], orders=(1,))
    chains = (
        chain(dv[()], SCALAR + jump, (SCALAR, flat)),
        chain(dw[()], X, (X + dv[()] - dv[()], Uses(dv))),
    )
    assert statuses(Derivation(b.graph(c), chains)) == [Status.PROVED, Status.UNDECIDED]


@pytest.mark.parametrize(("place", "there"), [(0, True), (1, True), (-1, False), (6, False)])
def test_members_of_a_family_that_there_are(place: int, there: bool) -> None:
    """h[0] has an equation, h[1..T] have one; h[−1] and h[6], where T may be 5, have none."""
    b = Builder("single")
    (v,) = b.over(TIME)
    h = b.tensor("h", [], family=v)
    b.define(h, [Index(0)], ZERO)
    b.recurrence(v, lambda: b.define(h, [v], h[v - 1] + X))
    b.define(b.tensor("t", []), [], h[TIME.stop])
    entry = h[place]
    proved = all_proved(by_factor(b, SCALAR, (SCALAR + entry - entry, ())))
    assert proved is there


@pytest.mark.parametrize(("place", "there"), [(1, True), (-7, False)])
def test_derivatives_by_members_that_there_are(place: int, there: bool) -> None:
    """C = w s + Σ h[t] for t = 1..T: ∂C/∂h[1] is 1, and there is no h[−7]."""
    b = Builder("single")
    (v,), q = b.over(TIME), fresh(TIME)
    h = b.tensor("h", [], family=v)
    b.define(h, [v], X * X)
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(c, [], w[()] * SCALAR + Sum(q, h[q]))
    dh, dw = adjoint(h, c), adjoint(w, c)
    line = SCALAR + dh[place] - dh[place]
    chains = (chain(dh[place], Bracket(Index(place - 1)) * ONE), chain(dw[()], SCALAR, line))
    found = check(Derivation(b.graph(c), chains)).chains[1].verdicts[1].status
    assert (found is Status.PROVED) is there


def test_members_after_the_last_one_may_have_equations() -> None:
    b = Builder("single")
    (v,) = b.over(TIME)
    h = b.tensor("h", [], family=v)
    b.recurrence(v, lambda: b.define(h, [v], X))
    b.define(h, [TIME.stop + 1], X * X)
    for place, there in ((TIME.stop + 1, True), (TIME.stop + 2, False)):
        entry = h[place]
        c = Builder("single")
        c.blocks += b.blocks
        assert all_proved(by_factor(c, SCALAR, (SCALAR + entry - entry, ()))) is there


def test_members_of_an_input_are_those_of_its_axis() -> None:
    for place, there in ((TIME.stop, True), (TIME.stop + 1, False), (Index(0), False)):
        b, q = Builder("single"), fresh(TIME)
        x = b.tensor("x", [], Role.INPUT, family=fresh(TIME))
        b.define(b.tensor("t", []), [], Sum(q, x[q]))
        assert all_proved(by_factor(b, SCALAR, (SCALAR + x[place] - x[place], ()))) is there


@pytest.mark.parametrize("first", [T_FROM_2, TIME], ids=["cut", "whole"])
def test_a_derivative_along_time_exists_where_it_is_derived(first: Axis) -> None:
    """C = w s + Σ |h[k, t]| with |h[k, t]|′ in an equation for those t: ∂C/∂h[1, 1] may not be."""
    b = Builder("single")
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    h, a = b.tensor("h", [N, TIME], Role.PARAMETER), b.tensor("a", [N, TIME])
    k, t = fresh(N), fresh(first)
    b.define(a, [k, t], apply("abs", h[k, t], orders=(1,)))
    m, q = fresh(N), fresh(TIME)
    b.define(c, [], w[()] * SCALAR + Sum(m, Sum(q, apply("abs", h[m, q]))))
    dh, dw = adjoint(h, c), adjoint(w, c)
    r, u = fresh(N), fresh(first)
    chains = (
        chain(dh[r, u], apply("abs", h[r, u], orders=(1,))),
        chain(dw[()], SCALAR, SCALAR + dh[1, 1] - dh[1, 1]),
    )
    expected = Status.PROVED if first is TIME else Status.UNDECIDED
    assert statuses(Derivation(b.graph(c), chains))[1] is expected


def test_a_part_of_a_member_is_not_the_member() -> None:
    """h[0, k] has an equation for k ≥ 2 alone."""
    b = Builder("single")
    layers, above = (Axis("layer", as_index(Size("L")), Index(k), ordered=True) for k in (1, 2))
    (v,), k = b.over(TIME), fresh(layers)
    h, late = b.tensor("h", [TIME, layers]), fresh(above)
    b.define(h, [Index(0), late], X)
    b.define(h, [v, k], X * X)
    b.define(b.tensor("t", []), [], h[1, 1])
    assert not all_proved(by_factor(b, SCALAR, (SCALAR + h[0, 1] - h[0, 1], ())))


@pytest.mark.parametrize("beyond", [Index(0), TIME.stop + 1, None])
def test_the_loss_of_an_example_has_no_members_beyond_its_axes(beyond: Index | None) -> None:
    """Of ℓ[0, s], which the cost does not use, ∂C/∂ℓ is 0 and not 1."""
    b = Builder("rows")
    e, f, q, r = (*(fresh(b.examples) for _ in range(3)), fresh(TIME))
    v = fresh(Axis("time", TIME.stop - 1, ordered=True))
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    loss = b.tensor("l", [TIME, b.examples], Role.LOSS)
    b.define(loss, [TIME.stop if beyond is None else beyond, e], w[()] * X)
    b.define(loss, [v, f], w[()] * SCALAR)
    b.define(c, [], Sum(r, Sum(q, loss[r, q])))
    if beyond is None:
        assert check(Derivation(b.graph(c, loss), ())).chains == ()
    else:
        with pytest.raises(IllFormed, match="beyond its axes"):
            check(Derivation(b.graph(c, loss), ()))


def test_one_entry_of_a_member_is_not_the_member() -> None:
    """h[0, 1] has an equation and h[0, 2] has none."""
    b = Builder("single")
    (v,) = b.over(TIME)
    units = Axis("unit", Index(3))
    h, k = b.tensor("h", [units], family=v), fresh(units)
    b.define(h, [Index(0), Index(1)], X)
    b.recurrence(v, lambda: b.define(h, [v, k], h[v - 1, 1] + X))
    assert not all_proved(by_factor(b, SCALAR, (SCALAR + h[0, 2] - h[0, 2], ())))


def test_a_factor_0_does_not_make_an_adjoint_exist() -> None:
    """C = w s + |u|, u = r v: 0 · ∂C/∂u · ∂u/∂v has no value at u = 0."""
    b = Builder("single")
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    v, u = b.tensor("v", [], Role.PARAMETER), b.tensor("u", [])
    b.define(u, [], X * v[()])
    b.define(c, [], w[()] * SCALAR + apply("abs", u[()]))
    du, dw = adjoint(u, c), adjoint(w, c)
    idle = Mul((ZERO, du[()], Partial(u[()], v[()])))
    chains = (
        chain(du[()], apply("abs", u[()], orders=(1,))),
        chain(dw[()], SCALAR, Add((SCALAR, idle))),
    )
    assert statuses(Derivation(b.graph(c), chains)) == [Status.PROVED, Status.UNDECIDED]


def test_needs_of_many_divisors_are_told_apart_in_time() -> None:
    x = Tensor("v", (fresh(N),), Role.INPUT)
    i = tuple(fresh(N) for _ in range(4))

    def below(k: int, places: tuple[Var, ...], turned: bool) -> Expr:
        terms = [Mul((Number.of((k + 2) ** n), x[p])) for n, p in enumerate(places)]
        return Pow(Add(tuple(reversed(terms) if turned else terms)), -1)

    granted = Granted()
    granted.grant([Add(tuple(below(k, i, False) for k in range(100)))], i)
    asked = [need for k in range(100) for need in needs(below(k, i, True))]
    assert [granted.meets(need) for need in asked[:TRIED]] == [True] * TRIED
    assert len(asked) == 100 and not all(map(granted.meets, asked))


# --- Lemmas -------------------------------------------------------------------------------------


PI = apply("pi")
NOTHINGS = {
    "logarithms": log(Number.of(6)) - log(Number.of(2)) - log(Number.of(3)),
    "sine and cosine": apply("sin", ONE) ** 2 + apply("cos", ONE) ** 2 - 1,
    "polynomials of π": (PI + 1) ** 2 - PI**2 - 2 * PI - 1,
}


@pytest.mark.parametrize("name", NOTHINGS)
def test_a_lemma_does_not_divide_by_a_number_that_is_0(name: str) -> None:
    """tanh′ = 1 − a² + 1/0 − 1/0, where the 0 is written as something else."""
    nothing = NOTHINGS[name]
    flat = ONE - VALUE**2
    slope, known = apply("tanh", SCALAR, orders=(1,)), ONE - apply("tanh", SCALAR) ** 2
    inverse = Pow(nothing, -1)
    true = Lemma("tanh", 0, (Z,), VALUE, flat)
    wrong = Lemma("tanh", 0, (Z,), VALUE, Add((*flat.terms, inverse, -1 * inverse)))  # type: ignore[attr-defined]
    for lemma, proved in ((true, True), (wrong, False)):
        claim = SCALAR + slope - known
        assert all_proved(by_factor(Builder(), SCALAR, (claim, (lemma,)))) is proved


def test_a_lemma_is_not_worked_out_for_ever() -> None:
    for large in (apply("power", Number.of(3), Number.of(10**9)), NOTHINGS["logarithms"] ** 30):
        stated = Add((ONE, -1 * VALUE**2, large, -1 * large))
        lemma = Lemma("tanh", 0, (Z,), VALUE, stated)
        slope, known = apply("tanh", SCALAR, orders=(1,)), ONE - apply("tanh", SCALAR) ** 2
        claim = SCALAR + slope - known
        assert not all_proved(by_factor(Builder(), SCALAR, (claim, (lemma,))))


@pytest.mark.parametrize(
    "hidden",
    [
        apply("prelu", ZERO, Pow(Z, -1)),
        apply("leaky-relu", ZERO, Pow(Z, -1)),
        apply("nll", ZERO, Pow(Z, -1)),
        apply("prelu", ZERO, apply("log", Number.of(-1))),
        apply("prelu", ZERO, apply("abs", Z, orders=(1,))),
        Mul((ZERO, apply("sigmoid", Z), Pow(Z, -1))),
        Mul((ZERO, apply("sigmoid", Z), apply("log", Z))),
    ],
)
def test_nothing_is_hidden_in_a_lemma_by_a_factor_0(hidden: Expr) -> None:
    """prelu(0, 1/z) is 0 when it is worked out, and grants that z is not 0 as it stands."""
    lemma = Lemma("tanh", 0, (Z,), VALUE, Add((ONE, -1 * VALUE**2, hidden, -1 * hidden)))
    b = Builder("single")
    b.define(b.tensor("t", []), [], X)
    slope = apply("tanh", X, orders=(1,))
    claims = ((SCALAR + slope - slope, ()), (SCALAR * X / X, (lemma,)))
    assert not all_proved(by_factor(b, SCALAR, *claims))


def test_a_lemma_divides_by_what_it_divides_by_as_it_stands() -> None:
    """gaussian′ = −2 z a as −2 a/(1/z) is used as it stands where its placeholder is u itself."""
    for inner in (lambda e: e, lambda e: apply("identity", e)):
        b = Builder("single")
        u = b.tensor("u", [])
        b.define(u, [], X * X)
        twice = Pow(inner(Pow(u[()], -1)), -1)
        lemma = Lemma("gaussian", 0, (u[()],), VALUE, Mul((Number.of(-2), twice, VALUE)))
        slope = apply("gaussian", u[()], orders=(1,))
        claims = ((SCALAR + slope - slope, ()), (SCALAR * u[()] / u[()], (lemma,)))
        assert not all_proved(by_factor(b, SCALAR, *claims))


def test_powers_of_powers_in_a_lemma_are_of_their_degree() -> None:
    p: Expr = Z
    for _ in range(2):
        p = Pow(Add((p, ONE)), 15)
    idle = apply("exp", p) - apply("exp", p + VALUE) * apply("exp", -VALUE)
    lemma = Lemma("sigmoid", 0, (Z,), VALUE, VALUE * (1 - VALUE) + idle)
    assert lemma_verdict(lemma).status is Status.UNDECIDED


# --- Equations and derivatives ------------------------------------------------------------------


def test_a_derivative_has_no_equation_of_its_own() -> None:
    """With du = 5 s as an equation, u = w x and C = u² would have any gradient."""
    b = Builder("single")
    w, c, u = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST), b.tensor("u", [])
    du = adjoint(u, c, named=True)
    b.define(du, [], 5 * SCALAR)
    b.define(u, [], w[()] * X)
    b.define(c, [], u[()] ** 2)
    with pytest.raises(IllFormed, match="has an equation of its own"):
        check(Derivation(b.graph(c), (chain(du[()], 2 * u[()]),)))


def test_a_direct_derivative_is_by_an_entry_of_the_equation() -> None:
    """h[t] = h[t − 1] a[t]: ∂h[t]/∂h[t − 2] is not direct, and not 0."""
    b = Builder("single")
    (v,) = b.over(TIME)
    a, h = b.tensor("a", [TIME], Role.PARAMETER), b.tensor("h", [TIME])
    c, q = b.tensor("C", [], Role.COST), fresh(TIME)
    b.define(h, [Index(0)], X)
    b.recurrence(v, lambda: b.define(h, [v], h[v - 1] * a[v]))
    b.define(c, [], Sum(q, h[q]))
    dh, da = adjoint(h, c, named=True), adjoint(a, c)
    t, r = fresh(TIME, "t"), fresh(TIME, "t")
    later = Mul((Bracket(TIME.stop - t - 1), dh[t + 1], a[t + 1]))
    for back, status in ((1, Status.PROVED), (2, Status.UNDECIDED)):
        line = dh[r] * h[r - 1]
        idle = Partial(h[r], h[r - back])
        chains = (chain(dh[t], ONE + later), chain(da[r], line, line + idle - idle))
        assert statuses(Derivation(b.graph(c), chains)) == [Status.PROVED, status]


def test_the_cost_and_more_is_not_differentiated() -> None:
    """C = w x: ∂(C + w)/∂w would be 1 with C held, and x + 1 without."""
    b = Builder("single")
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(c, [], w[()] * X)
    last = chain(adjoint(w, c)[()], X, X * Partial(c[()] + w[()], w[()]))
    assert statuses(Derivation(b.graph(c), (last,))) == [Status.PROVED, Status.UNDECIDED]


def test_a_closed_form_is_used_as_it_is_worked_out() -> None:
    b = Builder("single")
    w, c, u = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST), b.tensor("u", [])
    b.define(u, [], w[()] * X)
    b.define(c, [], u[()] ** 2)
    du, dw = adjoint(u, c), adjoint(w, c)
    chains = (
        chain(du[()], 2 * u[()], Partial(c[()], u[()])),
        chain(dw[()], du[()] * X, (2 * u[()] * X, Uses(du))),
    )
    assert statuses(Derivation(b.graph(c), chains)) == [Status.PROVED] * 2


# --- What is true is not refuted ----------------------------------------------------------------


def test_facts_that_have_no_value_hold_nowhere() -> None:
    """log x = log y, so x = y: nothing is said of negative x."""
    b = Builder("single")
    y = b.tensor("y", [], Role.INPUT)[()]
    b.assume(log(X), log(y), "log x = log y")
    b.define(b.tensor("t", []), [], X + y)
    assert statuses(by_factor(b, X, (y, (b.facts[0],)))) == [Status.PROVED, Status.UNDECIDED]


def test_all_entries_keep_their_conditions() -> None:
    """√(x − 100 [i = n]) at the last of many entries asks for x > 100: then |x − 50| = x − 50."""
    b = Builder("single")
    many = b.tensor("A", [N] * 5, Role.INPUT)
    i = b.over(*[N] * 5)
    square = 1 + many[tuple(i)] ** 2
    last = Delta(as_index(i[0]), N.stop)
    body = apply("sqrt", X * square - 100 * last * square)
    b.define(b.tensor("u", [N] * 5), list(i), body)
    found = statuses(by_factor(b, apply("abs", X - 50), (X - 50, ())))
    assert found == [Status.PROVED, Status.UNDECIDED]


def test_what_a_step_needs_to_be_positive_is_so_in_the_others() -> None:
    """log(x y) = log x + log y is printed with x > 0; then |x| = x."""
    b = Builder("single")
    y = b.tensor("y", [], Role.INPUT)[()]
    size = apply("abs", X)
    whole, parts = log(X * y) + size, log(X) + log(y) + size
    found = statuses(by_factor(b, whole, (parts, ()), (whole, ()), (log(X * y) + X, ())))
    assert found == [*[Status.PROVED] * 3, Status.UNDECIDED]


def test_a_sum_of_brackets_is_a_number_below_a_line() -> None:
    """3 as an integer has the inverse 0.333…, which is not a third."""

    def parts(i: Var) -> Expr:
        return Add((Delta(as_index(i), Index(1)), *[Bracket(i - 2)] * 3))

    x = Tensor("v", (fresh(N),), Role.INPUT)
    found = statuses(
        jacobian(
            lambda i: x[i],
            lambda i: (
                x[i] * (Delta(as_index(i), Index(1)) + 3 * Bracket(i - 2) * Pow(parts(i), -1))
            ),
            axes=(N,),
        )
    )
    assert Status.REFUTED not in found


# --- Trees and readings -------------------------------------------------------------------------


def test_nothing_is_worked_out_where_parts_are_put_into_a_tree() -> None:
    k, p = fresh(N), Partial(X, SCALAR)
    for made in (
        lambda e: Select(Index(1), k, e),
        lambda e: Sum(k, e),
        lambda e: Pow(e, 2),
        lambda e: Add((e, ZERO)),
        lambda e: Mul((ZERO, e)),
        lambda e: Apply("f", (e, ZERO), (0, 1)),
    ):
        assert with_parts(made(p), (ONE, *children(made(p))[1:])) != made(p)
        parts = tuple(ONE if e is p else e for e in children(made(p)))
        assert with_parts(made(p), parts) == made(ONE)
    assert with_parts(Mul((X, p)), (X, Mul((ONE, ZERO)))) == Mul((X, ONE, ZERO))


def test_both_readings_of_a_family_are_of_both_sides() -> None:
    """An equation that may be inserted for ever is used from right to left as well."""
    b = Builder("single")
    (v,) = b.over(TIME)
    h, w = b.tensor("h", [TIME]), b.tensor("w", [], Role.PARAMETER)
    b.define(h, [Index(0)], X)
    b.recurrence(v, lambda: b.define(h, [v], apply("sin", h[v - 1])))
    c = b.tensor("C", [], Role.COST)
    b.define(c, [], w[()] * h[TIME.stop])
    judge = Judge(Derivation(b.graph(c), ()))
    t = fresh(TIME)
    left, right = apply("sin", h[t - 1]), h[t] + ONE
    readings = list(judge._readings(left, right, (Uses(h),)))
    assert readings[1] == (h[t], h[t] + ONE) and len(readings) == 2


def deep_in_a_family() -> dict[str, tuple[Expr, Expr]]:
    far = Index(3000)
    entry = FAMILY[far]
    inverse = Pow(entry, -1)
    near = FAMILY[3000 - N.stop * 1000]
    return {"divided": (inverse, SCALAR + inverse - inverse), "near": (near, SCALAR + near - near)}


@pytest.mark.parametrize("name", ["divided", "near"])
def test_what_is_far_along_a_family_is_given_up(name: str) -> None:
    b = Builder("single")
    v = fresh(LONG_TIME, "t")
    b.define(FAMILY, [Index(0)], X)
    b.recurrence(v, lambda: b.define(FAMILY, [v], FAMILY[v - 1] * X + 1))
    used, line = deep_in_a_family()[name]
    y = b.tensor("y", [])
    b.define(y, [], used)
    claim = line + y[()] - y[()]
    assert statuses(by_factor(b, SCALAR, (claim, (Uses(FAMILY),))))[-1] is Status.UNDECIDED


# --- Errors that are told, and work that ends ---------------------------------------------------


def facts() -> dict[str, Fact]:
    b = Tensor("z", (), Role.AUXILIARY)[()]
    return {"divides by 0": Fact(Pow(b, -1), ONE, "found", (), False)}


def test_a_found_fact_that_divides_by_0() -> None:
    b = Builder("single")
    z = b.tensor("z", [])[()]
    b.define(z.tensor, [], ZERO)
    fact = Fact(Pow(z, -1), ONE, "found", (), False)
    found = statuses(by_factor(b, SCALAR, (SCALAR, (fact,))))
    assert found == [Status.PROVED, Status.UNDECIDED]


def test_a_line_that_a_fact_makes_divide_by_0() -> None:
    b = Builder("single")
    v = b.tensor("v", [N], Role.INPUT)
    k = fresh(N)
    b.assume(Sum(k, v[k]), ONE, "the sum is 1")
    b.define(b.tensor("t", []), [], Sum(k, v[k]) * SCALAR * X)
    nowhere = log(Pow(Add((X, -1 * X)), -1)) * Delta(Index(1), Index(2)) * (SCALAR - SCALAR * 1)
    line = Add((SCALAR, Mul((nowhere, ONE * 2))))
    found = statuses(by_factor(b, SCALAR, (line, (b.facts[0],))))
    assert found[1] in (Status.UNDECIDED, Status.PROVED)


def test_what_divides_by_a_derivative_that_is_written_out() -> None:
    b = Builder("single")
    y, u = b.tensor("y", [], Role.INPUT)[()], b.tensor("u", [])
    b.define(u, [], X * y)
    b.define(b.tensor("t", []), [], Pow(X + y, -1))
    slope = Partial(u[()], X)
    found = statuses(by_factor(b, SCALAR, (Mul((SCALAR, slope, Pow(slope, -1))), ())))
    assert found == [Status.PROVED, Status.UNDECIDED]


def test_equations_put_into_a_found_fact_do_not_grow_for_ever() -> None:
    b = Builder("single")
    last: Expr = SCALAR
    for k in range(40):
        t = b.tensor(f"t{k}", [])
        b.define(t, [], last + last * last)
        last = t[()]
    fact = Fact(last, last, "found", (), False)
    found = statuses(by_factor(b, SCALAR * last, (SCALAR * last, (fact,))))
    assert found == [Status.PROVED, Status.UNDECIDED]


@pytest.mark.parametrize("sums", [2, 18])
def test_sums_of_too_many_terms_are_given_up(sums: int) -> None:
    axes = [N] * sums
    x = Tensor("x", tuple(map(fresh, axes)), Role.INPUT)
    variables = tuple(map(fresh, axes))
    whole = sum_over(variables, x[variables])
    expected = Status.PROVED if sums == 2 else Status.UNDECIDED
    assert statuses(by_factor(Builder("single"), whole, (whole * 1, ())))[-1] is expected


@pytest.mark.parametrize("length", [10**9, 2**150])
def test_a_very_long_axis_is_not_walked(length: int) -> None:
    k = fresh(Axis("unit", Index(length)))
    x = Tensor("v", (fresh(k.axis),), Role.INPUT)
    winner = Select(Index(1), k, x[k])
    for true, claim in ((SCALAR, Sum(k, SCALAR) / length), (winner, winner * 1)):
        found = statuses(by_factor(Builder("single"), true, (claim, ())))
        assert found[-1] is Status.UNDECIDED


@pytest.mark.parametrize("length", [10**9, 2**150])
def test_two_indices_of_a_very_long_axis(length: int) -> None:
    axis = Axis("unit", Index(length))
    a = Tensor("v", (fresh(axis), fresh(axis)), Role.INPUT)
    assert all_proved(jacobian(lambda i, j: a[i, j], lambda i, j: a[i, j] * 1, axes=(axis, axis)))


def test_too_many_patterns_of_equal_indices() -> None:
    axes = (N,) * 14
    a = Tensor("v", tuple(map(fresh, axes)), Role.INPUT)
    found = statuses(jacobian(lambda *i: a[i], lambda *i: a[i] * 1, axes=axes))
    assert found[-1] in (Status.PROVED, Status.UNDECIDED)


def test_a_recurrence_is_along_an_index() -> None:
    b = Builder("single")
    u = b.tensor("u", [])
    alone = Recurrence(fresh(TIME), (Definition(u, (), X),))
    b.blocks.append(alone)
    with pytest.raises(IllFormed, match="no index along"):
        check(by_factor(b, SCALAR, (SCALAR * 1, ())))


def nested(times: int, layer: Callable[[Expr], Expr]) -> Expr:
    expr: Expr = SCALAR
    for _ in range(times):
        expr = layer(expr)
    return expr


@pytest.mark.parametrize("times", [30, 50, 100, 150, 3000])
def test_deep_trees_are_refused_or_judged(times: int) -> None:
    for layer in (lambda e: apply("sin", e), lambda e: Pow(Add((e, ONE)), 2)):
        deep = nested(times, layer)
        try:
            found = statuses(by_factor(Builder("single"), deep, (deep * 1, ())))
        except IllFormed as error:
            assert "too deep" in str(error) and times >= 50
        else:
            assert set(found) <= {Status.PROVED, Status.UNDECIDED}
            assert Status.UNDECIDED not in found


LARGE = Number.of(10**3000)


@pytest.mark.parametrize(
    ("expr", "why"),
    [
        (Number.of(10**4000), "too long"),
        (Pow(Number.of(10), 4400), "too long"),
        (Pow(Pow(Number.of(3), 200), 100), "too long"),
        (SizeOf(N.stop + 10**100), "too large"),
        (Apply("sigmoid", (SCALAR,), (9,)), "more than 8 times"),
        (Sum(fresh(N), Tensor("v", (fresh(Axis("unit", Index(0))),))[1]), "without entries"),
    ],
)
def test_what_is_too_long_is_told(expr: Expr, why: str) -> None:
    with pytest.raises(IllFormed, match=why):
        check(by_factor(Builder("single"), expr * SCALAR, (expr * SCALAR * 1, ())))


def test_a_product_of_long_numbers_has_a_name() -> None:
    power = Pow(Add((SCALAR, LARGE)), 5)
    claim = Number(Fraction(1, 2)) * (2 * power)
    assert all_proved(by_factor(Builder("single"), power, (claim, ())))


def test_facts_and_conditions_of_a_graph_are_looked_at() -> None:
    b = Builder("single")
    u, k = b.tensor("u", [N]), fresh(N)
    b.define(u, [k], SCALAR)
    plain = by_factor(b, SCALAR, (SCALAR * 1, ()))
    fact = Fact(Access(u, ()), ONE, "u = 1")
    with pytest.raises(IllFormed, match="has 1 axes"):
        check(replace(plain, graph=replace(plain.graph, facts=(fact,))))
    asked = Condition(plain.graph.definitions[0], "log", (), POSITIVE)
    with pytest.raises(IllFormed, match="nothing is asked"):
        check(replace(plain, graph=replace(plain.graph, asked=(asked,))))


# --- Brackets below a line, and fields of another type --------------------------------------------


SIDE = apply("positive", X)
SIDED: dict[str, tuple[Expr, Expr]] = {
    "of itself": (mul(SIDE, SIDE**-1), ONE),
    "of its complement": (mul(1 - SIDE, (1 - SIDE) ** -1), ONE),
    "with a factor": (mul(SCALAR, SIDE, X, mul(SIDE, X) ** -1), SCALAR),
}


@pytest.mark.parametrize("name", SIDED)
def test_a_bracket_that_is_0_is_not_cancelled(name: str) -> None:
    """[x > 0]/[x > 0] is 0 at x = −1, since a bracket's 0 is strong."""
    true, claim = SIDED[name]
    b = Builder("single")
    assert statuses(by_factor(b, true, (claim, ())))[1] in (Status.REFUTED, Status.UNDECIDED)


LARGE = Bracket(as_index(Size("n")) - 40)
U = Tensor("u", (), Role.INPUT)[()]
SMALL = apply("positive", U**2 - 5 * LARGE * (U**2 + 1))
"""1 for n < 40 and 0 from there on, which neither the field nor a real point sees."""
SWAPPED = Apply("positive", (Add((-5 * LARGE * (U**2 + 1), U**2)),), (0,))
BELOW: dict[str, tuple[Expr, Expr]] = {
    "inside a function": (
        apply("exp", Add((Mul((SCALAR, SMALL, Pow(SMALL, -1))), X))),
        apply("exp", SCALAR) * apply("exp", X),
    ),
    "in another order": (Mul((SWAPPED, Pow(SMALL, -1), SCALAR)), SCALAR),
    "beside another": (
        Add((Mul((SIDE, Pow(SMALL, -1), SCALAR)), Mul((SMALL, Pow(SMALL, -1), X)))),
        Add((Mul((SIDE, Pow(SMALL, -1), SCALAR)), X)),
    ),
}


@pytest.mark.parametrize("name", BELOW)
def test_what_divides_by_a_bracket_is_not_proved(name: str) -> None:
    """At n = 40 each of the two is another number."""
    true, claim = BELOW[name]
    assert not all_proved(by_factor(Builder("single"), true, (claim, ())))


def test_nor_with_a_fact_that_brings_it_to_normal_form() -> None:
    b = Builder("single")
    y, k = b.tensor("y", [N], Role.TARGET), fresh(N)
    b.assume(Sum(k, y[k]), ONE, "the sum is 1")
    b.define(b.tensor("t", []), [], Sum(k, y[k]))
    true = Mul((SMALL, Pow(SMALL, -1), SCALAR))
    assert not all_proved(by_factor(b, true, (SCALAR, (b.facts[0],))))


def test_the_slope_of_a_bracket_excuses_what_the_bracket_does() -> None:
    """C = [x > 0]/D + E s x with E = [n ≥ 40], D = u − E u: at x = −1, n = 40 its slope is s."""
    b = Builder("single")
    x, c = b.tensor("x", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    place = x[()]
    below = Add((U, Mul((Number.of(-1), LARGE, U))))
    side = Mul((apply("positive", place), Pow(below, -1)))
    b.define(c, [], Add((side, Mul((LARGE, SCALAR, place)))))
    z, a = Access(Tensor("z"), ()), Access(Tensor("a"), ())
    first = Mul((apply("positive", place, orders=(1,)), Pow(below, -1)))
    parts = Add((Mul((LARGE, SCALAR, U)), Mul((Number.of(-1), LARGE, SCALAR, U))))
    lines = chain(
        adjoint(x, c)[()],
        Add((first, Mul((LARGE, SCALAR)))),
        Add((first, Mul((LARGE, SCALAR, below, Pow(below, -1))))),
        Add((first, Mul((parts, Pow(below, -1))))),
        first,
        (ZERO, Lemma("positive", 0, (z,), a, ZERO)),
    )
    found = statuses(Derivation(b.graph(c), (lines,)))
    assert found[:2] == [Status.PROVED, Status.UNDECIDED]


def test_what_is_chosen_small_is_printed_where_it_is_relied_on() -> None:
    """v = 1/(u + ε) with u = ε₂: both are positive; u = e with e = z − ε is no such number."""
    for chosen in (True, False):
        b = Builder("single")
        e, eps = (b.tensor(name, [], Role.HYPERPARAMETER) for name in ("e", "eps"))
        u, v = b.tensor("u", []), b.tensor("v", [])
        if not chosen:
            b.define(e, [], X - eps[()])
        b.define(u, [], e[()])
        b.define(v, [], 1 / (u[()] + eps[()]))
        asked = {c.arguments[0] for c in conditions(b.graph(v))}
        assert asked == ({e[()], eps[()]} if chosen else {u[()] + eps[()]})


def test_a_derivative_in_an_equation_says_nothing_of_the_ends_of_a_domain() -> None:
    """kl has values where its second argument is 0, and is not differentiable there."""
    b = Builder("single")
    half, v = Number(Fraction(1, 2)), b.tensor("v", [])
    slope = Apply("kl", (half, U), (0, 1))
    b.define(v, [], slope)
    assert not all_proved(by_factor(b, SCALAR, (SCALAR + slope - slope, ())))


def test_a_second_derivative_in_an_equation_says_that_it_is_there_where_it_always_is() -> None:
    """log″ has values where log has; huber″ has none at the joints, of which nothing is printed."""
    two = Number.of(2)
    for call, there in (
        (Apply("log", (U,), (2,)), True),
        (Apply("huber", (U, X, two), (2, 0, 0)), False),
    ):
        b = Builder("single")
        b.define(b.tensor("v", []), [], call)
        assert all_proved(by_factor(b, SCALAR, (SCALAR + call - call, ()))) is there


def test_what_was_asked_is_in_the_words_of_the_tables() -> None:
    """A domain of one's own, called real, would stand for a printed one."""
    b = Builder("single")
    v = b.tensor("v", [])
    b.define(v, [], log(U))
    own = Domain("real", Fraction(0), Fraction(10**9))
    condition = Condition(b.blocks[-1], "log", (U,), own)  # type: ignore[arg-type]
    derivation = by_factor(b, SCALAR, (SCALAR, ()))
    graph = replace(derivation.graph, asked=(condition,))
    with pytest.raises(IllFormed, match="of the tables"):
        check(replace(derivation, graph=graph))


@pytest.mark.parametrize("part_of", ["", "softmax"])
def test_doublings_in_equations_end(part_of: str) -> None:
    """u[k + 1] = u[k] + 3 u[k], thirty times, below a logarithm."""
    here, blocks = U, []
    for n in range(30):
        tensor = Tensor(f"u{n}")
        blocks.append(Definition(tensor, (), Add((here, 3 * here)), part_of=part_of))
        here = tensor[()]
    b = Builder("single")
    b.blocks += [*blocks, Definition(Tensor("v"), (), log(here))]
    assert all_proved(by_factor(b, SCALAR, (SCALAR, ())))


def test_a_quotient_beside_a_bracket_does_not_say_that_its_divisor_is_not_0() -> None:
    """s/(1 + [y > 0]/u) is s at x = y = −1, where u = [x > 0] x is 0; s u/(u + [y > 0]) is 0/0."""
    b = Builder("single")
    y = b.tensor("y", [], Role.INPUT)[()]
    u = b.tensor("u", [])
    b.define(u, [], mul(SIDE, X))
    side = apply("positive", y)
    true = mul(SCALAR, (1 + mul(side, u[()] ** -1)) ** -1)
    line = mul(SCALAR, u[()], (u[()] + side) ** -1)
    claim = mul(SCALAR, SIDE, X, (u[()] + side) ** -1)
    found = statuses(by_factor(b, true, (line, ()), (claim, (Uses(u),))))
    assert found[:2] == [Status.PROVED, Status.UNDECIDED]


def test_quotients_beside_brackets_are_cancelled_where_that_is_right() -> None:
    """[x > 0] s u/u + (1 − [x > 0]) s = s, and s/(1 + [x > 0]) (1 + [x > 0]) = s"""
    b = Builder("single")
    y = b.tensor("y", [], Role.INPUT)[()]
    parts = mul(SIDE, SCALAR, y, y**-1) + mul(1 - SIDE, SCALAR)
    assert statuses(by_factor(b, parts, (SCALAR, ()))) == [Status.PROVED] * 2
    below = 1 + SIDE * X**2 + (1 - SIDE) * apply("exp", X)
    for whole in (mul(SCALAR, e**-1, e) for e in (1 + SIDE, below)):
        assert statuses(by_factor(Builder("single"), whole, (SCALAR, ()))) == [Status.PROVED] * 2


def test_a_bracket_excuses_what_stands_beside_it_alone() -> None:
    """q[i] = 1/v[i − 1] + [i ≥ 2] s speaks of v[0]; [i ≥ 2]/v[i − 1] does not."""
    for fits in (False, True):
        b = Builder("single")
        v, q = b.tensor("v", [N], Role.INPUT), b.tensor("q", [N])
        (i,) = b.over(N)
        late = Bracket(as_index(i) - 2)
        b.define(q, [i], mul(late if fits else ONE, v[i - 1] ** -1) + mul(late, SCALAR))
        derivation = by_factor(b, SCALAR, (SCALAR, ()))
        if fits:
            assert statuses(derivation) == [Status.PROVED] * 2
        else:
            with pytest.raises(IllFormed, match="beyond its axis"):
                check(derivation)


def everywhere(value: object) -> Iterator[tuple[object, str]]:
    """Every dataclass that a value is made of, with the names of its fields."""
    if is_dataclass(value) and not isinstance(value, type):
        for f in fields(value):
            yield value, f.name
            yield from everywhere(getattr(value, f.name))
    elif isinstance(value, tuple | frozenset | dict):
        for part in value:
            yield from everywhere(part)


STRANGE = (None, 3, "x", ONE, (), (ONE,), frozenset((1, 2)), N, {}, [1], 0.5, Role.INPUT)


def test_a_value_of_another_type_in_any_field_is_refused() -> None:
    """No error but these: the type of every field is asked before anything else."""
    derivation = by_factor(Builder("single"), SCALAR, (SCALAR, ()))
    count = 0
    for made, name in everywhere(derivation):
        kept = getattr(made, name)
        for strange in STRANGE:
            object.__setattr__(made, name, strange)
            try:
                check(derivation)
            except (IllFormed, BrokenChain):
                count += 1
            except TypeError as error:
                assert "unhashable" in str(error), (made, name, strange)
            finally:
                object.__setattr__(made, name, kept)
    assert count > 300


def test_equal_collections_in_another_order_are_no_tuples() -> None:
    """Two frozensets may be equal and give their members in another order: a lemma's arguments."""
    for made in (frozenset, list, dict.fromkeys):
        entry = Access(SCALAR.tensor, made(()))  # type: ignore[operator]
        with pytest.raises((IllFormed, TypeError)):
            check(by_factor(Builder("single"), entry, (entry, ())))


def test_a_lemma_that_is_long_when_it_is_multiplied_out_ends() -> None:
    z, a = Access(Tensor("z"), ()), Access(Tensor("a"), ())
    parts = [apply(f, z * n) for f in ("exp", "sin", "cos", "erf") for n in (1, 2)]
    lemma = Lemma("exp", 0, (z,), a, Add((z, *parts)) ** 20)
    assert lemma_verdict(lemma).status is Status.UNDECIDED

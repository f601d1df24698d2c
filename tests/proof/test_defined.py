"""Where lines have values, and that no line of a chain asks for more than those before it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from symderiv.algebra.expr import (
    ONE,
    ZERO,
    Add,
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
)
from symderiv.algebra.index import Axis, Index, Size, Var, as_index, fresh
from symderiv.calculus.builder import Builder
from symderiv.calculus.functions import scalar, symbols
from symderiv.calculus.graph import Fact
from symderiv.calculus.steps import Adjoint, Derivation, Lemma, Premise, Uses
from symderiv.proof.check import UNSAID
from symderiv.proof.defined import Granted
from symderiv.proof.lemmas import VALUE
from symderiv.proof.lemmas import _prove as prove
from symderiv.proof.meaning import Meaning, NoMeaning
from symderiv.proof.needs import divisors, needs
from symderiv.proof.premises import lemma_verdict
from symderiv.proof.verdict import Status
from symderiv.proof.wellformed import IllFormed
from tests.proof.by_steps import check
from tests.proof.test_red_team_kernel import N, adjoint, step
from tests.proof.test_red_team_together import LOG, SCALAR, Z, all_proved, by_factor, jacobian

LONG = Axis("unit", N.stop * 2 + 40)
X = Tensor("x", (fresh(LONG),))
V = Tensor("v", (fresh(N),))
R = Axis("unit", as_index(Size("r")))
I, J, K = fresh(N, "i"), fresh(N, "j"), fresh(N, "k")
n = SizeOf(N.stop)
ONLY = fresh(Axis("unit", Index(1)))
POSITIVE = apply("positive", X[J])
BELOW_3 = Bracket(2 - as_index(I))
UP_TO_I = fresh(Axis("unit", as_index(I) - 1), "p")


def over(below: Expr, *guards: Expr) -> Expr:
    return Mul((*guards, Pow(below, -1), SCALAR))


def log(e: Expr) -> Expr:
    return apply("log", e)


# What has a value, and what therefore has one as well.
IMPLIED: dict[str, tuple[Expr, Expr]] = {
    "itself": (over(X[I]), over(X[I])),
    "a power": (over(X[I]), Pow(X[I], -3)),
    "of a product each factor": (over(X[I] * X[J]), over(X[J])),
    "of factors their product": (over(X[I]) + over(X[J]), over(2 * X[I] * X[J])),
    "the other sign": (over(X[I] - X[J]), over(X[J] - X[I])),
    "a number as a factor": (over(2 + (X[I] / 6) ** 2), over(72 + X[I] ** 2)),
    "a quotient": (over(1 + (X[I] / X[J]) ** 2), over(X[I] ** 2 + X[J] ** 2)),
    "a sum in another order": (
        Sum(K, over(X[K] * X[I] + X[J])),
        Sum((m := fresh(N)), over(X[J] + X[I] * X[m])),
    ),
    "a sum in another order, beside an index that it does not have": (
        Sum(K, Sum((q := fresh(N)), over(X[K] ** 2 + X[K] + X[1]))),
        over(X[1] + X[I] ** 2 + X[I]),
    ),
    "what is in a sum over the same indices": (
        Sum(UP_TO_I, over(X[J])),
        Sum((w := fresh(UP_TO_I.axis)), over(X[J]) * X[w]),
    ),
    "where a delta asks for one entry": (
        over(X[I]),
        Sum(K, over(X[K], Delta(as_index(K), as_index(I)))),
    ),
    "where it does the other way round": (
        over(X[I]),
        Sum(K, over(X[K], Delta(as_index(I), as_index(K)))),
    ),
    "where an index is decided the other way round": (
        Sum(K, over(X[K], Delta(as_index(I), as_index(K)))),
        over(X[I]),
    ),
    "where an index is decided in a range that may be empty": (
        Sum((r := fresh(UP_TO_I.axis)), over(X[r], Delta(as_index(r), as_index(UP_TO_I)))),
        over(X[UP_TO_I]),
    ),
    "an index with one value": (over(X[ONLY]), over(X[1])),
    "an entry of all": (Sum(K, over(X[K])), over(X[I])),
    "a shifted entry of all": (Sum((v := fresh(LONG)), over(X[v])), over(X[I + 1])),
    "one of a range that the index is in": (Sum(UP_TO_I, over(X[UP_TO_I], SCALAR)), ONE),
    "beside a bracket": (over(X[I], Bracket(I - 2)), over(X[I], Bracket(I - 2))),
    "beside a sign": (over(X[I], 1 - POSITIVE), over(X[I] * 2, 1 - POSITIVE)),
    "beside a bracket that asks for more": (
        over(X[I], Bracket(I - 2)),
        over(X[I], Bracket(I - 4)),
    ),
    "where an index is decided": (
        Sum(K, over(X[K], Delta(as_index(K), as_index(I)))),
        over(X[I]),
    ),
    "where something is there for some index": (
        Sum(K, over(X[J], Bracket(J - K))),
        over(X[J]),
    ),
    "what a logarithm is taken of": (log(X[I] * X[J]), over(X[I])),
    "a function at the same place": (log(X[I]), log(X[I]) * 2),
    "a smooth function's derivative": (log(X[I]), apply("log", X[I], orders=(1,))),
    "a positive number": (ONE, over(n) + over(1 + apply("exp", X[I])) + log(Number.of(2))),
    "what is below a line itself": (over(X[I]), over(Pow(X[I], -2))),
    "functions of positive numbers": (
        ONE,
        apply("poisson", 1 + apply("exp", X[I]), apply("exp", X[I])),
    ),
    "the root of a positive number": (ONE, over(apply("sqrt", 1 + apply("exp", X[I])))),
    "another place of a maximum": (Select(as_index(I), K, X[K]), Select(J + 1, K, X[K])),
    "an entry whose bracket says that it is there": (ONE, Mul((Bracket(I - 2), V[I - 1]))),
    "an entry of the axis": (ONE, V[I]),
    "a function of no table": (ONE, apply("f", X[I])),
    "a kinked function's value": (ONE, apply("relu", X[I])),
}
NOT_IMPLIED: dict[str, tuple[Expr, Expr]] = {
    "nothing": (ONE, over(X[I])),
    "a sum of factors": (over(X[I]) + over(X[J]), over(X[I] + X[J])),
    "another entry": (over(X[1]), over(X[I])),
    "an entry out of the range": (Sum(K, over(X[K])), over(X[I + 1])),
    "what is beside a bracket": (over(X[I], Bracket(I - 2)), over(X[I])),
    "what is beside another bracket": (
        over(X[I], Bracket(I - 2)),
        over(X[I], Bracket(3 - as_index(I))),
    ),
    "what is beside a sign": (over(X[I], POSITIVE), over(X[I])),
    "what is beside the other sign": (over(X[I], 1 - POSITIVE), over(X[I], POSITIVE)),
    "what is beside a delta": (over(X[I], Delta(as_index(I), Index(7))), over(X[I])),
    "what is in a sum of nothing": (Sum(UP_TO_I, over(X[J])), over(X[J])),
    "a size less one": (ONE, over(n - 1)),
    "a size that may be 0": (ONE, over(SizeOf(N.stop - 1))),
    "what two indices might not meet": (
        Sum(K, Sum((o := fresh(N)), over(X[J], Bracket(K + o - 5)))),
        over(X[J]),
    ),
    "an index that a delta does not decide": (
        Sum(K, over(X[K], Delta(as_index(K), K * 2 + 3))),
        over(X[K * 2 + 3], Bracket(N.stop - 9 - K * 4)),
    ),
    "a derivative at the end of one domain of two": (
        apply("bce", X[I], X[J]),
        apply("bce", X[I], X[J], orders=(0, 1)),
    ),
    "its derivative": (log(X[I]), over(log(X[I]))),
    "another function": (log(X[I]), log(X[I] + 1)),
    "a logarithm below a line": (log(X[I]) * 2, over(log(X[I]))),
    "a kinked function's derivative": (apply("relu", X[I]), apply("relu", X[I], orders=(1,))),
    "a second derivative": (
        apply("softsign", X[I], orders=(1,)),
        apply("softsign", X[I], orders=(2,)),
    ),
    "a derivative at the end of a domain": (
        apply("kl", X[I], X[J]),
        apply("kl", X[I], X[J], orders=(0, 1)),
    ),
    "a maximum, which may be taken twice": (ONE, Select(as_index(I), K, X[K])),
    "an entry that may be out of its axis": (ONE, V[I - 1]),
    "an entry out of its axis": (ONE, V[N.stop + 1]),
    "a maximum of nothing": (ONE, Select(as_index(I), (u := fresh(UP_TO_I.axis)), X[u])),
    "a function below a line": (ONE, over(apply("f", X[I]))),
    "inside a function": (ONE, apply("f", over(X[I]))),
    "zero": (ONE, Pow(ZERO, -1)),
    "a difference of equals": (over(X[I] - X[I]), over(X[J] - X[J])),
    "an index with another value": (over(X[ONLY]), over(X[2])),
    "a part of a quotient": (over(1 + X[I] / X[J]), over(X[I])),
}


@pytest.mark.parametrize("name", IMPLIED)
def test_what_has_a_value_where_something_else_has_one(name: str) -> None:
    given, other = IMPLIED[name]
    granted = Granted()
    granted.grant([given])
    assert all(map(granted.meets, needs(other)))


@pytest.mark.parametrize("name", NOT_IMPLIED)
def test_what_may_have_no_value_where_something_else_has_one(name: str) -> None:
    given, other = NOT_IMPLIED[name]
    granted = Granted()
    granted.grant([given])
    assert not all(map(granted.meets, needs(other)))


def test_what_is_said_to_be_positive() -> None:
    granted = Granted()
    granted.positive([X[I] * X[J]])
    for fine in (log(X[I] * X[J]), over(X[J]), apply("sqrt", X[I] * X[J])):
        assert all(map(granted.meets, needs(fine)))
    assert not all(map(granted.meets, needs(log(X[I]))))


def test_what_is_divided_by() -> None:
    lines = [over(X[I]), X[J] * 2, apply("tanh", over(X[J] * n)), over(log(X[I]))]
    assert divisors(lines) == {X[I], X[J], log(X[I])}


# --- Chains -------------------------------------------------------------------------------------

Claim = tuple[Callable[..., Expr], ...]


def gap_claims(guard: Callable[..., Expr], first: Callable[..., Expr], last: Expr) -> Claim:
    """E s = E s D/D = (E s a − E s b)/D = 0 where E is 1 only where D = a − b is 0."""

    def true(*i: Var) -> Expr:
        return Mul((guard(*i), SCALAR))

    def widened(*i: Var) -> Expr:
        gap = first(*i) - last
        return Mul((guard(*i), SCALAR, gap, Pow(gap, -1)))

    def apart(*i: Var) -> Expr:
        parts = (Mul((guard(*i), SCALAR, first(*i))), Mul((Number.of(-1), guard(*i), SCALAR, last)))
        return Mul((Add(parts), Pow(first(*i) - last, -1)))

    return true, widened, apart, lambda *i: ZERO


CLAIMS: dict[str, tuple[Claim, tuple[Axis, ...]]] = {
    "a sum of indices": (
        gap_claims(lambda i, j: Delta(i + j, Index(40)), lambda i, j: X[i + j], X[40]),
        (N, N),
    ),
    "sizes in an order": (
        gap_claims(lambda i: Delta(i + R.stop, N.stop), lambda i: X[i + R.stop], X[N.stop]),
        (N,),
    ),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_what_is_divided_by_is_not_0_somewhere(name: str) -> None:
    claims, axes = CLAIMS[name]
    k = fresh(LONG)
    q = fresh(R)
    extra = Sum(k, X[k]) + Sum(q, Tensor("g", (fresh(R),))[q])
    verdicts = check(jacobian(*claims, axes=axes, extra=extra)).chains[0].verdicts
    assert UNSAID in {v.method for v in verdicts}


def test_another_name_divides_no_better() -> None:
    """The same with u[i] = x[i] by an equation: nobody sees that u[i] − x[40] is 0 at i = 40."""
    b = Builder("single")
    x, u, w = b.tensor("x", [N], Role.PARAMETER), b.tensor("u", [N]), Tensor("w")
    (k,) = b.over(N)
    b.define(u, [k], x[k])
    c = Tensor("C", (fresh(N),), Role.COST)
    (i,), (j,) = b.over(N), b.over(N)

    def true(i: Var) -> Expr:
        return Mul((Delta(as_index(i), Index(40)), SCALAR))

    b.define(c, [i], w[()] * true(i))
    dw = Tensor("dw", c.slots, Role.ADJOINT, "w", None, w, c)
    below = Pow(u[j] - x[40], -1)
    lines: tuple[tuple[Expr, tuple[Premise, ...]], ...] = (
        (true(j), ()),
        (Mul((*true(j).factors, u[j] - x[40], below)), ()),  # type: ignore[attr-defined]
        (Mul((*true(j).factors, x[j] - x[40], below)), (Uses(u),)),  # type: ignore[attr-defined]
        (ZERO, ()),
    )
    steps = []
    here: Expr = dw[j]
    for line, premises in lines:
        steps.append(step(here, line, *premises))
        here = line
    chain = Adjoint(dw, (as_index(j),), tuple(steps), here)
    assert not all_proved(Derivation(b.graph(c), (chain,)))


def test_what_a_premise_makes_of_a_line_is_not_the_line() -> None:
    """E s D/D has a fact beside it, which multiplies it out, and E s + z/D the equation z = 0."""
    fact = Fact(Sum(fresh(N), ONE), n, "found", (), assumed=False)
    z = Tensor("z")
    i, j = fresh(N), fresh(N)
    at, gap = Delta(i + j, Index(40)), X[i + j] - X[40]
    widened = Mul((at, SCALAR, gap, Pow(gap, -1)))
    added = Mul((at, SCALAR)) + Mul((at, z[()], Pow(gap, -1)))
    for line, premise in ((widened, fact), (added, Uses(z))):
        assert not all_proved(_of_entries(Mul((at, SCALAR)), (line, (premise,)), (i, j), z))


def _of_entries(
    true: Expr, claim: tuple[Expr, tuple[Premise, ...]], indices: tuple[Var, ...], zero: Tensor
) -> Derivation:
    """C[i, j] = w · true(i, j) beside the equation z = 0, and one claim."""
    b = Builder("single")
    b.define(zero, [], ZERO)
    w, c = Tensor("w", (), Role.PARAMETER), Tensor("C", indices, Role.COST)
    k = fresh(LONG)
    b.define(c, list(indices), w[()] * true + Sum(k, X[k]))
    dw = Tensor("dw", c.slots, Role.ADJOINT, "w", None, w, c)
    steps = (step(dw[indices], true), step(true, claim[0], *claim[1]))
    return Derivation(b.graph(c), (Adjoint(dw, tuple(map(as_index, indices)), steps, claim[0]),))


def test_sizes_that_hide_what_is_0() -> None:
    """[i = 1] [i = n] (m − 1)(m − 2) s is not 0 where n = 1, m = 5, though (n − i)/(n − 1) is."""
    m = SizeOf(R.stop)
    hidden = Mul((m - 1, m - 2))

    def ends(i: Var) -> tuple[Expr, Expr]:
        return Delta(as_index(i), Index(1)), Delta(as_index(i), N.stop)

    def line(*factors: Expr) -> Expr:
        return Mul((*factors, SCALAR, hidden, Pow(n - 1, -1)))

    q = fresh(R)
    derivation = jacobian(
        lambda i: Mul((*ends(i), SCALAR, m - 1, m - 2)),
        lambda i: line(Mul((*ends(i), n - 1))),
        lambda i: line(Mul((*ends(i), SizeOf(N.stop - i)))),
        lambda i: line(*reversed(ends(i)), SizeOf(N.stop - i)),
        lambda i: ZERO,
        axes=(N,),
        extra=Sum(q, Tensor("g", (fresh(R),))[q]),
    )
    assert not all_proved(derivation)


SIGN = Tensor("t", (), Role.INPUT)[()]


@pytest.mark.parametrize(
    "claim",
    [
        SCALAR + log(SIGN) - log(SIGN),
        Mul((SCALAR, apply("sqrt", SIGN), Pow(apply("sqrt", SIGN), -1))),
        Mul((SCALAR, 1 - apply("positive", ONE * 3), Pow(1 - apply("positive", ONE * 3), -1))),
        Mul((SCALAR, apply("abs", SIGN) - SIGN, Pow(apply("abs", SIGN) - SIGN, -1))),
        SCALAR + apply("relu", SIGN, orders=(1,)) - apply("relu", SIGN, orders=(1,)),
        SCALAR + apply("log", SIGN, orders=(1,)) - apply("log", SIGN, orders=(1,)),
        SCALAR * (n - 1) * Pow(n - 1, -1),
    ],
    ids=["log", "sqrt", "positive", "abs", "a kink", "a derivative", "a size"],
)
def test_a_closed_form_asks_for_nothing_that_the_derivative_does_not(claim: Expr) -> None:
    b = Builder()
    b.define(b.tensor("q", []), [], SIGN * 2)
    k = fresh(N)
    b.define(b.tensor("p", []), [], Sum(k, Tensor("g", (fresh(N),))[k]))
    assert not all_proved(by_factor(b, SCALAR, (claim, ())))


def test_a_maximum_of_nothing_is_no_closed_form() -> None:
    """[i ≥ 2] [i = argmax_{2≤k≤n} x[k]] s is 0 where n = 1; without its bracket it is nothing."""
    late = Axis("unit", N.stop, Index(2))

    def largest(i: Var) -> Expr:
        return Select(as_index(i), (k := fresh(late)), X[k])

    lines = (lambda i: Mul((Bracket(i - 2), largest(i), SCALAR)), lambda i: largest(i) * SCALAR)
    assert not all_proved(jacobian(*lines, axes=(N,)))


def test_an_empty_sum_hides_a_denominator_from_functions_as_well() -> None:
    """Σ_{k<n} σ(s/(n − 1)) is 0 where n = 1, and (n − 1) σ(s/(n − 1)) is nothing."""
    k = fresh(Axis("unit", N.stop - 1))
    value = apply("sigmoid", Mul((SCALAR, Pow(n - 1, -1))))
    assert not all_proved(by_factor(Builder(), Sum(k, value), ((n - 1) * value, ())))


def test_a_found_fact_does_not_divide() -> None:
    """Σ_k p[k] (u[k] − x[40])/(u[k] − x[40]), where u = x and p[k] = [k = 40] s, is no 0."""
    b = Builder("single")
    x, u, p = (b.tensor(a, [N], r) for a, r in zip("xup", (Role.PARAMETER, *_OWN), strict=True))
    k, l, q, f = b.over(N, N, N, N)
    b.define(u, [k], x[k])
    b.define(p, [l], Mul((Delta(l + 0, Index(40)), SCALAR)))
    w, c = b.tensor("w", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(c, [], w[()] * Sum(q, p[q]))
    parts = Add((p[f] * u[f], Mul((Number.of(-1), p[f], x[40]))))
    fact = Fact(Sum(f, Mul((parts, Pow(u[f] - x[40], -1)))), ZERO, "found", (), assumed=False)
    dw = adjoint(w, c)
    chain = Adjoint(dw, (), (step(dw[()], ZERO, fact),), ZERO)
    assert not all_proved(Derivation(b.graph(c), (chain,)))


_OWN = (Role.AUXILIARY, Role.AUXILIARY)


@pytest.mark.parametrize(
    ("function", "stated"),
    [("exp", VALUE * Z * Pow(Z, -1)), ("tanh", (1 - VALUE**2) * (Z - 1) * Pow(Z - 1, -1))],
)
def test_a_stated_derivative_divides_by_nothing_that_its_function_does_not(
    function: str, stated: Expr
) -> None:
    found = lemma_verdict(Lemma(function, 0, (Z,), VALUE, stated))
    assert found.status is Status.UNDECIDED and "divides" in found.method


def test_a_stated_derivative_has_no_value_of_its_own_between_two_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """huber is smooth where a = y, and its derivative no less by 1 − sign(a − y)² there."""
    row = scalar("huber")
    places = a, y, _ = symbols(row)
    formula = row.derivatives[0]
    assert formula is not None
    stated = formula(*places, VALUE)
    leaping = stated + apply("sign", a - y) ** 2 - 1
    assert lemma_verdict(Lemma("huber", 0, places, VALUE, stated)).status is Status.PROVED
    for told in ("brackets", "leaps"):
        found = prove("huber", 0, leaping)
        assert found.status is Status.UNDECIDED and told in found.method
        monkeypatch.setattr("symderiv.proof.lemmas._formula", lambda *_: leaping)


OTHERS: dict[str, Expr] = {
    "a derivative and the same": apply("abs", Z, orders=(1,)) - apply("sign", Z),
    "what has no value": log(Number.of(-1)) - log(Number.of(-1)),
    "a sign of a number": Pow(1 - apply("positive", ONE * 3), -1) * 0 + apply("positive", ONE * 3),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_stated_derivative_adds_nothing_of_its_own(name: str) -> None:
    stated = 1 - VALUE**2 + OTHERS[name] - OTHERS[name]
    assert lemma_verdict(Lemma("tanh", 0, (Z,), VALUE, stated)).status is Status.UNDECIDED


def test_a_stated_derivative_takes_no_logarithm_at_the_end_of_a_domain() -> None:
    """kl(a, 0) is 0, with 0 log 0 = 0, and log y − log y has no value there."""
    row = scalar("kl")
    formula, places = row.derivatives[0], symbols(row)
    assert formula is not None
    stated = formula(*places, VALUE)
    more = stated + log(places[1]) - log(places[1])
    lemmas = [Lemma("kl", 0, places, VALUE, e) for e in (stated, more)]
    statuses = [lemma_verdict(lemma).status for lemma in lemmas]
    assert statuses == [Status.PROVED, Status.UNDECIDED]


IDLE = Fact(Sum(fresh(N), ONE), n, "found", (), assumed=False)


def test_a_fact_that_brings_a_line_to_normal_form_grants_nothing() -> None:
    """Σ_{k<i} v[i − 1] is nothing at i = 1, and (i − 1) v[i − 1] asks for v[0]."""
    i = fresh(N)
    part = Sum(fresh(Axis("unit", as_index(i) - 1)), V[i - 1])
    true = SCALAR + part + Bracket(i - 5)
    line = true + V[i - 1] - V[i - 1]
    b = Builder("single")
    w, c = Tensor("w", (), Role.PARAMETER), Tensor("C", (i,), Role.COST)
    k = fresh(N)
    b.define(c, [i], w[()] * true + Sum(k, V[k]))
    dw = Tensor("dw", c.slots, Role.ADJOINT, "w", None, w, c)
    steps = (step(dw[i], true), step(true, line, IDLE))
    chain = Adjoint(dw, (as_index(i),), steps, line)
    assert not all_proved(Derivation(b.graph(c), (chain,)))


def test_what_a_member_of_a_family_asks_for_is_not_asked_of_others() -> None:
    """h[t − 1] at t = 1 has an equation of its own; v[i − 1] at i = 1 is nothing."""
    b = Builder("single")
    time = Axis("time", N.stop, ordered=True)
    t = fresh(time, "t")
    h = b.tensor("h", [], family=t)
    b.define(h, [0], ZERO)
    b.recurrence(t, lambda: b.define(h, [t], h[t - 1] + SIGN))
    granted = Granted(b.blocks[-1].definitions)  # type: ignore[union-attr]
    assert all(map(granted.meets, needs(h[t - 1])))
    assert not all(map(granted.meets, needs(V[I - 1])))


def test_an_entry_out_of_its_axis_has_no_equation() -> None:
    """t[k] = 1/(x[k] − x[40]) for k > 40, and t[i + j] at i + j = 40 is nothing."""
    late = Axis("unit", LONG.stop, Index(41))
    b = Builder("single")
    t = b.tensor("t", [late])
    (k,) = b.over(late)
    b.define(t, [k], Pow(X[k] - X[40], -1))
    w = Tensor("w", (), Role.PARAMETER)
    i, j = fresh(N), fresh(N)
    c = Tensor("C", (i, j), Role.COST)
    true = Mul((Delta(i + j, Index(40)), SCALAR))
    b.define(c, [i, j], w[()] * true)
    dw = Tensor("dw", c.slots, Role.ADJOINT, "w", None, w, c)
    line = Mul((*true.factors, X[i + j] - X[40], t[i + j]))
    steps = (step(dw[i, j], true), step(true, line, Uses(t)))
    chain = Adjoint(dw, (as_index(i), as_index(j)), steps, line)
    assert not all_proved(Derivation(b.graph(c), (chain,)))


def test_a_derivative_hides_no_logarithm() -> None:
    """∂(y + log x)/∂y is 1, and has no value where x < 0."""
    b = Builder()
    x, y = (Tensor(name, (), Role.INPUT)[()] for name in "xy")
    b.define(b.tensor("t", []), [], x * y)
    assert not all_proved(by_factor(b, SCALAR, (SCALAR * Partial(y + log(x), y), ())))


def test_a_chain_that_is_refused_grants_nothing_to_the_next() -> None:
    """The first one divides by x after a step of which a premise has no equation."""
    b = Builder()
    x = Tensor("x", (), Role.INPUT)[()]
    b.define(b.tensor("t", []), [], x * 2)
    v, w = b.tensor("v", [], Role.PARAMETER), b.tensor("w", [], Role.PARAMETER)
    c = b.tensor("C", [], Role.COST)
    b.define(c, [], (v[()] + w[()]) * SCALAR)
    dv, dw = adjoint(v, c), adjoint(w, c)
    wrong = SCALAR * x / x
    first = (step(dv[()], SCALAR, Uses(x.tensor)), step(SCALAR, wrong), step(wrong, wrong * 1))
    chains = (
        Adjoint(dv, (), first, first[-1].right),
        Adjoint(dw, (), (step(dw[()], SCALAR), step(SCALAR, wrong)), wrong),
    )
    verdicts = check(Derivation(b.graph(c), chains)).chains[1].verdicts
    assert [v.status for v in verdicts] == [Status.PROVED, Status.UNDECIDED]


@pytest.mark.parametrize("of", [None, Tensor("gone", (), Role.INPUT)])
def test_derivatives_that_nobody_derives_are_none(of: Tensor | None) -> None:
    phantom = Tensor("dgone", (), Role.ADJOINT, "gone", None, of, of, True)[()]
    with pytest.raises(IllFormed, match="no tensor of this graph"):
        all_proved(by_factor(Builder(), SCALAR, (SCALAR + phantom - phantom, ())))


def test_a_lemma_is_used_where_somebody_asks_for_its_function() -> None:
    """s log(x) has the derivative s log′(x) = s/x; but s = s x log′(x) asks for more."""
    x = Tensor("x", (), Role.INPUT)[()]
    slope = apply("log", x, orders=(1,))
    b = Builder()
    b.define(b.tensor("t", []), [], x * 2)
    assert not all_proved(by_factor(b, SCALAR, (SCALAR * x * slope, (LOG,))))
    assert all_proved(by_factor(Builder(), SCALAR * slope, (SCALAR * Pow(x, -1), (LOG,))))


def test_members_that_lead_to_the_cost_in_other_ways() -> None:
    """C = h[1] + h[T] with h[t] = s h[t − 1]: of ∂C/∂h[1] the direct part is not the whole."""
    b = Builder("single")
    long = Axis("time", as_index(Size("T")), Index(0), ordered=True)
    time = Axis("time", long.stop, Index(1), ordered=True)
    h, (t,) = Tensor("h", (fresh(long),)), b.over(time)
    b.define(h, [Index(0)], SCALAR)
    b.recurrence(t, lambda: b.define(h, [t], SCALAR * h[t - 1]))
    c = b.tensor("C", [], Role.COST)
    b.define(c, [], h[1] * h[long.stop])
    meaning = Meaning(b.graph(c), {})
    meaning.expand(Partial(c[()], h[long.stop]))
    for member in (Index(0), Index(1), long.stop - 1):
        with pytest.raises(NoMeaning, match="in other ways as well"):
            meaning.expand(Partial(c[()], h[member]))


@pytest.mark.parametrize(("function", "exists"), [("exp", True), ("relu", False), ("sqrt", True)])
def test_a_derivative_is_named_where_there_is_one(function: str, exists: bool) -> None:
    """With C = w s + f(x²), ∂C/∂w = s holds where f is not differentiable as well."""
    b = Builder()
    x, v = b.tensor("x", [], Role.PARAMETER), b.tensor("w", [], Role.PARAMETER)
    c = b.tensor("C", [], Role.COST)
    b.define(c, [], v[()] * SCALAR + apply(function, x[()] ** 2))
    dx, dv = adjoint(x, c), adjoint(v, c)
    slope = apply(function, x[()] ** 2, orders=(1,)) * 2 * x[()]
    line = SCALAR + dx[()] - dx[()]
    chains = (
        Adjoint(dx, (), (step(dx[()], slope),), slope),
        Adjoint(dv, (), (step(dv[()], SCALAR), step(SCALAR, line)), line),
    )
    found = check(Derivation(b.graph(c), chains))
    assert [v.status is Status.PROVED for v in found.chains[1].verdicts] == [True, exists]
    assert found.chains[0].verdicts[0].status is Status.PROVED


def test_a_derivative_is_not_differentiated() -> None:
    b = Builder()
    x, c = b.tensor("x", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(c, [], x[()] * SCALAR)
    dx = adjoint(x, c)
    line = SCALAR * Partial(x[()] + dx[()] - dx[()], x[()])
    chain = Adjoint(dx, (), (step(dx[()], SCALAR), step(SCALAR, line)), line)
    with pytest.raises(IllFormed, match="differentiated once more"):
        check(Derivation(b.graph(c), (chain,)))

"""Two accounts of differentiation, one of the engine and one of the oracle, against numbers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.algebra.binding import refresh
from symderiv.algebra.expr import (
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
    delta,
    mul,
    sum_over,
)
from symderiv.algebra.index import Axis, Size, as_index, fresh
from symderiv.algebra.normal import normal
from symderiv.calculus.differentiate import differentiate
from symderiv.calculus.graph import Graph
from symderiv.proof.meaning import Meaning, NoMeaning, rate
from tests.algebra.numeric import SMALL, Env, Sizes, noise, value
from tests.algebra.trees import FREE, UNITS, I, J, W, X, examples, trees

Pair = tuple[Fraction, Fraction]  # a value, and its rate of change


def moved(expr: Expr, entry: Access, sizes: Sizes, env: Env) -> Pair:
    """Value and rate when one entry of one tensor moves; f and f′ are unrelated."""
    place = tuple(sizes.index(i, env) for i in entry.indices)

    def of(e: Expr, env: Env) -> Pair:
        match e:
            case Access(tensor, indices):
                here = tuple(sizes.index(i, env) for i in indices)
                moves = tensor == entry.tensor and here == place
                return value(e, sizes, env), Fraction(moves)
            case Number() | SizeOf() | Delta() | Bracket() | Select():
                return value(e, sizes, env), Fraction(0)
            case Sum(var, body):
                pairs = [of(body, {**env, var: n}) for n in sizes.span(var.axis, env)]
                return sum((p for p, _ in pairs), Fraction(0)), sum(
                    (r for _, r in pairs), Fraction(0)
                )
            case Add(terms):
                pairs = [of(t, env) for t in terms]
                return sum(p for p, _ in pairs) + Fraction(0), sum(r for _, r in pairs) + Fraction(
                    0
                )
            case Mul(factors):
                product, speed = Fraction(1), Fraction(0)
                guards = [f for f in factors if isinstance(f, Delta | Bracket)]
                if any(value(g, sizes, env) == 0 for g in guards):
                    return Fraction(0), Fraction(0)
                for factor in factors:
                    p, r = of(factor, env)
                    product, speed = product * p, speed * p + product * r
                return product, speed
            case Pow(base, exponent):
                p, r = of(base, env)
                return p**exponent, (exponent * p ** (exponent - 1) * r if r else Fraction(0))
            case Apply(function, args, orders):
                pairs = [of(a, env) for a in args]
                points = [p for p, _ in pairs]
                speed = Fraction(0)
                for n, (_, r) in enumerate(pairs):
                    raised = tuple(o + (k == n) for k, o in enumerate(orders))
                    speed += noise(function, raised, *points) * r
                return noise(function, orders, *points), speed
        raise TypeError(repr(e))

    return of(expr, env)


ENTRIES = (X[I], W[I, J], W[I, I], W[1, J], X[as_index(J) + 1])


@given(trees(depth=3), st.sampled_from(ENTRIES), st.sampled_from((rate, differentiate)))
@settings(max_examples=examples(250))
def test_a_rate_is_how_fast_the_value_moves(expr: Expr, entry: Access, account: Any) -> None:
    expr = refresh(expr)  # its bound variables are not those of the entry
    try:
        slope = account(expr, entry)
    except ZeroDivisionError:
        return
    for sizes in SMALL[:3]:
        for env in list(sizes.environments(FREE))[::7]:
            try:
                expected = moved(expr, entry, sizes, env)[1]
                found = value(slope, sizes, env)
            except ZeroDivisionError:
                continue
            assert found == expected


def form(expr: Expr) -> str | None:
    try:
        return normal(expr).key
    except ZeroDivisionError:
        return None


@given(trees(depth=2), st.sampled_from(ENTRIES))
@settings(max_examples=examples(150))
def test_both_accounts_agree_in_normal_form(expr: Expr, entry: Access) -> None:
    expr = refresh(expr)
    try:
        one, other = form(rate(expr, entry)), form(differentiate(expr, entry))
    except ZeroDivisionError:
        return
    assert one is None or other is None or one == other


@given(trees(depth=2, rational=False), trees(depth=2, rational=False), st.sampled_from(ENTRIES))
@settings(max_examples=examples(150))
def test_the_engine_is_linear_and_obeys_the_product_rule(f: Expr, g: Expr, entry: Access) -> None:
    f, g = refresh(f), refresh(g)
    df, dg = differentiate(f, entry), differentiate(g, entry)
    assert form(differentiate(3 * f - 2 * g, entry)) == form(3 * df - 2 * dg)
    assert form(differentiate(f * g, entry)) == form(df * g + f * dg)
    k = fresh(UNITS)
    assert form(differentiate(sum_over(k, f * X[k]), entry)) == form(
        sum_over(k, df * X[k] + f * differentiate(X[k], entry))
    )


def test_an_entry_moves_itself_alone() -> None:
    k = fresh(UNITS)
    assert form(rate(X[k], X[J])) == form(Delta(as_index(k), as_index(J)))
    assert rate(W[I, J], X[J]) == ZERO
    assert form(Sum(k, rate(X[k], X[J]) * X[k])) == form(X[J])


# --- What has no meaning -------------------------------------------------------------------------


def test_a_missing_adjoint_has_no_meaning() -> None:
    u, c = Tensor("u", (fresh(UNITS),)), Tensor("C", (), Role.COST)
    k, i = fresh(UNITS), fresh(UNITS)
    from symderiv.calculus.graph import Definition

    graph = Graph((Definition(u, (as_index(i),), X[i] ** 2), Definition(c, (), Sum(k, u[k]))), c)
    target = Tensor("dx", X.slots, Role.ADJOINT, of=X, root=c)
    with pytest.raises(NoMeaning, match="has no adjoint"):
        Meaning(graph, {}).total(target[I])
    du = Tensor("du", u.slots, Role.ADJOINT, of=u, root=c)
    total = Meaning(graph, {u: du}).total(target[I])
    assert form(total) == form(2 * X[I] * du[I])
    elsewhere = Tensor("du", u.slots, Role.ADJOINT, of=u, root=Tensor("E", ()))
    with pytest.raises(NoMeaning, match="no factor"):
        Meaning(graph, {u: elsewhere}).total(target[I])


def test_an_unused_tensor_has_derivative_zero() -> None:
    c = Tensor("C", (), Role.COST)
    from symderiv.calculus.graph import Definition

    graph = Graph((Definition(c, (), Number(Fraction(1))),), c)
    target = Tensor("dx", X.slots, Role.ADJOINT, of=X, root=c)
    assert Meaning(graph, {}).total(target[I]) == ZERO


def test_ranges_move_with_the_entry() -> None:
    layers = Axis("layer", as_index(Size("L")), ordered=True)
    l = fresh(layers)
    units = Axis("unit", as_index(Size("q", as_index(l))))
    family = Tensor("a", (l, fresh(units)))
    t, s = fresh(layers), fresh(layers)
    k = fresh(Axis("unit", as_index(Size("q", as_index(t)))))
    i = fresh(Axis("unit", as_index(Size("q", as_index(s)))))
    slope = Sum(t, Sum(k, rate(family[t, k] * X[k], family[s, i])))
    assert form(slope) == form(X[i])


def test_an_entry_that_may_be_the_same_is_not_held_fixed() -> None:
    """∂h[T]/∂h[t]: for t = T it is 1, and h[T] is computed from h[T-1] by its equation else."""
    from symderiv.calculus.graph import Definition, Recurrence

    time = Axis("time", as_index(Size("T")), ordered=True)
    whole = Axis("time", as_index(Size("T")), as_index(0), ordered=True)
    t, s, u = fresh(time), fresh(time), fresh(Axis("time", as_index(Size("T")) - 1, ordered=True))
    h = Tensor("h", (fresh(whole),))
    step = Definition(h, (as_index(t),), apply("tanh", h[t - 1]))
    graph = Graph((Recurrence(t, (step,)),), h)
    meaning = Meaning(graph, {})
    with pytest.raises(NoMeaning, match="by itself"):
        meaning.expand(Partial(h[time.stop], h[s]))
    held = meaning.expand(Partial(h[time.stop], h[u]))
    slope = Apply("tanh", (h[time.stop - 1],), (1,))
    assert form(held) == form(mul(slope, delta(time.stop - 1, u)))

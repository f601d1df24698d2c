"""Each rewriting on formulas made for it: the value by fractions, and the form as documented."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

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
    Pow,
    Role,
    SizeOf,
    Sum,
    Tensor,
    add,
    apply,
    delta,
    mul,
    power,
    sum_over,
)
from symderiv.algebra.index import Axis, Index, Size, as_index, fresh
from symderiv.calculus import simplify
from symderiv.calculus.cancelling import cancel
from symderiv.calculus.collecting import collect, discovered, reduce_sums
from symderiv.calculus.differentiate import differentiate
from symderiv.calculus.folding import Folds, fold, solve_for
from symderiv.calculus.functions import unfold
from symderiv.calculus.graph import Definition, Graph
from symderiv.calculus.ordering import ordered_product
from symderiv.calculus.rewriting import collapse, tidy
from tests.algebra.numeric import agree
from tests.algebra.trees import EXAMPLES, FREE, UNITS, C, I, J, M, N, W, X

x, c, w = X[I], C[()], W[I, J]
A, B, Y = (Access(Tensor(name), ()) for name in "aby")
n, m = SizeOf(N), SizeOf(M)
K = fresh(UNITS, "k")


# --- Order and collecting ---------------------------------------------------------------------


def test_factors_stand_in_the_documented_order() -> None:
    """Numbers, hyperparameters, sizes, conditions, parameters, the rest."""
    factors = (Number(Fraction(2)), c, n, Delta(as_index(I), as_index(J)), w, x)
    for k in range(len(factors)):
        turned = (*factors[k:], *factors[:k])
        assert ordered_product(turned) == ordered_product(turned[::-1]) == Mul(factors)


@pytest.mark.parametrize(
    ("given", "collected"),
    [
        (x + x, 2 * x),
        (A + B - A, B),
        (A - A, ZERO),
        (2 * A + 4 * B, 2 * (A + 2 * B)),
        (A / 4 + B / 6, Number(Fraction(1, 12)) * (3 * A + 2 * B)),
        (-A - B, -(A + B)),
        (A * B + B, B * (A + 1)),
        (A / m + B, power(m, -1) * (A + m * B)),
        (A / B + Y / B, power(B, -1) * (A + Y)),
        (A**3 * B + A**2 * Y, A**2 * (Y + A * B)),
        (-A + Sum(K, X[K]), Sum(K, X[K]) - A),
        ((A + B) * Y - A * Y, B * Y),
    ],
)
def test_collecting(given: Expr, collected: Expr) -> None:
    found = collect(given)
    assert agree(given, found, FREE)
    assert _shape(found) == _shape(collected)


def _shape(expr: Expr) -> object:
    """A tree without the order of its factors; the order of terms counts."""
    match expr:
        case Mul(factors):
            return "product", sorted(map(repr, map(_shape, factors)))
        case Add(terms):
            return "sum", [_shape(t) for t in terms]
        case Pow(base, exponent):
            return "power", _shape(base), exponent
        case _:
            return expr


def test_a_product_without_sums_is_not_reordered() -> None:
    product = Mul((x, c))
    assert collect(product) is product and collect(x) is x


# --- Sums ---------------------------------------------------------------------------------------


def test_a_constant_is_summed_to_a_multiple() -> None:
    assert tidy(Sum(K, m)) == Mul((n, m))
    assert tidy(Sum(K, mul(x, X[K]))) == Mul((x, Sum(K, X[K])))


@pytest.mark.parametrize(
    ("body", "collapsed"),
    [
        (mul(Delta(as_index(K), as_index(I)), X[K], c), mul(x, c)),
        (mul(X[K], Delta(as_index(I), as_index(K)), X[K]), mul(x, x)),
        (mul(Delta(as_index(K), N + 1), X[K]), ZERO),
        (
            mul(c, add(Delta(as_index(K), as_index(I)), Delta(as_index(K), as_index(J))), X[K]),
            add(mul(c, x), mul(c, X[J])),
        ),
        (
            add(mul(Delta(as_index(K), as_index(I)), X[K]), Delta(as_index(J), as_index(K))),
            add(x, ONE),
        ),
        (
            mul(Delta(as_index(I), as_index(J)), X[K]),
            mul(Delta(as_index(I), as_index(J)), Sum(K, X[K])),
        ),
        (
            mul(Delta(as_index(K), as_index(I)), Delta(as_index(K), as_index(J)), X[K]),
            mul(Delta(as_index(I), as_index(J)), x),
        ),
    ],
)
def test_deltas_collapse(body: Expr, collapsed: Expr) -> None:
    found, _ = collapse(Sum(K, body))
    assert agree(Sum(K, body), found, FREE) and found == collapsed


@pytest.mark.parametrize(
    ("condition", "decided"),
    [
        (Delta(N + 1, N), ZERO),
        (Bracket(N - 1), ONE),
        (Bracket(-1 * N), ZERO),
        (Bracket(as_index(I) - 2), Bracket(as_index(I) - 2)),
    ],
)
def test_conditions_are_decided_where_sizes_decide(condition: Expr, decided: Expr) -> None:
    assert collapse(mul(x, condition))[0] == mul(x, decided)


def test_a_sum_of_one_entry_is_the_entry() -> None:
    only = fresh(Axis("unit", Index(1)))
    assert collapse(Sum(only, X[only] * W[I, only])) == (X[1] * W[I, 1], ["i = 1"])
    assert collapse(Sum(K, X[K])) == (Sum(K, X[K]), [])


def test_a_sum_without_definitions_is_not_discovered() -> None:
    graph = Graph((), Tensor("C"))
    assert discovered(Sum(K, mul(m, n)), _centred()[0]) is None  # sizes only: tidying does that
    assert reduce_sums(Sum(K, X[K] + W[K, K]), graph) == (Sum(K, X[K] + W[K, K]), [])


def _centred() -> tuple[Graph, Tensor, Tensor]:
    """d[i] = x[i] - 1/n sum x, and p[i] = d[i] W[i, i]."""
    d = Tensor("d", (fresh(UNITS),), Role.AUXILIARY)
    p = Tensor("p", (fresh(UNITS),), Role.AUXILIARY)
    i, k = fresh(UNITS), fresh(UNITS)
    mean = sum_over(k, X[k]) / n
    blocks = (
        Definition(d, (as_index(i),), X[i] - mean),
        Definition(p, (as_index(i),), d[i] * W[i, i]),
    )
    return Graph(blocks, Tensor("C")), d, p


def test_a_sum_is_discovered_by_inserting_definitions() -> None:
    graph, d, p = _centred()
    assert discovered(Sum(K, d[K]), graph) == ZERO
    assert discovered(Sum(K, p[K]), graph) is None
    assert discovered(Sum(K, add(X[K], -X[K])), graph) is None  # no definition is needed for that
    assert discovered(Sum(K, add(W[K, K], -W[K, K])), graph) is None
    assert discovered(Sum(K, mul(d[K], w)), graph) is None  # w moves out of the sum first
    value, facts = reduce_sums(mul(x, Sum(K, X[K] + d[K])), graph)
    assert value == mul(x, Sum(K, X[K])) and [f.left for f in facts] == [Sum(K, d[K])]


# --- Cancelling ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "cancelled"),
    [
        (Mul((A, B, Pow(A, -1))), B),
        (Mul((A, A, Pow(A, -1))), A),
        (Mul((Pow(Mul((A, B)), -1), Y)), Y / A / B),
        (Mul((Add((A**2, A)), Pow(A, -1))), 1 + A),
        (Mul((Add((A**2, A)), Pow(A, -1), Sum(K, X[K]))), (1 + A) * Sum(K, X[K])),
        (Mul((m, Add((A**2, A)), Pow(A, -1))), m * (1 + A)),
        (Mul((Add((ONE, -(A**2))), Pow(1 - A, -1), Pow(Y, -1))), (1 + A) / Y),
        (Add((1 / (1 - A), -A / (1 - A))), ONE),
        (Mul((Add((A / B, Y)), B)), A + B * Y),
    ],
)
def test_cancelling(given: Expr, cancelled: Expr) -> None:
    found = cancel(given)
    assert agree(given, found, FREE) and agree(found, cancelled, FREE)
    assert len(repr(found)) <= len(repr(cancelled))


def test_sizes_stand_first_in_what_is_cancelled() -> None:
    for factors in ((m, w, Pow(A, 2)), (w, m, Pow(A, 2)), (w, A, m, A)):
        assert cancel(Mul((Add((Mul(factors), A)), Pow(A, -1)))) == add(ONE, mul(m, w, A))


@pytest.mark.parametrize(
    "whole",
    [
        Mul((x, c, Pow(Y, -1))),
        Mul((Pow(Y, -1), A)),
        Mul((Y, Add((A, B)), Pow(c, -1))),
        Add((1 / A, Sum(K, X[K]))),
        Add((1 / A, 1 / B)),
        Mul((x, c, Pow(m, -1))),
    ],
)
def test_what_has_nothing_to_cancel_stays_as_it_is(whole: Expr) -> None:
    assert cancel(whole) == whole


# --- Folding ------------------------------------------------------------------------------------


def _quotient(body: Expr, q: Tensor, *indices: Any) -> Definition:
    return Definition(q, tuple(map(as_index, indices)), body)


def test_a_quotient_is_solved_for_its_numerator() -> None:
    q = Tensor("q", (fresh(UNITS),))
    d = Tensor("d", (fresh(UNITS),))
    square = Tensor("r", (fresh(UNITS), fresh(UNITS)))
    k = fresh(UNITS)
    assert solve_for(_quotient(d[K] / A, q, K), d[I]) == mul(q[I], A)
    assert solve_for(_quotient(d[K] / A / B, q, K), d[I]) == mul(q[I], power(mul(1 / A, 1 / B), -1))
    refused = [
        (d[K], d[I]),  # no quotient
        (mul(d[K], A), d[I]),
        (mul(d[K], X[K]) / A, d[I]),  # two numerators
        (d[K] / Sum(k, X[k]), d[I]),  # a sum stays where it is
        (mul(Pow(A, -1), Pow(B, -1)), d[I]),  # none
        (X[K] / A, d[I]),  # of another tensor
        (square[K, K] / A, square[I, J]),  # of the diagonal only
        (d[1] / A, d[I]),
    ]
    for body, entry in refused:
        assert solve_for(_quotient(body, q, K), entry) is None
    assert solve_for(
        _quotient(
            A / B,
            Tensor("q"),
        ),
        A,
    ) == mul(Access(Tensor("q"), ()), B)


def test_only_what_is_eliminated_or_auxiliary_is_folded() -> None:
    q, i = Tensor("q", (fresh(UNITS),)), fresh(UNITS)
    for role in (Role.INPUT, Role.AUXILIARY):
        d = Tensor("d", (fresh(UNITS),), role)
        for eliminates in (None, d):
            definition = Definition(q, (as_index(i),), d[i] / A, eliminates=eliminates)
            folded, used, _ = fold(d[I] + 1, Folds(Graph((definition,), Tensor("C"))))
            if role is Role.AUXILIARY or eliminates:
                assert folded == mul(q[I], A) + 1 and [p.tensor for p in used] == [q]  # type: ignore[union-attr]
            else:
                assert folded == d[I] + 1 and used == ()


@pytest.mark.parametrize(
    "quotients",
    [
        {"q": ("c", "f(c)")},
        {"q": ("c", "d"), "p": ("d", "c")},
        {"q": ("c", "d"), "p": ("d", "b"), "r": ("b", "c")},
        {"q": ("c", "b"), "p": ("b", "q")},  # c = q b, b = p q: there is an end
    ],
)
def test_folding_comes_to_an_end(quotients: dict[str, tuple[str, str]]) -> None:
    """q = c/sqrt(c) gives c = q sqrt(c), and from that q sqrt(q sqrt(c)), and so on."""
    entries = {t: Access(Tensor(t, role=Role.AUXILIARY), ()) for t in "bcdpqr"}
    entries["f(c)"] = apply("sqrt", entries["c"])
    definitions = [
        Definition(entries[q].tensor, (), entries[above] / entries[below])
        for q, (above, below) in quotients.items()
    ]
    graph = Graph(tuple(definitions), Tensor("C"))
    whole: Expr = entries["c"]
    for _ in range(5):
        whole = fold(whole, Folds(graph))[0]
    assert fold(whole, Folds(graph)) == (whole, (), "")


# --- Functions and derivatives ------------------------------------------------------------------


def test_what_has_no_definition_is_not_unfolded() -> None:
    for whole in (
        apply("unknown", A),
        apply("softmax", A),
        apply("exp", A),
        apply("pi"),
        Apply("mse", (A, Y), (1, 0)),
        Apply("mse", (A, Y), (1, 1)),
    ):
        assert unfold(whole) == whole
    assert unfold(apply("mse", A, Y)) == (A - Y) ** 2


@pytest.mark.parametrize(
    ("expr", "wrt", "slope"),
    [
        (A, A, ONE),
        (A, B, ZERO),
        (W[I, J], W[K, 1], mul(delta(I, K), delta(J, 1))),
        (A**3 * B, A, 3 * A**2 * B),
        (Sum(K, X[K] ** 2), x, Sum(K, 2 * X[K] * delta(K, I))),
        (apply("power", A, A), A, Apply("power", (A, A), (1, 0)) + Apply("power", (A, A), (0, 1))),
        (mul(Bracket(I - 2), x), X[J], mul(Bracket(I - 2), delta(I, J))),
    ],
)
def test_derivatives(expr: Expr, wrt: Access, slope: Expr) -> None:
    assert differentiate(expr, wrt) == slope


# --- The loop -----------------------------------------------------------------------------------


def test_passes_that_undo_one_another_end() -> None:
    """No form is reached twice, and the chain ends where the circle began."""
    circle = {A: c, c: B, B: Y, Y: x, x: B}
    passes = (("there and back", lambda expr, chain: (circle[expr], "", ())),)
    graph = Graph((), Tensor("C"))
    chain = simplify.Chain(A, graph, Folds(graph), [])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simplify, "PASSES", passes)
        simplify.simplify(chain)
    assert [step.right for step in chain.steps] == [c, B]
    assert chain.current == B


def test_sizes_of_other_axes_do_not_meet() -> None:
    s = fresh(EXAMPLES)
    other = fresh(Axis("unit", as_index(Size("p"))))
    assert tidy(Sum(s, Sum(other, x))) == mul(m, SizeOf(as_index(Size("p"))), x)


def test_another_entry_does_not_move() -> None:
    """∂x[i + 1]/∂x[i] = 0 at once, and ∂x[j]/∂x[i] = [j = i] may be 1."""
    assert differentiate(X[I + 1] * 2, X[I]) == ZERO
    assert differentiate(X[J], X[I]) == delta(J, I)
    assert differentiate(X[I + 1] + X[I], X[I]) == ONE

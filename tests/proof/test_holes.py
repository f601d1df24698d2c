"""Where a line divides by 0 for all values, and where a derivative has more than one meaning."""

from __future__ import annotations

import pytest

from symderiv.algebra.expr import Bracket, Delta, Expr, Mul, Partial, Pow, Role, Tensor, apply
from symderiv.algebra.index import Axis, Index, Size, Var, as_index, fresh
from symderiv.calculus.builder import Builder
from symderiv.calculus.steps import Lemma
from symderiv.proof.holes import denominators, holes
from symderiv.proof.meaning import Meaning, NoMeaning
from tests.proof.test_red_team_kernel import N
from tests.proof.test_red_team_together import LOG, SCALAR, all_proved, by_factor

X = Tensor("x", (fresh(N),))
I, J = fresh(N, "i"), fresh(N, "j")


def over(first: Expr, *guards: Expr) -> Expr:
    return Mul((*guards, Pow(first, -1), X[I]))


FOUND: dict[str, tuple[Expr, list[dict[Var, Index]]]] = {
    "equal indices": (over(X[I] - X[J]), [{I: as_index(J)}, {J: as_index(I)}]),
    "a number": (over(X[I] - X[7]), [{I: Index(7)}]),
    "inside": (apply("exp", over(X[I] - X[7])), [{I: Index(7)}]),
    "nowhere": (over(X[I] + X[J]), []),
    "one index": (over(X[I]), []),
    "excluded by a bracket": (over(X[I] - X[J], Bracket(J - I - 1)), []),
    "excluded by a delta": (over(X[I] - X[7], Delta(as_index(I), Index(2))), []),
    "beside another bracket": (over(X[I] - X[7], Bracket(I - 3)), [{I: Index(7)}]),
}


@pytest.mark.parametrize("name", FOUND)
def test_indices_at_which_a_denominator_is_0(name: str) -> None:
    line, places = FOUND[name]
    assert holes([line, line]) == places


def test_what_is_divided_by() -> None:
    assert denominators([over(X[I]), X[J] * 2, apply("tanh", over(X[J]))]) == {X[I], X[J]}


def test_a_lemma_for_all_values_needs_nobody_to_ask_for_them() -> None:
    """s = s x log′(x), though no logarithm is in the equations."""
    x = Tensor("x", (), Role.INPUT)[()]
    b = Builder()
    b.define(b.tensor("t", []), [], x * 2)
    slope = apply("log", x, orders=(1,))
    assert isinstance(LOG, Lemma)
    assert all_proved(by_factor(b, SCALAR, (SCALAR * x * slope, (LOG,))))


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

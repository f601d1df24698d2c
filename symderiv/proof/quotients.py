"""Sums of quotients over their common denominator: the numerator decides whether they are 0."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, prod

from symderiv.algebra.binding import free_variables
from symderiv.algebra.expr import Add, Bracket, Delta, Expr, Mul, Select, add, power
from symderiv.algebra.index import is_nonnegative
from symderiv.algebra.normal import Term, normal
from symderiv.calculus.brackets import guard_of

MAX_TERMS = 2000  # of a numerator over a common denominator


def over_common_denominator(left: Expr, right: Expr) -> Expr | None:
    """A numerator that is zero exactly where left = right, if no denominator is zero.

    Only denominators outside of sums are multiplied out, and only where no term is left that might
    be there without any of them; None also where that makes too many terms.
    """
    terms = [*normal(left).terms, *(_negated(t) for t in normal(right).terms)]
    lowest: dict[Expr, int] = {}
    for term in terms:
        bound = set(term.bound)
        for atom, p in term.monomial:
            if p < 0 and bound.isdisjoint(free_variables(atom)):
                lowest[atom] = min(p, lowest.get(atom, 0))
    if not all(_is_asserted(atom, terms) for atom in lowest):
        return None
    lengths = ((len(atom.terms) if isinstance(atom, Add) else 1, -p) for atom, p in lowest.items())
    if len(terms) * prod(comb(length + p - 1, p) for length, p in lengths) > MAX_TERMS:
        return None
    common = [power(atom, -p) for atom, p in lowest.items()]
    return add(*(_multiplied(term, common) for term in terms))


def _is_asserted(denominator: Expr, terms: Sequence[Term]) -> bool:
    """Whether some term is divided by it wherever any term is there at all.

    A term is not there where one of its brackets is 0, nor where one of its ranges is empty. What
    1 − [u > 0] excludes is not seen any more where it is multiplied out.
    """
    if any(guard_of(atom) is not None for t in terms for atom, _ in t.monomial):
        return False
    dividing = [t for t in terms if dict(t.monomial).get(denominator, 0) < 0]
    return all(any(_guards(d) <= _guards(t) for d in dividing) for t in terms)


def _guards(term: Term) -> set[object]:
    """What has to hold so that a term is there: its brackets, and that there are indices."""
    brackets = {a for a, _ in term.monomial if isinstance(a, Delta | Bracket | Select)}
    ranges = (v.axis for v in term.bound if not is_nonnegative(v.axis.size - 1))
    return brackets | {(axis.start, axis.stop) for axis in ranges}


def _negated(term: Term) -> Term:
    return Term(-term.coefficient, term.bound, term.monomial)


def _multiplied(term: Term, factors: list[Expr]) -> Expr:
    expr = term.expr()
    return Mul((*(expr.factors if isinstance(expr, Mul) else (expr,)), *factors))

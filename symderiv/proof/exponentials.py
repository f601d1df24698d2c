"""exp(a + b) = exp(a) exp(b) and log(ab) = log(a) + log(b): told to deciders that do not know them.

To the normal form and to the finite field a function is an unknown. These two relations are exact,
the second where a and b are positive, which then has to be said.
"""

from __future__ import annotations

from collections.abc import Iterable

from symderiv.algebra.expr import (
    ONE,
    Apply,
    Bracket,
    Delta,
    Expr,
    Number,
    Select,
    add,
    apply,
    mul,
    power,
    rebuild,
)
from symderiv.algebra.normal import Normal, Term, normal


def expanded(expr: Expr) -> tuple[Expr, tuple[Expr, ...]]:
    """The tree with exponentials of sums and logarithms of products taken apart.

    Also the expressions that must be positive for that. Raises ZeroDivisionError.
    """
    positive: dict[Expr, None] = {}

    def run(node: Expr) -> Expr:
        node = rebuild(node, run)
        if not isinstance(node, Apply) or any(node.orders):
            return node
        if node.function == "exp":
            return _of_a_sum(normal(node.args[0]).terms)
        if node.function == "log":
            return _of_a_product(node, normal(node.args[0]), positive)
        return node

    return run(expr), tuple(positive)


def _of_a_sum(terms: Iterable[Term]) -> Expr:
    """Π exp(t)^p for the terms p·t of a sum with whole numbers p; t keeps its denominator."""
    factors = []
    for term in terms:
        whole = term.coefficient.numerator
        base = Term(term.coefficient / whole, term.bound, term.monomial)
        factors.append(power(apply("exp", base.expr()), whole))
    return mul(ONE, *factors)


def _of_a_product(node: Apply, argument: Normal, positive: dict[Expr, None]) -> Expr:
    """log(c) + Σ p log(a) for a product of powers with a positive number c; else as it is."""
    if len(argument.terms) != 1:
        return node
    (term,) = argument.terms
    by_index = any(isinstance(atom, Delta | Bracket | Select) for atom, _ in term.monomial)
    if term.bound or by_index or term.coefficient <= 0:
        return node
    parts = [] if term.coefficient == 1 else [apply("log", Number(term.coefficient))]
    for atom, p in term.monomial:
        if isinstance(atom, Apply) and atom.function == "exp" and not any(atom.orders):
            parts.append(mul(Number.of(p), atom.args[0]))
            continue
        parts.append(mul(Number.of(p), apply("log", atom)))
        if len(term.monomial) > 1 or p % 2 == 0:
            positive.setdefault(atom)
    return add(*parts)

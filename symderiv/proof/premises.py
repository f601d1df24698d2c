"""Premises put to work: a lemma or a fact turned into a rewriting, or into a relation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symderiv.algebra.binding import (
    free_variables,
    range_variables,
    refresh,
    replace_accesses,
    substitute,
)
from symderiv.algebra.expr import Access, Add, Apply, Expr, Sum, add, mul, power, rebuild
from symderiv.algebra.index import Index, Var, as_index, guards, is_nonnegative
from symderiv.algebra.matching import match
from symderiv.algebra.normal import Term, normal
from symderiv.calculus.graph import Fact
from symderiv.calculus.steps import Lemma, Premise
from symderiv.proof.lemmas import derivative_verdict
from symderiv.proof.verdict import Verdict


def lemma_verdict(lemma: Lemma) -> Verdict:
    """The verdict on a stated derivative: proved from the definition of its function alone."""
    return derivative_verdict(lemma.function, lemma.argument, lemma.args, lemma.value, lemma.stated)


def apply_lemmas(expr: Expr, premises: Iterable[Premise]) -> Expr:
    """f′(e) replaced by what the lemma states, with f(e) for the value."""
    lemmas = {(p.function, p.argument): p for p in premises if isinstance(p, Lemma)}
    if not lemmas:
        return expr

    def run(node: Expr) -> Expr:
        node = rebuild(node, run)
        if isinstance(node, Apply) and sum(node.orders) == 1:
            lemma = lemmas.get((node.function, node.orders.index(1)))
            if lemma is not None:
                plain = Apply(node.function, node.args, (0,) * len(node.args))
                images = dict(zip(lemma.args, node.args, strict=True)) | {lemma.value: plain}
                return replace_accesses(lemma.stated, images.get)
        return node

    return run(expr)


def apply_fact(expr: Expr, fact: Fact) -> Expr:
    """Every instance of the left side of a fact replaced by its right side.

    In the normal form a sum stands beside what does not depend on its variable, so an instance is
    a bound variable whose atoms are those of the fact. Of a sum of single entries the last one is
    what the others leave.
    """
    if isinstance(fact.left, Add):
        return _solved_for_last(expr, fact, fact.left.terms)
    return add(*(_reduced(term, fact) for term in normal(expr).terms))


def _solved_for_last(expr: Expr, fact: Fact, entries: tuple[Expr, ...]) -> Expr:
    *others, last = entries

    def image(access: Access) -> Expr | None:
        binding = match(last, access, fact.variables)
        if binding is None or not _holds(fact, binding):
            return None
        return substitute(refresh(add(fact.right, *(-other for other in others))), binding)

    return replace_accesses(expr, image)


def _reduced(term: Term, fact: Fact) -> Expr:
    for var in term.bound:
        inside = [(a, p) for a, p in term.monomial if var in free_variables(a)]
        if any(w is not var and w in free_variables(a) for a, _ in inside for w in term.bound):
            continue
        if any(var in range_variables(w) for w in term.bound):
            continue
        if not range_variables(var).isdisjoint(term.bound):
            continue  # the value of the sum would leave the sum that its range depends on
        value = _value(Sum(var, mul(*(power(a, p) for a, p in inside))), fact)
        if value is not None:
            rest = tuple(w for w in term.bound if w is not var)
            outside = tuple((a, p) for a, p in term.monomial if var not in free_variables(a))
            smaller = mul(Term(term.coefficient, rest, outside).expr(), value)
            return apply_fact(smaller, fact)
    return term.expr()


def _value(candidate: Expr, fact: Fact) -> Expr | None:
    binding: dict[Var, Index] | None
    if normal(candidate).key == normal(fact.left).key:
        own = free_variables(candidate)
        binding = {v: as_index(v) for v in fact.variables if v in own}
    else:
        binding = match(fact.left, candidate, fact.variables)
    if binding is None or not _holds(fact, binding):
        return None
    return substitute(fact.right, binding)


def _holds(fact: Fact, binding: Mapping[Var, Index]) -> bool:
    """Whether the fact says something of the entry: its indices are in range, and there are any."""
    return all(
        guards(binding[v], v.axis) == () if v in binding else is_nonnegative(v.axis.size - 1)
        for v in fact.variables
    )


def field_lemmas(premises: Iterable[Premise]) -> dict[tuple[str, int], Lemma]:
    """The lemmas by function and argument, as relations for the field."""
    return {(p.function, p.argument): p for p in premises if isinstance(p, Lemma)}

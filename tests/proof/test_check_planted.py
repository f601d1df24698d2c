"""Every step of small networks is proved; with an error planted in a step it is not.

``SYMDERIV_MUTANTS=all`` tries every planted error, otherwise a fixed sample is tried.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from symderiv.algebra.binding import free_variables, range_variables, refresh
from symderiv.algebra.expr import Access, Delta, Expr, Partial, rebuild, walk
from symderiv.calculus.differentiate import differentiate
from symderiv.calculus.graph import Graph
from symderiv.calculus.steps import Derivation, Lemma
from symderiv.proof.check import BrokenChain
from symderiv.proof.verdict import Status
from tests.algebra.numeric import agree
from tests.algebra.trees import examples
from tests.proof.by_steps import check
from tests.proof.planted import (
    NETWORKS,
    accepted,
    derive,
    in_steps,
    premises,
    proved,
    swapped,
)

SAMPLE = 10**9 if os.environ.get("SYMDERIV_MUTANTS") == "all" else examples(16, least=4)


def sampled(planted: Iterator[tuple[str, Derivation]], offset: int) -> list[tuple[str, Derivation]]:
    """Evenly spread over all of them, and not the same ones for every network."""
    every = list(planted)
    stride = max(1, len(every) // SAMPLE)
    return every[offset % stride :: stride]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_step_is_proved(name: str) -> None:
    checked = check(derive(NETWORKS[name]()))
    assert proved(checked)
    assert not checked.refuted and not checked.unproved
    assert {v.scope for c in checked.chains for v in c.verdicts} == {"all sizes"}


@pytest.mark.parametrize("name", NETWORKS)
def test_an_error_in_a_step_is_not_proved(name: str) -> None:
    derivation = derive(NETWORKS[name]())
    missed = []
    for what, wrong in sampled(in_steps(derivation), len(name)):
        if accepted(wrong):
            before, after = changed_side(derivation, wrong)
            if not same_value(*(opened(e, derivation.graph) for e in (before, after))):
                missed.append(what)
    assert missed == []


def changed_side(true: Derivation, wrong: Derivation) -> tuple[Expr, Expr]:
    """The right side that was changed, before and after."""
    for one, other in zip(true.adjoints, wrong.adjoints, strict=True):
        for step, changed in zip(one.steps, other.steps, strict=True):
            if step.right != changed.right:
                return step.right, changed.right
    raise AssertionError("nothing was changed")


def opened(expr: Expr, graph: Graph) -> Expr:
    """Derivatives that are written out as such, worked out."""
    if isinstance(expr, Partial):
        body = graph.expand(expr.body) if isinstance(expr.body, Access) else None
        return differentiate(refresh(body or expr.body), expr.wrt)
    return rebuild(expr, lambda child: opened(child, graph))


def same_value(before: Expr, after: Expr) -> bool:
    """Whether the change is none: a factor ∂s/∂e that is 1, a range with one more term that is 0.

    Both sides agree at all small sizes, and only a delta can make that so.
    """
    free = free_variables(before) | free_variables(after)
    free |= {w for v in free for w in range_variables(v)}
    ordered = sorted(free, key=lambda v: (len(range_variables(v)), v.uid))
    assert any(isinstance(node, Delta) for node in walk(before))
    return agree(before, after, ordered)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_missing_premise_is_missed(name: str) -> None:
    derivation = derive(NETWORKS[name]())
    needed = ("(stated derivative)", "(insert)", "(folding)", "(reduction)")
    tried = 0
    for what, wrong in premises(derivation):
        if not any(rule in what for rule in needed):
            continue  # the meaning of a derivative includes the definition that it opens
        tried += 1
        if accepted(wrong):
            assert superfluous(derivation, wrong), what
    assert tried or "any" in name


def superfluous(true: Derivation, wrong: Derivation) -> bool:
    """Whether the premise left out was the name of a value that the stated form does not use."""
    for one, other in zip(true.adjoints, wrong.adjoints, strict=True):
        for step, changed in zip(one.steps, other.steps, strict=True):
            if step.premises != changed.premises:
                (gone,) = set(step.premises) - set(changed.premises)
                return not isinstance(gone, Lemma) and step.rule == "stated derivative"
    return False


@pytest.mark.parametrize("name", NETWORKS)
def test_steps_out_of_order_break_the_chain(name: str) -> None:
    derivation = derive(NETWORKS[name]())
    for what, wrong in sampled(swapped(derivation), len(name)):
        with pytest.raises(BrokenChain):
            check(wrong)
            raise AssertionError(what)


def test_what_rests_on_an_unproved_equation_is_not_proved() -> None:
    derivation = derive(NETWORKS["2-5-3:tanh,softmax+ce"]())
    first = derivation.adjoints[0].tensor
    wrong = next(d for what, d in in_steps(derivation) if "number" in what or "sign" in what)
    checked = check(wrong)
    resting = [
        verdict
        for chain in checked.chains[1:]
        for step, verdict in chain.steps
        if any(getattr(p, "tensor", None) == first for p in step.premises)
    ]
    assert checked.refuted
    assert all(v.status is not Status.PROVED for v in resting)

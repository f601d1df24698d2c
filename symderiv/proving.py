"""Backpropagation, then the check of every step: what is refuted goes no further."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from symderiv.algebra.expr import Tensor, length
from symderiv.calculus.backprop import backprop
from symderiv.calculus.graph import Graph, Kind
from symderiv.calculus.simplify import TooLong
from symderiv.calculus.steps import Adjoint, Derivation
from symderiv.proof.check import CheckedDerivation, check
from symderiv.proof.likeness import Memory

LONG = 3_000  # nodes of all closed forms, from which on they are better read with more names
MANY = 10  # quantities of a program that is long by its statements, and not by one of them
_MEMORY = Memory()  # what has been proved since the process began


class Refuted(Exception):
    """A step of the derivation is false; nothing may be published."""


def proved(
    graph: Graph, wrt: Iterable[Tensor], known: Collection[Adjoint] = ()
) -> CheckedDerivation:
    """The gradient by each tensor of ``wrt``, each step judged. Raises Refuted and TooLong.

    The chains of ``known`` are not derived again, but they are checked.
    """
    return judged(backprop(graph, wrt, known))


def derived(graph: Graph, wrt: Iterable[Tensor]) -> Derivation:
    """Backpropagation; in a long program the derivative by every quantity gets a name.

    Otherwise each would be inserted into the next, which grows with the square of the number of
    statements, or faster. Raises TooLong.
    """
    wrt = tuple(wrt)
    named = frozenset(d.target.name for d in graph.definitions if d.target != graph.cost)
    long_program = graph.kind is Kind.PROGRAM and len(named) >= MANY and not named <= graph.named
    try:
        found = backprop(graph, wrt)
    except TooLong:
        if not long_program:
            raise
    else:
        nodes = sum(length(adjoint.closed) for adjoint in found.adjoints)
        if nodes <= LONG or not long_program:
            return found
    return backprop(replace(graph, named=graph.named | named), wrt)


def judged(derivation: Derivation) -> CheckedDerivation:
    """The derivation with a verdict on each step. Raises Refuted."""
    checked = check(derivation, _MEMORY)
    if checked.refuted:
        step = checked.refuted[0]
        rule = f"{step.rule}: {step.why}" if step.why else step.rule
        raise Refuted(f"a step is false ({rule}); please report this")
    return checked

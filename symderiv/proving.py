"""Backpropagation, then the check of every step: what is refuted goes no further."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from symderiv.algebra.expr import Tensor
from symderiv.calculus.backprop import backprop
from symderiv.calculus.graph import Graph
from symderiv.calculus.steps import Adjoint
from symderiv.proof.check import CheckedDerivation, check
from symderiv.proof.likeness import Memory

_MEMORY = Memory()  # what has been proved since the process began


class Refuted(Exception):
    """A step of the derivation is false; nothing may be published."""


def proved(
    graph: Graph, wrt: Iterable[Tensor], known: Collection[Adjoint] = ()
) -> CheckedDerivation:
    """The gradient by each tensor of ``wrt``, each step judged. Raises Refuted.

    The chains of ``known`` are not derived again, but they are checked.
    """
    checked = check(backprop(graph, wrt, known), _MEMORY)
    if checked.refuted:
        step = checked.refuted[0]
        raise Refuted(f"a step is false ({step.rule}: {step.why}); please report this")
    return checked

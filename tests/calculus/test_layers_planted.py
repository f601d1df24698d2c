"""Layers: a closed form with one mistake in it is never proved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from symderiv.algebra.binding import free_variables
from symderiv.algebra.expr import Access, Bracket, Expr, Mul, Select, mul, rebuild
from symderiv.algebra.index import Index, Size
from symderiv.algebra.normal import equal
from symderiv.calculus.steps import Adjoint, Derivation
from symderiv.proof.check import Judge
from symderiv.proof.verdict import Status
from tests.calculus.layer_cases import LAYERS
from tests.oracles.mutations import changed

PLACES = (
    ("batch norm, columns", "dx"),
    ("layer norm, columns", "dx"),
    ("layer norm, rows", "dc1"),
    ("RMS norm, columns", "dx"),
    ("attention", "dS"),
    ("attention", "dQ"),
    ("causal attention", "dS"),
    ("causal attention", "dE"),
    ("softmax", "dS"),
    ("conv1d, stride 2, padding 1", "dx"),
    ("conv1d, stride 2, padding 1", "dW1"),
    ("conv1d, stride 3, padding p", "dx"),
    ("max pooling, stride 2", "dx"),
    ("PReLU", "dz"),
    ("PReLU", "dalpha1"),
    ("RNN, columns", "dz"),
    ("RNN, columns", "dW"),
    ("LSTM", "dc1"),
    ("LSTM", "dz_f"),
)


def mistakes(closed: Expr) -> Iterator[tuple[str, Expr]]:
    """One thing wrong: a sign, factor, term, power, number, condition, stride or shift."""
    yield from changed(closed)
    yield "without its conditions", _without_conditions(closed)
    yield "stride", _indices(closed, _other_stride)
    yield "shift", _indices(closed, _shifted)


def _without_conditions(expr: Expr) -> Expr:
    expr = rebuild(expr, _without_conditions)
    if isinstance(expr, Mul):
        return mul(*(f for f in expr.factors if not isinstance(f, Bracket | Select)))
    return expr


def _indices(expr: Expr, change: object) -> Expr:
    assert callable(change)
    expr = rebuild(expr, lambda e: _indices(e, change))
    match expr:
        case Access(tensor, indices):
            return Access(tensor, tuple(change(i) for i in indices))
        case Bracket(index):
            return Bracket(change(index))
    return expr


def _other_stride(index: Index) -> Index:
    """The stride one larger."""
    terms = ((s, c + (c > 1) - (c < -1)) for s, c in index.terms)
    return Index(index.const, tuple(terms))


def _shifted(index: Index) -> Index:
    plain = index.variable is not None or all(isinstance(s, Size) for s, _ in index.terms)
    return index if plain else index + 1


def judged_up_to(derivation: Derivation, name: str) -> tuple[Judge, list[Adjoint]]:
    """A judge that has seen all that comes before the chains of one adjoint, and these."""
    judge = Judge(derivation)
    chains = [a for a in derivation.adjoints if a.tensor.name == name]
    for adjoint in derivation.adjoints[: derivation.adjoints.index(chains[-1])]:
        judge.chain(adjoint)
    return judge, chains


@pytest.mark.parametrize(("layer", "adjoint"), PLACES, ids=[f"{n}: {a}" for n, a in PLACES])
def test_a_mistake_is_refuted(layer: str, adjoint: str) -> None:
    judge, chains = judged_up_to(LAYERS[layer].derive(), adjoint)
    planted = 0
    for chain in chains:
        last = chain.steps[-1]
        assert judge.step(last).status is Status.PROVED
        for what, wrong in mistakes(chain.closed):
            if equal(wrong, chain.closed):  # nothing to change: no stride, no condition
                continue
            assert free_variables(wrong) <= free_variables(chain.closed)
            verdict = judge.step(replace(last, right=wrong))
            assert verdict.status in (Status.REFUTED, Status.UNDECIDED), (what, verdict)
            planted += 1
    assert planted >= 4

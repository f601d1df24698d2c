"""Whole derivations against numeric oracles that know the forward definitions alone."""

from __future__ import annotations

import pytest

from symderiv.algebra.expr import Tensor
from symderiv.calculus.steps import Derivation
from tests.oracles.complexstep import Complex, root_derivative
from tests.oracles.duals import errors, structural
from tests.oracles.forward import Backward, Forward
from tests.oracles.mutations import mutants
from tests.oracles.networks import Case, of_any_depth, written_out

CASES = [*written_out(), *of_any_depth()]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_closed_forms_move_the_root_as_dual_numbers_say(case: Case) -> None:
    assert errors(case.graph, case.sizes, case.derive()) == []


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_chain_rules_hold_for_functions_unrelated_to_their_derivatives(case: Case) -> None:
    assert errors(case.graph, case.sizes, case.derive(), choose=structural) == []


def relative_errors(
    case: Case, derivation: Derivation, only: Tensor | None = None
) -> dict[str, float]:
    """For each adjoint the largest error over the largest entry, against complex step."""
    base = Forward(case.graph, case.sizes, Complex()).run()
    backward = Backward(base, derivation)
    found = {}
    for tensor in dict.fromkeys(chain.tensor for chain in derivation.adjoints):
        if only not in (None, tensor):
            continue
        assert tensor.of is not None and tensor.root is not None
        places = backward.places(tensor)
        truth = root_derivative(case.graph, case.sizes, tensor.root, tensor.of, base, places)
        largest = max((abs(v) for v in truth.values()), default=0.0)
        error = max((abs(backward.entry(tensor, w) - truth[w]) for w in places), default=0.0)
        found[tensor.name] = error / largest if largest else error
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_closed_forms_agree_with_complex_step(case: Case) -> None:
    found = relative_errors(case, case.derive())
    assert {name: e for name, e in found.items() if not e <= 1e-12} == {}


PLANTED = [
    next(c for c in CASES if c.name == name)
    for name in (
        "columns 2-3-1:sigmoid,sigmoid+bce {'l2': True}",
        "rows 3-4-2:relu,identity+mse {}",
        "columns 2-5-3:tanh,softmax+ce {'l2': True}",
        "single L=2:tanh,softmax+ce {'l2': True}",
    )
]


@pytest.mark.parametrize("case", PLANTED, ids=lambda c: c.name)
def test_a_planted_error_moves_the_root_wrongly(case: Case) -> None:
    planted = list(mutants(case.derive()))
    assert len(planted) > 40
    missed = [
        f"{tensor.name}: {what}"
        for tensor, what, wrong in planted
        if not errors(case.graph, case.sizes, wrong, only=tensor)
    ]
    assert missed == []


@pytest.mark.parametrize("case", [PLANTED[0], PLANTED[3]], ids=lambda c: c.name)
def test_a_planted_error_disagrees_with_complex_step(case: Case) -> None:
    missed = [
        f"{tensor.name}: {what}"
        for tensor, what, wrong in mutants(case.derive())
        if relative_errors(case, wrong, only=tensor)[tensor.name] < 1e-6
    ]
    assert missed == []

"""Layers: every step proved, and the gradients those of numeric oracles that know no chain rule."""

from __future__ import annotations

import pytest

from symderiv.calculus.steps import Derivation
from symderiv.proof.check import check
from symderiv.proof.verdict import Status
from tests.calculus.layer_cases import LAYERS, LayerCase, numbers, with_cost
from tests.oracles.complexstep import Complex, root_derivative
from tests.oracles.duals import errors, structural
from tests.oracles.forward import Backward, Forward

every_layer = pytest.mark.parametrize("case", LAYERS.values(), ids=lambda c: c.name)


@every_layer
def test_every_step_is_proved(case: LayerCase) -> None:
    checked = check(case.derive())
    doubtful = [
        (chain.adjoint.tensor.name, step.rule, verdict)
        for chain in checked.chains
        for step, verdict in chain.steps
        if verdict.status is not Status.PROVED or verdict.scope != "all sizes"
    ]
    assert doubtful == []
    assert all(verdict.status is Status.PROVED for _, verdict in checked.lemmas)
    assert checked.assumptions == ()


@every_layer
def test_closed_forms_agree_with_complex_step(case: LayerCase) -> None:
    graph, derivation = with_cost(case.derive())
    for sizes in case.sizes:
        found = relative_errors(derivation, sizes)
        assert {name: e for name, e in found.items() if not e <= 1e-11} == {}
    assert len(graph.blocks) == len(case.derive().graph.blocks) + 1


def relative_errors(derivation: Derivation, sizes: dict[str, int]) -> dict[str, float]:
    """For each adjoint the largest error over the largest entry, against complex step."""
    graph = derivation.graph
    base = Forward(graph, numbers(sizes), Complex()).run()
    backward = Backward(base, derivation)
    found = {}
    for tensor in dict.fromkeys(chain.tensor for chain in derivation.adjoints):
        assert tensor.of is not None
        places = backward.places(tensor)
        truth = root_derivative(graph, numbers(sizes), graph.cost, tensor.of, base, places)
        largest = max((abs(v) for v in truth.values()), default=0.0)
        error = max((abs(backward.entry(tensor, w) - truth[w]) for w in places), default=0.0)
        found[tensor.name] = error / largest if largest else error
    return found


@every_layer
def test_chain_rules_hold_for_functions_unrelated_to_their_derivatives(case: LayerCase) -> None:
    graph, derivation = with_cost(case.derive())
    for sizes in case.sizes:
        assert errors(graph, numbers(sizes), derivation, choose=structural) == []


@pytest.mark.parametrize("name", ["conv1d", "softmax", "RNN, columns"])
def test_closed_forms_move_the_cost_as_dual_numbers_say(name: str) -> None:
    graph, derivation = with_cost(LAYERS[name].derive())
    assert errors(graph, numbers(LAYERS[name].sizes[0]), derivation) == []

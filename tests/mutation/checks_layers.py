"""Layers: every step proved, and each chain rule right for functions that are only symbols."""

from __future__ import annotations

import pytest

from symderiv.proof.check import check
from tests.calculus.layer_cases import LAYERS, numbers, with_cost
from tests.oracles.duals import errors, structural
from tests.proof.planted import proved

QUICK = [name for name, case in LAYERS.items() if case.sizes]


@pytest.mark.parametrize("name", QUICK)
def test_a_layer_is_proved(name: str) -> None:
    assert proved(check(LAYERS[name].derive()))


@pytest.mark.parametrize("name", QUICK)
def test_a_layer_moves_as_dual_numbers_say(name: str) -> None:
    case = LAYERS[name]
    graph, derivation = with_cost(case.derive())
    assert errors(graph, numbers(case.sizes[0]), derivation, choose=structural) == []

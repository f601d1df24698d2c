"""Closed forms of small networks are no longer than they have been, and every step is told."""

from __future__ import annotations

import pytest

from symderiv.algebra.expr import Access, Apply, Bracket, Delta, Expr, Partial, Select, SizeOf, walk
from tests.proof.planted import NETWORKS, derive

# Entries, sizes, brackets and functions in the closed form of every chain, in order.
LONGEST: dict[str, list[int]] = {
    "2-1:sigmoid+bce": [1, 4, 2, 3, 2],
    "rows 2-3-1:tanh,sigmoid+bce+l2": [0, 1, 4, 2, 2, 3, 6, 2, 6, 2],
    "3-4-2:relu,identity+mse": [1, 2, 2, 2, 4, 3, 2, 3, 2],
    "2-5-3:tanh,softmax+ce": [0, 1, 2, 1, 3, 2, 2, 3, 6, 2, 6, 2],
    "single 3-3-3:sigmoid,sigmoid+half-mse": [0, 2, 4, 2, 4, 2, 1, 2, 1],
    "n0-...-nL:sigmoid+mse": [1, 2, 4, 2, 4, 3, 2],
    "n0-...-nL:tanh,softmax+ce": [0, 1, 2, 1, 3, 2, 2, 3, 6, 2],
}


def length(expr: Expr) -> int:
    """How many entries, sizes, brackets and functions a formula is written with."""
    assert not any(isinstance(n, Partial | Delta) for n in walk(expr))
    return sum(isinstance(n, Access | SizeOf | Bracket | Select | Apply) for n in walk(expr))


@pytest.mark.parametrize("name", NETWORKS)
def test_closed_forms_are_no_longer(name: str) -> None:
    found = [length(chain.closed) for chain in derive(NETWORKS[name]()).adjoints]
    assert len(found) == len(LONGEST[name])
    assert all(n <= most for n, most in zip(found, LONGEST[name], strict=True)), found


@pytest.mark.parametrize("name", NETWORKS)
def test_every_step_has_a_rule_and_a_reason(name: str) -> None:
    from symderiv.calculus.rules import RULES

    for chain in derive(NETWORKS[name]()).adjoints:
        for step in chain.steps:
            rule = RULES[step.rule]
            said = rule.justification.replace("by {refs}", "")
            assert said.strip() or step.premises or step.why.strip(), step.rule
        assert chain.steps[0].rule == "chain rule"
        for before, after in zip(chain.steps, chain.steps[1:], strict=False):
            assert after.left == before.right != after.right


@pytest.mark.parametrize("name", [name for name in NETWORKS if "l2" in name or "ce" in name])
def test_a_plain_chain_rule_stays_as_it_came(name: str) -> None:
    """1/m Σ δ a + λ/m W, though the error of the output was collected."""
    for chain in derive(NETWORKS[name]()).adjoints:
        if chain.tensor.symbol == "W":
            assert "collect" not in [step.rule for step in chain.steps]

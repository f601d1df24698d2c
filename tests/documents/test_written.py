"""Small networks written out entry by entry."""

from __future__ import annotations

import pytest

import symderiv
from symderiv.documents import document, to_terminal
from symderiv.documents.prose import TITLES, plain

TITLE = TITLES["written"]


def titles(spec: str, layout: str = "single") -> list[str]:
    made = symderiv.derive(spec, layout=layout)
    return [plain(s.title) for s in document(made, made.presentation()).sections]


@pytest.mark.parametrize("layout", ["single", "columns", "rows"])
@pytest.mark.parametrize(
    "spec",
    ["2-1-2:sigmoid+mse+sum+bias=1", "1-1-1-1:sigmoid+mse", "2-3-1:sigmoid+bce",
     "2-1:tanh+half-mse", "2-2:identity+mse", "3-2:sigmoid+half-mse+l2",
     "2-2-1:relu,identity+mse", "2-2-2:tanh,softmax+ce"],
)  # fmt: skip
def test_small_networks_are_written_out(spec: str, layout: str) -> None:
    assert TITLE in titles(spec, layout)


@pytest.mark.parametrize(
    "spec",
    ["4-4:sigmoid+mse", "2-2:elu+mse", "n0-1:sigmoid+mse",
     "n0-...-nL:sigmoid+mse", "2-1:sigmoid+bce+scalars", "J = a*b"],
)  # fmt: skip
def test_others_are_not(spec: str) -> None:
    assert TITLE not in titles(spec)


def test_two_one_two() -> None:
    made = symderiv.derive("2-1-2:sigmoid+mse+sum+bias=1", layout="single")
    shown = to_terminal(made, made.presentation(), 100)
    for line in (
        "z1[1] = W1[1,1] x[1] + W1[1,2] x[2] + b1[1]",
        "a1[1] = σ(z1[1])",
        "ℓ = (a2[1] − y[1])² + (a2[2] − y[2])²",
        "δ2[1] = 2 a2[1] (1 − a2[1]) (a2[1] − y[1])",
        "δ1[1] = a1[1] (1 − a1[1]) (W2[1,1] δ2[1] + W2[2,1] δ2[2])",
        "∂C/∂W2[2,1] = δ2[2] a1[1]",
        "∂C/∂b1[1] = δ1[1]",
    ):
        assert line in shown


def test_every_small_entry_is_there() -> None:
    made = symderiv.derive("2-3-1:sigmoid+bce", layout="columns")
    shown = to_terminal(made, made.presentation(), 140)
    for j in (1, 2, 3):
        assert f"δ1[{j},1] = W2[1,{j}] δ2[1,1] a1[{j},1] (1 − a1[{j},1])" in shown
        for k in (1, 2):
            assert f"∂C/∂W1[{j},{k}] = δ1[{j},1] x[{k},1]" in shown
    assert "δ2[1,1] = a2[1,1] − y[1,1]" in shown

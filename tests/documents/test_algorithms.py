"""Algorithm boxes: what they say is what was derived."""

from __future__ import annotations

import re

import pytest

import symderiv
from symderiv.documents import document
from symderiv.documents.model import Algorithm, Box
from symderiv.documents.prose import plain


def boxes(spec: str, layout: str = "columns") -> dict[str, list[str]]:
    made = symderiv.derive(spec, layout=layout)
    blocks = [b for s in document(made, made.presentation()).sections for b in s.blocks]
    return {
        plain(b.title): ["  " * depth + plain(text) for depth, text in b.lines]
        for b in blocks if isinstance(b, Algorithm)
    }  # fmt: skip


def asked(spec: str, layout: str = "columns") -> set[str]:
    made = symderiv.derive(spec, layout=layout)
    blocks = [b for s in document(made, made.presentation()).sections for b in s.blocks]
    return {plain(b.title) for b in blocks if isinstance(b, Box)}


LOOP, PASSES = "Gradient descent with one pass over the examples", "One layer, forward and back"


def test_accumulators_with_a_penalty() -> None:
    assert boxes("400-25-10:sigmoid+bce+l2")[LOOP] == [
        "Δ[l,j] and Δ[l,j,k] := 0, every entry",
        "for s = 1 to m",
        "  compute every quantity of example s by (D1) to (D5)",
        "  δ2[j,s] := a2[j,s] − y[j,s]",
        "  δ1[j,s] := (Σ_k W2[k,j] δ2[k,s]) a1[j,s] (1 − a1[j,s])",
        "  Δ[l,j] := Δ[l,j] + δ[l,j,s] for l = 1, 2",
        "  Δ[l,j,k] := Δ[l,j,k] + δ[l,j,s] a[l-1,k,s] for l = 1, 2",
        "D[l,j] := 1/m · Δ[l,j] for l = 1, 2",
        "D[l,j,k] := 1/m · Δ[l,j,k] + λ/m · W[l,j,k] for l = 1, 2",
        "b[l,j] := b[l,j] − η D[l,j] for l = 1, 2",
        "W[l,j,k] := W[l,j,k] − η D[l,j,k] for l = 1, 2",
    ]


def test_two_features_by_their_letters() -> None:
    lines = boxes("2-1:sigmoid+bce+scalars")[LOOP]
    assert lines[0] == "db, dw1 and dw2 := 0, every entry"
    assert "  dw1 := dw1 + δ[s] x1[s]" in lines and "w1 := w1 − η Dw1" in lines


def test_every_parameter_has_its_own_sum() -> None:
    specs = ["1-1-1:prelu,sigmoid+mse+scalars", "2-1-1:tanh+mse+scalars", "3-2:prelu+mse",
             "2-3-1:prelu+mse", "2-2-1:tanh+mse+scalars"]  # fmt: skip
    for spec in specs:
        lines = boxes(spec).get(LOOP, [])
        sums = [line.split(" := ")[0] for line in lines if re.match(r"  (Δ|d\w+)", line)]
        stores = [line.split(" := ")[0] for line in lines if re.match(r"D", line)]
        assert len({*sums}) == len(sums) and len({*stores}) == len(stores)
        assert len(sums) == len(stores) and bool(sums) == (LOOP in boxes(spec))


def test_cache() -> None:
    assert boxes("3-4-2:sigmoid+mse")[PASSES] == [
        "forward, layer l:",
        "  z[l] := W[l] @ a[l-1] + b[l] @ ones(m).T",
        "  a[l] := σ(z[l])",
        "  keep z[l] and what went in, for the way back",
        "back, layer l:",
        "  δ[l] := (∂ℓ/∂a[l]) ⊙ σ′(z[l])",
        "  ∂C/∂W[l] := 1/m * δ[l] @ a[l-1].T",
        "  ∂C/∂b[l] := 1/m * δ[l] @ ones(m)",
        "  ∂ℓ/∂a[l-1] := W[l].T @ δ[l]",
    ]
    assert boxes("3-4-2:tanh,sigmoid+mse")[PASSES][0] == "forward, layer 2:"
    assert boxes("3-4-2:sigmoid+mse+bias=1")[PASSES][0] == "forward, layer 2:"
    assert PASSES not in boxes("3-2:sigmoid+mse")
    assert PASSES not in boxes("3-4-2:tanh,softmax+ce")


def test_any_depth_has_loops_over_layers() -> None:
    lines = boxes("n0-...-nL:sigmoid+mse")[LOOP]
    assert any("δ" in line and line.endswith("for l = L-1, …, 1") for line in lines)
    assert any("Δ" in line and line.endswith("for l = 1, …, L") for line in lines)


def test_errors_of_numbered_layers_are_found_from_the_last_to_the_first() -> None:
    lines = boxes("2-3-3-3-1:tanh+mse")[LOOP]
    assert any("δ" in line and line.endswith("for l = 3, 2, 1") for line in lines)


@pytest.mark.parametrize("layout", ["rows", "columns", "single"])
@pytest.mark.parametrize(
    "spec", ["2-1-2:sigmoid+mse+sum", "2-3-1:relu,sigmoid+bce", "3-2:tanh+mse"]
)
def test_one_example_needs_no_loop(spec: str, layout: str) -> None:
    assert (LOOP in boxes(spec, layout)) == (layout != "single")


@pytest.mark.parametrize(
    ("spec", "number"), [("2-3-1:sigmoid+bce", 13), ("400-25-10:sigmoid+bce", 10285),
                         ("2-1-2:sigmoid+mse+bias=1", 5), ("4-3:tanh+mse+nobias", 12)],
)  # fmt: skip
def test_count(spec: str, number: int) -> None:
    made = symderiv.derive(spec)
    text = str(made.render("md"))
    found = re.search(r"= (\d+)\$ parameters.* take (\d+) forward", text)
    assert found and (int(found[1]), int(found[2])) == (number, number + 1)
    module: dict[str, object] = {"__name__": "module"}
    exec(str(made.render("numpy")), module)
    shapes = module["PARAMETERS"]
    assert isinstance(shapes, dict)
    total = 0
    for shape in shapes.values():
        size = 1
        for n in shape:
            size *= n
        total += size
    assert total == number


def test_questions_where_they_arise() -> None:
    m = "Where does 1/m go?"
    bias = "Why is the gradient of a bias a sum over the examples?"
    unit = "What if the bias is a unit that is always 1?"
    one = "How does the cost follow for one example?"
    two = "Where does the 2 come from, and may it be left out?"
    assert {m, bias, unit} <= asked("2-3-1:sigmoid+bce")
    assert m not in asked("2-3-1:sigmoid+bce+sum")
    assert {one, two} <= asked("2-1-2:sigmoid+mse+sum", "single")
    assert not {one, unit} & asked("2-1:sigmoid+bce")
    assert bias not in asked("2-3-1:sigmoid+bce+nobias")
    assert two not in asked("2-3-1:sigmoid+half-mse")

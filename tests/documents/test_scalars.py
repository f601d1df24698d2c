"""Documents of networks written out: one name for everything, and labels of one kind."""

from __future__ import annotations

import re

import pytest

import symderiv
from symderiv.documents import document, to_terminal
from symderiv.documents.model import Table
from symderiv.documents.prose import plain

NETS = ["2-2:identity+mse", "2-2-1:tanh+mse", "1-1-1:sigmoid+mse", "2-2-2:tanh,softmax+ce",
        "2-1:sigmoid+bce", "2-2-2:prelu+mse", "1-1:sigmoid+bce"]  # fmt: skip


def codes(made: symderiv.PublishedDerivation) -> list[str]:
    blocks = [b for s in document(made, made.presentation()).sections for b in s.blocks]
    table = next(b for b in blocks if isinstance(b, Table) and len(b.header) == 4)
    cells = [plain(row[3]) for row in table.rows]
    return [word for cell in cells for word in cell.split(", ") if word not in ("", "…")]


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("layout", ["rows", "columns", "single"])
def test_the_code_column_has_the_names_of_the_module(net: str, layout: str) -> None:
    made = symderiv.derive(net + "+scalars", layout=layout)
    words = codes(made)
    assert len({*words}) == len(words)
    assert {*words} <= {*re.findall(r"\w+", str(made.render("numpy")))}
    assert {t.name for t in made.graph.inputs} <= {*words}


@pytest.mark.parametrize("net", NETS)
def test_documents_are_made_in_every_format(net: str) -> None:
    made = symderiv.derive(net + "+scalars")
    for form in ("tex", "md", "json"):
        assert made.render(form)
    titles = [plain(s.title) for s in document(made, made.presentation()).sections]
    assert not any("matrix form" in t for t in titles)


@pytest.mark.parametrize("net", NETS)
def test_labels_are_of_one_kind(net: str) -> None:
    made = symderiv.derive(net + "+scalars")
    rows = document(made, made.presentation()).result
    sizes = net.split(":")[0].split("-")
    if {*sizes[1:]} != {"1"}:
        assert [row.tag for row in rows] == [f"G{n}" for n in range(1, len(rows) + 1)]
        return
    for row in rows:
        left = plain((row.lhs,)) if row.lhs else ""
        assert row.tag[:3] in {"∂C/∂b": ["BP3"], "∂C/∂w": ["BP4"]}.get(left[:5], ["BP1", "BP2"])


def test_one_name_in_the_terminal() -> None:
    made = symderiv.derive("2-2-1:tanh+mse+scalars")
    text = to_terminal(made, made.presentation(), width=100)
    assert "z1_1[s] = w1_11 x1[s] + w1_12 x2[s] + b1_1" in text
    assert "∂C/∂w2_1 = 1/m Σ_s δ2[s] a1_1[s]" in text
    assert not re.search(r"\bw\d\d", text)
    assert "w_{11}^{(1)}" in str(made.render("tex"))
    made = symderiv.derive("2-2-1:prelu+mse+scalars")
    assert "α1_2" in to_terminal(made, made.presentation(), width=100)
    plain_text = to_terminal(made, made.presentation(), width=100, unicode=False)
    assert "alpha1_2" in plain_text and plain_text.isascii()


@pytest.mark.parametrize("net", ["2-2-1:tanh+mse+scalars", "2-2-2:tanh,softmax+ce+scalars"])
def test_units_of_a_layer_come_as_they_are_counted(net: str) -> None:
    """From the last layer back, and within a layer from the first unit on."""
    derivation = symderiv.derive(net)
    names = [a.tensor.of.name for a in derivation.derivation.adjoints if a.tensor.of]
    for letter in ("z", "a"):
        found = [name for name in names if name[0] == letter]
        assert found == sorted(found, key=lambda name: (-int(name[1]), name))
    made = document(derivation, derivation.presentation())
    units = [row.lhs.unicode.split("/∂")[-1] for row in made.result if row.lhs]
    first = [unit.split("[")[0] for unit in units if unit.startswith("z1_")]
    assert first == ["z1_1", "z1_2"]

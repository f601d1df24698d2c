"""A name in the table of symbols is one that the generated module has."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import symderiv
from symderiv.code import numpy_module
from symderiv.documents import document
from symderiv.documents.model import Code, Table
from symderiv.gallery import default_folder, derived, items
from tests.documents import test_composed

GALLERY = Path(__file__).resolve().parents[2] / "output" / "gallery"
WITH_MODULES = [i for i in items(default_folder()) if (GALLERY / f"{i.stem}.py").is_file()]


def names_in(module: str) -> set[str]:
    """Variables, arguments, functions, and the keys of what is given and returned."""
    found = set()
    for node in ast.walk(ast.parse(module)):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name):
                found.add(name)
            case ast.Constant(value=str(text)):
                found.add(text)
    return found


def in_table(made, about) -> set[str]:  # type: ignore[no-untyped-def]
    """The words of the column of code."""
    tables = (b for s in document(made, about).sections for b in s.blocks if isinstance(b, Table))
    return {part.text for row in next(tables).rows for part in row[3] if isinstance(part, Code)}


@pytest.mark.parametrize("item", WITH_MODULES, ids=lambda item: item.stem)
def test_of_the_gallery(item) -> None:  # type: ignore[no-untyped-def]
    made = derived(item)
    names = in_table(made, made.presentation())
    assert names and names <= names_in((GALLERY / f"{item.stem}.py").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["batch norm", "layer norm", "RMS norm", "LSTM"])
def test_of_composed_networks(name: str) -> None:
    made, about = test_composed.derived(name)
    names = in_table(made, about)
    assert ("eps" in names) == (name != "LSTM")
    assert names <= names_in(numpy_module(made, about))


RECURRENT = """
[program]
h1 = "tanh(W @ x1 + U @ h0)"
h2 = "tanh(W @ x2 + U @ h1)"
J = "sum((h2 - y)**2)"
[shapes]
W = "n k"
U = "n n"
x1 = "k"
x2 = "k"
h0 = "n"
y = "n"
[request]
cost = "J"
wrt = ["W", "U"]
"""


def test_a_program_is_no_network_of_layers(tmp_path: Path) -> None:
    """Both products have an error with a name; neither is that of an output layer."""
    path = tmp_path / "recurrent.toml"
    path.write_text(RECURRENT, encoding="utf-8")
    text = str(symderiv.derive(path).render("md"))
    assert "BP" not in text and "layer" not in text and "δ" not in text and r"\delta" not in text
    for tag in ("G1", "G2", "G3", "G4"):
        assert tag in text

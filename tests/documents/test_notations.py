"""A notation is one data file: its letter for layers and its count of them are printed everywhere.

Besides the notations there are, two are tried that nobody has written: k for a layer, and the
input as layer 1; a weight is counted with the layer that it leaves, or with the one that it feeds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from symderiv.documents import Presentation, document, to_latex, to_markdown, to_terminal
from symderiv.documents.model import Table
from symderiv.documents.prose import plain
from symderiv.notation import NOTATIONS, Notation, table
from symderiv.notation.nielsen import NIELSEN
from tests.documents.examples import PRESENTATIONS, checked
from tests.notation.test_printers import balanced, double_script

LETTERS = {**NIELSEN.letters, "layer": ("k", "h", "g"), "unit": ("j", "k", "i", "p", "q")}
LEAVES = replace(NIELSEN, name="leaves", letters=LETTERS, layer_style="(#)", activation_shift=1)
FEEDS = replace(LEAVES, name="feeds", parameter_shift=1)
TRIED: dict[str, Notation] = {**NOTATIONS, "leaves": LEAVES, "feeds": FEEDS}
NETWORKS = ("l2", "softmax", "generic", "deep")


@pytest.fixture(params=[(n, net) for n in TRIED for net in NETWORKS], ids="-".join)
def case(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Notation, str, Presentation]]:
    name, network = request.param
    monkeypatch.setattr(table, "NOTATIONS", TRIED)
    yield TRIED[name], network, replace(PRESENTATIONS[network], notation=name)


def test_layers_have_the_letter_and_the_numbers_of_the_notation(
    case: tuple[Notation, str, Presentation],
) -> None:
    notation, network, about = case
    other = ({"k", "l"} - {notation.letters["layer"][0]}).pop()
    for text in (
        to_terminal(checked(network), about),
        to_markdown(checked(network), about),
        to_latex(checked(network), about),
    ):
        text = " ".join(text.split())
        assert re.findall(rf"(?:[Ll]ayer|for|At) \$?{other}\b.{{9}}", text) == []
        assert not re.search(rf"\^\{{\(?{other}[-+}})]", text)
        assert notation.activation_shift == 0 or not re.search(r"layer \$?0\b", text)
        assert (
            network == "softmax" or "$" not in text or (balanced(text) and not double_script(text))
        )


def test_the_words_beside_a_symbol_have_its_layer(
    case: tuple[Notation, str, Presentation],
) -> None:
    """``z[k+1]`` is not the weighted input of layer k."""
    _, network, about = case
    blocks = [b for s in document(checked(network), about).sections for b in s.blocks]
    rows = next(b for b in blocks if isinstance(b, Table)).rows
    found = 0
    for symbol, meaning, *_ in rows:
        layer = re.search(r"of layer ([\w+-]+)", plain(meaning))
        if layer:
            label = re.search(r"\[([\w+-]+)\]$|(\d+)$", plain(symbol))
            assert label and (label[1] or label[2]) == layer[1], (plain(symbol), plain(meaning))
            found += 1
    assert found >= 4


def test_layers_of_a_deep_network_are_those_that_the_range_says(
    case: tuple[Notation, str, Presentation],
) -> None:
    notation, network, about = case
    if network != "deep":
        return
    k, shift = notation.letters["layer"][0], notation.activation_shift
    result = document(checked(network), about).result
    assert result[1].lhs and result[1].lhs.unicode == f"δ[{k}]"
    assert plain(result[1].why) == f"for {k} = {1 + shift}, {2 + shift}, {3 + shift}"
    assert plain(result[3].why) == f"for {k} = {1 + shift}, …, {4 + shift}"
    left = notation.parameter_shift - shift
    weights = f"∂C/∂W[{k}{left:+d}]" if left else f"∂C/∂W[{k}]"
    assert result[3].lhs and result[3].lhs.unicode == weights
    assert result[3].rhs.unicode == f"1/m * δ[{k}] @ a[{k}-1].T"

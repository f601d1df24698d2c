"""Every example that ships is a graph of which each step of the derivation is proved."""

from __future__ import annotations

from pathlib import Path

import pytest

from symderiv.calculus.backprop import backprop
from symderiv.frontend import build_graph, parse_spec
from symderiv.proof.check import check

FILES = [
    path
    for path in sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))
    if path.stem != "gallery"
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_example(path: Path) -> None:
    built = build_graph(parse_spec(path))
    checked = check(backprop(built.graph, built.wrt))
    assert not checked.refuted and not checked.unproved

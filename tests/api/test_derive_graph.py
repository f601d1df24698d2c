"""A graph that somebody built: the example of docs/extending.md, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symderiv
from symderiv.algebra.expr import Role
from symderiv.calculus.builder import Builder
from symderiv.code import NoCode
from tests.code.generated import run

DOCS = Path(__file__).parents[2] / "docs" / "extending.md"


def example(upstream: bool = False) -> dict[str, Any]:
    """The names that the example of the documentation makes."""
    (text,) = (
        block
        for block in re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
        if "derive_graph(" in block
    )
    if upstream:
        text = text.replace("b.graph(C)", "b.graph(upstream=a)")
        text = re.sub(r"b\.define\(C.*\n", "", text)
    names: dict[str, Any] = {"print": lambda _: None}
    exec(compile(text, "extending.md", "exec"), names)
    return names


def test_the_layer_of_the_documentation() -> None:
    unit = example()["unit"]
    assert not unit.unproved and "gated linear unit" in repr(unit)
    text = str(unit.render("md"))
    assert "A gated linear unit" in text and r"\mathbf{X}^{\top}" in text
    assert "A gated linear unit" in str(unit.render("tex")) and unit.render("json")
    net = run(str(unit.render("numpy")))
    rng = np.random.default_rng(0)
    shapes = {"X": (4, 3), "Y": (4, 2), "V": (3, 2), "W": (3, 2)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    assert net.check_gradients(params) < 1e-12
    _, gradients = net.cost_and_gradients(params)
    step = {**params, "V": params["V"] + 1e-6}
    back = {**params, "V": params["V"] - 1e-6}
    slope = (net.cost(step) - net.cost(back)) / 2e-6
    assert np.isclose(gradients["V"].sum(), slope, rtol=1e-6)


def test_a_layer_with_the_gradient_from_above() -> None:
    names = example(upstream=True)
    unit = names["unit"]
    of = {a.tensor.of.name for a in unit.derivation.adjoints if unit.derivation.is_gradient(a)}
    assert of == {"X", "V", "W"} and not unit.unproved
    assert r"\partial C}{\partial \mathbf{a}}" in str(unit.render("md"))
    with pytest.raises(NoCode):
        unit.render("numpy")


def test_what_is_no_graph_or_says_nothing_is_one_line() -> None:
    given: Any = "2-3-1:sigmoid+bce"
    with pytest.raises(symderiv.SpecError, match=r"make it with Builder\.graph"):
        symderiv.derive_graph(given)
    b = Builder()
    x, c = b.tensor("x", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(c, [], x[()] * c[()])
    with pytest.raises(symderiv.SpecError, match=r"extending\.md"):
        symderiv.derive_graph(b.graph(c))
    unit = example()["unit"]
    for wrong in ("notation", "format"):
        with pytest.raises(symderiv.SpecError, match=f"unknown {wrong} 'foo'"):
            unit.render("foo") if wrong == "format" else unit.render("md", notation="foo")

"""The computation graph of a program."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

import symderiv
from symderiv.documents import opgraph, to_svg
from symderiv.documents.ledger import Ledger
from symderiv.documents.numbers import real
from symderiv.documents.worksheet import worked_numbers
from symderiv.frontend.network import Network
from symderiv.frontend.toml import read_toml

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
PROGRAMS: list[tuple[str, dict[str, Any]]] = [
    ("u = b*c; v = a + u; J = 3*v", {"a": 5, "b": 3, "c": 2}),
    ("J = (sigmoid(w*x + b) - y)**2", {"w": 2, "x": -1, "b": 3, "y": 1}),
    ("s = x*y; J = s*s + exp(x)/y - log(s)", {"x": 2, "y": 3}),
    ("J = tanh(x)*x - x**3", {"x": 0.5}),
]


def drawn(text: str, example: dict[str, Any] | None) -> tuple[Any, Any, Any]:
    net = Network.build(program=text, example=example)
    made = symderiv.derive(net)
    about = made.presentation()
    ledger = Ledger(made, "nielsen")
    numbers = worked_numbers(ledger, about)
    return made, numbers, opgraph.operation_graph(ledger, numbers)


@pytest.mark.parametrize(("text", "example"), PROGRAMS)
def test_edges_carry_the_derivatives(text: str, example: dict[str, Any]) -> None:
    """What comes back along the edges of a node adds up to the derivative by it."""
    made, numbers, graph = drawn(text, example)
    assert numbers is not None and graph is not None
    root = next(n for n in graph.nodes if n.tensor == made.graph.cost)
    values = opgraph.forward(graph.nodes, numbers)
    totals, _ = opgraph.backward(graph.nodes, root, values)
    for adjoint in made.derivation.adjoints:
        node = next(n for n in graph.nodes if n.tensor == adjoint.tensor.of)
        expected = float(real(numbers.value(adjoint.tensor)))
        assert float(real(totals[id(node)])) == pytest.approx(expected, rel=1e-13)
        assert float(real(values[id(node)])) == pytest.approx(
            float(real(numbers.value(adjoint.tensor.of)))
        )


@pytest.mark.parametrize(("text", "example"), PROGRAMS)
def test_places(text: str, example: dict[str, Any]) -> None:
    _, _, graph = drawn(text, None)
    assert graph is not None
    for n, a in enumerate(graph.nodes):
        for b in graph.nodes[:n]:
            assert a.x != b.x or abs(a.y - b.y) >= 80
    for edge in graph.edges:
        assert edge.end is None or edge.start.x < edge.end.x


def test_labels_of_the_example() -> None:
    made = symderiv.derive(read_toml(EXAMPLES / "computation_graph.toml"))
    tex = made.render("tex")
    for value in ("33", "11", "6"):
        assert f"node[forward value,sloped] {{${value}$}}" in tex
    for value in ("9", "6", "3"):
        assert f"node[adjoint value,sloped] {{${value}$}}" in tex
    picture = to_svg(made, made.presentation())
    root = ElementTree.fromstring(picture)
    words = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"×", "+", "33", "9", "11", "a", "b", "c"} <= set(words)


def test_networks_have_no_such_graph() -> None:
    made = symderiv.derive("2-1:sigmoid+bce")
    assert to_svg(made, made.presentation()) == ""
    made = symderiv.derive(Network.build(program="J = sum(x*x)", shapes={"x": "n"}))
    assert to_svg(made, made.presentation()) == ""
    made = symderiv.derive("J = " + " + ".join(f"a{n}*b{n}" for n in range(9)))
    assert to_svg(made, made.presentation()) == ""

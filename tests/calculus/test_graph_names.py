"""What a graph knows of its names: sizes, and arrays that are used entry by entry."""

from __future__ import annotations

from symderiv.calculus.graph import Graph
from symderiv.frontend import Network
from symderiv.frontend.build import build_graph


def graph_of(program: str, **shapes: str) -> Graph:
    return build_graph(Network.build(program=program, shapes=shapes)).graph


def test_entries_by_their_number() -> None:
    graph = graph_of("J = x[0]*sum(y)", x="n", y="m")
    assert {tensor.name for tensor in graph.taken_apart} == {"x"}


def test_sizes_by_name() -> None:
    assert set(graph_of("J = sum(x)*sum(y)", x="n", y="m").size_names) == {"n", "m"}

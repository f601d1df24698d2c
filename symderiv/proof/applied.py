"""Where a stated derivative may be used: at what the forward equations apply the function to.

A lemma is proved on the domain of its function. What is assumed of values, or implied, is asked by
the forward equations; of any other argument nobody has said that it lies in the domain.
"""

from __future__ import annotations

from collections.abc import Iterable

from symderiv.algebra.expr import Access, Add, Apply, Expr, Mul, Number, Pow, children, walk
from symderiv.algebra.normal import normal
from symderiv.calculus.functions import REAL, scalar
from symderiv.calculus.graph import Graph
from symderiv.calculus.steps import Lemma

Call = tuple[str, tuple[object, ...]]


class Applied:
    """The functions of a graph with their arguments, whatever the indices are."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._calls: set[Call] | None = None

    def allows(self, lemma: Lemma, exprs: Iterable[Expr]) -> bool:
        """Whether every derivative that the lemma is about has arguments of the graph's own."""
        if all(domain is REAL for domain in scalar(lemma.function).domain):
            return True
        if self._calls is None:
            self._calls = {
                _call(node)
                for definition in self._graph.definitions
                for node in walk(definition.body)
                if isinstance(node, Apply)
            }
        return all(
            _call(node) in self._calls
            for expr in exprs
            for node in walk(expr)
            if isinstance(node, Apply) and node.function == lemma.function and any(node.orders)
        )


def _call(node: Apply) -> Call:
    return node.function, tuple(_without_indices(normal(arg).expr()) for arg in node.args)


def _without_indices(expr: Expr) -> object:
    """The tree with every index that varies left out; equal trees give equal values."""
    match expr:
        case Number(value):
            return value
        case Access(tensor, indices):
            return tensor.name, tuple(None if index.terms else index.const for index in indices)
        case Add() | Mul():
            parts = sorted(map(repr, map(_without_indices, children(expr))))
            return type(expr).__name__, tuple(parts)
        case Pow(base, exponent):
            return "power", exponent, _without_indices(base)
        case Apply(function, args, orders):
            return function, orders, tuple(map(_without_indices, args))
        case _:
            return type(expr).__name__, tuple(map(_without_indices, children(expr)))

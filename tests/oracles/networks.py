"""The networks that every oracle is run on; no width is equal to m, if m is not asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symderiv.algebra.expr import Role, Tensor
from symderiv.algebra.index import Size
from symderiv.calculus.backprop import backprop
from symderiv.calculus.graph import Graph
from symderiv.calculus.networks import any_depth, feed_forward
from symderiv.calculus.steps import Derivation
from tests.oracles.forward import sizes


@dataclass(frozen=True)
class Case:
    """A graph with sizes for it."""

    name: str
    graph: Graph
    sizes: dict[Size, int]

    @property
    def parameters(self) -> list[Tensor]:
        """What a gradient is wanted by."""
        return [t for t in self.graph.inputs if t.role is Role.PARAMETER]

    def derive(self) -> Derivation:
        """The derivation by index notation."""
        return backprop(self.graph, self.parameters)


LAYOUTS = ("rows", "columns", "single")

_WRITTEN: tuple[tuple[list[int], list[str], str, dict[str, Any]], ...] = (
    ([2, 1], ["sigmoid"], "bce", {}),
    ([2, 3, 1], ["sigmoid", "sigmoid"], "bce", {}),
    ([2, 3, 1], ["sigmoid", "sigmoid"], "bce", {"l2": True}),
    ([3, 4, 2], ["sigmoid", "sigmoid"], "mse", {"reduction": "sum"}),
    ([3, 4, 2], ["relu", "identity"], "mse", {}),
    ([3, 4, 2], ["relu", "identity"], "half-mse", {"bias": [True, False]}),
    ([3, 5, 2], ["tanh", "tanh"], "half-mse", {"l2": True, "reduction": "sum"}),
    ([4, 3], ["softmax"], "ce", {"bias": [False]}),
    ([2, 5, 3], ["tanh", "softmax"], "ce", {"l2": True}),
    ([2, 5, 3], ["sigmoid", "softmax"], "mse", {}),
    ([3, 5, 3, 2], ["tanh", "relu", "sigmoid"], "bce", {}),
    ([2, 3, 3, 1], ["sigmoid"] * 3, "mse", {}),
)

_ANY: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("sigmoid", "sigmoid", "bce", {}),
    ("relu", "identity", "mse", {"bias": False}),
    ("tanh", "softmax", "ce", {"l2": True}),
)
_WIDTHS = ([3, 2], [2, 4, 3], [2, 4, 1, 3])


def _examples(units: list[int]) -> int:
    """At least 3, and no width."""
    return next(m for m in range(3, 9) if m not in units)


def written_out(examples: int | None = None) -> list[Case]:
    """Networks with their layers written out, in every layout."""
    return [
        Case(
            f"{layout} {'-'.join(map(str, units))}:{','.join(functions)}+{loss} {options}",
            feed_forward(functions, loss, layout=layout, **options),
            sizes(units, examples or _examples(units)),
        )
        for units, functions, loss, options in _WRITTEN
        for layout in LAYOUTS
    ]


def of_any_depth(examples: int | None = None) -> list[Case]:
    """Generic depth at L = 1, 2, 3."""
    return [
        Case(
            f"{layout} L={len(units) - 1}:{hidden},{output}+{loss} {options}",
            any_depth(hidden, output, loss, layout=layout, **options),
            sizes(units, examples or _examples(units), len(units) - 1),
        )
        for hidden, output, loss, options in _ANY
        for layout in LAYOUTS
        for units in _WIDTHS
    ]

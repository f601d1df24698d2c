"""Names that a program did not give: of sizes that are numbers, and of quantities on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from symderiv.algebra.index import Axis, Size, as_index
from symderiv.frontend.nodes import Binary, Call, Node
from symderiv.frontend.shapes import Dim, Shape
from symderiv.frontend.values import ONLY

_FOR_CALL = {
    "softmax": "p", "log_softmax": "q", "mean": "mu", "sum": "s", "norm": "s", "trace": "t",
    "max": "M", "min": "M", "exp": "e",
}  # fmt: skip
_FOR_OPERATOR = {"-": "r", "@": "z", "+": "z", "/": "c", "*": "c"}
_SPARE = "uvghqc"
_SIZES = {True: ("m", "n", "N", "K"), False: ("n", "m", "N", "K")}


def fitting(node: Node) -> str:
    """The usual letter for a quantity: r of a residual, z of a weighted sum, s of a sum."""
    if isinstance(node, Binary):
        return _FOR_OPERATOR.get(node.op, "u")
    return _FOR_CALL.get(node.name, "u") if isinstance(node, Call) else "u"


@dataclass
class Names:
    """Names in use; a new one is never taken, nor is its gradient's, so that all stay apart."""

    taken: set[str]

    def new(self, wanted: str) -> str:
        """The name wanted, or the next free one like it."""
        name = next(n for n in _candidates(wanted) if self.is_free(n))
        self.taken.add(name)
        return name

    def is_free(self, name: str) -> bool:
        """Whether neither the name nor ``d`` and the name is in use."""
        return name not in self.taken and f"d{name}" not in self.taken


def _candidates(wanted: str) -> Iterator[str]:
    yield wanted
    if wanted in _SPARE or wanted == "s":
        yield from _SPARE
    number = 2
    while True:
        yield f"{wanted}{number}"
        number += 1


@dataclass
class Axes:
    """An axis for every size. A number becomes a symbol, and ``numbers`` says what it is."""

    names: Names
    numbers: dict[Size, int] = field(default_factory=dict)
    _made: dict[Dim, Axis] = field(default_factory=dict)

    def prepare(self, shapes: Iterable[Shape]) -> None:
        """Name the sizes of the inputs in order, rows of a matrix m and other axes n first."""
        for shape in shapes:
            for place, dim in enumerate(shape):
                self.of(dim, rows=len(shape) > 1 and place == 0)

    def of(self, dim: Dim, *, rows: bool = False) -> Axis:
        """The axis of a size; a fixed number stays a number."""
        root = dim.root
        if root.number == 1:
            return ONLY
        if root not in self._made:
            if root.fixed and root.number is not None:
                stop = as_index(root.number)
            else:
                size = Size(root.name or self._letter(rows))
                if root.number is not None:
                    self.numbers[size] = root.number
                stop = as_index(size)
            self._made[root] = Axis("unit", stop)
        return self._made[root]

    def _letter(self, rows: bool) -> str:
        free = (letter for letter in _SIZES[rows] if self.names.is_free(letter))
        return self.names.new(next(free, "n"))

"""What is printed besides the mathematics: in the documents, and in the head of a module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from symderiv.options import LAYOUT, NOTATION

if TYPE_CHECKING:
    from symderiv.algebra.expr import Tensor
    from symderiv.frontend.example import Example


@dataclass(frozen=True)
class Presentation:
    """What a publication says besides the mathematics.

    ``sizes`` gives the number of units of a layer, as far as it is known; ``command`` is the one
    that makes this publication again; ``example`` holds the numbers of a worked example. The
    parameters of ``freeze`` have no gradient, those of ``held`` do not move in the example;
    ``reduction`` says whether the cost of many examples is the mean or the sum of their losses,
    where that is known.
    """

    title: str = ""
    spec: str = ""
    sizes: Mapping[int, int | str] = field(default_factory=dict)
    ends: tuple[str, ...] = ()
    layout: str = LAYOUT
    notation: str = NOTATION
    stem: str = "net"
    command: str = ""
    version: str = ""
    example: Example | None = None
    freeze: frozenset[Tensor] = frozenset()
    held: frozenset[Tensor] = frozenset()
    reduction: str = "mean"

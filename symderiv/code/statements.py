"""Statements, and which of them are needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from symderiv.algebra.expr import Tensor
from symderiv.algebra.index import Index, is_zero

Use = tuple[Tensor, Index | None]


@dataclass(frozen=True)
class Line:
    """``target = text  # note``; ``uses`` are the tensors read, ``reads`` all names."""

    tensor: Tensor
    member: Index | None
    target: str
    text: str
    uses: tuple[Use, ...]
    reads: frozenset[str]
    note: str

    @property
    def lines(self) -> tuple[Line, ...]:
        return (self,)


@dataclass(frozen=True)
class Loop:
    """``for l in range(1, L + 1):`` around lines; descending where a line reads the next layer."""

    head: str
    reads: frozenset[str]
    lines: tuple[Line, ...]


Item = Line | Loop


def needed(items: Iterable[Item], uses: Iterable[Use]) -> list[Item]:
    """The items that the uses depend on, in order; what nothing reads is left out."""
    wanted = list(uses)
    kept: list[Item] = []
    for item in reversed(list(items)):
        lines = tuple(line for line in item.lines if _is_used(line, wanted))
        # a loop's lines read one another in the next round as well
        while lines and (more := _also(item, lines)):
            lines = tuple(line for line in item.lines if line in lines or line in more)
        if not lines:
            continue
        wanted.extend(use for line in lines for use in line.uses)
        kept.append(item if isinstance(item, Line) else replace(item, lines=lines))
    return kept[::-1]


def _also(item: Item, lines: tuple[Line, ...]) -> list[Line]:
    uses = [use for line in lines for use in line.uses]
    return [line for line in item.lines if line not in lines and _is_used(line, uses)]


def _is_used(line: Line, uses: list[Use]) -> bool:
    for tensor, member in uses:
        if tensor != line.tensor:
            continue
        if member is None or line.member is None:
            return True
        if is_zero(member - line.member) is not False:
            return True
    return False

"""Concrete sizes to try: distinct, at least 3, and as many as a proof for all sizes needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from symderiv.algebra.expr import Access, Bracket, Delta, Expr, Select, SizeOf, Sum, indices_of
from symderiv.algebra.index import Axis, Index, Size, Var, as_index

Range = tuple[Index, Index]  # of an axis: its start and its stop
DEPTH = 3  # the least length of an ordered axis; families of sizes get one a member


def size_symbols(nodes: Iterable[Expr], variables: Iterable[Var]) -> tuple[list[Size], set[str]]:
    """Every size that the nodes and the ranges of the variables speak of, in a fixed order.

    Of a family ``n[...]`` each form once. Also the names of those that are the length of an
    ordered axis.
    """
    found: dict[Size, None] = {}
    axes: dict[Axis, None] = dict.fromkeys(v.axis for v in variables)
    for node in nodes:
        if isinstance(node, Sum | Select):
            axes.setdefault(node.var.axis)
        for index in indices_of(node):
            if index.variable is None:
                found.update(dict.fromkeys(_sizes(index)))
    ordered: set[str] = set()
    for axis in axes:
        ends = [*_sizes(axis.start), *_sizes(axis.stop)]
        found.update(dict.fromkeys(ends))
        if axis.ordered:
            ordered.update(s.name for s in ends if s.at is None)
    return sorted(found, key=lambda s: s.key({})), ordered


def distinguished(nodes: Iterable[Expr], heads: Iterable[Index] = ()) -> set[Range]:
    """The ranges of which a statement tells one value from another, not only equal from different.

    Where an index is more than a variable, a range or a size depends on one, entries are compared
    in order, and where variables of different ranges meet in one axis. ``heads`` are the indices
    of equations. On all other axes the statement stays what it is when values change places.
    """
    found: set[Range] = set()

    def mark(*indices: Index) -> None:
        found.update(_ends(v.axis) for i in indices for v in i.variables)

    for node in nodes:
        match node:
            case Access(_, indices):
                for index, axis in zip(indices, node.axes, strict=True):
                    variable = index.variable
                    if variable is None or _ends(variable.axis) != _ends(axis):
                        mark(index)
                        found.add(_ends(axis))
            case Delta(left, right):
                one, other = left.variable, right.variable
                if one is None or other is None or _ends(one.axis) != _ends(other.axis):
                    mark(left, right)
            case SizeOf(index) | Bracket(index):
                mark(index)
            case Select(at, var, _):
                mark(at, as_index(var), *_ends(var.axis))
            case Sum(var, _):
                mark(*_ends(var.axis))
    for index in heads:
        variable = index.variable
        mark(*((index,) if variable is None else _ends(variable.axis)))
    return found


def _ends(axis: Axis) -> Range:
    return axis.start, axis.stop


def listed(numbers: Iterable[int]) -> str:
    """``3, 4, 5``."""
    return ", ".join(map(str, sorted(numbers)))


def _sizes(index: Index) -> Iterator[Size]:
    for symbol, _ in index.terms:
        if isinstance(symbol, Size):
            yield symbol
            if symbol.at is not None:
                yield from _sizes(symbol.at)


def assign(
    sizes: Iterable[Size], ordered: set[str], base: int = 3, shift: int = 0
) -> dict[str, int]:
    """Distinct numbers for all sizes; an ordered axis gets ``DEPTH`` members or some more."""
    depth = DEPTH + shift % 3
    numbers: dict[str, int] = {}
    families: dict[str, set[int]] = {}
    next_number = base + shift
    for size in sizes:
        if size.at is None:
            numbers[size.name] = depth if size.name in ordered else next_number
            next_number += size.name not in ordered
        elif size.at.terms:  # n[l], n[L]: any member there is
            families.setdefault(size.name, set()).update(range(depth + 2))
        else:
            families.setdefault(size.name, set()).add(size.at.const)
    for family, members in families.items():
        for member in sorted(members):
            numbers[f"{family}[{member}]"] = next_number
            next_number += 1
    return numbers


def grid(lowest: dict[str, int], count: dict[str, int]) -> Iterator[dict[str, int]]:
    """Every combination of ``count[name]`` consecutive numbers from ``lowest[name]`` on."""
    ranges = [range(lowest[n], lowest[n] + count[n]) for n in lowest]
    for values in product(*ranges):
        yield dict(zip(lowest, values, strict=True))

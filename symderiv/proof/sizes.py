"""Concrete sizes to try: distinct, at least 3, and as many as a proof for all sizes needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from symderiv.algebra.expr import Access, Expr, Select, SizeOf, Sum, Tensor, tensors_in, walk
from symderiv.algebra.index import Axis, Index, Size
from symderiv.calculus.graph import Graph

DEPTH = 3  # an ordered axis is tried at this length; families of sizes get one a member


def size_symbols(graph: Graph, *exprs: Expr) -> list[Size]:
    """Every size that occurs, in a fixed order; of a family ``n[...]`` each form once."""
    found: dict[Size, None] = {}
    tensors: dict[Tensor, None] = dict.fromkeys(graph.tensors)
    bodies = [d.body for d in graph.definitions] + list(exprs)
    for body in bodies:
        tensors.update(dict.fromkeys(tensors_in(body)))
        for node in walk(body):
            match node:
                case Sum(var, _) | Select(_, var, _):
                    found.update(dict.fromkeys(_sizes_of_axis(var.axis)))
                case SizeOf(index):
                    found.update(dict.fromkeys(_sizes(index)))
                case Access(_, indices):
                    for index in indices:
                        found.update(dict.fromkeys(_sizes(index)))
    for tensor in tensors:
        for axis in tensor.axes:
            found.update(dict.fromkeys(_sizes_of_axis(axis)))
    return sorted(found, key=lambda s: s.key({}))


def _sizes_of_axis(axis: Axis) -> Iterator[Size]:
    yield from _sizes(axis.start)
    yield from _sizes(axis.stop)


def _sizes(index: Index) -> Iterator[Size]:
    for symbol, _ in index.terms:
        if isinstance(symbol, Size):
            yield symbol
            if symbol.at is not None:
                yield from _sizes(symbol.at)


def assign(
    sizes: Iterable[Size], ordered: set[str], base: int = 3, shift: int = 0
) -> dict[str, int]:
    """Distinct numbers for all sizes; an ordered axis gets ``DEPTH`` members."""
    numbers: dict[str, int] = {}
    next_number = base + shift
    families: dict[str, None] = {}
    for size in sizes:
        if size.at is not None:
            families[size.name] = None
        elif size.name in ordered:
            numbers[size.name] = DEPTH
        else:
            numbers[size.name] = next_number
            next_number += 1
    for family in families:
        constants = [s.at.const for s in sizes if s.at is not None and s.name == family]
        for member in range(max([DEPTH + 1, *constants]) + 1):
            numbers[f"{family}[{member}]"] = next_number
            next_number += 1
    return numbers


def ordered_sizes(graph: Graph) -> set[str]:
    """The names of sizes that are the length of an ordered axis."""
    return {
        symbol.name
        for tensor in graph.tensors
        for axis in tensor.axes
        if axis.ordered
        for symbol in _sizes_of_axis(axis)
        if symbol.at is None
    }


def grid(
    names: list[str], lowest: dict[str, int], count: dict[str, int]
) -> Iterator[dict[str, int]]:
    """Every combination of ``count[name]`` consecutive numbers from ``lowest[name]`` on."""
    ranges = [range(lowest[n], lowest[n] + count[n]) for n in names]
    for values in product(*ranges):
        yield dict(zip(names, values, strict=True))

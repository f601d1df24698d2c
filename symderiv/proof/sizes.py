"""Concrete sizes to try: distinct, at least 3, and as many as a proof for all sizes needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from symderiv.algebra.expr import Expr
from symderiv.algebra.index import Index, Size, Var, sizes_in
from symderiv.proof.spoken import Range, ends, ranges_in, spoken

DEPTH = 3  # the least length of an ordered axis; families of sizes get one a member


def size_symbols(trees: Iterable[Expr], variables: Iterable[Var]) -> tuple[list[Size], set[str]]:
    """Every size that the trees and the ranges of the variables speak of, in a fixed order.

    Of a family ``n[...]`` each form once. Also the names of those that are the length of an
    ordered axis.
    """
    found: set[Size] = set()
    axes = {v.axis for v in variables}
    for said in map(spoken, trees):
        found |= said.sizes
        axes |= said.axes
    ordered: set[str] = set()
    for axis in axes:
        lengths = {*sizes_in(axis.start), *sizes_in(axis.stop)}
        found |= lengths
        if axis.ordered:
            ordered.update(s.name for s in lengths if s.at is None)
    return sorted(found, key=lambda s: s.key({})), ordered


def distinguished(trees: Iterable[Expr], heads: Iterable[Index] = ()) -> set[Range]:
    """The ranges of which a statement tells one value from another, not only equal from different.

    ``heads`` are the indices of the equations that it rests on.
    """
    found = set[Range]().union(*(spoken(tree).told_apart for tree in trees))
    for index in heads:
        variable = index.variable
        found |= ranges_in(*((index,) if variable is None else ends(variable.axis)))
    return found


def listed(numbers: Iterable[int]) -> str:
    """``3, 4, 5``."""
    return ", ".join(map(str, sorted(numbers)))


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

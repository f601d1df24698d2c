"""What a tree speaks of: its sizes, ranges, numbers, functions and tensors, from one walk."""

from __future__ import annotations

from dataclasses import dataclass, field

from symderiv.algebra.expr import (
    Access,
    Apply,
    Bracket,
    Delta,
    Expr,
    Number,
    Select,
    SizeOf,
    Sum,
    Tensor,
    indices_of,
    kept,
    ranges_of,
    walk,
)
from symderiv.algebra.index import Axis, Index, Size, as_index, sizes_in

Range = tuple[Index, Index]  # of an axis: its start and its stop


@dataclass(frozen=True)
class Spoken:
    """The ``sizes`` of indices, the ``axes`` of bound ones, and all else that a tree names.

    ``told_apart`` are the ranges of which it tells one value from another; ``offsets`` the numbers
    that are added to indices, and ``numbers`` those that are whole.
    """

    sizes: set[Size] = field(default_factory=set)
    axes: set[Axis] = field(default_factory=set)
    told_apart: set[Range] = field(default_factory=set)
    offsets: set[int] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    tensors: set[Tensor] = field(default_factory=set)
    kinds: set[type[Expr]] = field(default_factory=set)


@kept
def spoken(expr: Expr) -> Spoken:
    """All that a tree speaks of; kept with it."""
    found = Spoken()
    for node in walk(expr):
        found.kinds.add(type(node))
        for index in indices_of(node):
            found.offsets.add(index.const)
            if index.variable is None:
                found.sizes.update(sizes_in(index))
        match node:
            case Number(value) if value.denominator == 1:
                found.numbers.add(value.numerator)
            case Apply(function):
                found.functions.add(function)
            case Access(tensor):
                found.tensors.add(tensor)
            case Sum(var, _) | Select(_, var, _):
                found.axes.add(var.axis)
                found.offsets.update(end.const for end in ranges_of(node))
        found.told_apart.update(_told_apart(node))
    return found


def _told_apart(node: Expr) -> set[Range]:
    """The ranges of which a node tells one value from another, not only equal from different.

    Where an index is more than a variable, a range or a size depends on one, entries are compared
    in order, and where variables of different ranges meet in one axis. On all other axes a
    statement stays what it is when values change places.
    """
    match node:
        case Access(_, indices):
            found: set[Range] = set()
            for index, axis in zip(indices, node.axes, strict=True):
                variable = index.variable
                if variable is None or ends(variable.axis) != ends(axis):
                    found |= ranges_in(index) | {ends(axis)}
            return found
        case Delta(left, right):
            one, other = left.variable, right.variable
            if one is None or other is None or ends(one.axis) != ends(other.axis):
                return ranges_in(left, right)
        case SizeOf(index) | Bracket(index):
            return ranges_in(index)
        case Select(at, var, _):
            return ranges_in(at, as_index(var), *ends(var.axis))
        case Sum(var, _):
            return ranges_in(*ends(var.axis))
    return set()


def ends(axis: Axis) -> Range:
    """Where an axis starts and stops."""
    return axis.start, axis.stop


def ranges_in(*indices: Index) -> set[Range]:
    """The ranges of all variables in some indices."""
    return {ends(v.axis) for index in indices for v in index.variables}

"""Arrays as entries: what ``X @ w`` is at an index, built from what X and w are at theirs.

    X @ w      (i,)    Σ_j X[i,j] w[j]
    sum(x)     ()      Σ_i x[i]
    x + y      (i,j)   x[i,j] + y[j]            y has one axis less, so it repeats

A value is asked for an entry as often as it is used; each answer has new bound variables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from symderiv.algebra.expr import (
    Access,
    Expr,
    Number,
    Pow,
    Select,
    SizeOf,
    Tensor,
    delta,
    mul,
    power,
    sum_over,
)
from symderiv.algebra.index import Axis, Index, Var, as_index, fresh

LETTERS = "ijkl"
ONLY = Axis("unit", Index(1))
Indices = tuple[Index, ...]


@dataclass(frozen=True)
class Value:
    """An array: its axes and its entries.

    ``weight`` is about the number of nodes of an entry, ``sums`` whether a Σ is among them.
    """

    axes: tuple[Axis, ...]
    entry: Callable[[Indices], Expr]
    weight: int = 1
    sums: bool = False

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.axes)

    @property
    def any_entry(self) -> tuple[Indices, Expr]:
        """The entry at new indices, and these."""
        indices = tuple(map(as_index, variables(self.axes)))
        return indices, self.entry(indices)

    def repeated(self, indices: Indices, axes: Sequence[Axis]) -> Expr:
        """The entry at the indices of a larger array along which this one is repeated."""
        skip = len(indices) - self.rank
        return self.entry(tuple(
            Index(1) if mine == ONLY and axis != ONLY else index
            for mine, axis, index in zip(self.axes, axes[skip:], indices[skip:], strict=True)
        ))  # fmt: skip


def number(value: Expr | int | Fraction) -> Value:
    """A number, which has no axes."""
    expr = value if isinstance(value, Expr) else Number.of(value)
    return Value((), lambda _: expr)


def array(tensor: Tensor) -> Value:
    """A tensor as it is."""
    return Value(tensor.axes, lambda indices: Access(tensor, indices))


def variables(axes: Sequence[Axis], letters: str = LETTERS) -> tuple[Var, ...]:
    """A new index variable for each axis."""
    return tuple(fresh(axis, letter) for axis, letter in zip(axes, letters, strict=False))


def elementwise(
    function: Callable[..., Expr], axes: Sequence[Axis], *args: Value, copies: int = 1
) -> Value:
    """``f(x[i], y[i], …)``, each argument repeated along the axes that it lacks.

    ``copies`` says how often the function writes its arguments.
    """
    return Value(
        tuple(axes),
        lambda indices: function(*(a.repeated(indices, axes) for a in args)),
        1 + copies * sum(a.weight for a in args),
        any(a.sums for a in args),
    )


def times(x: Expr, y: Expr) -> Expr:
    """x y, or x² where both are the same."""
    return power(x, 2) if x == y and not isinstance(x, Pow) else mul(x, y)


def product(a: Value, b: Value) -> Value:
    """``Σ_j a[i,j] b[j,k]``; a vector has no i, or no k."""
    before = a.rank - 1

    def entry(indices: Indices) -> Expr:
        j = fresh(a.axes[-1], "j")
        left = a.entry((*indices[:before], as_index(j)))
        return sum_over(j, times(left, b.entry((as_index(j), *indices[before:]))))

    return Value(a.axes[:-1] + b.axes[1:], entry, 1 + a.weight + b.weight, True)


def summed(a: Value, places: Sequence[int], *, keep: bool = False) -> Value:
    """``Σ_i a[i]`` over the axes at these places; with ``keep`` each leaves an axis of size 1."""

    def entry(indices: Indices) -> Expr:
        bound = {place: fresh(a.axes[place], LETTERS[place]) for place in places}
        given = iter([i for n, i in enumerate(indices) if n not in bound] if keep else indices)
        full = tuple(as_index(bound[n]) if n in bound else next(given) for n in range(a.rank))
        return sum_over([*bound.values()], a.entry(full))

    axes = tuple(
        ONLY if n in places else axis
        for n, axis in enumerate(a.axes) if keep or n not in places
    )  # fmt: skip
    return Value(axes, entry, a.weight + len(places), a.sums or bool(places))


def averaged(a: Value, places: Sequence[int], *, keep: bool = False) -> Value:
    """``1/n Σ_i a[i]``."""
    total = summed(a, places, keep=keep)
    factor = mul(*(power(size_of(a.axes[n]), -1) for n in places))
    return Value(total.axes, lambda i: mul(factor, total.entry(i)), total.weight + 1, total.sums)


def size_of(axis: Axis) -> Expr:
    """The size of an axis as a number of the formula."""
    return SizeOf(axis.size) if axis.size.terms else Number.of(axis.size.const)


def largest(a: Value, place: int, *, sign: int = 1, keep: bool = False) -> Value:
    """``Σ_k [k = argmax_j a[j]] a[k]``: the maximum along one axis (the minimum with sign -1)."""
    axis = a.axes[place]

    def winning(indices: Indices) -> Expr:
        j = fresh(axis, "j")
        body = a.entry((*indices[:place], as_index(j), *indices[place + 1 :]))
        return mul(Select(indices[place], j, mul(Number.of(sign), body)), a.entry(indices))

    return summed(Value(a.axes, winning, 2 * a.weight + 2), (place,), keep=keep)


def transposed(a: Value) -> Value:
    """``a[k,i]``."""
    return Value(a.axes[::-1], lambda indices: a.entry(indices[::-1]), a.weight, a.sums)


def traced(a: Value) -> Value:
    """``Σ_i a[i,i]``."""

    def entry(_: Indices) -> Expr:
        i = fresh(a.axes[0], "i")
        return sum_over(i, a.entry((as_index(i), as_index(i))))

    return Value((), entry, a.weight + 1, True)


def diagonal(a: Value) -> Value:
    """``a[i,i]`` of a matrix; ``[i = k] a[i]`` of a vector."""
    if a.rank == 2:
        return Value(a.axes[:1], lambda indices: a.entry(indices * 2), a.weight, a.sums)
    return Value(
        a.axes * 2, lambda indices: mul(delta(*indices), a.entry(indices[:1])), a.weight + 1, a.sums
    )


def outer(a: Value, b: Value) -> Value:
    """``a[i] b[k]``."""
    return Value(
        a.axes + b.axes,
        lambda indices: mul(a.entry(indices[:1]), b.entry(indices[1:])),
        1 + a.weight + b.weight,
        a.sums or b.sums,
    )


def taken(a: Value, places: Sequence[int]) -> Value:
    """``a[c, …]`` at constant places counted from 0, from the end where they are negative."""
    fixed = tuple(
        Index(place + 1) if place >= 0 else axis.stop + (place + 1)
        for place, axis in zip(places, a.axes, strict=False)
    )
    return Value(
        a.axes[len(fixed) :], lambda indices: a.entry((*fixed, *indices)), a.weight, a.sums
    )

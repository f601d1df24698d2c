"""Sizes, axes and affine indices: the alphabet of index notation.

An index is *affine*: an integer plus integer multiples of index variables and sizes. That
covers a plain index ``i``, a shifted one ``l - 1`` and a strided window ``s*i + r - p``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import count

_uids = count()
_PROCESS = os.urandom(16)
_again: dict[tuple[bytes, int], Var] = {}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@cache
def quoted(name: str) -> str:
    """A name as part of a key: in quotes unless it can be mistaken for nothing else in there."""
    return name if _PLAIN.fullmatch(name) else repr(name)


@dataclass(frozen=True)
class Size:
    """A symbolic size, at least 1: ``m``, or ``n[l]`` of a family of sizes."""

    name: str
    at: Index | None = None

    def key(self, names: Mapping[Var, str]) -> str:
        """The size as text, with variables called by ``names``."""
        name = quoted(self.name)
        return name if self.at is None else f"{name}[{self.at.key(names)}]"


@dataclass(frozen=True)
class Index:
    """An affine index ``const + sum coefficient * (variable or size)``."""

    const: int = 0
    terms: tuple[tuple[Var | Size, int], ...] = ()

    @property
    def variables(self) -> Iterator[Var]:
        """Every variable in it, also those inside sizes such as ``n[l]``."""
        for symbol, _ in self.terms:
            if isinstance(symbol, Var):
                yield symbol
            elif symbol.at is not None:
                yield from symbol.at.variables

    @property
    def variable(self) -> Var | None:
        """The variable, if the index is a plain variable."""
        if self.const == 0 and len(self.terms) == 1 and self.terms[0][1] == 1:
            symbol = self.terms[0][0]
            return symbol if isinstance(symbol, Var) else None
        return None

    def __add__(self, other: IndexLike) -> Index:
        other = as_index(other)
        if not other.terms:
            return Index(self.const + other.const, self.terms)
        return _affine(self.const + other.const, (*self.terms, *other.terms))

    __radd__ = __add__

    def __sub__(self, other: IndexLike) -> Index:
        other = as_index(other)
        if not other.terms:
            return Index(self.const - other.const, self.terms)
        return _affine(self.const - other.const, (*self.terms, *((s, -c) for s, c in other.terms)))

    def __rsub__(self, other: IndexLike) -> Index:
        return as_index(other) + self * -1

    def __mul__(self, factor: int) -> Index:
        return _affine(self.const * factor, ((s, c * factor) for s, c in self.terms))

    __rmul__ = __mul__

    def key(self, names: Mapping[Var, str]) -> str:
        """The index as text, with variables called by ``names``; equal keys, equal indices."""
        parts = []
        for symbol, coefficient in self.terms:
            if isinstance(symbol, Var):
                name = names.get(symbol) or f"{quoted(symbol.name)}~{symbol.uid}"
            else:
                name = symbol.key(names)
            parts.append(name if coefficient == 1 else f"{coefficient}*{name}")
        parts.sort()
        if self.const or not parts:
            parts.append(str(self.const))
        return "+".join(parts)


@dataclass(frozen=True)
class Axis:
    """A range ``start..stop`` of an index; only equal ranges may unify.

    ``name`` says what it counts (``unit``, ``example``, ``layer``, ``time``). An ordered
    axis carries a recurrence.
    """

    name: str
    stop: Index
    start: Index = Index(1)
    ordered: bool = False

    @property
    def size(self) -> Index:
        """How many values the index takes."""
        return self.stop - self.start + 1

    @property
    def only(self) -> Index | None:
        """The value of an index that takes just one, as along an axis kept with length 1."""
        return self.start if self.size == Index(1) and not self.ordered else None


@dataclass(frozen=True)
class Var:
    """An index variable that runs over an axis; no other one has its number.

    A pickled variable gets a number of this process when it is read again.
    """

    uid: int
    name: str = field(compare=False)
    axis: Axis = field(compare=False)

    def __hash__(self) -> int:
        return self.uid

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Var) and self.uid == other.uid and self.axis == other.axis
        )

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return _read_again, (_PROCESS, self.uid, self.name, self.axis)

    def __add__(self, other: IndexLike) -> Index:
        return as_index(self) + other

    def __sub__(self, other: IndexLike) -> Index:
        return as_index(self) - other

    def __mul__(self, factor: int) -> Index:
        return as_index(self) * factor

    __radd__ = __add__
    __rmul__ = __mul__


IndexLike = Index | Var | Size | int
Known = tuple[Index, ...]  # what is >= 0 at some place in a tree


def _affine(const: int, terms: Iterable[tuple[Var | Size, int]]) -> Index:
    total: dict[Var | Size, int] = {}
    for symbol, coefficient in terms:
        total[symbol] = total.get(symbol, 0) + coefficient
    kept = [(s, c) for s, c in total.items() if c]
    if len(kept) > 1:
        kept.sort(key=_place)
    return Index(const, tuple(kept))


def _place(term: tuple[Var | Size, int]) -> tuple[int, str]:
    """Sizes by name, then variables by number."""
    symbol = term[0]
    return (symbol.uid, "") if isinstance(symbol, Var) else (-1, symbol.key({}))


def as_index(value: IndexLike) -> Index:
    """An integer, a variable or a size as an affine index."""
    if isinstance(value, Index):
        return value
    if isinstance(value, int):
        return Index(value)
    return Index(0, ((value, 1),))


def fresh(axis: Axis, name: str = "i") -> Var:
    """A variable that occurs nowhere else."""
    return Var(next(_uids), name, axis)


def _read_again(process: bytes, uid: int, name: str, axis: Axis) -> Var:
    """A variable that was pickled: itself here, elsewhere a new one, always the same."""
    if process == _PROCESS:
        return Var(uid, name, axis)
    return _again.setdefault((process, uid), fresh(axis, name))


def newest() -> int:
    """A number that is higher than that of every variable made so far."""
    return next(_uids)


def sizes_in(index: Index) -> Iterator[Size]:
    """The sizes that an index speaks of, also those inside sizes such as ``n[L]``."""
    for symbol, _ in index.terms:
        if isinstance(symbol, Size):
            yield symbol
            if symbol.at is not None:
                yield from sizes_in(symbol.at)


def substitute_index(index: Index, mapping: Mapping[Var, Index]) -> Index:
    """``index`` with variables replaced at once (also inside sizes ``n[l]``)."""
    plain = index.variable
    if plain is not None:
        return mapping.get(plain, index)
    if not any(v in mapping for v in index.variables):
        return index
    result = Index(index.const)
    for symbol, coefficient in index.terms:
        if isinstance(symbol, Var):
            image = mapping.get(symbol, as_index(symbol))
        elif symbol.at is None:
            image = as_index(symbol)
        else:
            image = as_index(Size(symbol.name, substitute_index(symbol.at, mapping)))
        result = result + image * coefficient
    return result


def substitute_axis(axis: Axis, mapping: Mapping[Var, Index]) -> Axis:
    """The axis with variables replaced in its bounds; the same object if nothing changes."""
    start, stop = substitute_index(axis.start, mapping), substitute_index(axis.stop, mapping)
    if start == axis.start and stop == axis.stop:
        return axis
    return Axis(axis.name, stop, start, axis.ordered)


def lower_bound(index: Index) -> int | None:
    """A number that ``index`` never falls below (every size is at least 1), or None."""
    for _ in range(16):
        variable = next((s for s, _ in index.terms if isinstance(s, Var)), None)
        if variable is None:
            break
        coefficient = dict(index.terms)[variable]
        extreme = variable.axis.start if coefficient > 0 else variable.axis.stop
        index = index + (extreme - variable) * coefficient
    else:
        return None
    if any(coefficient < 0 for _, coefficient in index.terms):
        return None
    return index.const + sum(coefficient for _, coefficient in index.terms)


def is_nonnegative(index: Index) -> bool | None:
    """Whether ``index >= 0`` holds for all values in range: True, False or unknown (None)."""
    low = lower_bound(index)
    if low is not None and low >= 0:
        return True
    low = lower_bound(index * -1)
    if low is not None and low >= 1:
        return False
    return None


def is_zero(index: Index) -> bool | None:
    """Whether ``index == 0`` holds for all values in range: True, False or unknown (None)."""
    if not index.terms:
        return index.const == 0
    if _same_axis(index):
        return None
    lows = [lower_bound(signed) for signed in (index, index * -1)]
    if any(low is not None and low >= 1 for low in lows):
        return False
    return True if all(low is not None and low >= 0 for low in lows) else None


def _same_axis(index: Index) -> bool:
    """Whether the index is the difference of two variables that run over one axis."""
    if index.const or len(index.terms) != 2:
        return False
    (v, c), (w, d) = index.terms
    return isinstance(v, Var) and isinstance(w, Var) and c == -d and v.axis == w.axis


def guards(index: Index, axis: Axis, known: Known = ()) -> tuple[Index, ...] | None:
    """What must be >= 0 for ``index`` to lie on the axis, as far as nothing implies it.

    Ranges imply it, or what is ``known`` to be >= 0. None if it never does.
    """
    variable = index.variable
    if variable is not None and variable.axis == axis:
        return ()
    limits = (index - axis.start, axis.stop - index)
    decided = [is_nonnegative(limit) for limit in limits]
    if False in decided:
        return None
    open_ = (e for e, d in zip(limits, decided, strict=True) if d is None)
    return tuple(e for e in open_ if not any(is_nonnegative(e - k) for k in known))

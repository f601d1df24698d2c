"""How the quantities and sizes of one graph are written, no two alike.

A name has a usual symbol, ``lam`` is λ and ``x_2`` is x with a subscript. Where another quantity
has that symbol already, or a function or a size, the next candidate is taken, the name itself last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from symderiv.algebra.expr import Tensor
from symderiv.calculus.functions import Row, rows
from symderiv.calculus.graph import Graph, Kind
from symderiv.notation.conventions import Notation, Symbol, spelled, verbatim

_SUBSCRIPT = re.compile(r"(.+)_\{(\w(?:,\w)*|\d+)\}")
_PI = Symbol(r"\pi", r"\bm{\pi}", "π", "pi")


@dataclass(frozen=True)
class Spelling:
    """Symbols by the names of tensors, sizes by their names as TeX, and every word in use."""

    symbols: Mapping[str, Symbol] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    errors: bool = True  # whether errors may have a symbol of their own, which nobody else has

    def is_free(self, letter: str) -> bool:
        """Whether a letter of an index is no other symbol."""
        return self.words.isdisjoint((letter, spelled(letter).entry))

    @property
    def euler(self) -> bool:
        """Whether e is free for Euler's number."""
        return "e" not in self.words

    @property
    def identity(self) -> str:
        r"""The letter of the identity matrix: a bold I, if no array is called so or I_n."""
        bold = r"\mathbf{I}"
        return r"\operatorname{Id}" if any(w.startswith(bold) for w in self.words) else bold


def spelling(notation: Notation, graph: Graph | None, *, code: bool = False) -> Spelling:
    """The symbols of a graph; in ``code`` those of its names in Python, for the comments there."""
    if graph is None:
        return Spelling()
    parts = frozenset(d.target.name for d in graph.definitions if d.part_of)
    errors = frozenset(t.symbol for t in graph.tensors if t.name in graph.named)
    errors |= {t.symbol for t in graph.upstream}
    arrays = frozenset(t.name for t in graph.tensors if t.slots)
    return _spelling(
        notation, graph.tensors, arrays, parts, graph.size_names, graph.functions,
        graph.taken_apart, errors, graph.kind is Kind.PROGRAM, code,
    )  # fmt: skip


@lru_cache(maxsize=256)
def _spelling(
    notation: Notation,
    tensors: tuple[Tensor, ...],
    arrays: frozenset[str],
    parts: frozenset[str],
    sizes: tuple[str, ...],
    functions: frozenset[str],
    taken_apart: frozenset[Tensor],
    errors: frozenset[str],
    alike: bool,
    code: bool,
) -> Spelling:
    groups: dict[tuple[str, str], list[Tensor]] = {}
    seen: set[tuple[str, int | None]] = set()
    for tensor in tensors:
        key = tensor.name if code else tensor.symbol or tensor.name
        part = key if not code and tensor.name in parts and key in notation.parts else ""
        if not part and (key, tensor.layer) in seen:
            key = tensor.name
        seen.add((key, tensor.layer))
        groups.setdefault((key, part), []).append(tensor)
    assigned = _Assigned()
    assigned.take(_PI)
    for function in _with_uses(functions):
        assigned.take_function(notation, rows()[function])
    usual = {
        key: _usual(notation, key, code, any(t.name in arrays for t in group))
        for (key, part), group in groups.items() if not part
    }  # fmt: skip
    for (key, part), group in groups.items():
        if not part and any(t.name in arrays for t in group):
            numbered = any(t in taken_apart for t in group)
            assigned.arrays[usual[key].entry] = numbered
    shown: dict[str, str] = {}
    keys = {key for key, _ in groups}
    for size in sorted(set(sizes) - keys, key=sizes.index):
        shown[size] = assigned.size(size)
    found: dict[str, Symbol] = {}
    order = sorted(groups, key=lambda g: _rank(g[0], g[1], usual))
    for key, part in order:
        symbol = assigned.first(_candidates(notation, key, part, usual))
        found.update(dict.fromkeys((t.name for t in groups[key, part]), symbol))
    for size in sorted(set(sizes) & keys):
        shown[size] = assigned.script(size)
    named = [notation.errors[e] for e in errors if e in notation.errors]
    free = all(assigned.is_free(error) for error in named)
    free = free and (len(named) == len(errors) or not alike)  # δ beside ∂J/∂u would look odd
    if free:
        for error in named:
            assigned.take(error)
    return Spelling(found, shown, frozenset(assigned.words), free)


def _rank(key: str, part: str, usual: Mapping[str, Symbol]) -> tuple[bool, ...]:
    """Names that are written as they are come first, lines of a vector function last."""
    symbol = usual.get(key) or spelled(key)
    return part != "", symbol.unicode != key, symbol.entry != key, "_" in key


def _usual(notation: Notation, key: str, code: bool, is_array: bool) -> Symbol:
    """The notation's own symbol, unless that is of a number and this is an array."""
    symbol = None if code else notation.symbols.get(key)
    return spelled(key) if symbol is None or (is_array and symbol.array == symbol.entry) else symbol


def _candidates(
    notation: Notation, key: str, part: str, usual: Mapping[str, Symbol]
) -> Iterator[Symbol]:
    if part:
        yield notation.parts[part]
        yield from map(spelled, (part, *"vwqrtgh"))
    else:
        yield usual[key]
    yield spelled(key)
    yield verbatim(key)
    yield from (verbatim(key + "_" * n) for n in range(1, 100))


@dataclass
class _Assigned:
    """The symbols so far, and the arrays, whose entries look like a letter with a subscript."""

    words: set[str] = field(default_factory=set)
    arrays: dict[str, bool] = field(default_factory=dict)

    def first(self, candidates: Iterable[Symbol]) -> Symbol:
        """The first candidate that is free, which is then taken."""
        symbol = next(filter(self.is_open, candidates))
        self.take(symbol)
        return symbol

    def size(self, name: str) -> str:
        """A size as TeX: as a quantity is written, or else upright."""
        found = next(filter(self.is_open, (spelled(name), verbatim(name))), None)
        if found is None:
            return self.script(name)
        self.take(found)
        return found.entry

    def script(self, size: str) -> str:
        """A size that is called as a quantity is: upright."""
        entry = rf"\mathrm{{{size}}}".replace("_", r"\_")
        self.words.add(entry)
        return entry

    def take(self, symbol: Symbol) -> None:
        self.words.update((symbol.entry, symbol.array, symbol.unicode, symbol.ascii))

    def take_function(self, notation: Notation, row: Row) -> None:
        """The letter of a function; a loss shares its letter with the quantity that it is."""
        if not row.is_loss:
            letter = notation.functions.get(row.name, row.latex)
            self.words |= {letter, rf"\bm{{{letter}}}", row.letter} - {""}

    def is_open(self, symbol: Symbol) -> bool:
        """Whether a symbol is free, and does not look like an entry of an array."""
        return self.is_free(symbol) and not self.is_entry(symbol)

    def is_free(self, symbol: Symbol) -> bool:
        return self.words.isdisjoint((symbol.entry, symbol.array, symbol.unicode, symbol.ascii))

    def is_entry(self, symbol: Symbol) -> bool:
        """Whether a symbol looks like an entry of an array."""
        found = _SUBSCRIPT.fullmatch(symbol.entry)
        if found is None or found[1] not in self.arrays:
            return False
        return not found[2].isdigit() or self.arrays[found[1]]


def _with_uses(functions: Iterable[str]) -> set[str]:
    """The functions and those that they and their derivatives are written with."""
    found: set[str] = set()
    waiting = [f for f in functions if f in rows()]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(rows()[name].uses)
    return found

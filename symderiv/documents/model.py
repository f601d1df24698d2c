"""A document before it has a format: sections of blocks, sentences with formulas in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

Lazy = str | Callable[[], str]


class Math:
    """A formula, finished: for TeX, for a Unicode terminal and for an ASCII one.

    The forms for a terminal may be given as functions, which are asked once, if at all.
    """

    __match_args__ = ("tex", "unicode", "ascii")

    def __init__(self, tex: str, unicode: Lazy, ascii: Lazy) -> None:
        self.tex = tex
        self._unicode = unicode
        self._ascii = ascii

    @classmethod
    def same(cls, text: str) -> Math:
        """What is written alike everywhere."""
        return cls(text, text, text)

    @cached_property
    def unicode(self) -> str:
        """The formula for a terminal that shows Unicode."""
        return self._unicode if isinstance(self._unicode, str) else self._unicode()

    @cached_property
    def ascii(self) -> str:
        """The formula for a terminal that shows ASCII only."""
        return self._ascii if isinstance(self._ascii, str) else self._ascii()

    def __add__(self, other: Math) -> Math:
        return Math(
            self.tex + other.tex,
            lambda: self.unicode + other.unicode,
            lambda: self.ascii + other.ascii,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Math) and self.tex == other.tex

    def __hash__(self) -> int:
        return hash(self.tex)


EQUALS = Math.same(" = ")


@dataclass(frozen=True)
class Ref:
    """A reference to a tagged equation: ``(S12)``."""

    tag: str


@dataclass(frozen=True)
class Code:
    """A name in the generated program."""

    text: str


Part = str | Math | Ref | Code
Phrase = tuple[Part, ...]


@dataclass(frozen=True)
class Row:
    """One line of a derivation; the first line of a chain has a left side."""

    lhs: Math | None
    rhs: Math
    why: Phrase = ()
    tag: str = ""


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    text: Phrase


@dataclass(frozen=True)
class Equations:
    """Aligned lines."""

    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """A table; ``align`` has a letter a column (``X`` wraps)."""

    header: tuple[str, ...]
    rows: tuple[tuple[Phrase, ...], ...]
    align: str


@dataclass(frozen=True)
class Figure:
    """A TikZ picture."""

    tikz: str
    caption: Phrase


@dataclass(frozen=True)
class Box:
    """An aside."""

    title: Phrase
    text: Phrase


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple[Phrase, ...]


@dataclass(frozen=True)
class Algorithm:
    """Lines of a program in words and formulas, each with the depth of its indent."""

    title: Phrase
    lines: tuple[tuple[int, Phrase], ...]


Block = Prose | Equations | Table | Figure | Box | Items | Algorithm


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: Phrase
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """Everything that is printed, in order."""

    title: str
    subtitle: Phrase
    result: tuple[Row, ...]
    conventions: tuple[Phrase, ...]
    sections: tuple[Section, ...]

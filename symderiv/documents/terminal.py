"""A document for the terminal: chains line by line, the rule beside or below each of them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from symderiv.documents.ledger import Checked
from symderiv.documents.model import (
    Algorithm,
    Box,
    Equations,
    Figure,
    Items,
    Math,
    Phrase,
    Prose,
    Row,
    Section,
    Table,
)
from symderiv.documents.prose import plain
from symderiv.documents.sections import document
from symderiv.frontend.presentation import Presentation
from symderiv.notation.conventions import GREEK

MIN_WIDTH = 40
TAG = 8  # columns for "(S12)"


def to_terminal(
    checked: Checked, presentation: Presentation, width: int = 80, unicode: bool = True
) -> str:
    """The document as lines of at most ``width`` columns."""
    page = _Page(max(width, MIN_WIDTH), unicode)
    made = document(checked, presentation)
    lines = [*page.words(page.plain((made.title,))), page.rule("="), ""]
    if made.result:
        lines += [*page.equations(made.result), ""]
    for item in made.conventions:
        lines += page.words(page.plain(item), "  ")
    for section in made.sections:
        if not all(isinstance(block, Figure) for block in section.blocks):
            lines += ["", *page.section(section)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


class _Page:
    def __init__(self, width: int, unicode: bool) -> None:
        self.width = width
        self.unicode = unicode

    def plain(self, phrase: Phrase) -> str:
        """Words and formulas."""
        text = plain(phrase, self.unicode)
        return text if self.unicode else in_ascii(text)

    def rule(self, char: str) -> str:
        return char * self.width

    def words(self, text: str, indent: str = "", hanging: str | None = None) -> list[str]:
        """Wrapped text."""
        after = indent if hanging is None else hanging
        return textwrap.wrap(
            text, self.width, initial_indent=indent, subsequent_indent=after,
            break_long_words=True, break_on_hyphens=False,
        )  # fmt: skip

    def section(self, section: Section) -> Iterator[str]:
        heading = self.plain(section.title)
        yield from (
            *self.words(heading),
            ("─" if self.unicode else "-") * min(len(heading), self.width),
        )
        for block in section.blocks:
            match block:
                case Prose(text):
                    yield from self.words(self.plain(text))
                    yield ""
                case Equations(rows):
                    yield from self.equations(rows)
                    yield ""
                case Table():
                    yield from self.table(block)
                    yield ""
                case Box(title, text):
                    words = (*title, " ", *text)
                    yield from self.words(self.plain(words), "  ")
                case Algorithm(title, lines):
                    yield from self.words(self.plain(title))
                    for depth, text in lines:
                        indent = "  " * (depth + 1)
                        yield from self.words(self.plain(text), indent, indent + "    ")
                    yield ""
                case Items(items):
                    for item in items:
                        mark = "• " if self.unicode else "- "
                        yield from self.words(self.plain(item), mark, "  ")
                case Figure():
                    continue

    def equations(self, rows: tuple[Row, ...]) -> Iterator[str]:
        """Lines with the relation in one column, the reason in another where there is room."""
        left = max((len(self.side(r.lhs)) for r in rows), default=0)
        left = min(left, self.width // 3)
        reason_column = max(min(self.width * 11 // 20, self.width - 44), 0)
        for row in rows:
            yield from self.line(row, left, reason_column)

    def side(self, math: Math | None) -> str:
        """One side of an equation."""
        return "" if math is None else self.plain((math,))

    def line(self, row: Row, left: int, reasons: int) -> Iterator[str]:
        lhs = self.side(row.lhs)
        tag = f"({row.tag})" if row.tag else ""
        if len(lhs) > left:
            yield from self.words(lhs, "  ", "    ")
            lhs = ""
        head = f"  {lhs:>{left}} = "
        why = self.plain(row.why)
        room = self.width - TAG
        lines = textwrap.wrap(
            self.side(row.rhs), room, initial_indent=head, subsequent_indent=" " * (left + 7),
            break_long_words=True, break_on_hyphens=False,
        ) or [head]  # fmt: skip
        lines[0] = lines[0] if lines[0].startswith(head) else head.rstrip()
        *before, last = lines
        yield from before
        column = max(reasons, len(last) + 2)
        if why and column + len(why) <= room:
            last = f"{last:<{column}}{why}"
            why = ""
        yield f"{last:<{room}}{tag:>{TAG}}" if tag else last
        if why:
            indent = " " * (left + 7)
            opening, closing = ("[", "]")
            yield from self.words(f"{opening}{why}{closing}", indent, indent + " ")

    def table(self, table: Table) -> Iterator[str]:
        """Columns as wide as they need be; the widest one wraps."""
        cells = [[self.plain(c) for c in row] for row in table.rows]
        every = [list(table.header), *cells]
        widths = [max(len(row[n]) for row in every) for n in range(len(table.header))]
        room = self.width - 2 * len(widths)
        while sum(widths) > room and max(widths) > 8:
            widths[widths.index(max(widths))] -= 1
        for row in every:
            columns = [
                textwrap.wrap(cell, max(w, 1), break_on_hyphens=False) or [""]
                for cell, w in zip(row, widths, strict=True)
            ]
            for n in range(max(map(len, columns))):
                parts = (c[n] if n < len(c) else "" for c in columns)
                yield (
                    "  "
                    + "  ".join(f"{p:<{w}}" for p, w in zip(parts, widths, strict=True)).rstrip()
                )


_PLAIN = {
    "–": "-", "—": "-", "−": "-", "×": "x", "…": "...", "′": "'", "’": "'", "•": "-", "·": "*",
    "½": "1/2", "²": "^2", "³": "^3", "∂": "d", "Σ": "sum", "≤": "<=", "≥": ">=", "∞": "inf",
    "‖": "||", "ᵀ": ".T", "⊙": "*", "√": "sqrt", "\N{COMBINING CIRCUMFLEX ACCENT}": "_hat",
}  # fmt: skip


def in_ascii(text: str) -> str:
    """Whatever words are left outside ASCII, spelled or replaced."""
    table = {**{v: k for k, v in reversed(GREEK.items())}, **_PLAIN}
    spelled = "".join(table.get(c, c) for c in text)
    return spelled.encode("ascii", "replace").decode("ascii")

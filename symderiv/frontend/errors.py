"""One error for every bad input: a line that names the field, the value and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from fractions import Fraction

SHOWN = 40
"""The most characters of a user's value that a message repeats."""

WINDOW = 72
"""The most characters of a user's text that the caret display repeats."""


class SpecError(ValueError):
    """Bad input: ``problem; remedy`` in one line, without a traceback for the user.

    field   what is wrong, in the words of the input (``activation of layer 2``)
    value   the offending value itself, as it was given
    remedy  what would be right
    column  where in ``text`` it is, counted from 1, where there is such a place
    """

    def __init__(
        self,
        problem: str,
        remedy: str = "",
        *,
        field: str,
        value: object = None,
        column: int | None = None,
        text: str | None = None,
    ) -> None:
        where = "" if column is None else f"{field}, column {column}: "
        line = where + problem + (f"; {remedy}" if remedy else "")
        super().__init__(printable(line))
        self.field = field
        self.value = value
        self.remedy = remedy
        self.column = column
        self.text = text

    def within(self, file: str) -> SpecError:
        """This error, with the name of the file that it is about in front."""
        self.args = (printable(f"{file}: {self}"),)
        return self

    def caret(self) -> str:
        """The text and a caret below the offending column: two lines, or "" without a column."""
        if self.column is None or self.text is None:
            return ""
        at = min(max(self.column - 1, 0), len(self.text))
        start = max(0, min(at - WINDOW // 2, len(self.text) - WINDOW))
        shown = printable(self.text[start : start + WINDOW], width_kept=True)
        return f"{shown}\n{' ' * (at - start)}^"


def printable(text: str, *, width_kept: bool = False) -> str:
    """The text without a character that a terminal would act on or could not encode."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "?" if width_kept else ascii(c)[1:-1] for c in text)


def show(value: object) -> str:
    """The value as ``repr`` has it, cut to ``SHOWN`` characters; huge integers are not spelled."""
    if isinstance(value, int) and value.bit_length() > 4 * SHOWN:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, str):
        value = value if len(value) <= SHOWN else value[: SHOWN - 3] + "..."
        return printable(repr(value))
    if isinstance(value, (bool, int, float, type(None))):
        return repr(value)
    if isinstance(value, Fraction) and abs(value) < 10**SHOWN:
        return f"{float(value):.10g}"
    return f"a {kind(value)}"


def kind(value: object) -> str:
    """The kind of a value in the words of an input file, so that a wrong type can be named."""
    names = {
        bool: "true/false value", int: "whole number", str: "text",
        list: "list", tuple: "list", dict: "table",
    }  # fmt: skip
    name = type(value).__name__
    return names.get(type(value), "decimal number" if name in ("Fraction", "float") else name)


def suggest(word: str, choices: Iterable[str], *, most: int = 14) -> str:
    """The remedy for a misspelt word: the nearest choice, otherwise the choices."""
    names = list(choices)
    folded = {name.lower(): name for name in reversed(names)}
    near = difflib.get_close_matches(word[:64].lower(), list(folded), n=1, cutoff=0.65)
    if near:
        return f"did you mean {folded[near[0]]!r}?"
    return f"known: {listed(names, most=most)}"


def listed(names: Sequence[str], *, most: int = 14) -> str:
    """Names separated by commas, cut after ``most``."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")

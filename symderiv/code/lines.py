"""Python statements as lines of at most 99 characters."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 99
_GLUE = "\N{NO-BREAK SPACE}"


def statement(code: str, note: str = "", indent: int = 4) -> list[str]:
    """``code  # note`` in one line, or the note above it, or the code in brackets as well."""
    pad = " " * indent
    line = pad + code
    if note and len(line) + len(note) + 4 <= WIDTH:
        return [f"{line}  # {note}"]
    above = textwrap.wrap(note, WIDTH - indent - 2, break_long_words=False) if note else []
    comments = [f"{pad}# {text}" for text in above]
    return [*comments, *([line] if len(line) <= WIDTH else _bracketed(code, indent))]


def listed(before: str, items: Sequence[str], after: str, indent: int = 4) -> list[str]:
    """``before item, item after``, with the items on lines of their own where they are many."""
    pad = " " * indent
    line = f"{pad}{before}{', '.join(items)}{after}"
    if len(line) <= WIDTH:
        return [line]
    whole = [item.replace(" ", _GLUE) for item in items]
    inside = textwrap.wrap(
        ", ".join(whole) + ",", WIDTH - indent - 4, break_long_words=False, break_on_hyphens=False
    )
    shown = (text.replace(_GLUE, " ") for text in inside)
    return [f"{pad}{before}", *(f"{pad}    {text}" for text in shown), f"{pad}{after.lstrip()}"]


def unpacked(names: Sequence[str], value: str, indent: int = 4) -> list[str]:
    """``a, b = value``; without names the value alone, for what it checks."""
    if not names:
        return statement(value, indent=indent)
    if len(names) == 1:
        return statement(f"{names[0]}, = {value}", indent=indent)
    if len(", ".join(names)) + len(value) + indent + 3 <= WIDTH:
        return listed("", names, f" = {value}", indent)
    return listed("(", names, f") = {value}", indent)


def returned(names: Sequence[str], indent: int = 4) -> list[str]:
    """``return a, b``."""
    short = listed("return ", names, "", indent)
    return short if len(short) == 1 else listed("return (", names, ")", indent)


def comment(text: str) -> str:
    """Text for a comment: one line, and nothing that does not print."""
    return "".join(c if c.isprintable() else "?" for c in text)


def remark(text: str) -> list[str]:
    """``# text``, wrapped."""
    return [f"# {line}" for line in textwrap.wrap(comment(text), WIDTH - 2)]


def field(name: str, text: str) -> list[str]:
    """``# name      text`` for the header, wrapped."""
    wrapped = textwrap.wrap(comment(f"{name:<9} {text}"), WIDTH - 12, break_on_hyphens=False)
    return [f"# {wrapped[0]}", *(f"#           {more}" for more in wrapped[1:])]


def paragraphs(text: str, indent: int = 4) -> list[str]:
    """A docstring of one or more paragraphs."""
    first, *rest = text.split("\n\n")
    pad = " " * indent
    if not rest and len(first) + indent + 6 <= WIDTH:
        return [f'{pad}"""{first}"""']
    lines = textwrap.wrap(f'"""{first}', WIDTH - indent, break_on_hyphens=False)
    for part in rest:
        lines += ["", *textwrap.wrap(part, WIDTH - indent, break_on_hyphens=False)]
    return [(pad + line).rstrip() for line in [*lines, '"""']]


def _bracketed(code: str, indent: int) -> list[str]:
    """``target = (`` and one line for each term or factor, ``)``."""
    target, _, value = code.partition(" = ")
    if not value:
        target, _, value = code.partition(" ")
        before = f"{target} ("
    else:
        before = f"{target} = ("
    pad = " " * indent
    parts = list(_split(value))
    return [pad + before, *(f"{pad}    {part}" for part in parts), f"{pad})"]


def _split(value: str) -> Iterable[str]:
    """The value parted before the operators that bind least."""
    for operators in (r"[+-]", r"[*/]|@"):
        places = [m.start() + 1 for m in re.finditer(rf" ({operators}) ", value)]
        places = [n for n in places if value[:n].count("(") == value[:n].count(")")]
        if places:
            for start, stop in zip([0, *places], [*places, None], strict=True):
                yield value[start:stop].strip()
            return
    yield value

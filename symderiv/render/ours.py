"""Which files symderiv wrote: it replaces those, and no others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from symderiv.render.files import PathRefused

__all__ = ["check_ours"]

# What each kind of file says of where it comes from. TeX writes the creator of a PDF in two bytes
# a letter, in octal or in hexadecimal numbers, and some engines compress it.
_MARKS = {
    ".py": rb"\A# \S+: written by symderiv ",
    ".tex": rb"\\newcommand\{\\symprogram\}\{symderiv ",
    ".md": rb"^\*symderiv \S+\*$|made by `symderiv gallery`",
    ".json": rb'\A\{\s*"schema": \d+,\s*"network"',
    ".svg": rb'\A<svg [^>]*>\s*<defs><marker id="tip"',
    ".pdf": rb"symderiv|s\\000y\\000m\\000d|0073 ?0079 ?006[dD] ?0064|\A(?!(?s:.)*/Creator)",
}


def check_ours(paths: Iterable[Path]) -> None:
    """Refuse to replace a file that was not written by symderiv. Raises PathRefused."""
    for path in paths:
        if not path.is_file():
            continue
        mark = _MARKS.get(path.suffix)
        data = path.read_bytes()
        if data and (mark is None or re.search(mark, data, re.MULTILINE) is None):
            raise PathRefused(
                f"{path} was not written by symderiv; choose another --name or folder, or remove it"
            )

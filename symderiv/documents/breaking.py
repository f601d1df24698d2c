r"""Where a long formula may be broken: in front of the signs of its sums, and between its factors.

TeX by itself breaks after any sign, also deep inside parentheses. Here every place is marked with
how deep it is, ``\symbreak{0}`` outside of all parentheses, and the preamble gives the deeper ones
higher penalties.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.| [+-] |.", re.DOTALL)
_PAREN = {"(": 1, "[": 1, ")": -1, "]": -1}
_SOLID = {"{": 1, r"\begin": 1, r"\left": 1, "}": -1, r"\end": -1, r"\right": -1}


def breakable(tex: str) -> str:
    """The formula with its places to break marked."""
    out: list[str] = []
    depth = solid = 0  # inside parentheses; inside what TeX keeps in one piece
    tokens = _TOKEN.findall(tex)
    for before, token in zip(["", *tokens], tokens, strict=False):
        if before not in (r"\left", r"\right"):  # whose delimiter is a part of them
            solid += _SOLID.get(token, 0)
            depth += 0 if solid else _PAREN.get(token, 0)
        if solid == 0 and token in (" + ", " - ") and out:
            out.append(rf" \symbreak{{{depth}}}{token}")
        elif solid == depth == 0 and token == r"\,":
            out.append(r"\,\symsplit")
        else:
            out.append(token)
    return "".join(out)

"""Words of the tables of functions as sentences: ``alpha`` becomes α, ``-z`` a minus and z.

The tables say in plain ASCII what a reader is to see as a formula.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from symderiv.documents.model import Math, Part, Phrase
from symderiv.documents.prose import enumerated
from symderiv.notation.conventions import GREEK, spelled

_SIGN = re.compile(r"(?<![\w)])-(?=[\w(])| - ")
_GROUP = r"\((?:[^()]|\([^()]*\))*\)"
_FORMULA = re.compile(
    rf"(?:\w+|{_GROUP})\^(?:\w+|{_GROUP})|\b(?:{'|'.join(sorted(GREEK, key=len, reverse=True))})\b"
)
_WORD = re.compile(r"[A-Za-z]+")


def worded(text: str) -> Phrase:
    """A reason: its Greek letters and powers as formulas, its signs as minus signs."""
    out: list[Part] = []
    end = 0
    text = _minus(text.replace("**", "^"))
    for found in _FORMULA.finditer(text):
        out += [text[end : found.start()], formula(found[0].replace("−", "-"))]
        end = found.end()
    return tuple(part for part in (*out, text[end:]) if part != "")


def formula(text: str, values: Mapping[str, Math] | None = None) -> Math:
    """``elu'(0) = alpha`` as a formula; ``values`` are what stands for a letter."""
    known = values or {}

    def tex(found: re.Match[str]) -> str:
        word = found[0]
        if word in known:
            return known[word].tex
        letter = word in GREEK or len(word) == 1
        return spelled(word).entry if letter else rf"\operatorname{{{word}}}"

    def unicode(found: re.Match[str]) -> str:
        word = found[0]
        return known[word].unicode if word in known else GREEK.get(word, word)

    def ascii_(found: re.Match[str]) -> str:
        return known[found[0]].ascii if found[0] in known else found[0]

    raised = re.sub(r"\^(\w+)", r"^{\1}", re.sub(r"\^\((.*)\)", r"^{\1}", text))
    return Math(
        _WORD.sub(tex, raised).replace("*", r" \cdot "),
        _minus(_WORD.sub(unicode, text)).replace("'", "′").replace("*", "·"),
        _WORD.sub(ascii_, text),
    )


def formulas(text: str, values: Mapping[str, Math] | None = None) -> Phrase:
    """``z = -1 and z = 1``: formulas with words between them."""
    return enumerated([formula(part, values) for part in re.split(r" and |, ", text)])


def _minus(text: str) -> str:
    return _SIGN.sub(lambda found: " − " if found[0] == " - " else "−", text)

"""How a call pattern of a function table (``#2 \\log #1``) holds together."""

from __future__ import annotations

import re

from symderiv.notation.printer import ATOM, OPEN, POWER, PRODUCT, SUM


def is_fenced(pattern: str, before: str, end: int) -> bool:
    """Whether a sum may stand for the ``#1`` that ends at ``end`` without parentheses."""
    rest = pattern[end:].lstrip()
    closes = rest[:1] in tuple("+-−<>=)]}|,;") or rest.startswith(r"\right")
    return before != "" and before in "([{|" and closes


def primed(symbol: str, order: int) -> str:
    """``f'``; a symbol of several words gets parentheses first."""
    if re.fullmatch(
        r"\\[A-Za-z]+|[A-Za-z]|\\operatorname\{\w+\}(_\{.*\})?|\\math\w+\{\w+\}", symbol
    ):
        return symbol + "'" * order
    return f"({symbol})" + "'" * order


def pattern_level(pattern: str) -> tuple[int, str]:
    """How tightly a call pattern holds together, and what it ends with."""
    depth = 0
    closed = True
    loose = PRODUCT if re.search(r"#\d +#\d|\\(log|frac|tfrac)", _outside(pattern)) else ATOM
    for position, char in enumerate(pattern):
        depth += char in "([{"
        depth -= char in ")]}"
        if depth == 0 and char in "+-" and position > 0:
            return SUM, ""
        if depth == 0 and position < len(pattern) - 1:
            closed = False
    if re.search(r"\\log(?! *\()", _outside(pattern)):
        return OPEN, ""
    if pattern.startswith(r"\left(") and pattern.endswith(r"\right)"):
        return ATOM, "paren"
    if re.search(r"\^(\{[^{}]*\}|.)$", pattern):
        return (POWER if loose == ATOM else PRODUCT), "power"
    return loose, ("paren" if closed and pattern.endswith(")") else "")


def sign_of(pattern: str) -> tuple[bool, str]:
    """Whether a pattern is minus something, and what; the minus of a first term is its own."""
    rest = pattern.removeprefix("-")
    first = rest == pattern or pattern_level(rest)[0] == SUM
    return (False, pattern) if first else (True, rest)


def _outside(pattern: str) -> str:
    """The pattern without what stands in parentheses or braces."""
    previous = ""
    while previous != pattern:
        previous, pattern = pattern, re.sub(r"\([^()]*\)|\{[^{}]*\}", "", pattern)
    return pattern

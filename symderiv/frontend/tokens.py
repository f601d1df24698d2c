"""Text to tokens: ASCII and a few mathematical characters, exact numbers, columns from 1."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from symderiv.frontend.errors import SpecError, show

MAX_CHARACTERS = 10_000
MAX_DIGITS = 40
MAX_NAME = 32

_LETTERS = {
    "σ": "sigma", "δ": "delta", "∂": "d", "Δ": "Delta", "Θ": "Theta", "θ": "theta", "λ": "lam",
    "ε": "eps", "ϵ": "eps", "μ": "mu", "µ": "mu", "η": "eta", "α": "alpha", "β": "beta",
    "γ": "gamma", "π": "pi", "φ": "phi", "ρ": "rho", "τ": "tau", "ω": "omega", "ℓ": "ell",
    **{c: str(i) for i, c in enumerate("₀₁₂₃₄₅₆₇₈₉")},
}  # fmt: skip

_OPERATORS = {
    "⊙": "⊙", "·": "*", "⋅": "*", "×": "*", "−": "-", "≥": ">=", "≤": "<=", "′": "'", "’": "'",
}  # fmt: skip

_REMEDIES = {
    "^": "write ** for a power and .T for a transpose",
    "|": "write abs(x) or norm(x)",
    "‖": "write norm(x)",
    "√": "write sqrt(x)",
    "Σ": "write sum(x)",
    "∑": "write sum(x)",
    ":": "slices are not part of the language; an entry is x[i,j]",
    "_": "a name starts with a letter",
    "!": "claims are equalities; write =",
    "≠": "claims are equalities; write =",
    **dict.fromkeys("⁰¹²³⁴⁵⁶⁷⁸⁹", "write **2 for a power, z2 for the z of layer 2"),
}

_GREEK = "".join(c for c in _LETTERS if not _LETTERS[c].isdigit())
_SUBSCRIPT = "₀₁₂₃₄₅₆₇₈₉"
_SPACE = re.compile(r"[ \t\r\n]+")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NAME = re.compile(f"[A-Za-z{_GREEK}][A-Za-z0-9_{_GREEK}{_SUBSCRIPT}]*")
_OPERATOR = re.compile(r"\*\*|==|>=|<=|[-+*/@()\[\],;=<>.']")


@dataclass(frozen=True, slots=True)
class Token:
    """One token: kind is ``number``, ``name``, ``op`` or ``end``."""

    kind: str
    text: str
    column: int
    value: Fraction | None = None


_TOO_LARGE = f"is 10^{MAX_DIGITS} or more in size"
_TOO_FINE = f"has {MAX_DIGITS} or more decimal places"


def exact_decimal(text: str) -> Fraction:
    """A decimal as an exact rational below 10^40 in size and in fineness; ValueError says why not.

    The caps come before the arithmetic, so that 1e999999999 costs nothing.
    """
    match = re.fullmatch(r"([+-]?)([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?", text)
    if match is None or not (match[2] or match[3]):
        raise ValueError("is not a decimal number")
    digits, exponent = match[2] + match[3], match[4] or "0"
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"has more than {MAX_DIGITS} digits")
    if not digits.strip("0"):
        return Fraction(0)
    tiny = exponent.startswith("-")
    if len(exponent) > 4 or abs(int(exponent)) > 2 * MAX_DIGITS:
        raise ValueError(_TOO_FINE if tiny else _TOO_LARGE)
    scale = int(exponent) - len(match[3])
    value = int(match[1] + digits) * Fraction(10) ** scale
    if abs(value) >= 10**MAX_DIGITS:
        raise ValueError(_TOO_LARGE)
    if max(abs(value.numerator), value.denominator) >= 10**MAX_DIGITS:
        raise ValueError(_TOO_FINE)
    return value


def tokenize(text: str, field: str) -> tuple[Token, ...]:
    """The tokens of a text, an ``end`` token last; SpecError with the column otherwise."""
    if not isinstance(text, str):
        raise SpecError(f"{field} is {show(text)}", "it must be text", field=field, value=text)
    if len(text) > MAX_CHARACTERS:
        raise SpecError(
            f"{field} has {len(text)} characters", f"at most {MAX_CHARACTERS} are taken",
            field=field, value=text,
        )  # fmt: skip
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if match := _SPACE.match(text, at):
            at = match.end()
            continue
        here, at = _next(text, at, field)
        tokens.extend(here)
    tokens.append(Token("end", "", len(text) + 1))
    return tuple(tokens)


def _next(text: str, at: int, field: str) -> tuple[list[Token], int]:
    char, column = text[at], at + 1
    if match := _NUMBER.match(text, at):
        if _NAME.match(text, match.end()):
            name = _NAME.match(text, match.end())
            raise _error(
                f"{show(match[0] + (name[0] if name else ''))} is neither a number nor a name",
                "write * for a product, and start a name with a letter", field, text, column,
            )  # fmt: skip
        try:
            value = exact_decimal(match[0])
        except ValueError as wrong:
            raise _error(
                f"the number {show(match[0])} {wrong}",
                f"at most {MAX_DIGITS} digits are taken, before and after the point",
                field, text, column,
            ) from None  # fmt: skip
        return [Token("number", match[0], column, value)], match.end()
    if match := _NAME.match(text, at):
        name_text = "".join(_LETTERS.get(c, c) for c in match[0])
        if len(name_text) > MAX_NAME:
            raise _error(
                f"the name {show(name_text)} has {len(name_text)} characters",
                f"at most {MAX_NAME} are taken", field, text, column,
            )  # fmt: skip
        return [Token("name", name_text, column)], match.end()
    if match := _OPERATOR.match(text, at):
        return [Token("op", match[0], column)], match.end()
    if char in _OPERATORS:
        return [Token("op", _OPERATORS[char], column)], at + 1
    if char == "ᵀ":
        return [Token("op", ".", column), Token("name", "T", column)], at + 1
    if char == "½":
        return [Token("number", char, column, Fraction(1, 2))], at + 1
    remedy = _REMEDIES.get(char, "")
    if not remedy and char.isdigit():
        remedy = "write numbers with the digits 0-9"
    raise _error(
        f"unexpected character {show(char)}",
        remedy or "names, numbers, + - * / @ ** ( ) [ ] , = ; and ' are known",
        field, text, column,
    )  # fmt: skip


def _error(problem: str, remedy: str, field: str, text: str, column: int) -> SpecError:
    return SpecError(
        problem, remedy, field=field, value=text[column - 1 :][:40], column=column, text=text
    )

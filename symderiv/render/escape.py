"""Any text  ⟹  TeX that prints exactly this text, in plain ASCII, and does nothing else.

There is one escaper, `tex_escape`. Text is a `str`; a string that is TeX already is a `Tex`.
What is printed:

* ASCII: as it is; the ten special characters and the ligatures (``--``, ``<<``, ``?` ``) are
  taken apart, so that what was typed is what is seen;
* accented Latin letters: through their accent commands (``é`` is ``\\'{e}``);
* Greek letters and common signs of mathematics: through the table below, in maths;
* white space: one space; every other character, control characters included: ``?``.

Source: The Comprehensive LaTeX Symbol List, without packages that the smallest TeX lacks.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["Tex", "pdf_string", "tex_escape", "without_letter"]


class Tex(str):
    """A string that is finished TeX: it is printed as it stands, never escaped."""

    __slots__ = ()


# One row a character: what TeX reads.
ASCII: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
}

LIGATURES: Final = "-',"  # twice the same would be printed as one sign

LATIN: Final = {
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}",
    "ø": r"\o{}", "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}", "đ": r"\dj{}", "Đ": r"\DJ{}",
    "ð": r"\dh{}", "Ð": r"\DH{}", "þ": r"\th{}", "Þ": r"\TH{}", "ŋ": r"\ng{}", "Ŋ": r"\NG{}",
    "ı": r"\i{}", "å": r"\r{a}", "Å": r"\r{A}",
    "–": r"\textendash{}", "—": r"\textemdash{}", "‐": "-", "‑": "-",
    "‘": r"\textquoteleft{}", "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}", "”": r"\textquotedblright{}", "‚": r"\quotesinglbase{}",
    "„": r"\quotedblbase{}", "«": r"\guillemotleft{}", "»": r"\guillemotright{}",
    "‹": r"\guilsinglleft{}", "›": r"\guilsinglright{}", "…": r"\dots{}",
    "¡": r"\textexclamdown{}", "¿": r"\textquestiondown{}", "§": r"\S{}", "¶": r"\P{}",
    "†": r"\dag{}", "‡": r"\ddag{}", "©": r"\textcopyright{}", "£": r"\pounds{}",
    "\N{NO-BREAK SPACE}": "~", "\N{NARROW NO-BREAK SPACE}": "~", "\N{SOFT HYPHEN}": r"\-",
}  # fmt: skip

# Combining character: accent command, on an ASCII letter.
ACCENTS: Final = {
    "\u0300": r"\`", "\u0301": r"\'", "\u0302": r"\^", "\u0303": r"\~", "\u0304": r"\=",
    "\u0306": r"\u", "\u0307": r"\.", "\u0308": r"\"", "\u030a": r"\r", "\u030b": r"\H",
    "\u030c": r"\v", "\u0323": r"\d", "\u0327": r"\c", "\u0328": r"\k", "\u0331": r"\b",
}  # fmt: skip

GREEK: Final = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu",
    "ξ": "xi", "π": "pi", "ρ": "rho", "ς": "varsigma", "σ": "sigma", "τ": "tau",
    "υ": "upsilon", "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega",
    "ϑ": "vartheta", "ϕ": "phi", "ϵ": "epsilon", "ϱ": "varrho", "ϖ": "varpi",
    "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi",
    "Σ": "Sigma", "Υ": "Upsilon", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip

GREEK_AS_LATIN: Final = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧο", "ABEZHIKMNOPTXo", strict=True))

MATHS: Final = {
    "−": "-", "×": r"\times", "÷": r"\div", "±": r"\pm", "∓": r"\mp", "·": r"\cdot",
    "⋅": r"\cdot", "∗": r"\ast", "∘": r"\circ", "•": r"\bullet", "⊙": r"\odot",
    "⊗": r"\otimes", "⊕": r"\oplus", "⊖": r"\ominus", "√": r"\surd", "✓": r"\surd",
    "∂": r"\partial", "∇": r"\nabla", "∑": r"\sum", "∏": r"\prod", "∫": r"\int",
    "∞": r"\infty", "ℓ": r"\ell", "ℏ": r"\hbar", "ℜ": r"\Re", "ℑ": r"\Im", "∅": r"\emptyset",
    "∈": r"\in", "∉": r"\notin", "∋": r"\ni", "⊂": r"\subset", "⊆": r"\subseteq",
    "⊃": r"\supset", "⊇": r"\supseteq", "∪": r"\cup", "∩": r"\cap", "∀": r"\forall",
    "∃": r"\exists", "¬": r"\neg", "∧": r"\wedge", "∨": r"\vee", "⊤": r"\top", "⊥": r"\bot",
    "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx", "≡": r"\equiv", "≅": r"\cong",
    "≃": r"\simeq", "∼": r"\sim", "∝": r"\propto", "≪": r"\ll", "≫": r"\gg", "≔": ":=",
    "←": r"\leftarrow", "→": r"\rightarrow", "↑": r"\uparrow", "↓": r"\downarrow",
    "↔": r"\leftrightarrow", "⇐": r"\Leftarrow", "⇒": r"\Rightarrow",
    "⇔": r"\Leftrightarrow", "⟹": r"\Longrightarrow", "⟸": r"\Longleftarrow",
    "⟺": r"\Longleftrightarrow", "⟶": r"\longrightarrow", "↦": r"\mapsto",
    "⟨": r"\langle", "⟩": r"\rangle", "⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil",
    "⌉": r"\rceil", "‖": r"\Vert", "∥": r"\parallel", "∣": r"\mid", "′": r"{}'",
    "″": r"{}''", "‴": r"{}'''", "⋯": r"\cdots", "⋮": r"\vdots", "⋱": r"\ddots", "°": r"{}^{\circ}",
    "µ": r"\mu", "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}",
    "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}", "ᵀ": r"{}^{\top}",
    "⁻": r"{}^{-}", "⁺": r"{}^{+}", "₋": r"{}_{-}", "₊": r"{}_{+}", "⁽": r"{}^{(}", "⁾": r"{}^{)}",
    **{c: f"{{}}^{{{d}}}" for c, d in zip("⁰¹²³⁴⁵⁶⁷⁸⁹ⁿⁱʲᵏˡᴸ", "0123456789nijklL", strict=True)},
    **{c: f"{{}}_{{{d}}}" for c, d in zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True)},
    **{c: f"{{}}_{{{d}}}" for c, d in zip("ₐₑₕᵢⱼₖₗₘₙₚₛₜₓ", "aehijklmnpstx", strict=True)},
}  # fmt: skip


_PLAIN = frozenset(map(chr, range(32, 127))) - ASCII.keys() - set(LIGATURES)


def _maths(char: str) -> str | None:
    """δ  ⟹  \\delta; None for a character that is not in the tables."""
    if char in GREEK:
        return "\\" + GREEK[char]
    if char in GREEK_AS_LATIN:
        return rf"\mathrm{{{GREEK_AS_LATIN[char]}}}"
    return MATHS.get(char)


def _compatible(char: str) -> str | None:
    """ﬁ  ⟹  fi, Ａ  ⟹  A: a presentation form that stands for ASCII letters or digits."""
    plain = unicodedata.normalize("NFKC", char)
    return plain if plain != char and plain.isascii() and plain.isalnum() else None


def _piece(char: str, *, maths: bool) -> str:
    """One character with no accent on it  ⟹  its TeX."""
    if char.isascii() and (char.isprintable() or char.isspace()):
        return ASCII.get(char, " " if char.isspace() else char)
    if char in LATIN:
        return LATIN[char]
    symbol = _maths(char)
    if symbol is not None:
        # In a PDF string there are no formulas: the name of the symbol stands for it.
        return rf"\ensuremath{{{symbol}}}" if maths else _spoken(char)
    if char.isspace():
        return " "
    return _compatible(char) or "?"


def _spoken(char: str) -> str:
    """δ ⟹ delta, ² ⟹ 2, − ⟹ -: a sign of mathematics in letters, for a PDF string."""
    name = GREEK.get(char, GREEK_AS_LATIN.get(char, ""))
    if name:
        return name.removeprefix("var")
    plain = unicodedata.normalize("NFKC", char)
    return plain if plain.isascii() and plain.isalnum() else {"−": "-", "×": "x"}.get(char, "?")


def _accented(char: str) -> str | None:
    """é  ⟹  \\'{e}: an ASCII letter with one accent; None for anything else."""
    pair = unicodedata.normalize("NFD", char)
    if len(pair) == 2 and pair[0].isascii() and pair[0].isalpha() and pair[1] in ACCENTS:
        return f"{ACCENTS[pair[1]]}{{{pair[0]}}}"
    return None


def _pieces(text: str, *, maths: bool) -> list[str]:
    """Text  ⟹  one piece of TeX a character (an accent stands with its letter)."""
    out: list[str] = []
    for char in unicodedata.normalize("NFC", text):
        if char in ACCENTS and out and len(out[-1]) == 1 and out[-1].isalpha():
            out[-1] = f"{ACCENTS[char]}{{{out[-1]}}}"  # x and a circumflex: no character of its own
        elif char in LIGATURES and out and out[-1] in (char, "{}" + char):
            out.append("{}" + char)
        elif char in LATIN or _maths(char) is not None:
            out.append(_piece(char, maths=maths))
        else:
            out.append(_accented(char) or _piece(char, maths=maths))
    return out


def tex_escape(text: str) -> Tex:
    """Any text  ⟹  TeX for running text that prints it; a `Tex` is returned unchanged."""
    if isinstance(text, Tex):
        return text
    return Tex(text if _PLAIN.issuperset(text) else "".join(_pieces(text, maths=True)))


def without_letter(text: str) -> str:
    """The characters of a text, each once, that TeX has no letter for and prints as ``?``."""
    found = dict.fromkeys(unicodedata.normalize("NFC", text))
    return "".join(c for c in found if c != "?" and tex_escape(c) == "?")


def pdf_string(text: str) -> Tex:
    """Any text  ⟹  the same for a bookmark or the title of the PDF, where formulas cannot stand."""
    if isinstance(text, Tex):
        text = " ".join(re.sub(r"[\\${}^_]+", " ", text).split())  # $\delta^L$: delta L
    return Tex("".join(_pieces(text, maths=False)))

"""Michael Nielsen's notation: layers as superscripts, δ for the error, W counted with its layer.

Source: Neural Networks and Deep Learning, chapter 2.
"""

from symderiv.notation.conventions import Notation, Symbol

NIELSEN = Notation(
    name="nielsen",
    title="Nielsen",
    source="M. Nielsen, Neural Networks and Deep Learning, chapter 2",
    symbols={
        "x": Symbol("x", r"\mathbf{x}", "x", "x"),
        "y": Symbol("y", r"\mathbf{y}", "y", "y"),
        "z": Symbol("z", r"\mathbf{z}", "z", "z"),
        "a": Symbol("a", r"\mathbf{a}", "a", "a"),
        "W": Symbol("w", r"\mathbf{W}", "W", "W"),
        "b": Symbol("b", r"\mathbf{b}", "b", "b"),
        "lambda": Symbol(r"\lambda", r"\lambda", "λ", "lam"),
        "ell": Symbol(r"\ell", r"\bm{\ell}", "ℓ", "ell"),
        "C": Symbol("C", "C", "C", "C"),
        "R": Symbol("R", "R", "R", "R"),
    },
    errors={"z": Symbol(r"\delta", r"\bm{\delta}", "δ", "delta")},
    parts={
        "e": Symbol("u", r"\mathbf{u}", "u", "u"),
        "s": Symbol("S", r"\mathbf{S}", "S", "S"),
    },
    letters={
        "unit": ("j", "k", "i", "p", "q", "h", "g", "d"),
        "example": ("s", "r", "v"),
        "layer": ("l", "h", "g"),
        "time": ("t", "u"),
    },
)

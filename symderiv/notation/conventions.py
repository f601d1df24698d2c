"""A notation as data: everything in which two textbooks differ is a field.

Printers read these fields and nothing else, so that a new notation is one new data module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

Place = Literal["superscript", "subscript"]


@dataclass(frozen=True)
class Symbol:
    """How one quantity is written: an entry of it, the whole array, and both without TeX."""

    entry: str
    array: str
    unicode: str
    ascii: str


@dataclass(frozen=True, eq=False)
class Notation:
    """The conventions of one textbook.

    ``symbols`` is keyed by the symbol of a tensor (``W``, ``ell``), ``errors`` by the symbol of
    the tensor that a *named* adjoint belongs to; ``parts`` rewrites the lines of a vector
    function. ``letters`` holds index letters by the name of an axis; a new axis takes those of
    ``unit``. ``layer_style`` and ``example_style`` have ``#`` where the index stands.
    ``activation_shift`` and ``parameter_shift`` are added to a layer's number (Nielsen's input
    layer is 0, and a weight is counted with the layer that it feeds).
    """

    name: str
    title: str
    source: str
    symbols: Mapping[str, Symbol]
    errors: Mapping[str, Symbol]
    parts: Mapping[str, Symbol]
    letters: Mapping[str, tuple[str, ...]]
    layer_place: Place = "superscript"
    layer_style: str = "#"
    example_place: Place = "subscript"
    example_style: str = "#"
    activation_shift: int = 0
    parameter_shift: int = 0
    transpose: str = r"^{\top}"
    hadamard: str = r"\odot"
    functions: Mapping[str, str] = field(default_factory=dict)


GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eps": "ε",
    "zeta": "ζ", "eta": "η", "theta": "θ", "kappa": "κ", "lam": "λ", "lambda": "λ", "mu": "μ",
    "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ",
    "Lambda": "Λ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
_DIGITS = "0123456789"
_COMMANDS = {"eps": "varepsilon", "epsilon": "varepsilon", "lam": "lambda", "phi": "varphi"}


_FUNCTIONS = frozenset(("log", "exp", "sin", "cos", "tan"))


@lru_cache(maxsize=4096)
def spelled(name: str) -> Symbol:
    """A symbol for a name that no notation lists: a letter, a Greek letter or a word.

    Digits at the end are a subscript, and so is what comes after an underscore: x_i, x_bar.
    """
    head, *words = [part for part in name.split("_") if part] or [""]
    stem = head if head.rstrip(_DIGITS) in _FUNCTIONS else head.rstrip(_DIGITS)
    if not stem:
        return verbatim(name)
    digits = head[len(stem) :]
    scripts = ",".join([digits] * bool(digits) + [_script(word) for word in words])
    below = f"_{{{scripts}}}" if scripts else ""
    shown = "_".join([GREEK.get(stem, stem) + digits, *(GREEK.get(w, w) for w in words)])
    if stem in GREEK:
        command = greek(stem)
        return Symbol(command + below, rf"\bm{{{command}}}{below}", shown, name)
    entry = stem if len(stem) == 1 else rf"\mathit{{{stem}}}"
    return Symbol(entry + below, rf"\mathbf{{{stem}}}{below}", shown, name)


def verbatim(name: str) -> Symbol:
    """A symbol that is the name as its user wrote it; no two names share it."""
    shown = name.replace("_", r"\_")
    return Symbol(rf"\mathit{{{shown}}}", rf"\mathbf{{{shown}}}", name, name)


def greek(name: str) -> str:
    """The command of a Greek letter."""
    return "\\" + _COMMANDS.get(name, name)


def _script(word: str) -> str:
    """A subscript: a letter or a number as it is, a Greek letter, or a word upright."""
    if len(word) == 1 or word.isdigit():
        return word
    return greek(word) if word in GREEK else rf"\mathrm{{{word}}}"

"""A notation as data: everything in which two textbooks differ is a field.

Printers read these fields and nothing else, so that a new notation is one new data module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Place = Literal["superscript", "subscript"]


@dataclass(frozen=True)
class Symbol:
    """How one quantity is written: an entry of it, the whole array, and both without TeX."""

    entry: str
    array: str
    unicode: str
    ascii: str


@dataclass(frozen=True)
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
    input_symbol: str = "x"
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
_COMMANDS = {"eps": "varepsilon", "epsilon": "varepsilon", "lam": "lambda", "phi": "varphi"}


def spelled(name: str) -> Symbol:
    """A symbol for a name that no notation lists: a letter, a Greek letter or a word.

    Digits at the end are a subscript; anything but ASCII letters and digits is left out.
    """
    clean = "".join(c for c in name if c.isascii() and c.isalnum()) or "t"
    stem = clean.rstrip("0123456789")
    digits = clean[len(stem) :]
    below = f"_{{{digits}}}" if digits else ""
    if stem in GREEK:
        command = "\\" + _COMMANDS.get(stem, stem)
        return Symbol(command + below, rf"\bm{{{command}}}{below}", GREEK[stem] + digits, clean)
    if len(stem) == 1:
        return Symbol(stem + below, rf"\mathbf{{{stem}}}{below}", clean, clean)
    return Symbol(
        rf"\mathit{{{stem}}}{below}",
        rf"\mathbf{{{stem}}}{below}",
        clean,
        clean,
    )

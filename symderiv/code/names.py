"""What quantities are called in Python (``delta2``) and in the comments (``δ²``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symderiv.algebra.expr import Tensor
from symderiv.algebra.index import Axis, Index, Size, Var, as_index
from symderiv.notation import Notation, Symbol
from symderiv.notation.conventions import spelled
from symderiv.notation.names import unit_name
from symderiv.notation.python import layer_number, own_name, python_name
from symderiv.notation.spelling import Spelling

_RAISED = dict(zip("0123456789+-lL", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ˡᴸ", strict=True))


@dataclass(frozen=True)
class Slice:
    """The part of an array at constant places: ``[:, 0]`` of ``whole``, maybe all that it has."""

    whole: Tensor
    text: str
    is_whole: bool


@dataclass(frozen=True)
class Naming:
    """Names by a notation. ``sizes`` are the numbers or names of the layers' sizes.

    ``names`` are those of a graph whose quantities keep their names, and ``spelling`` the symbols
    of them in comments; without ``names`` it is a network. The ``slices`` are those that its
    equations speak of.
    """

    notation: Notation
    sizes: Sequence[int | str] = ()
    numbers: Mapping[Size, int] = field(default_factory=dict)
    letters: Mapping[Var, str] = field(default_factory=dict)
    spelling: Spelling = field(default_factory=Spelling)
    names: Mapping[str, str] | None = None
    slices: dict[Tensor, Slice] = field(default_factory=dict)

    @property
    def keeps_names(self) -> bool:
        """Whether quantities keep their names: those of a program, or of a network written out."""
        return self.names is not None

    def python(self, tensor: Tensor, member: Index | None = None) -> str:
        """``W1``, ``delta2``, ``dW1``; of a family ``W[l]``, of a slice ``mu[:, 0]``."""
        name = self.family(tensor)
        if tensor in self.slices:
            return name + self.slices[tensor].text
        return name if member is None else f"{name}[{self.index(member)}]"

    def column(self, text: str) -> str | None:
        """``mu`` for ``mu[:, 0]``, where that is all of mu."""
        for part, found in self.slices.items():
            if found.is_whole and found.text == "[:, 0]" and text == self.python(part):
                return self.family(part)
        return None

    def whole(self, tensor: Tensor) -> Tensor:
        """The array that a slice is part of; any other tensor itself."""
        return self.slices[tensor].whole if tensor in self.slices else tensor

    def family(self, tensor: Tensor) -> str:
        """The name without the member of a family, or the places of a slice."""
        return python_name(self.whole(tensor), self.notation, self.names)

    def formula(self, tensor: Tensor, member: Index | None = None) -> str:
        """``W¹``, ``δˡ⁺¹``, ``∂C/∂W¹``; of a program ``w1_12``, as documents have it as text."""
        if tensor in self.slices:
            part = self.slices[tensor]
            return self.formula(part.whole) + ("" if part.is_whole else part.text)
        if tensor.of is not None:
            if not self._is_error(tensor):
                assert tensor.root is not None
                return f"∂{self.formula(tensor.root)}/∂{self.formula(tensor.of, member)}"
            symbol = self.notation.errors[tensor.of.symbol]
        elif self.keeps_names and tensor.layer is not None:
            return unit_name(tensor) or self._symbol(tensor).unicode
        else:
            symbol = self._symbol(tensor)
        if member is not None:
            return symbol.unicode + _raised(self.index(member).replace(" ", ""))
        return symbol.unicode + _raised(layer_number(tensor.of or tensor, self.notation))

    def _is_error(self, tensor: Tensor) -> bool:
        """Whether an adjoint has a symbol of its own, δ."""
        assert tensor.of is not None
        return tensor.named and not self.keeps_names and tensor.of.symbol in self.notation.errors

    def _symbol(self, tensor: Tensor) -> Symbol:
        if self.keeps_names:
            return self.spelling.symbols.get(tensor.name) or spelled(tensor.name)
        return self.notation.symbols.get(tensor.symbol) or spelled(tensor.symbol)

    def index(self, index: Index) -> str:
        """An index as Python text: ``l - 1``, ``L``, ``2``."""
        out = ""
        for symbol, factor in sorted(index.terms, key=lambda term: term[1] < 0):
            name = self.letters.get(symbol, symbol.name) if isinstance(symbol, Var) else ""
            text = name or str(self.size(as_index(symbol)))
            text = text if abs(factor) == 1 else f"{abs(factor)} * {text}"
            out += (" - " if factor < 0 else " + ") + text
        if index.const or not out:
            out += f" {'-' if index.const < 0 else '+'} {abs(index.const)}"
        return out[3:] if out.startswith(" +") else "-" + out[3:]

    def range(self, axis: Axis) -> str:
        """``range(1, L + 1)``."""
        return f"range({self.index(axis.start)}, {self.index(axis.stop + 1)})"

    def size(self, index: Index) -> int | str:
        """A size: its number where that is known, else its name (``n1``, ``m``)."""
        if not index.terms:
            return index.const
        match index.terms:
            case ((Size(name, at), 1),) if index.const == 0:
                number = self.numbers.get(Size(name, at))
                if number is not None:
                    return number
                if at is None:
                    return own_name(name, self.names or {})
                if at.terms:
                    return f"{name}[{self.index(at)}]"
                known = name == "n" and at.const < len(self.sizes)
                return self.sizes[at.const] if known else f"{name}{at.const}"
        return self.index(index)


def _raised(text: str) -> str:
    """A superscript, or brackets where a sign has none."""
    if all(c in _RAISED for c in text):
        return "".join(_RAISED[c] for c in text)
    return f"[{text}]"

"""What quantities are called in Python (``delta2``) and in the comments (``δ²``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symderiv.algebra.expr import Role, Tensor
from symderiv.algebra.index import Axis, Index, Size, Var, as_index
from symderiv.notation import Notation, Symbol
from symderiv.notation.conventions import spelled

_RAISED = dict(zip("0123456789+-lL", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ˡᴸ", strict=True))
_FIXED = {Role.INPUT: "X", Role.TARGET: "Y"}


@dataclass(frozen=True)
class Naming:
    """Names by a notation. ``sizes`` are the numbers or names of the layers' sizes."""

    notation: Notation
    sizes: Sequence[int | str] = ()
    parts: frozenset[str] = frozenset()
    letters: Mapping[Var, str] = field(default_factory=dict)

    def python(self, tensor: Tensor, member: Index | None = None) -> str:
        """``W1``, ``delta2``, ``dW1``; of a family ``W[l]``."""
        name = self.family(tensor)
        return name if member is None else f"{name}[{self.index(member)}]"

    def family(self, tensor: Tensor) -> str:
        """The name without the member of a family."""
        if tensor.of is not None:
            if tensor.named and tensor.of.symbol in self.notation.errors:
                symbol = self.notation.errors[tensor.of.symbol]
                return symbol.ascii + self._number(tensor.of)
            return "d" + self.family(tensor.of)
        if tensor.role in _FIXED:
            return _FIXED[tensor.role]
        if tensor.layer is None and not tensor.ordered:
            return tensor.name
        return self._symbol(tensor).ascii + self._number(tensor)

    def formula(self, tensor: Tensor, member: Index | None = None) -> str:
        """``W¹``, ``δˡ⁺¹``, ``∂C/∂W¹``."""
        if tensor.of is not None:
            if not (tensor.named and tensor.of.symbol in self.notation.errors):
                assert tensor.root is not None
                return f"∂{self.formula(tensor.root)}/∂{self.formula(tensor.of, member)}"
            symbol = self.notation.errors[tensor.of.symbol]
        else:
            symbol = self._symbol(tensor)
        if member is not None:
            return symbol.unicode + _raised(self.index(member).replace(" ", ""))
        return symbol.unicode + _raised(self._number(tensor.of or tensor))

    def _symbol(self, tensor: Tensor) -> Symbol:
        if tensor.name in self.parts and tensor.symbol in self.notation.parts:
            return self.notation.parts[tensor.symbol]
        return self.notation.symbols.get(tensor.symbol) or spelled(tensor.symbol)

    def _number(self, tensor: Tensor) -> str:
        if tensor.layer is None:
            return ""
        shifts = self.notation.parameter_shift, self.notation.activation_shift
        return str(tensor.layer + shifts[tensor.role is not Role.PARAMETER])

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
                if at is None:
                    return name
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

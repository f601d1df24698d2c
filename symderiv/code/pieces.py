"""Pieces of NumPy text, and how numbers are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Expr,
    Mul,
    Number,
    Pow,
    SizeOf,
    Tensor,
    tensors_in,
)
from symderiv.algebra.index import Index, as_index
from symderiv.code.functions import Functions, NoCode, number
from symderiv.code.names import Naming

SUM, PRODUCT, UNARY, ATOM = range(4)
Kind = Literal["number", "vector", "column", "matrix"]


@dataclass(frozen=True)
class Piece:
    """Text of an expression, how strongly it binds, how it is stored, and what it reads.

    ``full`` is false where the array is to be repeated along an axis it does not have.
    """

    text: str
    strength: int
    kind: Kind
    reads: frozenset[str] = frozenset()
    full: bool = True

    def at(self, strength: int) -> str:
        """The text, in brackets if it binds less than asked for."""
        return self.text if self.strength >= strength else f"({self.text})"


@dataclass
class Numbers:
    """Writes scalars: numbers, sizes, hyperparameters and tensors without axes."""

    naming: Naming
    functions: Functions

    def number(self, expr: Expr) -> Piece:
        """A scalar: ``lam / (2 * m)``."""
        match expr:
            case Number(value):
                shown = number(value)
                strength = ATOM if value >= 0 else UNARY
                return Piece(shown, PRODUCT if "/" in shown else strength, "number")
            case SizeOf(index):
                text = self.naming.index(index)
                strength = SUM if " " in text else ATOM
                return Piece(text, strength, "number", self.in_index(index))
            case Access(tensor, ()):
                name = self.naming.python(tensor)
                return Piece(name, ATOM, "number", self.reads_of(tensor, None))
            case Mul() | Pow():
                return self.quotient(expr, None)
            case Add(terms):
                return self.joined([self.number(term) for term in terms])
            case Apply(name, args, orders):
                pieces = [self.number(arg) for arg in args]
                text = self.functions.call(name, orders, [p.text for p in pieces])
                if not tensors_in(expr):  # of sizes alone: a NumPy float64 would spread
                    text = f"float({text})"
                return Piece(text, ATOM, "number", all_reads(pieces))
        raise NoCode(f"no number from {type(expr).__name__}")

    def quotient(self, expr: Expr, body: Piece | None) -> Piece:
        """``above / below``, or ``above / below * body`` for a scaled array."""
        above: list[Piece] = []
        below: list[Piece] = []
        sign, above_number, below_number = "", 1, 1
        for factor in expr.factors if isinstance(expr, Mul) else (expr,):
            match factor:
                case Number(value):
                    sign = "-" if value < 0 else sign
                    above_number *= abs(value.numerator)
                    below_number *= value.denominator
                case Pow(base, exponent) if exponent < 0:
                    below.append(self.power(self.number(base), -exponent))
                case Pow(base, exponent):
                    above.append(self.power(self.number(base), exponent))
                case _:
                    above.append(self.number(factor))
        if below_number > 1:
            below.insert(0, Piece(str(below_number), ATOM, "number"))
        if above_number > 1 or (not above and body is None):
            above.insert(0, Piece(str(above_number), ATOM, "number"))
        top = " * ".join(p.at(UNARY) for p in above)
        bottom = " * ".join(p.at(UNARY) for p in below)
        bottom = f"({bottom})" if len(below) > 1 else bottom
        pieces = [*above, *below, *([body] if body else [])]
        kind = body.kind if body else "number"
        if body is not None and not top:
            text = body.at(PRODUCT) + (f" / {bottom}" if bottom else "")
        else:
            text = top + (f" / {bottom}" if bottom else "")
            if body is not None:
                text += f" * {body.at(UNARY)}"
        strength = pieces[0].strength if len(pieces) == 1 and not below else PRODUCT
        strength = min(strength, UNARY) if sign else strength
        full = body.full if body else True
        return Piece(sign + text, strength, kind, all_reads(pieces), full)

    def power(self, base: Piece, exponent: int) -> Piece:
        """An integer power, entry by entry."""
        if exponent == 1:
            return base
        if exponent < 0:
            below = self.power(base, -exponent)
            return replace(below, text=f"1 / {below.at(UNARY)}", strength=PRODUCT)
        return replace(base, text=f"{base.at(ATOM)}**{exponent}", strength=UNARY)

    def joined(self, pieces: list[Piece]) -> Piece:
        """A sum, with minus signs and without one in front where that can be."""
        return Piece(joined_text(pieces), SUM, *together(pieces))

    def reads_of(self, tensor: Tensor, member: Index | None) -> frozenset[str]:
        """The name of a tensor, and those in the number of the member."""
        inside = frozenset() if member is None else self.in_index(member)
        part = self.naming.slices.get(tensor)
        places = re.findall(r"[A-Za-z_]\w*", part.text) if part else []
        return inside | {self.naming.family(tensor), *places}

    def in_index(self, index: Index) -> frozenset[str]:
        """The sizes and variables in an index."""
        names: set[str] = set()
        for symbol, _ in index.terms:
            name = self.naming.index(as_index(symbol))
            if not name.lstrip("-").isdigit():
                names.add(name.split("[")[0])
        return frozenset(names)


def joined_text(pieces: Sequence[Piece]) -> str:
    """``a - b + c``."""
    first, *rest = pieces
    taken = first.at(PRODUCT)
    if rest and taken.startswith("-") and not rest[0].text.startswith("-"):
        return f"{joined_text(rest)} - {taken[1:]}"
    text = first.text
    for piece in rest:
        shown = piece.at(PRODUCT)
        text += f" - {shown[1:]}" if shown.startswith("-") else f" + {shown}"
    return text


def all_reads(pieces: Iterable[Piece]) -> frozenset[str]:
    """Everything that pieces read."""
    return frozenset().union(*(p.reads for p in pieces))


_RANK: Mapping[Kind, int] = {"number": 0, "vector": 1, "column": 1, "matrix": 2}


def together(pieces: list[Piece]) -> tuple[Kind, frozenset[str], bool]:
    """Storage, reads and fullness of an entrywise combination."""
    kind = max((p.kind for p in pieces), key=lambda k: _RANK[k])
    return kind, all_reads(pieces), any(p.full and p.kind == kind for p in pieces)

"""Matrix form to NumPy text: ``(W2.T @ delta2) * sigmoid_prime(z1)``.

Vectors are stored with one axis, except where examples are columns: there a vector of units is
stored as a column, so that it broadcasts over the examples. A form that would need an axis that
broadcasting cannot supply is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from symderiv.algebra.expr import Access, Add, Apply, Expr, Mul, Number, Pow, SizeOf, Tensor
from symderiv.algebra.index import Axis, Index, as_index
from symderiv.algebra.matrix import (
    Diag,
    ElementPower,
    Elementwise,
    Fill,
    Hadamard,
    Identity,
    MatAdd,
    MatMul,
    Matrix,
    MatrixExpr,
    Ones,
    Scalar,
    Scale,
    SumOver,
    Transpose,
)
from symderiv.calculus.functions import rows
from symderiv.code.functions import Functions, NoCode, is_default, number
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
class Emitter:
    """Writes matrix forms; ``columns`` says whether vectors of units are stored as columns."""

    naming: Naming
    functions: Functions
    columns: bool
    reference: bool = False

    def store(self, axis: Axis) -> Kind:
        """How a vector along this axis is stored."""
        return "column" if self.columns and axis.name != "example" else "vector"

    def kind(self, tensor: Tensor) -> Kind:
        """How a tensor is stored."""
        axes = tensor.axes[1:] if tensor.ordered else tensor.axes
        if len(axes) == 1:
            return self.store(axes[0])
        return "number" if not axes else "matrix"

    def assigned(self, node: MatrixExpr, tensor: Tensor) -> Piece:
        """The text to assign to a tensor, stored as that tensor is."""
        piece = self.piece(node)
        if not piece.full:
            raise NoCode(f"{tensor.name} would have to be repeated")
        if self.kind(tensor) == "column" and piece.kind == "vector":
            return replace(piece, text=f"{piece.at(ATOM)}[:, None]", strength=ATOM)
        if self.kind(tensor) == "vector" and piece.kind == "column":
            return replace(piece, text=f"{piece.at(ATOM)}[:, 0]", strength=ATOM)
        return piece

    def piece(self, node: MatrixExpr) -> Piece:
        """The text of a node."""
        match node:
            case Scalar(value) | Fill(value):
                full = isinstance(node, Scalar)
                return replace(self.number(value), full=full)
            case Matrix(tensor, member):
                name = self.naming.python(tensor, member)
                return Piece(name, ATOM, self.kind(tensor), self._reads(tensor, member))
            case Transpose(Matrix() as body):
                piece = self.piece(body)
                if piece.kind == "column":
                    return replace(piece, text=f"{piece.text}[:, 0]", kind="vector")
                return piece if piece.kind == "vector" else replace(piece, text=f"{piece.text}.T")
            case MatMul(left, right):
                return self._product(left, right)
            case Hadamard(factors):
                return self._hadamard(factors)
            case MatAdd(terms):
                return self._sum(terms)
            case Scale(factor, body):
                return self._scale(factor, body)
            case Elementwise(name, args, orders):
                return self._call(name, args, orders)
            case ElementPower(base, exponent):
                return self._power(self.piece(base), exponent)
            case Identity(axis):
                size = self.number(SizeOf(axis.size))
                return Piece(f"np.eye({size.text})", ATOM, "matrix", size.reads)
            case SumOver(var, body):
                inner, name = self.piece(body), self.naming.letters.get(var, var.name)
                start, stop = (
                    self.naming.index(var.axis.start),
                    self.naming.index(var.axis.stop + 1),
                )
                loop = f"sum({inner.text} for {name} in range({start}, {stop}))"
                reads = inner.reads | self._in_index(var.axis.stop)
                return Piece(loop, ATOM, inner.kind, reads - {name})
        raise NoCode(f"no NumPy form of {type(node).__name__}")

    # --- numbers -------------------------------------------------------------------------------

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
                return Piece(text, strength, "number", self._in_index(index))
            case Access(tensor, ()):
                name = self.naming.python(tensor)
                return Piece(name, ATOM, "number", frozenset({name}))
            case Mul() | Pow():
                return self._quotient(expr, None)
            case Add(terms):
                return self._joined([self.number(term) for term in terms])
            case Apply(name, args, orders):
                pieces = [self.number(arg) for arg in args]
                text = self.functions.call(name, orders, [p.text for p in pieces])
                return Piece(text, ATOM, "number", _reads(pieces))
        raise NoCode(f"no number from {type(expr).__name__}")

    def _quotient(self, expr: Expr, body: Piece | None) -> Piece:
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
                    below.append(self._power(self.number(base), -exponent))
                case Pow(base, exponent):
                    above.append(self._power(self.number(base), exponent))
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
        return Piece(sign + text, strength, kind, _reads(pieces), full)

    def _power(self, base: Piece, exponent: int) -> Piece:
        if exponent == 1:
            return base
        if exponent < 0:
            below = self._power(base, -exponent)
            return replace(below, text=f"1 / {below.at(UNARY)}", strength=PRODUCT)
        return replace(base, text=f"{base.at(ATOM)}**{exponent}", strength=UNARY)

    # --- arrays --------------------------------------------------------------------------------

    def _sum(self, terms: tuple[MatrixExpr, ...]) -> Piece:
        return self._joined([self.piece(term) for term in terms])

    def _joined(self, pieces: list[Piece]) -> Piece:
        text = pieces[0].text
        for piece in pieces[1:]:
            shown = piece.at(PRODUCT)
            text += f" - {shown[1:]}" if shown.startswith("-") else f" + {shown}"
        if text.startswith("-") and len(pieces) > 1 and not pieces[1].text.startswith("-"):
            rest = self._joined(pieces[1:])
            text = f"{rest.text} - {pieces[0].at(PRODUCT)[1:]}"
        return Piece(text, SUM, *_together(pieces))

    def _hadamard(self, factors: tuple[MatrixExpr, ...]) -> Piece:
        above, below = [], []
        for factor in factors:
            if isinstance(factor, ElementPower) and factor.exponent < 0:
                below.append(self._power(self.piece(factor.base), -factor.exponent))
            else:
                piece = self.piece(factor)
                matmul = isinstance(factor, MatMul) and " @ " in piece.text
                above.append(replace(piece, strength=min(piece.strength, SUM if matmul else ATOM)))
        text = " * ".join(p.at(PRODUCT) for p in above) or "1"
        text += "".join(f" / {p.at(UNARY)}" for p in below)
        return Piece(text, PRODUCT, *_together([*above, *below]))

    def _scale(self, factor: MatrixExpr, body: MatrixExpr) -> Piece:
        piece = self.piece(body)
        if isinstance(factor, Scalar):
            return self._quotient(factor.value, piece)
        scalar = self.piece(factor)
        text = f"{scalar.at(UNARY)} * {piece.at(UNARY)}"
        return Piece(text, PRODUCT, piece.kind, _reads([scalar, piece]), piece.full)

    def _call(self, name: str, args: tuple[MatrixExpr, ...], orders: tuple[int, ...]) -> Piece:
        row = rows()[name]
        kept = list(args)
        while not self.reference and is_default(row, len(kept) - 1, kept[-1]):
            kept.pop()
        pieces = [self.piece(arg) for arg in kept]
        text = self.functions.call(name, orders, [p.text for p in pieces])
        strength = pieces[0].strength if text == pieces[0].text else ATOM
        return Piece(text, strength, *_together(pieces))

    def _product(self, left: MatrixExpr, right: MatrixExpr) -> Piece:
        total = _total(left, right)
        if total is not None:
            return self._total(total)
        match left, right:
            case _, Ones(axis):
                return self._reduced(left, 1, axis)
            case Transpose(Ones(axis)), _:
                return self._reduced(right, 0, axis)
            case _, Transpose(Ones()):
                return self._repeated(left, along=1)
            case Ones(), _:
                return self._repeated(right, along=0)
            case Diag(vector), _:
                return self._times(self.piece(right), self._repeated(vector, along=1))
            case _, Diag(vector):
                return self._times(self.piece(left), self._repeated(vector, along=0))
        a, b = self.piece(left), self.piece(right)
        if not (a.full and b.full):
            raise NoCode("a product with an array that would have to be repeated")
        reads = a.reads | b.reads
        if a.kind == "number" or b.kind == "number":
            raise NoCode("a product of a matrix and a number")
        if left.shape[1] is None:
            text = f"np.outer({a.text}, {b.text})"
            return Piece(text, ATOM, "matrix", reads)
        if left.shape[0] is None and right.shape[1] is None:
            flat = [f"{p.at(ATOM)}.ravel()" if p.kind == "column" else p.at(UNARY) for p in (a, b)]
            return Piece(f"{flat[0]} @ {flat[1]}", PRODUCT, "number", reads)
        kind: Kind = "matrix"
        if left.shape[0] is None or right.shape[1] is None:
            kind = a.kind if left.shape[0] is None else b.kind
        return Piece(f"{a.at(PRODUCT)} @ {b.at(UNARY)}", PRODUCT, kind, reads)

    def _times(self, matrix: Piece, vector: Piece) -> Piece:
        text = f"{matrix.at(UNARY)} * {vector.at(UNARY)}"
        if vector.text.startswith("1 / "):
            text = f"{matrix.at(UNARY)} / {vector.text[4:]}"
        return Piece(text, PRODUCT, "matrix", matrix.reads | vector.reads, matrix.full)

    def _reduced(self, node: MatrixExpr, axis: int, summed: Axis) -> Piece:
        """A sum along an axis."""
        piece = self.piece(node)
        if not piece.full:
            raise NoCode("a sum of an array that would have to be repeated")
        if piece.kind != "matrix":
            return Piece(f"np.sum({piece.text})", ATOM, "number", piece.reads)
        kept = node.shape[1 - axis]
        assert kept is not None
        column = axis == 1 and self.store(kept) == "column"
        keep = ", keepdims=True" if column else ""
        call = f"np.sum({piece.text}, axis={axis}{keep})"
        return Piece(call, ATOM, "column" if column else "vector", piece.reads)

    def _repeated(self, node: MatrixExpr, along: int) -> Piece:
        """A vector that broadcasting repeats: a column along the columns, a row along the rows."""
        piece = self.piece(node)
        if along == 1 and piece.kind == "vector":
            piece = replace(piece, text=f"{piece.at(ATOM)}[:, None]", strength=ATOM)
        if along == 0 and piece.kind == "column":
            piece = replace(piece, text=f"{piece.at(ATOM)}[:, 0]", strength=ATOM)
        return replace(piece, kind="matrix", full=False)

    def _total(self, node: MatrixExpr) -> Piece:
        """The sum of all entries; of squares, without a temporary."""
        if isinstance(node, ElementPower) and node.exponent == 2 and not self.reference:
            base = self.piece(node.base)
            return Piece(f"np.vdot({base.text}, {base.text})", ATOM, "number", base.reads)
        piece = self.piece(node)
        if not piece.full:
            raise NoCode("a sum of an array that would have to be repeated")
        return Piece(f"np.sum({piece.text})", ATOM, "number", piece.reads)

    # --- what is read --------------------------------------------------------------------------

    def _reads(self, tensor: Tensor, member: Index | None) -> frozenset[str]:
        inside = frozenset() if member is None else self._in_index(member)
        return inside | {self.naming.family(tensor)}

    def _in_index(self, index: Index) -> frozenset[str]:
        names: set[str] = set()
        for symbol, _ in index.terms:
            name = self.naming.index(as_index(symbol))
            if not name.lstrip("-").isdigit():
                names.add(name.split("[")[0])
        return frozenset(names)


def _total(left: MatrixExpr, right: MatrixExpr) -> MatrixExpr | None:
    """M, if the product is 1ᵀ M 1 or a part of it that sums everything."""
    match left, right:
        case Transpose(Ones()), MatMul(inner, Ones()) if None not in inner.shape:
            return inner
        case MatMul(Transpose(Ones()), inner), Ones() if None not in inner.shape:
            return inner
    return None


def _reads(pieces: list[Piece]) -> frozenset[str]:
    return frozenset().union(*(p.reads for p in pieces))


_RANK: Mapping[Kind, int] = {"number": 0, "vector": 1, "column": 1, "matrix": 2}


def _together(pieces: list[Piece]) -> tuple[Kind, frozenset[str], bool]:
    """Storage, reads and fullness of an entrywise combination."""
    kind = max((p.kind for p in pieces), key=lambda k: _RANK[k])
    return kind, _reads(pieces), any(p.full and p.kind == kind for p in pieces)

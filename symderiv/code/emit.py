"""Matrix form to NumPy text: ``(W2.T @ delta2) * sigmoid_prime(z1)``.

Vectors are stored with one axis, except where examples are columns: there a vector of units is
stored as a column, so that it broadcasts over the examples. A form that would need an axis that
broadcasting cannot supply is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from symderiv.algebra.expr import SizeOf, Tensor
from symderiv.algebra.index import Axis, Index
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
from symderiv.code.functions import NoCode, is_default
from symderiv.code.pieces import (
    ATOM,
    PRODUCT,
    SUM,
    UNARY,
    Kind,
    Numbers,
    Piece,
    all_reads,
    together,
)


@dataclass
class Emitter(Numbers):
    """Writes matrix forms; ``columns`` says whether vectors of units are stored as columns.

    A column vector along an axis is always stored in the same way, a row vector has one axis.
    """

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

    def assigned(self, node: MatrixExpr, tensor: Tensor, member: Index | None = None) -> Piece:
        """The text to assign to a tensor, stored as that tensor is."""
        return self.stored(self.piece(node), tensor, member)

    def stored(self, piece: Piece, tensor: Tensor, member: Index | None = None) -> Piece:
        """A value as it is assigned; one that has to be repeated takes the shape of ``of``."""
        if not piece.full and tensor.of is not None:
            like = self.naming.python(tensor.of, member)
            text = f"np.full_like({like}, {piece.text})"
            if piece.kind != "number":
                text = f"{piece.at(SUM)} + np.zeros_like({like})"
            reads = piece.reads | self.reads_of(tensor.of, member)
            return Piece(text, SUM, self.kind(tensor), reads)
        if not piece.full:
            raise NoCode(f"{tensor.name} would have to be repeated")
        return _as_kind(piece, self.kind(tensor)) if piece.kind != "matrix" else piece

    def _as_column(self, piece: Piece, axis: Axis | None) -> Piece:
        """A vector as a column vector along an axis is stored; as a row vector for None."""
        return _as_kind(piece, "vector" if axis is None else self.store(axis))

    def piece(self, node: MatrixExpr) -> Piece:
        """The text of a node."""
        match node:
            case Scalar(value) | Fill(value):
                full = isinstance(node, Scalar)
                return replace(self.number(value), full=full)
            case Matrix(tensor, member):
                name = self.naming.python(tensor, member)
                return Piece(name, ATOM, self.kind(tensor), self.reads_of(tensor, member))
            case Transpose(Matrix() as body):
                piece = self.piece(body)
                if piece.kind == "matrix":
                    return replace(piece, text=f"{piece.text}.T")
                return self._as_column(piece, body.column)
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
                return self.power(self.piece(base), exponent)
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
                reads = inner.reads | self.in_index(var.axis.stop)
                return Piece(loop, ATOM, inner.kind, reads - {name})
        raise NoCode(f"no NumPy form of {type(node).__name__}")

    # --- arrays --------------------------------------------------------------------------------

    def _sum(self, terms: tuple[MatrixExpr, ...]) -> Piece:
        return self.joined([self.piece(term) for term in terms])

    def _hadamard(self, factors: tuple[MatrixExpr, ...]) -> Piece:
        above: list[Piece] = []
        below: list[Piece] = []
        for factor in factors:
            if isinstance(factor, Elementwise) and factor.function == "positive" and above:
                inner = self.piece(factor.args[0])
                above.append(replace(inner, text=f"({inner.at(SUM)} > 0)", strength=ATOM))
            elif isinstance(factor, ElementPower) and factor.exponent < 0:
                below.append(self.power(self.piece(factor.base), -factor.exponent))
            else:
                piece = self.piece(factor)
                matmul = piece.strength == PRODUCT and " @ " in piece.text  # as strong as *
                above.append(replace(piece, strength=min(piece.strength, SUM if matmul else ATOM)))
        text = " * ".join(p.at(PRODUCT) for p in above) or "1"
        text += "".join(f" / {p.at(UNARY)}" for p in below)
        return Piece(text, PRODUCT, *together([*above, *below]))

    def _scale(self, factor: MatrixExpr, body: MatrixExpr) -> Piece:
        piece = self.piece(body)
        if isinstance(factor, Scalar):
            return self.quotient(factor.value, piece)
        scalar = self.piece(factor)
        text = f"{scalar.at(UNARY)} * {piece.at(UNARY)}"
        return Piece(text, PRODUCT, piece.kind, all_reads([scalar, piece]), piece.full)

    def _call(self, name: str, args: tuple[MatrixExpr, ...], orders: tuple[int, ...]) -> Piece:
        row, kept = rows().get(name), list(args)
        while row and not self.reference and is_default(row, len(kept) - 1, kept[-1]):
            kept.pop()
        pieces = [self.piece(arg) for arg in kept]
        text = self.functions.call(name, orders, [p.text for p in pieces])
        strength = pieces[0].strength if text == pieces[0].text else ATOM
        return Piece(text, strength, *together(pieces))

    def _product(self, left: MatrixExpr, right: MatrixExpr) -> Piece:
        total = _total(left, right)
        if total is not None:
            return self._total(total)
        match left, right:
            case _, Ones():
                return self._reduced(left, 1)
            case Transpose(Ones()), _:
                return self._reduced(right, 0)
            case _, Transpose(Ones()):
                return self._repeated(left, along=1)
            case Ones(), _:
                return self._repeated(right, along=0)
            case Diag(vector), _:
                return self._times(self.piece(right), vector, along=1)
            case _, Diag(vector):
                return self._times(self.piece(left), vector, along=0)
        a, b = self.piece(left), self.piece(right)
        if not (a.full and b.full) or "number" in (a.kind, b.kind):
            raise NoCode("a product with an array that would have to be repeated")
        reads = a.reads | b.reads
        if left.shape[1] is None:
            return Piece(f"np.outer({a.text}, {b.text})", ATOM, "matrix", reads)
        kind: Kind = "matrix"
        if right.shape[1] is None:
            b = (
                _as_kind(b, "vector")
                if left.shape[0] is None
                else self._as_column(b, left.shape[0])
            )
            kind = "number" if left.shape[0] is None else b.kind
        elif left.shape[0] is None:
            kind = a.kind
        return Piece(f"{a.at(PRODUCT)} @ {b.at(UNARY)}", PRODUCT, kind, reads)

    def _times(self, matrix: Piece, vector: MatrixExpr, along: int) -> Piece:
        """A matrix times a diagonal one: ``A * v``, and ``A / v`` for a reciprocal."""
        inverse = isinstance(vector, ElementPower) and vector.exponent == -1
        base = vector.base if isinstance(vector, ElementPower) and inverse else vector
        repeated = self._repeated(base, along)
        text = f"{matrix.at(PRODUCT)} {'/' if inverse else '*'} {repeated.at(UNARY)}"
        return Piece(text, PRODUCT, "matrix", matrix.reads | repeated.reads, matrix.full)

    def _reduced(self, node: MatrixExpr, axis: int) -> Piece:
        """A sum along an axis."""
        piece = self.piece(node)
        if not piece.full:
            raise NoCode("a sum of an array that would have to be repeated")
        if piece.kind != "matrix":
            return replace(_sum(piece, ""), kind="number")
        kept = node.shape[1 - axis]
        assert kept is not None
        column = axis == 1 and self.store(kept) == "column"
        call = _sum(piece, f"axis={axis}{', keepdims=True' if column else ''}")
        return replace(call, kind="column" if column else "vector")

    def _repeated(self, node: MatrixExpr, along: int) -> Piece:
        """A vector that broadcasting repeats: a column along the columns, a row along the rows."""
        piece = self.piece(node)
        column = self.naming.column(piece.text) if along == 1 else None
        if column is not None:
            return replace(piece, text=column, kind="matrix", full=False)
        piece = _as_kind(piece, "column" if along == 1 else "vector")
        return replace(piece, kind="matrix", full=False)

    def _total(self, node: MatrixExpr) -> Piece:
        """The sum of all entries; of squares, without a temporary."""
        if isinstance(node, ElementPower) and node.exponent == 2 and not self.reference:
            base = self.piece(node.base)
            return Piece(f"np.vdot({base.text}, {base.text})", ATOM, "number", base.reads)
        piece = self.piece(node)
        if not piece.full:
            raise NoCode("a sum of an array that would have to be repeated")
        return replace(_sum(piece, ""), kind="number")


def _total(left: MatrixExpr, right: MatrixExpr) -> MatrixExpr | None:
    """M, if the product is 1ᵀ M 1 or a part of it that sums everything."""
    match left, right:
        case Transpose(Ones()), MatMul(inner, Ones()) if None not in inner.shape:
            return inner
        case MatMul(Transpose(Ones()), inner), Ones() if None not in inner.shape:
            return inner
    return None


def _sum(piece: Piece, arguments: str) -> Piece:
    """``x.sum(axis=0)``, and ``np.sum(a + b, axis=0)`` of what is no name."""
    if re.fullmatch(r"\w+(\[\w+\])?", piece.text):
        return replace(piece, text=f"{piece.text}.sum({arguments})")
    given = f"{piece.text}, {arguments}" if arguments else piece.text
    return replace(piece, text=f"np.sum({given})", strength=ATOM)


def _as_kind(piece: Piece, kind: Kind) -> Piece:
    """A vector stored with one axis or as a column."""
    if piece.kind == kind or piece.kind not in ("vector", "column"):
        return piece
    index = "[:, None]" if kind == "column" else "[:, 0]"
    return replace(piece, text=f"{piece.at(ATOM)}{index}", strength=ATOM, kind=kind)

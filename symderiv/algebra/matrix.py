"""Matrix form: the closed set of matrices, vectors and scalars that formulas are printed as.

A shape is (rows, columns); None there means one row or one column, so (unit, None) is a column
vector and (None, None) a scalar. Each node checks the shapes of its parts when it is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symderiv.algebra.expr import Expr, Tensor
from symderiv.algebra.index import Axis, Index, Var

Shape = tuple[Axis | None, Axis | None]


class NotMatrix(ValueError):
    """The expression, or a node made of these parts, has no matrix form."""


class MatrixExpr:
    """A matrix, a vector or a scalar; see the subclasses, which are all there are."""

    @property
    def shape(self) -> Shape:
        """The axes of the rows and of the columns."""
        raise NotImplementedError


@dataclass(frozen=True)
class Matrix(MatrixExpr):
    """A tensor with at most two axes; ``member`` says which one of a family (``W[l+1]``)."""

    tensor: Tensor
    member: Index | None
    row: Axis | None
    column: Axis | None

    @property
    def shape(self) -> Shape:
        return self.row, self.column


@dataclass(frozen=True)
class Scalar(MatrixExpr):
    """A number that needs no matrix: ``1/m``, ``lam/m``."""

    value: Expr

    @property
    def shape(self) -> Shape:
        return None, None


@dataclass(frozen=True)
class Fill(MatrixExpr):
    """A matrix or vector whose entries all are ``value``: the 1 in ``1 - a``."""

    value: Expr
    row: Axis | None
    column: Axis | None

    @property
    def shape(self) -> Shape:
        return self.row, self.column


@dataclass(frozen=True)
class Ones(MatrixExpr):
    """The column of ones: ``A 1`` sums along the rows of A, ``b 1ᵀ`` repeats the column b."""

    axis: Axis

    @property
    def shape(self) -> Shape:
        return self.axis, None


@dataclass(frozen=True)
class Identity(MatrixExpr):
    """The identity matrix."""

    axis: Axis

    @property
    def shape(self) -> Shape:
        return self.axis, self.axis


@dataclass(frozen=True)
class Diag(MatrixExpr):
    """The diagonal matrix of a column vector."""

    vector: MatrixExpr

    def __post_init__(self) -> None:
        require(self.vector.shape[0] is not None and self.vector.shape[1] is None)

    @property
    def shape(self) -> Shape:
        return self.vector.shape[0], self.vector.shape[0]


@dataclass(frozen=True)
class Transpose(MatrixExpr):
    """``Aᵀ``; made by :func:`transpose`, so that it stands at a matrix or at ``Ones`` only."""

    body: MatrixExpr

    def __post_init__(self) -> None:
        require(isinstance(self.body, Matrix | Ones))

    @property
    def shape(self) -> Shape:
        return self.body.shape[1], self.body.shape[0]


@dataclass(frozen=True)
class MatMul(MatrixExpr):
    """``A B``: also the outer product, the inner product and sums along an axis."""

    left: MatrixExpr
    right: MatrixExpr

    def __post_init__(self) -> None:
        require(same_axis(self.left.shape[1], self.right.shape[0]))

    @property
    def shape(self) -> Shape:
        return self.left.shape[0], self.right.shape[1]


@dataclass(frozen=True)
class Hadamard(MatrixExpr):
    """``A ⊙ B ⊙ ...``: products of entries at the same place."""

    factors: tuple[MatrixExpr, ...]

    def __post_init__(self) -> None:
        require(len(self.factors) > 1 and _alike(self.factors))

    @property
    def shape(self) -> Shape:
        return self.factors[0].shape


@dataclass(frozen=True)
class MatAdd(MatrixExpr):
    """``A + B + ...``."""

    terms: tuple[MatrixExpr, ...]

    def __post_init__(self) -> None:
        require(len(self.terms) > 1 and _alike(self.terms))

    @property
    def shape(self) -> Shape:
        return self.terms[0].shape


@dataclass(frozen=True)
class Scale(MatrixExpr):
    """A scalar times a matrix, a vector or another scalar."""

    factor: MatrixExpr
    body: MatrixExpr

    def __post_init__(self) -> None:
        require(self.factor.shape == (None, None))

    @property
    def shape(self) -> Shape:
        return self.body.shape


@dataclass(frozen=True)
class Elementwise(MatrixExpr):
    """``f(A, ...)`` entry by entry; ``orders`` counts derivatives by argument, as in Apply."""

    function: str
    args: tuple[MatrixExpr, ...]
    orders: tuple[int, ...]

    def __post_init__(self) -> None:
        require(bool(self.args) and _alike(self.args))

    @property
    def shape(self) -> Shape:
        return self.args[0].shape


@dataclass(frozen=True)
class ElementPower(MatrixExpr):
    """An integer power, entry by entry."""

    base: MatrixExpr
    exponent: int

    @property
    def shape(self) -> Shape:
        return self.base.shape


@dataclass(frozen=True)
class SumOver(MatrixExpr):
    """A sum over the members of a family, ``Σ_l``: the penalty of all layers."""

    var: Var
    body: MatrixExpr

    def __post_init__(self) -> None:
        for axis in self.body.shape:
            used = () if axis is None else (*axis.start.variables, *axis.stop.variables)
            require(self.var not in used)

    @property
    def shape(self) -> Shape:
        return self.body.shape


def transpose(node: MatrixExpr) -> MatrixExpr:
    """The transposed matrix, with ``ᵀ`` pushed down: (A B)ᵀ = Bᵀ Aᵀ, (A ⊙ B)ᵀ = Aᵀ ⊙ Bᵀ."""
    match node:
        case Transpose(body):
            return body
        case Fill(value, row, column):
            return Fill(value, column, row)
        case MatMul(left, right):
            return MatMul(transpose(right), transpose(left))
        case Hadamard(factors):
            return Hadamard(tuple(map(transpose, factors)))
        case MatAdd(terms):
            return MatAdd(tuple(map(transpose, terms)))
        case Scale(factor, body):
            return Scale(factor, transpose(body))
        case Elementwise(function, args, orders):
            return Elementwise(function, tuple(map(transpose, args)), orders)
        case ElementPower(base, exponent):
            return ElementPower(transpose(base), exponent)
        case SumOver(var, body):
            return SumOver(var, transpose(body))
        case Matrix() | Ones() if node.shape != (None, None):
            return Transpose(node)
        case _:
            return node


def same_axis(left: Axis | None, right: Axis | None) -> bool:
    """Whether two axes have the same range (None: one row or one column)."""
    if left is None or right is None:
        return left is right
    return (left.start, left.stop) == (right.start, right.stop)


def _alike(nodes: Sequence[MatrixExpr]) -> bool:
    rows, columns = nodes[0].shape
    return all(same_axis(n.shape[0], rows) and same_axis(n.shape[1], columns) for n in nodes)


def require(condition: object) -> None:
    """Raise NotMatrix unless the condition holds."""
    if not condition:
        raise NotMatrix


def children(node: MatrixExpr) -> tuple[MatrixExpr, ...]:
    """The direct parts of a node."""
    match node:
        case Diag(body) | Transpose(body) | ElementPower(body, _) | SumOver(_, body):
            return (body,)
        case MatMul(left, right) | Scale(left, right):
            return left, right
        case Hadamard(parts) | MatAdd(parts) | Elementwise(_, parts, _):
            return parts
        case _:
            return ()

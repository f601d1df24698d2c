"""From index form to matrix form: Σ_j W[i,j] a[j,s]  ⟹  W a.

Every entry of the result is the index expression at that row and column. A form that does not
exist is refused (None), never guessed: the nodes check all shapes when they are made. Trees are
followed as written: a product of entries with the same two indices is a Hadamard product, each
sum is one matrix product, and transposes are pushed down to the matrices.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from symderiv.algebra.binding import free_variables
from symderiv.algebra.expr import (
    ONE,
    Access,
    Add,
    Apply,
    Delta,
    Expr,
    Mul,
    Number,
    Pow,
    SizeOf,
    Sum,
    Tensor,
    mul,
    walk,
)
from symderiv.algebra.index import Axis, Index, Var, as_index, substitute_axis
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
    NotMatrix,
    Ones,
    Scalar,
    Scale,
    SumOver,
    Transpose,
    require,
    same_axis,
    transpose,
)


def matrix_form(
    expr: Expr, indices: Sequence[Index | Var], row_vectors: Collection[str] = ()
) -> MatrixExpr | None:
    """The matrix whose entry at ``indices`` is ``expr``, or None where there is none.

    ``indices`` are those of the left side, in storage order. A leading index along an ordered
    axis, or a constant one, says which member of a family it is, and no more. Vectors are
    columns, but rows along the axes whose names are in ``row_vectors`` (see :func:`row_axes`).
    """
    plain = [as_index(i).variable for i in indices]
    if plain and (plain[0] is None or plain[0].axis.ordered):
        plain = plain[1:]
    free = [v for v in plain if v is not None and not v.axis.ordered]
    if len(free) < len(plain) or len(free) > 2 or len(set(free)) < len(free):
        return None
    row, column = (*free, None, None)[:2]
    if len(free) == 1 and free[0].axis.name in row_vectors:
        row, column = None, free[0]
    try:
        result = _Recogniser(frozenset(row_vectors)).matrix(expr, row, column)
        require(same_axis(result.shape[0], _axis(row)))
        require(same_axis(result.shape[1], _axis(column)))
    except NotMatrix:
        return None
    return result


def row_axes(batch: Tensor) -> frozenset[str]:
    """Axes whose vectors are rows, read off a batched tensor such as x.

    (example, unit): vectors of units are rows. (unit, example): they are columns, and the vector
    of the examples' losses is a row. Without examples every vector is a column.
    """
    plain = [axis for axis in batch.axes if not axis.ordered]
    return frozenset({plain[1].name}) if len(plain) == 2 else frozenset()


class _Recogniser:
    def __init__(self, row_vectors: frozenset[str]) -> None:
        self.row_vectors = row_vectors

    def matrix(self, expr: Expr, row: Var | None, column: Var | None) -> MatrixExpr:
        """The matrix with ``expr`` as its entry at (row, column). Raises NotMatrix."""
        if _is_plain(expr, row, column):
            if row is None and column is None:
                return Scalar(expr)
            return Fill(expr, _axis(row), _axis(column))
        match expr:
            case Add(terms):
                return MatAdd(tuple(self.matrix(term, row, column) for term in terms))
            case Pow(base, exponent):
                return ElementPower(self.matrix(base, row, column), exponent)
            case Apply(function, args, orders):
                parts = tuple(self.matrix(arg, row, column) for arg in args)
                return Elementwise(function, parts, orders)
            case Sum(var, body) if var.axis.ordered:
                return SumOver(var, self.matrix(body, row, column))
            case Delta(left, right) if row and {left.variable, right.variable} == {row, column}:
                require(same_axis(row.axis, _axis(column)))
                return Identity(row.axis)
            case Access() if len(self.free(expr, (row, column))) == _count(row, column):
                return self.access(expr, row, column)
            case Access() | Mul() | Sum():
                return self.contraction(expr, row, column)
        raise NotMatrix

    @staticmethod
    def free(expr: Expr, among: Iterable[Var | None]) -> list[Var]:
        """The variables of ``among`` that occur in the expression."""
        found = free_variables(expr)
        return [v for v in among if v is not None and v in found]

    def access(self, expr: Access, row: Var | None, column: Var | None) -> MatrixExpr:
        """An entry of a tensor: the tensor itself, or its transpose."""
        tensor, indices = expr.tensor, list(expr.indices)
        slots, member = list(tensor.slots), None
        mapping: dict[Var, Index] = {}
        if tensor.ordered:
            member = indices.pop(0)
            mapping[slots.pop(0)] = member
        variables = [index.variable for index in indices]
        axes = [substitute_axis(slot.axis, mapping) for slot in slots]
        for variable, axis in zip(variables, axes, strict=True):
            require(variable is not None and same_axis(variable.axis, axis))
        match variables, axes:
            case [], []:
                return Matrix(tensor, member, None, None)
            case [v], [axis] if v in (row, column):
                lies = axis.name in self.row_vectors
                vector = Matrix(tensor, member, None if lies else axis, axis if lies else None)
                return transpose(vector) if lies != (v == column) else vector
            case [v, w], [first, second] if {v, w} == {row, column} and v != w:
                matrix = Matrix(tensor, member, first, second)
                return matrix if v == row and w == column else transpose(matrix)
        raise NotMatrix

    def contraction(self, expr: Expr, row: Var | None, column: Var | None) -> MatrixExpr:
        """Sums of a product: each summed variable is eliminated by one matrix product."""
        bound: list[Var] = []
        while isinstance(expr, Sum) and not expr.var.axis.ordered:
            bound.append(expr.var)
            expr = expr.body
        product = _Product(row, column)
        plain: list[Expr] = []
        for factor in expr.factors if isinstance(expr, Mul) else (expr,):
            live = self.free(factor, (row, column, *bound))
            if not live and _is_plain(factor):
                plain.append(factor)
            elif len(live) > 2:
                raise NotMatrix
            else:
                first, second = (*live, None, None)[:2]
                product.add(self.matrix(factor, first, second), first, second)
        if mul(*plain) != ONE:
            product.scalars.insert(0, Scalar(mul(*plain)))
        product.eliminate(bound)
        return product.result()


class _Product:
    """A product of scalars, vectors (by their variable) and matrices (by their two variables)."""

    def __init__(self, row: Var | None, column: Var | None) -> None:
        self.row, self.column = row, column
        self.scalars: list[MatrixExpr] = []
        self.vectors: dict[Var, list[MatrixExpr]] = {}
        self.edges: dict[tuple[Var, Var], list[MatrixExpr]] = {}

    def add(self, node: MatrixExpr, first: Var | None, second: Var | None) -> None:
        """Multiply by a matrix with these row and column variables."""
        if first is None:
            self.scalars.append(node)
        elif second is None:
            self.vectors.setdefault(first, []).append(node)
        elif (second, first) in self.edges:
            self.edges[second, first].append(transpose(node))
        else:
            self.edges.setdefault((first, second), []).append(node)

    def eliminate(self, bound: list[Var]) -> None:
        """Sum over the variables, those first that leave vectors."""
        left = list(bound)
        while left:
            var = min(reversed(left), key=lambda v: len(self._touching(v)))
            left.remove(var)
            self._sum(var)

    def _touching(self, var: Var) -> list[tuple[Var, Var]]:
        return [pair for pair in self.edges if var in pair]

    def _sum(self, var: Var) -> None:
        pairs = self._touching(var)
        vectors = self.vectors.pop(var, [])
        if len(pairs) > 2:
            raise NotMatrix
        others, parts = [], []
        for pair in pairs:
            node = _hadamard(self.edges.pop(pair))
            others.append(pair[0] if pair[1] == var else pair[1])
            parts.append(node if pair[1] == var else transpose(node))
        if len(pairs) == 2:
            middle = MatMul(parts[0], Diag(_hadamard(vectors))) if vectors else parts[0]
            self.add(MatMul(middle, transpose(parts[1])), others[0], others[1])
        elif len(pairs) == 1:
            vector = _hadamard(vectors) if vectors else Ones(var.axis)
            self.add(MatMul(parts[0], vector), others[0], None)
        elif len(vectors) > 1:
            self.add(MatMul(transpose(vectors[0]), _hadamard(vectors[1:])), None, None)
        elif vectors and isinstance(vectors[0], Transpose):
            self.add(MatMul(transpose(vectors[0]), Ones(var.axis)), None, None)
        elif vectors:
            self.add(MatMul(transpose(Ones(var.axis)), vectors[0]), None, None)
        else:
            self.add(Scalar(SizeOf(var.axis.size)), None, None)

    def result(self) -> MatrixExpr:
        """The product as one matrix with the wanted rows and columns."""
        row, column = self.row, self.column
        down = _vector(self.vectors, row)
        across = _vector(self.vectors, column)
        across = across and transpose(across)
        node: MatrixExpr | None = None
        for pair, parts in self.edges.items():
            node = _hadamard(parts)
            node = node if pair == (row, column) else transpose(node)
        if node is not None:
            node = MatMul(Diag(down), node) if down else node
            node = MatMul(node, Diag(transpose(across))) if across else node
        elif row is not None and column is not None and (down or across):
            node = MatMul(down or Ones(row.axis), across or transpose(Ones(column.axis)))
        else:
            node = down or across
        scalars = list(self.scalars)
        if node is None and row is None and column is None:
            node = scalars.pop()
        elif node is None:
            node = Fill(Number.of(1), _axis(row), _axis(column))
        for scalar in reversed(scalars):
            node = Scale(scalar, node)
        return node


def _vector(vectors: dict[Var, list[MatrixExpr]], var: Var | None) -> MatrixExpr | None:
    return _hadamard(vectors[var]) if var in vectors else None


def _hadamard(factors: Sequence[MatrixExpr]) -> MatrixExpr:
    return factors[0] if len(factors) == 1 else Hadamard(tuple(factors))


def _is_plain(expr: Expr, *indices: Var | None) -> bool:
    """Whether this is one number, made of numbers, sizes and tensors without axes."""
    return not any(
        not isinstance(node, Number | SizeOf | Access | Add | Mul | Pow | Apply)
        or (isinstance(node, SizeOf) and any(v in indices for v in node.index.variables))
        or (isinstance(node, Access) and bool(node.tensor.slots))
        for node in walk(expr)
    )


def _count(*variables: Var | None) -> int:
    return sum(v is not None for v in variables)


def _axis(var: Var | None) -> Axis | None:
    return None if var is None else var.axis

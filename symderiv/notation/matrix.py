r"""Matrix form to TeX and to text: ``(W^2)ᵀ δ^2 ⊙ a^1 ⊙ (1 - a^1)``.

With ``shapes``, TeX puts its shape under every matrix. A function of several arguments has no
accepted way of writing with matrices; then there is no matrix form, and None is returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symderiv.algebra.expr import Expr
from symderiv.algebra.index import Axis
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
)
from symderiv.calculus.functions import rows
from symderiv.notation.names import Names, unit_name
from symderiv.notation.patterns import primed
from symderiv.notation.printer import ATOM, FLAT, OPEN, POWER, PRODUCT, SCRIPTS, SUM, TALL, Piece
from symderiv.notation.tex import TexPrinter, joined
from symderiv.notation.unicode import TextPrinter

_HADAMARD = OPEN  # binds less than a product and more than a sum


def matrix_latex(node: MatrixExpr, names: Names, *, shapes: bool = False) -> str | None:
    """A matrix formula as TeX."""
    try:
        piece = MatrixPrinter(names, shapes=shapes).piece(node)
    except NotMatrix:
        return None
    return f"-{piece.text}" if piece.negative else piece.text


def matrix_text(node: MatrixExpr, names: Names, *, unicode: bool = True) -> str | None:
    """A matrix formula as text, ``W2.T @ delta2``, that the claims' grammar reads."""
    try:
        piece = MatrixPrinter(names, plain=True, unicode=unicode).piece(node)
    except NotMatrix:
        return None
    return ("−" if unicode else "-") * piece.negative + piece.text


def array_symbol(node: Matrix, names: Names) -> str:
    r"""``\mathbf{W}^{2}``: a whole tensor, or ∂C/∂W for an adjoint without a name."""
    return MatrixPrinter(names).symbol(node)


def shape_latex(shape: Sequence[Axis | None], names: Names) -> str:
    r"""``n_{1} \times m``."""
    printer = TexPrinter(names)
    sides = ["1" if axis is None else printer.compact(axis.size) for axis in shape]
    return r" \times ".join(sides)


@dataclass
class MatrixPrinter:
    """Nodes to pieces; TeX, or text with ``plain``."""

    names: Names
    shapes: bool = False
    plain: bool = False
    unicode: bool = True

    def __post_init__(self) -> None:
        self.tex = TexPrinter(self.names)
        self.text = TextPrinter(self.names, unicode=self.unicode)

    def piece(self, node: MatrixExpr) -> Piece:
        """One node."""
        match node:
            case Scalar(value):
                return (self.text if self.plain else self.tex).piece(value)
            case Matrix():
                return self.leaf(self.symbol(node), node)
            case Transpose(body):
                return self.transposed(body)
            case Ones(axis):
                return self.leaf(self.ones(axis), node)
            case Identity(axis):
                return Piece(self.identity(axis), ATOM, SCRIPTS, starts="entry")
            case Fill(value, _, _):
                return self.fill(value)
            case MatAdd(terms):
                return self.sum([self.piece(t) for t in terms])
            case Hadamard(factors):
                return self.hadamard([self.piece(f) for f in factors])
            case MatMul(left, right):
                return self.product(self.piece(left), self.piece(right))
            case Scale(factor, body):
                return self.scale(self.piece(factor), self.piece(body))
            case Diag(vector):
                inside = self.piece(vector)
                name = "diag" if self.plain else r"\operatorname{diag}"
                return replace(self.paren(inside, name), height=inside.height)
            case ElementPower(base, exponent):
                return self.power(self.piece(base), exponent)
            case Elementwise(function, args, orders):
                return self.call(function, args, orders)
            case SumOver(var, body):
                with self.names.bound(var) as letter:
                    inner = self.piece(body)
                    inner = self.paren(inner) if inner.level <= _HADAMARD else inner
                    shown = self.text if self.plain else self.tex
                    return shown.big_sum(var, letter, inner)
        raise NotMatrix

    # --- leaves --------------------------------------------------------------------------------

    def leaf(self, symbol: str, node: MatrixExpr) -> Piece:
        """A symbol, with its shape below it where that is wanted."""
        height = SCRIPTS if "^" in symbol or "_{" in symbol else FLAT
        height = TALL if symbol.startswith(r"\frac") else height
        level = PRODUCT if symbol.startswith((r"\frac", "∂", "d(")) else ATOM
        if self.shapes and node.shape != (None, None):
            symbol = rf"{{\underbrace{{{symbol}}}_{{{shape_latex(node.shape, self.names)}}}}}"
        return Piece(symbol, level, height, False, "entry", "entry")

    def symbol(self, node: Matrix) -> str:
        """A whole tensor."""
        tensor, names = node.tensor, self.names
        member = () if node.member is None else (node.member,)
        if tensor.of is not None and not names.has_name(tensor):
            assert tensor.root is not None
            root = names.symbol(tensor.root)
            below = self.symbol(replace(node, tensor=tensor.of))
            if self.plain:
                above = root.unicode if self.unicode else root.ascii
                return self.text.ratio(above, below).text
            return rf"\frac{{\partial {root.entry}}}{{\partial {below}}}"
        symbol = names.symbol(tensor)
        if self.plain:
            layer = names.layer(tensor)
            name = symbol.unicode if self.unicode else symbol.ascii
            shift = names.shift(tensor)
            label = "" if layer is None else names.layer_label(layer + shift)
            if label and names.base is not None:
                return f"{name}[{label}]"
            name = unit_name(tensor, self.unicode) or name + label
            return name + (f"[{self.text.index(member[0] + shift)}]" if member else "")
        written = symbol.entry if node.shape == (None, None) else symbol.array
        return joined(written, self.tex.scripts(tensor, member))

    def ones(self, axis: Axis) -> str:
        """The column of ones."""
        if self.plain:
            return f"ones({self.text.index(axis.size)})"
        return rf"\mathbf{{1}}_{{{self.tex.compact(axis.size)}}}"

    def identity(self, axis: Axis) -> str:
        """The identity matrix."""
        if self.plain:
            return f"eye({self.text.index(axis.size)})"
        return rf"{self.names.spelling.identity}_{{{self.tex.compact(axis.size)}}}"

    def fill(self, value: Expr) -> Piece:
        """An array of equal entries: 1 is written as bold 1."""
        piece = (self.text if self.plain else self.tex).piece(value)
        if self.plain:
            return piece
        one = Piece(r"\mathbf{1}", ATOM, FLAT, False, "entry", "entry")
        if piece.text == "1":
            return one.with_sign(piece.negative)
        return self.scale(piece, one)

    def transposed(self, body: MatrixExpr) -> Piece:
        """A transpose never puts a second superscript on a symbol."""
        if isinstance(body, Ones):
            symbol = self.ones(body.axis)
        else:
            assert isinstance(body, Matrix)
            symbol = self.symbol(body)
        if self.plain:
            plain = symbol if re_word(symbol) else f"({symbol})"
            return Piece(f"{plain}.T", ATOM, FLAT, False, "entry", "entry")
        mark = self.names.notation.transpose
        if r"\frac" in symbol:
            symbol = rf"\biggl({symbol}\biggr){mark}"
        elif "^" in symbol:
            symbol = rf"\bigl({symbol}\bigr){mark}"
        else:
            symbol = f"{symbol}{mark}"
        return self.leaf(symbol, Transpose(body))

    # --- compounds -------------------------------------------------------------------------------

    def paren(self, piece: Piece, head: str = "") -> Piece:
        """In parentheses, sign inside."""
        text = f"-{piece.text}" if piece.negative else piece.text
        if self.plain:
            text = text.replace("-", "−", 1) if piece.negative and self.unicode else text
            left, right = "(", ")"
        else:
            height = max(piece.height, SCRIPTS) if self.shapes else piece.height
            left, right = self.tex.fences(height)
        return Piece(f"{head}{left}{text}{right}", ATOM, piece.height, False, "paren", "paren")

    def sum(self, pieces: list[Piece]) -> Piece:
        """``A - B``."""
        minus = "−" if self.plain and self.unicode else "-"
        text = ""
        for number, piece in enumerate(pieces):
            inner = self.paren(piece.with_sign(False)) if piece.level == SUM else piece
            sign = f" {minus} " if piece.negative else " + "
            if number == 0:
                sign = minus if piece.negative else ""
            text += sign + inner.text
        return Piece(text, SUM, max(p.height for p in pieces), False, "entry", "entry")

    def hadamard(self, pieces: list[Piece]) -> Piece:
        """``A ⊙ B``; matrix products in it get parentheses."""
        sign = f" {self.names.notation.hadamard} "
        if self.plain:
            sign = " ⊙ " if self.unicode else " * "
        shown = [self.paren(p) if p.level < POWER or p.negative else p for p in pieces]
        text = sign.join(p.text for p in shown)
        height = max(p.height for p in pieces)
        return Piece(text, _HADAMARD, height, False, "entry", shown[0].starts)

    def product(self, left: Piece, right: Piece) -> Piece:
        """``A B``."""
        negative = left.negative != right.negative
        left, right = left.with_sign(False), right.with_sign(False)
        left = self.paren(left) if left.level <= _HADAMARD else left
        right = self.paren(right) if right.level <= _HADAMARD else right
        sign = " @ " if self.plain else r" \; " if self.shapes else " "  # labels would touch
        height = max(left.height, right.height)
        return Piece(f"{left.text}{sign}{right.text}", PRODUCT, height, negative, "entry", "entry")

    def scale(self, factor: Piece, body: Piece) -> Piece:
        """``(1/m) A``."""
        negative = factor.negative != body.negative
        factor, body = factor.with_sign(False), body.with_sign(False)
        body = self.paren(body) if body.level == SUM else body
        factor = self.paren(factor) if factor.level in (SUM, OPEN) else factor
        if factor.text == "1":
            return body.with_sign(negative)
        if self.plain:
            loose = factor.level == PRODUCT or body.level == _HADAMARD
            sign = " * "
            inner = f"({body.text})" if loose and body.level == _HADAMARD else body.text
            text = f"{factor.text}{sign}{inner}"
            level = PRODUCT
        else:
            space = " " if factor.ends == "number" else r"\, "
            text, level = f"{factor.text}{space}{body.text}", min(body.level, PRODUCT)
        return Piece(text, level, max(factor.height, body.height), negative, "entry", "entry")

    def power(self, base: Piece, exponent: int) -> Piece:
        """Entry by entry."""
        if base.level < ATOM or base.negative or (base.height > FLAT and base.starts != "paren"):
            base = base if self.plain and base.level == ATOM else self.paren(base)
        if self.plain:
            return Piece(f"{base.text}**{exponent}", POWER, FLAT, False, "power", "entry")
        return Piece(rf"{base.text}^{{\odot {exponent}}}", POWER, base.height, False, "power", "")

    def call(self, function: str, args: tuple[MatrixExpr, ...], orders: tuple[int, ...]) -> Piece:
        """A function entry by entry; its hyperparameters are the same for all entries."""
        row = rows()[function]
        numbers = [a.value for a in args[1:] if isinstance(a, Fill)]
        if len(numbers) != len(args) - 1 or len(numbers) != len(row.hyper) or any(orders[1:]):
            raise NotMatrix
        inner = self.piece(args[0])
        inside = [inner, *map((self.text if self.plain else self.tex).piece, numbers)]
        if row.is_identity and not any(orders):
            return inner
        if self.plain:
            name = row.plain_name if self.unicode else row.python_name
            prime = "′" if self.unicode else "'"
            return self.text.applied(name + prime * orders[0], inside)
        if row.call and not any(orders):
            text = self.tex.pattern(row.call)
            if inner.level >= ATOM and not inner.negative and text.count("#") == len(inside) == 1:
                return Piece(text.replace("#1", inner.text), POWER, inner.height, False, "", "call")
            raise NotMatrix
        symbol = self.names.notation.functions.get(function, row.latex)
        return self.tex.applied(primed(symbol, orders[0]), inside)


def re_word(symbol: str) -> bool:
    """Whether a symbol needs no parentheses before ``.T``."""
    return all(c.isalnum() or c in "[]+-,()_" for c in symbol) and "∂" not in symbol

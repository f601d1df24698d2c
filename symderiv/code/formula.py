"""Matrix form as the comment beside a line: ``δ¹ = (W²ᵀ δ²) ⊙ σ′(z¹)``.

A comment has the value of its line when it is read as formulas are: factors beside each other bind
more than ⊙ and a quotient, a number and its only factor go together (λ/2m is λ/(2m)).
"""

from __future__ import annotations

from collections.abc import Iterator

from symderiv.algebra.expr import Access, Add, Apply, Expr, Mul, Number, Pow, SizeOf, walk
from symderiv.algebra.index import Index
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
    children,
)
from symderiv.calculus.functions import rows
from symderiv.code.functions import is_default
from symderiv.code.names import Naming

_SUM, _HADAMARD, _PRODUCT, _ATOM = range(4)
_RAISED = dict(zip("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻", strict=True))

Shown = tuple[str, int]


def formula(node: MatrixExpr, naming: Naming) -> str:
    """The right side of an equation in one line of Unicode."""
    return _Printer(naming).show(node)[0]


class _Printer:
    def __init__(self, naming: Naming) -> None:
        self.naming = naming

    def show(self, node: MatrixExpr) -> Shown:
        match node:
            case Scalar(value) | Fill(value):
                return self.number(value)
            case Matrix(tensor, member):
                return self.symbol(self.naming.formula(tensor, member))
            case Ones():
                return "1", _ATOM
            case Identity():
                return "eye" if "I" in self.naming.spelling.words else "I", _ATOM
            case Diag(vector):
                return f"diag({self.show(vector)[0]})", _ATOM
            case Transpose(body):
                return f"{self.at(body, _ATOM)}ᵀ", _ATOM
            case MatMul(Transpose(Ones()), MatMul(ElementPower(base, 2), Ones())):
                return f"‖{self.show(base)[0]}‖²", _ATOM
            case MatMul(left, right):
                return f"{self.at(left, _PRODUCT)} {self.at(right, _PRODUCT)}", _PRODUCT
            case Hadamard(factors):
                return " ⊙ ".join(self.factor(f) for f in factors), _HADAMARD
            case MatAdd(terms):
                return _joined([self.show(term) for term in terms]), _SUM
            case Scale(factor, body):
                return self.scaled(self.at(factor, _PRODUCT), body), _PRODUCT
            case Elementwise(name, args, orders):
                return self.call(name, args, orders)
            case ElementPower(base, exponent):
                return _power(self.show(base), exponent), _ATOM
            case SumOver(var, body):
                name = self.naming.letters.get(var, var.name)
                return f"Σ_{name} {self.at(body, _PRODUCT)}", _PRODUCT
        raise TypeError(node)

    def at(self, node: MatrixExpr, strength: int) -> str:
        text, found = self.show(node)
        return text if found >= strength else f"({text})"

    def factor(self, node: MatrixExpr) -> str:
        return self.at(node, _ATOM if isinstance(node, MatMul | MatAdd | Scale) else _PRODUCT)

    def scaled(self, factor: str, body: MatrixExpr) -> str:
        inner = self.at(body, _PRODUCT)
        return f"−{inner}" if factor == "−1" else f"{factor} {inner}"

    def call(self, name: str, args: tuple[MatrixExpr, ...], orders: tuple[int, ...]) -> Shown:
        row, kept = rows()[name], list(args)
        while kept and is_default(row, len(kept) - 1, kept[-1]):
            kept.pop()
        if not args:
            return {"pi": "π"}.get(name, name), _ATOM
        if row.is_identity and not any(orders):
            return self.show(args[0])
        shown = ", ".join(self.show(arg)[0] for arg in kept)
        if name == "positive" and not any(orders):
            return f"[{shown} > 0]", _ATOM
        single = len(row.arguments) - len(row.hyper) == 1
        if single or not any(orders):
            return f"{row.plain_name}{'′' * sum(orders)}({shown})", _ATOM
        place = orders.index(1)
        if _is_symbol(args[place]) and not any(
            args[place] in _parts(arg) for n, arg in enumerate(args) if n != place
        ):
            return f"∂{row.plain_name}({shown})/∂{self.show(args[place])[0]}", _PRODUCT
        return f"(∂{row.plain_name}/∂{row.arguments[place]})({shown})", _ATOM

    # --- numbers -------------------------------------------------------------------------------

    def number(self, expr: Expr) -> Shown:
        match expr:
            case Number(value):
                return str(value).replace("-", "−"), _ATOM
            case SizeOf(index):
                return self.size(index)
            case Access(tensor, _):
                return self.symbol(self.naming.formula(tensor))
            case Add(terms):
                return _joined([self.number(term) for term in terms]), _SUM
            case Mul(factors):
                return self.quotient(factors), _PRODUCT
            case Pow():
                return self.quotient((expr,)), _PRODUCT
            case Apply(name, args, orders):
                return self.call(name, tuple(map(Scalar, args)), orders)
        raise TypeError(expr)

    def quotient(self, factors: tuple[Expr, ...]) -> str:
        above, below, sign = [], [], ""
        for factor in factors:
            match factor:
                case Number(value):
                    sign = "−" if value < 0 else ""
                    above += [str(abs(value.numerator))] if abs(value.numerator) > 1 else []
                    below += [str(value.denominator)] if value.denominator > 1 else []
                case Pow(base, exponent):
                    power = _power(self.number(base), abs(exponent))
                    (below if exponent < 0 else above).append(power)
                case _:
                    text, strength = self.number(factor)
                    above.append(text if strength == _ATOM else f"({text})")
        top = self.beside(above) or "1"
        bottom = self.beside(below)
        alone = len(below) < 2 or (len(below) == 2 and below[0].isdigit() and "(" not in bottom)
        return sign + (f"{top}/{bottom if alone else f'({bottom})'}" if below else top)

    def beside(self, factors: list[str]) -> str:
        """``2m`` and ``bc``; ``x1 lam``, since x1lam would be another name."""
        text = ""
        for before, factor in zip(["", *factors], factors, strict=False):
            fenced = before.endswith(")") or factor.startswith("(") or before.isdigit()
            word = len(before) + len(factor) > 2 or before + factor in self.naming.spelling.words
            text += f" {factor}" if before and word and not fenced else factor
        return text

    def size(self, index: Index) -> Shown:
        text = self.naming.index(index)
        return text, _SUM if " " in text else _ATOM

    @staticmethod
    def symbol(text: str) -> Shown:
        """A symbol; ∂J/∂x binds as a quotient does."""
        return text, _PRODUCT if "/" in text else _ATOM


def _power(base: Shown, exponent: int) -> str:
    """``x²``; the second power of a² of layer 2 is (a²)²."""
    text, strength = base
    if exponent == 1 and strength == _ATOM:
        return text
    if strength != _ATOM or text[-1] in _RAISED.values():
        text = f"({text})"
    return text if exponent == 1 else f"{text}{_raised(exponent)}"


def _raised(exponent: int) -> str:
    return "".join(_RAISED[c] for c in str(exponent))


def _is_symbol(node: MatrixExpr) -> bool:
    return isinstance(node, Matrix) or (isinstance(node, Scalar) and isinstance(node.value, Access))


def _parts(node: MatrixExpr) -> Iterator[MatrixExpr]:
    """A node and all nodes below it; those of a number are numbers."""
    yield node
    if isinstance(node, Scalar):
        yield from (Scalar(part) for part in walk(node.value))
    for child in children(node):
        yield from _parts(child)


def _joined(terms: list[Shown]) -> str:
    if terms[0][0].startswith("−") and not terms[-1][0].startswith("−"):
        terms = [*terms[1:], terms[0]]
    text = terms[0][0]
    for term, _ in terms[1:]:
        text += f" − {term[1:]}" if term.startswith("−") else f" + {term}"
    return text

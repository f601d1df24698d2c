"""Matrix form as the comment beside a line: ``δ¹ = (W²ᵀ δ²) ⊙ σ′(z¹)``."""

from __future__ import annotations

from symderiv.algebra.expr import Access, Add, Apply, Expr, Mul, Number, Pow, SizeOf
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
)
from symderiv.calculus.functions import rows
from symderiv.code.functions import is_default
from symderiv.code.names import Naming

_SUM, _HADAMARD, _PRODUCT, _ATOM = range(4)
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")

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
                return self.naming.formula(tensor, member), _ATOM
            case Ones():
                return "1", _ATOM
            case Identity():
                return "eye" if "I" in self.naming.spelling.words else "I", _ATOM
            case Diag(vector):
                return f"diag({self.show(vector)[0]})", _ATOM
            case Transpose(body):
                return f"{self.show(body)[0]}ᵀ", _ATOM
            case MatMul(Transpose(Ones()), MatMul(ElementPower(base, 2), Ones())):
                return f"‖{self.show(base)[0]}‖²", _ATOM
            case MatMul(left, right):
                return f"{self.at(left, _PRODUCT)} {self.at(right, _PRODUCT)}", _PRODUCT
            case Hadamard(factors):
                return " ⊙ ".join(self.factor(f) for f in factors), _HADAMARD
            case MatAdd(terms):
                return _joined([self.show(term) for term in terms]), _SUM
            case Scale(factor, body):
                return self.scaled(self.show(factor)[0], body), _PRODUCT
            case Elementwise(name, args, orders):
                return self.call(name, args, orders)
            case ElementPower(base, exponent):
                return f"{self.at(base, _ATOM)}{str(exponent).translate(_RAISED)}", _ATOM
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
        while is_default(row, len(kept) - 1, kept[-1]):
            kept.pop()
        shown = [self.show(arg)[0] for arg in kept]
        if row.is_identity and not any(orders):
            return self.show(args[0])
        if name == "positive" and not any(orders):
            return f"[{shown[0]} > 0]", _ATOM
        function = row.plain_name + "′" * sum(orders)
        single = len(row.arguments) - len(row.hyper) == 1
        if any(orders) and not single:
            by = self.show(args[orders.index(1)])[0]
            return f"∂{row.plain_name}({', '.join(shown)})/∂{by}", _ATOM
        return f"{function}({', '.join(shown)})", _ATOM

    # --- numbers -------------------------------------------------------------------------------

    def number(self, expr: Expr) -> Shown:
        match expr:
            case Number(value):
                return str(value).replace("-", "−"), _ATOM
            case SizeOf(index):
                return self.size(index), _ATOM
            case Access(tensor, _):
                return self.naming.formula(tensor), _ATOM
            case Add(terms):
                return _joined([self.number(term) for term in terms]), _SUM
            case Mul(factors):
                return self.quotient(factors), _PRODUCT
            case Pow():
                return self.quotient((expr,)), _PRODUCT
            case Apply(name, args, _):
                inside = ", ".join(self.number(arg)[0] for arg in args)
                return f"{rows()[name].plain_name}({inside})", _ATOM
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
                    raised = abs(exponent) if abs(exponent) > 1 else ""
                    text, strength = self.number(base)
                    text = text if strength == _ATOM else f"({text})"
                    (below if exponent < 0 else above).append(
                        f"{text}{str(raised).translate(_RAISED)}"
                    )
                case _:
                    text, strength = self.number(factor)
                    above.append(text if strength >= _PRODUCT else f"({text})")
        top = self.beside(above) or "1"
        return sign + (f"{top}/{self.beside(below)}" if below else top)

    def beside(self, factors: list[str]) -> str:
        """``2m`` and ``bc``; ``x1 lam``, since x1lam would be another name."""
        text = ""
        for before, factor in zip(["", *factors], factors, strict=False):
            fenced = before.endswith(")") or factor.startswith("(") or before.isdigit()
            word = len(before) + len(factor) > 2 or before + factor in self.naming.spelling.words
            text += f" {factor}" if before and word and not fenced else factor
        return text

    def size(self, index: Index) -> str:
        return self.naming.index(index)


def _joined(terms: list[Shown]) -> str:
    if terms[0][0].startswith("−") and not terms[-1][0].startswith("−"):
        terms = [*terms[1:], terms[0]]
    text = terms[0][0]
    for term, _ in terms[1:]:
        text += f" − {term[1:]}" if term.startswith("−") else f" + {term}"
    return text

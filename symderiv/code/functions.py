"""Rows of the tables as small Python functions: those that a module calls, and no others.

A body that is one NumPy call, ``return np.tanh(z)``, is written where it is used.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from symderiv.algebra.expr import Expr, Number
from symderiv.algebra.matrix import Fill, MatrixExpr, Scalar
from symderiv.calculus.functions import Row, ScalarFunction, VectorFunction, rows, symbols
from symderiv.calculus.reference import ERF_SERIES, needs_erf, reference_text, text
from symderiv.code.choices import CHOICE

_LONGEST_FORMULA = 70


class NoCode(ValueError):
    """A derivation, or a part of it, that has no NumPy form."""


@dataclass(frozen=True)
class Function:
    """A Python function: its first line, its docstring and its body."""

    head: str
    doc: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class _Wanted:
    row: str
    derivative: int | None = None


class Functions:
    """Collects the functions that are called; with ``reference``, those of the definitions."""

    def __init__(self, *, reference: bool = False, scipy: bool = False) -> None:
        self.reference = reference
        self.scipy = scipy
        self._wanted: dict[_Wanted, str] = {}

    def call(self, name: str, orders: Sequence[int], args: Sequence[str]) -> str:
        """The text of a call. Raises NoCode where the table has no form of it."""
        if name == CHOICE:
            condition = f"np.real({args[0]})" if self.reference else args[0]
            return f"np.where({condition} > 0, {args[1]}, {args[2]})"
        row = rows()[name]
        if sum(orders) > 1:
            raise NoCode(f"no NumPy form of a second derivative of {name}")
        wanted = _Wanted(name, list(orders).index(1) if any(orders) else None)
        names = row.arguments[: len(args)]
        lines = self._body(wanted)
        call = re.fullmatch(rf"return (np\.\w+)\({', '.join(names)}\)", lines[0])
        if call and len(lines) == 1:
            return f"{call[1]}({', '.join(args)})"
        if lines == ("return z",) and len(args) == 1:
            return args[0]
        self._want(wanted)
        return f"{self.name(wanted)}({', '.join(args)})"

    def call_vector(self, name: str, args: Sequence[str], axis: int, prime: bool = False) -> str:
        """The text of a call of a vector function along an axis, or of its gradient."""
        wanted = _Wanted(name, 0 if prime else None)
        self._want(wanted)
        return f"{self.name(wanted)}({', '.join(args)}, axis={axis})"

    def describe(self, name: str, doc: str) -> None:
        """Say what a function and its derivative are, where the table has no formula for it."""
        for wanted in self._wanted:
            if wanted.row == name:
                self._wanted[wanted] = doc

    def name(self, wanted: _Wanted) -> str:
        """What the function is called."""
        row = rows()[wanted.row]
        name = row.python_name + ("_definition" if self.reference else "")
        if wanted.derivative is None:
            return name
        after = f"_{row.arguments[wanted.derivative]}" if wanted.derivative else ""
        return f"{name}_prime{after}"

    def all(self) -> list[Function]:
        """Every function that was called, in the order of the calls, what they use first."""
        order = list(dict.fromkeys(wanted.row for wanted in self._wanted))
        pairs = sorted(self._wanted.items(), key=lambda pair: order.index(pair[0].row))
        made = [self._function(wanted, doc) for wanted, doc in pairs]
        needs = any(w.derivative is None and needs_erf(rows()[w.row]) for w in self._wanted)
        if self.reference and needs:
            doc = "erf(z) as a power series, which is analytic: for |z| < 10."
            made.insert(0, Function(ERF_SERIES[0], doc, tuple(s[4:] for s in ERF_SERIES[1:])))
        return made

    def _want(self, wanted: _Wanted) -> None:
        if wanted in self._wanted:
            return
        if not self.reference:
            body = "\n".join(self._body(wanted))
            for name in rows()[wanted.row].uses:
                itself = name == wanted.row and wanted.derivative is None
                if not itself and re.search(rf"\b{rows()[name].python_name}\(", body):
                    self._want(_Wanted(name))
        self._wanted[wanted] = ""

    def _body(self, wanted: _Wanted) -> tuple[str, ...]:
        row, position = rows()[wanted.row], wanted.derivative
        if self.reference:
            assert isinstance(row, ScalarFunction)
            return (f"return {reference_text(row)}",)
        if row.is_identity:
            return ("return z",) if position is None else ("return np.ones_like(z)",)
        if position is None:
            return (self.scipy and row.scipy) or row.numpy
        if isinstance(row, VectorFunction):
            return row.numpy_gradient
        lines = row.numpy_derivatives[position]
        if lines is None:
            raise NoCode(f"no derivative of {row.name} by {row.arguments[position]}")
        return lines

    def _function(self, wanted: _Wanted, doc: str) -> Function:
        row = rows()[wanted.row]
        defaults = dict(row.hyper)
        arguments = [
            f"{name}={number(defaults[name])}" if name in defaults else name
            for name in row.arguments
        ]
        if isinstance(row, VectorFunction):
            arguments.append("axis")
        head = f"def {self.name(wanted)}({', '.join(arguments)}):"
        return Function(head, self._doc(row, wanted.derivative, doc), self._body(wanted))

    def _doc(self, row: Row, derivative: int | None, doc: str) -> str:
        formula = doc or _formula(row)
        if self.reference:
            return f"{row.python_name} as it is defined."
        if derivative is None:
            return f"{formula}." if formula else f"{row.python_name}, entry by entry."
        by = row.arguments[derivative]
        return f"The derivative of {row.python_name} by {by}."


def _formula(row: Row) -> str:
    """``1 / (1 + exp(-z))``, where it is short."""
    if isinstance(row, VectorFunction):
        return f"{row.python_name} along an axis" if not row.numpy_gradient else ""
    try:
        formula = text(row(*symbols(row)) if row.definition is None else _opened(row))
    except ValueError:
        return ""
    formula = formula.replace("np.", "").replace("erf_series", "erf")
    if len(formula) > _LONGEST_FORMULA or "where(" in formula:
        return ""
    return formula


def _opened(row: ScalarFunction) -> Expr:
    assert row.definition is not None
    return row.definition(*symbols(row))


def is_default(row: Row, position: int, argument: MatrixExpr) -> bool:
    """Whether an argument is a hyperparameter with its default value."""
    defaults = dict(row.hyper)
    name = row.arguments[position]
    if name not in defaults or not isinstance(argument, Fill | Scalar):
        return False
    return argument.value == Number(defaults[name])


def number(value: Fraction) -> str:
    """A rational as Python text: exact where it is short, ``1 / 3``, else the nearest float."""
    if value.denominator == 1:
        return str(value.numerator)
    decimal = repr(float(value))
    if Fraction(decimal) == value or value.denominator > 10_000:
        return decimal
    return f"{value.numerator} / {value.denominator}"

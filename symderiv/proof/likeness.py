"""Statements that differ in names only: what holds of one holds of the other.

The layers of a deep network give the same statements again and again, about other tensors. A
statement is spelled with tensors, sizes, variables and placeholders numbered in the order in which
they are met. Two statements with the same spelling are turned into one another by renaming, so they
are true together; one of them is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Bracket,
    Delta,
    Expr,
    Mul,
    Number,
    Pow,
    Select,
    SizeOf,
    Sum,
    Tensor,
)
from symderiv.algebra.index import Axis, Index, Size, Var


class Unlike(Exception):
    """The statement is spelled by its own names: it has families, whose members are related."""


class Spelling:
    """Spells expressions; everything that is met gets a number of its own."""

    def __init__(self) -> None:
        self.tensors: dict[Tensor, int] = {}
        self._sizes: dict[Size, int] = {}
        self._variables: dict[Var, int] = {}

    def expr(self, expr: Expr) -> str:
        """The spelling of a tree. Raises Unlike."""
        match expr:
            case Number(value):
                return str(value)
            case Access(tensor, indices):
                return f"{self._tensor(tensor)}[{','.join(map(self._index, indices))}]"
            case Add(terms):
                return f"(+ {' '.join(map(self.expr, terms))})"
            case Mul(factors):
                return f"(* {' '.join(map(self.expr, factors))})"
            case Pow(base, exponent):
                return f"(^ {self.expr(base)} {exponent})"
            case Sum(var, body):
                return f"(sum {self._variable(var)} {self.expr(body)})"
            case Apply(function, args, orders):
                return f"({function} {orders} {' '.join(map(self.expr, args))})"
            case SizeOf(index):
                return f"#{self._index(index)}"
            case Delta(left, right):
                return f"[{self._index(left)}={self._index(right)}]"
            case Bracket(index):
                return f"[{self._index(index)}]"
            case Select(at, var, body):
                return f"(max {self._index(at)} {self._variable(var)} {self.expr(body)})"
        raise Unlike

    def equation(self, tensor: Tensor, indices: Iterable[Index], body: Expr) -> str:
        """The spelling of ``tensor[indices] = body``."""
        return f"{self._tensor(tensor)}[{','.join(map(self._index, indices))}]={self.expr(body)}"

    def _tensor(self, tensor: Tensor) -> str:
        number = self.tensors.get(tensor)
        if number is not None:
            return f"T{number}"
        if tensor.ordered:
            raise Unlike
        number = self.tensors[tensor] = len(self.tensors)
        axes = ",".join(map(self._axis, tensor.axes))
        return f"T{number}<{tensor.role.value} {tensor.named} {axes}>"

    def _axis(self, axis: Axis) -> str:
        if axis.ordered:
            raise Unlike
        return f"{axis.name} {self._index(axis.start)}..{self._index(axis.stop)}"

    def _variable(self, variable: Var) -> str:
        number = self._variables.get(variable)
        if number is not None:
            return f"v{number}"
        number = self._variables[variable] = len(self._variables)
        return f"v{number}<{self._axis(variable.axis)}>"

    def _size(self, size: Size) -> str:
        if size.at is not None and size.at.terms:
            raise Unlike
        return f"s{self._sizes.setdefault(size, len(self._sizes))}"

    def _index(self, index: Index) -> str:
        if not index.terms:
            return str(index.const)
        parts = [
            f"{c}{self._variable(s) if isinstance(s, Var) else self._size(s)}"
            for s, c in index.terms
        ]
        return f"{'+'.join(parts)}+{index.const}" if index.const else "+".join(parts)


def spelled(
    exprs: Iterable[Expr],
    equations: Callable[[Tensor], Iterable[tuple[tuple[Index, ...], Expr]]],
    marks: Iterable[object] = (),
) -> str | None:
    """The spelling of a statement with every equation it may rest on; None if it has none.

    ``equations`` gives those of a tensor (none for a tensor that stays an atom); ``marks`` are
    further words that must be the same.
    """
    spelling = Spelling()
    try:
        lines = [spelling.expr(e) for e in exprs]
        done = 0
        while done < len(spelling.tensors):
            tensor = list(spelling.tensors)[done]
            done += 1
            lines += [spelling.equation(tensor, i, body) for i, body in equations(tensor)]
    except Unlike:
        return None
    return "\n".join([*lines, *map(repr, marks)])

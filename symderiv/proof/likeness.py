"""Statements that differ in names only: what holds of one holds of the other.

The layers of a deep network give the same statements again and again, about other tensors. A
statement is spelled with tensors, sizes, variables and placeholders numbered in the order in which
they are met, together with every equation that it may rest on. Two statements with the same
spelling are turned into one another by renaming, so they are true together; one of them is judged,
and what normal forms prove is kept in a memory.
"""

from __future__ import annotations

import hashlib
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
from symderiv.proof.verdict import EXACT, Status, Verdict

KEPT = 20_000  # statements that are remembered


class Related(Exception):
    """There are sizes n[l - 1], n[l]: members of a family, which are more than their names."""


class Spelling:
    """Spells expressions; everything that is met gets a number of its own.

    The sizes n[0], n[1], ... of a network that is written out are as good as any other names. With
    ``families`` they are spelled as members, so that n[0], n[l - 1] and n[l] stay related.
    """

    def __init__(self, families: bool = False) -> None:
        self.families = families
        self.tensors: dict[Tensor, int] = {}
        self._sizes: dict[Size | str, int] = {}
        self._variables: dict[Var, int] = {}

    def expr(self, expr: Expr) -> str:
        """The spelling of a tree. Raises Related."""
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
                return f"({function!r} {orders} {' '.join(map(self.expr, args))})"
            case SizeOf(index):
                return f"#{self._index(index)}"
            case Delta(left, right):
                return f"[{self._index(left)}={self._index(right)}]"
            case Bracket(index):
                return f"[{self._index(index)}]"
            case Select(at, var, body):
                return f"(max {self._index(at)} {self._variable(var)} {self.expr(body)})"
        raise TypeError(f"no part of a statement: {expr!r}")

    def equation(self, tensor: Tensor, indices: Iterable[Index], body: Expr) -> str:
        """The spelling of ``tensor[indices] = body``."""
        return f"{self._tensor(tensor)}[{','.join(map(self._index, indices))}]={self.expr(body)}"

    def _tensor(self, tensor: Tensor) -> str:
        number = self.tensors.get(tensor)
        if number is not None:
            return f"T{number}"
        number = self.tensors[tensor] = len(self.tensors)
        axes = ",".join(map(self._axis, tensor.axes))
        return f"T{number}<{tensor.role.value} {tensor.named} {axes}>"

    def _axis(self, axis: Axis) -> str:
        kind = "ordered " if axis.ordered else ""
        return f"{kind}{axis.name!r} {self._index(axis.start)}..{self._index(axis.stop)}"

    def _variable(self, variable: Var) -> str:
        number = self._variables.get(variable)
        if number is not None:
            return f"v{number}"
        number = self._variables[variable] = len(self._variables)
        return f"v{number}<{self._axis(variable.axis)}>"

    def _size(self, size: Size) -> str:
        if size.at is not None and size.at.terms and not self.families:
            raise Related
        if size.at is None or not self.families:
            return f"s{self._sizes.setdefault(size, len(self._sizes))}"
        family = self._sizes.setdefault(size.name, len(self._sizes))
        return f"s{family}({self._index(size.at)})"

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
) -> str:
    """The spelling of a statement with every equation it may rest on.

    ``equations`` gives those of a tensor (none for a tensor that stays an atom); ``marks`` are
    further words that must be the same.
    """
    exprs, words = list(exprs), list(map(repr, marks))
    try:
        return "\n".join([*_lines(Spelling(), exprs, equations), *words])
    except Related:
        return "\n".join([*_lines(Spelling(families=True), exprs, equations), *words])


def _lines(
    spelling: Spelling,
    exprs: Iterable[Expr],
    equations: Callable[[Tensor], Iterable[tuple[tuple[Index, ...], Expr]]],
) -> list[str]:
    lines = [spelling.expr(e) for e in exprs]
    done = 0
    while done < len(spelling.tensors):
        tensor = list(spelling.tensors)[done]
        done += 1
        lines += [spelling.equation(tensor, i, body) for i, body in equations(tensor)]
    return lines


class Memory:
    """The statements that normal forms have proved, whatever their names were.

    Only a judge reads and writes it: its word is taken for a proof.
    """

    def __init__(self) -> None:
        self._proved: dict[bytes, Verdict] = {}

    def _recall(self, spelling: str) -> Verdict | None:
        """The verdict on a statement, if it is kept."""
        return self._proved.get(_digest(spelling))

    def _remember(self, spelling: str, verdict: Verdict) -> None:
        """Keep what is proved by a form; any other verdict names sizes and points of its own."""
        if verdict.status is Status.PROVED and verdict.bound == EXACT and not verdict.positive:
            if len(self._proved) >= KEPT:
                self._proved.clear()
            self._proved[_digest(spelling)] = verdict


def _digest(spelling: str) -> bytes:
    return hashlib.sha256(spelling.encode()).digest()

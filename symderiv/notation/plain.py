"""Index expressions as plain ASCII that reads back to the same tree.

    sum(k in 1..n[2], W2[k,i]*dz2[k,s])*sigmoid'1(z1[i,s])

Names are those of the tensors. ``f'2`` is the derivative by the second argument, ``[k = i]`` and
``[l + 1 >= 0]`` are brackets, ``argmax(i = k in 1..n[2], e)`` is 1 for the winner,
``diff(e, t[i])`` a partial derivative and ``size(n[2] - 1)`` an affine index as a number.
:mod:`symderiv.notation.reading` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from symderiv.algebra.binding import free_variables
from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Bracket,
    Delta,
    Expr,
    Mul,
    Number,
    Partial,
    Pow,
    Select,
    SizeOf,
    Sum,
    indices_of,
    ranges_of,
    tensors_in,
    walk,
)
from symderiv.algebra.index import Index, Size, Var


def to_text(expr: Expr, names: Mapping[Var, str] | None = None) -> str:
    """The plain form; free variables are called by ``names``, or by their own letters."""
    writer = _Writer(dict(names or {}), {t.name for t in tensors_in(expr)} | _sizes(expr))
    for variable in sorted(free_variables(expr), key=lambda v: v.uid):
        if variable not in writer.names:
            writer.names[variable] = writer.unused(variable)
    return writer.sum(expr)


def _sizes(expr: Expr) -> set[str]:
    found: set[str] = set()
    for node in walk(expr):
        for index in (*indices_of(node), *ranges_of(node)):
            found |= {s.name for s, _ in index.terms if isinstance(s, Size)}
    return found


@dataclass
class _Writer:
    names: dict[Var, str]
    taken: set[str]

    def unused(self, variable: Var) -> str:
        used = self.taken | set(self.names.values())
        stem = variable.name if re.fullmatch(r"[a-z]", variable.name) else "i"
        name, number = stem, 1
        while name in used:
            name, number = f"{stem}{number}", number + 1
        return name

    def sum(self, expr: Expr) -> str:
        if not isinstance(expr, Add):
            return self.product(expr)
        out = ""
        for term in expr.terms:
            text = self.product(term)
            if text.startswith("-"):
                out += f" - {text[1:]}" if out else text
            else:
                out += f" + {text}" if out else text
        return out

    def product(self, expr: Expr) -> str:
        factors = expr.factors if isinstance(expr, Mul) else (expr,)
        out = ""
        for position, factor in enumerate(factors):
            if isinstance(factor, Number):
                value = factor.value
                if value == -1 and position == 0 and len(factors) > 1:
                    out = "-"
                    continue
                text = str(value)
            elif isinstance(factor, Pow) and factor.exponent < 0:
                raised = "" if factor.exponent == -1 else f"**{-factor.exponent}"
                below = self.atom(factor.base) + raised
                out = f"{out or '1'}/{below}" if out != "-" else f"-1/{below}"
                continue
            else:
                text = self.power(factor)
            out = text if not out else (out + text if out == "-" else f"{out}*{text}")
        return out

    def power(self, expr: Expr) -> str:
        if isinstance(expr, Pow):
            return f"{self.atom(expr.base)}**{expr.exponent}"
        return self.atom(expr)

    def atom(self, expr: Expr) -> str:
        match expr:
            case Number(value) if value >= 0 and value.denominator == 1:
                return str(value)
            case Access(tensor, indices):
                inside = ",".join(map(self.index, indices))
                return f"{tensor.name}[{inside}]" if indices else tensor.name
            case SizeOf(index):
                return f"size({self.index(index)})"
            case Delta(left, right):
                return f"[{self.index(left)} = {self.index(right)}]"
            case Bracket(index):
                return f"[{self.index(index)} >= 0]"
            case Apply(function, args, orders):
                primes = "".join(f"'{n}" * k for n, k in enumerate(orders, start=1))
                return f"{function}{primes}({', '.join(map(self.sum, args))})"
            case Sum(var, body):
                return f"sum({self.binder(var, body, '')})"
            case Select(at, var, body):
                return f"argmax({self.binder(var, body, self.index(at) + ' = ')})"
            case Partial(body, wrt):
                return f"diff({self.sum(body)}, {self.atom(wrt)})"
            case _:
                return f"({self.sum(expr)})"

    def binder(self, var: Var, body: Expr, before: str) -> str:
        start, stop = self.index(var.axis.start), self.index(var.axis.stop)
        self.names[var] = self.unused(var)
        text = f"{before}{self.names[var]} in {start}..{stop}, {self.sum(body)}"
        del self.names[var]
        return text

    def index(self, index: Index) -> str:
        out = ""
        for symbol, c in index.terms:
            if isinstance(symbol, Var):
                name = self.names[symbol]
            else:
                name = symbol.name + ("" if symbol.at is None else f"[{self.index(symbol.at)}]")
            number = "" if abs(c) == 1 else f"{abs(c)}*"
            out += (" - " if c < 0 else " + ") + number + name
        if index.const or not out:
            out += f" {'-' if index.const < 0 else '+'} {abs(index.const)}"
        out = out[1:]
        return out[2:] if out.startswith("+") else "-" + out[2:]

"""The plain form back to a tree, by a grammar of its own, with caps; nothing is evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from symderiv.algebra.expr import (
    Access,
    Apply,
    Bracket,
    Delta,
    Expr,
    Number,
    Partial,
    Select,
    SizeOf,
    Tensor,
    add,
    mul,
    power,
    sum_over,
)
from symderiv.algebra.index import Axis, Index, Size, Var, as_index, fresh

MAX_CHARACTERS = 100_000
MAX_DEPTH = 80
MAX_DIGITS = 40
MAX_POWER = 1000


class PlainError(ValueError):
    """Text that is not in the plain form; the message says where."""


@dataclass(frozen=True)
class Context:
    """What names mean: tensors, and the free variables; any other name is a size."""

    tensors: Mapping[str, Tensor]
    variables: Mapping[str, Var] = field(default_factory=dict)


_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+)|(?P<name>[A-Za-z][A-Za-z0-9_]*(?:-[a-z][a-z0-9]*)*(?=['(])"
    r"|[A-Za-z][A-Za-z0-9_]*)|(?P<op>\*\*|\.\.|>=|'[0-9]+|[-+*/()\[\],=]))"
)


def from_text(text: str, context: Context) -> Expr:
    """The tree that :func:`to_text` wrote. Raises PlainError."""
    reader = _Reader(text, context)
    expr = reader.sum()
    if reader.token:
        raise reader.error("the text goes on")
    return expr


class _Reader:
    def __init__(self, text: str, context: Context) -> None:
        if len(text) > MAX_CHARACTERS:
            raise PlainError(f"more than {MAX_CHARACTERS} characters")
        self.text = text
        self.context = context
        self.variables = dict(context.variables)
        self.axes = {
            (slot.axis.start, slot.axis.stop): slot.axis
            for tensor in context.tensors.values()
            for slot in tensor.slots
        }
        self.at = 0
        self.depth = 0
        self.kind, self.token = "", ""
        self.advance()

    def error(self, problem: str) -> PlainError:
        return PlainError(f"{problem} at character {self.at}: {self.text[self.at :][:30]!r}")

    def advance(self) -> str:
        """Go to the next token; the one that was current is returned."""
        before = self.token
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            if self.text[self.at :].strip():
                raise self.error("unexpected character")
            self.kind = self.token = ""
            return before
        self.at = found.end()
        self.kind = str(found.lastgroup)
        self.token = found[self.kind]
        if self.kind == "number" and len(self.token) > MAX_DIGITS:
            raise self.error("a number that is too long")
        return before

    def take(self, token: str) -> None:
        if self.token != token:
            raise self.error(f"expected {token!r} before")
        self.advance()

    def sum(self) -> Expr:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"nested more than {MAX_DEPTH} deep")
        terms = [self.product()]
        while self.token in ("+", "-"):
            sign = self.advance()
            term = self.product()
            terms.append(term if sign == "+" else -term)
        self.depth -= 1
        return add(*terms)

    def product(self) -> Expr:
        factors: list[Expr] = []
        if self.token == "-":
            self.advance()
            factors.append(Number.of(-1))
        factors.append(self.power())
        while self.token in ("*", "/"):
            factors.append(self.power(inverse=self.advance() == "/"))
        try:
            return mul(*factors)
        except ZeroDivisionError:
            raise self.error("division by 0") from None

    def power(self, inverse: bool = False) -> Expr:
        base = self.atom()
        exponent = 1
        if self.token == "**":
            self.advance()
            exponent = self.number()
            if exponent > MAX_POWER:
                raise self.error("a power that is too large")
        if inverse and base == Number.of(0):
            raise self.error("division by 0")
        return power(base, -exponent if inverse else exponent)

    def number(self) -> int:
        if self.kind != "number":
            raise self.error("expected a number before")
        return int(self.advance())

    def atom(self) -> Expr:
        if self.kind == "number":
            return Number(Fraction(self.number()))
        if self.token == "(":
            self.advance()
            inner = self.sum()
            self.take(")")
            return inner
        if self.token == "[":
            return self.bracket()
        if self.kind != "name":
            raise self.error("expected a formula before")
        name = self.advance()
        if self.token != "(" and not self.token.startswith("'"):
            return self.access(name)
        if name in ("sum", "argmax", "size", "diff") and self.token == "(":
            return self.special(name)
        return self.call(name)

    def bracket(self) -> Expr:
        self.take("[")
        left = self.index()
        sign = self.advance()
        right = self.index()
        self.take("]")
        if sign == "=":
            return Delta(left, right)
        if sign != ">=":
            raise self.error("expected = or >= before")
        return Bracket(left - right)

    def access(self, name: str) -> Expr:
        tensor = self.context.tensors.get(name)
        if tensor is None:
            raise self.error(f"unknown tensor {name[:40]!r} before")
        indices: list[Index] = []
        if self.token == "[":
            self.advance()
            indices.append(self.index())
            while self.token == ",":
                self.advance()
                indices.append(self.index())
            self.take("]")
        if len(indices) != len(tensor.slots):
            raise self.error(f"{name} has {len(tensor.slots)} axes, not {len(indices)}, before")
        return Access(tensor, tuple(indices))

    def call(self, name: str) -> Expr:
        primes: list[int] = []
        while self.token.startswith("'"):
            primes.append(int(self.advance()[1:4]))
        self.take("(")
        args = [] if self.token == ")" else [self.sum()]
        while self.token == ",":
            self.advance()
            args.append(self.sum())
        self.take(")")
        if any(not 1 <= n <= len(args) for n in primes):
            raise self.error("a derivative by an argument that is not there, before")
        orders = tuple(primes.count(n) for n in range(1, len(args) + 1))
        return Apply(name, tuple(args), orders)

    def special(self, name: str) -> Expr:
        self.take("(")
        if name == "size":
            result: Expr = SizeOf(self.index())
        elif name == "diff":
            body = self.sum()
            self.take(",")
            wrt = self.atom()
            if not isinstance(wrt, Access):
                raise self.error("a derivative by something that is no entry, before")
            result = Partial(body, wrt)
        else:
            result = self.binder(name)
        self.take(")")
        return result

    def binder(self, name: str) -> Expr:
        at = Index()
        if name == "argmax":
            at = self.index()
            self.take("=")
        if self.kind != "name":
            raise self.error("expected a letter before")
        letter = self.advance()
        self.take("in")
        start = self.index()
        self.take("..")
        stop = self.index()
        self.take(",")
        axis = self.axes.get((start, stop)) or Axis("index", stop, start)
        variable, outer = fresh(axis, letter), self.variables.get(letter)
        self.variables[letter] = variable
        body = self.sum()
        del self.variables[letter]
        if outer is not None:
            self.variables[letter] = outer
        return sum_over(variable, body) if name == "sum" else Select(at, variable, body)

    def index(self) -> Index:
        total, sign = Index(), 1
        if self.token == "-":
            self.advance()
            sign = -1
        while True:
            total = total + self.index_term() * sign
            if self.token not in ("+", "-"):
                return total
            sign = 1 if self.advance() == "+" else -1

    def index_term(self) -> Index:
        factor = 1
        if self.kind == "number":
            factor = self.number()
            if self.token != "*":
                return Index(factor)
            self.advance()
        if self.kind != "name":
            raise self.error("expected an index before")
        name = self.advance()
        if name in self.variables:
            return as_index(self.variables[name]) * factor
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"nested more than {MAX_DEPTH} deep")
        at = None
        if self.token == "[":
            self.advance()
            at = self.index()
            self.take("]")
        self.depth -= 1
        return as_index(Size(name, at)) * factor

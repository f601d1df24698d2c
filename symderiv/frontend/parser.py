"""The rules of the expression language: a Pratt parser over a measured tree."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from fractions import Fraction

from symderiv.frontend.cursor import COMPARISONS, Cursor
from symderiv.frontend.errors import show, suggest
from symderiv.frontend.functions import (
    ALIASES,
    FREE_AS_NAMES,
    INSTEAD,
    METHODS,
    REDUCTIONS,
    arities,
    takes_primes,
)
from symderiv.frontend.known import canonical, loss_names
from symderiv.frontend.nodes import (
    Binary,
    Call,
    Compare,
    Derivative,
    Index,
    Name,
    Node,
    Num,
    Transposed,
    Unary,
)

MAX_DEPTH = 60  # parentheses, calls, signs and powers inside one another
MAX_PRIMES = 3

# Left and right binding power: Python's, and ⊙ as in print, where W.T @ δ is read first.
_BINDING = {
    "+": (10, 11), "-": (10, 11), "⊙": (15, 16), "*": (20, 21), "/": (20, 21), "@": (20, 21),
    "**": (41, 40),
}  # fmt: skip
_SIGN = 30


class Parser(Cursor):
    """One text being read; every method consumes the text of what it returns."""

    def __init__(self, text: str, field: str, functions: Iterable[str]) -> None:
        super().__init__(text, field)
        self.functions = arities(tuple(functions))
        self.depth = 0

    def nested(self, least: int = 0) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"nested more than {MAX_DEPTH} deep", "name parts of it")
        node = self.expression(least)
        self.depth -= 1
        return node

    def expression(self, least: int = 0) -> Node:
        left = self.prefix()
        while self.token.kind == "op" and self.token.text in _BINDING:
            op, column = self.token.text, self.column
            if _BINDING[op][0] < least:
                break
            self.advance()
            right = (self.nested if op == "**" else self.expression)(_BINDING[op][1])
            op = "*" if op == "⊙" else op
            left = self.make(Binary(op, left, right, column=column))
        return left

    def prefix(self) -> Node:
        if self.at_op("+", "-"):
            sign, column = self.token.text, self.column
            self.advance()
            operand = self.nested(_SIGN)
            return operand if sign == "+" else self.make(Unary("-", operand, column=column))
        node = self.primary()
        while self.at_op(".", "["):
            node = self.member(node) if self.at_op(".") else self.entry(node)
        return node

    def primary(self) -> Node:
        token = self.token
        if token.kind == "number":
            self.advance()
            return self.make(Num(token.value or Fraction(0), column=token.column))
        if token.kind == "name":
            return self.word()
        if self.at_op("("):
            self.advance()
            node = self.condition()
            self.take(")")
            return node
        if self.at_op("["):
            raise self.error("unexpected '['", "lists are not part of the language")
        raise self.error(f"expected a number, a name or '(' but found {self.found()}")

    def condition(self) -> Node:
        """An expression, or a comparison of two."""
        left = self.nested()
        if not self.at_op(*COMPARISONS):
            return left
        op, column = self.token.text, self.column
        self.advance()
        node = self.make(Compare(op, left, self.nested(), column=column))
        if self.at_op(*COMPARISONS):
            raise self.error("a second comparison", "one comparison at a time")
        return node

    # -- names and calls -----------------------------------------------------------------

    def word(self) -> Node:
        """A variable, or a function with its arguments; ``np.`` before it is read over."""
        column, numpy = self.column, self.numpy_prefix()
        name, primes = self.token.text, 0
        self.advance()
        while self.at_op("'"):
            self.advance()
            primes += 1
        if self.at_op("("):
            return self.call(name, column, primes, positional_axis=numpy)
        hyphened = f"{name}_{self.after()}"  # leaky-relu, without a space
        if self.at_op("-") and self.column == column + len(name) and hyphened in self.functions:
            remedy = f"write {hyphened}(...), or spaces around the minus"
            raise self.error(f"{name}-{self.after()} is a difference", remedy, column)
        if primes:
            raise self.error("a prime without a function", "write sigma'(z)", column)
        if numpy and name != "pi":
            raise self.error(f"np.{name} is not called", "np.pi and functions are known", column)
        self.check_name(name, column)
        return self.make(Name(name, column=column))

    def numpy_prefix(self) -> bool:
        found = False
        for word in ("np", "numpy", "linalg"):
            if self.token.text == word and self.after() == "." and found == (word == "linalg"):
                self.advance()
                self.advance()
                found = True
        if self.token.kind != "name":
            raise self.error(f"expected a name but found {self.found()}")
        return found

    def check_name(self, name: str, column: int) -> None:
        if keyword.iskeyword(name):
            remedy = "write lam" if name == "lambda" else "choose another name"
            raise self.error(f"{name!r} is a word of Python", remedy, column)
        if name in self.functions and name not in FREE_AS_NAMES:
            raise self.error(f"{name!r} is a function", f"write {name}(...)", column)

    def target(self) -> str:
        """``name =`` at the start of a statement."""
        column, name = self.column, self.token.text
        remedy = "a statement is name = expression"
        if self.token.kind != "name":
            raise self.error(f"expected a name but found {self.found()}", remedy)
        self.advance()
        if not self.at_op("="):
            raise self.error(f"expected '=' but found {self.found()}", remedy)
        self.check_name(name, column)
        self.advance()
        return name

    def call(self, name: str, column: int, primes: int, *, positional_axis: bool) -> Node:
        if name == "d" and not primes:
            return self.derivative(column)
        name = ALIASES.get(name, name)
        if name not in self.functions:
            known = [f for f in self.functions if f != "d"]
            remedy = INSTEAD.get(name) or suggest(name, known, most=8)
            if "did you" not in remedy and name not in INSTEAD:
                remedy = f"for a product write {name[:32]}*(...); {remedy}"
            if canonical(name) in loss_names():
                remedy = "losses belong to networks; in an expression write it out: (a - y)**2"
            raise self.error(f"unknown function {show(name)}", remedy, column)
        if primes > MAX_PRIMES or (primes and not takes_primes(name)):
            raise self.error(f"{name} with {primes} prime(s)", "write sigma'(z)", column)
        self.advance()
        args = self.arguments(name)
        return self.finish_call(name, args, column, primes, positional_axis=positional_axis)

    def arguments(self, name: str) -> tuple[Node, ...]:
        """What stands between the parentheses, up to a keyword or the closing one."""
        args: list[Node] = []
        while not self.at_op(")"):
            if self.token.kind == "name" and self.after() == "=":
                break
            args.append(self.condition() if name == "where" and not args else self.nested())
            if not self.at_op(","):
                break
            self.advance()
        return tuple(args)

    def finish_call(
        self, name: str, args: tuple[Node, ...], column: int, primes: int = 0,
        *, positional_axis: bool = False,
    ) -> Node:  # fmt: skip
        axis, keepdims = self.keywords(name)
        self.take(")", "" if not self.at_op(*COMPARISONS) else "write (a > b) in parentheses")
        least, most = self.functions[name]
        if name in REDUCTIONS and len(args) == 2 and (most == 1 or positional_axis):
            raise self.error(f"{name} with a second argument", "write axis=0", column)
        if not least <= len(args) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise self.error(
                f"{name} with {len(args)} argument(s)", f"{name} takes {wanted}", column
            )
        if name == "transpose":
            return self.make(Transposed(args[0], column=column))
        if name in ("max", "min") and len(args) == 2:
            if axis is not None or keepdims:
                raise self.error(f"{name} of two arguments with an axis", "leave one out", column)
            name += "imum"
        return self.make(Call(name, args, primes, axis, keepdims, column=column))

    def keywords(self, name: str) -> tuple[int | None, bool]:
        """``axis=0`` and ``keepdims=True``, which the reductions take."""
        axis: int | None = None
        keepdims, seen = False, set[str]()
        while self.token.kind == "name" and self.after() == "=":
            word = self.token.text
            if name not in REDUCTIONS or word not in ("axis", "keepdims") or word in seen:
                raise self.error(f"unexpected {word}=", f"{name} takes it not or not twice")
            seen.add(word)
            self.advance()
            self.advance()
            if word == "axis":
                axis = self.axis()
            elif self.token.text in ("True", "False"):
                keepdims = self.token.text == "True"
                self.advance()
            else:
                raise self.error(f"keepdims={self.found()}", "write True or False")
            if not self.at_op(","):
                break
            self.advance()
        return axis, keepdims

    def axis(self) -> int | None:
        if self.token.text == "None":
            self.advance()
            return None
        sign = -1 if self.at_op("-") else 1
        if sign < 0:
            self.advance()
        value = self.token.value
        if value is None or value.denominator != 1 or value > 9:
            raise self.error(f"axis={self.found()}", "write one axis as a whole number, as axis=0")
        self.advance()
        return sign * int(value)

    def derivative(self, column: int) -> Node:
        """``d(e)/d(x)``, the d of which has been read."""
        remedy = "a derivative is d(e)/d(x)"
        parts: list[Node] = []
        for symbols in ("(", "/d("):
            for symbol in symbols:
                if self.token.text != symbol:
                    raise self.error(f"expected {symbol!r} but found {self.found()}", remedy)
                self.advance()
            parts.append(self.nested())
            self.take(")", remedy)
        by = parts[1].base if isinstance(parts[1], Index) else parts[1]
        if not isinstance(by, Name):
            raise self.error("a derivative by an expression", "d(e)/d(x) takes a name x", column)
        if self.at_op("**", ".", "["):
            raise self.error(f"{self.token.text!r} after a derivative", "write (d(e)/d(x)) first")
        return self.make(Derivative(parts[0], parts[1], column=column))

    # -- what follows an operand ---------------------------------------------------------

    def member(self, node: Node) -> Node:
        """``X.T`` or a method call such as ``x.sum(axis=0)``."""
        self.advance()
        column, name = self.column, self.token.text
        if name == "T":
            self.advance()
            return self.make(Transposed(node, column=column))
        if name not in METHODS or self.after() != "(":
            raise self.error(f"unknown attribute {self.found()}", "write X.T or a function of X")
        self.advance()
        self.advance()
        return self.finish_call(name, (node, *self.arguments(name)), column, positional_axis=True)

    def entry(self, node: Node) -> Node:
        """``x[i,j]``."""
        column = self.column
        self.advance()
        indices = [self.nested()]
        while self.at_op(","):
            self.advance()
            indices.append(self.nested())
        self.take("]", "an entry is x[i,j]")
        return self.make(Index(node, tuple(indices), column=column))

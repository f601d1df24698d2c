"""The expression language: text to a small tree by a Pratt parser, never evaluated.

    expression   sums, products (* or ⊙ elementwise, @ matrix), powers, calls, x[i,j], X.T,
                 d(e)/d(x), comparisons inside where(...) or parentheses
    equation     expression = expression            (== means the same)
    program      name = expression ; name = expression ...

Python's precedence (⊙ binds less than * and @). Unknown functions, and numbers,
powers and nesting without bounds, are refused.
"""

from __future__ import annotations

from collections.abc import Iterable

from symderiv.frontend.nodes import Assignment, Equation, Node
from symderiv.frontend.parser import Parser


def parse_expression(
    text: str, *, field: str = "expression", functions: Iterable[str] = ()
) -> Node:
    """One expression, such as ``W2.T @ delta2 * sigma'(z1)``.

    ``functions`` are names that may be called besides the known ones.
    """
    parser = Parser(text, field, functions)
    node = parser.expression()
    if parser.at_op("=", "=="):
        raise parser.error("an equality stands here", "one expression without = is asked for")
    parser.end()
    return node


def parse_equation(
    text: str, *, field: str = "equation", functions: Iterable[str] = ()
) -> Equation:
    """One equality, such as ``delta2 = a2 - y``."""
    parser = Parser(text, field, functions)
    left = parser.expression()
    column = parser.column
    if not parser.at_op("=", "=="):
        parser.end()
        raise parser.error("there is no =", "a claim is an equality: left = right")
    parser.advance()
    right = parser.expression()
    if parser.at_op("=", "=="):
        raise parser.error("a second = stands here", "one equality at a time")
    parser.end()
    return Equation(left, right, column=column)


def parse_program(
    text: str, *, field: str = "expression", functions: Iterable[str] = ()
) -> tuple[Assignment, ...]:
    """Assignments separated by ``;``, such as ``u = b*c; J = 3*(a + u)``."""
    parser = Parser(text, field, functions)
    statements: list[Assignment] = []
    while True:
        column, name = parser.column, parser.target()
        statements.append(Assignment(name, parser.expression(), column=column))
        if not parser.at_op(";"):
            break
        parser.advance()
        if parser.token.kind == "end":
            break
    if parser.at_op("=", "=="):
        raise parser.error("a second = stands here", "separate assignments by ;")
    parser.end()
    return tuple(statements)

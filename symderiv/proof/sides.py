"""Brackets below a line: [u > 0]/[u > 0] is 1 where u is positive, and 0 elsewhere.

A product with a false bracket is 0 even where its other factors have no value
(:mod:`symderiv.calculus.brackets`). A normal form takes [u > 0] for any number and cancels it; so a
statement that divides by brackets has to hold for both values of each of them as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import product

from symderiv.algebra.expr import ONE, ZERO, Apply, Expr, Mul, Pow, rebuild, walk
from symderiv.calculus.brackets import guard_of

MOST = 4  # brackets of which all values are tried


def each_side(left: Expr, right: Expr) -> Iterator[tuple[Expr, Expr]]:
    """A statement with the brackets that it divides by as numbers, for all values of them.

    Not where a side divides by 0: it has no value there. Raises ZeroDivisionError for too many.
    """
    brackets = dict.fromkeys(b for d in _divisors(left, right) for b in _brackets(d))
    if len(brackets) > MOST:
        raise ZeroDivisionError("many brackets below a line")
    for values in product((ZERO, ONE), repeat=len(brackets)) if brackets else ():
        settled = dict(zip(brackets, values, strict=True))
        with suppress(ZeroDivisionError):
            yield _settled(left, settled), _settled(right, settled)


def _divisors(*sides: Expr) -> Iterator[Expr]:
    for side in sides:
        yield from (n.base for n in walk(side) if isinstance(n, Pow) and n.exponent < 0)


def _brackets(expr: Expr) -> Iterator[Expr]:
    for node in walk(expr):
        if isinstance(node, Apply) and guard_of(node) is not None:
            yield node


def _settled(expr: Expr, values: Mapping[Expr, Expr]) -> Expr:
    """The same with brackets as numbers; a product with one that is 0 is 0."""
    if expr in values:
        return values[expr]
    if isinstance(expr, Mul):
        guards = (f for f in expr.factors if guard_of(f) is not None)
        if any(_settled(guard, values) == ZERO for guard in guards):
            return ZERO
    return rebuild(expr, lambda part: _settled(part, values))

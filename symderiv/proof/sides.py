"""Brackets below a line: [u > 0]/[u > 0] is 1 where u is positive, and 0 elsewhere.

A product with a false bracket is 0 even where its other factors have no value
(:mod:`symderiv.calculus.brackets`). Normal forms take [u > 0] for any number and cancel it. That is
right where what is divided by does not vanish with the brackets: both sides are the same quotients
with 0 or 1 put in. Of what divides by [u > 0], or by [u > 0] x, nothing is proved.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from symderiv.algebra.expr import ONE, ZERO, Apply, Expr, Pow, kept, rebuild, walk
from symderiv.algebra.normal import normal

MOST = 4  # brackets of which all values are tried


@kept
def divides_by_a_bracket(expr: Expr) -> bool:
    """Whether something below a line may be 0 because a bracket is."""
    return any(
        isinstance(node, Pow) and node.exponent < 0 and _may_be_0(node.base) for node in walk(expr)
    )


def _may_be_0(base: Expr) -> bool:
    """Whether it is 0 for some values of its brackets, whatever else is in it."""
    brackets = dict.fromkeys(
        node for node in walk(base) if isinstance(node, Apply) and node.function == "positive"
    )
    if len(brackets) > MOST:
        return True
    choices = product((ZERO, ONE), repeat=len(brackets)) if brackets else ()
    return any(_is_0(base, dict(zip(brackets, values, strict=True))) for values in choices)


def _is_0(base: Expr, values: Mapping[Expr, Expr]) -> bool:
    try:
        return normal(_settled(base, values)).is_zero
    except ZeroDivisionError:  # by what stands below a line in it, which is asked as well
        return False


def _settled(expr: Expr, values: Mapping[Expr, Expr]) -> Expr:
    """The same with brackets as numbers."""
    return values.get(expr) or rebuild(expr, lambda part: _settled(part, values))

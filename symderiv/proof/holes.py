"""Where a chain says nothing, for any values: indices at which one of its denominators is 0.

A step holds where both of its sides have values. In s = s (x[i] − x[j])/(x[i] − x[j]) that is not
where i = j, and whoever reads the chain from its first line to its last would not notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations

from symderiv.algebra.binding import free_variables, substitute
from symderiv.algebra.expr import Bracket, Delta, Expr, Mul, Pow, children, indices_of, walk
from symderiv.algebra.index import Index, Var, as_index
from symderiv.algebra.normal import normal

Place = Mapping[Var, Index]


def denominators(lines: Iterable[Expr]) -> set[Expr]:
    """All that the lines divide by."""
    return {base for line in lines for base, _ in _denominators(line, ())}


def holes(lines: Iterable[Expr]) -> list[Place]:
    """The values of indices at which some line divides by 0, behind no bracket that is 0 there."""
    found: dict[tuple[Var, Index], Place] = {}
    for line in lines:
        for base, guards in _denominators(line, ()):
            for variable, index in _places(base):
                place = {variable: index}
                if (variable, index) in found or any(_is_zero(g, place) for g in guards):
                    continue
                if _is_zero(base, place):
                    found[variable, index] = place
    return list(found.values())


def _denominators(expr: Expr, guards: tuple[Expr, ...]) -> Iterator[tuple[Expr, tuple[Expr, ...]]]:
    """What is divided by, each with the brackets that it stands beside."""
    if isinstance(expr, Pow) and expr.exponent < 0:
        yield expr.base, guards
    if isinstance(expr, Mul):
        guards += tuple(f for f in expr.factors if isinstance(f, Bracket | Delta))
    for child in children(expr):
        yield from _denominators(child, guards)


def _places(base: Expr) -> Iterator[tuple[Var, Index]]:
    """One index equal to another, or to an index without variables that occurs."""
    variables = sorted(free_variables(base), key=lambda v: v.uid)
    fixed = {
        index
        for node in walk(base)
        for index in indices_of(node)
        if not any(True for _ in index.variables)
    }
    yield from ((v, as_index(w)) for v, w in permutations(variables, 2))
    yield from ((v, index) for v in variables for index in fixed)


def _is_zero(expr: Expr, place: Place) -> bool:
    try:
        return normal(substitute(expr, place)).is_zero
    except ZeroDivisionError:
        return True

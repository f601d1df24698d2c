"""Iverson's brackets: [u > 0] is 1 where u is positive, 0 elsewhere, and 0 strongly.

A product with a false bracket is 0 even where its other factors have no value, as in Concrete
Mathematics by Graham, Knuth and Patashnik: [x > 0] log x is a function of every real x. What is
asked of the other factors is asked only where the bracket is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from symderiv.algebra.expr import Add, Apply, Expr, Mul, Number, mul
from symderiv.algebra.normal import normal
from symderiv.calculus.functions import Domain


@dataclass(frozen=True)
class Guard:
    """``[argument > 0]`` is 1; or it is 0, if it does not ``hold``."""

    argument: Expr
    holds: bool = True


def guard_of(factor: Expr) -> Guard | None:
    """Where a factor is not 0, if it is a bracket: [u > 0], or 1 − [u > 0]."""
    match factor:
        case Apply("positive", (argument,), (0,)):
            return Guard(argument)
        case Add((one, other)) | Add((other, one)) if one == Number.of(1):
            inner = guard_of(-other)
            return Guard(inner.argument, False) if inner and inner.holds else None
    return None


def guarded(term: Expr) -> tuple[Guard, Expr] | None:
    """The first bracket among the factors of a product, and the product of the others."""
    factors = term.factors if isinstance(term, Mul) else (term,)
    for place, factor in enumerate(factors):
        guard = guard_of(factor)
        if guard is not None:
            return guard, mul(*factors[:place], *factors[place + 1 :])
    return None


def constant(expr: Expr) -> Fraction | None:
    """The number that an expression is identically, or None."""
    try:
        terms = normal(expr).terms
    except ZeroDivisionError:
        return None
    if any(term.bound or term.monomial for term in terms):
        return None
    return sum((term.coefficient for term in terms), Fraction(0))


def implies(guard: Guard, argument: Expr, domain: Domain) -> bool:
    """Whether a value is in a domain wherever the bracket is as the guard has it.

    The value is compared with the bracket's argument: they differ, or add up, to a number.
    """
    if domain.values:
        return False
    above = domain.low is None or _exceeds(guard, argument - Number(domain.low), domain.closed)
    below = domain.high is None or _exceeds(guard, Number(domain.high) - argument, domain.closed)
    return above and below


def excludes_zero(guard: Guard, argument: Expr) -> bool:
    """Whether a value is not 0 wherever the bracket is as the guard has it."""
    return _exceeds(guard, argument, False) or _exceeds(guard, -argument, False)


def _exceeds(guard: Guard, value: Expr, closed: bool) -> bool:
    """Whether the value is positive (``closed``: not negative) under the guard."""
    known = guard.argument if guard.holds else -guard.argument
    spare = constant(value - known)
    if spare is None:
        return False
    return spare > 0 or (spare == 0 and (guard.holds or closed))

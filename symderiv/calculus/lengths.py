"""How long a rational expression is, and how long it would get over one denominator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import reduce
from math import comb

from symderiv.algebra.expr import Add, Expr, Mul, Number, Pow, children, walk
from symderiv.calculus.brackets import guard_of

MAX_TERMS = 150  # of a numerator or denominator that SymPy is given to multiply out
MAX_WORK = 4000  # and of these terms, times the degree, times the number of variables


def weight(expr: Expr) -> tuple[int, int]:
    """How long a tree reads: its nodes outside numbers, then the numbers."""
    nodes = list(walk(expr))
    numbers = sum(isinstance(e, Number) for e in nodes)
    return len(nodes) - numbers, numbers


def rational_atoms(expr: Expr) -> list[Expr]:
    """What is no arithmetic, each once, in order of appearance."""
    return list(dict.fromkeys(leaf for leaf in _leaves(expr) if not isinstance(leaf, Number)))


def _leaves(expr: Expr) -> Iterator[Expr]:
    """The numbers and atoms that the arithmetic begins with, as often as they occur."""
    if isinstance(expr, Add | Mul | Pow) and not is_piecewise(expr):
        for child in children(expr):
            yield from _leaves(child)
    else:
        yield expr


def is_piecewise(expr: Expr) -> bool:
    """Whether it is ``where(...)``, a sum over brackets that multiplying out would only spoil."""
    return isinstance(expr, Add) and any(
        guard_of(factor) is not None for term in expr.terms for factor in (term, *children(term))
    )


def is_large(expr: Expr, atoms: int) -> bool:
    """Whether its numerator or denominator may be too long, multiplied out, to be factored."""
    return any(
        terms > MAX_TERMS or (terms - 1) * degree * atoms > MAX_WORK
        for terms, degree in _fraction(expr, atoms)
    )


_Bound = tuple[int, int]  # at most so many terms, of at most such a degree


def _fraction(expr: Expr, atoms: int) -> tuple[_Bound, _Bound]:
    """Bounds for numerator and denominator over one denominator, nothing cancelled."""

    def bound(terms: int, degree: int) -> _Bound:
        return min(terms, comb(degree + atoms, atoms)), degree

    def times(a: _Bound, b: _Bound) -> _Bound:
        return bound(a[0] * b[0], a[1] + b[1])

    def plus(a: _Bound, b: _Bound) -> _Bound:
        return bound(a[0] + b[0], max(a[1], b[1]))

    def raised(a: _Bound, power: int) -> _Bound:
        return bound(comb(a[0] + power - 1, power), a[1] * power)

    match expr:
        case Number():
            return (1, 0), (1, 0)
        case Pow(base, exponent):
            top, bottom = (raised(part, abs(exponent)) for part in _fraction(base, atoms))
            return (top, bottom) if exponent > 0 else (bottom, top)
        case Mul(factors):
            parts = [_fraction(f, atoms) for f in factors]
            return reduce(times, (t for t, _ in parts)), reduce(times, (b for _, b in parts))
        case Add(terms) if not is_piecewise(expr):
            above, below = (0, 0), (1, 0)
            for top, bottom in (_fraction(t, atoms) for t in terms):
                above = plus(times(above, bottom), times(top, below))
                below = times(below, bottom)
            return above, below
        case _:
            return (1, 1), (1, 0)


def stays_shortest(expr: Expr) -> bool:
    """Whether every atom occurs once, as in a/(b + c/(d + e)), and one fraction would be longer.

    Polynomials without a common variable have no common factor, so nothing cancels there.
    """
    atoms = [leaf for leaf in _leaves(expr) if not isinstance(leaf, Number)]
    return len(atoms) == len(set(atoms)) and _least(_multiplied(expr)) > weight(expr)[0]


_Terms = Counter[int]  # how many terms of each degree
_Factors = list[tuple[_Terms, int]]  # polynomials and their powers


def _multiplied(expr: Expr) -> _Factors:
    """One fraction of polynomials, of which at least these terms stay. Every atom occurs once."""
    match expr:
        case Number():
            return []
        case Pow(base, exponent):
            return [(terms, p * exponent) for terms, p in _multiplied(base)]
        case Mul(factors):
            return [factor for f in factors for factor in _multiplied(f)]
        case Add(terms) if not is_piecewise(expr):
            parts = [_multiplied(t) for t in terms if not isinstance(t, Number)]
            below = [[(t, p) for t, p in part if p < 0] for part in parts]
            whole: _Terms = Counter()
            for n, part in enumerate(parts):
                others = [f for k, factors in enumerate(below) if k != n for f in factors]
                whole += _product([f for f in part if f[1] > 0] + others)
            return [(whole, 1), *(f for factors in below for f in factors)]
        case _:
            return [(Counter([1]), 1)]


def _product(factors: _Factors) -> _Terms:
    """Terms of a product that differ; of a power those without mixed products."""
    result: _Terms = Counter([0])
    for terms, p in factors:
        wider: _Terms = Counter()
        for one, n in result.items():
            for other, k in terms.items():
                wider[one + other * abs(p)] += n * k
        result = wider
    return result


def _least(factors: _Factors) -> int:
    """The nodes that a fraction of these factors has at least, see :func:`weight`."""
    nodes = sum(
        sum(n * (degree + (degree > 1)) for degree, n in terms.items()) + (terms.total() > 1)
        for terms, _ in factors
    )
    return nodes + (len(factors) > 1) + any(p < 0 for _, p in factors)

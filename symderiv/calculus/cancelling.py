"""Cancelling, entry by entry: powers of one base by themselves, other fractions by SymPy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from symderiv.algebra.expr import (
    ONE,
    Access,
    Add,
    Apply,
    Expr,
    Mul,
    Number,
    Pow,
    SizeOf,
    Sum,
    Tensor,
    add,
    mul,
    power,
    rebuild,
    walk,
)
from symderiv.algebra.index import Size, as_index
from symderiv.calculus.lengths import rational_atoms, weight
from symderiv.calculus.ordering import ordered_product


def forget() -> None:
    """Forget the trees of other graphs: a tensor of the same name may have other axes there."""
    cancel.cache_clear()


@lru_cache(maxsize=10_000)  # the derivatives of one cost have most subtrees in common
def cancel(expr: Expr) -> Expr:
    """Cancel in every product that has a denominator: powers of one base, else SymPy."""
    expr = rebuild(expr, cancel)
    if not isinstance(expr, Mul | Add) or not _has_denominator(expr):
        return expr
    if isinstance(expr, Add):  # a sum of fractions stays, unless every denominator goes away
        whole = None if _has_sum(expr) else _cancel_rational(expr)
        return expr if whole is None or _has_denominator(whole) else whole
    expr = _cancel_powers(expr)
    if not isinstance(expr, Mul) or not _needs_factoring(expr):
        return expr
    sums = [f for f in expr.factors if _has_sum(f)]
    product = mul(*(f for f in expr.factors if not _has_sum(f)))
    compact = _cancel_rational(product) or _cancel_termwise(product)
    if compact is None:
        return expr
    whole = ordered_product((compact, *sums))
    return _cancel_powers(whole) if isinstance(whole, Mul) else whole


def _cancel_rational(expr: Expr) -> Expr | None:
    """SymPy's answer for the same fraction in letters, so that it is asked once for each shape."""
    from symderiv.calculus.sympy_bridge import cancel_rational

    letters = {atom: _letter(atom, n) for n, atom in enumerate(rational_atoms(expr))}
    compact = cancel_rational(_replaced(expr, letters))
    if compact is None:
        return None
    return _replaced(compact, {letter: atom for atom, letter in letters.items()})


def _cancel_termwise(product: Expr) -> Expr | None:
    """``(u + v) w`` as ``u w + v w`` where every term cancels by itself and it gets shorter.

    Of a sum whose terms have little in common the numerator over one denominator is longer.
    """
    factors = product.factors if isinstance(product, Mul) else ()
    sums = [f for f in factors if isinstance(f, Add) and _has_denominator(f)]
    if len(sums) != 1:
        return None
    rest = [f for f in factors if f is not sums[0]]
    terms = [_cancel_rational(mul(*rest, term)) for term in sums[0].terms]
    whole = add(*(t for t in terms if t is not None))
    shorter = None not in terms and not _has_denominator(whole)
    return whole if shorter and weight(whole) < weight(product) else None


def _letter(atom: Expr, number: int) -> Expr:
    """A letter that is ordered and printed as the atom is."""
    name = f"x{number}"
    match atom:
        case Access(tensor, _):
            return Access(Tensor(name, role=tensor.role), ())
        case SizeOf():
            return SizeOf(as_index(Size(name)))
        case _:
            return Apply(name, (), ())


def _replaced(expr: Expr, images: Mapping[Expr, Expr]) -> Expr:
    found = images.get(expr)
    return rebuild(expr, lambda e: _replaced(e, images)) if found is None else found


def _cancel_powers(expr: Mul) -> Expr:
    """``b^p b^q = b^(p+q)`` where that shortens the product; else the product as it is."""
    powers: dict[Expr, int] = {}
    number = ONE
    shorter = False
    for base, exponent in _powers(expr, 1):
        if isinstance(base, Number):
            number = Number(number.value * base.value**exponent)
        else:
            known = powers.get(base, 0)
            shorter = shorter or known * exponent < 0
            powers[base] = known + exponent
    reciprocal = any(isinstance(f, Pow) and isinstance(f.base, Mul) for f in expr.factors)
    if not shorter and not reciprocal:
        return expr
    kept = sorted(powers, key=_has_sum)
    return ordered_product((number, *(power(base, powers[base]) for base in kept)))


def _powers(expr: Expr, exponent: int) -> Iterator[tuple[Expr, int]]:
    """The factors of a product with their powers, products in powers opened."""
    match expr:
        case Mul(factors):
            for factor in factors:
                yield from _powers(factor, exponent)
        case Pow(base, p):
            yield from _powers(base, p * exponent)
        case _:
            yield expr, exponent


def _needs_factoring(product: Mul) -> bool:
    """Whether something might cancel that is no factor: a term of a sum, or a sum below."""
    below = {b for b, p in _powers(product, 1) if p < 0}
    inside = [f for f in product.factors if isinstance(f, Add) and not _has_sum(f)]
    return any(isinstance(b, Add) for b in below) or any(
        _has_denominator(f) or not below.isdisjoint(walk(f)) for f in inside
    )


def _has_denominator(expr: Expr) -> bool:
    return any(
        isinstance(n, Pow) and n.exponent < 0 and not isinstance(n.base, SizeOf) for n in walk(expr)
    )


def _has_sum(expr: Expr) -> bool:
    return any(isinstance(n, Sum) for n in walk(expr))

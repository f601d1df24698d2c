"""The order of factors in print: numbers, hyperparameters, sizes, parameters, then the rest."""

from __future__ import annotations

from collections.abc import Iterable

from symderiv.algebra.expr import (
    Access,
    Bracket,
    Delta,
    Expr,
    Mul,
    Number,
    Pow,
    Role,
    SizeOf,
    mul,
    power,
)


def ordered_product(factors: Iterable[Expr]) -> Expr:
    """The product in display order, powers of one base merged; the rest keeps its order."""
    product = mul(*factors)
    if not isinstance(product, Mul):
        return product
    powers: dict[Expr, int] = {}
    for factor in product.factors:
        base, exponent = (factor.base, factor.exponent) if isinstance(factor, Pow) else (factor, 1)
        powers[base] = powers.get(base, 0) + exponent
    merged = [power(base, p) for base, p in powers.items()]
    return mul(*sorted(merged, key=_rank))


def _rank(factor: Expr) -> int:
    base = factor.base if isinstance(factor, Pow) else factor
    match base:
        case Number():
            return 0
        case Access(tensor, _) if tensor.role is Role.HYPERPARAMETER:
            return 1
        case SizeOf():
            return 2
        case Bracket() | Delta():
            return 3
        case Access(tensor, _) if tensor.role is Role.PARAMETER:
            return 4
        case _:
            return 5

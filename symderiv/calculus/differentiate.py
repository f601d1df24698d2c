"""∂e/∂t[i] in index notation: the local derivative that a chain rule multiplies by.

The rules are those of one variable, with ``∂t[k]/∂t[i] = [k = i]`` where a tensor meets itself.
"""

from __future__ import annotations

from symderiv.algebra.expr import (
    ZERO,
    Access,
    Add,
    Apply,
    Expr,
    Mul,
    Number,
    Pow,
    Sum,
    add,
    delta,
    mul,
    power,
    sum_over,
)
from symderiv.algebra.index import is_zero


def differentiate(expr: Expr, wrt: Access) -> Expr:
    """The derivative by one entry, all other tensors held fixed; nothing is simplified.

    ``wrt`` must not use a variable bound in ``expr``. Deltas, brackets and the winner of a
    maximum are locally constant.
    """
    match expr:
        case Access(tensor, indices) if tensor == wrt.tensor:
            pairs = list(zip(indices, wrt.indices, strict=True))
            if any(is_zero(i - k) is False for i, k in pairs):
                return ZERO  # certainly another entry
            return mul(*(delta(i, k) for i, k in pairs))
        case Add(terms):
            return add(*(differentiate(term, wrt) for term in terms))
        case Mul(factors):
            return add(
                *(
                    mul(*factors[:n], inner, *factors[n + 1 :])
                    for n, factor in enumerate(factors)
                    if (inner := differentiate(factor, wrt)) != ZERO
                )
            )
        case Pow(base, exponent):
            inner = differentiate(base, wrt)
            return mul(Number.of(exponent), power(base, exponent - 1), inner)
        case Sum(var, body):
            return sum_over(var, differentiate(body, wrt))
        case Apply(function, args, orders):
            return add(
                *(
                    mul(Apply(function, args, _raised(orders, n)), inner)
                    for n, argument in enumerate(args)
                    if (inner := differentiate(argument, wrt)) != ZERO
                )
            )
        case _:
            return ZERO


def _raised(orders: tuple[int, ...], position: int) -> tuple[int, ...]:
    return tuple(order + (n == position) for n, order in enumerate(orders))

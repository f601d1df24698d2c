"""Derivations with one planted error each, to see that it is caught."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from symderiv.algebra.expr import (
    ZERO,
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
    sum_over,
)
from symderiv.calculus.steps import Derivation


def mutants(derivation: Derivation) -> Iterator[tuple[Tensor, str, Derivation]]:
    """One closed form changed in one place: a sign, a factor, a number, a power, a transpose."""
    for n, chain in enumerate(derivation.adjoints):
        for what, closed in changed(chain.closed):
            wrong = replace(chain, closed=closed)
            adjoints = (*derivation.adjoints[:n], wrong, *derivation.adjoints[n + 1 :])
            yield chain.tensor, what, Derivation(derivation.graph, adjoints)


def changed(expr: Expr) -> Iterator[tuple[str, Expr]]:
    """The tree with one thing wrong in it."""
    yield "sign", -expr
    yield from _inside(expr)


def _inside(expr: Expr) -> Iterator[tuple[str, Expr]]:
    match expr:
        case Number(value):
            yield "number", Number(value * 3)
        case SizeOf(index):
            yield "size", SizeOf(index + 1)
        case Pow(base, exponent):
            yield "power", power(base, exponent + 1)
            wrong_bases = [(w, b) for w, b in _inside(base) if exponent > 0 or b != ZERO]
            yield from ((what, power(b, exponent)) for what, b in wrong_bases)
        case Access(tensor, indices) if len(indices) > 1 and indices[0] != indices[-1]:
            if tensor.slots[0].axis.size == tensor.slots[-1].axis.size:
                yield "transpose", Access(tensor, (*indices[:-2], indices[-1], indices[-2]))
        case Mul(factors):
            for n, factor in enumerate(factors):
                rest = (*factors[:n], *factors[n + 1 :])
                if factor != Number(Fraction(1)):
                    yield f"factor {n} left out", mul(*rest)
                for what, wrong in _inside(factor):
                    yield what, mul(*factors[:n], wrong, *factors[n + 1 :])
        case Add(terms):
            for n, term in enumerate(terms):
                yield f"term {n} left out", add(*terms[:n], *terms[n + 1 :])
                yield f"sign of term {n}", add(*terms[:n], -term, *terms[n + 1 :])
                for what, wrong in _inside(term):
                    yield what, add(*terms[:n], wrong, *terms[n + 1 :])
        case Sum(var, body):
            yield from ((what, sum_over(var, wrong)) for what, wrong in _inside(body))
        case Apply(function, args, orders):
            for n, argument in enumerate(args):
                for what, wrong in _inside(argument):
                    changed_args = (*args[:n], wrong, *args[n + 1 :])
                    yield what, Apply(function, changed_args, orders)

"""Random index expressions: affine indices, ranges that depend on others, names used twice."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from symderiv.algebra.binding import substitute
from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Bracket,
    Delta,
    Expr,
    Mul,
    Number,
    Pow,
    Role,
    Select,
    SizeOf,
    Sum,
    Tensor,
    add,
    mul,
    power,
    rebuild,
    sum_over,
)
from symderiv.algebra.index import Axis, Index, Size, Var, as_index, fresh

N, M, L = (as_index(Size(name)) for name in "nmL")
UNITS, EXAMPLES = Axis("unit", N), Axis("example", M)
SHORT, LAYERS = Axis("unit", N - 1), Axis("layer", L, ordered=True)

# Free variables: two over units, one over examples, one over layers, one over its units.
I, J = fresh(UNITS, "i"), fresh(UNITS, "j")
S, LAYER = fresh(EXAMPLES, "s"), fresh(LAYERS, "l")
Q = fresh(Axis("unit", as_index(Size("q", as_index(LAYER)))), "u")
FREE = (I, J, S, LAYER, Q)

X = Tensor("x", (fresh(UNITS),), Role.INPUT)
W = Tensor("W", (fresh(UNITS), fresh(UNITS)), Role.PARAMETER)
Y = Tensor("y", (fresh(UNITS), fresh(EXAMPLES)), Role.TARGET)
C = Tensor("c", (), Role.HYPERPARAMETER)


def examples(count: int, least: int = 10) -> int:
    """How many examples a property is tried on; SYMDERIV_EXAMPLES divides it."""
    return max(least, count // int(os.environ.get("SYMDERIV_EXAMPLES", "1")))


@st.composite
def indices(draw: Any, scope: tuple[Var, ...]) -> Index:
    """An affine index over the variables in scope."""
    kind = draw(st.integers(0, 9))
    variable = as_index(draw(st.sampled_from(scope)))
    if kind < 5:
        return variable
    if kind == 5:
        return Index(draw(st.integers(0, 2)))
    if kind == 6:
        return draw(st.sampled_from((N, M, L)))
    if kind == 7:
        return variable + draw(st.sampled_from((-1, 1)))
    other = as_index(draw(st.sampled_from(scope)))
    return variable * draw(st.sampled_from((1, 2, -1))) + other * draw(st.sampled_from((1, -1)))


@st.composite
def binders(draw: Any, scope: tuple[Var, ...], dependent: bool = True) -> Var:
    """A variable to sum over: a new one, one whose name is in use, or one over a moving range."""
    kind = draw(st.integers(0, 7 if dependent else 4))
    if kind < 3:
        return fresh(draw(st.sampled_from((UNITS, EXAMPLES, SHORT))), "k")
    if kind < 5:
        return draw(st.sampled_from([v for v in scope if v in (I, J, S)] or [fresh(UNITS)]))
    inner = draw(st.sampled_from(scope))
    if kind == 5:
        return fresh(Axis("unit", as_index(Size("q", as_index(inner)))), "k")
    if kind == 6:
        return fresh(Axis("unit", N, as_index(inner)), "k")
    return fresh(Axis("unit", as_index(inner)), "k")


@st.composite
def trees(draw: Any, scope: tuple[Var, ...] = FREE, depth: int = 3, rational: bool = True) -> Expr:
    """An expression whose free variables are in scope; ``rational`` allows negative powers."""
    kind = draw(st.integers(0, 6 if depth == 0 else 15))
    index = indices(scope)

    def inner(scope: tuple[Var, ...] = scope) -> Expr:
        return draw(trees(scope, depth - 1, rational))

    if kind == 0:
        return Number(Fraction(draw(st.integers(-2, 3)), draw(st.integers(1, 2))))
    if kind <= 2:
        return X[draw(index)]
    if kind == 3:
        return W[draw(index), draw(index)]
    if kind == 4:
        return Delta(draw(index), draw(index))
    if kind == 5:
        return draw(st.sampled_from((Bracket(draw(index)), C[()])))
    if kind == 6:
        return draw(st.sampled_from((SizeOf(draw(index)), Y[draw(index), draw(index)])))
    if kind <= 9:
        var = draw(binders(scope))
        return sum_over(var, inner((*scope, var)))
    if kind == 10:
        return add(inner(), inner())
    if kind <= 13:
        return mul(inner(), inner())
    if kind == 14:
        if draw(st.booleans()):
            return Apply("f", (inner(),), (draw(st.integers(0, 1)),))
        var = draw(binders(scope, dependent=False))
        return Select(draw(index), var, inner((*scope, var)))
    base = inner()
    if base == Number(Fraction(0)):
        return base
    return power(
        base, draw(st.integers(-2 if rational else 2, 3).filter(lambda p: p not in (0, 1)))
    )


def rewritten(draw: Any, expr: Expr) -> Expr:
    """The same function written otherwise: commuted, distributed, renamed, split, swapped."""

    def run(node: Expr) -> Expr:
        node = rebuild(node, run)
        choice = draw(st.integers(0, 3))
        match node:
            case Add(terms):
                terms = tuple(draw(st.permutations(terms)))
                return Add(terms) if choice else add(*terms, C[()], -1 * C[()])
            case Mul(factors):
                factors = tuple(draw(st.permutations(factors)))
                if choice == 0:
                    for n, factor in enumerate(factors):
                        if isinstance(factor, Add):
                            rest = (*factors[:n], *factors[n + 1 :])
                            return Add(tuple(Mul((*rest, t)) for t in factor.terms))
                if choice == 1:
                    return Mul((Number(Fraction(2)), *factors, Number(Fraction(1, 2))))
                return Mul(factors)
            case Sum(var, body):
                renamed = fresh(var.axis, draw(st.sampled_from("abk")))
                body = substitute(body, {var: as_index(renamed)})
                if choice == 0 and isinstance(body, Add):
                    return add(*(sum_over(renamed, t) for t in body.terms))
                if choice == 1 and isinstance(body, Sum) and _independent(renamed, body.var):
                    return Sum(body.var, Sum(renamed, body.body))
                return Sum(renamed, body)
            case Pow(base, exponent) if exponent > 1 and choice:
                return Mul((base, power(base, exponent - 1)))
            case Access(tensor, (first, *rest)) if choice == 0 and first.variable is not None:
                twin = fresh(first.variable.axis, "k")
                entry = Access(tensor, (as_index(twin), *rest))
                return Sum(twin, mul(Delta(as_index(twin), first), entry))
        return node

    return run(expr)


def _independent(outer: Var, inner: Var) -> bool:
    ranges = (*inner.axis.start.variables, *inner.axis.stop.variables)
    back = (*outer.axis.start.variables, *outer.axis.stop.variables)
    return outer not in ranges and inner not in back


def near_miss(draw: Any, expr: Expr) -> Expr:
    """The tree with one leaf changed."""
    leaves: list[Expr] = []

    def count(node: Expr) -> Expr:
        if isinstance(node, Access | Delta | Bracket | SizeOf | Number):
            leaves.append(node)
            return node
        return rebuild(node, count)

    count(expr)
    if not leaves:
        return expr
    chosen = draw(st.integers(0, len(leaves) - 1))
    seen = [0]

    def change(node: Expr) -> Expr:
        if not isinstance(node, Access | Delta | Bracket | SizeOf | Number):
            return rebuild(node, change)
        seen[0] += 1
        if seen[0] - 1 != chosen:
            return node
        other = draw(st.sampled_from((as_index(I), as_index(J), N, Index(1))))
        match node:
            case Access(tensor, (_, *rest)):
                return Access(tensor, (other, *rest))
            case Delta(left, _):
                return Delta(left, other)
            case Bracket(index):
                return Bracket(index - 1)
            case SizeOf(index):
                return SizeOf(index + 1)
            case Number(number):
                return Number(number + 1)
        return node

    return change(expr)

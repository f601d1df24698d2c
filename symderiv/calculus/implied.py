"""What the forward equations imply of the values in them: σ(z) lies between 0 and 1, Σ x² ≥ 0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Expr,
    Mul,
    Number,
    Pow,
    Role,
    SizeOf,
    Sum,
    tensors_in,
)
from symderiv.algebra.index import Index, Var, as_index
from symderiv.calculus.functions import (
    LOG_PROBABILITY,
    NONZERO,
    POSITIVE,
    PROBABILITY_VECTOR,
    Domain,
    VectorFunction,
    rows,
)
from symderiv.calculus.graph import Definition, Graph


class Implied:
    """What follows from the equations of one graph; what is found of a value is kept."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._ranges: dict[Expr, Domain | None] = {}

    def lies_in(self, expr: Expr, domain: Domain, positive: bool = False) -> bool:
        """Whether the equations imply it; with ``positive``, if hyperparameters are positive."""
        if domain == NONZERO:
            return self._sign(expr, positive) == 1 or self._misses_zero(expr)
        if isinstance(expr, Number):
            return domain.contains(expr.value)
        if domain.values:
            return False
        known = self._range(expr)
        if known is not None and _within(known, domain):
            return True
        if domain.high is not None or domain.low is None or domain.low < 0:
            return False
        sign = self._sign(expr, positive)
        return domain.low == 0 and sign is not None and (sign > 0 or (sign == 0 and domain.closed))

    def _misses_zero(self, expr: Expr) -> bool:
        """Whether a value is not 0, wherever there is one."""
        if isinstance(expr, Pow) and expr.exponent < 0:
            return True
        known = self._range(expr)
        return known is not None and (_within(known, POSITIVE) or _within(known, LOG_PROBABILITY))

    def _range(self, expr: Expr) -> Domain | None:
        """The range of a function's value, times a number or plus others: 1 − σ(z) is in (0, 1)."""
        if expr not in self._ranges:
            self._ranges[expr] = self._found(expr)
        return self._ranges[expr]

    def _found(self, expr: Expr) -> Domain | None:
        match expr:
            case Number(value):
                return Domain("", value, value, closed=True)
            case Add(terms):
                return _sum(self._range(term) for term in terms)
            case Mul((Number(value), factor)):
                return _times(value, self._range(factor))
            case Apply(function, _, orders):
                return None if any(orders) else rows()[function].values
            case Access():
                definition = self._equation(expr)
                if definition is None:
                    return None
                whole = rows().get(definition.part_of)
                if not isinstance(whole, VectorFunction) or not self._is_last(definition):
                    return self._range(definition.body)
                shared = whole.range_ is PROBABILITY_VECTOR
                return replace(whole.values, total=Fraction(1)) if shared else whole.values
        return None

    def _sign(self, expr: Expr, positive: bool) -> int | None:
        """1 where an expression is positive for certain, 0 where it is not negative, else None."""
        match expr:
            case Number(value):
                return None if value < 0 else int(value > 0)
            case SizeOf(index):
                least = _least(index)
                return None if least is None or least < 0 else int(least > 0)
            case Sum(var, body):
                sign, least = self._sign(body, positive), _least(var.axis.size)
                return 0 if sign == 1 and (least is None or least < 1) else sign  # maybe no term
            case Add(terms):
                signs = [self._sign(t, positive) for t in terms]
                return None if None in signs else max(s for s in signs if s is not None)
            case Mul(factors):
                signs = [self._sign(f, positive) for f in factors]
                return None if None in signs else min(s for s in signs if s is not None)
            case Pow(base, exponent):
                sign = self._sign(base, positive)
                if sign == 1:
                    return 1
                return 0 if exponent > 0 and (sign == 0 or exponent % 2 == 0) else None
            case Access() if positive and is_hyperparameter(expr):
                return 1
            case Access() | Apply():
                known = self._range(expr)
                if known is not None and known.low is not None and known.low >= 0:
                    return int(known.low > 0 or not known.closed)
                definition = self._equation(expr) if isinstance(expr, Access) else None
                return None if definition is None else self._sign(definition.body, positive)
        return None

    def _equation(self, access: Access) -> Definition | None:
        """The equation that is surely about an entry, unless it goes back along an ordered axis."""
        for definition in self._graph.definitions_of(access.tensor):
            if definition.at(access) is not None:
                back = any(t.ordered for t in tensors_in(definition.body))
                return None if back and not isinstance(definition.body, Apply) else definition
        return None

    def _is_last(self, definition: Definition) -> bool:
        """Whether no later line of the same vector function uses what the equation defines."""
        users = self._graph.users(definition.target)
        return not any(d.part_of == definition.part_of for d in users)


def is_hyperparameter(expr: Expr) -> bool:
    """Whether it is a number such as ε that whoever trains chooses."""
    return isinstance(expr, Access) and expr.tensor.role is Role.HYPERPARAMETER


# --- Intervals ------------------------------------------------------------------------------------


def _within(inner: Domain, outer: Domain) -> bool:
    """Whether the interval of ``inner`` is part of that of ``outer``."""
    edges = outer.closed or not inner.closed  # an end that both have is in both
    low = outer.low is None or (
        inner.low is not None and (inner.low > outer.low or (edges and inner.low == outer.low))
    )
    return low and (
        outer.high is None
        or (
            inner.high is not None
            and (inner.high < outer.high or (edges and inner.high == outer.high))
        )
    )


def _times(value: Fraction, known: Domain | None) -> Domain | None:
    """A number times what is known; of a single unit softmax is 1, and 1 − softmax is 0."""
    if known is None:
        return None
    ends = [None if end is None else value * end for end in (known.low, known.high)]
    low, high = ends if value > 0 else ends[::-1]
    closed = known.closed or (value < 0 and known.total is not None)
    return Domain("", low, high, closed, total=known.total)


def _sum(ranges: Iterable[Domain | None]) -> Domain | None:
    """Where a sum lies if each term is in its range; open where one of them is."""
    known = list(ranges)
    if None in known:
        return None
    lows, highs = [d.low for d in known if d], [d.high for d in known if d]
    return Domain(
        "",
        None if None in lows else sum((e for e in lows if e is not None), Fraction(0)),
        None if None in highs else sum((e for e in highs if e is not None), Fraction(0)),
        closed=all(d.closed for d in known if d),
        total=next((d.total for d in known if d and d.total is not None), None),
    )


def _least(index: Index) -> int | None:
    """The least value of an index, where every size is at least 1; None if there is none."""
    while True:
        found = next(((s, n) for s, n in index.terms if isinstance(s, Var)), None)
        if found is None:
            break
        var, factor = found
        end = var.axis.start if factor > 0 else var.axis.stop
        index = index - factor * as_index(var) + factor * end
    if any(factor < 0 for _, factor in index.terms):
        return None
    return index.const + sum(factor for _, factor in index.terms)

"""What the forward equations imply of the values in them: σ(z) lies between 0 and 1, Σ x² ≥ 0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
    walk,
)
from symderiv.algebra.index import lower_bound
from symderiv.calculus.composed import group_of, is_written_out
from symderiv.calculus.functions import (
    NEGATIVE,
    NONZERO,
    POSITIVE,
    Domain,
    VectorFunction,
    rows,
)
from symderiv.calculus.graph import Definition, Graph


def narrower(one: Domain, other: Domain) -> bool:
    """Whether whatever lies in the one domain lies in the other."""
    if one.values or other.values:
        return one == other
    if other.without:
        return one == other or any(
            _Interval.of(one).within(_Interval.of(side)) for side in (POSITIVE, NEGATIVE)
        )
    return _Interval.of(one).within(_Interval.of(other))


class Implied:
    """What follows from the equations of one graph; what is found of a value is kept."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._ranges: dict[Expr, _Interval | None] = {}
        self._signs: dict[tuple[Expr, bool], int | None] = {}

    def lies_in(self, expr: Expr, domain: Domain, positive: bool = False) -> bool:
        """Whether the equations imply it; with ``positive``, if hyperparameters are positive."""
        if domain == NONZERO:
            return self._sign(expr, positive) == 1 or self._misses_zero(expr)
        if isinstance(expr, Number):
            return domain.contains(expr.value)
        if domain.values:
            return False
        known = self._range(expr)
        if known is not None and known.within(_Interval.of(domain)):
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
        sides = map(_Interval.of, (POSITIVE, NEGATIVE))
        return known is not None and any(map(known.within, sides))

    def _range(self, expr: Expr) -> _Interval | None:
        """The range of a function's value, times a number or plus others: 1 − σ(z) is in (0, 1)."""
        if expr not in self._ranges:
            self._ranges[expr] = self._found(expr)
        return self._ranges[expr]

    def _found(self, expr: Expr) -> _Interval | None:
        match expr:
            case Number(value):
                return _Interval(value, value, True, True)
            case Add(terms):
                return _sum(self._range(term) for term in terms)
            case Mul((Number(value), factor)):
                known = self._range(factor)
                return None if known is None else known.times(value)
            case Apply(function, _, orders):
                row = rows().get(function)  # None for a choice, which code makes
                return None if row is None or any(orders) else _Interval.of(row.values)
            case Access():
                definition = self._equation(expr)
                if definition is None:
                    return None
                whole = self._vector_function(definition)
                return self._range(definition.body) if whole is None else _Interval.of(whole.values)
        return None

    def is_chosen(self, expr: Expr) -> bool:
        """Whether it is a number such as ε that whoever trains chooses: it has no equation."""
        return (
            isinstance(expr, Access)
            and expr.tensor.role is Role.HYPERPARAMETER
            and not self._graph.definitions_of(expr.tensor)
        )

    def chosen(self, expr: Expr) -> list[Expr]:
        """The hyperparameters that an expression and the equations below it speak of."""
        found: dict[Expr, None] = {}
        waiting, seen = [expr], set[Expr]()
        while waiting:
            for node in walk(waiting.pop()):
                definition = self._equation(node) if isinstance(node, Access) else None
                if self.is_chosen(node):
                    found[node] = None
                elif definition is not None and definition.body not in seen:
                    seen.add(definition.body)
                    waiting.append(definition.body)
        return list(found)

    def _sign(self, expr: Expr, positive: bool) -> int | None:
        """1 where an expression is positive for certain, 0 where it is not negative, else None."""
        if (expr, positive) not in self._signs:
            self._signs[expr, positive] = self._found_sign(expr, positive)
        return self._signs[expr, positive]

    def _found_sign(self, expr: Expr, positive: bool) -> int | None:
        match expr:
            case Number(value):
                return None if value < 0 else int(value > 0)
            case SizeOf(index):
                least = lower_bound(index)
                return None if least is None or least < 0 else int(least > 0)
            case Sum(var, body):
                sign, least = self._sign(body, positive), lower_bound(var.axis.size)
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
            case Access() if positive and self.is_chosen(expr):
                return 1
            case Access() | Apply():
                known = self._range(expr)
                if known is not None and known.low is not None and known.low >= 0:
                    return int(known.low > 0 or not known.has_low)
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

    def _vector_function(self, definition: Definition) -> VectorFunction | None:
        """The vector function whose value the equation defines; nobody's word is taken for it."""
        whole = rows().get(definition.part_of)
        users = self._graph.users(definition.target)
        if not isinstance(whole, VectorFunction) or any(
            d.part_of == definition.part_of for d in users
        ):
            return None
        applied = len(group_of(self._graph, definition)) > 1
        return whole if applied or is_written_out(self._graph, whole, definition) else None


# --- Intervals ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Interval:
    """What is known of a value; an end of None is infinite."""

    low: Fraction | None
    high: Fraction | None
    has_low: bool = False
    has_high: bool = False

    @classmethod
    def of(cls, domain: Domain) -> _Interval:
        """All of a domain that is an interval."""
        return cls(domain.low, domain.high, domain.closed, domain.closed or domain.with_high)

    def within(self, other: _Interval) -> bool:
        """Whether it is part of the other."""
        above = other.low is None or (
            self.low is not None
            and (self.low > other.low or (self.low == other.low and other.has_low >= self.has_low))
        )
        return above and (
            other.high is None
            or (
                self.high is not None
                and (
                    self.high < other.high
                    or (self.high == other.high and other.has_high >= self.has_high)
                )
            )
        )

    def times(self, value: Fraction) -> _Interval:
        """All its numbers times one."""
        if not value:
            return _Interval(value, value, True, True)
        low, high = (None if end is None else value * end for end in (self.low, self.high))
        if value > 0:
            return _Interval(low, high, self.has_low, self.has_high)
        return _Interval(high, low, self.has_high, self.has_low)

    def plus(self, other: _Interval) -> _Interval:
        """All sums of two numbers."""
        low = None if self.low is None or other.low is None else self.low + other.low
        high = None if self.high is None or other.high is None else self.high + other.high
        return _Interval(
            low, high, self.has_low and other.has_low, self.has_high and other.has_high
        )


def _sum(intervals: Iterable[_Interval | None]) -> _Interval | None:
    total = _Interval(Fraction(0), Fraction(0), True, True)
    for interval in intervals:
        if interval is None:
            return None
        total = total.plus(interval)
    return total

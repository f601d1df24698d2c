"""Under which conditions the forward equations have values and derivatives.

Every function that is applied has a domain, some have kinks, a denominator is not 0, a maximum has
one winner. What follows from the equations themselves (σ lies between 0 and 1, a sum of squares is
not negative) is no condition; everything else is an assumption and has to be said. What stands in
a product with a bracket is asked for only where the bracket is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from symderiv.algebra.binding import free_variables
from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Expr,
    Mul,
    Number,
    Pow,
    Role,
    Select,
    SizeOf,
    Sum,
    children,
    sum_over,
    tensors_in,
    walk,
)
from symderiv.algebra.index import Index, Var, as_index
from symderiv.algebra.matching import alpha_equal
from symderiv.calculus.brackets import Guard, excludes_zero, guard_of, implies
from symderiv.calculus.functions import (
    LOG_PROBABILITY,
    POSITIVE,
    PROBABILITY_VECTOR,
    REAL,
    Domain,
    Kink,
    ScalarFunction,
    VectorFunction,
    rows,
)
from symderiv.calculus.graph import Definition, Graph

NONZERO = Domain("not 0")


@dataclass(frozen=True)
class Condition:
    """``arguments`` of one function (or a denominator, or rivals) and what is asked of them.

    ``what`` is a domain, the kinks to stay away from, or None for rivals of which one is greatest.
    It is asked only where all ``guards`` are met.
    """

    definition: Definition
    function: str
    arguments: tuple[Expr, ...]
    what: Domain | tuple[Kink, ...] | None
    guards: tuple[Guard, ...] = ()


def conditions(graph: Graph) -> tuple[Condition, ...]:
    """What is assumed of the values in the forward pass, in its order, each thing once.

    What was asked as the expressions were written comes last, if the equations do not ask it.
    """
    found: list[Condition] = []
    for definition in graph.definitions:
        for condition in _of(graph, definition):
            if not any(_covers(known, condition) for known in found):
                found = [known for known in found if not _covers(condition, known)]
                found.append(condition)
    found += [c for c in graph.asked if not any(_is_about(known, c) for known in found)]
    return tuple(found)


def as_written(graph: Graph, asked: Iterable[Condition]) -> tuple[Condition, ...]:
    """Of what was asked as expressions were read, what the equations neither ask nor imply."""
    known = list(conditions(graph))
    kept: list[Condition] = []
    for condition in map(_without_power, asked):
        (argument,), domain = condition.arguments, condition.what
        assert isinstance(domain, Domain)
        implied = lies_in(graph, argument, domain) or any(
            _follows(guard, condition) for guard in condition.guards
        )
        if not implied and not any(_is_about(other, condition) for other in (*known, *kept)):
            kept.append(condition)
    return tuple(kept)


def _without_power(condition: Condition) -> Condition:
    """That x² is not 0 as that x is not."""
    (argument,) = condition.arguments
    while condition.what is NONZERO and isinstance(argument, Pow) and argument.exponent > 0:
        argument = argument.base
    return replace(condition, arguments=(argument,))


def _is_about(one: Condition, other: Condition) -> bool:
    """Whether both ask something of the same argument, for the same reason."""
    return one.function == other.function and _same_arguments(one, other)


def _of(graph: Graph, definition: Definition) -> Iterator[Condition]:
    for node, guards in _parts(definition.body):
        for condition in _asked_by(graph, definition, node):
            if not any(_follows(guard, condition) for guard in guards):
                yield replace(condition, guards=guards)


def _parts(expr: Expr, guards: tuple[Guard, ...] = ()) -> Iterator[tuple[Expr, tuple[Guard, ...]]]:
    """Every subtree, each with the brackets that it is multiplied by."""
    yield expr, guards
    if not isinstance(expr, Mul):
        for child in children(expr):
            yield from _parts(child, guards)
        return
    found = [guard_of(factor) for factor in expr.factors]
    for place, factor in enumerate(expr.factors):
        others = (g for n, g in enumerate(found) if g and n != place)
        mine = guards if found[place] else tuple(dict.fromkeys((*guards, *others)))
        yield from _parts(factor, mine)


def _follows(guard: Guard, condition: Condition) -> bool:
    """Whether a condition is met wherever its guard is."""
    if len(condition.arguments) != 1 or not isinstance(condition.what, Domain):
        return False
    (argument,) = condition.arguments
    if condition.what is NONZERO:
        return excludes_zero(guard, argument)
    return implies(guard, argument, condition.what)


def _asked_by(graph: Graph, definition: Definition, node: Expr) -> Iterator[Condition]:
    """What a node asks of its own arguments."""
    match node:
        case Apply(function, args, _):
            row = rows()[function]
            assert isinstance(row, ScalarFunction)
            for argument, domain in zip(args, row.domain, strict=False):
                yield from _asked(graph, definition, function, argument, domain)
            wanted = args[: len(args) - len(row.hyper)]
            kinks = row.kinks_at(args)
            if kinks:
                yield Condition(definition, function, wanted, kinks)
        case Pow(base, exponent) if exponent < 0:
            yield from _asked(graph, definition, "", base, NONZERO)
        case Select(_, _, body):
            yield Condition(definition, "max", (body,), None)


def _asked(
    graph: Graph, definition: Definition, function: str, argument: Expr, domain: Domain
) -> Iterator[Condition]:
    """That an argument is in a domain, or that ε > 0 if this is what it comes down to."""
    if domain is REAL or lies_in(graph, argument, domain):
        return
    small = [e for e in walk(argument) if isinstance(e, Access) and _is_hyperparameter(e)]
    if small and lies_in(graph, argument, domain, positive=True):
        for access in dict.fromkeys(small):
            yield Condition(definition, function, (access,), POSITIVE)
    else:
        yield Condition(definition, function, (argument,), domain)


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


def _is_hyperparameter(access: Access) -> bool:
    return access.tensor.role is Role.HYPERPARAMETER


def _covers(one: Condition, other: Condition) -> bool:
    """Whether one says the same as the other, and wherever the other says it."""
    if (one.function, one.what) != (other.function, other.what):
        return False
    if not set(one.guards) <= set(other.guards):
        return False
    return _same_arguments(one, other)


def _same_arguments(one: Condition, other: Condition) -> bool:
    """Whether the arguments are the same, but for the letters of their indices."""
    return len(one.arguments) == len(other.arguments) and all(
        a == b or alpha_equal(*map(_closed, (a, b)))
        for a, b in zip(one.arguments, other.arguments, strict=True)
    )


def _closed(expr: Expr) -> Expr:
    """The sum over all free indices, in the order in which they appear."""
    free = free_variables(expr)
    entries = (node for node in walk(expr) if isinstance(node, Access))
    ordered = dict.fromkeys(v for e in entries for i in e.indices for v in i.variables)
    return sum_over([v for v in ordered if v in free], expr)


# --- What follows from the equations -----------------------------------------------------------


def lies_in(graph: Graph, expr: Expr, domain: Domain, positive: bool = False) -> bool:
    """Whether the equations imply it; with ``positive``, if hyperparameters are positive."""
    if domain is NONZERO:
        return _sign(graph, expr, positive) == 1 or _misses_zero(graph, expr)
    if domain.values:
        return isinstance(expr, Number) and expr.value in domain.values
    if isinstance(expr, Number):
        return _between(expr.value, domain)
    known = _range(graph, expr)
    if known is not None and _within(known, domain):
        return True
    if domain.high is not None or domain.low is None or domain.low < 0:
        return False
    sign = _sign(graph, expr, positive)
    return domain.low == 0 and sign is not None and (sign > 0 or (sign == 0 and domain.closed))


def _misses_zero(graph: Graph, expr: Expr) -> bool:
    """Whether a value is not 0, wherever there is one."""
    if isinstance(expr, Pow) and expr.exponent < 0:
        return True
    known = _range(graph, expr)
    return known is not None and (_within(known, POSITIVE) or _within(known, LOG_PROBABILITY))


def _between(value: Fraction, domain: Domain) -> bool:
    low = domain.low is None or domain.low < value or (domain.closed and domain.low == value)
    high = domain.high is None or value < domain.high or (domain.closed and domain.high == value)
    return low and high


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


def _range(graph: Graph, expr: Expr) -> Domain | None:
    """The range of a function's value, times a number or plus others: 1 − σ(z) is in (0, 1)."""
    if expr not in graph.ranges:
        graph.ranges[expr] = _range_of(graph, expr)
    return graph.ranges[expr]


def _range_of(graph: Graph, expr: Expr) -> Domain | None:
    match expr:
        case Number(value):
            return Domain("", value, value, closed=True)
        case Add(terms):
            return _sum(_range(graph, term) for term in terms)
        case Mul((Number(value), factor)):
            known = _range(graph, factor)
            if known is None or (value < 0 and _is_distribution(graph, factor)):
                return None  # of a single unit softmax is 1, and 1 − softmax is 0
            ends = [None if end is None else value * end for end in (known.low, known.high)]
            low, high = ends if value > 0 else ends[::-1]
            return Domain("", low, high, known.closed)
        case Apply(function, _, orders):
            return None if any(orders) else rows()[function].values
        case Access():
            definition = _equation(graph, expr)
            if definition is None:
                return None
            whole = rows().get(definition.part_of)
            if isinstance(whole, VectorFunction) and _is_last(graph, definition):
                return whole.values
            return _range(graph, definition.body)
    return None


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
    )


def _is_distribution(graph: Graph, expr: Expr) -> bool:
    definition = _equation(graph, expr) if isinstance(expr, Access) else None
    whole = rows().get(definition.part_of) if definition else None
    return whole is not None and whole.range_ is PROBABILITY_VECTOR


def _equation(graph: Graph, access: Access) -> Definition | None:
    """The equation that is certainly about an entry, unless it goes back along an ordered axis."""
    for definition in graph.definitions_of(access.tensor):
        if definition.at(access) is not None:
            back = any(t.ordered for t in tensors_in(definition.body))
            return None if back and not isinstance(definition.body, Apply) else definition
    return None


def _is_last(graph: Graph, definition: Definition) -> bool:
    """Whether no later line of the same vector function uses what the equation defines."""
    return not any(d.part_of == definition.part_of for d in graph.users(definition.target))


def _sign(graph: Graph, expr: Expr, positive: bool) -> int | None:
    """1 where an expression is positive for certain, 0 where it is not negative, else None."""
    match expr:
        case Number(value):
            return None if value < 0 else int(value > 0)
        case SizeOf(index):
            least = _least(index)
            return None if least is None or least < 0 else int(least > 0)
        case Sum(var, body):
            sign, least = _sign(graph, body, positive), _least(var.axis.size)
            return 0 if sign == 1 and (least is None or least < 1) else sign  # maybe no term
        case Add(terms):
            signs = [_sign(graph, t, positive) for t in terms]
            return None if None in signs else max(s for s in signs if s is not None)
        case Mul(factors):
            signs = [_sign(graph, f, positive) for f in factors]
            return None if None in signs else min(s for s in signs if s is not None)
        case Pow(base, exponent):
            sign = _sign(graph, base, positive)
            if sign == 1:
                return 1
            return 0 if exponent > 0 and (sign == 0 or exponent % 2 == 0) else None
        case Access() if positive and _is_hyperparameter(expr):
            return 1
        case Access() | Apply():
            known = _range(graph, expr)
            if known is not None and known.low is not None and known.low >= 0:
                return int(known.low > 0 or not known.closed)
            definition = _equation(graph, expr) if isinstance(expr, Access) else None
            return None if definition is None else _sign(graph, definition.body, positive)
    return None

"""Under which conditions the forward equations have values and derivatives.

Every function that is applied has a domain, some have kinks, a denominator is not 0, a maximum has
one winner. What follows from the equations themselves (σ lies between 0 and 1, a sum of squares is
not negative) is no condition; everything else is an assumption and has to be said. What stands in
a product with a bracket is asked for only where the bracket is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from symderiv.algebra.binding import free_variables
from symderiv.algebra.expr import (
    Access,
    Apply,
    Expr,
    Mul,
    Pow,
    Select,
    children,
    sum_over,
    walk,
)
from symderiv.algebra.matching import alpha_equal
from symderiv.calculus.brackets import Guard, excludes_zero, guard_of, implies
from symderiv.calculus.functions import (
    NONZERO,
    POSITIVE,
    REAL,
    Domain,
    Kink,
    ScalarFunction,
    rows,
)
from symderiv.calculus.graph import Definition, Graph
from symderiv.calculus.implied import Implied, narrower


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

    What was asked as the expressions were written comes last, if the equations do not ask it;
    where the equations ask it at fewer places, that goes without saying.
    """
    implied = Implied(graph)
    found: list[Condition] = []
    for definition in graph.definitions:
        for condition in _of(implied, definition):
            if not any(_covers(known, condition) for known in found):
                found = [known for known in found if not _covers(condition, known)]
                found.append(condition)
    more = [c for c in graph.asked if not any(_contains(known, c) for known in found)]
    kept = [known for known in found if not any(_contains(c, known) for c in more)]
    return (*kept, *more)


def as_written(graph: Graph, asked: Iterable[Condition]) -> tuple[Condition, ...]:
    """Of what was asked as expressions were read, what the equations neither ask nor imply."""
    equations = Implied(graph)
    known = list(conditions(graph))
    kept: list[Condition] = []
    for condition in map(_without_power, asked):
        (argument,), domain = condition.arguments, condition.what
        assert isinstance(domain, Domain)
        implied = equations.lies_in(argument, domain) or any(
            _follows(guard, condition) for guard in condition.guards
        )
        if not implied and not any(_contains(other, condition) for other in (*known, *kept)):
            kept = [other for other in kept if not _contains(condition, other)]
            kept.append(condition)
    return tuple(kept)


def _without_power(condition: Condition) -> Condition:
    """That x² is not 0 as that x is not."""
    (argument,) = condition.arguments
    while condition.what == NONZERO and isinstance(argument, Pow) and argument.exponent > 0:
        argument = argument.base
    return replace(condition, arguments=(argument,))


def _contains(one: Condition, other: Condition) -> bool:
    """Whether one asks at least as much of the same argument, for the same reason and there."""
    if not isinstance(one.what, Domain) or not isinstance(other.what, Domain):
        return False
    if not narrower(one.what, other.what) or one.function != other.function:
        return False
    return _same_place(one, other)


def _of(implied: Implied, definition: Definition) -> Iterator[Condition]:
    for node, guards in _parts(definition.body):
        for condition in _asked_by(implied, definition, node):
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
    if condition.what == NONZERO:
        return excludes_zero(guard, argument)
    return implies(guard, argument, condition.what)


def _asked_by(implied: Implied, definition: Definition, node: Expr) -> Iterator[Condition]:
    """What a node asks of its own arguments."""
    match node:
        case Apply(function, args, _):
            row = rows().get(function)
            if not isinstance(row, ScalarFunction):  # of which nothing is known
                return
            for argument, domain in zip(args, row.domain, strict=False):
                yield from _asked(implied, definition, function, argument, domain)
            wanted = args[: len(args) - len(row.hyper)]
            kinks = row.kinks_at(args)
            if kinks:
                yield Condition(definition, function, wanted, kinks)
        case Pow(base, exponent) if exponent < 0:
            yield from _asked(implied, definition, "", base, NONZERO)
        case Select(_, _, body):
            yield Condition(definition, "max", (body,), None)


def _asked(
    implied: Implied, definition: Definition, function: str, argument: Expr, domain: Domain
) -> Iterator[Condition]:
    """That an argument is in a domain, or that ε > 0 if this is what it comes down to."""
    if domain is REAL or implied.lies_in(argument, domain):
        return
    small = implied.chosen(argument)
    if small and implied.lies_in(argument, domain, positive=True):
        for access in small:
            yield Condition(definition, function, (access,), POSITIVE)
    else:
        yield Condition(definition, function, (argument,), domain)


def _covers(one: Condition, other: Condition) -> bool:
    """Whether one says the same as the other, and wherever the other says it."""
    if (one.function, one.what) != (other.function, other.what):
        return False
    return _same_place(one, other)


def _same_place(one: Condition, other: Condition) -> bool:
    """Whether one is asked of the same arguments, and wherever the other is.

    They may differ in the letters of their indices: in all that is said alike.
    """
    if not one.guards:
        pair = (one.arguments, other.arguments)
        return pair[0] == pair[1] or alpha_equal(*(_closed(_said(args)) for args in pair))
    if [g.holds for g in one.guards] != [g.holds for g in other.guards]:
        return False
    said = ((*c.arguments, *(guard.argument for guard in c.guards)) for c in (one, other))
    return alpha_equal(*(_closed(_said(parts)) for parts in said))


def _said(parts: tuple[Expr, ...]) -> Expr:
    """One tree with the arguments, and those of the guards, whose indices belong together."""
    return Mul(tuple(Pow(part, 2 * n + 2) for n, part in enumerate(parts)))


def _closed(expr: Expr) -> Expr:
    """The sum over all free indices, in the order in which they appear."""
    free = free_variables(expr)
    entries = (node for node in walk(expr) if isinstance(node, Access))
    ordered = dict.fromkeys(v for e in entries for i in e.indices for v in i.variables)
    return sum_over([v for v in ordered if v in free], expr)

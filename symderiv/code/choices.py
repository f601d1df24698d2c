"""Products with brackets as choices: ``np.where(x > 0, np.log(x), 0)``.

In floating point 0 times what has no value is nan; a false bracket is 0 strongly. So a bracket
whose product may have no value chooses, and f [c] + g (1 − [c]) chooses between f and g.
"""

from __future__ import annotations

from collections.abc import Sequence

from symderiv.algebra.binding import free_variables
from symderiv.algebra.expr import (
    ZERO,
    Access,
    Add,
    Apply,
    Expr,
    Mul,
    Pow,
    add,
    mul,
    rebuild,
    tensors_in,
    walk,
)
from symderiv.calculus.brackets import guarded
from symderiv.calculus.functions import NONZERO, REAL, rows
from symderiv.calculus.graph import Definition, Graph
from symderiv.calculus.implied import Implied

CHOICE = "where"
"""The name of ``f if u > 0 else g`` as a function of u, f and g, in trees that become code."""


def chosen(expr: Expr, graph: Graph) -> Expr:
    """The expression with its brackets as choices, where that is needed or shorter."""
    match expr:
        case Add(terms):
            return add(*(chosen(term, graph) for term in _paired(terms)))
        case Mul():
            expr = _strong(expr, graph)
    return rebuild(expr, lambda part: chosen(part, graph))


def _paired(terms: Sequence[Expr]) -> list[Expr]:
    """f [c] + g (1 − [c]) as a choice; terms without a counterpart as they are."""
    sides: dict[Expr, dict[bool, list[int]]] = {}
    for place, term in enumerate(terms):
        found = guarded(term)
        if found is not None:
            guard, _ = found
            sides.setdefault(guard.argument, {}).setdefault(guard.holds, []).append(place)
    left: dict[int, Expr] = dict(enumerate(terms))
    for argument, places in sides.items():
        parts = [terms[n] for group in places.values() for n in group]
        if len(places) < 2 or not any(tensors_in(_other(term)) for term in parts):
            continue
        yes, no = (add(*(_other(left.pop(n)) for n in places[holds])) for holds in (True, False))
        at = min(n for group in places.values() for n in group)
        left[at] = _choice(argument, yes, no)
    return [left[place] for place in sorted(left)]


def _other(term: Expr) -> Expr:
    found = guarded(term)
    assert found is not None
    return found[1]


def _choice(argument: Expr, yes: Expr, no: Expr) -> Expr:
    return Apply(CHOICE, (argument, yes, no), (0, 0, 0))


def _strong(product: Mul, graph: Graph) -> Expr:
    """[c] f as a choice between f and 0, where f may have no value.

    Factors with indices that the bracket does not have stay outside if they always have one.
    """
    found = guarded(product)
    if found is None:
        return product
    guard, rest = found
    factors = rest.factors if isinstance(rest, Mul) else (rest,)
    if not any(may_fail(f, graph) for f in factors):
        return product
    own = free_variables(guard.argument)
    inside = [
        f for f in factors if may_fail(f, graph) or (free_variables(f) <= own and tensors_in(f))
    ]
    outside = [f for f in factors if f not in inside]
    sides = (mul(*inside), ZERO) if guard.holds else (ZERO, mul(*inside))
    return mul(*outside, _choice(guard.argument, *sides))


def may_fail(expr: Expr, graph: Graph) -> bool:
    """Whether a value may be missing, or overflow, where the inputs are moderate numbers."""
    return _fails(expr, graph, Implied(graph))


def _fails(expr: Expr, graph: Graph, implied: Implied) -> bool:
    return any(_may_fail(node, graph, implied) for node in walk(expr))


def _may_fail(node: Expr, graph: Graph, implied: Implied) -> bool:
    match node:
        case Pow(base, exponent) if exponent < 0:
            return not implied.lies_in(base, NONZERO)
        case Apply("exp"):
            return True
        case Apply(function, args, _) if function != CHOICE:
            domains = getattr(rows()[function], "domain", ())
            return any(
                domain is not REAL and not implied.lies_in(argument, domain)
                for argument, domain in zip(args, domains, strict=False)
            )
        case Access(tensor, _):
            return any(
                _fails(d.body, graph, implied)
                for d in graph.definitions_of(tensor)
                if not _recurs(d)
            )
    return False


def _recurs(definition: Definition) -> bool:
    """Whether an equation goes back along an ordered axis, to its own tensor in the end."""
    return any(tensor.ordered for tensor in tensors_in(definition.body))

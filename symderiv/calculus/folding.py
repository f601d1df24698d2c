"""Definitions used from right to left: what a normalised quantity makes of its numerator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symderiv.algebra.binding import replace_accesses, substitute
from symderiv.algebra.expr import (
    Access,
    Bracket,
    Delta,
    Expr,
    Mul,
    Pow,
    Role,
    Sum,
    Tensor,
    mul,
    power,
    rebuild,
    tensors_in,
    walk,
)
from symderiv.algebra.matching import match
from symderiv.calculus.graph import Definition, Graph
from symderiv.calculus.steps import Premise, Uses


class Folds:
    """The equations of a graph that are used from right to left: quotients and masked entries."""

    def __init__(self, graph: Graph) -> None:
        self.quotients = eliminating(graph)
        self.masked = [d for d in graph.definitions if _is_masked(d.body)]


def fold(expr: Expr, folds: Folds) -> tuple[Expr, tuple[Premise, ...], str]:
    """q = c/s eliminates c = q s; a masked entry [..] e gets its name back."""
    used: dict[str, Premise] = {}
    why: dict[str, None] = {}

    def named_again(node: Expr) -> Expr:
        node = rebuild(node, named_again)
        for definition in folds.masked if isinstance(node, Mul) else ():
            found = _named_again(node, definition)
            if found is not None:
                used[definition.target.name] = Uses(definition.target)
                why[f"{definition.target.name} by its equation"] = None
                return found
        return node

    def image(access: Access) -> Expr | None:
        for definition in folds.quotients.get(access.tensor, ()):
            solved = solve_for(definition, access)
            if solved is not None:
                used[definition.target.name] = Uses(definition.target)
                why[f"{access.tensor.name} from the equation of {definition.target.name}"] = None
                return solved
        return None

    if folds.masked:
        expr = named_again(expr)
    return replace_accesses(expr, image), tuple(used.values()), "; ".join(why)


def eliminating(graph: Graph) -> dict[Tensor, list[Definition]]:
    """The quotients ``q = c / s`` from which numerators c are eliminated, by numerator.

    None of them brings back, by way of the others, what it eliminates: from ``q = c / sqrt(c)``
    there is no end to ``c = q sqrt(c)``.
    """
    found: dict[Tensor, list[Definition]] = {}
    after: dict[Tensor, set[Tensor]] = {}
    for definition in graph.definitions:
        quotient = _quotient(definition.body)
        if quotient is None:
            continue
        tensor, below = quotient
        if definition.eliminates != tensor and tensor.role is not Role.AUXILIARY:
            continue
        new = {definition.target, *below}
        if tensor not in _reached(new, after):
            found.setdefault(tensor, []).append(definition)
            after.setdefault(tensor, set()).update(new)
    return found


def _quotient(body: Expr) -> tuple[Tensor, set[Tensor]] | None:
    """The numerator and what the denominators are computed from, if an entry is divided."""
    factors = body.factors if isinstance(body, Mul) else ()
    below = [f for f in factors if isinstance(f, Pow) and f.exponent < 0]
    above = [f for f in factors if f not in below]
    if not below or len(above) != 1 or not isinstance(above[0], Access):
        return None
    return above[0].tensor, {tensor for factor in below for tensor in tensors_in(factor)}


def _reached(start: Iterable[Tensor], after: Mapping[Tensor, set[Tensor]]) -> set[Tensor]:
    """The tensors and all that takes their places, in any number of steps."""
    found: set[Tensor] = set()
    waiting = list(start)
    while waiting:
        tensor = waiting.pop()
        if tensor not in found:
            found.add(tensor)
            waiting.extend(after.get(tensor, ()))
    return found


def _is_masked(body: Expr) -> bool:
    """Whether the body is an entry times brackets: ``[j <= i] e[i, j]``."""
    return (
        isinstance(body, Mul)
        and [isinstance(f, Bracket) for f in body.factors].count(False)
        == sum(isinstance(f, Access) for f in body.factors)
        == 1
    )


def _named_again(product: Expr, definition: Definition) -> Expr | None:
    """The product with the factors ``[..] e`` of a masked entry replaced by the masked entry."""
    assert isinstance(product, Mul) and isinstance(definition.body, Mul)
    (entry,) = (f for f in definition.body.factors if isinstance(f, Access))
    for factor in product.factors:
        binding = match(entry, factor, definition.variables)
        if binding is None:
            continue
        wanted = [substitute(f, binding) for f in definition.body.factors]
        rest = list(product.factors)
        if all(f in rest for f in wanted):
            for f in wanted:
                rest.remove(f)
            return mul(substitute(definition.left, binding), *rest)
    return None


def solve_for(definition: Definition, access: Access) -> Expr | None:
    """``q = c / s`` solved for the entry c: ``q s``; None if the equation has another form."""
    body = definition.body
    factors = body.factors if isinstance(body, Mul) else (body,)
    reciprocals = sum(isinstance(f, Pow) and f.exponent < 0 for f in factors)
    if definition.target == access.tensor or not 0 < reciprocals == len(factors) - 1:
        return None
    for n, factor in enumerate(factors):
        if not (isinstance(factor, Access) and factor.tensor == access.tensor):
            continue
        binding = match(factor, access, definition.variables)
        if binding is None or set(binding) != set(definition.variables):
            return None
        rest = mul(*factors[:n], *factors[n + 1 :])
        if any(isinstance(x, Sum | Delta | Bracket) for x in walk(rest)):
            return None
        return substitute(mul(definition.left, power(rest, -1)), binding)
    return None

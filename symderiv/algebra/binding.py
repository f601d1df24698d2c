"""Bound and free variables: substitution that never captures.

Theorem used throughout: a sum does not depend on the name of its variable. So a binder whose
variable meets the substitution (as a key, or inside a replacement) is renamed first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from symderiv.algebra.expr import (
    Access,
    Bracket,
    Delta,
    Expr,
    Mul,
    Partial,
    Select,
    SizeOf,
    Sum,
    children,
    kept,
    rebuild,
)
from symderiv.algebra.index import (
    Index,
    Known,
    Var,
    as_index,
    fresh,
    guards,
    substitute_axis,
    substitute_index,
)


@kept
def free_variables(expr: Expr) -> frozenset[Var]:
    """The variables that occur and are not bound."""
    match expr:
        case Access(_, indices):
            return frozenset(v for index in indices for v in index.variables)
        case SizeOf(index) | Bracket(index):
            return frozenset(index.variables)
        case Delta(left, right):
            return frozenset(left.variables) | frozenset(right.variables)
        case Sum(var, body):
            return free_variables(body) - {var} | range_variables(var)
        case Select(at, var, body):
            inner = free_variables(body) - {var} | range_variables(var)
            return inner | frozenset(at.variables)
        case _:
            return frozenset().union(*map(free_variables, children(expr)))


def range_variables(var: Var) -> frozenset[Var]:
    """The variables that the range of ``var`` depends on."""
    return frozenset(var.axis.start.variables) | frozenset(var.axis.stop.variables)


def within_ranges(variables: Iterable[Var]) -> frozenset[Var]:
    """The variables that these have in their ranges, and those in the ranges of these."""
    found: frozenset[Var] = frozenset()
    waiting = list(variables)
    while waiting:
        new = range_variables(waiting.pop()) - found
        found |= new
        waiting.extend(new)
    return found


def outer_first(variables: Iterable[Var]) -> list[Var]:
    """The variables in an order in which no range depends on a later one."""
    left = list(variables)
    ordered: list[Var] = []
    while left:
        ordered.append(next(v for v in left if range_variables(v).isdisjoint(left)))
        left.remove(ordered[-1])
    return ordered


def open_indices(*exprs: Expr) -> list[Var]:
    """The free variables and those of their ranges, in a fixed order, outer ones first."""
    found = frozenset().union(*map(free_variables, exprs))
    return outer_first(sorted(found | within_ranges(found), key=lambda v: v.uid))


def substitute(expr: Expr, mapping: Mapping[Var, Index]) -> Expr:
    """Replace free variables by indices, all at once, without capture."""
    mapping = {v: i for v, i in mapping.items() if i.variable != v}
    if not mapping:
        return expr
    return _substitute(expr, mapping)


def _substitute(expr: Expr, mapping: Mapping[Var, Index]) -> Expr:
    if free_variables(expr).isdisjoint(mapping):
        return expr
    match expr:
        case SizeOf(index):
            return SizeOf(substitute_index(index, mapping))
        case Access(tensor, indices):
            return Access(tensor, tuple(substitute_index(i, mapping) for i in indices))
        case Delta(left, right):
            return Delta(substitute_index(left, mapping), substitute_index(right, mapping))
        case Bracket(index):
            return Bracket(substitute_index(index, mapping))
        case Sum(var, body):
            var, body, inner = _open(var, body, mapping)
            return Sum(var, _substitute(body, inner) if inner else body)
        case Select(at, var, body):
            at = substitute_index(at, mapping)
            var, body, inner = _open(var, body, mapping)
            return Select(at, var, _substitute(body, inner) if inner else body)
        case Partial(body, wrt):
            moved = _substitute(wrt, mapping)
            assert isinstance(moved, Access)
            return Partial(_substitute(body, mapping), moved)
        case _:
            return rebuild(expr, lambda child: _substitute(child, mapping))


def _open(var: Var, body: Expr, mapping: Mapping[Var, Index]) -> tuple[Var, Expr, dict[Var, Index]]:
    """A binder made ready for ``mapping``: renamed if it would capture or its range moves."""
    inner = {v: i for v, i in mapping.items() if v != var}
    axis = substitute_axis(var.axis, inner)
    if axis is not var.axis or any(var in i.variables for i in inner.values()):
        renamed = fresh(axis, var.name)
        inner[var] = as_index(renamed)
        var = renamed
    return var, body, inner


def refresh(expr: Expr) -> Expr:
    """The same expression with every bound variable new."""
    match expr:
        case Sum(var, body) | Select(_, var, body):
            renamed = fresh(var.axis, var.name)
            body = refresh(substitute(body, {var: as_index(renamed)}))
            return Sum(renamed, body) if isinstance(expr, Sum) else Select(expr.at, renamed, body)
        case _:
            return rebuild(expr, refresh)


def replace_accesses(expr: Expr, image: Callable[[Access], Expr | None]) -> Expr:
    """Replace entries of tensors by expressions (None keeps one), without capture.

    ``image`` must return expressions whose bound variables are fresh (see :func:`refresh`).
    """
    return replace_where(expr, lambda access, _: image(access))


def replace_where(
    expr: Expr, image: Callable[[Access, Known], Expr | None], known: Known = ()
) -> Expr:
    """The same, where ``image`` is told what is >= 0 at the entry."""
    match expr:
        case Access():
            found = image(expr, known)
            return expr if found is None else found
        case Sum(var, body):
            return Sum(var, replace_where(body, image, known_in(expr, known)))
        case _:
            inner = known_in(expr, known)
            return rebuild(expr, lambda child: replace_where(child, image, inner))


def known_in(expr: Expr, known: Known = ()) -> Known:
    """What may be taken to be >= 0 below a node: a product is 0 where one of its brackets fails.

    Below a binder nothing is known of its variable, even if it is bound outside as well.
    """
    match expr:
        case Mul(factors):
            return (*known, *(factor.index for factor in factors if isinstance(factor, Bracket)))
        case Sum(var, _) | Select(_, var, _):
            return tuple(index for index in known if var not in index.variables)
    return known


def instantiate(
    indices: tuple[Index, ...], body: Expr, given: tuple[Index, ...], known: Known = ()
) -> Expr | None:
    """The body of ``t[indices] = body`` at the indices ``given``, with fresh sums.

    None where the equation is not about that entry: another constant index, or an ordered index
    (layer, time) that is not certainly in its range, where what is ``known`` is >= 0.
    """
    mapping: dict[Var, Index] = {}
    for mine, wanted in zip(indices, given, strict=True):
        variable = mine.variable
        if variable is None:
            if mine != wanted:
                return None
            continue
        if variable.axis.ordered and guards(wanted, variable.axis, known) != ():
            return None
        if mapping.setdefault(variable, wanted) != wanted:
            return None
    return substitute(refresh(body), mapping)

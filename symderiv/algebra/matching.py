"""One-way matching: is this expression an instance of that pattern?"""

from __future__ import annotations

from collections.abc import Iterable

from symderiv.algebra.binding import substitute
from symderiv.algebra.expr import (
    Access,
    Apply,
    Bracket,
    Delta,
    Expr,
    Number,
    Pow,
    Select,
    SizeOf,
    Sum,
    children,
)
from symderiv.algebra.index import Index, Var, as_index, fresh, substitute_index

Binding = dict[Var, Index]


def match(pattern: Expr, expr: Expr, variables: Iterable[Var]) -> Binding | None:
    """Indices for ``variables`` that turn ``pattern`` into ``expr`` (same tree), or None.

    Bound variables may differ in name. A variable is solved for where it stands alone or shifted.
    """
    binding: Binding = {}
    if not _match(pattern, expr, set(variables), binding):
        return None
    return binding if alpha_equal(substitute(pattern, binding), expr) else None


def alpha_equal(left: Expr, right: Expr) -> bool:
    """Whether two trees differ in the names of bound variables at most."""
    return left is right or _alike(left, right, {}, {}, 0)


Levels = dict[Var, int]  # bound variables by how deep they are bound


def _alike(left: Expr, right: Expr, mine: Levels, theirs: Levels, depth: int) -> bool:
    if type(left) is not type(right):
        return False

    def same(i: Index, j: Index) -> bool:
        return _with_levels(i, mine) == _with_levels(j, theirs)

    match left, right:
        case (Number(a), Number(b)):
            return a == b
        case (Access(t, a), Access(u, b)):
            return t == u and all(map(same, a, b))
        case (SizeOf(a), SizeOf(b)) | (Bracket(a), Bracket(b)):
            return same(a, b)
        case (Delta(a, b), Delta(c, d)):
            return same(a, c) and same(b, d)
        case (Sum(v, _), Sum(w, _)) | (Select(_, v, _), Select(_, w, _)):
            if isinstance(left, Select) and not same(left.at, right.at):  # type: ignore[attr-defined]
                return False
            if not (same(v.axis.start, w.axis.start) and same(v.axis.stop, w.axis.stop)):
                return False
            mine, theirs = {**mine, v: depth}, {**theirs, w: depth}
            depth += 1  # not len(mine): a variable may be bound again inside
        case (Apply(f, _, p), Apply(g, _, q)) if f != g or p != q:
            return False
        case (Pow(_, p), Pow(_, q)) if p != q:
            return False
    parts, others = children(left), children(right)
    return len(parts) == len(others) and all(
        _alike(a, b, mine, theirs, depth) for a, b in zip(parts, others, strict=True)
    )


def _with_levels(index: Index, levels: Levels) -> object:
    """The index with bound variables called by their level; equal exactly if the index is."""
    if not levels:
        return index
    return index.const, frozenset(
        (
            levels.get(symbol, symbol)
            if isinstance(symbol, Var)
            else (symbol.name, symbol.at and _with_levels(symbol.at, levels)),
            coefficient,
        )
        for symbol, coefficient in index.terms
    )


def _match(pattern: Expr, expr: Expr, open_: set[Var], binding: Binding) -> bool:
    if type(pattern) is not type(expr):
        return False
    match pattern, expr:
        case (Number(a), Number(b)):
            return a == b
        case (Access(t, a), Access(u, b)):
            return t == u and all(
                _match_index(x, y, open_, binding) for x, y in zip(a, b, strict=True)
            )
        case (SizeOf(a), SizeOf(b)) | (Bracket(a), Bracket(b)):
            return _match_index(a, b, open_, binding)
        case (Delta(a, b), Delta(c, d)):
            return _match_index(a, c, open_, binding) and _match_index(b, d, open_, binding)
        case (Sum(v, a), Sum(w, b)):
            return _match_binder(v, a, w, b, open_, binding)
        case (Select(at, v, a), Select(bt, w, b)):
            return _match_index(at, bt, open_, binding) and _match_binder(
                v, a, w, b, open_, binding
            )
        case (Apply(f, _, p), Apply(g, _, q)) if f != g or p != q:
            return False
        case (Pow(_, p), Pow(_, q)) if p != q:
            return False
    mine, theirs = children(pattern), children(expr)
    return len(mine) == len(theirs) and all(
        _match(a, b, open_, binding) for a, b in zip(mine, theirs, strict=True)
    )


def _match_binder(v: Var, a: Expr, w: Var, b: Expr, open_: set[Var], binding: Binding) -> bool:
    ranges = ((v.axis.start, w.axis.start), (v.axis.stop, w.axis.stop))
    if not all(_match_index(x, y, open_, binding) for x, y in ranges):
        return False
    if v in open_:
        return False
    if v == w:
        return _match(a, b, open_, binding) and not _escapes(v, binding)
    common = fresh(w.axis, w.name)  # neither body can have it free
    mine, theirs = (substitute(e, {u: as_index(common)}) for u, e in ((v, a), (w, b)))
    return _match(mine, theirs, open_, binding) and not _escapes(common, binding)


def _escapes(bound: Var, binding: Binding) -> bool:
    """Whether a solution mentions a variable outside of the sum that binds it."""
    return any(bound in index.variables for index in binding.values())


def _match_index(pattern: Index, index: Index, open_: set[Var], binding: Binding) -> bool:
    unsolved = [v for v in pattern.variables if v in open_ and v not in binding]
    factor = dict(pattern.terms).get(unsolved[0]) if len(unsolved) == 1 else None
    if factor is not None:
        (variable,) = unsolved
        solved = _divided(index - substitute_index(pattern - variable * factor, binding), factor)
        if solved is not None:
            binding[variable] = solved
        return solved is not None
    return substitute_index(pattern, binding) == index


def _divided(index: Index, factor: int) -> Index | None:
    """``index / factor``, if that is an index."""
    if index.const % factor or any(c % factor for _, c in index.terms):
        return None
    return Index(index.const // factor, tuple((s, c // factor) for s, c in index.terms))

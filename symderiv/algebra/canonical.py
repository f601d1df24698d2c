"""Canonical names for bound variables: equal terms get equal keys, whatever their letters.

Colours first: variables are told apart by where they occur, refined until stable. Only true ties
are tried in every order, and variables whose exchange leaves the term as it is are not tried
twice. (Trying all orders from the start is factorial in the number of sums.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from symderiv.algebra.binding import free_variables, range_variables, substitute
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
    Select,
    SizeOf,
    Sum,
)
from symderiv.algebra.index import Var, as_index, quoted

Monomial = tuple[tuple[Expr, int], ...]
Names = dict[Var, str]

LONGEST_DECIMAL = 10_000  # bits
MOST_ORDERS = 120  # of indices of which nothing is known that tells them apart


def decimal(number: Fraction) -> str:
    """A number as text; Python writes no decimals of more than some thousand digits."""
    top, bottom = number.numerator, number.denominator
    if max(top.bit_length(), bottom.bit_length()) > LONGEST_DECIMAL:
        return f"{top:#x}/{bottom:#x}"
    return str(number)


def atom_key(atom: Expr, names: Mapping[Var, str]) -> str:
    """A string that two atoms share exactly when they are equal up to bound variables."""
    if not names:
        return _free_key(atom)
    return _key(atom, names)


@lru_cache(maxsize=200_000)
def _free_key(atom: Expr) -> str:
    return _key(atom, {})


def _key(atom: Expr, names: Mapping[Var, str]) -> str:
    match atom:
        case Access(tensor, indices):
            inside = ",".join(i.key(names) for i in indices)
            return f"{quoted(tensor.name)}.{tensor.role.value}[{inside}]"
        case SizeOf(index):
            return f"#({index.key(names)})"
        case Delta(left, right):
            return f"[{min((left - right).key(names), (right - left).key(names))}=0]"
        case Bracket(index):
            return f"[{index.key(names)}>=0]"
        case Number(value):
            return str(value)
        case Apply(function, args, orders):
            inside = ";".join(_inner_key(a, names) for a in args)
            return f"{quoted(function)}{orders}({inside})"
        case Select(at, var, body):
            inner = {**names, var: f"%s{_depth(names)}"}
            axis = f"{var.axis.start.key(names)}..{var.axis.stop.key(names)}"
            return f"[{at.key(names)}=argmax {axis} {_inner_key(body, inner)}]"
        case Add() | Mul() | Pow() | Sum():
            return f"({_inner_key(atom, names)})"
    raise TypeError(f"no key for {atom!r}")


def _inner_key(expr: Expr, names: Mapping[Var, str]) -> str:
    """The key of a subexpression (an argument, the base of a power), by its own normal form."""
    from symderiv.algebra.normal import normal  # the two are one recursion over trees

    form = normal(expr)
    if not names or free_variables(expr).isdisjoint(names):
        return form.key
    keys = ((decimal(t.coefficient), term_key(t.bound, t.monomial, names)) for t in form.terms)
    return " + ".join(sorted("·".join(pair) for pair in keys))


def term_key(
    bound: tuple[Var, ...], monomial: Monomial, names: Mapping[Var, str] | None = None
) -> str:
    """The canonical key of ``Σ_bound Π atom^power``; ``names`` are those of outer binders."""
    outer = dict(names or {})
    if not bound:
        return _spell(monomial, outer)
    sums = sorted(_sum_key(own, atoms, outer) for own, atoms in _separate(bound, monomial))
    rest = tuple((a, p) for a, p in monomial if free_variables(a).isdisjoint(bound))
    return "".join(sums) + _spell(rest, outer)


def _sum_key(bound: tuple[Var, ...], monomial: Monomial, outer: Names) -> str:
    colour = _initial_colours(bound, outer)
    key = min(
        _header(order, inner) + _spell(monomial, inner)
        for order in _orders(colour, monomial, outer)
        for inner in [_named(order, outer)]
    )
    return f"({key})"


def _separate(
    bound: tuple[Var, ...], monomial: Monomial
) -> Iterator[tuple[tuple[Var, ...], Monomial]]:
    """``Σ_ij f(i) g(j)`` is a product of two sums: the indices that belong together, with atoms.

    (Σ_i x_i)⁹ has nine indices and 9! orders, none of which is worth a look.
    """
    left = list(bound)
    while left:
        group = [left.pop()]
        for var in group:
            near = frozenset().union(
                range_variables(var),
                *(free_variables(a) for a, _ in monomial if var in free_variables(a)),
            )
            joined = [w for w in left if w in near or var in range_variables(w)]
            group += joined
            left = [w for w in left if w not in joined]
        own = tuple(v for v in bound if v in group)
        yield own, tuple((a, p) for a, p in monomial if not free_variables(a).isdisjoint(own))


def _spell(monomial: Monomial, names: Mapping[Var, str]) -> str:
    return "·".join(sorted(f"{atom_key(a, names)}^{p}" for a, p in monomial))


def _named(order: tuple[Var, ...], outer: Names) -> Names:
    start = _depth(outer)
    return {**outer, **{v: f"%k{start + n}" for n, v in enumerate(order)}}


def _depth(names: Mapping[Var, str]) -> int:
    """A number that no name has: a variable may be bound again inside, and its name be lost."""
    return 1 + max((int(n[2:]) for n in names.values() if n[0] == "%"), default=-1)


def _header(order: tuple[Var, ...], names: Names) -> str:
    return "".join(
        f"Σ{names[v]}:{v.axis.start.key(names)}..{v.axis.stop.key(names)} " for v in order
    )


def _initial_colours(bound: tuple[Var, ...], outer: Names) -> dict[Var, int]:
    blank = {**outer, **dict.fromkeys(bound, "?")}
    ranges = {v: f"{v.axis.start.key(blank)}..{v.axis.stop.key(blank)}" for v in bound}
    ranking = {text: n for n, text in enumerate(sorted(set(ranges.values())))}
    return {v: ranking[ranges[v]] for v in bound}


def _refine(colour: dict[Var, int], monomial: Monomial, outer: Names) -> dict[Var, int]:
    """Tell variables apart by the atoms they occur in, until nothing changes."""
    near = {v: [(a, p) for a, p in monomial if v in free_variables(a)] for v in colour}
    while len(count := set(colour.values())) < len(colour):
        names = {**outer, **{v: f"?{c}" for v, c in colour.items()}}
        signature = {
            v: (
                colour[v],
                sorted(f"{atom_key(a, {**names, v: '*'})}^{p}" for a, p in near[v]),
            )
            for v in colour
        }
        ordered: list[tuple[int, list[str]]] = []
        for s in sorted(signature.values()):
            if not ordered or ordered[-1] != s:
                ordered.append(s)
        colour = {v: ordered.index(signature[v]) for v in colour}
        if len(ordered) == len(count):
            break
    return colour


def _orders(colour: dict[Var, int], monomial: Monomial, outer: Names) -> list[tuple[Var, ...]]:
    """Orders to try, not too many: the colours' order; of a tie, each first, then refined again."""
    colour = _refine(colour, monomial, outer)
    ordered = sorted(colour, key=lambda v: colour[v])
    tied = next(
        (colour[v] for v, w in pairwise(ordered) if colour[v] == colour[w]),
        None,
    )
    if tied is None:
        return [tuple(ordered)]
    result: list[tuple[Var, ...]] = []
    tried: list[Var] = []
    for v in (v for v in ordered if colour[v] == tied):
        if any(_exchangeable(v, w, colour, monomial) for w in tried):
            continue
        tried.append(v)
        first = {w: 2 * c + (c == tied and w is not v) for w, c in colour.items()}
        result.extend(_orders(first, monomial, outer))
        if len(result) >= MOST_ORDERS:  # any order gives a name, if not the same one to its equals
            break
    return result


def _exchangeable(v: Var, w: Var, bound: Collection[Var], monomial: Monomial) -> bool:
    if any(u in range_variables(b) for b in bound for u in (v, w)):
        return False
    if (v.axis.start, v.axis.stop) != (w.axis.start, w.axis.stop):
        return False
    swap = {v: as_index(w), w: as_index(v)}
    touched = [(a, p) for a, p in monomial if not free_variables(a).isdisjoint(swap)]
    swapped = [(substitute(a, swap), p) for a, p in touched]
    spell = sorted(f"{atom_key(a, {})}^{p}" for a, p in touched)
    return spell == sorted(f"{atom_key(a, {})}^{p}" for a, p in swapped)

"""Proof for all sizes by evaluation: enough sizes, every equality pattern of the free indices.

Theorem. Let E be a rational expression in opaque tensors with plain indices, and N its numerator
over a common denominator. With its sums split by which indices coincide, N is a combination of
orbit sums (sums over *different* values of the indices), which are linearly independent as soon as
an axis is at least as long as the number of indices on it. Their coefficients are polynomials in
the sizes. In each size the degree is at most d: the powers of the size plus the bound indices on
its axes, denominators multiplied out. So N = 0 at d + 1 sizes of each axis, in every combination,
is N = 0 at all sizes. One size proves nothing: A² − tr(A) A + ½(tr(A)² − tr(A²)) I is 0 at n = 2.

What is not covered is left undecided: brackets, selectors, affine indices, ordered axes, and a
denominator that is a sum and depends on an index summed over outside of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod

from symderiv.algebra.binding import free_variables, replace_accesses
from symderiv.algebra.canonical import atom_key
from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Delta,
    Expr,
    Mul,
    Number,
    Pow,
    SizeOf,
    Sum,
    Tensor,
    add,
    indices_of,
    ranges_of,
    rebuild,
    tensors_in,
    walk,
)
from symderiv.algebra.index import Axis, Index, Size, Var, as_index
from symderiv.algebra.normal import normal
from symderiv.calculus.graph import Graph
from symderiv.proof.degrees import MAX_BITS, MAX_DEGREE, Degrees, Heights
from symderiv.proof.field import BITS, NAME, NoInstance, World, assignments
from symderiv.proof.sizes import grid

WORK = 200_000  # terms evaluated at most; what would take more is left undecided


class NotCovered(ValueError):
    """The theorem does not speak of such an expression."""


def zero_at_all_sizes(
    left: Expr, right: Expr, seed: int = 0, tensors: Collection[Tensor] = ()
) -> tuple[str, Fraction | None]:
    """How ``left = right`` is proved for all sizes, and the chance that a value errs, if any.

    The axes are those that the ``tensors`` have: a normal form may have been made, and kept, for
    others of the same names.
    """
    genuine = {tensor: tensor for tensor in tensors}
    try:
        whole = replace_accesses(
            add(left, -right), lambda a: Access(genuine.get(a.tensor, a.tensor), a.indices)
        )
        difference = opaque(whole, {t.name for t in tensors_in(whole)})
        degree = measure(difference, frozenset())
        lowest, count = _sizes_needed(difference, degree)
        largest = {n: lowest[n] + count[n] for n in lowest}
        if not _affordable(difference, largest, count):
            return "", None
        degree_above = int(Degrees(max(largest.values(), default=1)).of(difference).above)
        if degree_above > MAX_DEGREE:
            return "", None
        if Heights(lambda s: largest[_name(s)]).of(difference).above > MAX_BITS:
            return "", None  # a number that is not 0 may be 0 in the field
        for numbers in grid(lowest, count):
            if not _vanishes(difference, numbers, seed + 1):  # draws that no trial has used
                return "", None
    except (NotCovered, NoInstance, ZeroDivisionError):
        return "", None
    shown = ", ".join(f"{n} = {lowest[n]}..{lowest[n] + count[n] - 1}" for n in lowest)
    method = f"{NAME} at every pattern of indices and every size of {shown or 'no axis'}"
    return method, Fraction(degree_above + 1, 2**BITS)


# --- What is evaluated ------------------------------------------------------------------------


def opaque(expr: Expr, taken: Collection[str] = ()) -> Expr:
    """Every function applied replaced by an entry of a tensor of its own, not one of those taken.

    The name is the normal form of the call: calls with equal names are equal for all sizes.
    """
    expr = rebuild(expr, lambda e: opaque(e, taken))
    if not isinstance(expr, Apply):
        return expr
    call = Apply(expr.function, tuple(normal(a).expr() for a in expr.args), expr.orders)
    variables = _in_order(call)
    places = {v: f"#{n}" for n, v in enumerate(variables)}  # as no size is called
    axes = ";".join(v.axis.size.key({}) for v in variables)
    slots = tuple(variables)
    name = f"{atom_key(call, places)} over {axes}"
    if name in taken:
        raise NotCovered("a tensor that is called as a function applied is")
    return Access(Tensor(name, slots), tuple(map(as_index, slots)))


def _in_order(expr: Expr) -> list[Var]:
    """The free variables in the order of the tree, also those of ranges and brackets alone."""
    free = free_variables(expr)
    held = (i for node in walk(expr) for i in (*indices_of(node), *ranges_of(node)))
    met = dict.fromkeys(v for index in held for v in index.variables if v in free)
    if len(met) < len(free):
        raise NotCovered("an index that no node holds")
    return list(met)


# --- How many sizes are needed -----------------------------------------------------------------


@dataclass(frozen=True)
class Degree:
    """For each size the degree plus the bound indices of numerator and denominator."""

    above: Counter[str] = field(default_factory=Counter)
    below: Counter[str] = field(default_factory=Counter)


def measure(expr: Expr, bound: frozenset[Var]) -> Degree:
    """Bounds for a common numerator and denominator; ``bound`` are the variables summed over.

    Raises NotCovered.
    """
    match expr:
        case Number():
            return Degree()
        case Access(tensor, indices):
            for index, axis in zip(indices, tensor.axes, strict=True):
                if _size_of(index) != _name(_the_size(axis)):
                    raise NotCovered("an index of an axis that is as long as something else")
            return Degree()
        case Delta(left, right):
            if _size_of(left) != _size_of(right):
                raise NotCovered("a delta between axes of different sizes")
            return Degree()
        case SizeOf(index):
            return Degree(Counter({_name(s): 1 for s, _ in index.terms}))
        case Sum(var, body):
            inner = measure(body, bound | {var})
            return Degree(inner.above + Counter([_size_of(as_index(var))]), inner.below)
        case Add(terms):
            return _added([measure(t, bound) for t in terms])
        case Mul(factors):
            parts = [measure(f, bound) for f in factors]
            above = sum((p.above for p in parts), Counter[str]())
            return Degree(above, sum((p.below for p in parts), Counter[str]()))
        case Pow(Access(), exponent) if exponent < 0:
            return measure(expr.base, bound)
        case Pow(base, exponent):
            inner = measure(base, bound)
            if exponent >= 0:
                return Degree(_times(inner.above, exponent), _times(inner.below, exponent))
            if not free_variables(base).isdisjoint(bound):
                raise NotCovered("a compound denominator for each value of a bound index")
            return Degree(_times(inner.below, -exponent), _times(inner.above, -exponent))
    raise NotCovered(f"a {type(expr).__name__} is not covered")


def _added(parts: list[Degree]) -> Degree:
    """Over the product of all denominators."""
    below = sum((p.below for p in parts), Counter[str]())
    above: Counter[str] = Counter()
    for part in parts:
        above |= part.above + (below - part.below)
    return Degree(above, below)


def _times(counts: Counter[str], factor: int) -> Counter[str]:
    return Counter({name: n * factor for name, n in counts.items()})


def _size_of(index: Index) -> str:
    """The name of the size of a plain variable's axis. Raises NotCovered."""
    variable = index.variable
    if variable is None or variable.axis.ordered or variable.axis.start != Index(1):
        raise NotCovered("an index that is not plain")
    return _name(_the_size(variable.axis))


def _the_size(axis: Axis) -> Size:
    """The size that says how long an axis is. Raises NotCovered."""
    match axis.stop.terms:
        case ((Size() as size, 1),) if not axis.stop.const and axis.start == Index(1):
            return size
    raise NotCovered("an axis that is not as long as a size")


def _name(size: Size | Var) -> str:
    if isinstance(size, Var) or (size.at is not None and size.at.terms):
        raise NotCovered("a size that depends on an index")
    return size.key({})


def _sizes_needed(expr: Expr, degree: Degree) -> tuple[dict[str, int], dict[str, int]]:
    free = Counter(_size_of(as_index(v)) for v in free_variables(expr))
    names = sorted({*free, *degree.above, *degree.below, *_all_sizes(expr)})
    lowest = {n: max(3, free[n] + degree.above[n]) for n in names}
    return lowest, {n: degree.above[n] + 1 for n in names}


def _all_sizes(expr: Expr) -> set[str]:
    """Also the sizes that occur nowhere but in a range."""
    return {_size_of(as_index(n.var)) for n in walk(expr) if isinstance(n, Sum)}


# --- Evaluating ---------------------------------------------------------------------------------


def _affordable(expr: Expr, largest: Mapping[str, int], count: Mapping[str, int]) -> bool:
    def terms(e: Expr) -> int:
        match e:
            case Sum(var, body):
                return largest[_size_of(as_index(var))] * terms(body)
            case Add(parts) | Mul(parts):
                return sum(map(terms, parts))
            case Pow(base, _):
                return terms(base)
            case _:
                return 1

    patterns = prod(range(1, len(free_variables(expr)) + 1))
    return terms(expr) * patterns * prod(count.values()) <= WORK


def _vanishes(expr: Expr, numbers: Mapping[str, int], seed: int) -> bool:
    """Whether the expression is 0 at these sizes, for every pattern of equal free indices."""
    nowhere = Graph((), Tensor("nowhere"))
    world = World(nowhere, numbers, seed, opened=frozenset(), roots=False)
    free = sorted(free_variables(expr), key=lambda v: v.uid)
    return all(world.value(expr, env) == 0 for env in assignments(world, free))

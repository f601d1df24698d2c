"""Where a line has a value: what may be taken to have one, and what follows from that.

A step holds where both of its sides have values. In s = s (x[i] − x[j])/(x[i] − x[j]) that is not
where i = j, and whoever reads a chain from its first line to its last would not notice. So every
line must have a value wherever the derivative has one that the chain starts from: a line has no
needs that the derivative, a stated derivative or a forward equation in use does not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import chain, islice, permutations, product

from symderiv.algebra.binding import (
    free_variables,
    range_variables,
    substitute,
    within_ranges,
)
from symderiv.algebra.expr import (
    ZERO,
    Access,
    Apply,
    Bracket,
    Delta,
    Expr,
    Number,
    Tensor,
    has_partial,
    mul,
)
from symderiv.algebra.index import (
    Axis,
    Index,
    Var,
    as_index,
    fresh,
    guards,
    is_nonnegative,
    is_zero,
    substitute_axis,
)
from symderiv.algebra.matching import match
from symderiv.algebra.normal import normal
from symderiv.calculus.graph import Definition
from symderiv.proof.needs import (
    Need,
    has_ends,
    is_derivative,
    is_smooth,
    is_there,
    needs,
    nonzero_factors,
    not_zero,
)
from symderiv.proof.quotients import over_common_denominator
from symderiv.proof.sides import divides_by_a_bracket
from symderiv.proof.spoken import ends, spoken

TRIED = 24  # ways to name the indices of a need

Binding = Mapping[Var, Index]


class Granted:
    """The needs that may be taken to be met: those of what has a value."""

    def __init__(self, definitions: Iterable[Definition] = ()) -> None:
        self._needs: dict[Need, None] = {}
        self._existing: set[Tensor] = set()  # adjoints of which every entry exists
        self._members: dict[Tensor, Axis] = {}  # of families that have equations
        for definition in definitions:
            self.grant([definition.body], definition.variables)
            self._widen(definition)
        for need in [n for n in self._needs if _is_rough(n.subject)]:
            del self._needs[need]  # of which nothing is printed

    def copy(self) -> Granted:
        """The same, to which more can be added."""
        copied = Granted()
        copied._needs |= self._needs
        copied._existing |= self._existing
        copied._members |= self._members
        return copied

    def _widen(self, definition: Definition) -> None:
        """Members of a family that have an equation are there, beside those of its axis."""
        tensor = definition.target
        places = list(zip(definition.indices, definition.left.axes, strict=True))
        if tensor.ordered and all(map(_is_whole, places[1:])):
            head = definition.indices[0]
            low, high = ends(v.axis) if (v := head.variable) is not None else (head, head)
            axis = self._members.get(tensor, tensor.axes[0])
            start = low if is_zero(high + 1 - axis.start) else axis.start
            stop = high if is_zero(axis.stop + 1 - low) else axis.stop
            self._members[tensor] = replace(axis, start=start, stop=stop)

    def grant(self, exprs: Iterable[Expr], variables: tuple[Var, ...] = ()) -> None:
        """These have values at all values of some variables, and so what they need is met."""
        for need in chain.from_iterable(map(needs, exprs)):
            met = need.within((), variables) if variables else need
            self._needs[met] = None
            for factor in not_zero(need):
                self._needs[replace(met, subject=factor, nonzero=True)] = None

    def exists(self, entry: Access) -> None:
        """A derivative exists, whatever the values of its variables are, if what it is by does."""
        of = entry.tensor.of
        if of is not None:
            by = Access(of, entry.indices[len(entry.indices) - len(of.slots) :])
            if not is_there(by, (), self._members.get(of)):
                return
        if all(map(_is_whole, zip(entry.indices, entry.axes, strict=True))):
            self._existing.add(entry.tensor)
        else:
            variables = (index.variable for index in entry.indices)
            self.grant([entry], tuple(v for v in variables if v is not None))

    def positive(self, exprs: Iterable[Expr]) -> None:
        """These are said to be positive, and so are logarithms and roots of them defined."""
        for expr in exprs:
            for function in ("log", "sqrt"):
                self._needs.setdefault(Need(Apply(function, (expr,), (0,)), False))
            self._needs.update((Need(factor, True), None) for factor in nonzero_factors(expr))

    def meets(self, need: Need) -> bool:
        """Whether that is certain."""
        entry = need.subject
        if isinstance(entry, Access) and not need.nonzero:
            exists = not is_derivative(entry) or entry.tensor in self._existing
            if exists and is_there(entry, _known(need), self._members.get(entry.tensor)):
                return True
        if need in self._needs or any(covers(have, need) for have in self._needs):
            return True
        alike = (have for have in self._needs if need.nonzero and _is_alike(have, need))
        return any(covers(have, need, renamed=True) for have in islice(alike, TRIED))


def _is_whole(place: tuple[Index, Axis]) -> bool:
    """Whether an index runs over all of its axis."""
    index, axis = place
    variable = index.variable
    return variable is not None and ends(variable.axis) == ends(axis)


def covers(have: Need, need: Need, renamed: bool = False) -> bool:
    """Whether the one is met wherever the other one is, as it stands or ``renamed``."""
    if not _is_alike(have, need):
        return False
    have, need = _apart(_decided(have), need), _decided(need)
    binding = _renamed(have, need) if renamed else _matched(have, need)
    if binding is None:
        return False
    brackets = _known(need)
    for guard in have.guards:
        image = substitute(guard, binding)
        open_ = [v for v in have.bound if v in free_variables(image) and v not in binding]
        further = _somewhere(image, open_, need.guards, brackets)
        if further is None:
            return False
        binding |= further
    return all(
        guards(binding[var], axis, tuple(brackets)) == ()
        if var in binding
        else _is_implied(axis.size - 1, brackets)
        for var in have.bound
        for axis in [substitute_axis(var.axis, binding)]
    )


def _apart(have: Need, need: Need) -> Need:
    """The same with bound indices of its own, where the other one speaks of them as well."""
    spoken_of = free_variables(need.subject).union(need.bound, *map(free_variables, need.guards))
    spoken_of |= within_ranges(spoken_of)
    if spoken_of.isdisjoint(have.bound):
        return have
    place: dict[Var, Index] = {}
    for var in have.bound:  # outer ones first: the range of one may depend on those before it
        place[var] = as_index(fresh(substitute_axis(var.axis, place), var.name))
    renamed = _placed(have, place)
    return replace(renamed, bound=tuple(v for i in place.values() if (v := i.variable)))


def _is_alike(have: Need, need: Need) -> bool:
    """Whether the one may speak of what the other one does: of one tensor or function, say."""
    if have.nonzero or need.nonzero:
        said, asked = spoken(have.subject).tensors, spoken(need.subject).tensors
        return have.nonzero is need.nonzero and said == asked
    match have.subject, need.subject:
        case Access(one, _), Access(other, _):
            return one == other
        case Apply(name, _), Apply(other_name, _):
            return name == other_name
    return type(have.subject) is type(need.subject)


def _known(need: Need) -> list[Index]:
    """What is >= 0 where something is needed: by brackets, and since there are such indices."""
    brackets = [guard.index for guard in need.guards if isinstance(guard, Bracket)]
    return brackets + [var.axis.size - 1 for var in need.bound]


def _somewhere(
    guard: Expr, open_: list[Var], others: tuple[Expr, ...], brackets: list[Index]
) -> Binding | None:
    """Values of the ``open_`` indices for which a guard is 1 where the others are."""
    if not open_:
        return {} if _holds(guard, others, brackets) else None
    found = (match(guard, other, open_) for other in others)
    further: Binding | None = next((b for b in found if b is not None), None)
    if further is None and len(open_) == 1:
        (var,) = open_
        ends = ({var: var.axis.start}, {var: var.axis.stop})
        further = next((p for p in ends if _holds(substitute(guard, p), others, brackets)), None)
    return further


def _matched(have: Need, need: Need) -> dict[Var, Index] | None:
    """The indices at which the one speaks of what the other one does."""
    own = [var for var in have.bound if var in free_variables(have.subject)]
    one, other = have.subject, need.subject
    if not need.nonzero and isinstance(one, Apply) and isinstance(other, Apply):
        one = _differentiated(one, other)
    binding = match(one, other, own)
    return None if binding is None else dict(binding)


def _renamed(have: Need, need: Need) -> dict[Var, Index] | None:
    """The same for what is not 0, by the normal forms of what both of them are 0 with."""
    own = [var for var in have.bound if var in free_variables(have.subject)]
    one, other = have.subject, need.subject
    images = permutations(sorted(free_variables(other), key=lambda v: v.uid), len(own))
    places = (dict(zip(own, map(as_index, image), strict=True)) for image in islice(images, TRIED))
    wanted = _numerator(other)
    return next((p for p in places if wanted and _numerator(substitute(one, p)) == wanted), None)


@lru_cache(maxsize=10_000)
def _numerator(expr: Expr) -> str:
    """The normal form of what is 0 where a sum of quotients is, up to a number; "" for 0."""
    if has_partial(expr) or divides_by_a_bracket(expr):
        return ""
    try:
        whole = over_common_denominator(expr, ZERO)
        form = normal(expr if whole is None else whole)
        return normal(mul(Number(1 / form.terms[0].coefficient), form.expr())).key
    except (ZeroDivisionError, IndexError):  # it is 0, or has no value
        return ""


def _is_rough(subject: Expr) -> bool:
    """Whether it is a derivative of which more is asked than the function's domain and kinks."""
    if not isinstance(subject, Apply) or not any(subject.orders):
        return False
    function = subject.function
    return has_ends(function) or (sum(subject.orders) > 1 and not is_smooth(function))


def _differentiated(one: Apply, other: Apply) -> Apply:
    """A function as often differentiated as the other one, if it is defined there as well."""
    often = all(a >= b for a, b in zip(one.orders, other.orders, strict=False))
    as_often = often or is_smooth(one.function)
    return Apply(one.function, one.args, other.orders) if as_often else one


def _holds(guard: Expr, others: tuple[Expr, ...], brackets: Iterable[Index]) -> bool:
    """Whether a guard is 1 where the others are."""
    if guard in others:
        return True
    match guard:
        case Bracket(index):
            return _is_implied(index, brackets)
        case Delta(left, right):
            return is_zero(left - right) is True or Delta(right, left) in others
    return any(match(guard, other, ()) is not None for other in others)


def _is_implied(index: Index, brackets: Iterable[Index]) -> bool:
    """Whether an index is >= 0 where these are."""
    return any(is_nonnegative(index - known) for known in (Index(0), *brackets))


@lru_cache(maxsize=10_000)
def _decided(need: Need) -> Need:
    """The same with every index put in its place that a delta decides, or a range of one value."""
    named = free_variables(need.subject).union(*map(free_variables, need.guards))
    need = _placed(need, {v: v.axis.only for v in named if v.axis.only is not None})
    for guard, var in product(need.guards, need.bound):
        index = _solution(guard, var)
        if index is None or any(var in range_variables(v) for v in need.bound):
            continue
        inside = guards(index, var.axis)
        if inside is not None:
            rest = tuple(g for g in need.guards if g is not guard)
            need = replace(need, guards=rest + tuple(map(Bracket, inside)))
            return _decided(_placed(need, {var: index}))
    return need


def _placed(need: Need, place: Binding) -> Need:
    """The same at these indices."""
    beside = tuple(substitute(guard, place) for guard in need.guards)
    bound = tuple(v for v in need.bound if v not in place)
    return Need(substitute(need.subject, place), need.nonzero, beside, bound)


def _solution(guard: Expr, var: Var) -> Index | None:
    """What a bound index must be so that a delta is not 0."""
    if isinstance(guard, Delta):
        for mine, other in ((guard.left, guard.right), (guard.right, guard.left)):
            if mine.variable == var and var not in other.variables:
                return other
    return None

"""Where a line has a value: what it divides by, and what its functions need of their arguments.

A step holds where both of its sides have values. In s = s (x[i] − x[j])/(x[i] − x[j]) that is not
where i = j, and whoever reads a chain from its first line to its last would not notice. So every
line must have a value wherever the derivative has one that the chain starts from: a line has no
needs that the derivative, a stated derivative or a forward equation in use does not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, lru_cache
from itertools import chain, islice, permutations, product

from symderiv.algebra.binding import free_variables, range_variables, substitute
from symderiv.algebra.expr import (
    ZERO,
    Access,
    Add,
    Apply,
    Bracket,
    Delta,
    Expr,
    Mul,
    Number,
    Pow,
    Role,
    Select,
    SizeOf,
    Sum,
    Tensor,
    children,
    kept,
    mul,
    walk,
)
from symderiv.algebra.index import (
    Index,
    Var,
    as_index,
    guards,
    is_nonnegative,
    is_zero,
    lower_bound,
    substitute_axis,
)
from symderiv.algebra.matching import match
from symderiv.algebra.normal import normal
from symderiv.calculus.brackets import guard_of
from symderiv.calculus.functions import (
    NONNEGATIVE,
    POSITIVE,
    REAL,
    Domain,
    ScalarFunction,
    rows,
    scalar,
    symbols,
    unfold,
)
from symderiv.calculus.graph import Definition
from symderiv.proof.quotients import over_common_denominator
from symderiv.proof.spoken import spoken

TRIED = 24  # ways to name the indices of a need

Binding = Mapping[Var, Index]


@dataclass(frozen=True)
class Need:
    """What must hold so that an expression has a value.

    The ``subject`` is ``nonzero``, or has a value at all, for all ``bound`` indices in their ranges
    where no one of the ``guards`` is 0.
    """

    subject: Expr
    nonzero: bool
    guards: tuple[Expr, ...] = ()
    bound: tuple[Var, ...] = ()

    def within(self, guards: tuple[Expr, ...], bound: tuple[Var, ...] = ()) -> Need:
        """The same beside some guards, and below some indices."""
        return Need(self.subject, self.nonzero, guards + self.guards, bound + self.bound)

    @property
    def of_adjoint(self) -> bool:
        """Whether a derivative that is named must exist."""
        return isinstance(self.subject, Access) and _is_derivative(self.subject)


@kept
def needs(expr: Expr) -> tuple[Need, ...]:
    """What an expression needs so that it has a value, where that is not certain."""
    return (*_own(expr), *_of_parts(expr))


def _own(expr: Expr) -> Iterator[Need]:
    """What a node needs by itself."""
    match expr:
        case Pow(base, exponent) if exponent < 0:
            yield from (Need(factor, True) for factor in _factors(base) if not _is_positive(factor))
        case Apply() if _may_fail(expr):
            yield Need(expr, False)
        case Select(_, var, body):  # of nothing there is no maximum, nor where all are the same
            yield Need(Select(var.axis.start, var, body), False)
        case Access() if _is_derivative(expr) or not _is_there(expr, ()):
            yield Need(expr, False)


def _of_parts(expr: Expr) -> Iterator[Need]:
    """What its parts need: for all indices that it binds, and where other factors are not 0."""
    for part in children(expr):
        asked = needs(part)
        match expr:
            case _ if not asked:
                continue
            case Mul(factors):
                beside = tuple(f for f in factors if f is not part and _is_guard(f))
                yield from (need.within(beside) for need in asked) if beside else asked
            case Sum(var, _) | Select(_, var, _):
                yield from (need.within((), (var,)) for need in asked)
            case _:
                yield from asked


def _is_there(entry: Access, known: Iterable[Index]) -> bool:
    """Whether an entry lies in its axes; along an ordered one, every entry has its equation."""
    places = zip(entry.indices, entry.axes, strict=True)
    return all(a.ordered or guards(index, a, tuple(known)) == () for index, a in places)


def _is_derivative(entry: Access) -> bool:
    """Whether an entry is one that need not exist."""
    return entry.tensor.role is Role.ADJOINT


def _is_guard(factor: Expr) -> bool:
    """Whether a product is 0 where the factor is, whatever the others are: an Iverson bracket."""
    return isinstance(factor, Bracket | Delta) or guard_of(factor) is not None


def _factors(base: Expr) -> Iterator[Expr]:
    """What is not 0 where a product or a power is not 0."""
    match base:
        case Mul(factors):
            for factor in factors:
                yield from _factors(factor)
        case Pow(inner, exponent) if exponent > 0:
            yield from _factors(inner)
        case Number(value) if value:
            return
        case _:
            yield base


def _is_positive(expr: Expr) -> bool:
    """Whether that is certain, for all values of all tensors."""
    match expr:
        case Number(value):
            return value > 0
        case SizeOf(index):
            low = lower_bound(index)
            return low is not None and low > 0
        case Apply("exp" | "pi"):
            return not any(expr.orders)
        case Apply("sqrt", (argument,), (0,)):
            return _is_positive(argument)
        case Add(parts) | Mul(parts):
            return all(map(_is_positive, parts))
        case Pow(base, _):
            return _is_positive(base)
    return False


def _may_fail(expr: Apply) -> bool:
    """Whether a function is not defined everywhere, or not differentiable where it is asked."""
    row = rows().get(expr.function)
    if not isinstance(row, ScalarFunction):
        return False
    if any(expr.orders):
        return not _is_smooth(expr.function) or any(d is not REAL for d in row.domain)
    return not all(map(_lies_in, expr.args, row.domain))


def _not_zero(need: Need) -> Iterator[Expr]:
    """What is not 0 where a function has a value: u, where there is log u."""
    call = need.subject
    if isinstance(call, Apply) and not need.nonzero:
        for argument, domain in zip(call.args, scalar(call.function).domain, strict=True):
            if not domain.contains(Fraction(0)):
                yield from _factors(argument)


def _lies_in(argument: Expr, domain: Domain) -> bool:
    """Whether that is certain, for all values of all tensors."""
    if isinstance(argument, Number):
        return domain.contains(argument.value)
    return domain is REAL or (domain in (POSITIVE, NONNEGATIVE) and _is_positive(argument))


@cache
def _is_smooth(function: str) -> bool:
    """Whether a function has all derivatives wherever it has a value: no bracket, and no end."""
    row = scalar(function)
    ends = any(domain.closed or domain.with_high for domain in row.domain)
    brackets = any(
        isinstance(node, Apply) and node.function == "positive"
        for node in walk(unfold(row(*symbols(row))))
    )
    return not ends and not brackets


def divisors(lines: Iterable[Expr]) -> set[Expr]:
    """All that the lines divide by, as far as it is not certainly positive."""
    found = {need.subject for line in lines for need in needs(line) if need.nonzero}
    return {subject for subject in found if not isinstance(subject, Bracket)}


class Granted:
    """The needs that may be taken to be met: those of what has a value."""

    def __init__(self, definitions: Iterable[Definition] = ()) -> None:
        self._needs: dict[Need, None] = {}
        self._existing: set[Tensor] = set()  # adjoints of which every entry exists
        for definition in definitions:
            self.grant([definition.body], definition.variables)

    def copy(self) -> Granted:
        """The same, to which more can be added."""
        copied = Granted()
        copied._needs |= self._needs
        copied._existing |= self._existing
        return copied

    def grant(self, exprs: Iterable[Expr], variables: tuple[Var, ...] = ()) -> None:
        """These have values at all values of some variables, and so what they need is met."""
        for need in chain.from_iterable(map(needs, exprs)):
            met = need.within((), variables) if variables else need
            self._needs[met] = None
            for factor in _not_zero(need):
                self._needs[replace(met, subject=factor, nonzero=True)] = None

    def exists(self, entry: Access) -> None:
        """A derivative exists, whatever the values of its variables are."""
        variables = tuple(v for index in entry.indices if (v := index.variable) is not None)
        if not entry.tensor.ordered and len(variables) == len(entry.indices):
            self._existing.add(entry.tensor)
        else:
            self.grant([entry], variables)

    def positive(self, exprs: Iterable[Expr]) -> None:
        """These are said to be positive, and so are logarithms and roots of them defined."""
        for expr in exprs:
            for function in ("log", "sqrt"):
                self._needs.setdefault(Need(Apply(function, (expr,), (0,)), False))
            self._needs.update((Need(factor, True), None) for factor in _factors(expr))

    def meets(self, need: Need) -> bool:
        """Whether that is certain."""
        entry = need.subject
        if isinstance(entry, Access) and not need.nonzero:
            exists = not _is_derivative(entry) or entry.tensor in self._existing
            if exists and _is_there(entry, _known(need)):
                return True
        return need in self._needs or any(covers(have, need) for have in self._needs)


def covers(have: Need, need: Need) -> bool:
    """Whether the one is met wherever the other one is."""
    if not _is_alike(have, need):
        return False
    have, need = _decided(have), _decided(need)
    binding = _matched(have, need)
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


def _is_alike(have: Need, need: Need) -> bool:
    """Whether the one may speak of what the other one does: of one tensor or function, say."""
    if have.nonzero or need.nonzero:
        return have.nonzero is need.nonzero
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
    if binding is not None:
        return dict(binding)
    if not need.nonzero or spoken(one).tensors != spoken(other).tensors:
        return None
    images = permutations(sorted(free_variables(other), key=lambda v: v.uid), len(own))
    places = (dict(zip(own, map(as_index, image), strict=True)) for image in islice(images, TRIED))
    wanted = _numerator(other)
    return next((p for p in places if wanted and _numerator(substitute(one, p)) == wanted), None)


@lru_cache(maxsize=10_000)
def _numerator(expr: Expr) -> str:
    """The normal form of what is 0 where a sum of quotients is, up to a number; "" for 0."""
    try:
        whole = over_common_denominator(expr, ZERO)
        form = normal(expr if whole is None else whole)
        return normal(mul(Number(1 / form.terms[0].coefficient), form.expr())).key
    except (ZeroDivisionError, IndexError):  # it is 0, or has no value
        return ""


def _differentiated(one: Apply, other: Apply) -> Apply:
    """A function as often differentiated as the other one, if it is defined there as well."""
    often = all(a >= b for a, b in zip(one.orders, other.orders, strict=False))
    as_often = often or _is_smooth(one.function)
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
    spoken = free_variables(need.subject).union(*map(free_variables, need.guards))
    need = _placed(need, {v: v.axis.only for v in spoken if v.axis.only is not None})
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

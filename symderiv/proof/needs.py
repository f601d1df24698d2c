"""What an expression needs so that it has a value.

What it divides by is not 0, its functions are defined of their arguments, and differentiable where
that is asked; a maximum is taken of something, and once; entries lie in their axes, and adjoints,
which are derivatives, exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

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
    Role,
    Select,
    SizeOf,
    Sum,
    children,
    kept,
    walk,
)
from symderiv.algebra.index import Axis, Index, Var, guards, lower_bound
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
        entry = self.subject
        return isinstance(entry, Access) and is_derivative(entry) and not self.nonzero


@kept
def needs(expr: Expr) -> tuple[Need, ...]:
    """What an expression needs so that it has a value, where that is not certain."""
    return (*_own(expr), *_of_parts(expr))


def _own(expr: Expr) -> Iterator[Need]:
    """What a node needs by itself."""
    match expr:
        case Pow(base, exponent) if exponent < 0:
            yield from (
                Need(factor, True) for factor in nonzero_factors(base) if not is_positive(factor)
            )
        case Apply() if _may_fail(expr):
            yield Need(expr, False)
        case Select(_, var, body):  # of nothing there is no maximum, nor where all are the same
            yield Need(Select(var.axis.start, var, body), False)
        case Access() if is_derivative(expr) or not is_there(expr):
            yield Need(expr, False)


def _of_parts(expr: Expr) -> Iterator[Need]:
    """What its parts need: for all indices that it binds, and where other factors are not 0."""
    for part in children(expr):
        asked = needs(part)
        match expr:
            case _ if not asked:
                continue
            case Mul(factors):
                beside = tuple(f for f in factors if f is not part and _excuses(f))
                yield from (need.within(beside) for need in asked) if beside else asked
            case Sum(var, _) | Select(_, var, _):
                yield from (need.within((), (var,)) for need in asked)
            case _:
                yield from asked


def is_there(entry: Access, known: Iterable[Index] = (), members: Axis | None = None) -> bool:
    """Whether an entry lies in its axes, that of the ``members`` of its family if that is wider."""
    axes = entry.axes if members is None else (members, *entry.axes[1:])
    places = zip(entry.indices, axes, strict=True)
    return all(guards(index, axis, tuple(known)) == () for index, axis in places)


def is_derivative(entry: Access) -> bool:
    """Whether an entry is one that need not exist."""
    return entry.tensor.role is Role.ADJOINT


def is_guard(factor: Expr) -> bool:
    """Whether a product is 0 where the factor is, whatever the others are: an Iverson bracket."""
    return isinstance(factor, Bracket | Delta) or guard_of(factor) is not None


def _excuses(factor: Expr) -> bool:
    """Whether what stands beside it need not have a value where it is 0: [u > 0], and its slope."""
    return is_guard(factor) or (isinstance(factor, Apply) and factor.function == "positive")


def nonzero_factors(base: Expr) -> Iterator[Expr]:
    """What is not 0 where a product or a power is not 0."""
    match base:
        case Mul(factors):
            for factor in factors:
                yield from nonzero_factors(factor)
        case Pow(inner, _):
            yield from nonzero_factors(inner)
        case Number(value) if value:
            return
        case _:
            yield base


def is_positive(expr: Expr) -> bool:
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
            return is_positive(argument)
        case Add(parts) | Mul(parts):
            return all(map(is_positive, parts))
        case Pow(base, _):
            return is_positive(base)
    return False


def _may_fail(expr: Apply) -> bool:
    """Whether a function is not defined everywhere, or not differentiable where it is asked."""
    row = rows().get(expr.function)
    if not isinstance(row, ScalarFunction):
        return False
    if any(expr.orders):
        return not is_smooth(expr.function) or any(d is not REAL for d in row.domain)
    return not all(map(_lies_in, expr.args, row.domain))


def not_zero(need: Need) -> Iterator[Expr]:
    """What is not 0 where a function has a value: u, where there is log u."""
    call = need.subject
    if isinstance(call, Apply) and not need.nonzero:
        for argument, domain in zip(call.args, scalar(call.function).domain, strict=True):
            if not domain.contains(Fraction(0)):
                yield from nonzero_factors(argument)


def _lies_in(argument: Expr, domain: Domain) -> bool:
    """Whether that is certain, for all values of all tensors."""
    if isinstance(argument, Number):
        return domain.contains(argument.value)
    return domain is REAL or (domain in (POSITIVE, NONNEGATIVE) and is_positive(argument))


@cache
def is_smooth(function: str) -> bool:
    """Whether a function has all derivatives wherever it has a value: no bracket, and no end."""
    row = scalar(function)
    brackets = any(
        isinstance(node, Apply) and node.function == "positive"
        for node in walk(unfold(row(*symbols(row))))
    )
    return not has_ends(function) and not brackets


@cache
def has_ends(function: str) -> bool:
    """Whether a function has values at an end of a domain, where it may have no derivative."""
    domains = scalar(function).domain
    limits = ((domain, end) for domain in domains for end in (domain.low, domain.high))
    return any(end is not None and domain.contains(end) for domain, end in limits)


def divisors(lines: Iterable[Expr]) -> set[Expr]:
    """All that the lines divide by, as far as it is not certainly positive."""
    found = {need.subject for line in lines for need in needs(line) if need.nonzero}
    return {subject for subject in found if not isinstance(subject, Bracket)}

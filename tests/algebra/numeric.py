"""Index expressions as plain numbers: exact fractions at small sizes, every entry of its own.

Written from the meaning of each node, without looking at the library's evaluators. Entries and
functions are fixed pseudo-random fractions; sizes are small, and ``q[1]``, ``q[2]``, ... differ.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from symderiv.algebra.binding import free_variables, range_variables
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
from symderiv.algebra.index import Axis, Index, Size, Var

Env = dict[Var, int]


def noise(*key: object) -> Fraction:
    """A nonzero fraction that belongs to the key."""
    number = zlib.crc32(repr(key).encode())
    return Fraction((number % 19 - 9) or 10, number // 19 % 5 + 1)


@dataclass(frozen=True)
class Sizes:
    """Numbers for n, m, L; the family q takes them from its own index."""

    n: int
    m: int
    L: int = 2

    def of(self, size: Size, env: Env) -> int:
        """The number of a size."""
        if size.at is None:
            return int(getattr(self, size.name))
        return 1 + zlib.crc32(f"{size.name} {self.index(size.at, env)}".encode()) % 3

    def index(self, index: Index, env: Env) -> int:
        """The value of an affine index."""
        return index.const + sum(
            c * (env[s] if isinstance(s, Var) else self.of(s, env)) for s, c in index.terms
        )

    def span(self, axis: Axis, env: Env) -> range:
        """The values on an axis."""
        return range(self.index(axis.start, env), self.index(axis.stop, env) + 1)

    def environments(self, variables: Sequence[Var], env: Env | None = None) -> Iterator[Env]:
        """Every way to give the variables values; a later range may depend on an earlier one."""
        if not variables:
            yield env or {}
            return
        for value in self.span(variables[0].axis, env or {}):
            yield from self.environments(variables[1:], {**(env or {}), variables[0]: value})


SMALL = (Sizes(1, 2), Sizes(2, 1), Sizes(3, 2, 3), Sizes(2, 3, 1))


def value(expr: Expr, sizes: Sizes, env: Env) -> Fraction:
    """The number that the tree stands for. Raises ZeroDivisionError."""

    def of(e: Expr, env: Env) -> Fraction:
        match e:
            case Number(number):
                return number
            case SizeOf(index):
                return Fraction(sizes.index(index, env))
            case Access(tensor, indices):
                return noise(tensor.name, *(sizes.index(i, env) for i in indices))
            case Delta(left, right):
                return Fraction(sizes.index(left, env) == sizes.index(right, env))
            case Bracket(index):
                return Fraction(sizes.index(index, env) >= 0)
            case Apply(function, args, orders):
                return noise(function, orders, *(of(a, env) for a in args))
            case Sum(var, body):
                span = sizes.span(var.axis, env)
                return sum((of(body, {**env, var: n}) for n in span), Fraction(0))
            case Select(at, var, body):
                span = sizes.span(var.axis, env)
                if not span:
                    return Fraction(0)
                values = [of(body, {**env, var: n}) for n in span]
                return Fraction(span[values.index(max(values))] == sizes.index(at, env))
            case Add(terms):
                return sum((of(t, env) for t in terms), Fraction(0))
            case Mul(factors):
                result = Fraction(1)
                guards = [f for f in factors if isinstance(f, Delta | Bracket)]
                if any(of(g, env) == 0 for g in guards):  # what they exclude needs no value
                    return Fraction(0)
                for factor in factors:
                    result *= of(factor, env)
                return result
            case Pow(base, exponent):
                return of(base, env) ** exponent
        raise TypeError(repr(e))

    return of(expr, env)


def values(expr: Expr, free: Sequence[Var]) -> list[Fraction | None]:
    """The values at all small sizes and all free indices; None where one divides by zero."""
    found: list[Fraction | None] = []
    for sizes in SMALL:
        for env in sizes.environments(free):
            try:
                found.append(value(expr, sizes, env))
            except ZeroDivisionError:
                found.append(None)
    return found


def agree(left: Expr, right: Expr, free: Sequence[Var]) -> bool:
    """Whether two trees have the same values wherever both have one."""
    used = free_variables(left) | free_variables(right)
    used |= {w for v in used for w in range_variables(v)}
    free = [v for v in free if v in used]
    pairs = zip(values(left, free), values(right, free), strict=True)
    return all(a is None or b is None or a == b for a, b in pairs)

"""How high the degrees and how large the coefficients of an expression get.

A polynomial of degree d that is not 0 is 0 at a random point of the field with a chance of at most
d/(2^61 - 2) (Schwartz, Zippel), and a whole number that is not 0 is not 0 in the field either as
long as it is below 2^61 - 1. Both are asked of the numerator over a common denominator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2

from symderiv.algebra.binding import free_variables
from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Expr,
    Mul,
    Number,
    Pow,
    SizeOf,
    Sum,
    Tensor,
)
from symderiv.algebra.index import Index, Size, Var

MAX_DEGREE = 2**30  # of what one evaluation proves: it errs with a chance below 2^-30
MAX_SAMPLED = 2**45  # of what several worlds only confirm
MAX_BITS = 60  # of a number that is not 0 in the field unless it is 0
MEMBERS = 6  # more than a family has in any world

Equations = Callable[[Tensor], Sequence[tuple[tuple[Index, ...], Expr]]]
Key = object  # of a denominator: its tree, or what a sum has one of for each of its terms
Below = Mapping[Key, tuple[float, int]]  # the measure of each denominator, and its power


@dataclass(frozen=True)
class Bound:
    """What a numerator measures at most, and the different denominators it stands over."""

    above: float
    below: Below = field(default_factory=dict)

    @property
    def denominator(self) -> float:
        """What the product of all denominators measures."""
        return sum(measure * power for measure, power in self.below.values())


class Measure:
    """Something that adds up in products: the degree, or the logarithm of the height."""

    def length(self, var: Var) -> int:
        """The most terms that a sum over the variable has."""
        raise NotImplementedError

    def leaf(self, expr: Expr) -> Bound:
        """What is neither a sum, a product nor a power."""
        raise NotImplementedError

    def growth(self, terms: int) -> float:
        """By how much a sum of so many terms may measure more than the largest of them."""
        raise NotImplementedError

    def of(self, expr: Expr) -> Bound:
        """The bound of an expression, multiplied out over a common denominator."""
        match expr:
            case Sum(var, body):
                return self._repeated(var, self.of(body))
            case Add(terms):
                return self._added([self.of(t) for t in terms])
            case Mul(factors):
                parts = [self.of(f) for f in factors]
                return Bound(sum(p.above for p in parts), _multiplied(p.below for p in parts))
            case Pow(base, exponent):
                inner = self.of(base)
                if exponent >= 0:
                    raised = {key: (m, p * exponent) for key, (m, p) in inner.below.items()}
                    return Bound(inner.above * exponent, raised)
                return Bound(inner.denominator * -exponent, {base: (inner.above, -exponent)})
            case _:
                return self.leaf(expr)

    def _added(self, parts: Sequence[Bound]) -> Bound:
        """Over every denominator, as often as a term has it."""
        below: dict[Key, tuple[float, int]] = {}
        for part in parts:
            for key, (m, p) in part.below.items():
                below[key] = (m, max(p, below[key][1] if key in below else 0))
        whole = sum(m * p for m, p in below.values())
        above = max((p.above + whole - p.denominator for p in parts), default=0)
        return Bound(above + self.growth(len(parts)), below)

    def _repeated(self, var: Var, term: Bound) -> Bound:
        """Over denominators that stay the same, and those that each term has of its own."""
        count = max(self.length(var), 1)
        below: dict[Key, tuple[float, int]] = {}
        others = 0.0
        for key, (m, p) in term.below.items():
            if isinstance(key, Expr) and var not in free_variables(key):
                below[key] = (m, p)
            else:
                below[var, key] = (m, p * count)
                others += m * p * (count - 1)
        return Bound(term.above + others + self.growth(count), below)


def _multiplied(parts: Iterable[Below]) -> Below:
    made: dict[Key, tuple[float, int]] = {}
    for part in parts:
        for key, (m, p) in part.items():
            made[key] = (m, p + (made[key][1] if key in made else 0))
    return made


class Degrees(Measure):
    """Degrees in what is drawn at random.

    ``equations`` gives those of a tensor that stands for its value; a tensor without any is drawn.
    No sum has more than ``longest`` terms.
    """

    def __init__(self, longest: int, equations: Equations = lambda _: ()) -> None:
        self.longest = longest
        self.equations = equations
        self._known: dict[tuple[Tensor, int], tuple[float, float]] = {}
        self._open: list[Tensor] = []

    def length(self, var: Var) -> int:
        return self.longest

    def growth(self, terms: int) -> float:
        return 0

    def leaf(self, expr: Expr) -> Bound:
        match expr:
            case Access(tensor, _):
                above, below = self._entry(tensor)
                return Bound(above, {expr: (below, 1)} if below else {})
            case Apply(_, args, orders):  # drawn, or a root, or what a lemma of some degree says
                inner = [self.of(a) for a in args]
                whole = 1 + sum(b.above + b.denominator for b in inner)
                return Bound(8 * whole, {expr: (8 * whole, 1)}) if any(orders) else Bound(whole)
            case _:
                return Bound(0)

    def _entry(self, tensor: Tensor) -> tuple[float, float]:
        level = self._open.count(tensor)
        known = self._known.get((tensor, level))
        if known is None:
            self._open.append(tensor)
            bodies = [body for _, body in self.equations(tensor)] if level < MEMBERS else []
            parts = [self.of(body) for body in bodies]
            self._open.pop()
            above = max((p.above for p in parts), default=1)
            known = above, max((p.denominator for p in parts), default=0)
            self._known[tensor, level] = known
        return known


class Heights(Measure):
    """Logarithms of the sums of all coefficients; ``size`` gives the number that a size is."""

    def __init__(self, size: Callable[[Size | Var], int]) -> None:
        self.size = size

    def length(self, var: Var) -> int:
        return self._whole(var.axis.size)

    def growth(self, terms: int) -> float:
        return log2(terms) if terms else 0

    def leaf(self, expr: Expr) -> Bound:
        match expr:
            case Number(value):
                below: dict[Key, tuple[float, int]] = {}
                if value.denominator > 1:
                    below[Number.of(value.denominator)] = (log2(value.denominator), 1)
                return Bound(log2(abs(value.numerator)) if value else 0, below)
            case SizeOf(index):
                return Bound(log2(max(self._whole(index), 1)))
            case _:
                return Bound(0)

    def _whole(self, index: Index) -> int:
        return sum(abs(c) * self.size(s) for s, c in index.terms) + abs(index.const)

"""How high the degrees and how large the coefficients of an expression get.

A polynomial of degree d that is not 0 is 0 at a random point of the field with a chance of at most
d/(2^61 - 2) (Schwartz, Zippel), and a whole number that is not 0 is not 0 in the field either as
long as it is below 2^61 - 1. Both are asked of the numerator over a common denominator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

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

MAX_DEGREE = 2**30  # of what the field is asked: then a wrong answer has a chance below 2^-30
MEMBERS = 6  # more than a family has in any world
LONGEST = 16  # more than any axis has in a world of a few sizes

Equations = Callable[[Tensor], Sequence[tuple[tuple[Index, ...], Expr]]]
Key = object  # of a denominator: its tree, or the tree below the sum that repeats it


@dataclass(frozen=True)
class Degrees:
    """Degrees of numerator and denominator in what is drawn at random.

    ``equations`` gives those of a tensor that stands for its value; a tensor without any is drawn.
    No sum has more than ``longest`` terms.
    """

    equations: Equations = lambda _: ()
    longest: int = LONGEST
    _known: dict[tuple[Tensor, int], tuple[int, int]] = field(default_factory=dict)
    _open: list[Tensor] = field(default_factory=list)

    def of(self, expr: Expr) -> tuple[int, int]:
        """Bounds for the degrees of numerator and denominator."""
        match expr:
            case Access(tensor, _):
                return self._tensor(tensor)
            case Sum(_, body):
                above, below = self.of(body)
                return above + (self.longest - 1) * below, self.longest * below
            case Add(terms):
                parts = [self.of(t) for t in terms]
                below = sum(b for _, b in parts)
                return max((a + below - b for a, b in parts), default=0), below
            case Mul(factors):
                parts = [self.of(f) for f in factors]
                return sum(a for a, _ in parts), sum(b for _, b in parts)
            case Pow(base, exponent):
                above, below = self.of(base)
                return (above * exponent, below * exponent) if exponent >= 0 else (
                    below * -exponent, above * -exponent
                )  # fmt: skip
            case Apply(_, args, _):  # drawn, or a root, or what a lemma of some degree says
                whole = 8 * (1 + sum(map(sum, map(self.of, args))))
                return whole, whole
            case _:
                return 0, 0

    def _tensor(self, tensor: Tensor) -> tuple[int, int]:
        level = self._open.count(tensor)
        known = self._known.get((tensor, level))
        if known is None:
            self._open.append(tensor)
            parts = [self.of(b) for _, b in self.equations(tensor)] if level < MEMBERS else []
            self._open.pop()
            known = max((a for a, _ in parts), default=1), max((b for _, b in parts), default=0)
            self._known[tensor, level] = known
        return known


# --- Coefficients ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Height:
    """The sum of the coefficients of a numerator at most, and the denominators with theirs."""

    above: int
    below: Mapping[Key, tuple[int, int]] = field(default_factory=dict)  # height and exponent

    @property
    def denominator(self) -> int:
        """The sum of the coefficients of the product of all denominators at most."""
        return prod(height**exponent for height, exponent in self.below.values())


def height(expr: Expr, length: Callable[[Size | Var], int]) -> Height:
    """How large coefficients get when all is multiplied out; ``length`` of a size is its number."""
    match expr:
        case Number(value):
            below: dict[Key, tuple[int, int]] = {}
            if value.denominator > 1:
                below[Number.of(value.denominator)] = (value.denominator, 1)
            return Height(abs(value.numerator), below)
        case SizeOf(index):
            return Height(_whole(index, length))
        case Sum(var, body):
            return _summed(var, height(body, length), _whole(var.axis.size, length))
        case Add(terms):
            return _added([height(t, length) for t in terms])
        case Mul(factors):
            parts = [height(f, length) for f in factors]
            return Height(prod(p.above for p in parts), _multiplied(p.below for p in parts))
        case Pow(base, exponent):
            inner = height(base, length)
            if exponent >= 0:
                return Height(inner.above**exponent, _raised(inner.below, exponent))
            return Height(inner.denominator**-exponent, {base: (inner.above, -exponent)})
        case _:
            return Height(1)


def _summed(var: Var, term: Height, count: int) -> Height:
    """Over denominators that stay the same, and those that each term has of its own."""
    below: dict[Key, tuple[int, int]] = {}
    others = 1
    for key, (h, e) in term.below.items():
        if isinstance(key, Expr) and var not in free_variables(key):
            below[key] = (h, e)
        else:
            below[var, key] = (h, e * count)
            others *= h ** (e * (count - 1))
    return Height(count * term.above * others, below)


def _whole(index: Index, length: Callable[[Size | Var], int]) -> int:
    return sum(abs(c) * length(s) for s, c in index.terms) + abs(index.const)


def _added(parts: Sequence[Height]) -> Height:
    """Over the product of all denominators, each as often as a term has it."""
    below: dict[Key, tuple[int, int]] = {}
    for part in parts:
        for key, (h, e) in part.below.items():
            below[key] = (h, max(e, below[key][1] if key in below else 0))
    whole = prod(h**e for h, e in below.values())
    return Height(sum(p.above * (whole // p.denominator) for p in parts), below)


def _multiplied(parts: Iterable[Mapping[Key, tuple[int, int]]]) -> dict[Key, tuple[int, int]]:
    made: dict[Key, tuple[int, int]] = {}
    for part in parts:
        for key, (h, e) in part.items():
            made[key] = (h, e + (made[key][1] if key in made else 0))
    return made


def _raised(below: Mapping[Key, tuple[int, int]], exponent: int) -> dict[Key, tuple[int, int]]:
    return {key: (h, e * exponent) for key, (h, e) in below.items()}

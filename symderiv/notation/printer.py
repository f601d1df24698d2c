"""One walk over a tree, for every way of writing: signs, fractions, parentheses.

The tree is printed as written. The only liberties are those of every textbook: a factor -1 is a
minus sign, factors of power -1 stand below a line, and a minus sign leaves a sum.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Bracket,
    Delta,
    Expr,
    Mul,
    Number,
    Partial,
    Pow,
    Select,
    SizeOf,
    Sum,
    tensors_in,
)
from symderiv.algebra.index import Index, Var
from symderiv.notation.conventions import Notation
from symderiv.notation.names import Names

SUM, OPEN, PRODUCT, POWER, ATOM = range(5)  # how tightly a piece holds together
FLAT, SCRIPTS, TALL, HUGE = range(4)  # how high it is
PLACES = 6  # of a long decimal that are printed


@dataclass(frozen=True)
class Piece:
    """Printed text; ``negative`` pieces carry a minus sign that is not in the text yet.

    ``OPEN`` is a product that ends in a sum sign or a function without parentheses: whatever
    follows would be drawn into it.
    """

    text: str
    level: int = ATOM
    height: int = FLAT
    negative: bool = False
    ends: str = ""  # what stands at the right end: "number", "entry", "paren", "fraction", ...
    starts: str = ""

    def with_sign(self, negative: bool) -> Piece:
        """The same text with or without a minus sign to come."""
        return self if negative == self.negative else replace(self, negative=negative)


class Printer(ABC):
    """Trees to text; a subclass says how each piece looks."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.small = 0  # inside fractions and scripts
        self._pieces: dict[tuple[Expr, bool], Piece] = {}

    @property
    def notation(self) -> Notation:
        """The conventions in force."""
        return self.names.notation

    def write(self, expr: Expr) -> str:
        """The whole formula."""
        self.names.fix_free(expr)
        piece = self.piece(expr)
        return self.minus(piece.text) if piece.negative else piece.text

    # --- the walk ----------------------------------------------------------------------------

    def piece(self, expr: Expr) -> Piece:
        """One subtree. What a formula repeats is written once; in a sum, letters may differ."""
        if self.names.in_sum:
            return self._written(expr)
        key = expr, self.small > 0
        known = self._pieces.get(key)
        if known is None:
            known = self._pieces[key] = self._written(expr)
        return known

    def _written(self, expr: Expr) -> Piece:
        """One subtree, by its kind."""
        match expr:
            case Number(value):
                return self.number(value)
            case SizeOf(index):
                return self.size(index)
            case Access():
                return self.entry(expr)
            case Delta(left, right):
                return self.relation(left, "=", right)
            case Bracket(index):
                return self.bracket(index)
            case Add(terms):
                return self.terms([self.piece(t) for t in terms])
            case Mul(factors):
                return self.product(factors)
            case Pow(_, exponent) if exponent < 0:
                return self.product((expr,))
            case Pow(base, exponent):
                return self.power(self.piece(base), exponent, _is_entry(base))
            case Sum():
                return self.sum(expr)
            case Apply(function, args, orders):
                return self.call(function, args, orders)
            case Select(at, var, body):
                with self.names.bound(var):
                    return self.winner(at, var, self.piece(body))
            case Partial(body, wrt):
                return self.derivative(body, wrt)
        raise TypeError(f"not a tree of index notation: {expr!r}")

    def terms(self, pieces: Sequence[Piece]) -> Piece:
        """``a - y + b``: minus signs of terms become subtractions."""
        out = self.minus(pieces[0].text) if pieces[0].negative else pieces[0].text
        for piece in pieces[1:]:
            text = self.bare(piece)
            out = self.subtract(out, text) if piece.negative else self.plus(out, text)
        return Piece(out, SUM, max(p.height for p in pieces))

    def bare(self, piece: Piece) -> str:
        """A term after + or -: a sum needs parentheses there, a product does not."""
        return self.paren(piece).text if piece.level == SUM else piece.text

    def product(self, factors: Sequence[Expr]) -> Piece:
        """Factors in their order; what has a negative power goes below a line."""
        negative, groups = _fractions(factors)
        pieces = []
        for position, group in enumerate(groups):
            last = position == len(groups) - 1
            piece = self.quotient(group) if group.below else self.piece(group.above[0])
            negative ^= piece.negative
            piece = piece.with_sign(False)
            alone = len(groups) == 1
            if (piece.level == SUM and not alone) or (piece.level == OPEN and not last):
                piece = self.paren(piece)
            pieces.append(piece)
        if not pieces:
            pieces = [self.number(Fraction(1))]
        if len(pieces) == 1 and negative and pieces[0].level == SUM:
            pieces = [self.paren(pieces[0])]
        return self.join(pieces).with_sign(negative)

    def quotient(self, group: Group) -> Piece:
        """One fraction of factors above and below."""
        self.small += 1
        above = self.product(group.above) if group.above else self.number(Fraction(1))
        below = self.product(group.below)
        self.small -= 1
        piece = self.fraction(above.with_sign(False), below.with_sign(False))
        return piece.with_sign(above.negative != below.negative)

    def sum(self, expr: Sum) -> Piece:
        """A sum over one variable; its minus sign goes out in front."""
        with self.names.bound(expr.var) as letter:
            body = self.piece(expr.body)
            negative = body.negative
            body = body.with_sign(False)
            if body.level == SUM:
                body = self.paren(body)
            return self.big_sum(expr.var, letter, body).with_sign(negative)

    # --- what the pieces look like -----------------------------------------------------------

    @abstractmethod
    def number(self, value: Fraction) -> Piece:
        """A rational number."""

    @abstractmethod
    def size(self, index: Index) -> Piece:
        """A size as a number."""

    @abstractmethod
    def entry(self, access: Access) -> Piece:
        """An entry of a tensor, or the derivative that an adjoint without a name stands for."""

    @abstractmethod
    def relation(self, left: Index, sign: str, right: Index) -> Piece:
        """``[k = i]``."""

    @abstractmethod
    def winner(self, at: Index, var: Var, body: Piece) -> Piece:
        """``[k = argmax ...]``."""

    @abstractmethod
    def join(self, pieces: Sequence[Piece]) -> Piece:
        """Factors side by side."""

    @abstractmethod
    def fraction(self, above: Piece, below: Piece) -> Piece:
        """One over the other."""

    @abstractmethod
    def power(self, base: Piece, exponent: int, entry: bool) -> Piece:
        """A positive power."""

    @abstractmethod
    def big_sum(self, var: Var, letter: str, body: Piece) -> Piece:
        """Σ with its range and its body."""

    @abstractmethod
    def call(self, function: str, args: tuple[Expr, ...], orders: tuple[int, ...]) -> Piece:
        """A function of scalars or a derivative of it."""

    @abstractmethod
    def derivative(self, body: Expr, wrt: Access) -> Piece:
        """∂ body / ∂ entry."""

    @abstractmethod
    def paren(self, piece: Piece) -> Piece:
        """A piece in parentheses, its sign inside."""

    @abstractmethod
    def minus(self, text: str) -> str:
        """-text."""

    @abstractmethod
    def plus(self, left: str, right: str) -> str:
        """left + right."""

    @abstractmethod
    def subtract(self, left: str, right: str) -> str:
        """left - right."""

    def bracket(self, index: Index) -> Piece:
        """``[e >= 0]`` with everything on the side where it is positive."""
        low, high = split_signs(index)
        return self.relation(low, "<=", high)


def split_signs(index: Index) -> tuple[Index, Index]:
    """``e >= 0`` as ``low <= high`` without minus signs."""
    low = tuple((s, -c) for s, c in index.terms if c < 0)
    high = tuple((s, c) for s, c in index.terms if c > 0)
    const = index.const
    return Index(-const if const < 0 else 0, low), Index(const if const > 0 else 0, high)


@dataclass(frozen=True)
class Group:
    """Neighbouring factors that make one fraction; without ``below``, a single factor."""

    above: tuple[Expr, ...]
    below: tuple[Expr, ...] = ()


def meets_itself(args: Sequence[Expr], position: int) -> bool:
    """Whether ∂f/∂t would not say by which argument: x to the x has two derivatives by x."""
    others = {t for n, arg in enumerate(args) if n != position for t in tensors_in(arg)}
    return not others.isdisjoint(tensors_in(args[position]))


def decimal(value: Fraction) -> str | None:
    """A long fraction that is a finite decimal, exactly; None where the fraction reads better."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1 or value.denominator < 10**6:
        return None
    digits = 0
    while value.denominator > 1:
        value *= 10
        digits += 1
    text = str(abs(value.numerator)).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}"


def cut(number: str, dots: str) -> str:
    """A long decimal with dots for what a reader does not want to see: ``1.0507009873…``."""
    whole, _, places = number.partition(".")
    zeros = len(places) - len(places.lstrip("0"))
    kept = zeros + PLACES
    return number if len(places) <= kept + 2 else f"{whole}.{places[:kept]}{dots}"


def _fractions(factors: Sequence[Expr]) -> tuple[bool, list[Group]]:
    """Cut a product into its sign and single factors and fractions.

    A factor of negative power takes the plain factors just before it above its line, and the
    number in front gives its parts to the fraction that it touches.
    """
    groups: list[Group] = []
    above: list[Expr] = []
    below: list[Expr] = []
    rest = list(factors)
    first = rest[0]
    negative = False
    if isinstance(first, Number):
        rest.pop(0)
        value = first.value
        negative, value = value < 0, abs(value)
        alone = decimal(value) is not None or not _touches_denominator(rest)
        if value.denominator != 1 and alone:
            groups.append(Group((Number(value),)))
        else:
            above = [Number.of(value.numerator)] if value.numerator != 1 else []
            below = [Number.of(value.denominator)] if value.denominator != 1 else []
    for position, factor in enumerate(rest):
        if isinstance(factor, Pow) and factor.exponent < 0:
            below.append(_turned(factor))
            following = rest[position + 1] if position + 1 < len(rest) else None
            if not (isinstance(following, Pow) and following.exponent < 0):
                groups.append(Group(tuple(above), tuple(below)))
                above, below = [], []
        elif _plain(factor):
            above.append(factor)
        else:
            groups.extend(Group((f,)) for f in above)
            above = []
            groups.append(Group((factor,)))
    groups.extend(Group((f,)) for f in above)
    return negative, groups


def _touches_denominator(rest: Sequence[Expr]) -> bool:
    for factor in rest:
        if isinstance(factor, Pow) and factor.exponent < 0:
            return True
        if not _plain(factor):
            return False
    return False


def _turned(factor: Pow) -> Expr:
    return factor.base if factor.exponent == -1 else Pow(factor.base, -factor.exponent)


def _plain(factor: Expr) -> bool:
    """Whether a factor may stand above a line: no sum, no derivative, no bracket."""
    match factor:
        case Access(tensor, _):
            return tensor.of is None or tensor.named
        case Number() | SizeOf():
            return True
        case Pow(base, exponent):
            return exponent > 0 and _plain(base)
        case Add(terms):
            return all(_plain(t) or isinstance(t, Mul) for t in terms)
        case Apply(_, args, orders):
            return not any(orders) and all(_plain(a) or isinstance(a, Mul) for a in args)
        case _:
            return False


def _is_entry(expr: Expr) -> bool:
    return isinstance(expr, Access)

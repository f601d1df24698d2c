"""Index expressions: the closed set of trees that the whole library speaks.

Trees are kept *as written*; only :mod:`symderiv.algebra.normal` flattens them. The operators
and the lower-case constructors do the arithmetic of 0, 1 and numbers, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from functools import cached_property, wraps
from operator import attrgetter, is_
from typing import Any, TypeVar, dataclass_transform

from symderiv.algebra.index import (
    Axis,
    Index,
    IndexLike,
    Var,
    as_index,
    fresh,
    substitute_axis,
)

_C = TypeVar("_C", bound=type)
_T = TypeVar("_T")


@dataclass_transform(frozen_default=True)
def _node(cls: _C) -> _C:
    """A frozen dataclass whose hash is computed once."""
    made: Any = dataclass(frozen=True)(cls)
    compute = made.__hash__

    def cached(self: Any) -> int:
        known: int | None = self.__dict__.get("_hash")
        if known is None:
            known = self.__dict__["_hash"] = compute(self)
        return known

    made.__hash__ = cached
    return made  # type: ignore[no-any-return]


class Role(Enum):
    """What a tensor is in its graph; notation and code choose names by it."""

    INPUT = "input"
    TARGET = "target"
    PARAMETER = "parameter"
    HYPERPARAMETER = "hyperparameter"
    PREACTIVATION = "preactivation"
    ACTIVATION = "activation"
    AUXILIARY = "auxiliary"
    LOSS = "loss"
    PENALTY = "penalty"
    COST = "cost"
    ADJOINT = "adjoint"


@dataclass(frozen=True)
class Tensor:
    """A named array; ``slots`` are its axes, and a later axis may depend on an earlier slot.

    ``symbol`` and ``layer`` are what a notation prints (``W`` of layer 1); ``name`` is unique
    in a graph. An adjoint knows what it is the adjoint ``of`` and which quantity (``root``)
    it differentiates. A named adjoint stays an atom in formulas, any other one is inlined.
    """

    name: str
    slots: tuple[Var, ...] = field(default=(), compare=False)
    role: Role = Role.AUXILIARY
    symbol: str = ""
    layer: int | None = None
    of: Tensor | None = field(default=None, compare=False)
    root: Tensor | None = field(default=None, compare=False)
    named: bool = field(default=False, compare=False)

    def __hash__(self) -> int:
        return hash(self.name)

    def __getitem__(self, indices: IndexLike | tuple[IndexLike, ...]) -> Access:
        given = indices if isinstance(indices, tuple) else (indices,)
        if len(given) != len(self.slots):
            raise ValueError(f"{self.name} has {len(self.slots)} axes, not {len(given)}")
        return Access(self, tuple(as_index(i) for i in given))

    def fresh_indices(self) -> tuple[Var, ...]:
        """New variables, one an axis, with dependent ranges carried over."""
        mapping: dict[Var, Index] = {}
        made = []
        for slot in self.slots:
            variable = fresh(substitute_axis(slot.axis, mapping), slot.name)
            mapping[slot] = as_index(variable)
            made.append(variable)
        return tuple(made)

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The axes in storage order."""
        return tuple(slot.axis for slot in self.slots)

    @cached_property
    def _is_ragged(self) -> bool:
        """Whether the range of one axis depends on the index of another."""
        ends = (end for axis in self.axes for end in (axis.start, axis.stop))
        return any(True for end in ends for _ in end.variables)

    @property
    def ordered(self) -> bool:
        """Whether the first axis is ordered, so that the tensor is a family (layers, time)."""
        return bool(self.slots) and self.slots[0].axis.ordered


class Expr:
    """A tree of index notation; see the subclasses, which are all there are."""

    def __add__(self, other: ExprLike) -> Expr:
        return add(self, as_expr(other))

    def __radd__(self, other: ExprLike) -> Expr:
        return add(as_expr(other), self)

    def __sub__(self, other: ExprLike) -> Expr:
        return add(self, -as_expr(other))

    def __rsub__(self, other: ExprLike) -> Expr:
        return add(as_expr(other), -self)

    def __mul__(self, other: ExprLike) -> Expr:
        return mul(self, as_expr(other))

    def __rmul__(self, other: ExprLike) -> Expr:
        return mul(as_expr(other), self)

    def __truediv__(self, other: ExprLike) -> Expr:
        return mul(self, power(as_expr(other), -1))

    def __rtruediv__(self, other: ExprLike) -> Expr:
        return mul(as_expr(other), power(self, -1))

    def __pow__(self, exponent: int) -> Expr:
        return power(self, exponent)

    def __neg__(self) -> Expr:
        return mul(Number(Fraction(-1)), self)


ExprLike = Expr | int | Fraction


@_node
class Number(Expr):
    """An exact rational number."""

    value: Fraction

    @classmethod
    def of(cls, value: int | Fraction) -> Number:
        """The number as a tree."""
        return cls(Fraction(value))


@_node
class SizeOf(Expr):
    """An affine index as a number, above all a size: the m of 1/m."""

    index: Index


@_node
class Access(Expr):
    """An entry of a tensor: ``W[i, j]``."""

    tensor: Tensor
    indices: tuple[Index, ...]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes that its indices are in, in ranges that depend on those before them."""
        if not self.tensor._is_ragged:
            return self.tensor.axes
        place: dict[Var, Index] = {}
        found = []
        for slot, index in zip(self.tensor.slots, self.indices, strict=True):
            found.append(substitute_axis(slot.axis, place))
            place[slot] = index
        return tuple(found)

    @property
    def member(self) -> Index | None:
        """Which member of its family it belongs to, where the tensor is one."""
        return self.indices[0] if self.tensor.ordered else None


@_node
class Delta(Expr):
    """Kronecker's delta ``[left = right]``."""

    left: Index
    right: Index


@_node
class Bracket(Expr):
    """Iverson's bracket ``[index >= 0]``."""

    index: Index


@_node
class Select(Expr):
    """``[at = argmax over var of body]``: one for the winner of a maximum, locally constant."""

    at: Index
    var: Var
    body: Expr


@_node
class Apply(Expr):
    """A function of scalars, entry by entry; ``orders`` counts derivatives by argument."""

    function: str
    args: tuple[Expr, ...]
    orders: tuple[int, ...]


@_node
class Sum(Expr):
    """A sum over all values of a variable."""

    var: Var
    body: Expr


@_node
class Add(Expr):
    """A sum of terms, in the order written."""

    terms: tuple[Expr, ...]


@_node
class Mul(Expr):
    """A product of factors, in the order written."""

    factors: tuple[Expr, ...]


@_node
class Pow(Expr):
    """An integer power."""

    base: Expr
    exponent: int


@_node
class Partial(Expr):
    """The partial derivative of ``body`` by an entry, everything else in it held fixed.

    Where ``body`` is an entry of a defined tensor, it stands for its definition.
    """

    body: Expr
    wrt: Access


ZERO = Number(Fraction(0))
ONE = Number(Fraction(1))


def as_expr(value: ExprLike) -> Expr:
    """A number as a tree."""
    return value if isinstance(value, Expr) else Number(Fraction(value))


def add(*terms: Expr) -> Expr:
    """A sum; flattens, drops zeros and adds up numbers that stand alone."""
    kept: list[Expr] = []
    number = Fraction(0)
    place = 0
    for term in _flat(Add, terms):
        if isinstance(term, Number):
            if not number:
                place = len(kept)
            number += term.value
        else:
            kept.append(term)
    if number:
        kept.insert(place, Number(number))
    if not kept:
        return ZERO
    return kept[0] if len(kept) == 1 else Add(tuple(kept))


def mul(*factors: Expr) -> Expr:
    """A product; flattens, multiplies numbers out to the front, drops ones, sees zeros."""
    kept: list[Expr] = []
    number = Fraction(1)
    for factor in _flat(Mul, factors):
        if isinstance(factor, Number):
            number *= factor.value
        else:
            kept.append(factor)
    if not number:
        return ZERO
    if number != 1 or not kept:
        kept.insert(0, Number(number))
    return kept[0] if len(kept) == 1 else Mul(tuple(kept))


def power(base: Expr, exponent: int) -> Expr:
    """An integer power. Raises ZeroDivisionError for a negative power of the number 0."""
    if exponent == 1:
        return base
    if isinstance(base, Number):
        return Number(base.value**exponent)
    if exponent == 0:
        return ONE
    if isinstance(base, Pow):
        return power(base.base, base.exponent * exponent)
    return Pow(base, exponent)


def sum_over(variables: Var | Iterable[Var], body: Expr) -> Expr:
    """Nested sums, the first variable outermost; the sum of 0 is 0."""
    if body == ZERO:
        return ZERO
    listed = (variables,) if isinstance(variables, Var) else tuple(variables)
    for variable in reversed(listed):
        body = Sum(variable, body)
    return body


def apply(function: str, *args: ExprLike, orders: tuple[int, ...] | None = None) -> Expr:
    """A function applied to scalars."""
    return Apply(function, tuple(as_expr(a) for a in args), orders or (0,) * len(args))


def delta(left: IndexLike, right: IndexLike) -> Expr:
    """Kronecker's delta; 1 when both sides are the same index."""
    left, right = as_index(left), as_index(right)
    return ONE if left == right else Delta(left, right)


def _flat(kind: type[Add] | type[Mul], parts: Iterable[Expr]) -> Iterator[Expr]:
    for part in parts:
        if isinstance(part, kind):
            yield from part.terms if isinstance(part, Add) else part.factors
        else:
            yield part


_CHILDREN: dict[type[Expr], Callable[[Any], tuple[Expr, ...]]] = {
    Add: attrgetter("terms"),
    Mul: attrgetter("factors"),
    Apply: attrgetter("args"),
    Sum: lambda expr: (expr.body,),
    Select: lambda expr: (expr.body,),
    Pow: lambda expr: (expr.base,),
    Partial: attrgetter("body", "wrt"),
}


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct subtrees."""
    found = _CHILDREN.get(expr.__class__)
    return found(expr) if found else ()


def rebuild(expr: Expr, transform: Callable[[Expr], Expr]) -> Expr:
    """The tree with every direct subtree transformed (binders keep their variable).

    Where nothing changes it is the same object, so that what is known of it stays known.
    """
    if expr.__class__ not in _CHILDREN:
        return expr
    match expr:
        case Add(parts) | Mul(parts) | Apply(_, parts, _):
            new = [transform(part) for part in parts]
            if all(map(is_, new, parts)):
                return expr
            if isinstance(expr, Apply):
                return Apply(expr.function, tuple(new), expr.orders)
            return add(*new) if isinstance(expr, Add) else mul(*new)
        case Sum(_, body) | Select(_, _, body) | Pow(body, _) | Partial(body, _):
            inner = transform(body)
            if inner is body:
                return expr
            match expr:
                case Sum(var, _):
                    return sum_over(var, inner)
                case Select(at, var, _):
                    return Select(at, var, inner)
                case Pow(_, exponent):
                    return power(inner, exponent)
                case Partial(_, wrt):
                    return Partial(inner, wrt)
    return expr


def with_parts(expr: Expr, parts: Iterable[Expr]) -> Expr:
    """The same node with other direct subtrees, with nothing worked out; products become one."""
    new = tuple(parts)
    match expr:
        case Add():
            return Add(new)
        case Mul():
            return Mul(tuple(_flat(Mul, new)))
        case Apply(function, _, orders):
            return Apply(function, new, orders)
        case Sum(var, _):
            return Sum(var, new[0])
        case Select(at, var, _):
            return Select(at, var, new[0])
        case Pow(_, exponent):
            return Pow(new[0], exponent)
    return expr


def kept(compute: Callable[[Expr], _T]) -> Callable[[Expr], _T]:
    """A function of a tree whose value is kept with the tree."""
    name = f"_{compute.__name__}"

    @wraps(compute)
    def found(expr: Expr) -> _T:
        known = expr.__dict__
        if name not in known:
            known[name] = compute(expr)
        value: _T = known[name]
        return value

    return found


@kept
def length(expr: Expr) -> int:
    """How many nodes a tree has, as often as they stand there."""
    return 1 + sum(map(length, children(expr)))


@kept
def has_partial(expr: Expr) -> bool:
    """Whether a derivative is still written out as ∂e/∂t."""
    return isinstance(expr, Partial) or any(map(has_partial, children(expr)))


def winner_range(expr: Expr) -> tuple[Index, ...]:
    """What is >= 0 wherever a selector is not 0: the winner is in the range of its maximum."""
    if not isinstance(expr, Select):
        return ()
    return (expr.at - expr.var.axis.start, expr.var.axis.stop - expr.at)


def walk(expr: Expr) -> Iterator[Expr]:
    """Every subtree, parents before children."""
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def tensors_in(expr: Expr) -> list[Tensor]:
    """The tensors accessed, each once, in order of appearance."""
    return list(dict.fromkeys(e.tensor for e in walk(expr) if isinstance(e, Access)))


def indices_of(node: Expr) -> tuple[Index, ...]:
    """The indices that a node holds itself, not through its subtrees."""
    match node:
        case Access(_, indices):
            return indices
        case SizeOf(index) | Bracket(index) | Select(index, _, _):
            return (index,)
        case Delta(left, right):
            return (left, right)
        case _:
            return ()


def ranges_of(node: Expr) -> tuple[Index, ...]:
    """Where the variable that a node binds starts and stops."""
    if isinstance(node, Sum | Select):
        return node.var.axis.start, node.var.axis.stop
    return ()

"""Is a derivation made of the library's own values, and of nothing that only looks like them?

What a judgement is about must be what was judged: no list that can change afterwards, no subclass
with equality, names or numbers of its own, no index that is not in lowest form, no two sizes of one
name. Everything else in this package takes that for granted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

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
    Role,
    Select,
    SizeOf,
    Sum,
    Tensor,
    children,
)
from symderiv.algebra.index import Axis, Index, Size, Var
from symderiv.calculus.brackets import Guard
from symderiv.calculus.conditions import Condition
from symderiv.calculus.functions import Domain, ScalarFunction, VectorFunction, rows
from symderiv.calculus.graph import Definition, Fact, Graph, Kind, Recurrence
from symderiv.calculus.steps import Adjoint, Derivation, Lemma, Step, Uses

MAX_EXPONENT = 10_000
MAX_ORDER = 8  # of a derivative of a function; two in the derivations of this library
MAX_DEPTH = 100  # of an expression; texts are read to 60
MAX_LENGTH = 200_000  # nodes of one, as often as they stand there
MAX_BITS = 10_000  # of a number, and of its powers
INDEX_BITS = 200  # of a number in an index

_PARTS: tuple[type, ...] = (
    Derivation, Adjoint, Step, Uses, Lemma, Graph, Definition, Recurrence, Fact, Tensor,
    Number, SizeOf, Access, Delta, Bracket, Select, Apply, Add, Mul, Pow, Sum, Partial,
    Index, Size, Axis, Var, Condition, Guard, Domain,
)  # fmt: skip
_LIMITED = frozenset({Number, Pow, Add, Mul, Apply, Condition, Recurrence, Index, Size})
_PLAIN = frozenset({str, int, bool, Fraction, NoneType, Role, Kind})
Fits = Callable[[Any], bool]


def _kinds(hint: Any) -> frozenset[type]:
    """The classes that an annotation lets stand in a field, of collections what they are."""
    if get_origin(hint) in (Union, UnionType):
        return frozenset().union(*map(_kinds, get_args(hint)))
    kind = get_origin(hint) or hint
    return frozenset(made for made in _PARTS if issubclass(made, kind)) or frozenset({kind})


def _inside(hint: Any) -> Fits | None:
    """Whether what stands in a collection may; None where there is nothing to ask."""
    within = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        asked = {get_origin(h): f for h in within if (f := _inside(h)) is not None}
        return (lambda value: asked.get(type(value), _anything)(value)) if asked else None
    if get_origin(hint) is tuple and within[-1] is not Ellipsis:
        places = [_fits(h) for h in within]
        return lambda value: (
            len(value) == len(places)
            and all(fits(v) for fits, v in zip(places, value, strict=True))
        )
    if get_origin(hint) is dict:
        key, held = map(_fits, within)
        return lambda value: all(key(k) and held(v) for k, v in value.items())
    if get_origin(hint) in (tuple, frozenset):
        each = _fits(within[0])
        return lambda value: all(map(each, value))
    return None


def _fits(hint: Any) -> Fits:
    kinds, inside = _kinds(hint), _inside(hint)
    if inside is None:
        return lambda value: type(value) in kinds
    return lambda value: type(value) in kinds and inside(value)


def _anything(_: object) -> bool:
    return True


_FIELDS: dict[type, tuple[tuple[str, frozenset[type], Fits | None, bool], ...]] = {}
"""Of every class: its fields, what may stand in each, in that if it is a collection, and whether
there is more to ask of it."""
for _made in _PARTS:
    _hints = get_type_hints(_made, localns={made.__name__: made for made in _PARTS})
    _FIELDS[_made] = tuple(
        (name, _kinds(hint), _inside(hint), not _kinds(hint) <= _PLAIN)
        for name, hint in _hints.items()
    )


def problem(derivation: object) -> str | None:
    """What is not genuine in a derivation, or None."""
    seen: set[int] = set()
    depths: dict[int, tuple[int, int]] = {}
    waiting: list[object] = [derivation]
    while waiting:
        value = waiting.pop()
        kind = type(value)
        if kind in _PLAIN or id(value) in seen:
            continue
        seen.add(id(value))
        if kind in _FIELDS:
            held = value.__dict__
            for name, kinds, inside, further in _FIELDS[kind]:
                part = held[name]
                if type(part) not in kinds:
                    return f"{kind.__name__}.{name} is a {type(part).__name__}"
                if inside is not None and not inside(part):
                    return f"{kind.__name__}.{name} has something in it that is of another kind"
                if further:
                    waiting.append(part)
            wrong = _wrong(value) if kind in _LIMITED else None
            if wrong is not None:
                return wrong
            new = id(value) not in depths
            if new and isinstance(value, Expr) and _is_deep(value, depths):
                return f"an expression is nested too deep, more than {MAX_DEPTH}, or too long"
        elif kind in (tuple, frozenset) and isinstance(value, Iterable):
            waiting += value
        elif kind is dict and isinstance(value, dict):
            waiting += [*value, *value.values()]
        else:
            return f"a {kind.__name__} is no part of a derivation"
    return None


def _is_deep(root: Expr, known: dict[int, tuple[int, int]]) -> bool:
    """Whether a tree is deeper or longer than a derivation has any; by its parts, each once."""
    waiting = [root]
    while waiting:
        node = waiting[-1]
        parts = _parts(node)
        later = [part for part in parts if id(part) not in known]
        if later:
            if len(waiting) > MAX_DEPTH:
                return True
            waiting.append(later[0])
            continue
        waiting.pop()
        below = [known[id(part)] for part in parts]
        depth, length = 1 + max((d for d, _ in below), default=0), 1 + sum(n for _, n in below)
        known[id(node)] = depth, length
        if depth > MAX_DEPTH or length > MAX_LENGTH:
            return True
    return False


def _parts(node: Expr) -> tuple[Expr, ...]:
    """The subtrees of a node; of what only looks like one there are none."""
    held = children(node) if type(node) in _FIELDS else ()
    return held if type(held) is tuple else ()


def _wrong(value: object) -> str | None:
    match value:
        case Number(number) if _bits(number) > MAX_BITS:
            return "a number is too long"
        case Pow(_, exponent) if abs(exponent) > MAX_EXPONENT:
            return f"the exponent {exponent} is not between ±{MAX_EXPONENT}"
        case Add(()) | Mul(()):
            return "a sum or a product of nothing is a number"
        case Pow(base, exponent) if abs(exponent) * _longest(base) > MAX_BITS:
            return f"the exponent {exponent} makes a number too long"
        case Pow(_, 0):
            return "a power with the exponent 0 is no power"
        case Apply(function, args, orders) if (
            len(args) != len(orders) or min(orders, default=0) < 0
        ):
            return f"{function} is not differentiated {orders} times"
        case Apply(function, _, orders) if sum(orders) > MAX_ORDER:
            return f"{function} is differentiated more than {MAX_ORDER} times"
        case Condition(_, function, ()):
            return f"nothing is asked of the arguments of {function}"
        case Apply(function, args, _) if isinstance(row := rows().get(function), ScalarFunction):
            if len(args) != len(row.arguments):
                return f"{function} has {len(row.arguments)} arguments"
        case Apply(function, _, _) if isinstance(rows().get(function), VectorFunction):
            return f"{function} is no function of numbers"
        case Recurrence(_, ()):
            return "a recurrence has no equations"
        case Index() if value != value * 1:
            return "an index is not in lowest form"
        case Index(const, terms) if _bits(const, *(n for _, n in terms)) > INDEX_BITS:
            return "an index is too large"
        case Size(name, _) if "[" in name or "]" in name:
            return f"a size cannot be called {name!r}"
    return None


def _bits(*numbers: Fraction | int) -> int:
    """The length of the longest of some numbers."""
    return max(max(n.numerator.bit_length(), n.denominator.bit_length()) for n in numbers)


def _longest(base: Expr) -> int:
    """The bits of a number that is raised to a power, however often, beyond the one of 1."""
    if isinstance(base, Pow):
        return abs(base.exponent) * _longest(base.base)
    return _bits(base.value) - 1 if isinstance(base, Number) else 0

"""Is a derivation made of the library's own values, and of nothing that only looks like them?

What a judgement is about must be what was judged: no list that can change afterwards, no subclass
with equality, names or numbers of its own, no index that is not in lowest form, no two sizes of one
name. Everything else in this package takes that for granted.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from types import NoneType

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

_FIELDS: dict[type, tuple[str, ...]] = {
    made: tuple(made.__dataclass_fields__)
    for made in (
        Derivation, Adjoint, Step, Uses, Lemma, Graph, Definition, Recurrence, Fact, Tensor,
        Number, SizeOf, Access, Delta, Bracket, Select, Apply, Add, Mul, Pow, Sum, Partial,
        Index, Size, Axis, Var, Condition, Guard, Domain,
    )
}  # fmt: skip
_PLAIN = frozenset({str, int, bool, Fraction, NoneType, Role, Kind})


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
        fields = _FIELDS.get(kind)
        if fields is not None:
            known = value.__dict__
            waiting += [known[name] for name in fields]
            wrong = _wrong(value)
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
        case Number(number) if type(number) is not Fraction:
            return f"{number!r} is no exact number"
        case Number(number) if _bits(number) > MAX_BITS:
            return "a number is too long"
        case Pow(_, exponent) if type(exponent) is not int or abs(exponent) > MAX_EXPONENT:
            return f"the exponent {exponent} is no integer between ±{MAX_EXPONENT}"
        case Add(()) | Mul(()):
            return "a sum or a product of nothing is a number"
        case Pow(base, exponent) if abs(exponent) * _longest(base) > MAX_BITS:
            return f"the exponent {exponent} makes a number too long"
        case Pow(_, 0):
            return "a power with the exponent 0 is no power"
        case Apply(function, args, orders) if len(args) != len(orders) or any(
            type(order) is not int or order < 0 for order in orders
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
        case Recurrence(_, blocks) if not blocks or any(
            type(block) is not Definition for block in blocks
        ):
            return "a recurrence is one of equations"
        case Index() if any(type(factor) is not int for _, factor in value.terms):
            return "an index is no whole multiple"
        case Index() if type(value.const) is not int or value != value * 1:
            return "an index is not in lowest form"
        case Index(const, terms) if _bits(const, *(n for _, n in terms)) > INDEX_BITS:
            return "an index is too large"
        case Size(name, _) if type(name) is not str or "[" in name or "]" in name:
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

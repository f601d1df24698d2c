"""The tree of the expression language: nine frozen nodes, their text, their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TypeAlias


def _column() -> int:
    return field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Num:
    """An exact rational: ``3``, ``0.25``, ``1e-3``."""

    value: Fraction
    column: int = _column()


@dataclass(frozen=True)
class Name:
    """A variable: ``W1``, ``delta2``, ``dC``."""

    name: str
    column: int = _column()


@dataclass(frozen=True)
class Call:
    """A known function: ``exp(x)``, ``sigma'(z)`` (one prime), ``sum(x, axis=0)``."""

    name: str
    args: tuple[Node, ...]
    primes: int = 0
    axis: int | None = None
    keepdims: bool = False
    column: int = _column()


@dataclass(frozen=True)
class Transposed:
    """A transpose: ``X.T``."""

    operand: Node
    column: int = _column()


@dataclass(frozen=True)
class Unary:
    """A sign: ``-x`` (``+x`` is x)."""

    op: str
    operand: Node
    column: int = _column()


@dataclass(frozen=True)
class Binary:
    """One of ``+ - * / @ **``; ``*`` is elementwise, ``@`` the matrix product."""

    op: str
    left: Node
    right: Node
    column: int = _column()


@dataclass(frozen=True)
class Compare:
    """One of ``> < >= <=``, inside ``where`` or in parentheses: 1 where it holds, else 0."""

    op: str
    left: Node
    right: Node
    column: int = _column()


@dataclass(frozen=True)
class Index:
    """An entry: ``x[i,j]``."""

    base: Node
    indices: tuple[Node, ...]
    column: int = _column()


@dataclass(frozen=True)
class Derivative:
    """A derivative: ``d(e)/d(x)``, x a name or an entry of one."""

    of: Node
    by: Node
    column: int = _column()


Node: TypeAlias = Num | Name | Call | Transposed | Unary | Binary | Compare | Index | Derivative


@dataclass(frozen=True)
class Equation:
    """A claim that two expressions are equal: ``left = right``."""

    left: Node
    right: Node
    column: int = _column()


@dataclass(frozen=True)
class Assignment:
    """One statement of a program: ``name = value``."""

    name: str
    value: Node
    column: int = _column()


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below one, from left to right."""
    match node:
        case Num() | Name():
            return ()
        case Call():
            return node.args
        case Transposed() | Unary():
            return (node.operand,)
        case Binary() | Compare():
            return (node.left, node.right)
        case Index():
            return (node.base, *node.indices)
        case Derivative():
            return (node.of, node.by)


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, depth first and from left to right, without recursion."""
    stack = [node]
    while stack:
        here = stack.pop()
        yield here
        stack.extend(reversed(children(here)))


def names(node: Node) -> tuple[str, ...]:
    """The variables of an expression in the order of their first appearance."""
    return tuple(dict.fromkeys(n.name for n in walk(node) if isinstance(n, Name)))


def with_calls(node: Node, other: Mapping[str, str]) -> Node:
    """The expression with the functions of ``other`` called by their other names."""
    if not any(isinstance(n, Call) and n.name in other for n in walk(node)):
        return node
    match node:
        case Call():
            args = tuple(with_calls(a, other) for a in node.args)
            return replace(node, name=other.get(node.name, node.name), args=args)
        case Transposed() | Unary():
            return replace(node, operand=with_calls(node.operand, other))
        case Binary() | Compare():
            left, right = with_calls(node.left, other), with_calls(node.right, other)
            return replace(node, left=left, right=right)
        case Index():
            indices = tuple(with_calls(i, other) for i in node.indices)
            return replace(node, base=with_calls(node.base, other), indices=indices)
        case Derivative():
            return replace(node, of=with_calls(node.of, other), by=with_calls(node.by, other))
    return node


_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = 1, 2, 3, 4, 5
_LEVEL = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "@": _PRODUCT, "**": _POWER}
_SPACED = ("+", "-", "@")


def to_text(node: Node) -> str:
    """The expression as text that parses to an equal tree, with the fewest parentheses."""
    match node:
        case Num():
            return decimal_text(node.value)
        case Name():
            return node.name
        case Call():
            args = [to_text(a) for a in node.args]
            if node.name == "where" and isinstance(node.args[0], Compare):
                args[0] = args[0][1:-1]
            if node.axis is not None:
                args.append(f"axis={node.axis}")
            if node.keepdims:
                args.append("keepdims=True")
            return f"{node.name}{chr(39) * node.primes}({', '.join(args)})"
        case Transposed():
            return f"{_postfix(node.operand)}.T"
        case Index():
            return f"{_postfix(node.base)}[{','.join(map(to_text, node.indices))}]"
        case Unary():
            return f"{node.op}{_at_least(node.operand, _SIGN)}"
        case Derivative():
            return f"d({to_text(node.of)})/d({to_text(node.by)})"
        case Compare():
            return f"({to_text(node.left)} {node.op} {to_text(node.right)})"
        case Binary():
            level = _LEVEL[node.op]
            if level == _POWER:
                base = node.left
                text = to_text(base) if isinstance(base, Num) else _postfix(base)
                return f"{text}**{_at_least(node.right, _SIGN)}"
            op = f" {node.op} " if node.op in _SPACED else node.op
            return f"{_at_least(node.left, level)}{op}{_at_least(node.right, level + 1)}"


def _at_least(node: Node, level: int) -> str:
    own = _ATOM
    if isinstance(node, Binary):
        own = _LEVEL[node.op]
    elif isinstance(node, Unary):
        own = _SIGN
    return to_text(node) if own >= level else f"({to_text(node)})"


def _postfix(node: Node) -> str:
    """An operand of ``.T`` or ``[…]``: in parentheses unless it is one word."""
    plain = isinstance(node, (Name, Call, Transposed, Index, Compare))
    return to_text(node) if plain else f"({to_text(node)})"


def decimal_text(value: Fraction) -> str:
    """A rational whose denominator divides a power of ten, as an exact decimal."""
    places, rest = 0, value.denominator
    for prime in (2, 5):
        count = 0
        while rest % prime == 0:
            rest, count = rest // prime, count + 1
        places = max(places, count)
    if rest != 1:
        raise ValueError(f"{value} is not a decimal number")
    scaled = value.numerator * (10**places // value.denominator)
    if places == 0:
        return str(scaled)
    if places > 12:
        return f"{scaled}e-{places}"
    digits = str(abs(scaled)).zfill(places + 1)
    return f"{'-' if scaled < 0 else ''}{digits[:-places]}.{digits[-places:]}"

"""Programs: assignments in order, the shapes of their variables, and what is asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from symderiv.frontend.checks import MAX_SIZE, check_identifier, check_names
from symderiv.frontend.cursor import MAX_NODES
from symderiv.frontend.errors import SpecError, show, suggest
from symderiv.frontend.functions import FREE_AS_NAMES, arities
from symderiv.frontend.grammar import parse_expression, parse_program
from symderiv.frontend.nodes import Assignment, Node, names, walk, with_calls

MAX_STATEMENTS = 200
CONSTANTS = ("pi",)
"""Names that stand for numbers and so are not variables."""
OF_A_PROGRAM = {"sigma": "sigmoid"}
"""What functions of a network are in a program, which has no activation of its own."""

Statements: TypeAlias = tuple[tuple[str, Node], ...]
Shapes: TypeAlias = tuple[tuple[str, tuple[int | str, ...]], ...]


@dataclass(frozen=True)
class Request:
    """What is asked: the gradient of ``cost``, or the VJP of ``upstream``; with respect to what.

    ``wrt`` empty means everything that can be asked for.
    """

    cost: str | None = None
    upstream: str | None = None
    wrt: tuple[str, ...] = ()


def check_program(given: object) -> Statements:
    """Text, a mapping or pairs as statements; each name is assigned once and before its use."""
    statements: list[tuple[str, Node, int | None, str | None]]
    if isinstance(given, str):
        parsed = parse_program(given)
        statements = [(s.name, s.value, s.column, given) for s in parsed]
    else:
        statements = [(*_statement(pair), None, None) for pair in _pairs(given)]
    if not 1 <= len(statements) <= MAX_STATEMENTS:
        raise SpecError(
            f"program has {len(statements)} statements", f"write 1 to {MAX_STATEMENTS}",
            field="program", value=given,
        )  # fmt: skip
    if sum(1 for row in statements for _ in walk(row[1])) > MAX_NODES:
        raise SpecError(f"program has more than {MAX_NODES} parts", "split it",
                        field="program", value=given)  # fmt: skip
    targets = [row[0] for row in statements]
    for i, (name, value, column, text) in enumerate(statements):
        problem, remedy = "", ""
        if name in CONSTANTS:
            problem, remedy = f"{name!r} is assigned, but it is a constant", "choose another name"
        elif name in targets[:i]:
            problem, remedy = f"{name!r} is assigned twice", "give each step a name of its own"
        elif name in names(value):
            problem, remedy = f"{name!r} is used in its own definition", "name the new value anew"
        elif late := [n for n in names(value) if n in targets[i:]]:
            problem = f"{late[0]!r} is used in {name!r} before it is defined"
            remedy = "put its statement first"
        if problem:
            raise SpecError(
                problem, remedy, field="program" if column is None else "expression",
                value=name, column=column, text=text,
            )  # fmt: skip
    return tuple((name, with_calls(value, OF_A_PROGRAM)) for name, value, _, _ in statements)


def _pairs(given: object) -> list[object]:
    if isinstance(given, Mapping):
        return list(given.items())
    if isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        return list(given)
    raise SpecError(f"program is {show(given)}", 'write name = "expression"',
                    field="program", value=given)  # fmt: skip


def _statement(pair: object) -> tuple[str, Node]:
    """A name and its expression, the expression as text or already parsed."""
    if isinstance(pair, Assignment):
        pair = (pair.name, pair.value)
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise SpecError(f"program has {show(pair)}", "write pairs of a name and an expression",
                        field="program", value=pair)  # fmt: skip
    name = check_identifier(pair[0], "program name")
    if name in arities() and name not in FREE_AS_NAMES:
        raise SpecError(f"program assigns {name!r}, which is already known",
                        "choose another name", field="program", value=name)  # fmt: skip
    value = pair[1]
    if isinstance(value, Node):
        return name, value
    if not isinstance(value, str):
        raise SpecError(f"program.{name} is {show(value)}", "write an expression as text",
                        field=f"program.{name}", value=value)  # fmt: skip
    return name, parse_expression(value, field=f"program.{name}")


def check_used(program: Statements) -> None:
    """Without a cost named, every statement is there for the last one."""
    goal = program[-1][0]
    used = {goal}
    for name, value in reversed(program):
        if name not in used:
            raise SpecError(f"{name} is not used by {goal}, the last statement",
                            f"leave it out, or put the cost last: it may use {name}",
                            field="program", value=name)  # fmt: skip
        used.update(names(value))


def source_texts(given: object) -> tuple[tuple[str, str], ...]:
    """Of each statement the text in which its columns count: all of them, or its own."""
    if isinstance(given, str):
        return tuple((s.name, given) for s in parse_program(given))
    pairs = (pair for pair in _pairs(given) if isinstance(pair, tuple))
    return tuple((str(name), text) for name, text in pairs if isinstance(text, str))


def variables(program: Statements) -> tuple[str, ...]:
    """The names that a program uses and does not define, in order of first appearance."""
    defined = {name for name, _ in program}
    used = dict.fromkeys(n for _, value in program for n in names(value))
    return tuple(n for n in used if n not in defined and n not in CONSTANTS)


def check_shapes(given: object, known: Sequence[str]) -> Shapes:
    """``{"x": "m n"}`` as pairs, sorted by name; a shape is sizes, numbers or names."""
    if isinstance(given, Mapping):
        pairs = list(given.items())
    elif isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        pairs = [p for p in given if isinstance(p, tuple) and len(p) == 2]
        if len(pairs) != len(given):
            given = None
    else:
        given = None
    if given is None:
        raise SpecError("shapes is not a table", 'write x = "m n"', field="shapes", value=given)
    variables_ = check_names([name for name, _ in pairs], "shapes", known)
    shapes = tuple(sorted((name, _shape(value, f"shape of {name}")) for name, value in pairs))
    for name, shape in shapes:
        for size in shape:
            if size in variables_ or size in CONSTANTS:
                kind = "a constant" if size in CONSTANTS else "a variable with a shape of its own"
                raise SpecError(f"shape of {name} has the size {size}, which is {kind}",
                                "give the size another name",
                                field=f"shape of {name}", value=size)  # fmt: skip
    return shapes


def _shape(given: object, field: str) -> tuple[int | str, ...]:
    parts: Iterable[object]
    if isinstance(given, str):
        parts = given.replace(",", " ").split()
    elif isinstance(given, (list, tuple)):
        parts = given
    else:
        raise SpecError(f"{field} is {show(given)}", 'write sizes, such as "m n"',
                        field=field, value=given)  # fmt: skip
    sizes: list[int | str] = []
    for part in parts:
        if isinstance(part, str) and part.isascii() and part.isdigit() and len(part) < 8:
            part = int(part)
        if isinstance(part, int) and not isinstance(part, bool):
            if not 1 <= part <= MAX_SIZE:
                raise SpecError(
                    f"{field} has the size {show(part)}", f"a size is from 1 to {MAX_SIZE}",
                    field=field, value=part,
                )  # fmt: skip
            sizes.append(part)
        else:
            sizes.append(check_identifier(part, field))
    if len(sizes) > 4:
        raise SpecError(f"{field} has {len(sizes)} axes", "at most 4 are taken",
                        field=field, value=given)  # fmt: skip
    return tuple(sizes)


def check_request(
    given: object, targets: Sequence[str], inputs: Sequence[str], families: Sequence[str] = ()
) -> Request | None:
    """A mapping (or a Request): ``cost`` one of the targets or ``upstream`` a new name; ``wrt``.

    Without targets it is a network's request, which has its cost already.
    """
    if given is None:
        return None
    if isinstance(given, Request):
        given = {"cost": given.cost, "upstream": given.upstream, "wrt": given.wrt or None}
    if not isinstance(given, Mapping):
        raise SpecError(f"request is {show(given)}", "write a table",
                        field="request", value=given)  # fmt: skip
    for key in given:
        if key not in ("cost", "upstream", "wrt"):
            raise SpecError(f"unknown key {show(key)} in request",
                            suggest(str(key), ("cost", "upstream", "wrt")),
                            field="request", value=key)  # fmt: skip
    cost, upstream = given.get("cost"), given.get("upstream")
    if cost is not None and upstream is not None:
        raise SpecError("request has both cost and upstream",
                        "a cost has no upstream gradient; leave one out",
                        field="request", value=upstream)  # fmt: skip
    for key in ("cost", "upstream"):
        if given.get(key) is not None and not targets:
            raise SpecError(
                f"request.{key} is {show(given[key])}, but a network has a loss",
                f"leave {key} out", field=f"request.{key}", value=given[key],
            )  # fmt: skip
    if cost is not None:
        check_names([cost], "request.cost", targets)
    if upstream is not None:
        check_identifier(upstream, "request.upstream")
        if upstream in (*targets, *inputs):
            raise SpecError(f"request.upstream is {upstream!r}, which the program uses",
                            "choose a new name, such as dy",
                            field="request.upstream", value=upstream)  # fmt: skip
    asked = given.get("wrt")
    wrt = () if asked is None else check_names(asked, "wrt", inputs, families)
    if not wrt and asked is not None:
        raise SpecError("wrt is empty", "name what to differentiate by, or leave it out",
                        field="wrt", value=asked)  # fmt: skip
    return Request(None if cost is None else str(cost), upstream, wrt)

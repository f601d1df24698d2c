"""The numbers of a worked example: exact, and of the shapes that the sizes demand.

In every input file, whatever the layout of a document: X and Y are lists of examples,
W2 is a list of rows, one for each unit of layer 2 (out x in), b2 a list of numbers.
A flat list for X or Y is one example.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias

from symderiv.calculus.functions import REAL, Domain
from symderiv.frontend.checks import check_freeze, check_names, natural
from symderiv.frontend.errors import SpecError, listed, show, suggest
from symderiv.frontend.tokens import MAX_DIGITS, exact_decimal

MAX_STEPS = 10**6
MAX_RANK = 4
ROUNDED = Fraction(1, 10**5)  # what a sum of targets may differ from 1 by, as in modules
KEYS = ("X", "Y", "parameters", "rate", "steps", "freeze")
_SETTINGS = KEYS[2:]

Value: TypeAlias = "Fraction | tuple[Value, ...]"
"""A number or nested tuples of numbers, never ragged."""


@dataclass(frozen=True)
class Example:
    """X, Y and parameters as exact numbers; what is None or absent was not given.

    X and Y are tuples of examples. ``params`` are pairs of a name and its value, sorted;
    for a program they are its variables. ``hyper`` are the hyperparameters, such as lam.
    """

    X: Value | None = None
    Y: Value | None = None
    params: tuple[tuple[str, Value], ...] = ()
    rate: Fraction | None = None
    steps: int | None = None
    freeze: tuple[str, ...] = ()
    hyper: tuple[tuple[str, Fraction], ...] = ()


def check_number(given: object, field: str) -> Fraction:
    """An exact rational from a whole number, a decimal, a Fraction or a float's short form."""
    try:
        if isinstance(given, bool):
            raise ValueError("is true or false")
        if isinstance(given, int):
            if given.bit_length() > 4 * MAX_DIGITS:
                raise ValueError(f"has more than {MAX_DIGITS} digits")
            return Fraction(given)
        if isinstance(given, Fraction):
            if max(abs(given.numerator), given.denominator) >= 10**MAX_DIGITS:
                raise ValueError(f"has more than {MAX_DIGITS} digits")
            return given
        if isinstance(given, (float, Decimal)):
            return exact_decimal(str(given))
        raise ValueError("is not a number")
    except ValueError as wrong:
        raise SpecError(
            f"{field}: {show(given)} {wrong}", "write a number", field=field, value=given
        ) from None


def check_array(given: object, field: str, rank: int = 0) -> Value:
    """A number or nested lists of numbers, all of one shape; arrays are taken as lists."""
    plain = getattr(given, "tolist", None)
    if plain is not None:
        given = plain()
    if not isinstance(given, (list, tuple)):
        return check_number(given, field)
    if not given or rank >= MAX_RANK:
        raise SpecError(
            f"{field} has an empty list" if not given else f"{field} is nested too deeply",
            f"write numbers in up to {MAX_RANK} levels of lists", field=field, value=given,
        )  # fmt: skip
    parts = tuple(check_array(part, field, rank + 1) for part in given)
    if len({shape(part) for part in parts}) > 1:
        raise SpecError(f"{field} is ragged", "rows of a matrix have one length",
                        field=field, value=given)  # fmt: skip
    return parts


def shape(value: Value) -> tuple[int, ...]:
    """The lengths of a value: () for a number, (rows, columns) for a matrix."""
    return (len(value), *shape(value[0])) if isinstance(value, tuple) else ()


def check_example(
    given: object,
    sizes: Sequence[int | str],
    generic: bool,
    parameters: Sequence[str],
    hyper: Sequence[str] = (),
    targets: Domain = REAL,
) -> Example | None:
    """A mapping (or an Example) as the Example of a network with these sizes and parameters."""
    if given is None:
        return None
    table = _table(given)
    names = _members(table, parameters) if generic else tuple(parameters)
    _check_keys(table, (*KEYS, *names, *hyper))
    params = _gather(table, (*names, *hyper))
    chosen = {name: _not_negative(name, params.pop(name)) for name in hyper if name in params}
    X, Y = (_examples(table.get(key), f"example.{key}") for key in ("X", "Y"))
    _check_shapes(X, Y, params, sizes, generic)
    if Y is not None:
        _check_targets(Y, targets)
    frozen = check_freeze(table.get("freeze", ()), names, "example.freeze")
    return Example(
        X, Y, _sorted(params), _rate(table), _steps(table), frozen, tuple(chosen.items())
    )


def _not_negative(name: str, value: Value) -> Fraction:
    if isinstance(value, Fraction) and value >= 0:
        return value
    raise SpecError(
        f"example.{name} is {show(value)}", "it is a number that is not negative",
        field=f"example.{name}", value=value,
    )  # fmt: skip


def check_program_example(
    given: object,
    variables: Sequence[str],
    shapes: Mapping[str, Sequence[int | str]] = MappingProxyType({}),
) -> Example | None:
    """A mapping (or an Example) as the Example of a program with these free variables.

    A variable without a shape is a number; a name of a size is the number that the arrays say.
    """
    if given is None:
        return None
    table = _table(given)
    keys = (*(key for key in KEYS if key not in ("X", "Y")), *variables)
    _check_keys(table, keys)
    params = _gather(table, variables)
    bound: dict[str, int] = {}
    for name in shapes:
        if name in params:
            _bind(name, params[name], shapes[name], bound)
    for name in [name for name in params if name not in shapes]:
        _bind(name, params[name], (), bound)
        if bound.get(name, params[name]) != params[name]:
            raise SpecError(
                f"example.{name} is {show(params[name])}, but the arrays say {bound[name]}",
                "leave it out", field=f"example.{name}", value=params[name],
            )  # fmt: skip
    frozen = check_names(table.get("freeze", ()), "example.freeze", variables)
    return Example(None, None, _sorted(params), _rate(table), _steps(table), frozen)


def check_complete(example: Example | None, needed: Sequence[str]) -> None:
    """A worked example has a value for every name of ``needed``; SpecError names what has none."""
    if example is None:
        return
    given = {name for name, _ in (*example.params, *example.hyper)}
    given |= {name for name in ("X", "Y") if getattr(example, name) is not None}
    missing = [name for name in needed if name not in given]
    if missing:
        raise SpecError(
            f"example has no value for {listed(missing)}",
            "give it, or leave [example] out", field="example", value=missing[0],
        )  # fmt: skip


def _check_keys(table: Mapping[str, object], known: Sequence[str]) -> None:
    for key in table:
        if key not in known:
            raise SpecError(f"unknown key {show(key)} in example", suggest(key, known),
                            field="example", value=key)  # fmt: skip


def _table(given: object) -> dict[str, object]:
    if isinstance(given, Example):
        values = {**dict(given.params), **dict(given.hyper)}
        named = {"X": given.X, "Y": given.Y, "parameters": values,
                 "rate": given.rate, "steps": given.steps}  # fmt: skip
        table: dict[str, object] = {k: v for k, v in named.items() if v is not None}
        return {**table, "freeze": given.freeze}
    if isinstance(given, Mapping) and all(isinstance(key, str) for key in given):
        return dict(given)
    raise SpecError(f"example is {show(given)}", "write a table", field="example", value=given)


def _gather(table: Mapping[str, object], names: Sequence[str]) -> dict[str, Value]:
    """The values of the parameters, given by themselves or in a table ``parameters``."""
    inner = table.get("parameters", {})
    if not isinstance(inner, Mapping):
        raise SpecError(f"example.parameters is {show(inner)}", "write a table of names",
                        field="example.parameters", value=inner)  # fmt: skip
    check_names([*inner], "example.parameters", names)
    found = dict(inner)
    for key in names:
        if key in table and key not in _SETTINGS:
            if key in found:
                raise SpecError(f"example gives {key} twice", "once is enough",
                                field=f"example.{key}", value=key)  # fmt: skip
            found[key] = table[key]
    return {name: check_array(value, f"example.{name}") for name, value in found.items()}


def _members(table: Mapping[str, object], families: Sequence[str]) -> tuple[str, ...]:
    """For generic depth: W1, b1, … up to the last layer that the example names."""
    inner = table.get("parameters", {})
    names = [*table, *(inner if isinstance(inner, Mapping) else ())]
    matches = [re.fullmatch(r"[Wb]([1-9][0-9]?)", name) for name in map(str, names)]
    layers = max((int(match[1]) for match in matches if match), default=1)
    return tuple(f"{f}{i}" for i in range(1, layers + 1) for f in families)


def _examples(given: object, field: str) -> Value | None:
    if given is None:
        return None
    value = check_array(given, field)
    if len(shape(value)) == 1:
        value = (value,)
    if len(shape(value)) != 2:
        raise SpecError(f"{field} is not a list of examples",
                        "write a list of lists of numbers", field=field, value=given)  # fmt: skip
    return value


def _check_shapes(
    X: Value | None,
    Y: Value | None,
    params: Mapping[str, Value],
    sizes: Sequence[int | str],
    generic: bool,
) -> None:
    """Every shape as the sizes demand; a name stands for one number throughout."""
    widths = list(sizes)
    if generic:
        layers = max(map(_layer, params), default=1)
        widths[1:1] = [f"n{i}" for i in range(1, layers)]
    bound: dict[str, int] = {}
    if X is not None:
        _bind("X", X, ("m", widths[0]), bound)
    if Y is not None:
        _bind("Y", Y, ("m", widths[-1]), bound)
    for name, value in params.items():
        layer = _layer(name)
        rest = (widths[layer - 1],) if name.startswith("W") else ()
        _bind(name, value, (widths[layer], *rest), bound)


def _check_targets(Y: Value, domain: Domain) -> None:
    """Every target where the loss is defined; where it is a distribution, each example's sum."""
    assert isinstance(Y, tuple)
    for n, row in enumerate(Y, start=1):
        assert isinstance(row, tuple)
        wrong = [v for v in row if isinstance(v, Fraction) and not domain.contains(v)]
        if wrong:
            raise SpecError(
                f"example.Y has {show(wrong[0])} in example {n}",
                f"targets of this loss are {domain.text}", field="example.Y", value=wrong[0],
            )  # fmt: skip
        total = sum((v for v in row if isinstance(v, Fraction)), Fraction(0))
        if domain.total is not None and abs(total - domain.total) > ROUNDED:
            raise SpecError(
                f"example.Y sums to {show(total)} in example {n}",
                f"targets of this loss are {domain.text}", field="example.Y", value=total,
            )  # fmt: skip


def _layer(name: str) -> int:
    """2 for W2 and alpha2."""
    return int(name.lstrip("abcdefghijklmnopqrstuvwxyzW"))


def _bind(name: str, value: Value, row: Sequence[int | str], bound: dict[str, int]) -> None:
    have = shape(value)
    fits = len(have) == len(row)
    for size, length in zip(row, have, strict=False):
        number = bound.setdefault(size, length) if isinstance(size, str) else size
        fits = fits and number == length
    if not fits:
        need = [bound.get(size, size) if isinstance(size, str) else size for size in row]
        raise SpecError(
            f"example.{name} has the shape {_written(have)}", f"it must be {_written(need)}",
            field=f"example.{name}", value=have,
        )  # fmt: skip


def _written(lengths: Sequence[int | str]) -> str:
    if not lengths:
        return "of a single number"
    return " x ".join(map(str, lengths)) if len(lengths) > 1 else f"({lengths[0]},)"


def _sorted(params: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
    return tuple(sorted(params.items(), key=lambda pair: natural(pair[0])))


def _rate(table: Mapping[str, object]) -> Fraction | None:
    if "rate" not in table:
        return None
    rate = check_number(table["rate"], "example.rate")
    if rate <= 0:
        raise SpecError(f"example.rate is {rate}", "a learning rate is positive",
                        field="example.rate", value=rate)  # fmt: skip
    return rate


def _steps(table: Mapping[str, object]) -> int | None:
    steps = table.get("steps")
    if steps is None:
        return None
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MAX_STEPS:
        raise SpecError(f"example.steps is {show(steps)}",
                        f"write a whole number from 1 to {MAX_STEPS}",
                        field="example.steps", value=steps)  # fmt: skip
    if "rate" not in table:
        raise SpecError("example.steps is given, but no rate", "give it, such as rate = 0.5",
                        field="example.steps", value=steps)  # fmt: skip
    return steps

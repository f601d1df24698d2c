"""A spec as a TOML file: a strict schema, exact decimals, a cap on size before parsing.

title, sizes, activation, loss, reduction, penalty, freeze, scalars
[[layer]]   activation, bias                    one a layer
[program]   name = "expression", in order       instead of sizes and layers
[shapes]    name = "m n"
[request]   cost or upstream, wrt
[example]   X, Y, parameters (or W1, b1, ... themselves), rate, steps, freeze
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from symderiv.frontend.checks import ELLIPSES, MAX_LAYERS
from symderiv.frontend.errors import SpecError, listed, show, suggest
from symderiv.frontend.known import loss_names
from symderiv.frontend.network import Network
from symderiv.frontend.tokens import exact_decimal

MAX_BYTES = 256 * 1024
MAX_KEY_PARTS = 16
MAX_FIELD = 64  # characters of a path of keys in a message

TOP = (
    "title", "sizes", "activation", "loss", "reduction", "penalty", "freeze", "scalars",
    "layer", "program", "shapes", "request", "example",
)  # fmt: skip
LAYER = ("activation", "bias")

# A dotted key of more parts than any of ours; tomllib takes quadratic time for such keys.
_LONG_KEY = re.compile(
    r"(?<![\w\-\"'])(?:(?:[A-Za-z0-9_\-]++|\"[^\"\n]*+\"|'[^'\n]*+')[ \t]*+\.[ \t]*+)"
    + f"{{{MAX_KEY_PARTS}}}"
)


def read_toml(path: Path) -> Network:
    """The network that a file describes; SpecError if it is missing, too large or wrong."""
    shown = show(path.name if len(str(path)) > 40 else str(path))
    try:
        if path.is_dir():
            raise SpecError(f"{shown} is a folder", "give a file in it", field="file",
                            value=str(path))  # fmt: skip
        if not path.is_file():
            raise SpecError(f"there is no file {shown}", "check the path", field="file",
                            value=str(path))  # fmt: skip
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as wrong:
        if isinstance(wrong, SpecError):
            raise
        reason = getattr(wrong, "strerror", None) or "it is not a path"
        raise SpecError(f"file {shown} cannot be read: {reason}", "check the path",
                        field="file", value=str(path)) from None  # fmt: skip
    if len(data) > MAX_BYTES:
        raise SpecError(f"file {shown} is too large", f"at most {MAX_BYTES // 1024} KiB are taken",
                        field="file", value=str(path))  # fmt: skip
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise SpecError(f"file {shown} is not UTF-8 at byte {wrong.start}", "save it as UTF-8",
                        field="file", value=str(path)) from None  # fmt: skip
    try:
        return parse_toml(text)
    except SpecError as wrong:
        raise wrong.within(path.name) from None


def parse_toml(text: str) -> Network:
    """The network that the text of a TOML file describes."""
    return _network(load(text))


def load(text: str) -> dict[str, object]:
    """TOML to plain data with exact decimals; every failure is a SpecError of one line."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise SpecError("the text is too large", f"at most {MAX_BYTES // 1024} KiB are taken",
                        field="file", value=text)  # fmt: skip
    if _LONG_KEY.search(text):
        raise SpecError(f"a key has more than {MAX_KEY_PARTS} parts", "no key needs so many",
                        field="file", value=text)  # fmt: skip
    try:
        table = tomllib.loads(text, parse_float=_decimal)
        _require_numbers(table)
        return table
    except SpecError:
        raise
    except RecursionError:
        raise SpecError("the file is nested too deeply", "write at most a few levels",
                        field="file", value=text) from None  # fmt: skip
    except tomllib.TOMLDecodeError as wrong:
        raise SpecError(f"not TOML: {str(wrong)[:120]}", "see toml.io for the format",
                        field="file", value=text) from None  # fmt: skip
    except ValueError:  # int() of thousands of digits
        raise SpecError("a whole number is too long", "write at most 40 digits",
                        field="file", value=text) from None  # fmt: skip


@dataclass(frozen=True)
class _NoNumber:
    """A number that is none of ours; the reader of TOML does not say where it stands."""

    text: str
    problem: str


def _require_numbers(table: dict[str, object]) -> None:
    waiting: list[tuple[str, object]] = list(reversed(table.items()))
    while waiting:
        field, value = waiting.pop()
        if isinstance(value, _NoNumber):
            raise SpecError(
                f"{field}: the number {show(value.text)} {value.problem}",
                "write a decimal of at most 40 digits", field=field, value=value.text,
            )  # fmt: skip
        if isinstance(value, dict):
            waiting += [(f"{field}.{key}"[:MAX_FIELD], v) for key, v in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(field, v) for v in reversed(value)]


def _decimal(text: str) -> Fraction | _NoNumber:
    try:
        return exact_decimal(text.replace("_", ""))
    except ValueError as wrong:
        return _NoNumber(text, str(wrong))


def _network(table: Mapping[str, object]) -> Network:
    _check_keys(table, TOP, "")
    for key in ("program", "shapes", "request", "example"):
        if key in table and not isinstance(table[key], Mapping):
            raise SpecError(f"{key} is {show(table[key])}", f"write a table [{key}]",
                            field=key, value=table[key])  # fmt: skip
    activations, bias = _layers(table)
    if "program" not in table and "sizes" in table and table.get("loss", "") == "":
        raise SpecError("the loss is missing",
                        f'write one, such as loss = "mse"; known: {listed(loss_names())}',
                        field="loss")  # fmt: skip
    named = {key: table.get(key) for key in TOP if key not in ("activation", "layer")}
    return Network.build(activations=activations, bias=bias, **named)


def _check_keys(table: Mapping[str, object], known: Sequence[str], place: str) -> None:
    for key in table:
        if key not in known:
            raise SpecError(f"unknown key {show(key)}{place}", suggest(key, known),
                            field=key, value=key)  # fmt: skip


def _check_count(count: int, sizes: object) -> None:
    """One table a layer; of any depth one for the hidden layers and one for the output, or one."""
    if not isinstance(sizes, list) or len(sizes) < 2 or len(sizes) - 1 > MAX_LAYERS:
        return  # said in full where sizes are checked
    generic = any(size in ELLIPSES for size in sizes if isinstance(size, str))
    if count not in ((1, 2) if generic else (len(sizes) - 1,)):
        tables = f"{count} [[layer]] table{'s' * (count != 1)}"
        raise SpecError(
            f"layer: {tables} for any depth" if generic
            else f"layer: {tables} for {len(sizes) - 1} layer{'s' * (len(sizes) != 2)}",
            "write one for the hidden layers and one for the output" if generic
            else "write one for each layer, or activation = \"...\" for all of them",
            field="layer", value=count,
        )  # fmt: skip


def _layers(table: Mapping[str, object]) -> tuple[object, object]:
    """Activations and biases of ``[[layer]]`` tables, or of the key ``activation``."""
    activation = table.get("activation")
    if "layer" not in table:
        return activation, None
    layers = table["layer"]
    if not isinstance(layers, list) or not all(isinstance(row, Mapping) for row in layers):
        raise SpecError(f"layer is {show(layers)}", "write [[layer]] tables",
                        field="layer", value=layers)  # fmt: skip
    if not layers:
        raise SpecError("layer is empty", "write one [[layer]] a layer, or none",
                        field="layer", value=layers)  # fmt: skip
    if isinstance(activation, list):
        raise SpecError("activation is a list beside [[layer]] tables", "give it in one place",
                        field="activation", value=activation)  # fmt: skip
    activations: list[object] = []
    biases: list[bool] = []
    for i, row in enumerate(layers, 1):
        _check_keys(row, LAYER, f" in layer {i}")
        if "activation" in row and activation is not None:
            raise SpecError(f"activation is given both for the file and for layer {i}",
                            "give it once", field="activation", value=activation)  # fmt: skip
        activations.append(row.get("activation", "sigmoid" if activation is None else activation))
        bias = row.get("bias", True)
        if not isinstance(bias, bool):
            raise SpecError(f"bias of layer {i} is {show(bias)}", "write true or false",
                            field=f"bias of layer {i}", value=bias)  # fmt: skip
        biases.append(bias)
    _check_count(len(layers), table.get("sizes"))
    return activations, (biases[0] if len(set(biases)) == 1 else biases)

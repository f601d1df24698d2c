"""A spec in one line of text: sizes, activations, loss and options, or assignments.

2-3-1:sigmoid+bce        n0-n1-n2:relu,identity+mse        n0-...-nL:sigmoid+mse+l2
u = b*c; J = 3*(a + u)   digits.toml
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from symderiv.frontend.checks import ELLIPSES, MAX_LAYERS, TOO_MANY_LAYERS
from symderiv.frontend.errors import SHOWN, SpecError, show, suggest
from symderiv.frontend.grammar import parse_expression
from symderiv.frontend.known import ALIASES, activation_names, canonical, loss_names
from symderiv.frontend.network import Network
from symderiv.frontend.nodes import Name, Num
from symderiv.frontend.toml import read_toml

MAX_INLINE = 4096
OPTIONS = ("nobias", "bias=1,2", "freeze=b", "sum", "mean", "l2", "scalars")
_FORMS = "write sizes:activation+loss such as 2-3-1:sigmoid+bce, J = 3*(a + b), or a .toml file"


def parse_spec(text_or_path: str | os.PathLike[str]) -> Network:
    """The network that an inline text, an expression or a TOML file describes.

    A path, or text that ends in ``.toml``, is a file; text with ``=`` before any ``:`` is a
    program; everything else is inline. Errors: SpecError and nothing else.
    """
    if isinstance(text_or_path, os.PathLike):
        return read_toml(Path(text_or_path))
    if not isinstance(text_or_path, str):
        raise SpecError(f"spec is {show(text_or_path)}", _FORMS, field="spec", value=text_or_path)
    text = text_or_path.strip()
    if text.lower().endswith(".toml"):
        return read_toml(Path(text))
    if "=" in text.split(":", 1)[0] and not text[0].isdigit():
        return Network.build(program=text_or_path)
    return parse_inline(text)


def parse_inline(text: str) -> Network:
    """The network of an inline text such as ``784-30-10:tanh,softmax+ce+l2``."""
    if len(text) > MAX_INLINE:
        raise SpecError(
            f"spec has {len(text)} characters", f"at most {MAX_INLINE} are taken; use a .toml file",
            field="spec", value=text,
        )  # fmt: skip
    if ":" not in text and _is_expression(text):
        raise SpecError(f"{show(text)} is an expression without a name",
                        f"write J = {text[:SHOWN]}", field="spec", value=text)  # fmt: skip
    if ":" not in text:
        raise SpecError(f"spec {show(text)} has no ':'" if text else "spec is empty", _FORMS,
                        field="spec", value=text)  # fmt: skip
    before, after = text.split(":", 1)
    if ":" in after:
        raise SpecError(f"spec {show(text)} has a second ':'", _FORMS, field="spec", value=text)
    sizes = _sizes(before)
    activations, *options = [part.strip() for part in after.split("+")]
    given: dict[str, object] = {
        "sizes": sizes, "activations": _parts(activations, "activations", "a name"),
    }  # fmt: skip
    layers = None if "..." in sizes else len(sizes) - 1
    for option in options:
        _read_option(option, layers, given)
    return Network.build(**given)


def _is_expression(text: str) -> bool:
    """Whether a text without ``:`` computes something, and is no list of sizes such as 2-3-1."""
    if re.match(r"[\w.…]+(-[\w.…]+)+(\+|$)", text):
        return False
    try:
        return not isinstance(parse_expression(text), (Name, Num))
    except SpecError:
        return False


def _parts(text: str, field: str, of: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if "" in parts:
        raise SpecError(
            f"{field} is empty" if len(parts) == 1 else f"{field} {show(text)} has an empty part",
            f"write {of}, or several with a comma between them", field=field, value=text,
        )  # fmt: skip
    return parts


def _sizes(text: str) -> list[int | str]:
    """``2-3-1`` as numbers and names; what they may be is the builder's to check."""
    parts = [part.strip() for part in text.split("-")]
    if len(parts) - 1 > MAX_LAYERS:
        raise SpecError(f"sizes has {len(parts) - 1} layers", TOO_MANY_LAYERS,
                        field="sizes", value=text)  # fmt: skip
    sizes: list[int | str] = []
    for i, part in enumerate(parts):
        field = f"size n{i}"
        if not part:
            raise SpecError(
                f"{field} is empty in {show(text)}",
                "write sizes from 1 on with one - between them, such as 2-3-1",
                field=field, value=part,
            )  # fmt: skip
        if part in ELLIPSES:
            sizes.append("...")
        elif part.isascii() and part.isdigit():
            sizes.append(int(part) if len(part) <= 12 else _too_large(part, field))
        elif part[0].isdigit() or part[0] in "+.":
            raise SpecError(f"{field} {show(part)} is neither a number nor a name",
                            "write whole numbers with the digits 0-9",
                            field=field, value=part)  # fmt: skip
        else:
            sizes.append(part)
    return sizes


def _too_large(part: str, field: str) -> int:
    raise SpecError(f"{field} has {len(part)} digits", "a size is from 1 to 1000000",
                    field=field, value=part)  # fmt: skip


def _read_option(option: str, layers: int | None, given: dict[str, object]) -> None:
    """Enter one part after a ``+`` into the arguments of the builder, each at most once."""
    word, equals, value = option.partition("=")
    word, value = canonical(word), value.strip()
    if not option:
        raise SpecError("an option is empty", f"after a + stands a loss or {', '.join(OPTIONS)}",
                        field="option", value=option)  # fmt: skip
    if equals:
        if word not in _WITH_VALUE:
            raise SpecError(f"unknown option {show(option)}",
                            suggest(word, [o for o in OPTIONS if "=" in o]),
                            field="option", value=option)  # fmt: skip
        _enter(given, word, _WITH_VALUE[word](value, layers), option)
    elif word in map(canonical, loss_names()):
        _enter(given, "loss", word, option)
    elif word in _FLAGS:
        _enter(given, *_FLAGS[word], option)
    elif word in _WITH_VALUE:
        raise SpecError(f"option {word!r} has no value",
                        "write " + next(o for o in OPTIONS if o.startswith(word)),
                        field=word, value=option)  # fmt: skip
    elif word in map(canonical, activation_names()):
        raise SpecError(f"the activation {word!r} follows a +", f"write relu,{word}+mse: "
                        "activations have commas between them",
                        field="option", value=option)  # fmt: skip
    else:
        raise SpecError(f"unknown loss or option {show(option)}",
                        _did_you_mean(word),
                        field="option", value=option)  # fmt: skip


def _did_you_mean(word: str) -> str:
    if ALIASES.get(word) in loss_names():
        return f"did you mean {ALIASES[word]!r}?"
    return suggest(word, (*OPTIONS, *loss_names()))


def _enter(given: dict[str, object], key: str, value: object, option: str) -> None:
    if key in given:
        same = given[key] == value
        raise SpecError(
            f"option {show(option)} is given twice" if same
            else f"option {show(option)} contradicts another {key} before it",
            f"the {key} is given once", field=key, value=option,
        )  # fmt: skip
    given[key] = value


def _bias_layers(text: str, layers: int | None) -> list[bool]:
    """``1,3``: only these layers have a bias."""
    if layers is None:
        raise SpecError("bias= names layers, but the depth is generic", "leave it out or +nobias",
                        field="bias", value=text)  # fmt: skip
    has = [False] * layers
    for part in _parts(text, "bias", "layers, such as bias=1,2"):
        good = part.isascii() and part.isdigit() and len(part) <= 4
        if not good or not 1 <= int(part) <= layers:
            raise SpecError(f"bias names layer {show(part)}, which is not there",
                            f"layers are 1 to {layers}", field="bias", value=part)  # fmt: skip
        if has[int(part) - 1]:
            raise SpecError(f"bias names layer {part} twice", "once is enough",
                            field="bias", value=part)  # fmt: skip
        has[int(part) - 1] = True
    return has


def _frozen(text: str, layers: int | None) -> list[str]:
    return _parts(text, "freeze", "parameters, such as freeze=b")


_FLAGS: dict[str, tuple[str, object]] = {
    "nobias": ("bias", False), "sum": ("reduction", "sum"), "mean": ("reduction", "mean"),
    "l2": ("penalty", "l2"), "scalars": ("scalars", True),
}  # fmt: skip
_WITH_VALUE: dict[str, Callable[[str, int | None], object]] = {
    "bias": _bias_layers, "freeze": _frozen,
}  # fmt: skip

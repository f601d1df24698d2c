"""What a network may be: every check of the Python builder, each naming its field.

Each function takes what the user gave and returns it in canonical form.
"""

from __future__ import annotations

import itertools
import keyword
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

from symderiv.calculus.functions import LOG_PROBABILITIES
from symderiv.frontend.errors import SpecError, listed, show, suggest
from symderiv.frontend.known import (
    ALIASES,
    activation_names,
    canonical,
    fits,
    is_vector_function,
    learned,
    loss_names,
    loss_need,
    output_range,
)

MAX_SIZE = 10**6
MAX_LAYERS = 100
MAX_SCALARS = 12
MAX_TITLE = 200
TOO_MANY_LAYERS = f"at most {MAX_LAYERS} are written out; for any depth write n0-...-nL"
ELLIPSES = ("...", "…")
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_TENSOR = re.compile(r"(?:W|w|b|z|a|delta)[0-9]*|[XYxyCR]|e|ell|lam|eta")
_OF_A_LAYER = re.compile(r"n([0-9]+)")
_NATURAL = re.compile(r"([A-Za-z]+)([0-9]*)")


def as_list(value: object, field: str, of: str) -> list[object]:
    """A list or tuple as a list; a lone text or number is refused, since it is ambiguous."""
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return list(value)
    raise SpecError(f"{field} is {show(value)}", f"write a list of {of}", field=field, value=value)


def check_identifier(name: object, field: str) -> str:
    """A name that can stand in formulas and in generated code."""
    if not isinstance(name, str):
        raise SpecError(f"{field} is {show(name)}", "write a name", field=field, value=name)
    if not IDENTIFIER.fullmatch(name) or keyword.iskeyword(name):
        raise SpecError(
            f"{field} {show(name)} is not a name",
            "a name is a letter, then up to 31 letters, digits or _, and no word of Python",
            field=field, value=name,
        )  # fmt: skip
    return name


def check_sizes(sizes: object) -> tuple[tuple[int | str, ...], bool]:
    """The sizes n0 … nL, and whether the depth is generic (``n0, ..., nL``)."""
    parts = as_list(sizes, "sizes", "numbers or names, such as 2, 3, 1")
    parts = ["..." if part is Ellipsis else part for part in parts]
    if any(part in ELLIPSES for part in parts if isinstance(part, str)):
        return _generic_sizes(parts), True
    if len(parts) < 2:
        raise SpecError(
            f"sizes has {len(parts)} entry" if len(parts) == 1 else "sizes is empty",
            "a network has at least an input and an output, such as 2-1",
            field="sizes", value=parts,
        )  # fmt: skip
    if len(parts) - 1 > MAX_LAYERS:
        raise SpecError(
            f"sizes has {len(parts) - 1} layers", TOO_MANY_LAYERS,
            field="sizes", value=parts,
        )  # fmt: skip
    return tuple(check_size(part, f"size n{i}") for i, part in enumerate(parts)), False


def _generic_sizes(parts: list[object]) -> tuple[int | str, ...]:
    if len(parts) != 3 or parts[1] not in ELLIPSES:
        raise SpecError(
            "sizes of generic depth have one ... between two names", "write n0-...-nL",
            field="sizes", value=parts,
        )  # fmt: skip
    ends = [check_size(part, "size") for part in (parts[0], parts[2])]
    if not all(isinstance(end, str) for end in ends) or ends[0] == ends[1]:
        raise SpecError(
            f"sizes of generic depth are two different names, not {ends[0]} and {ends[1]}",
            "write n0-...-nL", field="sizes", value=parts,
        )  # fmt: skip
    for end, allowed in zip(ends, ("n0", "nL"), strict=True):
        if end != allowed and (_OF_A_LAYER.fullmatch(str(end)) or end in ("n0", "nL")):
            place = "the input" if allowed == "n0" else "the output"
            raise SpecError(
                f"{end} stands for the size of {place}, but is that of another layer",
                "write n0-...-nL for any depth, or the sizes of all layers, as in n0-n1-n2",
                field="sizes", value=end,
            )  # fmt: skip
    return tuple(ends)


def check_size(size: object, field: str) -> int | str:
    """A number from 1 to a million, or a name that means nothing else."""
    if isinstance(size, bool) or not isinstance(size, (int, str)):
        raise SpecError(
            f"{field} is {_decimal(size)}", "write a whole number or a name",
            field=field, value=size,
        )  # fmt: skip
    if isinstance(size, int):
        if not 1 <= size <= MAX_SIZE:
            raise SpecError(
                f"{field} is {show(size)}", f"a size is from 1 to {MAX_SIZE}",
                field=field, value=size,
            )  # fmt: skip
        return size
    if size in ("m", "l", "L"):
        raise SpecError(
            f"{field} is {size!r}", "m, l and L are reserved for examples and layers; try n",
            field=field, value=size,
        )  # fmt: skip
    if _TENSOR.fullmatch(size):
        raise SpecError(
            f"{field} is {size!r}, the name of a quantity", "try n0, n1, ... or a word",
            field=field, value=size,
        )  # fmt: skip
    return check_identifier(size, field)


def check_size_names(sizes: Sequence[int | str], quantities: Sequence[str]) -> None:
    """Refuse a size that is called as a quantity of the same network, alpha of ELU, or is π."""
    for n, size in enumerate(sizes):
        if size == "pi" or size in quantities:
            kind = "a constant" if size == "pi" else "a parameter of this network"
            raise SpecError(f"size n{n} is {show(size)}, {kind}", "give the size another name",
                            field=f"size n{n}", value=size)  # fmt: skip


def _decimal(size: object) -> str:
    """A size as it is refused: 1.0 is no whole number, and shows that it is none."""
    whole = isinstance(size, Fraction) and size.denominator == 1
    return f"{show(size)}.0" if whole and show(size).lstrip("-").isdigit() else show(size)


def check_word(word: object, field: str, kind: str, choices: Sequence[str]) -> str:
    """One of the known words, whatever its case and whether with - or _."""
    if not isinstance(word, str):
        raise SpecError(f"{field} is {show(word)}", f"write its name: {listed(choices)}",
                        field=field, value=word)  # fmt: skip
    by_name = {canonical(choice): choice for choice in choices}
    if (name := canonical(word)) in by_name:
        return by_name[name]
    place = field.removeprefix(kind).replace(" of ", " in ", 1)
    if name in ALIASES and ALIASES[name] in choices:
        remedy = f"did you mean {ALIASES[name]!r}?"
    elif kind == "activation" and name in map(canonical, loss_names()):
        remedy = f"{name!r} is a loss, which follows a +: sigmoid+{name}"
    elif kind == "loss" and name in map(canonical, activation_names()):
        remedy = f"{name!r} is an activation; losses are {listed(choices)}"
    else:
        remedy = suggest(name, choices)
    raise SpecError(f"unknown {kind} {show(word)}{place}", remedy, field=field, value=word)


def check_activations(given: object, depth: int, generic: bool) -> tuple[str, ...]:
    """One activation a layer (generic depth: hidden and output); one alone is every layer's."""
    parts: list[object] = [given] if isinstance(given, str) else as_list(
        given, "activations", "names, such as tanh, softmax"
    )  # fmt: skip
    count = 2 if generic else depth
    if len(parts) not in (1, count):
        wanted = "1 or 2 (hidden, output)" if generic else f"1 or {depth}, one a layer"
        raise SpecError(
            f"{len(parts)} activations for "
            + ("generic depth" if generic else f"{depth} layer{'s' * (depth != 1)}")
            + f" ({listed([show(part) for part in parts], most=3)})",
            f"write {wanted if count > 1 else 'one'}", field="activations", value=given,
        )  # fmt: skip
    if len(parts) == 1:
        fields = ["activation"]
    elif generic:
        fields = ["activation of hidden layers", "activation of the output"]
    else:
        fields = [f"activation of layer {i}" for i in range(1, count + 1)]
    known = activation_names()
    chosen = [check_word(p, f, "activation", known) for p, f in zip(parts, fields, strict=True)]
    if generic:
        for field, name in zip(fields, chosen, strict=True):
            if field != fields[-1] or len(chosen) == 1:
                _unit_by_unit(name, field)
            if learned(name):
                raise SpecError(
                    f"{field} {name!r} at any depth",
                    "it learns parameters of its own; give the sizes of all layers",
                    field=field, value=name,
                )  # fmt: skip
    return tuple(chosen if len(chosen) == count else chosen * count)


def _unit_by_unit(name: str, field: str) -> None:
    if is_vector_function(name):
        raise SpecError(
            f"{field} {name!r} at any depth", f"write hidden,output, such as sigmoid,{name}",
            field=field, value=name,
        )  # fmt: skip


def check_single_units(sizes: Sequence[int | str], activations: Sequence[str]) -> None:
    """A function of all units of a layer needs more than one: softmax of one unit is 1."""
    for layer, (size, name) in enumerate(zip(sizes[1:], activations, strict=True), start=1):
        if size == 1 and is_vector_function(name):
            value = "0" if output_range(name) is LOG_PROBABILITIES else "1"
            raise SpecError(
                f"{name} of a single unit in layer {layer} is {value} whatever goes in, and every "
                "gradient is 0", "write sigmoid, or a layer of 2 units or more",
                field=f"activation of layer {layer}", value=name,
            )  # fmt: skip


def check_loss(given: object, output: str) -> str:
    """A known loss that the output activation can be given to."""
    names = loss_names()
    if given is None or given == "":
        raise SpecError(
            "the loss is missing", f"add one, such as +mse; known: {listed(names)}",
            field="loss", value=given,
        )  # fmt: skip
    loss = check_word(given, "loss", "loss", names)
    need = loss_need(loss)
    if need is None or fits(output, loss):
        return loss
    activations = [a for a in activation_names() if fits(a, loss)]
    losses = [n for n in names if loss_need(n) is not None and fits(output, n)]
    remedy = f"with {loss} the last activation is {' or '.join(activations[:4])}"
    if losses:
        whatever = [n for n in names if loss_need(n) is None and not n.endswith("logits")]
        remedy += f"; with {output} the loss is {' or '.join([*losses[:4], whatever[0]])}"
    has, need = output_range(output), loss_need(loss)
    assert need is not None
    raise SpecError(
        f"loss {loss!r} needs {need.needed}, but {output!r} has {has.given}", remedy,
        field="loss", value=loss,
    )  # fmt: skip


def check_bias(given: object, depth: int, generic: bool) -> tuple[bool, ...]:
    """Which layers have a bias: true or false for all, or one of them a layer."""
    count = 1 if generic else depth
    if isinstance(given, bool):
        return (given,) * count
    parts = as_list(given, "bias", "true or false, one a layer")
    if len(parts) != count or not all(isinstance(part, bool) for part in parts):
        raise SpecError(
            f"bias has {len(parts)} entries for {count} layer(s)"
            if len(parts) != count else "bias has an entry that is neither true nor false",
            "write true, false, or one of them a layer", field="bias", value=given,
        )  # fmt: skip
    return tuple(bool(part) for part in parts)


def parameter_names(
    activations: Sequence[str], generic: bool, bias: Sequence[bool]
) -> tuple[str, ...]:
    """``W1, b1, W2, …`` in order, and what activations learn; for generic depth ``W, b``."""
    if generic:
        return ("W", "b") if bias[0] else ("W",)
    names: list[str] = []
    for i, (activation, offset) in enumerate(zip(activations, bias, strict=True), start=1):
        names += [f"W{i}", *([f"b{i}"] if offset else [])]
        names += [f"{name}{i}" for name in learned(activation)]
    return tuple(names)


def family(parameter: str) -> str:
    """What a parameter is one of: ``W`` for W1, ``beta`` for beta2."""
    return parameter.rstrip("0123456789")


def natural(name: str) -> tuple[str, int, str]:
    """The order b1, b2, b10, W1."""
    match = _NATURAL.fullmatch(name)
    return (match[1], int(match[2] or 0), name) if match else (name, 0, name)


def check_names(
    given: object, field: str, known: Iterable[str], families: Sequence[str] = ()
) -> tuple[str, ...]:
    """Known names, each once, in the order given; ``families`` such as ``b`` mean all b."""
    parts: list[object] = [given] if isinstance(given, str) else as_list(given, field, "names")
    names = tuple(known)
    here = [f for f in families if f in map(family, names)]
    allowed = dict.fromkeys([*here, *names])
    seen: dict[str, None] = {}
    for part in parts:
        if not isinstance(part, str) or not part:
            raise SpecError(
                f"{field} has {show(part)}", f"write names, such as {listed(list(allowed))}",
                field=field, value=part,
            )  # fmt: skip
        if part not in allowed:
            remedy = _nearest(part, list(allowed))
            raise SpecError(
                f"{field} names {show(part)}, which is not there", remedy, field=field, value=part
            )
        if part in seen:
            raise SpecError(f"{field} names {part} twice", "once is enough",
                            field=field, value=part)  # fmt: skip
        seen[part] = None
    return tuple(seen)


def _nearest(name: str, known: Sequence[str]) -> str:
    """A remedy that does not take W3 for W: short names have no neighbours but in case."""
    if not known:
        return "there is none to name"
    same = [other for other in known if other.lower() == name.lower()]
    if not same and len(name) <= 3:
        return f"known: {listed(known)}"
    return suggest(name, same or known)


def check_freeze(
    given: object, parameters: Sequence[str], field: str = "freeze"
) -> tuple[str, ...]:
    """Parameters held fixed, sorted; ``b`` means every bias, and swallows b1."""
    parts = list(given) if isinstance(given, (set, frozenset)) else given
    names = check_names(parts, field, parameters, ("W", "b"))
    kept = [n for n in names if n in ("W", "b") or family(n) not in names]
    return tuple(sorted(kept, key=natural))


def check_scalars(given: object, sizes: Sequence[int | str], generic: bool) -> bool:
    """Whether single weights are written out, which only small networks allow."""
    if not isinstance(given, bool):
        raise SpecError(f"scalars is {show(given)}", "write true or false",
                        field="scalars", value=given)  # fmt: skip
    if not given:
        return False
    numbers = [size for size in sizes if isinstance(size, int)]
    if generic or len(numbers) != len(sizes):
        raise SpecError("scalars with sizes that are names", "write sizes as numbers",
                        field="scalars", value=given)  # fmt: skip
    weights = sum(a * b for a, b in itertools.pairwise(numbers))
    if weights > MAX_SCALARS:
        raise SpecError(
            f"scalars with {weights} weights", f"at most {MAX_SCALARS} can be written out",
            field="scalars", value=given,
        )  # fmt: skip
    return True


def check_title(given: object) -> str | None:
    """One line of text, or None."""
    if given is None:
        return None
    if not isinstance(given, str):
        raise SpecError(f"title is {show(given)}", "write text", field="title", value=given)
    if len(given) > MAX_TITLE or not given.isprintable() or not given.strip():
        raise SpecError(
            f"title {show(given)} is empty, has a control character or is too long",
            f"write one line of at most {MAX_TITLE} characters", field="title", value=given,
        )  # fmt: skip
    return given.strip()

"""Entries by their number, and axes of length 1, as slices: ``A[0]``, ``mu[:, 0]``.

An equation speaks of mu[i,1] where mu repeats along an axis of length 1. In code that is the
vector mu[:, 0], which has a matrix form like any other; a value that is stored with an axis of
length 1 is computed without it, and gets it at the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from symderiv.algebra.binding import replace_accesses, substitute
from symderiv.algebra.expr import ONE, Access, Delta, Expr, Select, Sum, Tensor, rebuild
from symderiv.algebra.index import Axis, is_zero
from symderiv.code.names import Naming, Slice
from symderiv.code.pieces import ATOM, SUM, Kind, Piece


def is_single(axis: Axis) -> bool:
    """Whether an axis has length 1."""
    return axis.only is not None


def without_single(left: Access, body: Expr) -> tuple[Access, Expr]:
    """An equation without the axes of length 1 of its left side, and without sums along others."""
    variables = (i.variable for i in left.indices)
    single = {v: only for v in variables if v is not None and (only := v.axis.only) is not None}
    body = _decided(substitute(body, single))
    if not single:
        return left, body
    kept = [n for n, i in enumerate(left.indices) if i.variable not in single]
    tensor = replace(left.tensor, slots=tuple(left.tensor.slots[n] for n in kept))
    return Access(tensor, tuple(left.indices[n] for n in kept)), body


def _decided(expr: Expr) -> Expr:
    """Without sums of one term, the winner among one, and deltas of equal indices."""
    match expr:
        case Sum(var, body) if (only := var.axis.only) is not None:
            return _decided(substitute(body, {var: only}))
        case Select(at, var, _) if (only := var.axis.only) is not None and is_zero(at - only):
            return ONE
        case Delta(left, right) if is_zero(left - right):
            return ONE
    return rebuild(expr, _decided)


def with_slices(expr: Expr, naming: Naming) -> Expr:
    """Every entry with a constant index as an entry of a slice of its tensor."""

    def image(access: Access) -> Expr | None:
        tensor, indices = access.tensor, access.indices
        constant = [not any(True for _ in i.variables) for i in indices]
        if tensor.ordered or not any(constant):
            return None
        places = [
            naming.index(i - slot.axis.start) if fixed else ":"
            for i, slot, fixed in zip(indices, tensor.slots, constant, strict=True)
        ]
        while places[-1] == ":":
            places.pop()
        free = [n for n, fixed in enumerate(constant) if not fixed]
        text = f"[{', '.join(places)}]"
        slots = tuple(tensor.slots[n] for n in free)
        part = replace(tensor, name=tensor.name + text, slots=slots)
        fixed_axes = (s.axis for s, fixed in zip(tensor.slots, constant, strict=True) if fixed)
        naming.slices[part] = Slice(tensor, text, all(map(is_single, fixed_axes)))
        return Access(part, tuple(indices[n] for n in free))

    return replace_accesses(expr, image)


def with_single(piece: Piece, left: Access, naming: Naming) -> Piece:
    """A value that was computed without axes of length 1, with them as ``left`` has them."""
    single = [(v := i.variable) is not None and is_single(v.axis) for i in left.indices]
    if not any(single) or (piece.kind == "number" and not piece.full):
        return piece
    if not piece.full and left.tensor.of is not None:
        piece = _repeated(piece, left.tensor.of, single, naming)
    if all(single):
        ones = ", ".join("1" for _ in single)
        shape = f"({ones},)" if len(single) == 1 else f"({ones})"
        text = f"np.reshape({piece.text}, {shape})"
    else:
        text = f"{piece.at(ATOM)}[{', '.join('None' if one else ':' for one in single)}]"
    kind: Kind = "vector" if len(single) == 1 else "matrix"
    return replace(piece, text=text, strength=ATOM, kind=kind)


def _repeated(piece: Piece, like: Tensor, single: Sequence[bool], naming: Naming) -> Piece:
    """A value that broadcasts, with all axes of ``like`` but those of length 1.

    A row may have fewer of them, and then there is no telling where the others go in.
    """
    places = ", ".join("0" if one else ":" for one in single)
    part = f"{naming.python(like)}[{re.sub(r'(, :)+$', '', places)}]"
    text = f"{piece.at(SUM)} + np.zeros_like({part})"
    reads = piece.reads | {naming.family(like)}
    return replace(piece, text=text, strength=SUM, reads=reads, full=True)

"""What quantities are called in Python, in a module and in a document's column of names."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from itertools import chain

from symderiv.algebra.expr import Role, Tensor
from symderiv.calculus.functions import rows
from symderiv.calculus.graph import Graph
from symderiv.notation.conventions import Notation, spelled

RESERVED = frozenset(keyword.kwlist) | {
    "np", "params", "sizes", "rng", "float", "sum", "range", "len", "gradients", "name", "dtype",
    "PARAMETERS",
    *(row.python_name + end for row in rows().values() for end in ("", "_prime", "_definition")),
}  # fmt: skip


_FIXED = {Role.INPUT: "X", Role.TARGET: "Y", Role.COST: "cost"}


def python_name(tensor: Tensor, notation: Notation, own: Mapping[str, str] | None) -> str:
    """``W1``, ``delta2``, ``dW1``; of a family ``W``.

    ``own`` are the names of a graph that keeps them, None those of a network.
    """
    of = tensor.of
    if of is not None:
        if own is None and tensor.named and of.symbol in notation.errors:
            return notation.errors[of.symbol].ascii + layer_number(of, notation)
        return "d" + python_name(of, notation, own)
    if own is not None:
        return own_name(tensor.name, own)
    if tensor.role in _FIXED:
        return _FIXED[tensor.role]
    if tensor.layer is None and not tensor.ordered:
        return tensor.name
    symbol = notation.symbols.get(tensor.symbol) or spelled(tensor.symbol)
    return symbol.ascii + layer_number(tensor, notation)


def own_name(name: str, own: Mapping[str, str]) -> str:
    """The name of a quantity or size of a graph that keeps its names."""
    return own.get(name) or (f"{name}_" if name in RESERVED else name)


def layer_number(tensor: Tensor, notation: Notation) -> str:
    """The number of a tensor's layer as the notation counts; "" without one."""
    if tensor.layer is None:
        return ""
    parameter = tensor.role is Role.PARAMETER
    return str(
        tensor.layer + (notation.parameter_shift if parameter else notation.activation_shift)
    )


def python_names(graph: Graph) -> Mapping[str, str] | None:
    """The names of a graph that keeps them; None of a network.

    Names that the module needs for itself get an underscore, or as many as it takes.
    """
    if not graph.keeps_names:
        return None
    names = dict.fromkeys(chain((t.name for t in graph.tensors), graph.size_names))
    taken = {*names, *RESERVED}
    found = {}
    for name in names:
        new = name
        while new in RESERVED or (new != name and not taken.isdisjoint((new, f"d{new}"))):
            new += "_"
        taken.update((new, f"d{new}") if new != name else ())
        found[name] = new
    return found

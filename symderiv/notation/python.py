"""What the quantities of a program are called in Python: as their user named them, if it can."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from itertools import chain

from symderiv.calculus.functions import rows
from symderiv.calculus.graph import Graph

RESERVED = frozenset(keyword.kwlist) | {
    "np", "params", "sizes", "rng", "float", "sum", "range", "len", "gradients", "name", "dtype",
    "PARAMETERS",
    *(row.python_name + end for row in rows().values() for end in ("", "_prime", "_definition")),
}  # fmt: skip


def python_names(graph: Graph) -> Mapping[str, str]:
    """Names that the module needs for itself get an underscore, or as many as it takes."""
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

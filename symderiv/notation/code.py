"""What quantities are called in generated code, as far as documents have to know it as well."""

from __future__ import annotations

import keyword

from symderiv.algebra.expr import Role, Tensor
from symderiv.calculus.functions import rows
from symderiv.calculus.graph import Graph

RESERVED = frozenset(keyword.kwlist) | {
    "np", "params", "sizes", "rng", "float", "sum", "range", "len", "gradients", "name", "dtype",
    "PARAMETERS",
    *(row.python_name + end for row in rows().values() for end in ("", "_prime", "_definition")),
}  # fmt: skip


def keeps_names(graph: Graph) -> bool:
    """Whether code calls quantities by their own names, without X, Y and delta.

    So it does in a program of the user's own, and where units are written out.
    """
    roles = [t.role for t in graph.inputs]
    return graph.written_out or (roles.count(Role.INPUT), roles.count(Role.TARGET)) != (1, 1)


def own_name(tensor: Tensor) -> str:
    """The name in such code: ``w1_12``, ``dw1_12`` for an adjoint, ``lambda_`` for ``lambda``."""
    if tensor.of is not None:
        return "d" + own_name(tensor.of)
    return f"{tensor.name}_" if tensor.name in RESERVED else tensor.name

"""Names and shapes of the parameters, and values to start from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symderiv.algebra.expr import Apply, Role, Sum, Tensor, walk
from symderiv.algebra.index import Axis, Index, Size
from symderiv.calculus.composed import group_of, inputs_of
from symderiv.calculus.functions import Row, ScalarFunction, rows
from symderiv.calculus.graph import Definition, Graph
from symderiv.code.emit import Emitter
from symderiv.code.functions import NoCode, number
from symderiv.code.names import Naming

_SCALES = {
    "He": "2 / inputs (He)",
    "Glorot": "2 / (inputs + outputs) (Glorot)",
}


@dataclass(frozen=True)
class Parameter:
    """A parameter (or a family of them): its name, its shape as text, its first value."""

    name: str
    tensor: Tensor
    shape: tuple[str, ...]
    start: str


def tuple_text(shape: Iterable[str], quoted: bool = False) -> str:
    """``(3, 2)``, ``(n1,)``; names in quotes where they are keys."""
    shown = [f'"{s}"' if quoted and not s.isdigit() else s for s in shape]
    shown = ['f"n{L}"' if s == '"nL"' else s for s in shown]  # the last of any number of layers
    return f"({', '.join(shown)}{',' if len(shown) == 1 else ''})"


def batch_shape(tensor: Tensor, naming: Naming) -> tuple[str, ...]:
    """The sizes of X or Y; n[L] is nL."""
    sizes = [str(naming.size(axis.size)) for axis in tensor.axes]
    return tuple("nL" if size == "n[L]" else size for size in sizes)


def size_names(found: Sequence[Parameter]) -> list[str]:
    """The names among the sizes of the parameters."""
    return size_names_in(p.shape for p in found if not p.tensor.ordered)


def size_names_in(shapes: Iterable[Iterable[str]]) -> list[str]:
    """The sizes that are names, in natural order."""
    return sorted({s for shape in shapes for s in shape if not s.isdigit()}, key=_natural)


def _natural(name: str) -> tuple[str, int]:
    stem = name.rstrip("0123456789")
    return stem, int(name[len(stem) :] or 0)


def scales(found: Sequence[Parameter], graph: Graph) -> str:
    """The rules by which weights are drawn, in words."""
    rules = dict.fromkeys(scale_rule(p.tensor, graph) for p in found if len(p.tensor.axes) > 1)
    return " or ".join(_SCALES[rule] for rule in rules)


def first_values(found: Sequence[Parameter], graph: Graph) -> str:
    """``weights of variance 2 / inputs (He), biases 0, alpha 0.25``."""
    said = [f"weights of variance {scales(found, graph)}"]
    said += ["biases 0"] if any(p.start.startswith("np.zeros") for p in found) else []
    said += dict.fromkeys(f"{tensor.symbol} {number(start)}" for tensor, start in graph.starts)
    return ", ".join(said)


def parameters(graph: Graph, emitter: Emitter) -> list[Parameter]:
    """Every parameter, in the order of the graph; sizes as Python text (``3``, ``n1``, ``m``)."""
    found = []
    for tensor in graph.tensors:
        if tensor.role is Role.PARAMETER:
            shape = shape_of(tensor, emitter)
            start = _start(tensor, shape, graph, emitter)
            found.append(Parameter(emitter.naming.family(tensor), tensor, shape, start))
    return found


def shape_of(tensor: Tensor, emitter: Emitter) -> tuple[str, ...]:
    """The sizes of the stored axes; a vector stored as a column has a second axis of size 1."""
    slots = tensor.slots[1:] if tensor.ordered else tensor.slots
    sizes = tuple(_size(slot.axis, tensor, emitter) for slot in slots)
    return (*sizes, "1") if emitter.kind(tensor) == "column" else sizes


def _size(axis: Axis, tensor: Tensor, emitter: Emitter) -> str:
    """``3`` or ``n1``; of a family ``after`` for n[l], ``before`` for n[l-1]."""
    size = axis.size
    if not tensor.ordered:
        return str(emitter.naming.size(size))
    ((symbol, _),) = size.terms
    at = symbol.at if isinstance(symbol, Size) and symbol.at is not None else Index()
    places = {Index(0): "after", Index(-1): "before"}
    shift = at - tensor.slots[0]
    if shift not in places:
        raise NoCode(f"{tensor.name} has a size that is not of its layer or the one before")
    return places[shift]


def _start(tensor: Tensor, shape: tuple[str, ...], graph: Graph, emitter: Emitter) -> str:
    """The value stated where it is made; else a draw for a matrix, zeros for a vector."""
    whole = tuple_text(shape)
    stated = dict(graph.starts).get(tensor)
    if stated is not None:
        return f"np.ones({whole})" if stated == 1 else f"np.full({whole}, {number(stated)})"
    if emitter.kind(tensor) != "matrix":
        return f"np.zeros({whole})"
    summed = _summed_axis(tensor, graph)
    inputs, outputs = shape[summed], shape[1 - summed]
    if scale_rule(tensor, graph) == "He":
        return f"rng.normal(0, np.sqrt(2 / {inputs}), {whole})"
    return f"rng.normal(0, np.sqrt(2 / ({inputs} + {outputs})), {whole})"


def scale_rule(tensor: Tensor, graph: Graph) -> str:
    """``He`` before an activation of each unit that is unbounded and not linear, ``Glorot`` else.

    He keeps the variance where half of it is cut off (K. He et al. 2015); Glorot is for
    activations that are linear around 0 (X. Glorot and Y. Bengio 2010). A softmax and its logarithm
    cut nothing off.
    """
    row = _activation_after(tensor, graph)
    cuts = isinstance(row, ScalarFunction) and not row.is_identity and not row.values.is_bounded
    return "He" if cuts else "Glorot"


def _activation_after(tensor: Tensor, graph: Graph) -> Row | None:
    """The row of the function that is applied to what this matrix computes."""
    (made, *_) = [d.target for d, _ in graph.uses(tensor) if d.target.role is not Role.PENALTY]
    for definition, _ in graph.uses(made):
        name = _function(graph, definition, made)
        if name:
            return rows().get(name)
    return None


def _function(graph: Graph, definition: Definition, made: Tensor) -> str:
    if definition.part_of:
        return definition.part_of
    group = group_of(graph, definition)
    body = definition.body
    if made in {a.tensor for a in inputs_of(group)} and isinstance(body, Apply):
        return body.function
    return ""


def _summed_axis(tensor: Tensor, graph: Graph) -> int:
    """Which of the two axes of a matrix is summed over where it is first used."""
    for definition, access in graph.uses(tensor):
        bound = {n.var for n in walk(definition.body) if isinstance(n, Sum)}
        places = [i.variable in bound for i in access.indices[tensor.ordered :]]
        if definition.target.role is not Role.PENALTY and places.count(True) == 1:
            return places.index(True)
    return 1

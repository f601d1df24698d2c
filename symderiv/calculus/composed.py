"""Vector functions in a graph: which lines are the parts of one, and what it is applied to."""

from __future__ import annotations

from symderiv.algebra.binding import replace_accesses
from symderiv.algebra.expr import Access, Expr, Role, Sum, Tensor, add, length, walk
from symderiv.algebra.normal import equal
from symderiv.calculus.functions import VectorFunction, rows
from symderiv.calculus.graph import Definition, Graph

LONGEST = 20_000  # nodes of a line with the others of its function put in


def group_of(graph: Graph, definition: Definition) -> list[Definition]:
    """The lines of the vector function that ends in this equation, or the equation alone.

    Where every unit is written out for itself, or the argument is more than an array, there is no
    array to apply the function to.
    """
    group: list[Definition] = []
    for line in graph.definitions:
        row = rows().get(line.part_of)
        if not isinstance(row, VectorFunction):
            continue
        group.append(line)
        if len(group) == len(row.parts):
            once = all(_is_whole(graph, d) for d in group[:-1])
            if line == definition and once and has_sum(group) and _is_applied(row, group):
                return group
            group = []
    return [definition]


def _is_whole(graph: Graph, definition: Definition) -> bool:
    """Whether the equation is that of every entry."""
    ranges = [(axis.start, axis.stop) for axis in definition.target.axes]
    own = [(v.axis.start, v.axis.stop) for v in definition.variables]
    return len(graph.definitions_of(definition.target)) == 1 and own == ranges


def has_sum(group: list[Definition]) -> bool:
    """Whether there is a sum over units; where they are written out there are terms instead."""
    return any(isinstance(node, Sum) for d in group for node in walk(d.body))


def _is_applied(row: VectorFunction, group: list[Definition]) -> bool:
    """Whether the lines are those of the row, applied to whole arrays as they are stored."""
    inside = {line.target: part.name for line, part in zip(group, row.parts, strict=True)}
    target = next((a.tensor for a in inputs_of(group) if a.tensor.role is Role.TARGET), None)
    others = {a.tensor for a in inputs_of(group)} - {target}
    names = [name for name in row.arguments if name != "y"]
    if len(others) != len(names) or (target is None) == row.is_loss:
        return False
    called = inside | dict(zip(others, names, strict=True)) | ({target: "y"} if target else {})

    def letter(access: Access) -> Expr:
        return Tensor(called[access.tensor])[()]

    kinds = {line.target: part.kind for line, part in zip(group, row.parts, strict=True)}
    places: set[int] = set()  # of the axis along which is summed
    for line, part in zip(group, row.parts, strict=True):
        var = line.body.var if isinstance(line.body, Sum) else None
        body = line.body.body if isinstance(line.body, Sum) else line.body
        if (part.kind == "sum") is (var is None):
            return False
        if replace_accesses(body, letter) != part.formula(*(Tensor(n)[()] for n in part.of)):
            return False
        own = line.indices[line.target.ordered :]
        for access in (node for node in walk(body) if isinstance(node, Access)):
            at = access.indices[access.tensor.ordered :]
            members = {a.indices[0] for a in (line.left, access) if a.tensor.ordered}
            if len(members) > 1:
                return False  # of another member of a family
            if var is not None and kinds.get(access.tensor) != "sum":
                if [i.variable for i in at].count(var) != 1:
                    return False
                place = next(n for n, i in enumerate(at) if i.variable == var)
                whole = access.tensor.axes[access.tensor.ordered + place]
                if (whole.start, whole.stop) != (var.axis.start, var.axis.stop):
                    return False  # a sum over a part of the array
                places.add(place)
                at = tuple(i for i in at if i.variable != var)
            elif kinds.get(access.tensor) == "sum" and var is None:
                if len(own) != len(at) + 1:
                    return False
                places.add(next((n for n, i in enumerate(own) if i not in at), -1))
                at = own if at == tuple(i for i in own if i in at) else at
            if at != own:
                return False
    return len(places) == 1 and -1 not in places


def inputs_of(group: list[Definition]) -> list[Access]:
    """The entries that equations take from outside."""
    inside = {d.target for d in group}
    found = [node for d in group for node in walk(d.body) if isinstance(node, Access)]
    return [access for access in found if access.tensor not in inside]


def _grown(lines: list[Definition]) -> int:
    """The length of the longest line with the others before it put in."""
    lengths: dict[Tensor, int] = {}
    for line in lines:
        entries = (node.tensor for node in walk(line.body) if isinstance(node, Access))
        lengths[line.target] = length(line.body) + sum(lengths.get(t, 0) for t in entries)
    return max(lengths.values(), default=0)


def is_written_out(graph: Graph, row: VectorFunction, definition: Definition) -> bool:
    """Whether an equation is the last line of the function for one of several scalar units."""
    lines = [d for d in graph.definitions if d.part_of == row.name and not d.indices]
    inside = {d.target: d.body for d in lines}

    if definition.indices or len(row.arguments) != 1 or _grown(lines) > LONGEST:
        return False

    def inserted(access: Access) -> Expr | None:
        body = inside.get(access.tensor)
        return None if body is None else replace_accesses(body, inserted)

    whole = replace_accesses(definition.body, inserted)
    units = list(dict.fromkeys(node for node in walk(whole) if isinstance(node, Access)))
    known: dict[str, list[Expr]] = {row.arguments[0]: list(units)}
    for part in row.parts:
        values = [part.formula(*(known[n][k] for n in part.of)) for k in range(len(units))]
        known[part.name] = [add(*values)] * len(units) if part.kind == "sum" else values
    return any(equal(whole, value) for value in known[row.parts[-1].name])

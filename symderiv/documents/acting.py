"""Through what a quantity acts on the cost, as far as the sentences of a document speak of it.

A sentence about layers, targets or paths is printed where the forward equations bear it out.
"""

from __future__ import annotations

from symderiv.algebra.expr import Access, Add, Expr, Mul, Role, Sum, Tensor, tensors_in, walk
from symderiv.calculus.graph import EXAMPLE, Graph, crosses_examples


def is_output(graph: Graph, tensor: Tensor) -> bool:
    """Whether this is the weighted input of the last layer, whose outputs have a target."""
    after = graph.depending_on([tensor]) & graph.relevant
    if tensor.role is not Role.PREACTIVATION or tensor not in after:
        return False
    if any(t.role is Role.PREACTIVATION for t in after - {tensor}):
        return False
    bodies = (d.body for d in graph.definitions if d.target in after - {tensor})
    return any(t.role is Role.TARGET for body in bodies for t in tensors_in(body))


def meets_target(graph: Graph, tensor: Tensor) -> bool:
    """Whether an equation compares a quantity with the target, each entry by itself."""
    users = [d for d in graph.users(tensor) if d.target in graph.relevant]
    compared = any(t.role is Role.TARGET for d in users for t in tensors_in(d.body))
    return compared and all(_only_added(d.body, tensor) for d in users)


def _only_added(expr: Expr, tensor: Tensor) -> bool:
    """Whether different entries of a tensor meet in sums alone, so that none changes another's."""
    if tensor not in tensors_in(expr):
        return True
    if isinstance(expr, Add):
        return all(_only_added(term, tensor) for term in expr.terms)
    if isinstance(expr, Sum):
        return _only_added(expr.body, tensor)
    if isinstance(expr, Mul):
        having = [factor for factor in expr.factors if tensor in tensors_in(factor)]
        if len(having) == 1:
            return _only_added(having[0], tensor)
    nodes = list(walk(expr))
    entries = {node for node in nodes if isinstance(node, Access) and node.tensor == tensor}
    return len(entries) == 1 and not any(isinstance(node, Sum) for node in nodes)


def mixes_units(graph: Graph, tensor: Tensor, function: str) -> bool:
    """Whether a function of several equations sums over all units of what it is applied to."""
    axes = {axis for axis in tensor.axes if axis.name != EXAMPLE}
    after = graph.depending_on([tensor])
    bodies = (d.body for d in graph.definitions if d.part_of == function and d.target in after)
    sums = (node for body in bodies for node in walk(body) if isinstance(node, Sum))
    return axes <= {node.var.axis for node in sums}


def layer_after(graph: Graph, tensor: Tensor) -> Tensor | None:
    """The one layer through which a layer acts, where each of its units weights all of them."""
    after = graph.depending_on([tensor]) & graph.relevant
    layers = {t for t in after if t.role is Role.PREACTIVATION} - {tensor}
    nearest = [t for t in layers if t not in graph.depending_on(layers - {t})]
    if len(nearest) != 1 or tensor in graph.leading_to(graph.cost, nearest[0]):
        return None
    bodies = (d.body for d in graph.definitions_of(nearest[0]))
    return nearest[0] if all(_is_dense(body, after) for body in bodies) else None


def _is_dense(body: Expr, sources: set[Tensor]) -> bool:
    """Whether what is computed from the sources enters as Σ_k w[j,k] a[k] and in no other way."""
    terms = body.terms if isinstance(body, Add) else (body,)
    return all(_is_weighted(term) for term in terms if sources & set(tensors_in(term)))


def _is_weighted(term: Expr) -> bool:
    summed = set()
    while isinstance(term, Sum):
        summed.add(term.var)
        term = term.body
    match term:
        case Mul((Access() as one, Access() as other)):
            weight, value = (one, other) if one.tensor.role is Role.PARAMETER else (other, one)
        case _:
            return False
    slots = zip(value.tensor.axes, value.indices, strict=True)
    units = {index.variable for axis, index in slots if axis.name != EXAMPLE}
    return weight.tensor.role is Role.PARAMETER and units <= summed


def acts_once(graph: Graph, parameter: Tensor) -> bool:
    """Whether each entry acts through one weighted input, of each example, and a penalty at most.

    A weight of a convolution acts through the weighted inputs of all positions.
    """
    found: set[tuple[Tensor, tuple[int | None, ...]]] = set()
    for definition, access in graph.uses(parameter):
        target = definition.target
        if target not in graph.relevant or target.role is Role.PENALTY:
            continue
        if target.role is not Role.PREACTIVATION:
            return False
        places = dict(reversed([(index, n) for n, index in enumerate(access.indices)]))
        slots = zip(target.axes, definition.indices, strict=True)
        running = (i for axis, i in slots if axis.name != EXAMPLE and i.terms)
        found.add((target, tuple(places.get(index) for index in running)))
    return len(found) == 1 and all(None not in places for _, places in found)


def is_penalised(graph: Graph, parameter: Tensor) -> bool:
    """Whether a penalty takes a parameter."""
    return any(d.target.role is Role.PENALTY for d in graph.users(parameter))


def examples_meet(graph: Graph) -> bool:
    """Whether an example's values are computed from other examples, as by batch norm."""
    return any(crosses_examples(d) for d in graph.definitions if d.target.role is not Role.COST)

"""Backpropagation: the chain rule, applied to the definitions from the last to the first.

``∂C/∂t[i] = Σ_u Σ_k ∂C/∂u[k] · ∂u[k]/∂t[i]`` over all quantities u computed from t directly.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from symderiv.algebra.expr import (
    ONE,
    Access,
    Bracket,
    Expr,
    Partial,
    Role,
    Tensor,
    add,
    length,
    mul,
    rebuild,
    sum_over,
    tensors_in,
)
from symderiv.algebra.index import (
    Axis,
    Index,
    Var,
    as_index,
    fresh,
    guards,
    is_zero,
    substitute_axis,
)
from symderiv.calculus.cancelling import forget
from symderiv.calculus.folding import Folds
from symderiv.calculus.graph import EXAMPLE, Definition, Graph, Recurrence
from symderiv.calculus.simplify import Chain, TooLong, simplify
from symderiv.calculus.steps import Adjoint, Derivation, Premise, Uses

MOST = 15_000  # nodes of all closed forms together; the longest example has 200
MOST_NAMED = 500  # and for each quantity whose derivative has a name, as in a deep network


def backprop(graph: Graph, wrt: Iterable[Tensor], known: Collection[Adjoint] = ()) -> Derivation:
    """Derive the gradient of the cost by each tensor of ``wrt``; every adjoint on the way is kept.

    Reverse topological order: when a tensor's turn comes, the adjoints of all its users are known.
    Those that are ``known`` from an earlier derivation of this graph are not derived again,
    unless they are of a family: it may reach one member further for the sake of ``wrt``. Raises
    TooLong.
    """
    forget()
    wrt = frozenset(wrt)
    found = [] if any(adjoint.tensor.ordered for adjoint in known) else list(known)
    derived = {adjoint.tensor for adjoint in found}
    folds = Folds(graph)
    most = MOST + MOST_NAMED * len(graph.named)
    for target in _backwards(graph, wrt):
        if target.tensor in derived:
            continue
        chain = Chain(target, graph, folds, found)
        chain.extend(*_chain_rule(graph, target, found))
        simplify(chain)
        found.append(chain.adjoint())
        most -= length(chain.current)
        if most < 0:
            raise TooLong("the derivation")
    return Derivation(graph, tuple(found), wrt)


def adjoint_tensor(graph: Graph, tensor: Tensor) -> Tensor:
    """The tensor of derivatives: of the example's loss above the examples, of the cost else."""
    given = graph.given(tensor)
    if given is not None:
        return given
    root, loss = graph.cost, graph.example_loss
    if loss is not None and tensor in graph.per_example and tensor != loss:
        root = loss
    return Tensor(
        name=f"d{root.name}_d{tensor.name}" if graph.cost.slots else f"d{tensor.name}",
        slots=(*graph.cost.slots, *tensor.slots),
        role=Role.ADJOINT,
        symbol=tensor.symbol,
        layer=tensor.layer,
        of=tensor,
        root=root,
        named=tensor.name in graph.named,
    )


def _backwards(graph: Graph, wrt: frozenset[Tensor]) -> Iterator[Access]:
    """What to differentiate by, users first: all that depends on ``wrt``, then ``wrt`` itself."""
    needed = graph.depending_on(wrt)
    for block in _from_the_last(graph):
        if isinstance(block, Definition):
            leads_to = not needed.isdisjoint(tensors_in(block.body))
            ends = block.target == graph.cost or graph.given(block.target) is not None
            leads_to = leads_to and block.target in graph.relevant
            if not ends and (leads_to or block.target in wrt):
                adjoint = adjoint_tensor(graph, block.target)
                yield Access(adjoint, (*_leading(adjoint), *_renamed(block.indices)))
            continue
        targets = dict.fromkeys(
            d.target for d in reversed(block.definitions) if graph.given(d.target) is None
        )
        for member in ("last", "others"):
            for target in targets:
                if target in needed & graph.relevant and (
                    member == "others" or _covers_last(block, target)
                ):
                    yield _member(adjoint_tensor(graph, target), block, member)
    for tensor in graph.inputs:
        if tensor in wrt:
            # what is asked for is the gradient of the cost, also by an example of the input
            adjoint = replace(adjoint_tensor(graph, tensor), root=graph.cost)
            yield Access(adjoint, tuple(map(as_index, adjoint.fresh_indices())))


def _from_the_last(graph: Graph) -> Iterator[Definition | Recurrence]:
    """Users before what they use; the units of a layer that are written out as they are counted."""
    units: list[Definition] = []
    for block in reversed(graph.blocks):
        unit = block if graph.written_out and isinstance(block, Definition) else None
        if unit is None or (units and not _side_by_side(unit, units)):
            yield from reversed(units)
            units = []
        if unit is None:
            yield block
        else:
            units.append(unit)
    yield from reversed(units)


def _side_by_side(block: Definition, units: list[Definition]) -> bool:
    """Whether a definition is of another unit of the same layer, which no unit here uses."""
    own = block.target
    used = any(own in tensors_in(unit.body) for unit in units)
    return own.role is units[0].target.role and not used


def _leading(adjoint: Tensor) -> tuple[Index, ...]:
    """New indices for the axes of the root, which stand first in a Jacobian."""
    assert adjoint.of is not None
    count = len(adjoint.slots) - len(adjoint.of.slots)
    return tuple(map(as_index, adjoint.fresh_indices()[:count]))


def _covers_last(block: Recurrence, target: Tensor) -> bool:
    """Whether the recurrence defines the last member; else an equation of its own does."""
    last = block.var.axis.stop
    firsts = [d.indices[0].variable for d in block.definitions if d.target == target]
    return any(v is not None and v.axis.stop == last for v in firsts)


def _renamed(indices: tuple[Index, ...]) -> tuple[Index, ...]:
    """Fresh variables in place of the variables of a definition; constant indices stay."""
    mapping: dict[Var, Index] = {}
    made = []
    for index in indices:
        variable = index.variable
        if variable is not None:
            index = as_index(fresh(substitute_axis(variable.axis, mapping), variable.name))
            mapping[variable] = index
        made.append(index)
    return tuple(made)


def _member(adjoint: Tensor, block: Recurrence, member: str) -> Access:
    """The last member of a family, or any other one: the base and the step of the induction."""
    axis = block.var.axis
    if member == "last":
        first = axis.stop
    else:
        shorter = Axis(axis.name, axis.stop - 1, axis.start, ordered=True)
        first = as_index(fresh(shorter, block.var.name))
    leading = _leading(adjoint)
    member_slot, *slots = adjoint.slots[len(leading) :]
    mapping = {member_slot: first}
    rest = []
    for slot in slots:
        index = as_index(fresh(substitute_axis(slot.axis, mapping), slot.name))
        mapping[slot] = index
        rest.append(index)
    return Access(adjoint, (*leading, first, *rest))


@dataclass(frozen=True)
class _Place:
    """A user of the target at the one value of the ordered index where it uses this member."""

    definition: Definition
    first: Index | None
    guards: tuple[Expr, ...]


def _chain_rule(
    graph: Graph, target: Access, found: list[Adjoint]
) -> tuple[Expr, str, str, tuple[Premise, ...]]:
    """The sum over all users: right side, rule, reason and premises of the first step."""
    tensor = target.tensor.of
    assert tensor is not None and target.tensor.root is not None
    wrt = Access(tensor, target.indices[len(target.indices) - len(tensor.slots) :])
    places = _places(graph, wrt)
    users = dict.fromkeys(place.definition.target.name for place in places)
    total = add(*(_contribution(graph, target, wrt, place, found) for place in places))
    root = target.tensor.root
    why = f"{root.name} depends on {tensor.name} only through {', '.join(users)}"
    premises: tuple[Premise, ...] = ()
    if root.name in users and len(users) > 1:
        # ∂C/∂t would mean two things: the term says what is differentiated with all else held
        total, premises = _opened(graph, total, root), (Uses(root),)
    return total, "chain rule", why, premises


def _opened(graph: Graph, expr: Expr, root: Tensor) -> Expr:
    """∂C/∂t in terms of the equation of C."""
    if isinstance(expr, Partial) and isinstance(expr.body, Access) and expr.body.tensor == root:
        body = graph.expand(expr.body)
        return expr if body is None else Partial(body, expr.wrt)
    return rebuild(expr, lambda e: _opened(graph, e, root))


def _places(graph: Graph, wrt: Access) -> list[_Place]:
    """Where a tensor is used; along an ordered axis, solved for the user's own index."""
    places: dict[tuple[Tensor, Index | None, tuple[Index, ...]], _Place] = {}
    for definition, access in graph.uses(wrt.tensor):
        if definition.target not in graph.relevant:
            continue
        first: Index | None = None
        conditions: list[Expr] = []
        head = definition.indices[0] if definition.indices else None
        runs = head.variable if head is not None and definition.target.ordered else None
        if wrt.tensor.ordered and runs is not None and runs in access.indices[0].variables:
            shift = access.indices[0] - runs
            first = wrt.indices[0] - shift
            limits = guards(first, runs.axis)
            if limits is None:
                continue
            conditions = [Bracket(e) for e in limits]
        elif wrt.tensor.ordered and is_zero(access.indices[0] - wrt.indices[0]) is False:
            continue
        key = (definition.target, first, definition.indices[:1])
        places.setdefault(key, _Place(definition, first, tuple(conditions)))
    return list(places.values())


def _contribution(
    graph: Graph, target: Access, wrt: Access, place: _Place, found: list[Adjoint]
) -> Expr:
    """``Σ_k ∂C/∂u[k] · ∂u[k]/∂t[i]`` for one user u; an example meets only itself."""
    user = place.definition.target
    leading = target.indices[: len(target.indices) - len(wrt.indices)]
    if user == target.tensor.root and leading:
        return mul(*place.guards, Partial(Access(user, leading), wrt))
    adjoint = adjoint_tensor(graph, user)
    alone = target.tensor.root == graph.example_loss or wrt.tensor in graph.per_example
    shared = _example_index(wrt) if alone else None
    mapping: dict[Var, Index] = {}
    indices: list[Index] = []
    summed: list[Var] = []
    for position, (slot, mine) in enumerate(zip(user.slots, place.definition.indices, strict=True)):
        if position == 0 and place.first is not None:
            index = place.first
        elif mine.variable is None:
            index = mine
        elif shared is not None and slot.axis.name == EXAMPLE:
            index = shared
        else:
            run = mine.variable
            variable = fresh(substitute_axis(run.axis, {**mapping}), run.name)
            summed.append(variable)
            index = as_index(variable)
        mapping[slot] = index
        if mine.variable is not None:
            mapping[mine.variable] = index
        indices.append(index)
    local = Partial(Access(user, tuple(indices)), wrt)
    if user == target.tensor.root:
        return mul(*place.guards, sum_over(summed, local))
    entry: Expr = Access(adjoint, (*leading, *indices))
    factor: Expr = ONE
    if adjoint.root != target.tensor.root:
        factor = _per_example_factor(graph, found)
    return mul(factor, sum_over(summed, mul(*place.guards, entry, local)))


def _per_example_factor(graph: Graph, found: list[Adjoint]) -> Expr:
    """∂C/∂ℓ, the same for every example: 1/m or 1."""
    return next(a.closed for a in found if a.of == graph.example_loss)


def example_position(tensor: Tensor) -> int | None:
    """Which axis of a tensor counts the examples."""
    return next((n for n, s in enumerate(tensor.slots) if s.axis.name == EXAMPLE), None)


def _example_index(access: Access) -> Index | None:
    position = example_position(access.tensor)
    return None if position is None else access.indices[position]

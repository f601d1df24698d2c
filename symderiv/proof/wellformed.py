"""Is this a graph, and are these chains about it? What every judgement takes for granted.

A forward equation says of each entry at most once what it is, from entries that come before it;
a chain is about all entries that its left side stands for; and one name is one tensor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from symderiv.algebra.binding import free_variables, open_indices, within_ranges
from symderiv.algebra.expr import (
    Access,
    Apply,
    Bracket,
    Expr,
    Partial,
    Role,
    Select,
    Sum,
    Tensor,
    children,
    has_partial,
    indices_of,
    ranges_of,
    tensors_in,
    walk,
)
from symderiv.algebra.index import (
    Axis,
    Index,
    Var,
    as_index,
    guards,
    is_nonnegative,
    is_zero,
    newest,
    substitute_index,
)
from symderiv.algebra.normal import normal
from symderiv.calculus.conditions import Condition
from symderiv.calculus.functions import NONZERO, ScalarFunction, rows
from symderiv.calculus.graph import EXAMPLE, Definition, Fact, Graph, Recurrence
from symderiv.calculus.steps import Adjoint, Derivation, Lemma
from symderiv.proof.genuine import problem
from symderiv.proof.needs import Need, is_there, needs
from symderiv.proof.verdict import TOO_DEEP


class IllFormed(ValueError):
    """A graph or a derivation that does not say anything; the message says why."""


def require_well_formed(derivation: Derivation) -> None:
    """Raise IllFormed unless the graph defines its tensors and every chain is about one of them."""
    wrong = problem(derivation)
    if wrong is not None:
        raise IllFormed(wrong)
    try:
        _require_well_formed(derivation)
    except RecursionError:
        raise IllFormed(TOO_DEEP) from None


def _require_well_formed(derivation: Derivation) -> None:
    names, ranges = _Names(), _Ranges()
    graph = derivation.graph
    for tensor in (graph.cost, graph.example_loss, *graph.upstream):
        if tensor is not None:
            names.know(tensor)
            names.know(tensor.of or tensor)
    for definition in graph.definitions:
        names.meet(definition.left, *_accesses(definition.body))
        for side in (definition.left, definition.body):
            ranges.meet(side, definition.variables)
        _require_equation(definition)
    for condition in graph.asked:
        _require_asked(condition)
        for expr in condition.arguments:
            names.meet(*_accesses(expr))
            ranges.meet(expr, condition.definition.variables)
    _require_disjoint((d.target, d.indices) for d in graph.definitions)
    _require_order(graph)
    _require_upstream(graph)
    _require_cost(graph)
    for adjoint in derivation.adjoints:
        _require_adjoint(graph, adjoint)
        names.meet(adjoint.left)
        spoken = (adjoint.left, adjoint.closed, *_spoken(adjoint))
        for expr in {id(e): e for e in spoken}.values():  # a step starts from what one ends with
            names.meet(*_accesses(expr))
            ranges.meet(expr, adjoint.variables)
            _require_forward_partials(expr)
        _require_spoken_of(adjoint)
        for step in adjoint.steps:
            for premise in step.premises:
                if isinstance(premise, Lemma):
                    _require_placeholders(premise)
                elif isinstance(premise, Fact):
                    _require_quantified(premise)
    for fact in graph.facts:
        for side in (fact.left, fact.right):
            names.meet(*_accesses(side))
            ranges.meet(side, fact.variables)
        _require_quantified(fact)
    _require_disjoint((a.tensor, a.indices) for a in derivation.adjoints)
    known = {*graph.tensors, graph.cost, *graph.upstream}
    known |= {t.of for t in graph.upstream if t.of is not None}
    known |= {a.tensor for a in derivation.adjoints}
    for tensor in names.tensors:
        if tensor not in known:
            raise IllFormed(f"{tensor.name} is no tensor of this graph")


def _require_asked(condition: Condition) -> None:
    """What was asked as written is in the words of the tables, since it may stand for more."""
    known = {NONZERO, *(d for row in rows().values() for d in getattr(row, "domain", ()))}
    if condition.what not in known:
        raise IllFormed("a condition is none that a function of the tables asks")
    if any(map(has_partial, condition.arguments)):
        raise IllFormed("a condition is about a derivative")


class _Names:
    """The tensors met so far: one name is one tensor, with the same axes, symbol and layer."""

    def __init__(self) -> None:
        self._known: dict[str, Tensor] = {}
        self._same: set[int] = set()

    @property
    def tensors(self) -> Iterable[Tensor]:
        """Every tensor met."""
        return self._known.values()

    def meet(self, *accesses: Access) -> None:
        """Raise IllFormed if a name stands for something else than before."""
        for access in accesses:
            tensor = access.tensor
            if len(access.indices) != len(tensor.slots):
                raise IllFormed(f"{tensor.name} has {len(tensor.slots)} axes")
            self.know(tensor)

    def know(self, tensor: Tensor) -> None:
        """Raise IllFormed if its name stands for something else than before."""
        if tensor.name not in self._known and any(map(_is_empty, tensor.axes)):
            raise IllFormed(f"{tensor.name} has an axis without entries")
        known = self._known.setdefault(tensor.name, tensor)
        if known is not tensor and id(tensor) not in self._same:
            if _identity(known) != _identity(tensor):
                raise IllFormed(f"two tensors are called {tensor.name}")
            self._same.add(id(tensor))


def _is_empty(axis: Axis) -> bool:
    """Whether an axis ends before it starts, whatever the sizes are."""
    length = axis.size
    return not length.terms and length.const < 1


class _Ranges:
    """The index variables met so far: one variable runs over one range."""

    def __init__(self) -> None:
        self._known: dict[int, Axis] = {}
        self._newest = newest()

    def meet(self, expr: Expr, own: Iterable[Var]) -> None:
        """Raise IllFormed if a variable has another range than before, or is not made yet.

        ``own`` are the indices of the entry that is spoken of.
        """
        _require_bound_once(expr, own)
        for node in walk(expr):
            for variable in _variables(node):
                if variable.uid >= self._newest:
                    raise IllFormed(f"the index {variable.name} has a number of its own")
                known = self._known.setdefault(variable.uid, variable.axis)
                if known is not variable.axis and known != variable.axis:
                    raise IllFormed(f"the index {variable.name} has two ranges")


def _require_bound_once(expr: Expr, own: Iterable[Var]) -> None:
    """No index is bound inside a sum over itself, nor bound here and free there.

    A free index brings those with it that its range depends on.
    """
    free = free_variables(expr).union(own)
    free |= within_ranges(free)
    waiting: list[tuple[Expr, frozenset[Var]]] = [(expr, frozenset())]
    while waiting:
        node, outer = waiting.pop()
        if isinstance(node, Sum | Select):
            if node.var in outer or node.var in free:
                raise IllFormed(f"the index {node.var.name} is bound twice")
            outer = outer | {node.var}
        waiting += ((child, outer) for child in children(node))


def _variables(node: Expr) -> Iterator[Var]:
    """The variables that a node names by itself, not through its subtrees."""
    if isinstance(node, Sum | Select):
        yield node.var
    for index in (*indices_of(node), *ranges_of(node)):
        yield from index.variables


def _spoken(adjoint: Adjoint) -> Iterator[Expr]:
    """Both sides of every step, and what its premises say of entries."""
    for step in adjoint.steps:
        yield from (step.left, step.right)
        for premise in step.premises:
            if isinstance(premise, Fact):
                yield from (premise.left, premise.right)


def _require_forward_partials(expr: Expr) -> None:
    """What is differentiated by an entry is computed forward: ∂u/∂t, and not ∂(∂C/∂u)/∂t."""
    for node in walk(expr) if has_partial(expr) else ():
        if isinstance(node, Partial) and any(t.role is Role.ADJOINT for t in tensors_in(node)):
            raise IllFormed("a derivative is differentiated once more")


def _require_quantified(fact: Fact) -> None:
    """A fact says for which values of its indices it holds."""
    free = free_variables(fact.left) | free_variables(fact.right)
    ends = (end for v in fact.variables for end in (v.axis.start, v.axis.stop))
    if has_partial(fact.left) or has_partial(fact.right):
        raise IllFormed(f"a fact speaks of a derivative: {fact.text}")
    if not free <= set(fact.variables) or any(True for end in ends for _ in end.variables):
        raise IllFormed(f"a fact does not say what an index is: {fact.text}")


def _require_spoken_of(adjoint: Adjoint) -> None:
    """Every free index of a step is one that the derivative has."""
    own = {v for index in adjoint.indices for v in index.variables}
    for step in adjoint.steps:
        if not own.issuperset(open_indices(step.left, step.right)):
            raise IllFormed(f"a step of {adjoint.tensor.name} does not say what an index is")


def _require_placeholders(lemma: Lemma) -> None:
    """A lemma is about a function that there is; its arguments and value have different names."""
    row = rows().get(lemma.function)
    if not isinstance(row, ScalarFunction) or len(row.arguments) != len(lemma.args):
        raise IllFormed(f"{lemma.function} has no definition with {len(lemma.args)} arguments")
    if lemma.argument not in range(len(lemma.args)):
        raise IllFormed(f"{lemma.function} has no argument {lemma.argument}")
    for node in walk(lemma.stated):
        if isinstance(node, Apply) and not isinstance(rows().get(node.function), ScalarFunction):
            raise IllFormed(f"the lemma on {lemma.function} speaks of {node.function}, of no table")
    places = (*lemma.args, lemma.value)
    if len({place.tensor.name for place in places}) < len(places) or any(
        place.indices for place in places
    ):
        raise IllFormed(f"the lemma on {lemma.function} takes two things for one")


def _identity(tensor: Tensor) -> tuple[object, ...]:
    of, root = tensor.of, tensor.root
    relatives = (of and _identity(of), root and _identity(root))
    printed = (tensor.name, tensor.role, tensor.symbol, tensor.layer, tensor.named)
    return (*printed, tensor.slots, tensor.axes, *relatives)


def _accesses(expr: Expr) -> Iterator[Access]:
    return (node for node in walk(expr) if isinstance(node, Access))


def _require_equation(definition: Definition) -> None:
    """Its variables are different, run over whole axes, and are all that the body speaks of."""
    target = definition.target
    _require_covered(target, definition.indices)
    if target.role is Role.ADJOINT:
        raise IllFormed(f"{target.name} is a derivative, and has an equation of its own")
    if has_partial(definition.body) or any(
        access.tensor.role is Role.ADJOINT for access in _accesses(definition.body)
    ):
        raise IllFormed(f"{target.name} is computed from a derivative")
    try:
        normal(definition.body)
    except ZeroDivisionError:
        raise IllFormed(f"{target.name} has no value: it divides by zero") from None
    for need in needs(definition.body):
        if isinstance(need.subject, Access) and not need.nonzero:
            _require_in_axes(need.subject, need)
    stray = free_variables(definition.body) - set(definition.variables)
    if stray:
        raise IllFormed(f"the equation of {target.name} does not say what an index of it is")


def _require_in_axes(access: Access, need: Need) -> None:
    """No entry beyond an axis is used, but where a bracket beside it is 0 or a range is empty.

    The entries of a family before its first member have equations of their own.
    """
    known = tuple(factor.index for factor in need.guards if isinstance(factor, Bracket))
    known += tuple(var.axis.size - 1 for var in need.bound)
    for index, whole in zip(access.indices, access.axes, strict=True):
        if not whole.ordered and guards(index, whole, known) != ():
            raise IllFormed(f"an index of {access.tensor.name} goes beyond its axis")


def _require_covered(tensor: Tensor, indices: tuple[Index, ...]) -> None:
    """Each index is constant or a variable of its own; only an ordered axis may be cut in parts."""
    if len(indices) != len(tensor.slots):
        raise IllFormed(f"{tensor.name} has {len(tensor.slots)} axes")
    mapping: dict[Var, Index] = {}
    seen: set[Var] = set()
    for slot, index in zip(tensor.slots, indices, strict=True):
        if not {*slot.axis.start.variables, *slot.axis.stop.variables} <= mapping.keys():
            raise IllFormed(f"an axis of {tensor.name} depends on a later one")
        start, stop = (substitute_index(e, mapping) for e in (slot.axis.start, slot.axis.stop))
        variable = index.variable
        if variable is None:
            if any(True for _ in index.variables):
                raise IllFormed(f"an index of {tensor.name} is neither plain nor constant")
            whole = Axis(slot.axis.name, stop, start)
            if not slot.axis.ordered and guards(index, whole) != ():
                raise IllFormed(f"an index of {tensor.name} is out of its axis")
        elif variable in seen:
            raise IllFormed(f"{tensor.name} has the same index twice")
        elif (variable.axis.name == EXAMPLE) != (slot.axis.name == EXAMPLE):
            raise IllFormed(f"an index of {tensor.name} does not count what its axis counts")
        elif variable.axis.ordered != slot.axis.ordered:
            raise IllFormed(f"an index of {tensor.name} forgets that its axis is ordered")
        elif (variable.axis.start, variable.axis.stop) != (start, stop):
            ends = (*variable.axis.start.variables, *variable.axis.stop.variables)
            if not slot.axis.ordered or ends:
                raise IllFormed(f"an index of {tensor.name} does not run over the whole axis")
        if variable is not None:
            seen.add(variable)
        mapping[slot] = index


def _require_disjoint(equations: Iterable[tuple[Tensor, tuple[Index, ...]]]) -> None:
    """No entry has two equations, as far as the leading indices tell them apart."""
    by_tensor: dict[Tensor, list[tuple[Index, ...]]] = {}
    for tensor, indices in equations:
        by_tensor.setdefault(tensor, []).append(indices)
    for tensor, several in by_tensor.items():
        for mine, other in combinations(several, 2):
            if not any(_apart(a, b) for a, b in zip(mine, other, strict=True)):
                raise IllFormed(f"an entry of {tensor.name} has two equations")


def _apart(first: Index, second: Index) -> bool:
    """Whether the two indices never stand for the same entry."""
    v, w = first.variable, second.variable
    if v is None and w is None:
        return is_zero(first - second) is False
    if v is not None and w is not None:
        gaps = (v.axis.start - w.axis.stop - 1, w.axis.start - v.axis.stop - 1)
        return any(is_nonnegative(gap) is True for gap in gaps)
    return guards(second, v.axis) is None if v is not None else _apart(second, first)


def _require_order(graph: Graph) -> None:
    """Every equation uses entries defined before it, and of a recurrence earlier members."""
    done: list[Definition] = []
    for block in graph.blocks:
        own = block.definitions if isinstance(block, Recurrence) else ()
        for definition in own or (block,):
            assert isinstance(definition, Definition)
            for access in _accesses(definition.body):
                for later in graph.definitions_of(access.tensor):
                    if later not in done and later not in own and not later.misses(access):
                        raise IllFormed(
                            f"{definition.target.name} uses {access.tensor.name} too early"
                        )
        if isinstance(block, Recurrence):
            _require_recurrence(block)
        done.extend(own or (block,))  # type: ignore[arg-type]


def _require_recurrence(block: Recurrence) -> None:
    own = {d.target for d in block.definitions}
    for n, definition in enumerate(block.definitions):
        head = definition.indices[0].variable if definition.indices else None
        if head is None or not head.axis.ordered:
            raise IllFormed(f"{definition.target.name} has no index along the recurrence")
        for access in _accesses(definition.body):
            if access.tensor in own:
                back = as_index(head) - access.indices[0]
                later = any(d.target == access.tensor for d in block.definitions[n:])
                known = any(
                    d.target == access.tensor and d.at(access) is not None
                    for d in block.definitions[:n]
                )
                if is_nonnegative(back if known or not later else back - 1) is not True:
                    raise IllFormed(f"{definition.target.name} uses {access.tensor.name} too early")


def _require_cost(graph: Graph) -> None:
    """The cost has an equation (or what comes after is given), and is not computed from itself."""
    if not graph.upstream and not graph.definitions_of(graph.cost):
        raise IllFormed(f"{graph.cost.name} has no equation")
    twice = (t for t in graph.tensors if [a.name for a in t.axes].count(EXAMPLE) > 1)
    if graph.example_loss is not None and any(True for _ in twice):
        raise IllFormed("an example has two numbers, so that it has no loss of its own")
    if graph.example_loss is not None and any(
        not is_there(definition.left) for definition in graph.definitions_of(graph.example_loss)
    ):
        raise IllFormed("the loss of an example has an equation beyond its axes")
    if graph.example_loss is not None and graph.cost.slots:
        raise IllFormed(f"{graph.cost.name} has axes, and an example's loss is no part of an entry")
    for root in (graph.cost, graph.example_loss):
        if root is not None and any(
            root in graph.depending_on((d.target,)) for d in graph.users(root)
        ):
            raise IllFormed(f"{root.name} is computed from itself")


def _require_upstream(graph: Graph) -> None:
    """A given adjoint is of an output that nothing here uses, by a cost that has no equation."""
    if len({tensor.of for tensor in graph.upstream}) < len(graph.upstream):
        raise IllFormed("an output has two given adjoints")
    for tensor in graph.upstream:
        of = tensor.of
        if tensor.role is not Role.ADJOINT or not tensor.named or of is None:
            raise IllFormed(f"{tensor.name} is no adjoint with a name")
        if tensor.root != graph.cost or tensor.slots != of.slots or graph.cost.slots:
            raise IllFormed(f"{tensor.name} is not the derivative of {graph.cost.name}")
        if graph.users(graph.cost):
            raise IllFormed(f"{graph.cost.name} is used before it is there")
        if graph.users(of) or graph.definitions_of(graph.cost):
            raise IllFormed(f"{of.name} leads to {graph.cost.name} not only from outside")


def _require_adjoint(graph: Graph, adjoint: Adjoint) -> None:
    tensor = adjoint.tensor
    of, root = tensor.of, tensor.root
    if tensor.role is not Role.ADJOINT or of is None or root is None:
        raise IllFormed(f"{tensor.name} is no derivative")
    known = {t: t for t in (*graph.tensors, graph.cost)}
    for part in (of, root):
        if part not in known or _identity(known[part]) != _identity(part):
            raise IllFormed(f"{part.name} is no tensor of this graph")
    if of == root:
        raise IllFormed(f"the derivative of {of.name} by itself is 1, and is not derived")
    if root not in (graph.cost, graph.example_loss):
        raise IllFormed(f"{root.name} is neither the cost nor the loss of an example")
    if root != graph.cost and of not in graph.per_example:
        raise IllFormed(f"{of.name} reaches the cost not only through its own example's loss")
    leading = root.slots if root == graph.cost else ()  # a Jacobian has the axes of its root first
    if tensor.slots != (*leading, *of.slots):
        raise IllFormed(f"{tensor.name} has other axes than {of.name}")
    if graph.given(of) is not None:
        raise IllFormed(f"{tensor.name} is given, and derived as well")
    _require_covered(tensor, adjoint.indices)

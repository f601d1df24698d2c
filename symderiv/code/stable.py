"""Which of the proved forms of an equation is computed: the one that neither overflows nor cancels.

Every line of a chain is equal to the closed form, so any of them may be computed. ``a (1 - a)``
loses all digits where a is near 1, while the table has a stable σ′(z); so code goes back to the
line where the derivative of a function was still a function. A loss after an activation that has
a row of its own as one function of the logits is computed by that row.
"""

from __future__ import annotations

from dataclasses import dataclass

from symderiv.algebra.binding import instantiate, replace_accesses
from symderiv.algebra.expr import (
    Access,
    Apply,
    Expr,
    Number,
    Role,
    Sum,
    Tensor,
    rebuild,
    tensors_in,
    walk,
)
from symderiv.algebra.index import is_zero
from symderiv.calculus.functions import Row, ScalarFunction, VectorFunction, rows, scalar, symbols
from symderiv.calculus.graph import Definition, Graph
from symderiv.calculus.losses import LOGITS
from symderiv.calculus.reference import text
from symderiv.calculus.rewriting import named_value, tidy
from symderiv.calculus.steps import Adjoint, Derivation
from symderiv.proof.lemmas import fusion_verdict
from symderiv.proof.verdict import Status

_LEADING = {"chain rule", "definition", "derivative", "delta collapse"}


@dataclass(frozen=True)
class Head:
    """The loss of one example as ``row(argument, target)``: a pair of LOGITS, or a vector loss."""

    row: Row
    argument: Access
    target: Access
    rest: tuple[Expr, ...] = ()
    of: str = ""
    axis: int = 0

    def at(self, adjoint: Adjoint) -> Access | None:
        """The argument at the indices of its adjoint; None for any other adjoint."""
        tensor = self.argument.tensor
        if adjoint.tensor.of != tensor:
            return None
        if tensor.ordered and adjoint.indices[0] != self.argument.indices[0]:
            return None
        return Access(tensor, adjoint.indices)


def find_head(graph: Graph) -> Head | None:
    """The row that computes the loss in one piece, or None where the definitions are stable.

    None as well where units are written out: the row computes from one array of them all.
    """
    loss = next((t for t in graph.tensors if t.role is Role.LOSS), None)
    if loss is None:
        return None
    (definition,) = graph.definitions_of(loss)
    group = group_of(graph, definition)
    if isinstance(rows().get(definition.part_of), VectorFunction) and not _has_sum(group):
        return None
    used = inputs_of(group)
    target = next((a for a in used if a.tensor.role is Role.TARGET), None)
    output = next((a for a in used if a.tensor.role is not Role.TARGET), None)
    if output is None or target is None:
        return None
    entry = definition.body.body if isinstance(definition.body, Sum) else definition.body
    name = definition.part_of
    rest: tuple[Expr, ...] = ()
    if not name and isinstance(entry, Apply) and entry.args[:2] == (output, target):
        name, rest = entry.function, entry.args[2:]
    for made in graph.definitions_of(output.tensor):
        function, argument = _function_of(graph, made, output)
        logits = LOGITS.get((name, function))
        inside = {d.target for d in group_of(graph, made)}
        if (
            logits
            and fusion_verdict(name, function).status is Status.PROVED
            and argument is not None
            and _feeds_only(graph, argument, inside)
            and _feeds_only(graph, output, {d.target for d in group})
        ):
            why = f"{name} of {function}(z), straight from z"
            return Head(rows()[logits], argument, target, rest, why, summed_axis(group))
    row = rows().get(name)
    if isinstance(row, VectorFunction) and row.numpy_gradient:
        return Head(row, output, target, axis=summed_axis(group))
    return None


def group_of(graph: Graph, definition: Definition) -> list[Definition]:
    """The lines of the vector function that ends in this equation, or the equation alone.

    Where every unit is written out for itself, there is no array to apply the function to.
    """
    group: list[Definition] = []
    for line in graph.definitions:
        row = rows().get(line.part_of)
        if not isinstance(row, VectorFunction):
            continue
        group.append(line)
        if len(group) == len(row.parts):
            if line == definition and _has_sum(group):
                return group
            group = []
    return [definition]


def _has_sum(group: list[Definition]) -> bool:
    """Whether there is a sum over units; where they are written out there are terms instead."""
    return any(isinstance(node, Sum) for d in group for node in walk(d.body))


def inputs_of(group: list[Definition]) -> list[Access]:
    """The entries that equations take from outside."""
    inside = {d.target for d in group}
    found = [node for d in group for node in walk(d.body) if isinstance(node, Access)]
    return [access for access in found if access.tensor not in inside]


def summed_axis(group: list[Definition]) -> int:
    """The axis of the arrays along which a vector function, or a loss, sums."""
    for node in (node for d in group for node in walk(d.body) if isinstance(node, Sum)):
        for entry in (e for e in walk(node.body) if isinstance(e, Access)):
            plain = [i.variable for i in entry.indices[entry.tensor.ordered :]]
            if node.var in plain:
                return plain.index(node.var)
    return 0


def _function_of(graph: Graph, made: Definition, output: Access) -> tuple[str, Access | None]:
    """The activation that makes an entry, and what it is applied to."""
    body = made.at(output)
    if body is None:
        return "", None
    if made.part_of:
        return made.part_of, next(iter(inputs_of(group_of(graph, made))), None)
    match body:
        case Apply(function, (Access() as argument, *_), orders) if not any(orders):
            return function, argument
    return "", None


def _feeds_only(graph: Graph, entry: Access, users: set[Tensor]) -> bool:
    """Whether nothing but these uses the tensor (the member of a family)."""
    return all(
        d.target in users
        for d, access in graph.uses(entry.tensor)
        if not entry.tensor.ordered or is_zero(access.indices[0] - entry.indices[0]) is not False
    )


class Forms:
    """The form of every adjoint that code computes; adjoints without a name are inserted."""

    def __init__(self, derivation: Derivation, kept: set[Tensor]) -> None:
        self.graph = derivation.graph
        self.adjoints = derivation.adjoints
        self.kept = kept
        self.parts = {d.target for d in self.graph.definitions if d.part_of} - {
            d.target for d in self.graph.definitions if d.target.role is not Role.AUXILIARY
        }
        self._known: dict[int, Expr] = {}

    def of(self, adjoint: Adjoint) -> Expr:
        """The stable form; the closed one where the stable one needs a part of a softmax."""
        key = id(adjoint)
        if key not in self._known:
            raw = tidy(self._inserted(self._stated(_before_lemmas(adjoint))))
            bad = not self.parts.isdisjoint(tensors_in(raw))
            self._known[key] = self._inserted(adjoint.closed) if bad else raw
        return self._known[key]

    def _inserted(self, expr: Expr) -> Expr:
        def image(access: Access) -> Expr | None:
            if access.tensor.role is not Role.ADJOINT or access.tensor in self.kept:
                return None
            for adjoint in self.adjoints:
                if adjoint.tensor == access.tensor:
                    found = instantiate(adjoint.indices, self.of(adjoint), access.indices)
                    if found is not None:
                        return found
            return None

        return replace_accesses(expr, image)

    def _stated(self, expr: Expr) -> Expr:
        """Stated derivatives inserted where the table computes them just as they are stated."""
        expr = rebuild(expr, self._stated)
        if not (isinstance(expr, Apply) and sum(expr.orders) == 1):
            return expr
        row, position = scalar(expr.function), expr.orders.index(1)
        formula = row.derivatives[position]
        if formula is None or not is_as_stated(row, position):
            return expr
        plain = Apply(expr.function, expr.args, (0,) * len(expr.args))
        return formula(*expr.args, named_value(plain, self.graph) or plain)


def is_as_stated(row: ScalarFunction, position: int) -> bool:
    """Whether the NumPy form of a derivative is the stated formula itself, so that it is safe."""
    formula, lines = row.derivatives[position], row.numpy_derivatives[position]
    if formula is None:
        return False
    value = Access(Tensor("value"), ())
    stated = formula(*symbols(row), value)
    if isinstance(stated, Number) or stated == value or lines is None:
        return True
    if isinstance(stated, Apply) and stated.args == symbols(row) and not any(stated.orders):
        return lines == rows()[stated.function].numpy
    try:
        return lines == (f"return {text(stated)}",)
    except ValueError:
        return False


def _before_lemmas(adjoint: Adjoint) -> Expr:
    """The line of a chain where it holds derivatives of functions and adjoints, no more."""
    found = adjoint.left if not adjoint.steps else adjoint.steps[0].right
    for step in adjoint.steps:
        if step.rule not in _LEADING:
            break
        found = step.right
    return found

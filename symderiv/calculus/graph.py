"""The forward side: definitions in order, and what may be assumed of the inputs.

A graph is in static single assignment form: every tensor is defined once, by an expression over
tensors that come earlier. A recurrence is the one exception: along an ordered axis (layers,
time) its tensors use their own earlier members.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from symderiv.algebra.binding import instantiate
from symderiv.algebra.expr import Access, Apply, Expr, Tensor, tensors_in, walk
from symderiv.algebra.index import Index, Known, Size, Var, guards, is_zero

if TYPE_CHECKING:
    from symderiv.calculus.conditions import Condition

EXAMPLE = "example"  # the name of the axis that counts examples


class Kind(Enum):
    """What a graph was built as, which its builder is told, or guesses from the inputs."""

    NETWORK = "network"  # arrays between one input X and one target Y
    WRITTEN_OUT = "written out"  # a network whose units are quantities of their own, as z1 and z2
    PROGRAM = "program"  # equations of any other shape, with the names that their user gave


@dataclass(frozen=True)
class Definition:
    """``target[indices] = body``, for all values of the variables among the indices.

    ``part_of`` names the vector function (softmax, ...) that this equation is a part of, so that
    documents and code can show the whole by its name. A normalised quantity ``q = c/s``
    ``eliminates`` c: formulas are written with q, since c = q s.
    """

    target: Tensor
    indices: tuple[Index, ...]
    body: Expr
    why: str = ""
    part_of: str = ""
    eliminates: Tensor | None = None

    @property
    def left(self) -> Access:
        """The defined entry."""
        return Access(self.target, self.indices)

    @property
    def variables(self) -> tuple[Var, ...]:
        """The variables that the equation is quantified over."""
        return tuple(v for i in self.indices if (v := i.variable) is not None)

    def at(self, access: Access, known: Known = ()) -> Expr | None:
        """The body for one entry, with fresh sums; None where this equation is not about it."""
        return instantiate(self.indices, self.body, access.indices, known)

    def misses(self, access: Access) -> bool:
        """Whether the equation is certainly not about that entry."""
        return any(
            is_zero(mine - given) is False
            if mine.variable is None
            else guards(given, mine.variable.axis) is None
            for mine, given in zip(self.indices, access.indices, strict=True)
        )


@dataclass(frozen=True)
class Recurrence:
    """t[l] from t[l-1] and a base, along the ordered axis of ``var``.

    The definitions have ``var`` as their first index. Generic depth and recurrent networks are
    this one type; its reverse recurrence is what the chain rule makes of it.
    """

    var: Var
    definitions: tuple[Definition, ...]


@dataclass(frozen=True)
class Fact:
    """``left = right``, assumed of the inputs (``sum_k y[k] = 1``) or found and proved."""

    left: Expr
    right: Expr
    text: str
    variables: tuple[Var, ...] = ()
    assumed: bool = True


@dataclass(frozen=True)
class Graph:
    """All definitions in order, the cost, and what backpropagation has to know.

    ``example_loss`` is the loss of one example where examples do not interact: errors then
    differentiate it, and the factor of the mean enters once, in the gradient of a parameter.

    ``upstream`` are the adjoints that are given from outside: of a layer's outputs, where the
    cost is whatever comes after the layer and has no equation. A ``cost`` with axes of its own
    is differentiated entry by entry: its adjoints are Jacobians, with its axes first.

    ``defaults`` are the values that hyperparameters have unless others are given, ``starts`` those
    that parameters start from where zero would stop the signal: the scale γ of a normalisation.
    ``asked`` is what the expressions asked for as they were written, where reading has simplified
    them.

    By its ``kind`` documents and code choose their words and names.
    """

    blocks: tuple[Definition | Recurrence, ...]
    cost: Tensor
    example_loss: Tensor | None = None
    named: frozenset[str] = frozenset()
    facts: tuple[Fact, ...] = ()
    asked: tuple[Condition, ...] = ()
    sizes: dict[Size, int] = field(default_factory=dict)
    upstream: tuple[Tensor, ...] = ()
    defaults: tuple[tuple[Tensor, Fraction], ...] = ()
    kind: Kind = Kind.PROGRAM
    starts: tuple[tuple[Tensor, Fraction], ...] = ()

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """Every equation, those of a recurrence in the order of one step."""
        flat: list[Definition] = []
        for block in self.blocks:
            flat.extend([block] if isinstance(block, Definition) else block.definitions)
        return tuple(flat)

    @cached_property
    def has_families(self) -> bool:
        """Whether some tensors have one member a layer, or a time, of a number that is a symbol."""
        return any(tensor.ordered for tensor in self.tensors)

    @cached_property
    def inputs(self) -> tuple[Tensor, ...]:
        """Tensors without a definition: data, parameters, hyperparameters."""
        defined = {d.target for d in self.definitions}
        seen = dict.fromkeys(t for d in self.definitions for t in tensors_in(d.body))
        return tuple(t for t in seen if t not in defined)

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """Inputs, then the defined tensors in order."""
        return (*self.inputs, *dict.fromkeys(d.target for d in self.definitions))

    @property
    def written_out(self) -> bool:
        """Whether this is a network whose units are quantities of their own."""
        return self.kind is Kind.WRITTEN_OUT

    @property
    def keeps_names(self) -> bool:
        """Whether its quantities keep their names in code, without X, Y and delta."""
        return self.kind is not Kind.NETWORK

    @cached_property
    def functions(self) -> frozenset[str]:
        """The functions that the equations apply."""
        nodes = (node for d in self.definitions for node in walk(d.body))
        return frozenset(node.function for node in nodes if isinstance(node, Apply))

    @cached_property
    def size_names(self) -> tuple[str, ...]:
        """The names that the lengths of all axes speak of."""
        ends = (axis.stop for tensor in self.tensors for axis in tensor.axes)
        return tuple(dict.fromkeys(symbol.name for end in ends for symbol, _ in end.terms))

    @cached_property
    def taken_apart(self) -> frozenset[Tensor]:
        """Tensors of which an equation uses an entry by its number, or an axis has one number."""
        nodes = (node for d in self.definitions for node in walk(d.body))
        return frozenset(
            node.tensor
            for node in nodes
            if isinstance(node, Access)
            and (
                any(not index.terms for index in node.indices)
                or any(axis.only is not None for axis in node.tensor.axes)
            )
        )

    def definitions_of(self, tensor: Tensor) -> tuple[Definition, ...]:
        """The equations that define a tensor (a family may have one for the base as well)."""
        return self._by_target.get(tensor, ())

    @cached_property
    def _by_target(self) -> dict[Tensor, tuple[Definition, ...]]:
        return _grouped((d.target, d) for d in self.definitions)

    @cached_property
    def _by_source(self) -> dict[Tensor, tuple[Definition, ...]]:
        return _grouped((t, d) for d in self.definitions for t in tensors_in(d.body))

    def users(self, tensor: Tensor) -> tuple[Definition, ...]:
        """The equations whose right side has the tensor."""
        return self._by_source.get(tensor, ())

    def given(self, tensor: Tensor) -> Tensor | None:
        """The adjoint of a tensor, if it comes from outside."""
        return next((a for a in self.upstream if a.of == tensor), None)

    def expand(self, access: Access, known: Known = ()) -> Expr | None:
        """The right side of the equation for one entry where what is ``known`` is >= 0.

        None for an input, and for an entry of which it is not certain which equation it has.
        """
        for definition in self.definitions_of(access.tensor):
            body = definition.at(access, known)
            if body is not None:
                return body
        return None

    def uses(self, tensor: Tensor) -> Iterator[tuple[Definition, Access]]:
        """The equations that use a tensor, each with every different access it makes."""
        for definition in self.users(tensor):
            seen: dict[Access, None] = {}
            for node in walk(definition.body):
                if isinstance(node, Access) and node.tensor == tensor:
                    seen.setdefault(node)
            yield from ((definition, access) for access in seen)

    def depending_on(self, sources: Iterable[Tensor]) -> set[Tensor]:
        """The sources and all that is computed from them."""
        found = set(sources)
        waiting = list(found)
        while waiting:
            for definition in self.users(waiting.pop()):
                if definition.target not in found:
                    found.add(definition.target)
                    waiting.append(definition.target)
        return found

    @cached_property
    def relevant(self) -> frozenset[Tensor]:
        """The cost (or the outputs whose adjoints are given) and all that it is computed from."""
        return self.leading_to(self.cost)

    def leading_to(self, goal: Tensor, avoiding: Tensor | None = None) -> frozenset[Tensor]:
        """The goal and all that it is computed from, on ways that do not pass ``avoiding``.

        The cost is computed from the outputs whose adjoints are given, in a way not written here.
        """
        known = self._leading.get((goal, avoiding))
        if known is None:
            found = {goal}
            waiting = [goal]
            if goal == self.cost:
                waiting.extend(a.of for a in self.upstream if a.of is not None)
                found.update(waiting)
            while waiting:
                for definition in self.definitions_of(waiting.pop()):
                    sources = (t for t in tensors_in(definition.body) if t != avoiding)
                    new = [t for t in sources if t not in found]
                    found.update(new)
                    waiting.extend(new)
            known = self._leading[goal, avoiding] = frozenset(found)
        return known

    @cached_property
    def _leading(self) -> dict[tuple[Tensor, Tensor | None], frozenset[Tensor]]:
        return {}

    @cached_property
    def per_example(self) -> frozenset[Tensor]:
        """Tensors of which each example's entries reach the cost through that example's loss alone.

        Empty where examples interact (a sum over examples below the loss).
        """
        loss = self.example_loss
        if loss is None:
            return frozenset()
        below = self.leading_to(loss)
        batched = {t for t in below if any(axis.name == EXAMPLE for axis in t.axes)}
        if any(d.target in below and crosses_examples(d) for d in self.definitions):
            return frozenset()
        return frozenset(batched - self.leading_to(self.cost, loss))


def _grouped(
    pairs: Iterable[tuple[Tensor, Definition]],
) -> dict[Tensor, tuple[Definition, ...]]:
    """The equations by tensor, in order; in tuples, since what is judged must not change."""
    found: dict[Tensor, list[Definition]] = {}
    for tensor, definition in pairs:
        found.setdefault(tensor, []).append(definition)
    return {tensor: tuple(several) for tensor, several in found.items()}


def crosses_examples(definition: Definition) -> bool:
    """Whether an example's value is computed from other examples."""
    own = {v for v in definition.variables if v.axis.name == EXAMPLE}
    for node in walk(definition.body):
        if isinstance(node, Access):
            for slot, index in zip(node.tensor.slots, node.indices, strict=True):
                if slot.axis.name == EXAMPLE and index.variable not in own:
                    return True
    return False

"""The tags of equations, the same in every document and in the code: D1, BP2a, G1.

(D1), (D2), ... are the forward equations; :class:`Sort` lists the others. Layers whose equations
differ in nothing but the number of the layer share one equation; several equations of one sort are
told apart by a letter, (BP2a), (BP2b).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from symderiv.algebra.expr import Access, Add, Role, Tensor, tensors_in
from symderiv.algebra.index import Index, Var
from symderiv.calculus.graph import Definition, Graph, Kind
from symderiv.calculus.steps import Adjoint, Derivation
from symderiv.notation.conventions import Notation
from symderiv.notation.names import Names
from symderiv.notation.tex import latex


class Sort(Enum):
    """What a named equation is about; the value is its tag."""

    OUTPUT = "BP1"  # the error at the output
    BACK = "BP2"  # the error one layer back
    BIAS = "BP3"
    WEIGHT = "BP4"
    INPUT = "BP5"
    OTHER = "BP6"  # whatever else is learned: the slope of a PReLU, the scale of a norm
    PROGRAM = "G"  # of a program, and of a network written out with several units in a layer

    @property
    def tag(self) -> str:
        """The tag, but for the letter or number that tells equations of one sort apart."""
        return self.value


@dataclass(frozen=True)
class Group:
    """A named equation with the adjoints that it stands for."""

    sort: Sort
    tag: str
    adjoints: tuple[Adjoint, ...]


@dataclass(frozen=True)
class Numbering:
    """The tags of one derivation in one notation."""

    derivation: Derivation
    notation: Notation

    @cached_property
    def definitions(self) -> dict[Definition, str]:
        """D1, D2, ... in the order of the graph."""
        graph = self.derivation.graph
        return {d: f"D{n}" for n, d in enumerate(graph.definitions, start=1)}

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The named equations."""
        graph, adjoints = self.derivation.graph, self.derivation.adjoints
        names = Names(self.notation, graph)
        errors = [a for a in adjoints if names.has_name(a.tensor)]
        hidden = [a for a in adjoints if a.tensor.named and not names.has_name(a.tensor)]
        asked_for = [a for a in hidden if a.of in self.derivation.wrt]
        program = graph.kind is Kind.PROGRAM or (graph.written_out and hidden)
        if not errors or asked_for or program:
            asked = [a for a in adjoints if a.of in graph.inputs or a.tensor.named]
            sort = Sort.PROGRAM
            return tuple(Group(sort, f"{sort.tag}{n}", (a,)) for n, a in enumerate(asked, start=1))
        of = [(a, self.sort(a.of)) for a in adjoints if a.of in graph.inputs]
        by = {sort: [a for a, found in of if found is sort] for sort in Sort}
        return (
            *_tagged(Sort.OUTPUT, [errors[:1]]),
            *_tagged(Sort.BACK, self._alike(errors[1:])),
            *_tagged(Sort.BIAS, self._alike(by[Sort.BIAS])),
            *_tagged(Sort.WEIGHT, self._alike(by[Sort.WEIGHT])),
            *_tagged(Sort.INPUT, [[a] for a in by[Sort.INPUT]]),
            *_tagged(Sort.OTHER, self._alike(by[Sort.OTHER])),
        )

    def sort(self, tensor: Tensor) -> Sort:
        """What the gradient by an input of the graph is."""
        if tensor.role is not Role.PARAMETER:
            return Sort.INPUT
        return self._sorts.get(tensor, Sort.OTHER)

    @cached_property
    def _sorts(self) -> dict[Tensor, Sort]:
        """A weighted input adds its biases, and everything else in it is a weight."""
        found: dict[Tensor, Sort] = {}
        for definition in self.derivation.graph.definitions:
            if definition.target.role is not Role.PREACTIVATION:
                continue
            body = definition.body
            for term in body.terms if isinstance(body, Add) else (body,):
                sort = Sort.BIAS if isinstance(term, Access) else Sort.WEIGHT
                found |= {t: sort for t in tensors_in(term) if t.role is Role.PARAMETER}
        return found

    def equation(self, adjoint: Adjoint) -> str:
        """The tag of a closed form, also of another derivation of this graph; "" for none."""
        return self._by_place.get(_place(adjoint), "")

    @cached_property
    def _by_place(self) -> dict[tuple[str, str], str]:
        return {_place(a): group.tag for group in self.groups for a in group.adjoints}

    def _alike(self, adjoints: list[Adjoint]) -> list[list[Adjoint]]:
        """Neighbours that print alike, relative to their layers."""
        graph, groups, before = self.derivation.graph, list[list[Adjoint]](), ""
        for adjoint in adjoints:
            layer = Names(self.notation, graph).layer(adjoint.of)
            names = relative_names(self.notation, graph, adjoint, layer)
            key = "" if layer is None else latex(adjoint.closed, self.notation, names)
            if groups and key and key == before:
                groups[-1].append(adjoint)
            else:
                groups.append([adjoint])
            before = key
        return groups


def relative_names(notation: Notation, graph: Graph, adjoint: Adjoint, base: int | None) -> Names:
    """New letters for the chain of an adjoint, with layers written relative to ``base``."""
    names = Names(notation, graph, base)
    names.fix(*index_variables(adjoint.indices))
    return names


def index_variables(indices: tuple[Index, ...]) -> tuple[Var, ...]:
    """The variables of indices, in order."""
    return tuple(dict.fromkeys(v for index in indices for v in index.variables))


def _tagged(sort: Sort, groups: list[list[Adjoint]]) -> list[Group]:
    groups = [g for g in groups if g]
    marks = [""] if len(groups) == 1 else [_mark(n) for n in range(len(groups))]
    return [Group(sort, sort.tag + mark, tuple(g)) for mark, g in zip(marks, groups, strict=True)]


def _mark(n: int) -> str:
    """a, b, ..., z, aa, ab, ..."""
    return (_mark(n // 26 - 1) if n >= 26 else "") + chr(ord("a") + n % 26)


def _place(adjoint: Adjoint) -> tuple[str, str]:
    """The quantity and, in a family, which of its members."""
    of = adjoint.of
    if not adjoint.tensor.ordered:
        return of.name, ""
    first = adjoint.indices[len(adjoint.indices) - len(of.slots)]
    return of.name, first.key(dict.fromkeys(first.variables, "l"))

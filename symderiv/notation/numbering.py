"""The tags of equations, the same in every document and in the code: D1, BP2a, G1.

(D1), (D2), ... are the forward equations; (BP1) is the error at the output, (BP2) one layer back,
(BP3), (BP4) and (BP5) are the gradients by biases, weights and inputs; (G1), ... those of a
program, and of a network written out with several units in a layer. Layers whose equations differ
in nothing but the number of the layer share one equation; several equations of one kind are told
apart by a letter, (BP2a), (BP2b).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from symderiv.algebra.expr import Role
from symderiv.algebra.index import Index, Var
from symderiv.calculus.graph import Definition, Graph
from symderiv.calculus.steps import Adjoint, Derivation
from symderiv.notation.conventions import Notation
from symderiv.notation.names import Names
from symderiv.notation.tex import latex

Group = tuple[str, tuple[Adjoint, ...]]


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
        """The named equations, each with the adjoints that it stands for."""
        graph, adjoints = self.derivation.graph, self.derivation.adjoints
        names = Names(self.notation, graph)
        errors = [a for a in adjoints if names.has_name(a.tensor)]
        hidden = [a for a in adjoints if a.tensor.named and not names.has_name(a.tensor)]
        asked_for = [a for a in hidden if a.tensor.of in self.derivation.wrt]
        if not errors or asked_for or (graph.written_out and hidden):
            asked = [a for a in adjoints if a.tensor.of in graph.inputs or a.tensor.named]
            return tuple((f"G{n}", (a,)) for n, a in enumerate(asked, start=1))
        of = [(a, a.tensor.of) for a in adjoints if a.tensor.of is not None]
        biases = [a for a, t in of if t.role is Role.PARAMETER and t.symbol == "b"]
        weights = [a for a, t in of if t.role is Role.PARAMETER and t.symbol != "b"]
        inputs = [a for a, t in of if t in graph.inputs and t.role is not Role.PARAMETER]
        return (
            *_tagged("BP1", [errors[:1]]),
            *_tagged("BP2", self._alike(errors[1:])),
            *_tagged("BP3", self._alike(biases)),
            *_tagged("BP4", self._alike(weights)),
            *_tagged("BP5", [[a] for a in inputs]),
        )

    def equation(self, adjoint: Adjoint) -> str:
        """The tag of a closed form, also of another derivation of this graph; "" for none."""
        return self._by_place.get(_place(adjoint), "")

    @cached_property
    def _by_place(self) -> dict[tuple[str, str], str]:
        return {_place(a): tag for tag, group in self.groups for a in group}

    def _alike(self, adjoints: list[Adjoint]) -> list[list[Adjoint]]:
        """Neighbours that print alike, relative to their layers."""
        graph, groups, before = self.derivation.graph, list[list[Adjoint]](), ""
        for adjoint in adjoints:
            assert adjoint.tensor.of is not None
            layer = Names(self.notation, graph).layer(adjoint.tensor.of)
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


def _tagged(name: str, groups: list[list[Adjoint]]) -> list[Group]:
    groups = [g for g in groups if g]
    marks = [""] if len(groups) == 1 else [_mark(n) for n in range(len(groups))]
    return [(name + mark, tuple(g)) for mark, g in zip(marks, groups, strict=True)]


def _mark(n: int) -> str:
    """a, b, ..., z, aa, ab, ..."""
    return (_mark(n // 26 - 1) if n >= 26 else "") + chr(ord("a") + n % 26)


def _place(adjoint: Adjoint) -> tuple[str, str]:
    """The quantity and, in a family, which of its members."""
    tensor = adjoint.tensor
    assert tensor.of is not None
    if not tensor.ordered:
        return tensor.of.name, ""
    first = adjoint.indices[len(adjoint.indices) - len(tensor.of.slots)]
    return tensor.of.name, first.key(dict.fromkeys(first.variables, "l"))

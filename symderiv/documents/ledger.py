"""Every equation of a document with its tag: (D1) definitions, (S1) steps, (L1) lemmas, (A1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from symderiv.algebra.expr import Access, Expr, Partial, Role, Sum, Tensor, walk
from symderiv.algebra.index import Index, Var
from symderiv.algebra.matrix import MatrixExpr
from symderiv.algebra.matrixform import matrix_form, row_axes
from symderiv.calculus.backprop import example_position
from symderiv.calculus.graph import EXAMPLE, Definition, Fact, Graph
from symderiv.calculus.steps import Adjoint, Derivation, Lemma, Step
from symderiv.documents.model import Math
from symderiv.notation import (
    Names,
    Notation,
    Numbering,
    Sort,
    Symbol,
    index_variables,
    latex,
    matrix_latex,
    matrix_text,
    notation,
    text,
)
from symderiv.notation.tex import TexPrinter, letter
from symderiv.notation.unicode import TextPrinter
from symderiv.proof.check import CheckedChain
from symderiv.proof.verdict import Verdict


class Checked(Protocol):
    """What a document reads of a checked derivation."""

    @property
    def derivation(self) -> Derivation: ...
    @property
    def chains(self) -> tuple[CheckedChain, ...]: ...
    @property
    def lemmas(self) -> tuple[tuple[Lemma, Verdict], ...]: ...
    @property
    def assumptions(self) -> tuple[Fact, ...]: ...


@dataclass(frozen=True)
class StepEntry:
    """A step, its verdict and its tag; one that prints as the line before it is not shown."""

    step: Step
    verdict: Verdict
    tag: str
    shown: bool


@dataclass(frozen=True)
class ChainEntry:
    """A chain with the letters of its indices."""

    adjoint: Adjoint
    names: Names
    steps: tuple[StepEntry, ...]

    @property
    def of(self) -> Tensor:
        """What the chain differentiates by."""
        return self.adjoint.of

    @property
    def final(self) -> str:
        """The tag of the closed form."""
        return self.steps[-1].tag

    @property
    def layer(self) -> int | None:
        """The layer of the quantity, where it is a number."""
        return self.names.layer(self.of)


@dataclass(frozen=True)
class DefinitionEntry:
    """A forward equation."""

    definition: Definition
    names: Names
    tag: str


class Ledger:
    """Numbers everything, once, and prints single formulas."""

    def __init__(self, checked: Checked, notation_name: str) -> None:
        self.checked = checked
        self.graph: Graph = checked.derivation.graph
        self.notation: Notation = notation(notation_name)
        self.numbering = Numbering(checked.derivation, self.notation)
        self.definitions = tuple(
            DefinitionEntry(d, self.names_of(d.variables), tag)
            for d, tag in self.numbering.definitions.items()
        )
        self.facts = {f: f"A{n}" for n, f in enumerate(self.graph.facts, start=1)}
        self.lemmas = {lemma: f"L{n}" for n, (lemma, _) in enumerate(checked.lemmas, start=1)}
        self.chains: tuple[ChainEntry, ...] = self._number(self._in_order(checked.chains))

    def names_of(self, variables: tuple[Var, ...]) -> Names:
        names = Names(self.notation, self.graph)
        names.fix(*variables)
        return names

    def _in_order(self, chains: tuple[CheckedChain, ...]) -> tuple[CheckedChain, ...]:
        """As they were derived, with the gradients that have a heading of their own at the end."""
        return tuple(sorted(chains, key=lambda c: self.is_other(c.adjoint.of)))

    def is_other(self, tensor: Tensor) -> bool:
        """Whether a tensor is learned in a layer, and no weight or bias: a PReLU's slope."""
        if tensor not in self.graph.inputs or tensor.layer is None:
            return False
        return self.numbering.sort(tensor) is Sort.OTHER

    def _number(self, chains: tuple[CheckedChain, ...]) -> tuple[ChainEntry, ...]:
        made = []
        number = 0
        for chain in chains:
            names = self.names_of(index_variables(chain.adjoint.indices))
            entries: list[StepEntry] = []
            before = latex(derivative(chain.adjoint.left), self.notation, names)
            for step, verdict in chain.steps:
                printed = latex(step.right, self.notation, names)
                last = len(entries) == len(chain.steps) - 1
                shown = printed != before or last
                number += shown
                tag = f"S{number}" if shown else f"S{number + 1}.0"
                entries.append(StepEntry(step, verdict, tag, shown))
                before = printed
            made.append(ChainEntry(chain.adjoint, names, tuple(entries)))
        return tuple(made)

    # --- looking up ----------------------------------------------------------------------------

    def tags_of(self, tensor: Tensor, before: Adjoint) -> list[str]:
        """The tags of the equations for a tensor: its definitions, or the chain found last."""
        if tensor.of is None:
            return [e.tag for e in self.definitions if e.definition.target == tensor]
        found = []
        for chain in self.chains:
            if chain.adjoint is before:
                break
            if chain.adjoint.tensor == tensor:
                found.append(chain.final)
        return found[-1:]

    def inputs_of(self, sort: Sort, layer: int | None = None) -> list[Tensor]:
        """The inputs of one sort, of all layers or of one."""
        found = (t for t in self.graph.inputs if self.numbering.sort(t) is sort)
        return [t for t in found if layer in (None, t.layer)]

    @cached_property
    def weighted_layers(self) -> tuple[int, ...]:
        """The numbers of the layers with a weighted input, ascending."""
        found = {t.layer for t in self.graph.tensors if t.role is Role.PREACTIVATION}
        return tuple(sorted(n for n in found if n is not None))

    @cached_property
    def is_batched(self) -> bool:
        """Whether several examples are computed at once."""
        return any(example_position(t) is not None for t in self.graph.tensors)

    @cached_property
    def layout(self) -> str:
        """Whether examples are rows or columns, or there is a single one: as the axes have it."""
        if not self.is_batched:
            return "single"
        return "columns" if EXAMPLE in self.row_axes else "rows"

    @cached_property
    def error_roots(self) -> tuple[Tensor, ...]:
        """What the errors differentiate: the loss of one example, the cost, or some the one.

        Where no error has a name, whatever has examples counts as one.
        """
        inner = [c for c in self.chains if c.of not in self.graph.inputs]
        inner = [c for c in inner if c.of.role not in (Role.LOSS, Role.PENALTY)]
        named = [c for c in inner if c.names.has_name(c.adjoint.tensor)]
        errors = named or [c for c in inner if example_position(c.of) is not None]
        roots = (c.adjoint.tensor.root for c in errors)
        return tuple(dict.fromkeys(root for root in roots if root is not None))

    @cached_property
    def row_axes(self) -> frozenset[str]:
        """Axes whose vectors are rows, see :func:`row_axes`."""
        batched = (t for t in self.graph.tensors if len([a for a in t.axes if not a.ordered]) == 2)
        first = next((t for t in batched if example_position(t) is not None), None)
        return frozenset() if first is None else row_axes(first)

    def matrix(self, expr: Expr, indices: tuple[Index, ...]) -> MatrixExpr | None:
        """The matrix form of a right side."""
        return matrix_form(expr, indices, self.row_axes)

    # --- printing --------------------------------------------------------------------------------

    def show(self, expr: Expr, names: Names, *, inline: bool = False) -> Math:
        """A formula in every form; ``inline`` is for a line of words."""
        tex = latex(expr, self.notation, names, inline=inline)
        letters = names.copy()  # the letters of this moment, for the forms that are asked for later
        return Math(
            tex,
            lambda: text(expr, self.notation, letters),
            lambda: text(expr, self.notation, letters, unicode=False),
        )

    def show_matrix(self, node: MatrixExpr, names: Names, shapes: bool = False) -> Math | None:
        """A matrix formula in every form, or None; what TeX can write, text can."""
        tex = matrix_latex(node, names, shapes=shapes)
        if tex is None:
            return None
        letters = names.copy()
        return Math(
            tex,
            lambda: matrix_text(node, letters) or "",
            lambda: matrix_text(node, letters, unicode=False) or "",
        )

    def show_index(self, index: Index, names: Names) -> Math:
        """An index."""
        plain = TextPrinter(names).index(index)
        return Math(TexPrinter(names).index(index), plain, plain)

    def show_symbol(self, symbol: Symbol) -> Math:
        """The letter of a quantity, without indices."""
        return Math(symbol.entry, symbol.unicode, symbol.ascii)

    def show_layer(self, layer: int, names: Names) -> Math:
        """The label of a layer, as its activation has it."""
        label = names.layer_label(layer + self.notation.activation_shift)
        return Math.same(label)

    def show_letter(self, variable: Var, names: Names) -> Math:
        """The letter that a variable has in its chain."""
        name = names.known(variable)
        return Math(letter(name), name, name)


def derivative(access: Access) -> Expr:
    """``∂ℓ/∂z`` for an adjoint, whether it has a name or not."""
    tensor = access.tensor
    assert tensor.of is not None and tensor.root is not None
    example = example_position(tensor)
    indices = [access.indices[example] for _ in tensor.root.slots if example is not None]
    return Partial(Access(tensor.root, tuple(indices)), Access(tensor.of, access.indices))


def bound_variables(expr: Expr) -> frozenset[Var]:
    """The variables that some sum of the tree binds."""
    return frozenset(n.var for n in walk(expr) if isinstance(n, Sum))

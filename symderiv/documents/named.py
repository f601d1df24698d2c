"""The named equations: errors at the output and one layer back, gradients by all that is learned.

Layers whose equations differ in nothing but the number of the layer share one equation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from symderiv.algebra.expr import Access, Expr, Mul, mul
from symderiv.algebra.matrix import Matrix
from symderiv.documents.ledger import ChainEntry, Ledger
from symderiv.documents.model import EQUALS, Math, Phrase, Row
from symderiv.documents.prose import say
from symderiv.notation import Names, Sort, numbering

SPELLED = 3  # layers that are listed one by one


@dataclass(frozen=True)
class Named:
    """An equation for one or several layers; ``base`` is the layer that prints as l, if any."""

    sort: Sort
    tag: str
    chains: tuple[ChainEntry, ...]

    @property
    def base(self) -> int | None:
        """The layer that is written l, where the equation stands for several."""
        return self.chains[0].layer if len(self.chains) > 1 else None


def named_equations(ledger: Ledger) -> tuple[Named, ...]:
    """All equations of the result."""
    chains = {id(c.adjoint): c for c in ledger.chains}
    return tuple(
        Named(group.sort, group.tag, tuple(chains[id(a)] for a in group.adjoints))
        for group in ledger.numbering.groups
    )


def relative_names(ledger: Ledger, chain: ChainEntry, base: int | None) -> Names:
    """New letters for a chain, with layers written relative to ``base``."""
    return numbering.relative_names(ledger.notation, ledger.graph, chain.adjoint, base)


def row(
    ledger: Ledger, named: Named, *, matrix: bool, shapes: bool = False, why: bool = True
) -> Row:
    """The closed form of a named equation, in matrix form where there is one."""
    chain = named.chains[0]
    names = relative_names(ledger, chain, named.base)
    lhs, rhs = sides(ledger, chain, chain.adjoint.closed, names, matrix=matrix, shapes=shapes)
    return Row(lhs, rhs, layer_range(ledger, named.chains) if why else (), named.tag)


def sides(
    ledger: Ledger,
    chain: ChainEntry,
    right: Expr,
    names: Names,
    *,
    matrix: bool,
    shapes: bool = False,
) -> tuple[Math, Math]:
    """Left and right side; index form where a matrix form is asked for and there is none."""
    indices = chain.adjoint.indices
    if matrix:
        node = ledger.matrix(right, indices)
        left = ledger.matrix(chain.adjoint.left, indices)
        rhs = None if node is None else ledger.show_matrix(node, names, shapes)
        lhs = None if left is None else ledger.show_matrix(left, names)
        if rhs is not None and lhs is not None and isinstance(left, Matrix):
            return lhs, rhs
    left_side = Access(chain.adjoint.tensor, indices)
    return ledger.show(left_side, names), ledger.show(right, names)


def of_one_shape(ledger: Ledger, named: Named) -> tuple[Named, ...]:
    """An equation for several layers as it is, or once a layer.

    n_l × m holds for every layer; p × m, with a name that the user gave, for one.
    """
    printed = set()
    for chain in named.chains:
        names = relative_names(ledger, chain, chain.layer if named.base is not None else None)
        closed = chain.adjoint.closed
        printed.add(sides(ledger, chain, closed, names, matrix=True, shapes=True)[1].tex)
    if len(printed) == 1:
        return (named,)
    return tuple(replace(named, chains=(chain,)) for chain in named.chains)


def has_matrix(ledger: Ledger, named: Named) -> bool:
    """Whether the equation has a matrix form that prints."""
    chain = named.chains[0]
    return prints(ledger, chain, chain.adjoint.closed)


def prints(ledger: Ledger, chain: ChainEntry, right: Expr) -> bool:
    """Whether a right side of the chain has a matrix form that prints."""
    node = ledger.matrix(right, chain.adjoint.indices)
    return node is not None and ledger.show_matrix(node, chain.names) is not None


def layer_range(ledger: Ledger, chains: Sequence[ChainEntry], backwards: bool = False) -> Phrase:
    """``for l = 1, ..., 3``: the layers of chains that are printed as one.

    ``backwards`` is the order in which errors are computed, ``for l = 3, ..., 1``.
    """
    chain = chains[0]
    first = chain.adjoint.indices[0] if chain.adjoint.indices else None
    variable = None if first is None else first.variable
    if variable is not None and variable.axis.ordered:
        start = ledger.show_index(variable.axis.start, chain.names)
        stop = ledger.show_index(variable.axis.stop, chain.names)
        letter = ledger.show_letter(variable, chain.names)
        ends = (stop, start) if backwards else (start, stop)
        return say("layers", range=_range(letter, *ends))
    shift = ledger.notation.activation_shift
    numbers = sorted((c.layer + shift for c in chains if c.layer is not None), reverse=backwards)
    if len(numbers) < 2:
        return ()
    name = chain.names.axis_letter("layer")
    letter = Math.same(name)
    if len(numbers) > SPELLED and all(abs(b - a) == 1 for a, b in pairwise(numbers)):
        low, high = (Math.same(str(n)) for n in (numbers[0], numbers[-1]))
        return say("layers", range=_range(letter, low, high))
    listed = ", ".join(map(str, numbers))
    return say("layers", range=letter + Math.same(f" = {listed}"))


def _range(letter: Math, low: Math, high: Math) -> Math:
    return letter + EQUALS + low + Math(r", \dots, ", ", …, ", ", ..., ") + high


def general_form(chain: ChainEntry) -> Expr | None:
    """The right side with f′ still in it: what a stated derivative was put into last."""
    stated = [e.step.left for e in chain.steps if e.step.rule == "stated derivative"]
    return stated[-1] if stated else None


def stated_form(chain: ChainEntry) -> Expr | None:
    """What the last stated derivative was replaced by: the factors at the end, ``a (1 - a)``."""
    for entry in reversed(chain.steps):
        if entry.step.rule == "stated derivative":
            left, right = entry.step.left, entry.step.right
            if isinstance(left, Mul) and isinstance(right, Mul):
                kept = [f for f in right.factors if f not in left.factors]
                return mul(*kept)
    return None


def uses_input(equations: tuple[Named, ...]) -> bool:
    """Whether an equation for several layers writes x as an activation."""
    return any(
        n.base is not None and n.sort is Sort.WEIGHT and any(c.layer == 1 for c in n.chains)
        for n in equations
    )  # fmt: skip

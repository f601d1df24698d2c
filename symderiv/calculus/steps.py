"""A derivation: chains of steps, one chain for each derivative."""

from __future__ import annotations

from dataclasses import dataclass

from symderiv.algebra.binding import instantiate
from symderiv.algebra.expr import Access, Expr, Tensor
from symderiv.algebra.index import Index, Var
from symderiv.calculus.graph import Fact, Graph


@dataclass(frozen=True)
class Lemma:
    """A stated derivative used by a step: ∂f/∂(argument n) at ``args`` equals ``stated``.

    ``args`` are scalar placeholders, and ``value`` is the placeholder of f itself.
    """

    function: str
    argument: int
    args: tuple[Access, ...]
    value: Access
    stated: Expr


@dataclass(frozen=True)
class Uses:
    """A premise: the equation for this tensor, a forward definition or an adjoint found before."""

    tensor: Tensor


Premise = Lemma | Uses | Fact


@dataclass(frozen=True)
class Step:
    """``left = right`` by a rule, given the premises.

    ``why`` is the reason where the rule itself says too little: it cites equations, and the step
    uses none that has a tag.
    """

    left: Expr
    right: Expr
    rule: str
    why: str
    premises: tuple[Premise, ...] = ()


@dataclass(frozen=True)
class Adjoint:
    """The derivative of ``tensor.root`` by ``tensor.of``: a chain of steps to its closed form.

    A family (layers, time) has one adjoint for its last member and one for all the others.
    """

    tensor: Tensor
    indices: tuple[Index, ...]
    steps: tuple[Step, ...]
    closed: Expr

    @property
    def of(self) -> Tensor:
        """What the chain differentiates by."""
        assert self.tensor.of is not None
        return self.tensor.of

    @property
    def variables(self) -> tuple[Var, ...]:
        """The variables that the chain is quantified over."""
        return tuple(v for i in self.indices if (v := i.variable) is not None)

    @property
    def left(self) -> Access:
        """The entry that the chain starts from."""
        return Access(self.tensor, self.indices)

    def at(self, access: Access) -> Expr | None:
        """The closed form for one entry, or None where this chain is not about it."""
        return instantiate(self.indices, self.closed, access.indices)


@dataclass(frozen=True)
class Derivation:
    """A graph and the chains that derive its gradients, in the order they are derived.

    ``wrt`` are the tensors that were asked for; the others are on the way to them.
    """

    graph: Graph
    adjoints: tuple[Adjoint, ...]
    wrt: frozenset[Tensor] = frozenset()

    def is_gradient(self, adjoint: Adjoint) -> bool:
        """Whether it is a result of its own: by an input, or by a quantity that was asked for."""
        return adjoint.of in self.wrt or adjoint.of in self.graph.inputs

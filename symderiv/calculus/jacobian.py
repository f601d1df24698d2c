"""∂y[i]/∂x[j]: Jacobians, and Hessians as the Jacobians of gradients.

A Jacobian is backpropagation from a root that has axes: ``∂y_i/∂y_k = [k = i]``, and every adjoint
carries the axes of y first.
"""

from __future__ import annotations

from dataclasses import replace

from symderiv.algebra.binding import replace_accesses
from symderiv.algebra.expr import Access, Expr, Role, Tensor, tensors_in
from symderiv.calculus.backprop import backprop
from symderiv.calculus.graph import Definition, Graph, Recurrence
from symderiv.calculus.steps import Derivation


def jacobian(graph: Graph, y: Tensor, x: Tensor) -> Derivation:
    """∂y[i]/∂x[j]: the chain for x has the indices (i..., j...)."""
    return backprop(rooted(graph, y), [x])


def rooted(graph: Graph, y: Tensor) -> Graph:
    """The graph of y alone: what y is computed from, with y where the cost was."""
    kept: list[Definition | Recurrence] = []
    wanted = {y}
    for block in reversed(graph.blocks):
        definitions = (block,) if isinstance(block, Definition) else block.definitions
        if any(d.target in wanted for d in definitions):
            kept.insert(0, block)
            wanted.update(t for d in definitions for t in tensors_in(d.body))
    return replace(
        graph,
        blocks=tuple(kept),
        cost=y,
        example_loss=None,
        named=frozenset(),
        upstream=(),
    )


def hessian(derivation: Derivation, w: Tensor, v: Tensor | None = None) -> Derivation:
    """∂²C/∂w[j]∂v[k]: the Jacobian of the gradient formula that was derived for w."""
    graph, gradient = with_gradient(derivation, w)
    return jacobian(graph, gradient, v or w)


def with_gradient(derivation: Derivation, w: Tensor) -> tuple[Graph, Tensor]:
    """The graph with the gradient ∂C/∂w as its last equations, written as it was derived.

    Named adjoints that the gradient uses become quantities with an equation of their own.
    Raises ValueError if w has no gradient, or one in several pieces (a family).
    """
    quantities: dict[Tensor, Tensor] = {}
    equations: list[Definition] = []

    def define(adjoint: Tensor) -> Tensor:
        """The equation for an adjoint, after those for the adjoints that it uses."""
        if adjoint not in quantities:
            chains = [a for a in derivation.adjoints if a.tensor == adjoint]
            if len(chains) != 1:
                raise ValueError(f"{adjoint.name} has {len(chains)} equations, not one")
            (chain,) = chains
            body = replace_accesses(chain.closed, quantity)
            quantities[adjoint] = target = replace(adjoint, role=Role.AUXILIARY, named=False)
            equations.append(Definition(target, chain.indices, body, "the gradient as derived"))
        return quantities[adjoint]

    def quantity(access: Access) -> Expr | None:
        if access.tensor.role is not Role.ADJOINT:
            return None
        return Access(define(access.tensor), access.indices)

    chains = [a for a in derivation.adjoints if a.of == w]
    if not chains:
        raise ValueError(f"no gradient by {w.name} was derived")
    gradient = define(chains[0].tensor)
    graph = derivation.graph
    return replace(graph, blocks=(*graph.blocks, *equations), cost=gradient), gradient

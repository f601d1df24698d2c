"""All that is derived, as text: what an equivalent mutant leaves as it is, byte by byte.

The gallery, which the battery compares, has the documents and the code; these are derivations that
it does not have: every layer, deep networks in every layout, a Jacobian and a Hessian.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator


def fingerprint() -> str:
    """A hash of every step of every chain, with its rule, its reason and its verdict."""
    digest = hashlib.sha256()
    for line in _lines():
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _lines() -> Iterator[str]:
    from symderiv.algebra.binding import free_variables
    from symderiv.algebra.expr import Expr, Role
    from symderiv.calculus.backprop import backprop
    from symderiv.calculus.jacobian import hessian, jacobian
    from symderiv.notation import to_text
    from symderiv.proof.check import check
    from tests.calculus.layer_cases import LAYERS
    from tests.calculus.test_layers_formulas import softmax_layer
    from tests.calculus.test_small_graphs import logistic
    from tests.mutation.checks_derivations import DEEP
    from tests.proof.planted import NETWORKS, derive

    def text(expr: Expr) -> str:
        free = sorted(free_variables(expr), key=lambda v: v.uid)
        return to_text(expr, {v: f"f{n}" for n, v in enumerate(free)})

    derivations = [case.derive() for case in LAYERS.values()]
    derivations += [derive(build()) for build in NETWORKS.values()]
    derivations += [backprop(graph, graph.inputs) for graph, _ in DEEP]
    derivations.append(jacobian(*softmax_layer()))
    _, graph = logistic("rows")
    w = next(t for t in graph.inputs if t.role is Role.PARAMETER)
    derivations.append(hessian(backprop(graph, [w]), w))
    for derivation in derivations:
        for definition in derivation.graph.definitions:
            yield f"{text(definition.left)} = {text(definition.body)}  {definition.why}"
        for chain in check(derivation).chains:
            for step, verdict in chain.steps:
                sides = f"{text(step.left)} = {text(step.right)}"
                yield f"{sides}  {step.rule}  {step.why}  {len(step.premises)}  {verdict}"

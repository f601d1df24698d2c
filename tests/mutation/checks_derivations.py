"""Small networks: derived, every step and lemma proved, and right against dual numbers."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symderiv.algebra.expr import Role, Tensor
from symderiv.algebra.index import as_index, fresh
from symderiv.calculus.backprop import backprop
from symderiv.calculus.functions import ScalarFunction, rows
from symderiv.calculus.losses import LOGITS
from symderiv.calculus.networks import any_depth, feed_forward
from symderiv.proof.check import check
from symderiv.proof.lemmas import fusion_verdict, table_verdict
from symderiv.proof.verdict import Status
from tests.oracles.duals import errors, structural
from tests.oracles.forward import sizes
from tests.proof.planted import NETWORKS, derive, proved


@pytest.mark.parametrize("name", NETWORKS)
def test_small_networks_are_proved(name: str) -> None:
    assert proved(check(derive(NETWORKS[name]())))


def test_every_stated_derivative_is_proved() -> None:
    for name, row in rows().items():
        if isinstance(row, ScalarFunction):
            assert len(row.derivatives) == len(row.arguments)
            for n, formula in enumerate(row.derivatives):
                if formula is not None:
                    assert table_verdict(name, n).status is Status.PROVED, (name, n)


def test_the_arguments_that_layers_differentiate_by_have_a_derivative() -> None:
    """What a network or a learned parameter needs is stated: nothing is silently left out."""
    for row in rows().values():
        if isinstance(row, ScalarFunction) and row.arguments:
            needed = len(row.arguments) - len(row.hyper)
            assert all(row.derivatives[:needed]), row.name


def test_losses_on_logits_are_the_losses() -> None:
    for loss, activation in LOGITS:
        assert fusion_verdict(loss, activation).status is Status.PROVED


DEEP = (
    (feed_forward(["tanh", "sigmoid"], "bce", l2=True), sizes([2, 3, 1])),
    (feed_forward(["tanh", "softmax"], "ce", layout="rows", bias=[True, False]), sizes([2, 3, 4])),
    (feed_forward(["relu", "identity"], "mse", reduction="sum", l2=True), sizes([3, 2, 4])),
    (feed_forward(["sigmoid", "softmax"], "mse", layout="single"), sizes([2, 4, 3])),
    (feed_forward(["leaky-relu", "log-softmax"], "nll"), sizes([2, 3, 2])),
    (any_depth("sigmoid", "sigmoid", "mse"), sizes([2, 3, 4, 1], depth=3)),
    (any_depth("tanh", "softmax", "ce", l2=True), sizes([2, 3, 4], depth=2)),
    (any_depth("relu", "identity", "half-mse", layout="rows", bias=False), sizes([3, 2], depth=1)),
)  # fmt: skip


@pytest.mark.parametrize("n", range(len(DEEP)))
def test_adjoints_move_the_root_as_dual_numbers_say(n: int) -> None:
    graph, numbers = DEEP[n]
    derivation = derive(graph)
    wanted = {t.name for t in graph.inputs if t.role is Role.PARAMETER}
    assert wanted and wanted <= {a.tensor.of.name for a in derivation.adjoints if a.tensor.of}
    assert proved(check(derivation))
    assert errors(graph, numbers, derivation) == []
    assert errors(graph, numbers, derivation, choose=structural) == []


def test_inputs_are_differentiated_by_as_well() -> None:
    graph, numbers = DEEP[0]
    x = next(t for t in graph.inputs if t.role is Role.INPUT)
    derivation = backprop(graph, [x])
    assert derivation.adjoints[-1].tensor.of == x and proved(check(derivation))
    assert errors(graph, numbers, derivation) == []
    assert isinstance(x, Tensor) and fresh(x.axes[0]) != as_index(1)


def test_published_points_lie_in_the_domains() -> None:
    """A domain that is too small would make lemmas weaker than they read."""
    from symderiv.calculus.reference_values import PUBLISHED

    for name, published in PUBLISHED.items():
        row = rows()[name]
        for point, _ in published.points:
            for domain, argument in zip(row.domain, point, strict=False):
                for value in argument if isinstance(argument, tuple) else (argument,):
                    assert domain.contains(Fraction(value)), name

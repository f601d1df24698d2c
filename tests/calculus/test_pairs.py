"""Every activation with every loss that suits it: all steps proved, the error in compact form."""

from __future__ import annotations

from itertools import product

import pytest

from symderiv.algebra.expr import Expr, Partial, Role, Tensor, walk
from symderiv.algebra.matching import alpha_equal
from symderiv.calculus.activations import ACTIVATIONS
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import LAYOUTS
from symderiv.calculus.functions import (
    ScalarFunction,
    exp,
    log,
    positive,
    real_power,
    rows,
    symbols,
)
from symderiv.calculus.losses import LOSSES
from symderiv.calculus.networks import feed_forward
from symderiv.frontend.known import fits
from symderiv.proof.check import CheckedDerivation, check

REDUCTIONS = ("mean", "sum")
GAMMA = Tensor("gamma", role=Role.HYPERPARAMETER, symbol="gamma")[()]
PAIRS = [pair for pair in product(ACTIVATIONS, LOSSES) if fits(*pair)]


def derived(activation: str, loss: str, **options: object) -> CheckedDerivation:
    graph = feed_forward([activation], loss, **options)  # type: ignore[arg-type]
    return check(backprop(graph, [t for t in graph.inputs if t.role is Role.PARAMETER]))


def error(checked: CheckedDerivation) -> Expr:
    return next(
        c.adjoint.closed for c in checked.chains if c.adjoint.tensor.of and
        c.adjoint.tensor.of.name == "z1"
    )  # fmt: skip


def stated_size(loss: str) -> int:
    """How long the stated derivative of a loss is."""
    row = rows()[loss]
    formula = row.derivatives[0] if isinstance(row, ScalarFunction) else None
    return 0 if formula is None else sum(1 for _ in walk(formula(*symbols(row), symbols(row)[0])))


def test_there_are_at_least_250() -> None:
    assert len(PAIRS) >= 250


@pytest.mark.parametrize(("activation", "loss"), PAIRS)
def test_every_pair_is_proved_and_compact(activation: str, loss: str) -> None:
    checked = derived(activation, loss, layout="single")
    assert not checked.unproved and not checked.refuted
    delta = error(checked)
    assert not any(isinstance(node, Partial) for node in walk(delta))
    assert not any(any(getattr(node, "orders", ())) for node in walk(delta)), "f' is not opened"
    # compact: about what the two stated derivatives are together, entry by entry
    assert sum(1 for _ in walk(delta)) <= max(110, 4 * stated_size(loss))


@pytest.mark.parametrize(("activation", "loss"), PAIRS)
def test_every_pair_in_every_layout_and_reduction(activation: str, loss: str) -> None:
    for layout, reduction in product(LAYOUTS, REDUCTIONS):
        checked = derived(activation, loss, layout=layout, reduction=reduction, l2=True)
        assert not checked.unproved and not checked.refuted, (layout, reduction)


KNOWN = [
    ("sigmoid", "bce", lambda a, y, z: a - y),
    ("identity", "half-mse", lambda a, y, z: a - y),
    ("exp", "poisson", lambda a, y, z: a - y),
    ("softmax", "ce", lambda a, y, z: a - y),
    ("tanh", "half-mse", lambda a, y, z: (a - y) * (1 - a**2)),
    ("identity", "mse", lambda a, y, z: 2 * (a - y)),
    ("sigmoid", "mse", lambda a, y, z: 2 * (a - y) * a * (1 - a)),
    ("relu", "half-mse", lambda a, y, z: (a - y) * positive(z)),
    ("identity", "log-cosh", lambda a, y, z: rows()["tanh"](a - y)),  # type: ignore[operator]
    ("identity", "bce-logits", lambda a, y, z: rows()["sigmoid"](a) - y),  # type: ignore[operator]
    ("identity", "poisson-log", lambda a, y, z: exp(a) - y),
    (
        "sigmoid",
        "focal",
        lambda a, y, z: (
            y * real_power(1 - a, GAMMA) * (GAMMA * a * log(a) + a - 1)
            + real_power(a, GAMMA) * (1 - y) * (GAMMA * a * log(1 - a) + a - GAMMA * log(1 - a))
        ),
    ),
]


@pytest.mark.parametrize(("activation", "loss", "textbook"), KNOWN)
def test_the_famous_ones_read_as_in_textbooks(activation: str, loss: str, textbook: object) -> None:
    checked = derived(activation, loss, layout="single")
    graph = checked.graph
    chain = next(
        c.adjoint for c in checked.chains if c.adjoint.tensor.of
        and c.adjoint.tensor.of.name == "z1"
    )  # fmt: skip
    a, y, z = (
        next(t for t in graph.tensors if t.name == name)[chain.indices[-1]]
        for name in ("a1", "y", "z1")
    )
    assert alpha_equal(chain.closed, textbook(a, y, z))  # type: ignore[operator]

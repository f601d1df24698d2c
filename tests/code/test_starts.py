"""What parameters start from: a value from which the signal passes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from symderiv.algebra.expr import Role, Tensor
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.layers import activate, cost, dense, per_example_loss
from symderiv.calculus.networks import feed_forward
from symderiv.calculus.normalization import batch_norm, layer_norm, rms_norm
from symderiv.code.module import module_text
from symderiv.frontend.presentation import Presentation
from tests.code.generated import run


def normalised(norm: Callable[..., Tensor]) -> str:
    """A network with a normalised layer, as a module."""
    b = Builder("rows")
    x = b.tensor("x", b.batch(b.units(0)), Role.INPUT)
    z = norm(b, dense(b, x, b.units(0), b.units(1), 1), b.units(1), 1)
    a = activate(b, "tanh", z, b.units(1), 1)
    a = activate(b, "identity", dense(b, a, b.units(1), b.units(2), 2), b.units(2), 2)
    loss, _ = per_example_loss(b, "mse", a, b.units(2))
    graph = b.graph(cost(b, loss, "mean", [], False), loss)
    wrt = [t for t in graph.inputs if t.role is Role.PARAMETER]
    return module_text(backprop(graph, wrt), Presentation(layout="rows"))


@pytest.mark.parametrize("norm", [batch_norm, layer_norm, rms_norm])
def test_a_normalised_layer_lets_the_signal_pass(norm: Callable[..., Tensor]) -> None:
    net, rng = run(normalised(norm)), np.random.default_rng(0)
    params = net.init(rng, {"n0": 3, "n1": 4, "n2": 2})
    assert np.all(params["gamma1"] == 1) and np.all(params["b1"] == 0)
    assert np.all(params.get("beta1", 0) == 0)
    _, gradients = net.cost_and_gradients(
        params, rng.normal(size=(6, 3)), rng.normal(size=(6, 2)), eps=1e-5
    )
    assert np.any(gradients["W1"] != 0)
    assert "biases 0, gamma 1." in " ".join(net.init.__doc__.split())


@pytest.mark.parametrize("layout", ["rows", "columns", "single"])
def test_the_slope_of_a_prelu_starts_at_a_quarter(layout: str) -> None:
    graph = feed_forward(["prelu", "prelu"], "mse", layout=layout)
    wrt = [t for t in graph.inputs if t.role is Role.PARAMETER]
    text = module_text(backprop(graph, wrt), Presentation(layout=layout))
    net = run(text)
    params = net.init(np.random.default_rng(0), {"n0": 3, "n1": 4, "n2": 2})
    assert np.all(params["alpha1"] == 0.25) and np.all(params["alpha2"] == 0.25)
    assert params["alpha1"].shape == params["b1"].shape
    assert "biases 0, alpha 0.25." in net.init.__doc__

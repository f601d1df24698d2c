"""Networks written out unit by unit, with targets that sum to 1."""

from __future__ import annotations

import numpy as np
import pytest

import symderiv
from symderiv.algebra.matching import alpha_equal
from tests.code.generated import run


@pytest.mark.parametrize("spec", [
    "2-3:softmax+ce+scalars", "2-2-2:softmax+ce+scalars", "2-2-2:tanh,log-softmax+nll+scalars",
    "2-2-2:tanh,softmax+kl+scalars+sum", "2-2:softmax+mse+scalars",
])  # fmt: skip
def test_the_module_checks_its_gradients(spec: str) -> None:
    module = run(str(symderiv.derive(spec).render("numpy")))
    params = module.init(np.random.default_rng(1), {"m": 4})
    assert module.check_gradients(params) < 1e-12


def test_targets_that_do_not_sum_to_one_are_refused() -> None:
    module = run(str(symderiv.derive("2-3:softmax+ce+scalars").render("numpy")))
    params = module.init(np.random.default_rng(1), {"m": 4})
    params["y2"] = params["y2"] + 0.1
    with pytest.raises(ValueError, match="sum to 1"):
        module.cost(params)


def test_the_error_is_p_minus_y() -> None:
    derivation = symderiv.derive("2-3:softmax+ce+scalars").derivation
    closed = {a.tensor.name: a.closed for a in derivation.adjoints}
    for n in (1, 2, 3):
        (s,) = next(a for a in derivation.adjoints if a.tensor.name == f"dz{n}").indices
        a, y = (next(t for t in derivation.graph.tensors if t.name == f"{x}{n}") for x in "ay")
        assert alpha_equal(closed[f"dz{n}"], a[s] - y[s])

"""Modules that may call SciPy: the same numbers, and no import where nothing of it is used."""

from __future__ import annotations

import numpy as np
import pytest

import symderiv
from tests.code.generated import run


@pytest.mark.parametrize(
    "spec", ["2-3-2:gelu,sigmoid+bce", "2-3-3:silu,softmax+mse", "2-2-2:sigmoid,log-softmax+nll"]
)
def test_scipy_gives_the_same(spec: str) -> None:
    pytest.importorskip("scipy.special")
    plain = run(str(symderiv.derive(spec).render("numpy")))
    text = str(symderiv.derive(spec, scipy=True).render("numpy"))
    other = run(text)
    assert "from scipy import special" in text and "--scipy" in text
    rng = np.random.default_rng(0)
    params = plain.init(rng)
    X = rng.normal(size=(2, 5))
    Y = rng.dirichlet(np.ones(len(params["b2"])), 5).T
    one, other_one = plain.cost_and_gradients(params, X, Y), other.cost_and_gradients(params, X, Y)
    assert np.isclose(one[0], other_one[0], rtol=1e-12)
    for name in params:
        np.testing.assert_allclose(one[1][name], other_one[1][name], rtol=1e-10, atol=1e-14)


def test_nothing_is_imported_for_nothing() -> None:
    assert "scipy import" not in str(
        symderiv.derive("2-3-1:tanh,identity+mse", scipy=True).render("numpy")
    )

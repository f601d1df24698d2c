"""Networks written out unit by unit, with targets that sum to 1."""

from __future__ import annotations

import re

import numpy as np
import pytest

import symderiv
from symderiv.algebra.matching import alpha_equal
from symderiv.frontend.known import activation_names, fits, loss_names
from tests.code.generated import run


@pytest.mark.parametrize("spec", [
    "2-3:softmax+ce+scalars", "2-2-2:softmax+ce+scalars", "2-2-2:tanh,log-softmax+nll+scalars",
    "2-2-2:tanh,softmax+kl+scalars+sum", "2-2:softmax+mse+scalars",
])  # fmt: skip
def test_the_module_checks_its_gradients(spec: str) -> None:
    module = run(str(symderiv.derive(spec).render("numpy")))
    params = module.init(np.random.default_rng(1), {"m": 4})
    assert module.check_gradients(params) < 1e-12


def _pairs() -> list[tuple[str, str]]:
    """Every activation with a loss that takes it, every loss with an activation that it takes."""
    activations, losses = activation_names(), loss_names()
    pairs = [(a, next(n for n in losses if fits(a, n))) for a in activations]
    pairs += [(next(a for a in activations if fits(a, n)), n) for n in losses]
    return list(dict.fromkeys(pairs))


@pytest.mark.parametrize("sizes", ["2-2", "2-2-2"])
@pytest.mark.parametrize(("activation", "loss"), _pairs())
def test_every_row_passes_its_own_check(sizes: str, activation: str, loss: str) -> None:
    text = str(symderiv.derive(f"{sizes}:{activation}+{loss}+scalars").render("numpy"))
    module = run(text)
    params = module.init(np.random.default_rng(1), {"m": 4})
    assert module.check_gradients(params) < 1e-9
    assert "axis=" not in text.split("# --- What to call ---")[1].split("# --- ")[0]


@pytest.mark.parametrize("spec", ["1-1:sigmoid+bce", "1-1-1:prelu+mse", "2-1:prelu+half-mse+l2"])
@pytest.mark.parametrize("layout", ["rows", "columns", "single"])
def test_networks_of_single_units(spec: str, layout: str) -> None:
    module = run(str(symderiv.derive(spec + "+scalars", layout=layout).render("numpy")))
    sizes = [{"m": 4}] if layout != "single" else []
    params = module.init(np.random.default_rng(1), *sizes)
    assert params["x" if spec.startswith("1") else "x1"].shape == ((4,) if sizes else ())
    assert module.check_gradients(params) < 1e-12
    before, *_, after = module.train(params, 0.01, 5)[1]
    assert after < before


def test_each_unit_learns_its_slope() -> None:
    made = symderiv.derive("2-2-2:prelu+mse+scalars")
    names = [a.tensor.of.name for a in made.derivation.adjoints if a.tensor.of]
    assert {"alpha1_1", "alpha1_2", "alpha2_1", "alpha2_2"} <= {*names}
    assert made.gradient("alpha1_2").numpy().startswith("dalpha1_2 = ")


@pytest.mark.parametrize("spec", ["2-2", "2-2-1", "1-1-1", "2-1"])
def test_a_gradient_is_the_line_of_the_module(spec: str) -> None:
    made = symderiv.derive(spec + ":tanh+mse+scalars")
    lines = [line.split("  #")[0].strip() for line in str(made.render("numpy")).splitlines()]
    weights = [t.name for t in made.graph.inputs if t.name[0] in "wb"]
    assert weights
    for name in weights:
        assert made.gradient(name).numpy() in lines


def test_comments_have_the_names_of_the_code() -> None:
    text = str(symderiv.derive("2-2-1:tanh+mse+scalars").render("numpy"))
    assert "# (D1) z1_1 = w1_11 x1 + w1_12 x2 + b1_1\n" in text
    assert "# (D5) z2 = w2_1 a1_1 + w2_2 a1_2 + b2\n" in text
    assert not re.search(r"#.*[¹²]\s*=", text)


def test_pairs_stay_on_one_line() -> None:
    text = str(symderiv.derive("2-2-1:tanh+mse+scalars").render("numpy"))
    listed = text.split("gradients = {\n")[1].split("}")[0]
    assert all(line.strip().endswith(",") for line in listed.splitlines() if line.strip())
    assert not re.search(r":\s*$", listed, re.M)


def test_inputs_are_asked_for_by_their_names() -> None:
    for wrt, names in (("X", ["x1", "x2"]), ("x2,w1", ["w1", "x2"])):
        made = symderiv.derive("2-1:sigmoid+bce+scalars", wrt=wrt)
        module = run(str(made.render("numpy")))
        params = module.init(np.random.default_rng(1), {"m": 4})
        assert list(module.cost_and_gradients(params)[1]) == names
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


@pytest.mark.parametrize(("spec", "wrong", "words"), [
    ("2-1:sigmoid+bce+scalars", 5.0, "between 0 and 1"),
    ("2-1:sigmoid+focal+scalars", -0.5, "between 0 and 1"),
    ("2-1:exp+poisson+scalars", -1.0, "not negative"),
    ("2-1:tanh+hinge+scalars", 0.0, "-1 or 1"),
    ("2-2:softmax+ce+scalars", -2.0, "between 0 and 1"),
])  # fmt: skip
def test_targets_are_checked_as_in_the_module_with_matrices(
    spec: str, wrong: float, words: str
) -> None:
    net = run(str(symderiv.derive(spec).render("numpy")))
    params = net.init(np.random.default_rng(1), {"m": 3})
    assert net.check_gradients(params) < 1e-12
    targets = [name for name in params if re.fullmatch(r"y\d*", name)]
    for name in targets:
        params[name] = np.full(3, wrong if name == targets[0] else (1 - wrong) / (len(targets) - 1))
    with pytest.raises(ValueError, match=rf"{targets[0]} must be {words}"):
        net.cost(params)

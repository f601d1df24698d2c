"""Hyperparameters of functions and of the penalty: symbols in formulas, values in examples."""

from __future__ import annotations

from fractions import Fraction

import pytest

import symderiv
from symderiv.algebra.expr import Role
from symderiv.calculus.activations import ACTIVATIONS
from symderiv.calculus.functions import ScalarFunction
from symderiv.calculus.losses import LOSSES
from symderiv.frontend import Network, SpecError, parse_spec
from symderiv.frontend.build import build_graph
from symderiv.frontend.known import fits, hyperparameters

SPECS = [
    (["elu", "leaky-relu", "selu", "identity"], "huber", "l2"),
    (["leaky-relu", "elu", "elu", "sigmoid"], "focal", None),
    (["celu", "prelu", "tanh", "identity"], "mse", "l2"),
]


@pytest.mark.parametrize(("activations", "loss", "penalty"), SPECS)
def test_the_names_in_a_spec_are_those_of_the_graph(
    activations: list[str], loss: str, penalty: str | None
) -> None:
    network = Network.build([2, 3, 3, 3, 1], activations, loss, penalty=penalty)
    graph = build_graph(network).graph
    found = {t.name for t in graph.inputs if t.role is Role.HYPERPARAMETER}
    names = hyperparameters(activations, loss, penalty)
    functions = {ACTIVATIONS[a].name: ACTIVATIONS[a] for a in activations} | {loss: LOSSES[loss]}
    count = sum(len(r.hyper) for r in functions.values() if isinstance(r, ScalarFunction))
    assert found == set(names)
    assert len(found) == len(names) == count + bool(penalty)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_each_function_has_its_own_with_the_values_of_its_row(name: str) -> None:
    loss = next(loss for loss in LOSSES if fits(name, loss))
    graph = build_graph(parse_spec(f"2-3-2:{name}+{loss}")).graph
    row, other = ACTIVATIONS[name], LOSSES[loss]
    values = [v for r in (row, other) if isinstance(r, ScalarFunction) for _, v in r.hyper]
    assert [v for _, v in graph.defaults] == values


EXAMPLE = {
    "X": [[1, 2]], "Y": [[3]], "W1": [[1, -1]], "b1": [0.5], "W2": [[2]], "b2": [0],
}  # fmt: skip


def example(**more: object) -> Network:
    return Network.build(
        [2, 1, 1], ["elu", "identity"], "half-mse", penalty="l2", example={**EXAMPLE, **more}
    )


def test_an_example_has_a_value_for_the_penalty() -> None:
    with pytest.raises(SpecError, match="no value for lam"):
        symderiv.derive(example())
    assert example(lam=0.5).example.hyper == (("lam", Fraction(1, 2)),)  # type: ignore[union-attr]


def test_a_worked_example_uses_the_values() -> None:
    """z1 = -1/2, a1 = alpha (exp(-1/2) - 1), and the penalty is lam/2 (1 + 1 + 4) = 3 lam."""
    text = symderiv.derive(example(lam=0.5, alpha=2)).render("md")
    assert isinstance(text, str)
    assert "0.786938681" in text  # 2 (1 - exp(-1/2))
    assert r"$R = \displaystyle 1.5$" in text


@pytest.mark.parametrize("value", [-1, [1, 2], "many", True])
def test_a_bad_value_is_one_line(value: object) -> None:
    with pytest.raises(SpecError, match="lam"):
        example(lam=value)


@pytest.mark.parametrize("spec", [
    "n0-...-nL:softmax+ce", "n0-...-nL:softmax,softmax+ce", "n0-...-nL:prelu+mse",
    "n0-...-nL:relu,prelu+mse",
])  # fmt: skip
def test_what_has_no_form_at_any_depth_is_refused(spec: str) -> None:
    with pytest.raises(SpecError, match="at any depth"):
        parse_spec(spec)


def test_a_learned_slope_is_a_parameter_like_others() -> None:
    network = Network.build([2, 3, 1], ["prelu", "identity"], "mse", freeze=["alpha1"])
    assert network.parameters == ("W1", "b1", "alpha1", "W2", "b2")
    names = {a.tensor.of.name for a in symderiv.derive(network).derivation.adjoints}  # type: ignore[union-attr]
    assert "alpha1" not in names

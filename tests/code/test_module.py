"""What a generated module computes: gradients, stability, types, shapes, training."""

from __future__ import annotations

import ast
import warnings
from typing import Any

import numpy as np
import pytest

from tests.code.generated import LAYOUTS, NETWORKS, M, data, module, run, source

ALL = [(spec, layout) for spec in NETWORKS for layout in LAYOUTS]
BATCHED = [(spec, layout) for spec, layout in ALL if layout != "single"]


def hyper(spec: str) -> dict[str, float]:
    return {"lam": 0.3} if "l2" in spec else {}


@pytest.mark.parametrize(("spec", "layout"), ALL)
def test_gradients_agree_with_complex_steps_through_the_definitions(spec: str, layout: str) -> None:
    net = module(spec, layout)
    for seed in range(3):
        params, x, y = data(spec, layout, net, seed)
        assert net.check_gradients(params, x, y, **hyper(spec)) < 1e-12


@pytest.mark.parametrize(("spec", "layout"), ALL)
def test_gradients_agree_with_central_differences(spec: str, layout: str) -> None:
    net = module(spec, layout)
    params, x, y = data(spec, layout, net)
    value, gradients = net.cost_and_gradients(params, x, y, **hyper(spec))
    assert value == net.cost(params, x, y, **hyper(spec))
    assert gradients.keys() == params.keys()
    rng = np.random.default_rng(0)
    direction = {name: rng.normal(size=p.shape) for name, p in params.items()}
    dx, h = rng.normal(size=x.shape), 1e-6

    def at(t: float) -> float:
        moved = {name: p + t * direction[name] for name, p in params.items()}
        return net.cost(moved, x + t * dx, y, **hyper(spec))

    slope = (at(h) - at(-h)) / (2 * h)
    found = sum(np.sum(gradients[name] * direction[name]) for name in params)
    found += np.sum(net.input_gradient(params, x, y) * dx)
    assert found == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize(("spec", "layout"), BATCHED)
def test_a_batch_is_its_examples(spec: str, layout: str) -> None:
    """The sum over examples of the gradients of one is the gradient of all (without penalty)."""
    net, one = module(spec, layout), module(spec, "single")
    params, x, y = data(spec, layout, net)
    mean = 1 if "sum" in spec else x.shape[layout == "columns"]
    rows = (x, y) if layout == "rows" else (x.T, y.T)
    flat = {n: p.T if layout == "rows" and p.ndim == 2 else p for n, p in params.items()}
    flat = {n: p[:, 0] if n[0] == "b" and p.ndim == 2 else p for n, p in flat.items()}
    _, gradients = net.cost_and_gradients(params, x, y)
    singles = [one.cost_and_gradients(flat, *example)[1] for example in zip(*rows, strict=True)]
    for name, gradient in gradients.items():
        total = sum(s[name] for s in singles) / mean
        total = total.T if layout == "rows" and total.ndim == 2 else total
        np.testing.assert_allclose(np.ravel(gradient), np.ravel(total), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("spec", "layout"), ALL)
def test_saturated_networks_stay_finite_without_a_warning(spec: str, layout: str) -> None:
    net = module(spec, layout)
    params, x, y = data(spec, layout, net)
    for factor in (1e3, -1e3):
        big = {name: factor * p for name, p in params.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # some BLAS kernels read past a row, and NumPy reports what they met there
            warnings.filterwarnings("ignore", "invalid value encountered in matmul")
            value, gradients = net.cost_and_gradients(big, x, y, **hyper(spec))
            output = net.forward(big, x)
        assert np.isfinite(value)
        assert all(np.all(np.isfinite(g)) for g in gradients.values())
        assert np.all(np.isfinite(output))


def test_saturated_gradients_are_right_to_many_digits() -> None:
    """At z = 40, a - y is 0 in floating point and the error is e^-40."""
    net = module("2-3-1:sigmoid+bce", "columns")
    params = {name: np.zeros(shape) for name, shape in net.PARAMETERS.items()}
    params["b2"] = np.array([[40.0]])
    x, y = np.ones((2, 1)), np.ones((1, 1))
    value, gradients = net.cost_and_gradients(params, x, y)
    assert value == pytest.approx(np.exp(-40), rel=1e-12)
    assert gradients["b2"][0, 0] == pytest.approx(-np.exp(-40), rel=1e-12)


@pytest.mark.parametrize(("spec", "layout"), ALL)
def test_float32_stays_float32(spec: str, layout: str) -> None:
    net = module(spec, layout)
    params, x, y = data(spec, layout, net)
    small = {name: p.astype(np.float32) for name, p in params.items()}
    for inputs in (x, x.astype(np.float32), np.round(x).astype(np.int64)):
        lam = {name: np.float64(value) for name, value in hyper(spec).items()}
        value, gradients = net.cost_and_gradients(small, inputs, y, **lam)
        assert isinstance(value, float)
        assert {g.dtype for g in gradients.values()} == {np.dtype(np.float32)}
        assert net.forward(small, inputs).dtype == np.float32
        assert net.input_gradient(small, inputs, y).dtype == np.float32
        trained, _ = net.train(small, inputs, y, np.float64(0.1), 2)
        assert {p.dtype for p in trained.values()} == {np.dtype(np.float32)}


def test_integers_and_bytes_are_converted() -> None:
    net = module("2-3-1:sigmoid+bce", "rows")
    params, x, _ = data("2-3-1:sigmoid+bce", "rows", net)
    y = np.array([[0], [1], [1], [0], [1], [0]])
    expected = net.cost_and_gradients(params, x, y.astype(float))
    for kind in (np.uint8, np.int64, bool):
        value, gradients = net.cost_and_gradients(params, x, y.astype(kind))
        assert value == expected[0]
        np.testing.assert_array_equal(gradients["W1"], expected[1]["W1"])
    whole = {name: np.ones(p.shape, dtype=np.int32) for name, p in params.items()}
    assert net.cost_and_gradients(whole, x, y)[1]["W1"].dtype == np.float64


def test_wrong_shapes_are_refused_by_name() -> None:
    net = module("2-3-1:sigmoid+bce", "rows")
    params, x, y = data("2-3-1:sigmoid+bce", "rows", net)

    def refused(message: str, p: Any = params, a: Any = x, b: Any = y) -> None:
        with pytest.raises(ValueError, match=message):
            net.cost_and_gradients(p, a, b)

    refused(r"Y has the shape \(6,\); it must be \(m, 1\) with m = 6", b=y[:, 0])
    refused(r"Y has the shape \(5, 1\); it must be \(m, 1\) with m = 6", b=y[:5])
    refused(r"X has the shape \(6, 3\); it must be \(m, 2\)", a=np.ones((6, 3)))
    refused(r"X has the shape \(2,\)", a=x[0])
    refused(r"X is empty", a=x[:0], b=y[:0])
    refused(r"b1 has the shape \(3, 1\)", p={**params, "b1": np.ones((3, 1))})
    refused(r"W1 has the shape \(3, 2\); it must be \(2, 3\)", p={**params, "W1": np.ones((3, 2))})
    refused(r"it must have W1, b1, W2, b2", p={"W1": params["W1"]})
    refused(r"it must have W1, b1, W2, b2", p={})
    refused(r"^params is of the type list; it must be a dict of arrays$", p=list(params.values()))
    with pytest.raises(ValueError, match=r"params is of the type tuple"):
        net.train((1, 2), x, y, 0.1, 1)
    with pytest.raises(ValueError, match=r"params is of the type int"):
        net.check_gradients(3, x, y)
    refused(r"real numbers", a=x + 1j)
    refused(r"real numbers", b=[["one"]] * 6)


def test_the_shapes_of_any_depth_are_checked_layer_by_layer() -> None:
    spec = "n0-...-nL:relu,softmax+ce"
    net = module(spec, "rows")
    params, x, y = data(spec, "rows", net)
    assert list(params) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    with pytest.raises(ValueError, match=r"W2 has the shape \(3, 5\); it must be \(n1, n2\)"):
        net.cost({**params, "W2": np.ones((3, 5))}, x, y)
    with pytest.raises(ValueError, match="Y has the shape"):
        net.cost(params, x, np.ones((6, 3)) / 3)
    with pytest.raises(ValueError, match="W1, b1"):
        net.cost({**params, "W7": params["W3"]}, x, y)


def test_an_assumption_that_the_derivation_used_is_verified() -> None:
    spec = "5-4-3:tanh,softmax+ce+l2"
    for layout in LAYOUTS:
        net = module(spec, layout)
        params, x, y = data(spec, layout, net)
        with pytest.raises(ValueError, match="targets of an example sum to 1"):
            net.cost_and_gradients(params, x, 2 * y)
        with pytest.raises(ValueError, match="targets of an example sum to 1"):
            net.cost(params, x, y * np.nan)
    assert "assumed" not in source("2-3-1:sigmoid+bce", "rows")


def test_targets_outside_the_domain_of_the_loss_are_refused() -> None:
    for spec, said in (
        ("2-3-1:sigmoid+bce", "between 0 and 1"),
        ("2-4-3:silu,identity+hinge", "-1 or 1"),
    ):
        net = module(spec, "rows")
        params, x, y = data(spec, "rows", net)
        for wrong in (y + 1.5, y * np.nan):
            with pytest.raises(ValueError, match=f"Y must be {said}"):
                net.cost_and_gradients(params, x, wrong)
    net = module("5-4-3:relu,identity+mse", "rows")
    params, x, y = data("5-4-3:relu,identity+mse", "rows", net)
    assert np.isfinite(net.cost(params, x, y + 5))


def test_settings_that_make_no_sense_are_refused_by_name() -> None:
    net = module("5-4-3:tanh,softmax+ce+l2", "columns")
    params, x, y = data("5-4-3:tanh,softmax+ce+l2", "columns", net)
    for lam in ("much", -1, None, np.nan, [1, 2]):
        for ask in (net.cost, net.cost_and_gradients):
            with pytest.raises(ValueError, match=r"lam is .*it must be a number"):
                ask(params, x, y, lam=lam)
    for epochs in (-1, 2.5, "3", True, None):
        with pytest.raises(ValueError, match=r"epochs is .*at least 0"):
            net.train(params, x, y, 0.1, epochs)
    for batch in (0, -2, 1.5, "2"):
        with pytest.raises(ValueError, match=r"batch is .*at least 1"):
            net.train(params, x, y, 0.1, 1, batch)
    assert len(net.train(params, x, y, 0.1, np.int64(2), np.int32(3))[1]) == 2


def test_sizes_that_make_no_network_are_refused() -> None:
    net, rng = module("n0-...-nL:relu,softmax+ce", "rows"), np.random.default_rng(0)
    for sizes in ([], [3], [3, 0], [3, 2.5, 1], [3, -1, 2]):
        with pytest.raises(ValueError, match=r"sizes|n1 is"):
            net.init(rng, sizes)


@pytest.mark.parametrize(("spec", "layout"), ALL)
def test_training_lowers_the_cost_and_repeats_itself(spec: str, layout: str) -> None:
    net = module(spec, layout)
    params, x, y = data(spec, layout, net)
    before = {name: p.copy() for name, p in params.items()}
    trained, history = net.train(params, x, y, 0.01, 30, **hyper(spec))
    assert len(history) == 30
    assert history[-1] < history[0]
    assert net.cost(trained, x, y, **hyper(spec)) < history[0]
    assert all(np.array_equal(before[name], params[name]) for name in params)
    if layout != "single":
        rng = np.random.default_rng
        runs = [net.train(params, x, y, 0.01, 5, 4, rng=rng(7))[1] for _ in range(2)]
        assert runs[0] == runs[1]
        assert net.train(params, x, y, 0.01, 5, 4)[1] != runs[0]
        with pytest.raises(ValueError, match="batch"):
            net.train(params, x, y, 0.01, 5, 0)


def test_frozen_parameters_have_no_gradient_and_stay() -> None:
    spec = "2-3-1:sigmoid+bce"
    for freeze, left in ((("b",), ["W1", "W2"]), (("W1", "b1"), ["W2", "b2"])):
        net = module(spec, "columns", freeze)
        params, x, y = data(spec, "columns", net)
        assert list(net.cost_and_gradients(params, x, y)[1]) == left
        trained, _ = net.train(params, x, y, 0.1, 3)
        frozen = params.keys() - set(left)
        assert all(np.array_equal(trained[name], params[name]) for name in frozen)
        assert net.check_gradients(params, x, y) < 1e-12


def test_nothing_that_is_given_is_changed() -> None:
    for spec, layout in ALL:
        net = module(spec, layout)
        params, x, y = data(spec, layout, net)
        copies = {name: p.copy() for name, p in params.items()}, x.copy(), y.copy()
        for array in (*params.values(), x, y):
            array.flags.writeable = False
        net.cost_and_gradients(params, x, y)
        net.input_gradient(params, x, y)
        for name, p in params.items():
            np.testing.assert_array_equal(p, copies[0][name])


# --- The check itself -----------------------------------------------------------------------------

PLANTED = {
    "a transpose the other way": ("delta1 = (W2.T @ delta2)", "delta1 = (-W2.T @ delta2)"),
    "a factor": ("dW1 = delta1 @ X.T / m", "dW1 = 2 * delta1 @ X.T / m"),
    "the mean forgotten": ("dW2 = delta2 @ a1.T / m", "dW2 = delta2 @ a1.T"),
    "a swapped sign": ("(1 - y) * sigmoid(z) - y *", "(1 - y) * sigmoid(z) + y *"),
    "a swapped sign in the cost": ("y * np.logaddexp(0, -z) + (1", "y * np.logaddexp(0, -z) - (1"),
    "the derivative": ("return e / (1 + e) ** 2", "return e / (1 + e)"),
    "the bias": ("db2 = delta2.sum(axis=1,", "db2 = delta2.mean(axis=1,"),
    "the input": ("return W1.T @ delta1 / m", "return W1.T @ delta1"),
    "not a number": ("return W1.T @ delta1 / m", "return W1.T @ delta1 / m * np.nan"),
    "a gradient of zero": ("dW1 = delta1 @ X.T / m", "dW1 = 0 * W1"),
}


@pytest.mark.parametrize("error", PLANTED)
def test_a_planted_error_is_found(error: str) -> None:
    spec, layout = "2-3-1:sigmoid+bce", "columns"
    text = source(spec, layout)
    right, wrong = PLANTED[error]
    assert text.count(right) == 1
    net = run(text.replace(right, wrong))
    params, x, y = data(spec, layout, net)
    assert not net.check_gradients(params, x, y) < 1e-6


def test_the_check_says_where_the_definition_overflows() -> None:
    spec = "2-3-1:sigmoid+bce"
    net = module(spec, "rows")
    params, x, y = data(spec, "rows", net)
    with pytest.raises(ValueError, match="overflows"):
        net.check_gradients({name: 1e4 * p for name, p in params.items()}, x, y)


@pytest.mark.parametrize(("spec", "layout"), ALL)
def test_the_text_is_python_3_9(spec: str, layout: str) -> None:
    text = source(spec, layout)
    ast.parse(text, feature_version=(3, 9))
    assert max(map(len, text.splitlines())) <= 99
    assert all(line == line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_a_step_shrinks_weights_by_the_same_factor_whatever_the_batch(layout: str) -> None:
    net = module("5-4-3:tanh,softmax+ce+l2", layout)
    params, x, y = data("5-4-3:tanh,softmax+ce+l2", layout, net)
    rate = 1e-6

    def shrunk(batch: int | None) -> np.ndarray:
        with_it, without = (
            net.train(params, x, y, rate, 1, batch, lam=lam)[0]["W1"] for lam in (0.9, 0.0)
        )
        steps = 1 if batch is None else -(-M // batch)
        return (without - with_it) / (rate * steps)

    expected = 0.9 / M * params["W1"]
    for batch in (None, 1, 2, 4, M):
        np.testing.assert_allclose(shrunk(batch), expected, rtol=1e-4, atol=1e-8)
    assert "`lam` of the penalty is 0 by default" in (net.train.__doc__ or "")
    with pytest.raises(ValueError, match="lam is -1"):
        net.train(params, x, y, rate, 1, lam=-1)

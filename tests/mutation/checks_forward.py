"""Forward equations against NumPy written by hand: a wrong one is differentiated consistently."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symderiv.calculus.graph import Graph
from symderiv.calculus.networks import any_depth, feed_forward
from tests.calculus.layer_cases import LAYERS, numbers
from tests.oracles.complexstep import Complex
from tests.oracles.forward import Forward, sizes

Arrays = dict[str, Any]


def computed(graph: Graph, given: Any) -> Arrays:
    """Every tensor as an array, from the equations of the graph; indices from the lowest on."""
    forward = Forward(graph, given, Complex(3)).run()
    found: Arrays = {}
    for name in {name for name, _ in forward.values}:
        entries = {where: v.real for (n, where), v in forward.values.items() if n == name}
        lowest = [min(w[k] for w in entries) for k in range(len(next(iter(entries))))]
        highest = [max(w[k] for w in entries) for k in range(len(lowest))]
        shape = [h - l + 1 for h, l in zip(highest, lowest, strict=True)]
        array = np.full(shape, np.nan)
        for where, value in entries.items():
            array[tuple(n - l for n, l in zip(where, lowest, strict=True))] = value
        found[name] = array
    return found


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def softmax(z: Any) -> Any:
    """Along the first axis."""
    return np.exp(z) / np.exp(z).sum(axis=0)


FUNCTIONS = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "identity": lambda z: z,
    "softmax": softmax,
    "log-softmax": lambda z: np.log(softmax(z)),
}
LOSSES = {
    "mse": lambda a, y: ((a - y) ** 2).sum(axis=0),
    "half-mse": lambda a, y: ((a - y) ** 2).sum(axis=0) / 2,
    "bce": lambda a, y: -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(axis=0),
    "ce": lambda a, y: -(y * np.log(a)).sum(axis=0),
    "nll": lambda a, y: -(y * a).sum(axis=0),
    "ce-logits": lambda a, y: -(y * np.log(softmax(a))).sum(axis=0),
}

NETWORKS: tuple[tuple[list[str], str, str, dict[str, Any]], ...] = (
    (["sigmoid"], "bce", "columns", {}),
    (["tanh", "sigmoid"], "bce", "rows", {"l2": True}),
    (["relu", "identity"], "mse", "columns", {"l2": True, "reduction": "sum"}),
    (["tanh", "identity"], "mse", "columns", {"bias": [True, False]}),
    (["sigmoid", "softmax"], "ce", "single", {"l2": True}),
    (["tanh", "log-softmax"], "nll", "rows", {"reduction": "sum"}),
    (["identity"], "ce-logits", "columns", {}),
    (["sigmoid", "softmax"], "half-mse", "rows", {}),
)  # fmt: skip


@pytest.mark.parametrize("n", range(len(NETWORKS)))
def test_the_cost_of_a_network(n: int) -> None:
    activations, loss, layout, options = NETWORKS[n]
    units = [2, 3, 4][: len(activations) + 1]
    v = computed(
        feed_forward(activations, loss, layout=layout, **options), sizes(units, examples=5)
    )
    turn = np.transpose if layout == "rows" else (lambda a: a)
    assert v["x"].shape == {"rows": (5, 2), "columns": (2, 5), "single": (2,)}[layout]
    a, squares = turn(v["x"]), 0.0
    bias = options.get("bias", [True] * len(activations))
    for k, activation in enumerate(activations, start=1):
        w = turn(v[f"W{k}"])
        assert w.shape == (units[k], units[k - 1])
        assert (f"b{k}" in v) == bias[k - 1]
        offset = v[f"b{k}"] if bias[k - 1] else np.zeros(units[k])
        z = w @ a + (offset if layout == "single" else offset[:, None])
        np.testing.assert_allclose(turn(v[f"z{k}"]), z, rtol=1e-12)
        a, squares = FUNCTIONS[activation](z), squares + (w**2).sum()
        np.testing.assert_allclose(turn(v[f"a{k}"]), a, rtol=1e-12)
    losses = np.atleast_1d(LOSSES[loss](a, turn(v["y"])))
    np.testing.assert_allclose(np.atleast_1d(v["ell"]), losses, rtol=1e-12)
    mean = options.get("reduction", "mean") == "mean"
    cost = losses.mean() if mean else losses.sum()
    if options.get("l2"):
        cost += v["lam"] / 2 * squares / (len(losses) if mean else 1)
    np.testing.assert_allclose(v["C"], cost, rtol=1e-12)
    if loss in ("ce", "nll", "ce-logits"):
        np.testing.assert_allclose(turn(v["y"]).sum(axis=0), 1, rtol=1e-12)


DEPTHS = (
    ("sigmoid", "sigmoid", "mse", "columns", {}, [2, 3, 4]),
    ("tanh", "softmax", "ce", "rows", {"l2": True}, [2, 5, 4, 3]),
    ("relu", "identity", "mse", "single", {"bias": False, "l2": True}, [3, 2]),
)


@pytest.mark.parametrize("n", range(len(DEPTHS)))
def test_the_cost_of_any_depth(n: int) -> None:
    hidden, output, loss, layout, options, units = DEPTHS[n]
    depth = len(units) - 1
    graph = any_depth(hidden, output, loss, layout=layout, **options)  # type: ignore[arg-type]
    v = computed(graph, sizes(units, examples=6, depth=depth))
    turn = np.transpose if layout == "rows" else (lambda a: a)
    a, squares = turn(v["x"]), 0.0
    for k in range(1, depth + 1):
        rows, columns = units[k], units[k - 1]
        w = v["W"][k - 1]
        w = turn(w[:columns, :rows] if layout == "rows" else w[:rows, :columns])
        z = w @ a
        if options.get("bias", True):
            offset = v["b"][k - 1][:rows]
            z = z + (offset if layout == "single" else offset[:, None])
        a, squares = FUNCTIONS[output if k == depth else hidden](z), squares + (w**2).sum()
    assert ("b" in v) == bool(options.get("bias", True))
    losses = np.atleast_1d(LOSSES[loss](a, turn(v["y"])))
    penalty = v["lam"] / 2 * squares / len(losses) if options.get("l2") else 0
    np.testing.assert_allclose(v["C"], losses.mean() + penalty, rtol=1e-12)


# --- Layers ---------------------------------------------------------------------------------------


def values(name: str, which: int = 0) -> tuple[Arrays, dict[str, int]]:
    case = LAYERS[name]
    return computed(case.build(), numbers(case.sizes[which])), case.sizes[which]


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-11)


@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_normalisations(layout: str) -> None:
    turn = np.transpose if layout == "rows" else (lambda a: a)
    for name, axis in (("batch norm", 1), ("layer norm", 0)):
        v, _ = values(f"{name}, {layout}")
        x = turn(v["x"])
        mean, variance = x.mean(axis, keepdims=True), x.var(axis, keepdims=True)
        hat = (x - mean) / np.sqrt(variance + v["eps"])
        close(turn(v["y1"]), v["gamma1"][:, None] * hat + v["beta1"][:, None])
    v, _ = values(f"RMS norm, {layout}")
    x = turn(v["x"])
    root = np.sqrt((x**2).mean(0) + v["eps"])
    close(turn(v["y1"]), v["gamma1"][:, None] * x / root)


def test_attention() -> None:
    for name, causal in (("attention", False), ("causal attention", True)):
        v, given = values(name)
        scores = v["Q"] @ v["K"].T / np.sqrt(given["d"])
        powers = np.exp(scores)
        if causal:
            powers = np.tril(powers)
        close(v["O"], powers / powers.sum(1, keepdims=True) @ v["V"])


@pytest.mark.parametrize(
    ("name", "which", "stride", "padding"),
    [
        ("conv1d", 0, 1, 0),
        ("conv1d, stride 2, padding 1", 0, 2, 1),
        ("conv1d, stride 2, padding 1", 1, 2, 1),
        ("conv1d, stride 3, padding p", 0, 3, 2),
    ],
)
def test_convolutions(name: str, which: int, stride: int, padding: int) -> None:
    v, given = values(name, which)
    x = np.zeros((given["d"], given["n"] + 2 * padding + 20))
    x[:, padding : padding + v["x"].shape[1]] = v["x"]  # what no window sees is never drawn
    assert v["x"].shape[1] <= given["n"]
    expected = np.zeros((given["c"], given["q"]))
    for i in range(given["q"]):
        seen = x[:, i * stride : i * stride + given["K"]]
        expected[:, i] = np.tensordot(v["W1"], seen, 2) + v["b1"]
    close(v["y1"], expected)


def test_max_pooling() -> None:
    for which in (0, 1):
        v, given = values("max pooling, stride 2", which)
        windows = [v["x"][:, 2 * i : 2 * i + given["K"]].max(axis=1) for i in range(given["q"])]
        close(v["y1"], np.array(windows).T)
        assert v["x"].shape[1] == 2 * (given["q"] - 1) + given["K"]


def test_prelu() -> None:
    v, _ = values("PReLU")
    close(v["a1"], np.where(v["z"] > 0, v["z"], v["alpha1"][:, None] * v["z"]))


@pytest.mark.parametrize("layout", ["columns", "rows"])
def test_recurrent_networks(layout: str) -> None:
    v, given = values(f"RNN, {layout}", 1 if layout == "columns" else 0)
    turn = np.transpose if layout == "rows" else (lambda a: a)
    w, u, out = (turn(v[name]) for name in "WUV")
    h = turn(v["h0"])
    assert given["T"] == len(v["x"])
    for t in range(given["T"]):
        h = np.tanh(w @ h + u @ turn(v["x"][t]) + v["b"][:, None])
        close(turn(v["h"][t + 1]), h)
        close(turn(v["o"][t]), out @ h + v["c"][:, None])


@pytest.mark.parametrize("name", ["LSTM", "LSTM, single"])
def test_lstm(name: str) -> None:
    v, _ = values(name)

    def gate(letter: str, function: Any) -> Any:
        bias = v[f"b_{letter}"]
        z = v[f"W_{letter}"] @ v["x"] + v[f"R_{letter}"] @ v["h"]
        return function(z + (bias if z.ndim == 1 else bias[:, None]))

    i, f, o = (gate(letter, sigmoid) for letter in "ifo")
    state = f * v["c"] + i * gate("g", np.tanh)
    close(v["c2"], state)
    close(v["h1"], o * np.tanh(state))


def test_a_stack() -> None:
    v, _ = values("a stack")
    z = v["W1"] @ v["x"] + v["b1"][:, None]
    hat = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + v["eps"])
    a = np.maximum(v["gamma1"][:, None] * hat + v["beta1"][:, None], 0)
    close(v["a1"], a)
    hat = (a - a.mean(0)) / np.sqrt(a.var(0) + v["eps"])
    close(v["y2"], v["gamma2"][:, None] * hat + v["beta2"][:, None])

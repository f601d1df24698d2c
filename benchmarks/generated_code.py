"""How fast the generated modules are: times as multiples of the matrix products alone.

    python benchmarks/generated_code.py [SECONDS]

Each task computes the cost and every gradient of a network in float64. ``floor`` is the time of
its matrix products alone, into memory that is there already; ``hand`` is NumPy code written by
hand in the usual way (no checks of shapes, no care for saturation). Only ratios are worth
comparing between machines. SECONDS is the time spent on each measurement (0.5).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symderiv.algebra.expr import Role
from symderiv.calculus.backprop import backprop
from symderiv.calculus.networks import any_depth, feed_forward
from symderiv.code.module import module_text
from symderiv.frontend.presentation import Presentation

Params = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A network, as many examples, and whether it is generated for any depth."""

    name: str
    sizes: tuple[int, ...]
    hidden: str
    output: str
    loss: str
    m: int
    generic: bool = False


TASKS = (
    Task("2-1 sigmoid bce, m=100", (2, 1), "sigmoid", "sigmoid", "bce", 100),
    Task("2-3-1 sigmoid bce, m=4", (2, 3, 1), "sigmoid", "sigmoid", "bce", 4),
    Task("784-30-10 sigmoid bce, m=10", (784, 30, 10), "sigmoid", "sigmoid", "bce", 10),
    Task("400-25-10 sigmoid bce, m=5000", (400, 25, 10), "sigmoid", "sigmoid", "bce", 5000),
    Task("784-512-512-10 relu ce, m=128", (784, 512, 512, 10), "relu", "softmax", "ce", 128),
    Task("1024^3-10 relu ce, m=512", (1024, 1024, 1024, 1024, 10), "relu", "softmax", "ce", 512),
    Task("50 layers of 16 tanh mse, m=32", (16,) * 51, "tanh", "identity", "mse", 32),
    Task("the same, any depth", (16,) * 51, "tanh", "identity", "mse", 32, generic=True),
)


def generated(task: Task) -> Any:
    """The namespace of the module, examples in rows."""
    depth = len(task.sizes) - 1
    if task.generic:
        graph = any_depth(task.hidden, task.output, task.loss, layout="rows")
    else:
        activations = [task.hidden] * (depth - 1) + [task.output]
        graph = feed_forward(activations, task.loss, layout="rows")
    wrt = [t for t in graph.tensors if t.role is Role.PARAMETER]
    text = module_text(
        backprop(graph, wrt),
        Presentation(
            spec=task.name,
            sizes={} if task.generic else dict(enumerate(task.sizes)),
            layout="rows",
        ),
    )
    names: dict[str, Any] = {"__name__": "generated"}
    exec(compile(text, "net.py", "exec"), names)
    return names


def by_hand(task: Task) -> Callable[[Params, Any, Any], tuple[float, Params]]:
    """What one would write without a generator."""
    depth = len(task.sizes) - 1

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))

    def run(p: Params, x: Any, y: Any) -> tuple[float, Params]:
        m = len(x)
        a = [x]
        for n in range(1, depth + 1):
            z = a[-1] @ p[f"W{n}"] + p[f"b{n}"]
            if n == depth and task.output == "softmax":
                e = np.exp(z - z.max(axis=1, keepdims=True))
                a.append(e / e.sum(axis=1, keepdims=True))
            elif n == depth and task.output == "identity":
                a.append(z)
            elif task.hidden == "relu":
                a.append(np.maximum(z, 0))
            else:
                a.append(np.tanh(z) if task.hidden == "tanh" else sigmoid(z))
        out = a[-1]
        if task.loss == "bce":
            value = -np.sum(y * np.log(out) + (1 - y) * np.log(1 - out)) / m
        elif task.loss == "ce":
            value = -np.sum(y * np.log(out)) / m
        else:
            value = np.sum((out - y) ** 2) / m
        delta = (2 if task.loss == "mse" else 1) * (out - y) / m
        gradients = {}
        for n in range(depth, 0, -1):
            gradients[f"W{n}"] = a[n - 1].T @ delta
            gradients[f"b{n}"] = delta.sum(axis=0)
            if n > 1:
                back = delta @ p[f"W{n}"].T
                if task.hidden == "relu":
                    delta = back * (a[n - 1] > 0)
                elif task.hidden == "tanh":
                    delta = back * (1 - a[n - 1] ** 2)
                else:
                    delta = back * a[n - 1] * (1 - a[n - 1])
        return float(value), gradients

    return run


def floor(task: Task, p: Params, x: Any) -> Callable[[], None]:
    """The matrix products alone."""
    depth = len(task.sizes) - 1
    rng = np.random.default_rng(0)
    a = [x, *(rng.normal(size=(task.m, n)) for n in task.sizes[1:])]
    weights = [p[f"W{n}"] for n in range(1, depth + 1)]
    into = [np.empty_like(w) for w in weights]
    spare = [np.empty_like(v) for v in a]

    def run() -> None:
        for n in range(depth):
            np.matmul(a[n], weights[n], out=spare[n + 1])
        for n in range(depth - 1, 0, -1):
            np.matmul(a[n + 1], weights[n].T, out=spare[n])
        for n in range(depth):
            np.matmul(a[n].T, a[n + 1], out=into[n])

    return run


def medians(seconds: float, functions: list[Callable[[], object]]) -> list[float]:
    """Median times, taken in turns so that a slow moment of the machine hits all alike."""
    times: list[list[float]] = [[] for _ in functions]
    for run in functions:
        run()
    stop = time.perf_counter() + seconds * len(functions)
    while time.perf_counter() < stop:
        for run, found in zip(functions, times, strict=True):
            start = time.perf_counter()
            run()
            found.append(time.perf_counter() - start)
    return [float(np.median(found)) for found in times]


def main() -> None:
    """Print the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0.5
    print(f"{'task':34}{'floor µs':>10}{'hand':>8}{'generated':>11}{'generated/hand':>16}")
    for task in TASKS:
        rng = np.random.default_rng(0)
        net = generated(task)
        params = net["init"](rng, list(task.sizes)) if task.generic else net["init"](rng)
        x, y = rng.normal(size=(task.m, task.sizes[0])), rng.uniform(size=(task.m, task.sizes[-1]))
        if task.loss == "ce":
            y /= y.sum(axis=1, keepdims=True)
        hand, run = by_hand(task), net["cost_and_gradients"]
        for name, gradient in hand(params, x, y)[1].items():
            np.testing.assert_allclose(run(params, x, y)[1][name], gradient, rtol=1e-6, atol=1e-12)
        base, a, b = medians(
            seconds,
            [floor(task, params, x), lambda: hand(params, x, y), lambda: run(params, x, y)],  # noqa: B023
        )
        print(f"{task.name:34}{base * 1e6:10.0f}{a / base:8.2f}{b / base:11.2f}{b / a:16.2f}")


if __name__ == "__main__":
    main()

"""No module overflows: its cost and gradients are finite wherever the true numbers are.

Left out is what overflows because a quantity does that the forward pass defines, such as exp(z).
The true numbers are the definitions and the closed forms with as many digits as it takes.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from symderiv.algebra.expr import Role, Tensor
from symderiv.calculus.backprop import backprop
from symderiv.calculus.graph import Graph
from symderiv.calculus.networks import feed_forward
from symderiv.calculus.steps import Derivation
from symderiv.code.module import module_text
from symderiv.frontend.known import target_domain
from symderiv.frontend.presentation import Presentation
from tests.calculus.test_pairs import PAIRS
from tests.code.generated import run
from tests.oracles.forward import Backward, Forward, by_definition, definition, sizes

DIGITS = 1000  # 1 - σ(2000) must not be 0
LARGEST = 1e300
SCALES = (1.0, 1e3, -1e3)


@dataclass
class Digits:
    """Real numbers with many digits; everything is given, nothing is drawn."""

    def lift(self, value: Fraction) -> Any:
        return mpmath.mpf(value.numerator) / value.denominator

    def winner(self, values: Sequence[Any]) -> int:
        return max(range(len(values)), key=lambda n: values[n])

    def draw(self, tensor: Tensor, where: tuple[int, ...]) -> Any:
        raise AssertionError(f"{tensor.name} is not given")

    def apply(self, name: str, orders: tuple[int, ...], args: Sequence[Any]) -> Any:
        assert not any(orders)
        if definition(name) is not None:
            return by_definition(self, name, args)
        if name == "positive":
            return mpmath.mpf(args[0] > 0)
        if name == "pi":
            return +mpmath.pi
        if name == "log" and args[0] <= 0:
            raise ZeroDivisionError
        called = {"arctan": mpmath.atan, "power": mpmath.power}
        return called.get(name, getattr(mpmath, name, None))(*args)


def truth(
    derivation: Derivation, params: dict[str, Any], x: Any, y: Any
) -> Iterator[tuple[str, tuple[int, ...], Any]]:
    """The cost and every entry of a gradient; nothing where a quantity is missing or huge."""
    graph = derivation.graph
    arrays = {"x": x, "y": y, **params}
    inputs = {
        (t.name, tuple(n + 1 for n in place)): mpmath.mpf(float(value))
        for t in graph.inputs if t.name in arrays
        for place, value in np.ndenumerate(arrays[t.name])
    }  # fmt: skip
    for tensor, value in graph.defaults:
        inputs[tensor.name, ()] = mpmath.mpf(value.numerator) / value.denominator
    forward = Forward(graph, sizes([x.shape[1], y.shape[1]], len(x)), Digits(), inputs)
    try:
        forward.run()
    except ZeroDivisionError:
        return
    named = {d.target.name for d in graph.definitions if d.target.role is not Role.AUXILIARY}
    if any(abs(value) > LARGEST for (name, _), value in forward.values.items() if name in named):
        return
    yield "cost", (), forward.entry(graph.cost, ())
    backward = Backward(forward, derivation)
    for adjoint in derivation.adjoints:
        of = adjoint.tensor.of
        if of is not None and of.role is Role.PARAMETER:
            for place in forward.entries(adjoint.tensor):
                yield of.name, place, backward.entry(adjoint.tensor, place)


def graph_of(activation: str, loss: str) -> Graph:
    return feed_forward([activation], loss, layout="rows")


@pytest.mark.parametrize(("activation", "loss"), PAIRS)
def test_what_is_finite_is_finite_in_floating_point(activation: str, loss: str) -> None:
    graph = graph_of(activation, loss)
    derivation = backprop(graph, [t for t in graph.inputs if t.role is Role.PARAMETER])
    shown = Presentation(version="0", sizes={0: 3, 1: 2}, layout="rows")
    net = run(module_text(derivation, shown))
    rng = np.random.default_rng(1)
    params = {k: v + 0.1 * rng.normal(size=v.shape) for k, v in net.init(rng).items()}
    x, y = np.array([[0.7, -0.4, 0.5]]), rng.uniform(0.1, 0.9, size=(1, 2))
    domain = target_domain(loss)
    y = np.sign(y - 0.5) if domain.values else y
    y = y / y.sum(axis=1, keepdims=True) if "summing" in domain.text else y
    for scale in SCALES:
        with warnings.catch_warnings(), mpmath.workdps(DIGITS):
            warnings.simplefilter("ignore")
            cost, gradients = net.cost_and_gradients(params, scale * x, y)
            largest = max(abs(v) for g in gradients.values() for v in g.flat)
            for name, place, value in truth(derivation, params, scale * x, y):
                if abs(value) > LARGEST:
                    continue
                at = tuple(n - 1 for n in place)
                made = cost if name == "cost" else float(gradients[name][at])
                assert np.isfinite(made), (scale, name, place)
                size = abs(cost) if name == "cost" else largest
                near = abs(made - value) <= 1e-9 * size + 1e-12 * abs(scale)
                assert near, (scale, name, place)

"""How long layers and networks take to derive and to check: milliseconds of one processor.

    python benchmarks/layers.py [NAME...]

The least of some runs after one to warm up, with nothing remembered of what was proved before
("check"), and with all of it ("again"). All sizes are symbols, so that no width matters; of a
network written out the time grows with its number of layers alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import process_time

from symderiv.algebra.expr import Role, Tensor
from symderiv.algebra.index import Axis
from symderiv.calculus.attention import attention
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.convolution import conv1d, max_pool1d, reach
from symderiv.calculus.graph import Graph
from symderiv.calculus.networks import any_depth, feed_forward
from symderiv.calculus.normalization import batch_norm, layer_norm, rms_norm
from symderiv.calculus.recurrent import lstm_cell, rnn
from symderiv.proof.check import check
from symderiv.proof.likeness import Memory

RUNS = 5
Make = Callable[[], Graph]


def normalised(layer: Callable[[Builder, Tensor, Axis], Tensor]) -> Graph:
    b = Builder()
    units = b.units(0, "n")
    x = b.tensor("x", b.batch(units), Role.INPUT)
    return b.graph(upstream=layer(b, x, units))


def attended(causal: bool) -> Graph:
    b = Builder("single")
    positions, depth, width = (b.axis("position", name) for name in "nde")
    q, k = (b.tensor(name, (positions, depth), Role.INPUT) for name in "QK")
    v = b.tensor("V", (positions, width), Role.INPUT)
    return b.graph(upstream=attention(b, q, k, v, causal))


def convolved() -> Graph:
    b = Builder("single")
    x = b.tensor("x", (b.axis("channel", "d"), b.axis("position", "n")), Role.INPUT)
    channels, positions, kernel = (b.axis("channel", name) for name in "cqK")
    return b.graph(upstream=conv1d(b, x, channels, positions, kernel, stride=2, padding=1))


def pooled() -> Graph:
    b = Builder("single")
    positions, width = b.axis("position", "q"), b.axis("window", "K")
    x = b.tensor("x", (b.axis("channel", "c"), reach(positions, width, 2)), Role.INPUT)
    return b.graph(upstream=max_pool1d(b, x, positions, width, 2))


def recurrent() -> Graph:
    b = Builder()
    inputs, hidden, outputs = (b.units(0, name) for name in "nhk")
    (t,) = b.over(b.axis("time", "T", ordered=True))
    x = b.tensor("x", b.batch(inputs), Role.INPUT, family=t)
    return b.graph(upstream=rnn(b, x, inputs, hidden, outputs))


def lstm() -> Graph:
    b = Builder()
    inputs, hidden = b.units(0, "n"), b.units(0, "h")
    x = b.tensor("x", b.batch(inputs), Role.INPUT)
    h, c = (b.tensor(name, b.batch(hidden), Role.INPUT) for name in "hc")
    return b.graph(upstream=lstm_cell(b, x, h, c, inputs, hidden))


def network(layers: int) -> Make:
    return lambda: feed_forward(["sigmoid"] * layers, "bce")


TASKS: dict[str, Make] = {
    "batch norm": lambda: normalised(batch_norm),
    "layer norm": lambda: normalised(layer_norm),
    "RMS norm": lambda: normalised(rms_norm),
    "attention": lambda: attended(False),
    "causal attention": lambda: attended(True),
    "conv1d": convolved,
    "max pooling": pooled,
    "RNN": recurrent,
    "LSTM cell": lstm,
    "any depth": lambda: any_depth("sigmoid", "sigmoid", "bce"),
    "3 layers": network(3),
    "12 layers": network(12),
    "50 layers": network(50),
}


def timed(make: Make) -> tuple[int, float, float, float]:
    """Steps, and milliseconds to derive, to check, and to check what was proved before."""
    deriving, checking, again, steps = [], [], [], 0
    for _ in range(RUNS + 1):
        graph = make()
        wanted = [t for t in graph.inputs if t.role in (Role.PARAMETER, Role.INPUT)]
        start = process_time()
        derivation = backprop(graph, wanted)
        derived = process_time()
        memory = Memory()
        checked = check(derivation, memory)
        first = process_time()
        check(derivation, memory)
        deriving.append(1000 * (derived - start))
        checking.append(1000 * (first - derived))
        again.append(1000 * (process_time() - first))
        assert not checked.refuted and not checked.unproved
        steps = sum(len(adjoint.steps) for adjoint in derivation.adjoints)
    return steps, min(deriving[1:]), min(checking[1:]), min(again[1:])


def main(names: list[str]) -> None:
    print(f"{'':18}{'steps':>6}{'derive ms':>11}{'check ms':>10}{'again ms':>10}")
    for name in names or TASKS:
        steps, deriving, checking, again = timed(TASKS[name])
        print(f"{name:18}{steps:6}{deriving:11.1f}{checking:10.1f}{again:10.1f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

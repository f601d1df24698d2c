"""A cost that uses an output both through the losses and by itself."""

from __future__ import annotations

from symderiv.algebra.expr import Role, sum_over
from symderiv.algebra.index import Size, as_index
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder, mean_over
from symderiv.calculus.layers import activate, dense, per_example_loss
from symderiv.proof.check import check
from tests.oracles.duals import errors


def test_both_ways_are_counted_and_proved() -> None:
    b = Builder()
    inputs, outputs = b.units(0), b.units(1)
    x = b.tensor("x", b.batch(inputs), Role.INPUT)
    a = activate(b, "sigmoid", dense(b, x, inputs, outputs, 1), outputs, 1)
    loss, _ = per_example_loss(b, "mse", a, outputs)
    (s,), (i, r) = b.over(b.examples), b.over(outputs, b.examples)
    cost = b.tensor("C", (), Role.COST)
    b.define(cost, (), mean_over((s,), loss[s]) + sum_over((i, r), a[i, r]))
    graph = b.graph(cost, loss)
    assert not {t.name for t in graph.per_example} & {"x", "z1", "a1"}
    derivation = backprop(graph, [t for t in graph.inputs if t.role is Role.PARAMETER])
    checked = check(derivation)
    assert not checked.unproved and not checked.refuted
    sizes = {Size("n", as_index(0)): 2, Size("n", as_index(1)): 3, Size("m"): 4}
    assert errors(graph, sizes, derivation) == []

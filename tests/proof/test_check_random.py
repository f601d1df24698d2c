"""Random graphs of up to 12 definitions: derived, every step proved, and right end to end."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.algebra.expr import Access, Expr, Role, Tensor, apply, mul, sum_over
from symderiv.algebra.index import Axis, Size, Var, as_index, fresh
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.graph import Graph
from symderiv.proof.check import check
from tests.algebra.trees import examples
from tests.oracles.duals import errors
from tests.proof.planted import accepted, in_steps, proved

SIZES = {Size("n"): 2, Size("k"): 3, Size("m"): 4}
AXES = tuple(
    Axis(name, as_index(size)) for name, size in zip(("unit", "unit", "row"), SIZES, strict=True)
)
LIMIT = 11  # with the cost at most 12 definitions
FUNCTIONS = ("sigmoid", "tanh", "exp", "relu", "softplus")


@st.composite
def graphs(draw: Any) -> Graph:
    """Inputs of one or two axes, then definitions over what came before, and a cost."""
    b = Builder("single")
    known: list[Tensor] = []
    for n in range(draw(st.integers(1, 3))):
        axes = draw(st.lists(st.sampled_from(AXES), min_size=0, max_size=2))
        known.append(b.tensor(f"w{n}", axes, Role.PARAMETER))
    inputs = len(known)
    for n in range(draw(st.integers(1, LIMIT))):
        known.append(_equation(draw, b, f"u{n}", known))
    last = known[-1]
    others = draw(st.lists(st.sampled_from(known[inputs:]), max_size=2))
    cost = b.tensor("C", (), Role.COST)
    total: Expr = _total(last)
    for tensor in others:
        total = total + _total(tensor) * draw(st.sampled_from((1, 2, -1)))
    b.define(cost, (), total)
    names = [t.name for t in known[inputs:]]
    if len(names) > 3:  # closed forms without names of their own grow with the depth
        b.named.update(names)
    else:
        b.named.update(draw(st.sets(st.sampled_from(names), max_size=2)))
    return b.graph(cost)


def _total(tensor: Tensor) -> Expr:
    indices = tensor.fresh_indices()
    return sum_over(indices, tensor[tuple(indices)])


def _equation(draw: Any, b: Builder, name: str, known: list[Tensor]) -> Tensor:
    """One more tensor: a function of an entry, a product, a contraction, a sum, a quotient."""
    axes = draw(st.lists(st.sampled_from(AXES), min_size=0, max_size=2))
    target = b.tensor(name, axes)
    indices = tuple(fresh(axis) for axis in axes)
    body = _formula(draw, known, indices)
    return b.define(target, indices, body)


def _formula(draw: Any, known: list[Tensor], scope: tuple[Var, ...]) -> Expr:
    kind = draw(st.integers(0, 6))
    first = _entry(draw, known, scope)
    if kind == 0:
        return apply(draw(st.sampled_from(FUNCTIONS)), first)
    if kind == 1:
        return first + draw(st.sampled_from((1, 2))) * _entry(draw, known, scope)
    if kind == 2:
        return first * _entry(draw, known, scope)
    if kind == 3:
        return first ** draw(st.integers(2, 3))
    if kind == 4:
        return first / (1 + _entry(draw, known, scope) ** 2)
    k = fresh(draw(st.sampled_from(AXES)))
    inner = _entry(draw, known, (*scope, k))
    if kind == 5:
        return sum_over(k, mul(inner, _entry(draw, known, (*scope, k))))
    return first * sum_over(k, inner)


def _entry(draw: Any, known: list[Tensor], scope: tuple[Var, ...]) -> Expr:
    """An entry of a tensor, at variables in scope; what is left over is summed."""
    tensor = draw(st.sampled_from(known))
    summed: list[Var] = []
    indices = []
    for slot in tensor.slots:
        fitting = [v for v in scope if v.axis == slot.axis]
        if fitting and draw(st.integers(0, 4)):
            indices.append(as_index(draw(st.sampled_from(fitting))))
        else:
            summed.append(fresh(slot.axis))
            indices.append(as_index(summed[-1]))
    return sum_over(summed, Access(tensor, tuple(indices)))


def parameters(graph: Graph) -> list[Tensor]:
    return [t for t in graph.inputs if t.role is Role.PARAMETER]


@given(graphs())
@settings(max_examples=examples(60))
def test_random_graphs_are_derived_and_proved(graph: Graph) -> None:
    derivation = backprop(graph, parameters(graph))
    assert proved(check(derivation))
    assert errors(graph, SIZES, derivation) == []


@given(graphs(), st.randoms(use_true_random=False))
@settings(max_examples=examples(15))
def test_errors_in_random_derivations_are_not_proved(graph: Graph, random: Any) -> None:
    derivation = backprop(graph, parameters(graph))
    planted = list(in_steps(derivation))
    for what, wrong in random.sample(planted, min(4, len(planted))):
        if accepted(wrong):
            assert errors(graph, SIZES, wrong) == [], what

"""Every refusal of a graph or a derivation that does not say anything, and what is not refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from symderiv.algebra.expr import (
    ONE,
    ZERO,
    Access,
    Bracket,
    Delta,
    Expr,
    Role,
    Select,
    SizeOf,
    Sum,
    Tensor,
    apply,
    sum_over,
)
from symderiv.algebra.index import Axis, Index, Size, Var, as_index, fresh
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.graph import Definition, Fact, Graph
from symderiv.calculus.steps import Adjoint, Derivation, Step
from symderiv.proof.wellformed import IllFormed, require_well_formed

N, M = as_index(Size("n")), as_index(Size("m"))
UNITS, EXAMPLES = Axis("unit", N), Axis("example", M)
X = Tensor("x", (fresh(UNITS), fresh(EXAMPLES)), Role.INPUT)
W = Tensor("w", (fresh(UNITS),), Role.PARAMETER)
LOSS = Tensor("ell", (fresh(EXAMPLES),), Role.LOSS)
C = Tensor("C", (), Role.COST)


def perceptron() -> Derivation:
    """ℓ[s] = tanh(Σ_i w[i] x[i,s]), C = Σ_s ℓ[s], derived by w and x."""
    s, i, t = fresh(EXAMPLES), fresh(UNITS), fresh(EXAMPLES)
    total = apply("tanh", sum_over(i, W[i] * X[i, s]))
    blocks = (
        Definition(LOSS, (as_index(s),), total),
        Definition(C, (), sum_over(t, LOSS[t])),
    )
    return backprop(Graph(blocks, C, example_loss=LOSS), [W, X])


def with_tensor(**changes: Any) -> Derivation:
    """The chain by w, about another derivative."""
    derivation = perceptron()
    *others, chain = (*derivation.adjoints[:1], derivation.adjoints[1])
    assert chain.tensor.of == W
    changed = replace(chain, tensor=replace(chain.tensor, **changes))
    return Derivation(derivation.graph, (*others, changed))


def with_step(right: Callable[[Var], Expr], premise: Fact | None = None) -> Derivation:
    """The chain by w with one more step."""
    derivation = perceptron()
    first, chain = derivation.adjoints[:2]
    (index,) = chain.indices
    assert index.variable is not None
    last = Step(chain.closed, right(index.variable), "linearity of sums", "")
    last = replace(last, premises=() if premise is None else (premise,))
    longer = replace(chain, steps=(*chain.steps, last), closed=last.right)
    return Derivation(derivation.graph, (first, longer))


def graph_of(*equations: tuple[Tensor, tuple[Any, ...], Expr]) -> Derivation:
    blocks = [Definition(t, tuple(map(as_index, i)), body) for t, i, body in equations]
    return Derivation(Graph(tuple(blocks), C), ())


def two_ranges(of: Callable[[Var], Expr]) -> Derivation:
    """A step that speaks of an index of the derivative with another range."""

    def right(i: Var) -> Expr:
        return of(Var(i.uid, i.name, Axis("unit", N - 1)))

    return with_step(right)


def families(*ranges: tuple[Index, Index]) -> Derivation:
    """h[t] = x[t] over ranges of time, one equation each; C = h[1]."""
    time = Axis("time", as_index(Size("T")), Index(1), ordered=True)
    h, x = Tensor("h", (fresh(time),)), Tensor("x", (fresh(time),), Role.INPUT)
    cost: list[tuple[Tensor, tuple[Any, ...], Expr]] = [(C, (), x[1])]
    for start, stop in ranges:
        t = fresh(Axis("time", stop, start, ordered=True))
        cost.append((h, (t,), x[t]))
    return graph_of(*cost)


U = Tensor("u", (fresh(UNITS),))
I, J, K = fresh(UNITS, "i"), fresh(UNITS, "j"), fresh(UNITS, "k")
SHORT = fresh(Axis("unit", N - 1), "r")
SQUARE = Tensor("q", (fresh(UNITS), fresh(UNITS)))
COST = (C, (), sum_over(J, U[J]))
UP = Tensor("du", U.slots, Role.ADJOINT, of=U, root=C, named=True)


def given(blocks: Derivation, *upstream: Tensor, cost: Tensor = C) -> Derivation:
    return Derivation(replace(blocks.graph, upstream=upstream, cost=cost), ())


ALONE = graph_of((U, (I,), W[I]))
FAR = as_index(Size("T")) * 2

REFUSED: dict[str, tuple[Callable[[], Derivation], str]] = {
    # Equations.
    "two for one entry": (lambda: graph_of((U, (I,), W[I]), (U, (J,), ONE), COST), "two equations"),
    "a part of an axis": (lambda: graph_of((U, (SHORT,), W[SHORT]), COST), "whole axis"),
    "a shifted index": (lambda: graph_of((U, (I + 1,), W[I]), COST), "neither plain nor constant"),
    "an index twice": (lambda: graph_of((SQUARE, (I, I), W[I]), (C, (), SQUARE[1, 1])), "twice"),
    "too few indices": (lambda: graph_of((SQUARE, (I,), W[I])), "has 2 axes"),
    "too few in a body": (lambda: graph_of((U, (I,), Access(SQUARE, (as_index(I),)))), "2 axes"),
    "a stray index": (lambda: graph_of((U, (I,), W[J]), COST), "what an index of it is"),
    "no value": (lambda: graph_of((U, (I,), (W[I] - W[I]) ** -1), COST), "divides by zero"),
    "later": (lambda: graph_of(COST, (U, (I,), W[I])), "too early"),
    "itself": (lambda: graph_of((U, (I,), U[I]), COST), "too early"),
    "families that overlap": (
        lambda: families((Index(1), as_index(Size("T"))), (as_index(Size("T")), FAR)),
        "two equations",
    ),
    "families that overlap, later first": (
        lambda: families((as_index(Size("T")), FAR), (Index(1), as_index(Size("T")))),
        "two equations",
    ),
    "another tensor of that name": (
        lambda: graph_of((U, (I,), replace(W, symbol="v")[I] * W[I]), COST),
        "two tensors are called w",
    ),
    "the same with axes of its own": (
        lambda: graph_of((U, (I,), Tensor("w", (fresh(UNITS),), Role.PARAMETER)[I] * W[I]), COST),
        "two tensors are called w",
    ),
    # The cost, and what comes from outside.
    "no cost": (lambda: graph_of((U, (I,), W[I])), "C has no equation"),
    "given for nobody": (lambda: given(ALONE, replace(UP, of=None)), "no adjoint with a name"),
    "given without a name": (lambda: given(ALONE, replace(UP, named=False)), "no adjoint with"),
    "given as a value": (lambda: given(ALONE, replace(UP, role=Role.INPUT)), "no adjoint with"),
    "given of another root": (lambda: given(ALONE, replace(UP, root=LOSS)), "not the derivative"),
    "given with other axes": (
        lambda: given(ALONE, replace(UP, slots=(fresh(EXAMPLES),))),
        "not the derivative of C",
    ),
    "given, and used": (lambda: given(graph_of((U, (I,), W[I]), COST), UP), "only from outside"),
    "given, and a cost": (
        lambda: given(graph_of((U, (I,), W[I]), (C, (), ONE)), UP),
        "only from outside",
    ),
    "a cost with axes beside a loss": (
        lambda: Derivation(
            replace(perceptron().graph, cost=LOSS, blocks=perceptron().graph.blocks[:1]), ()
        ),
        "has axes, and an example's loss",
    ),
    # Chains.
    "no derivative by role": (lambda: with_tensor(role=Role.INPUT), "is no derivative"),
    "no derivative of anything": (lambda: with_tensor(root=None), "is no derivative"),
    "no derivative by anything": (lambda: with_tensor(of=None), "is no derivative"),
    "by a stranger": (lambda: with_tensor(of=U), "u is no tensor of this graph"),
    "of a stranger": (lambda: with_tensor(root=Tensor("E", ())), "E is no tensor of this graph"),
    "by one that prints otherwise": (
        lambda: with_tensor(of=replace(W, named=True)),
        "w is no tensor of this graph",
    ),
    "by itself": (lambda: with_tensor(of=C, slots=()), "by itself is 1"),
    "of an input": (lambda: with_tensor(root=X), "neither the cost nor the loss"),
    "of a loss by what all share": (lambda: with_tensor(root=LOSS), "own example's loss"),
    "with other axes": (lambda: with_tensor(slots=(fresh(UNITS),)), "other axes than w"),
    "in a list": (
        lambda: Derivation(perceptron().graph, list(perceptron().adjoints)),  # type: ignore[arg-type]
        "is a list",
    ),
    # Steps.
    "a stranger in a step": (lambda: with_step(lambda i: U[i]), "u is no tensor of this graph"),
    "a free index": (lambda: with_step(lambda i: X[i, EXAMPLE]), "what an index is"),
    "two ranges in an entry": (lambda: two_ranges(lambda i: W[i]), "two ranges"),
    "two ranges on the left of a delta": (
        lambda: two_ranges(lambda i: Delta(as_index(i), N)),
        "two ranges",
    ),
    "two ranges on its right": (lambda: two_ranges(lambda i: Delta(N, as_index(i))), "two ranges"),
    "two ranges in a bracket": (lambda: two_ranges(lambda i: Bracket(i - 2)), "two ranges"),
    "two ranges as a number": (lambda: two_ranges(lambda i: SizeOf(as_index(i))), "two ranges"),
    "two ranges in a sum": (lambda: two_ranges(lambda i: Sum(i, W[i])), "two ranges"),
    "two ranges of a winner": (lambda: two_ranges(lambda i: Select(N, i, W[i])), "two ranges"),
    "two ranges at a winner": (
        lambda: two_ranges(lambda i: Select(as_index(i), K, W[K])),
        "two ranges",
    ),
    "two ranges in a fact": (
        lambda: with_step(
            lambda i: W[i], Fact(W[Var(K.uid, "k", Axis("unit", N - 1))], Sum(K, W[K]), "")
        ),
        "two ranges",
    ),
}
EXAMPLE = fresh(EXAMPLES)


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name: str) -> None:
    make, why = REFUSED[name]
    with pytest.raises(IllFormed, match=why):
        require_well_formed(make())


def test_what_is_well_formed_is_not_refused() -> None:
    require_well_formed(perceptron())
    require_well_formed(given(ALONE, UP))
    require_well_formed(with_step(lambda i: ZERO))
    half = as_index(Size("k"))
    for ranges in (
        ((Index(1), half), (half + 1, half + as_index(Size("p")))),
        ((half + 1, half + as_index(Size("p"))), (Index(1), half)),
        ((Index(1), half), (half + 3, half + 5)),
    ):
        require_well_formed(families(*ranges))


def test_a_derivative_that_is_given_is_not_derived() -> None:
    b = Builder("single")
    units = b.units(0, "n")
    x = b.tensor("x", b.batch(units), Role.INPUT)
    y = b.tensor("y", b.batch(units))
    (i,) = b.over(units)
    b.define(y, (i,), x[i] ** 2)
    graph = b.graph(upstream=y)
    (up,) = graph.upstream
    (i,) = b.over(units)
    step = Step(up[i], up[i] + 0, "insert", "")
    chain = Adjoint(up, (as_index(i),), (step,), step.right)
    with pytest.raises(IllFormed, match="given, and derived as well"):
        require_well_formed(Derivation(graph, (chain,)))

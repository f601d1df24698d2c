"""Statements are alike only if renaming turns one into the other."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from symderiv.algebra.expr import Access, Expr, Role, SizeOf, Tensor, apply, sum_over
from symderiv.algebra.index import Axis, Index, Size, as_index
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.graph import Graph
from symderiv.calculus.networks import any_depth, feed_forward
from symderiv.proof.check import check
from symderiv.proof.likeness import Memory, spelled
from symderiv.proof.verdict import EXACT, Status, Verdict


def nothing(_: Tensor) -> list[tuple[tuple[Index, ...], Expr]]:
    return []


def spelled_product(size: str, one: str, other: str, swapped: bool = False) -> str:
    b = Builder()
    n, p = b.axis("unit", size), b.axis("unit", size if swapped else "p")
    u, v = b.tensor(one, [n, p]), b.tensor(other, [p])
    i, k = b.over(n, p)
    entry: Access = u[k, i] if swapped else u[i, k]
    return spelled([sum_over(k, entry * v[k]), v[k]], nothing)


def test_names_do_not_matter() -> None:
    assert spelled_product("n", "W", "x") == spelled_product("q", "V", "z")


def test_places_do() -> None:
    assert spelled_product("n", "W", "x", swapped=True) != spelled_product("n", "W", "x")


def test_one_tensor_twice_is_not_two_tensors() -> None:
    x, y = (Tensor(name)[()] for name in "xy")
    assert spelled([x * x], nothing) != spelled([x * y], nothing)
    assert spelled([x * y], nothing) == spelled([y * x], nothing)


def test_functions_numbers_and_roles_matter() -> None:
    x = Tensor("x")[()]
    d = Tensor("dx", role=Role.ADJOINT)[()]
    texts = [spelled([e], nothing) for e in (apply("exp", x), apply("log", x), 2 * x, 3 * x, x, d)]
    assert len(set(texts)) == len(texts)


def test_an_equation_that_is_rested_on_matters() -> None:
    x, u = Tensor("x"), Tensor("u")
    one = spelled([u[()]], lambda t: [((), x[()] ** 2)] if t == u else [])
    two = spelled([u[()]], lambda t: [((), x[()] ** 3)] if t == u else [])
    assert one != two != spelled([u[()]], nothing)


def test_members_of_a_family_stay_related() -> None:
    b = Builder()
    layers = Axis("layer", as_index(Size("L")), ordered=True)
    (layer,) = b.over(layers)

    def member(at: Index) -> Expr:
        return SizeOf(as_index(Size("n", at)))

    here, below, first = member(as_index(layer)), member(layer - 1), member(as_index(1))
    other = SizeOf(as_index(Size("p", as_index(layer))))
    texts = {spelled([e], nothing) for e in (here + here, here + below, here + first, here + other)}
    assert len(texts) == 4
    assert spelled([here], nothing) == spelled([other], nothing)


def test_an_ordered_axis_is_not_a_plain_one() -> None:
    b = Builder()
    axes = (Axis("layer", as_index(Size("L")), ordered=o) for o in (True, False))
    tensors = [b.tensor("a", [axis]) for axis in axes]
    texts = {spelled([t[1]], nothing) for t in tensors}
    assert len(texts) == 2


@pytest.mark.parametrize("graph", [
    feed_forward(["tanh", "relu", "tanh", "softmax"], "ce", l2=True),
    any_depth("tanh", "tanh", "mse"),
], ids=["four layers", "any depth"])  # fmt: skip
def test_verdicts_are_those_of_a_judge_without_memory(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    derivation = backprop(graph, [t for t in graph.inputs if t.role is Role.PARAMETER])
    memory = Memory()
    first, again = check(derivation, memory), check(derivation, memory)
    monkeypatch.setattr(Memory, "_recall", lambda *_: None)
    alone = check(derivation)
    for one, two, three in zip(first.chains, again.chains, alone.chains, strict=True):
        assert one.verdicts == two.verdicts == three.verdicts


def test_only_what_is_proved_is_remembered() -> None:
    for status, bound in product(Status, (EXACT, Fraction(3, 2**61))):
        memory = Memory()
        memory._remember("it", Verdict(status, "somehow", bound=bound))
        known = memory._recall("it") is not None and memory._recall("that") is None
        assert known == (status is Status.PROVED and bound == EXACT)

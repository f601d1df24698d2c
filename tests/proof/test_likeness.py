"""Statements are alike only if renaming turns one into the other."""

from __future__ import annotations

from symderiv.algebra.expr import Access, Expr, Role, Tensor, apply, sum_over
from symderiv.algebra.index import Index
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.networks import any_depth, feed_forward
from symderiv.proof import check as checking
from symderiv.proof.check import check
from symderiv.proof.likeness import spelled


def nothing(_: Tensor) -> list[tuple[tuple[Index, ...], Expr]]:
    return []


def product(size: str, one: str, other: str, swapped: bool = False) -> str | None:
    b = Builder()
    n, p = b.axis("unit", size), b.axis("unit", size if swapped else "p")
    u, v = b.tensor(one, [n, p]), b.tensor(other, [p])
    i, k = b.over(n, p)
    entry: Access = u[k, i] if swapped else u[i, k]
    return spelled([sum_over(k, entry * v[k]), v[k]], nothing)


def test_names_do_not_matter() -> None:
    assert product("n", "W", "x") == product("q", "V", "z")


def test_places_do() -> None:
    assert product("n", "W", "x", swapped=True) != product("n", "W", "x")


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


def test_families_are_spelled_by_nobody() -> None:
    graph = any_depth("tanh", "tanh", "mse")
    assert spelled([graph.definitions[1].body], nothing) is None


def test_verdicts_are_those_of_a_judge_without_memory(monkeypatch: object) -> None:
    graph = feed_forward(["tanh", "relu", "tanh", "softmax"], "ce", l2=True)
    derivation = backprop(graph, [t for t in graph.inputs if t.role is Role.PARAMETER])
    short = check(derivation)
    monkeypatch.setattr(checking, "spelled", lambda *_: None)  # type: ignore[attr-defined]
    long = check(derivation)
    assert [v for c in short.chains for v in c.verdicts] == [
        v for c in long.chains for v in c.verdicts
    ]

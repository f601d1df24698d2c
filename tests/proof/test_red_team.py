"""Attempts to have something false called proved; each one succeeded once, and must fail now."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from symderiv.algebra.expr import ZERO, Access, Expr, Number, Partial, Role, Tensor, sum_over
from symderiv.algebra.index import Axis, Index, Size, Var, as_index
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.graph import Graph
from symderiv.calculus.steps import Adjoint, Derivation, Premise, Step
from symderiv.proof.verdict import Status
from symderiv.proof.wellformed import IllFormed
from tests.proof.by_steps import check


def adjoint_of(of: Tensor, root: Tensor) -> Tensor:
    return Tensor(f"d{of.name}", of.slots, Role.ADJOINT, of.symbol, of.layer, of, root)


def step(left: Expr, right: Expr, *premises: Premise) -> Step:
    return Step(left, right, "chain rule", "", premises)


def one_step(tensor: Tensor, right: Expr, *indices: Var) -> Adjoint:
    where = tuple(map(as_index, indices))
    return Adjoint(tensor, where, (step(Access(tensor, where), right),), right)


def linear() -> tuple[Graph, Tensor, Tensor, Var]:
    """C = Σ_i w x[i]; the true derivative by w is Σ_i x[i]."""
    b = Builder()
    n = b.axis("unit", "n")
    x = b.tensor("x", [n], Role.INPUT)
    w = b.tensor("w", [], Role.PARAMETER)
    c = b.tensor("C", [], Role.COST)
    (i,) = b.over(n)
    b.define(c, [], sum_over(i, w[()] * x[i]))
    (j,) = b.over(n)
    return b.graph(c), x, w, j


def squares(example_loss: bool = True) -> tuple[Graph, dict[str, Tensor], Builder]:
    """z[s] = w x[s], l[s] = z[s]^2, C = Σ l[s]."""
    b = Builder()
    t = {
        "x": b.tensor("x", [b.examples], Role.INPUT),
        "w": b.tensor("w", [], Role.PARAMETER),
        "z": b.tensor("z", [b.examples]),
        "l": b.tensor("l", [b.examples], Role.LOSS),
        "C": b.tensor("C", [], Role.COST),
    }
    (s,) = b.over(b.examples)
    b.define(t["z"], [s], t["w"][()] * t["x"][s])
    (s,) = b.over(b.examples)
    b.define(t["l"], [s], t["z"][s] ** 2)
    (s,) = b.over(b.examples)
    b.define(t["C"], [], sum_over(s, t["l"][s]))
    return b.graph(t["C"], t["l"] if example_loss else None), t, b


def derivative_by_itself() -> Derivation:
    graph, t, b = squares()
    (k,) = b.over(b.examples)
    return Derivation(graph, (one_step(adjoint_of(t["l"], t["l"]), ZERO, k),))


def other_range_in_the_closed_form() -> Derivation:
    graph, x, w, j = linear()
    spoof = Var(j.uid, j.name, Axis("unit", Index(1)))
    right, short = sum_over(j, x[j]), sum_over(spoof, x[spoof])
    dw = adjoint_of(w, graph.cost)
    return Derivation(graph, (Adjoint(dw, (), (step(dw[()], right),), short),))


def other_symbol_in_the_closed_form() -> Derivation:
    graph, x, w, j = linear()
    other = Tensor("x", x.slots, x.role, "y", 7)
    dw = adjoint_of(w, graph.cost)
    chain = (step(dw[()], sum_over(j, x[j])),)
    return Derivation(graph, (Adjoint(dw, (), chain, sum_over(j, other[j])),))


def steps_in_a_list() -> Derivation:
    graph, x, w, j = linear()
    dw = adjoint_of(w, graph.cost)
    right = sum_over(j, x[j])
    return Derivation(graph, (Adjoint(dw, (), [step(dw[()], right)], right),))  # type: ignore[arg-type]


def root_and_variable_swapped() -> Derivation:
    graph, _, w, _ = linear()
    return Derivation(graph, (one_step(adjoint_of(graph.cost, w), ZERO),))


def cost_without_equation() -> Derivation:
    graph, _, w, _ = linear()
    other = Tensor("K", (), Role.COST)
    return Derivation(Graph(graph.blocks, other), (one_step(adjoint_of(w, other), ZERO),))


def order_forgotten() -> Derivation:
    """t[1] = a^2 and t[v] = q for v = 2..T, the latter by an index without order."""
    b = Builder()
    time = b.axis("time", "T", ordered=True)
    a, q = (b.tensor(name, [], Role.PARAMETER) for name in "aq")
    t, c = b.tensor("t", [time]), b.tensor("C", [], Role.COST)
    (v,) = b.over(Axis("time", as_index(Size("T")), Index(2)))
    b.define(t, [v], q[()])
    b.define(t, [1], a[()] ** 2)
    b.define(c, [], t[1] ** 2)
    graph = b.graph(c)
    return Derivation(graph, (one_step(adjoint_of(a, c), 4 * q[()] * a[()]),))


def circular() -> Derivation:
    b = Builder()
    time = b.axis("time", "T", ordered=True)
    a = b.tensor("a", [], Role.PARAMETER)
    h, c = b.tensor("h", [time]), b.tensor("C", [], Role.COST)
    b.define(h, [1], a[()])
    b.define(h, [2], h[2] + 1)
    b.define(c, [], h[2])
    return backprop(b.graph(c), [a])


def examples_interact() -> Derivation:
    """l[s] = (Σ_r x[r]) x[s]: dl[s]/dx[s] is not what the sum of all losses gives."""
    b = Builder()
    x = b.tensor("x", [b.examples], Role.INPUT)
    mu, loss = b.tensor("mu", []), b.tensor("l", [b.examples], Role.LOSS)
    c = b.tensor("C", [], Role.COST)
    (r,) = b.over(b.examples)
    b.define(mu, [], sum_over(r, x[r]))
    (s,) = b.over(b.examples)
    b.define(loss, [s], mu[()] * x[s])
    (s,) = b.over(b.examples)
    b.define(c, [], sum_over(s, loss[s]))
    graph = b.graph(c, loss)
    (s,) = b.over(b.examples)
    return Derivation(graph, (one_step(adjoint_of(x, loss), mu[()] + x[s], s),))


@pytest.mark.parametrize(
    "attack",
    [
        derivative_by_itself,
        other_range_in_the_closed_form,
        other_symbol_in_the_closed_form,
        steps_in_a_list,
        root_and_variable_swapped,
        cost_without_equation,
        order_forgotten,
        circular,
        examples_interact,
    ],
    ids=lambda attack: attack.__name__,
)
def test_it_is_refused(attack: Callable[[], Derivation]) -> None:
    with pytest.raises(IllFormed):
        check(attack())


def test_a_partial_derivative_is_not_read_as_a_total_one() -> None:
    """C does not use w directly, so + ∂C/∂w is no way of writing + 0."""
    graph, t, _ = squares(example_loss=False)
    honest = backprop(graph, [t["w"]])
    last = honest.adjoints[-1]
    more = last.closed + Partial(t["C"][()], t["w"][()])
    spoilt = Adjoint(last.tensor, (), (*last.steps, step(last.closed, more)), more)
    checked = check(Derivation(graph, (*honest.adjoints[:-1], spoilt)))
    assert checked.chains[-1].verdicts[-1].status is Status.UNDECIDED


def test_the_factor_of_the_last_example_is_not_that_of_all() -> None:
    """C = l[m] + 5 Σ_{s<m} l[s] along an ordered axis of examples."""
    b = Builder()
    m = as_index(Size("m"))
    every = Axis("example", m, ordered=True)
    x, w = b.tensor("x", [every], Role.INPUT), b.tensor("w", [], Role.PARAMETER)
    loss, c = b.tensor("l", [every], Role.LOSS), b.tensor("C", [], Role.COST)
    (s,) = b.over(every)
    b.define(loss, [s], (w[()] * x[s]) ** 2)
    (s,) = b.over(Axis("example", m - 1, ordered=True))
    b.define(c, [], loss[m] + 5 * sum_over(s, loss[s]))
    graph = b.graph(c, loss)
    (s,) = b.over(every)
    dloss, dw = adjoint_of(loss, c), adjoint_of(w, c)
    last = Adjoint(dloss, (m,), (step(dloss[m], Number.of(1)),), Number.of(1))
    claim = sum_over(s, 2 * w[()] * x[s] ** 2)
    checked = check(Derivation(graph, (last, one_step(dw, claim))))
    assert checked.chains[-1].verdicts[-1].status is not Status.PROVED

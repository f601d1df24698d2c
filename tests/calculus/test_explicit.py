"""Networks written out by SymPy, and the index result held against them entry by entry."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest
import sympy

from symderiv.algebra.expr import Access, Apply, Role, Tensor, sum_over
from symderiv.algebra.index import Axis, Index, as_index
from symderiv.calculus import exchange, explicit, kernels
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.explicit import ExplicitNetwork, compare
from symderiv.calculus.graph import Graph
from symderiv.calculus.kernels import Kernels
from symderiv.calculus.networks import any_depth, feed_forward
from tests.oracles.forward import sizes
from tests.oracles.mutations import mutants
from tests.oracles.networks import Case, of_any_depth, written_out

CASES = [*written_out(examples=2), *of_any_depth(examples=2)]


def tensor(graph: Graph, name: str) -> Tensor:
    return next(t for t in graph.tensors if t.name == name)


# --- What SymPy finds by itself ------------------------------------------------------------------


def test_the_2_3_1_network_written_out() -> None:
    graph = feed_forward(["sigmoid", "sigmoid"], "bce", layout="single")
    net = ExplicitNetwork.from_graph(graph, sizes([2, 3, 1]))
    written = net.written_out()

    def lines(pairs: tuple[tuple[object, object], ...]) -> list[str]:
        return [f"{left} = {right}" for left, right in pairs]

    assert lines(written.forward)[0] == "z1[1] = W1[1,1]*x[1] + W1[1,2]*x[2] + b1[1]"
    assert "a1[2] = 1/(1 + exp(-z1[2]))" in lines(written.forward)
    assert lines(written.errors) == [
        "dC/dz2[1] = a2[1] - y[1]",
        "dC/dz1[3] = W2[1,3]*a1[3]*dC/dz2[1]*(1 - a1[3])",
        "dC/dz1[2] = W2[1,2]*a1[2]*dC/dz2[1]*(1 - a1[2])",
        "dC/dz1[1] = W2[1,1]*a1[1]*dC/dz2[1]*(1 - a1[1])",
    ]
    assert lines(written.gradients)[:3] == [
        "dC/dW1[1,1] = dC/dz1[1]*x[1]",
        "dC/dW1[1,2] = dC/dz1[1]*x[2]",
        "dC/dW1[2,1] = dC/dz1[2]*x[1]",
    ]
    assert len(written.gradients) == 13
    left = written.errors[0][0]
    assert net.entries[left] == (tensor(graph, "z2"), (1,), graph.cost)


@pytest.mark.parametrize(
    ("activation", "closed"),
    [("sigmoid", "a*(1 - a)"), ("tanh", "(1 - a)*(a + 1)"), ("exp", "a")],
)
def test_slopes_in_terms_of_the_value_are_found_and_checked(activation: str, closed: str) -> None:
    graph = feed_forward([activation], "mse", layout="single")
    net = ExplicitNetwork.from_graph(graph, sizes([2, 3]))
    net.written_out()
    (form,) = net.closed_forms.values()
    assert str(form.closed.xreplace({form.value: sympy.Symbol("a")})) == closed
    assert Kernels().zero(form.closed.xreplace({form.value: form.definition}) - form.derivative)


def test_softmax_with_cross_entropy_leaves_a_minus_y() -> None:
    graph = feed_forward(["softmax"], "ce")
    net = ExplicitNetwork.from_graph(graph, sizes([2, 3], examples=2))
    assert str(net.adjoint(tensor(graph, "z1"), (2, 1))) == "a1[2,1] - y[2,1]"


def test_gradients_have_the_shape_of_their_parameters() -> None:
    graph = feed_forward(["sigmoid", "sigmoid"], "bce", layout="rows")
    net = ExplicitNetwork.from_graph(graph, sizes([2, 3, 1]))
    assert net.gradient(tensor(graph, "W1")).shape == (2, 3)
    assert net.gradient(tensor(graph, "b1")).shape == (3, 1)
    family = any_depth("sigmoid", "sigmoid", "mse")
    net = ExplicitNetwork.from_graph(family, sizes([2, 3, 4], depth=2))
    assert net.gradient(tensor(family, "W"), 1).shape == (3, 2)
    assert net.gradient(tensor(family, "W"), 2).shape == (4, 3)
    with pytest.raises(ValueError, match="which member"):
        net.gradient(tensor(family, "W"))


def test_nothing_here_knows_how_the_index_result_was_found() -> None:
    forbidden = {"backprop", "simplify", "rewriting", "differentiate", "rules", "proof"}
    for module in (explicit, exchange, kernels):
        source = Path(module.__file__ or "").read_text(encoding="utf-8")
        nodes = list(ast.walk(ast.parse(source)))
        imported = {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}
        assert not {part for name in imported for part in name.split(".")} & forbidden
        assert not {n.attr for n in nodes if isinstance(n, ast.Attribute)} & {"derivatives"}


# --- The index result ----------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_index_result_is_the_explicit_one_entry_by_entry(case: Case) -> None:
    net = ExplicitNetwork.from_graph(case.graph, case.sizes)
    assert compare(net, case.derive()) == []


STEPWISE = [
    Case(
        c.name, c.graph, {size: min(n, 2) if size.name == "n" else n for size, n in c.sizes.items()}
    )
    for c in CASES
    if c.name.startswith(("rows 3-4-2", "single 2-5-3", "columns L=2", "columns 2-3-1"))
]


@pytest.mark.parametrize("case", STEPWISE, ids=lambda c: c.name)
def test_every_step_of_every_chain_is_the_explicit_result(case: Case) -> None:
    net = ExplicitNetwork.from_graph(case.graph, case.sizes)
    assert compare(net, case.derive(), every_step=True) == []


PLANTED = [
    next(c for c in CASES if c.name == name)
    for name in (
        "columns 2-3-1:sigmoid,sigmoid+bce {'l2': True}",
        "rows 3-4-2:relu,identity+mse {}",
        "single L=2:tanh,softmax+ce {'l2': True}",
    )
]


@pytest.mark.parametrize("case", PLANTED, ids=lambda c: c.name)
def test_planted_errors_are_found_where_they_were_planted(case: Case) -> None:
    net = ExplicitNetwork.from_graph(case.graph, case.sizes)
    planted = list(mutants(case.derive()))
    assert len(planted) > 40
    missed = []
    for adjoint, what, wrong in planted:
        alone = replace(wrong, adjoints=tuple(a for a in wrong.adjoints if a.tensor == adjoint))
        if not compare(net, alone):
            missed.append(f"{adjoint.name}: {what}")
    assert missed == []


def test_a_missing_and_a_doubled_chain_are_found() -> None:
    graph = any_depth("sigmoid", "sigmoid", "mse", layout="single")
    net = ExplicitNetwork.from_graph(graph, sizes([2, 3, 2], depth=2))
    derivation = backprop(graph, [tensor(graph, "W")])
    twice = type(derivation)(graph, (*derivation.adjoints, derivation.adjoints[-1]))
    assert {m.note for m in compare(net, twice)} == {"2 chains are about this entry"}


def test_an_entry_that_reaches_the_loss_of_another_example_is_refused() -> None:
    """A hand-made graph whose examples interact, but whose errors claim that they do not."""
    b = Builder("columns")
    units = b.units(0)
    x = b.tensor("x", b.batch(units), Role.PARAMETER)
    loss = b.tensor("ell", (b.examples,), Role.LOSS)
    (s, t) = b.over(b.examples, b.examples)
    (i,) = b.over(units)
    total = sum_over((i, t), x[i, t] ** 2)
    b.define(loss, (s,), total)
    cost = b.define(b.tensor("C", (), Role.COST), (), sum_over((s,), loss[s]))
    graph = b.graph(cost, loss)
    assert graph.per_example == frozenset()
    graph.__dict__["per_example"] = frozenset({x})
    net = ExplicitNetwork.from_graph(graph, sizes([2], examples=2))
    with pytest.raises(ValueError, match="not only through its example's loss"):
        net.adjoint(x, (1, 1))


def test_3_4_4_4_2_takes_a_second_at_most() -> None:
    graph = feed_forward(["sigmoid"] * 4, "bce")
    derivation = backprop(graph, [t for t in graph.inputs if t.role is Role.PARAMETER])
    net = ExplicitNetwork.from_graph(graph, sizes([3, 4, 4, 4, 2], examples=3))
    assert compare(net, derivation) == []


# --- Kernels -------------------------------------------------------------------------------------

U, V = sympy.symbols("u v", real=True)
E, LOG, ROOT = sympy.exp, sympy.log, sympy.sqrt


@pytest.mark.parametrize(
    "zero",
    [
        E(-U) * E(U) - 1,
        E(U / 2) ** 2 - E(U),
        E(U + V) - E(U) * E(V),
        1 / (1 + E(-U)) - E(U) / (1 + E(U)),
        LOG(U * V) - LOG(U) - LOG(V),
        LOG(1 / (1 + E(-U))) - U + LOG(1 + E(U)),
        LOG(sympy.Rational(6, 5)) - LOG(2) - LOG(3) + LOG(5),
        1 / ROOT(1 + U**2) - ROOT(1 + U**2) / (1 + U**2),
        sympy.Piecewise((1, U > 0), (0, True)) + sympy.Piecewise((1, U < 0), (0, True)) - 1,
        sympy.Piecewise((U, U > 0), (0, True)) ** 2 - sympy.Piecewise((U**2, U > 0), (0, True)),
        E(3 * U / 7) * E(-3 * U / 7) - 1,
        sympy.erf((U**2 - 1) / (U + 1)) - sympy.erf(U - 1),
    ],
)
def test_laws_of_the_kernels(zero: object) -> None:
    assert Kernels().zero(zero)
    assert not Kernels().zero(zero + U / 7)  # type: ignore[operator]


@pytest.mark.parametrize("activation", ["elu", "softplus", "silu", "gelu", "gelu-tanh", "selu"])
def test_stated_slopes_in_a_network_are_those_sympy_finds(activation: str) -> None:
    graph = feed_forward([activation, "identity"], "half-mse", layout="single")
    case = Case(activation, graph, sizes([1, 2, 1]))
    assert compare(ExplicitNetwork.from_graph(graph, case.sizes), case.derive()) == []


@pytest.mark.parametrize("loss", ["poisson-log", "huber", "log-cosh", "focal", "kl"])
def test_stated_slopes_of_losses_are_those_sympy_finds(loss: str) -> None:
    graph = feed_forward(["softmax" if loss == "kl" else "sigmoid"], loss, layout="single")
    case = Case(loss, graph, sizes([1, 2]))
    assert compare(ExplicitNetwork.from_graph(graph, case.sizes), case.derive()) == []


@pytest.mark.parametrize("nothing", [1 / (U - U * V / V) * 0 + U, E(U) - E(2 * U), LOG(U) - U])
def test_what_is_not_zero(nothing: object) -> None:
    assert not Kernels().zero(nothing)


# --- The exchange form ---------------------------------------------------------------------------


def test_a_graph_with_a_hole_is_refused() -> None:
    b = Builder("single")
    layers = Axis("layer", as_index(3), Index(1), ordered=True)
    family = b.tensor("t", (layers,))
    b.define(family, (1,), Apply("exp", (Access(b.tensor("u", ()), ()),), (0,)))
    cost = b.define(b.tensor("C", (), Role.COST), (), family[2])
    with pytest.raises(ValueError, match=r"no equation defines t\[2\]"):
        ExplicitNetwork.from_graph(b.graph(cost), {})

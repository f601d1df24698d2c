"""Layers: the closed forms are the formulas of the textbooks, and no longer than these."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from symderiv.algebra.expr import (
    Access,
    Bracket,
    Expr,
    Role,
    Select,
    SizeOf,
    Tensor,
    apply,
    delta,
    sum_over,
    walk,
)
from symderiv.algebra.index import Index, Var, fresh
from symderiv.algebra.normal import equal
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.graph import Graph
from symderiv.calculus.jacobian import hessian, jacobian
from symderiv.calculus.layers import activate, dense, per_example_loss
from symderiv.calculus.layers import cost as total_cost
from symderiv.calculus.steps import Adjoint, Derivation
from symderiv.proof.check import check
from tests.calculus.layer_cases import LAYERS

Quantities = dict[str, Tensor]
Formula = Callable[..., Expr]


def quantities(derivation: Derivation) -> Quantities:
    """Every tensor of the graph and of the chains by name."""
    graph = derivation.graph
    adjoints = (*graph.upstream, *(a.tensor for a in derivation.adjoints))
    return {t.name: t for t in (*graph.tensors, *adjoints)}


def chains(derivation: Derivation, name: str) -> list[Adjoint]:
    """The chains of one adjoint: one, or the last member's and the others'."""
    return [a for a in derivation.adjoints if a.tensor.name == name]


def length(expr: Expr) -> int:
    """How many entries, sizes, brackets and functions a formula is written with."""
    kinds = Access | SizeOf | Bracket | Select
    return sum(isinstance(node, kinds) or type(node).__name__ == "Apply" for node in walk(expr))


def along(tensor: Tensor, axis: int) -> Var:
    """A new index for an axis of a tensor."""
    return fresh(tensor.axes[axis], "k")


# --- Formulas: called with the tensors by name and the indices of the adjoint's left side -------


def batch_norm_x(t: Quantities, i: Index, s: Index) -> Expr:
    """γ/(m s) (m ȳ − Σ ȳ − x̂ Σ ȳ x̂)"""
    y, xhat, gamma, deviation = t["dy1"], t["xhat1"], t["gamma1"], t["s1"]
    u, v = along(y, 1), along(y, 1)
    m = SizeOf(u.axis.size)
    terms = m * y[i, s] - sum_over(u, y[i, u]) - xhat[i, s] * sum_over(v, y[i, v] * xhat[i, v])
    return gamma[i] / (m * deviation[i]) * terms


def layer_norm_x(t: Quantities, i: Index, s: Index) -> Expr:
    """1/(n s) (n g − Σ g − x̂ Σ g x̂), g = ∂C/∂x̂"""
    g, xhat, deviation = t["dxhat1"], t["xhat1"], t["s1"]
    u, v = along(g, 0), along(g, 0)
    n = SizeOf(u.axis.size)
    terms = n * g[i, s] - sum_over(u, g[u, s]) - xhat[i, s] * sum_over(v, g[v, s] * xhat[v, s])
    return terms / (n * deviation[s])


def rms_norm_x(t: Quantities, i: Index, s: Index) -> Expr:
    """1/(n r) (n g − x̂ Σ g x̂), g = ∂C/∂x̂"""
    g, xhat, root = t["dxhat1"], t["xhat1"], t["r1"]
    v = along(g, 0)
    n = SizeOf(v.axis.size)
    return (n * g[i, s] - xhat[i, s] * sum_over(v, g[v, s] * xhat[v, s])) / (n * root[s])


def norm_gamma(t: Quantities, i: Index) -> Expr:
    """Σ ȳ x̂"""
    s = along(t["dy1"], 1)
    return sum_over(s, t["dy1"][i, s] * t["xhat1"][i, s])


def norm_beta(t: Quantities, i: Index) -> Expr:
    """Σ ȳ"""
    s = along(t["dy1"], 1)
    return sum_over(s, t["dy1"][i, s])


def norm_xhat(t: Quantities, i: Index, s: Index) -> Expr:
    """γ ȳ"""
    return t["gamma1"][i] * t["dy1"][i, s]


def attention_weights(t: Quantities, i: Index, j: Index) -> Expr:
    """dP = dO Vᵀ"""
    e = along(t["dO"], 1)
    return sum_over(e, t["dO"][i, e] * t["V"][j, e])


def attention_scores(t: Quantities, i: Index, j: Index) -> Expr:
    """dS = P ⊙ (dP − Σ_k P dP): with the mask too, since P is 0 where it is."""
    p, dp = t["P"], t["dP"]
    k = along(p, 1)
    return p[i, j] * (dp[i, j] - sum_over(k, p[i, k] * dp[i, k]))


def attention_queries(t: Quantities, i: Index, c: Index) -> Expr:
    """dS K / √d"""
    j = along(t["K"], 0)
    depth = SizeOf(t["K"].axes[1].size)
    return sum_over(j, t["dS"][i, j] * t["K"][j, c]) / apply("sqrt", depth)


def attention_keys(t: Quantities, j: Index, c: Index) -> Expr:
    """dSᵀ Q / √d"""
    i = along(t["Q"], 0)
    depth = SizeOf(t["K"].axes[1].size)
    return sum_over(i, t["dS"][i, j] * t["Q"][i, c]) / apply("sqrt", depth)


def attention_values(t: Quantities, j: Index, e: Index) -> Expr:
    """Pᵀ dO"""
    i = along(t["Q"], 0)
    return sum_over(i, t["P"][i, j] * t["dO"][i, e])


def softmax_scores(t: Quantities, i: Index, j: Index) -> Expr:
    """p (ȳ − Σ_k p ȳ)"""
    return attention_scores(t, i, j)


def convolution_x(t: Quantities, d: Index, j: Index) -> Expr:
    """Σ_c Σ_i [1 ≤ j − s(i−1) + p ≤ K] W[c,d,j−s(i−1)+p] ȳ[c,i], with s = 2 and p = 1"""
    c, i = along(t["dy1"], 0), along(t["dy1"], 1)
    r = j - (i - 1) * 2 + 1
    inside = Bracket(r - 1) * Bracket(t["W1"].axes[2].stop - r)
    return sum_over((c, i), inside * t["W1"][c, d, r] * t["dy1"][c, i])


def convolution_w(t: Quantities, c: Index, d: Index, r: Index) -> Expr:
    """Σ_i [1 ≤ s(i−1)+r−p ≤ n] ȳ[c,i] x[d,s(i−1)+r−p], with s = 2 and p = 1"""
    i = along(t["dy1"], 1)
    j = (i - 1) * 2 + r - 1
    inside = Bracket(j - 1) * Bracket(t["x"].axes[1].stop - j)
    return sum_over(i, inside * t["dy1"][c, i] * t["x"][d, j])


def prelu_z(t: Quantities, i: Index, s: Index) -> Expr:
    """ȳ ([z > 0] + (1 − [z > 0]) α)"""
    on = apply("positive", t["z"][i, s])
    return t["da1"][i, s] * (on + (1 - on) * t["alpha1"][i])


def prelu_alpha(t: Quantities, i: Index) -> Expr:
    """Σ_s ȳ (1 − [z > 0]) z"""
    s = along(t["z"], 1)
    return sum_over(s, t["da1"][i, s] * (1 - apply("positive", t["z"][i, s])) * t["z"][i, s])


def rnn_delta(t: Quantities, time: Index, i: Index, s: Index) -> Expr:
    """δ[t] = (Wᵀ δ[t+1] + Vᵀ ō[t]) ⊙ (1 − h[t]²), without the first term at t = T"""
    k, n = along(t["V"], 0), along(t["W"], 0)
    total = sum_over(k, t["V"][k, i] * t["do"][time, k, s])
    if time.variable is not None:
        total = total + sum_over(n, t["W"][n, i] * t["dz"][time + 1, n, s])
    return total * (1 - t["h"][time, i, s] ** 2)


def rnn_w(t: Quantities, i: Index, j: Index) -> Expr:
    """Σ_t Σ_s δ[t] h[t−1]ᵀ"""
    time, s = along(t["z"], 0), along(t["z"], 2)
    return sum_over((time, s), t["dz"][time, i, s] * t["h"][time - 1, j, s])


def rnn_start(t: Quantities, i: Index, s: Index) -> Expr:
    """Wᵀ δ[1]"""
    k = along(t["W"], 0)
    return sum_over(k, t["W"][k, i] * t["dz"][1, k, s])


def lstm_state(t: Quantities, k: Index, s: Index) -> Expr:
    """c̄′ + h̄ o (1 − tanh²)"""
    return t["dc2"][k, s] + t["dh1"][k, s] * t["o"][k, s] * (1 - t["r"][k, s] ** 2)


def lstm_forget(t: Quantities, k: Index, s: Index) -> Expr:
    """δc c f (1 − f)"""
    f = t["f"][k, s]
    return t["dc1"][k, s] * t["c"][k, s] * f * (1 - f)


def lstm_candidate(t: Quantities, k: Index, s: Index) -> Expr:
    """δc i (1 − g²)"""
    return t["dc1"][k, s] * t["i"][k, s] * (1 - t["g"][k, s] ** 2)


def lstm_output(t: Quantities, k: Index, s: Index) -> Expr:
    """h̄ tanh(c′) o (1 − o)"""
    o = t["o"][k, s]
    return t["dh1"][k, s] * t["r"][k, s] * o * (1 - o)


def lstm_before(t: Quantities, k: Index, s: Index) -> Expr:
    """δc f"""
    return t["dc1"][k, s] * t["f"][k, s]


FORMULAS: tuple[tuple[str, str, Formula], ...] = (
    ("batch norm, columns", "dx", batch_norm_x),
    ("batch norm, columns", "dgamma1", norm_gamma),
    ("batch norm, columns", "dbeta1", norm_beta),
    ("layer norm, columns", "dxhat1", norm_xhat),
    ("layer norm, columns", "dx", layer_norm_x),
    ("layer norm, columns", "dgamma1", norm_gamma),
    ("RMS norm, columns", "dxhat1", norm_xhat),
    ("RMS norm, columns", "dx", rms_norm_x),
    ("RMS norm, columns", "dgamma1", norm_gamma),
    ("softmax", "dS", softmax_scores),
    ("conv1d, stride 2, padding 1", "dx", convolution_x),
    ("conv1d, stride 2, padding 1", "dW1", convolution_w),
    ("conv1d, stride 2, padding 1", "db1", norm_beta),
    ("PReLU", "dz", prelu_z),
    ("PReLU", "dalpha1", prelu_alpha),
    ("RNN, columns", "dz", rnn_delta),
    ("RNN, columns", "dW", rnn_w),
    ("RNN, columns", "dh0", rnn_start),
    ("LSTM", "dc1", lstm_state),
    ("LSTM", "dz_f", lstm_forget),
    ("LSTM", "dz_g", lstm_candidate),
    ("LSTM", "dz_o", lstm_output),
    ("LSTM", "dc", lstm_before),
    *(
        (name, adjoint, formula)
        for name in ("attention", "causal attention")
        for adjoint, formula in (
            ("dP", attention_weights),
            ("dS", attention_scores),
            ("dQ", attention_queries),
            ("dK", attention_keys),
            ("dV", attention_values),
        )
    ),
)


@pytest.mark.parametrize(
    ("layer", "adjoint", "formula"), FORMULAS, ids=[f"{name}: {a}" for name, a, _ in FORMULAS]
)
def test_formula(layer: str, adjoint: str, formula: Formula) -> None:
    derivation = LAYERS[layer].derive()
    found = chains(derivation, adjoint)
    assert found
    for chain in found:
        expected = formula(quantities(derivation), *chain.indices)
        assert equal(chain.closed, expected)
        assert length(chain.closed) <= length(expected)


def test_max_pooling_sends_the_gradient_to_the_winner() -> None:
    derivation = LAYERS["max pooling, stride 2"].derive()
    t = quantities(derivation)
    (chain,) = chains(derivation, "dx")
    c, j = chain.indices
    (forward,) = (n for n in walk(derivation.graph.definitions[0].body) if isinstance(n, Select))
    i, rival = along(t["dy1"], 1), fresh(forward.var.axis, "r")
    wins = Select(j - (i - 1) * 2, rival, t["x"][c, (i - 1) * 2 + rival])
    expected = sum_over(i, wins * t["dy1"][c, i])
    assert equal(chain.closed, expected) and length(chain.closed) <= length(expected)


def test_time_is_passed_through_backwards() -> None:
    """One chain for t = T and one for every t < T: the reverse recurrence, whatever T is."""
    last, others = chains(LAYERS["RNN, columns"].derive(), "dz")
    time = last.tensor.slots[0].axis
    assert last.indices[0] == time.stop
    earlier = others.indices[0].variable
    assert earlier is not None and earlier.axis.stop == time.stop - 1


# --- Jacobians and Hessians -----------------------------------------------------------------------


def softmax_layer() -> tuple[Graph, Tensor, Tensor]:
    b = Builder("single")
    units = b.units(0, "n")
    z = b.tensor("z", (units,), Role.INPUT)
    p = activate(b, "softmax", z, units, 1)
    return b.graph(cost=p), p, z


def test_the_jacobian_of_softmax() -> None:
    """∂p_i/∂z_j = p_i ([i = j] − p_j): diag(p) − p pᵀ"""
    graph, p, z = softmax_layer()
    derivation = jacobian(graph, p, z)
    chain = derivation.adjoints[-1]
    i, j = chain.indices
    expected = p[i] * (delta(i, j) - p[j])
    assert equal(chain.closed, expected) and length(chain.closed) <= length(expected)
    assert all_proved(derivation)


@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_the_hessian_of_logistic_regression(layout: str) -> None:
    """1/m Xᵀ diag(a ⊙ (1 − a)) X: the Jacobian of the gradient that was derived, a scalar output"""
    b = Builder(layout)
    inputs, output = b.units(0), b.units(1, "k")
    x = b.tensor("x", b.batch(inputs), Role.INPUT)
    z = dense(b, x, inputs, output, layer=1)
    a = activate(b, "sigmoid", z, output, 1)
    ell, _ = per_example_loss(b, "bce", a, output)
    graph = b.graph(total_cost(b, ell, "mean", [], False), ell)
    w = b.parameter("W1")
    derivation = hessian(backprop(graph, [w]), w)
    chain = derivation.adjoints[-1]
    p, i, q, j = chain.indices if layout == "columns" else _transposed(chain.indices)
    s = fresh(b.examples, "s")
    m = SizeOf(b.examples.size)
    probability = b.at(a, p, s)
    product = b.at(x, i, s) * probability * (1 - probability) * b.at(x, j, s)
    expected = delta(p, q) / m * sum_over(s, product)
    assert equal(chain.closed, expected) and length(chain.closed) <= length(expected)
    assert all_proved(derivation)


def _transposed(indices: tuple[Index, ...]) -> tuple[Index, ...]:
    i, p, j, q = indices
    return p, i, q, j


def all_proved(derivation: Derivation) -> bool:
    checked = check(derivation)
    return not checked.refuted and not checked.unproved

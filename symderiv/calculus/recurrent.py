"""Recurrent layers: a network along time, and one step of an LSTM; forward equations only.

Source: Elman 1990; Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.
"""

from __future__ import annotations

from collections.abc import Callable

from symderiv.algebra.expr import Access, Expr, Role, Tensor, sum_over
from symderiv.algebra.index import Axis, IndexLike, Var, as_index
from symderiv.calculus.builder import Builder
from symderiv.calculus.functions import scalar


def rnn(
    b: Builder,
    x: Tensor,
    inputs: Axis,
    hidden: Axis,
    outputs: Axis,
    activation: str = "tanh",
) -> Tensor:
    """h[t] = tanh(z[t]), z[t] = W h[t−1] + U x[t] + b, o[t] = V h[t] + c, for t = 1…T.

    ``x`` is a family along an ordered axis of time. The hidden state starts as h[0] = h0.
    """
    time = x.axes[0]
    (t,) = b.over(time)
    since_start = Axis(time.name, time.stop, time.start - 1, ordered=True)
    (u,) = b.over(since_start)
    w = b.tensor("W", b.weights(hidden, hidden), Role.PARAMETER)
    into = b.tensor("U", b.weights(hidden, inputs), Role.PARAMETER)
    out = b.tensor("V", b.weights(outputs, hidden), Role.PARAMETER)
    bias = b.tensor("b", (hidden,), Role.PARAMETER)
    shift = b.tensor("c", (outputs,), Role.PARAMETER)
    start = b.tensor("h0", b.batch(hidden), Role.INPUT)
    z = b.tensor("z", b.batch(hidden), Role.PREACTIVATION, family=t)
    h = b.tensor("h", b.batch(hidden), Role.ACTIVATION, family=u)
    o = b.tensor("o", b.batch(outputs), Role.PREACTIVATION, family=t)
    b.named.update((z.name,))

    pair, i, s = b.unit_and_example(hidden)
    b.define(h, (time.start - 1, *pair), b.at(start, i, s), "the initial state")

    def one_step() -> None:
        before = as_index(t) - 1
        pair, i, s = b.unit_and_example(hidden)
        recalled = weighted(b, w, i, hidden, lambda j: b.at_family(h, before, j, s))
        seen = weighted(b, into, i, inputs, lambda j: b.at_family(x, t, j, s))
        b.define(z, (t, *pair), recalled + seen + bias[i], "weighted input")
        pair, i, s = b.unit_and_example(hidden)
        b.define(h, (t, *pair), scalar(activation)(b.at_family(z, t, i, s)), "hidden state")
        pair, i, s = b.unit_and_example(outputs)
        told = weighted(b, out, i, hidden, lambda j: b.at_family(h, t, j, s))
        b.define(o, (t, *pair), told + shift[i], "output")

    b.recurrence(t, one_step)
    return o


def lstm_cell(
    b: Builder, x: Tensor, h: Tensor, c: Tensor, inputs: Axis, hidden: Axis
) -> tuple[Tensor, Tensor]:
    """c′ = f ⊙ c + i ⊙ g, h′ = o ⊙ tanh c′; gates i, f, o = σ(z), candidate g = tanh(z).

    Each has z = W x + R h + b of its own. Returns h′ and the state c′ that is handed on.
    """
    gates = {name: _gate(b, name, x, h, inputs, hidden) for name in ("i", "f", "o", "g")}

    def entry(name: str, k: Var, s: Var | None) -> Access:
        return b.at(gates[name], k, s)

    state = b.tensor("c1", b.batch(hidden), Role.ACTIVATION, "c")
    pair, k, s = b.unit_and_example(hidden)
    kept, added = entry("f", k, s) * b.at(c, k, s), entry("i", k, s) * entry("g", k, s)
    b.define(state, pair, kept + added, "new state", "lstm")
    b.named.add(state.name)
    squashed = b.tensor("r", b.batch(hidden), Role.ACTIVATION)
    pair, k, s = b.unit_and_example(hidden)
    b.define(squashed, pair, scalar("tanh")(b.at(state, k, s)), "squashed state", "lstm")
    output = b.tensor("h1", b.batch(hidden), Role.ACTIVATION, "h")
    pair, k, s = b.unit_and_example(hidden)
    b.define(output, pair, entry("o", k, s) * b.at(squashed, k, s), "output", "lstm")
    handed_on = b.tensor("c2", b.batch(hidden), Role.ACTIVATION, "c")
    pair, k, s = b.unit_and_example(hidden)
    b.define(handed_on, pair, b.at(state, k, s), "the state is handed on", "lstm")
    return output, handed_on


def _gate(b: Builder, name: str, x: Tensor, h: Tensor, inputs: Axis, hidden: Axis) -> Tensor:
    """σ(W x + R h + b), or tanh for the candidate g."""
    w = b.tensor(f"W_{name}", b.weights(hidden, inputs), Role.PARAMETER)
    r = b.tensor(f"R_{name}", b.weights(hidden, hidden), Role.PARAMETER)
    bias = b.tensor(f"b_{name}", (hidden,), Role.PARAMETER)
    z = b.tensor(f"z_{name}", b.batch(hidden), Role.PREACTIVATION)
    pair, k, s = b.unit_and_example(hidden)
    seen = weighted(b, w, k, inputs, lambda j: b.at(x, j, s))
    recalled = weighted(b, r, k, hidden, lambda j: b.at(h, j, s))
    b.define(z, pair, seen + recalled + bias[k], f"weighted input of {name}", "lstm")
    b.named.add(z.name)
    gate = b.tensor(name, b.batch(hidden), Role.ACTIVATION)
    pair, k, s = b.unit_and_example(hidden)
    function = scalar("tanh" if name == "g" else "sigmoid")
    return b.define(gate, pair, function(b.at(z, k, s)), f"gate {name}", "lstm")


def weighted(
    b: Builder, matrix: Tensor, output: IndexLike, axis: Axis, entry: Callable[[Var], Expr]
) -> Expr:
    """Σ_j W[output, j] entry(j)."""
    (j,) = b.over(axis)
    return sum_over(j, b.weight(matrix, output, j) * entry(j))

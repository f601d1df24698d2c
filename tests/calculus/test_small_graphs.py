"""Graphs off the beaten track: two steps back, Jacobians along time, mixed Hessians, refusals.

Each derivation is proved and agrees with dual numbers, or with a formula written by hand.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from symderiv.algebra.expr import (
    ONE,
    Access,
    Bracket,
    Expr,
    Role,
    SizeOf,
    Sum,
    Tensor,
    add,
    apply,
    delta,
    sum_over,
    tensors_in,
    walk,
)
from symderiv.algebra.index import Axis, Index, Size, as_index, fresh
from symderiv.algebra.normal import equal
from symderiv.calculus.attention import attention, softmax_of_rows
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.conditions import conditions
from symderiv.calculus.folding import Folds
from symderiv.calculus.functions import Domain, ScalarFunction, VectorFunction, rows
from symderiv.calculus.graph import Graph, Kind
from symderiv.calculus.jacobian import hessian, jacobian, rooted, with_gradient
from symderiv.calculus.layers import activate, cost, dense, per_example_loss
from symderiv.calculus.losses import LOSSES
from symderiv.calculus.networks import feed_forward
from symderiv.calculus.normalization import batch_norm
from symderiv.calculus.recurrent import rnn
from symderiv.calculus.simplify import LIMIT, LONGEST, Chain, TooLong
from symderiv.frontend import parse_spec
from symderiv.frontend.build import build_graph
from symderiv.proof.check import check
from tests.oracles.duals import errors
from tests.oracles.forward import sizes
from tests.proof.planted import proved

# --- Along time ---------------------------------------------------------------------------------


def filtered() -> Graph:
    """h[t] = tanh(h[t-1] + w h[t-2] + x[t] x[t-1]), C = h[T]: two steps back, inputs seen twice."""
    b = Builder("single")
    time = b.axis("time", "T", ordered=True)
    (t,) = b.over(time)
    from_start = Axis("time", time.stop, Index(-1), ordered=True)
    x = Tensor("x", (fresh(Axis("time", time.stop, Index(0), ordered=True)),), Role.INPUT)
    h = Tensor("h", (fresh(from_start),), Role.ACTIVATION)
    w = Tensor("w", (), Role.PARAMETER)
    start = Tensor("h0", (), Role.INPUT)
    b.define(h, (-1,), start[()])
    b.define(h, (0,), start[()] ** 2)

    def one_step() -> None:
        body = h[t - 1] + w[()] * h[t - 2] + x[t] * x[t - 1]
        b.define(h, (t,), apply("tanh", body))

    b.recurrence(t, one_step)
    c = Tensor("C", (), Role.COST)
    b.define(c, (), h[time.stop] * w[()])
    return b.graph(c)


def test_two_steps_back_stand_under_a_condition() -> None:
    """∂C/∂h[t] has a term for h[t+2] where t + 2 ≤ T; so has ∂C/∂h[0], if T is 2 or more."""
    graph = filtered()
    x = next(t for t in graph.inputs if t.name == "x")
    derivation = backprop(graph, [x])
    _, others, by_input = derivation.adjoints
    (t,) = others.indices
    conditions = [n for n in walk(others.steps[0].right) if isinstance(n, Bracket)]
    assert conditions == [Bracket(as_index(Size("T")) - t - 2)]
    (t,) = by_input.indices
    conditions = [n for n in walk(by_input.steps[0].right) if isinstance(n, Bracket)]
    assert set(conditions) == {Bracket(t - 1), Bracket(as_index(Size("T")) - t - 1)}


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_two_steps_back_are_proved_and_right(length: int) -> None:
    graph = filtered()
    derivation = backprop(graph, graph.inputs)
    assert proved(check(derivation))
    assert errors(graph, {Size("T"): length}, derivation) == []


@pytest.mark.parametrize("lags", [(2,), (3,), (1, 4), (2, 3, 5)])
def test_a_recurrence_reaches_back_as_far_as_it_says(lags: tuple[int, ...]) -> None:
    """h[t] = tanh(x[t] + Σ_k w_k h[t-k]), C = Σ_t h[t]²."""
    b = Builder("single")
    time = b.axis("time", "T", ordered=True)
    (t, u) = b.over(time, time)
    first = 1 - max(lags)
    x = Tensor("x", (fresh(time),), Role.INPUT)
    h = Tensor("h", (fresh(Axis("time", time.stop, Index(first), ordered=True)),), Role.ACTIVATION)
    weights = {k: Tensor(f"w{k}", (), Role.PARAMETER) for k in lags}
    starts = {n: Tensor(f"s{-n}", (), Role.INPUT) for n in range(first, 1)}
    for n, start in starts.items():
        b.define(h, (n,), start[()])
    b.recurrence(
        t,
        lambda: b.define(
            h, (t,), apply("tanh", x[t] + add(*(w[()] * h[t - k] for k, w in weights.items())))
        ),
    )
    c = Tensor("C", (), Role.COST)
    b.define(c, (), sum_over(u, h[u] ** 2))
    graph = b.graph(c)
    derivation = backprop(graph, graph.inputs)
    assert proved(check(derivation))
    for length in (1, 3, 7):
        assert errors(graph, {Size("T"): length}, derivation) == []


def read_out(first: int = 1) -> tuple[Graph, Tensor]:
    """A recurrent network whose last hidden state alone is read: y = h[T] h[T]."""
    b = Builder("single")
    units, hidden = b.units(0, "n"), b.units(0, "h")
    (t,) = b.over(Axis("time", as_index(Size("T")), Index(first), ordered=True))
    x = b.tensor("x", b.batch(units), Role.INPUT, family=t)
    rnn(b, x, units, hidden, units)
    h = b.parameter("h")
    y = Tensor("y", (fresh(hidden),), Role.ACTIVATION)
    (i,) = b.over(hidden)
    b.define(y, (i,), h[t.axis.stop, i] ** 2)
    return b.graph(cost=y), y


@pytest.mark.parametrize("name", ["h0", "b"])
def test_the_jacobian_of_a_recurrence(name: str) -> None:
    """The axes of y come first, then the time: ∂y[i]/∂h[T,j] = 2 h[T,i] [i = j]."""
    graph, y = read_out()
    wrt = next(t for t in graph.inputs if t.name == name)
    derivation = jacobian(graph, y, wrt)
    assert proved(check(derivation))
    last, *_ = (a for a in derivation.adjoints if a.tensor.name == "dy_dh")
    i, t, j = last.indices
    h = next(tensor for tensor in graph.tensors if tensor.name == "h")
    assert t == as_index(Size("T")) and equal(last.closed, 2 * h[t, i] * delta(i, j))


@pytest.mark.parametrize("first", [0, 1])
def test_time_need_not_start_at_1(first: int) -> None:
    graph, y = read_out(first)
    h = next(t for t in graph.tensors if t.name == "h")
    assert h.axes[0].start == Index(first - 1)  # the initial state
    (j,) = y.fresh_indices()
    c = Tensor("C", (), Role.COST)
    b = Builder("single")
    b.blocks = list(graph.blocks)
    b.define(c, (), sum_over(j, y[j]))
    closed = b.graph(c)
    derivation = backprop(closed, [t for t in closed.inputs if t.name != "x"])
    assert proved(check(derivation))
    numbers = {Size("T"): 4, Size("n"): 2, Size("h"): 2}
    assert errors(closed, numbers, derivation) == []


# --- Jacobians and Hessians -----------------------------------------------------------------------


def logistic(layout: str = "columns") -> tuple[Builder, Graph]:
    b = Builder(layout)
    inputs, output = b.units(0), b.units(1, "k")
    x = b.tensor("x", b.batch(inputs), Role.INPUT)
    a = activate(b, "sigmoid", dense(b, x, inputs, output, layer=1), output, 1)
    ell, _ = per_example_loss(b, "bce", a, output)
    return b, b.graph(cost(b, ell, "mean", [], False), ell)


def test_a_mixed_hessian() -> None:
    """∂²C/∂W[p,i]∂b[q] = [p = q] 1/m Σ_s a[p,s] (1 − a[p,s]) x[i,s]"""
    b, graph = logistic()
    w, offset = b.parameter("W1"), b.parameter("b1")
    x, a = b.parameter("x"), b.parameter("a1")
    derivation = hessian(backprop(graph, [w, offset]), w, offset)
    chain = derivation.adjoints[-1]
    assert chain.tensor.of == offset and proved(check(derivation))
    p, i, q = chain.indices
    s = fresh(b.examples)
    total = sum_over(s, a[p, s] * (1 - a[p, s]) * x[i, s])
    assert equal(chain.closed, delta(p, q) * total / SizeOf(b.examples.size))


def test_a_gradient_as_a_quantity_is_no_adjoint() -> None:
    b, graph = logistic()
    derivation = backprop(graph, [b.parameter("W1")])
    extended, gradient = with_gradient(derivation, b.parameter("W1"))
    added = extended.blocks[len(graph.blocks) :]
    targets = [d.target for d in added if hasattr(d, "target")]
    assert [t.name for t in targets] == ["dz1", "dW1"] and gradient == targets[-1]
    assert all(t.role is Role.AUXILIARY and not t.named for t in targets)
    with pytest.raises(ValueError, match="no gradient"):
        with_gradient(derivation, b.parameter("b1"))


def test_the_graph_of_one_quantity_has_what_it_is_computed_from() -> None:
    graph, y = read_out()
    assert [d.target.name for d in rooted(graph, y).definitions] == ["h", "z", "h", "o", "y"]
    b, graph = logistic()
    z = b.parameter("z1")
    alone = rooted(graph, z)
    assert [d.target.name for d in alone.definitions] == ["z1"] and alone.cost == z
    assert alone.example_loss is None and not alone.named


def test_a_quantity_that_nobody_asked_for_has_no_chain() -> None:
    """By the weighted input itself: its own equation does not use it."""
    graph = feed_forward(["tanh", "sigmoid"], "bce")
    z = {t.name: t for t in graph.tensors}
    derivation = backprop(graph, [z["z1"]])
    assert [a.tensor.name for a in derivation.adjoints] == ["dell", "da2", "dz2", "da1", "dz1"]
    assert proved(check(derivation)) and errors(graph, sizes([2, 3, 1]), derivation) == []


def test_an_example_meets_only_itself() -> None:
    """∂C/∂x[j,s] is a sum over the units of layer 1, not over the examples."""
    graph = feed_forward(["sigmoid"], "bce")
    x = next(t for t in graph.inputs if t.name == "x")
    chain = backprop(graph, [x]).adjoints[-1]
    sums = [n for n in walk(chain.steps[0].right) if isinstance(n, Sum)]
    assert [s.var.axis.name for s in sums] == ["unit"]


def test_examples_meet_in_the_cost_alone() -> None:
    """What has an entry for each example, and reaches the cost through that example's loss."""
    graph = feed_forward(["tanh", "softmax"], "ce", l2=True)
    names = {t.name for t in graph.per_example}
    assert names == {"x", "z1", "a1", "z2", "e2", "s2", "a2", "y", "ell"}
    assert not feed_forward(["tanh"], "mse", layout="single").per_example


def test_a_quantity_without_examples_has_the_root_of_a_parameter() -> None:
    """z = v x with v = exp(w): ∂C/∂v sums over the examples, like ∂C/∂w."""
    b = Builder("columns")
    units = b.units(0, "n")
    x = b.tensor("x", b.batch(units), Role.INPUT)
    w = b.tensor("w", (units,), Role.PARAMETER)
    v, z = b.tensor("v", (units,)), b.tensor("z", b.batch(units), Role.PREACTIVATION)
    i, s = b.over(units, b.examples)
    b.define(v, (i,), apply("exp", w[i]))
    i, s = b.over(units, b.examples)
    b.define(z, (i, s), v[i] * x[i, s])
    ell, y = per_example_loss(b, "half-mse", z, units)
    graph = b.graph(cost(b, ell, "mean", [], False), ell)
    assert v not in graph.per_example and z in graph.per_example
    derivation = backprop(graph, [w])
    assert proved(check(derivation))
    assert errors(graph, {Size("n"): 2, Size("m"): 3}, derivation) == []
    chain = derivation.adjoints[-1]
    (k,), s = chain.indices, fresh(b.examples)
    total = sum_over(s, (z[k, s] - y[k, s]) * x[k, s])
    assert equal(chain.closed, v[k] * total / SizeOf(b.examples.size))


def test_a_cost_that_uses_an_output_itself() -> None:
    """C = 1/m Σ ℓ + Σ a: then a reaches the cost not through its example's loss alone."""
    b = Builder("columns")
    units = b.units(0, "n")
    w = b.tensor("w", (units,), Role.PARAMETER)
    x = b.tensor("x", b.batch(units), Role.INPUT)
    a = b.tensor("a", b.batch(units), Role.ACTIVATION)
    i, s = b.over(units, b.examples)
    b.define(a, (i, s), apply("tanh", w[i] * x[i, s]))
    ell, _ = per_example_loss(b, "half-mse", a, units)
    i, s = b.over(units, b.examples)
    total = b.tensor("C", (), Role.COST)
    body = sum_over(s, ell[s]) / SizeOf(b.examples.size) + sum_over((i, s), a[i, s])
    graph = b.graph(b.define(total, (), body), ell)
    assert a not in graph.per_example and ell in graph.per_example
    assert errors(graph, {Size("n"): 2, Size("m"): 3}, backprop(graph, [w])) == []


def test_ways_to_a_goal_do_not_depend_on_what_was_asked_before() -> None:
    graph = feed_forward(["tanh", "sigmoid"], "bce", l2=True)
    some = [t for t in graph.tensors if t.name in ("C", "ell", "a1", "R", "W1")]
    for goal in some:
        for avoiding in (None, *some):
            for g, a in ((goal, avoiding), (avoiding, goal)):
                if g is not None:
                    anew = feed_forward(["tanh", "sigmoid"], "bce", l2=True)
                    assert graph.leading_to(g, a) == anew.leading_to(g, a)


# --- What a builder refuses, and what it takes without being told ---------------------------------


def test_outputs_must_be_computed_and_not_used() -> None:
    b = Builder("columns")
    units = b.units(0, "n")
    x = b.tensor("x", b.batch(units), Role.INPUT)
    a = activate(b, "tanh", x, units, 1)
    with pytest.raises(ValueError, match="x must be computed here"):
        b.graph(upstream=x)
    last = activate(b, "tanh", a, units, 2)
    with pytest.raises(ValueError, match="used nowhere else"):
        b.graph(upstream=a)
    with pytest.raises(ValueError, match="a graph has a cost"):
        b.graph()
    with pytest.raises(ValueError, match="a graph has a cost"):
        b.graph(cost=last, upstream=last)
    assert [a.name for a in b.graph(upstream=last).upstream] == ["da2"]
    named = Tensor("J", (), Role.COST, "J")
    assert b.graph(cost=named).cost == named
    assert b.parameter("x") == x
    with pytest.raises(KeyError):
        b.parameter("nobody")
    with pytest.raises(ValueError, match="layout"):
        Builder("diagonal")


def test_tensors_are_printed_by_their_symbol_or_their_name() -> None:
    b = Builder("rows")
    assert b.tensor("q3", ()).symbol == "q3" and b.tensor("q3", (), symbol="q").symbol == "q"


def positions(*names: str) -> tuple[Builder, list[Axis]]:
    b = Builder("single")
    return b, [b.axis("position", name) for name in names]


def test_attention_without_a_mask() -> None:
    b, (queries, keys, depth, width) = positions("n", "N", "d", "e")
    q, k = (b.tensor(s, (axis, depth), Role.INPUT) for s, axis in (("Q", queries), ("K", keys)))
    v = b.tensor("V", (keys, width), Role.INPUT)
    attention(b, q, k, v)
    assert not any("mask" in d.why for d in b.blocks)  # type: ignore[union-attr]
    wrong = b.tensor("V2", (queries, width), Role.INPUT)
    shallow = b.tensor("K2", (keys, width), Role.INPUT)
    for keys_, values_ in ((k, wrong), (shallow, v), (shallow, wrong)):
        with pytest.raises(ValueError, match="one depth"):
            attention(b, q, keys_, values_)
    with pytest.raises(ValueError, match="the same ones"):
        attention(b, q, k, v, causal=True)


def test_softmax_of_rows_without_a_mask() -> None:
    b, (m, n) = positions("m", "n")
    softmax_of_rows(b, b.tensor("S", (m, n), Role.INPUT))
    assert [d.target.name for d in b.graph(upstream=b.blocks[-1].target).definitions] == [
        "E",
        "R",
        "P",
    ]  # type: ignore[union-attr]


def test_batch_norm_needs_examples_and_names_its_statistics() -> None:
    b = Builder("rows")
    units = b.units(0, "n")
    batch_norm(b, b.tensor("x", b.batch(units), Role.INPUT), units)
    meant = {d.target.name: d.why for d in b.blocks}  # type: ignore[union-attr]
    assert meant["mu1"] == "mean" and meant["v1"] == "variance" and meant["s1"] == "deviation"
    b = Builder("single")
    units = b.units(0, "n")
    with pytest.raises(ValueError, match="mean over examples"):
        batch_norm(b, b.tensor("x", b.batch(units), Role.INPUT), units)


@pytest.mark.parametrize("name", LOSSES)
def test_targets_sum_to_1_where_classes_exclude_one_another(name: str) -> None:
    b = Builder("columns")
    units = b.units(0, "n")
    a = b.tensor("a", b.batch(units), Role.INPUT)
    ell, y = per_example_loss(b, name, a, units)
    assert ell.name == "ell" and y.role is Role.TARGET
    k = fresh(units)
    if name in ("ce", "nll", "ce-logits", "kl", "kl-logits"):
        (fact,) = b.facts
        assert equal(fact.left, sum_over(k, y[k, fact.variables[0]])) and fact.right == ONE
    else:
        assert not b.facts


def test_weights_and_biases_of_three_layers() -> None:
    graph = feed_forward(["tanh"] * 3, "mse", bias=[True, True, False], sizes=["p", None, "q", "r"])
    shapes = {t.name: [a.size for a in t.axes] for t in graph.inputs}
    p, one, q, r = (as_index(s) for s in (Size("p"), Size("n", Index(1)), Size("q"), Size("r")))
    m = as_index(Size("m"))
    expected = {"W1": [one, p], "x": [p, m], "b1": [one], "W2": [q, one], "b2": [q], "W3": [r, q]}
    assert shapes == expected | {"y": [r, m]}


# --- Domains: what their texts say --------------------------------------------------------------

INTERVALS: dict[str, tuple[int | None, int | None, bool, tuple[int, ...]]] = {
    "real": (None, None, False, ()),
    "positive": (0, None, False, ()),
    "not negative": (0, None, True, ()),
    "negative": (None, 0, False, ()),
    "between 0 and 1": (0, 1, True, ()),
    "between 0 and 1, ends excluded": (0, 1, False, ()),
    "between 0 and 1, summing to 1": (0, 1, True, ()),
    "between -1 and 1, ends excluded": (-1, 1, False, ()),
    "-1 or 1": (-1, 1, True, (-1, 1)),
    "not 0": (None, None, False, ()),
    "not positive": (None, 0, True, ()),
    "between 0 and 1, 0 excluded": (0, 1, False, ()),
}


def test_domains_are_what_they_are_called() -> None:
    from symderiv.calculus import functions

    found = {d.text: d for d in vars(functions).values() if isinstance(d, Domain)}
    assert set(found) == set(INTERVALS)
    for text, domain in found.items():
        assert (domain.low, domain.high, domain.closed, domain.values) == INTERVALS[text], text
        ends = {end: domain.contains(end) for end in (domain.low, domain.high) if end is not None}
        low, high = ends.get(domain.low), ends.get(domain.high)
        excluded = "ends excluded" in text or text in ("positive", "negative")
        assert low is not (excluded or "0 excluded" in text) or low is None, text
        assert high is not excluded or high is None, text
    assert not functions.NONZERO.contains(Fraction(0)) and functions.NONZERO.contains(Fraction(1))


def test_every_argument_has_a_domain_and_every_hyperparameter_a_value() -> None:
    for row in rows().values():
        if isinstance(row, VectorFunction):
            assert len(row.domain) == len(row.arguments), row.name
        elif isinstance(row, ScalarFunction):
            assert len(row.domain) in (1, len(row.arguments)) or not row.arguments, row.name
            assert [n for n, _ in row.hyper] == list(
                row.arguments[len(row.arguments) - len(row.hyper) :]
            )


# The defaults of torch.nn, and of Lin et al. 2017 for focal.
DEFAULTS = {
    "leaky-relu": ["0.01"],
    "elu": ["1"],
    "celu": ["1"],
    "selu": ["1.6732632423543772848170429916717", "1.0507009873554804934193349852946"],
    "huber": ["1"],
    "focal": ["2"],
    "focal-logits": ["2"],
}


def test_defaults_of_hyperparameters() -> None:
    found = {row.name: row for row in rows().values() if getattr(row, "hyper", ())}
    assert set(found) == set(DEFAULTS)
    for name, row in found.items():
        assert isinstance(row, ScalarFunction)
        values = [Fraction(text) for text in DEFAULTS[name]]
        assert [value for _, value in row.hyper] == values, name
        given = [Access(Tensor(n), ()) for n in row.arguments[: len(row.arguments) - len(values)]]
        assert row(*given) == row(*given, *values)
        for wrong in ((*given, *values, 1), ()):
            with pytest.raises(TypeError):
                row(*wrong)


# --- What is asked for, and how much is too much --------------------------------------------------


def test_gradients_are_those_by_inputs_and_by_what_was_asked_for() -> None:
    graph = feed_forward(["tanh", "sigmoid"], "bce")
    (first,) = (t for t in graph.tensors if t.name == "a1")
    weights = [t for t in graph.inputs if t.name == "W1"]
    found = backprop(graph, [first, *weights])
    results = {a.tensor.of.name for a in found.adjoints if found.is_gradient(a) and a.tensor.of}
    assert results == {"a1", "W1"}


@pytest.mark.parametrize(("nodes", "lines"), [
    (LONGEST + 50, 1), (LONGEST - 50, 1 + LIMIT // (LONGEST - 50)),
])  # fmt: skip
def test_a_line_and_a_chain_have_a_greatest_length(nodes: int, lines: int) -> None:
    """One line that nobody would read, or many that are each short enough."""
    b = Builder()
    x, c = b.tensor("x", [], Role.PARAMETER), b.tensor("C", [], Role.COST)
    b.define(c, [], x[()])
    graph = b.graph(c)
    chain = Chain(x[()], graph, Folds(graph), [])
    for n in range(1, lines):
        assert chain.extend(_of_length(nodes, n, x), "derivative", "")
    with pytest.raises(TooLong, match="the derivative by x"):
        chain.extend(_of_length(nodes, lines, x), "derivative", "")


def _of_length(nodes: int, first: int, x: Tensor) -> Expr:
    terms: list[Expr] = []
    while sum(1 for _ in walk(add(*terms))) < nodes - 4:
        terms.append(apply("sin", x[()] * (first + len(terms))))
    return add(*terms)


def test_targets_may_sum_to_more_than_1() -> None:
    """y1 + y2 = 2: the gradient of w (y1 x + y2 x) is 2x, and proved with what is declared."""
    b = Builder()
    x, w = b.tensor("x", [], Role.INPUT), b.tensor("w", [], Role.PARAMETER)
    y1, y2 = (b.tensor(name, [], Role.TARGET) for name in ("y1", "y2"))
    c = b.tensor("C", [], Role.COST)
    b.assume(y1[()] + y2[()], 2 * ONE, "they sum to 2")
    b.define(c, [], w[()] * (y1[()] * x[()] + y2[()] * x[()]))
    found = backprop(b.graph(c), [w])
    assert equal(found.adjoints[-1].closed, 2 * x[()])
    assert proved(check(found))


def test_trees_of_one_graph_are_not_met_in_another() -> None:
    """Once what was cancelled for the first x was inserted for the second."""
    for _ in range(2):
        b = Builder()
        x = b.tensor("x", [Axis("unit", Index(3))], Role.PARAMETER)
        c = b.tensor("C", [], Role.COST)
        b.define(c, [], apply("sqrt", 1 + x[1] ** 2))
        found = backprop(b.graph(c), [x])
        tensors = {
            e.tensor for a in found.adjoints for e in walk(a.closed) if isinstance(e, Access)
        }
        assert all(t is not x or t.slots == x.slots for t in tensors)
        assert proved(check(found))


@pytest.mark.parametrize(
    ("inputs", "role", "kind"),
    [(1, Role.LOSS, Kind.NETWORK), (2, Role.LOSS, Kind.PROGRAM), (1, Role.AUXILIARY, Kind.PROGRAM)],
)
def test_a_network_leads_from_one_input_and_one_target_by_a_loss(
    inputs: int, role: Role, kind: Kind
) -> None:
    b = Builder("single")
    w, y = b.tensor("w", [], Role.PARAMETER), b.tensor("y", [], Role.TARGET)
    given = [b.tensor(f"x{n}", [], Role.INPUT) for n in range(inputs)]
    ell, c = b.tensor("ell", [], role), b.tensor("C", [], Role.COST)
    b.define(ell, [], (w[()] * add(*(x[()] for x in given)) - y[()]) ** 2)
    b.define(c, [], ell[()])
    assert b.graph(c).kind is kind


def test_units_written_out_come_in_their_order_after_what_uses_them() -> None:
    """Of layers backwards, of units forwards; the sum in a softmax after the units that divide."""
    graph = build_graph(parse_spec("2-2-2:tanh,softmax+ce+scalars")).graph
    found = backprop(graph, [t for t in graph.inputs if t.role is Role.PARAMETER])
    names = [a.tensor.of.name for a in found.adjoints if a.tensor.of]
    for one, other in (("z2_1", "z2_2"), ("z2_2", "z1_1"), ("z1_1", "z1_2"), ("a2_1", "a2_2")):
        assert names.index(one) < names.index(other), (one, other)
    seen: set[Tensor] = set()
    for chain in found.adjoints:
        used = {t for step in chain.steps for t in tensors_in(step.right) if t.role is Role.ADJOINT}
        assert used - {chain.tensor} <= seen
        seen.add(chain.tensor)
    assert proved(check(found)) and not any(
        c.function == "log" for c in conditions(graph) if isinstance(c.what, Domain)
    )

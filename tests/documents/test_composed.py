"""Networks that are composed with the builder, of every layer there is, in every format."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from symderiv.algebra.expr import Access, Role, Tensor, sum_over
from symderiv.algebra.index import as_index
from symderiv.calculus.attention import attention
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.calculus.catalogue import LAYERS
from symderiv.calculus.convolution import conv1d, max_pool1d, reach
from symderiv.calculus.graph import Graph
from symderiv.calculus.layers import activate, cost, dense, per_example_loss
from symderiv.calculus.normalization import batch_norm, layer_norm, rms_norm
from symderiv.calculus.recurrent import lstm_cell, rnn
from symderiv.code import NoCode, numpy_module
from symderiv.documents import Presentation, document, to_latex, to_markdown, to_terminal
from symderiv.documents.model import Equations
from symderiv.documents.prose import plain
from symderiv.notation import Numbering, Sort, notation
from symderiv.proof.check import CheckedDerivation, check
from tests.code.generated import run
from tests.notation.test_printers import balanced, double_script


def normalised(norm: Callable[..., Tensor], activation: str, layout: str) -> Graph:
    """dense, a norm and an activation; dense and sigmoid; cross-entropy with a penalty."""
    b = Builder(layout)
    units = [b.units(n) for n in range(3)]
    x = b.tensor("x", b.batch(units[0]), Role.INPUT)
    z = dense(b, x, units[0], units[1], 1)
    a = activate(b, activation, norm(b, z, units[1], 1), units[1], 1)
    a = activate(b, "sigmoid", dense(b, a, units[1], units[2], 2), units[2], 2)
    ell, _ = per_example_loss(b, "bce", a, units[2])
    return b.graph(cost(b, ell, "mean", [b.parameter("W1"), b.parameter("W2")], True), ell)


def squared_error(b: Builder, output: Tensor) -> Graph:
    """C = Σ (o − y)² over all entries of an output."""
    (t,) = output.slots[:1] if output.ordered else (None,)
    axes = [slot.axis for slot in output.slots if slot is not t]
    y = b.tensor("y", axes, Role.TARGET, family=t)
    where = [as_index(v) for v in output.slots]
    square = (Access(output, tuple(where)) - Access(y, tuple(where))) ** 2
    c = b.define(b.tensor("C", (), Role.COST), (), sum_over(output.slots, square), "cost")
    return b.graph(c)


def pooled() -> Graph:
    b = Builder("single")
    windows, width, kernel = b.axis("position", "q"), b.axis("window", "P"), b.axis("kernel", "K")
    seen = reach(windows, width, 2)
    x = b.tensor("x", (b.axis("channel", "d"), reach(seen, kernel, 1)), Role.INPUT)
    y = conv1d(b, x, b.axis("channel", "c"), seen, kernel)
    return squared_error(b, max_pool1d(b, y, windows, width, 2, layer=2))


def attended(causal: bool) -> Graph:
    b = Builder("single")
    positions, depth = b.axis("position", "n"), b.axis("depth", "d")
    q, k, v = (b.tensor(name, (positions, depth), Role.INPUT) for name in "QKV")
    return squared_error(b, attention(b, q, k, v, causal))


def recurrent() -> Graph:
    b = Builder("columns")
    inputs, hidden, outputs = (b.units(0, name) for name in "nhk")
    (t,) = b.over(b.axis("time", "T", ordered=True))
    x = b.tensor("x", b.batch(inputs), Role.INPUT, family=t)
    return squared_error(b, rnn(b, x, inputs, hidden, outputs))


def remembered() -> Graph:
    b = Builder("columns")
    inputs, hidden = b.units(0, "n"), b.units(0, "p")
    x = b.tensor("x", b.batch(inputs), Role.INPUT)
    h, c = (b.tensor(name, b.batch(hidden), Role.INPUT) for name in "hc")
    return squared_error(b, lstm_cell(b, x, h, c, inputs, hidden)[0])


WIDTHS = {0: 2, 1: 3, 2: 1}
NETWORKS: dict[str, tuple[Callable[[], Graph], dict[int, int | str]]] = {
    "batch norm": (lambda: normalised(batch_norm, "prelu", "columns"), WIDTHS),
    "layer norm": (lambda: normalised(layer_norm, "tanh", "rows"), WIDTHS),
    "RMS norm": (lambda: normalised(rms_norm, "sigmoid", "single"), WIDTHS),
    "convolution and pooling": (pooled, {}),
    "attention": (lambda: attended(True), {}),
    "RNN": (recurrent, {}),
    "LSTM": (remembered, {}),
}


@cache
def derived(name: str) -> tuple[CheckedDerivation, Presentation]:
    """Checked, with the gradients by the parameters, or by the inputs where there are none."""
    build, sizes = NETWORKS[name]
    graph = build()
    parameters = [t for t in graph.inputs if t.role is Role.PARAMETER]
    wanted = parameters or [t for t in graph.inputs if t.role is Role.INPUT]
    layouts = {"layer norm": "rows", "batch norm": "columns", "RNN": "columns", "LSTM": "columns"}
    about = Presentation(name, name, sizes, layout=layouts.get(name, "single"))
    return check(backprop(graph, wanted)), about


def test_every_layer_is_among_them() -> None:
    used = {"dense"}  # by `normalised`
    used |= {layer.__name__ for layer in (batch_norm, layer_norm, rms_norm)}
    used |= {layer.__name__ for layer in (conv1d, max_pool1d, attention, rnn, lstm_cell)}
    assert used == {layer.__name__ for layer in LAYERS}


@pytest.mark.parametrize("name", NETWORKS)
def test_documents(name: str) -> None:
    made, about = derived(name)
    assert not made.refuted and not made.unproved
    tex = to_latex(made, about)
    assert balanced(tex) and not double_script(tex)
    assert to_markdown(made, about).startswith(f"# {name}")
    assert max(map(len, to_terminal(made, about).splitlines())) <= 80


REFUSED = {
    "convolution and pooling": "an index of x is more than a letter",
    "attention": "no NumPy form of Bracket",
    "RNN": "x has a size that is not of its layer or the one before",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_module_is_refused(name: str) -> None:
    made, about = derived(name)
    with pytest.raises(NoCode, match=REFUSED[name]):
        numpy_module(made, about)


@pytest.mark.parametrize("name", [n for n in NETWORKS if n not in REFUSED])
def test_modules(name: str) -> None:
    made, about = derived(name)
    net, rng = run(numpy_module(made, about)), np.random.default_rng(1)
    if made.graph.keeps_names:
        params = net.init(rng, {"n": 2, "p": 3, "m": 4})
        assert net.check_gradients(params) < 1e-9
        return
    params = {
        key: value + rng.uniform(0.1, 0.9, value.shape) for key, value in net.init(rng).items()
    }
    x, y = rng.normal(size=(2, 4)), rng.uniform(size=(1, 4))
    if name == "layer norm":
        x, y = x.T, y.T
    if name == "RMS norm":
        x, y = x[:, 0], y[:, 0]
    assert net.check_gradients(params, x, y, eps=0.1, lam=0.3) < 1e-9


def test_the_picture_shows_what_a_layer_hands_on() -> None:
    made, about = derived("batch norm")
    tex = to_latex(made, about)
    assert r"(u1-3) at (30,-12) {$a^{1}_{3}$};" in tex
    assert r"(p2) at (38,15) {$\bm{\gamma}^{1},\,\bm{\beta}^{1}$};" in tex


def test_what_is_no_weight_and_no_bias_has_equations_and_a_heading_of_its_own() -> None:
    made, about = derived("batch norm")
    shown = document(made, about)
    tags = {row.lhs.unicode: row.tag for row in shown.result if row.lhs}
    assert tags["∂C/∂W[l]"] == "BP4" and tags["∂C/∂b[l]"] == "BP3"
    assert [tags[f"∂C/∂{name}1"] for name in "γβα"] == ["BP6a", "BP6b", "BP6c"]
    sections = {plain(s.title): s.blocks for s in shown.sections}
    others = sections["The gradients of the other parameters"]
    starts = [b.rows[0].lhs for b in others if isinstance(b, Equations)]
    assert [s.unicode for s in starts if s] == ["∂C/∂γ1[j]", "∂C/∂β1[j]", "∂C/∂α1[j]"]
    rows = [r for blocks in sections.values() for b in blocks if isinstance(b, Equations)
            for r in b.rows if r.tag.startswith("S")]  # fmt: skip
    assert [r.tag for r in rows] == sorted((r.tag for r in rows), key=lambda t: int(t[1:]))
    module = numpy_module(made, about)
    assert "BP6 those of the other" in " ".join(module.split())
    assert "# (BP6a) ∂C/∂γ¹" in module


def test_weights_and_biases_are_known_by_their_place_in_an_equation() -> None:
    """Whatever their letters: U and V are weights, c is a bias."""
    made, _ = derived("RNN")
    numbering = Numbering(made.derivation, notation("nielsen"))
    found = {t.name: numbering.sort(t) for t in made.graph.inputs}
    assert {name for name, sort in found.items() if sort is Sort.WEIGHT} == set("WUV")
    assert {name for name, sort in found.items() if sort is Sort.BIAS} == set("bc")

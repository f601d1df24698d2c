"""One entry for networks, programs and networks written out: what is asked for, what is known."""

from __future__ import annotations

import itertools

import pytest

from symderiv.algebra.expr import Access
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import LAYOUTS
from symderiv.frontend import SpecError, parse_spec
from symderiv.frontend.build import build_graph
from symderiv.frontend.network import Network
from symderiv.notation.plain import to_text
from symderiv.proof.check import check
from tests.oracles.complexstep import Complex
from tests.oracles.forward import Forward, sizes


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("spec", "wrt", "numbers"),
    [
        ("2-3-1:sigmoid+bce", "W1 b1 W2 b2", {"n[0]": 2, "n[1]": 3, "n[2]": 1}),
        ("n0-n1-n2:relu,identity+mse", "W1 b1 W2 b2", {}),
        ("n0-5-n2:tanh+mse", "W1 b1 W2 b2", {"n[1]": 5}),
        ("n-k-k:relu+mse", "W1 b1 W2 b2", {}),
        ("n0-...-nL:sigmoid+mse+l2", "W b", {}),
        ("n0-...-nL:sigmoid+mse+freeze=b", "W", {}),
        ("2-3-1:sigmoid+bce+freeze=b", "W1 W2", {"n[0]": 2, "n[1]": 3, "n[2]": 1}),
        ("3-3-2:tanh+mse+bias=2+sum", "W1 W2 b2", {"n[0]": 3, "n[1]": 3, "n[2]": 2}),
        ("2-1:sigmoid+bce+scalars", "w1 w2 b", {}),
        ("2-1:sigmoid+bce+scalars+freeze=b", "w1 w2", {}),
        ("1-1-1:sigmoid+mse+scalars+nobias", "w1 w2", {}),
        ("J = 3*(a + b*c)", "a b c", {}),
    ],
)
def test_what_is_asked_for(spec: str, layout: str, wrt: str, numbers: dict[str, int]) -> None:
    built = build_graph(parse_spec(spec), layout)
    assert [t.name for t in built.wrt] == wrt.split()
    assert {size.key({}): number for size, number in built.sizes.items()} == numbers


def test_sizes_of_one_name_are_one_size() -> None:
    graph = build_graph(parse_spec("n-k-k:relu+mse")).graph
    weights = {t.name: [a.stop.key({}) for a in t.axes] for t in graph.inputs}
    assert weights["W1"] == ["k", "n"]
    assert weights["W2"] == ["k", "k"]


@pytest.mark.parametrize(
    ("wrt", "names"),
    [(["X"], "x"), (["W1", "X"], "W1 x"), (["b"], "b1 b2"), (["W2"], "W2")],
)
def test_request(wrt: list[str], names: str) -> None:
    net = Network.build([2, 3, 1], "sigmoid", "bce", request={"wrt": wrt})
    assert [t.name for t in build_graph(net).wrt] == names.split()
    net = Network.build([2, 1], "sigmoid", "bce", request={"wrt": ["X"]}, scalars=True)
    assert [t.name for t in build_graph(net).wrt] == ["x1", "x2"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("n1-3:sigmoid+bce", "the name n1 is given to another layer than 1"),
        ("2-3:sigmoid+bce+freeze=b,W", "every parameter is frozen"),
    ],
)
def test_refused(spec: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        build_graph(parse_spec(spec))
    assert message in str(caught.value)


WRITTEN = [
    "2-1:sigmoid+bce", "1-1-1-1:sigmoid+mse", "2-2-2:sigmoid+half-mse+sum",
    "2-3:softmax+ce", "2-2:identity+ce-logits+l2", "2-2-1:tanh,identity+mse+bias=2",
]  # fmt: skip


@pytest.mark.parametrize(("spec", "layout"), [*itertools.product(WRITTEN, LAYOUTS)])
def test_networks_written_out_are_the_networks(spec: str, layout: str) -> None:
    """The same cost from the same numbers, and every step of the derivation is proved."""
    net = parse_spec(spec)
    units = [int(n) for n in net.sizes]
    whole = Forward(build_graph(net, layout).graph, sizes(units), Complex())
    whole.run()
    built = build_graph(parse_spec(spec + "+scalars"), layout)
    letters = Forward(built.graph, sizes(units), Complex())
    for tensor in built.graph.inputs:
        for place in letters.entries(tensor):
            letters.inputs = {
                **letters.inputs, (tensor.name, place): _same(whole, tensor.name, place, units),
            }  # fmt: skip
    letters.run()
    cost = letters.values["C", ()]
    assert cost == pytest.approx(whole.values["C", ()])
    checked = check(backprop(built.graph, built.wrt))
    assert not checked.refuted and not checked.unproved


def _same(whole: Forward, name: str, place: tuple[int, ...], units: list[int]) -> complex:
    """The entry of W1, b1, x or y that a letter stands for."""
    if name == "lam":
        return complex(whole.inputs["lam", ()])
    stem, layer = name[0], 1 if len(units) == 2 else int(name[1:2] or 0)
    digits = [int(d) for d in (name[1:] if len(units) == 2 else name[2:]) if d.isdigit()]
    if stem in "xy":
        digits = [int(d) for d in name[1:]] or [1]
        tensor = next(t for t in whole.graph.inputs if t.name == stem)
        example = list(place)
        rows = len(tensor.axes) == 2 and tensor.axes[0].name == "example"
        return complex(whole.inputs[stem, (*example, *digits) if rows else (*digits, *example)])
    ends = [units[layer]] if stem == "b" else [units[layer], units[layer - 1]]
    given = iter(digits)
    at = [next(given) if count > 1 else 1 for count in ends]
    tensor = next(t for t in whole.graph.inputs if t.name == f"{stem.upper()}{layer}" or
                  t.name == f"{stem}{layer}")  # fmt: skip
    out_first = tensor.axes[0].stop.key({}) == f"n[{layer}]"
    return complex(whole.inputs[tensor.name, tuple(at if out_first else at[::-1])])


def test_letters_of_a_neuron() -> None:
    built = build_graph(parse_spec("2-1:sigmoid+bce+scalars"))
    equations = {to_text(d.left): to_text(d.body) for d in built.graph.definitions}
    assert equations["z[s]"] == "w1*x1[s] + w2*x2[s] + b"
    closed = {a.tensor.name: to_text(a.closed) for a in backprop(built.graph, built.wrt).adjoints}
    assert closed["dz"] == "a[s] - y[s]"
    assert closed["dw1"] == "1/size(m)*sum(s in 1..m, dz[s]*x1[s])"


def test_letters_of_two_layers() -> None:
    built = build_graph(parse_spec("2-2-1:tanh,identity+mse+scalars"), "single")
    names = [t.name for t in built.wrt]
    assert names == "w1_11 w1_12 w1_21 w1_22 b1_1 b1_2 w2_1 w2_2 b2".split()  # noqa: SIM905
    assert all(isinstance(d.left, Access) and not d.indices for d in built.graph.definitions)

"""What a derivation is asked for: names, layers, what is wrong with a question, other forms."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import symderiv
from symderiv import Network, SpecError

NET = "2-3-1:sigmoid+bce"


def test_wrt_takes_text_or_names_and_families() -> None:
    assert symderiv.derive(NET, wrt="W1,b1").wrt == ("W1", "b1")
    assert symderiv.derive(NET, wrt=["W1", "W1"]).wrt == ("W1",)
    assert symderiv.derive(NET, wrt="W").wrt == ("W1", "W2")
    assert symderiv.derive(NET, wrt="b,W1").wrt == ("b1", "b2", "W1")
    assert symderiv.derive("n0-...-nL:sigmoid+mse", wrt="b").wrt == ("b",)


@pytest.mark.parametrize(
    ("wrt", "said"), [([], "empty"), ("", "''"), (3, "3"), (["W9"], "known are W1, X, b1, W2, b2")]
)
def test_wrt_of_nothing_known_is_refused(wrt: object, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        symderiv.derive(NET, wrt=wrt)  # type: ignore[arg-type]


def test_wrt_of_a_network_written_out() -> None:
    net = "2-2-1:tanh+mse+scalars"
    assert symderiv.derive(net, wrt="W1").wrt == ("w1_11", "w1_12", "w1_21", "w1_22")
    assert symderiv.derive(net, wrt="b,x2").wrt == ("b1_1", "b1_2", "b2", "x2")
    assert symderiv.derive(net, wrt="X").wrt == ("x1", "x2")
    assert symderiv.derive("2-2:tanh+mse+scalars", wrt="b1").wrt == ("b1",)
    with pytest.raises(SpecError, match="known are w1_11, x1, w1_12, x2, b1_1, w1_21"):
        symderiv.derive(net, wrt="Q")
    assert symderiv.derive(net).gradient("x1").numpy().startswith("dx1 = ")


@pytest.mark.parametrize("name", ["class", "json", "numpy", "symderiv", "a b", "", "1a"])
def test_a_name_that_cannot_be_imported_is_refused(name: str) -> None:
    with pytest.raises(SpecError, match="name is"):
        symderiv.derive(NET, name=name)


def test_the_command_repeats_what_was_asked() -> None:
    made = symderiv.derive(NET, layout="rows", wrt="W1,X", name="net", output="notes here")
    end = "--layout rows --wrt W1,X --name net -o 'notes here'"
    assert made.command == f"symderiv derive {NET} {end}"
    assert "--wrt W1,X" in " ".join(str(made.render("numpy")).replace("#", " ").split())


def test_a_file_is_named_as_it_was_given(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("spec") / "net.toml"
    path.write_text('sizes = [2, 1]\nloss = "bce"\n', encoding="utf-8")
    assert symderiv.derive(path).command == f"symderiv derive {path}"


def test_questions_without_an_answer_say_what_there_is() -> None:
    frozen = symderiv.derive(NET + "+freeze=b1")
    deep = symderiv.derive("n0-...-nL:sigmoid+mse")
    for ask, said in (
        (lambda: frozen.gradient("b", 1), "frozen"),
        (lambda: frozen.delta(3), "layers 1, 2"),
        (lambda: frozen.gradient("Q"), "W1"),
        (lambda: deep.delta(1), "'L', 'l'"),
    ):
        with pytest.raises(KeyError, match=said):
            ask()
    assert deep.delta("L").closed != deep.delta("l").closed


def test_units_that_are_written_out_are_asked_for_one_by_one() -> None:
    d = symderiv.derive("2-2-1:tanh+mse+scalars")
    with pytest.raises(KeyError, match=r"no delta1: its units .*: delta\('1_1'\), delta\('1_2'\)"):
        d.delta(1)
    with pytest.raises(KeyError, match=r'no W1: .*: gradient\("w1_11"\), gradient\("w1_12"\), '):
        d.gradient("W", 1)
    assert d.delta("1_2").entry.tensor.of == d.gradient("z1_2").entry.tensor.of
    assert d.gradient("w1_12").closed == d.gradient("w", "1_12").closed


def test_sympy_uses_the_letters_of_the_notation() -> None:
    made = symderiv.derive(NET)
    assert str(made.delta(2).sympy()) == "a2[j, s] - y[j, s]"
    assert str(made.gradient("W", 1).sympy()) == "Sum(delta1[j, _s]*x[k, _s], (_s, 1, m))/m"


def test_a_quantity_shows_itself_and_the_package_lists_its_names() -> None:
    shown = symderiv.derive(NET).delta(2)._repr_latex_()
    assert shown.startswith("$") and r"\delta^{2}_{js}" in shown
    assert {"derive", "parse_spec", "SpecError"} <= set(dir(symderiv))


BILINEAR = {
    "program": {"s": "sum((X @ A)*Z, axis=1)", "J": "mean(y*s)"},
    "shapes": {"X": "m p", "A": "p q", "Z": "m q", "y": "m"},
    "request": {"wrt": ["A", "X", "Z"]},
}


def test_a_derivation_is_one_short_line() -> None:
    sums = " + ".join(f"x{n}**2" for n in range(60))
    for spec in ("2-1:tanh+mse", f"J = {sums}"):
        shown = repr(symderiv.derive(spec))
        assert len(shown) < 120 and "\n" not in shown and shown.endswith(" derivatives, checked>")


def test_a_variable_of_a_program_is_what_it_is_called() -> None:
    network = Network.build(**BILINEAR)
    for made in (symderiv.derive(network), symderiv.derive(network, wrt="X")):
        assert made.gradient("X").adjoint.tensor.of.name == "X"  # type: ignore[union-attr]
    made = symderiv.derive(
        Network.build(program="J = sum(B*x*w)", shapes={"x": "m n", "w": "n", "B": "m n"}),
        wrt=["w", "x"],
    )
    assert made.gradient("B").adjoint.tensor.name == "dB"
    with pytest.raises(KeyError, match="no derivative by X: known are B, x, w"):
        made.gradient("X")
    with pytest.raises(SpecError, match="wrt names 'X', which is not there"):
        symderiv.derive(made.network, wrt="X")


def test_the_input_of_a_network_is_x_too() -> None:
    made = symderiv.derive(NET)
    assert made.gradient("x").latex() == made.gradient("X").latex()
    assert symderiv.derive(NET, wrt="x").wrt == symderiv.derive(NET, wrt="X").wrt


STEPS = "u = a*b; v = sin(u); J = u*v + a"


def test_the_gradient_by_a_step_on_the_way() -> None:
    asked = symderiv.derive(STEPS, wrt=["u", "a"])
    request = {"wrt": ["u", "a"]}
    assert asked.render("md") == replace_command(
        symderiv.derive(Network.build(program=STEPS, request=request)), asked.command
    )
    assert str(asked.gradient("u").sympy()) in ("u*cos(u) + v", "v + u*cos(u)")
    assert r"\frac{\partial J}{\partial u}" in str(asked.render("md"))
    assert set(json.loads(asked.render("json"))["gradients"]) == {"u", "a"}
    module: dict[str, Any] = {"__name__": "module"}
    exec(symderiv.derive(STEPS, wrt="u").render("numpy"), module)
    params = module["init"](np.random.default_rng(0))
    u = params["a"] * params["b"]
    _, gradients = module["cost_and_gradients"](params)
    assert set(gradients) == {"u"}
    assert gradients["u"] == pytest.approx(np.sin(u) + u * np.cos(u))
    assert module["check_gradients"](params) < 1e-12
    assert module["train"](params, 0.1, 2)[1]


def replace_command(made: symderiv.api.PublishedDerivation, command: str) -> str | bytes:
    return replace(made, command=command).render("md")


def test_a_step_between_others_comes_in_time_in_a_module() -> None:
    text = "h = tanh(W @ x); g = tanh(W @ h); J = sum(tanh(W @ g)*x)"
    network = Network.build(program=text, shapes={"W": "n n", "x": "n"})
    module: dict[str, Any] = {"__name__": "module"}
    exec(symderiv.derive(network, wrt="h,W").render("numpy"), module)
    params = module["init"](np.random.default_rng(0), {"n": 3})
    assert set(module["cost_and_gradients"](params)[1]) == {"h", "W"}
    assert module["check_gradients"](params) < 1e-12


@pytest.mark.parametrize(("wrt", "said"), [("J", "what is differentiated"), ("G", "not there")])
def test_what_is_differentiated_and_its_gradient_are_not_asked_for(wrt: str, said: str) -> None:
    network = Network.build(
        program="J = softmax(X @ W)", shapes={"X": "m n", "W": "n k"}, request={"upstream": "G"}
    )
    with pytest.raises(SpecError, match=said):
        symderiv.derive(network, wrt=wrt)

"""Programs put together at random: their modules agree with complex steps of the definitions."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symderiv import SpecError, derive
from symderiv.code import NoCode
from symderiv.frontend import Network
from tests.code import programs as shaped
from tests.code.generated import run

SHAPES = {"A": "3 3", "x": "3", "w": "3", "X": "2 3", "V": "2 3", "c": "", "t": "3"}
VECTORS, MATRICES, NUMBERS = ("x", "w", "t", "x*w"), ("X", "V", "X*V"), ("c", "c**2")
SCALAR = ("tanh", "sigmoid", "exp", "sin", "softplus")
WHOLE = ("softmax", "log_softmax")


def module_of(text: str) -> Any:
    """The module of a program, with a point at which its functions have values."""
    names = {name: shape for name, shape in SHAPES.items() if shape and name in _words(text)}
    source = str(derive(Network.build(program=text, shapes=names)).render("numpy"))
    net = run(source)
    return net, net.init(np.random.default_rng(2))


def _words(text: str) -> set[str]:
    return {"".join(c) for c in _split(text)}


def _split(text: str) -> list[list[str]]:
    words: list[list[str]] = [[]]
    for char in text:
        if char.isalnum() or char == "_":
            words[-1].append(char)
        else:
            words.append([])
    return words


def arrays(leaves: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Expressions of one shape."""

    square = "(A @ {})" if leaves[0] == "x" else "({} @ A)"
    scaled = "((A/c) @ {})" if leaves[0] == "x" else "({} @ (2*A.T))"

    def bigger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        number = st.sampled_from(("2", "c", "-1", "1/3"))
        return st.one_of(
            st.builds("{}({})".format, st.sampled_from(SCALAR + WHOLE), inner),
            st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner),
            st.builds("({}*{})".format, number, inner),
            st.builds(square.format, inner),
            st.builds(scaled.format, inner),
            st.builds("({}/(3 + {}**2))".format, inner, inner),
            st.builds("({} - mean({}))".format, inner, inner),
            st.builds("maximum({}, {})".format, inner, inner),
        )

    return st.recursive(st.sampled_from(leaves), bigger, max_leaves=5)


@st.composite
def programs(draw: st.DrawFn) -> str:
    leaves = draw(st.sampled_from((VECTORS, MATRICES)))
    lines = [f"p = {draw(arrays(leaves))}"]
    if draw(st.booleans()):
        lines.append(f"q = {draw(arrays((*leaves, 'p')))}")
    last = "q" if len(lines) == 2 else "p"
    after = f" + sum({last}**2)" if draw(st.booleans()) else ""
    return "; ".join([*lines, f"J = sum({draw(arrays((last, leaves[0])))}*{last}){after}"])


@settings(max_examples=30, deadline=None)
@given(programs())
def test_a_module_agrees_with_its_definitions(text: str) -> None:
    try:
        net, params = module_of(text)
    except SpecError as error:
        assume(False)
        raise AssertionError from error
    assert net.check_gradients(params) < 1e-9


NO_SPEC = re.compile("J does not depend on|sqrt of|grows beyond what can be read")
NO_CODE = re.compile(
    "no array that is left in the equations shows the size"
    "|would have to be repeated|a maximum along an axis in between"
)


def shaped_module(program: shaped.Program) -> Any:
    """The module of a program with shapes; None where it is refused for a reason that may be."""
    net = Network.build(program=list(program.statements), shapes=program.texts)
    try:
        return run(str(derive(net, wrt=program.wrt).render("numpy")))
    except NoCode as error:
        assert NO_CODE.search(str(error)), program
    except SpecError as error:
        assert NO_SPEC.search(str(error)), program
    return None


def agrees(net: Any, program: shaped.Program, seed: int) -> None:
    """Value and gradients are those of the text as NumPy reads it, not of the derivation."""
    given = shaped.point(program, seed)
    value, gradients = net.cost_and_gradients({name: given[name] for name in net.PARAMETERS})
    assert value == pytest.approx(np.real(shaped.value(program, given, {})["J"]), 1e-9), program
    for name, found in gradients.items():
        expected = shaped.gradient(program, given, name)
        assert found.shape == expected.shape, (program, name)
        largest = 1 + np.max(np.abs(expected))
        np.testing.assert_allclose(found, expected, 1e-7, 1e-9 * largest, err_msg=repr(program))


@pytest.mark.parametrize("block", range(12))
def test_modules_of_shaped_programs_agree_with_numpy(block: int) -> None:
    seeds = range(25 * block, 25 * block + 25)
    with np.errstate(all="ignore"):
        for seed in seeds:
            program = shaped.made(seed)
            net = shaped_module(program)
            if net is not None:
                agrees(net, program, seed)


def test_shaped_programs_are_of_many_kinds() -> None:
    """Axes of length 1 among three, arrays that vanish, steps to differentiate by, no inputs."""
    kinds: Counter[str] = Counter()
    for seed in range(150):
        program = shaped.made(seed)
        kinds["three"] += any(len(s) == 3 and 1 in s for s in program.shapes.values())
        kinds["steps"] += not set(program.wrt or ()) <= set(program.shapes)
        net = shaped_module(program)
        if net is None:
            kinds["refused"] += 1
            continue
        kinds["vanished"] += len(net.PARAMETERS) < len(program.shapes)
        kinds["nothing given"] += not net.PARAMETERS
    assert min(kinds.values()) >= 2 and kinds["refused"] < 15, kinds


@pytest.mark.parametrize("text", [
    "J = norm(x*((A/c) @ w))", "J = sum(x*(A @ w)/c)", "J = sum((x*(c*A @ w))**2)",
    "J = minimum(b - c, b)", "J = sum(minimum(x - w, x)*w)",
])  # fmt: skip
def test_products_and_signs_keep_their_parentheses(text: str) -> None:
    net, params = module_of(text)
    assert net.check_gradients(params) < 1e-9


@pytest.mark.parametrize("function", WHOLE)
@pytest.mark.parametrize(
    "argument",
    ["2*x", "-x", "x/3", "x**2", "tanh(x)", "exp(x)", "x + w", "c*x", "x*w", "x/c", "x - mean(x)",
     "2*X", "X*V", "tanh(X)", "c*X", "X.T", "2*X.T", "X[0]", "X.T[1]", "X + x"],
)  # fmt: skip
def test_a_vector_function_of_an_expression(function: str, argument: str) -> None:
    """Once code applied the function to the array in the expression, without the rest."""
    net, params = module_of(f"p = {function}({argument}); J = sum(p**2*sin(p))")
    assert net.check_gradients(params) < 1e-9


@pytest.mark.parametrize(
    "text",
    [
        "J = max(x)",
        "J = min(x*w)**2",
        "J = max(X)",
        "p = max(X, axis=1); J = sum(p**2)",
        "p = max(X, axis=0); J = sum(sin(p))",
        "p = min(X - V, axis=1); J = sum(exp(p))",
        "p = X - max(X, axis=1, keepdims=True); J = sum(p**3)",
    ],
)
def test_a_maximum_over_an_axis(text: str) -> None:
    net, params = module_of(text)
    assert net.check_gradients(params) < 1e-9


@pytest.mark.parametrize("text", [
    "p = max(A + diag(x), axis=1); J = sum(p)",
    "p = min(outer(x, x) + diag(w), axis=1); J = sum(p)",
])  # fmt: skip
def test_a_winner_that_depends_on_its_place_has_no_code(text: str) -> None:
    """Once the winner of the sums of columns was taken for it."""
    with pytest.raises(NoCode):
        module_of(text)


@pytest.mark.parametrize("text", ["J = c*sin(x[-1])", "J = sum(x*w[-1])", "J = c*x[-1]*x[0]"])
@pytest.mark.parametrize("wrt", [None, ["c"], ["x"]])
def test_a_size_that_only_an_entry_speaks_of(text: str, wrt: list[str] | None) -> None:
    """x[n - 1] of an x with n entries: n is known in every function."""
    if wrt == ["c"] and "c" not in text:
        return
    names = {name: "n" for name in "xw" if name in _words(text)}
    made = derive(Network.build(program=text, shapes=names), wrt=wrt)
    net = run(str(made.render("numpy")))
    params = net.init(np.random.default_rng(0), {"n": 3})
    assert net.check_gradients(params) < 1e-9


@pytest.mark.parametrize("name", ["elu", "leaky_relu", "celu", "selu"])
def test_a_slope_with_its_usual_hyperparameters(name: str) -> None:
    net, params = module_of(f"J = sum({name}'(x - w)*c)")
    assert net.check_gradients(params) < 1e-9

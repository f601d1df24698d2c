"""Names of sizes: those of other things are refused, those of functions are told apart."""

from __future__ import annotations

from typing import Any

import pytest

import symderiv
from symderiv import Network, SpecError
from symderiv.documents import to_terminal


@pytest.mark.parametrize(
    ("program", "shapes", "words"),
    [
        ("J = sum(a**2)", {"a": "a"}, "shape of a has the size a, which is a variable"),
        ("J = sum(x @ w)", {"x": "w n", "w": "n"}, "size w, which is a variable with a shape"),
        ("u = sum(x); J = u*2", {"x": "u"}, "u is assigned, but it is the name of a size"),
        ("J = sum(x**2)*pi", {"x": "pi"}, "shape of x has the size pi, which is a constant"),
    ],
)
def test_a_size_of_a_program_is_nothing_else(program: str, shapes: Any, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        symderiv.derive(Network.build(program=program, shapes=shapes))


@pytest.mark.parametrize("spec", ["alpha-2:elu+mse", "n-kappa:identity+huber", "pi-2:tanh+mse"])
def test_a_size_of_a_network_is_nothing_else(spec: str) -> None:
    with pytest.raises(SpecError, match="; give the size another name"):
        symderiv.parse_spec(spec)
    assert symderiv.parse_spec("alpha-2:tanh+mse").sizes[0] == "alpha"  # no alpha in this one


@pytest.mark.parametrize("size", ["sigmoid", "exp", "tanh"])
def test_a_size_may_be_called_as_a_function(size: str) -> None:
    program = "J = sum(sigmoid(x)*exp(x)*tanh(x))"
    made = symderiv.derive(Network.build(program=program, shapes={"x": size}))
    assert f"  {size} × 1  " in to_terminal(made, made.presentation())
    module: dict[str, Any] = {"__name__": "__main__"}
    with pytest.raises(SystemExit, match=r"^0$"):
        exec(made.render("numpy"), module)

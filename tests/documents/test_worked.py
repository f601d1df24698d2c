"""Worked numbers: published ones, the generated module's, and how they are printed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symderiv
from symderiv.algebra.expr import Tensor
from symderiv.calculus.functions import ScalarFunction, rows
from symderiv.documents import to_terminal
from symderiv.documents.numbers import CONTEXT, NoValue, apply_at, real, shown
from symderiv.documents.worked import Numbers, descend, numbers_of
from symderiv.frontend.example import Example
from symderiv.frontend.spec import parse_spec
from symderiv.frontend.toml import read_toml

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
WORKED = [
    path.stem for path in sorted(EXAMPLES.glob("*.toml"))
    if path.stem != "gallery" and read_toml(path).example is not None
]  # fmt: skip


def numbers(stem: str, layout: str) -> tuple[Any, Numbers]:
    made = symderiv.derive(read_toml(EXAMPLES / f"{stem}.toml"), layout=layout)
    about = made.presentation()
    found = numbers_of(made.derivation, about.example, about.sizes, layout)
    assert found is not None
    return made, found


def named(found: Numbers, name: str, digits: int = 9) -> list[str]:
    tensors = [*found.graph.tensors, *(a.tensor for a in found.derivation.adjoints)]
    tensor = next(t for t in tensors if t.name == name)
    return [shown(v, digits).ascii for v in found.array(tensor).values()]


def agree(shown_: list[str], published: list[str]) -> bool:
    return all(
        abs(float(a) - float(b)) <= 0.51 * 10.0 ** -len(b.partition(".")[2])
        for a, b in zip(shown_, published, strict=True)
    )


@pytest.mark.parametrize("layout", ["single", "columns", "rows"])
def test_mazur_published(layout: str) -> None:
    """M. Mazur, A step by step backpropagation example (2015); the cost after the step by hand."""
    made, found = numbers("mazur_2_2_2", layout)
    assert agree(named(found, "z1", 15)[:1], ["0.3775"])
    assert agree(named(found, "a1", 15), ["0.593269992", "0.596884378"])
    assert agree(named(found, "z2", 15)[:1], ["1.105905967"])
    assert agree(named(found, "a2", 15), ["0.75136507", "0.772928465"])
    assert named(found, "C") == ["0.298371109"]
    assert agree(named(found, "dz2", 15)[:1], ["0.138498562"])
    assert agree(named(found, "da2", 15)[:1], ["0.74136507"])
    assert agree(named(found, "da1", 15)[:1], ["0.036350306"])
    assert agree(named(found, "dW1", 15)[:1], ["0.000438568"])
    assert agree(named(found, "dW2", 15)[:1], ["0.082167041"])
    example = made.network.example
    held = made.origin.built.held(example.freeze)
    (after,) = descend(found, example.rate, held, example.steps)
    first = ["0.149780716", "0.19956143", "0.24975114", "0.29950229"]
    second = ["0.35891648", "0.408666186", "0.511301270", "0.561370121"]
    if layout == "rows":
        first, second = ([w[0], w[2], w[1], w[3]] for w in (first, second))
    assert agree(named(after, "W1", 15), first)
    assert agree(named(after, "W2", 15), second)
    assert named(after, "b1") == named(found, "b1")
    assert named(after, "C") == ["0.291027774"]


def test_the_computation_graph() -> None:
    _, found = numbers("computation_graph", "columns")
    got = {n: named(found, n) for n in ("u", "v", "J", "dv", "du", "da", "db", "dc")}
    assert got == {
        "u": ["6"], "v": ["11"], "J": ["33"],
        "dv": ["3"], "du": ["3"], "da": ["3"], "db": ["6"], "dc": ["9"],
    }  # fmt: skip


@pytest.mark.parametrize("layout", ["columns", "rows"])
@pytest.mark.parametrize("stem", WORKED)
def test_the_module_computes_the_same(stem: str, layout: str) -> None:
    made, found = numbers(stem, layout)
    if made.network.is_program or made.network.scalars:
        pytest.skip("its module has other names")
    module: dict[str, Any] = {"__name__": "module"}
    exec(made.render("numpy"), module)

    def dense(tensor: Tensor) -> Any:
        entries = found.array(tensor)
        shape = tuple(max(w[n] for w in entries) for n in range(len(tensor.slots)))
        return np.array([float(real(v)) for v in entries.values()]).reshape(shape)

    inputs = {t.name: dense(t) for t in found.graph.inputs}
    params = {
        k: v.reshape(-1, 1) if layout == "columns" and v.ndim == 1 else v
        for k, v in inputs.items() if k not in "xy"
    }  # fmt: skip
    cost, gradients = module["cost_and_gradients"](params, inputs["x"], inputs["y"])
    assert cost == pytest.approx(float(real(found.value(found.graph.cost))), rel=1e-12)
    for adjoint in found.derivation.adjoints:
        of = adjoint.tensor.of
        if of is not None and of.name in gradients:
            got = np.ravel(gradients[of.name])
            assert got == pytest.approx(np.ravel(dense(adjoint.tensor)), rel=1e-11)


def test_incomplete_examples_are_refused_and_large_ones_have_no_section() -> None:
    def section(example: dict[str, Any], spec: str = "2-1:sigmoid+bce") -> bool:
        net = parse_spec(spec)
        sizes = net.sizes
        made = symderiv.derive(
            type(net).build(sizes, net.activations, net.loss, example=example), layout="columns"
        )
        return "The example in numbers" in to_terminal(made, made.presentation())

    full = {"X": [[1, 2]], "Y": [[1]], "W1": [[1, 2]], "b1": [0]}
    assert section(full)
    for missing in ("b1", "Y"):
        with pytest.raises(symderiv.SpecError, match=f"no value for {missing}"):
            section({k: v for k, v in full.items() if k != missing})
    assert not section({"X": [[1] * 60], "Y": [[1]], "W1": [[1] * 60], "b1": [0]}, "60-1:tanh+mse")
    # the logarithm of 0
    low = {"X": [[1, 1]], "Y": [[1]], "W1": [[-9, -9]], "b1": [0]}
    with pytest.raises(symderiv.SpecError, match="example: log of 0 has no value"):
        section(low, "2-1:hard-sigmoid+bce")


def test_numbers_that_are_no_example() -> None:
    made = symderiv.derive("2-1:sigmoid+bce")
    assert numbers_of(made.derivation, None, {}, "columns") is None
    assert numbers_of(made.derivation, Example(), {}, "columns") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0"), (Fraction(33), "33"), (Fraction(-3, 8), "-0.375"),
        (Fraction(1, 3), "0.333333333"), (Fraction(2, 3), "0.666666667"),
        (Fraction(10**8), "100000000"), (Fraction(10**9), "1e9"),
        (Fraction(1, 10**5), "0.00001"), (Fraction(123, 10**9), "1.23e-7"),
        (Fraction(9999999999, 10), "1e9"), (Fraction(999999999, 10), "99999999.9"),
        (CONTEXT.mpf(-1) / 3, "-0.333333333"),
    ],
)  # fmt: skip
def test_shown(value: Any, text: str) -> None:
    assert shown(value).ascii == text


def test_shown_refuses_what_is_no_number() -> None:
    with pytest.raises(NoValue):
        shown(CONTEXT.inf)


def test_every_scalar_function_has_numbers() -> None:
    """Definition and stated derivative at a point, the latter against a difference quotient."""
    for name, row in rows().items():
        if not isinstance(row, ScalarFunction) or not row.arguments:
            continue
        hyper = [value for _, value in row.hyper]
        args = [Fraction(2, 5)] * (len(row.arguments) - len(hyper)) + hyper
        if row.domain[0].high == 0:
            args[0] = -args[0]
        stated = row.derivatives[0]
        value = apply_at(name, args)
        assert value is not None
        if stated is not None:
            orders = [1] + [0] * (len(args) - 1)
            slope = real(apply_at(name, args, orders))
            up, down = (
                real(apply_at(name, [args[0] + d, *args[1:]]))
                for d in (Fraction(1, 10**15), Fraction(-1, 10**15))
            )
            assert abs((up - down) * 10**15 / 2 - slope) < 1e-12, name

"""Trees to SymPy and back, and the tables as a whole."""

from __future__ import annotations

import subprocess
import sys

import pytest
import sympy

from symderiv.algebra.expr import Access, Expr, Tensor, apply
from symderiv.calculus.activations import ACTIVATIONS
from symderiv.calculus.functions import (
    PI,
    ScalarFunction,
    VectorFunction,
    exp,
    positive,
    real_power,
    rows,
)
from symderiv.calculus.losses import LOGITS, LOSSES
from symderiv.calculus.sympy_bridge import from_sympy, to_sympy

X, Y = (Access(Tensor(name), ()) for name in "xy")
S, T = sympy.symbols("s t")
SYMBOLS: dict[Expr, sympy.Symbol] = {X: S, Y: T}


def test_definitions_unfold_to_functions_of_sympy() -> None:
    convert = SYMBOLS.__getitem__
    assert to_sympy(apply("sigmoid", X), convert) == 1 / (1 + sympy.exp(-S))
    assert to_sympy(real_power(X, Y) * PI, convert) == sympy.pi * S**T
    assert to_sympy(apply("arctan", X), convert) == sympy.atan(S)
    assert to_sympy(positive(X), convert) == sympy.Piecewise((1, S > 0), (0, True))
    assert to_sympy(positive(X - Y), convert, lambda c: c**2) == (S - T) ** 2


def test_derivatives_are_taken_at_the_argument() -> None:
    convert = SYMBOLS.__getitem__
    inner = to_sympy(apply("tanh", X * Y, orders=(1,)), convert)
    value = inner.subs({S: sympy.Rational(1, 2), T: 3})
    assert abs(sympy.N(value - 1 / sympy.cosh(sympy.Rational(3, 2)) ** 2, 30)) < 1e-25


def test_rational_expressions_return_unchanged() -> None:
    atoms: dict[object, Expr] = {S: X, T: Y}
    assert from_sympy(S**2 / T - 3, atoms) == X**2 / Y - 3
    with pytest.raises(ValueError, match="not rational"):
        from_sympy(sympy.sin(S), atoms)


def test_an_unknown_primitive_is_an_error() -> None:
    with pytest.raises(KeyError):
        to_sympy(apply("nonsense", X), SYMBOLS.__getitem__)


def test_hyperparameters_may_be_left_out() -> None:
    elu = ACTIVATIONS["elu"]
    assert isinstance(elu, ScalarFunction)
    assert elu(X) == apply("elu", X, 1)
    with pytest.raises(TypeError, match="z, alpha"):
        elu(X, X, X)


def test_the_tables_are_as_large_as_promised() -> None:
    scalars = [r for r in ACTIVATIONS.values() if isinstance(r, ScalarFunction)]
    assert len(scalars) >= 23
    assert len(ACTIVATIONS) - len(scalars) >= 2
    assert len(LOSSES) >= 15


@pytest.mark.parametrize("name", rows())
def test_every_row_is_complete(name: str) -> None:
    row = rows()[name]
    assert row.why and row.why[0].islower() and not row.why.endswith(".")
    assert row.latex and row.python_name.isidentifier()
    assert set(row.uses) <= set(rows())
    assert row.numpy[-1].startswith("return ")
    if name in LOSSES:
        assert row.factor
    if isinstance(row, VectorFunction):
        known = set(row.arguments)
        for part in row.parts:
            assert set(part.of) <= known
            known.add(part.name)
    elif row.definition is not None and name in ACTIVATIONS | LOSSES:
        assert row.derivatives[0] is not None


def test_losses_on_logits_name_rows() -> None:
    for (loss, activation), fused in LOGITS.items():
        assert loss in LOSSES and activation in ACTIVATIONS and fused in LOSSES


def test_the_tables_do_without_sympy_and_numpy() -> None:
    code = (
        "import sys; from symderiv.calculus.functions import rows; rows();"
        "import symderiv.calculus.sympy_bridge, symderiv.proof.lemmas as m;"
        "m.table_verdict('sigmoid', 0);"
        "print(sorted({'sympy', 'numpy', 'mpmath', 'flint'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]", found.stdout


def test_exp_is_one_row_in_two_tables() -> None:
    assert ACTIVATIONS["exp"] is rows()["exp"]
    assert exp(X) == apply("exp", X)

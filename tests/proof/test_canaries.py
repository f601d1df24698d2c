"""Canaries: where SymPy's symbolic derivatives are wrong. A pass here announces an upgrade.

These are why tensors with symbolic sizes have an algebra of their own. Each states what is true;
each fails with the SymPy that was measured, and ``strict`` makes a repaired one fail the suite,
so that somebody reads this file.
"""

from __future__ import annotations

from typing import Any

import pytest
import sympy
from sympy import (
    Function,
    Indexed,
    IndexedBase,
    KroneckerDelta,
    Matrix,
    MatrixSymbol,
    Piecewise,
    Sum,
    Symbol,
    Trace,
    exp,
    log,
    symbols,
)

wrong = pytest.mark.xfail(strict=True, reason="SymPy is wrong here", raises=AssertionError)

X = IndexedBase("x")
I, J, K, N = symbols("i j k n", integer=True, positive=True)


def at(expr: Any, size: int, free: dict[Any, int]) -> Any:
    """A sum written out at one size."""
    return expr.subs(N, size).subs(free).doit()


@wrong
def test_sum_diff_by_its_own_letter_captures() -> None:
    """∂/∂x[j] Σ_j x[j]² is 2 x[j] (sympy issue 21891)."""
    slope = Sum(X[J] ** 2, (J, 1, N)).diff(X[J])
    assert sympy.simplify(at(slope, 3, {}) - 2 * X[J]) == 0


@wrong
def test_softmax_diff_captures() -> None:
    """∂p[i]/∂x[j] at i = 1, j = 2, n = 3 is -p₁ p₂."""
    p = exp(X[I]) / Sum(exp(X[J]), (J, 1, N))
    slope = at(p.diff(X[J]), 3, {I: 1, J: 2})
    total = sum(exp(X[n]) for n in (1, 2, 3))
    assert sympy.simplify(slope + exp(X[1]) * exp(X[2]) / total**2) == 0


@wrong
def test_subs_captures() -> None:
    """Σ_j x[i] y[j] at i = j is x[j] Σ_k y[k]."""
    y = IndexedBase("y")
    expr = Sum(X[I] * y[J], (J, 1, N))
    moved = expr.subs(I, J)
    assert J in moved.free_symbols


@wrong
def test_xreplace_captures() -> None:
    y = IndexedBase("y")
    moved = Sum(X[I] * y[J], (J, 1, N)).xreplace({X[I]: X[J]})
    assert J in moved.free_symbols


@wrong
def test_matrix_derivative_of_the_log_of_a_trace() -> None:
    """∂ log tr(zᵀz)/∂z is 2 z / tr(zᵀz), not 0."""
    z = MatrixSymbol("z", 3, 1)
    slope = log(Trace(z.T * z)).diff(z)
    assert not (slope.is_zero or slope == sympy.ZeroMatrix(3, 1) or slope == 0)


@wrong
def test_matrix_derivative_of_the_exponential_of_a_trace() -> None:
    """∂ exp(tr A)/∂A is exp(tr A) I, not 0."""
    a = MatrixSymbol("A", 3, 3)
    slope = exp(Trace(a)).diff(a)
    assert slope != 0 and slope != sympy.ZeroMatrix(3, 3)


@wrong
def test_the_sum_of_a_delta_and_a_piecewise_keeps_its_index_inside() -> None:
    """Σ_j [i = j] [x[j] > 0] does not depend on j (sympy issue 27359)."""
    inner = Piecewise((KroneckerDelta(I, J, (1, N)), X[J] > 0), (0, True))
    value = sympy.simplify(-Sum(inner, (J, 1, N)))
    assert J not in value.free_symbols


@wrong
def test_relu_has_one_slope_at_zero_however_it_is_written() -> None:
    t = Symbol("t", real=True)
    one = sympy.Max(0, t).diff(t).subs(t, 0)
    other = Piecewise((t, t > 0), (0, True)).diff(t).subs(t, 0)
    assert one == other


@wrong
def test_equals_decides() -> None:
    """An identity of the exponential tower; ``equals`` may answer None."""
    x, y = symbols("x y", real=True)
    left = log(exp(x) + exp(y))
    right = x + log(1 + exp(y - x))
    answers = [
        left.equals(right),
        log(1 + exp(x)).equals(x + log(1 + exp(-x))),
        sympy.sqrt(1 + sympy.tanh(x)).equals(sympy.sqrt(2) / sympy.sqrt(1 + exp(-2 * x))),
    ]
    assert answers == [True] * len(answers)


@wrong
def test_simplify_finds_the_error_of_sigmoid_and_cross_entropy() -> None:
    """(-y/a + (1 - y)/(1 - a)) σ′ at a = σ(z) is a - y."""
    z, y = symbols("z y", real=True)
    a = 1 / (1 + exp(-z))
    delta = (-y / a + (1 - y) / (1 - a)) * a.diff(z)
    assert sympy.simplify(delta) == a - y


def test_what_sympy_is_trusted_with_is_right() -> None:
    """diff of a function of one variable, and cancel of rational functions."""
    z, a, y = symbols("z a y")
    sigmoid = 1 / (1 + exp(-z))
    assert sympy.simplify(sigmoid.diff(z) - sigmoid * (1 - sigmoid)) == 0
    assert sympy.cancel((-y / a + (1 - y) / (1 - a)) * a * (1 - a)) == a - y
    f = Function("f")
    assert f(z).diff(z).subs(f, sympy.tanh).doit() == 1 - sympy.tanh(z) ** 2
    jacobian = Matrix([z**2, z * a]).jacobian([z, a])
    assert jacobian == Matrix([[2 * z, 0], [a, z]])
    assert isinstance(X[I], Indexed) and K not in X[I].free_symbols

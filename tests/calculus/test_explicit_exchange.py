"""The exchange form: index expressions as SymPy's Indexed and Sum, and as explicit matrices."""

from __future__ import annotations

import pytest
import sympy

from symderiv.algebra.expr import Access, Bracket, Partial, Role, Tensor, apply, delta, sum_over
from symderiv.algebra.index import Axis, Size, Var, as_index, fresh
from symderiv.calculus.exchange import to_indexed, to_matrix
from symderiv.calculus.networks import feed_forward
from tests.oracles.forward import sizes
from tests.oracles.networks import Case

N = Axis("unit", as_index(Size("n")))
I, J, K = (fresh(N, name) for name in "ijk")
X = Tensor("x", (fresh(N),))
W = Tensor("W", (fresh(N), fresh(N)), Role.PARAMETER)
R = range(1, 4)
n = sympy.Symbol("n", integer=True, positive=True)


def written(expr: object) -> str:
    return str(expr)


def test_bound_indices_are_fresh_dummies() -> None:
    """With a plain symbol j as its bound, SymPy's diff by x[j] would capture it."""
    expr = to_indexed(sum_over(J, X[J] ** 2))
    (bound,) = expr.variables
    assert isinstance(bound, sympy.Dummy)
    assert to_indexed(sum_over(J, X[J] ** 2)).variables != expr.variables
    j = sympy.Symbol("j", integer=True)
    x = sympy.IndexedBase(sympy.Symbol("x", real=True))
    slope = expr.diff(x[j]).subs(n, 5).doit()
    assert slope.subs(j, 2) == 2 * x[2]


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (X[I] + 1, "x[i] + 1"),
        (W[I, J] * X[J + 1], "W[i, j]*x[j + 1]"),
        (delta(I, J) * X[I], "KroneckerDelta(i, j)*x[i]"),
        (Bracket(J - I), "Piecewise((1, i - j <= 0), (0, True))"),
        (sum_over(K, W[I, K]), "Sum(W[i, _k], (_k, 1, n))"),
        (apply("exp", X[I]), "exp(x[i])"),
        (apply("sigmoid", X[I]), "1/(1 + exp(-x[i]))"),
        (apply("sigmoid", X[I], orders=(1,)), "exp(-x[i])/(1 + exp(-x[i]))**2"),
    ],
)
def test_trees_in_sympy(expr: object, text: str) -> None:
    assert written(to_indexed(expr)) == text  # type: ignore[arg-type]


def test_functions_can_keep_their_names() -> None:
    plain = to_indexed(apply("sigmoid", X[I]), unfold=False)
    assert written(plain) == "sigmoid(x[i])"
    slope = to_indexed(apply("sigmoid", X[I], orders=(1,)), unfold=False)
    assert isinstance(slope, sympy.Subs)
    assert written(to_indexed(apply("log", X[I], orders=(1,)), unfold=False)) == "1/x[i]"


def test_free_indices_of_one_letter_stay_apart() -> None:
    first, second = fresh(N, "i"), fresh(N, "i")
    assert written(to_indexed(W[first, second])) == "W[i, i2]"
    m = Tensor("i", ())
    assert written(to_indexed(X[first] * Access(m, ()))) == "i*x[i2]"
    p = sympy.Symbol("p", integer=True)
    assert written(to_indexed(W[first, second], {second: p})) == "W[i, p]"


def test_sizes_of_a_family_are_indexed() -> None:
    layer = fresh(Axis("layer", as_index(Size("L")), ordered=True), "l")
    units = Axis("unit", as_index(Size("n", as_index(layer))))
    k = fresh(units, "k")
    t = Tensor("t", (layer, k))
    assert written(to_indexed(sum_over(k, t[layer, k]))) == "Sum(t[l, _k], (_k, 1, n[l]))"


def test_what_has_no_exchange_form_is_refused() -> None:
    with pytest.raises(ValueError, match="not worked out"):
        to_indexed(Partial(X[I], X[J]))


def test_matrices_are_those_of_the_indexed_sums() -> None:
    expr = sum_over(K, W[I, K] * W[J, K]) * X[I]
    explicit = to_matrix(expr, (I, J), {Size("n"): 3})
    indexed = to_indexed(expr)
    x, w = (sympy.IndexedBase(sympy.Symbol(name, real=True)) for name in "xW")
    i, j = sympy.symbols("i j", integer=True)
    assert explicit.shape == (3, 3)
    for r in range(3):
        for c in range(3):
            value = indexed.subs({n: 3, i: r + 1, j: c + 1}).doit()
            names = {w[a, b]: sympy.Symbol(f"W[{a},{b}]", real=True) for a in R for b in R}
            names |= {x[a]: sympy.Symbol(f"x[{a}]", real=True) for a in R}
            assert sympy.expand(value.xreplace(names) - explicit[r, c]) == 0


def test_a_gradient_as_a_matrix() -> None:
    case = Case("", feed_forward(["sigmoid"], "bce", layout="single"), sizes([2, 3]))
    chain = next(a for a in case.derive().adjoints if a.tensor.name == "dW1")
    indices = [v for index in chain.indices if (v := index.variable) is not None]
    found = to_matrix(chain.closed, indices, case.sizes)
    assert written(found) == (
        "Matrix([[dz1[1]*x[1], dz1[1]*x[2]], [dz1[2]*x[1], dz1[2]*x[2]], "
        "[dz1[3]*x[1], dz1[3]*x[2]]])"
    )


def test_a_ragged_range_has_no_matrix() -> None:
    layer: Var = fresh(Axis("layer", as_index(Size("L"))), "l")
    k = fresh(Axis("unit", as_index(Size("n", as_index(layer)))), "k")
    t = Tensor("t", (layer, k))
    with pytest.raises(ValueError, match="depends on another"):
        to_matrix(t[layer, k], (layer, k), {Size("L"): 2})

"""Matrix form against index form: the same numbers at random sizes, and refusals."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Bracket,
    Delta,
    Expr,
    Mul,
    Number,
    Pow,
    Role,
    SizeOf,
    Sum,
    Tensor,
    apply,
    delta,
    sum_over,
    tensors_in,
)
from symderiv.algebra.index import Axis, Index, Size, Var, as_index, fresh
from symderiv.algebra.matrix import (
    Diag,
    ElementPower,
    Elementwise,
    Fill,
    Hadamard,
    Identity,
    MatAdd,
    MatMul,
    Matrix,
    MatrixExpr,
    NotMatrix,
    Ones,
    Scalar,
    Scale,
    SumOver,
    Transpose,
)
from symderiv.algebra.matrixform import matrix_form, row_axes
from symderiv.calculus.backprop import backprop
from symderiv.calculus.networks import any_depth, feed_forward

# --- Two evaluators that know nothing of each other ----------------------------------------------


class World:
    """Distinct sizes, and random numbers in (0, 1) for every tensor that is asked for."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.sizes = {"m": 5, "L": 3, "n": 4, "p": 2, "q": 3, "r": 6}
        self.layers = [4, 3, 6, 2]
        self.values: dict[object, Any] = {}

    def index(self, index: Index, env: Mapping[Var, int]) -> int:
        total = index.const
        for symbol, coefficient in index.terms:
            if isinstance(symbol, Var):
                value = env[symbol]
            elif symbol.at is not None:
                value = self.layers[self.index(symbol.at, env)]
            else:
                value = self.sizes[symbol.name]
            total += coefficient * value
        return total

    def range(self, axis: Axis, env: Mapping[Var, int]) -> range:
        return range(self.index(axis.start, env), self.index(axis.stop, env) + 1)

    def array(self, tensor: Tensor, member: int | None) -> Any:
        """The member as an array that may be indexed from 1."""
        key = (tensor, member)
        if key not in self.values:
            env = {} if member is None else {tensor.slots[0]: member}
            slots = tensor.slots if member is None else tensor.slots[1:]
            shape = [self.index(slot.axis.size, env) for slot in slots]
            self.values[key] = self.rng.uniform(0.1, 0.9, shape)
        return self.values[key]


def function(name: str, orders: tuple[int, ...], args: list[Any]) -> Any:
    """Any function will do: it only has to be the same in both."""
    return np.cos(sum((n + 1.5 + o) * a for n, (a, o) in enumerate(zip(args, orders, strict=True))))


def entry(e: Expr, w: World, env: dict[Var, int]) -> Any:
    match e:
        case Number(value):
            return float(value)
        case SizeOf(index):
            return float(w.index(index, env))
        case Access(tensor, indices):
            numbers = [w.index(i, env) for i in indices]
            member = numbers.pop(0) if tensor.ordered else None
            return w.array(tensor, member)[tuple(n - 1 for n in numbers)]
        case Add(terms):
            return sum(entry(t, w, env) for t in terms)
        case Mul(factors):
            return np.prod([entry(f, w, env) for f in factors])
        case Pow(base, exponent):
            return entry(base, w, env) ** float(exponent)
        case Sum(var, body):
            return sum(entry(body, w, {**env, var: n}) for n in w.range(var.axis, env))
        case Delta(left, right):
            return float(w.index(left, env) == w.index(right, env))
        case Apply(name, args, orders):
            return function(name, orders, [entry(a, w, env) for a in args])
    raise TypeError(e)


def dense(node: MatrixExpr, w: World, env: dict[Var, int]) -> Any:
    """The matrix as an array with two axes, whatever the node."""

    def count(axis: Axis | None) -> int:
        return 1 if axis is None else w.index(axis.size, env)

    match node:
        case Matrix(tensor, member):
            array = w.array(tensor, None if member is None else w.index(member, env))
            return np.reshape(array, (count(node.row), count(node.column)))
        case Scalar(value):
            return np.array([[entry(value, w, env)]])
        case Fill(value, row, column):
            return np.full((count(row), count(column)), entry(value, w, env))
        case Ones(axis):
            return np.ones((count(axis), 1))
        case Identity(axis):
            return np.eye(count(axis))
        case Diag(vector):
            return np.diag(dense(vector, w, env)[:, 0])
        case Transpose(body):
            return dense(body, w, env).T
        case MatMul(left, right):
            return dense(left, w, env) @ dense(right, w, env)
        case Hadamard(factors):
            return np.prod([dense(f, w, env) for f in factors], axis=0)
        case MatAdd(terms):
            return np.sum([dense(t, w, env) for t in terms], axis=0)
        case Scale(factor, body):
            return dense(factor, w, env)[0, 0] * dense(body, w, env)
        case Elementwise(name, args, orders):
            return function(name, orders, [dense(a, w, env) for a in args])
        case ElementPower(base, exponent):
            return dense(base, w, env) ** float(exponent)
        case SumOver(var, body):
            return sum(dense(body, w, {**env, var: n}) for n in w.range(var.axis, env))
    raise TypeError(node)


def assert_same(expr: Expr, indices: tuple[Index, ...], rows: frozenset[str] = frozenset()) -> Any:
    node = matrix_form(expr, indices, rows)
    assert node is not None
    variables = [i.variable for i in indices if i.variable is not None]
    ordered = [v for v in variables if v.axis.ordered]
    plain = [v for v in variables if not v.axis.ordered]
    for seed in range(3):
        w = World(seed)
        for member in product(*(w.range(v.axis, {}) for v in ordered)):
            env = dict(zip(ordered, member, strict=True))
            matrix = dense(node, w, env)
            places = [w.range(v.axis, env) for v in plain]
            expected = [entry(expr, w, env | dict(zip(plain, at, strict=True)))
                        for at in product(*places)]  # fmt: skip
            np.testing.assert_allclose(np.ravel(matrix), expected, rtol=1e-12)
            if len(plain) == 2:
                assert matrix.shape == tuple(len(p) for p in places)
    return node


# --- Every equation of real networks ------------------------------------------------------------

LAYOUTS = ("columns", "rows", "single")
NETWORKS = {
    "bce": lambda layout: feed_forward(["sigmoid", "sigmoid"], "bce", l2=True, layout=layout),
    "ce": lambda layout: feed_forward(["relu", "softmax"], "ce", l2=True, layout=layout),
    "mse": lambda layout: feed_forward(["tanh", "identity"], "mse", reduction="sum", layout=layout),
    "deep": lambda layout: any_depth("sigmoid", "identity", "mse", l2=True, layout=layout),
    "deep bce": lambda layout: any_depth("sigmoid", "sigmoid", "bce", layout=layout),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_equation_of_a_network_has_its_matrix_form(name: str, layout: str) -> None:
    graph = NETWORKS[name](layout)
    derivation = backprop(graph, [t for t in graph.tensors if t.role is Role.PARAMETER])
    rows = row_axes(next(t for t in graph.inputs if t.role is Role.INPUT))
    for definition in graph.definitions:
        assert_same(definition.body, definition.indices, rows)
    for adjoint in derivation.adjoints:
        assert_same(adjoint.closed, adjoint.indices, rows)


def show(node: MatrixExpr | None) -> str:
    match node:
        case Matrix(tensor, member):
            at = "" if member is None else f"[{member.key({v: v.name for v in member.variables})}]"
            return tensor.name + at
        case Scalar(value) | Fill(value):
            return text(value)
        case Ones():
            return "1"
        case Identity():
            return "I"
        case Diag(vector):
            return f"diag({show(vector)})"
        case Transpose(body):
            return show(body) + "ᵀ"
        case MatMul(left, right):
            return f"{show(left)} {show(right)}"
        case Hadamard(factors):
            return " ⊙ ".join(f"({show(f)})" if isinstance(f, MatAdd) else show(f) for f in factors)
        case MatAdd(terms):
            return " + ".join(map(show, terms))
        case Scale(factor, body):
            return f"{show(factor)} · {show(body)}"
        case Elementwise(name, args, _):
            return f"{name}({', '.join(map(show, args))})"
        case ElementPower(base, exponent):
            return f"({show(base)})^{exponent}"
        case SumOver(var, body):
            return f"Σ_{var.name} {show(body)}"
    return "none"


def text(expr: Expr) -> str:
    match expr:
        case Number(value):
            return str(value)
        case SizeOf(index):
            return index.key({})
        case Access(tensor):
            return tensor.name
        case Pow(base, exponent):
            return f"{text(base)}^{exponent}"
        case Mul(factors):
            return " ".join(map(text, factors))
    raise TypeError(expr)


EXPECTED = {
    "columns": {
        "z2": "W2 a1 + b2 1ᵀ",
        "dz1": "W2ᵀ dz2 ⊙ a1 ⊙ (1 + -1 · a1)",
        "dW2": "m^-1 · dz2 a1ᵀ + lam m^-1 · W2",
        "db2": "m^-1 · dz2 1",
        "R": "1/2 lam m^-1 · 1ᵀ (W1)^2 1 + 1ᵀ (W2)^2 1",
        "C": "m^-1 · ell 1 + R",
    },
    "rows": {
        "z2": "a1 W2 + 1 b2",
        "dz1": "dz2 W2ᵀ ⊙ a1 ⊙ (1 + -1 · a1)",
        "dW2": "m^-1 · a1ᵀ dz2 + lam m^-1 · W2",
        "db2": "m^-1 · 1ᵀ dz2",
        "C": "m^-1 · 1ᵀ ell + R",
    },
    "single": {
        "z2": "W2 a1 + b2",
        "dz1": "W2ᵀ dz2 ⊙ a1 ⊙ (1 + -1 · a1)",
        "dW2": "dz2 a1ᵀ + lam · W2",
        "db2": "dz2",
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_four_equations_look_as_in_a_textbook(layout: str) -> None:
    graph = NETWORKS["bce"](layout)
    derivation = backprop(graph, [t for t in graph.tensors if t.role is Role.PARAMETER])
    rows = row_axes(next(t for t in graph.inputs if t.role is Role.INPUT))
    found = {d.target.name: matrix_form(d.body, d.indices, rows) for d in graph.definitions}
    found |= {a.tensor.name: matrix_form(a.closed, a.indices, rows) for a in derivation.adjoints}
    for name, expected in EXPECTED[layout].items():
        assert show(found[name]) == expected, name


def test_a_family_keeps_its_member() -> None:
    graph = NETWORKS["deep bce"]("columns")
    derivation = backprop(graph, [t for t in graph.tensors if t.role is Role.PARAMETER])
    forms = [show(matrix_form(a.closed, a.indices, {"example"})) for a in derivation.adjoints]
    assert "W[l+1]ᵀ dz[l+1] ⊙ a[l] ⊙ (1 + -1 · a[l])" in forms
    assert "m^-1 · dz[l] a[l+-1]ᵀ" in forms


# --- Small cases, and refusals ------------------------------------------------------------------


def axis(name: str, kind: str = "unit") -> Axis:
    return Axis(kind, as_index(Size(name)))


N, P, Q, R = axis("n"), axis("p"), axis("q"), axis("r")


def tensor(name: str, *axes: Axis) -> Tensor:
    return Tensor(name, tuple(fresh(a) for a in axes))


A, B, C3 = tensor("A", N, P), tensor("B", P, Q), tensor("C", Q, R)
S = tensor("S", N, N)
u, v, h = tensor("u", N), tensor("v", P), tensor("h", N)
i, j, k, r, i2 = fresh(N, "i"), fresh(P, "j"), fresh(Q, "k"), fresh(R, "r"), fresh(N, "i2")

SMALL = {
    "diag(u) A": (u[i] * A[i, j], (i, j)),
    "A diag(v)": (A[i, j] * v[j], (i, j)),
    "diag(u) A diag(v)": (u[i] * A[i, j] * v[j], (i, j)),
    "u vᵀ": (u[i] * v[j], (i, j)),
    "v uᵀ": (u[i] * v[j], (j, i)),
    "A diag(v) B": (sum_over(j, A[i, j] * v[j] * B[j, k]), (i, k)),
    "Bᵀ Aᵀ": (sum_over(j, A[i, j] * B[j, k]), (k, i)),
    "A B C": (sum_over((j, k), A[i, j] * B[j, k] * C3[k, r]), (i, r)),
    "uᵀ A v": (sum_over((i, j), u[i] * A[i, j] * v[j]), ()),
    "uᵀ h": (sum_over(i, u[i] * h[i]), ()),
    "1ᵀ A 1": (sum_over((i, j), A[i, j]), ()),
    "uᵀ h · A": (A[i, j] * sum_over(i2, u[i2] * h[i2]), (i, j)),
    "A v": (sum_over(j, A[i, j] * v[j]), (i,)),
    "u ⊙ A v": (u[i] * sum_over(j, A[i, j] * v[j]), (i,)),
    "S + 1 · I": (S[i, i2] + Number.of(1) * delta(i, i2), (i, i2)),
    "u 1ᵀ + 1 vᵀ": (u[i] + v[j], (i, j)),
    "exp(u 1ᵀ, 1 vᵀ)": (apply("exp", u[i], v[j]), (i, j)),
    "p": (sum_over(j, Number.of(1)), ()),
    "3 · u": (sum_over(j, 3 / SizeOf(P.size) * u[i]), (i,)),
}


@pytest.mark.parametrize("expected", SMALL)
def test_small_cases(expected: str) -> None:
    expr, indices = SMALL[expected]
    node = assert_same(expr, tuple(map(as_index, indices)))
    if expected not in ("S + 1 · I", "3 · u"):
        assert show(node) == expected


T3, D = tensor("T", N, P, Q), tensor("D", N, Q)
REFUSED = {
    "three free indices": (T3[i, j, k], (i, j, k)),
    "a tensor with three axes": (sum_over(k, T3[i, j, k]), (i, j)),
    "a diagonal": (S[i, i], (i,)),
    "a trace": (sum_over(i, S[i, i]), ()),
    "two sums that cannot be parted": (
        sum_over((i2, k), S[i, i2] * D[i, k] * D[i2, k] * A[i2, j] * B[j, k]),
        (i, j),
    ),
    "a shifted index": (u[i - 1], (i,)),
    "a bracket": (Mul((Bracket(as_index(i) - 2), u[i])), (i,)),
    "a variable nobody binds": (A[i, j], (i,)),
    "an index of the wrong axis": (Access(u, (as_index(j),)), (j,)),
    "an index used as a number": (SizeOf(as_index(i)) * u[i], (i,)),
    "the same index twice": (A[i, j], (i, i)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_matrix_form_is_refused(name: str) -> None:
    expr, indices = REFUSED[name]
    assert matrix_form(expr, indices) is None


def test_no_node_joins_shapes_that_do_not_fit() -> None:
    a, b = Matrix(A, None, N, P), Matrix(B, None, P, Q)
    one = Scalar(Number(Fraction(1)))
    for make in (
        lambda: MatMul(b, a),
        lambda: Hadamard((a, b)),
        lambda: MatAdd((a, Transpose(a))),
        lambda: Elementwise("f", (a, b), (0, 0)),
        lambda: Scale(a, b),
        lambda: Diag(a),
        lambda: Transpose(one),
    ):
        with pytest.raises(NotMatrix):
            make()
    assert MatMul(a, b).shape == (N, Q)


def test_row_axes_are_read_off_a_batch() -> None:
    examples = axis("m", "example")
    assert row_axes(tensor("x", N, examples)) == {"example"}
    assert row_axes(tensor("x", examples, N)) == {"unit"}
    assert row_axes(tensor("x", N)) == frozenset()
    assert [t.name for t in tensors_in(u[i] * v[j])] == ["u", "v"]

"""Programs of the user's own as modules, and index expressions without a matrix form."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import symderiv
from symderiv.algebra.expr import Expr, Role, SizeOf, Tensor, apply, sum_over
from symderiv.algebra.index import Axis, Size, as_index, fresh
from symderiv.calculus.backprop import backprop
from symderiv.calculus.graph import Definition, Graph
from symderiv.code import NoCode
from symderiv.code.module import module_text
from symderiv.frontend import Network
from symderiv.frontend.build import build_graph
from symderiv.frontend.presentation import Presentation
from symderiv.frontend.spec import parse_spec
from tests.code.generated import run

PROGRAMS = {
    "J = 3*(a + b*c)": "",
    "u = b*c; v = a + u; J = 3*v": "",
    "J = log(1 + exp(-a)) + sqrt(b)/a - tanh(a*b)**2": "",
    "least squares": """
        [program]
        r = "X @ w - y"
        J = "mean(r**2) + lam*sum(w**2)"
        [shapes]
        X = "m n"
        w = "n"
        y = "m"
        [request]
        wrt = ["w"]""",
    "attention": """
        [program]
        S = "Q @ K.T / sqrt(d)"
        P = "softmax(S)"
        O = "P @ V"
        J = "sum(O * G)"
        [shapes]
        Q = "n d"
        K = "k d"
        V = "k e"
        G = "n e" """,
    "sums and products": """
        [program]
        u = "x @ x"
        v = "tanh(A @ x) * x"
        J = "sum(v**2) / u + log(u) + mean(relu(A)) + sum(A)"
        [shapes]
        A = "n n"
        x = "n" """,
    "names that Python and NumPy have": """
        [program]
        J = "exp(np)*lambda_ + float*np + sum(gradients**2)*PARAMETERS + name"
        [shapes]
        gradients = "len" """,
    "2-2-1:sigmoid+bce+scalars": "",
}


def text_of(name: str, tmp_path: Path) -> str:
    spec = name
    if PROGRAMS[name]:
        path = tmp_path / "program.toml"
        path.write_text(re.sub(r"(?m)^ +", "", PROGRAMS[name]), encoding="utf-8")
        spec = str(path)
    built = build_graph(parse_spec(spec))
    return module_text(backprop(built.graph, built.wrt), Presentation(spec=name, version="0"))


def net_of(text: str) -> tuple[SimpleNamespace, dict[str, np.ndarray]]:
    net = run(text)
    sizes = {s for shape in net.PARAMETERS.values() for s in shape if isinstance(s, str)}
    given = [{name: 3 + n for n, name in enumerate(sorted(sizes))}] if sizes else []
    return net, net.init(np.random.default_rng(3), *given)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_checks_its_gradients(name: str, tmp_path: Path) -> None:
    text = text_of(name, tmp_path)
    ast.parse(text, feature_version=(3, 9))
    assert max(map(len, text.splitlines())) <= 99
    net, params = net_of(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert net.check_gradients(params) < 1e-12
        value, gradients = net.cost_and_gradients(params)
    assert value == net.cost(params)
    for key, gradient in gradients.items():
        assert gradient.shape == params[key].shape
    small = {key: np.asarray(p, np.float32) for key, p in params.items()}
    assert {g.dtype for g in net.cost_and_gradients(small)[1].values()} == {np.dtype("float32")}
    assert len(net.train(params, 1e-3, 4)[1]) == 4


def test_only_what_was_asked_for_has_a_gradient(tmp_path: Path) -> None:
    net, params = net_of(text_of("least squares", tmp_path))
    assert list(net.cost_and_gradients(params)[1]) == ["w"]
    with pytest.raises(ValueError, match=r"y has the shape \(4,\); it must be .* = 3"):
        net.cost({**params, "y": np.ones(4)})
    for call in (net.cost, net.check_gradients, lambda p: net.train(p, 0.1, 1)):
        with pytest.raises(ValueError, match=r"^params is of the type list; it must be a dict"):
            call([1.0, 2.0])


def test_the_lines_of_attention_read_like_a_paper(tmp_path: Path) -> None:
    text = text_of("attention", tmp_path)
    for line in (
        "S = Q @ K.T / float(np.sqrt(d))  # (D1) S = 1/sqrt(d) Q Kᵀ",
        "P = softmax(S, axis=1)  # (D4) P = softmax(S)",
        "dP = G @ V.T  # (G1) ∂J/∂P = G Vᵀ",
        "dK = dS.T @ Q / float(np.sqrt(d))  # (G4) ∂J/∂K = 1/sqrt(d) (∂J/∂S)ᵀ Q",
    ):
        assert f"    {line}\n" in text


# --- No matrix form: einsum -----------------------------------------------------------------------

N, K, D = (Axis("unit", as_index(Size(name))) for name in "nkd")


def tensor(name: str, *axes: Axis, role: Role = Role.PARAMETER) -> Tensor:
    return Tensor(name, tuple(fresh(a) for a in axes), role, name)


def module_of(body: Expr, *before: Definition) -> str:
    cost = tensor("J", role=Role.COST)
    graph = Graph((*before, Definition(cost, (), body)), cost)
    wrt = [t for t in graph.inputs if t.role is Role.PARAMETER]
    return module_text(backprop(graph, wrt), Presentation(version="0"))


def test_tensors_of_three_axes_are_contracted_by_einsum() -> None:
    t, w, a = tensor("T", N, K, D), tensor("w", D), tensor("A", K, N)
    i, j, k = fresh(N, "i"), fresh(K, "j"), fresh(D, "k")
    h = tensor("h", N, K, role=Role.AUXILIARY)
    made = Definition(
        h,
        (as_index(i), as_index(j)),
        sum_over(k, t[i, j, k] * w[k]) + 2 * a[j, i] / SizeOf(D.size),
    )
    p, q, r = fresh(N, "i"), fresh(K, "j"), fresh(D, "k")
    body = sum_over((p, q), apply("tanh", h[p, q]) ** 2) + sum_over((p, q, r), t[p, q, r] ** 2)
    net, params = net_of(module_of(body, made))
    assert net.check_gradients(params) < 1e-12


def test_axes_that_are_missing_are_broadcast() -> None:
    t, u, v = tensor("T", N, K, D), tensor("u", N), tensor("v", D)
    h = tensor("h", N, K, D, role=Role.AUXILIARY)
    i, j, k = fresh(N, "i"), fresh(K, "j"), fresh(D, "k")
    indices = tuple(map(as_index, (i, j, k)))
    made = Definition(h, indices, t[i, j, k] * (u[i] - v[k]) + u[i] * v[k] ** 2 / t[i, j, k])
    p, q, r = fresh(N, "i"), fresh(K, "j"), fresh(D, "k")
    net, params = net_of(module_of(sum_over((p, q, r), h[p, q, r] ** 3), made))
    assert net.check_gradients(params) < 1e-12


def test_diagonals_and_repeated_values() -> None:
    a, u = tensor("A", N, N), tensor("u", N)
    i, j = fresh(N, "i"), fresh(N, "j")
    body = sum_over(i, a[i, i] * u[i]) + sum_over(j, u[j]) + sum_over(i, a[i, i]) ** 2
    net, params = net_of(module_of(body))
    assert net.check_gradients(params) < 1e-12


def test_a_shifted_index_has_no_code() -> None:
    u = tensor("u", N)
    i = fresh(Axis("unit", N.stop, as_index(2)), "i")
    with pytest.raises(NoCode, match="index of u"):
        module_of(sum_over(i, u[i] * u[i - 1]))


LOGISTIC = """
    [program]
    z = "X @ w + c"
    a = "sigmoid(z)"
    J = "mean(-y*log(a) - (1 - y)*log(1 - a))"
    [shapes]
    X = "m n"
    w = "n"
    y = "m"
    [request]
    wrt = ["w", "c"]"""


def test_a_program_computes_the_equation_that_it_cites(tmp_path: Path) -> None:
    path = tmp_path / "program.toml"
    path.write_text(re.sub(r"(?m)^ +", "", LOGISTIC), encoding="utf-8")
    text = str(symderiv.derive(path).render("numpy"))
    assert "    dw = X.T @ (a - y) / m  # (G1) ∂J/∂w = 1/m Xᵀ (a − y)\n" in text
    net = run(text)
    point = {"X": np.array([[50.0], [-50.0]]), "w": np.ones(1), "c": 0.0, "y": np.array([0.0, 1.0])}
    value, gradients = net.cost_and_gradients(point)
    assert value == pytest.approx(50) and gradients["w"] == pytest.approx([50.0])
    point["X"] *= 100
    assert net.cost(point) == pytest.approx(5000)


def test_the_quotient_of_a_log_softmax_is_its_exponential() -> None:
    text = str(symderiv.derive("3-4-2:log-softmax,identity+mse").render("numpy"))
    assert "np.exp(a1)" in text.split("def _errors")[1].split("def ")[0]
    assert "e1 = " not in text.split("def reference_cost")[0]


SINGLE = {
    "layer norm": """
        [program]
        mu = "mean(x, axis=1, keepdims=True)"
        v = "mean((x - mu)**2, axis=1, keepdims=True)"
        y = "g*(x - mu)/sqrt(v + eps) + b"
        [shapes]
        x = "m n"
        g = "n"
        b = "n"
        [request]
        upstream = "dy" """,
    "an input with one column": """
        [program]
        Z = "A + b"
        J = "sum(Z*c)"
        [shapes]
        A = "m n"
        b = "n"
        c = "m 1" """,
    "rows, columns and a matrix of one entry": """
        [program]
        s = "sum(A, axis=0, keepdims=True)"
        t = "sum(A, axis=1, keepdims=True)"
        J = "sum(s*t*A) + sum(exp(c)*s) + sum(d)"
        [shapes]
        A = "m n"
        c = "1 n"
        d = "1 1" """,
    "entries by their number": """
        [program]
        J = "sum(A[0]*b) + sum(A[1]**2) + A[2][1]*b[0]"
        [shapes]
        A = "3 4"
        b = "4" """,
    "a row repeated along the first of two axes": """
        [program]
        J = "sum(A*e) + sum(B*e) + sum(C*e) + sum(D*c) + sum(E*F)"
        [shapes]
        A = "1 3 2"
        B = "3 1 2"
        C = "n 1 3 2"
        D = "3 n 1"
        E = "3 1 n 1"
        F = "1 n 1"
        c = "n 1"
        e = "2" """,
    "the largest of one": """
        [program]
        p = "max(A, axis=1)"
        J = "sum(p**2) + max(b)**3 + min(C) + max(A)**2"
        [shapes]
        A = "n 1"
        b = "1"
        C = "1 n 1" """,
    "comparisons of single entries": """
        [program]
        p = "maximum(A[0], b)"
        J = "sum(p**2) + minimum(A[1,0], b[-1]) + sum(where(c > d, b, A[-1]))"
        [shapes]
        A = "3 n"
        b = "n"
        c = "1"
        d = "1" """,
}


@pytest.mark.parametrize("name", SINGLE)
def test_axes_of_length_one_and_single_entries(name: str, tmp_path: Path) -> None:
    path = tmp_path / "program.toml"
    path.write_text(re.sub(r"(?m)^ +", "", SINGLE[name]), encoding="utf-8")
    net, params = net_of(str(symderiv.derive(path).render("numpy")))
    assert net.check_gradients(params) < 1e-12
    for key, gradient in net.cost_and_gradients(params)[1].items():
        assert gradient.shape == params[key].shape


@pytest.mark.parametrize(("text", "wrt", "gradients"), [
    ("u = 2; J = u**2", ["u"], {"u": 4}),
    ("u = 2; v = 1/u; J = sqrt(v)*u", ["u", "v"], {"u": 0.5**1.5, "v": 0.5**-0.5}),
    ("u = 3; J = where(u > 2, u**2, 5*u)", ["u"], {"u": 6}),
    ("I = where(c >= c, 0.5, 0.5); J = I", ["I"], {"I": 1}),
])  # fmt: skip
def test_a_module_without_variables(text: str, wrt: list[str], gradients: dict[str, float]) -> None:
    """Only steps to differentiate by: the module takes nothing, and all of it runs."""
    source = str(symderiv.derive(text, wrt=wrt).render("numpy"))
    net, params = net_of(source)
    assert params == net.PARAMETERS == {}
    value, found = net.cost_and_gradients({})
    assert value == net.cost({}) and net.train({}, 0.1, 2) == ({}, [value, value])
    assert found == pytest.approx(gradients)
    assert {g.dtype for g in found.values()} == {np.dtype(float)}
    assert net.check_gradients({}) < 1e-12
    assert subprocess.run([sys.executable, "-c", source], check=True, capture_output=True).stdout
    with pytest.raises(ValueError, match="params has u; there are no variables"):
        net.cost({"u": 1.0})


@pytest.mark.parametrize("text", [
    "J = sum(where(k > k, k, c))", "J = sqrt(1 + mean(where(k < k, k, c))**2)",
    "J = sum(0*k + c**2)", "J = c*m + sum(0*k)",
])  # fmt: skip
def test_a_size_that_no_array_shows_has_no_code(text: str) -> None:
    """Once m was read in the module and never set."""
    made = symderiv.derive(Network.build(program=text, shapes={"k": "m"}))
    with pytest.raises(NoCode, match="no array that is left in the equations shows the size m"):
        made.render("numpy")

"""Programs against NumPy: the same value, the gradient of finite differences, every step proved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import symderiv
from symderiv.algebra.expr import Access, Role, Tensor
from symderiv.algebra.index import Size, as_index
from symderiv.calculus.backprop import backprop
from symderiv.calculus.conditions import conditions
from symderiv.calculus.steps import Derivation
from symderiv.frontend.errors import SpecError
from symderiv.frontend.grammar import parse_expression
from symderiv.frontend.lower import Lowered, lower, lower_expression
from symderiv.frontend.network import Network
from symderiv.notation.plain import to_text
from symderiv.proof.check import check
from tests.oracles.complexstep import Complex
from tests.oracles.forward import Backward, Forward

NUMBERS = {"m": 4, "n": 3, "k": 2, "h": 5}


def _softmax(z: Any) -> Any:
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


NUMPY: dict[str, Any] = {
    **{f.__name__: f for f in (
        np.exp, np.log, np.sqrt, np.sign, np.sin, np.cos, np.tan, np.tanh, np.sinh, np.cosh,
        np.arctan, np.sum, np.mean, np.max, np.min, np.maximum, np.minimum, np.where, np.dot,
        np.outer, np.trace, np.diag,
    )},
    "max": np.max, "min": np.min, "abs": np.abs,
    "norm": np.linalg.norm,
    "softmax": _softmax,
    "log_softmax": lambda z: np.log(_softmax(z)),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "relu": lambda z: np.maximum(z, 0),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "leaky_relu": lambda z, slope=0.01: np.where(z > 0, z, slope * z),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A program, the shapes of its variables, and the names that it may make up."""

    program: str
    shapes: dict[str, str] = field(default_factory=dict)
    makes: str = ""
    gradient: dict[str, str] = field(default_factory=dict)
    wrt: str = ""
    low: float = -1.0
    upstream: str | None = None

    def lowered(self) -> Lowered:
        request = {"wrt": self.wrt.split() or None, "upstream": self.upstream}
        return lower(Network.build(program=self.program, shapes=self.shapes, request=request))


REGRESSION = {"X": "m n", "w": "n", "y": "m"}
CLASSES = {"X": "m n", "W": "n k", "Y": "m k"}
LAYERS = {"X": "m n", "W1": "n h", "b1": "h", "W2": "h k", "b2": "k", "Y": "m k"}
BCE = "J = -mean(y*log(sigmoid(X@w + b)) + (1 - y)*log(1 - sigmoid(X@w + b)))"
NORMALISED = "y = (x - mean(x))/sqrt(mean((x - mean(x))**2) + eps)"
HUBER = "J = mean(where(abs(X@w - y) <= 1, 0.5*(X@w - y)**2, abs(X@w - y) - 0.5))"

CASES = [
    Case("J = 3*(a + b*c)", {}, "", {"b": "3*c", "a": "3"}),
    Case("u = b*c; v = a+u; J = 3*v", {}, "", {"b": "3*c", "a": "3"}),
    Case("J = mean((X@w - y)**2)", REGRESSION, "r",
         {"w": "2/size(m)*sum(i1 in 1..m, r[i1]*X[i1,i])"}, "w"),
    Case("J = norm(X@w - y)**2 + lam*norm(w)**2", REGRESSION, "r",
         {"w": "2*sum(i1 in 1..m, r[i1]*X[i1,i]) + 2*lam*w[i]"}, "w lam"),
    Case("J = (X@w - y)@(X@w - y)/(2*m)", REGRESSION, "r",
         {"w": "1/size(m)*sum(i1 in 1..m, r[i1]*X[i1,i])"}, "w"),
    Case(BCE, REGRESSION, "z a",
         {"w": "1/size(m)*sum(i1 in 1..m, (a[i1] - y[i1])*X[i1,i])",
          "b": "1/size(m)*sum(i in 1..m, a[i] - y[i])"}, "w b", 0.1),
    Case("J = sum(softplus(X@w) - y*(X@w))", REGRESSION, "z",
         {"w": "sum(i1 in 1..m, (sigmoid(z[i1]) - y[i1])*X[i1,i])"}, "w"),
    Case("J = -sum(Y*log(softmax(X@W)))", CLASSES, "z e s p",
         {"W": "sum(i1 in 1..m, (p[i1,j]*sum(j1 in 1..k, Y[i1,j1]) - Y[i1,j])*X[i1,i])"}, "W"),
    Case("J = -sum(Y*log_softmax(X@W))", CLASSES, "z e s q", {}, "W"),
    Case("J = sum(softmax(X@W)*Y)", CLASSES, "z e s p", {}, "W"),
    Case("y = softmax(z)", {"z": "n"}, "e s L",
         {"z": "y[i]*(dy_given[i] - sum(i1 in 1..n, dy_given[i1]*y[i1]))"}, "", -1, "dy"),
    Case("J = log(trace(Z.T@Z))", {"Z": "m n"}, "t", {"Z": "2*Z[i,j]/t"}),
    Case("J = exp(trace(A))", {"A": "n n"}, "t", {"A": "[i = j]*J"}),
    Case("J = norm(X@w - y)", REGRESSION, "r s", {"w": "1/J*sum(i1 in 1..m, X[i1,i]*r[i1])"}),
    Case("J = x.T@A@x", {"x": "n", "A": "n n"}, "",
         {"x": "sum(j in 1..n, A[i,j]*x[j]) + sum(j in 1..n, x[j]*A[j,i])", "A": "x[i]*x[j]"}),
    Case("J = log(sum(exp(x)))", {"x": "n"}, "s", {"x": "1/s*exp(x[i])"}),
    Case("J = sum(outer(u, v)*A)", {"u": "m", "v": "n", "A": "m n"}, "", {"A": "u[i]*v[j]"}),
    Case("J = mean(abs(X@w - y))", REGRESSION, "r",
         {"w": "1/size(m)*sum(i1 in 1..m, sign(r[i1])*X[i1,i])"}, "w"),
    Case(HUBER, REGRESSION, "r", {}, "w"),
    Case("J = mean(maximum(0, 1 - y*(X@w)))", REGRESSION, "r",
         {"w": "-1/size(m)*sum(i1 in 1..m, positive(r[i1])*y[i1]*X[i1,i])"}, "w"),
    Case("J = sum(maximum(x, y) - minimum(x, 2*y))", {"x": "n", "y": "n"}),
    Case("J = trace(A@B@C)", {"A": "m n", "B": "n k", "C": "k m"}, "",
         {"B": "sum(i1 in 1..m, A[i1,i]*C[j,i1])"}),
    Case("J = sum(diag(A)*v)", {"A": "n n", "v": "n"}, "", {"A": "[i = j]*v[i]", "v": "A[i,i]"}),
    Case("J = sum(diag(v)@B)", {"B": "n k", "v": "n"}, "", {"v": "sum(j in 1..k, B[i,j])"}),
    Case("J = max(x)", {"x": "n"}, "", {"x": "argmax(i = j in 1..n, x[j])"}),
    Case("J = sum(max(X, axis=1) - min(X, axis=1))", {"X": "m n"}),
    Case("J = max(X)", {"X": "m n"}, "M"),
    Case("y = sigmoid(x@W)", {"x": "m n", "W": "n k"}, "z L",
         {"W": "sum(i1 in 1..m, x[i1,i]*g[i1,j]*y[i1,j]*(1 - y[i1,j]))"}, "", -1, "g"),
    Case("J = -sum(Y*log(softmax(X@W)))/m", CLASSES, "z e s p", {}, "W"),
    Case(NORMALISED, {"x": "n"}, "r v L", {}, "x", 0.2, "g"),
    Case("H = relu(X@W1 + b1); P = sigmoid(H@W2 + b2); J = sum((P - Y)**2)", LAYERS, "z z2",
         {"W2": "sum(i1 in 1..m, dz2[i1,j]*H[i1,i])", "b1": "sum(i1 in 1..m, dz[i1,i])"},
         "W1 b1 W2 b2"),
    Case("Q = softmax(A@B.T/sqrt(n))@V", {"A": "m n", "B": "h n", "V": "h k"}, "z e s p L",
         {"A": "1/sqrt(size(n))*sum(j1 in 1..h, B[j1,j]*dz[i,j1])",
          "V": "sum(i1 in 1..m, dQ_given[i1,j]*p[i1,i])"},
         "A B V", -1, "dQ"),
    Case("J = sum((X@W + b)**2)", {"X": "m n", "W": "n k", "b": "1 k"}, "z", {}, "W b"),
    Case("J = sum((X@w - y)**2)", {"X": "m n", "w": "n 1", "y": "m 1"}, "r",
         {"w": "2*sum(i1 in 1..m, r[i1,1]*X[i1,i])"}, "w"),
    Case("J = mean(X, axis=0)@w + sum(X - mean(X, axis=1, keepdims=True)*2)",
         {"X": "m n", "w": "n"}),
    Case("J = x[0]*x[2] + sum(x) + A[1,0] + sum(A[-1])", {"x": "3", "A": "2 2"}),
    Case("J = x@y/(norm(x)*norm(y))", {"x": "n", "y": "n"}, "s u"),
    Case("J = sum(x**3)**(1/3) + sum(x**-2) + sum(x**1.5)", {"x": "n"}, "s", {}, "", 0.3),
    Case("J = sum(abs(x)**p)**(1/p)", {"x": "n"}, "s", {}, "x p", 0.3),
    Case("J = sum(tan(x) + sinh(x)*cosh(x) - arctan(x)/sin(x))", {"x": "n"}, "", {}, "", 0.3),
    Case("J = sum(leaky_relu(x, 0.2) + tanh(x)**2) + np.pi*dot(x, x)", {"x": "n"}),
    Case("J = sum(sigmoid'(x)) - (x[0] > y)*y", {"x": "n"}, "a", {}, "x"),
    Case("J = mean((X@w - y)**2)", {"X": "4 3", "w": "3", "y": "4"}, "r", {}, "w"),
]  # fmt: skip
IDS = [f"{n}: {case.program}"[:60] for n, case in enumerate(CASES)]


@pytest.fixture(scope="module", params=CASES, ids=IDS)
def made(request: pytest.FixtureRequest) -> tuple[Case, Lowered, Derivation]:
    case: Case = request.param
    lowered = case.lowered()
    return case, lowered, backprop(lowered.graph, lowered.wrt)


def test_every_step_is_proved(made: tuple[Case, Lowered, Derivation]) -> None:
    checked = check(made[2])
    assert not checked.refuted and not checked.unproved


def test_names_made_up_are_few(made: tuple[Case, Lowered, Derivation]) -> None:
    case, lowered, _ = made
    given = {part.split("=")[0].strip() for part in case.program.split(";")}
    names = [d.target.name for d in lowered.graph.definitions]
    assert [n for n in names if n not in given] == case.makes.split()


def test_gradients_read_as_expected(made: tuple[Case, Lowered, Derivation]) -> None:
    case, _, derivation = made
    closed = {a.tensor.name: to_text(a.closed) for a in derivation.adjoints}
    for name, text in case.gradient.items():
        assert closed[f"d{name}"] == text


def test_values_and_gradients_are_those_of_numpy(made: tuple[Case, Lowered, Derivation]) -> None:
    case, lowered, derivation = made
    sizes = numbers(lowered)
    rng = np.random.default_rng(7)
    values = {t.name: rng.uniform(case.low, 1, shape(t, sizes)) for t in lowered.graph.inputs}
    inputs = {
        (name, tuple(n + 1 for n in where)): complex(number)
        for name, value in values.items()
        for where, number in np.ndenumerate(value)
    }
    forward = Forward(lowered.graph, sizes, Complex(), inputs).run()
    cost = forward.entry(lowered.graph.cost, ()).real
    assert cost == pytest.approx(evaluated(case, lowered, values), rel=1e-10, abs=1e-10)
    backward = Backward(forward, derivation)
    for tensor in lowered.wrt:
        adjoint = next(a.tensor for a in derivation.adjoints if a.tensor.of == tensor)
        slope = differences(case, lowered, values, tensor.name)
        for where, expected in np.ndenumerate(slope):
            entry = backward.entry(adjoint, tuple(n + 1 for n in where)).real
            assert entry == pytest.approx(expected, rel=2e-6, abs=2e-6)


def shape(tensor: Tensor, sizes: Mapping[Size, int]) -> list[int]:
    """The lengths of the axes."""
    known = {as_index(size): number for size, number in sizes.items()}
    return [known.get(a.stop, a.stop.const) for a in tensor.axes]


def numbers(lowered: Lowered) -> dict[Size, int]:
    """A number for every size: the one that was given, or one of the table."""
    return {Size(name): number for name, number in NUMBERS.items()} | dict(lowered.sizes)


def evaluated(case: Case, lowered: Lowered, values: Mapping[str, Any]) -> float:
    """The cost by NumPy, from the text of the program."""
    scope = {**NUMPY, "np": np, **NUMBERS, **values}
    for statement in case.program.split(";"):
        name, _, text = statement.partition("=")
        text = text.replace("sigmoid'(x)", "sigmoid(x)*(1 - sigmoid(x))")
        scope[name.strip()] = eval(text, {"__builtins__": {}}, scope)
    result = scope[lowered.target.name]
    return float(result if lowered.upstream is None
                 else np.sum(result * values[lowered.upstream.name]))  # fmt: skip


def differences(case: Case, lowered: Lowered, values: Mapping[str, Any], name: str) -> Any:
    """The gradient by central differences."""
    slope = np.zeros_like(values[name])
    for where, _ in np.ndenumerate(slope):
        costs = []
        for step in (1e-6, -1e-6):
            moved = np.array(values[name])
            moved[where] += step
            costs.append(evaluated(case, lowered, {**values, name: moved}))
        slope[where] = (costs[0] - costs[1]) / 2e-6
    return slope


def test_numbers_are_sizes_of_their_own() -> None:
    low = Case("J = sum(X@w)", {"X": "3 3", "w": "3"}).lowered()
    assert {k.name: v for k, v in low.sizes.items()} == {"m": 3, "n": 3}
    assert [t.axes[0].stop for t in low.graph.inputs] == [as_index(Size("m")), as_index(Size("n"))]


def test_roles_and_assumptions() -> None:
    low = Case("s = sum(log(x)); J = s**2 + q*lam", {"x": "n"}, wrt="x").lowered()
    assert [(t.name, t.role) for t in low.graph.tensors] == [
        ("x", Role.PARAMETER), ("q", Role.INPUT), ("lam", Role.HYPERPARAMETER),
        ("s", Role.AUXILIARY), ("J", Role.COST),
    ]  # fmt: skip
    assert [c.function for c in conditions(low.graph)] == ["log"]


def test_what_the_cost_does_not_need_is_left_out() -> None:
    net = Network.build(program="u = a*b; v = 2*a; w = c", request={"cost": "v"})
    low = lower(net)
    assert [d.target.name for d in low.graph.definitions] == ["v"]
    assert [t.name for t in low.wrt] == ["a"]


def test_gradient_by_a_quantity_on_the_way() -> None:
    low = lower(Network.build(program="u = b*c; J = 3*u", request={"wrt": ["u"]}))
    derivation = backprop(low.graph, low.wrt)
    assert [to_text(a.closed) for a in derivation.adjoints] == ["3"]


@pytest.mark.parametrize(("text", "wrt", "closed"), [
    ("s = sum(x); J = s*(b + sum(x))", "s", "b + u"),
    ("s = x[0]; J = s*x[0]", "s", "x[1]"),
    ("s = 1/3; J = s*x[0] + (1/3)**4", "s", "x[1]"),
    ("p = softmax(x); J = sum(p*softmax(x))", "p", "p2[i]"),
    ("s = sum(x); J = s*(b + sum(x))", "b", "s"),
])  # fmt: skip
def test_a_step_asked_for_stands_only_where_it_is_written(text: str, wrt: str, closed: str) -> None:
    """s(b + Σx) with s = Σx is b + Σx times s to whoever moves s alone."""
    low = Case(text, {"x": "3"}, wrt=wrt).lowered()
    derivation = backprop(low.graph, low.wrt)
    (found,) = (a for a in derivation.adjoints if a.of.name == wrt)
    assert to_text(found.closed) == closed


def test_one_expression() -> None:
    low = lower_expression(parse_expression("sum(J*x)"), {"x": ("n",)}, wrt=["x"])
    assert low.target.name == "J2"
    low = lower_expression(parse_expression("x*c"), {"x": ("n",)}, upstream="g")
    assert low.upstream is not None and low.upstream.name == "g"
    assert low.target.name == "J"


@pytest.mark.parametrize(
    ("program", "shapes", "request_", "message"),
    [
        ("J = 3", {}, {}, "J does not depend on any variable"),
        ("J = 0*x", {}, {}, "J does not depend on any variable"),
        ("J = a + 0*b", {}, {"wrt": ["b"]}, "wrt names b, but J does not depend on it"),
        ("J = a", {}, {"wrt": ["J"]}, "wrt names J, but it is what is differentiated"),
        ("J = sum(x)/n", {"x": "n"}, {"wrt": ["n"]}, "wrt names n, but it is a size"),
        ("y = 2*x", {"x": "n"}, {"cost": "y"}, "the cost y is (n,)"),
        ("J = x*dx", {}, {}, "dx is the name of a gradient"),
    ],
)
def test_requests_that_make_no_sense(
    program: str, shapes: dict[str, str], request_: dict[str, Any], message: str
) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        lower(Network.build(program=program, shapes=shapes, request=request_))


def test_names_never_clash() -> None:
    """The program already uses the letters that would be made up."""
    shapes = {"X": "m n", "w": "n", "r": "m", "z": "m"}
    low = Case("J = sum((X@w - r)**2 + sigmoid(X@w + z))*a", shapes).lowered()
    names = [t.name for t in low.graph.tensors]
    assert len(set(names)) == len(names)
    assert {"r", "z", "a"} <= {t.name for t in low.graph.inputs}
    assert all(isinstance(d.left, Access) for d in low.graph.definitions)
    assert isinstance(low.graph.cost, Tensor)


def test_the_last_entry_of_an_axis_with_a_number() -> None:
    given = {"program": "J = 2*a[-1]", "shapes": {"a": "3"}}
    gradient = symderiv.derive(Network.build(**given)).gradient("a")  # type: ignore[arg-type]
    assert "[3 = j]" in gradient.latex()

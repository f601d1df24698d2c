"""What is said to be assumed is what the forward pass needs: tried at points where it may fail."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from symderiv.algebra.expr import Access, Expr, Role, SizeOf, Sum, Tensor, apply, walk
from symderiv.algebra.index import Axis, Index, Size, as_index, fresh
from symderiv.calculus.builder import Builder
from symderiv.calculus.conditions import Condition, conditions
from symderiv.calculus.functions import NONZERO, Domain
from symderiv.calculus.graph import Graph
from symderiv.frontend import parse_spec, parse_toml
from symderiv.frontend.build import build_graph
from tests.oracles.forward import Forward, by_definition, definition

PROGRAMS = [
    "J = log(a - b)",
    "J = log(a) + log(b) + sqrt(a*b)",
    "J = 1/(a - b) + 1/(a*a + 1) + b/a",
    "J = sqrt(a**2 + b**2 + 1) + sqrt(exp(a)) + log(sigmoid(b))",
    "J = log(abs(a) + 1) + sqrt(a*a)",
    "J = log(1 - sigmoid(a)) + 1/sigmoid(b)",
    "J = 1/(log(a) - b) + tanh(1/b)",
    "J = sqrt(a - 1)*log(2 - a) + 1/b**2",
    "J = log(hard_sigmoid(3*a)) + 1/hard_sigmoid(b)",
    "J = 1/(2 - hard_tanh(a)) + sqrt(hard_sigmoid(2*b))",
    "J = log(relu(a) + 1) + sqrt(relu(b)) + 1/relu(a)",
    "J = log(2 - sigmoid(a) - sigmoid(b)) + 1/(tanh(a) - 2) + sqrt(b - 1 + 2*sigmoid(b))",
    "J = log(softplus(a) - 1) + log(exp(a)*sigmoid(b)) + 1/(exp(a) + exp(b))",
]
VALUES = [Fraction(n, 2) for n in range(-4, 5)]


class Undefined(ArithmeticError):
    """No real value, or no derivative of the root."""


class Real:
    """Exact rationals as long as it goes, floating point else; strict about domains."""

    def __init__(self, point: dict[str, Fraction]) -> None:
        self.point = point

    def lift(self, value: Fraction) -> Any:
        return value

    def winner(self, values: Sequence[Any]) -> int:
        return max(range(len(values)), key=values.__getitem__)

    def draw(self, tensor: Tensor, where: tuple[int, ...]) -> Any:
        return self.point[tensor.name]

    def apply(self, name: str, orders: tuple[int, ...], args: Sequence[Any]) -> Any:
        if definition(name) is not None:
            return by_definition(self, name, args)
        if name in ("log", "sqrt") and args[0] <= 0:
            raise Undefined
        return int(args[0] > 0) if name == "positive" else getattr(math, name)(float(args[0]))


def graph_of(text: str) -> Graph:
    return build_graph(parse_spec(text)).graph


def met(condition: Condition, forward: Forward) -> bool:
    (argument,) = condition.arguments
    value = forward.value(argument, {})
    if condition.what == NONZERO:
        return bool(value != 0)
    assert isinstance(condition.what, Domain)
    low, high = condition.what.low, condition.what.high
    return bool((low is None or low < value) and (high is None or value < high))


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_value_exists_exactly_where_the_conditions_hold(text: str) -> None:
    graph = graph_of(text)
    asked = [c for c in conditions(graph) if not isinstance(c.what, tuple)]
    seen = set()
    for a, b in product(VALUES, VALUES):
        forward = Forward(graph, {}, Real({"a": a, "b": b}))
        try:
            forward.run()
            defined = True
        except ArithmeticError:
            defined = False
        try:
            expected = all(met(condition, forward) for condition in asked)
        except ArithmeticError:  # the argument of one has no value where another one fails
            expected = False
        assert defined == expected, (a, b)
        seen.add(defined)
    assert True in seen and (asked or False not in seen)


def spoken_of(graph: Graph) -> list[tuple[str, list[str], str]]:
    found = []
    for c in conditions(graph):
        names = [
            n.tensor.name for e in c.arguments for n in walk(e) if isinstance(n, Access)
        ]  # fmt: skip
        domain = isinstance(c.what, Domain)
        found.append((c.function, names, c.what.text if domain else "kink" if c.what else "tie"))
    return found


def test_every_kink_is_named_with_its_argument() -> None:
    graph = graph_of("J = relu(a*b) + relu(a) + abs(b) + relu(a)")
    kinks = [(f, names) for f, names, _ in spoken_of(graph)]
    assert kinks == [("relu", ["a", "b"]), ("relu", ["a"]), ("abs", ["b"])]


@pytest.mark.parametrize(("spec", "asked"), [
    ("2-3-1:sigmoid+bce", [("bce", ["y"], "between 0 and 1")]),
    ("2-3-3:tanh,softmax+ce", [("ce", ["y"], "between 0 and 1, summing to 1")]),
    ("2-3-1:relu,identity+mae", [("relu", ["z1"], "kink"), ("mae", ["a2", "y"], "kink")]),
    ("n0-...-nL:sigmoid+bce", [("bce", ["y"], "between 0 and 1")]),
    ("2-3-1:tanh,identity+mse", []),
])  # fmt: skip
def test_what_follows_from_the_equations_is_not_assumed(spec: str, asked: list[object]) -> None:
    assert spoken_of(graph_of(spec)) == asked


@pytest.mark.parametrize("text", [
    "log(1 - sigmoid(a))", "1/(1 - sigmoid(a*b))", "1/(tanh(a) - 1)", "sqrt(1 + tanh(a))",
    "log(3 - 2*sigmoid(a) - tanh(b))", "log(2 + hard_tanh(a))",
])  # fmt: skip
def test_ranges_are_known_through_sums(text: str) -> None:
    assert [c for c in conditions(graph_of(f"J = {text}")) if not isinstance(c.what, tuple)] == []


@pytest.mark.parametrize("text", [
    "log(1 - hard_sigmoid(a))", "1/(1 + hard_tanh(a))", "log(sigmoid(a) - sigmoid(b))",
    "log(1 - 2*sigmoid(a))", "log(1 - exp(a))",
])  # fmt: skip
def test_ranges_that_touch_the_end_are_asked_for(text: str) -> None:
    assert [c for c in conditions(graph_of(f"J = {text}")) if not isinstance(c.what, tuple)]


def test_one_minus_the_softmax_of_a_single_unit_is_zero(tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text('[program]\np = "softmax(z)"\nJ = "sum(log(1 - p))"\n[shapes]\nz = "n"\n')
    assert [c.function for c in conditions(build_graph(parse_spec(str(path))).graph)] == ["log"]


@pytest.mark.parametrize(("text", "asked"), [
    ("sqrt(a)**2", [("sqrt", ["a"], "positive")]),
    ("sqrt(a)**-4", [("", ["a"], "not 0"), ("sqrt", ["a"], "positive")]),
    ("1/(1/a)", [("", ["a"], "not 0")]),
    ("(1/a)**-2 + 1/(1/a**2)", [("", ["a"], "not 0")]),
    ("0*log(a - 1) + b", [("log", ["a"], "positive")]),
    ("0*log(sigmoid(a)) + b", []),
    ("log(a)**0*b", [("log", ["a"], "positive")]),
    ("exp(log(a))", [("log", ["a"], "positive")]),
    ("a/a", [("", ["a"], "not 0")]),
    ("where(a > 0, sqrt(a)**2, b)", [("positive", ["a"], "kink")]),
    ("norm(a)**2", []),
])  # fmt: skip
def test_what_was_asked_as_written_is_kept(text: str, asked: list[object]) -> None:
    assert spoken_of(graph_of(f"J = {text}")) == asked


def test_what_a_name_that_cancels_asked_is_kept_by_its_definition(tmp_path: Path) -> None:
    path = tmp_path / "written.toml"
    path.write_text(
        '[program]\nu = "2*v"\nJ = "sum(sqrt(v)**2) + 0*sum(log(u))"\n[shapes]\nv = "n"\n'
    )
    found = spoken_of(build_graph(parse_spec(str(path))).graph)
    assert found == [("sqrt", ["v"], "positive"), ("log", ["v"], "positive")]


def assumed_of(body: Expr) -> list[str]:
    b = Builder()
    cost = b.tensor("C", [], Role.COST)
    b.define(cost, [], body)
    return [c.function for c in conditions(b.graph(cost)) if isinstance(c.what, Domain)]


def test_a_range_that_may_be_empty_is_no_reason_to_be_positive() -> None:
    n, b = Size("n"), Builder()
    x = b.tensor("x", [Axis("unit", as_index(n))], Role.PARAMETER)
    for start, asked in ((1, []), (2, ["log"])):
        i = fresh(Axis("unit", as_index(n), Index(start)))
        assert assumed_of(apply("log", Sum(i, apply("exp", x[i])))) == asked
    assert assumed_of(apply("log", SizeOf(as_index(n)))) == []
    assert assumed_of(apply("log", SizeOf(as_index(n) - 1))) == ["log"]
    assert assumed_of(1 / SizeOf(as_index(n) + as_index(Size("m")) - 1)) == []
    assert assumed_of(1 / SizeOf(as_index(n) - as_index(Size("m")))) == [""]


SHARES = """
[program]
p = "softmax(x)"
a = "p"
h = "0.5*p"
J = "sum({}) + sum(a) + sum(h)"
[shapes]
x = "n"
"""


@pytest.mark.parametrize(
    ("term", "asked"),
    [
        ("log(p)", []), ("log(1 - p)", ["log"]), ("log(1 - a)", ["log"]), ("log(2 - p)", []),
        ("log(1 - 2*h)", ["log"]), ("1/(2*p - 2)", [""]), ("log(a + h)", []), ("1/(3 - p - h)", []),
    ],
)  # fmt: skip
def test_the_softmax_of_one_unit_is_1(term: str, asked: list[str]) -> None:
    """Whoever uses it under another name, or a part of it, is no safer from 1 − 1."""
    graph = build_graph(parse_toml(SHARES.format(term))).graph
    assert [c.function for c in conditions(graph) if isinstance(c.what, Domain)] == asked


WHERE = [
    ("sum(1/log_softmax(x))", [("", "not 0", 0)]),
    ("sum(log(-log_softmax(x)))", [("log", "positive", 0)]),
    ("sum(where(x > 0, x*sum(sqrt(y)**2), 0))", [("sqrt", "positive", 0)]),
    ("sum((x > 0)*mean(sqrt(y)**2)) + sum(x)", [("sqrt", "positive", 0)]),
    ("sum(where(x > 0, sqrt(x)**2, x))", []),
    ("sum(where(x > 0, sqrt(y)**2, y))", [("sqrt", "positive", 1)]),
    ("a*where(b > 0, sqrt(c), 0) + b*sqrt(c)**2",
     [("sqrt", "positive", 0)]),
    ("where(c > 0, sum(sqrt(b)**2*x), 1) + sum(sqrt(b)**2*x)", [("sqrt", "positive", 0)]),
    ("sum(sqrt(b)**2*x) + where(c > 0, sum(sqrt(b)**2*x), 1)", [("sqrt", "positive", 0)]),
    ("where(b > 0, log(c), 0) + 0*log(c) + a*b", [("log", "positive", 0)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "asked"), WHERE)
def test_a_bracket_guards_the_entries_at_its_own_place_alone(text: str, asked: list[Any]) -> None:
    """Nothing that is summed inside; and what is asked without it is asked once, in any order."""
    shapes = "".join(f'{name} = "n"\n' for name in "xy" if name in text.replace("exp", ""))
    graph = build_graph(parse_toml(f'[program]\nJ = "{text}"\n[shapes]\n{shapes}')).graph
    found = [c for c in conditions(graph) if isinstance(c.what, Domain)]
    assert [(c.function, c.what.text, len(c.guards)) for c in found] == asked  # type: ignore[union-attr]

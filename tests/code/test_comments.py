"""The formula beside a line of generated code has the value of the line."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symderiv
from tests.code.generated import run

_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
FUNCTIONS = {
    "σ": "sigmoid", "sqrt": "sqrt", "log": "log", "exp": "exp", "tanh": "tanh",
    "softplus": "softplus", "power": "power", "sin": "sin", "cos": "cos", "abs": "abs",
}  # fmt: skip


@dataclass
class Reader:
    """Reads a comment as people do: σ′(x)/σ(x), 2xy/(x(1 + y))², 1/2x is 1/(2x)."""

    text: str
    values: Mapping[str, mpmath.mpf]

    def __post_init__(self) -> None:
        self.at = 0

    def take(self, sign: str) -> bool:
        found = self.text.startswith(sign, self.at)
        self.at += len(sign) * found
        return found

    def sum(self) -> mpmath.mpf:
        total = self.product()
        while True:
            if self.take(" + "):
                total += self.product()
            elif self.take(" − "):
                total -= self.product()
            else:
                return total

    def product(self) -> mpmath.mpf:
        sign = -1 if self.take("−") else 1
        value = self.power()
        while (factor := self.factor()) is not None:
            value *= factor
        if self.take("/"):
            number = self.text[self.at].isdigit()
            below = self.power()
            factor = self.factor() if number else None
            value /= below if factor is None else below * factor
        return sign * value

    def factor(self) -> mpmath.mpf | None:
        """The next factor of a product, if there is one."""
        self.take(" ") if re.match(r" [\w(∂\[]", self.text[self.at :]) else None
        rest = self.text[self.at :]
        return self.power() if re.match(r"[^\W⁰¹²³⁴⁵⁶⁷⁸⁹]|[(\[∂]", rest) else None

    def power(self) -> mpmath.mpf:
        value = self.atom()
        exponent = "".join(takewhile(lambda c: c in _RAISED, self.text[self.at :]))
        self.at += len(exponent)
        return value ** int("".join(str(_RAISED.index(c)) for c in exponent)) if exponent else value

    def atom(self) -> mpmath.mpf:
        if self.take("("):
            slope = re.match(r"∂(\w+)/∂([zp])\)", self.text[self.at :])
            if slope:
                self.at += slope.end()
                return self.call(slope[1], "zp".index(slope[2]))
            value = self.sum()
            assert self.take(")"), self.text[self.at :]
            return value
        if self.take("["):
            value = self.sum()
            assert self.take(" > 0]")
            return mpmath.mpf(value > 0)
        if self.take("π"):
            return +mpmath.pi
        number = re.match(r"[0-9]+", self.text[self.at :])
        if number:
            self.at += number.end()
            return mpmath.mpf(number[0])
        for name in sorted(self.values, key=len, reverse=True):
            if self.take(name):
                return self.values[name]
        partial = re.match(r"∂(\w+)\(", self.text[self.at :])
        if partial:
            self.at += partial.end() - 1
            end = self.text.index(")/∂", self.at)
            variable = self.text[end + 3]
            inside = self.text[self.at + 1 : end].split(", ")
            value = self.call(partial[1], inside.index(variable))
            assert self.take(f"/∂{variable}")
            return value
        function = re.match(r"([^\W\d]+)(′?)", self.text[self.at :])
        assert function and function[1] in FUNCTIONS, self.text[self.at :]
        self.at += function.end()
        return self.call(function[1], 0 if function[2] else None)

    def call(self, name: str, slope: int | None) -> mpmath.mpf:
        """The value of a function, or of its derivative by one argument."""
        args = []
        if self.take("("):
            args.append(self.sum())
            while self.take(", "):
                args.append(self.sum())
            assert self.take(")"), self.text[self.at :]

        def at(*given: mpmath.mpf) -> mpmath.mpf:
            return VALUES[FUNCTIONS[name]](*given)

        if slope is None:
            return at(*args)
        orders = tuple(int(n == slope) for n in range(len(args)))
        return mpmath.diff(at, tuple(args), orders)


VALUES: dict[str, Any] = {
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
    "power": lambda x, p: x**p, "abs": abs,
    **{name: getattr(mpmath, name) for name in ("sqrt", "log", "exp", "tanh", "sin", "cos")},
}  # fmt: skip


def compare(spec: str, point: Mapping[str, float]) -> int:
    """How many lines of the module were compared with the formulas beside them."""
    text = str(symderiv.derive(spec).render("numpy"))
    net = run(text)
    function = next(
        node for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name == "cost_and_gradients"
    )  # fmt: skip
    lines, names = text.splitlines(), {**vars(net), **{k: np.float64(v) for k, v in point.items()}}
    values = {name: mpmath.mpf(value) for name, value in point.items()}
    compared = 0
    for node in function.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        note = beside(lines, node)
        if not note:
            continue
        exec(ast.unparse(node), names)
        left, _, right = note.partition(" = ")
        reader = Reader(right, values)
        value = reader.sum()
        assert reader.at == len(right), f"not read: {right[reader.at :]} of {note}"
        made = float(names[node.targets[0].id])
        if not np.isfinite(made) or abs(made) > 1e12:
            break
        values[left] = mpmath.mpf(made)
        assert mpmath.almosteq(value, made, rel_eps=1e-7, abs_eps=1e-9), (note, value, made)
        compared += 1
    return compared


def beside(lines: list[str], node: ast.Assign) -> str:
    """The equation in the comment at the end of a statement, or above it."""
    inline = re.search(r"  # \(\w+\) (.*)", lines[node.lineno - 1])
    if inline:
        return inline[1]
    above = [*takewhile(lambda s: s.lstrip().startswith("#"), lines[node.lineno - 2 :: -1])]
    whole = " ".join(line.strip().removeprefix("# ") for line in above[::-1])
    return re.sub(r"^\(\w+\) ", "", whole) if re.match(r"\(\w+\) ", whole) else ""


POINT = {"x": 0.7, "y": 1.3, "z": 0.45}
EXPRESSIONS = (
    "log(sigmoid(x))",
    "sqrt(x)*log(1 + sqrt(x)) / sqrt(y)",
    "tanh(x)*x + log(1 + tanh(x)**2)",
    "log(x)/(x*(1 + y)) + x/(y*z)/(2*x**2)",
    "x**y * y**(-x) + z**z",
    "1/(x*y) - x/(2*y) + 3/(2*x*y*z)",
    "where(x > y, x/y, y/x)*z + maximum(x, y - z)",
    "(x + y)*(y - z)/(x - 2*y)**3 + pi*x",
    "sigmoid(x*y)**2/(1 - sigmoid(z))",
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_comment_has_the_value_of_its_line(expression: str) -> None:
    assert compare(f"J = {expression}", POINT) > 1


def _texts() -> st.SearchStrategy[str]:
    leaf = st.sampled_from(["x", "y", "z", "2", "3", "x", "y"])

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(inner, st.sampled_from("+-*/*/"), inner).map(
                lambda t: f"({t[0]} {t[1]} {t[2]})"
            ),
            st.tuples(st.sampled_from(["tanh", "sigmoid", "softplus", "sin"]), inner).map(
                lambda t: f"{t[0]}({t[1]})"
            ),
            st.tuples(st.sampled_from(["log", "sqrt"]), inner).map(
                lambda t: f"{t[0]}(1 + ({t[1]})**2)"
            ),
            st.tuples(inner, st.sampled_from(["2", "3", "-1"])).map(lambda t: f"({t[0]})**{t[1]}"),
        )

    return st.recursive(leaf, larger, max_leaves=7).filter(lambda s: re.search("[xyz]", s))


@settings(max_examples=60, deadline=None)
@given(_texts())
def test_a_comment_of_any_expression_has_the_value_of_its_line(expression: str) -> None:
    with suppress(symderiv.SpecError):  # 0/0, a constant, or beyond what can be read
        compare(f"J = {expression}", POINT)

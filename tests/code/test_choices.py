"""Brackets choose: a side that is not taken may have no value, and the module checks both sides."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import symderiv
from symderiv.documents.checking import assumptions
from symderiv.documents.prose import plain
from tests.code.generated import run

CHOICES = {
    "where(x > 0, log(x), x)": lambda x: np.where(x > 0, np.log(abs(x)), x),
    "where(x > 0, x, exp(x) - 1)": lambda x: np.where(x > 0, x, np.expm1(min(x, 0))),
    "(x > 0)*log(x)*2 + x": lambda x: x + (2 * np.log(x) if x > 0 else 0),
    "where(x >= 1, sqrt(x - 1), 1/(x - 1))": lambda x: np.sqrt(x - 1) if x >= 1 else 1 / (x - 1),
    "x*where(x > 2, where(x > 3, log(x - 3), x), 1/(x - 2))": lambda x: (
        x * (np.log(x - 3) if x > 3 else x if x > 2 else 1 / (x - 2))
    ),
}


@pytest.mark.parametrize("text", CHOICES)
def test_the_value_is_that_of_the_side_that_is_taken(text: str) -> None:
    net = run(str(symderiv.derive(f"J = {text}").render("numpy")))
    for x in (-1000.0, -2.0, 0.5, 2.5, 3.5, 1000.0):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            value, gradients = net.cost_and_gradients({"x": x})
            assert value == net.cost({"x": x}) == pytest.approx(float(CHOICES[text](x)), rel=1e-12)
        moved = [float(CHOICES[text](x + h)) for h in (1e-6 * abs(x), -1e-6 * abs(x))]
        slope = (moved[0] - moved[1]) / (2e-6 * abs(x))
        assert float(gradients["x"]) == pytest.approx(slope, rel=1e-5, abs=1e-5)


def test_arrays_choose_entry_by_entry(tmp_path: Path) -> None:
    path = tmp_path / "choice.toml"
    path.write_text(
        '[program]\nJ = "sum(v*where(v > 0, log(v), 1/(v - 1))) + sum(A*where(v > 0, v, v**2))"\n'
        '[shapes]\nv = "n"\nA = "m n"\n'
    )
    net = run(str(symderiv.derive(path).render("numpy")))
    v = np.array([-1.5, 2.0, 0.3, -0.2])
    a = np.arange(8.0).reshape(2, 4)
    value, gradients = net.cost_and_gradients({"v": v, "A": a})
    wanted = np.sum(v * np.where(v > 0, np.log(abs(v)), 1 / (v - 1)))
    assert value == pytest.approx(wanted + np.sum(a * np.where(v > 0, v, v**2)))
    assert net.check_gradients({"v": v, "A": a}) < 1e-12
    assert all(np.all(np.isfinite(g)) for g in gradients.values())


def said(text: str) -> list[str]:
    from symderiv.documents.ledger import Ledger

    found = symderiv.derive(f"J = {text}")
    return [plain(phrase) for phrase in assumptions(Ledger(found, "nielsen"))]


def test_what_a_bracket_implies_is_not_assumed() -> None:
    for text in ("where(x > 0, log(x), x)", "where(x >= 1, 1/(x + 1), x)", "(x < 1)*log(2 - x)"):
        assert not any("Assumed" in line for line in said(text))
        assert any(line.startswith("A bracket is 1 where") for line in said(text))


def test_what_is_asked_under_a_bracket_is_said_with_it() -> None:
    lines = said("where(x > 0, log(y), sqrt(x + 1))")
    assert (
        "Assumed: y is positive, where log is defined. This is asked only where [x > 0] = 1."
        in lines
    )
    assert any("x + 1 is positive" in line and "[x > 0] = 0" in line for line in lines)
    assert not any("[x > 0]" in line for line in said("where(x > 0, log(y), x) + log(y)")[1:])


def check(text: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "net.py"
    path.write_text(str(symderiv.derive(f"J = {text}").render("numpy")), encoding="utf-8")
    return subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("text", ["where(a > 1, a**2, b)", "log(x - 1)", "sqrt(x - 3)*log(9 - x)"])
def test_the_check_of_a_script_finds_the_domain_and_both_sides(text: str, tmp_path: Path) -> None:
    done = check(text, tmp_path)
    assert done.returncode == 0 and not done.stderr
    assert len(done.stdout.splitlines()) == 1


def test_a_side_that_no_point_reached_is_named(tmp_path: Path) -> None:
    done = check("where(exp(x) > -1, x**2, x)", tmp_path)
    assert done.returncode == 0
    last = done.stdout.splitlines()[-1]
    assert last == "not checked: no point was found at which np.exp(x) + 1 > 0 is False"


def test_no_point_of_the_domain_is_said_in_one_line(tmp_path: Path) -> None:
    done = check("log(-1 - x**2)", tmp_path)
    assert done.returncode == 1
    assert done.stderr == "nothing is checked: there is no value at any of the points drawn\n"


def test_a_wrong_gradient_on_the_other_side_is_found(tmp_path: Path) -> None:
    text = str(symderiv.derive("J = where(a > 1, a**2, b)").render("numpy"))
    wrong = text.replace("da = 2 * a", "da = 3 * a")
    assert wrong != text
    path = tmp_path / "net.py"
    path.write_text(wrong, encoding="utf-8")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1


def test_a_bracket_of_equal_sides_is_no_choice() -> None:
    for text in (
        "maximum(a, a)",
        "minimum(a*b, b*a)/b",
        "where(a > 0, a, a)",
        "where(b < b, b, a)",
    ):
        found = symderiv.derive(f"J = {text}")
        assert not found.unproved
        assert "[" not in found.gradient("a").latex()

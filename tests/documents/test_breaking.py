"""Long formulas: where they may be broken, and that nothing but marks is added."""

from __future__ import annotations

import re

import pytest

from symderiv import derive
from symderiv.documents.breaking import breakable

PLAIN = {
    "a + b": r"a \symbreak{0} + b",
    r"f(a - b)\, c": r"f(a \symbreak{1} - b)\,\symsplit c",
    r"\bigl(a + (b - c)\bigr)": r"\bigl(a \symbreak{1} + (b \symbreak{2} - c)\bigr)",
    r"\frac{a + b}{c} - d": r"\frac{a + b}{c} \symbreak{0} - d",
    r"\left(a + b\right] + c": r"\left(a + b\right] \symbreak{0} + c",
    "-a": "-a",
}


@pytest.mark.parametrize("tex", PLAIN)
def test_places(tex: str) -> None:
    assert breakable(tex) == PLAIN[tex]


@pytest.mark.parametrize("spec", ["3-2:sigmoid+focal", "2-2-2:elu,selu+huber", "J = selu(x)"])
def test_nothing_is_lost(spec: str) -> None:
    made = derive(spec, layout="single" if "=" in spec else "columns")
    page = made.render("md")
    assert isinstance(page, str)
    for formula in re.findall(r"\$([^$]+)\$", page):
        marked = breakable(formula)
        assert re.sub(r" \\symbreak\{\d+\}|\\symsplit", "", marked) == formula


def test_long_constants_are_cut_in_print() -> None:
    made = derive("J = selu(x)", layout="single")
    page = made.render("md")
    assert isinstance(page, str)
    assert r"1.0507009\dots" in page and "1.05070098735" not in page

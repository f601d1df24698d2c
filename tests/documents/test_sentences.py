"""Sentences that depend on the case: each is held against the formulas beside it."""

from __future__ import annotations

from functools import cache

import pytest

from symderiv import derive


@cache
def page(spec: str, layout: str = "columns") -> str:
    """The document as Markdown without the dollars and escapes."""
    made = derive(spec, layout=layout).render("md")
    assert isinstance(made, str)
    return made.replace("$", "").replace("\\", "")


@pytest.mark.parametrize(
    "layout, line, product",
    [
        ("columns", "column", "the transposed matrix times the error"),
        ("single", "column", "the transposed matrix times the error"),
        ("rows", "row", "the error times the transposed matrix"),
    ],
)
def test_a_bias_as_a_unit_extends_the_weights_of_this_layout(
    layout: str, line: str, product: str
) -> None:
    shown = page("2-3-1:sigmoid+bce", layout)
    assert f"Then the biases are one more {line} of" in shown
    assert product in shown

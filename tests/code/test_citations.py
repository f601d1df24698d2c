"""Every equation that a module cites is one of its document, under the same tag."""

from __future__ import annotations

import json
import re

import pytest

import symderiv

SPECS = (
    "2-3-1:sigmoid+bce",
    "4-5-3:tanh,softmax+ce+l2",
    "3-3-3-2:tanh,relu,identity+mse+freeze=b",
    "3-4-2:sigmoid+mse+freeze=W1,b1",
    "n0-...-nL:sigmoid+mse",
    "n0-...-nL:relu,softmax+ce+l2",
    "u = b*c; v = a + u; J = 3*v",
)


def cited(text: str) -> set[str]:
    return set(re.findall(r"# \(((?:D|BP|G|F|S)\d+\w*)\)", text))


@pytest.mark.parametrize("spec", SPECS)
def test_every_tag_of_the_module_is_one_of_the_document(spec: str) -> None:
    found = symderiv.derive(spec)
    tags = cited(str(found.render("numpy")))
    printed = set(re.findall(r"\(((?:D|BP|G|F|S)\d+\w*)\)", str(found.render("tex"))))
    printed_md = set(re.findall(r"\(((?:D|BP|G|F|S)\d+\w*)\)", str(found.render("md"))))
    assert tags and tags <= printed and tags <= printed_md


def test_a_tag_stands_at_the_same_equation_in_both() -> None:
    found = symderiv.derive("4-5-3:tanh,softmax+ce+l2")
    code = str(found.render("numpy"))
    steps = {s["id"]: s for s in json.loads(str(found.render("json")))["steps"]}
    for tag, symbol, name in re.findall(r"# \(((?:D)\d+)\) (\w)(\S*) =", code):
        assert steps[tag]["lhs"]["text"].startswith({"ℓ": "ell"}.get(symbol, symbol)), (tag, name)
    assert "# (BP1) δ² = a² − y" in code

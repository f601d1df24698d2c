"""What is held fixed: a parameter by its name, or all of a family; never what only begins alike."""

from __future__ import annotations

import pytest

import symderiv
from symderiv.frontend.build import build_graph


def frozen(spec: str, *names: str) -> set[str]:
    return {t.name for t in build_graph(symderiv.parse_spec(spec)).held(names)}


def test_a_family_is_its_letters_and_nothing_that_begins_with_them() -> None:
    spec = "2-3-1:prelu,sigmoid+bce"  # its slope is called alpha1
    assert frozen(spec, "b") == {"b1", "b2"}
    assert frozen(spec, "W2") == {"W2"}
    assert frozen(spec, "a") == set()
    assert frozen(spec, "alpha") == {"alpha1"}


def test_units_are_held_with_the_matrix_that_they_are_of() -> None:
    assert frozen("2-1:sigmoid+bce+scalars", "W") == {"w1", "w2"}
    assert frozen("2-2-1:sigmoid+bce+scalars", "b1") == {"b1_1", "b1_2"}


def test_a_variable_of_a_program_has_no_family() -> None:
    assert frozen("J = b*b1", "b") == {"b"}


@pytest.mark.parametrize("freeze", ["W", "b", "W1", "alpha1"])
def test_what_is_frozen_has_no_gradient_in_document_and_module(freeze: str) -> None:
    made = symderiv.derive(f"2-3-1:prelu,sigmoid+bce+freeze={freeze}")
    held = frozen("2-3-1:prelu,sigmoid+bce", freeze)
    derived = {a.tensor.of.name for a in made.derivation.adjoints}
    code = made.render("numpy")
    assert not held & derived
    assert not any(f'"{name}": d' in code for name in held)
    assert {t.name for t in made.graph.inputs if t.name[0] in "Wba"} - held <= derived

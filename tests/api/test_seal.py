"""What was checked for one network cannot be published as being about another."""

from __future__ import annotations

from dataclasses import replace

import pytest

import symderiv


def test_a_derivation_keeps_its_network_and_layout() -> None:
    one, other = symderiv.derive("2-3-1:sigmoid+bce"), symderiv.derive("2-3-1:tanh,sigmoid+bce")
    for change in ({"network": other.network}, {"layout": "rows"}, {"origin": None},
                   {"origin": other.origin}, {"chains": other.chains}):  # fmt: skip
        with pytest.raises(TypeError):
            replace(one, **change)
    assert replace(one, stem="other").stem == "other"

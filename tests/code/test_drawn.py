"""What is drawn for an array lies where the array may be."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from symderiv.calculus.functions import REAL, Domain
from symderiv.code.selfcheck import drawn

USUAL = Fraction(1, 10), Fraction(9, 10)
DOMAINS = [
    REAL,
    Domain("0 or more", low=Fraction(0)),
    Domain("below -2", high=Fraction(-2)),
    Domain("between 2 and 5", low=Fraction(2), high=Fraction(5)),
    Domain("a half or -1", values=(Fraction(1, 2), Fraction(-1))),
]


@pytest.mark.parametrize("domain", DOMAINS, ids=[d.text for d in DOMAINS])
@pytest.mark.parametrize("usual", [None, USUAL])
def test_drawn(domain: Domain, usual: tuple[Fraction, Fraction] | None) -> None:
    rng = np.random.default_rng(1)
    found = eval(drawn(domain, "(4, 5)", usual), {"rng": rng})
    assert found.shape == (4, 5) and found.dtype == np.float64
    assert all(domain.contains(Fraction(v)) for v in found.flat)


def test_usual_bounds_are_kept_where_they_are_allowed() -> None:
    assert drawn(REAL, "(3,)", USUAL) == "rng.uniform(0.1, 0.9, (3,))"
    assert drawn(Domain("", low=Fraction(1)), "(3,)", USUAL) == "rng.uniform(1, 2, (3,))"

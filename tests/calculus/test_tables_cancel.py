"""Cancelling elementwise rational factors: the compact form, in the order people write it."""

from __future__ import annotations

import pytest

from symderiv.algebra.expr import ZERO, Access, Expr, Role, Tensor
from symderiv.algebra.normal import normal
from symderiv.calculus.functions import exp, log, real_power
from symderiv.calculus.lengths import weight
from symderiv.calculus.sympy_bridge import cancel_rational

A = Access(Tensor("a", role=Role.ACTIVATION), ())
Y = Access(Tensor("y", role=Role.TARGET), ())
G = Access(Tensor("gamma", role=Role.HYPERPARAMETER), ())
Z = Access(Tensor("z", role=Role.PREACTIVATION), ())


@pytest.mark.parametrize(
    ("long", "compact"),
    [
        ((-Y / A + (1 - Y) / (1 - A)) * (A * (1 - A)), A - Y),
        (-Y / A + (1 - Y) / (1 - A), (A - Y) / (A * (1 - A))),
        (-Y / A * (A * (1 - A)), -Y * (1 - A)),
        ((1 - exp(Z) / A) * A, A - exp(Z)),
        ((Y - A) / (A * (1 - A)) * A, (Y - A) / (1 - A)),
        ((1 - Y / A) * A * (1 - A) * (1 + A), (1 - A**2) * (A - Y)),
        (1 / A - 1 / A, ZERO),
        ((1 - Y / A) * (A**2 + A), (1 + A) * (A - Y)),
        (-Y * log(A) / A * A, -Y * log(A)),
        (
            Y * real_power(1 - A, G) * (G * log(A) / (1 - A) - 1 / A) * (A * (1 - A)),
            Y * real_power(1 - A, G) * (G * A * log(A) + A - 1),
        ),
    ],
)
def test_the_compact_form_reads_as_in_a_textbook(long: Expr, compact: Expr) -> None:
    assert cancel_rational(long) == compact


@pytest.mark.parametrize("form", [A - Y, (1 - A**2) * (A - Y), 2 * (A - Y), A * (1 - A), Y, ZERO])
def test_a_compact_form_stays(form: Expr) -> None:
    assert cancel_rational(form) is None


@pytest.mark.parametrize(
    "form", [A / (Y + G / (Z + exp(A))), 2 * A / (Y + 3 * G / (Z + exp(A))) ** 2]
)
def test_what_would_only_get_longer_is_not_asked(
    form: Expr, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("sympy.cancel", asked.append)
    assert cancel_rational(form) is None
    assert not asked


@pytest.mark.parametrize(
    ("long", "compact"),
    [
        (1 / (1 + 2 / A), A / (A + 2)),
        ((2 * A + 2 * Y) / Z, 2 * (A + Y) / Z),
        (Z + 1 / (1 / A * (1 / Y)), Z + A * Y),
        (G / (Y * Z + exp(Z) / A), A * G / (A * Y * Z + exp(Z))),
    ],
)
def test_atoms_that_occur_once_may_get_shorter(long: Expr, compact: Expr) -> None:
    found = cancel_rational(long)
    assert found is not None
    assert normal(found).key == normal(compact).key
    assert weight(found) < weight(long)


def test_division_by_zero_has_no_compact_form() -> None:
    assert cancel_rational(1 / (A - A * Y / Y)) is None

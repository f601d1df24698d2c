"""Twenty-four true scalar identities and twenty-four near misses: every answer is right."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symderiv.algebra.expr import ONE, Access, Expr, Tensor, apply
from symderiv.calculus.functions import (
    PI,
    POSITIVE,
    REAL,
    UNIT,
    absolute,
    cos,
    erf,
    exp,
    log,
    normal_cdf,
    normal_pdf,
    positive,
    real_power,
    sign,
    sin,
    sqrt,
    where,
)
from symderiv.proof.scalar import decide_scalar
from symderiv.proof.verdict import Status

X, Y, Z, A, G = (Access(Tensor(name), ()) for name in ("x", "y", "z", "a", "gamma"))
DOMAINS = {X: POSITIVE, Y: REAL, Z: REAL, A: UNIT, G: POSITIVE}
HALF = Fraction(1, 2)


def sigmoid(x: Expr) -> Expr:
    return apply("sigmoid", x)


def tanh(x: Expr) -> Expr:
    return apply("tanh", x)


def softplus(x: Expr) -> Expr:
    return log(1 + exp(x))


def slope(name: str, x: Expr) -> Expr:
    return apply(name, x, orders=(1,))


# (left, right, a right side that is nearly the same)
IDENTITIES = [
    (sigmoid(-Z), 1 - sigmoid(Z), 1 - sigmoid(2 * Z)),
    (tanh(Z), 2 * sigmoid(2 * Z) - 1, 2 * sigmoid(Z) - 1),
    (slope("sigmoid", Z), sigmoid(Z) * (1 - sigmoid(Z)), 7 * sigmoid(Z) + 5 * sigmoid(Z) ** 2),
    (slope("tanh", Z), 1 - tanh(Z) ** 2, 1 - tanh(Z)),
    (softplus(Z) - softplus(-Z), Z, Z + Fraction(1, 10**30)),
    (log(sigmoid(Z)), -softplus(-Z), -softplus(Z)),
    (
        tanh(softplus(Z)),
        ((1 + exp(Z)) ** 2 - 1) / ((1 + exp(Z)) ** 2 + 1),
        ((1 + exp(Z)) ** 2 - 1) / ((1 + exp(Z)) ** 2),
    ),
    (sigmoid(log(A) - log(1 - A)), A, 1 - A),
    (log(exp(Z) + exp(-Z)), Z + log(1 + exp(-2 * Z)), Z + log(1 + exp(-Z))),
    (
        real_power(1 - A, G) * (1 - A),
        real_power(1 - A, G + 1),
        real_power(1 - A, G - 1),
    ),
    (real_power(X, HALF * ONE) ** 2, X, X**2),
    (sqrt(X**2), X, -X),
    (sqrt(Z**2), absolute(Z), Z),
    (log(Z**2), 2 * log(absolute(Z)), log(absolute(Z))),
    (sqrt(2 * PI) * sqrt(X), sqrt(2 * PI * X), sqrt(PI * X)),
    (erf(-Z) + 1, 2 - 2 * normal_cdf(sqrt(2 * ONE) * Z), 2 - 2 * normal_cdf(Z)),
    (slope("gelu", Z), normal_cdf(Z) + Z * normal_pdf(Z), normal_cdf(Z) + normal_pdf(Z)),
    (sin(2 * Z), 2 * sin(Z) * cos(Z), 2 * sin(Z) * cos(Z) ** 2),
    (cos(Y + Z), cos(Y) * cos(Z) - sin(Y) * sin(Z), cos(Y) * cos(Z) + sin(Y) * sin(Z)),
    (apply("arctan", Z - Y), -apply("arctan", Y - Z), apply("arctan", Y - Z)),
    (apply("relu", Z) - apply("relu", -Z), Z, absolute(Z)),
    (
        where(positive(Z), Z, exp(Z) - 1),
        apply("elu", Z, ONE),
        apply("elu", Z, 2 * ONE),
    ),
    (absolute(Z * Y) ** 2, Z**2 * Y**2, Z**2 * Y**3),
    (sign(Z) * sign(Z) * Y, Y, sign(Z) * Y),
]


@pytest.mark.parametrize("index", range(len(IDENTITIES)))
def test_true_identities_are_proved(index: int) -> None:
    left, right, _ = IDENTITIES[index]
    verdict = decide_scalar(left, right, DOMAINS)
    assert verdict.status is Status.PROVED, verdict


@pytest.mark.parametrize("index", range(len(IDENTITIES)))
def test_near_misses_are_refuted_at_a_point(index: int) -> None:
    left, _, wrong = IDENTITIES[index]
    verdict = decide_scalar(left, wrong, DOMAINS)
    assert verdict.status is Status.REFUTED, verdict
    assert verdict.counterexample is not None
    assert verdict.counterexample["left"] and verdict.counterexample["right"]


def test_there_are_twenty_four() -> None:
    assert len(IDENTITIES) >= 24


def test_what_is_nowhere_defined_is_not_proved() -> None:
    nothing = 1 / (X - X * Y / Y)
    assert decide_scalar(nothing, nothing, DOMAINS).status is Status.UNDECIDED
    negative = log(-(Z**2) - 1)
    assert decide_scalar(negative, negative, DOMAINS).status is Status.UNDECIDED
    both = log(Z) + log(-Z)
    assert decide_scalar(both, both, DOMAINS).status is Status.UNDECIDED


def test_the_domain_decides() -> None:
    assert decide_scalar(sqrt(X**2), X, {X: POSITIVE}).status is Status.PROVED
    assert decide_scalar(sqrt(X**2), X).status is Status.REFUTED
    assert decide_scalar(absolute(1 - A), 1 - A, {A: UNIT}).status is Status.PROVED
    assert decide_scalar(absolute(1 - A), 1 - A).status is Status.REFUTED


def test_answers_do_not_depend_on_the_run() -> None:
    left, _, wrong = IDENTITIES[0]
    assert decide_scalar(left, wrong, DOMAINS) == decide_scalar(left, wrong, DOMAINS)

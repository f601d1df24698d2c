"""Rewritings that are often true, only for some signs, or false: no false one is ever proved.

SymPy is told to ``force`` its rewritings, as if everything were positive; the variables are not.
"""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest
import sympy

from symderiv.proof import balls
from symderiv.proof.tower import OutsideTower, Undefined, proves_zero

X, Y, A = sympy.symbols("x y a")
UNIT = {A: (sympy.Integer(0), sympy.Integer(1))}
HALF = sympy.Rational(1, 2)
LEAVES = [X, X, Y, A, A, sympy.Integer(1), sympy.Integer(2), HALF]
FUNCTIONS = [sympy.exp, sympy.log, sympy.sqrt, sympy.sin, sympy.cos, sympy.erf, sympy.atan]


def expression(rng: random.Random, depth: int) -> Any:
    if depth == 0:
        return rng.choice(LEAVES)
    one = expression(rng, depth - 1)
    kind = rng.randrange(10)
    if kind < 3:
        return one + expression(rng, depth - 1)
    if kind < 5:
        return one * expression(rng, depth - 1)
    if kind == 5:
        return one ** rng.choice([2, -1, 3])
    if kind == 6:
        return sympy.sqrt(one**2)
    if kind == 7:
        return one ** rng.choice([HALF, sympy.Rational(1, 3), sympy.Rational(-3, 2), Y])
    return rng.choice(FUNCTIONS)(one)


def rewritten(rng: random.Random, expr: Any) -> Any:
    kind = rng.randrange(8)
    if kind == 0:
        return sympy.expand(expr)
    if kind == 1:
        return sympy.powdenest(expr, force=True)
    if kind == 2:
        return sympy.expand_log(expr, force=True)
    if kind == 3:
        return sympy.logcombine(expr, force=True)
    if kind == 4:
        return sympy.expand_power_base(expr, force=True)
    if kind == 5:
        return sympy.expand_trig(expr)
    return expr.xreplace(rng.choice([{X: -X}, {sympy.Integer(2): sympy.Integer(3)}]))


@pytest.mark.parametrize("seed", range(6))
def test_no_point_contradicts_a_proof(seed: int) -> None:
    rng = random.Random(seed)
    points = list(balls.candidates([X, Y, A], {A: (Fraction(0), Fraction(1))}, []))[:30]
    proved = refuted = 0
    for _ in range(120):
        one = expression(rng, rng.choice([2, 3]))
        other = rewritten(rng, rewritten(rng, one))
        if one == other or (one - other).has(sympy.zoo, sympy.nan, sympy.I):
            continue
        try:
            zero = proves_zero(one - other, UNIT)
        except (OutsideTower, Undefined):
            continue
        differs = any(balls.differ(one, other, p) for p in points)
        assert not (zero and differs), (one, other)
        proved += zero
        refuted += differs
    assert proved >= 5 and refuted >= 5

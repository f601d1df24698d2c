"""The structural check knows no stated derivative and no rewriting."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from symderiv.algebra.expr import Expr, Tensor
from symderiv.calculus import functions
from symderiv.calculus.functions import ScalarFunction, VectorFunction, rows, scalar, symbols
from symderiv.calculus.steps import Lemma
from symderiv.proof import lemmas
from symderiv.proof.check import CheckedDerivation, check
from symderiv.proof.premises import lemma_verdict
from symderiv.proof.verdict import Status
from tests.proof.planted import NETWORKS, derive


def verdicts(checked: CheckedDerivation) -> list[Any]:
    return [chain.verdicts for chain in checked.chains]


def forbidden(*_: object) -> Expr:
    raise AssertionError("a stated derivative was asked for")


@pytest.mark.parametrize("name", NETWORKS)
def test_verdicts_do_not_change_without_stated_derivatives(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    derivation = derive(NETWORKS[name]())
    before = check(derivation)
    stubbed: dict[str, ScalarFunction | VectorFunction] = {}
    for key, row in rows().items():
        if isinstance(row, ScalarFunction):
            row = replace(row, derivatives=tuple(f and forbidden for f in row.derivatives))
        stubbed[key] = row
    table = MappingProxyType(stubbed)
    for module in (functions, lemmas):
        monkeypatch.setattr(module, "rows", lambda: table)
    with pytest.raises(AssertionError):
        formula = scalar("sigmoid").derivatives[0]
        assert formula is not None
        formula()
    after = check(derivation)
    assert verdicts(after) == verdicts(before)
    assert after.lemmas == before.lemmas


def lemma(function: str, stated: Any) -> Lemma:
    args = symbols(scalar(function))
    value = functions.Access(Tensor("value"), ())
    return Lemma(function, 0, args, value, stated(*args, value))


def test_a_wrong_stated_derivative_is_refuted() -> None:
    verdict = lemma_verdict(lemma("sigmoid", lambda z, a: 7 * a + 5 * a**2))
    assert verdict.status is Status.REFUTED and verdict.counterexample
    assert lemma_verdict(lemma("sigmoid", lambda z, a: a * (1 - a))).status is Status.PROVED


def test_a_derivative_stated_by_a_derivative_is_read_as_one() -> None:
    def slope(name: str) -> Any:
        return lambda z, a: functions.Apply(name, (z,), (1,))

    assert lemma_verdict(lemma("sin", slope("cos"))).status is Status.REFUTED
    assert lemma_verdict(lemma("sin", slope("sin"))).status is not Status.REFUTED


def test_a_step_that_rests_on_a_wrong_lemma_is_not_proved() -> None:
    derivation = derive(NETWORKS["2-1:sigmoid+bce"]())
    wrong = lemma("sigmoid", lambda z, a: 7 * a + 5 * a**2)
    seen = 0
    adjoints = []
    for chain in derivation.adjoints:
        steps = []
        for step in chain.steps:
            premises = tuple(
                wrong if isinstance(p, Lemma) and p.function == "sigmoid" else p
                for p in step.premises
            )
            seen += premises != step.premises
            steps.append(replace(step, premises=premises))
        adjoints.append(replace(chain, steps=tuple(steps)))
    checked = check(replace(derivation, adjoints=tuple(adjoints)))
    assert seen
    resting = [v for c in checked.chains for s, v in c.steps if wrong in s.premises]
    assert resting and all(v.status is Status.REFUTED for v in resting)

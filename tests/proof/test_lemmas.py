"""Every stated derivative is proved, quickly; every wrong one is refuted; the cache is honest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from symderiv.algebra.binding import replace_accesses
from symderiv.algebra.expr import (
    ONE,
    Access,
    Add,
    Apply,
    Expr,
    Mul,
    Number,
    Pow,
    Tensor,
    add,
    children,
    mul,
    power,
    walk,
)
from symderiv.calculus.functions import scalar, symbols, unfold
from symderiv.calculus.losses import LOGITS
from symderiv.calculus.reference import ERF_SERIES, text
from symderiv.proof import lemmas
from symderiv.proof.lemmas import VALUE, all_lemmas, derivative_verdict, prove_stated_derivative
from symderiv.proof.verdict import Status, Verdict

LEMMAS = list(all_lemmas())


def stated(name: str, argument: int) -> Expr:
    formula = scalar(name).derivatives[argument]
    assert formula is not None
    return formula(*symbols(scalar(name)), VALUE)


@pytest.mark.parametrize(("name", "argument"), LEMMAS)
def test_every_stated_derivative_is_proved(name: str, argument: int) -> None:
    assert prove_stated_derivative(name, argument).status is Status.PROVED


@pytest.mark.parametrize(("loss", "activation"), LOGITS)
def test_every_loss_on_logits_is_the_loss_after_its_activation(loss: str, activation: str) -> None:
    assert lemmas.prove_fusion(loss, activation).status is Status.PROVED


def test_the_cache_is_what_a_fresh_proof_gives(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = lemmas.CACHE.read_text(encoding="utf-8")
    monkeypatch.setattr(lemmas, "CACHE", tmp_path / "lemmas.json")
    lemmas.rewrite_cache()
    fresh = json.loads((tmp_path / "lemmas.json").read_text(encoding="utf-8"))["lemmas"]
    lemmas._cache.cache_clear()
    for title, entry in json.loads(kept)["lemmas"].items():  # a new row may not be kept yet
        assert fresh.get(title) == entry, title


def test_looking_up_is_not_proving(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the cache is not proved at run time."""

    def fail(*_: object) -> Verdict:
        raise AssertionError("proved at run time")

    monkeypatch.setattr(lemmas, "_prove", fail)
    monkeypatch.setattr(lemmas, "prove_fusion", fail)
    kept = json.loads(lemmas.CACHE.read_text("utf-8"))["lemmas"]
    for name, argument in LEMMAS:
        if f"{name} by {scalar(name).arguments[argument]}" in kept:
            assert lemmas.table_verdict(name, argument).status is Status.PROVED
    for loss, activation in LOGITS:
        assert lemmas.fusion_verdict(loss, activation).status is Status.PROVED


def test_a_changed_statement_is_not_found_in_the_cache() -> None:
    keys = {e["key"] for e in json.loads(lemmas.CACHE.read_text("utf-8"))["lemmas"].values()}
    seven = 7 * VALUE + 5 * VALUE**2
    assert lemmas._key("sigmoid", 0, seven) not in keys
    args = symbols(scalar("sigmoid"))
    verdict = derivative_verdict("sigmoid", 0, args, VALUE, seven)
    assert verdict.status is Status.REFUTED
    assert verdict.counterexample is not None and "z" in verdict.counterexample


def test_names_of_the_placeholders_do_not_matter() -> None:
    u, v = Access(Tensor("u"), ()), Access(Tensor("v"), ())
    verdict = derivative_verdict("sigmoid", 0, (u,), v, v * (1 - v))
    assert verdict == lemmas.table_verdict("sigmoid", 0)
    foreign = derivative_verdict("sigmoid", 0, (u,), v, v * (1 - VALUE))
    assert foreign.status is Status.UNDECIDED


# --- Planted errors: a mutator that knows trees, not tables ----------------------------------


def mutants(tree: Expr) -> list[Expr]:
    """The tree with one thing wrong, at up to 40 of its nodes."""
    inside = list(dict.fromkeys(_mutate(tree)))
    return [-tree, 2 * tree, tree + 1, *inside[:: 1 + len(inside) // 40]]


def _mutate(tree: Expr) -> Iterator[Expr]:
    match tree:
        case Number(value):
            yield Number(value + 1)
            yield Number(-value)
        case Access():
            yield ONE
            yield tree**2
        case Add(terms):
            for k, term in enumerate(terms):
                yield add(*terms[:k], *terms[k + 1 :])
                yield add(*terms[:k], -term, *terms[k + 1 :])
        case Mul(factors):
            for k in range(len(factors)):
                yield mul(*factors[:k], *factors[k + 1 :])
        case Pow(base, exponent):
            yield power(base, exponent + 1)
            yield power(base, -exponent)
        case Apply(_, (inner,)):
            yield inner
            yield Number(Fraction(1, 2))
        case Apply(name, (first, second)):
            yield Apply(name, (second, first), (0, 0))
    for place, child in enumerate(children(tree)):
        for wrong in _mutate(child):
            yield _with_child(tree, place, wrong)


def _with_child(tree: Expr, place: int, child: Expr) -> Expr:
    parts = list(children(tree))
    parts[place] = child
    match tree:
        case Add():
            return add(*parts)
        case Mul():
            return mul(*parts)
        case Pow(_, exponent):
            return power(child, exponent) if child != Number(Fraction(0)) else ONE
        case Apply(name, _, orders):
            return Apply(name, tuple(parts), orders)
    raise AssertionError(tree)


def sample(name: str, tree: Expr) -> list[float]:
    """Floating-point values of a tree at points of the domain, by another route than proof's."""
    row = scalar(name)
    inserted = replace_accesses(tree, {VALUE: row(*symbols(row))}.get)
    namespace: dict[str, Any] = {"np": np}
    exec("\n".join(ERF_SERIES), namespace)
    code = compile(text(unfold(inserted)), name, "eval")
    rng = np.random.default_rng(7)
    found = []
    for _ in range(60):
        for argument, domain in zip(row.arguments, row.domain, strict=True):
            low, high = domain.low, domain.high
            if domain.values:
                namespace[argument] = float(rng.choice([float(v) for v in domain.values]))
            elif low is not None and high is not None:
                namespace[argument] = float(low) + float(high - low) * rng.uniform(0.02, 0.98)
            elif low is not None:
                namespace[argument] = float(low) + rng.uniform(0.05, 4)
            elif high is not None:
                namespace[argument] = float(high) - rng.uniform(0.05, 4)
            else:
                namespace[argument] = rng.uniform(-4, 4)
        with np.errstate(all="ignore"):
            try:
                found.append(float(eval(code, namespace)))
            except ZeroDivisionError:
                found.append(float("nan"))
    return found


@pytest.mark.parametrize(("name", "argument"), LEMMAS)
def test_planted_errors_are_refuted(name: str, argument: int) -> None:
    """No mutant is proved unless it is the same function; one that differs is refuted."""
    true = stated(name, argument)
    values = sample(name, true)
    places = symbols(scalar(name))
    for wrong in mutants(true):
        verdict = derivative_verdict(name, argument, places, VALUE, wrong)
        other = sample(name, wrong)
        same = np.allclose(values, other, rtol=1e-7, atol=1e-9, equal_nan=True)
        if same:
            assert verdict.status is not Status.REFUTED, text(unfold(wrong))
        elif np.isfinite(other).any() and "np.log(0)" not in text(unfold(wrong)):
            assert verdict.status is Status.REFUTED, (verdict, text(unfold(wrong)))
        else:
            assert verdict.status is not Status.PROVED, text(unfold(wrong))


def test_there_are_many_planted_errors() -> None:
    assert sum(len(set(mutants(stated(*lemma)))) for lemma in LEMMAS) >= 500


def test_no_generator_is_its_own_proof() -> None:
    """A lemma about a primitive compares with SymPy's derivative, not with the table's."""
    for name, argument in LEMMAS:
        row = scalar(name)
        if row.definition is None:
            assert not any(
                isinstance(e, Apply) and any(e.orders) for e in walk(stated(name, argument))
            )

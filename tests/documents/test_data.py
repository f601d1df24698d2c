"""The JSON of a derivation: schema 1."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from symderiv.documents import to_data, to_json
from symderiv.documents.checking import methods
from symderiv.documents.prose import certainty, plain
from symderiv.notation import Context, from_text
from symderiv.proof.verdict import EXACT, Status, Verdict
from tests.documents.examples import NAMES, PRESENTATIONS, checked, fresh

STATUSES = {status.value for status in Status}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_schema(name: str) -> None:
    data = to_data(checked(name), PRESENTATIONS[name])
    assert list(data) == [
        "schema", "network", "notation", "assumptions", "steps", "adjoints", "gradients",
    ]  # fmt: skip
    assert data["schema"] == 1 and data["notation"] == "nielsen"
    for step in data["steps"]:
        assert list(step) == ["id", "lhs", "rhs", "rule", "why", "premises", "verdict"]
        assert list(step["lhs"]) == list(step["rhs"]) == ["text", "tex"]
        assert list(step["verdict"]) == ["status", "method", "scope", "bound"]
        assert step["verdict"]["status"] in STATUSES
        assert step["why"] and step["rule"]
    assert all(isinstance(text, str) for text in data["assumptions"])


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        (None, ""),
        (EXACT, "exact"),
        (Fraction(12, 2**61), "error < 12/2^61 in each evaluation"),
        (Fraction(7, 2**61), "error < 7/2^61 in each evaluation"),
    ],
)
def test_what_a_verdict_leaves_to_chance(bound: Fraction | None, words: str) -> None:
    assert certainty(bound) == words


def test_the_worst_chance_of_a_method_is_printed() -> None:
    bounds = (Fraction(9, 2**61), Fraction(12, 2**61), EXACT, None)
    verdicts = [Verdict(Status.PROVED, "points", bound=bound) for bound in bounds]
    (item,) = methods(verdicts)
    assert plain(item) == (
        "Decided by points: 4 steps, the chance of an error being less than 12/2^61 for each point."
    )


def test_the_lines_of_a_softmax_have_its_layer() -> None:
    tensors = to_data(checked("softmax"), PRESENTATIONS["softmax"])["network"]["tensors"]
    assert {name: tensors[name]["layer"] for name in ("a1", "e2", "s2", "a2")} == {
        "a1": 1, "e2": 2, "s2": 2, "a2": 2,
    }  # fmt: skip


def test_ids_are_unique_and_premises_exist(name: str) -> None:
    steps = to_data(checked(name), PRESENTATIONS[name])["steps"]
    ids = [step["id"] for step in steps]
    assert len(set(ids)) == len(ids)
    seen: set[str] = set()
    for step in steps:
        assert set(step["premises"]) <= seen | {s for s in ids if s[0] in "DLA"}
        seen.add(step["id"])
        assert re.fullmatch(r"[DALS]\d+(\.0)?", step["id"])


def test_steps_meet(name: str) -> None:
    """The right side of a step is the left side of the next one of its chain."""
    data = to_data(checked(name), PRESENTATIONS[name])
    ends = {a["step"]: a for a in data["adjoints"]}
    steps = [s for s in data["steps"] if s["id"].startswith("S")]
    for step, following in pairwise(steps):
        if step["id"] in ends:
            assert ends[step["id"]]["rhs"] == step["rhs"]
        else:
            assert following["lhs"] == step["rhs"]


def test_text_reads_back(name: str) -> None:
    derivation = checked(name)
    tensors = {t.name: t for t in derivation.graph.tensors}
    tensors |= {a.tensor.name: a.tensor for a in derivation.derivation.adjoints}
    for chain, made in zip(
        derivation.chains, to_data(derivation, PRESENTATIONS[name])["adjoints"], strict=True
    ):
        variables = {v for i in chain.adjoint.indices for v in i.variables}
        for order in _namings(made["rhs"]["text"], sorted(variables, key=lambda v: v.uid)):
            from_text(made["rhs"]["text"], Context(tensors, order))


def _namings(text: str, variables: list[Any]) -> list[dict[str, Any]]:
    letters = dict.fromkeys("jksl", variables[0] if variables else None)
    by_axis = {"unit": "jk", "example": "s", "layer": "l"}
    found: dict[str, Any] = {}
    for variable in variables:
        letter = next(c for c in by_axis[variable.axis.name] if c not in found)
        found[letter] = variable
    return [found] if letters else []


def test_gradients_are_those_of_the_parameters(name: str) -> None:
    data = to_data(checked(name), PRESENTATIONS[name])
    assert set(data["gradients"]) == {
        n for n, t in data["network"]["tensors"].items() if t["role"] == "parameter"
    }
    for gradient in data["gradients"].values():
        assert gradient["matrix"] is not None


def test_deterministic(name: str) -> None:
    first = to_json(checked(name), PRESENTATIONS[name])
    assert first == to_json(fresh(name), PRESENTATIONS[name])
    assert json.loads(first)["schema"] == 1 and first.endswith("}\n")

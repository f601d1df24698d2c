"""What the rows of the tables say of themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from symderiv.calculus.functions import DISTRIBUTION, rows
from symderiv.code.parameters import scale_rule
from symderiv.frontend.build import build_graph
from symderiv.frontend.known import activation_names, fits, loss_names
from symderiv.frontend.spec import parse_spec


def test_the_identity_is_known_by_what_it_is() -> None:
    assert [row.name for row in rows().values() if row.is_identity] == ["identity"]


def test_what_an_activation_learns() -> None:
    assert rows()["prelu"].learned == ("alpha",)
    assert rows()["leaky-relu"].learned == rows()["softmax"].learned == ()


def test_an_output_serves_a_loss_by_its_range() -> None:
    for activation in activation_names():
        given = rows()[activation].range_
        for loss in loss_names():
            need = rows()[loss].needs
            assert fits(activation, loss) == (need is None or need in (given, *given.serves))
    assert fits("sigmoid", "bce") and fits("softmax", "poisson") and fits("log-softmax", "nll")
    assert not fits("softmax", "bce") and not fits("sigmoid", "ce") and not fits("tanh", "poisson")


@pytest.mark.parametrize(("activation", "rule"), [
    ("relu", "He"), ("softplus", "He"), ("log-sigmoid", "He"), ("prelu", "He"),
    ("tanh", "Glorot"), ("hard-sigmoid", "Glorot"), ("identity", "Glorot"), ("softmax", "Glorot"),
    ("log-softmax", "Glorot"),
])  # fmt: skip
def test_weights_are_drawn_by_the_range_of_what_follows(activation: str, rule: str) -> None:
    graph = build_graph(parse_spec(f"2-2:{activation}+mse")).graph
    (weights,) = (t for t in graph.inputs if t.name == "W1")
    assert scale_rule(weights, graph) == rule


def test_a_proof_that_is_kept_does_not_depend_on_what_targets_sum_to() -> None:
    """It is found by the text of the domains, and a lemma is about one entry."""
    assert repr(replace(DISTRIBUTION, total=None)) == repr(DISTRIBUTION)


@pytest.mark.parametrize("name", ["sigmoid", "softmax"])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "My_row"}, "a name is small letters"),
        ({"range_": "real"}, "range_ is 'real', which is no Range"),
        ({"hyper": (("alpha", 1),)}, "hyper are not the last of its arguments"),
    ],
)
def test_a_row_that_is_none_is_refused(name: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(rows()[name], **changes)


def test_a_row_has_a_derivative_by_each_argument() -> None:
    bce = rows()["bce"]
    with pytest.raises(ValueError, match="derivatives has 1 entries for the 2 arguments a, y"):
        replace(bce, derivatives=bce.derivatives[:1])
    with pytest.raises(ValueError, match="the derivative by a is missing"):
        replace(bce, derivatives=(None, bce.derivatives[1]))

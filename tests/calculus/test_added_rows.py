"""A row that is added is all there is to say: its target, its letter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType

import pytest

from symderiv import derive
from symderiv.algebra.expr import Role, Tensor, apply
from symderiv.calculus import activations, losses
from symderiv.calculus.functions import (
    DISTRIBUTION,
    POSITIVE,
    PROBABILITY_VECTOR,
    REAL,
    UNIT,
    ScalarFunction,
    exp,
    log,
    normal_cdf,
    normal_pdf,
    rows,
)
from symderiv.calculus.graph import Definition, Graph
from symderiv.frontend import known
from symderiv.frontend.build import build_graph
from symderiv.frontend.spec import parse_spec
from symderiv.notation import Names, latex, notation, text
from tests.code.generated import run

AddRow = Callable[[ScalarFunction], None]


@pytest.fixture
def add_row(monkeypatch: pytest.MonkeyPatch) -> Iterator[AddRow]:
    """Adds a row to its table until the test ends."""

    def add(row: ScalarFunction) -> None:
        home, name = (losses, "LOSSES") if row.is_loss else (activations, "ACTIVATIONS")
        table = MappingProxyType({**getattr(home, name), row.name: row})
        monkeypatch.setattr(home, name, table)
        monkeypatch.setattr(known, name, table)
        rows.cache_clear()

    yield add
    monkeypatch.undo()
    rows.cache_clear()


TEMPERED = ScalarFunction(
    name="tempered-ce", arguments=("a", "y", "tau"), latex=r"\ell",
    domain=(UNIT, DISTRIBUTION, POSITIVE), needs=PROBABILITY_VECTOR,
    hyper=(("tau", Fraction(2)),),
    definition=lambda a, y, tau: -tau * y * log(a),
    derivatives=(
        lambda a, y, tau, v: -tau * y / a, lambda a, y, tau, v: -tau * log(a), None,
    ),
    why="log has slope 1/a",
    numpy=("return -tau * y * np.log(a)",),
    numpy_derivatives=(("return -tau * y / a",), ("return -tau * np.log(a)",), None),
)  # fmt: skip


def test_the_target_is_the_argument_y() -> None:
    for row in rows().values():
        assert row.is_loss == ("y" in row.arguments)
        if row.is_loss:
            assert row.target_domain is row.domain[row.arguments.index("y")]
    assert rows()["huber"].target_domain.text == "real"


@pytest.mark.parametrize("layout", ["", "+scalars"])
def test_the_targets_of_a_loss_with_a_hyperparameter(add_row: AddRow, layout: str) -> None:
    add_row(TEMPERED)
    assert known.target_domain("tempered-ce") is DISTRIBUTION
    graph = build_graph(parse_spec(f"2-2:softmax+tempered-ce{layout}")).graph
    assert [fact.text for fact in graph.facts] == ["the targets of an example sum to 1"]


def test_the_error_of_a_loss_with_a_hyperparameter_is_as_short_as_without(add_row: AddRow) -> None:
    add_row(TEMPERED)
    derivation = derive("2-3:softmax+tempered-ce")
    page = derivation.render("md")
    assert isinstance(page, str)
    assert r"\tau\, \bigl(a^{1}_{js} - y_{js}\bigr)" in page
    source = derivation.render("numpy")
    assert isinstance(source, str)
    assert "Y = Y / np.sum(Y, axis=0, keepdims=True)" in source
    run(source)


def test_a_loss_on_logits_written_out_assumes_the_same() -> None:
    for loss in ("ce-logits", "kl-logits"):
        for layout in ("", "+scalars"):
            graph = build_graph(parse_spec(f"2-2:identity+{loss}{layout}")).graph
            assert [fact.text for fact in graph.facts] == ["the targets of an example sum to 1"]


PSI = ScalarFunction(
    name="squashed", arguments=("z", "beta"), latex=r"\psi", domain=(REAL, POSITIVE),
    hyper=(("beta", Fraction(1)),),
    definition=lambda z, beta: z / (1 + exp(-beta * z)),
    derivatives=(lambda z, beta, a: a / z + beta * a * (1 - a / z), None),
    why="the product rule",
    numpy=("return z / (1 + np.exp(-beta * z))",),
    numpy_derivatives=(
        ("s = 1 / (1 + np.exp(-beta * z))", "return s + beta * z * s * (1 - s)"), None,
    ),
)  # fmt: skip


@pytest.mark.parametrize("letter", ["", "ψ"])
def test_no_quantity_has_the_letter_of_a_function(add_row: AddRow, letter: str) -> None:
    add_row(replace(PSI, letter=letter))
    psi = Tensor("psi", role=Role.PARAMETER)
    cost = Tensor("J", role=Role.COST)
    graph = Graph((Definition(cost, (), apply("squashed", psi[()], 2)),), cost)
    names = Names(notation("nielsen"), graph)
    assert latex(graph.definitions[0].body, names.notation, names) == r"\psi(\mathit{psi}, 2)"
    shown = text(graph.definitions[0].body, names.notation, names)
    assert shown == f"{letter or 'squashed'}(psi, 2)"


def test_the_normal_density_and_its_integral_have_letters_in_a_terminal() -> None:
    z = Tensor("z")[()]
    assert text(normal_cdf(z) + z * normal_pdf(z), notation("nielsen")) == "Φ(z) + z φ(z)"

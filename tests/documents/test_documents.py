"""Documents in every format: structure, widths, determinism, and that LaTeX compiles."""

from __future__ import annotations

import re

import pytest

import symderiv
from symderiv.algebra.expr import Role
from symderiv.calculus.backprop import backprop
from symderiv.calculus.builder import Builder
from symderiv.documents import (
    Presentation,
    document,
    equation_latex,
    to_data,
    to_fragment,
    to_latex,
    to_markdown,
    to_terminal,
)
from symderiv.documents.model import Equations, Row
from symderiv.documents.prose import SENTENCES, plain
from symderiv.proof.check import check
from symderiv.render import EngineMissing, compile_pdf, find_engine
from tests.documents.examples import NAMES, PRESENTATIONS, checked, fresh
from tests.notation.test_printers import balanced, double_script


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_sections(name: str) -> None:
    made = document(checked(name), PRESENTATIONS[name])
    titles = [plain(section.title) for section in made.sections]
    assert titles[-1] == "What is checked, what is assumed"
    assert "Notation" in titles and "Forward pass" in titles
    assert made.result[0].tag[:3] == "BP1"
    assert {row.tag[:3] for row in made.result} >= {"BP1", "BP4"}


def test_every_step_is_shown_with_its_reason(name: str) -> None:
    made = document(checked(name), PRESENTATIONS[name])
    rows = [r for s in made.sections for b in s.blocks if isinstance(b, Equations) for r in b.rows]
    tags = [row.tag for row in rows if row.tag.startswith("S")]
    if name == "deep":  # chains that layers share are printed once
        assert tags == sorted(set(tags), key=lambda t: int(t[1:]))
        assert all(row.why for row in rows if row.tag.startswith("S"))
        return
    assert tags == [f"S{n}" for n in range(1, len(tags) + 1)]
    hidden = sum(len(c.steps) for c in checked(name).chains) - len(tags)
    assert 0 <= hidden <= 3
    assert all(row.why for row in rows if row.tag.startswith("S"))
    for row in rows:
        for math in (row.lhs, row.rhs):
            assert math is None or (balanced(math.tex) and not double_script(math.tex))


def test_references_exist(name: str) -> None:
    tex = to_latex(checked(name), PRESENTATIONS[name])
    known = set(re.findall(r"\{(\w+)\}\{\(\1\)\}", tex))
    assert set(re.findall(r"\\stepref\{(\w+)\}", tex)) - {"#1"} <= known


def test_layers_that_differ_in_number_alone_share_an_equation() -> None:
    result = document(checked("deep"), PRESENTATIONS["deep"]).result
    assert [row.tag for row in result] == ["BP1", "BP2", "BP3", "BP4"]
    assert plain(result[1].why) == "for l = 1, 2, 3"
    assert result[3].rhs.unicode == "1/m * δ[l] @ a[l-1].T"


def test_layers_share_their_chains() -> None:
    made = document(checked("deep"), PRESENTATIONS["deep"])
    titles = [plain(s.title) for s in made.sections]
    assert titles.count("The error of layer l") == 1 and "The error of layer 1" not in titles
    section = next(s for s in made.sections if plain(s.title) == "The error of layer l")
    rows = [r for b in section.blocks if isinstance(b, Equations) for r in b.rows]
    assert rows[-1].rhs.unicode == "(Σ_k W[l+1,k,j] δ[l+1,k,s]) (1 − a[l,j,s]²)"
    data = to_data(checked("deep"), PRESENTATIONS["deep"])
    steps = sum(len(c.steps) for c in checked("deep").chains)
    assert sum(s["id"].startswith("S") for s in data["steps"]) == steps


def test_generic_depth_is_an_induction() -> None:
    made = document(checked("generic"), PRESENTATIONS["generic"])
    titles = [plain(s.title) for s in made.sections]
    assert "Induction, base: the error of the last layer" in titles
    assert "Induction, step: from layer l+1 to layer l" in titles
    assert made.result[1].rhs.unicode == "(W[l+1].T @ δ[l+1]) ⊙ a[l] ⊙ (1 − a[l])"


def test_a_program_has_no_layers() -> None:
    b = Builder("single")
    names = [b.tensor(n, (), Role.PARAMETER) for n in "abc"]
    u = b.define(b.tensor("u", ()), (), names[1][()] * names[2][()])
    cost = b.define(b.tensor("J", (), Role.COST), (), 3 * (names[0][()] + u[()]))
    derivation = check(backprop(b.graph(cost), names))
    shown = to_terminal(derivation, Presentation("", "J = 3*(a + b*c)", {}, "single"))
    assert "∂J/∂b = 3 c" in shown and "weight" not in shown and "biases" not in shown


def test_titles_are_words(name: str) -> None:
    assert document(checked("l2"), PRESENTATIONS["l2"]).title == "Digits & more"
    assert document(checked("bce"), PRESENTATIONS["bce"]).title == (
        "Backpropagation for a 2–3–1 network"
    )


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("unicode", [True, False])
def test_terminal_keeps_its_width(name: str, width: int, unicode: bool) -> None:
    shown = to_terminal(checked(name), PRESENTATIONS[name], width, unicode)
    lines = shown.splitlines()
    assert max(map(len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)
    assert unicode or shown.isascii()
    assert "?" not in re.sub(r"(?<=\w)\?(?=\s)", "", shown)  # but for a question's own sign


def test_terminal_shows_the_rule_beside_a_step() -> None:
    lines = to_terminal(checked("bce"), PRESENTATIONS["bce"], 100).splitlines()
    line = next(line for line in lines if line.endswith("(S14)"))
    assert line.split(None, 4)[:4] == ["=", "a2[j,s]", "−", "y[j,s]"]
    assert "multiply out and cancel" in line


def test_markdown(name: str) -> None:
    made = to_markdown(checked(name), PRESENTATIONS[name])
    assert made.startswith("# ") and "## What is checked, what is assumed" in made
    assert made.count("$") % 2 == made.count("\\$") % 2
    for line in made.splitlines():
        if line.startswith("| $"):
            assert len(re.findall(r"(?<!\\)\|", line)) == len(re.findall(r" \| |^\| | \|$", line))


def test_markdown_keeps_the_spaces_between_words_and_formulas() -> None:
    made = to_markdown(checked("bce"), PRESENTATIONS["bce"])
    assert "Numbers of units: $n_{0} = 2$, $n_{1} = 3$ and $n_{2} = 1$." in made


def test_fragment(name: str) -> None:
    made = to_fragment(checked(name), PRESENTATIONS[name])
    assert made.count("$$") % 2 == 0 and balanced(made)


def test_one_equation() -> None:
    derivation = checked("bce")
    adjoint = next(a for a in derivation.derivation.adjoints if a.tensor.name == "dz2")
    about = PRESENTATIONS["bce"]
    assert equation_latex(derivation, adjoint, about) == (r"\delta^{2}_{js} = a^{2}_{js} - y_{js}")
    assert equation_latex(derivation, adjoint, about, matrix=True) == (
        r"\bm{\delta}^{2} = \mathbf{a}^{2} - \mathbf{y}"
    )


def test_deterministic(name: str) -> None:
    about, other = PRESENTATIONS[name], fresh(name)
    assert to_latex(checked(name), about) == to_latex(other, about)
    assert to_markdown(checked(name), about) == to_markdown(other, about)
    assert to_terminal(checked(name), about) == to_terminal(other, about)


def test_sentences_are_all_used() -> None:
    from pathlib import Path

    import symderiv.documents as package

    folder = Path(package.__file__).parent
    code = "".join(p.read_text(encoding="utf-8") for p in sorted(folder.glob("*.py")))
    dynamic = ("count_", "rows", "columns", "single")
    for key in SENTENCES:
        assert key.startswith(dynamic) or code.count(f'"{key}"') > 1, key


@pytest.mark.slow
def test_latex_compiles(name: str) -> None:
    try:
        find_engine()
    except EngineMissing as missing:
        pytest.skip(str(missing))
    tex = to_latex(checked(name), PRESENTATIONS[name])
    assert compile_pdf(tex).startswith(b"%PDF")


def test_the_section_without_indices_has_none() -> None:
    """Once a slope with a hyperparameter was written with indices between matrices."""
    text = str(symderiv.derive("2-3-2:elu,identity+huber").render("md"))
    after = text.split("without indices")[1].split("## ")[0]
    assert "Those of them that can be written" in text and "_{js}" not in after
    assert r"\mathop{\mathrm{elu}}\nolimits'\bigl(\mathbf{z}^{1}, \alpha\bigr)" in after


def without_indices(spec: str) -> list[Row]:
    """The rows of the matrix form, with the shapes below the matrices."""
    derivation = symderiv.derive(spec)
    made = document(derivation, derivation.presentation())
    section = next(s for s in made.sections if plain(s.title).startswith("The equations in"))
    return list([b for b in section.blocks if isinstance(b, Equations)][-1].rows)


def test_shapes_with_names_are_those_of_their_layer() -> None:
    gradients = [r for r in without_indices("p-q-r:tanh,sigmoid+bce") if r.tag in ("BP3", "BP4")]
    errors = [re.findall(r"_\{(\w) \\times m\}", row.rhs.tex) for row in gradients]
    assert errors == [["q"], ["r"], ["q"], ["r"]]
    activations = [re.findall(r"_\{m \\times (\w)\}", row.rhs.tex) for row in gradients]
    assert activations == [["1"], ["1"], ["p"], ["q"]]
    assert gradients[1].lhs is not None and "^{2}" in gradients[1].lhs.tex


def test_equations_without_indices_say_their_layers() -> None:
    for spec in ("2-3-1:tanh,sigmoid+bce", "p-p-p:tanh+mse"):
        rows = [row for row in without_indices(spec) if row.tag in ("BP3", "BP4")]
        assert [plain(row.why) for row in rows] == ["for l = 1, 2"] * 2


@pytest.mark.parametrize("spec", ["n0-...-nL:relu,softmax+ce+l2", "2-3-2:relu,softmax+ce+l2"])
def test_what_has_no_biases_says_nothing_of_them(spec: str) -> None:
    without, usual = (str(symderiv.derive(spec + more).render("tex")) for more in ("+nobias", ""))
    bias = r"\bm{b}" if r"\bm{b}" in usual else r"\mathbf{b}"
    assert bias in usual and bias not in without
    assert "not the biases" in usual and "biases" not in without

"""Known strings for known trees, and properties of every printed string."""

from __future__ import annotations

import math
import random
import re
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.algebra.binding import free_variables
from symderiv.algebra.expr import (
    ONE,
    Apply,
    Bracket,
    Expr,
    Number,
    Partial,
    Pow,
    Select,
    SizeOf,
    apply,
    delta,
    mul,
    sum_over,
)
from symderiv.algebra.index import Size, as_index, fresh
from symderiv.notation import Names, latex, notation, text
from symderiv.notation.patterns import sign_of
from symderiv.notation.printer import SUM
from symderiv.notation.tex import TexPrinter
from symderiv.notation.unicode import TextPrinter
from tests.notation.trees import (
    COST,
    DA,
    DW,
    DZ,
    ELL,
    LAM,
    UNITS,
    A,
    J,
    K,
    Reader,
    S,
    W,
    Y,
    Z,
    tree,
    value,
)

NIELSEN = notation("nielsen")
M = SizeOf(as_index(Size("m")))
I, P = fresh(UNITS, "k"), fresh(UNITS, "k")
a, y, z, w = A[J, S], Y[J, S], Z[J, S], W[J, K]

KNOWN: list[tuple[Expr, str, str]] = [
    (a - y, r"a^{1}_{js} - y_{js}", "a1[j,s] − y[j,s]"),
    (2 * (a - y), r"2\bigl(a^{1}_{js} - y_{js}\bigr)", "2(a1[j,s] − y[j,s])"),
    (-(a - y), r"-\bigl(a^{1}_{js} - y_{js}\bigr)", "−(a1[j,s] − y[j,s])"),
    (-y + a, r"-y_{js} + a^{1}_{js}", "−y[j,s] + a1[j,s]"),
    (-y / a, r"-\frac{y_{js}}{a^{1}_{js}}", "−y[j,s]/a1[j,s]"),
    ((1 - y) / (1 - a), r"\frac{1 - y_{js}}{1 - a^{1}_{js}}", "(1 − y[j,s])/(1 − a1[j,s])"),
    (LAM[()] / M * w, r"\frac{\lambda}{m}\, w^{1}_{jk}", "λ/m · W1[j,k]"),
    (mul(Number(Fraction(1, 2)), LAM[()] / M), r"\frac{\lambda}{2 m}", "λ/(2 m)"),
    (mul(Number(Fraction(1, 2)), a), r"\frac{1}{2}\, a^{1}_{js}", "1/2 · a1[j,s]"),
    (
        apply("exp", z) / (ONE + a),
        r"\frac{e^{z^{1}_{js}}}{1 + a^{1}_{js}}",
        "exp(z1[j,s])/(1 + a1[j,s])",
    ),
    (w**2, r"\bigl(w^{1}_{jk}\bigr)^{2}", "W1[j,k]²"),
    (LAM[()] ** 2, r"\lambda^{2}", "λ²"),
    (delta(K, J), "[k = j]", "[k = j]"),
    (Bracket(K - J - 1), r"[j + 1 \le k]", "[j+1 ≤ k]"),
    (apply("sigmoid", z), r"\sigma\bigl(z^{1}_{js}\bigr)", "σ(z1[j,s])"),
    (Apply("sigmoid", (z,), (1,)), r"\sigma'\bigl(z^{1}_{js}\bigr)", "σ′(z1[j,s])"),
    (Apply("tanh", (z,), (2,)), r"\tanh''\bigl(z^{1}_{js}\bigr)", "tanh′′(z1[j,s])"),
    (DZ[J, S], r"\delta^{1}_{js}", "δ1[j,s]"),
    (
        DA[J, S],
        r"\frac{\partial \ell_{s}}{\partial a^{1}_{js}}",
        "∂ℓ[s]/∂a1[j,s]",
    ),
    (DW[J, K], r"\frac{\partial C}{\partial w^{1}_{jk}}", "∂C/∂W1[j,k]"),
    (
        Partial(z, w),
        r"\frac{\partial z^{1}_{js}}{\partial w^{1}_{jk}}",
        "∂z1[j,s]/∂W1[j,k]",
    ),
    (
        Partial(a + y, z),
        r"\frac{\partial}{\partial z^{1}_{js}} \bigl(a^{1}_{js} + y_{js}\bigr)",
        "∂(a1[j,s] + y[j,s])/∂z1[j,s]",
    ),
    (
        sum_over(I, W[I, J] * DZ[I, S]) * Apply("sigmoid", (z,), (1,)),
        r"\biggl(\sum_{k=1}^{n_{1}} w^{1}_{kj}\, \delta^{1}_{ks}\biggr)\, "
        r"\sigma'\bigl(z^{1}_{js}\bigr)",
        "(Σ_k W1[k,j] δ1[k,s]) σ′(z1[j,s])",
    ),
    (
        sum_over(I, W[J, I] - ONE),
        r"\sum_{k=1}^{n_{1}} \bigl(w^{1}_{jk} - 1\bigr)",
        "Σ_k (W1[j,k] − 1)",
    ),
    (Pow(1 - a, 2), r"\bigl(1 - a^{1}_{js}\bigr)^{2}", "(1 − a1[j,s])²"),
    (COST[()] * ELL[S], r"C\, \ell_{s}", "C ℓ[s]"),
    (
        apply("bce", a, y),
        r"-\bigl(y_{js} \log a^{1}_{js} + (1 - y_{js}) \log(1 - a^{1}_{js})\bigr)",
        "−(y[j,s] log(a1[j,s]) + (1 − y[j,s]) log(1 − a1[j,s]))",
    ),
    (
        Select(as_index(J), I, W[I, K]),
        r"[j = \operatorname{arg\,max}_{i} w^{1}_{ik}]",
        "[j = argmax_i W1[i,k]]",
    ),
]


@pytest.mark.parametrize(("expr", "tex", "plain"), KNOWN, ids=[k[2] for k in KNOWN])
def test_known_strings(expr: Expr, tex: str, plain: str) -> None:
    names = Names(NIELSEN)
    names.fix(*(v for v in (J, K, S) if v in free_variables(expr)))
    assert latex(expr, NIELSEN, names) == tex
    assert text(expr, NIELSEN, names) == plain


def test_a_notation_is_data() -> None:
    other = replace(
        NIELSEN,
        layer_style="[#]",
        example_place="superscript",
        example_style="(#)",
        activation_shift=1,
        functions={"sigmoid": "g"},
    )
    printed = latex(apply("sigmoid", z) * w, other)
    assert printed == r"g\bigl(z^{[2](s)}_{j}\bigr)\, w^{[1]}_{jk}"
    below = replace(NIELSEN, layer_place="subscript")
    assert latex(a, below) == "a_{1,js}"


def test_short_ranges() -> None:
    assert latex(sum_over(I, W[I, I]), NIELSEN, short=True).startswith(r"\sum_{j} w")


def test_nested_sums_take_different_letters_and_neighbours_may_share() -> None:
    nested = sum_over(I, W[J, I] * sum_over(P, W[I, P]))
    assert text(nested, NIELSEN) == "Σ_k W1[j,k] Σ_i W1[k,i]"
    beside = sum_over(I, W[J, I]) + sum_over(P, W[J, P])
    assert text(beside, NIELSEN) == "Σ_k W1[j,k] + Σ_k W1[j,k]"


def test_a_variable_keeps_its_letter_from_line_to_line() -> None:
    names = Names(NIELSEN)
    names.fix(J)
    inner = sum_over(P, W[I, P])
    assert text(sum_over(I, W[J, I] * inner), NIELSEN, names) == "Σ_k W1[j,k] Σ_i W1[k,i]"
    assert text(sum_over(P, W[J, P]), NIELSEN, names) == "Σ_i W1[j,i]"


# --- Properties --------------------------------------------------------------------------------

seeds = st.integers(0, 10**9)


def balanced(tex: str) -> bool:
    depth = 0
    for char in tex.replace(r"\{", "").replace(r"\}", ""):
        depth += (char == "{") - (char == "}")
        if depth < 0:
            return False
    return depth == 0


def double_script(tex: str) -> bool:
    """Whether a superscript (or a subscript) directly follows another one of the same base."""
    while (shorter := re.sub(r"(?<![_^])\{[^{}^_]*\}", "G", tex)) != tex:
        tex = shorter
    while True:
        if re.search(r"\^(\{[^{}]*\}|\w)(_(\{[^{}]*\}|\w))?\s*(\^|')", tex):
            return True
        if re.search(r"_(\{[^{}]*\}|\w)(\^(\{[^{}]*\}|\w))?\s*_", tex):
            return True
        inner = re.sub(r"\{[^{}]*\}", "G", tex)
        if inner == tex:
            return False
        tex = re.sub(r"[\^_]G", "", inner)


def test_the_test_sees_double_scripts() -> None:
    assert double_script(r"a^{1}^{2}") and double_script(r"a^{1}_{j}^{2}")
    assert double_script(r"\frac{a^{1}^{2}}{b}") and double_script(r"a^{1}'")
    assert not double_script(r"\bigl(a^{1}_{j}\bigr)^{2}")


@settings(max_examples=300, deadline=None)
@given(seeds)
def test_braces_are_balanced_and_no_script_is_doubled(seed: int) -> None:
    printed = latex(tree(random.Random(seed), 4, [J, K, S]), NIELSEN)
    assert balanced(printed), printed
    assert not double_script(printed), printed
    assert "+ -" not in printed and "- -" not in printed and "--" not in printed, printed
    assert len(re.findall(r"\\(?:left|bigl|biggl)\(", printed)) == len(
        re.findall(r"\\(?:right|bigr|biggr)\)", printed)
    )


@settings(max_examples=300, deadline=None)
@given(seeds)
def test_parentheses_keep_the_value(seed: int) -> None:
    """A reader of its own gives the printed line the value that the tree has."""
    expr = tree(random.Random(seed), 4, [J, K, S], formal=False)
    try:
        expected = value(expr, {J: 1, K: 2, S: 1})
    except (ZeroDivisionError, ValueError, OverflowError):
        return
    names = Names(NIELSEN)
    names.fix(J, K, S)
    line = text(expr, NIELSEN, names, unicode=False)
    reader = Reader(line, {"j": 1, "k": 2, "s": 1})
    found = reader.sum()
    assert reader.token == "", line
    assert math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9), line


@settings(max_examples=100, deadline=None)
@given(seeds)
def test_ascii_is_ascii(seed: int) -> None:
    assert text(tree(random.Random(seed), 4, [J, K, S]), NIELSEN, unicode=False).isascii()


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (1 / M, "1/m"),
        (2 / M, "2/m"),
        (LAM[()] / (2 * M), r"\lambda/(2 m)"),
        ((a - y) / M, r"\bigl(a^{1}_{js} - y_{js}\bigr)/m"),
        (Partial(ELL[S], z), r"\partial \ell_{s} / \partial z^{1}_{js}"),
        (Number(Fraction(-1, 2)) * a, r"-1/2\, a^{1}_{js}"),
        (a / y, r"a^{1}_{js}/y_{js}"),
    ],
)
def test_in_a_line_of_words_a_fraction_is_a_slash(expr: Expr, expected: str) -> None:
    names = Names(NIELSEN)
    names.fix(J, S)
    assert latex(expr, NIELSEN, names, inline=True) == expected


@settings(max_examples=200, deadline=None)
@given(seeds)
def test_no_fraction_is_high_in_a_line_of_words(seed: int) -> None:
    printed = latex(tree(random.Random(seed), 4, [J, K, S], formal=False), NIELSEN, inline=True)
    assert balanced(printed) and not double_script(printed) and r"\frac{1}{m}" not in printed


@pytest.mark.parametrize("body", [(a - y) * (a + y), (a - y) * apply("exp", a), (a - y) ** 2 * a])
def test_what_is_differentiated_is_in_parentheses_as_a_whole(body: Expr) -> None:
    """∂((a − y)(a + y)) is no ∂(a − y) times (a + y)."""
    names = Names(NIELSEN)
    names.fix(J, S)
    tex, plain = latex(Partial(body, a), NIELSEN, names), text(Partial(body, a), NIELSEN, names)
    inside = tex.split("}", tex.count("}", 0, tex.index("(")))[-1]
    for line in (re.sub(r"\\(?:big|bigg)[lr]", "", inside), plain[1 : plain.rindex("/∂")]):
        line = line.strip()
        depth = 0
        for place, char in enumerate(line):
            depth += (char == "(") - (char == ")")
            assert depth > 0 or place == len(line) - 1, (tex, plain)


@pytest.mark.parametrize(
    ("pattern", "negative", "text"),
    [("-#1 #2", True, "#1 #2"), ("-#2 #1 + e^{#1}", False, "-#2 #1 + e^{#1}"), ("#1", False, "#1")],
)
def test_a_minus_is_that_of_the_whole_pattern_or_of_its_first_term(
    pattern: str, negative: bool, text: str
) -> None:
    assert sign_of(pattern) == (negative, text)


def test_a_sum_that_starts_with_a_minus_keeps_it() -> None:
    names = Names(NIELSEN)
    for printer, minus in ((TexPrinter(names), "-"), (TextPrinter(names), "−")):
        printed = printer.filled("-#2 #1 + #1", [printer.piece(LAM[()]), printer.piece(M)])
        assert not printed.negative and printed.level == SUM and printed.text.startswith(minus)

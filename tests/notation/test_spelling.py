"""Symbols of one graph are written apart, in every form, and no letter of an index is one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv import Network, derive
from symderiv.algebra.expr import Role, Tensor, apply, mul, sum_over
from symderiv.algebra.index import Axis, Size, as_index, fresh
from symderiv.api import PublishedDerivation
from symderiv.calculus.graph import Definition, Graph
from symderiv.notation import Names, notation
from symderiv.notation.conventions import spelled
from symderiv.notation.python import RESERVED, python_names
from symderiv.notation.spelling import spelling

NIELSEN = notation("nielsen")
NASTY = (
    "x", "x1", "x_1", "x__1", "x_", "x12", "x1_2", "x_1_2", "x_i", "xi", "x_bar", "xbar", "X", "W",
    "w", "W1", "w_1", "e", "e1", "i", "j", "k", "s", "l", "p", "q", "j1", "j_1", "lam", "lambda_",
    "lam_", "eps", "epsilon", "eps_1", "epsilon1", "pi_", "sigma", "phi", "delta", "ell", "ones",
    "log10", "mu", "mu_x", "a_b", "a__b", "ab", "I", "range", "range_", "range__", "np", "sizes",
    "x_alpha", "alpha", "R", "C", "z", "u", "S",
)  # fmt: skip
SIZES = ("n", "m", "n1", "n_1", "n_in", "d", "i", "lam", "nin")


def graph_of(names: Mapping[str, str]) -> Graph:
    """A graph with a cost and these quantities, each a scalar or an array over the size."""
    tensors = [
        Tensor(
            name,
            (fresh(Axis("unit", as_index(Size(size))), "i"),) if size else (),
            Role.PARAMETER,
            name,
        )
        for name, size in names.items()
    ]
    cost = Tensor("J", role=Role.COST, symbol="J")
    factors = []
    for tensor in tensors:
        indices = tensor.fresh_indices()
        factors.append(sum_over(indices, apply("sigmoid", tensor[indices])))
    return Graph((Definition(cost, (), mul(*factors)),), cost)


@given(
    st.lists(st.sampled_from(NASTY), min_size=2, max_size=12, unique=True),
    st.lists(st.sampled_from(("", "", *SIZES)), min_size=12, max_size=12),
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_all_symbols_are_distinct(words: list[str], sizes: list[str], code: bool) -> None:
    shapes = dict(zip(words, (s if s not in words else "" for s in sizes), strict=False))
    graph = graph_of(shapes)
    found = spelling(NIELSEN, graph, code=code)
    symbols = [found.symbols[t.name] for t in graph.tensors]
    for form in ("entry", "array", "unicode", "ascii"):
        written = [getattr(symbol, form) for symbol in symbols]
        assert len(set(written)) == len(written), written
    assert [symbol.ascii for symbol in symbols] == [t.name for t in graph.tensors]
    entries = {symbol.entry for symbol in symbols}
    assert len(entries | set(found.sizes.values())) == len(entries) + len(found.sizes)
    assert r"\sigma" not in entries and r"\pi" not in entries
    names = Names(NIELSEN, graph)
    variables = [fresh(Axis(kind, as_index(Size("n"))), "i") for kind in ("unit", "example") * 4]
    names.fix(*variables)
    letters = [names.letter(v) for v in variables]
    assert len(set(letters)) == len(letters)
    for letter in letters:
        shown = spelled(letter).entry
        assert shown not in entries and shown not in found.sizes.values()
        assert letter not in words and letter not in graph.size_names
    arrays = [names.symbol(t).entry for t in graph.tensors if t.slots]
    made = {f"{array}_{{{letter}}}" for array in arrays for letter in letters}
    assert made.isdisjoint(entries)


@given(st.lists(st.sampled_from(NASTY), min_size=1, max_size=20, unique=True))
def test_names_in_python_are_distinct(words: list[str]) -> None:
    found = python_names(graph_of(dict.fromkeys(words, "")))
    assert len(set(found.values())) == len(found) and RESERVED.isdisjoint(found.values())
    assert all(found[w] == w for w in words if w not in RESERVED)


@pytest.mark.parametrize(
    ("name", "entry", "unicode"),
    [
        ("x", "x", "x"),
        ("x1", "x_{1}", "x1"),
        ("x_1", "x_{1}", "x_1"),
        ("x_i", "x_{i}", "x_i"),
        ("x_bar", r"x_{\mathrm{bar}}", "x_bar"),
        ("x1_2", "x_{1,2}", "x1_2"),
        ("n_in", r"n_{\mathrm{in}}", "n_in"),
        ("mu_x", r"\mu_{x}", "μ_x"),
        ("x_eps", r"x_{\varepsilon}", "x_ε"),
        ("lambda_", r"\lambda", "λ"),
        ("dW", r"\mathit{dW}", "dW"),
        ("log10", r"\mathit{log10}", "log10"),
    ],
)
def test_usual_symbols(name: str, entry: str, unicode: str) -> None:
    symbol = spelled(name)
    assert (symbol.entry, symbol.unicode, symbol.ascii) == (entry, unicode, name)


# --- documents -------------------------------------------------------------------------------


@cache
def derived(program: str, **shapes: str) -> PublishedDerivation:
    return derive(Network.build(program=program, shapes=shapes))


def rows(program: str, **shapes: str) -> dict[str, str]:
    """The TeX of each result by its tag, and the names in code by the TeX of the symbol."""
    page = derived(program, **shapes).render("md")
    assert isinstance(page, str)
    found = dict(re.findall(r"^\| \$(.+)\$ \|.*\((?:G|D)(\d+)\) \|$", page, re.M))
    return {tag: tex for tex, tag in found.items()} | dict(
        re.findall(r"^\| \$(.+?)\$ \| .* \| `(\w+)` \|$", page, re.M)
    )


def test_a_letter_of_the_user_is_no_index() -> None:
    page = derived("J = sum(j*x)", x="n").render("md")
    assert isinstance(page, str)
    assert r"\partial x_{j}" not in page and r"\sum_{j" not in page
    assert r"\sum_{k=1}^{n} j\, x_{k}" in page
    page = derived("J = sum(i*x@k)", x="n n", k="n").render("md")
    assert isinstance(page, str)
    assert not re.search(r"\\sum_\{[ik]=|_\{[a-z]*[ik]", page)


def test_a_size_is_no_index() -> None:
    page = derived("J = sum(softmax(z)*y)", z="m k", y="m k").render("md")
    assert isinstance(page, str)
    assert r"^{k}" in page and r"\sum_{k" not in page


def test_names_that_differ_print_apart() -> None:
    both = rows("J = x_2**2*x2")
    assert both[r"\mathit{x\_2}"] == "x_2" and both["x_{2}"] == "x2"
    both = rows("J = lam*lambda_")
    assert both[r"\lambda"] == "lam" and both[r"\mathit{lambda\_}"] == "lambda_"
    alone = rows("J = lambda_*x_i*x_bar")
    assert alone[r"\lambda"] == "lambda_" and alone["x_{i}"] == "x_i"
    assert alone[r"x_{\mathrm{bar}}"] == "x_bar"
    both = rows("J = W*w")
    assert both["w"] == "w" and both["W"] == "W"


def test_an_entry_of_an_array_is_no_name() -> None:
    both = rows("J = x_j*x1*sum(x)", x="n")
    assert both[r"\mathit{x\_j}"] == "x_j" and both["x_{1}"] == "x1"
    both = rows("J = x1*x[0]*sum(x)", x="n")
    assert both[r"\mathit{x1}"] == "x1"


def test_a_quantity_called_e() -> None:
    page = derived("J = e*exp(x)").render("md")
    assert isinstance(page, str)
    assert r"e\, \exp\left(x\right)" in page or r"e\, \exp(x)" in page
    assert "e^{" not in page
    page = derived("J = sum(e*exp(x))", x="n").render("md")
    assert isinstance(page, str) and "e^{" not in page
    page = derived("J = exp(x)").render("md")
    assert isinstance(page, str) and "e^{x}" in page


def test_a_function_called_by_a_greek_letter() -> None:
    page = derived("J = sum(sigmoid(sigma*w))", w="n").render("md")
    assert isinstance(page, str)
    assert r"\sigma\bigl(\mathit{sigma}\, w_{j}\bigr)" in page
    assert r"\sigma" in derived("J = sigma**2").render("md")


def test_an_error_has_no_symbol_that_the_user_has() -> None:
    program = "z = W@x; a = tanh(z); J = delta*sum((V@a)**2)"
    page = derived(program, W="p q", x="q", V="r p").render("md")
    assert isinstance(page, str)
    assert r"$\delta$ | parameter" in page and r"\bm{\delta}" not in page


def test_the_code_is_about_the_right_variable() -> None:
    source = derived("J = range*range_**2").render("numpy")
    assert isinstance(source, str)
    assert "J = range__ * range_**2" in source
    page = derived("J = range*range_**2").render("md")
    assert isinstance(page, str) and "| `range__` |" in page and "| `range_` |" in page


def test_comments_keep_names_apart() -> None:
    source = derived("J = lam*lambda_*x_2*x2*eps*epsilon").render("numpy")
    assert isinstance(source, str)
    assert "J = λ lambda_ x_2 x2 ε epsilon" in source


def test_no_sentence_of_a_network_in_a_program() -> None:
    page = derived("z = sum(W@x*k)+j; J = z**2", W="p q", x="q", k="p").render("md")
    assert isinstance(page, str)
    assert "Examples are" not in page and "layer 0" not in page and ", and ." not in page


def test_the_derivative_at_a_kink_is_a_number() -> None:
    page = derive("3-2-1:tanh,identity+mae").render("md")
    assert isinstance(page, str)
    assert "derivative 0" not in page and "the value used there is $0$." in page


@pytest.mark.parametrize("name", ["I", "I_n"])
def test_the_identity_matrix_is_no_array_of_the_user(name: str) -> None:
    page = derived(f"J = trace({name})", **{name: "n n"}).render("md")
    assert isinstance(page, str) and r"= \displaystyle \mathop{\mathrm{Id}}\nolimits_{n}" in page
    page = derived("J = trace(A)", A="n n").render("md")
    assert isinstance(page, str) and r"= \displaystyle \mathbf{I}_{n}" in page


def test_an_array_with_one_row_has_entries_with_numbers() -> None:
    """z_{1j} is an entry of z, so that z1 has another symbol."""
    page = derived("J = sum(z @ z1)", z="1 n", z1="n").render("md")
    assert isinstance(page, str) and r"\mathit{z1}_{j}} = \displaystyle z_{1j}" in page

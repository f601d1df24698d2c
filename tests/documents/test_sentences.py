"""Sentences that depend on the case: each is held against the formulas beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import pytest

from symderiv import derive, derive_graph
from symderiv.algebra.expr import Role, SizeOf, Tensor, sum_over
from symderiv.calculus.builder import Builder
from symderiv.calculus.graph import Graph
from symderiv.calculus.layers import activate, cost, dense, per_example_loss
from symderiv.calculus.normalization import batch_norm, layer_norm
from symderiv.documents import to_markdown, to_terminal
from symderiv.frontend import Network
from tests.documents.test_composed import derived as composed


def plain_text(markdown: object) -> str:
    """A document without the dollars and escapes."""
    return str(markdown).replace("$", "").replace("\\", "")


@cache
def page(spec: str, layout: str = "columns", wrt: str | None = None) -> str:
    """The document of a spec."""
    return plain_text(derive(spec, layout=layout, wrt=wrt).render("md"))


def program(text: str, shapes_of: dict[str, str]) -> str:
    """The document of a program whose variables have these shapes."""
    return plain_text(derive(Network.build(program=text, shapes=shapes_of)).render("md"))


@pytest.mark.parametrize(
    "layout, line, product",
    [
        ("columns", "column", "the transposed matrix times the error"),
        ("single", "column", "the transposed matrix times the error"),
        ("rows", "row", "the error times the transposed matrix"),
    ],
)
def test_a_bias_as_a_unit_extends_the_weights_of_this_layout(
    layout: str, line: str, product: str
) -> None:
    shown = page("2-3-1:sigmoid+bce", layout)
    assert f"Then the biases are one more {line} of" in shown
    assert product in shown


@pytest.mark.parametrize(
    "spec, words",
    [
        ("3-1-2:hard-tanh,hard-sigmoid+mae+bias=2", "in layer 2 alone."),
        ("2-1-2-2:sigmoid+mse+bias=1,3", "in the layers 1 and 3 alone."),
    ],
)
def test_the_conventions_name_the_layers_with_a_bias(spec: str, words: str) -> None:
    convention = next(line for line in page(spec).splitlines() if line.startswith("- Examples"))
    assert r"+ mathbf{b}^{l}" in convention and convention.endswith(words)


@pytest.mark.parametrize("spec", ["2-3-1:sigmoid+bce", "2-3-1:sigmoid+bce+nobias"])
def test_nothing_is_said_of_biases_where_layers_are_alike(spec: str) -> None:
    assert "alone." not in page(spec).split("## ")[0]


@pytest.mark.parametrize(
    "options, total, rest",
    [
        ("", r"tfrac{1}{m} sum_{s=1}^{m} ell_s.", "nothing to divide by, and C is the loss"),
        ("+sum", r"is sum_{s=1}^{m} ell_s.", "there is one term, and C is the loss"),
        ("+l2", r"tfrac{1}{m} bigl(sum_{s=1}^{m} ell_s + Rbigr).", "that example plus R."),
        ("+l2+sum", r"is sum_{s=1}^{m} ell_s + R.", "the loss of that example plus R."),
    ],
)
def test_one_example_of_the_cost_at_hand(options: str, total: str, rest: str) -> None:
    shown = page(f"2-1:sigmoid+mse{options}", "single")
    box = next(line for line in shown.splitlines() if "How does the cost follow" in line)
    assert total in box and rest in box


def test_one_example_has_no_sum_over_examples() -> None:
    shown = page("2-3-1:sigmoid+bce", "single")
    assert "sum over examples" not in shown and "in every example" not in shown
    assert "Errors are taken of the cost itself" in shown
    assert "A weight acts through one weighted input alone, in every example." in page(
        "2-3-1:sigmoid+bce"
    )


@pytest.mark.parametrize(
    "spec, kinds",
    [
        ("2-1:sigmoid+bce", "weights and biases"),
        ("2-1:sigmoid+bce+nobias", "weights"),
        ("2-1:sigmoid+bce+freeze=W", "biases"),
        ("2-1:prelu+mse", "weights and biases"),
        ("2-1:prelu+mse", "the other parameters"),
    ],
)
def test_the_heading_says_what_the_gradients_are_by(spec: str, kinds: str) -> None:
    assert f"## The gradients of {kinds}\n" in page(spec)


@pytest.mark.parametrize("spec", ["2-1:sigmoid+mse+nobias", "2-3-1:tanh,sigmoid+mse+nobias"])
def test_a_module_without_biases_does_not_speak_of_them(spec: str) -> None:
    module = derive(spec).render("numpy")
    assert isinstance(module, str)
    assert "bias" not in module.replace("nobias", "") and "BP3" not in module
    assert ("BP2" in module) is ("-3-" in spec)


def test_what_is_frozen_is_said_and_not_counted() -> None:
    shown = page("3-3-3-3-3:softsign,softsign,sin,sigmoid+bce+freeze=W1,b2")
    assert "- Frozen, and so without a gradient: mathbf{W}^{1} and mathbf{b}^{2}." in shown
    assert "= 48 parameters; gradients are taken by 36 of them. Difference quotients by" in shown
    assert "take 37 forward passes" in shown and "for all 36 derivatives together" in shown
    plain = page("2-3-1:sigmoid+bce")
    assert "Frozen" not in plain and "= 13 parameters. Difference quotients by" in plain


def test_the_gradient_by_the_input_has_the_factor_of_the_cost() -> None:
    made = derive("2-3-1:sigmoid+bce", wrt="W1,X").render("md")
    assert isinstance(made, str)
    assert "in the gradient of a parameter or of the input." in made
    assert r"that layer's error is made from $\frac{\partial \ell_{s}}{\partial x_{js}}$" in made
    assert "by the input" not in page("2-3-1:sigmoid+bce")


def test_what_survives_is_said_term_by_term_where_letters_are_used_twice() -> None:
    shown = page("n-n-n:gaussian,arctan+half-mse+l2+sum", "rows")
    assert "only i = k and p = j in the first term, i = j and p = k in the second term" in shown
    assert "only k = j survives" in shown


@pytest.mark.parametrize("spec", ["J = 3*(a + b*c)", "2-1:identity+half-mse", "2-1:sigmoid+bce"])
def test_the_count_of_steps_says_which_have_no_number(spec: str) -> None:
    shown = page(spec, "single" if "J" in spec else "columns")
    last = max(int(n) for n in re.findall(r"\(S(\d+)\) \|", shown))
    found = re.search(r"(\d+) steps are proved for all sizes(?:, (\d+) of them)?", shown)
    assert found and int(found[1]) - int(found[2] or 0) == last


def test_what_a_slope_accumulates_is_called_by_its_letter() -> None:
    shown = page("2-1:prelu+mse")
    assert "dalpha" not in shown and "Delta^{1}_{alpha,j} :=" in shown
    assert "where (z, alpha) is" in shown  # both are letters of mathematics


def test_that_targets_sum_to_1_is_assumed_once() -> None:
    shown = page("3-2:softmax+ce")
    assert "the targets of an example sum to 1." in shown and "summing to 1" not in shown


def test_a_few_layers_are_listed() -> None:
    assert "for l = 1, 2, 3" in page("1-1-1-1:sigmoid+mse")
    assert r"for l = 1, dots, 4" in page("1-1-1-1-1:sigmoid+mse")


def test_a_rate_of_1_is_not_written() -> None:
    example = {"X": [[1]], "Y": [[0]], "W1": [[1]], "b1": [0], "rate": 1}
    made = derive(Network.build([1, 1], "identity", "mse", example=example)).render("md")
    assert isinstance(made, str)
    assert r"$\mathbf{W}^{1} - \frac{\partial C}" in made and "- 1 " not in made


def shapes(markdown: str) -> dict[str, str]:
    """The shapes in the table of symbols, by the name in code."""
    lines = (line.split("|") for line in markdown.splitlines() if line.endswith("` |"))
    return {row[4].strip(" `"): row[3].replace("times", "x").strip() for row in lines}


@pytest.mark.parametrize(
    "given, printed",
    [
        ("m n k", "m x n x k"),
        ("k 1 n m", "k x 1 x n x m"),
        ("m n", "m x n"),
        ("m", "m x 1"),
        ("", "scalar"),
    ],
)
def test_the_table_of_symbols_lists_every_axis(given: str, printed: str) -> None:
    shapes_of = {"x": given} if given else {}
    made = program("J = sum(x**2)" if given else "J = x**2", shapes_of)
    assert shapes(made)["x"] == printed


def test_the_kernel_of_a_convolution_has_three_axes() -> None:
    made, about = composed("convolution and pooling")
    found = shapes(plain_text(to_markdown(made, about)))
    assert (found["W1"], found["b1"], found["y1"][:4]) == ("c x d x K", "c x 1", "c x ")


def test_an_example_prints_all_numbers_of_an_array() -> None:
    example = {"K": [[[1, 2], [3, 4], [5, 6]]], "E": [[7, 8]]}
    made = derive(
        Network.build(program="J = sum(K*E)", shapes={"K": "1 3 2", "E": "1 2"}, example=example)
    )
    shown = str(made.render("md")).replace("$", "")
    slice_ = r"\left[ \begin{pmatrix} %s \end{pmatrix} \right]"
    assert slice_ % r"1 & 2 \\ 3 & 4 \\ 5 & 6" in shown  # K
    assert slice_ % r"7 & 8 \\ 7 & 8 \\ 7 & 8" in shown  # its gradient
    assert r"\mathbf{E} = \displaystyle \begin{pmatrix} 7 & 8 \end{pmatrix}" in shown
    assert "K = [[[1, 2], [3, 4], [5, 6]]]" in to_terminal(made, made.presentation())


# --- What is said of layers ----------------------------------------------------------------------

ALONE = "acts on its own"
COMPARED = "The last layer is compared with the target"


def built(graph: Graph, layout: str = "columns") -> str:
    """The document of a graph made with the Builder."""
    return plain_text(derive_graph(graph, name="net1", layout=layout).render("md"))


def two_layers(
    norm: Callable[..., Tensor] | None = None,
    skip: bool = False,
    example: bool = True,
    penalised: tuple[str, ...] = (),
) -> Graph:
    """tanh and sigmoid with cross-entropy; a norm before the output, or a way around it."""
    b = Builder("columns")
    units = [b.units(0), b.units(1), b.units(1 if skip else 2)]
    x = b.tensor("x", b.batch(units[0]), Role.INPUT)
    hidden = activate(b, "tanh", dense(b, x, units[0], units[1], 1), units[1], 1)
    z = dense(b, hidden, units[1], units[2], 2)
    if norm is not None:
        z = norm(b, z, units[2], 2)
    if skip:
        j, s = b.over(*hidden.axes)
        z = b.define(b.tensor("q", hidden.axes), (j, s), z[j, s] + hidden[j, s])
    a = activate(b, "sigmoid", z, units[2], 2)
    ell, _ = per_example_loss(b, "bce", a, units[2])
    weights = [b.parameter(name) for name in penalised]
    return b.graph(cost(b, ell, "mean", weights, bool(weights)), ell if example else None)


@pytest.mark.parametrize("wrt", ["z,a", "a"])
def test_a_program_has_no_output_layer_and_no_target(wrt: str) -> None:
    shown = page("z = a*b; J = z**2*c", "single", wrt)
    assert "layer" not in shown and "target" not in shown
    assert ("## The error of z\n" in shown) == ("z" in wrt)


@pytest.mark.parametrize(
    "spec, alone",
    [
        ("3-2:sigmoid+bce", True),
        ("3-2:identity+bce-logits", True),
        ("3-2:identity+ce-logits", False),  # whose loss divides by a sum over all outputs
    ],
)
def test_outputs_act_alone_where_the_loss_only_adds_them_up(spec: str, alone: bool) -> None:
    shown = page(spec)
    assert COMPARED in shown and (ALONE in shown) == alone


def test_a_norm_at_the_output_mixes_units_or_examples() -> None:
    mixed = "Every output depends on every weighted input of the last layer"
    assert mixed in built(two_layers(layer_norm)) and mixed in page("3-2:softmax+ce")
    normed = built(two_layers(batch_norm))  # it mixes examples and no units
    assert mixed not in normed and COMPARED in normed


def test_a_way_around_a_layer_is_not_denied() -> None:
    through = "A unit of layer 1 acts on the loss through every unit of layer 2"
    assert through in built(two_layers()) and through in built(two_layers(batch_norm))
    shown = built(two_layers(skip=True))
    assert "## The error of layer 1\n" in shown and "through every unit" not in shown


def test_without_a_loss_errors_come_from_the_cost() -> None:
    made, about = composed("RNN")
    assert "At t = T the error comes from the cost." in plain_text(to_markdown(made, about))
    assert "At l = L the error comes from the loss." in page("n0-...-nL:sigmoid+mse")


@pytest.mark.parametrize(
    "name, once",
    [("convolution and pooling", False), ("batch norm", True), ("RMS norm", True)],
)
def test_a_weight_acts_through_one_weighted_input_unless_it_is_shared(
    name: str, once: bool
) -> None:
    made, about = composed(name)
    assert ("through one weighted input alone" in to_markdown(made, about)) == once


def test_weights_that_layers_share_act_through_more_than_one_weighted_input() -> None:
    b = Builder("columns")
    units, last = b.units(0), b.units(1)
    a = b.tensor("x", b.batch(units), Role.INPUT)
    w = b.tensor("W1", (units, units), Role.PARAMETER, "W", 1)
    for layer in (1, 2):
        z = b.tensor(f"z{layer}", b.batch(units), Role.PREACTIVATION, "z", layer)
        (i, s), (j,) = b.over(*b.batch(units)), b.over(units)
        b.define(z, (i, s), sum_over(j, w[i, j] * a[j, s]))
        a = activate(b, "tanh", z, units, layer)
    a = activate(b, "sigmoid", dense(b, a, units, last, 3), last, 3)
    ell, _ = per_example_loss(b, "bce", a, last)
    assert "weighted input alone" not in built(b.graph(cost(b, ell, "mean", [], False), ell))


@pytest.mark.parametrize(
    "penalised, words",
    [
        ((), "in every example."),
        (("W1",), "in every example, and through the penalty if that takes it."),
        (("W1", "W2"), "in every example, and through the penalty."),
    ],
)
def test_the_penalty_takes_the_weights_that_it_takes(
    penalised: tuple[str, ...], words: str
) -> None:
    shown = built(two_layers(penalised=penalised))
    assert f"A weight acts through one weighted input alone, {words}" in shown
    assert ("The penalty takes the weights, not the biases." in shown) == (len(penalised) == 2)
    assert ("The penalty takes mathbf{W}^{1} alone." in shown) == (len(penalised) == 1)


# --- What errors differentiate -------------------------------------------------------------------


def active(b: Builder) -> Graph:
    """A penalty on what the hidden layer gives out, beside the mean of the losses."""
    units = [b.units(n) for n in range(3)]
    x = b.tensor("x", b.batch(units[0]), Role.INPUT)
    hidden = activate(b, "tanh", dense(b, x, units[0], units[1], 1), units[1], 1)
    a = activate(b, "sigmoid", dense(b, hidden, units[1], units[2], 2), units[2], 2)
    ell, _ = per_example_loss(b, "bce", a, units[2])
    (j, s), (r,) = b.over(*hidden.axes), b.over(b.examples)
    mean = 1 / SizeOf(b.examples.size) * sum_over(r, ell[r])
    total = b.tensor("C", (), Role.COST)
    return b.graph(b.define(total, (), mean + sum_over((j, s), hidden[j, s] ** 2)), ell)


@pytest.mark.parametrize(
    "layout, words",
    [
        ("rows", "Examples are rows: mathbf{x} is m times n_{0}"),
        ("columns", "Examples are columns: mathbf{x} is n_{0} times m"),
        ("single", "One example: mathbf{x} is n_{0} times 1"),
    ],
)
def test_the_axes_say_what_the_layout_is(layout: str, words: str) -> None:
    b = Builder(layout)
    units = [b.units(n) for n in range(3)]
    x = b.tensor("x", b.batch(units[0]), Role.INPUT)
    hidden = activate(b, "tanh", dense(b, x, units[0], units[1], 1), units[1], 1)
    z = dense(b, hidden, units[1], units[2], 2)
    ell, _ = per_example_loss(b, "bce", activate(b, "sigmoid", z, units[2], 2), units[2])
    graph = b.graph(cost(b, ell, "mean", [], False), ell)
    for told in ("rows", "columns", "single"):
        shown = built(graph, told)
        assert words in shown
        assert (" one more row of" in shown) == (layout == "rows")


OF_LOSS = "delta}^{l} differentiates the loss ell of one example"
OF_COST = "delta}^{l} differentiates the cost C"
IN_GRADIENTS = "Where does 1/m go?** Into the gradients, once."
IN_ERRORS = "Where does 1/m go?** Into the errors, once."
LOOP = "Gradient descent with one pass over the examples"


@pytest.mark.parametrize(
    "shown, said, unsaid",
    [
        (
            lambda: built(two_layers()),
            (OF_LOSS, IN_GRADIENTS, LOOP, "so errors are taken of that loss"),
            (OF_COST, IN_ERRORS, "Errors are taken of the cost itself"),
        ),
        (
            lambda: built(two_layers(example=False)),
            (OF_COST, IN_ERRORS, LOOP, "Errors are taken of the cost itself"),
            (OF_LOSS, IN_GRADIENTS, "errors are taken of that loss"),
        ),
        (  # no example can be computed without the others
            lambda: built(two_layers(batch_norm)),
            (OF_COST, IN_ERRORS, "Errors are taken of the cost itself"),
            (OF_LOSS, IN_GRADIENTS, LOOP, "errors are taken of that loss"),
        ),
        (
            lambda: built(active(Builder("columns"))),
            (
                "delta}^{2} differentiates the loss ell of one example; 1/m enters once, in the "
                "gradient of a parameter or in an error of the cost.",
                "delta}^{1} differentiates the cost C",
                "error of layer 1, partial C / partial z",
                "error of layer 2, partial ell_{s} / partial z",
            ),
            (OF_LOSS, OF_COST, IN_GRADIENTS, IN_ERRORS, "errors are taken of that loss"),
        ),
        (lambda: page("2-1:sigmoid+bce+sum"), (OF_LOSS,), (IN_GRADIENTS, IN_ERRORS)),
    ],
    ids=["of the loss", "of the cost", "examples meet", "some of each", "no mean"],
)
def test_where_the_factor_of_the_mean_enters(
    shown: Callable[[], str], said: tuple[str, ...], unsaid: tuple[str, ...]
) -> None:
    text = shown()
    assert [words for words in said if words not in text] == []
    assert [words for words in unsaid if words in text] == []


@pytest.mark.parametrize("norm, factor", [(layer_norm, True), (batch_norm, False)])
def test_the_error_below_the_input_is_that_of_the_loss_where_errors_are(
    norm: Callable[..., Tensor], factor: bool
) -> None:
    graph = two_layers(norm)
    x = next(t for t in graph.inputs if t.role is Role.INPUT)
    shown = plain_text(derive_graph(graph, [x], name="net1").render("md"))
    assert ("that layer's error is made from" in shown) == factor


@pytest.mark.parametrize(
    "spec, rest",
    [("2-2-1:sigmoid+bce+sum", ""), ("2-2-1:sigmoid+bce+sum+l2", " plus R")],
)
def test_the_sum_of_the_losses_is_not_all_of_a_penalised_cost(spec: str, rest: str) -> None:
    assert f"differentiates the loss ell of one example; the cost is their sum{rest}." in page(spec)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_cost_of_many_examples_is_not_guessed_from_that_of_one(reduction: str) -> None:
    b = Builder("single")
    units = [b.units(0), b.units(1)]
    z = dense(b, b.tensor("x", b.batch(units[0]), Role.INPUT), *units, 1)
    ell, _ = per_example_loss(b, "bce", activate(b, "sigmoid", z, units[1], 1), units[1])
    shown = built(b.graph(cost(b, ell, reduction, [], False)), "single")
    assert "BP1" in shown and "many examples" not in shown


# --- What is assumed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("J = max(x)", "The derivative of the maximum of x_{j} holds where one is"),
        (
            "J = max(x) + max(-x)",  # not the maximum of x and -x
            "The derivatives of the maxima of x_{j} and of -x_{k} hold where in each one is",
        ),
    ],
)
def test_every_maximum_has_a_winner_of_its_own(text: str, sentence: str) -> None:
    assert f"- {sentence} the greatest." in program(text, {"x": "n"})


def test_what_is_asked_everywhere_is_not_asked_again_where_a_bracket_is_true() -> None:
    shown = program("J = sum(where(x > 0, log(sum(x)), 0))", {"x": "n"})
    assert shown.count("is positive, where log is defined") == 1 and "asked only" not in shown
    shown = program("J = sum(where(y > 0, log(x), 0))", {"x": "n", "y": "n"})
    assert shown.count("is positive, where log is defined") == 1 and "asked only" in shown

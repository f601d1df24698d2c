"""Inline specs and the Python builder: the promised forms, canonical text, contradictions."""

import keyword
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.frontend import Network, Request, SpecError, build_graph, parse_spec
from symderiv.frontend.known import activation_names, canonical, loss_names


@pytest.mark.parametrize(
    "text, sizes, activations, loss, stem",
    [
        ("2-3-1:sigmoid+bce", (2, 3, 1), ("sigmoid", "sigmoid"), "bce", "net_2_3_1_sigmoid_bce"),
        ("784-30-10:tanh,softmax+ce", (784, 30, 10), ("tanh", "softmax"), "ce",
         "net_784_30_10_tanh_softmax_ce"),
        ("400-25-10:sigmoid+bce+l2", (400, 25, 10), ("sigmoid", "sigmoid"), "bce",
         "net_400_25_10_sigmoid_bce_l2"),
        ("1-1-1-1:sigmoid+mse", (1, 1, 1, 1), ("sigmoid",) * 3, "mse", "net_1_1_1_1_sigmoid_mse"),
        ("n0-n1-n2:relu,identity+mse", ("n0", "n1", "n2"), ("relu", "identity"), "mse",
         "net_n0_n1_n2_relu_identity_mse"),
        ("n0-...-nL:sigmoid+mse", ("n0", "nL"), ("sigmoid", "sigmoid"), "mse",
         "net_n0_nL_generic_sigmoid_mse"),
        ("n0-…-nL:tanh,softmax+ce", ("n0", "nL"), ("tanh", "softmax"), "ce",
         "net_n0_nL_generic_tanh_softmax_ce"),
    ],
)  # fmt: skip
def test_promised_forms(
    text: str, sizes: tuple[object, ...], activations: tuple[str, ...], loss: str, stem: str
) -> None:
    net = parse_spec(text)
    assert (net.sizes, net.activations, net.loss, net.stem) == (sizes, activations, loss, stem)
    assert net.spec == text.replace("…", "...")
    assert net.generic is ("nL" in sizes)
    assert net.depth == (None if net.generic else len(sizes) - 1)
    assert (net.reduction, net.freeze, net.scalars) == ("mean", (), False)
    assert net.penalty == ("l2" if "l2" in text else None)
    assert all(net.bias) and len(net.bias) == (1 if net.generic else len(sizes) - 1)


@pytest.mark.parametrize(
    "option, field, value",
    [
        ("nobias", "bias", (False, False)),
        ("bias=1", "bias", (True, False)),
        ("bias=2,1", "bias", (True, True)),
        ("freeze=b", "freeze", ("b",)),
        ("freeze=W2,b1", "freeze", ("W2", "b1")),
        ("freeze=b1,b", "freeze", ("b",)),
        ("sum", "reduction", "sum"),
        ("mean", "reduction", "mean"),
        ("l2", "penalty", "l2"),
        ("L2", "penalty", "l2"),
        ("scalars", "scalars", True),
    ],
)
def test_options(option: str, field: str, value: object) -> None:
    for text in (f"2-3-1:tanh+mse+{option}", f" 2 - 3 - 1 : TANH + {option} + Mse "):
        net = parse_spec(text)
        assert getattr(net, field) == value
        assert parse_spec(net.spec) == net
        assert net.stem.isidentifier()


def test_names_of_any_case_and_mark() -> None:
    for loss in ("half-mse", "half_mse", "Half_MSE"):
        assert parse_spec(f"2-1:RELU+{loss}").spec == "2-1:relu+half-mse"


def test_options_in_any_order_are_one_network_and_one_stem() -> None:
    one = parse_spec("2-3-1:sigmoid+bce+l2+sum+bias=2+freeze=W1")
    other = parse_spec("2-3-1:sigmoid+freeze=W1+bias=2+sum+l2+bce")
    assert one == other
    assert one.stem == "net_2_3_1_sigmoid_bce_l2_sum_bias_2_freeze_W1"


REFUSED = [
    # text, field, words of the message
    ("2-3-1:sigmod+bce", "activation", "unknown activation 'sigmod'; did you mean 'sigmoid'?"),
    ("2-3-1:tanh,sigmod+bce", "activation of layer 2",
     "unknown activation 'sigmod' in layer 2; did you mean 'sigmoid'?"),
    ("n0-...-nL:tanh,sigmod+bce", "activation of the output", "'sigmod' in the output"),
    ("2-1:linear+mse", "activation", "did you mean 'identity'?"),
    ("2-1:mse", "activation", "'mse' is a loss"),
    ("2-1:relu+tanh+mse", "option", "commas between"),
    ("2-1:relu+msee", "option", "did you mean 'mse'?"),
    ("2-1:relu+cross_entropy", "option", "did you mean 'ce'?"),
    ("2-1:relu+mse+no-bias", "option", "did you mean 'nobias'?"),
    ("2-1:relu+mse+seed=3", "option", "freeze=b"),
    ("2-3-1:softmax+bce", "loss", "with softmax the loss is ce"),
    ("2-3-1:relu+ce", "loss", "with ce the last activation is softmax"),
    ("2-3-1:softmax,sigmoid+ce", "loss", "probability vector"),
    ("2-3-1:tanh+bce", "loss", "sigmoid"),
    ("x-y:sigmoid+bce", "size n0", "the name of a quantity"),
    ("2-b-z:tanh+mse", "size n1", "the name of a quantity"),
    ("delta-2:sigmoid+mse", "size n0", "try n0, n1"),
    ("n0-...-n3:sigmoid+mse", "sizes", "write n0-...-nL for any depth"),
    ("n1-...-nL:sigmoid+mse", "sizes", "n1 stands for the size of the input"),
    ("2-1:softmax+ce", "activation of layer 1", "is 1 whatever goes in"),
    ("2-1-2:log-softmax,sigmoid+mse", "activation of layer 1", "is 0 whatever goes in"),
    ("J = a; K = b", "program", "J is not used by K, the last statement"),
    ("J = huber(a, b)", "expression", "unknown function 'huber'; losses belong to networks"),
    ("J = half_mse(a, b)", "expression", "write it out: "),
    ("J = 1e400*x", "expression", "is 10^40 or more in size"),
    ("J = 1e-400*x", "expression", "has 40 or more decimal places"),
    ("3-2:relu+bce", "loss", "'relu' has outputs from 0 to any size"),
    ("3-2:softmax+bce", "loss", "since they add up to 1"),
    ("2-1:relu", "loss", "missing"),
    ("2-1:relu+mse+mse", "loss", "given twice"),
    ("2-1:sigmoid+mse+bce", "loss", "contradicts"),
    ("2-1:relu+mse+l2+l2", "penalty", "given twice"),
    ("2-1:relu+mse+sum+mean", "reduction", "contradicts"),
    ("2-1:relu+mse+nobias+bias=1", "bias", "contradicts"),
    ("2-1:relu+mse+bias=1+bias=1", "bias", "given twice"),
    ("2-1:relu+mse+bias=2", "bias", "layers are 1 to 1"),
    ("2-1:relu+mse+bias=0", "bias", "layers are 1 to 1"),
    ("2-1:relu+mse+bias=１", "bias", "not there"),
    ("2-1:relu+mse+bias=" + "1" * 40, "bias", "not there"),
    ("2-1:relu+mse+bias=1,1", "bias", "twice"),
    ("2-1:relu+mse+bias=", "bias", "bias=1,2"),
    ("2-1:relu+mse+bias", "bias", "bias=1,2"),
    ("n0-...-nL:relu+mse+bias=1", "bias", "generic"),
    ("2-1:relu+mse+freeze=W2", "freeze", "known: W, b, W1, b1"),
    ("2-1:relu+mse+freeze=w1", "freeze", "did you mean 'W1'?"),
    ("2-1:relu+mse+freeze=b,b", "freeze", "twice"),
    ("2-1:relu+mse+nobias+freeze=b", "freeze", "known: W, W1"),
    ("n0-...-nL:relu+mse+freeze=W1", "freeze", "known: W, b"),
    ("4-4-1:relu+mse+scalars", "scalars", "20 weights; at most 12"),
    ("n0-1:relu+mse+scalars", "scalars", "numbers"),
    ("2-0-1:relu+mse", "size n1", "size n1 is 0; a size is from 1 to 1000000"),
    ("1000001-1:relu+mse", "size n0", "1000000"),
    ("9" * 40 + "-1:relu+mse", "size n0", "40 digits"),
    ("-2-1:relu+mse", "size n0", "from 1 on"),
    ("2--1:relu+mse", "size n1", "empty"),
    ("2-1-:relu+mse", "size n2", "empty"),
    ("２-1:relu+mse", "size n0", "digits 0-9"),
    ("2.5-1:relu+mse", "size n0", "whole numbers"),
    ("2e3-1:relu+mse", "size n0", "whole numbers"),
    ("m-1:relu+mse", "size n0", "reserved"),
    ("2-l-1:relu+mse", "size n1", "reserved"),
    ("2-L:relu+mse", "size n1", "reserved"),
    ("2-W1:relu+mse", "size n1", "quantity"),
    ("2-lambda:relu+mse", "size n1", "word of Python"),
    ("2-größe:relu+mse", "size n1", "not a name"),
    ("2-" + "n" * 33 + ":relu+mse", "size n1", "31"),
    ("2:relu+mse", "sizes", "2-1"),
    (":relu+mse", "size n0", "empty"),
    ("1-" * 1001 + "1:relu+mse", "sizes", "at most 100 "),
    ("n0-...-n0:relu+mse", "sizes", "n0-...-nL"),
    ("2-...-nL:relu+mse", "sizes", "n0-...-nL"),
    ("n0-n1-...-nL:relu+mse", "sizes", "n0-...-nL"),
    ("...:relu+mse", "sizes", "n0-...-nL"),
    ("2-3-1:relu,relu,relu+mse", "activations", "3 activations for 2 layers"),
    ("n0-...-nL:relu,relu,relu+mse", "activations", "(hidden, output)"),
    ("2-1:,+mse", "activations", "empty part"),
    ("2-1:+mse", "activations", "empty"),
    ("2-1:", "activations", "empty"),
    ("2-1:relu++mse", "option", "empty"),
    ("2-1:relu+mse+", "option", "empty"),
    ("2-1:relu:mse", "spec", "second ':'"),
    ("2-3-1", "spec", "2-3-1:sigmoid+bce"),
    ("2-3-1+bias=1", "spec", "no ':'"),
    ("hello", "spec", "no ':'"),
    ("a + b", "spec", "write J = a + b"),
    ("3*(a+b*c)", "spec", "write J = 3*(a+b*c)"),
    ("", "spec", "empty"),
    ("2-1:relu+mse+" + "x" * 5000, "spec", "4096"),
    ("2-1:re\x1b[31mlu+mse", "activation", r"\x1b"),
    ("nowhere.toml", "file", "there is no file 'nowhere.toml'"),
    ("a\x00.toml", "file", r"a\x00.toml"),
    ("x" * 3000 + ".toml", "file", "file"),
]  # fmt: skip


@pytest.mark.parametrize(
    "text, field, words", REFUSED, ids=[f"{i}:{row[1]}" for i, row in enumerate(REFUSED)]
)
def test_refused(text: str, field: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(text)
    assert words in str(caught.value)
    assert caught.value.field == field
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


# The losses that take a logarithm of the output, each with the activations whose output allows it.
NEEDS = {
    "bce": {"sigmoid", "hard-sigmoid"},
    "focal": {"sigmoid", "hard-sigmoid"},
    "ce": {"softmax"},
    "kl": {"softmax"},
    "nll": {"log-sigmoid", "log-softmax"},  # of the output's exponential
    "poisson": {"exp", "softplus", "sigmoid", "hard-sigmoid", "gaussian", "softmax"},
}


def test_every_activation_and_loss_of_the_tables_is_accepted_or_refused_with_a_way_out() -> None:
    assert NEEDS.keys() <= set(loss_names())
    for activation in activation_names():
        for loss in loss_names():
            text = f"3-4:{activation}+{loss}"
            if activation in NEEDS.get(loss, {activation}):
                assert parse_spec(text).spec == text
            else:
                with pytest.raises(SpecError) as caught:
                    parse_spec(text)
                assert any(a in caught.value.remedy for a in activation_names())


def test_names_in_the_tables_are_in_canonical_form() -> None:
    for name in (*activation_names(), *loss_names()):
        assert canonical(name) == name
        assert not keyword.iskeyword(name)
    assert not set(loss_names()) & {"l2", "sum", "mean", "nobias", "scalars", "bias", "freeze"}


# -- expressions as specs ----------------------------------------------------------------


@pytest.mark.parametrize(
    "text, stem, inputs",
    [
        ("J = 3*(a + b*c)", "program_J_3_a_b_c_c37890", ("a", "b", "c")),
        ("u = b*c; v = a + u; J = 3*v", "program_u_b_c_v_a_u_J_3_v_db206a", ("b", "c", "a")),
        ("C = sum((W @ x - y)**2)", "program_C_sum_W_x_y_2_147cb1", ("W", "x", "y")),
        ("A = pi*r**2", "program_A_pi_r_2_6cc358", ("r",)),
    ],
)
def test_expression_specs(text: str, stem: str, inputs: tuple[str, ...]) -> None:
    net = parse_spec(text)
    assert net.is_program and net.depth is None
    assert (net.spec, net.stem, net.parameters) == (text, stem, inputs)
    assert parse_spec(net.spec) == net


@pytest.mark.parametrize(
    "text, column, words",
    [
        ("J = J + 1", 1, "its own definition"),
        ("v = u; u = b", 1, "before it is defined"),
        ("J = a; J = b", 8, "assigned twice"),
        ("J = 3*(a + b*c", 15, "but found the end"),
        ("pi = 3; J = pi", 1, "constant"),
        ("J = a : b", 7, "':'"),
        ("n0-n1+bias=1", 3, "name = expression"),
    ],
)
def test_refused_expression_specs(text: str, column: int, words: str) -> None:
    with pytest.raises(SpecError, match=words) as caught:
        parse_spec(text)
    assert caught.value.column == column
    assert caught.value.caret().startswith(text)


# -- the builder -------------------------------------------------------------------------


def test_builder_is_the_same_as_the_text() -> None:
    assert Network.build([2, 3, 1], "sigmoid", "bce") == parse_spec("2-3-1:sigmoid+bce")
    assert Network.build((2, 3, 1), loss="bce") == parse_spec("2-3-1:sigmoid+bce")
    assert Network.build(
        [784, "h", 10], ["tanh", "softmax"], "ce", reduction="sum", penalty="l2",
        bias=[True, False], freeze={"b"},
    ) == parse_spec("784-h-10:tanh,softmax+ce+sum+l2+bias=1+freeze=b")  # fmt: skip
    generic = parse_spec("n0-...-nL:sigmoid+mse")
    assert Network.build(["n0", "...", "nL"], loss="mse") == generic
    assert Network.build(["n0", ..., "nL"], loss="mse") == generic
    assert Network.build(program="J = 3*(a + b*c)") == parse_spec("J = 3*(a + b*c)")
    assert Network.build(program={"u": "b*c", "J": "3*u"}) == parse_spec("u = b*c; J = 3*u")


def test_parameters_and_what_is_frozen() -> None:
    net = Network.build([2, 3, 1], loss="mse", bias=[False, True], freeze=["b", "W1"])
    assert net.parameters == ("W1", "W2", "b2")
    assert [p for p in net.parameters if net.is_frozen(p)] == ["W1", "b2"]
    assert Network.build(["p", "...", "q"], loss="mse").parameters == ("W", "b")


def test_a_network_is_frozen_and_can_be_a_key() -> None:
    net = parse_spec("2-3-1:sigmoid+bce")
    with pytest.raises(FrozenInstanceError):
        net.loss = "mse"  # type: ignore[misc]
    assert {net: 1}[parse_spec(net.spec)] == 1


BUILD_REFUSED: list[tuple[dict[str, object], str, str]] = [
    ({}, "sizes", "missing"),
    ({"sizes": "2-3-1"}, "sizes", "list"),
    ({"sizes": []}, "sizes", "empty"),
    ({"sizes": [2, True]}, "size n1", "is True"),
    ({"sizes": [2, 1.0]}, "size n1", "1.0"),
    ({"sizes": [2, -1]}, "size n1", "is -1"),
    ({"sizes": [2, 10**400]}, "size n1", "bits"),
    ({"sizes": [2, None]}, "size n1", "None"),
    ({"sizes": [2, ""]}, "size n1", "not a name"),
    ({"sizes": [1] * 102}, "sizes", "101 layers; at most 100"),
    ({"activations": 3}, "activations", "list of names"),
    ({"activations": [None]}, "activation", "None"),
    ({"loss": 3}, "loss", "is 3"),
    ({"loss": "tanh"}, "loss", "is an activation"),
    ({"reduction": "max"}, "reduction", "known: mean, sum"),
    ({"reduction": ""}, "reduction", "known: mean, sum"),
    ({"penalty": "l1"}, "penalty", "known: l2"),
    ({"bias": 1}, "bias", "true or false"),
    ({"bias": [True]}, "bias", "1 entries for 2 layer(s)"),
    ({"bias": [1, 0]}, "bias", "neither true nor false"),
    ({"freeze": 3}, "freeze", "list of names"),
    ({"freeze": [3]}, "freeze", "has 3"),
    ({"scalars": 1}, "scalars", "true or false"),
    ({"title": 3}, "title", "text"),
    ({"title": "a\nb"}, "title", "one line"),
    ({"title": " "}, "title", "one line"),
    ({"title": "x" * 201}, "title", "200"),
    ({"shapes": {"x": "m n"}}, "shapes", "program"),
    ({"request": {"cost": "J"}}, "request.cost", "leave cost out"),
    ({"request": {"wrt": ["W9"]}}, "wrt", "X, W1"),
    ({"request": {"with": ["W1"]}}, "request", "known: cost, upstream, wrt"),
    ({"request": 3}, "request", "table"),
    ({"program": "J = a"}, "sizes", "program"),
]


@pytest.mark.parametrize(
    "changed, field, words", BUILD_REFUSED, ids=[str(i) for i in range(len(BUILD_REFUSED))]
)
def test_builder_refuses(changed: dict[str, object], field: str, words: str) -> None:
    good: dict[str, object] = {"sizes": [2, 3, 1], "activations": "tanh", "loss": "mse"}
    with pytest.raises(SpecError) as caught:
        Network.build(**({**good, **changed} if changed else {}))
    assert words in str(caught.value)
    assert caught.value.field == field


PROGRAM_REFUSED: list[tuple[dict[str, object], str, str]] = [
    ({"program": 3}, "program", "write name"),
    ({"program": {}}, "program", "1 to 200"),
    ({"program": {f"u{i}": "b" for i in range(201)}}, "program", "1 to 200"),
    ({"program": {f"u{i}": "+".join(["b"] * 100) for i in range(20)}}, "program", "2000"),
    ({"program": {"u v": "b"}}, "program name", "not a name"),
    ({"program": {"exp": "b"}}, "program", "already known"),
    ({"program": {"pi": "b"}}, "program", "constant"),
    ({"program": {"u": 3}}, "program.u", "expression as text"),
    ({"program": {"u": "b +"}}, "program.u", "program.u, column 4"),
    ({"program": ["u"]}, "program", "pairs"),
    ({"loss": "mse"}, "loss", "leave one of them out"),
    ({"shapes": 3}, "shapes", "table"),
    ({"shapes": {"q": "m"}}, "shapes", "known: b, c"),
    ({"shapes": {"b": "m 0"}}, "shape of b", "0"),
    ({"shapes": {"b": "m-n"}}, "shape of b", "not a name"),
    ({"shapes": {"b": 3}}, "shape of b", "m n"),
    ({"shapes": {"b": "i j k m n"}}, "shape of b", "5 axes"),
    ({"request": {"cost": "K"}}, "request.cost", "known: u, J"),
    ({"request": {"cost": "J", "upstream": "dy"}}, "request", "leave one out"),
    ({"request": {"upstream": "b"}}, "request.upstream", "dy"),
    ({"request": {"upstream": "a b"}}, "request.upstream", "not a name"),
    ({"request": {"wrt": ["q"]}}, "wrt", "known: b, c"),
]


@pytest.mark.parametrize(
    "changed, field, words", PROGRAM_REFUSED, ids=[str(i) for i in range(len(PROGRAM_REFUSED))]
)
def test_builder_refuses_programs(changed: dict[str, object], field: str, words: str) -> None:
    good: dict[str, object] = {"program": {"u": "b*c", "J": "3*u"}}
    with pytest.raises(SpecError) as caught:
        Network.build(**{**good, **changed})
    assert words in str(caught.value)
    assert caught.value.field == field


def test_program_with_shapes_and_request() -> None:
    net = Network.build(
        program="y = x @ w + b", shapes={"x": "m n", "w": ("n",), "b": ""},
        request={"upstream": "dy", "wrt": ["w", "b"]},
    )  # fmt: skip
    assert net.shapes == (("b", ()), ("w", ("n",)), ("x", ("m", "n")))
    assert net.request == Request(None, "dy", ("w", "b"))


# -- stems -------------------------------------------------------------------------------


def test_long_stems_are_cut_and_stay_apart() -> None:
    texts = ["1-" * n + f"{k}:relu+mse" for n in (60, 99) for k in (1, 2)]
    stems = {parse_spec(text).stem for text in texts}
    assert len(stems) == 4
    assert all(len(stem) <= 72 and stem.isidentifier() for stem in stems)


def test_expressions_with_the_same_names_have_files_of_their_own() -> None:
    texts = ["J = a*b", "J = a + b", "J = a*(a + b)", "J = a*a + b", "J = " + "a + " * 60 + "b"]
    stems = {parse_spec(text).stem for text in texts}
    assert len(stems) == len(texts) and "program_J_a_b_9e03b9" in stems
    assert all(len(stem) <= 72 and stem.isidentifier() for stem in stems)
    assert parse_spec("J=a * b").stem == "program_J_a_b_9e03b9"


def test_any_spec_of_the_longest_length_is_read_at_once() -> None:
    for text in ("-" * 4096, ":" * 4096, "1-" * 2040 + "1:relu+mse", "1-1:relu" + "+" * 4000,
                 "1-1:" + "," * 4000, "1-1:relu+mse+freeze=" + "b," * 2000,
                 "1-" * 99 + "1:relu+mse+freeze=" + "q" * 2000):  # fmt: skip
        with pytest.raises(SpecError):
            parse_spec(text)


# -- properties --------------------------------------------------------------------------

SIZES = st.one_of(
    st.integers(1, 10**6), st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
)  # fmt: skip


@st.composite
def arguments(draw: st.DrawFn) -> dict[str, object]:
    generic = draw(st.booleans())
    sizes = ["p", "...", "q"] if generic else draw(st.lists(SIZES, min_size=2, max_size=6))
    depth = 2 if generic else len(sizes) - 1
    names = st.sampled_from(activation_names())
    return {
        "sizes": sizes,
        "activations": draw(st.one_of(names, st.lists(names, min_size=depth, max_size=depth))),
        "loss": draw(st.sampled_from(loss_names())),
        "reduction": draw(st.sampled_from(["mean", "sum", None])),
        "penalty": draw(st.sampled_from(["l2", None])),
        "bias": draw(st.booleans() if generic else st.lists(st.booleans(), min_size=depth,
                                                            max_size=depth)),
        "freeze": draw(st.sets(st.sampled_from(["b", "W", "W1", "b1", "W2", "b10"]), max_size=3)),
        "scalars": draw(st.booleans()),
    }  # fmt: skip


@given(arguments())
@settings(max_examples=300, deadline=None)
def test_canonical_text_parses_to_an_equal_network(given_: dict[str, object]) -> None:
    try:
        net = Network.build(**given_)
    except SpecError as error:
        assert str(error).isprintable()
        return
    assert parse_spec(net.spec) == net
    assert parse_spec(net.spec).spec == net.spec
    assert net.stem.isidentifier() and net.stem.isascii()


PARTS = st.sampled_from(
    ["2", "3", "-", "-", "1", ":", ":", "sigmoid", "relu", "softmax", ",", "+", "+", "mse", "bce",
     "ce", "l2", "nobias", "bias=", "freeze=", "b", "W1", "n0", "...", "…", "nL", "m", "sum",
     "scalars", " ", "=", "J", ";", ".toml", "0", "\t", "é"]
)  # fmt: skip


@given(st.one_of(st.lists(PARTS, max_size=16).map("".join), st.text(max_size=40)))
@settings(max_examples=500, deadline=None)
def test_any_spec_is_a_network_or_an_error(text: str) -> None:
    try:
        net = parse_spec(text)
    except SpecError as error:
        assert str(error).isprintable()
        assert error.field
    else:
        assert parse_spec(net.spec) == net


@given(st.sampled_from([row[0] for row in REFUSED[:40]] + ["2-3-1:sigmoid+bce+l2"]), st.data())
@settings(max_examples=300, deadline=None)
def test_specs_with_one_slip(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    slip = data.draw(st.sampled_from(["", "-", "+", ":", ",", "=", "x", "0", "\n", "٣"]))
    try:
        parse_spec(text[:at] + slip + text[at + 1 :])
    except SpecError as error:
        assert str(error).isprintable()


def test_neither_sympy_nor_numpy_is_imported() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from symderiv.frontend import parse_spec; parse_spec('2-3-1:sigmoid+bce');"
        "sys.exit(bool({'sympy', 'numpy', 'jinja2', 'flint'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_sigma_is_the_sigmoid_of_a_program() -> None:
    same = parse_spec("a = sigmoid(w*x + b); J = (a - y)**2")
    assert parse_spec("a = σ(w*x + b); J = (a - y)**2") == same
    assert parse_spec("a = sigma(w*x + b); J = (a - y)**2") == same


@pytest.mark.parametrize(
    ("spec", "example", "missing"),
    [
        ("2-1:sigmoid+bce", {"X": [[1, 2]]}, "Y, W1, b1"),
        ("2-1:sigmoid+bce", {"X": [[1, 2]], "Y": [[1]], "W1": [[1, 2]]}, "b1"),
        ("J = a*b", {"a": 1}, "b"),
    ],
)
def test_an_example_that_lacks_a_number_is_refused(
    spec: str, example: dict[str, object], missing: str
) -> None:
    net = parse_spec(spec)
    if net.is_program:
        net = Network.build(program=spec, example=example)
    else:
        net = Network.build(net.sizes, net.activations, net.loss, example=example)
    with pytest.raises(SpecError, match=f"no value for {missing};"):
        build_graph(net)

"""TOML: the whole schema, exact decimals, wrong types by name, caps before parsing."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symderiv
from symderiv.frontend import Example, Network, Request, SpecError, parse_spec, parse_toml

F = Fraction

DIGITS = """
title = "Digits"
sizes = [64, 25, 10]            # numbers or names
loss = "bce"
reduction = "mean"
penalty = "l2"
[[layer]]                       # optional, one a layer
activation = "sigmoid"
bias = true
[[layer]]
"""

PROGRAM = """
[program]
u = "b*c"
v = "a+u"
J = "3*v"
[shapes]
a = ""
b = "m n"
[request]
cost = "J"
wrt = ["a"]
[example]
a = 5
b = [[3, 1], [0.1, -2e-3]]
"""


EXAMPLE = """
sizes = ["n0", 2, 1]
activation = ["tanh", "sigmoid"]
loss = "bce"
[example]
X = [[0.05, 0.1, 1], [1, 2, 3], [-1, 0, 0.5], [0, 0, 0]]
Y = [[0], [1], [1], [0]]
W2 = [[0.5, -0.25]]
rate = 0.5
steps = 100
freeze = ["b"]
[example.parameters]
W1 = [[0.15, 0.2, 0.25], [0.3, 1_000.5, 0x10]]
b1 = [0.35, 0.35]
"""


def test_design_example() -> None:
    net = parse_toml(DIGITS)
    assert net.spec == "64-25-10:sigmoid+bce+l2"
    assert net.title == "Digits"
    assert net == Network.build(
        [64, 25, 10], "sigmoid", "bce", penalty="l2", bias=True, title="Digits"
    )


def test_layers() -> None:
    text = 'sizes = [4, "h", 3]\nloss = "ce"\nreduction = "sum"\n'
    net = parse_toml(
        text + '[[layer]]\nactivation = "tanh"\nbias = false\n[[layer]]\nactivation = "softmax"'
    )
    assert net.spec == "4-h-3:tanh,softmax+ce+sum+bias=2"
    assert parse_toml(text + 'activation = ["tanh", "softmax"]').activations == net.activations
    alone = parse_toml('sizes = [2, 1]\nloss = "mse"')
    assert alone.activations == ("sigmoid",)
    bare = parse_toml(
        'sizes = [2, 2, 1]\nloss = "mse"\nactivation = "tanh"\n[[layer]]\nbias = false\n[[layer]]'
    )
    assert bare.spec == "2-2-1:tanh+mse+bias=2"


def test_generic_depth() -> None:
    net = parse_toml(
        'sizes = ["n0", "...", "nL"]\nloss = "ce"\nfreeze = ["b"]\n'
        '[[layer]]\nactivation = "relu"\n[[layer]]\nactivation = "softmax"\n'
        "[example.parameters]\nW1 = [[1, 2], [3, 4], [5, 6]]\nW2 = [[1, 2, 3]]\n"
    )
    assert net.spec == "n0-...-nL:relu,softmax+ce+freeze=b"
    assert net.example is not None
    assert [name for name, _ in net.example.params] == ["W1", "W2"]


def test_program() -> None:
    net = parse_toml(PROGRAM)
    assert net.spec == "u = b*c; v = a + u; J = 3*v"
    assert net.request == Request("J", None, ("a",))
    assert net.shapes == (("a", ()), ("b", ("m", "n")))
    assert net.example == Example(
        params=(("a", F(5)), ("b", ((F(3), F(1)), (F(1, 10), F(-1, 500)))))
    )


def test_example_numbers_are_exact() -> None:
    example = parse_toml(EXAMPLE).example
    assert example is not None
    assert tuple(
        tuple(map(F, row.split()))
        for row in ("0.05 0.1 1", "1 2 3", "-1 0 0.5", "0 0 0")
    ) == example.X  # fmt: skip
    assert example.params == (
        ("W1", ((F("0.15"), F("0.2"), F("0.25")), (F("0.3"), F("1000.5"), F(16)))),
        ("W2", ((F("0.5"), F("-0.25")),)),
        ("b1", (F("0.35"), F("0.35"))),
    )
    assert (example.rate, example.steps, example.freeze) == (F(1, 2), 100, ("b",))


def test_one_example_may_be_a_flat_list() -> None:
    net = parse_toml('sizes = [2, 1]\nloss = "mse"\n[example]\nX = [0.1, 2]\nY = [1]')
    assert net.example == Example(X=((F(1, 10), F(2)),), Y=((F(1),),))


def test_python_gives_the_same_example() -> None:
    class Array:
        def tolist(self) -> list[float]:
            return [0.1, 2.0]

    net = Network.build([2, 1], loss="mse", example={"X": Array(), "rate": 0.5})
    assert net.example == Example(X=((F(1, 10), F(2)),), rate=F(1, 2))
    assert Network.build([2, 1], loss="mse", example=net.example) == net


GOOD = 'sizes = [2, 3, 1]\nloss = "mse"\n'
EX = GOOD + "[example]\n"

REFUSED = [
    # text, field, words
    ("", "sizes", "missing"),
    ("x", "file", "not TOML"),
    ("sizes = [2, 3, 1", "file", "not TOML"),
    (GOOD + 'loss = "mse"', "file", "not TOML"),
    ("sizes = [2, 1]", "loss", "missing"),
    (GOOD + "lss = 1", "lss", "unknown key 'lss'; did you mean 'loss'?"),
    (GOOD + '"a\\u001bb" = 1', "a\x1bb", r"\x1b"),
    (GOOD + "[[layers]]", "layers", "did you mean 'layer'?"),
    (GOOD + '[[layer]]\nactivaton = "tanh"', "activaton", "in layer 1; did you mean 'activation'?"),
    (GOOD + "[layer]", "layer", "[[layer]]"),
    (GOOD + "layer = []", "layer", "[[layer]]"),
    (GOOD + "layer = [1]", "layer", "[[layer]]"),
    (GOOD + "[[layer]]\nbias = 1", "bias of layer 1", "true or false"),
    (GOOD + '[[layer]]\nbias = "yes"', "bias of layer 1", "'yes'"),
    (GOOD + "[[layer]]\nactivation = 3\n[[layer]]", "activation of layer 1", "is 3"),
    (GOOD + "[[layer]]\nbias = false", "layer", "1 [[layer]] table for 2 layers; write one"),
    (GOOD + "[[layer]]\n[[layer]]\n[[layer]]", "layer", "3 [[layer]] tables for 2"),
    (GOOD + 'activation = "tanh"\n[[layer]]\nactivation = "tanh"', "activation", "once"),
    (GOOD + 'activation = ["tanh"]\n[[layer]]', "activation", "one place"),
    ('sizes = "2-3-1"\nloss = "mse"', "sizes", "list"),
    ('sizes = [2.0, 1]\nloss = "mse"', "size n0", "is 2.0;"),
    ('sizes = [true, 1]\nloss = "mse"', "size n0", "is True"),
    ('sizes = [[2], 1]\nloss = "mse"', "size n0", "a list"),
    ('sizes = [2, 1979-05-27]\nloss = "mse"', "size n1", "a date"),
    (GOOD + "title = 3", "title", "text"),
    (GOOD + 'title = "a\\nb"', "title", "one line"),
    (GOOD + "reduction = true", "reduction", "mean, sum"),
    (GOOD + "penalty = 2", "penalty", "l2"),
    (GOOD + "freeze = true", "freeze", "list of names"),
    (GOOD + 'freeze = ["W3"]', "freeze", "W1"),
    (GOOD + "scalars = 1", "scalars", "true or false"),
    (GOOD + "example = 1", "example", "table"),
    (GOOD + '[program]\nu = "b"', "sizes", "program"),
    (GOOD + '[shapes]\nx = "m"', "shapes", "program"),
    ('[program]\nu = "b"\n[[layer]]', "activations", "network"),
    ("[program]", "program", "1 to 200"),
    ("program = 1", "program", "table"),
    ("[program]\nu = 3", "program.u", "expression"),
    ('[program]\nu = "b"\nv = "u u"', "program.v", "column 3"),
    ('[program]\nu = "v"\nv = "b"', "program", "before it is defined"),
    ('[program]\nu = "b"\n[example]\nX = 1', "example", "unknown key 'X'"),
    ('[program]\nu = "b"\n[example]\nc = 1', "example", "unknown key 'c'"),
    (EX + "Z = 1", "example", "unknown key 'Z'"),
    (EX + "X = 1", "example.X", "list of examples"),
    (EX + "X = [[1, 2], [3]]", "example.X", "ragged"),
    (EX + "X = [[1, [2]]]", "example.X", "ragged"),
    (EX + "X = []", "example.X", "empty"),
    (EX + "X = [[[[[1]]]]]", "example.X", "too deeply"),
    (EX + "X = [[1, 2, 3]]", "example.X", "has the shape 1 x 3; it must be 1 x 2"),
    (EX + "X = [[1, true]]", "example.X", "true or false"),
    (EX + 'X = [[1, "2"]]', "example.X", "'2' is not a number"),
    (EX + "X = [[1, 2]]\nY = [[1], [2]]", "example.Y", "it must be 1 x 1"),
    (EX + "W1 = [[1, 2, 3], [4, 5, 6]]", "example.W1", "has the shape 2 x 3; it must be 3 x 2"),
    (EX + "b1 = 1", "example.b1", "a single number"),
    (EX + "W3 = [[1]]", "example", "W3"),
    (EX + "W1 = [[1,2],[3,4],[5,6]]\nparameters.W1 = [[1,2],[3,4],[5,6]]", "example.W1", "twice"),
    (EX + "parameters = 3", "example.parameters", "table"),
    (EX + "parameters.W9 = 3", "example.parameters", "W1"),
    (EX + "rate = 0", "example.rate", "positive"),
    (EX + "rate = true", "example.rate", "true or false"),
    (EX + "rate = inf", "example.rate", "'inf'"),
    (EX + "rate = nan", "example.rate", "'nan'"),
    (EX + "rate = 1e400", "example.rate", "40 digits"),
    (EX + "rate = 1e999999999", "example.rate", "40 digits"),
    (EX + "rate = " + "9" * 5000, "file", "40 digits"),
    (EX + "rate = 0x" + "f" * 5000, "example.rate", "bits"),
    (EX + "steps = 0", "example.steps", "whole number"),
    (EX + "steps = 1.5", "example.steps", "1.5"),
    (EX + "steps = true", "example.steps", "True"),
    (EX + "steps = 1", "example.steps", "no rate"),
    (GOOD + "[request]\nwrt = []", "wrt", "wrt is empty; name what"),
    ('[program]\nJ = "a*b"\n[request]\nwrt = []', "wrt", "wrt is empty; name what"),
    (EX + 'freeze = ["q"]', "example.freeze", "known"),
    ('sizes = ["n", "n", 1]\nloss = "mse"\n[example]\nW1 = [[1, 2]]', "example.W1", "1 x 1"),
]


@pytest.mark.parametrize(
    "text, field, words", REFUSED, ids=[f"{i}:{row[1]!a}" for i, row in enumerate(REFUSED)]
)
def test_refused(text: str, field: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_toml(text)
    assert words in str(caught.value)
    assert caught.value.field == field
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


# -- files -------------------------------------------------------------------------------


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "Digits.TOML"
    for text in (DIGITS, "\ufeff" + DIGITS, DIGITS.replace("\n", "\r\n")):
        path.write_bytes(text.encode())
        assert parse_spec(str(path)) == parse_spec(path) == parse_toml(DIGITS)


@pytest.mark.parametrize(
    "content, words",
    [
        (None, "there is no file"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b"a\x00 = 1", "not TOML"),
        (b"#" * (256 * 1024 + 1), "256 KiB"),
        (b"", "sizes are missing"),
    ],
    ids=["missing", "latin", "nul", "large", "empty"],
)
def test_refused_files(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "x.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpecError, match=words):
        parse_spec(str(path))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "x.toml").mkdir()
    with pytest.raises(SpecError, match=r"x\.toml' is a folder; give a file in it$"):
        parse_spec(str(tmp_path / "x.toml"))


@pytest.mark.parametrize(
    "text, line",
    [
        (
            "sizes = [2, 1]",
            r'^x\.toml: the loss is missing; write one, such as loss = "mse"; known:',
        ),
        ('sizes = [2, 1]\nloss = ""', r"^x\.toml: the loss is missing; write one, such as loss ="),
        ('[program]\nJ = "a + (b"', r"^x\.toml: program\.J, column 7: expected"),
        ('[program]\nJ = "x @ y"\n[shapes]\nx = "m n"\ny = "k"', r"^x\.toml: program\.J, col"),
        (GOOD + "[example]\nX = [[1, 2]]", r"^x\.toml: example has no value for"),
    ],
)
def test_errors_name_the_file(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=line):
        symderiv.derive(str(path))


HOSTILE = [
    "a." * 100_000 + "a=1",
    '"a b".' * 40_000 + "a=1",
    "'a' . " * 40_000 + "a=1",
    "a=" + "[" * 200_000,
    "a=" + "{a=" * 60_000,
    "a=" + "9" * 200_000,
    "a=" + "9" * 200_000 + ".5",
    "a=1e" + "9" * 200_000,
    "a" * 262_144,
    '"' * 262_144,
    "\" ' " * 60_000,
    "[[layer]]\n" * 26_000,
    "".join(f"[a.b{i}]\n" for i in range(20_000)),
    "".join(".".join("abcdefghijklmn") + f".x{i}=1\n" for i in range(7_000)),
]


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(t[:10]) for t in HOSTILE])
def test_hostile_files_are_refused_soon(text: str) -> None:
    with pytest.raises(SpecError):
        parse_toml(text)


# -- fuzz --------------------------------------------------------------------------------

VALUES = st.recursive(
    st.one_of(
        st.none().map(lambda _: "[]"),
        st.sampled_from(
            ['"mse"', '"tanh"', '"b"', '"W1"', '"m n"', '"J"', '"2*b"', "true", "0", "1", "2", "-3",
             "0.5", "1e-3", "inf", "1979-05-27", '""', "'''\n'''", "{}"]
        ),
    ),
    lambda inner: st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
    max_leaves=5,
)  # fmt: skip
KEYS = st.sampled_from(
    ["title", "sizes", "activation", "loss", "reduction", "penalty", "freeze", "scalars", "bias",
     "X", "Y", "W1", "b1", "rate", "steps", "parameters", "cost", "upstream", "wrt", "u", "J"]
)  # fmt: skip
HEADERS = st.sampled_from(
    ["[[layer]]", "[program]", "[shapes]", "[request]", "[example]", "[example.parameters]"]
)
LINES = st.one_of(HEADERS, st.tuples(KEYS, VALUES).map(" = ".join))
STARTS = st.sampled_from([GOOD, "", PROGRAM, '[program]\nJ = "a*b"\n', EXAMPLE, DIGITS])


@given(STARTS, st.lists(LINES, max_size=4))
@settings(max_examples=500, deadline=None)
def test_near_valid_files_are_networks_or_errors(start: str, lines: list[str]) -> None:
    try:
        net = parse_toml(start + "\n".join(lines))
    except SpecError as error:
        assert str(error).isprintable()
        assert error.field
    else:
        assert hash(net) == hash(net)
        inline = parse_spec(net.spec)
        assert inline.stem == net.stem
        assert (inline.sizes, inline.bias, inline.program) == (net.sizes, net.bias, net.program)


@given(st.sampled_from([DIGITS, PROGRAM, EXAMPLE]), st.data())
@settings(max_examples=300, deadline=None)
def test_files_with_one_slip(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    slip = data.draw(st.sampled_from(["", "[", "]", "=", '"', "\n", "0", "-", "é", "\x00"]))
    try:
        parse_toml(text[:at] + slip + text[at + 1 :])
    except SpecError as error:
        assert str(error).isprintable()

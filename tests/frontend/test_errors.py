"""One line, whatever the value: nothing raw, nothing long, a caret below the right column."""

from typing import Any

import pytest

import symderiv
from symderiv.frontend import Network, SpecError, parse_expression
from symderiv.frontend.errors import show, suggest

BAD = "x\x1b[31m\n\u202e\ud800y"


def test_message_is_one_printable_line() -> None:
    error = SpecError(f"bad {BAD}", "write good", field="title", value=BAD)
    assert str(error).isprintable()
    assert str(error).endswith("; write good")
    assert (error.field, error.value, error.remedy) == ("title", BAD, "write good")


@pytest.mark.parametrize(
    "value, shown",
    [
        ("sigmod", "'sigmod'"),
        ("a" * 99, "'" + "a" * 37 + "...'"),
        (10**5000, "an integer of 16610 bits"),
        (True, "True"),
        (2.5, "2.5"),
        ([1, 2], "a list"),
        ({}, "a table"),
        (BAD, r"'x\x1b[31m\n\u202e\ud800y'"),
    ],
    ids=["word", "long", "huge", "bool", "float", "list", "table", "control"],
)
def test_show(value: object, shown: str) -> None:
    assert show(value) == shown


@pytest.mark.parametrize(
    "word, remedy",
    [
        ("sigmod", "did you mean 'sigmoid'?"),
        ("SIGMOID", "did you mean 'sigmoid'?"),
        ("qqq", "known: tanh, sigmoid"),
        ("s" * 10**6, "known: tanh, sigmoid"),
    ],
    ids=["near", "case", "far", "endless"],
)
def test_suggest(word: str, remedy: str) -> None:
    assert suggest(word, ["tanh", "sigmoid"]) == remedy


@pytest.mark.parametrize(
    "text, column, line, caret",
    [
        ("a + ", 5, "a + ", "    ^"),
        ("a ^ b", 3, "a ^ b", "  ^"),
        ("a\x00b", 2, "a?b", " ^"),
        ("δ2 ⊙⊙ σ", 5, "δ2 ⊙⊙ σ", "    ^"),
        ("", 1, "", "^"),
    ],
)
def test_caret(text: str, column: int, line: str, caret: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_expression(text)
    assert caught.value.column == column
    assert f"column {column}:" in str(caught.value)
    assert caught.value.caret() == f"{line}\n{caret}"


def test_caret_of_a_long_text_shows_a_window_around_the_place() -> None:
    text = "+".join(["alpha"] * 30) + " ^ " + "+".join(["beta"] * 30)
    with pytest.raises(SpecError) as caught:
        parse_expression(text)
    line, caret = caught.value.caret().split("\n")
    assert len(line) <= 72
    assert line[caret.index("^")] == "^"


def test_an_error_without_a_place_has_no_caret() -> None:
    assert SpecError("bad", field="loss").caret() == ""


def test_a_hyphen_is_a_minus() -> None:
    for text in ("J = leaky-relu(a)", "J = 1 + 2*hard-tanh(a)"):
        with pytest.raises(SpecError, match=r"is a difference; write \w+_\w+\(...\), or spaces"):
            Network.build(program=text)
    assert Network.build(program="J = leaky - relu(a)").parameters == ("leaky", "a")


@pytest.mark.parametrize(
    ("given", "words"),
    [({"output": 3}, "output is 3; write the path"), ({"layout": None}, "unknown layout None")],
)
def test_arguments_of_a_wrong_type(given: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        symderiv.derive("2-1:sigmoid+bce", **given)


def test_a_network_that_was_not_built() -> None:
    with pytest.raises(SpecError, match=r"no layers; make it with Network\.build"):
        symderiv.derive(Network((2, 3, 1)))

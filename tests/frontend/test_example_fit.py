"""Numbers of an example: every array of its declared shape, every target where its loss is."""

from __future__ import annotations

import pytest

from symderiv.frontend import SpecError, parse_spec, parse_toml
from symderiv.frontend.build import build_graph

SHAPED = """
[program]
J = "sum((A @ x - y)**2)"
[shapes]
A = "m n"
x = "n"
y = "m"
[example]
"""
ONE = '[program]\nJ = "sum(x**2)"\n[shapes]\nx = "n"\n[example]\n'
SQUARE = '[program]\nJ = "trace(A)"\n[shapes]\nA = "n n"\n[example]\n'
PAIR = '[program]\nJ = "sum(x*y)"\n[shapes]\nx = "n"\ny = "n"\n[example]\n'
THREE = '[program]\nJ = "sum(x)"\n[shapes]\nx = "3"\n[example]\n'
MEAN = '[program]\nJ = "sum(x)/n"\n[shapes]\nx = "n"\n[example]\n'

MISFITS = [
    (SHAPED + "A = [[1,2],[3,4],[5,6]]\nx = [1,2,3]\ny = [1,2,3]", "x", "(3,); it must be (2,)"),
    (SHAPED + "A = [[1,2]]\nx = [1,2]\ny = [1,2,3,4]", "y", "(4,); it must be (1,)"),
    (SQUARE + "A = [[1,2,3],[4,5,6]]", "A", "2 x 3; it must be 2 x 2"),
    (PAIR + "x = [1,2]\ny = [1,2,3]", "y", "(3,); it must be (2,)"),
    (ONE + "x = 5", "x", "a single number; it must be (n,)"),
    (ONE + "x = [[1],[2]]", "x", "2 x 1; it must be (2,)"),
    (THREE + "x = [1,2]", "x", "(2,); it must be (3,)"),
    ('[program]\nJ = "a**2"\n[example]\na = [1, 2]', "a", "must be of a single number"),
    (MEAN + "x = [1,2]\nn = 3", "n", "n is 3, but the arrays say 2"),
]


@pytest.mark.parametrize(("text", "name", "words"), MISFITS)
def test_arrays_that_do_not_fit_are_refused(text: str, name: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_toml(text)
    assert words in str(caught.value)
    assert caught.value.field == f"example.{name}"


@pytest.mark.parametrize("more", ["", "n = 2\n"])
def test_a_size_needs_no_value(more: str) -> None:
    build_graph(parse_toml(MEAN + "x = [1, 2]\n" + more))


def net(loss: str, activation: str, targets: str) -> str:
    return (
        f'sizes = [2, 2]\nloss = "{loss}"\nactivation = "{activation}"\n'
        f"[example]\nX = [[1, 2], [3, 4]]\nY = {targets}\n"
    )


@pytest.mark.parametrize(
    ("loss", "activation", "targets", "words"),
    [
        ("ce", "softmax", "[[1, 0], [0.5, 0.6]]", "sums to 1.1 in example 2; targets"),
        ("kl", "softmax", "[[0, 0], [0, 1]]", "sums to 0 in example 1"),
        ("ce", "softmax", "[[2, -1], [0, 1]]", "has 2 in example 1"),
        ("bce", "sigmoid", "[[2, -5], [0, 1]]", "has 2 in example 1; targets of this loss are"),
        ("hinge", "identity", "[[1, -1], [0.3, 1]]", "has 0.3 in example 2"),
        ("poisson", "exp", "[[1, 2], [3, -1]]", "has -1 in example 2"),
    ],
)
def test_targets_outside_of_the_domain(
    loss: str, activation: str, targets: str, words: str
) -> None:
    with pytest.raises(SpecError, match=r"^example\.Y ") as caught:
        parse_toml(net(loss, activation, targets))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("loss", "activation", "targets"),
    [
        ("ce", "softmax", "[[0.333333, 0.666667], [0, 1]]"),
        ("bce", "sigmoid", "[[0, 1], [0.5, 1]]"),
        ("hinge", "identity", "[[1, -1], [-1, -1]]"),
        ("mse", "identity", "[[100, -1], [0, 1]]"),
        ("poisson", "exp", "[[0, 7], [0.5, 1]]"),
    ],
)
def test_targets_inside_of_the_domain(loss: str, activation: str, targets: str) -> None:
    assert parse_toml(net(loss, activation, targets)).example is not None


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("2-1:relu,relu+mse", "2 activations for 1 layer ('relu', 'relu'); write one"),
        ("3-2:softmax+bce", "with softmax the loss is ce or kl or poisson or mse"),
        ("3-2:sigmoid+ce", " or mse"),
        ("-".join(["2"] * 102) + ":tanh+mse", "101 layers; at most 100 are written out"),
    ],
)
def test_refusals_of_a_spec(spec: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(spec)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ('sizes = [2, 1.0]\nloss = "mse"', "size n1", "size n1 is 1.0; write a whole number"),
        ('sizes = [2, nan]\nloss = "mse"', "sizes", "sizes: the number 'nan' is not"),
        ('[program]\nJ = "a"\n[example]\na = [[1, inf]]', "example.a", "example.a: the number"),
    ],
)
def test_numbers_are_named(text: str, field: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_toml(text)
    assert words in str(caught.value)
    assert caught.value.field == field


@pytest.mark.parametrize("tables", [1, 3])
def test_one_table_for_each_layer(tables: int) -> None:
    with pytest.raises(SpecError, match=r"\[\[layer\]\] tables? for 2 layers; write one for each"):
        parse_toml('sizes = [2, 3, 1]\nloss = "mse"\n' + "[[layer]]\nbias = false\n" * tables)

"""Shapes as NumPy has them, and errors that name the operands and point at the operator."""

from __future__ import annotations

import pytest

from symderiv.frontend.errors import SpecError
from symderiv.frontend.grammar import parse_expression
from symderiv.frontend.lower import lower, lower_expression
from symderiv.frontend.network import Network
from symderiv.frontend.shapes import Misfit, Shapes, written
from symderiv.frontend.spec import parse_spec

DECLARED: dict[str, tuple[int | str, ...]] = {
    "X": ("m", "n"), "A": ("n", "n"), "W": ("n", "k"), "w": ("n",), "y": ("m",), "b": (1, "n"),
    "u": (3,), "v": (3,), "P": (2, 3), "t": ("a", "b", "c"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("3", "a single number"),
        ("c*2", "a single number"),
        ("X @ w", "(m,)"),
        ("X @ W", "(m, k)"),
        ("w @ W", "(k,)"),
        ("w @ w", "a single number"),
        ("w.T", "(n,)"),
        ("X.T", "(n, m)"),
        ("X + w", "(m, n)"),
        ("X * b", "(m, n)"),
        ("b + c", "(1, n)"),
        ("b * w", "(1, n)"),
        ("X ** 2", "(m, n)"),
        ("t + 1", "(a, b, c)"),
        ("t.T", "(c, b, a)"),
        ("sum(X)", "a single number"),
        ("sum(X, axis=0)", "(n,)"),
        ("mean(X, axis=-1)", "(m,)"),
        ("sum(X, axis=1, keepdims=True)", "(m, 1)"),
        ("max(X, axis=0, keepdims=True)", "(1, n)"),
        ("sum(X, keepdims=True)", "(1, 1)"),
        ("X - mean(X, axis=1, keepdims=True)", "(m, n)"),
        ("outer(y, w)", "(m, n)"),
        ("diag(A)", "(n,)"),
        ("diag(w)", "(n, n)"),
        ("trace(A)", "a single number"),
        ("norm(X)", "a single number"),
        ("softmax(X)", "(m, n)"),
        ("where(X > 0, X, w)", "(m, n)"),
        ("maximum(0, y)", "(m,)"),
        ("dot(X, w)", "(m,)"),
        ("dot(c, w)", "(n,)"),
        ("X[0]", "(n,)"),
        ("X[0,-1]", "a single number"),
        ("P[1,2]", "a single number"),
        ("(X @ W)[0]", "(k,)"),
        ("u @ v", "a single number"),
        ("P @ u", "(2,)"),
        ("(X > 0)", "(m, n)"),
        ("leaky_relu(w, c)", "(n,)"),
    ],
)
def test_shape(text: str, shape: str) -> None:
    assert written(Shapes(DECLARED).of(parse_expression(text))) == shape


@pytest.mark.parametrize(
    ("text", "column", "problem", "remedy"),
    [
        ("X @ y", 3, "X is (m, n) and y is (m,)", "X.T @ y"),
        ("w @ X", 3, "w is (n,) and X is (m, n)", "w @ X.T"),
        ("X.T @ w", 5, "X.T is (n, m) and w is (n,)", "did you mean X @ w?"),
        ("X @ c", 3, "c is a single number", 'give c a shape: c = "n" in the table [shapes]'),
        ("X @ 2", 3, "2 is a single number", "the product with a number is *"),
        ("t @ w", 3, "t is (a, b, c)", "vectors and matrices"),
        ("X + y", 3, "X is (m, n) and y is (m,)", "n and m differ"),
        ("X + X.T", 3, "X is (m, n) and X.T is (n, m)", "differ"),
        ("X * W", 3, "X is (m, n) and W is (n, k)", "the matrix product is @"),
        ("u + w", 3, "u is (3,) and w is (n,)", "3 and n differ"),
        ("P @ P", 3, "P is (2, 3) and P is (2, 3)", "did you mean P.T @ P?"),
        ("where(X > 0, X, y)", 1, "y is (m,)", "differ"),
        ("maximum(w, y)", 1, "w is (n,) and y is (m,)", "n and m differ"),
        ("sum(X, axis=2)", 1, "axis=2", "axes are 0 to 1"),
        ("sum(c, axis=0)", 1, "axis=0", "leave axis out"),
        ("trace(X)", 1, "X is (m, n)", "trace takes a square matrix"),
        ("trace(w)", 1, "w is (n,)", "trace takes a square matrix"),
        ("diag(X)", 1, "X is (m, n)", "diag takes a square matrix"),
        ("outer(X, w)", 1, "X is (m, n)", "outer takes a vector"),
        ("softmax(c)", 1, "c is a single number", "along the last axis"),
        ("X[0,0,0]", 2, "X is (m, n)", "at most 2 indices"),
        ("c[0]", 2, "c is a single number", 'give it a shape: c = "n" in'),
        ("w[i]", 3, "the index i is not a whole number", "x[0,1]"),
        ("w[2]", 3, "entry 2 of an axis of size n", "give the size as a number"),
        ("u[3]", 3, "entry 3 of an axis of size 3", "entries are 0 to 2"),
        ("1 + d(w)/d(c)", 5, "a derivative stands in a program", "its gradients are derived"),
        ("sigma(w)", 1, "sigma stands for the activation of a network", "sigmoid(z)"),
    ],
)
def test_misfit(text: str, column: int, problem: str, remedy: str) -> None:
    with pytest.raises(Misfit) as caught:
        Shapes(DECLARED).of(parse_expression(text))
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy
    assert caught.value.node.column == column


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sum(w)/(2 - 2*1)", "a division by 0"),
        ("sum(w)/(0*c)", "a division by 0*c, which is 0"),
        ("(0*c)**-1", "a division by 0"),
        ("log(-1)*c", "log of -1; its argument must be positive"),
        ("(-2)**0.5*c", "a power of -2"),
        ("(-2)**c", "a power of -2; the base must be positive: c need not be a whole number"),
        ("((c**9)**9)**9", "the exponent is too large"),
        ("where(w, w, w)", "the condition w is not a comparison"),
        ("sigmoid''(c)", "sigmoid with 2 primes"),
        ("softmax'(w)", "softmax with a prime"),
        ("sigmoid(c, 2)", "sigmoid with 2 argument(s); sigmoid takes 1"),
        ("prelu(c)", "prelu with 1 argument(s); it takes 2: z, alpha"),
        ("det(A)", "determinants, inverses and decompositions are not part of the language"),
        ("np.linalg.inv(A)", "determinants, inverses and decompositions"),
        ("argmax(w)", "it has no derivative"),
    ],
)
def test_what_has_no_value(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        lower_expression(parse_expression(text), DECLARED, text=text)
    assert message in str(caught.value)
    assert caught.value.column is not None


def test_caret_points_into_the_statement() -> None:
    net = Network.build(
        program={"z": "X@w", "J": "sum( (z - w)**2 )"}, shapes={"X": "m n", "w": "n"}
    )
    with pytest.raises(SpecError) as caught:
        lower(net)
    error = caught.value
    assert str(error).startswith("program.J, column 9: z is (m,) and w is (n,)")
    assert error.caret() == "sum( (z - w)**2 )\n        ^"


def test_caret_points_into_the_source_if_it_is_known() -> None:
    text = "sum(  X  @  y )"
    with pytest.raises(SpecError) as caught:
        lower_expression(parse_expression(text), DECLARED, text=text)
    assert caught.value.caret() == text + "\n" + " " * 9 + "^"


@pytest.mark.parametrize(
    ("program", "shapes", "message"),
    [
        ("u = 2*x; J = sum(u)", {"x": "n", "u": "n"}, "u"),
        ("n = 2*c; J = n*sum(x)", {"x": "n"}, "it is the name of a size"),
    ],
)
def test_names_have_one_meaning(program: str, shapes: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        lower(Network.build(program=program, shapes=shapes))
    assert message in str(caught.value)


def test_two_numbers_are_one_size_only_where_they_meet() -> None:
    shapes = Shapes({"A": (3, 3), "x": (3,)})
    rows, columns = shapes.of(parse_expression("A"))
    shapes.of(parse_expression("A @ x"))
    assert columns.root is shapes.variables["x"][0].root
    assert rows.root is not columns.root
    shapes.of(parse_expression("trace(A)"))
    assert rows.root is columns.root


@pytest.mark.parametrize(
    "text, column",
    [("J = sum(x @ y)", 11), ("u = b*c;  J = sum(u, axis=3)", 15), ("  J = mean(a*x@y)", 15)],
)
def test_columns_count_from_the_start_of_what_was_typed(text: str, column: int) -> None:
    with pytest.raises(SpecError) as caught:
        lower(parse_spec(text))
    assert caught.value.column == column and caught.value.text == text
    above, below = caught.value.caret().splitlines()
    assert above == text and below.index("^") == column - 1


def test_a_statement_of_a_file_is_a_text_of_its_own() -> None:
    network = Network.build(program={"u": "2*b", "J": "u + x @ y"})
    with pytest.raises(SpecError) as caught:
        lower(network)
    assert (caught.value.field, caught.value.column) == ("program.J", 7)
    assert caught.value.text == "u + x @ y"

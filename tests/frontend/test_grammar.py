"""The expression language: trees, precedence against Python's own, refusals with columns."""

import ast
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.frontend import (
    SpecError,
    parse_equation,
    parse_expression,
    parse_program,
    to_text,
)
from symderiv.frontend.nodes import (
    Binary,
    Call,
    Compare,
    Derivative,
    Index,
    Name,
    Node,
    Num,
    Transposed,
    Unary,
    names,
    walk,
)

x, y, z = Name("x"), Name("y"), Name("z")


def num(text: str) -> Num:
    return Num(Fraction(text))


@pytest.mark.parametrize(
    "text, tree",
    [
        ("0.1", num("1/10")),
        (".5", num("1/2")),
        ("1e-3", num("1/1000")),
        ("½", num("1/2")),
        ("x.T", Transposed(x)),
        ("xᵀ", Transposed(x)),
        ("transpose(x)", Transposed(x)),
        ("x[1,y]", Index(x, (num("1"), y))),
        ("+x", x),
        ("exp(x)", Call("exp", (x,))),
        ("np.exp(x)", Call("exp", (x,))),
        ("np.linalg.norm(x)", Call("norm", (x,))),
        ("tr(x)", Call("trace", (x,))),
        ("σ'(z)", Call("sigma", (z,), 1)),
        ("sigma''(z)", Call("sigma", (z,), 2)),
        ("sum(x, axis=-1)", Call("sum", (x,), 0, -1)),
        ("x.mean(axis=0, keepdims=True)", Call("mean", (x,), 0, 0, True)),
        ("x.dot(y)", Call("dot", (x, y))),
        ("max(x)", Call("max", (x,))),
        ("max(0, x)", Call("maximum", (num("0"), x))),
        ("where(x > 0, x, 0)", Call("where", (Compare(">", x, num("0")), x, num("0")))),
        ("y*(x ≥ 0)", Binary("*", y, Compare(">=", x, num("0")))),
        ("d(x)/d(y)", Derivative(x, y)),
        ("∂(x)/∂(y[1])", Derivative(x, Index(y, (num("1"),)))),
        ("2*d(x)/d(y)", Binary("*", num("2"), Derivative(x, y))),
        ("∂C/∂W₁", Binary("/", Name("dC"), Name("dW1"))),
        ("δ2", Name("delta2")),
        ("x·y", Binary("*", x, y)),
        ("x − y", Binary("-", x, y)),
        ("x ⊙ y @ z", Binary("*", x, Binary("@", y, z))),
        ("x * y @ z", Binary("@", Binary("*", x, y), z)),
        ("-x**2", Unary("-", Binary("**", x, num("2")))),
        ("d*(x)", Binary("*", Name("d"), x)),
        ("leaky_relu(x, 0.01)", Call("leaky_relu", (x, num("0.01")))),
    ],
)
def test_tree(text: str, tree: Node) -> None:
    extra = ["leaky-relu"]
    assert parse_expression(text, functions=extra) == tree
    assert parse_expression(to_text(tree), functions=extra) == tree


def test_columns_are_those_of_the_text_as_it_was_written() -> None:
    tree = parse_expression("δ2 ⊙ exp(z1ᵀ)")
    assert [(type(n).__name__, n.column) for n in walk(tree)] == [
        ("Binary", 4), ("Name", 1), ("Call", 6), ("Transposed", 12), ("Name", 10),
    ]  # fmt: skip


def test_names_are_variables_only_and_in_order() -> None:
    assert names(parse_expression("sum(b*a, axis=0) + exp(c) - a")) == ("b", "a", "c")


# -- refusals ----------------------------------------------------------------------------

REFUSED = [
    # text, column, a word of the remedy or problem
    ("", 1, "the end"),
    ("x +", 4, "the end"),
    ("(x", 3, "')'"),
    ("x)", 2, "')'"),
    ("x y", 3, "write *"),
    ("2x", 1, "write *"),
    ("2(x)", 2, "write *"),
    ("x^2", 2, "**"),
    ("x²", 2, "**2"),
    ("|x|", 1, "abs(x)"),
    ("√x", 1, "sqrt"),
    ("x[1:2]", 4, "slices"),
    ("x[]", 3, "']'"),
    ("[x]", 1, "lists"),
    ("'x'", 1, "expected"),
    ("x = y", 3, "without ="),
    ("x > y", 3, "where"),
    ("sum(x > 0)", 7, "parentheses"),
    ("(x > y > z)", 8, "one comparison"),
    ("expp(x)", 1, "'exp'"),
    ("foo(x)", 1, "foo*(...)"),
    ("np.square(x)", 1, "x**2"),
    ("matmul(x, y)", 1, "@"),
    ("__import__(x)", 1, "starts with a letter"),
    ("x.__class__", 3, "starts with a letter"),
    ("x.real", 3, "X.T"),
    ("x.T()", 4, "write *"),
    ("lambda*x", 1, "lam"),
    ("True", 1, "word of Python"),
    ("exp", 1, "exp(...)"),
    ("exp()", 1, "takes 1"),
    ("exp(x, y, z, x)", 1, "takes"),
    ("where(x, y)", 1, "takes 3"),
    ("sum(x, 0)", 1, "axis=0"),
    ("np.max(x, 0)", 1, "axis=0"),
    ("exp(x, axis=0)", 8, "axis="),
    ("sum(x, axis=0, axis=1)", 16, "axis="),
    ("sum(x, axis=y)", 13, "axis=0"),
    ("sum(x, keepdims=1)", 17, "True or False"),
    ("z'", 1, "sigma'(z)"),
    ("sum'(z)", 1, "sigma'(z)"),
    ("sigma''''(z)", 1, "sigma'(z)"),
    ("d(x)", 5, "d(e)/d(x)"),
    ("d(x)/y", 6, "d(e)/d(x)"),
    ("d(x)/d(y+z)", 1, "takes a name"),
    ("d(x)/d(y)**2", 10, "first"),
    ("1/0", 2, "division by 0"),
    ("x/(1-1)", 2, "division by 0"),
    ("0**-1", 2, "division by 0"),
    ("1e400", 1, "40 digits"),
    ("1e-400", 1, "40 digits"),
    ("1e999999999999", 1, "40 digits"),
    ("9" * 41, 1, "40 digits"),
    ("x**65", 2, "at most 64"),
    ("x**(8*9)", 2, "at most 64"),
    ("9**9**9", 2, "at most 64"),
    ("(2**64)**64", 8, "200 digits"),
    ("x" * 33, 1, "32"),
    ("１+x", 1, "0-9"),
    ("x; y", 2, "one statement"),
    ("x\x00", 2, "\\x00"),
    ("x: y", 2, "slices"),
]


@pytest.mark.parametrize("text, column, word", REFUSED, ids=[repr(row[0])[:24] for row in REFUSED])
def test_refused(text: str, column: int, word: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_expression(text)
    assert caught.value.column == column, caught.value
    assert word in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_text_that_is_no_text() -> None:
    for value in (None, 3, b"x", ["x"]):
        with pytest.raises(SpecError, match="must be text"):
            parse_expression(value)  # type: ignore[arg-type]


HOSTILE = [
    "(" * 9_999,
    "(" * 61 + "x" + ")" * 61,
    "-" * 9_999,
    "a+" * 4_999 + "a",
    "a**" * 3_333 + "a",
    "a[" * 4_999,
    "exp(" * 2_499,
    "a" + ".T" * 4_999,
    "where(" * 1_666,
    "d(" * 4_999,
    "exp(" + "a," * 4_998,
    "np." * 3_333,
    "f" + "'" * 9_999,
    "a=1;" * 2_500,
    "a=" * 5_000,
    "1" * 10_000,
    "1e" + "9" * 9_998,
    "σ" * 10_000,
    "a" * 10_001,
    "(" + "9" * 39 + "**64" * 2_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(t[:8]) for t in HOSTILE])
def test_hostile_text_is_refused_at_once(text: str) -> None:
    for parse in (parse_expression, parse_equation, parse_program):
        with pytest.raises(SpecError) as caught:
            parse(text)
        assert len(str(caught.value)) < 300


def test_the_largest_trees_can_be_walked_by_recursion() -> None:
    for text in ("(" * 60 + "x" + ")" * 60, "+".join(["x"] * 150), "-" * 60 + "x"):
        tree = parse_expression(text)
        assert parse_expression(to_text(tree)) == tree
        assert hash(tree) == hash(parse_expression(text))
        assert repr(tree)


# -- precedence: Python's own parser is the judge ----------------------------------------

_PYTHON = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**",
}  # fmt: skip


def from_python(node: ast.expr) -> Node:
    match node:
        case ast.Constant():
            return Num(Fraction(node.value))  # type: ignore[arg-type]
        case ast.Name():
            return Name(node.id)
        case ast.BinOp():
            return Binary(_PYTHON[type(node.op)], from_python(node.left), from_python(node.right))
        case ast.UnaryOp(op=ast.USub()):
            return Unary("-", from_python(node.operand))
        case ast.Attribute():
            return Transposed(from_python(node.value))
        case ast.Subscript(slice=ast.Tuple(elts=elements)):
            return Index(from_python(node.value), tuple(map(from_python, elements)))
        case ast.Subscript():
            return Index(from_python(node.value), (from_python(node.slice),))
        case ast.Call():
            name = node.func.id  # type: ignore[attr-defined]
            return Call(name, tuple(map(from_python, node.args)))
    raise AssertionError(ast.dump(node))


def trees() -> st.SearchStrategy[Node]:
    leaf = st.one_of(
        st.sampled_from([x, y, z, Name("W1"), Name("d")]),
        st.decimals(0, 99, places=2, allow_nan=False).map(lambda v: Num(Fraction(v))),
        st.integers(1, 9).map(lambda v: Num(Fraction(v))),
    )

    def grow(part: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        return st.one_of(
            st.builds(Binary, st.sampled_from(["+", "-", "*", "@", "/", "**"]), part, part),
            st.builds(Unary, st.just("-"), part),
            st.builds(Transposed, part),
            st.builds(
                lambda b, i: Index(b, tuple(i)), part, st.lists(part, min_size=1, max_size=2)
            ),
            st.builds(lambda a: Call("exp", (a,)), part),
        )

    return st.recursive(leaf, grow, max_leaves=12)


def ours() -> st.SearchStrategy[Node]:
    """Trees with the nodes that Python does not have."""
    part = trees()
    compare = st.builds(Compare, st.sampled_from([">", "<", ">=", "<="]), part, part)
    special = st.one_of(
        part,
        compare,
        st.builds(Derivative, part, st.sampled_from([x, Index(x, (y,))])),
        st.builds(lambda c, a: Call("where", (c, a, a)), st.one_of(compare, part), part),
        st.builds(lambda a, n: Call("sigma", (a,), n), part, st.integers(0, 3)),
        st.builds(
            lambda a, n, k: Call("sum", (a,), 0, n, k), part, st.sampled_from([None, 0, -1]),
            st.booleans(),
        ),
    )  # fmt: skip
    return st.one_of(
        special.filter(lambda node: not isinstance(node, Compare)),
        st.builds(Binary, st.sampled_from(["+", "*", "/", "@"]), special, special),
        st.builds(Unary, st.just("-"), special),
        st.builds(Transposed, special),
        st.builds(Binary, st.just("**"), special, st.just(Num(Fraction(2)))),
    )


def parses(text: str) -> Node | None:
    """The tree, or None where a constant is refused (1/0, a huge power)."""
    try:
        return parse_expression(text)
    except SpecError as error:
        assert any(w in str(error) for w in ("division", "exponent", "constant")), error
        return None


@given(trees())
@settings(max_examples=150, deadline=None)
def test_python_reads_our_text_as_the_same_tree(tree: Node) -> None:
    if (parsed := parses(to_text(tree))) is not None:
        assert parsed == tree
        assert all(isinstance(n.value, Fraction) for n in walk(parsed) if isinstance(n, Num))
        again = ast.parse(to_text(tree), mode="eval").body
        if not any(isinstance(n, Num) and n.value.denominator > 1 for n in walk(tree)):
            assert from_python(again) == tree


@given(ours())
@settings(max_examples=150, deadline=None)
def test_text_of_any_tree_parses_to_it(tree: Node) -> None:
    parsed = parses(to_text(tree))
    assert parsed is None or parsed == tree


@given(st.lists(st.sampled_from(
    ["x", "y", "2", "0.5", "+", "-", "*", "@", "/", "**", "(", ")", "[", "]", ",", ".T", "exp(",
     "sum(", "axis=", "0", "d(", ")/d(", "'", "=", ";", ">", "where(", "σ", "δ", "ᵀ", " "]
), max_size=14).map("".join))  # fmt: skip
@settings(max_examples=400, deadline=None)
def test_near_valid_text_parses_or_is_refused(text: str) -> None:
    for parse in (parse_expression, parse_equation, parse_program):
        try:
            parse(text)
        except SpecError as error:
            assert error.column is not None
            assert 1 <= error.column <= len(text) + 1
            assert error.caret().count("\n") == 1


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        tree = parse_expression(text)
    except SpecError as error:
        assert str(error).isprintable()
    else:
        assert parse_expression(to_text(tree)) == tree


# -- equations and programs --------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["delta2 = a2 - y", "delta2 == a2 - y", "δ2=a2−y", " delta2 =\n a2 - y "]
)
def test_equation(text: str) -> None:
    equation = parse_equation(text)
    assert to_text(equation.left) == "delta2"
    assert to_text(equation.right) == "a2 - y"


@pytest.mark.parametrize(
    "text, word",
    [
        ("a2 - y", "equality"), ("a = b = c", "one equality"), ("= a", "expected"),
        ("a =", "the end"), ("a != b", "write ="), ("a ≠ b", "write ="),
        ("a = b; c = d", "one statement"),
    ],
)  # fmt: skip
def test_no_equation(text: str, word: str) -> None:
    with pytest.raises(SpecError, match=word):
        parse_equation(text)


def test_program() -> None:
    program = parse_program("u = b*c; v = a+u; J = 3*v;")
    assert [(s.name, to_text(s.value)) for s in program] == [
        ("u", "b*c"), ("v", "a + u"), ("J", "3*v"),
    ]  # fmt: skip
    assert [s.column for s in program] == [1, 10, 19]


@pytest.mark.parametrize(
    "text, word",
    [
        ("", "name = expression"), (";", "name = expression"), ("u", "name = expression"),
        ("u == b", "name = expression"), ("u = b;; v = c", "name = expression"),
        ("3 = b", "name = expression"), ("exp = b", "is a function"), ("if = b", "word of Python"),
        ("u = b = c", "separate"), ("u[1] = b", "name = expression"),
    ],
)  # fmt: skip
def test_no_program(text: str, word: str) -> None:
    with pytest.raises(SpecError, match=word):
        parse_program(text)

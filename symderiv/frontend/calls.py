"""What the functions of the expression language mean."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING

from symderiv.algebra.expr import Expr, Number, Role, apply, mul, power, walk
from symderiv.algebra.normal import equal
from symderiv.calculus.activations import ACTIVATIONS
from symderiv.calculus.brackets import constant
from symderiv.calculus.functions import (
    ScalarFunction,
    VectorFunction,
    cos,
    exp,
    positive,
    rows,
    scalar,
    sin,
    sqrt,
    symbols,
    where,
)
from symderiv.calculus.primitives import PRIMITIVES
from symderiv.frontend.functions import takes_primes
from symderiv.frontend.known import is_vector_function
from symderiv.frontend.naming import fitting
from symderiv.frontend.nodes import Call, Compare, Name, Num
from symderiv.frontend.shapes import Misfit, brief
from symderiv.frontend.values import (
    ONLY,
    Value,
    averaged,
    diagonal,
    elementwise,
    largest,
    number,
    outer,
    product,
    summed,
    traced,
)

if TYPE_CHECKING:
    from symderiv.frontend.equations import Equations

Formula = Callable[..., Expr]


def call(eq: Equations, node: Call) -> Value:
    """A function applied: a reduction, a product, or a function of entries."""
    args = node.args
    match node.name:
        case "sum" | "mean":
            value = eq.value(args[0])
            run = summed if node.name == "sum" else averaged
            return run(value, _places(node, value), keep=node.keepdims)
        case "max" | "min":
            return _largest(eq, node)
        case "maximum" | "minimum":
            return _larger(eq, node)
        case "where":
            return _where(eq, node)
        case "norm":
            return _norm(eq, node)
        case "dot":
            left, right = eq.value(args[0]), eq.value(args[1])
            return product(left, right) if left.rank and right.rank else eq.elementwise(
                mul, node, left, right
            )  # fmt: skip
        case "outer":
            return outer(eq.value(args[0]), eq.value(args[1]))
        case "trace":
            return traced(eq.value(args[0]))
        case "diag":
            return diagonal(eq.value(args[0]))
        case name if name in _COMPOSED:
            if node.primes:
                raise Misfit(node, f"{name} with a prime", "write its derivative out")
            return eq.elementwise(_COMPOSED[name], node, eq.atom(args[0], twice=True), copies=2)
    if is_vector(node):
        eq.named[eq.key(node)] = vector(eq, node)
        return eq.named[eq.key(node)]
    return _function(eq, node)


def _places(node: Call, value: Value) -> tuple[int, ...]:
    """The axes that a reduction runs over."""
    return tuple(range(value.rank)) if node.axis is None else (node.axis % value.rank,)


# --- Functions of entries --------------------------------------------------------------------


_COMPOSED: dict[str, Formula] = {
    "tan": lambda x: sin(x) / cos(x),
    "sinh": lambda x: (exp(x) - exp(-x)) / 2,
    "cosh": lambda x: (exp(x) + exp(-x)) / 2,
}


def root(x: Expr) -> Expr:
    """√x; the root of a square number is a number."""
    if isinstance(x, Number) and x.value >= 0:
        above, below = isqrt(x.value.numerator), isqrt(x.value.denominator)
        if Fraction(above, below) ** 2 == x.value:
            return Number(Fraction(above, below))
    return sqrt(x)


def _function(eq: Equations, node: Call) -> Value:
    """A row of the tables; an activation's value gets a name if its derivative is written by it."""
    row = scalar(node.name.replace("_", "-"))
    least, most = len(row.arguments) - len(row.hyper), len(row.arguments)
    if not least <= len(node.args) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise Misfit(node, f"{node.name} with {len(node.args)} argument(s)",
                     f"it takes {wanted}: {', '.join(row.arguments)}")  # fmt: skip
    activation = row.name in ACTIVATIONS and row.name not in PRIMITIVES
    wanted = "z" if activation else "v" if row.name == "sqrt" else ""
    twice = bool(node.primes)
    args = [eq.atom(arg, wanted if not n else "", twice=twice) for n, arg in enumerate(node.args)]
    simple = isinstance(node.args[0], (Name, Num))
    for arg, value, domain in zip(node.args, args, row.domain * len(args), strict=False):
        known = eq.constant(value)
        if known is not None and domain.low is not None and (
            known < domain.low or (known == domain.low and not domain.closed)
        ):  # fmt: skip
            raise Misfit(node, f"{node.name} of {brief(arg)}",
                         f"its argument must be {domain.text}")  # fmt: skip
        eq.ask(row.name, value, domain)
    if node.primes:
        return _slope(eq, node, row, args)
    if row.name == "sqrt":
        return eq.elementwise(root, node, *args)
    result = eq.elementwise(row, node, *args)
    needs_name = activation and _in_own_value(row) and (eq.repeats(node) or not simple)
    if needs_name and node is not eq.root:
        return eq.name(result, "a", eq.key(node))
    return result


def _in_own_value(row: ScalarFunction) -> bool:
    """Whether the derivative by the first argument is written in terms of the function's value."""
    formula = row.derivatives[0]
    if formula is None:
        return False
    value = apply(row.name, *symbols(row))
    marked = formula(*symbols(row), value)
    return any(node == value for node in walk(marked))


def _slope(eq: Equations, node: Call, row: ScalarFunction, args: list[Value]) -> Value:
    """``sigmoid'(z)`` by the stated derivative, in terms of the value where it is so stated."""
    formula = row.derivatives[0]
    if node.primes > 1 or formula is None:
        raise Misfit(node, f"{node.name} with {node.primes} primes", "write its derivative out")
    given = len(row.arguments) - len(row.hyper)
    args = [*args, *(number(v) for _, v in row.hyper[len(args) - given :])]
    value = eq.elementwise(row, node, *args)
    if row.name in ACTIVATIONS and _in_own_value(row):
        plain = Call(node.name, node.args, column=node.column)
        value = eq.name(value, "a", eq.key(plain))
    return eq.elementwise(formula, node, *args, value)


# --- Choices -----------------------------------------------------------------------------------


def comparison(eq: Equations, node: Compare) -> Value:
    """1 where the comparison holds, else 0."""
    (left, right), strict = ordered(eq, node)
    if strict:
        return eq.elementwise(_greater, node, left, right)
    return eq.elementwise(lambda x, y: 1 - _greater(y, x), node, left, right)


def ordered(eq: Equations, node: Compare) -> tuple[tuple[Value, Value], bool]:
    """The sides of ``a > b`` or ``a >= b``, and whether it is the strict one."""
    pair = eq.atom(node.left, twice=True), eq.atom(node.right, twice=True)
    return (pair if node.op in (">", ">=") else pair[::-1]), node.op in (">", "<")


def _greater(x: Expr, y: Expr) -> Expr:
    """[x > y]; 0 or 1 where the difference is the same number whatever the values are."""
    known = constant(x - y)
    return positive(x - y) if known is None else Number.of(int(known > 0))


def _either(condition: Expr, yes: Expr, no: Expr) -> Expr:
    """A choice, unless both ways are the same."""
    return yes if equal(yes, no) else where(condition, yes, no)


def _where(eq: Equations, node: Call) -> Value:
    condition, yes, no = node.args
    if not isinstance(condition, Compare):
        raise Misfit(condition, f"the condition {brief(condition)} is not a comparison",
                     "write where(x > 0, ..., ...)")  # fmt: skip
    (left, right), strict = ordered(eq, condition)
    chosen = eq.under(left, right, strict, yes, no)
    if strict:
        return eq.elementwise(
            lambda x, y, a, b: _either(_greater(x, y), a, b), node, left, right, *chosen, copies=2
        )
    return eq.elementwise(
        lambda x, y, a, b: _either(_greater(y, x), b, a), node, left, right, *chosen, copies=2
    )


def _larger(eq: Equations, node: Call) -> Value:
    """maximum(a, b) = a where a > b, else b; with a 0 it is relu."""
    sign = 1 if node.name == "maximum" else -1
    for zero, other in (node.args, node.args[::-1]):
        if isinstance(zero, Num) and not zero.value:
            return eq.elementwise(
                lambda x, _: sign * apply("relu", sign * x), node, eq.atom(other), number(0)
            )
    a, b = (eq.atom(arg, twice=True) for arg in node.args)
    return eq.elementwise(
        lambda x, y: _either(_greater(sign * x, sign * y), x, y), node, a, b, copies=3
    )


def _largest(eq: Equations, node: Call) -> Value:
    value = eq.atom(node.args[0], twice=True)
    sign = 1 if node.name == "max" else -1
    places = _places(node, value)
    for place in reversed(places[1:]):  # one axis after the other
        step = largest(value, place, sign=sign, keep=node.keepdims)
        value = eq.name(step, fitting(node), (eq.key(node), place))
    return largest(value, places[0], sign=sign, keep=node.keepdims) if places else value


# --- Norms and vector functions ----------------------------------------------------------------


def square(eq: Equations, node: Call) -> Value | None:
    """The square of ``norm(x)`` or ``sqrt(x)``: Σ x², or x; None for other functions."""
    if node.primes or node.name not in ("norm", "sqrt"):
        return None
    if node.name == "sqrt":
        return eq.value(node.args[0])
    value = eq.atom(node.args[0])
    squares = elementwise(lambda x: power(x, 2), value.axes, value)
    return summed(squares, tuple(range(value.rank)))


def _norm(eq: Equations, node: Call) -> Value:
    """√Σ x²; of a number, |x|."""
    if not eq.shapes.of(node.args[0]):
        return eq.elementwise(lambda x: apply("abs", x), node, eq.atom(node.args[0]))
    key = eq.key(node), "square"
    inner = eq.named.get(key) or square(eq, node)
    assert inner is not None
    return eq.elementwise(root, node, eq.name(inner, "s", key))


def is_vector(node: Call) -> bool:
    """Whether the function takes a whole axis at once, such as softmax."""
    return is_vector_function(node.name)


def is_elementwise(node: Call) -> bool:
    """Whether the function computes an entry from the entries at the same place."""
    fixed = node.name in ("maximum", "minimum", "where")
    return fixed or (takes_primes(node.name) and not is_vector(node))


def vector(eq: Equations, node: Call, name: str = "", role: Role = Role.AUXILIARY) -> Value:
    """softmax along the last axis: one equation for each of its parts."""
    row = rows()[node.name.replace("_", "-")]
    assert isinstance(row, VectorFunction)
    if node.primes or len(node.args) != 1:
        raise Misfit(node, f"{node.name} with {'a prime' if node.primes else 'more arguments'}",
                     f"write {node.name}(z), or its parts")  # fmt: skip
    z = eq.whole(node.args[0], "z")
    known = {row.arguments[0]: z}
    for part in row.parts[:-1]:
        value = elementwise(part.formula, z.axes, *(known[n] for n in part.of))
        if part.kind == "sum":
            value = summed(value, (z.rank - 1,))
        free = eq.names.new(part.name)
        symbol = part.name if free == part.name else free
        made = eq.define(free, value, part_of=row.name, symbol=symbol)
        known[part.name] = made if part.kind == "entry" else _along(made)
    part = row.parts[-1]
    value = elementwise(part.formula, z.axes, *(known[n] for n in part.of))
    name = name or eq.names.new(fitting(node))
    result = eq.define(name, value, role, row.why, row.name)
    return result


def _along(value: Value) -> Value:
    """One value for a whole axis, which comes last."""
    return Value((*value.axes, ONLY), lambda indices: value.entry(indices[:-1]))

"""Random trees of index notation, and their value at small sizes."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Bracket,
    Delta,
    Expr,
    Mul,
    Number,
    Partial,
    Pow,
    Role,
    Select,
    SizeOf,
    Sum,
    Tensor,
    add,
    apply,
    mul,
    power,
    sum_over,
)
from symderiv.algebra.index import Axis, Index, Size, Var, as_index, fresh

UNITS = Axis("unit", as_index(Size("n", Index(1))))
EXAMPLES = Axis("example", as_index(Size("m")))
J, K, S = fresh(UNITS, "j"), fresh(UNITS, "k"), fresh(EXAMPLES, "s")


def tensor(name: str, *axes: Axis, role: Role = Role.AUXILIARY, layer: int | None = None) -> Tensor:
    symbol = name.rstrip("0123456789")
    return Tensor(name, tuple(fresh(a) for a in axes), role, symbol, layer)


W = tensor("W1", UNITS, UNITS, role=Role.PARAMETER, layer=1)
A = tensor("a1", UNITS, EXAMPLES, role=Role.ACTIVATION, layer=1)
Z = tensor("z1", UNITS, EXAMPLES, role=Role.PREACTIVATION, layer=1)
Y = tensor("y", UNITS, EXAMPLES, role=Role.TARGET)
LAM = Tensor("lam", (), Role.HYPERPARAMETER, "lambda")
ELL = tensor("ell", EXAMPLES, role=Role.LOSS)
COST = Tensor("C", (), Role.COST, "C")
DZ = Tensor("dz1", Z.slots, Role.ADJOINT, "z", 1, Z, ELL, True)
DA = Tensor("da1", A.slots, Role.ADJOINT, "a", 1, A, ELL, False)
DW = Tensor("dW1", W.slots, Role.ADJOINT, "W", 1, W, COST, False)
TENSORS = {t.name: t for t in (W, A, Z, Y, LAM, ELL, COST, DZ, DA, DW)}


def tree(rng: random.Random, depth: int, scope: list[Var], formal: bool = True) -> Expr:
    """A random tree; without ``formal`` one that has a value at small sizes."""
    units = [v for v in scope if v.axis.name == "unit"]
    examples = [v for v in scope if v.axis.name == "example"]
    leaf = depth == 0 or rng.random() < 0.15
    if leaf:
        return rng.choice(
            [
                lambda: Number.of(rng.choice([1, 2, 3])),
                lambda: LAM[()],
                lambda: SizeOf(as_index(Size("m"))),
                lambda: W[rng.choice(units), rng.choice(units)],
                lambda: A[rng.choice(units), rng.choice(examples)],
                lambda: Y[rng.choice(units), rng.choice(examples)],
                lambda: DZ[rng.choice(units), rng.choice(examples)],
                lambda: Delta(as_index(rng.choice(units)), as_index(rng.choice(units))),
                *(
                    [
                        lambda: DA[rng.choice(units), rng.choice(examples)],
                        lambda: DW[rng.choice(units), rng.choice(units)],
                        lambda: Bracket(rng.choice(units) - rng.choice(units) - 1),
                    ]
                    if formal
                    else []
                ),
            ]
        )()

    def inner() -> Expr:
        return tree(rng, depth - 1, scope, formal)

    kind = rng.randrange(9 if formal else 7)
    if kind == 0:
        return add(*(inner() for _ in range(rng.choice([2, 3]))))
    if kind == 1:
        return mul(*(inner() for _ in range(rng.choice([2, 3]))))
    if kind == 2:
        base = inner()
        return power(base, rng.choice([-2, -1, 2, 3])) if base != Number.of(0) else base
    if kind == 3:
        return -inner()
    if kind == 4:
        variable = fresh(rng.choice([UNITS, EXAMPLES]), rng.choice("ks"))
        return sum_over(variable, tree(rng, depth - 1, [*scope, variable], formal))
    if kind == 5:
        return apply(rng.choice(["sigmoid", "tanh", "exp", "relu", "identity"]), inner())
    if kind == 6:
        entry = A[rng.choice(units), rng.choice(examples)]
        return apply(rng.choice(["bce", "ce", "mse", "half-mse"]), entry, inner())
    if kind == 7:
        if rng.random() < 0.5:
            return Apply("sigmoid", (inner(),), (rng.choice([1, 2]),))
        return Partial(inner(), Z[rng.choice(units), rng.choice(examples)])
    variable = fresh(UNITS, "k")
    body = tree(rng, depth - 1, [*scope, variable], formal)
    return Select(as_index(rng.choice(units)), variable, body)


# --- Values ------------------------------------------------------------------------------------


SIZE = {"m": 2, "n": 2}
_FUNCTIONS = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "exp": math.exp,
    "relu": lambda x: max(x, 0.0),
    "identity": lambda x: x,
    "bce": lambda a, y: -(y * math.log(a) + (1 - y) * math.log(1 - a)),
    "ce": lambda a, y: -y * math.log(a),
    "mse": lambda a, y: (a - y) ** 2,
    "half-mse": lambda a, y: (a - y) ** 2 / 2,
    "log": math.log,
}


def entry_value(name: str, indices: tuple[int, ...]) -> float:
    """A fixed number in (0, 1) for every entry of every tensor."""
    return random.Random(f"{name}{indices}").uniform(0.2, 0.8)


def value(expr: Expr, env: Mapping[Var, int]) -> float:
    """The value of a tree at sizes of 2."""
    match expr:
        case Number(v):
            return float(v)
        case SizeOf():
            return 2.0
        case Access(t, indices):
            return entry_value(t.name, tuple(env[i.variable] for i in indices if i.variable))
        case Delta(left, right):
            assert left.variable and right.variable
            return float(env[left.variable] == env[right.variable])
        case Add(terms):
            return sum(value(t, env) for t in terms)
        case Mul(factors):
            return math.prod(value(f, env) for f in factors)
        case Pow(base, exponent):
            return value(base, env) ** exponent
        case Sum(var, body):
            return sum(value(body, {**env, var: n}) for n in (1, 2))
        case Apply(function, args, _):
            return float(_FUNCTIONS[function](*(value(a, env) for a in args)))
    raise TypeError(expr)


class Reader:
    """The value of an ASCII line: a reader that knows nothing of the printer.

    A sum takes everything up to the end of its product.
    """

    def __init__(self, line: str, env: Mapping[str, int]) -> None:
        import re

        self.tokens = re.findall(r"sum_\w+|\*\*|[A-Za-z]\w*|\d+(?:\.\d+)?|[-+*/()\[\],=>]", line)
        self.at = 0
        self.env = dict(env)

    @property
    def token(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def sum(self) -> float:
        total = self.product()
        while self.token in ("+", "-"):
            total += self.product() if self.next() == "+" else -self.product()
        return total

    def product(self) -> float:
        if self.token == "-":
            self.next()
            return -self.product()
        total = self.power()
        while self.token in ("*", "/"):
            if self.next() == "*":
                total *= self.power()
            else:
                total /= self.power()
        return total

    def power(self) -> float:
        if self.token.startswith("sum_"):
            letter = self.next()[4:]
            start, outer, total = self.at, dict(self.env), 0.0
            for n in (1, 2):
                self.at, self.env = start, {**outer, letter: n}
                total += self.product()
            self.env = outer
            return total
        base = self.atom()
        if self.token == "**":
            self.next()
            return base ** int(self.next())
        return base

    def atom(self) -> float:
        token = self.next()
        if token == "(":
            inner = self.sum()
            assert self.next() == ")"
            return inner
        if token == "[":
            left = self.sum()
            sign = self.next()
            right = self.sum()
            assert self.next() == "]"
            return float(left == right if sign == "=" else left > right)
        if token[0].isdigit():
            return float(token)
        if token in self.env:
            return float(self.env[token])
        if token == "m":
            return 2.0
        if self.token == "(":
            args = []
            while self.next() != ")":
                args.append(self.sum())
            return float(_FUNCTIONS[token.replace("_", "-")](*args))
        indices = []
        if self.token == "[":
            while self.next() != "]":
                indices.append(self.env[self.next()])
        name = {"delta1": "dz1"}.get(token, token)
        return entry_value(name, tuple(indices))

"""Types of the rows of the tables of functions, and constructors for their definitions.

A row is one function with everything the library knows of it: what it *is* (a tree over the
primitives), what its derivative is said to be (proved by :mod:`symderiv.proof.lemmas`), where
it is defined, how it prints and how it is computed without overflow or cancellation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Literal, TypeVar, get_args

from symderiv.algebra.expr import (
    Access,
    Apply,
    Expr,
    ExprLike,
    Role,
    Tensor,
    apply,
    rebuild,
)

Formula = Callable[..., Expr]
Lines = tuple[str, ...]
Range = Literal[
    "real", "positive", "unit-interval", "probability-vector", "signed", "log-probability"
]


@dataclass(frozen=True)
class Domain:
    """Where an argument lives: the open interval ``low..high``, or the ``values`` listed.

    Proofs assume the interval, numeric checks draw from it; ``closed`` adds its ends.
    """

    text: str
    low: Fraction | None = None
    high: Fraction | None = None
    closed: bool = False
    values: tuple[Fraction, ...] = ()

    def contains(self, number: Fraction) -> bool:
        """Whether a number lies there."""
        if self.values:
            return number in self.values
        ends = self.closed and number in (self.low, self.high)
        above = self.low is None or number > self.low
        return ends or (above and (self.high is None or number < self.high))


REAL = Domain("real")
POSITIVE = Domain("positive", Fraction(0))
NONNEGATIVE = Domain("not negative", Fraction(0), closed=True)
UNIT = Domain("between 0 and 1, ends excluded", Fraction(0), Fraction(1))
TARGET = Domain("between 0 and 1", Fraction(0), Fraction(1), closed=True)
DISTRIBUTION = Domain("between 0 and 1, summing to 1", Fraction(0), Fraction(1), closed=True)
LOG_PROBABILITY = Domain("negative", high=Fraction(0))
SIGNS = Domain("-1 or 1", Fraction(-1), Fraction(1), True, (Fraction(-1), Fraction(1)))
SIGNED = Domain("between -1 and 1, ends excluded", Fraction(-1), Fraction(1))


@dataclass(frozen=True)
class Kink:
    """A point without a derivative, and the value that is used there."""

    at: str
    convention: str


@dataclass(frozen=True)
class ScalarFunction:
    """A function of scalars, applied entry by entry: one row.

    ``definition`` is called with the arguments; None marks a primitive. ``derivatives`` holds
    one stated derivative an argument, called with the arguments and the function's own value;
    None where nobody differentiates. Hyperparameters are the last arguments, with defaults.

    ``latex`` is the symbol; ``call`` says how an application prints where that is not
    ``symbol(arguments)``, with ``#1``, ``#2`` for the arguments; ``letter`` is its name in a
    terminal and in comments where that is not the name of the row. ``closed`` says that the ends
    of its range are values as well.

    ``numpy`` is the body of a NumPy function of the arguments, ``numpy_derivatives`` one body
    an argument; ``scipy`` is a body that may use ``scipy.special`` as ``special``. Bodies call
    the functions listed in ``uses``. They never modify an argument, keep float32 and neither
    overflow nor cancel where the function is saturated.
    """

    name: str
    arguments: tuple[str, ...]
    definition: Formula | None
    derivatives: tuple[Formula | None, ...]
    latex: str
    why: str
    numpy: Lines
    numpy_derivatives: tuple[Lines | None, ...]
    call: str = ""
    letter: str = ""
    closed: bool = False
    hyper: tuple[tuple[str, Fraction], ...] = ()
    domain: tuple[Domain, ...] = (REAL,)
    range_: Range = "real"
    kinks: tuple[Kink, ...] = ()
    uses: tuple[str, ...] = ()
    scipy: Lines = ()
    needs: Range | None = None
    factor: str = ""

    def __post_init__(self) -> None:
        given = len(self.arguments)
        for field in ("derivatives", "numpy_derivatives"):
            if len(getattr(self, field)) != given:
                raise ValueError(
                    f"row {self.name!r}: {field} has {len(getattr(self, field))} entries for the "
                    f"{given} arguments {', '.join(self.arguments)}; None where there is none"
                )
        if self.definition is not None and self.derivatives[0] is None:
            raise ValueError(f"row {self.name!r}: the derivative by {self.arguments[0]} is missing")
        if tuple(name for name, _ in self.hyper) != self.arguments[given - len(self.hyper) :]:
            raise ValueError(f"row {self.name!r}: hyper are not the last of its arguments")
        _check_row(self)

    def __call__(self, *args: ExprLike) -> Expr:
        """The function applied; hyperparameters left out take their defaults."""
        missing = len(self.arguments) - len(args)
        if not 0 <= missing <= len(self.hyper):
            raise TypeError(f"{self.name} takes {', '.join(self.arguments)}")
        defaults = [value for _, value in self.hyper[len(self.hyper) - missing :]]
        return apply(self.name, *args, *defaults)

    @property
    def python_name(self) -> str:
        """The name as a Python identifier."""
        return self.name.replace("-", "_")

    @property
    def learned(self) -> tuple[str, ...]:
        """The further arguments of an activation, which each unit learns: the slope of a PReLU."""
        return self.arguments[1 : len(self.arguments) - len(self.hyper)]


@dataclass(frozen=True)
class Part:
    """One line of a vector function: ``name = formula(of...)``, for each entry or summed.

    ``kind`` is ``entry`` (for each unit) or ``sum`` (the formula is summed over the units).
    """

    name: str
    kind: Literal["entry", "sum"]
    of: tuple[str, ...]
    formula: Formula


@dataclass(frozen=True)
class VectorFunction:
    """A function of all units of a layer at once, composed of primitives; its last part is it.

    It has no stated derivative: backpropagation goes through its ``parts``. The NumPy bodies
    are functions of the arguments and of ``axis``, the axis of the units; ``numpy_gradient``
    (for losses) is the gradient by the first argument.
    """

    name: str
    arguments: tuple[str, ...]
    parts: tuple[Part, ...]
    latex: str
    why: str
    numpy: Lines
    numpy_gradient: Lines = ()
    domain: tuple[Domain, ...] = (REAL,)
    range_: Range = "real"
    needs: Range | None = None
    uses: tuple[str, ...] = ()
    scipy: Lines = ()
    factor: str = ""

    def __post_init__(self) -> None:
        _check_row(self)

    @property
    def python_name(self) -> str:
        """The name as a Python identifier."""
        return self.name.replace("-", "_")


Row = ScalarFunction | VectorFunction
_R = TypeVar("_R", bound=Row)


def _check_row(row: Row) -> None:
    """What a row of any kind must be. Raises ValueError, which names it."""
    if not re.fullmatch("[a-z][a-z0-9]*(-[a-z0-9]+)*", row.name):
        raise ValueError(f"row {row.name!r}: a name is small letters and digits with - between")
    for field in ("range_", "needs"):
        value = getattr(row, field)
        if value is not None and value not in get_args(Range):
            raise ValueError(f"row {row.name!r}: {field} is {value!r}, none of {get_args(Range)}")


def table(rows: Iterable[_R]) -> Mapping[str, _R]:
    """Rows by name. Raises ValueError where two have one."""
    made: dict[str, _R] = {}
    for row in rows:
        if made.setdefault(row.name, row) is not row:
            raise ValueError(f"two rows are called {row.name!r}")
    return MappingProxyType(made)


# --- The primitives as constructors of trees -------------------------------------------------


PI = apply("pi")


def exp(x: ExprLike) -> Expr:
    """e to the power x."""
    return apply("exp", x)


def log(x: ExprLike) -> Expr:
    """The natural logarithm; x > 0."""
    return apply("log", x)


def sqrt(x: ExprLike) -> Expr:
    """The square root; x > 0."""
    return apply("sqrt", x)


def real_power(x: ExprLike, p: ExprLike) -> Expr:
    """x to a power that need not be an integer; x > 0."""
    return apply("power", x, p)


def sin(x: ExprLike) -> Expr:
    """The sine of x radians."""
    return apply("sin", x)


def cos(x: ExprLike) -> Expr:
    """The cosine of x radians."""
    return apply("cos", x)


def erf(x: ExprLike) -> Expr:
    """The error function."""
    return apply("erf", x)


def normal_pdf(x: ExprLike) -> Expr:
    """The density of the standard normal distribution."""
    return apply("normal-pdf", x)


def normal_cdf(x: ExprLike) -> Expr:
    """The distribution function of the standard normal distribution."""
    return apply("normal-cdf", x)


def positive(x: ExprLike) -> Expr:
    """[x > 0]: 1 where x is positive, 0 elsewhere, also at 0; locally constant."""
    return apply("positive", x)


def sign(x: ExprLike) -> Expr:
    """-1, 0 or 1; locally constant."""
    return apply("sign", x)


def absolute(x: ExprLike) -> Expr:
    """|x|."""
    return apply("abs", x)


def where(condition: Expr, yes: ExprLike, no: ExprLike) -> Expr:
    """``yes`` where the condition (a ``positive(...)``) is 1, ``no`` where it is 0."""
    return condition * yes + (1 - condition) * no


# --- Looking rows up and unfolding definitions -----------------------------------------------


@cache
def rows() -> Mapping[str, Row]:
    """Every row of every table by name, primitives first."""
    from symderiv.calculus.activations import ACTIVATIONS
    from symderiv.calculus.losses import LOSSES
    from symderiv.calculus.primitives import PRIMITIVES

    return table((*PRIMITIVES.values(), *ACTIVATIONS.values(), *LOSSES.values()))


def scalar(name: str) -> ScalarFunction:
    """The row of a scalar function. Raises KeyError for a name that has none."""
    row = rows()[name]
    if not isinstance(row, ScalarFunction):
        raise KeyError(name)
    return row


def symbols(row: ScalarFunction) -> tuple[Access, ...]:
    """A scalar of its own for every argument: what a definition is called with in a proof."""
    hyper = dict(row.hyper)
    roles = dict.fromkeys(hyper, Role.HYPERPARAMETER) | {"y": Role.TARGET}
    return tuple(
        Access(Tensor(name, role=roles.get(name, Role.ACTIVATION)), ()) for name in row.arguments
    )


_FURTHER = ("beta", "rho", "tau", "omega", "xi", "zeta", "nu", "mu")


def hyper_name(name: str, taken: Collection[str]) -> str:
    """What a hyperparameter of a network is called; a second alpha is beta."""
    return next(n for n in (name, *_FURTHER) if n not in taken)


def unfold(expr: Expr, keep: Collection[str] = ()) -> Expr:
    """The tree with every function of a table replaced by its definition, down to primitives.

    An application with derivatives in its ``orders`` stays, and so does an unknown function, or one
    that is to be kept.
    """
    expr = rebuild(expr, lambda e: unfold(e, keep))
    if isinstance(expr, Apply) and not any(expr.orders) and expr.function not in keep:
        row = rows().get(expr.function)
        if isinstance(row, ScalarFunction) and row.definition is not None:
            return unfold(row.definition(*expr.args), keep)
    return expr

"""Types of the rows of the tables of functions, and constructors for their definitions.

A row is one function with everything the library knows of it: what it *is* (a tree over the
primitives), what its derivative is said to be (proved by :mod:`symderiv.proof.lemmas`), where
it is defined, how it prints and how it is computed without overflow or cancellation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Literal, TypeVar

from symderiv.algebra.expr import (
    Access,
    Apply,
    Expr,
    ExprLike,
    Number,
    Role,
    Tensor,
    apply,
    rebuild,
)

Formula = Callable[..., Expr]
Lines = tuple[str, ...]


@dataclass(frozen=True)
class Domain:
    """Where an argument lives: the open interval ``low..high``, or the ``values`` listed.

    Proofs assume the interval, numeric checks draw from it; ``closed`` adds its ends, ``with_high``
    the upper one, and what is excepted stands in ``without``. ``total`` is what the entries of one
    example sum to, which a lemma, about one entry, makes no use of.
    """

    text: str
    low: Fraction | None = None
    high: Fraction | None = None
    closed: bool = False
    values: tuple[Fraction, ...] = ()
    without: tuple[Fraction, ...] = field(default=(), repr=False)
    with_high: bool = False
    total: Fraction | None = field(default=None, repr=False)

    @property
    def is_bounded(self) -> bool:
        """Whether no number there is larger than some."""
        return self.low is not None and self.high is not None

    def contains(self, number: Fraction) -> bool:
        """Whether a number lies there."""
        if self.values or number in self.without:
            return number in self.values
        ends = (self.closed and number == self.low) or (
            (self.closed or self.with_high) and number == self.high
        )
        above = self.low is None or number > self.low
        return ends or (above and (self.high is None or number < self.high))


REAL = Domain("real")
NONZERO = Domain("not 0", without=(Fraction(0),))
POSITIVE = Domain("positive", Fraction(0))
NONNEGATIVE = Domain("not negative", Fraction(0), closed=True)
UNIT = Domain("between 0 and 1, ends excluded", Fraction(0), Fraction(1))
SHARE = Domain("between 0 and 1, 0 excluded", Fraction(0), Fraction(1), with_high=True)
TARGET = Domain("between 0 and 1", Fraction(0), Fraction(1), closed=True)
DISTRIBUTION = Domain(
    "between 0 and 1, summing to 1", Fraction(0), Fraction(1), closed=True, total=Fraction(1)
)
NEGATIVE = Domain("negative", high=Fraction(0))
LOG_PROBABILITY = Domain("not positive", high=Fraction(0), closed=True)
SIGNS = Domain("-1 or 1", Fraction(-1), Fraction(1), True, (Fraction(-1), Fraction(1)))
SIGNED = Domain("between -1 and 1, ends excluded", Fraction(-1), Fraction(1))


@dataclass(frozen=True)
class Range:
    """What is known of the values of a function, and what a loss can need of an output.

    Each of the values lies in ``values``; ``given`` is how a message says that an activation has
    it, ``needed`` that a loss needs it. It ``serves`` a loss that needs one of those as well.
    """

    given: str
    values: Domain
    needed: str = ""
    serves: tuple[Range, ...] = ()


REAL_NUMBER = Range("outputs that can be negative", REAL)
NOT_NEGATIVE = Range("outputs from 0 to any size", NONNEGATIVE)
POSITIVE_NUMBER = Range("positive outputs of any size", POSITIVE, "positive outputs")
PROBABILITY = Range(
    "outputs in (0, 1) that need not add up to 1", UNIT,
    "every output to be a probability of its own, in (0, 1)", (POSITIVE_NUMBER,),
)  # fmt: skip
PROBABILITY_VECTOR = Range(
    "outputs that share one probability, since they add up to 1", SHARE,
    "the outputs to be a probability vector", (POSITIVE_NUMBER,),
)  # fmt: skip
LOG_PROBABILITIES = Range(
    "negative outputs, the logarithms of probabilities", LOG_PROBABILITY,
    "the outputs to be logarithms of probabilities",
)  # fmt: skip
EITHER_SIGN = Range("outputs between -1 and 1", SIGNED)


@dataclass(frozen=True)
class Kink:
    """A point without a derivative by the first argument, and the slope that is used there.

    ``at`` is the first argument there; where they depend on the other arguments, ``at`` and
    ``slope`` are formulas of them. Where the function ``jumps`` it is no kink, but a step;
    ``unless`` is a hyperparameter and the value of it with which there is none.
    """

    at: int | Formula
    slope: int | Formula
    jumps: bool = False
    unless: tuple[str, int] | None = None

    def point(self, *others: Expr) -> Expr:
        """The first argument there."""
        return self.at(*others) if callable(self.at) else Number.of(self.at)

    def used(self, *others: Expr) -> Expr:
        """The derivative that is used there."""
        return self.slope(*others) if callable(self.slope) else Number.of(self.slope)


@dataclass(frozen=True, kw_only=True)
class _Function:
    """What every row says.

    ``latex`` is the symbol; ``call`` says how an application prints where that is not
    ``symbol(arguments)``, with ``#1``, ``#2`` for the arguments; ``letter`` is its name in a
    terminal and in comments where that is not the name of the row. ``why`` is printed beside its
    derivative. Hyperparameters are the last arguments, with defaults; ``starts`` are the values
    that learned arguments start from where that is not 0.

    ``range_`` is what is known of its values, ``closed`` says that the ends of that are values as
    well; ``needs`` is what a loss needs an output to be, and ``factor`` how it differs from others
    of its name.

    ``numpy`` is the body of a NumPy function of the arguments; ``scipy`` is a body that may use
    ``scipy.special`` as ``special``. Bodies call the functions listed in ``uses``. They never
    modify an argument, keep float32 and neither overflow nor cancel where the function is
    saturated.
    """

    name: str
    arguments: tuple[str, ...]
    latex: str
    why: str
    numpy: Lines
    call: str = ""
    letter: str = ""
    domain: tuple[Domain, ...] = (REAL,)
    range_: Range = REAL_NUMBER
    closed: bool = False
    hyper: tuple[tuple[str, Fraction], ...] = ()
    starts: tuple[tuple[str, Fraction], ...] = ()
    kinks: tuple[Kink, ...] = ()
    uses: tuple[str, ...] = ()
    scipy: Lines = ()
    needs: Range | None = None
    factor: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError, which names the row, where it is not what a row must be."""
        if not re.fullmatch("[a-z][a-z0-9]*(-[a-z0-9]+)*", self.name):
            raise ValueError(
                f"row {self.name!r}: a name is small letters and digits with - between"
            )
        for called in ("range_", "needs"):
            value = getattr(self, called)
            if value is not None and not isinstance(value, Range):
                raise ValueError(f"row {self.name!r}: {called} is {value!r}, which is no Range")
        given = len(self.arguments)
        if tuple(name for name, _ in self.hyper) != self.arguments[given - len(self.hyper) :]:
            raise ValueError(f"row {self.name!r}: hyper are not the last of its arguments")

    @property
    def python_name(self) -> str:
        """The name as a Python identifier."""
        return self.name.replace("-", "_")

    @property
    def plain_name(self) -> str:
        """The name in a terminal and in comments: σ, relu."""
        return self.letter or self.name

    @property
    def is_loss(self) -> bool:
        """Whether one of its arguments is a target."""
        return "y" in self.arguments

    @property
    def target_domain(self) -> Domain:
        """Where the targets of a loss live."""
        return self.domain[self.arguments.index("y")]

    @property
    def values(self) -> Domain:
        """Where its values lie."""
        known = self.range_.values
        return replace(known, closed=known.closed or self.closed)

    @property
    def learned(self) -> tuple[str, ...]:
        """The further arguments of an activation, which each unit learns: the slope of a PReLU."""
        return self.arguments[1 : len(self.arguments) - len(self.hyper)]

    @property
    def is_identity(self) -> bool:
        """Whether its value is its argument."""
        return False


@dataclass(frozen=True, kw_only=True)
class ScalarFunction(_Function):
    """A function of scalars, applied entry by entry: one row.

    ``definition`` is called with the arguments; None marks a primitive. ``derivatives`` holds
    one stated derivative an argument, called with the arguments and the function's own value;
    None where nobody differentiates. ``numpy_derivatives`` holds one body an argument.
    """

    definition: Formula | None
    derivatives: tuple[Formula | None, ...]
    numpy_derivatives: tuple[Lines | None, ...]

    def __post_init__(self) -> None:
        """As of any row, and a derivative for each argument."""
        super().__post_init__()
        given = len(self.arguments)
        for called in ("derivatives", "numpy_derivatives"):
            if len(getattr(self, called)) != given:
                raise ValueError(
                    f"row {self.name!r}: {called} has {len(getattr(self, called))} entries for the "
                    f"{given} arguments {', '.join(self.arguments)}; None where there is none"
                )
        if self.definition is not None and self.derivatives[0] is None:
            raise ValueError(f"row {self.name!r}: the derivative by {self.arguments[0]} is missing")

    def __call__(self, *args: ExprLike) -> Expr:
        """The function applied; hyperparameters left out take their defaults."""
        missing = len(self.arguments) - len(args)
        if not 0 <= missing <= len(self.hyper):
            raise TypeError(f"{self.name} takes {', '.join(self.arguments)}")
        defaults = [value for _, value in self.hyper[len(self.hyper) - missing :]]
        return apply(self.name, *args, *defaults)

    def kinks_at(self, args: tuple[Expr, ...]) -> tuple[Kink, ...]:
        """The kinks that there are with these hyperparameters."""
        given = dict(zip(self.arguments, args, strict=True))
        return tuple(
            kink for kink in self.kinks
            if kink.unless is None or given[kink.unless[0]] != Number.of(kink.unless[1])
        )  # fmt: skip

    @property
    def is_identity(self) -> bool:
        """Whether its value is its argument."""
        if self.definition is None:
            return False
        argument, *others = symbols(self)
        return self.definition(argument, *others) == argument


@dataclass(frozen=True)
class Part:
    """One line of a vector function: ``name = formula(of...)``, for each entry or summed.

    ``kind`` is ``entry`` (for each unit) or ``sum`` (the formula is summed over the units).
    """

    name: str
    kind: Literal["entry", "sum"]
    of: tuple[str, ...]
    formula: Formula


@dataclass(frozen=True, kw_only=True)
class VectorFunction(_Function):
    """A function of all units of a layer at once, composed of primitives; its last part is it.

    It has no stated derivative: backpropagation goes through its ``parts``. The NumPy bodies
    are functions of the arguments and of ``axis``, the axis of the units; ``numpy_gradient``
    (for losses) is the gradient by the first argument.
    """

    parts: tuple[Part, ...]
    numpy_gradient: Lines = ()


Row = ScalarFunction | VectorFunction
_R = TypeVar("_R", bound=Row)


def table(rows: Iterable[_R]) -> Mapping[str, _R]:
    """Rows by name. Raises ValueError where two have one."""
    made: dict[str, _R] = {}
    for row in rows:
        if made.setdefault(row.name, row) is not row:
            raise ValueError(f"two rows are called {row.name!r}")
    return MappingProxyType(made)


# --- The primitives as constructors of trees -------------------------------------------------


PI = apply("pi")
HALF = Fraction(1, 2)


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


def sigmoid(x: ExprLike) -> Expr:
    """The logistic function 1/(1 + e^-x)."""
    return apply("sigmoid", x)


def tanh(x: ExprLike) -> Expr:
    """The hyperbolic tangent."""
    return apply("tanh", x)


def softplus(x: ExprLike) -> Expr:
    """log(1 + e^x), written out."""
    return log(1 + exp(x))


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

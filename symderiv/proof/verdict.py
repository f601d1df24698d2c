"""What can be said of a statement, and how far it reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from symderiv.algebra.expr import Expr

EXACT = Fraction(0)  # the bound where nothing is left to chance
TOO_DEEP = "nested too deep"


class Status(Enum):
    """The six things a step can be. ``undecided`` is an answer and is never rounded up."""

    PROVED = "proved"
    TESTED = "tested"
    DEFINITION = "definition"
    ASSUMED = "assumed"
    UNDECIDED = "undecided"
    REFUTED = "refuted"


@dataclass(frozen=True)
class Verdict:
    """A status with its warrant.

    ``method`` names the decider, ``scope`` the sizes or the domain it speaks of, ``bound`` the
    chance that one random evaluation erred (0 where nothing is left to chance), ``confirmed``
    the field in which what is proved was evaluated as well, and ``counterexample`` the point of a
    refutation. ``positive`` lists what is assumed to be positive for it. What ``differs`` has
    values in the field that are not equal, which is no refutation yet.
    """

    status: Status
    method: str
    scope: str = ""
    bound: Fraction | None = None
    seed: int | None = None
    counterexample: Mapping[str, str] | None = None
    confirmed: str = ""
    positive: tuple[Expr, ...] = ()
    differs: bool = False

"""What can be said of a statement, and how far it reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from symderiv.algebra.expr import Expr


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
    chance that a random check erred (as text; ``exact`` where nothing is left to chance),
    ``confirmed`` the field in which what is proved was evaluated as well, and ``counterexample``
    the point of a refutation. ``positive`` lists what is assumed to be positive for it.
    """

    status: Status
    method: str
    scope: str = ""
    bound: str = ""
    seed: int | None = None
    counterexample: Mapping[str, str] | None = None
    confirmed: str = ""
    positive: tuple[Expr, ...] = ()

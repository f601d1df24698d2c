"""check(): the only way from a Derivation to a CheckedDerivation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from symderiv.calculus.graph import Fact, Graph
from symderiv.calculus.steps import Adjoint, Derivation, Lemma, Step
from symderiv.proof.verdict import Status, Verdict

_SEAL = object()


@dataclass(frozen=True)
class CheckedChain:
    """A chain with one verdict for each of its steps."""

    adjoint: Adjoint
    verdicts: tuple[Verdict, ...]

    @property
    def steps(self) -> tuple[tuple[Step, Verdict], ...]:
        """Each step beside its verdict."""
        return tuple(zip(self.adjoint.steps, self.verdicts, strict=True))


@dataclass(frozen=True)
class CheckedDerivation:
    """A derivation of which every step has been judged. Constructed by :func:`check` alone.

    ``lemmas`` are the stated derivatives that were used, each proved on its own; ``assumptions``
    the declared facts; forward equations have the status ``definition``.
    """

    derivation: Derivation
    chains: tuple[CheckedChain, ...]
    lemmas: tuple[tuple[Lemma, Verdict], ...]
    assumptions: tuple[Fact, ...]
    seal: object = None

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise TypeError("a CheckedDerivation is made by check() alone")

    @property
    def graph(self) -> Graph:
        """The forward side."""
        return self.derivation.graph

    @cached_property
    def refuted(self) -> tuple[Step, ...]:
        """The steps that are false."""
        return self._with(Status.REFUTED)

    @cached_property
    def unproved(self) -> tuple[Step, ...]:
        """The steps that are neither proved nor false."""
        return self._with(Status.TESTED, Status.UNDECIDED)

    def _with(self, *statuses: Status) -> tuple[Step, ...]:
        return tuple(s for c in self.chains for s, v in c.steps if v.status in statuses)


def check(derivation: Derivation) -> CheckedDerivation:
    """Judge every step of every chain, knowing only the forward definitions."""
    raise NotImplementedError

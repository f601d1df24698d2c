"""check(): the only way from a Derivation to a CheckedDerivation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from operator import is_

from symderiv.algebra.binding import (
    free_variables,
    known_in,
    replace_accesses,
    replace_where,
    substitute,
)
from symderiv.algebra.expr import (
    ZERO,
    Access,
    Apply,
    Expr,
    Role,
    Tensor,
    children,
    length,
    rebuild,
    tensors_in,
    with_parts,
)
from symderiv.algebra.index import Known
from symderiv.algebra.matching import alpha_equal, match
from symderiv.calculus.graph import Fact, Graph
from symderiv.calculus.steps import Adjoint, Derivation, Lemma, Premise, Step, Uses
from symderiv.proof.decide import (
    NOWHERE,
    Statement,
    Worlds,
    may_divide,
    structural,
    together,
)
from symderiv.proof.defined import Granted
from symderiv.proof.likeness import Memory, spelled
from symderiv.proof.meaning import Meaning, NoMeaning
from symderiv.proof.needs import Need, divisors, needs
from symderiv.proof.premises import apply_fact, apply_lemmas, field_lemmas, lemma_verdict
from symderiv.proof.rates import disagreeing
from symderiv.proof.sides import divides_by_a_bracket
from symderiv.proof.verdict import EXACT, TOO_DEEP, Status, Verdict
from symderiv.proof.wellformed import require_well_formed


@dataclass(frozen=True)
class _Seal:
    """What was judged: a seal is of no use on anything else."""

    parts: tuple[object, ...]

    def fits(self, *parts: object) -> bool:
        return len(parts) == len(self.parts) and all(map(is_, parts, self.parts))


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
        judged = (self.derivation, self.chains, self.lemmas, self.assumptions)
        if not (isinstance(self.seal, _Seal) and self.seal.fits(*judged)):
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


def check(derivation: Derivation, memory: Memory | None = None) -> CheckedDerivation:
    """Judge every step of every chain, knowing only the forward definitions.

    A chain starts at the derivative itself, whose meaning is worked out from the definitions, and
    every step must start where the one before it ended. Equations of earlier chains are used only
    where a step names them as a premise. A ``memory`` keeps what has been proved for the next time.
    Raises BrokenChain and IllFormed, and TypeError for a memory that is none.
    """
    require_well_formed(derivation)
    judge = Judge(derivation, memory)
    chains = judge.end_to_end([judge.chain(adjoint) for adjoint in derivation.adjoints])
    judged = (derivation, chains, tuple(judge.lemmas.items()), judge.assumptions)
    return CheckedDerivation(*judged, _Seal(judged))


LONGEST = 20_000  # nodes of a side with its equations put in; of the layers, 40
DIVIDING = "not applicable: a bracket divides that may be 0"
UNSAID = "not applicable: a line may have no value where the one before it has one"
UNLIKE = "the closed form is not the rate at which the cost moves"


def _doubted(verdicts: Iterable[Verdict], why: str) -> tuple[Verdict, ...]:
    """Verdicts on the steps of a chain that is not proved by them."""
    return tuple(replace(v, status=Status.UNDECIDED, method=why) for v in verdicts)


class BrokenChain(ValueError):
    """A chain whose steps do not meet, or that does not start at its derivative."""


class Judge:
    """Judges the steps of one derivation, in order, so that premises are judged before use."""

    def __init__(self, derivation: Derivation, memory: Memory | None = None) -> None:
        self.graph = derivation.graph
        if memory is not None and type(memory) is not Memory:  # its word is taken for proof
            raise TypeError("a memory is a Memory, and nothing that answers like one")
        self.memory = Memory() if memory is None else memory
        self.lemmas: dict[Lemma, Verdict] = {}
        self.facts: dict[Fact, Verdict] = {}
        self.closed: list[Adjoint] = []
        self.doubtful: dict[Tensor, Verdict] = {}  # adjoints of which a step is not proved
        self.worlds = Worlds(self.graph)
        self._divisors: dict[Expr, bool] = {}
        self._totals: dict[Access, Expr] = {}
        self._forward = Granted(self.graph.definitions)
        for given in self.graph.upstream:
            self._forward.exists(given[given.slots])
        self._granted = self._forward.copy()  # and what the derivative of this chain asks for
        self._opened_here: dict[Expr, Expr] = {}  # sides of the steps of one chain
        derived = (*self.graph.upstream, *(a.tensor for a in derivation.adjoints))
        self._adjoints = {t.of: t for t in derived if t.of is not None}

    @property
    def _meaning(self) -> Meaning:
        """What derivatives mean, with what is known of them."""
        return Meaning(self.graph, self._adjoints, self._factor())

    @property
    def assumptions(self) -> tuple[Fact, ...]:
        """The declared facts that were used."""
        return tuple(f for f in self.facts if f.assumed)

    def chain(self, adjoint: Adjoint) -> CheckedChain:
        """Judge a chain from the derivative to its closed form."""
        here: Expr = adjoint.left
        self._granted = self._forward.copy()
        verdicts: list[Verdict] = []
        for step in adjoint.steps:
            if not alpha_equal(step.left, here):
                raise BrokenChain(f"a step of {adjoint.tensor.name} does not start where it should")
            verdicts.append(self.step(step, None if verdicts else adjoint.left))
            here = step.right
        if not adjoint.steps or not alpha_equal(here, adjoint.closed):
            raise BrokenChain(f"the chain of {adjoint.tensor.name} does not end in its closed form")
        if all(verdict.status is Status.PROVED for verdict in verdicts):
            try:
                objection = self._objection(adjoint)
            except RecursionError:
                objection = TOO_DEEP
            if objection:
                verdicts = list(_doubted(verdicts, objection))
        self._close(adjoint, verdicts)
        return CheckedChain(adjoint, tuple(verdicts))

    def end_to_end(self, chains: Iterable[CheckedChain]) -> tuple[CheckedChain, ...]:
        """The chains, of which those are doubtful that differ from the rates of their root."""
        wrong = disagreeing(self.graph, self.worlds.known, tuple(self.worlds.positive))
        return tuple(
            replace(c, verdicts=_doubted(c.verdicts, UNLIKE)) if c.adjoint.tensor in wrong else c
            for c in chains
        )

    def _close(self, adjoint: Adjoint, verdicts: Iterable[Verdict]) -> None:
        """Keep what a chain says of its derivative for those that come after it."""
        self._opened_here.clear()  # what is closed says what a derivative is as well
        for verdict in verdicts:
            if verdict.status is not Status.PROVED:
                self.doubtful.setdefault(adjoint.tensor, verdict)
        total = self._totals.get(adjoint.left)
        if total is not None and all(map(self._forward.meets, needs(total))):
            self._forward.exists(adjoint.left)
        try:
            closed = self._meaning.expand(adjoint.closed)
        except (NoMeaning, ZeroDivisionError):
            return  # its last step is not proved
        self.closed.append(replace(adjoint, closed=closed))
        equation = adjoint.indices, closed
        if adjoint.tensor not in self.doubtful:
            self.worlds.known.setdefault(adjoint.tensor, []).append(equation)
        if not adjoint.tensor.named:
            self.worlds.closed.setdefault(adjoint.tensor, []).append(equation)

    def _objection(self, adjoint: Adjoint) -> str:
        """Why the steps of a chain, each of them proved, give no proof together, or nothing.

        Every line has a value where the derivative has one (see :mod:`symderiv.proof.defined`);
        there is something to say if that is somewhere. The derivative and the closed form are
        compared once more, in worlds of their own.
        """
        lines = [step.right for step in adjoint.steps]
        if not all(map(self._may_divide, divisors(lines))):
            return NOWHERE
        if len(lines) == 1:
            return ""
        premises = tuple(p for step in adjoint.steps for p in step.premises)
        meaning = self._meaning
        try:
            left, right = self._total(meaning, adjoint.left), meaning.expand(adjoint.closed)
        except NoMeaning:
            return ""
        statement = self._statement(left, right, premises)
        known = self.memory._recall(statement.spelling)
        if known is None:
            known = together(statement, field_lemmas(premises))
            self.memory._remember(statement.spelling, known)
        return "" if known.status is Status.PROVED else known.method

    def _meant(self, meaning: Meaning, expr: Expr) -> Expr:
        """A side of a step, its derivatives opened once: the next step starts from it."""
        if expr not in self._opened_here:
            self._opened_here[expr] = meaning.expand(expr)
        return self._opened_here[expr]

    def _total(self, meaning: Meaning, target: Access) -> Expr:
        """The derivative that a chain starts from, worked out once."""
        if target not in self._totals:
            self._totals[target] = meaning.total(target)
        return self._totals[target]

    def _may_divide(self, base: Expr) -> bool:
        """Whether something is not 0 everywhere, with all equations that it rests on."""
        if base not in self._divisors:
            below = self._below(tensors_in(base))
            statement = Statement(base, ZERO, self.worlds, below, self.graph.facts)
            self._divisors[base] = may_divide(statement)
        return self._divisors[base]

    def step(self, step: Step, target: Access | None = None) -> Verdict:
        """Judge one step; a premise that is not proved makes the step undecided at best.

        The first step of a chain is given its ``target``: its left side means that derivative.
        """
        try:
            return self._stepped(step, target)
        except NoMeaning as error:
            return Verdict(Status.UNDECIDED, f"not applicable: {error}", "no instance")
        except ZeroDivisionError:
            return Verdict(Status.UNDECIDED, "not applicable: division by zero", "no instance")
        except RecursionError:
            return Verdict(Status.UNDECIDED, TOO_DEEP)

    def _stepped(self, step: Step, target: Access | None) -> Verdict:
        for premise in step.premises:
            verdict = self._premise(premise)
            if verdict.status is Status.REFUTED:
                found = verdict.counterexample
                return Verdict(
                    Status.REFUTED, "a premise is false", verdict.scope, EXACT, None, found
                )
            if verdict.status not in (Status.PROVED, Status.ASSUMED, Status.DEFINITION):
                return Verdict(Status.UNDECIDED, f"a premise is {verdict.status.value}")
        meaning = self._meaning
        left = self._total(meaning, target) if target else self._meant(meaning, step.left)
        right = self._meant(meaning, step.right)
        readings = list(self._readings(left, right, step.premises))
        # a fact puts a line into normal form, which may ask for what the line does not
        plain = tuple(p for p in step.premises if not isinstance(p, Fact))
        granted = readings if plain == step.premises else self._readings(left, ZERO, plain)
        self._granted.grant((left, *(known for known, _ in granted)))
        if any(map(divides_by_a_bracket, chain(*readings, (left, right, step.left, step.right)))):
            return Verdict(Status.UNDECIDED, DIVIDING)
        verdict = self._judged(left, right, *readings[0], step.premises)
        for known in readings[1:]:
            if verdict.status not in (Status.PROVED, Status.REFUTED):
                again = self._judged(left, right, *known, step.premises)
                verdict = again if again.status is Status.PROVED else verdict
        if verdict.status is Status.PROVED:
            self._granted.positive(verdict.positive)
            self.worlds.positive |= dict.fromkeys(verdict.positive)
            worded = meaning.worded(step.right)
            asked = needs(worded)
            if worded is not step.right:
                # beside ∂u/∂v an adjoint is asked for where the deltas are not 0 that this one has
                asked += tuple(need for need in needs(step.right) if not need.of_adjoint)
            if not self._has_value(asked, step.premises):
                return Verdict(Status.UNDECIDED, UNSAID)
        return verdict

    def _has_value(self, asked: Iterable[Need], premises: tuple[Premise, ...]) -> bool:
        """Whether all that a line needs, as it stands, is met where what is granted has a value."""
        return all(any(map(self._granted.meets, self._named(n, premises))) for n in asked)

    def _named(self, need: Need, premises: tuple[Premise, ...]) -> Iterator[Need]:
        """The same need in other words: with the premises used.

        What must have a value stays what it is, an entry or a call: only what stands in it is
        named otherwise.
        """
        yield need
        inner = (need.subject,) if need.nonzero else children(need.subject)
        parts = [list(self._readings(e, ZERO, premises)) for e in (*inner, *need.guards)]
        for reading in zip(*parts, strict=True):
            named = [known for known, _ in reading]
            subject = named[0] if need.nonzero else with_parts(need.subject, named)
            yield replace(need, subject=subject, guards=tuple(named[len(inner) :]))

    def _judged(
        self,
        left: Expr,
        right: Expr,
        known_left: Expr,
        known_right: Expr,
        premises: tuple[Premise, ...],
    ) -> Verdict:
        """The verdict on a statement; one that differs in names only is not judged again."""
        statement = self._statement(left, right, premises, known_left, known_right)
        verdict = self.memory._recall(statement.spelling)
        if verdict is None:
            verdict = structural(statement, known_left, known_right, field_lemmas(premises))
            self.memory._remember(statement.spelling, verdict)
        return verdict

    def _statement(
        self, left: Expr, right: Expr, premises: tuple[Premise, ...], *known: Expr
    ) -> Statement:
        """``left = right`` with all that it rests on; what is ``known`` is spelled as well."""
        opened = self._opened(premises)
        facts = tuple(p for p in premises if isinstance(p, Fact) and p.assumed)
        lemmas = field_lemmas(premises)
        sides = [left, right, *(k for k in known if k is not left and k is not right)]
        for fact in facts:
            sides += [fact.left, fact.right]
        spelling = spelled(
            [*sides, *(lemma.stated for lemma in lemmas.values())],
            lambda tensor: self.worlds.equations(tensor) if tensor in opened else (),
            [*lemmas, len(facts), *("left" if k is left else k is right for k in known)],
        )
        return Statement(left, right, self.worlds, opened, facts, spelling=spelling)

    def _premise(self, premise: Premise) -> Verdict:
        if isinstance(premise, Lemma):
            if premise not in self.lemmas:
                self.lemmas[premise] = lemma_verdict(premise)
            return self.lemmas[premise]
        if isinstance(premise, Fact):
            if premise not in self.facts:
                self.facts[premise] = self._fact(premise)
            return self.facts[premise]
        if premise.tensor in self.doubtful:
            return self.doubtful[premise.tensor]
        known = self.graph.definitions_of(premise.tensor) or any(
            a.tensor == premise.tensor for a in self.closed
        )
        if not known:
            return Verdict(Status.UNDECIDED, f"no equation for {premise.tensor.name}")
        return Verdict(Status.DEFINITION, "definition")

    def _fact(self, fact: Fact) -> Verdict:
        """A declared fact is assumed; a value found for a sum is judged by inlining definitions."""
        if fact.assumed:
            declared = fact in self.graph.facts
            return Verdict(Status.ASSUMED if declared else Status.UNDECIDED, "declared")
        statement = Statement(fact.left, fact.right, self.worlds, self._opened((fact,)))
        opened = fact.left
        for _ in self.graph.definitions:
            opened = replace_accesses(opened, self._inner)
            if length(opened) > LONGEST:
                return Verdict(Status.UNDECIDED, "too long with its equations put in")
        verdict = structural(statement, opened, fact.right)
        if verdict.positive:  # nobody would see of what
            return Verdict(Status.UNDECIDED, "holds where something is positive")
        if not all(map(self._forward.meets, (*needs(fact.left), *needs(fact.right)))):
            return Verdict(Status.UNDECIDED, UNSAID)
        return verdict

    def _inner(self, access: Access) -> Expr | None:
        """The definition of an entry, unless it is a function of one argument list."""
        body = self.graph.expand(access)
        return None if isinstance(body, Apply) else body

    def _readings(
        self, left: Expr, right: Expr, premises: tuple[Premise, ...]
    ) -> Iterator[tuple[Expr, Expr]]:
        """Both sides with the premises used.

        The equation of a family may use the family itself, and could be inserted for ever: there
        it is used from right to left as well.
        """
        forward = frozenset(p.tensor for p in premises if isinstance(p, Uses))
        full = [self._used_up(side, premises, forward) for side in (left, right)]
        yield full[0], full[1]
        if any(tensor.ordered for tensor in forward):
            plain = [self._used_up(side, premises, frozenset()) for side in (left, right)]
            yield self._named_again(plain[0], forward), self._named_again(plain[1], forward)

    def _named_again(self, expr: Expr, forward: frozenset[Tensor], known: Known = ()) -> Expr:
        """Every function applied that an entry of ``forward`` is defined as, by that entry."""
        inner = known_in(expr, known)
        expr = rebuild(expr, lambda child: self._named_again(child, forward, inner))
        for tensor in forward if isinstance(expr, Apply) else ():
            for definition in self.graph.definitions_of(tensor):
                binding = match(definition.body, expr, definition.variables)
                if binding is None:
                    continue
                entry = substitute(definition.left, binding)
                assert isinstance(entry, Access)
                body = self.graph.expand(entry, known)
                if body is not None and alpha_equal(body, expr):
                    return entry
        return expr

    def _used_up(
        self, expr: Expr, premises: tuple[Premise, ...], forward: frozenset[Tensor]
    ) -> Expr:
        """One side with premises used: facts, the equations of ``forward`` inserted, lemmas."""

        def image(access: Access, known: Known) -> Expr | None:
            if access.tensor not in forward:
                return None
            if access.tensor.role is Role.ADJOINT:
                return self._closed_form(access)
            return self.graph.expand(access, known)

        for premise in premises:
            if isinstance(premise, Fact):
                expr = apply_fact(expr, premise)
        for _ in forward:
            wider = replace_where(expr, image)
            if wider == expr:
                break
            if length(wider) > LONGEST:
                raise NoMeaning("too long with its equations put in")
            expr = wider
        return apply_lemmas(expr, premises)

    def _opened(self, premises: tuple[Premise, ...]) -> frozenset[Tensor]:
        """The tensors whose equations a step rests on: those named, and all below a found fact."""
        found = [p for p in premises if isinstance(p, Fact) and not p.assumed]
        below = self._below(tensor for fact in found for tensor in tensors_in(fact.left))
        return below | {p.tensor for p in premises if isinstance(p, Uses)}

    def _below(self, tensors: Iterable[Tensor]) -> frozenset[Tensor]:
        """These tensors and all that they are computed from."""
        return frozenset().union(*map(self.graph.leading_to, tensors))

    def _closed_form(self, access: Access) -> Expr | None:
        for adjoint in self.closed:
            if adjoint.tensor == access.tensor:
                found = adjoint.at(access)
                if found is not None:
                    return found
        return None

    def _factor(self) -> Expr | None:
        """∂C/∂ℓ as found and judged before, if it is one number for every example."""
        loss = self.graph.example_loss
        for adjoint in self.closed:
            tensor = adjoint.tensor
            if tensor.of == loss and tensor.root == self.graph.cost:
                whole = all(
                    (v := index.variable) is not None
                    and (v.axis.start, v.axis.stop) == (slot.axis.start, slot.axis.stop)
                    for slot, index in zip(tensor.slots, adjoint.indices, strict=True)
                )
                if whole and tensor not in self.doubtful and not free_variables(adjoint.closed):
                    return adjoint.closed
        return None

"""Is this identity true? Normal forms first, then rational functions, then the finite field.

The statement is ``left = right`` for all values of the free indices, the inputs and the opaque
functions, and for all sizes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import product

from symderiv.algebra.binding import (
    open_indices,
    substitute,
    within_ranges,
)
from symderiv.algebra.expr import (
    Add,
    Apply,
    Expr,
    Mul,
    SizeOf,
    Sum,
    Tensor,
    mul,
    walk,
)
from symderiv.algebra.index import Index, Size, Var, as_index, fresh
from symderiv.algebra.matching import alpha_equal
from symderiv.algebra.normal import normal
from symderiv.calculus.graph import Fact, Graph
from symderiv.calculus.steps import Lemma
from symderiv.proof.counting import zero_at_all_sizes
from symderiv.proof.degrees import MAX_SAMPLED, Degrees
from symderiv.proof.exponentials import expanded
from symderiv.proof.field import BY_SIGN, NAME, Enough, Equation, NoInstance, World, assignments
from symderiv.proof.likeness import spelled
from symderiv.proof.quotients import over_common_denominator
from symderiv.proof.reals import agree, counterexample
from symderiv.proof.sizes import assign, distinguished, listed, size_symbols
from symderiv.proof.spoken import spoken
from symderiv.proof.verdict import EXACT, TOO_DEEP, Status, Verdict

TRIALS = 3  # worlds in which a step is evaluated
SIGN_TRIALS = 30  # and one with signs, which are each right with a chance of one half
SIGNS = "holds with the signs of the field, and not with those of real numbers"
DIFFERENT = f"does not follow: the two sides differ in {NAME} for arbitrary functions"
NOWHERE = "not applicable: no value found for all steps together"
TOGETHER = "the steps do not give the closed form together"
REDRAWS = 40  # worlds tried until one has a value
NORMAL_FORM = "normal form"
SMALLEST = (1, 2)
TERMS = 2000  # of sums that are added up in a further world
FARTHEST = 12  # what is compared with a number above it is not tried beyond that number

LemmaTable = Mapping[tuple[str, int], Lemma]


@dataclass(frozen=True)
class Statement:
    """``left = right`` about a graph, to be read in the worlds given.

    It may rest on the equations of the tensors in ``opened`` and on nothing else of the graph.
    ``spelling`` is that of both sides and of what they rest on, if it is known already.
    """

    left: Expr
    right: Expr
    worlds: Worlds
    opened: frozenset[Tensor] = frozenset()
    facts: tuple[Fact, ...] = ()
    apart: bool = False
    spelling: str = ""

    @cached_property
    def seed(self) -> int:
        """Where its worlds start: nobody can choose a statement to fit what is drawn for it.

        So it hashes all that a draw depends on: the names of tensors as well as the trees.
        """
        drawn = (f"{t.role.value} {t.name!r}" for t in self.tensors)
        spelling = self.spelling or spelled([self.left, self.right], lambda _: ())
        text = "\n".join([spelling, *sorted(drawn)])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:12], "big")

    def taken_apart(self) -> Statement:
        """The same, with exponentials of sums and logarithms of products taken apart."""
        left, right = expanded(self.left)[0], expanded(self.right)[0]
        return replace(self, left=left, right=right, apart=True)

    @cached_property
    def equations(self) -> list[Equation]:
        """The equations that it may rest on."""
        return [equation for tensor in self.opened for equation in self.worlds.equations(tensor)]

    @cached_property
    def everything(self) -> list[Expr]:
        """Both sides, the equations that it may rest on, and the facts."""
        rest = [body for _, body in self.equations]
        rest += [side for fact in self.facts for side in (fact.left, fact.right)]
        return [self.left, self.right, *rest]

    @cached_property
    def tensors(self) -> frozenset[Tensor]:
        """The tensors of which it speaks."""
        return frozenset().union(*(said.tensors for said in map(spoken, self.everything)))

    @cached_property
    def heads(self) -> list[Index]:
        """The indices of the equations that it may rest on."""
        return [index for indices, _ in self.equations for index in indices]

    @cached_property
    def symbols(self) -> tuple[list[Size], set[str]]:
        """The sizes that it speaks of, and which of them are lengths of ordered axes."""
        met = (v for index in self.heads for v in index.variables)
        return size_symbols(self.everything, [*self.free, *met])

    @cached_property
    def further_worlds(self) -> int:
        """In how many more worlds to look at what a form has proved, if numbers are compared.

        A bracket [n >= 7] is 0 at small sizes, and n - 3 is 0 at one: there anything holds.
        """
        said = list(map(spoken, self.everything))
        compared = set[int]().union(*(s.offsets for s in said))
        if any(SizeOf in s.kinds for s in said):
            compared = compared.union(*(s.numbers for s in said))
        return max((n - 2 for n in map(abs, compared) if 2 < n <= FARTHEST), default=0)

    @property
    def has_signs(self) -> bool:
        """Whether it speaks of roots or signs, of which the field has its own."""
        named = {*BY_SIGN, "sqrt"}
        return any(named & spoken(tree).functions for tree in self.everything)

    @cached_property
    def free(self) -> list[Var]:
        """The free variables and those of their ranges, outer ones first."""
        return open_indices(self.left, self.right)

    @cached_property
    def shifted(self) -> frozenset[Var]:
        """The free variables of which every value matters, not only which of them are equal."""
        special = distinguished(self.everything, self.heads)
        outer = within_ranges(self.free)
        ends = {v: (v.axis.start, v.axis.stop) for v in self.free}
        return frozenset(v for v in self.free if ends[v] in special or v in outer)


class Worlds:
    """The worlds in which the statements about one graph are evaluated.

    ``closed`` gives adjoints without a name the value of their closed form, ``known`` all adjoints
    of which the closed form has been judged; ``positive`` is what steps say they need to be so.
    """

    def __init__(self, graph: Graph) -> None:
        self.closed: dict[Tensor, list[Equation]] = {}
        self.known: dict[Tensor, list[Equation]] = {}
        self.positive: dict[Expr, None] = {}
        self.graph = graph
        self._world = World(graph, {}, closed=self.closed)

    def world(
        self,
        statement: Statement,
        lemmas: LemmaTable,
        trial: int = 0,
        seed: int = 0,
        roots: bool = False,
        further: bool = False,
    ) -> World:
        """The world of a trial, with f′ and the facts as the premises say; it ends the one before.

        In a ``further`` world the sizes are larger by as much as the trial's number; in that of a
        trial below 0 all sizes are as many.
        """
        shift = (trial if further else trial % TRIALS) + seed % 4
        sizes = assign(*statement.symbols, shift=max(shift, 0))
        return self._world.renewed(
            dict.fromkeys(sizes, -trial) if trial < 0 else sizes,
            statement.seed + 1000 * trial + seed,
            lemmas=lemmas,
            facts=statement.facts,
            opened=statement.opened,
            roots=roots,
            apart=statement.apart,
        )

    def equations(self, tensor: Tensor) -> list[Equation]:
        """What is known of a tensor: the closed form of an adjoint, or its definitions."""
        known = self.closed.get(tensor)
        return known or [(d.indices, d.body) for d in self.graph.definitions_of(tensor)]

    def refuted(self, statement: Statement) -> Verdict | None:
        """A refutation at a real point, if one is found."""
        facts, positive = self.graph.facts, tuple(self.positive)
        left, right = statement.left, statement.right
        return counterexample(self.graph, left, right, self.known, facts, positive)

    def agrees(self, statement: Statement) -> bool:
        """Whether both sides may be equal at real points, of which there are some."""
        facts = self.graph.facts
        return agree(self.graph, statement.left, statement.right, self.known, facts)


def structural(
    statement: Statement,
    left: Expr,
    right: Expr,
    lemmas: LemmaTable | None = None,
) -> Verdict:
    """Decide a statement; ``left`` and ``right`` are its sides with all premises used up.

    Proved means: the normal forms agree, or the sides agree at as many sizes as a proof for all
    sizes needs (:mod:`symderiv.proof.counting`); and the statement holds in the field as well,
    with the equations and lemmas it rests on. Refuted means: it is false at a real point.
    """
    positive: tuple[Expr, ...] = ()
    written = statement  # what is called false is the statement itself
    try:
        proved = same_normal_form(left, right)
        if not proved and any(_has_exponentials(side) for side in (left, right)):
            (left, one), (right, other) = expanded(left), expanded(right)
            positive = tuple(dict.fromkeys((*one, *other)))
            statement = statement.taken_apart()
            proved = same_normal_form(left, right)
    except ZeroDivisionError:
        return Verdict(Status.UNDECIDED, "not applicable: division by zero", "no instance")
    refused = None if proved else _too_high(statement)
    if refused is not None:
        return refused
    trials = (1, statement.further_worlds) if proved else (TRIALS, 0)
    sampled = sample(statement, lemmas or {}, *trials)
    if sampled.differs:
        return written.worlds.refuted(written) or sampled
    if sampled.status is not Status.TESTED:
        return sampled
    if proved and proved != NORMAL_FORM and _is_wrong_where_small(statement, lemmas or {}):
        return written.worlds.refuted(written) or sampled
    bound: Fraction | None = EXACT
    if not proved:
        proved, bound = zero_at_all_sizes(left, right, statement.seed, statement.tensors)
    if not proved and statement.has_signs:
        return written.worlds.refuted(written) or _with_signs(statement, lemmas or {})
    if not proved:
        return written.worlds.refuted(written) or sampled
    return Verdict(Status.PROVED, proved, "all sizes", bound, 0, confirmed=NAME, positive=positive)


def together(statement: Statement, lemmas: LemmaTable) -> Verdict:
    """Of what is proved by steps, whether it holds as a whole in some world, and is wrong in none.

    The smallest sizes are tried as well, where ranges are empty.
    """
    reason = NOWHERE
    for whole in (statement, statement.taken_apart()):
        found = sample(whole, lemmas, 1, statement.further_worlds)
        wrong = found.differs or _is_wrong_where_small(whole, lemmas)
        if found.status is Status.TESTED and not wrong:
            return Verdict(Status.PROVED, "its steps", bound=EXACT)
        reason = TOGETHER if wrong else reason
    return Verdict(Status.UNDECIDED, reason)


def may_divide(statement: Statement) -> bool:
    """Whether the left side has a value that is not 0, in some world and at some indices."""
    for trial, seed in product((-2, 0), range(REDRAWS)):  # of small sizes first: these are quick
        world = statement.worlds.world(statement, {}, trial, seed)
        try:
            for env in assignments(world, statement.free, statement.shifted):
                if world.value(statement.left, env):
                    return True
        except NoInstance:
            continue
    return False


def _is_wrong_where_small(statement: Statement, lemmas: LemmaTable) -> bool:
    """Whether the sides differ where all sizes are 1, or 2: there ranges may be empty."""
    return any(_differs(statement, lemmas, -size) for size in SMALLEST)


def _differs(statement: Statement, lemmas: LemmaTable, trial: int) -> bool:
    """Whether both sides have values in the world of a trial, and they are not the same."""
    met = False
    for roots in (False, True):
        looked = _look(statement, lemmas, trial, roots, TERMS)
        if looked is not None and looked[1] is not None:
            return False
        met = met or looked is not None
    return met


def _with_signs(statement: Statement, lemmas: LemmaTable) -> Verdict:
    """Signs in the field are those of real numbers by chance alone: many worlds, and real ones."""
    sampled = sample(statement, lemmas, SIGN_TRIALS)
    agrees = sampled.status is not Status.TESTED or statement.worlds.agrees(statement)
    return sampled if agrees else Verdict(Status.UNDECIDED, SIGNS)


def _has_exponentials(expr: Expr) -> bool:
    return any(isinstance(n, Apply) and n.function in ("exp", "log") for n in walk(expr))


def same_normal_form(left: Expr, right: Expr) -> str:
    """The name of the form in which both sides agree, or nothing."""
    if alpha_equal(left, right) or normal(left).key == normal(right).key:
        return NORMAL_FORM
    left, right = strip(left, right)
    if normal(left).key == normal(right).key:
        return "normal form under a common context"
    numerator = over_common_denominator(left, right)
    zero = numerator is not None and normal(numerator).is_zero
    return "common denominator" if zero else ""


def strip(left: Expr, right: Expr) -> tuple[Expr, Expr]:
    """Remove what both sides have in common: equal subtrees prove equal trees."""
    match left, right:
        case (Sum(v, a), Sum(w, b)) if v.axis == w.axis:
            common = fresh(v.axis, v.name)
            return strip(*(substitute(e, {u: as_index(common)}) for u, e in ((v, a), (w, b))))
        case (Mul(a), Mul(b)):
            rest_a, rest_b = _without_common(a, b)
            if len(rest_a) < len(a):
                return strip(mul(*rest_a), mul(*rest_b))
        case (Add(a), Add(b)):
            rest_a, rest_b = _without_common(a, b)
            if len(rest_a) < len(a) and len(rest_a) == len(rest_b) == 1:
                return strip(rest_a[0], rest_b[0])
    return left, right


def _without_common(
    left: tuple[Expr, ...], right: tuple[Expr, ...]
) -> tuple[list[Expr], list[Expr]]:
    mine, theirs = list(left), list(right)
    keys = [normal(e).key for e in theirs]
    for expr in left:
        key = normal(expr).key
        if key in keys:
            n = keys.index(key)
            del keys[n], theirs[n]
            mine.remove(expr)
    return mine, theirs


# --- The field --------------------------------------------------------------------------------


def sample(
    statement: Statement, lemmas: LemmaTable, trials: int = TRIALS, further: int = 0
) -> Verdict:
    """Evaluate both sides at every pattern of the free indices, in several worlds.

    In ``further`` worlds that is done as far as TERMS go. What holds with sqrt as an unknown
    function holds for the root; else the root is taken.
    """
    try:
        verdict = _sample(statement, lemmas, trials, False, further)
        if verdict.status is Status.TESTED:
            return verdict
        sides = (statement.left, statement.right)
        rooted = any("sqrt" in spoken(side).functions for side in sides)
        if not (rooted or statement.opened):
            return verdict
        return _sample(statement, lemmas, trials, True, further)
    except RecursionError:
        return Verdict(Status.UNDECIDED, TOO_DEEP)
    except Enough as error:
        return Verdict(Status.UNDECIDED, str(error))


def _too_high(statement: Statement) -> Verdict | None:
    """The refusal of a statement of which values in the field say nothing."""
    try:
        if _degree(statement) > MAX_SAMPLED:
            return Verdict(Status.UNDECIDED, "of too high a degree for the field")
    except RecursionError:
        return Verdict(Status.UNDECIDED, TOO_DEEP)
    return None


def _degree(statement: Statement) -> int:
    """A bound for the degree of the numerator of left − right, where it is evaluated."""
    worlds, opened = statement.worlds, statement.opened
    longest = max(assign(*statement.symbols).values(), default=1)
    degrees = Degrees(longest + TRIALS, lambda t: worlds.equations(t) if t in opened else ())
    return int(degrees.of(Add((statement.left, statement.right))).above)


def _look(
    statement: Statement, lemmas: LemmaTable, trial: int, roots: bool, terms: int | None
) -> tuple[World, int | None] | None:
    """A world and the number of its entries in which both sides agree, or None if they differ.

    None where no world that is drawn has values. All entries are compared, or as many as take so
    many ``terms``. Raises Enough where all are too many.
    """
    for seed in range(REDRAWS):
        world = statement.worlds.world(statement, lemmas, trial, seed, roots, terms is not None)
        if terms is not None:
            world.terms = terms
        count = 0
        try:
            for env in assignments(world, statement.free, statement.shifted):
                world.spend(1)
                if world.value(statement.left, env) != world.value(statement.right, env):
                    return world, None
                count += 1
        except Enough:
            if terms is None:
                raise
        except NoInstance:
            continue
        return world, count
    return None


def _sample(
    statement: Statement, lemmas: LemmaTable, trials: int, roots: bool, further: int
) -> Verdict:
    compared = 0
    tried: dict[str, set[int]] = {}
    for trial in range(trials + further):
        looked = _look(statement, lemmas, trial, roots, None if trial < trials else TERMS)
        if looked is None and trial < trials:
            return Verdict(Status.UNDECIDED, "not applicable: no value found", "no instance")
        if looked is None:
            continue
        world, count = looked
        if count is None:
            return Verdict(Status.UNDECIDED, DIFFERENT, "one world", seed=world.seed, differs=True)
        compared += count
        for name, n in world.sizes.items():
            tried.setdefault(name, set()).add(n)
    shown = "; ".join(f"{name} = {listed(tried[name])}" for name in sorted(tried))
    return Verdict(
        Status.TESTED,
        f"{compared} evaluation{'s' * (compared != 1)} in {NAME}",
        f"tested at {shown}" if shown else "tested at random points",  # no size is free
    )

"""From the raw chain rule to a compact form, by named rewritings only; each one is a step.

Quantities with a name stay atoms. The passes run in a fixed order, again and again until none
changes anything; none of them knows about a particular network, function or loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from symderiv.algebra.binding import known_in
from symderiv.algebra.expr import Access, Expr, Partial, has_partial, length, rebuild
from symderiv.algebra.index import Known
from symderiv.algebra.matching import alpha_equal
from symderiv.calculus import cancelling, collecting, folding, rewriting
from symderiv.calculus.folding import Folds
from symderiv.calculus.graph import Graph
from symderiv.calculus.steps import Adjoint, Premise, Step, Uses

LIMIT = 6000  # nodes of all steps of a chain; the longest of any layer or network has 170
LONGEST = 600  # nodes of one line; 426 has the cost of 100 layers with a penalty for each
_ROUNDS = 40
_COLLECTED = ("folding", "reduction", "collect")


class TooLong(ValueError):
    """A derivation that nobody would read; the message says of what."""


@dataclass
class Chain:
    """A chain of steps under construction: it starts at the derivative itself."""

    target: Access
    graph: Graph
    folds: Folds
    found: list[Adjoint]
    steps: list[Step] = field(default_factory=list)
    nodes: int = 0

    @property
    def current(self) -> Expr:
        """The right side reached so far."""
        return self.steps[-1].right if self.steps else self.target

    def extend(self, right: Expr, rule: str, why: str, premises: tuple[Premise, ...] = ()) -> bool:
        """Append a step, unless it changes nothing. Raises TooLong."""
        if alpha_equal(self.current, right):
            return False
        nodes = length(right)
        self.nodes += nodes
        if self.nodes > LIMIT or nodes > LONGEST:
            of = self.target.tensor.of
            raise TooLong(f"the derivative by {of.name if of else self.target.tensor.name}")
        self.steps.append(Step(self.current, right, rule, why, premises))
        return True

    def adjoint(self) -> Adjoint:
        """The finished chain."""
        return Adjoint(self.target.tensor, self.target.indices, tuple(self.steps), self.current)


# The right side, the reason where the row of the rule may have none to print, and the premises.
Outcome = tuple[Expr, str, tuple[Premise, ...]]
Pass = Callable[[Expr, Chain], Outcome | None]


def simplify(chain: Chain) -> None:
    """Run the passes until nothing changes; what comes first in the table is tried first.

    Passes that undo one another's work end where the circle would close: every form that a chain
    has reached is a true one.
    """
    for _ in range(_ROUNDS):
        if not any(
            outcome is not None and chain.extend(outcome[0], rule, outcome[1], outcome[2])
            for rule, run in PASSES
            for outcome in [run(chain.current, chain)]
        ):
            return
        seen = (n for n, step in enumerate(chain.steps[:-1]) if step.right == chain.current)
        first = next(seen, None)
        if first is not None:
            del chain.steps[first + 1 :]
            return


def _definitions(expr: Expr, chain: Chain) -> Outcome | None:
    """∂u[k]/∂t[i] is the derivative of what u is defined as."""
    if not has_partial(expr):
        return None
    used: dict[str, Premise] = {}

    def open_partial(node: Expr, known: Known = ()) -> Expr:
        if isinstance(node, Partial) and isinstance(node.body, Access):
            body = chain.graph.expand(node.body, known)
            if body is not None:
                used[node.body.tensor.name] = Uses(node.body.tensor)
                opened = Partial(body, node.wrt)
                if isinstance(body, Access):  # ∂ℓ/∂ℓ would stand for the equation of ℓ
                    return rewriting.differentiate_partials(opened)
                return opened
        inner = known_in(node, known)
        return rebuild(node, lambda child: open_partial(child, inner))

    result = open_partial(expr)
    return (result, "insert " + _equations(used), tuple(used.values())) if used else None


def _derivatives(expr: Expr, chain: Chain) -> Outcome | None:
    if not has_partial(expr):
        return None
    return rewriting.differentiate_partials(expr), "", ()


def _collapse(expr: Expr, chain: Chain) -> Outcome | None:
    result, survivors = rewriting.collapse(expr)
    if not survivors:
        return None
    return result, "", ()


def _linearity(expr: Expr, chain: Chain) -> Outcome | None:
    return rewriting.tidy(expr), "", ()


def _insert(expr: Expr, chain: Chain) -> Outcome | None:
    """Adjoints without a name of their own are replaced by what was found for them."""
    used: dict[str, Premise] = {}
    result = rewriting.insert_adjoints(expr, chain.found, used)
    return (result, "insert " + _equations(used), tuple(used.values())) if used else None


def _lemmas(expr: Expr, chain: Chain) -> Outcome | None:
    result, lemmas, why = rewriting.state_derivatives(expr, chain.graph)
    return (result, why, lemmas) if lemmas else None


def _cancel(expr: Expr, chain: Chain) -> Outcome | None:
    return cancelling.cancel(expr), "", ()


def _fold(expr: Expr, chain: Chain) -> Outcome | None:
    result, used, why = folding.fold(expr, chain.folds)
    return (result, why, used) if used else None


def _reduce(expr: Expr, chain: Chain) -> Outcome | None:
    result, facts = collecting.reduce_sums(expr, chain.graph)
    return (result, "; ".join(f.text for f in facts), tuple(facts)) if facts else None


def _collect(expr: Expr, chain: Chain) -> Outcome | None:
    """Only where folding or a reduction was at work: a plain chain rule stays as it came."""
    inserted = {p.tensor for step in chain.steps for p in step.premises if isinstance(p, Uses)}
    chains = [chain.steps, *(a.steps for a in chain.found if a.tensor in inserted)]
    if not any(step.rule in _COLLECTED for steps in chains for step in steps):
        return None
    return collecting.collect(expr), "", ()


PASSES: tuple[tuple[str, Pass], ...] = (
    ("definition", _definitions),
    ("derivative", _derivatives),
    ("delta collapse", _collapse),
    ("insert", _insert),
    ("stated derivative", _lemmas),
    ("folding", _fold),
    ("cancellation", _cancel),
    ("linearity of sums", _linearity),
    ("reduction", _reduce),
    ("collect", _collect),
)


def _equations(used: dict[str, Premise]) -> str:
    return ", ".join(used)

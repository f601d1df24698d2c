"""End to end: the root moves at the rate that the closed forms say, at a real point.

Every tensor of which a derivative is derived is moved in a direction of its own, d_u, where it
arises: an input, or the graph cut at that tensor. By the chain rule the root then moves at the
rate ``Σ_u ⟨∂r/∂u, d_u⟩``. The rate is computed forward, by dual numbers, from the equations and the
definitions of the functions; the products from the closed forms alone. No normal form, premise,
stated derivative or SymPy has a part in it, so what fools all of them has one more thing to fool.

Floating numbers are asked first, and what differs there by more than rounding in balls; what counts
is a certain difference, so that nothing true is doubted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

from symderiv.algebra.binding import open_indices
from symderiv.algebra.expr import Expr, Tensor, mul
from symderiv.calculus.conditions import conditions
from symderiv.calculus.graph import Graph
from symderiv.proof import balls
from symderiv.proof.duals import FLOATS, Dual, real_part
from symderiv.proof.field import Equation, NoInstance
from symderiv.proof.reals import RealWorld, Worlds, worlds

SEEDS = (2, 0, 1, 5)  # of the points that are tried; at the first one numbers have both signs
ENOUGH = 20  # entries that have been compared
ROUNDING = 1e-9  # beside the numbers that are added up
Entry = tuple[Tensor, tuple[int, ...]]


@dataclass
class MovedWorld(RealWorld):
    """A world of dual numbers, in which entries are pushed where they arise."""

    pushed: Mapping[Entry, Any] = field(default_factory=dict)
    mirrored: bool = False  # whether all that is drawn has the other sign
    _resting: dict[Entry, Any] = field(default_factory=dict)  # values where nothing is pushed
    _draws: dict[tuple[str, tuple[int, ...]], Any] = field(default_factory=dict)

    def draw(self, name: str, numbers: tuple[int, ...]) -> Any:
        """The same number each time it is asked for."""
        place = name, numbers
        if place not in self._draws:
            drawn = super().draw(name, numbers)
            self._draws[place] = drawn * -1 if self.mirrored else drawn
        return self._draws[place]

    def _computed(self, tensor: Tensor, where: tuple[int, ...]) -> Any:
        found: Any = super()._computed(tensor, where)
        direction = self.pushed.get((tensor, where))
        return found if direction is None else found + Dual(0, direction)

    def _left_over(self, total: Any, others: Iterable[Any]) -> Any:
        """An entry that a fact determines is an input: nothing but its own push moves it."""
        return real_part(super()._left_over(total, others))

    def movement(
        self, root: Tensor, adjoints: Iterable[Tensor], positive: Iterable[Expr] = ()
    ) -> tuple[Any, dict[Entry, Any]]:
        """The rate of Σ_r c[r] r as entries move, and the products that should add up to it.

        Raises NoInstance where what is assumed does not hold.
        """
        self._push({})
        if not self._admits(positive):
            raise NoInstance("a fact does not hold, or something is not positive")
        slopes = {entry: slope for a in adjoints for entry, slope in self._slopes(a)}
        directions = {(u, at): self.draw(f"direction {u.name}", at) for u, at in slopes}
        self._push(directions)
        return self._rate(root), {e: slopes[e] * d for e, d in directions.items()}

    def _push(self, directions: Mapping[Entry, Any]) -> None:
        """Move these entries and no others; what comes first is computed first, not in depth."""
        self.pushed, self._known = directions, {} if directions else self._resting
        for definition in self.graph.definitions:
            with suppress(NoInstance):
                for env in self.every(definition.variables):
                    self.value(definition.left, env)

    def _slopes(self, adjoint: Tensor) -> Iterator[tuple[Entry, Any]]:
        """By entries u of a tensor: Σ_r c[r] ∂r/∂u, from closed forms.

        What no chain is about, or has no value, is left out: it will not be moved.
        """
        assert adjoint.of is not None
        split = len(adjoint.slots) - len(adjoint.of.slots)
        found: dict[tuple[int, ...], list[Any]] = {}
        indices = adjoint.fresh_indices()
        for env in self.every(indices):
            where = tuple(env[index] for index in indices)
            try:
                slope = self.value(adjoint[indices], env) * self._weight(where[:split])
            except NoInstance:
                slope = None
            found.setdefault(where[split:], []).append(slope)
        for where, (first, *rest) in found.items():
            if first is not None and None not in rest:
                yield (adjoint.of, where), sum(rest, first)

    def _rate(self, root: Tensor) -> Any:
        """The rate of Σ_r c[r] r; adjoints that are given from outside are the c of theirs."""
        indices = root.fresh_indices()
        own = indices if root == self.graph.cost else ()
        moving: list[Expr] = [root[indices]]
        for given in self.graph.upstream if root == self.graph.cost else ():
            assert given.of is not None
            at = given.fresh_indices()
            moving.append(mul(given[at], given.of[at]))
        total = Dual(0, 0)
        for expr in moving:
            for env in self.every(open_indices(expr)):
                total += self.value(expr, env) * self._weight(tuple(env[index] for index in own))
        return total.rate

    def _weight(self, at: tuple[int, ...]) -> Any:
        """c[r], which tells the entries of a cost with axes apart."""
        return self.draw("weight", at)

    def _admits(self, positive: Iterable[Expr]) -> bool:
        """Whether the facts hold, as far as rounding tells, and these are certainly positive."""
        for fact in self.facts:
            for env in self.every(fact.variables):
                left, right = self.value(fact.left, env), self.value(fact.right, env)
                if not abs(left - right) <= ROUNDING * (abs(left) + abs(right)):
                    return False
        return all(self._sign(value) == 1 for expr in positive for value in self.all_of(expr))


def disagreeing(
    graph: Graph, closed: Mapping[Tensor, Sequence[Equation]], positive: Collection[Expr] = ()
) -> frozenset[Tensor]:
    """The adjoints of which the closed forms are certainly not the rates of their root.

    At points where the equations have values, the facts hold and what is taken to be ``positive``
    is so: the first one, others for what has no value there, and all of them for few entries.
    """
    trees = [body for equations in closed.values() for _, body in equations]
    wrong: set[Tensor] = set()
    waiting, compared = list(closed), 0
    points = worlds(graph, conditions(graph), trees, closed, graph.facts, SEEDS, 3)
    for (_, _, world), mirrored in product(points, (False, True)):
        made = partial(world, made=partial(MovedWorld, mirrored=mirrored))
        here, asked = made(FLOATS), waiting if compared > ENOUGH else list(closed)
        for root in dict.fromkeys(adjoint.root for adjoint in asked if adjoint.root):
            own = [adjoint for adjoint in asked if adjoint.root == root]
            try:
                rate, products = here.movement(root, own, positive)
            except (ArithmeticError, ValueError, RecursionError):
                continue
            scale = sum(map(abs, products.values()))
            if not abs(rate - sum(products.values())) <= ROUNDING * scale:  # nor is nan
                wrong.update(_blamed(partial(_certainly_differ, made, positive, root), own))
            moved = {tensor for tensor, _ in products}
            waiting = [a for a in waiting if a.root != root or a.of not in moved]
            compared += len(products)
    return frozenset(wrong)


def _blamed(
    differ: Callable[[Collection[Tensor]], bool], adjoints: Collection[Tensor]
) -> Collection[Tensor]:
    """Those that differ by themselves; all, if it takes several of them; none, if none differs."""
    if not differ(adjoints):
        return ()
    return [adjoint for adjoint in adjoints if differ([adjoint])] or adjoints


def _certainly_differ(
    made: Worlds, positive: Collection[Expr], root: Tensor, adjoints: Collection[Tensor]
) -> bool:
    """Whether the root certainly moves at another rate than ``Σ_u ⟨∂r/∂u, d_u⟩``."""

    def rates(arithmetic: balls.Field) -> tuple[Any, Any]:
        rate, products = made(arithmetic).movement(root, adjoints, positive)
        nothing = arithmetic.number(Fraction(0))
        return nothing + rate, sum(products.values(), nothing)

    try:
        return balls.certainly_differ(rates) is not None
    except (NoInstance, RecursionError):
        return False

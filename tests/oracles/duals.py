"""Forward-mode dual numbers over the field of 2^61 - 1 elements: ⟨adjoints, direction⟩, end to end.

Every entry of a tensor is pushed in a random direction where it arises (an input, or the graph
cut at that node); the rate at which the root then moves must be ⟨adjoint, direction⟩. It is equal
for a wrong adjoint with a chance of about degree/2^61.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symderiv.algebra.expr import Expr, Role, Tensor, has_partial
from symderiv.algebra.index import Size
from symderiv.calculus.graph import EXAMPLE, Graph
from symderiv.calculus.steps import Adjoint, Derivation
from tests.oracles.forward import (
    Backward,
    Forward,
    Key,
    Where,
    by_definition,
    definition,
)

P = 2**61 - 1


@dataclass(frozen=True)
class Dual:
    """``value + rate·ε`` with ε² = 0, both elements of the field."""

    value: int
    rate: int = 0

    def __add__(self, other: Any) -> Dual:
        o = dual(other)
        return Dual((self.value + o.value) % P, (self.rate + o.rate) % P)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Dual:
        return self + dual(other) * -1

    def __mul__(self, other: Any) -> Dual:
        o = dual(other)
        return Dual(self.value * o.value % P, (self.rate * o.value + self.value * o.rate) % P)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Dual:
        return self * dual(other) ** -1

    def __pow__(self, exponent: int) -> Dual:
        if exponent < 0 and self.value == 0:
            raise ZeroDivisionError("no inverse of 0")
        slope = exponent * pow(self.value, exponent - 1, P) if exponent and self.value else 0
        if exponent == 1:
            slope = 1
        return Dual(pow(self.value, exponent, P), slope * self.rate % P)


def dual(value: Any) -> Dual:
    """A number as a constant."""
    return value if isinstance(value, Dual) else Dual(int(value) % P)


@dataclass
class Field:
    """Random elements as inputs. ``unfold`` False: every function f and its f′ are unrelated.

    With ``unfold`` functions are computed from their definitions down to exp and log, which are
    random functions with e^-x = 1/e^x, (e^x)′ = e^x and (log x)′ = 1/x.
    """

    seed: int = 0
    unfold: bool = True

    def lift(self, value: Fraction) -> Dual:
        return Dual(value.numerator % P) / Dual(value.denominator % P)

    def winner(self, values: Sequence[Dual]) -> int:
        return self._random("winner", tuple(v.value for v in values)) % len(values)

    def draw(self, tensor: Tensor, where: Where) -> Dual:
        return Dual(self._random(tensor.name, where))

    def apply(self, name: str, orders: tuple[int, ...], args: Sequence[Dual]) -> Dual:
        if self.unfold and any(orders):
            return self._slope(name, orders, args)
        if self.unfold and definition(name) is not None:
            return by_definition(self, name, args)
        values = [a.value for a in args]
        rate = 0
        for n, argument in enumerate(args):
            if argument.rate:
                raised = tuple(o + (k == n) for k, o in enumerate(orders))
                rate += self._value(name, raised, values) * argument.rate
        return Dual(self._value(name, orders, values), rate % P)

    def _slope(self, name: str, orders: tuple[int, ...], args: Sequence[Dual]) -> Dual:
        assert sum(orders) == 1 and not any(a.rate for a in args)
        moved = [Dual(a.value, n) for a, n in zip(args, orders, strict=True)]
        return Dual(self.apply(name, (0,) * len(args), moved).rate)

    def _value(self, name: str, orders: tuple[int, ...], args: list[int]) -> int:
        if self.unfold:
            if name == "exp":
                key = min(args[0], P - args[0])
                value = self._random("exp", key)
                return value if key == args[0] else pow(value, P - 2, P)
            if name == "positive":  # χ is a sign: χ(uv) = χ(u)χ(v), χ(-1) = -1
                return 0 if any(orders) else int(pow(args[0], (P - 1) // 2, P) == 1)
            if name == "log" and any(orders):
                return pow(args[0], P - 2, P)
            assert name == "log" and not any(orders), f"no relations known for {name}"
        return self._random(name, orders, tuple(args))

    def _random(self, *key: object) -> int:
        digest = hashlib.blake2b(f"{self.seed} {key!r}".encode(), digest_size=16).digest()
        return int.from_bytes(digest, "big") % (P - 1) + 1


def structural(chain: Adjoint) -> Expr:
    """The last formula of a chain before functions, equations or facts are used in it."""
    known = ("chain rule", "definition", "derivative", "delta collapse")
    before = []
    for step in chain.steps:
        if step.rule not in known:
            break
        before.append(step.right)
    return next(e for e in reversed(before) if not has_partial(e))


def errors(
    graph: Graph,
    sizes: Mapping[Size, int],
    derivation: Derivation,
    seed: int = 0,
    choose: Callable[[Adjoint], Expr] | None = None,
    only: Tensor | None = None,
) -> list[str]:
    """The adjoints whose ⟨adjoint, direction⟩ is not the rate of their root; no errors: [].

    ``choose`` picks the formula of each chain: by default the closed form, with functions by
    their definitions. :func:`structural` goes with functions that are unrelated to their f′.
    """
    numbers = Field(seed, unfold=choose is None)
    base = Forward(graph, sizes, numbers).run()
    backward = Backward(base, derivation, choose or (lambda chain: chain.closed))
    wrong = []
    for tensor in dict.fromkeys(chain.tensor for chain in derivation.adjoints):
        if only not in (None, tensor):
            continue
        assert tensor.of is not None and tensor.root is not None
        places = backward.places(tensor)
        push: dict[Key, Dual] = {
            (tensor.of.name, w): Dual(0, numbers._random("direction", w)) for w in places
        }
        inputs = {k: v + push[k] if k in push else v for k, v in base.inputs.items()}
        moved = Forward(graph, sizes, numbers, inputs, push).run()
        rates: dict[Where, int] = {}
        for where in places:
            at = _example(tensor.of, where) if tensor.root.slots else ()
            product = backward.entry(tensor, where) * push[tensor.of.name, where].rate
            rates[at] = (rates.get(at, 0) + product.value) % P
        for at in moved.entries(tensor.root):
            if moved.values[tensor.root.name, at].rate != rates.get(at, 0):
                wrong.append(f"{tensor.name}: the rate of {tensor.root.name}{list(at)} differs")
    return wrong


def _example(tensor: Tensor, where: Where) -> Where:
    pairs = zip(tensor.slots, where, strict=True)
    return tuple(n for slot, n in pairs if slot.axis.name == EXAMPLE)


def directions(graph: Graph) -> list[Tensor]:
    """What a gradient is wanted by: the parameters."""
    return [t for t in graph.inputs if t.role is Role.PARAMETER]

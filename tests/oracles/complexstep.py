"""Derivatives by complex step: Im C(t + ih)/h has no cancellation, so h can be 1e-30.

The functions are evaluated from their definitions (never from a stable or stated form); branches
look at the real part.
"""

from __future__ import annotations

import cmath
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from scipy import special

from symderiv.algebra.expr import Role, Tensor
from symderiv.algebra.index import Size
from symderiv.calculus.graph import Graph
from tests.oracles.forward import Forward, Key, Where, by_definition, definition

STEP = 1e-30


@dataclass
class Complex:
    """Complex numbers; inputs are real, drawn once for each name, place and seed."""

    seed: int = 0

    def lift(self, value: Fraction) -> Any:
        return complex(value)

    def winner(self, values: Sequence[Any]) -> int:
        return max(range(len(values)), key=lambda n: values[n].real)

    def draw(self, tensor: Tensor, where: Where) -> Any:
        draw = random.Random(f"{self.seed} {tensor.name} {where}")
        if tensor.role in (Role.TARGET, Role.HYPERPARAMETER):
            return complex(draw.uniform(0.1, 0.4))
        return complex(draw.uniform(-1, 1))

    def apply(self, name: str, orders: tuple[int, ...], args: Sequence[Any]) -> Any:
        if any(orders):
            return self._derivative(name, orders, args)
        if definition(name) is not None:
            return by_definition(self, name, args)
        if name == "pi":
            return complex(math.pi)
        if name == "positive":
            return complex(args[0].real > 0)
        if name == "power":
            return cmath.exp(args[1] * cmath.log(args[0]))
        if name == "erf":
            return complex(special.erf(args[0]))
        if name == "arctan":
            return cmath.atan(args[0])
        return getattr(cmath, name)(args[0])

    def _derivative(self, name: str, orders: tuple[int, ...], args: Sequence[Any]) -> Any:
        """A first derivative at a real point, by complex step as well."""
        assert sum(orders) == 1 and all(a.imag == 0 for a in args)
        moved = [a + 1j * STEP * n for a, n in zip(args, orders, strict=True)]
        return complex(self.apply(name, (0,) * len(args), moved).imag / STEP)


def root_derivative(
    graph: Graph,
    sizes: Mapping[Size, int],
    root: Tensor,
    tensor: Tensor,
    base: Forward,
    places: Iterable[Where] | None = None,
) -> dict[Where, float]:
    """∂root/∂(entry) for entries of a tensor (all, or those given) at the inputs of ``base``.

    If the root has examples it stands for the sum over them.
    """
    found = {}
    for where in base.entries(tensor) if places is None else places:
        key: Key = (tensor.name, where)
        inputs, pushed = dict(base.inputs), {}
        if key in inputs:
            inputs[key] += 1j * STEP
        else:
            pushed[key] = 1j * STEP
        values = Forward(graph, sizes, base.numbers, inputs, pushed).run().values
        found[where] = sum(v.imag for k, v in values.items() if k[0] == root.name) / STEP
    return found

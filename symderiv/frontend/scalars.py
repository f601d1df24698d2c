"""Small networks written out: a letter for every weight, as in w1 x1 + w2 x2 + b.

    2-1:sigmoid+bce+scalars     z[s] = w1 x1[s] + w2 x2[s] + b
    2-2-1:tanh+mse+scalars      z1_2[s] = w1_21 x1[s] + w1_22 x2[s] + b1_2

A letter has the unit it leads to and the one it comes from; what there is only one of has none,
nor has the layer of a network with one layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from symderiv.algebra.expr import Expr, Role, Tensor, add
from symderiv.algebra.index import Var
from symderiv.calculus.builder import Builder
from symderiv.calculus.functions import VectorFunction, rows
from symderiv.calculus.graph import Graph, Kind
from symderiv.calculus.layers import assume_total, cost
from symderiv.frontend.known import learned
from symderiv.frontend.network import Network

Units: TypeAlias = tuple[Tensor, ...]


def written_out(network: Network, layout: str) -> tuple[Graph, Mapping[str, Units]]:
    """The graph of a small network, and the letters that stand for X, W1, b1, …"""
    sizes = [int(size) for size in network.sizes]
    net = _Written(Builder(layout), len(sizes) - 1)
    units = net.letters["X"] = net.units("x", sizes[0], Role.INPUT)
    weights: list[Tensor] = []
    for layer, activation in enumerate(network.activations, start=1):
        z = net.weighted(units, sizes[layer], layer, network.bias[layer - 1])
        weights.extend(net.letters[f"W{layer}"])
        units = net.applied(activation, (z,), layer, "a", Role.ACTIVATION)
    targets = net.units("y", sizes[-1], Role.TARGET)
    ell = net.loss(network.loss, units, targets)
    c = cost(net.builder, ell, network.reduction, weights, network.penalty == "l2")
    return net.builder.graph(c, ell, kind=Kind.WRITTEN_OUT), net.letters


@dataclass
class _Written:
    """A network being written out; a quantity of every example has the axis of examples alone."""

    builder: Builder
    depth: int
    letters: dict[str, Units] = field(default_factory=dict)

    def over(self) -> tuple[Var, ...]:
        """A new index for the examples, where there are several."""
        b = self.builder
        return () if b.layout == "single" else b.over(b.examples)

    def letter(
        self, stem: str, role: Role, layer: int | None, *places: tuple[int, int], batch: bool = True
    ) -> Tensor:
        """One quantity; ``places`` are (number, how many there are) of its units."""
        shown = "".join(str(n) for n, count in places if count > 1)
        layer = layer if self.depth > 1 else None
        name = stem if layer is None else f"{stem}{layer}{'_' if shown else ''}"
        axes = [v.axis for v in self.over()] if batch else []
        return self.builder.tensor(name + shown, axes, role, stem + shown, layer)

    def units(self, stem: str, count: int, role: Role) -> Units:
        """The inputs x1, x2, … or the targets."""
        return tuple(self.letter(stem, role, None, (n, count)) for n in range(1, count + 1))

    def weighted(self, inputs: Units, count: int, layer: int, bias: bool) -> Units:
        """z_i = w_i1 x1 + w_i2 x2 + … + b_i."""
        made, weights, offsets = [], [], []
        for i in range(1, count + 1):
            over = self.over()
            terms: list[Expr] = []
            for j, x in enumerate(inputs, start=1):
                place = (i, count), (j, len(inputs))
                weights.append(self.letter("w", Role.PARAMETER, layer, *place, batch=False))
                terms.append(weights[-1][()] * x[over])
            if bias:
                offsets.append(self.letter("b", Role.PARAMETER, layer, (i, count), batch=False))
                terms.append(offsets[-1][()])
            z = self.letter("z", Role.PREACTIVATION, layer, (i, count))
            self.builder.named.add(z.name)
            made.append(self.builder.define(z, over, add(*terms), "weighted input"))
        self.letters[f"W{layer}"], self.letters[f"b{layer}"] = tuple(weights), tuple(offsets)
        return tuple(made)

    def applied(self, name: str, args: Sequence[Units], layer: int, stem: str, role: Role) -> Units:
        """An activation of every unit; softmax by its parts. Each unit learns its own slope."""
        row = rows()[name]
        count = len(args[0])
        if isinstance(row, VectorFunction):
            return self.parts(row, args, layer, stem, role)
        slopes = {
            stem: tuple(
                self.letter(stem, Role.PARAMETER, layer, (i, count), batch=False)
                for i in range(1, count + 1)
            )
            for stem in learned(name)
        }
        self.letters.update({f"{stem}{layer}": units for stem, units in slopes.items()})
        made = []
        for i, z in enumerate(args[0], start=1):
            over = self.over()
            a = self.letter(stem, role, layer, (i, count))
            further = (units[i - 1][()] for units in slopes.values())
            body = row(z[over], *further, *self.builder.hyper(row))
            made.append(self.builder.define(a, over, body, "activation"))
        return tuple(made)

    def parts(
        self, row: VectorFunction, args: Sequence[Units], layer: int | None, stem: str, role: Role
    ) -> Units:
        """The lines of a vector function, one equation for each unit and one for each sum."""
        known = dict(zip(row.arguments, args, strict=True))
        count = len(args[0])
        for part in row.parts:
            last = part is row.parts[-1]
            letter, kind = (stem, role) if last else (part.name, Role.AUXILIARY)
            why = row.why if last else ""
            over = self.over()
            entries = [
                part.formula(*(known[n][i if len(known[n]) > 1 else 0][over] for n in part.of))
                for i in range(count)
            ]
            if part.kind == "sum":
                total = self.letter(letter, kind, layer)
                self.builder.define(total, over, add(*entries), why, row.name)
                known[part.name] = (total,)
                continue
            made = tuple(self.letter(letter, kind, layer, (i + 1, count)) for i in range(count))
            for tensor, body in zip(made, entries, strict=True):
                self.builder.define(tensor, over, body, why, row.name)
            known[part.name] = made
        return known[row.parts[-1].name]

    def loss(self, name: str, outputs: Units, targets: Units) -> Tensor:
        """The loss of one example, summed over its outputs."""
        row = rows()[name]
        over = self.over()
        assume_total(self.builder, row, add(*(y[over] for y in targets)), over)
        if isinstance(row, VectorFunction):
            return self.parts(row, (outputs, targets), None, "ell", Role.LOSS)[0]
        ell = self.letter("ell", Role.LOSS, None)
        hyper = self.builder.hyper(row)
        terms = (row(a[over], y[over], *hyper) for a, y in zip(outputs, targets, strict=True))
        return self.builder.define(ell, over, add(*terms), "loss of one example")

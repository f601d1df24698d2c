"""A Network becomes a Graph: forward equations, what to differentiate by, and known numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from symderiv.algebra.expr import Role, Tensor
from symderiv.algebra.index import Size, as_index
from symderiv.calculus.graph import Graph
from symderiv.calculus.networks import any_depth, feed_forward
from symderiv.frontend.checks import family
from symderiv.frontend.errors import SpecError
from symderiv.frontend.example import check_complete
from symderiv.frontend.network import Network
from symderiv.options import LAYOUT


@dataclass(frozen=True)
class Built:
    """The forward graph of a spec.

    wrt    the tensors whose gradients are asked for, in order; none where all are frozen
    sizes  the numbers that the spec gave; in the graph every size is a symbol
    units  of a network written out: the letters that stand for X, W1, b1, ...
    """

    graph: Graph
    wrt: tuple[Tensor, ...]
    sizes: Mapping[Size, int]
    units: Mapping[str, tuple[Tensor, ...]] = field(default_factory=dict)

    @property
    def parameters(self) -> Mapping[str, tuple[Tensor, ...]]:
        """W1, b1, ... and the tensor of each, or the letters that stand for it."""
        arrays = {t.name: (t,) for t in self.graph.inputs if t.role is Role.PARAMETER}
        return {name: t for name, t in self.units.items() if name != "X"} or arrays

    def held(self, names: Collection[str]) -> frozenset[Tensor]:
        """The parameters that names hold fixed: ``W1`` one, ``b`` every bias, unless b is one."""
        own = {t.name for t in self.graph.inputs}
        return frozenset(
            tensor
            for name, members in (self.units or {t.name: (t,) for t in self.graph.inputs}).items()
            for tensor in members
            if not {name, tensor.name}.isdisjoint(names)
            or (family(name) in names and family(name) not in own)
        )


def build_graph(network: Network, layout: str = LAYOUT, *, named: bool = False) -> Built:
    """The graph of a network, of any depth or a given one, or of a program.

    Numbers of units stay the symbols n[l]; ``sizes`` says what they are. Names of the user's
    own become sizes of that name. Errors: SpecError, also for an example that lacks a number and
    where every parameter is frozen, unless what to differentiate by is ``named`` elsewhere.
    """
    if not network.generic:
        data = () if network.is_program else ("X", "Y")
        lam = ("lam",) if network.penalty else ()
        sizes = {size for _, shape in network.shapes for size in shape} - {*dict(network.shapes)}
        needed = [name for name in network.parameters if name not in sizes]
        check_complete(network.example, (*data, *needed, *lam))
    if network.is_program:
        from symderiv.frontend.lower import lower  # half of this package, and few need it

        lowered = lower(network)
        return Built(lowered.graph, lowered.wrt, lowered.sizes)
    built = to_graph(network, layout)
    if not built.wrt and not named:
        raise SpecError("every parameter is frozen", "leave one free, or ask for X with --wrt X",
                        field="freeze", value=network.freeze)  # fmt: skip
    return built


def to_graph(network: Network, layout: str = LAYOUT) -> Built:
    """The graph of a feed-forward network."""
    if network.scalars:
        from symderiv.frontend.scalars import written_out

        graph, letters = written_out(network, layout)
        return Built(graph, _wrt(network, letters), {}, letters)
    l2 = network.penalty == "l2"
    if network.generic:
        hidden, output = network.activations
        graph = any_depth(
            hidden, output, network.loss,
            bias=network.bias[0], reduction=network.reduction, l2=l2, layout=layout,
        )  # fmt: skip
        return Built(graph, _wrt(network, _arrays(graph)), {})
    graph = feed_forward(
        network.activations, network.loss,
        bias=network.bias, sizes=shared_sizes(network.sizes), reduction=network.reduction,
        l2=l2, layout=layout,
    )  # fmt: skip
    numbers = {
        Size("n", as_index(n)): size
        for n, size in enumerate(network.sizes)
        if isinstance(size, int)
    }
    return Built(graph, _wrt(network, _arrays(graph)), numbers)


def shared_sizes(sizes: Sequence[int | str]) -> list[str | None] | None:
    """Names for the layers' sizes; None where all of them are the family n[l] as it is.

    ``n0-30-n2`` is the family; ``n-n-k`` has two layers of one size. Errors: SpecError for a
    name such as n1 that stands for another layer than the number beside it.
    """
    named = {n: size for n, size in enumerate(sizes) if isinstance(size, str)}
    if all(name == f"n{n}" for n, name in named.items()):
        return None
    for n, size in enumerate(sizes):
        if isinstance(size, int) and f"n{n}" in named.values():
            raise SpecError(
                f"the name n{n} is given to another layer than {n}",
                f"layer {n} has {size} units, and n{n} would be read as their number; rename it",
                field="sizes", value=f"n{n}",
            )  # fmt: skip
    return [named.get(n) for n in range(len(sizes))]


def _arrays(graph: Graph) -> Mapping[str, tuple[Tensor, ...]]:
    """X, W1, b1, … and the tensor of each."""
    return {"X" if t.name == "x" else t.name: (t,) for t in graph.inputs}


def _wrt(network: Network, tensors: Mapping[str, tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """What is asked for, or every parameter; without what is frozen."""
    asked = network.request.wrt if network.request else ()
    chosen: dict[Tensor, None] = {}
    for name in asked or network.parameters:
        members = [name] if name == "X" else [
            p for p in network.parameters if name in (p, family(p))
        ]  # fmt: skip
        for member in members:
            if member != "X" and network.is_frozen(member):
                if name in asked and name == member:
                    raise SpecError(f"wrt names {name}, which is frozen",
                                    "leave it out of wrt or of freeze",
                                    field="wrt", value=name)  # fmt: skip
                continue
            chosen.update(dict.fromkeys(tensors[member]))
    return tuple(chosen)

"""What to differentiate by: the names that a user writes become tensors of the graph."""

from __future__ import annotations

from collections.abc import Iterable

from symderiv.algebra.expr import Role, Tensor
from symderiv.calculus.graph import Graph
from symderiv.frontend.build import Built
from symderiv.frontend.checks import family
from symderiv.frontend.errors import SpecError, show
from symderiv.frontend.network import Network

_DIFFERENTIABLE = (Role.INPUT, Role.PARAMETER)


def asked_names(wrt: str | Iterable[str]) -> list[str]:
    """The names that are asked for, each once: ``"W1,b1"`` or a list. Raises SpecError."""
    if not isinstance(wrt, (str, Iterable)):
        raise SpecError(f"wrt is {show(wrt)}", "write names such as W1,b1", field="wrt", value=wrt)
    names = [part.strip() for part in wrt.split(",")] if isinstance(wrt, str) else list(wrt)
    for name in names:
        if not isinstance(name, str) or not name:
            raise SpecError(
                f"wrt has {show(name)}", "write names such as W1,b1", field="wrt", value=name
            )
    if not names:
        raise SpecError("wrt is empty", "name a parameter, or leave it out", field="wrt")
    return list(dict.fromkeys(names))


def asked_tensors(built: Built, network: Network, names: Iterable[str]) -> list[Tensor]:
    """The tensors of these names of a network of layers; ``W`` and ``b`` are all weights, biases.

    Where units are written out, X, W1 and b1 are all that stand for them. Raises SpecError for a
    name that is not there and for one that is frozen.
    """
    graph = built.graph
    frozen = built.held(network.freeze)
    own = {public_name(t, network): (t,) for t in graph.inputs if t.role is not Role.TARGET}
    families: dict[str, tuple[Tensor, ...]] = {}
    for name, members in built.parameters.items():
        families[family(name)] = (*families.get(family(name), ()), *members)
    found = families | dict(built.units) | own
    if "X" in found:
        found.setdefault("x", found["X"])
    chosen: dict[Tensor, None] = {}
    for name in names:
        if name not in found:
            free = (t for t in graph.inputs if t.role in _DIFFERENTIABLE and t not in frozen)
            known = ", ".join(public_name(t, network) for t in free)
            raise SpecError(
                f"wrt names {show(name)}", f"known are {known}", field="wrt", value=name
            )
        free_ones = [t for t in found[name] if t not in frozen]
        if not free_ones:
            raise SpecError(
                f"wrt names {name}, which is frozen", "leave it out of wrt or of freeze",
                field="wrt", value=name,
            )  # fmt: skip
        chosen.update(dict.fromkeys(free_ones))
    return list(chosen)


def public_name(tensor: Tensor, network: Network) -> str:
    """What users call a tensor: the input x of a network of layers is X; all else has its name."""
    return "X" if tensor.name == "x" and not network.is_program else tensor.name


def public_names(graph: Graph, network: Network) -> str:
    """All that can be asked for, as a list in a sentence."""
    asked = (t for t in graph.inputs if t.role in _DIFFERENTIABLE)
    return ", ".join(public_name(t, network) for t in asked)

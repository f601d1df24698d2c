"""Deep networks: chains that differ in nothing but the number of their layer are printed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symderiv.documents import named
from symderiv.documents.ledger import ChainEntry, Ledger
from symderiv.documents.model import Math, Phrase
from symderiv.documents.prose import say
from symderiv.notation import Names

MANY = 3  # with more layers than these, chains are shared

Group = list[ChainEntry]


def relative(ledger: Ledger, chain: ChainEntry, base: int | None) -> ChainEntry:
    """The same chain with layers written relative to ``base``: l, l + 1, l - 1."""
    return replace(chain, names=named.relative_names(ledger, chain, base))


def alike(ledger: Ledger, groups: Sequence[Group]) -> list[list[Group]]:
    """Groups of chains that print alike, together; each by itself in a network of few layers."""
    layers = sum(c.names.has_name(c.adjoint.tensor) for c in ledger.chains)
    if layers <= MANY:
        return [[group] for group in groups]
    found: dict[tuple[str, ...], list[Group]] = {}
    for group in groups:
        found.setdefault(_key(ledger, group), []).append(group)
    return list(found.values())


def _key(ledger: Ledger, group: Group) -> tuple[str, ...]:
    base = group[-1].layer
    if base is None:
        return tuple(chain.final for chain in group)
    lines = []
    for chain in group:
        own = relative(ledger, chain, base)
        lines += [ledger.show(chain.adjoint.left, own.names).tex]
        lines += [ledger.show(e.step.right, own.names).tex for e in chain.steps if e.shown]
    return tuple(lines)


def printed(ledger: Ledger, alike: Sequence[Group]) -> Group:
    """The chains that stand for all of them: in the letter l where there are several."""
    first = alike[0]
    if len(alike) == 1:
        return first
    base = first[-1].layer
    return [relative(ledger, chain, base) for chain in first]


def holds_for(ledger: Ledger, alike: Sequence[Group]) -> Phrase:
    """``Written for layer l; the same holds for l = 1, ..., 4``, in the letter of the notation.

    The tags of forward equations and steps are those of the layer that is printed.
    """
    if len(alike) == 1:
        return ()
    last = [group[-1] for group in alike]
    letter = Names(ledger.notation, ledger.graph).axis_letter("layer")
    layer = Math.same(letter)
    first = ledger.show_layer(last[0].layer or 0, Names(ledger.notation, ledger.graph))
    member = layer + Math(*[" = "] * 3) + first
    return say("general", l=layer, member=member, range=named.layer_range(ledger, last)[1:])

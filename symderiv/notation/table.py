"""The table of notations, one row a data module."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from symderiv.notation.conventions import Notation
from symderiv.notation.nielsen import NIELSEN

NOTATIONS: Mapping[str, Notation] = MappingProxyType({row.name: row for row in (NIELSEN,)})

DEFAULT = NIELSEN
"""What a formula outside of any document is written in."""


def notation(name: str) -> Notation:
    """The notation of this name. Raises KeyError."""
    return NOTATIONS[name]

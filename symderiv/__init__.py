"""From a network to a proved derivation, a typeset document and NumPy code.

parse_spec  spec text, TOML or Python    ->  Network
derive      Network -> Graph -> Steps    ->  CheckedDerivation   (every step judged)
derive_graph   the same for a graph made with the Builder, a layer of one's own
.render     "tex", "pdf", "md", "json", "numpy"
.delta(l), .gradient("W", l), .gradient("X")   with .latex(), .sympy(), .numpy()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from symderiv._version import VERSION as __version__

if TYPE_CHECKING:
    from symderiv.api import derive, derive_graph
    from symderiv.frontend import Network, SpecError, parse_spec
    from symderiv.proof.check import CheckedDerivation

_HOMES = {
    "derive": "symderiv.api",
    "derive_graph": "symderiv.api",
    "CheckedDerivation": "symderiv.proof.check",
    "Network": "symderiv.frontend",
    "SpecError": "symderiv.frontend",
    "parse_spec": "symderiv.frontend",
}

__all__ = [
    "CheckedDerivation", "Network", "SpecError", "__version__", "derive", "derive_graph",
    "parse_spec",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Public names are imported on first use, so that ``--help`` is instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'symderiv' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    """The public names, whether imported yet or not."""
    return sorted(__all__)

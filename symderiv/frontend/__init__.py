"""What a user writes (spec, TOML, expression, Python) becomes a Network or a tree, or a SpecError.

    parse_spec        inline text, assignments or a TOML file  ->  Network
    Network.build     the same from Python
    parse_expression  parse_equation, parse_program: the one expression language  ->  nodes
    build_graph       a Network, of layers or a program  ->  forward equations, what to derive
    lower.lower_expression  one expression with shapes         ->  the same

Nothing is ever evaluated, and no text leaves this package except names that match
``[A-Za-z][A-Za-z0-9_]{0,31}`` and the title.
"""

from symderiv.frontend.build import Built, build_graph
from symderiv.frontend.errors import SpecError
from symderiv.frontend.example import Example
from symderiv.frontend.grammar import parse_equation, parse_expression, parse_program
from symderiv.frontend.network import Network
from symderiv.frontend.nodes import to_text
from symderiv.frontend.program import Request
from symderiv.frontend.spec import parse_spec
from symderiv.frontend.toml import parse_toml

__all__ = [
    "Built",
    "Example",
    "Network",
    "Request",
    "SpecError",
    "build_graph",
    "parse_equation",
    "parse_expression",
    "parse_program",
    "parse_spec",
    "parse_toml",
    "to_text",
]

"""The computation graph of a program: operations as nodes, values forward, derivatives back.

    b ─┐                        above an edge, green: the value that goes forward along it
       × ─┐                     below it, red: the derivative of the cost that comes back along it
    c ─┘  + ── × ── J
    a ────┘    3

One layout, in pixels, for TikZ and for SVG.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from math import atan2, degrees

from symderiv.algebra.expr import Access, Add, Apply, Expr, Mul, Number, Pow, Tensor
from symderiv.calculus.functions import rows
from symderiv.documents.ledger import Ledger
from symderiv.documents.model import Math
from symderiv.documents.numbers import Value, apply_at, plus, shown, times, to_power
from symderiv.documents.worked import Numbers
from symderiv.notation import Names

ROW, COLUMN, RADIUS = 84, 128, 20  # pixels
MAX_NODES = 24
MAX_LABEL = 12
SHORT = 4  # significant digits on an edge
PX = 0.24  # millimetres a pixel in TikZ
NOTHING = Math.same("")


@dataclass
class Node:
    """An operation, or a leaf: an input or a number."""

    label: Math
    args: list[Node] = field(default_factory=list)
    expr: Expr | None = None
    tensor: Tensor | None = None
    x: float = 0
    y: float = 0

    @property
    def is_leaf(self) -> bool:
        """Whether nothing goes into it."""
        return not self.args


@dataclass(frozen=True)
class Edge:
    """From an argument to its operation; the last one leaves the cost and goes nowhere."""

    start: Node
    end: Node | None
    above: Math = NOTHING
    below: Math = NOTHING


@dataclass(frozen=True)
class OperationGraph:
    """Nodes with places, edges with labels."""

    nodes: list[Node]
    edges: list[Edge]


def operation_graph(ledger: Ledger, numbers: Numbers | None) -> OperationGraph | None:
    """The graph of a program of scalars; None for anything else, or where it is too large."""
    graph = ledger.graph
    if any(t.slots for t in graph.tensors) or graph.example_loss is not None:
        return None
    made: dict[Tensor, Node] = {}
    for definition in graph.definitions:
        node = _node(ledger, definition.body, made)
        if node is None:
            return None
        if node.tensor is None:
            node.tensor = definition.target
        made[definition.target] = node
    root = made[graph.cost]
    nodes = list(_postorder(root, []))
    if root.is_leaf or len(nodes) > MAX_NODES:
        return None
    _place(root, nodes)
    return OperationGraph(nodes, _edges(ledger, nodes, root, numbers))


# --- From trees to nodes -----------------------------------------------------------------------


def _node(ledger: Ledger, expr: Expr, made: dict[Tensor, Node]) -> Node | None:
    match expr:
        case Number():
            return Node(shown(expr.value), expr=expr)
        case Access(tensor, ()):
            if tensor not in made:
                label = ledger.show(expr, Names(ledger.notation, ledger.graph))
                made[tensor] = Node(label, expr=expr, tensor=tensor)
            return made[tensor]
        case Add(parts):
            label = Math.same("+")
        case Mul((Number() as minus, *rest)) if minus.value == -1 and len(rest) == 1:
            parts = tuple(rest)
            label = Math("-", "−", "-")
        case Mul(parts):
            label = Math(r"\times", "×", "*")
        case Pow(base, exponent):
            parts = (base,)
            label = Math(rf"(\cdot)^{{{exponent}}}", f"^{exponent}", f"^{exponent}")
        case Apply(name, parts, orders) if parts and not any(orders):
            row = rows()[name]
            label = Math(row.latex, row.plain_name, name)
        case _:
            return None
    args = [_node(ledger, part, made) for part in parts]
    if None in args:
        return None
    return Node(label, [a for a in args if a is not None], expr)


def _postorder(node: Node, seen: list[Node]) -> Iterator[Node]:
    if any(node is other for other in seen):
        return
    seen.append(node)
    for arg in node.args:
        yield from _postorder(arg, seen)
    yield node


# --- Places --------------------------------------------------------------------------------------


def _place(root: Node, nodes: list[Node]) -> None:
    """Columns by the way to the root, leaves in rows of their own, operations between theirs."""
    depth = {id(root): 0}
    for node in reversed(nodes):
        for arg in node.args:
            depth[id(arg)] = max(depth.get(id(arg), 0), depth[id(node)] + 1)
    width = max(depth.values())
    row = 0
    for node in nodes:
        node.x = (width - depth[id(node)]) * COLUMN
        if node.is_leaf:
            node.y = row * ROW
            row += 1
        else:
            own = [a.y for a in node.args]
            node.y = sum(own) / len(own)
    columns: dict[float, list[Node]] = {}
    for node in nodes:
        columns.setdefault(node.x, []).append(node)
    for column in columns.values():  # no two nodes of a column nearer than a row
        column.sort(key=lambda n: n.y)
        for before, node in pairwise(column):
            node.y = max(node.y, before.y + ROW)


# --- Labels --------------------------------------------------------------------------------------


def _edges(ledger: Ledger, nodes: list[Node], root: Node, numbers: Numbers | None) -> list[Edge]:
    pairs = [(arg, node, n) for node in nodes for n, arg in enumerate(node.args)]
    if numbers is None:
        uses = {id(node): sum(arg is node for arg, _, _ in pairs) for node in nodes}
        return [
            Edge(a, b, _name(ledger, a), _closed(ledger, a) if uses[id(a)] == 1 else NOTHING)
            for a, b, _ in pairs
        ] + [Edge(root, None, _name(ledger, root), Math.same("1"))]
    values = forward(nodes, numbers)
    totals, flows = backward(nodes, root, values)
    made = []
    for a, b, n in pairs:
        back = NOTHING if isinstance(a.expr, Number) else shown(flows[id(b), n], SHORT)
        made.append(Edge(a, b, shown(values[id(a)], SHORT), back))
    end = shown(values[id(root)], SHORT), shown(totals[id(root)], SHORT)
    return [*made, Edge(root, None, *end)]


def forward(nodes: list[Node], numbers: Numbers) -> dict[int, Value]:
    """The value of every node."""
    values: dict[int, Value] = {}
    for node in nodes:
        if isinstance(node.expr, Number):
            values[id(node)] = node.expr.value
        elif node.is_leaf:
            assert node.tensor is not None
            values[id(node)] = numbers.value(node.tensor)
        else:
            values[id(node)] = _applied(node, [values[id(a)] for a in node.args])
    return values


def _applied(node: Node, args: list[Value]) -> Value:
    match node.expr:
        case Pow(_, exponent):
            return to_power(args[0], exponent)
        case Apply(name, _, _):
            return apply_at(name, args)
    total = _sign(node)
    if isinstance(node.expr, Add):
        total = Number.of(0).value
    for arg in args:
        total = plus(total, arg) if isinstance(node.expr, Add) else times(total, arg)
    return total


def _sign(node: Node) -> Value:
    """-1 for an operation that only turns the sign, which has one argument; else 1."""
    return Number.of(-1 if len(node.args) == 1 else 1).value


def backward(
    nodes: list[Node], root: Node, values: dict[int, Value]
) -> tuple[dict[int, Value], dict[tuple[int, int], Value]]:
    """The derivative by every node, and the part of it that comes back along every edge."""
    one = Number.of(1).value
    totals: dict[int, Value] = {id(root): one}
    flows: dict[tuple[int, int], Value] = {}
    for node in reversed(nodes):
        args = [values[id(a)] for a in node.args]
        for n, arg in enumerate(node.args):
            flow = times(totals[id(node)], _slope(node, args, n))
            flows[id(node), n] = flow
            totals[id(arg)] = plus(totals[id(arg)], flow) if id(arg) in totals else flow
    return totals, flows


def _slope(node: Node, args: list[Value], n: int) -> Value:
    """∂(operation)/∂(argument n)."""
    match node.expr:
        case Add():
            return Number.of(1).value
        case Pow(_, exponent):
            return times(Number.of(exponent).value, to_power(args[0], exponent - 1))
        case Apply(name, _, _):
            return apply_at(name, args, [int(k == n) for k in range(len(args))])
    product = _sign(node)
    for k, arg in enumerate(args):
        product = times(product, arg) if k != n else product
    return product


def _name(ledger: Ledger, node: Node) -> Math:
    if node.tensor is None or node.is_leaf:
        return NOTHING
    return ledger.show(Access(node.tensor, ()), Names(ledger.notation, ledger.graph))


def _closed(ledger: Ledger, node: Node) -> Math:
    """The closed form of the derivative by a node, where it has one that is short."""
    chain = next((c for c in ledger.chains if c.of == node.tensor), None)
    if chain is None:
        return NOTHING
    math = ledger.show(chain.adjoint.closed, chain.names)
    return math if len(math.unicode) <= MAX_LABEL else NOTHING


# --- TikZ and SVG --------------------------------------------------------------------------------


def to_tikz(graph: OperationGraph) -> str:
    """The picture for LaTeX."""
    number = {id(node): n for n, node in enumerate(graph.nodes)}
    lines = [rf"\begin{{tikzpicture}}[x={PX}mm,y=-{PX}mm]"]
    for node in graph.nodes:
        style = "operation" if node.args else "inner sep=3pt"
        place = f"(n{number[id(node)]}) at ({node.x:g},{node.y:g})"
        lines.append(rf"\node[{style}] {place} {{${node.label.tex}$}};")
    for edge in graph.edges:
        start = f"(n{number[id(edge.start)]})"
        end = f"(n{number[id(edge.end)]})" if edge.end else f"++({COLUMN},0)"
        labels = ""
        if edge.above.tex:
            labels += rf" node[forward value,sloped] {{${edge.above.tex}$}}"
        if edge.below.tex:
            labels += rf" node[adjoint value,sloped] {{${edge.below.tex}$}}"
        lines.append(rf"\draw[flow] {start} --{labels} {end};")
    lines.append(r"\end{tikzpicture}")
    return "\n".join(lines)


def to_svg(graph: OperationGraph) -> str:
    """The same picture for a browser."""
    margin = 44
    width = max(n.x for n in graph.nodes) + COLUMN + 2 * margin
    height = max(n.y for n in graph.nodes) + 2 * margin
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="serif" font-size="16">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 1 8 4 0 7z" fill="#444"/></marker></defs>',
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
    ]
    for edge in graph.edges:
        lines += _svg_edge(edge, margin)
    for node in graph.nodes:
        x, y = node.x + margin, node.y + margin
        if node.args:
            lines.append(f'<circle cx="{x:g}" cy="{y:g}" r="{RADIUS}" fill="#fff" stroke="#444"/>')
        label = escape(node.label.unicode)
        lines.append(f'<text x="{x:g}" y="{y + 5:g}" text-anchor="middle">{label}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def _svg_edge(edge: Edge, margin: int) -> Iterator[str]:
    x1, y1 = edge.start.x + margin, edge.start.y + margin
    x2 = edge.end.x + margin if edge.end else x1 + COLUMN
    y2 = edge.end.y + margin if edge.end else y1
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    first = RADIUS if edge.start.args else RADIUS * 0.7
    last = RADIUS if edge.end else 0
    a = (x1 + ux * first, y1 + uy * first)
    b = (x2 - ux * last, y2 - uy * last)
    yield (
        f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" '
        'stroke="#444" marker-end="url(#tip)"/>'
    )
    middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    angle = degrees(atan2(uy, ux))
    for label, colour, side in ((edge.above, "#1A7440", -6), (edge.below, "#B3243B", 15)):
        if label.unicode:
            x, y = middle[0] - uy * side, middle[1] + ux * side
            yield (
                f'<text transform="translate({x:.1f} {y:.1f}) rotate({angle:.1f})" '
                f'text-anchor="middle" font-size="13" fill="{colour}">'
                f"{escape(label.unicode)}</text>"
            )

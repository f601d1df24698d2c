"""Pictures as TikZ: the network, and the quantities of the derivation from layer to layer.

One layout for both: columns of nodes; a large layer shows three units, ⋮ and the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from symderiv.algebra.expr import Role, Tensor, tensors_in
from symderiv.calculus.graph import Graph, Kind
from symderiv.documents.ledger import Ledger
from symderiv.frontend.presentation import Presentation
from symderiv.notation import Names, Symbol
from symderiv.notation.tex import TexPrinter, joined, layered, letter

SPACING_X, SPACING_Y = 30.0, 12.0  # millimetres
MAX_SHOWN = 6
MAX_LAYERS = 7
CAPTION = 4  # parameters that find room below the lines between two layers


@dataclass(frozen=True)
class Unit:
    """A node of the network; ``number`` is a unit's index, None for the dots."""

    layer: int
    number: str | None
    y: float

    @property
    def name(self) -> str:
        """The node's name in TikZ."""
        return f"u{self.layer}-{self.number}"


def column(layer: int, size: int | str) -> list[Unit]:
    """The units of a layer that are drawn, from top to bottom."""
    if isinstance(size, int) and size <= MAX_SHOWN:
        numbers: list[str | None] = [str(n) for n in range(1, size + 1)]
    else:
        numbers = ["1", "2", "3", None, str(size)]
    top = (len(numbers) - 1) / 2 * SPACING_Y
    return [Unit(layer, number, top - n * SPACING_Y) for n, number in enumerate(numbers)]


def network_figure(ledger: Ledger, presentation: Presentation) -> str:
    """Columns of neurons, every one joined to every one of the next column."""
    sizes = presentation.sizes
    layers = sorted(sizes)
    graph = ledger.graph
    drawn = graph.kind is not Kind.PROGRAM and not graph.has_families
    if not drawn or not 2 <= len(layers) <= MAX_LAYERS:
        return ""
    columns = [column(layer, sizes[layer]) for layer in layers]
    lines = [r"\begin{tikzpicture}[x=1mm,y=1mm]"]
    for units in columns:
        x = units[0].layer * SPACING_X
        for unit in units:
            if unit.number is None:
                lines.append(rf"\node at ({x:g},{unit.y:g}) {{$\vdots$}};")
            else:
                style = _style(unit.layer, layers)
                label = _label(ledger, unit)
                lines.append(rf"\node[{style}] ({unit.name}) at ({x:g},{unit.y:g}) {{{label}}};")
    for left, right in pairwise(columns):
        for unit in left:
            for other in right:
                if unit.number is not None and other.number is not None:
                    lines.append(rf"\draw[synapse] ({unit.name}) -- ({other.name});")
    bottom = min(u.y for units in columns for u in units) - 9
    lines += _captions(ledger, layers, bottom)
    lines.append(r"\end{tikzpicture}")
    return "\n".join(lines)


def _style(layer: int, layers: list[int]) -> str:
    if layer == layers[0]:
        return "input neuron"
    return "output neuron" if layer == layers[-1] else "neuron"


def _label(ledger: Ledger, unit: Unit) -> str:
    names = Names(ledger.notation, ledger.graph)
    tensors = _activations(ledger, unit.layer)
    if not tensors or unit.number is None:
        return ""
    if ledger.graph.written_out:
        tensor = tensors[int(unit.number) - 1]
        scripts = TexPrinter(names).scripts(tensor, ())
        return f"${joined(names.symbol(tensor).entry, scripts)}$"
    output = tensors[-1]  # a layer may scale its units before the activation
    symbol = names.symbol(output).entry
    scripts = TexPrinter(names).scripts(output, ())
    number = unit.number if unit.number.isdigit() else letter(unit.number)
    size = r"\scriptstyle " if len(unit.number) > 2 else ""
    return rf"${size}{joined(symbol, f'{scripts}_{{{number}}}')}$"


def _activations(ledger: Ledger, layer: int) -> list[Tensor]:
    """The units of a layer: one tensor, or one a unit where the network is written out."""
    role = Role.INPUT if layer == 0 else Role.ACTIVATION
    found = [t for t in ledger.graph.tensors if t.role is role]
    if layer == 0:
        return found
    return [t for t in found if t.layer in (layer, None)]  # a single layer has no number


def _captions(ledger: Ledger, layers: list[int], y: float) -> list[str]:
    names = Names(ledger.notation, ledger.graph)
    printer = TexPrinter(names)
    lines = []
    for layer in layers[1:]:
        own = [t for t in ledger.graph.inputs if t.role is Role.PARAMETER and t.layer == layer]
        single = ledger.graph.written_out
        symbols = [names.symbol(t).entry if single else names.symbol(t).array for t in own]
        parameters = [joined(s, printer.scripts(t, ())) for s, t in zip(symbols, own, strict=True)]
        if len(parameters) > CAPTION:
            parameters = [parameters[0], r"\dots", parameters[-1]]
        if parameters:
            x = (layer - 0.5) * SPACING_X
            text = r",\ ".join(parameters)
            lines.append(rf"\node[font=\footnotesize,text=why] at ({x:g},{y:g}) {{${text}$}};")
    return lines


def layers_figure(ledger: Ledger) -> str:
    """x → z¹ → a¹ → ... → ℓ → C with the derivatives below the arrows."""
    names = Names(ledger.notation, ledger.graph)
    printer = TexPrinter(names)
    main = [
        t for t in ledger.graph.tensors
        if t.role in (Role.PREACTIVATION, Role.ACTIVATION, Role.LOSS, Role.COST)
    ]  # fmt: skip
    x = next((t for t in ledger.graph.inputs if t.role is Role.INPUT), None)
    if ledger.graph.has_families:
        return "" if ledger.graph.kind is Kind.PROGRAM else _induction_figure(ledger)
    several = sum(t.role is Role.INPUT for t in ledger.graph.inputs) > 1
    if x is None or several or len(main) > 10 or len(main) < 3:
        return ""
    order = {d.definition.target: n for n, d in enumerate(ledger.definitions)}
    main.sort(key=lambda t: order.get(t, -1))
    adjoints = {c.of: c.adjoint.tensor for c in ledger.chains}
    step = 21 if len(main) <= 6 else 19
    lines = [r"\begin{tikzpicture}[x=1mm,y=1mm]"]
    for n, tensor in enumerate([x, *main]):
        symbol = names.symbol(tensor)
        text = (symbol.array if tensor.slots else symbol.entry) + printer.scripts(tensor, ())
        text = symbol.entry if tensor.role is Role.LOSS else text
        lines.append(rf"\node[operation] (v{n}) at ({n * step},0) {{${text}$}};")
    for n, before in enumerate([x, *main[:-1]], start=1):
        below = ""
        adjoint = adjoints.get(before)
        if adjoint is not None and names.has_name(adjoint):
            symbol = names.symbol(adjoint)
            text = symbol.array + printer.scripts(adjoint, ())
            below = rf" node[adjoint value] {{${text}$}}"
        lines.append(rf"\draw[flow] (v{n - 1}) --{below} (v{n});")
    for n, tensor in enumerate(main, start=1):
        parameters = [
            names.symbol(t).array + printer.scripts(t, ())
            for t in _parameters_of(ledger.graph, tensor, main)
        ]
        if tensor.role in (Role.PREACTIVATION, Role.ACTIVATION) and parameters:
            text = r",\,".join(parameters)
            lines.append(
                rf"\node[font=\footnotesize,text=why] (p{n}) at ({n * step},15) {{${text}$}};"
                "\n"
                rf"\draw[flow] (p{n}) -- (v{n});"
            )
        if tensor.role is Role.LOSS:
            lines.append(
                rf"\node[font=\footnotesize,text=why] (y) at ({n * step},15) {{$\mathbf{{y}}$}};"
                "\n"
                rf"\draw[flow] (y) -- (v{n});"
            )
    lines.append(r"\end{tikzpicture}")
    return "\n".join(lines)


def _parameters_of(graph: Graph, tensor: Tensor, drawn: Sequence[Tensor]) -> list[Tensor]:
    """The parameters that a quantity is computed from, on ways through nothing else drawn."""
    found, waiting = set[Tensor](), [tensor]
    while waiting:
        for definition in graph.definitions_of(waiting.pop()):
            new = [t for t in tensors_in(definition.body) if t not in found and t not in drawn]
            found.update(new)
            waiting.extend(new)
    return [t for t in graph.inputs if t in found and t.role is Role.PARAMETER]


def _induction_figure(ledger: Ledger) -> str:
    """One layer of a network of any depth, between a[l-1] and z[l+1]."""
    notation = ledger.notation
    letter = Names(notation, ledger.graph).axis_letter("layer")

    def at(symbol: Symbol, offset: int, shift: int = notation.activation_shift) -> str:
        number = offset + shift
        return layered(symbol.array, letter + (f"{number:+d}" if number else ""), notation)

    z, a = notation.symbols["z"], notation.symbols["a"]
    nodes = [at(a, -1), at(z, 0), at(a, 0), at(z, 1), at(a, 1)]
    lines = [r"\begin{tikzpicture}[x=1mm,y=1mm]", r"\node (v0) at (0,0) {$\cdots$};"]
    for n, node in enumerate(nodes, start=1):
        lines.append(
            rf"\node[operation,minimum size=10.5mm] (v{n}) at ({n * 22 - 4},0) {{${node}$}};"
        )
    lines.append(rf"\node (v{len(nodes) + 1}) at ({len(nodes) * 22 + 14},0) {{$\cdots$}};")
    errors = {3: 0, 5: 1}
    learned = [name for name in "Wb" if any(t.symbol == name for t in ledger.graph.inputs)]
    for n in range(1, len(nodes) + 2):
        below = ""
        if n in errors:
            text = at(notation.errors["z"], errors[n])
            below = rf" node[adjoint value] {{${text}$}}"
        lines.append(rf"\draw[flow] (v{n - 1}) --{below} (v{n});")
    for n, offset in ((2, 0), (4, 1)):
        shift = notation.parameter_shift
        text = r",\,".join(at(notation.symbols[name], offset, shift) for name in learned)
        lines.append(
            rf"\node[font=\footnotesize,text=why] (p{n}) at ({n * 22 - 4},16) {{${text}$}};"
            "\n"
            rf"\draw[flow] (p{n}) -- (v{n});"
        )
    lines.append(r"\end{tikzpicture}")
    return "\n".join(lines)

"""The section of worked numbers: forward, back, one update, and the cost afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from symderiv.algebra.expr import Role, Tensor
from symderiv.documents import opgraph
from symderiv.documents.ledger import ChainEntry, Checked, Ledger
from symderiv.documents.model import (
    EQUALS,
    Block,
    Equations,
    Math,
    Prose,
    Ref,
    Row,
    Section,
)
from symderiv.documents.numbers import DIGITS, NoValue, Value, shown
from symderiv.documents.prose import enumerated, say, title
from symderiv.documents.tables import array, matrix_of
from symderiv.documents.worked import (
    MAX_STEPS,
    Numbers,
    Where,
    descend,
    numbers_of,
)
from symderiv.frontend.presentation import Presentation
from symderiv.notation import Names

SHORT = 10  # characters of an equation that needs no line of its own
_FORWARD = (Role.PREACTIVATION, Role.ACTIVATION, Role.AUXILIARY, Role.LOSS, Role.PENALTY, Role.COST)


def worked_numbers(ledger: Ledger, presentation: Presentation) -> Numbers | None:
    """The numbers of the example, if it has all that the network needs."""
    try:
        found = numbers_of(
            ledger.checked.derivation, presentation.example, presentation.sizes, presentation.layout
        )
        if found is not None:
            found.value(ledger.graph.cost)
            for chain in ledger.chains:
                found.array(chain.adjoint.tensor)
    except NoValue:
        return None
    return found


def to_svg(checked: Checked, presentation: Presentation) -> str:
    """The computation graph of a program of scalars as SVG; nothing for anything else."""
    ledger = Ledger(checked, presentation.notation)
    graph = opgraph.operation_graph(ledger, worked_numbers(ledger, presentation))
    return "" if graph is None else opgraph.to_svg(graph)


def worked_section(
    ledger: Ledger, presentation: Presentation, numbers: Numbers | None
) -> Section | None:
    """The example of the spec in numbers."""
    example = presentation.example
    if numbers is None or example is None:
        return None
    inputs = [t for t in ledger.graph.inputs if t.role is not Role.PARAMETER]
    parameters = [t for t in ledger.graph.inputs if t.role is Role.PARAMETER]
    forward = [d.target for d in ledger.graph.definitions if d.target.role in _FORWARD]
    blocks: list[Block] = [
        Prose(say("worked", digits=str(DIGITS))),
        _listed(tuple(_rows(ledger, numbers, (*inputs, *parameters)))),
        Prose(say("worked_forward")),
        _listed(tuple(_rows(ledger, numbers, dict.fromkeys(forward)))),
        Prose(say("worked_back")),
        Equations(tuple(_chain_rows(ledger, numbers))),
    ]
    if example.rate is not None and _moved(ledger, presentation):
        blocks += _update(ledger, presentation, numbers, example.rate, example.steps or 1)
    return Section(title("worked"), tuple(blocks))


def _listed(lines: tuple[Row, ...]) -> Block:
    """Equations, a line each; in one line where all of them are short."""
    parts = [line.lhs + EQUALS + line.rhs for line in lines if line.lhs]
    if max(len(part.unicode) for part in parts) > SHORT:
        return Equations(lines)
    return Prose((*enumerated(list(parts)), "."))


def _rows(ledger: Ledger, numbers: Numbers, tensors: Iterable[Tensor]) -> Iterable[Row]:
    for tensor in tensors:
        yield Row(_name(ledger, tensor), matrix(ledger, tensor, numbers.array(tensor)))


def _chain_rows(ledger: Ledger, numbers: Numbers) -> Iterable[Row]:
    """The errors that have a name and the gradients; of a program everything."""
    program = not any(c.names.has_name(c.adjoint.tensor) for c in ledger.chains)
    for chain in ledger.chains:
        wanted = chain.of in ledger.graph.inputs or chain.names.has_name(chain.adjoint.tensor)
        if wanted or program:
            tensor = chain.adjoint.tensor
            why = say("worked_by", refs=Ref(chain.final))
            yield Row(_name(ledger, tensor), matrix(ledger, tensor, numbers.array(tensor)), why)


def _name(ledger: Ledger, tensor: Tensor) -> Math:
    names = Names(ledger.notation, ledger.graph)
    if tensor.role is Role.LOSS:
        return ledger.show_symbol(names.symbol(tensor))
    return array(ledger, tensor, names)


def _moved(ledger: Ledger, presentation: Presentation) -> list[ChainEntry]:
    """The chains of the parameters that a step of gradient descent moves."""
    return [
        c for c in ledger.chains
        if c.of in ledger.graph.inputs
        and c.of.role is Role.PARAMETER
        and c.of not in presentation.held
    ]  # fmt: skip


def _update(
    ledger: Ledger, presentation: Presentation, numbers: Numbers, rate: Fraction, steps: int
) -> list[Block]:
    """w − η ∂C/∂w for one step, and the cost after it and after the last one."""
    graph = ledger.graph
    moved = _moved(ledger, presentation)
    after = list(descend(numbers, rate, presentation.held, steps))
    lines = []
    eta = shown(rate)
    for chain in moved:
        slope = _name(ledger, chain.adjoint.tensor)
        minus = Math(" - ", " − ", " - ")
        if rate != 1:
            minus = minus + eta + Math(r" \, ", " ", "*")
        minus = minus + slope
        left = _name(ledger, chain.of) + minus
        lines.append(Row(left, matrix(ledger, chain.of, after[0].array(chain.of))))
    cost = _name(ledger, graph.cost)
    before, then = (shown(n.value(graph.cost)) for n in (numbers, after[0]))
    blocks: list[Block] = [
        Prose(say("worked_update_held" if presentation.held else "worked_update", rate=eta)),
        Equations(tuple(lines)),
        Prose(say("worked_after", C=cost, before=before, after=then)),
    ]
    if len(after) > 1:
        last = shown(after[-1].value(graph.cost))
        key = "worked_last" if steps <= MAX_STEPS else "worked_last_of"
        blocks.append(Prose(say(key, n=str(len(after)), steps=str(steps), C=cost, after=last)))
    return blocks


def matrix(ledger: Ledger, tensor: Tensor, entries: dict[Where, Value]) -> Math:
    """The entries of a tensor as a number, a column, a row or a matrix, as its shape is printed.

    What has more axes is a list of matrices, or a list of such lists.
    """
    if not tensor.slots:
        return shown(entries[()])
    if len(tensor.slots) > 2:
        return _list(entries)
    node = matrix_of(ledger, tensor, Names(ledger.notation, ledger.graph))
    values = [shown(v) for v in entries.values()]
    if len(tensor.slots) == 1:
        lines = [values] if node.shape[0] is None else [[value] for value in values]
    else:
        lines = _lines(entries)
    return values[0] if len(values) == 1 else _matrix(lines)


def _list(entries: dict[Where, Value]) -> Math:
    """An array of more than two axes: its parts, one for each place along the first axis."""
    if len(next(iter(entries))) == 2:
        return _matrix(_lines(entries), nested=True)
    parts: dict[int, dict[Where, Value]] = {}
    for where, value in entries.items():
        parts.setdefault(where[0], {})[where[1:]] = value
    inner = [_list(part) for part in parts.values()]
    tex = r",\; ".join(part.tex for part in inner)
    plain = (", ".join(part.unicode for part in inner), ", ".join(part.ascii for part in inner))
    return Math(rf"\left[ {tex} \right]", *(f"[{text}]" for text in plain))


def _lines(entries: dict[Where, Value]) -> list[list[Math]]:
    """The rows of an array of two axes."""
    rows: dict[int, list[Math]] = {}
    for (row, _), value in entries.items():
        rows.setdefault(row, []).append(shown(value))
    return list(rows.values())


def _matrix(lines: list[list[Math]], nested: bool = False) -> Math:
    """Rows in parentheses; a single one is no list of rows, unless it is part of a larger list."""
    tex = r" \\ ".join(" & ".join(v.tex for v in line) for line in lines)
    return Math(
        rf"\begin{{pmatrix}} {tex} \end{{pmatrix}}",
        _brackets([[v.unicode for v in line] for line in lines], nested),
        _brackets([[v.ascii for v in line] for line in lines], nested),
    )


def _brackets(lines: list[list[str]], nested: bool) -> str:
    inside = ["[" + ", ".join(line) + "]" for line in lines]
    return inside[0] if len(inside) == 1 and not nested else "[" + ", ".join(inside) + "]"

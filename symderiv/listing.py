"""``symderiv list``: the tables as aligned lines of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from textwrap import wrap

from symderiv.algebra.expr import Access, Tensor
from symderiv.calculus.functions import Row, ScalarFunction, VectorFunction, symbols

Table = list[tuple[str, ...]]  # the head, then the rows


def lines(kind: str, width: int = 100, unicode: bool = True) -> list[str]:
    """The lines of one table, no longer than ``width``. Raises KeyError for an unknown kind."""
    table = _LISTS[kind]()
    if not unicode:
        from symderiv.documents.terminal import in_ascii

        table = [tuple(map(in_ascii, row)) for row in table]
    aligned = _aligned(table)
    if max(map(len, aligned)) <= width:
        return aligned
    return [line for row in table for line in _stacked(row, width)]


def _stacked(row: tuple[str, ...], width: int) -> list[str]:
    """The name, and below it the rest, indented and wrapped."""
    inside = {"initial_indent": "    ", "subsequent_indent": "      ", "break_long_words": False}
    rest = (wrap(cell, width, **inside) for cell in row[1:] if cell)  # type: ignore[arg-type]
    return [row[0], *(line for cell in rest for line in cell)]


def _functions(rows: Iterable[Row]) -> Table:
    from symderiv.notation.table import DEFAULT
    from symderiv.notation.unicode import text

    table: Table = [("name", "definition", "derivative by the first argument")]
    for row in rows:
        if isinstance(row, ScalarFunction):
            args = symbols(row)
            value = Access(Tensor("a" if "a" not in row.arguments else "v"), ())
            formula = row.derivatives[0]
            slope = text(formula(*args, value), DEFAULT) if formula else ""
            meaning = row.definition(*args) if row.definition else row(*args)
            table.append((row.name, text(meaning, DEFAULT), slope))
        else:
            table.append((row.name, _parts(row), ""))
    return table


def _parts(row: VectorFunction) -> str:
    """``e = exp(z); s = Σ e; a = e/s``."""
    from symderiv.notation.table import DEFAULT
    from symderiv.notation.unicode import text

    made = []
    for part in row.parts:
        body = text(part.formula(*(Access(Tensor(name), ()) for name in part.of)), DEFAULT)
        if part.kind == "sum":
            body = f"Σ {body}" if body.isidentifier() else f"Σ ({body})"
        made.append(body if part is row.parts[-1] else f"{part.name} = {body}")
    return "; ".join(made)


def _activations() -> Table:
    from symderiv.calculus.activations import ACTIVATIONS

    return _functions(ACTIVATIONS.values())


def _losses() -> Table:
    from symderiv.calculus.losses import LOSSES

    return _functions(LOSSES.values())


def _layers() -> Table:
    from symderiv.calculus.catalogue import LAYERS

    table = [
        (f.__name__, f.__module__.rpartition(".")[2], (f.__doc__ or "").splitlines()[0])
        for f in LAYERS
    ]
    return [("name", "in symderiv.calculus", "equation"), *table]


def _notations() -> Table:
    from symderiv.notation.table import NOTATIONS

    return [("name", "from"), *((n.name, n.source) for n in NOTATIONS.values())]


def _rules() -> Table:
    from symderiv.calculus.rules import RULES

    rules = ((r.name, r.statement, r.precondition) for r in RULES.values())
    return [("rule", "statement", "where"), *rules]


_LISTS: dict[str, Callable[[], Table]] = {
    "activations": _activations,
    "losses": _losses,
    "layers": _layers,
    "notations": _notations,
    "rules": _rules,
}


def _aligned(table: Table) -> list[str]:
    widths = [max(len(row[n]) for row in table) for n in range(len(table[0]))]
    made = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
    made.insert(1, "  ".join("-" * width for width in widths))
    return made

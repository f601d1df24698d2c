"""A document as a LaTeX file: finished formulas and escaped words into the template."""

from __future__ import annotations

from symderiv.documents.breaking import breakable
from symderiv.documents.ledger import Checked
from symderiv.documents.model import (
    Algorithm,
    Block,
    Box,
    Code,
    Document,
    Equations,
    Figure,
    Items,
    Math,
    Phrase,
    Prose,
    Ref,
    Row,
    Section,
    Table,
)
from symderiv.documents.prose import plain
from symderiv.documents.sections import document
from symderiv.frontend.presentation import Presentation
from symderiv.render import Tex, render_template, tex_escape


def to_latex(checked: Checked, presentation: Presentation) -> str:
    """The whole document as LaTeX."""
    return render_template(
        "latex/document.tex.j2", data(document(checked, presentation), presentation)
    )


def data(made: Document, presentation: Presentation) -> dict[str, object]:
    """What the template is given."""
    return {
        "version": presentation.version,
        "title": made.title,
        "subtitle": phrase(made.subtitle),
        "result": [
            {"lhs": Tex(row.lhs.tex if row.lhs else ""), "rel": "=", "rhs": _with_range(row),
             "name": row.tag}
            for row in made.result
        ],
        "conventions": [phrase(item) for item in made.conventions],
        "sections": [_section(section) for section in made.sections],
    }  # fmt: skip


def _with_range(row: Row) -> Tex:
    words = rf" \qquad \text{{\small {phrase(row.why)}}}" if row.why else ""
    return Tex(breakable(row.rhs.tex) + words)


def phrase(parts: Phrase) -> Tex:
    """A sentence: words escaped, formulas between dollars."""
    out = ""
    for part in parts:
        match part:
            case Math(tex):
                out += f"${tex}$"
            case Ref(tag):
                out += rf"\stepref{{{tag}}}"
            case Code(text):
                out += rf"\textup{{\texttt{{{tex_escape(text)}}}}}"
            case _:
                out += tex_escape(part)
    return Tex(out)


def _section(section: Section) -> dict[str, object]:
    made: dict[str, object] = {
        "title": phrase(section.title),
        "pdf_title": plain(section.title),
        "blocks": [_block(b) for b in section.blocks],
    }
    return made


def _block(block: Block) -> dict[str, object]:
    match block:
        case Prose(text):
            return {"kind": "prose", "text": phrase(text)}
        case Equations(rows):
            return {"kind": "equations", "rows": [_row(row) for row in rows]}
        case Table(header, rows, align):
            cells = [[phrase(cell) for cell in row] for row in rows]
            return {"kind": "table", "header": list(header), "rows": cells, "align": align}
        case Figure(tikz, caption):
            return {"kind": "figure", "tikz": Tex(tikz), "caption": phrase(caption)}
        case Box(title, text):
            return {"kind": "box", "title": phrase(title), "text": phrase(text)}
        case Algorithm(title, lines):
            listed = [{"depth": depth, "text": phrase(text)} for depth, text in lines]
            return {"kind": "algorithm", "title": phrase(title), "lines": listed}
        case Items(items):
            return {"kind": "list", "items": [phrase(item) for item in items]}
    raise TypeError(block)


def _row(row: Row) -> dict[str, object]:
    return {
        "lhs": Tex(row.lhs.tex if row.lhs else ""),
        "rel": "=",
        "rhs": Tex(breakable(row.rhs.tex)),
        "why": phrase(row.why),
        "tag": row.tag,
    }

"""A document as Markdown with dollar formulas, for readers such as GitHub and Jupyter."""

from __future__ import annotations

import re

from symderiv.documents.ledger import Checked
from symderiv.documents.model import (
    Algorithm,
    Block,
    Box,
    Code,
    Equations,
    Figure,
    Items,
    Math,
    Phrase,
    Prose,
    Ref,
    Row,
    Table,
)
from symderiv.documents.sections import document
from symderiv.frontend.presentation import Presentation
from symderiv.render import render_template

_SPECIAL = r"\`*_{}[]<>#|~"


def to_markdown(checked: Checked, presentation: Presentation) -> str:
    """The whole document as Markdown; figures are left out."""
    made = document(checked, presentation)
    data: dict[str, object] = {
        "title": escape(made.title),
        "subtitle": phrase(made.subtitle),
        "result": [_row(r) for r in made.result],
        "conventions": [phrase(item) for item in made.conventions],
        "sections": [
            {"title": phrase(s.title), "blocks": [b for b in map(_block, s.blocks) if b]}
            for s in made.sections
            if not all(isinstance(block, Figure) for block in s.blocks)
        ],
        "version": presentation.version,
    }
    return render_template("markdown/document.md.j2", data)


def escape(text: str) -> str:
    """Words, with the signs of Markdown and dollars taken literally."""
    return "".join(f"\\{c}" if c in _SPECIAL + "$" else c for c in re.sub(r"\s+", " ", text))


def phrase(parts: Phrase) -> str:
    """A sentence."""
    out = ""
    for part in parts:
        match part:
            case Math(tex):
                out += f"${formula(tex)}$"
            case Ref(tag):
                out += f"({tag})"
            case Code(text):
                out += f"`{text.replace('`', '')}`"
            case _:
                out += escape(part)
    return out


def formula(tex: str) -> str:
    r"""A formula between dollars in a table cell.

    MathJax has no \bm, and GitHub forbids \operatorname.
    """
    tex = tex.replace(r"\bm{", r"\boldsymbol{")
    tex = re.sub(r"\\operatorname\{([^{}]*)\}", r"\\mathop{\\mathrm{\1}}\\nolimits", tex)
    return tex.replace("|", r"\vert ").replace("\n", " ")


def _row(row: Row) -> dict[str, object]:
    return {
        "lhs": formula(row.lhs.tex) if row.lhs else "{}",
        "rel": "=",
        "rhs": r"\displaystyle " + formula(row.rhs.tex),
        "why": phrase(row.why),
        "tag": f"({row.tag})" if row.tag else "",
    }


def _block(block: Block) -> dict[str, object] | None:
    match block:
        case Prose(text):
            return {"kind": "prose", "text": phrase(text)}
        case Equations(rows):
            return {"kind": "equations", "rows": [_row(r) for r in rows]}
        case Table(header, rows, _):
            cells = [[phrase(c) for c in row] for row in rows]
            return {"kind": "table", "header": list(header), "rows": cells}
        case Box(title, text):
            return {"kind": "box", "title": phrase(title), "text": phrase(text)}
        case Algorithm(title, lines):
            listed = ["&emsp;" * (2 * depth) + phrase(text) for depth, text in lines]
            return {"kind": "algorithm", "title": phrase(title), "lines": listed}
        case Items(items):
            return {"kind": "list", "items": [phrase(i) for i in items]}
        case Figure():
            return None

"""Single equations and whole derivations as TeX for a notebook or another document."""

from __future__ import annotations

from symderiv.calculus.steps import Adjoint
from symderiv.documents import named
from symderiv.documents.ledger import Checked, Ledger
from symderiv.documents.model import Equations, Row
from symderiv.documents.sections import document
from symderiv.frontend.presentation import Presentation


def equation_latex(
    checked: Checked, adjoint: Adjoint, presentation: Presentation, *, matrix: bool = False
) -> str:
    """``left = right`` for one adjoint, without dollars: index form, or matrix form."""
    ledger = Ledger(checked, presentation.notation)
    chain = next(c for c in ledger.chains if c.adjoint == adjoint)
    lhs, rhs = named.sides(ledger, chain, adjoint.closed, chain.names, matrix=matrix)
    return f"{lhs.tex} = {rhs.tex}"


def to_fragment(checked: Checked, presentation: Presentation) -> str:
    """The result and every chain as displays that pdfTeX, KaTeX and MathJax read."""
    made = document(checked, presentation)
    blocks = [made.result] if made.result else []
    blocks += [b.rows for s in made.sections for b in s.blocks if isinstance(b, Equations)]
    return "\n".join(display(rows) for rows in blocks)


def display(rows: tuple[Row, ...]) -> str:
    """Aligned lines between double dollars, each with its tag."""
    lines = []
    for row in rows:
        left = row.lhs.tex if row.lhs else ""
        tag = rf" && \text{{({row.tag})}}" if row.tag else ""
        lines.append(f"{left} &= {row.rhs.tex}{tag}")
    body = " \\\\\n".join(lines)
    return f"$$\\begin{{aligned}}\n{body}\n\\end{{aligned}}$$"

"""A checked derivation  ⟹  a document: LaTeX, Markdown, terminal, JSON.

Every formula is finished here; templates only lay it out. Sentences stand in
:mod:`symderiv.documents.prose`.
"""

from symderiv.documents.data import to_data, to_json
from symderiv.documents.fragments import equation_latex, to_fragment
from symderiv.documents.latex import to_latex
from symderiv.documents.markdown import to_markdown
from symderiv.documents.model import Document
from symderiv.documents.sections import document
from symderiv.documents.terminal import to_terminal
from symderiv.documents.worksheet import to_svg
from symderiv.frontend.presentation import Presentation

__all__ = [
    "Document",
    "Presentation",
    "document",
    "equation_latex",
    "to_data",
    "to_fragment",
    "to_json",
    "to_latex",
    "to_markdown",
    "to_svg",
    "to_terminal",
]

"""Conventions as data, and the printers that read them.

`latex` and `text` print index form, `matrix_latex` and `matrix_text` matrix form, `to_text` and
`from_text` a plain form that reads back to the same tree.
"""

from symderiv.notation.conventions import Notation, Symbol
from symderiv.notation.matrix import array_symbol, matrix_latex, matrix_text, shape_latex
from symderiv.notation.names import Names
from symderiv.notation.numbering import Numbering, Sort, index_variables, relative_names
from symderiv.notation.plain import to_text
from symderiv.notation.reading import Context, PlainError, from_text
from symderiv.notation.table import NOTATIONS, notation
from symderiv.notation.tex import latex
from symderiv.notation.unicode import text

__all__ = [
    "NOTATIONS",
    "Context",
    "Names",
    "Notation",
    "Numbering",
    "PlainError",
    "Sort",
    "Symbol",
    "array_symbol",
    "from_text",
    "index_variables",
    "latex",
    "matrix_latex",
    "matrix_text",
    "notation",
    "relative_names",
    "shape_latex",
    "text",
    "to_text",
]

"""A checked derivation  ⟹  a NumPy module of its own, each line citing its equation.

`stable` picks the proved form of each adjoint that neither overflows nor cancels, `emit` writes
matrix forms as NumPy, `program` lines them up, `passes` makes functions of them and `module`
the file.
"""

from symderiv.code.functions import NoCode
from symderiv.code.module import numpy_module, numpy_statement

__all__ = ["NoCode", "numpy_module", "numpy_statement"]

"""Every printed formula compiles: one PDF with many of them."""

from __future__ import annotations

import random

import pytest

from symderiv.algebra.expr import Role
from symderiv.algebra.matrixform import matrix_form, row_axes
from symderiv.calculus.activations import ACTIVATIONS
from symderiv.calculus.backprop import backprop
from symderiv.calculus.functions import ScalarFunction, symbols
from symderiv.calculus.losses import LOSSES
from symderiv.calculus.networks import any_depth, feed_forward
from symderiv.notation import Names, latex, matrix_latex, notation
from symderiv.render import EngineMissing, compile_pdf, find_engine
from tests.notation.test_printers import balanced, double_script
from tests.notation.trees import J, K, S, tree

NIELSEN = notation("nielsen")


def formulas() -> list[str]:
    found = []
    for graph in (
        feed_forward(["sigmoid", "softmax"], "ce", l2=True),
        feed_forward(["relu", "sigmoid"], "bce", layout="rows"),
        any_depth("tanh", "identity", "half-mse", l2=True),
    ):
        x = next(t for t in graph.tensors if t.role is Role.INPUT)
        parameters = [t for t in graph.tensors if t.role is Role.PARAMETER]
        for definition in graph.definitions:
            found.append(latex(definition.body, NIELSEN, Names(NIELSEN, graph)))
        for adjoint in backprop(graph, parameters).adjoints:
            names = Names(NIELSEN, graph)
            found += [latex(step.right, NIELSEN, names) for step in adjoint.steps]
            node = matrix_form(adjoint.closed, adjoint.indices, row_axes(x))
            if node is not None:
                found.append(matrix_latex(node, names, shapes=True) or "")
    for row in (*ACTIVATIONS.values(), *LOSSES.values()):
        if isinstance(row, ScalarFunction) and row.definition is not None:
            arguments = symbols(row)
            found += [latex(row(*arguments), NIELSEN), latex(row.definition(*arguments), NIELSEN)]
            found += [
                latex(d(*arguments, arguments[0]), NIELSEN)
                for d in row.derivatives
                if d is not None
            ]
    rng = random.Random(5)
    found += [latex(tree(rng, 4, [J, K, S]), NIELSEN) for _ in range(150)]
    return found


def test_every_formula_of_the_tables_is_well_formed() -> None:
    for formula in formulas():
        assert balanced(formula) and not double_script(formula), formula


@pytest.mark.slow
def test_one_pdf_with_many_formulas() -> None:
    try:
        find_engine()
    except EngineMissing as missing:
        pytest.skip(str(missing))
    body = "\n\n".join(f"${formula}$" for formula in formulas() if formula)
    document = (
        "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{lmodern,amsmath,bm}"
        "\\begin{document}\\raggedright\n"
        f"{body}\n\\end{{document}}\n"
    )
    assert compile_pdf(document).startswith(b"%PDF")

"""Matrix formulas: known strings, shapes, and no guess where there is no form."""

from __future__ import annotations

import pytest

from symderiv.algebra.expr import Role
from symderiv.algebra.matrixform import matrix_form, row_axes
from symderiv.calculus.backprop import backprop
from symderiv.calculus.networks import feed_forward
from symderiv.notation import Names, matrix_latex, matrix_text, notation
from tests.notation.test_printers import balanced, double_script

NIELSEN = notation("nielsen")

KNOWN = {
    "columns": {
        "dz2": (r"\mathbf{a}^{2} - \mathbf{y}", "a2 - y"),
        "dz1": (
            r"\bigl(\bigl(\mathbf{W}^{2}\bigr)^{\top} \bm{\delta}^{2}\bigr) \odot \mathbf{a}^{1} "
            r"\odot \bigl(\mathbf{1} - \mathbf{a}^{1}\bigr)",
            "(W2.T @ delta2) * a1 * (1 - a1)",
        ),
        "dW1": (
            r"\frac{1}{m}\, \bm{\delta}^{1} \mathbf{x}^{\top} + \frac{\lambda}{m}\, \mathbf{W}^{1}",
            "1/m * delta1 @ x.T + lam/m * W1",
        ),
        "db2": (r"\frac{1}{m}\, \bm{\delta}^{2} \mathbf{1}_{m}", "1/m * delta2 @ ones(m)"),
    },
    "rows": {
        "dz1": (
            r"\bigl(\bm{\delta}^{2} \bigl(\mathbf{W}^{2}\bigr)^{\top}\bigr) \odot \mathbf{a}^{1} "
            r"\odot \bigl(\mathbf{1} - \mathbf{a}^{1}\bigr)",
            "(delta2 @ W2.T) * a1 * (1 - a1)",
        ),
        "dW2": (
            r"\frac{1}{m}\, \bigl(\mathbf{a}^{1}\bigr)^{\top} \bm{\delta}^{2} "
            r"+ \frac{\lambda}{m}\, \mathbf{W}^{2}",
            "1/m * a1.T @ delta2 + lam/m * W2",
        ),
    },
}


@pytest.mark.parametrize("layout", KNOWN)
def test_known_strings(layout: str) -> None:
    graph = feed_forward(["sigmoid", "sigmoid"], "bce", l2=True, layout=layout)
    x = next(t for t in graph.tensors if t.role is Role.INPUT)
    parameters = [t for t in graph.tensors if t.role is Role.PARAMETER]
    found = {}
    for adjoint in backprop(graph, parameters).adjoints:
        node = matrix_form(adjoint.closed, adjoint.indices, row_axes(x))
        assert node is not None
        names = Names(NIELSEN, graph)
        shaped = matrix_latex(node, names, shapes=True)
        assert shaped is not None and balanced(shaped) and not double_script(shaped)
        found[adjoint.tensor.name] = (
            matrix_latex(node, names),
            matrix_text(node, names, unicode=False),
        )
    for name, expected in KNOWN[layout].items():
        assert found[name] == expected


def test_shapes_stand_under_the_symbols() -> None:
    graph = feed_forward(["sigmoid", "sigmoid"], "bce")
    weight = next(t for t in graph.tensors if t.name == "W2")
    adjoint = next(a for a in backprop(graph, [weight]).adjoints if a.tensor.name == "dW2")
    node = matrix_form(adjoint.closed, adjoint.indices)
    assert node is not None
    assert matrix_latex(node, Names(NIELSEN, graph), shapes=True) == (
        r"\frac{1}{m}\, {\underbrace{\bm{\delta}^{2}}_{n_{2} \times m}} \; "
        r"{\underbrace{\bigl(\mathbf{a}^{1}\bigr)^{\top}}_{m \times n_{1}}}"
    )


def test_a_function_of_two_arguments_has_no_matrix_form() -> None:
    graph = feed_forward(["sigmoid"], "bce")
    loss = next(d for d in graph.definitions if d.target.name == "ell")
    node = matrix_form(loss.body, loss.indices)
    assert node is None or matrix_latex(node, Names(NIELSEN, graph)) is None

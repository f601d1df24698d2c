"""Definitions against published values: a wrong one would be differentiated consistently."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from symderiv.calculus.activations import ACTIVATIONS
from symderiv.calculus.functions import REAL, ScalarFunction, VectorFunction, rows
from symderiv.calculus.reference import ERF_SERIES, reference_numpy
from symderiv.calculus.reference_values import PUBLISHED


def compiled(row: ScalarFunction | VectorFunction) -> Callable[..., Any]:
    """The definition itself as a function."""
    arguments = [*row.arguments, *(["axis"] if isinstance(row, VectorFunction) else [])]
    body = "\n".join(f"    {line}" for line in reference_numpy(row))
    namespace: dict[str, Any] = {"np": np}
    exec("\n".join(ERF_SERIES), namespace)
    exec(f"def definition({', '.join(arguments)}):\n{body}\n", namespace)
    made: Callable[..., Any] = namespace["definition"]
    return made


def test_every_row_has_published_values() -> None:
    assert set(PUBLISHED) == set(rows()), "add them in calculus/reference_values.py"


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_definition_has_the_published_values(name: str) -> None:
    row, published = rows()[name], PUBLISHED[name]
    assert published.source
    assert len(published.points) >= (5 if isinstance(row, ScalarFunction) and row.arguments else 1)
    definition = compiled(row)
    defaults = [float(value) for _, value in row.hyper]
    axis = {"axis": 0} if isinstance(row, VectorFunction) else {}
    for point, value in published.points:
        missing = len(row.arguments) - len(point)
        given = (*map(np.array, point), *defaults[len(defaults) - missing :])
        np.testing.assert_allclose(
            definition(*given, **axis), np.array(value, dtype=float), rtol=1e-12, atol=1e-15,
            err_msg=f"{name} {point}",
        )  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_range_is_that_of_the_published_values(name: str) -> None:
    """What is real has negative values too, as a refused loss says of it."""
    row = ACTIVATIONS[name]
    if isinstance(row, VectorFunction):
        return
    values = [Fraction(str(value)) for _, value in PUBLISHED[name].points]
    known = row.range_.values
    if known is REAL:
        assert min(values) < 0
        return
    ends = known.closed or row.closed
    assert all(known.contains(v) or (ends and v in (known.low, known.high)) for v in values)

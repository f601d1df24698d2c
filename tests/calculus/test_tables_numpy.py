"""The NumPy bodies of every row against many digits of the definition, also where saturated."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import numpy as np
import pytest

from symderiv.algebra.expr import Access, Add, Apply, Expr, Mul, Number, Pow, Tensor, walk
from symderiv.calculus.functions import (
    PROBABILITY,
    PROBABILITY_VECTOR,
    Domain,
    Lines,
    ScalarFunction,
    VectorFunction,
    rows,
    symbols,
    unfold,
)
from symderiv.calculus.reference import ERF_SERIES, needs_erf, reference_numpy

SCALARS = [row for row in rows().values() if isinstance(row, ScalarFunction)]
SCALARS = [row for row in SCALARS if row.arguments]
VECTORS = [row for row in rows().values() if isinstance(row, VectorFunction)]


def named(row: ScalarFunction | VectorFunction) -> str:
    return row.name


DIGITS = 420  # definitions cancel where they are saturated; 60 digits must be left

CENTRE = [-3, -2.6, -1, -0.7, -0.46, -1e-3, 0, 1e-9, 0.1, 0.5, 1, 1.7, 2.9, 3]
TAILS = [-1000, -745, -700, -300, -40, -37.3, -20, -9.9, -6.1, 4.2, 8.3, 19, 38, 90, 700, 720, 1000]

# The largest errors allowed, in units in the last place of the true value. Naive forms, such as
# a (1 - a) where a is near 1, reach 9e15 on the same grid.
BOUND = 5.0
BOUNDS = {
    ("poisson-log", None): 30.0,  # e^a - y a, and e^a - y, where both terms are alike
    ("poisson-log", 0): 30.0,
    ("poisson-sigmoid", 0): 50.0,
    ("poisson-softplus", None): 30.0,
    ("poisson-softplus", 0): 30.0,
    ("poisson-gaussian", 0): 30.0,
    ("bce-logits", 0): 50.0,  # at z = 0.1, y = 0.52, where sigma(z) - y is small
    ("mish", 0): 12.0,
    ("focal-logits", None): 20.0,  # exp magnifies the error of gamma softplus(z)
    ("focal-logits", 0): 20.0,
    ("erfcx", 0): 300.0,  # a difference of two like terms; no table but its own uses it
    ("gelu-tanh", None): 400.0,  # exp of a large cubic magnifies the error of the cubic
    ("gelu-tanh", 0): 400.0,
}


def python_function(name: str, arguments: tuple[str, ...], body: Lines) -> Callable[..., Any]:
    """The function with that body, all other functions of the tables around it."""
    namespace: dict[str, Any] = {"np": np}
    for row in SCALARS:
        exec(source(row.python_name, row.arguments, row.numpy), namespace)
    for vector in VECTORS:
        exec(source(vector.python_name, (*vector.arguments, "axis"), vector.numpy), namespace)
    exec(source(f"tested_{name}", arguments, body), namespace)
    made: Callable[..., Any] = namespace[f"tested_{name}"]
    return made


def source(name: str, arguments: tuple[str, ...], body: Lines) -> str:
    lines = "\n".join(f"    {line}" for line in body)
    return f"def {name}({', '.join(arguments)}):\n{lines}\n"


def exact(expr: Expr, values: dict[Expr, Any]) -> Any:
    """The value of a tree over the primitives in mpmath."""
    match expr:
        case Number(value):
            return mpmath.mpf(value.numerator) / value.denominator
        case Access():
            return values[expr]
        case Add(terms):
            return sum((exact(t, values) for t in terms), mpmath.mpf(0))
        case Mul(factors):
            return mpmath.fprod(exact(f, values) for f in factors)
        case Pow(base, exponent):
            return exact(base, values) ** exponent
        case Apply("pi", ()):
            return +mpmath.pi
        case Apply("positive", (inner,)):
            return mpmath.mpf(exact(inner, values) > 0)
        case Apply("power", (base, exponent)):
            return exact(base, values) ** exact(exponent, values)
        case Apply("arctan", (inner,)):
            return mpmath.atan(exact(inner, values))
        case Apply(function, (inner,)):
            return getattr(mpmath, function)(exact(inner, values))
    raise AssertionError(expr)


def grid(domain: Domain) -> list[float]:
    if domain.values:
        return [float(v) for v in domain.values]
    low, high = domain.low, domain.high
    if (low, high) == (0, 1):
        inside = [1e-300, 1e-12, 0.03, 0.3, 0.52, 0.77, 0.999, 1 - 1e-12]
        return inside + ([0.0, 1.0] if domain.closed else [])
    if low is None and high is None:
        return [float(v) for v in TAILS + CENTRE]
    positive = [1e-12, 0.02, 0.3, 0.46875, 0.6, 1.02, 2.5, 3.99, 4.0, 7.0, 26.0]
    return [0.0, *positive] if domain.closed else [-v if high == 0 else v for v in positive]


def points(row: ScalarFunction) -> Iterator[tuple[float, ...]]:
    hyper = dict(row.hyper)
    axes = [
        [float(hyper[name])] if name in hyper else grid(domain)
        for name, domain in zip(row.arguments, row.domain, strict=True)
    ]
    return itertools.product(*axes)


def trees(row: ScalarFunction, position: int | None) -> Expr:
    """The definition, or the stated derivative with the definition for the value."""
    arguments = symbols(row)
    definition = unfold(row(*arguments))
    if position is None:
        return definition
    formula = row.derivatives[position]
    assert formula is not None
    return unfold(formula(*arguments, definition))


def bodies(row: ScalarFunction) -> Iterator[tuple[int | None, Lines]]:
    yield None, row.numpy
    for position, body in enumerate(row.numpy_derivatives):
        if body is not None:
            yield position, body


def error_in_ulp(row: ScalarFunction, position: int | None, body: Lines) -> tuple[float, Any]:
    """The largest error over the grid and where it is."""
    function = python_function(row.python_name, row.arguments, body)
    tree, arguments = trees(row, position), symbols(row)
    worst: tuple[float, Any] = (0.0, None)
    with mpmath.workdps(DIGITS), np.errstate(all="raise", under="ignore"):
        for point in points(row):
            values: dict[Expr, Any] = dict(zip(arguments, map(mpmath.mpf, point), strict=True))
            try:
                true = exact(tree, values)
            except (ZeroDivisionError, ValueError):
                continue  # an end of the domain where the definition is a limit: tested below
            if abs(true) > 1e300 or mpmath.isnan(true) or isinstance(true, mpmath.mpc):
                continue
            found = float(function(*(np.float64(v) for v in point)))
            assert np.isfinite(found), (row.name, point)
            unit = max(float(np.spacing(abs(float(true)))), 2.3e-308)
            error = float(abs(mpmath.mpf(found) - true) / unit)
            if error > worst[0]:
                worst = (error, point)
    return worst


@pytest.mark.parametrize("row", SCALARS, ids=named)
def test_values_and_derivatives_are_accurate_also_where_saturated(row: ScalarFunction) -> None:
    for position, body in bodies(row):
        error, point = error_in_ulp(row, position, body)
        assert error <= BOUNDS.get((row.name, position), BOUND), (position, point)


@pytest.mark.parametrize("row", SCALARS, ids=named)
def test_every_derivative_that_is_stated_is_computed(row: ScalarFunction) -> None:
    assert len(row.derivatives) == len(row.numpy_derivatives) == len(row.arguments)
    assert len(row.domain) == len(row.arguments)
    for formula, body in zip(row.derivatives, row.numpy_derivatives, strict=True):
        assert (formula is None) == (body is None)
    assert row.arguments[len(row.arguments) - len(row.hyper) :] == tuple(n for n, _ in row.hyper)


@pytest.mark.parametrize("row", SCALARS, ids=named)
def test_arrays_keep_their_type_and_inputs_stay(row: ScalarFunction) -> None:
    drawn = list(points(row))[:: max(1, len(list(points(row))) // 40)]
    hyper = dict(row.hyper)
    for _, body in bodies(row):
        function = python_function(row.python_name, row.arguments, body)
        for dtype in (np.float32, np.float64):
            columns = [np.clip(c, -80, 80) for c in np.array(drawn).T]
            given: list[Any] = [
                float(hyper[name]) if name in hyper else np.array(column, dtype)
                for name, column in zip(row.arguments, columns, strict=True)
            ]
            kept = [np.copy(g) for g in given]
            with np.errstate(all="ignore"):
                found = function(*given)
            assert found.dtype == dtype
            assert found.shape == columns[0].shape
            for before, after in zip(kept, given, strict=True):
                np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("row", SCALARS, ids=named)
def test_targets_at_the_ends_of_their_range_give_finite_numbers(row: ScalarFunction) -> None:
    """0 log 0 = 0, also when a sigmoid has rounded to 1 and its target is 1."""
    if row.arguments[:2] != ("a", "y") or row.needs not in (PROBABILITY, PROBABILITY_VECTOR):
        return
    for position, body in bodies(row):
        if position == 1:
            continue
        function = python_function(row.python_name, row.arguments, body)
        defaults = [float(value) for _, value in row.hyper]
        with np.errstate(all="raise", under="ignore"):
            for a, y in [(1.0, 1.0), (1e-320, 0.0), (0.3, 0.0), (0.3, 1.0)]:
                assert np.isfinite(function(np.float64(a), np.float64(y), *defaults)), (a, y)


@pytest.mark.parametrize("row", SCALARS, ids=named)
def test_a_complex_step_through_the_definition_agrees(row: ScalarFunction) -> None:
    """f'(x) = Im f(x + ih) / h, with the reference source emitted from the definition."""
    namespace: dict[str, Any] = {"np": np}
    exec("\n".join(ERF_SERIES), namespace)
    exec(source("reference", row.arguments, reference_numpy(row)), namespace)
    assert needs_erf(row) == ("erf_series" in reference_numpy(row)[0])
    value = python_function(row.python_name, row.arguments, row.numpy)
    for point in points(row):
        if any(abs(v) > 3.5 or abs(v) < 1e-6 for v in point) or on_a_kink(row, point):
            continue
        np.testing.assert_allclose(
            namespace["reference"](*point), value(*map(np.float64, point)), rtol=1e-9, atol=1e-12
        )
        for position, body in bodies(row):
            if position is None:
                continue
            stepped: list[Any] = list(point)
            stepped[position] += 1e-100j
            slope = np.imag(namespace["reference"](*stepped)) / 1e-100
            function = python_function(row.python_name, row.arguments, body)
            np.testing.assert_allclose(
                function(*map(np.float64, point)), slope, rtol=1e-8, atol=1e-11, err_msg=str(point)
            )


def on_a_kink(row: ScalarFunction, point: tuple[float, ...]) -> bool:
    """Whether a condition [c > 0] of the definition has c = 0 there."""
    values: dict[Expr, Any] = dict(zip(symbols(row), map(mpmath.mpf, point), strict=True))
    return any(
        exact(e.args[0], values) == 0
        for e in walk(trees(row, None))
        if isinstance(e, Apply) and e.function == "positive"
    )


@pytest.mark.parametrize("row", SCALARS, ids=named)
def test_the_scipy_form_is_the_same_function(row: ScalarFunction) -> None:
    if not row.scipy:
        return
    special = pytest.importorskip("scipy.special")
    namespace: dict[str, Any] = {"np": np, "special": special}
    exec(source("other", row.arguments, row.scipy), namespace)
    function = python_function(row.python_name, row.arguments, row.numpy)
    z = np.linspace(0 if row.domain[0].low == 0 else -30, 20, 501)
    np.testing.assert_allclose(function(z), namespace["other"](z), rtol=2e-12)


@pytest.mark.parametrize("row", VECTORS, ids=named)
@pytest.mark.parametrize("axis", [0, 1])
def test_vector_functions_neither_overflow_nor_cancel(row: VectorFunction, axis: int) -> None:
    logits = np.array([[1.0, 2.0, 3.0], [0.5, -9.0, 40.0], [1000.0, 0.0, 990.0], [7.0, 7.0, 6.0]])
    targets = np.array([[0.0, 0.25, 0.75], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.2, 0.3, 0.5]])
    given = [np.moveaxis(logits, 1, axis), np.moveaxis(targets, 1, axis)][: len(row.arguments)]
    kept = [np.copy(g) for g in given]
    arguments = (*row.arguments, "axis")
    function = python_function(row.python_name, arguments, row.numpy)
    with np.errstate(all="raise", under="ignore"):
        found = function(*given, axis=axis)
    with mpmath.workdps(500):
        for k in range(len(logits)):
            z = [mpmath.mpf(v) for v in logits[k]]
            y = [mpmath.mpf(v) or mpmath.mpf(10) ** -400 for v in targets[k]]  # 0 log 0 = 0
            true = parts(row, {"z": z, "y": y})
            mine = found[k] if found.ndim == 1 else np.moveaxis(found, axis, 1)[k]
            np.testing.assert_allclose(
                np.atleast_1d(mine), [float(t) for t in true], rtol=1e-14, atol=1e-300
            )
            if row.numpy_gradient:
                gradient = python_function("gradient", arguments, row.numpy_gradient)
                with np.errstate(all="raise", under="ignore"):
                    slope = np.moveaxis(gradient(*given, axis=axis), axis, 1)[k]
                total = mpmath.fsum(map(mpmath.exp, z))
                exactly = [mpmath.exp(v) / total - t for v, t in zip(z, y, strict=True)]
                np.testing.assert_allclose(
                    slope, [float(e) for e in exactly], rtol=1e-14, atol=1e-300
                )
    small = [g.astype(np.float32) for g in given]
    assert function(*small, axis=axis).dtype == np.float32
    for before, after in zip(kept, given, strict=True):
        np.testing.assert_array_equal(before, after)


def parts(row: VectorFunction, values: dict[str, list[Any]]) -> list[Any]:
    """The parts of a vector function, one after the other, in mpmath."""
    named_values = dict(values)
    for part in row.parts:
        arguments = [Access(Tensor(name), ()) for name in part.of]
        tree = unfold(part.formula(*arguments))
        width = len(values["z"])
        entries = [
            exact(
                tree,
                {
                    a: named_values[a.tensor.name][k % len(named_values[a.tensor.name])]
                    for a in arguments
                },
            )
            for k in range(width)
        ]
        named_values[part.name] = [mpmath.fsum(entries)] if part.kind == "sum" else entries
    return named_values[row.parts[-1].name]

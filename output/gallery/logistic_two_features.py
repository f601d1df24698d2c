# logistic_two_features.py: written by symderiv 0.1.0; every step of its derivation is proved.
#
# spec      2-1:sigmoid+bce+scalars
# notation  nielsen, layout columns
# command   symderiv derive examples/logistic_two_features.toml --name
#           logistic_two_features
# sha256    12c3f2178d89511aae91a5666418a180e1679f29f64966d8f078fe3a834f0fd1
#           (of this file with "-" in place of these digits)
#
# This generated file is yours, without conditions.
"""The value of C, and its gradient by w1, w2 and b, in NumPy alone.

Everything is computed in the float type of the parameters. The comments cite the equations. Run as
a script, this module checks its own gradients.
"""

from __future__ import annotations

import numpy as np

PARAMETERS = {
    "w1": (),
    "x1": ("m",),
    "w2": (),
    "x2": ("m",),
    "b": (),
    "y": ("m",),
}


def init(rng, sizes):
    """Random numbers between 0.1 and 0.9 for every variable.

    `sizes` is a dict with m.
    """
    names = ["m"]
    if not isinstance(sizes, dict) or not all(name in sizes for name in names):
        raise ValueError(f"sizes is {sizes!r}; it must be a dict with {', '.join(names)}")
    m = _count("m", sizes["m"], 1)
    return {
        "w1": rng.uniform(0.1, 0.9, ()),
        "x1": rng.uniform(0.1, 0.9, (m,)),
        "w2": rng.uniform(0.1, 0.9, ()),
        "x2": rng.uniform(0.1, 0.9, (m,)),
        "b": rng.uniform(0.1, 0.9, ()),
        "y": rng.uniform(0.1, 0.9, (m,)),
    }


# --- The functions, in forms that neither overflow nor cancel ---


def sigmoid(z):
    """1 / (1 + exp(-z))."""
    e = np.exp(-np.abs(z))  # at most 1, so nothing overflows
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def bce_logits(z, y):
    """y * log(1 + exp(-z)) + (1 - y) * log(1 + exp(z))."""
    return y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)


def bce_logits_prime(z, y):
    """The derivative of bce_logits by z."""
    return (1 - y) * sigmoid(z) - y * sigmoid(-z)  # sigmoid(z) - y would cancel


# --- What to call ---


def cost(params):
    """The value of C."""
    w1, x1, w2, x2, b, y = _arrays(params)
    m = x1.shape[0]
    z = w1 * x1 + w2 * x2 + b  # (D1) z = w1 x1 + w2 x2 + b
    ell = bce_logits(z, y)  # (D3) ell = bce(a, y), straight from z
    C = ell.sum() / m  # (D4) C = 1/m 1ᵀ ell
    return float(C)


def cost_and_gradients(params):
    """The value of C, and its gradients as a dict with the names of `params`."""
    w1, x1, w2, x2, b, y = _arrays(params)
    m = x1.shape[0]
    z = w1 * x1 + w2 * x2 + b  # (D1) z = w1 x1 + w2 x2 + b
    ell = bce_logits(z, y)  # (D3) ell = bce(a, y), straight from z
    C = ell.sum() / m  # (D4) C = 1/m 1ᵀ ell
    dz = bce_logits_prime(z, y)  # (BP1) ∂ell/∂z = a − y
    dw1 = dz @ x1 / m  # (BP4a) ∂C/∂w1 = 1/m (∂ell/∂z)ᵀ x1
    dw2 = dz @ x2 / m  # (BP4b) ∂C/∂w2 = 1/m (∂ell/∂z)ᵀ x2
    db = dz.sum() / m  # (BP3) ∂C/∂b = 1/m 1ᵀ ∂ell/∂z
    gradients = {"w1": dw1, "w2": dw2, "b": db}
    dtype = np.asarray(C).dtype
    return float(C), {name: np.array(g, dtype) for name, g in gradients.items()}


def train(params, rate, epochs):
    """Gradient descent: the parameters after it, and the value before each step."""
    params, rate = _named(params), float(rate)
    history = []
    for _ in range(_count("epochs", epochs, 0)):
        value, gradients = cost_and_gradients(params)
        for name, gradient in gradients.items():
            params[name] = params[name] - rate * gradient
        history.append(value)
    return params, history


# --- What may be given ---


def _arrays(params):
    """The arrays in order, all of one float type; ValueError if one does not fit."""
    params = _named(params)
    if params.keys() != PARAMETERS.keys():
        found = ", ".join(map(str, params)) or "nothing"
        raise ValueError(f"params has {found}; it must have {', '.join(PARAMETERS)}")
    dtype = np.result_type(*{np.asarray(value).dtype for value in params.values()})
    dtype = dtype if dtype.kind == "f" else np.dtype(float)
    sizes = {}
    arrays = {
        name: _array(name, params[name], PARAMETERS[name], sizes, dtype) for name in PARAMETERS
    }
    if not np.all((arrays["y"] >= 0) & (arrays["y"] <= 1)):
        raise ValueError("y must be between 0 and 1")
    return list(arrays.values())


def _named(params):
    """The parameters, an array a name."""
    if not hasattr(params, "keys"):
        found = type(params).__name__
        raise ValueError(f"params is of the type {found}; it must be a dict of arrays")
    return dict(params)


def _array(name, value, shape, sizes, dtype):
    """The value as an array; a size with a name is what it is where it is met first."""
    array = np.asarray(value)
    if array.shape == shape and array.dtype == dtype:
        return array
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold real numbers, not {array.dtype}")
    known = dict(sizes)
    for size, count in zip(shape, array.shape):
        known.setdefault(size, count if isinstance(size, str) else size)
    if array.shape != tuple(known.get(size) for size in shape):
        wanted = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
        names = [size for size in dict.fromkeys(shape) if isinstance(size, str) and size in sizes]
        given = " and ".join(f"{size} = {sizes[size]}" for size in names)
        given = f" with {given}" if given else ""
        raise ValueError(f"{name} has the shape {array.shape}; it must be ({wanted}){given}")
    if array.size == 0:
        raise ValueError(f"{name} is empty: its shape is {array.shape}")
    sizes.update(known)
    return array.astype(dtype, copy=False)


def _count(name, value, least):
    """A whole number that is not too small."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise ValueError(f"{name} is {value!r}; it must be a whole number, at least {least}")
    return int(value)


# --- The check: complex steps through the definitions ---


def sigmoid_definition(z):
    """sigmoid as it is defined."""
    return 1 / (1 + np.exp(-z))


def bce_definition(a, y):
    """bce as it is defined."""
    return -(y * np.log(a) + (1 - y) * np.log(1 - a))


def reference_cost(params):
    """C as it is defined: analytic, for complex numbers, at moderate values only."""
    w1, x1, w2, x2, b, y = (params[name] for name in PARAMETERS)
    m = x1.shape[0]
    z = w1 * x1 + w2 * x2 + b
    a = sigmoid_definition(z)
    ell = bce_definition(a, y)
    C = ell.sum() / m
    return C


def check_gradients(params, entries=20, seed=0):
    """The largest relative error of the value and of its gradients.

    The reference is a complex step Im C(p + ih) / h through `reference_cost`, which is exact to
    rounding. Of each array at most `entries` entries are compared, relative to its largest one.
    """
    point = {name: np.asarray(value, dtype=float) for name, value in _named(params).items()}
    value, gradients = cost_and_gradients(point)
    if not np.isfinite(value):
        raise ValueError("the value overflows here, or is not defined: check elsewhere")

    def reference(changed):
        with np.errstate(all="ignore"):
            result = reference_cost({**point, **changed})
        if not np.isfinite(result):
            raise ValueError("the definition overflows here, or is not defined: check elsewhere")
        return result

    plain = reference({}).real
    errors = [abs(value - plain) / max(abs(plain), 1)]
    rng = np.random.default_rng(seed)
    for name, gradient in gradients.items():
        largest = np.max(np.abs(gradient))
        largest = largest if largest > 1e-14 else 1.0  # a gradient of 0 up to rounding
        for place in rng.permutation(gradient.size)[:entries]:
            step = point[name].astype(complex)
            step.flat[place] += 1e-30j
            slope = reference({name: step}).imag / 1e-30
            errors.append(abs(gradient.flat[place] - slope) / largest)
    return float(np.max(errors))


def _points(rng):
    """Points to check at, further and further from those of `init`, also out of the domain."""
    for n in range(400):
        point = init(rng, {"m": 3})
        for name in ["w1", "x1", "w2", "x2", "b"]:
            scale, shift = n / 100 * rng.normal(size=2)
            point[name] = np.exp(scale) * point[name] + rng.integers(2) * shift
        yield point


@np.errstate(all="ignore")
def _check(rng):
    """Check at the first point in the domain."""
    errors = []
    for point in _points(rng):
        try:
            errors.append(check_gradients(point))
            break
        except ValueError:  # outside the domain
            continue
    if not errors:
        raise SystemExit("nothing is checked: there is no value at any of the points drawn")
    print(f"largest relative error of the value and its gradients: {max(errors):.1e}")
    return max(errors)


if __name__ == "__main__":
    raise SystemExit(0 if _check(np.random.default_rng(0)) < 1e-9 else 1)

# computation_graph.py: written by symderiv 0.1.0; every step of its derivation is proved.
#
# spec      u = b*c; v = a + u; J = 3*v
# notation  nielsen, layout columns
# command   symderiv derive examples/computation_graph.toml --name computation_graph
# sha256    ee9ca9607a2511298319f0f33c99420b5c5b1aebaa67228169d636964028174a
#           (of this file with "-" in place of these digits)
#
# This generated file is yours, without conditions.
"""The value of J, and its gradient by b, c and a, in NumPy alone.

Everything is computed in the float type of the parameters. The comments cite the equations. Run as
a script, this module checks its own gradients.
"""

from __future__ import annotations

import numpy as np

PARAMETERS = {
    "b": (),
    "c": (),
    "a": (),
}


def init(rng):
    """Random numbers between 0.1 and 0.9 for every variable."""
    return {
        "b": rng.uniform(0.1, 0.9, ()),
        "c": rng.uniform(0.1, 0.9, ()),
        "a": rng.uniform(0.1, 0.9, ()),
    }


# --- What to call ---


def cost(params):
    """The value of J."""
    b, c, a = _arrays(params)
    u = b * c  # (D1) u = bc
    v = a + u  # (D2) v = a + u
    J = 3 * v  # (D3) J = 3v
    return float(J)


def cost_and_gradients(params):
    """The value of J, and its gradients as a dict with the names of `params`."""
    b, c, a = _arrays(params)
    u = b * c  # (D1) u = bc
    v = a + u  # (D2) v = a + u
    J = 3 * v  # (D3) J = 3v
    db = 3 * c  # (G1) ∂J/∂b = 3c
    dc = 3 * b  # (G2) ∂J/∂c = 3b
    da = 3  # (G3) ∂J/∂a = 3
    gradients = {"b": db, "c": dc, "a": da}
    dtype = np.asarray(J).dtype
    return float(J), {name: np.array(g, dtype) for name, g in gradients.items()}


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
    return [_array(name, params[name], PARAMETERS[name], sizes, dtype) for name in PARAMETERS]


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


def reference_cost(params):
    """J as it is defined: analytic, for complex numbers, at moderate values only."""
    b, c, a = (params[name] for name in PARAMETERS)
    u = b * c
    v = a + u
    J = 3 * v
    return J


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


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    params = init(rng)
    error = check_gradients(params)
    print(f"largest relative error of the value and its gradients: {error:.1e}")
    raise SystemExit(0 if error < 1e-9 else 1)

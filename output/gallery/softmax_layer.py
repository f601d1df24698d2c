# softmax_layer.py: written by symderiv 0.1.0; every step of its derivation is proved.
#
# spec      p = softmax(z)
# notation  nielsen, layout columns
# command   symderiv derive examples/softmax_layer.toml --name softmax_layer
# sha256    233ebfdbbca8a0991e7b614411f1468a5d945c445ff61e53d01f3d0276a49a64
#           (of this file with "-" in place of these digits)
#
# This generated file is yours, without conditions.
"""The value of L, and its gradient by z, in NumPy alone.

Everything is computed in the float type of the parameters. The comments cite the equations. Run as
a script, this module checks its own gradients.
"""

from __future__ import annotations

import numpy as np

PARAMETERS = {
    "z": ("m", "k"),
    "dp_given": ("m", "k"),
}


def init(rng, sizes):
    """Random numbers between 0.1 and 0.9 for every variable.

    `sizes` is a dict with k, m.
    """
    names = ["k", "m"]
    if not isinstance(sizes, dict) or not all(name in sizes for name in names):
        raise ValueError(f"sizes is {sizes!r}; it must be a dict with {', '.join(names)}")
    k = _count("k", sizes["k"], 1)
    m = _count("m", sizes["m"], 1)
    return {
        "z": rng.uniform(0.1, 0.9, (m, k)),
        "dp_given": rng.uniform(0.1, 0.9, (m, k)),
    }


# --- The functions, in forms that neither overflow nor cancel ---


def softmax(z, axis):
    """softmax along an axis."""
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))  # the shift cancels below
    return e / np.sum(e, axis=axis, keepdims=True)


# --- What to call ---


def cost(params):
    """The value of L."""
    z, dp_given = _arrays(params)
    p = softmax(z, axis=1)  # (D3) p = softmax(z)
    L = np.sum(dp_given * p)  # (D4) L = 1ᵀ (dp_given ⊙ p) 1
    return float(L)


def cost_and_gradients(params):
    """The value of L, and its gradients as a dict with the names of `params`."""
    z, dp_given = _arrays(params)
    p = softmax(z, axis=1)  # (D3) p = softmax(z)
    L = np.sum(dp_given * p)  # (D4) L = 1ᵀ (dp_given ⊙ p) 1
    # (G1) ∂L/∂z = p ⊙ (dp_given − (dp_given ⊙ p) 1 1ᵀ)
    dz = p * (dp_given - np.sum(dp_given * p, axis=1)[:, None])
    gradients = {"z": dz}
    dtype = np.asarray(L).dtype
    return float(L), {name: np.array(g, dtype) for name, g in gradients.items()}


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
    """L as it is defined: analytic, for complex numbers, at moderate values only."""
    z, dp_given = (params[name] for name in PARAMETERS)
    e = np.exp(z)
    s = e.sum(axis=1)
    p = e / s[:, None]
    L = np.sum(dp_given * p)
    return L


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
    params = init(rng, {"k": 3, "m": 4})
    error = check_gradients(params)
    print(f"largest relative error of the value and its gradients: {error:.1e}")
    raise SystemExit(0 if error < 1e-9 else 1)

# attention.py: written by symderiv 0.1.0; every step of its derivation is proved.
#
# spec      Z = Q @ K.T/sqrt(d); A = softmax(Z); Y = A @ V
# notation  nielsen, layout columns
# command   symderiv derive examples/attention.toml --name attention
# sha256    04a868ec97a42752463fccfc52c47b41f40f12d479e87084de8a8a6db1cf939e
#           (of this file with "-" in place of these digits)
#
# This generated file is yours, without conditions.
"""The value of L, and its gradient by Q, K and V, in NumPy alone.

Everything is computed in the float type of the parameters. The comments cite the equations. Run as
a script, this module checks its own gradients.
"""

from __future__ import annotations

import numpy as np

PARAMETERS = {
    "Q": ("m", "d"),
    "K": ("n", "d"),
    "V": ("n", "k"),
    "dY_given": ("m", "k"),
}


def init(rng, sizes):
    """Random numbers between 0.1 and 0.9 for every variable.

    `sizes` is a dict with d, k, m, n.
    """
    names = ["d", "k", "m", "n"]
    if not isinstance(sizes, dict) or not all(name in sizes for name in names):
        raise ValueError(f"sizes is {sizes!r}; it must be a dict with {', '.join(names)}")
    d = _count("d", sizes["d"], 1)
    k = _count("k", sizes["k"], 1)
    m = _count("m", sizes["m"], 1)
    n = _count("n", sizes["n"], 1)
    return {
        "Q": rng.uniform(0.1, 0.9, (m, d)),
        "K": rng.uniform(0.1, 0.9, (n, d)),
        "V": rng.uniform(0.1, 0.9, (n, k)),
        "dY_given": rng.uniform(0.1, 0.9, (m, k)),
    }


# --- The functions, in forms that neither overflow nor cancel ---


def softmax(z, axis):
    """softmax along an axis."""
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))  # the shift cancels below
    return e / np.sum(e, axis=axis, keepdims=True)


# --- What to call ---


def cost(params):
    """The value of L."""
    Q, K, V, dY_given = _arrays(params)
    d = Q.shape[1]
    Z = Q @ K.T / float(np.sqrt(d))  # (D1) Z = 1/sqrt(d) Q Kᵀ
    A = softmax(Z, axis=1)  # (D4) A = softmax(Z)
    Y = A @ V  # (D5) Y = A V
    L = np.sum(dY_given * Y)  # (D6) L = 1ᵀ (dY_given ⊙ Y) 1
    return float(L)


def cost_and_gradients(params):
    """The value of L, and its gradients as a dict with the names of `params`."""
    Q, K, V, dY_given = _arrays(params)
    d = Q.shape[1]
    Z = Q @ K.T / float(np.sqrt(d))  # (D1) Z = 1/sqrt(d) Q Kᵀ
    A = softmax(Z, axis=1)  # (D4) A = softmax(Z)
    Y = A @ V  # (D5) Y = A V
    L = np.sum(dY_given * Y)  # (D6) L = 1ᵀ (dY_given ⊙ Y) 1
    dA = dY_given @ V.T  # (G1) ∂L/∂A = dY_given Vᵀ
    dZ = A * (dA - np.sum(dA * A, axis=1)[:, None])  # (G2) ∂L/∂Z = A ⊙ (∂L/∂A − (∂L/∂A ⊙ A) 1 1ᵀ)
    dQ = dZ @ K / float(np.sqrt(d))  # (G3) ∂L/∂Q = 1/sqrt(d) ∂L/∂Z K
    dK = dZ.T @ Q / float(np.sqrt(d))  # (G4) ∂L/∂K = 1/sqrt(d) (∂L/∂Z)ᵀ Q
    dV = A.T @ dY_given  # (G5) ∂L/∂V = Aᵀ dY_given
    gradients = {"Q": dQ, "K": dK, "V": dV}
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
    Q, K, V, dY_given = (params[name] for name in PARAMETERS)
    d = Q.shape[1]
    Z = Q @ K.T / float(np.sqrt(d))
    e = np.exp(Z)
    s = e.sum(axis=1)
    A = e / s[:, None]
    Y = A @ V
    L = np.sum(dY_given * Y)
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
    params = init(rng, {"d": 3, "k": 4, "m": 2, "n": 5})
    error = check_gradients(params)
    print(f"largest relative error of the value and its gradients: {error:.1e}")
    raise SystemExit(0 if error < 1e-9 else 1)

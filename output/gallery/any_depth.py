# any_depth.py: written by symderiv 0.1.0; every step of its derivation is proved.
#
# spec      n0-...-nL:sigmoid+mse
# notation  nielsen, layout columns
# command   symderiv derive examples/any_depth.toml --name any_depth
# sha256    7839b7dad83c5181b101eaf3a2390b0a251f76b15c2bec9ec489a0215fa90d4b
#           (of this file with "-" in place of these digits)
#
# This generated file is yours, without conditions.
"""Cost and gradients of a network by backpropagation, in NumPy alone.

X has the shape (n0, m) and Y the shape (nL, m): one example a column. Everything is computed in
the float type of the parameters. The comments cite the equations of the document: D forward, BP1
the error of the output, BP2 those of hidden layers, BP3 the gradients of biases, BP4 the gradients
of weights. Run as a script, this module checks its own gradients.
"""

from __future__ import annotations

import numpy as np


def PARAMETERS(sizes):
    """Name and shape of every parameter of a network with the layer sizes n0, ..., nL."""
    shapes = {}
    for l in range(1, len(sizes)):
        before, after = sizes[l - 1], sizes[l]
        shapes[f"W{l}"] = (after, before)
        shapes[f"b{l}"] = (after, 1)
    return shapes


def init(rng, sizes):
    """Parameters to start from: weights of variance 2 / (inputs + outputs) (Glorot), biases 0.

    `sizes` lists n0, ..., nL.
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes has {len(sizes)} entries; it must list n0, ..., nL")
    sizes = [_count(f"n{l}", size, 1) for l, size in enumerate(sizes)]
    params = {}
    for l in range(1, len(sizes)):
        before, after = sizes[l - 1], sizes[l]
        params[f"W{l}"] = rng.normal(0, np.sqrt(2 / (before + after)), (after, before))
        params[f"b{l}"] = np.zeros((after, 1))
    return params


# --- The functions, in forms that neither overflow nor cancel ---


def sigmoid(z):
    """1 / (1 + exp(-z))."""
    e = np.exp(-np.abs(z))  # at most 1, so nothing overflows
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def sigmoid_prime(z):
    """The derivative of sigmoid by z."""
    e = np.exp(-np.abs(z))  # a (1 - a) would cancel where a is near 1
    return e / (1 + e) ** 2


def mse(a, y):
    """(a - y)**2."""
    return (a - y) ** 2


# --- The passes ---


def _forward(W, b, X):
    """The forward pass: weighted inputs and activations, layer by layer."""
    L = len(W)
    a, z = {}, {}
    a[0] = X  # (D1) a⁰ = x
    for l in range(1, L + 1):
        z[l] = W[l] @ a[l - 1] + b[l]  # (D2) zˡ = Wˡ aˡ⁻¹ + bˡ 1ᵀ
        a[l] = sigmoid(z[l])  # (D3) aˡ = σ(zˡ)
    return a, z


def _cost(a, Y):
    """The cost, from the last quantities of the forward pass."""
    L = len(a) - 1
    m = Y.shape[1]
    ell = np.sum(mse(a[L], Y), axis=0)  # (D4) ℓ = 1ᵀ mse(aᴸ, y)
    return ell.sum() / m  # (D5) C = 1/m ℓ 1


def _errors(W, a, z, Y):
    """The backward pass: the errors, derivatives of the loss by the weighted inputs."""
    L = len(W)
    delta = {}
    delta[L] = 2 * ((a[L] - Y) * sigmoid_prime(z[L]))  # (BP1) δᴸ = 2 ((aᴸ − y) ⊙ σ′(zᴸ))
    for l in range(L - 1, 0, -1):
        # (BP2) δˡ = (Wˡ⁺¹ᵀ δˡ⁺¹) ⊙ σ′(zˡ)
        delta[l] = (W[l + 1].T @ delta[l + 1]) * sigmoid_prime(z[l])
    return delta


# --- What to call ---


def forward(params, X):
    """The output of the network, with the shape (nL, m)."""
    W, b, X = _arrays(params, X)
    a, z = _forward(W, b, X)
    L = len(W)
    return a[L]


def cost(params, X, Y):
    """The mean over the examples of mse, summed over the outputs."""
    W, b, X, Y = _arrays(params, X, Y)
    a, z = _forward(W, b, X)
    return float(_cost(a, Y))


def cost_and_gradients(params, X, Y):
    """The cost, and its gradient by every parameter as a dict with the names of `params`."""
    W, b, X, Y = _arrays(params, X, Y)
    a, z = _forward(W, b, X)
    delta = _errors(W, a, z, Y)
    L = len(W)
    m = X.shape[1]
    gradients = {}
    for l in range(1, L + 1):
        gradients[f"W{l}"] = delta[l] @ a[l - 1].T / m  # (BP4) ∂C/∂Wˡ = 1/m δˡ aˡ⁻¹ᵀ
        gradients[f"b{l}"] = delta[l].sum(axis=1, keepdims=True) / m  # (BP3) ∂C/∂bˡ = 1/m δˡ 1
    return float(_cost(a, Y)), gradients


def input_gradient(params, X, Y):
    """The gradient of the cost by X."""
    W, b, X, Y = _arrays(params, X, Y)
    a, z = _forward(W, b, X)
    delta = _errors(W, a, z, Y)
    m = X.shape[1]
    return W[1].T @ delta[1] / m  # ∂C/∂x = 1/m W¹ᵀ δ¹


def train(params, X, Y, rate, epochs, batch=None, *, rng=None):
    """Gradient descent: the parameters after it, and one cost an epoch.

    Without `batch`, each step uses all examples; with it, the examples are shuffled by `rng` (a
    NumPy generator, seed 0 by default) and taken `batch` at a time. The cost of an epoch is the
    mean of what its steps met.
    """
    params, rate = _named(params), float(rate)
    epochs = _count("epochs", epochs, 0)
    batch = None if batch is None else _count("batch", batch, 1)
    history = []
    rng = np.random.default_rng(0) if rng is None else rng
    *_, X, Y = _arrays(params, X, Y)
    for _ in range(epochs):
        costs = []
        for part in _batches(X.shape[1], batch, rng):
            value, gradients = cost_and_gradients(params, X[:, part], Y[:, part])
            for name, gradient in gradients.items():
                params[name] = params[name] - rate * gradient
            costs.append(value)
        history.append(float(np.mean(costs)))
    return params, history


def _batches(m, batch, rng):
    """The examples of each step of an epoch."""
    if batch is None:
        return [slice(None)]
    order = rng.permutation(m)
    return [order[start : start + batch] for start in range(0, m, batch)]


# --- What may be given ---


def _arrays(params, X, Y=None):
    """The arrays in order, in the float type of the parameters; ValueError if one does not fit."""
    params = _named(params)
    L = len(params) // 2
    shapes = PARAMETERS([f"n{l}" for l in range(L + 1)])
    if not shapes or params.keys() != shapes.keys():
        found = ", ".join(map(str, params)) or "nothing"
        raise ValueError(f"params has {found}; it must have W1, b1, ... for every layer")
    dtype = np.result_type(*{np.asarray(value).dtype for value in params.values()})
    dtype = dtype if dtype.kind == "f" else np.dtype(float)
    sizes = {}
    arrays = {name: _array(name, params[name], shapes[name], sizes, dtype) for name in shapes}
    arrays = [{l: arrays[f"{name}{l}"] for l in range(1, L + 1)} for name in ("W", "b")]
    arrays.append(_array("X", X, ("n0", "m"), sizes, dtype))
    if Y is not None:
        Y = _array("Y", Y, (f"n{L}", "m"), sizes, dtype)
        arrays.append(Y)
    return arrays


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


def mse_definition(a, y):
    """mse as it is defined."""
    return (a - y)**2


def reference_cost(params, X, Y):
    """The cost as it is defined: analytic, for complex numbers, at moderate values only."""
    L = len(params) // 2
    W = {l: params[f"W{l}"] for l in range(1, L + 1)}
    b = {l: params[f"b{l}"] for l in range(1, L + 1)}
    m = X.shape[1]
    a, z = {}, {}
    a[0] = X
    for l in range(1, L + 1):
        z[l] = W[l] @ a[l - 1] + b[l]
        a[l] = sigmoid_definition(z[l])
    ell = np.sum(mse_definition(a[L], Y), axis=0)
    return ell.sum() / m


def check_gradients(params, X, Y, entries=20, seed=0):
    """The largest relative error of the cost and of its gradients.

    The reference is a complex step Im C(p + ih) / h through `reference_cost`, which is exact to
    rounding. Of each array at most `entries` entries are compared, relative to its largest one.
    """
    point = {name: np.asarray(value, dtype=float) for name, value in _named(params).items()}
    X, Y = np.asarray(X, dtype=float), np.asarray(Y, dtype=float)
    value, gradients = cost_and_gradients(point, X, Y)
    gradients["X"] = input_gradient(point, X, Y)

    def reference(name, array):
        changed = {**point, "X": X, name: array}
        with np.errstate(all="ignore"):
            result = reference_cost(changed, changed.pop("X"), Y)
        if not np.isfinite(result):
            raise ValueError("the definition overflows here, or is not defined: check elsewhere")
        return result

    plain = reference("X", X).real
    errors = [abs(value - plain) / max(abs(plain), 1)]
    rng = np.random.default_rng(seed)
    for name, gradient in gradients.items():
        largest = np.max(np.abs(gradient))
        largest = largest if largest > 1e-14 else 1.0  # a gradient of 0 up to rounding
        for place in rng.permutation(gradient.size)[:entries]:
            step = (X if name == "X" else point[name]).astype(complex)
            step.flat[place] += 1e-30j
            errors.append(abs(gradient.flat[place] - reference(name, step).imag / 1e-30) / largest)
    return float(np.max(errors))


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    params = init(rng, [3, 4, 5, 2])
    params = {name: value + rng.normal(0, 0.1, value.shape) for name, value in params.items()}
    X = rng.normal(size=(3, 6))
    Y = rng.normal(size=(2, 6))
    error = check_gradients(params, X, Y)
    print(f"largest relative error of the cost and its gradients: {error:.1e}")
    raise SystemExit(0 if error < 1e-9 else 1)

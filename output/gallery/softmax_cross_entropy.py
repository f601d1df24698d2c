# softmax_cross_entropy.py: written by symderiv 0.1.0; every step of its derivation is proved.
#
# spec      n0-n1-n2:tanh,softmax+ce
# notation  nielsen, layout rows
# command   symderiv derive examples/softmax_cross_entropy.toml --layout rows --name
#           softmax_cross_entropy
# sha256    f49a95c17b0141e6bb1c86d69582c69a7eadea664c507ff05b7ab38c22ce36ed
#           (of this file with "-" in place of these digits)
#
# This generated file is yours, without conditions.
"""Cost and gradients of a network by backpropagation, in NumPy alone.

X has the shape (m, n0) and Y the shape (m, n2): one example a row. Everything is computed in the
float type of the parameters. The comments cite the equations of the document: D forward, BP1 the
error of the output, BP2 those of hidden layers, BP3 the gradients of biases, BP4 the gradients of
weights. Run as a script, this module checks its own gradients.
"""

from __future__ import annotations

import numpy as np

PARAMETERS = {
    "W1": ("n0", "n1"),
    "b1": ("n1",),
    "W2": ("n1", "n2"),
    "b2": ("n2",),
}


def init(rng, sizes):
    """Parameters to start from: weights of variance 2 / (inputs + outputs) (Glorot), biases 0.

    `sizes` is a dict with n0, n1, n2.
    """
    names = ["n0", "n1", "n2"]
    if not isinstance(sizes, dict) or not all(name in sizes for name in names):
        raise ValueError(f"sizes is {sizes!r}; it must be a dict with {', '.join(names)}")
    n0 = _count("n0", sizes["n0"], 1)
    n1 = _count("n1", sizes["n1"], 1)
    n2 = _count("n2", sizes["n2"], 1)
    return {
        "W1": rng.normal(0, np.sqrt(2 / (n0 + n1)), (n0, n1)),
        "b1": np.zeros((n1,)),
        "W2": rng.normal(0, np.sqrt(2 / (n1 + n2)), (n1, n2)),
        "b2": np.zeros((n2,)),
    }


# --- The functions, in forms that neither overflow nor cancel ---


def softmax(z, axis):
    """softmax along an axis."""
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))  # the shift cancels below
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax(z, axis):
    """log_softmax along an axis."""
    t = z - np.max(z, axis=axis, keepdims=True)
    rest = np.sum(np.where(t == 0, 0, np.exp(t)), axis=axis, keepdims=True)
    rest = rest + (np.sum(t == 0, axis=axis, keepdims=True, dtype=t.dtype) - 1)
    return t - np.log1p(rest)  # 1 + rest is the sum of exp(t)


def ce_logits(z, y, axis):
    """ce of softmax(z), straight from z."""
    return -np.sum(y * log_softmax(z, axis), axis=axis)


def ce_logits_prime(z, y, axis):
    """The derivative of ce_logits by z."""
    t = z - np.max(z, axis=axis, keepdims=True)
    e = np.exp(t)
    s = np.sum(e, axis=axis, keepdims=True)
    rest = np.sum(np.where(t == 0, 0, e), axis=axis, keepdims=True)
    rest = rest + (np.sum(t == 0, axis=axis, keepdims=True, dtype=t.dtype) - 1)
    miss = np.where(t == 0, rest, s - e) / s  # 1 - p
    return (1 - y) * (e / s) - y * miss  # p - y would cancel where p is near y


def tanh_prime(z):
    """The derivative of tanh by z."""
    e = np.exp(-2 * np.abs(z))  # 1 - a**2 would cancel where |a| is near 1
    return 4 * e / (1 + e) ** 2


# --- The passes ---


def _forward(W1, b1, W2, b2, X):
    """The forward pass: weighted inputs and activations, layer by layer."""
    z1 = X @ W1 + b1  # (D1) z¹ = x W¹ + 1 b¹
    a1 = np.tanh(z1)  # (D2) a¹ = tanh(z¹)
    z2 = a1 @ W2 + b2  # (D3) z² = a¹ W² + 1 b²
    return z1, a1, z2


def _cost(z2, Y):
    """The cost, from the last quantities of the forward pass."""
    m = Y.shape[0]
    ell = ce_logits(z2, Y, axis=1)  # (D7) ℓ = ce(a², y) 1, straight from z²
    return ell.sum() / m  # (D8) C = 1/m 1ᵀ ℓ


def _errors(W2, z1, z2, Y):
    """The backward pass: the errors, derivatives of the loss by the weighted inputs."""
    delta2 = ce_logits_prime(z2, Y, axis=1)  # (BP1) δ² = a² − y
    delta1 = (delta2 @ W2.T) * tanh_prime(z1)  # (BP2) δ¹ = (δ² W²ᵀ) ⊙ tanh′(z¹)
    return delta2, delta1


# --- What to call ---


def forward(params, X):
    """The output of the network, with the shape (m, n2)."""
    W1, b1, W2, b2, X = _arrays(params, X)
    *_, z2 = _forward(W1, b1, W2, b2, X)
    return softmax(z2, axis=1)  # (D6) a² = softmax(z²)


def cost(params, X, Y):
    """The mean over the examples of ce, summed over the outputs."""
    W1, b1, W2, b2, X, Y = _arrays(params, X, Y)
    *_, z2 = _forward(W1, b1, W2, b2, X)
    return float(_cost(z2, Y))


def cost_and_gradients(params, X, Y):
    """The cost, and its gradient by every parameter as a dict with the names of `params`."""
    W1, b1, W2, b2, X, Y = _arrays(params, X, Y)
    z1, a1, z2 = _forward(W1, b1, W2, b2, X)
    delta2, delta1 = _errors(W2, z1, z2, Y)
    m = X.shape[0]
    dW1 = X.T @ delta1 / m  # (BP4) ∂C/∂W¹ = 1/m xᵀ δ¹
    db1 = delta1.sum(axis=0) / m  # (BP3) ∂C/∂b¹ = 1/m 1ᵀ δ¹
    dW2 = a1.T @ delta2 / m  # (BP4) ∂C/∂W² = 1/m a¹ᵀ δ²
    db2 = delta2.sum(axis=0) / m  # (BP3) ∂C/∂b² = 1/m 1ᵀ δ²
    gradients = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
    return float(_cost(z2, Y)), gradients


def input_gradient(params, X, Y):
    """The gradient of the cost by X."""
    W1, b1, W2, b2, X, Y = _arrays(params, X, Y)
    z1, a1, z2 = _forward(W1, b1, W2, b2, X)
    *_, delta1 = _errors(W2, z1, z2, Y)
    m = X.shape[0]
    return delta1 @ W1.T / m  # ∂C/∂x = 1/m δ¹ W¹ᵀ


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
        for part in _batches(X.shape[0], batch, rng):
            value, gradients = cost_and_gradients(params, X[part], Y[part])
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
    shapes = PARAMETERS
    if params.keys() != shapes.keys():
        found = ", ".join(map(str, params)) or "nothing"
        raise ValueError(f"params has {found}; it must have {', '.join(shapes)}")
    dtype = np.result_type(*{np.asarray(value).dtype for value in params.values()})
    dtype = dtype if dtype.kind == "f" else np.dtype(float)
    sizes = {}
    arrays = [_array(name, params[name], shapes[name], sizes, dtype) for name in shapes]
    arrays.append(_array("X", X, ("m", "n0"), sizes, dtype))
    if Y is not None:
        Y = _array("Y", Y, ("m", "n2"), sizes, dtype)
        arrays.append(Y)
        if not np.allclose(Y.sum(axis=1), 1, rtol=0, atol=1e-5):
            raise ValueError("Y breaks what is assumed: the targets of an example sum to 1")
        if not np.all((Y >= 0) & (Y <= 1)):
            raise ValueError("Y must be between 0 and 1, summing to 1")
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


def tanh_definition(z):
    """tanh as it is defined."""
    return (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))


def ce_definition(a, y):
    """ce as it is defined."""
    return -y * np.log(a)


def reference_cost(params, X, Y):
    """The cost as it is defined: analytic, for complex numbers, at moderate values only."""
    W1, b1, W2, b2 = (params[name] for name in PARAMETERS)
    m = X.shape[0]
    z1 = X @ W1 + b1
    a1 = tanh_definition(z1)
    z2 = a1 @ W2 + b2
    e2 = np.exp(z2)
    s2 = e2.sum(axis=1)
    a2 = e2 / s2[:, None]
    ell = np.sum(ce_definition(a2, Y), axis=1)
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
    params = init(rng, {"n0": 3, "n1": 4, "n2": 2})
    params = {name: value + rng.normal(0, 0.1, value.shape) for name, value in params.items()}
    X = rng.normal(size=(6, 3))
    Y = rng.uniform(size=(6, 2))
    Y = Y / np.sum(Y, axis=1, keepdims=True)
    error = check_gradients(params, X, Y)
    print(f"largest relative error of the cost and its gradients: {error:.1e}")
    raise SystemExit(0 if error < 1e-9 else 1)

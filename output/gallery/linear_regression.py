# linear_regression.py: written by symderiv 0.1.0; every step of its derivation is proved.
#
# spec      n0-1:identity+half-mse
# notation  nielsen, layout columns
# command   symderiv derive examples/linear_regression.toml --name linear_regression
# sha256    f2e09c0d1f98b9bec0c9d9a3c37e2fe4b3a56b5692db86bcc4abbc2ca9e359da
#           (of this file with "-" in place of these digits)
#
# This generated file is yours, without conditions.
"""Cost and gradients of a network by backpropagation, in NumPy alone.

X has the shape (n0, m) and Y the shape (1, m): one example a column. Everything is computed in the
float type of the parameters. The comments cite the equations of the document: D forward, BP1 the
error of the output, BP3 the gradients of biases, BP4 the gradients of weights. Run as a script,
this module checks its own gradients.
"""

from __future__ import annotations

import numpy as np

PARAMETERS = {
    "W1": (1, "n0"),
    "b1": (1, 1),
}


def init(rng, sizes):
    """Parameters to start from: weights of variance 2 / (inputs + outputs) (Glorot), biases 0.

    `sizes` is a dict with n0.
    """
    names = ["n0"]
    if not isinstance(sizes, dict) or not all(name in sizes for name in names):
        raise ValueError(f"sizes is {sizes!r}; it must be a dict with {', '.join(names)}")
    n0 = _count("n0", sizes["n0"], 1)
    return {
        "W1": rng.normal(0, np.sqrt(2 / (n0 + 1)), (1, n0)),
        "b1": np.zeros((1, 1)),
    }


# --- The functions, in forms that neither overflow nor cancel ---


def half_mse(a, y):
    """(1 / 2) * (a - y)**2."""
    return 0.5 * (a - y) ** 2


# --- The passes ---


def _forward(W1, b1, X):
    """The forward pass: weighted inputs and activations, layer by layer."""
    z1 = W1 @ X + b1  # (D1) z¹ = W¹ x + b¹ 1ᵀ
    a1 = z1  # (D2) a¹ = z¹
    return a1


def _cost(a1, Y):
    """The cost, from the last quantities of the forward pass."""
    m = Y.shape[1]
    ell = np.sum(half_mse(a1, Y), axis=0)  # (D3) ℓ = 1ᵀ half-mse(a¹, y)
    return ell.sum() / m  # (D4) C = 1/m ℓ 1


def _errors(a1, Y):
    """The backward pass: the errors, derivatives of the loss by the weighted inputs."""
    delta1 = a1 - Y  # (BP1) δ¹ = a¹ − y
    return delta1


# --- What to call ---


def forward(params, X):
    """The output of the network, with the shape (1, m)."""
    W1, b1, X = _arrays(params, X)
    a1 = _forward(W1, b1, X)
    return a1


def cost(params, X, Y):
    """The mean over the examples of half-mse, summed over the outputs."""
    W1, b1, X, Y = _arrays(params, X, Y)
    a1 = _forward(W1, b1, X)
    return float(_cost(a1, Y))


def cost_and_gradients(params, X, Y):
    """The cost, and its gradient by every parameter as a dict with the names of `params`."""
    W1, b1, X, Y = _arrays(params, X, Y)
    a1 = _forward(W1, b1, X)
    delta1 = _errors(a1, Y)
    m = X.shape[1]
    dW1 = delta1 @ X.T / m  # (BP4) ∂C/∂W¹ = 1/m δ¹ xᵀ
    db1 = delta1.sum(axis=1, keepdims=True) / m  # (BP3) ∂C/∂b¹ = 1/m δ¹ 1
    gradients = {"W1": dW1, "b1": db1}
    return float(_cost(a1, Y)), gradients


def input_gradient(params, X, Y):
    """The gradient of the cost by X."""
    W1, b1, X, Y = _arrays(params, X, Y)
    a1 = _forward(W1, b1, X)
    delta1 = _errors(a1, Y)
    m = X.shape[1]
    return W1.T @ delta1 / m  # ∂C/∂x = 1/m W¹ᵀ δ¹


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
    shapes = PARAMETERS
    if params.keys() != shapes.keys():
        found = ", ".join(map(str, params)) or "nothing"
        raise ValueError(f"params has {found}; it must have {', '.join(shapes)}")
    dtype = np.result_type(*{np.asarray(value).dtype for value in params.values()})
    dtype = dtype if dtype.kind == "f" else np.dtype(float)
    sizes = {}
    arrays = [_array(name, params[name], shapes[name], sizes, dtype) for name in shapes]
    arrays.append(_array("X", X, ("n0", "m"), sizes, dtype))
    if Y is not None:
        Y = _array("Y", Y, (1, "m"), sizes, dtype)
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


def half_mse_definition(a, y):
    """half_mse as it is defined."""
    return (1 / 2) * (a - y)**2


def reference_cost(params, X, Y):
    """The cost as it is defined: analytic, for complex numbers, at moderate values only."""
    W1, b1 = (params[name] for name in PARAMETERS)
    m = X.shape[1]
    z1 = W1 @ X + b1
    a1 = z1
    ell = np.sum(half_mse_definition(a1, Y), axis=0)
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
    params = init(rng, {"n0": 3})
    params = {name: value + rng.normal(0, 0.1, value.shape) for name, value in params.items()}
    X = rng.normal(size=(3, 6))
    Y = rng.normal(size=(1, 6))
    error = check_gradients(params, X, Y)
    print(f"largest relative error of the cost and its gradients: {error:.1e}")
    raise SystemExit(0 if error < 1e-9 else 1)

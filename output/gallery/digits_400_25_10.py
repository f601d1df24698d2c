# digits_400_25_10.py: written by symderiv 0.1.0; every step of its derivation is proved.
#
# spec      400-25-10:sigmoid+bce+l2
# notation  nielsen, layout columns
# command   symderiv derive examples/digits_400_25_10.toml --name digits_400_25_10
# sha256    06364a37a740a426c70fc5ed3298b14d5cc75c2ed09ec4b2a6cbf24ccbfe68e6
#           (of this file with "-" in place of these digits)
#
# This generated file is yours, without conditions.
"""Cost and gradients of a network by backpropagation, in NumPy alone.

X has the shape (400, m) and Y the shape (10, m): one example a column. Everything is computed in
the float type of the parameters. The comments cite the equations of the document: D forward, BP1
the error of the output, BP2 those of hidden layers, BP3 the gradients of biases, BP4 the gradients
of weights. Run as a script, this module checks its own gradients.
"""

from __future__ import annotations

import numpy as np

PARAMETERS = {
    "W1": (25, 400),
    "b1": (25, 1),
    "W2": (10, 25),
    "b2": (10, 1),
}


def init(rng):
    """Parameters to start from: weights of variance 2 / (inputs + outputs) (Glorot), biases 0."""
    return {
        "W1": rng.normal(0, np.sqrt(2 / (400 + 25)), (25, 400)),
        "b1": np.zeros((25, 1)),
        "W2": rng.normal(0, np.sqrt(2 / (25 + 10)), (10, 25)),
        "b2": np.zeros((10, 1)),
    }


# --- The functions, in forms that neither overflow nor cancel ---


def sigmoid(z):
    """1 / (1 + exp(-z))."""
    e = np.exp(-np.abs(z))  # at most 1, so nothing overflows
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def sigmoid_prime(z):
    """The derivative of sigmoid by z."""
    e = np.exp(-np.abs(z))  # a (1 - a) would cancel where a is near 1
    return e / (1 + e) ** 2


def bce_logits(z, y):
    """bce of sigmoid(z), straight from z."""
    return y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)


def bce_logits_prime(z, y):
    """The derivative of bce_logits by z."""
    return (1 - y) * sigmoid(z) - y * sigmoid(-z)  # sigmoid(z) - y would cancel


# --- The passes ---


def _forward(W1, b1, W2, b2, X):
    """The forward pass: weighted inputs and activations, layer by layer."""
    z1 = W1 @ X + b1  # (D1) z¹ = W¹ x + b¹ 1ᵀ
    a1 = sigmoid(z1)  # (D2) a¹ = σ(z¹)
    z2 = W2 @ a1 + b2  # (D3) z² = W² a¹ + b² 1ᵀ
    return z1, a1, z2


def _cost(W1, W2, z2, Y, lam):
    """The cost, from the last quantities of the forward pass."""
    m = Y.shape[1]
    ell = np.sum(bce_logits(z2, Y), axis=0)  # (D5) ℓ = 1ᵀ bce(a², y), straight from z²
    R = lam / (2 * m) * (np.vdot(W1, W1) + np.vdot(W2, W2))  # (D6) R = λ/2m (‖W¹‖² + ‖W²‖²)
    return ell.sum() / m + R  # (D7) C = 1/m ℓ 1 + R


def _errors(W2, z1, z2, Y):
    """The backward pass: the errors, derivatives of the loss by the weighted inputs."""
    delta2 = bce_logits_prime(z2, Y)  # (BP1) δ² = a² − y
    delta1 = (W2.T @ delta2) * sigmoid_prime(z1)  # (BP2) δ¹ = (W²ᵀ δ²) ⊙ σ′(z¹)
    return delta2, delta1


# --- What to call ---


def forward(params, X):
    """The output of the network, with the shape (10, m)."""
    W1, b1, W2, b2, X = _arrays(params, X)
    *_, z2 = _forward(W1, b1, W2, b2, X)
    return sigmoid(z2)  # (D4) a² = σ(z²)


def cost(params, X, Y, *, lam=0.0):
    """The mean over the examples of bce, summed over the outputs, plus the penalty.

    The strength `lam` of the penalty is 0 by default.
    """
    lam = _number("lam", lam)
    W1, b1, W2, b2, X, Y = _arrays(params, X, Y)
    *_, z2 = _forward(W1, b1, W2, b2, X)
    return float(_cost(W1, W2, z2, Y, lam))


def cost_and_gradients(params, X, Y, *, lam=0.0):
    """The cost, and its gradient by every parameter as a dict with the names of `params`."""
    lam = _number("lam", lam)
    W1, b1, W2, b2, X, Y = _arrays(params, X, Y)
    z1, a1, z2 = _forward(W1, b1, W2, b2, X)
    delta2, delta1 = _errors(W2, z1, z2, Y)
    m = X.shape[1]
    dW1 = delta1 @ X.T / m + lam / m * W1  # (BP4) ∂C/∂W¹ = 1/m δ¹ xᵀ + λ/m W¹
    db1 = delta1.sum(axis=1, keepdims=True) / m  # (BP3) ∂C/∂b¹ = 1/m δ¹ 1
    dW2 = delta2 @ a1.T / m + lam / m * W2  # (BP4) ∂C/∂W² = 1/m δ² a¹ᵀ + λ/m W²
    db2 = delta2.sum(axis=1, keepdims=True) / m  # (BP3) ∂C/∂b² = 1/m δ² 1
    gradients = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
    return float(_cost(W1, W2, z2, Y, lam)), gradients


def input_gradient(params, X, Y):
    """The gradient of the cost by X, on which the penalty does not depend."""
    W1, b1, W2, b2, X, Y = _arrays(params, X, Y)
    z1, a1, z2 = _forward(W1, b1, W2, b2, X)
    *_, delta1 = _errors(W2, z1, z2, Y)
    m = X.shape[1]
    return W1.T @ delta1 / m  # ∂C/∂x = 1/m W¹ᵀ δ¹


def train(params, X, Y, rate, epochs, batch=None, *, lam=0.0, rng=None):
    """Gradient descent: the parameters after it, and one cost an epoch.

    Without `batch`, each step uses all examples; with it, the examples are shuffled by `rng` (a
    NumPy generator, seed 0 by default) and taken `batch` at a time. The cost of an epoch is the
    mean of what its steps met.

    The strength `lam` of the penalty is 0 by default. The penalty belongs to all examples: a step
    with some of them takes their share of it, so that it counts the same for every `batch`.
    """
    params, rate = _named(params), float(rate)
    lam = _number("lam", lam)
    epochs = _count("epochs", epochs, 0)
    batch = None if batch is None else _count("batch", batch, 1)
    history = []
    rng = np.random.default_rng(0) if rng is None else rng
    *_, X, Y = _arrays(params, X, Y)
    for _ in range(epochs):
        costs = []
        for part in _batches(X.shape[1], batch, rng):
            share = X[:, part].shape[1] / X.shape[1]
            value, gradients = cost_and_gradients(params, X[:, part], Y[:, part], lam=lam * share)
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
    arrays.append(_array("X", X, (400, "m"), sizes, dtype))
    if Y is not None:
        Y = _array("Y", Y, (10, "m"), sizes, dtype)
        arrays.append(Y)
        if not np.all((Y >= 0) & (Y <= 1)):
            raise ValueError("Y must be between 0 and 1")
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


def _number(name, value):
    """A number that is not negative."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number < np.inf:
        raise ValueError(f"{name} is {value!r}; it must be a number that is not negative")
    return number


# --- The check: complex steps through the definitions ---


def sigmoid_definition(z):
    """sigmoid as it is defined."""
    return 1 / (1 + np.exp(-z))


def bce_definition(a, y):
    """bce as it is defined."""
    return -(y * np.log(a) + (1 - y) * np.log(1 - a))


def reference_cost(params, X, Y, *, lam=0.0):
    """The cost as it is defined: analytic, for complex numbers, at moderate values only."""
    W1, b1, W2, b2 = (params[name] for name in PARAMETERS)
    m = X.shape[1]
    z1 = W1 @ X + b1
    a1 = sigmoid_definition(z1)
    z2 = W2 @ a1 + b2
    a2 = sigmoid_definition(z2)
    ell = np.sum(bce_definition(a2, Y), axis=0)
    R = lam / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))
    return ell.sum() / m + R


def check_gradients(params, X, Y, *, lam=0.0, entries=20, seed=0):
    """The largest relative error of the cost and of its gradients.

    The reference is a complex step Im C(p + ih) / h through `reference_cost`, which is exact to
    rounding. Of each array at most `entries` entries are compared, relative to its largest one.
    """
    point = {name: np.asarray(value, dtype=float) for name, value in _named(params).items()}
    X, Y = np.asarray(X, dtype=float), np.asarray(Y, dtype=float)
    value, gradients = cost_and_gradients(point, X, Y, lam=lam)
    gradients["X"] = input_gradient(point, X, Y)

    def reference(name, array):
        changed = {**point, "X": X, name: array}
        with np.errstate(all="ignore"):
            result = reference_cost(changed, changed.pop("X"), Y, lam=lam)
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
    params = init(rng)
    params = {name: value + rng.normal(0, 0.1, value.shape) for name, value in params.items()}
    X = rng.normal(size=(400, 6))
    Y = rng.uniform(size=(10, 6))
    error = check_gradients(params, X, Y, lam=0.1)
    print(f"largest relative error of the cost and its gradients: {error:.1e}")
    raise SystemExit(0 if error < 1e-9 else 1)

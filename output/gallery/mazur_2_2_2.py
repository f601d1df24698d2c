# mazur_2_2_2.py: written by symderiv 0.1.0; every step of its derivation is proved.
#
# spec      2-2-2:sigmoid+half-mse
# notation  nielsen, layout single
# command   symderiv derive examples/mazur_2_2_2.toml --layout single --name mazur_2_2_2
# sha256    d0ff937fc8db671068859b97009491c8cb5754eb2dc18622135c0ace69f46dcb
#           (of this file with "-" in place of these digits)
#
# This generated file is yours, without conditions.
"""Cost and gradients of a network by backpropagation, in NumPy alone.

X has the shape (2,) and Y the shape (2,): one example, vectors have one axis. Everything is
computed in the float type of the parameters. The comments cite the equations of the document: D
forward, BP1 the error of the output, BP2 those of hidden layers, BP3 the gradients of biases, BP4
the gradients of weights. Run as a script, this module checks its own gradients.
"""

from __future__ import annotations

import numpy as np

PARAMETERS = {
    "W1": (2, 2),
    "b1": (2,),
    "W2": (2, 2),
    "b2": (2,),
}


def init(rng):
    """Parameters to start from: weights of variance 2 / (inputs + outputs) (Glorot), biases 0."""
    return {
        "W1": rng.normal(0, np.sqrt(2 / (2 + 2)), (2, 2)),
        "b1": np.zeros((2,)),
        "W2": rng.normal(0, np.sqrt(2 / (2 + 2)), (2, 2)),
        "b2": np.zeros((2,)),
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


def half_mse(a, y):
    """(1 / 2) * (a - y)**2."""
    return 0.5 * (a - y) ** 2


# --- The passes ---


def _forward(W1, b1, W2, b2, X):
    """The forward pass: weighted inputs and activations, layer by layer."""
    z1 = W1 @ X + b1  # (D1) z¹ = W¹ x + b¹
    a1 = sigmoid(z1)  # (D2) a¹ = σ(z¹)
    z2 = W2 @ a1 + b2  # (D3) z² = W² a¹ + b²
    a2 = sigmoid(z2)  # (D4) a² = σ(z²)
    return z1, a1, z2, a2


def _cost(a2, Y):
    """The cost, from the last quantities of the forward pass."""
    ell = np.sum(half_mse(a2, Y))  # (D5) ℓ = 1ᵀ half-mse(a², y)
    return ell  # (D6) C = ℓ


def _errors(W2, z1, z2, a2, Y):
    """The backward pass: the errors, derivatives of the loss by the weighted inputs."""
    delta2 = (a2 - Y) * sigmoid_prime(z2)  # (BP1) δ² = (a² − y) ⊙ σ′(z²)
    delta1 = (W2.T @ delta2) * sigmoid_prime(z1)  # (BP2) δ¹ = (W²ᵀ δ²) ⊙ σ′(z¹)
    return delta2, delta1


# --- What to call ---


def forward(params, X):
    """The output of the network, with the shape (2,)."""
    W1, b1, W2, b2, X = _arrays(params, X)
    *_, a2 = _forward(W1, b1, W2, b2, X)
    return a2


def cost(params, X, Y):
    """Half-mse, summed over the outputs."""
    W1, b1, W2, b2, X, Y = _arrays(params, X, Y)
    *_, a2 = _forward(W1, b1, W2, b2, X)
    return float(_cost(a2, Y))


def cost_and_gradients(params, X, Y):
    """The cost, and its gradient by every parameter as a dict with the names of `params`."""
    W1, b1, W2, b2, X, Y = _arrays(params, X, Y)
    z1, a1, z2, a2 = _forward(W1, b1, W2, b2, X)
    delta2, delta1 = _errors(W2, z1, z2, a2, Y)
    dW1 = np.outer(delta1, X)  # (BP4) ∂C/∂W¹ = δ¹ xᵀ
    db1 = delta1  # (BP3) ∂C/∂b¹ = δ¹
    dW2 = np.outer(delta2, a1)  # (BP4) ∂C/∂W² = δ² a¹ᵀ
    db2 = delta2  # (BP3) ∂C/∂b² = δ²
    gradients = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
    return float(_cost(a2, Y)), gradients


def input_gradient(params, X, Y):
    """The gradient of the cost by X."""
    W1, b1, W2, b2, X, Y = _arrays(params, X, Y)
    z1, a1, z2, a2 = _forward(W1, b1, W2, b2, X)
    *_, delta1 = _errors(W2, z1, z2, a2, Y)
    return W1.T @ delta1  # ∂C/∂x = W¹ᵀ δ¹


def train(params, X, Y, rate, epochs):
    """Gradient descent: the parameters after it, and one cost an epoch.
    """
    params, rate = _named(params), float(rate)
    epochs = _count("epochs", epochs, 0)
    history = []
    for _ in range(epochs):
        value, gradients = cost_and_gradients(params, X, Y)
        for name, gradient in gradients.items():
            params[name] = params[name] - rate * gradient
        history.append(value)
    return params, history


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
    arrays.append(_array("X", X, (2,), sizes, dtype))
    if Y is not None:
        Y = _array("Y", Y, (2,), sizes, dtype)
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


def half_mse_definition(a, y):
    """half_mse as it is defined."""
    return (1 / 2) * (a - y)**2


def reference_cost(params, X, Y):
    """The cost as it is defined: analytic, for complex numbers, at moderate values only."""
    W1, b1, W2, b2 = (params[name] for name in PARAMETERS)
    z1 = W1 @ X + b1
    a1 = sigmoid_definition(z1)
    z2 = W2 @ a1 + b2
    a2 = sigmoid_definition(z2)
    ell = np.sum(half_mse_definition(a2, Y))
    return ell


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
    params = init(rng)
    params = {name: value + rng.normal(0, 0.1, value.shape) for name, value in params.items()}
    X = rng.normal(size=(2,))
    Y = rng.normal(size=(2,))
    error = check_gradients(params, X, Y)
    print(f"largest relative error of the cost and its gradients: {error:.1e}")
    raise SystemExit(0 if error < 1e-9 else 1)

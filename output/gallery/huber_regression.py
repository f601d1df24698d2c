# huber_regression.py: written by symderiv 0.1.0; every step of its derivation is proved.
#
# spec      r = X @ w - y; J = mean(where(abs(r) <= 1, 0.5*r**2, abs(r) - 0.5))
# notation  nielsen, layout columns
# command   symderiv derive examples/huber_regression.toml --name huber_regression
# sha256    133d33e8ab6884881f638c378c7721f58e3abf02cb16cea5dfa16cf60889a37d
#           (of this file with "-" in place of these digits)
#
# This generated file is yours, without conditions.
"""The value of J, and its gradient by w, in NumPy alone.

Everything is computed in the float type of the parameters. The comments cite the equations. Run as
a script, this module checks its own gradients.
"""

from __future__ import annotations

import numpy as np

PARAMETERS = {
    "X": ("m", "n"),
    "w": ("n",),
    "y": ("m",),
}


def init(rng, sizes):
    """Random numbers between 0.1 and 0.9 for every variable.

    `sizes` is a dict with m, n.
    """
    names = ["m", "n"]
    if not isinstance(sizes, dict) or not all(name in sizes for name in names):
        raise ValueError(f"sizes is {sizes!r}; it must be a dict with {', '.join(names)}")
    m = _count("m", sizes["m"], 1)
    n = _count("n", sizes["n"], 1)
    return {
        "X": rng.uniform(0.1, 0.9, (m, n)),
        "w": rng.uniform(0.1, 0.9, (n,)),
        "y": rng.uniform(0.1, 0.9, (m,)),
    }


# --- What to call ---


def cost(params):
    """The value of J."""
    X, w, y = _arrays(params)
    m = X.shape[0]
    r = X @ w - y  # (D1) r = X w − y
    # (D2) J = 1/m 1ᵀ ([abs(r) − 1 > 0] ⊙ (abs(r) − 1/2) + 1/2 ((1 − [abs(r) − 1 > 0]) ⊙ r²))
    J = np.sum(np.where(np.abs(r) - 1 > 0, np.abs(r) - 0.5, r**2 / 2)) / m
    return float(J)


def cost_and_gradients(params):
    """The value of J, and its gradients as a dict with the names of `params`."""
    X, w, y = _arrays(params)
    m = X.shape[0]
    r = X @ w - y  # (D1) r = X w − y
    # (D2) J = 1/m 1ᵀ ([abs(r) − 1 > 0] ⊙ (abs(r) − 1/2) + 1/2 ((1 − [abs(r) − 1 > 0]) ⊙ r²))
    J = np.sum(np.where(np.abs(r) - 1 > 0, np.abs(r) - 0.5, r**2 / 2)) / m
    # (G1) ∂J/∂w = 1/m Xᵀ ([abs(r) − 1 > 0] ⊙ sign(r) + (1 − [abs(r) − 1 > 0]) ⊙ r)
    dw = X.T @ np.where(np.abs(r) - 1 > 0, np.sign(r), r) / m
    gradients = {"w": dw}
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


def abs_definition(z):
    """abs as it is defined."""
    return np.sign(np.real(z)) * z


def reference_cost(params):
    """J as it is defined: analytic, for complex numbers, at moderate values only."""
    X, w, y = (params[name] for name in PARAMETERS)
    m = X.shape[0]
    r = X @ w - y
    J = np.sum(np.where(np.real(abs_definition(r) - 1) > 0, abs_definition(r) - 0.5, r**2 / 2)) / m
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


def _points(rng):
    """Points to check at, further and further from those of `init`, also out of the domain."""
    for n in range(400):
        point = init(rng, {"m": 3, "n": 4})
        for name in point:
            scale, shift = n / 100 * rng.normal(size=2)
            point[name] = np.exp(scale) * point[name] + rng.integers(2) * shift
        yield point


def _sides(params):
    """Which comparisons are true, and which are false, for some entries."""
    X, w, y = _arrays(params)
    r = X @ w - y
    found = {"np.abs(r) - 1 > 0": np.abs(r) - 1 > 0}
    return {(text, side) for text in found for side in (True, False) if np.any(found[text] == side)}


@np.errstate(all="ignore")
def _check(rng):
    """Check at the first point in the domain, and where a comparison turns out as never before."""
    errors = []
    sides = set()
    for point in _points(rng):
        try:
            new = _sides(point) - sides
            if new:
                errors.append(check_gradients(point))
                sides |= new
        except ValueError:  # outside the domain
            continue
    if not errors:
        raise SystemExit("nothing is checked: there is no value at any of the points drawn")
    print(f"largest relative error of the value and its gradients: {max(errors):.1e}")
    for text in ("np.abs(r) - 1 > 0",):
        for side in (True, False):
            if (text, side) not in sides:
                print(f"not checked: no point was found at which {text} is {side}")
    return max(errors)


if __name__ == "__main__":
    raise SystemExit(0 if _check(np.random.default_rng(0)) < 1e-9 else 1)

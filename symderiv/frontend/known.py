"""What activations and losses there are, asked of the calculus tables."""

from __future__ import annotations

from collections.abc import Sequence

from symderiv.calculus.activations import ACTIVATIONS
from symderiv.calculus.functions import Domain, ScalarFunction, VectorFunction, hyper_name
from symderiv.calculus.losses import LOSSES

# The ranges of an output that meet what a loss needs of it.
_MEETS = {
    "unit-interval": ("unit-interval",),
    "probability-vector": ("probability-vector",),
    "positive": ("positive", "unit-interval", "probability-vector"),
    "signed": ("signed", "real"),
}

NEEDED = {
    "unit-interval": "every output to be a probability of its own, in (0, 1)",
    "probability-vector": "the outputs to be a probability vector",
    "positive": "positive outputs",
    "log-probability": "the outputs to be logarithms of probabilities",
}
"""What a loss needs, as a message says it."""

GIVEN = {
    "unit-interval": "outputs in (0, 1) that need not add up to 1",
    "probability-vector": "outputs that share one probability, since they add up to 1",
    "not-negative": "outputs from 0 to any size",
    "positive": "positive outputs of any size",
    "signed": "outputs between -1 and 1",
    "log-probability": "negative outputs, the logarithms of probabilities",
    "real": "outputs that can be negative",
}
"""What an activation gives, as a message says it."""

# Other people's names, used for suggestions only.
ALIASES = {
    "linear": "identity", "none": "identity", "logistic": "sigmoid", "expit": "sigmoid",
    "hyperbolic-tangent": "tanh", "rectifier": "relu", "crossentropy": "ce",
    "cross-entropy": "ce", "categorical-crossentropy": "ce",
    "binary-crossentropy": "bce", "binary-cross-entropy": "bce", "logloss": "bce",
    "log-loss": "bce", "squared-error": "mse", "l2-loss": "mse", "quadratic": "half-mse",
}  # fmt: skip
"""Names that others use, each with ours."""


def activation_names() -> tuple[str, ...]:
    """The names of the activations, in the order of their table."""
    return tuple(ACTIVATIONS)


def loss_names() -> tuple[str, ...]:
    """The names of the losses, in the order of their table."""
    return tuple(LOSSES)


def output_range(activation: str) -> str:
    """What an activation's output is known to be: ``unit-interval``, ``real``, ..."""
    return ACTIVATIONS[activation].range_


def loss_need(loss: str) -> str | None:
    """What a loss needs the output to be, or None."""
    return LOSSES[loss].needs


def target_domain(loss: str) -> Domain:
    """Where the targets of a loss live."""
    row = LOSSES[loss]
    return row.domain[row.arguments.index("y")]


def fits(activation: str, loss: str) -> bool:
    """Whether the output of this activation is what the loss needs."""
    need = loss_need(loss)
    return need is None or output_range(activation) in _MEETS.get(need, (need,))


def is_vector(activation: str) -> bool:
    """Whether an activation takes all units of a layer at once."""
    return isinstance(ACTIVATIONS[activation], VectorFunction)


def learned(activation: str) -> tuple[str, ...]:
    """The further arguments of an activation that each unit learns, such as a PReLU's slope."""
    row = ACTIVATIONS[activation]
    return row.learned if isinstance(row, ScalarFunction) else ()


def hyperparameters(activations: Sequence[str], loss: str, penalty: str | None) -> tuple[str, ...]:
    """The names of the hyperparameters of a network: those of its functions, then lam."""
    found: list[str] = []
    for row in dict.fromkeys([*(ACTIVATIONS[a] for a in activations), LOSSES[loss]]):
        for name, _ in row.hyper if isinstance(row, ScalarFunction) else ():
            found.append(hyper_name(name, found))
    return (*found, *(["lam"] if penalty else []))


def canonical(name: str) -> str:
    """A name as the tables spell it: case and underscores do not matter."""
    return name.strip().lower().replace("_", "-")

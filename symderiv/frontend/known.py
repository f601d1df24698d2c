"""What activations and losses there are, asked of the calculus tables."""

from __future__ import annotations

from collections.abc import Sequence

from symderiv.calculus.activations import ACTIVATIONS
from symderiv.calculus.functions import Domain, Range, VectorFunction, hyper_name
from symderiv.calculus.losses import LOSSES

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


def output_range(activation: str) -> Range:
    """What an activation's output is known to be."""
    return ACTIVATIONS[activation].range_


def loss_need(loss: str) -> Range | None:
    """What a loss needs the output to be, or None."""
    return LOSSES[loss].needs


def target_domain(loss: str) -> Domain:
    """Where the targets of a loss live."""
    return LOSSES[loss].target_domain


def fits(activation: str, loss: str) -> bool:
    """Whether the output of this activation is what the loss needs."""
    need, output = loss_need(loss), output_range(activation)
    return need is None or need in (output, *output.serves)


def learned(activation: str) -> tuple[str, ...]:
    """The further arguments of an activation that each unit learns, such as a PReLU's slope."""
    return ACTIVATIONS[activation].learned


def hyperparameters(activations: Sequence[str], loss: str, penalty: str | None) -> tuple[str, ...]:
    """The names of the hyperparameters of a network: those of its functions, then lam."""
    found: list[str] = []
    for row in dict.fromkeys([*(ACTIVATIONS[a] for a in activations), LOSSES[loss]]):
        for name, _ in row.hyper:
            found.append(hyper_name(name, found))
    return (*found, *(["lam"] if penalty else []))


def canonical(name: str) -> str:
    """A name as the tables spell it: case and underscores do not matter."""
    return name.strip().lower().replace("_", "-")


def is_vector_function(name: str) -> bool:
    """Whether an activation, by any spelling, takes all units of a layer at once: softmax."""
    known = ACTIVATIONS.get(name.replace("_", "-"))
    return isinstance(known, VectorFunction)

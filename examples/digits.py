"""Handwritten digits from a derived gradient: derive, import the generated module, train, test.

    pip install 'symderiv[examples]'
    python examples/digits.py

Derives the network 64-25-10 with sigmoids, cross-entropy and an L2 penalty, writes its NumPy
module to output/digits.py, trains that module on scikit-learn's digits and prints the accuracy
on images it has not seen.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import symderiv

OUTPUT = Path(__file__).resolve().parent.parent / "output"
EPOCHS, BATCH, RATE = 60, 20, 0.5
PENALTY = 0.002  # λ of one batch: a step sees λ/2m with the m of its batch


def generated_module() -> ModuleType:
    """Derive the network and import the module that was generated for it."""
    derivation = symderiv.derive("64-25-10:sigmoid+bce+l2", layout="rows")
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / "digits.py"
    path.write_text(derivation.render("numpy"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("digits", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Train on three quarters of the images, test on the rest."""
    digits = load_digits()
    images, labels = digits.data / 16, digits.target
    x_train, x_test, labels_train, labels_test = train_test_split(
        images, labels, test_size=0.25, random_state=0, stratify=labels
    )
    y_train = np.eye(10)[labels_train]

    net = generated_module()
    rng = np.random.default_rng(0)
    params = net.init(rng)
    error = net.check_gradients(params, x_train[:5], y_train[:5], lam=PENALTY)
    print(f"gradients against complex step: largest relative error {error:.1e}")

    with tqdm(total=EPOCHS, unit="epoch") as bar:
        for _ in range(EPOCHS):
            params, history = net.train(
                params, x_train, y_train, RATE, 1, batch=BATCH, rng=rng, lam=PENALTY
            )
            bar.set_postfix(cost=f"{history[-1]:.4f}")
            bar.update()

    predicted = net.forward(params, x_test).argmax(axis=1)
    accuracy = float(np.mean(predicted == labels_test))
    print(f"accuracy on {len(labels_test)} held-out images: {accuracy:.1%}")


if __name__ == "__main__":
    main()

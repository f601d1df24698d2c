"""What the notes on losses say of PyTorch and Keras.

Both average most losses over the outputs of an example as well; cross-entropy and the negative
log-likelihood they sum over the classes. Definitions: the two documentations, without their
optional arguments.
"""

from __future__ import annotations

import pytest

from symderiv.calculus.losses import LOSSES

SUMMED = ("ce", "ce-logits", "nll")


@pytest.mark.parametrize("name", LOSSES)
def test_where_libraries_average_over_the_outputs_the_note_says_so(name: str) -> None:
    assert ("number of outputs" in LOSSES[name].factor) is (name not in SUMMED)

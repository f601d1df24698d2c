"""The layers there are, each a function of a builder and the tensors that go into it."""

from __future__ import annotations

from collections.abc import Callable

from symderiv.calculus.attention import attention
from symderiv.calculus.convolution import conv1d, max_pool1d
from symderiv.calculus.layers import dense
from symderiv.calculus.normalization import batch_norm, layer_norm, rms_norm
from symderiv.calculus.recurrent import lstm_cell, rnn

LAYERS: tuple[Callable[..., object], ...] = (
    dense,
    batch_norm,
    layer_norm,
    rms_norm,
    conv1d,
    max_pool1d,
    rnn,
    lstm_cell,
    attention,
)

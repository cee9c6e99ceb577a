"""One room for all instruments, baked into the notes of the bank.

A feedback delay network of eight lines: each line feeds all others through a Householder matrix,
which keeps the energy, and loses a little on every pass, more of the treble than of the bass::

    in L ──► lines 0 2 4 6 ─┐                       ┌─► out L
    in R ──► lines 1 3 5 7 ─┴─► darken ─► mix ──┬───┴─► out R
                  ▲                             │
                  └──────── loss(T60) ◄─────────┘

The shortest line is longer than a block, so a block needs only what earlier blocks wrote, and the
whole network runs in exact elementwise steps (see `exact`). It runs at half the sample rate: the
room has nothing to say above 12 kHz, and it is the dearest part of building the bank.

**Source:** J.-M. Jot, A. Chaigne, "Digital delay networks for designing artificial
reverberators", AES 90th Convention, 1991.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from astradio_stream.audio.exact import F32

# Primes, so that echoes of the lines never fall together; 30 to 59 ms at 24 kHz.
_DELAYS: Final = (719, 811, 929, 1031, 1129, 1229, 1319, 1423)
_BLOCK: Final = 718
_DARKEN: Final = 0.24
"""Share of the previous sample in each pass: treble dies about three times sooner than bass."""
_SIGNS: Final = np.array([1, 1, -1, 1, 1, -1, -1, -1], np.float32)[:, np.newaxis, np.newaxis]
_PRE_DELAY: Final = 480
"""20 ms before the room answers, so that attacks stay clear."""


def line_loss(delay: int, t60_s: float) -> float:
    """Return the gain per pass that makes a line fall by 60 dB in `t60_s`, to six decimals."""
    return round(math.pow(10.0, -3.0 * delay / (t60_s * SAMPLE_RATE_HZ / 2)), 6)


def _halve_rate(x: F32) -> F32:
    """Return every second sample of `x` behind (1 3 3 1)/8, then (1 2 1)/4: a dark room."""
    early, late = x[..., 0::2], x[..., 1::2]
    y = (early + late) * np.float32(0.375)
    y[..., 1:] += late[..., :-1] * np.float32(0.125)
    y[..., :-1] += early[..., 1:] * np.float32(0.125)
    dark = y * np.float32(0.5)
    dark[..., 1:] += y[..., :-1] * np.float32(0.25)
    dark[..., :-1] += y[..., 1:] * np.float32(0.25)
    return dark


_BETWEEN: Final = tuple(np.float32(c / 256.0) for c in (150.0, -25.0, 3.0))
"""Weights of the nearest, second and third pair of neighbours: the quintic through six points."""


def _double_rate(x: F32) -> F32:
    """Return `x` with a sample put between every two."""
    y = np.empty((*x.shape[:-1], x.shape[-1] * 2), np.float32)
    y[..., 0::2] = x
    edges = [(0, 0)] * (x.ndim - 1) + [(2, 3)]
    wide = np.pad(x, edges)
    n = x.shape[-1]
    between = (wide[..., 2 : 2 + n] + wide[..., 3 : 3 + n]) * _BETWEEN[0]
    between += (wide[..., 1 : 1 + n] + wide[..., 4 : 4 + n]) * _BETWEEN[1]
    between += (wide[..., 0:n] + wide[..., 5 : 5 + n]) * _BETWEEN[2]
    y[..., 1::2] = between
    return y


def room(dry: F32, t60_s: float) -> F32:
    """Return what the room answers to some notes, without the notes themselves.

    Args:
        dry: Notes, shape (n_notes, 2, n_samples), `n_samples` even.
        t60_s: Time in which the low end falls by 60 dB (seconds).

    Returns:
        The reverberation, same shape and about the same energy scale.
    """
    halved = _halve_rate(dry)
    n_notes, _, n_samples = halved.shape
    # Line i is written its delay ahead, so that all eight are read at one place.
    lines = np.zeros((8, n_notes, n_samples + max(_DELAYS) + 1), np.float32)
    wet = np.zeros_like(halved)
    loss = np.array([line_loss(delay, t60_s) for delay in _DELAYS])[:, np.newaxis, np.newaxis]
    now_gain = (loss * (1.0 - _DARKEN)).astype(np.float32)
    before_gain = (loss * _DARKEN).astype(np.float32)
    quarter = np.float32(0.25)

    for start in range(0, n_samples, _BLOCK):
        stop = min(start + _BLOCK, n_samples)
        heard = lines[:, :, start + 1 : stop + 1] * now_gain
        heard += lines[:, :, start:stop] * before_gain

        # Householder: every line minus a quarter of the sum of all eight, in a fixed order.
        total = heard[0] + heard[1]
        for line in range(2, 8):
            total += heard[line]
        total *= quarter
        back = heard - total

        fed_from, fed_to = max(0, start - _PRE_DELAY), max(0, stop - _PRE_DELAY)
        skip = (stop - start) - (fed_to - fed_from)
        back[0::2, :, skip:] += halved[:, 0, fed_from:fed_to] * _SIGNS[0::2]
        back[1::2, :, skip:] += halved[:, 1, fed_from:fed_to] * _SIGNS[1::2]
        for line, delay in enumerate(_DELAYS):
            lines[line, :, start + 1 + delay : stop + 1 + delay] = back[line]

        heard *= _SIGNS
        for side in (0, 1):
            out = wet[:, side, start:stop]
            for line in range(side, 8, 2):
                out += heard[line]
    wet *= quarter
    return _double_rate(wet)

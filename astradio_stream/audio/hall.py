"""The hall: a larger and smoother room than `room`, for notes at 24 kHz.

Held tones ask more of a room than short ones: where its modes stand apart, one pitch booms and
its neighbour is swallowed. Here the lines are twice as long, and each writes into the next, so
that all share all modes: the loudest per cent of frequencies lie 7 dB above the mean (`room`: 11,
ideal noise: 6.7). A few early reflections, different left and right, are heard and thicken what
goes into the lines; little below 190 Hz gets in.

    in ─► lean ─► early reflections ──┬────────────────────────────────► out
                                      └─► eight lines, each to the next ─►

**Source:** M. R. Schroeder, "Natural sounding artificial reverberation", JAES 10/3, 1962, for the
density of modes; the network as in `room`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.room import line_loss

if TYPE_CHECKING:
    from astradio_stream.audio.exact import F32

_DELAYS: Final = (1499, 1621, 1747, 1873, 2003, 2129, 2267, 2411)  # primes, 62 to 100 ms
_N_LINES: Final = len(_DELAYS)
_BLOCK: Final = 1498
_DARKEN: Final = 0.38
"""Share of the previous sample in each pass: at 5 kHz sound dies about twice as fast."""
_SIGNS: Final = np.array([1, 1, -1, 1, 1, -1, -1, -1], np.float32)
_EARLY: Final = (
    # (samples, gain) left, then right: from 15 ms on, ever weaker
    ((367, 0.62), (557, -0.50), (761, 0.44), (991, -0.36), (1277, 0.30), (1583, 0.25)),
    ((419, 0.60), (599, 0.50), (827, -0.43), (1061, 0.37), (1361, -0.30), (1657, 0.24)),
)
_EARLY_HEARD: Final = np.float32(0.35)
_LEAN_WINDOW: Final = 128
"""Samples of the running mean that is taken away: half its power is gone at 85 Hz, none at 190."""


def _lean(dry: F32) -> F32:
    """Return notes, half a window late, less their running mean: a soft exact high-pass."""
    mean = dry * np.float32(-1.0 / _LEAN_WINDOW)
    n_summed = 1
    while n_summed < _LEAN_WINDOW:
        mean[..., n_summed:] += mean[..., :-n_summed].copy()
        n_summed *= 2
    late = _LEAN_WINDOW // 2
    mean[..., late:] += dry[..., :-late]
    return mean


def _reflected(fed: F32) -> F32:
    """Return the early reflections: each side hears mostly its own, and some of the other's."""
    early = np.zeros_like(fed)
    for side, taps in enumerate(_EARLY):
        for number, (delay, gain) in enumerate(taps):
            source = fed[:, side if number % 3 else 1 - side]
            early[:, side, delay:] += source[:, :-delay] * np.float32(gain)
    return early


def hall(dry: F32, t60_s: float) -> F32:
    """Return what the hall answers to some notes, without the notes themselves.

    Args:
        dry: Notes at 24 kHz, shape (n_notes, 2, n_samples).
        t60_s: Time in which the low end falls by 60 dB (seconds).

    Returns:
        The reverberation, same shape.
    """
    early = _reflected(_lean(dry))
    n_notes, _, n_samples = early.shape
    # Line i is written its delay ahead, so that all are read at one place.
    lines = np.zeros((_N_LINES, n_notes, n_samples + max(_DELAYS) + 1), np.float32)
    wet = early * _EARLY_HEARD
    loss = np.array([line_loss(delay, t60_s) for delay in _DELAYS])[:, np.newaxis, np.newaxis]
    now_gain = (loss * (1.0 - _DARKEN)).astype(np.float32)
    before_gain = (loss * _DARKEN).astype(np.float32)
    signs = _SIGNS[:, np.newaxis, np.newaxis]
    share, quiet = np.float32(2.0 / _N_LINES), np.float32(0.30)

    for start in range(0, n_samples, _BLOCK):
        stop = min(start + _BLOCK, n_samples)
        heard = lines[:, :, start + 1 : stop + 1] * now_gain
        heard += lines[:, :, start:stop] * before_gain

        # Householder: every line minus a share of the sum of all, in a fixed order.
        total = heard[0] + heard[1]
        for line in range(2, _N_LINES):
            total += heard[line]
        total *= share
        back = heard - total
        back[0::2] += early[:, 0, start:stop] * signs[0::2]
        back[1::2] += early[:, 1, start:stop] * signs[1::2]
        for line, delay in enumerate(_DELAYS):
            lines[line, :, start + 1 + delay : stop + 1 + delay] = back[line - 1]

        heard *= signs * quiet
        for line in range(_N_LINES):
            wet[:, line % 2, start:stop] += heard[line]
    return wet

"""The hall: a larger and smoother room than `room`, for notes at 24 kHz.

Held tones ask more of a room than short ones: where its modes stand apart, one pitch booms and
its neighbour is swallowed. Here the lines are twice as long, and each writes into the next, so
that all share all modes: the loudest per cent of frequencies lie 9 dB above the mean (`room`: 11,
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
_N_BLOCKS: Final = 3
_ROUND: Final = _N_BLOCKS * _BLOCK
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
    n_samples, late = dry.shape[-1], _LEAN_WINDOW // 2
    lean = np.empty_like(dry)
    one = np.empty((2, n_samples), np.float32)
    other = np.empty((2, n_samples), np.float32)
    for note, out in zip(dry, lean, strict=True):  # one at a time, as the cache holds one
        np.multiply(note, np.float32(-1.0 / _LEAN_WINDOW), out=one)
        n_summed = 1
        while n_summed < _LEAN_WINDOW:
            np.add(one[:, n_summed:], one[:, :-n_summed], out=other[:, n_summed:])
            other[:, :n_summed] = one[:, :n_summed]
            one, other = other, one
            n_summed *= 2
        out[:, :late] = one[:, :late]
        np.add(one[:, late:], note[:, :-late], out=out[:, late:])
    return lean


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
    wet = early * _EARLY_HEARD
    early *= np.float32(2.0)  # as all that goes round: the loss of each line takes half of it away
    gains = [np.float32(line_loss(delay, t60_s) / 2.0) for delay in _DELAYS]
    share, quiet = np.float32(2.0 / _N_LINES), np.float32(0.15)

    # Line i is written its delay ahead, so that all are read at one place. Three blocks hold the
    # longest; they are gone round, and the last sample of the round stands before the first, too.
    lines = np.zeros((_N_LINES, n_notes, 1 + _ROUND), np.float32)
    heard = np.empty((_N_LINES, n_notes, _BLOCK), np.float32)
    for number, start in enumerate(range(0, n_samples, _BLOCK)):
        n_here = min(_BLOCK, n_samples - start)
        here = number % _N_BLOCKS * _BLOCK
        before, now = slice(here, here + _BLOCK), slice(here + 1, here + 1 + _BLOCK)
        # Twice the mean of neighbours comes back: treble dies sooner.
        np.add(lines[:, :, now], lines[:, :, before], out=heard)

        # Half of the lines are heard and fed upside down, or left and right would be one room.
        left_up, left_down = heard[0] + heard[4], heard[2] + heard[6]
        right_up, right_down = heard[1] + heard[3], heard[5] + heard[7]
        wet[:, 0, start : start + n_here] += (left_up - left_down)[:, :n_here] * quiet
        wet[:, 1, start : start + n_here] += (right_up - right_down)[:, :n_here] * quiet

        # Householder: every line minus a share of the sum of all, in a fixed order.
        total = (left_up + left_down) + (right_up + right_down)
        total *= share
        heard -= total
        left, right = early[:, :, start : start + n_here].swapaxes(0, 1)
        heard[0::4, :, :n_here] += left
        heard[2::4, :, :n_here] -= left
        heard[1:5:2, :, :n_here] += right
        heard[5:8:2, :, :n_here] -= right
        for line, (delay, gain) in enumerate(zip(_DELAYS, gains, strict=True)):
            _write(lines[line], here + delay, heard[line - 1], gain)
        lines[:, :, 0] = lines[:, :, -1]
    return wet


def _write(line: F32, at: int, block: F32, gain: np.float32) -> None:
    """Write a block times a gain into a line from `at` on, round its end."""
    at %= _ROUND
    n_before = min(_BLOCK, _ROUND - at)
    np.multiply(block[:, :n_before], gain, out=line[:, 1 + at : 1 + at + n_before])
    if n_before < _BLOCK:
        np.multiply(block[:, n_before:], gain, out=line[:, 1 : 1 + _BLOCK - n_before])

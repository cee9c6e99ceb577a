"""How the level of a loop is kept steady while its colour and its place go on moving.

Voices out of tune beat, and how deep is chance: some pitches would swing by 10 dB and others by 2.
A gain that goes round with the loop takes most of that away. It is found behind the hall, which
makes beats of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.exact import straight

if TYPE_CHECKING:
    from astradio_stream.audio.exact import F32

_EVERY: Final = 4
"""Samples between two at which a level is taken."""
_OVER: Final = 256
"""Levels whose mean is taken, twice (43 ms each): beats are slower, turns of the pitch quicker."""


def steadying(round_: F32) -> F32:
    """Return the gain that evens out most of how a round's level swings, shape (n_samples,).

    Seven eighths of each swing (dB) are taken away, from both channels alike.

    Args:
        round_: One round of a loop, shape (2, n_samples).
    """
    some = round_[:, ::_EVERY]
    power = some[0] * some[0] + some[1] * some[1]
    counted = np.rint(power * (np.float32(1_048_576.0) / power.max())).astype(np.int64)
    mean = int(counted.sum()) * _OVER * _OVER / len(counted)
    # Sums of whole numbers are exact; half the window lies before each point, half behind it.
    for _ in range(2):
        wide = np.concatenate([[0], counted[-_OVER // 2 :], counted, counted[: _OVER // 2 - 1]])
        summed = np.add.accumulate(wide)
        counted = summed[_OVER:] - summed[:-_OVER]
    over = (mean / np.maximum(counted, 1)).astype(np.float32)
    # To the power of 7/16, as a product of roots: seven eighths of what an amplitude would need.
    quarter = np.sqrt(np.sqrt(over))
    eighth = np.sqrt(quarter)
    return straight(quarter * eighth * np.sqrt(eighth), _EVERY)[: round_.shape[1]]


def steadied(note: F32, n_attack: int) -> F32:
    """Return a note whose loop, from `n_attack` on, is steady; its attack bends the same way."""
    gain = steadying(note[:, n_attack:])
    n_before = -(-n_attack // len(gain))
    along = np.concatenate([gain] * (n_before + 1))
    steady: F32 = note * along[-note.shape[1] :]
    return steady

"""Eight band levels of a second of PCM, by halving: cheap, and exact on every machine.

Each step splits a signal into sums and differences of neighbours, the upper and the lower half of
its spectrum (roughly: the slopes are gentle, which an aurora does not mind)::

    48 kHz ─► 12-24 kHz  band 7
       └────► 6-12 kHz   band 6
          └─► …
              └► 187-375 Hz  band 1,  below  band 0

All numbers are integers, so sums are exact in any order, unlike those of an FFT.
**Source:** A. Haar, "Zur Theorie der orthogonalen Funktionensysteme", Math. Ann. 69, 1910.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.units import VIZ_FRAMES_PER_SEGMENT
from astradio_stream.viz.fields import N_BANDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FRAMES_OF_STEP: Final = (60, 60, 60, 60, 60, 30, 15)
"""Into how many equal parts a second of each step's differences divides without remainder."""

_GAINS: Final = np.array([1.6, 3.6, 4.4, 6.0, 8.0, 12.0, 22.0, 34.0])[:, np.newaxis]
"""Lifts each band so that music fills 0-1: energy falls towards the treble."""


def _levels(coefficients: NDArray[np.int16], n_parts: int) -> NDArray[np.float64]:
    """Return the mean magnitude of each of `n_parts` equal parts, spread over 60 frames."""
    parts = np.abs(coefficients).reshape(n_parts, -1)
    level = parts.sum(axis=1, dtype=np.int32) / (parts.shape[1] * 16384.0)
    spread: NDArray[np.float64] = np.repeat(level, VIZ_FRAMES_PER_SEGMENT // n_parts)
    return spread


def band_levels(pcm: NDArray[np.int16]) -> NDArray[np.float64]:
    """Return eight band levels (0-1) for each of 60 viz frames, shape (8, 60).

    Args:
        pcm: One segment, shape (48 000, 2).
    """
    signal = pcm >> 1  # halved before each sum, so that int16 never overflows
    signal = signal[:, 0] + signal[:, 1]
    levels = np.empty((N_BANDS, VIZ_FRAMES_PER_SEGMENT))
    for step, n_parts in enumerate(_FRAMES_OF_STEP):
        halved = signal >> 1
        early, late = halved[0::2], halved[1::2]
        levels[N_BANDS - 1 - step] = _levels(early - late, n_parts)
        signal = early + late
    levels[0] = _levels(signal, _FRAMES_OF_STEP[-1])
    return np.minimum(levels * _GAINS, 1.0)

"""Sixty viz frames of a segment: what the eye gets, from the same score and the same samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.units import VIZ_FRAMES_PER_SEGMENT, VIZ_SAMPLES
from astradio_stream.viz.bands import band_levels
from astradio_stream.viz.fields import BODY_FIELDS, N_BANDS, N_FIELDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEVEL_GAIN: Final = 3.2
"""Music at -16 LUFS stays far below full scale; this lets loud passages reach 1."""
_BODY_GAIN: Final = 9.0
"""The same for one voice of ten."""

_FIRST_BAND: Final = 6
_FIRST_BODY: Final = _FIRST_BAND + N_BANDS


def _loudness(pcm: NDArray[np.int16]) -> NDArray[np.float64]:
    """Return the mean magnitude of each viz frame (0-1 of full scale), shape (60,)."""
    magnitudes = np.abs(pcm.reshape(VIZ_FRAMES_PER_SEGMENT, -1))
    total: NDArray[np.int32] = magnitudes.sum(axis=1, dtype=np.int32)  # whole numbers: exact
    return total / (2 * VIZ_SAMPLES * 32768.0)


def frames(
    pcm: NDArray[np.int16],
    pulses: NDArray[np.float64],
    voices: NDArray[np.int64],
    note_levels: NDArray[np.float32],
) -> NDArray[np.uint8]:
    """Return the frames of one segment, shape (60, n_fields).

    Args:
        pcm: The segment, shape (48 000, 2).
        pulses: `music.score.PULSE_FIELDS` at each frame, shape (5, 60).
        voices: Which body (0-9) plays each note, shape (n_notes,).
        note_levels: Root mean square of each note in each frame, shape (n_notes, 60).
    """
    values = np.empty((N_FIELDS, VIZ_FRAMES_PER_SEGMENT))
    values[0] = _loudness(pcm) * _LEVEL_GAIN
    values[1:_FIRST_BAND] = pulses
    values[_FIRST_BAND:_FIRST_BODY] = band_levels(pcm)

    # Notes are added one after the other, so that the sum is the same everywhere.
    power = np.zeros((len(BODY_FIELDS), VIZ_FRAMES_PER_SEGMENT))
    squares = note_levels.astype(np.float64) ** 2
    for voice, row in zip(voices.tolist(), squares, strict=True):
        power[voice] += row
    values[_FIRST_BODY:] = np.sqrt(power) * _BODY_GAIN

    scaled = np.clip(values, 0.0, 1.0) * 255.0
    return np.rint(scaled).astype(np.uint8).T.copy()

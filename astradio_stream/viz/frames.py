"""Sixty viz frames of a segment: what the eye gets, from the same notes that the ear gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.units import VIZ_FRAMES_PER_SEGMENT
from astradio_stream.viz.fields import BODY_FIELDS, N_BANDS, N_FIELDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEVEL_GAIN: Final = 2.4
"""Music at -16 LUFS stays far below full scale; this lets loud passages reach 1."""
_BODY_GAIN: Final = 6.0
"""The same for one voice of ten, under a square root: the ear, and so the eye, hears ratios."""

_BAND_GAINS: Final = np.array([4.5, 7.0, 7.5, 8.0, 10.0, 16.0, 32.0, 70.0])[:, np.newaxis]
"""Lifts each band so that music fills 0-1: energy falls towards the treble."""

_FIRST_BAND: Final = 6
_FIRST_BODY: Final = _FIRST_BAND + N_BANDS


def frames(
    pulses: NDArray[np.float64],
    voices: NDArray[np.int64],
    note_levels: NDArray[np.float32],
    note_bands: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Return the frames of one segment, shape (60, n_fields).

    Args:
        pulses: `music.score.PULSE_FIELDS` at each frame, shape (5, 60).
        voices: Which body (0-9) plays each note, shape (n_notes,).
        note_levels: Root mean square of each note in each frame, shape (n_notes, 60).
        note_bands: Share of each note's energy in each band, shape (n_notes, 8).
    """
    values = np.empty((N_FIELDS, VIZ_FRAMES_PER_SEGMENT))
    values[1:_FIRST_BAND] = pulses

    # Notes are added one after the other, so that the sums are the same everywhere: along the
    # first axis numpy adds whole rows in their order.
    squares = np.square(note_levels.astype(np.float64))
    band_power = (note_bands[:, :, np.newaxis] * squares[:, np.newaxis, :]).sum(axis=0)
    body_power = np.zeros((len(BODY_FIELDS), VIZ_FRAMES_PER_SEGMENT))
    bodies = tuple(body_power)
    for voice, power in zip(voices.tolist(), squares, strict=True):
        np.add(bodies[voice], power, out=bodies[voice])
    values[0] = np.sqrt(squares.sum(axis=0)) * _LEVEL_GAIN
    values[_FIRST_BAND:_FIRST_BODY] = np.sqrt(band_power) * _BAND_GAINS
    values[_FIRST_BODY:] = np.sqrt(np.sqrt(body_power) * _BODY_GAIN)

    np.maximum(values, 0.0, out=values)
    np.minimum(values, 1.0, out=values)
    values *= 255.0
    return np.rint(values, out=values).T.astype(np.uint8, order="C")

"""Sixty viz frames of a segment: what the eye gets, from the same notes that the ear gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.compiled import compiled, within
from astradio_stream.units import VIZ_FRAMES_PER_SEGMENT
from astradio_stream.viz.fields import N_BANDS, N_FIELDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEVEL_GAIN: Final = 2.4
"""Music at -16 LUFS stays far below full scale; this lets loud passages reach 1."""
_BODY_GAIN: Final = 6.0
"""The same for one voice of ten, under a square root: the ear, and so the eye, hears ratios."""

_BAND_GAINS: Final = (4.5, 7.0, 7.5, 8.0, 10.0, 16.0, 32.0, 70.0)
"""Lifts each band so that music fills 0-1: energy falls towards the treble."""

_FIRST_BAND: Final = 6
_FIRST_BODY: Final = _FIRST_BAND + N_BANDS


@within
def _add_powers(
    values: NDArray[np.float64],
    voices: NDArray[np.int64],
    note_levels: NDArray[np.float32],
    rows: NDArray[np.int64],
    bands: NDArray[np.float64],
) -> None:
    """Add the power of each note to the level, the bands and its body, one after the other."""
    n_frames = values.shape[1]
    for note in range(len(voices)):
        body = values[_FIRST_BODY + voices[note]]
        for frame in range(n_frames):
            power = np.float64(note_levels[note, frame]) ** 2
            values[0, frame] += power
            body[frame] += power
        for band in range(N_BANDS):
            share, sums = bands[rows[note], band], values[_FIRST_BAND + band]
            for frame in range(n_frames):
                sums[frame] += share * np.float64(note_levels[note, frame]) ** 2


@compiled
def _draw(  # noqa: PLR0917, compiled code knows places only
    picture: NDArray[np.uint8],
    values: NDArray[np.float64],
    voices: NDArray[np.int64],
    note_levels: NDArray[np.float32],
    rows: NDArray[np.int64],
    bands: NDArray[np.float64],
) -> None:
    """Add all powers to `values`, shape (n_fields, n_frames), and write them as bytes."""
    _add_powers(values, voices, note_levels, rows, bands)
    for field in range(values.shape[0]):
        for frame in range(values.shape[1]):
            value = values[field, frame]
            if field == 0:
                value = np.sqrt(value) * _LEVEL_GAIN
            elif field >= _FIRST_BODY:
                value = np.sqrt(np.sqrt(value) * _BODY_GAIN)
            elif field >= _FIRST_BAND:
                value = np.sqrt(value) * _BAND_GAINS[field - _FIRST_BAND]
            picture[frame, field] = np.uint8(np.rint(min(max(value, 0.0), 1.0) * 255.0))


def frames(
    pulses: NDArray[np.float64],
    voices: NDArray[np.int64],
    note_levels: NDArray[np.float32],
    rows: NDArray[np.int64],
    bands: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Return the frames of one segment, shape (60, n_fields).

    Args:
        pulses: `music.score.PULSE_FIELDS` at each frame, shape (5, 60).
        voices: Which body (0-9) plays each note, shape (n_notes,).
        note_levels: Root mean square of each note in each frame, shape (n_notes, 60).
        rows: Which row of `bands` each note is, shape (n_notes,).
        bands: Share of a row's energy in each band, shape (n_rows, 8).
    """
    values = np.zeros((N_FIELDS, VIZ_FRAMES_PER_SEGMENT))
    values[1:_FIRST_BAND] = pulses
    picture = np.empty((VIZ_FRAMES_PER_SEGMENT, N_FIELDS), np.uint8)
    _draw(picture, values, voices, note_levels, rows, bands)
    return picture

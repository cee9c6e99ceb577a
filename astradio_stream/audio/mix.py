"""The mix: notes of the bank added up into int16 PCM, from any index, exact to the bit.

Every note is a slice of the bank times a gain. They are added in the order of the score, one
elementwise multiply and add each, so the sum is the same on every CPU. Notes that the bank keeps
at half the rate are added up by themselves and doubled together. The master is a curve without
memory: straight up to its knee, then bending towards full scale. `kernels` has the loops.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from astradio_stream.audio import kernels
from astradio_stream.music.note import Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from astradio_stream.audio.bank import I16, Bank
    from astradio_stream.audio.exact import F32

_NO_COLUMNS: Final[tuple[tuple[Any, ...], ...]] = ((),) * len(Note._fields)


@dataclass(frozen=True, slots=True)
class Gathered:
    """The notes of a span as the kernels take them, in the order of the score."""

    rows: NDArray[np.int64]
    """Which row of the bank each is, shape (n_notes,)."""
    spans: NDArray[np.int64]
    """Onset and duration (samples), shape (2, n_notes)."""
    sides: NDArray[np.float64]
    """Gain left and right (ratio), shape (2, n_notes)."""
    voices: NDArray[np.int64]
    """Which body plays it, shape (n_notes,)."""


def gathered(notes: Sequence[Note], bank: Bank) -> Gathered:
    """Return notes as the kernels take them."""
    columns = tuple(zip(*notes, strict=True)) if notes else _NO_COLUMNS
    onset, duration, voice, instrument, pitch, _velocity, left, right, _chart = columns
    return Gathered(
        bank.rows(zip(instrument, pitch, strict=True)),
        np.array(onset + duration, np.int64).reshape(2, -1),  # flat, which numpy reads faster
        np.array(left + right, np.float64).reshape(2, -1),
        np.array(voice, np.int64),
    )


def mixed(notes: Gathered, bank: Bank, start: int, n_samples: int) -> I16:
    """Return int16 PCM, interleaved, shape (n_samples, 2), of the span that begins at `start`."""
    pairs = np.empty(n_samples, "<i4")
    kernels.mix(
        bank.samples,
        bank.table,
        bank.releases,
        notes.rows,
        notes.spans,
        notes.sides,
        bank.gains,
        start,
        pairs,
    )
    return pairs.view("<i2").reshape(-1, 2)


def render(notes: Sequence[Note], bank: Bank, start: int, n_samples: int) -> I16:
    """Return int16 PCM, interleaved, shape (n_samples, 2), of the span that begins at `start`.

    Args:
        notes: All notes that can sound in the span, in the order of the score.
        bank: The model's notes.
        start: First sample index.
        n_samples: Length of the span.
    """
    return mixed(gathered(notes, bank), bank, start, n_samples)


def note_levels(notes: Gathered, bank: Bank, start: int, n_frames: int) -> F32:
    """Return how loud each note is in each viz frame from `start` on, (n_notes, n_frames).

    Level is the root mean square of the frame (0-1 of full scale) before the master, to the
    nearest frame: up to 8 ms early.
    """
    found = np.empty((len(notes.rows), n_frames), np.float32)
    kernels.levels_of_notes(
        bank.levels,
        bank.table,
        notes.rows,
        notes.spans,
        notes.sides,
        bank.gains,
        start,
        found,
    )
    return found

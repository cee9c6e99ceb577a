"""Where each note of a bank lies in its file: samples, then levels, then bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from astradio_stream.audio.bands import N_BANDS
from astradio_stream.audio.bank import I16, Rendering, stored_samples

if TYPE_CHECKING:
    from astradio_stream.audio.instrument import Instrument

CRC_VALUES: Final = 2
"""The check at the end of the file: one u32 as two int16."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a note lies."""

    offset: int
    """Number of its first value."""
    n_channels: int
    """1 or 2."""
    n_samples: int
    """Samples per channel."""
    n_frames: int
    """Viz frames that have a level."""

    @property
    def levels_at(self) -> int:
        """Number of the first value of its levels, two to a float32."""
        return self.offset + self.n_channels * self.n_samples

    @property
    def bands_at(self) -> int:
        """Number of the first value of its bands, four to a float64."""
        return self.levels_at + 2 * self.n_frames

    @property
    def end(self) -> int:
        """Number of the value after its last."""
        return self.bands_at + 4 * N_BANDS


Layout: TypeAlias = dict[tuple[str, int], Place]


def layout_of(instruments: tuple[Instrument, ...]) -> tuple[int, Layout]:
    """Return the length of the file (int16 values) and the place of each note."""
    offset, places = 0, {}
    for instrument in instruments:
        for pitch in instrument.pitches:
            n_samples = stored_samples(instrument, pitch)
            n_frames = n_samples // instrument.frame_samples
            place = Place(offset, 1 if instrument.mono else 2, n_samples, n_frames)
            places[instrument.name, pitch] = place
            offset = place.end
    return offset + CRC_VALUES, places


def write_note(values: I16, place: Place, made: Rendering) -> None:
    """Put a note in its place."""
    values[place.offset : place.levels_at] = made.pcm.reshape(-1)
    values[place.levels_at : place.bands_at] = made.levels.view(np.int16)
    values[place.bands_at : place.end] = made.bands.view(np.int16)


def read_note(values: I16, place: Place) -> Rendering:
    """Return a note whose samples stay where they are; its few figures are copied."""
    return Rendering(
        values[place.offset : place.levels_at].reshape(place.n_channels, place.n_samples),
        values[place.levels_at : place.bands_at].copy().view(np.float32),
        values[place.bands_at : place.end].copy().view(np.float64),
    )

"""The note bank: every instrument and pitch of a model, rendered once, room included.

The bank is int16, so that what little could differ between machines before rounding is gone after
it, and stereo, shape (2, n_samples) a note. Beside each note lies its envelope, one level per viz
frame, so that the picture knows how loud a note is without listening to it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from astradio_stream.audio.bands import band_shares
from astradio_stream.audio.room import room
from astradio_stream.units import SAMPLE_RATE_HZ, VIZ_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from astradio_stream.audio.exact import F32
    from astradio_stream.audio.instrument import Instrument

I16 = NDArray[np.int16]

_PEAK: Final = 30_000.0
_BATCH: Final = 4
"""Notes per pass through the room: more would leave the CPU's cache, fewer cost more calls."""
_FADE_S: Final = 0.35
"""Every note ends in a fade, so that no tail is cut."""


@dataclass(frozen=True, slots=True)
class BankNote:
    """One rendered note."""

    pcm: I16
    """Stereo samples, shape (2, n_samples)."""
    levels: F32
    """Root mean square of each viz frame (0-1 of full scale), shape (n_frames,)."""
    bands: NDArray[np.float64]
    """Share of its energy in each of eight bands, lowest first, shape (8,)."""
    chord_tones: int
    """How many such notes int16 can hold the sum of."""
    release: F32
    """Gain from 1 to 0 along which the note is let go, shape (n_release,)."""


class Bank:
    """All notes of one audio model, read by instrument name and pitch."""

    def __init__(self, notes: dict[tuple[str, int], BankNote]) -> None:
        self._notes = notes
        self._rows = {name: row for row, name in enumerate(notes)}
        # One row per note, silence behind it, so that many notes are looked up in one step.
        self.n_level_frames = 1 + max((len(note.levels) for note in notes.values()), default=0)
        self._levels = np.zeros((len(notes), self.n_level_frames), np.float32)
        for row, note in enumerate(notes.values()):
            self._levels[row, : len(note.levels)] = note.levels

    def note(self, instrument: str, pitch: int) -> BankNote:
        """Return the rendering of a pitch (MIDI number) on an instrument.

        Raises:
            KeyError: The pitch lies outside the instrument's range.
        """
        return self._notes[instrument, pitch]

    def levels(self, names: list[tuple[str, int]], frames: NDArray[np.int64]) -> F32:
        """Return the levels of some notes at some of their viz frames, shape of `frames`.

        Args:
            names: (instrument, pitch) of each note.
            frames: Numbers of frames since each note's onset, shape (n_notes, n_frames); negative
                or past the end means silence.
        """
        rows = np.array([self._rows[name] for name in names])[:, np.newaxis]
        silent = self.n_level_frames - 1
        within = np.where((frames < 0) | (frames > silent), silent, frames)
        found: F32 = self._levels[rows, within]
        return found

    @property
    def n_bytes(self) -> int:
        """Memory that the samples take (bytes)."""
        return sum(note.pcm.nbytes for note in self._notes.values())

    def __len__(self) -> int:
        return len(self._notes)


def release_curve(release_s: float) -> F32:
    """Return a release from 1 to 0 over `release_s` seconds along (1 - x)², shape (n,)."""
    n_release = round(release_s * SAMPLE_RATE_HZ)
    x = np.arange(1, n_release + 1, dtype=np.float32) / np.float32(n_release)
    rest = np.float32(1.0) - x
    curve: F32 = rest * rest
    return curve


def levels_of(pcm: I16) -> F32:
    """Return the root mean square per viz frame (0-1 of full scale), shape (n_frames,)."""
    n_frames = pcm.shape[1] // VIZ_SAMPLES
    frames = pcm[:, : n_frames * VIZ_SAMPLES].reshape(2, n_frames, VIZ_SAMPLES).astype(np.int64)
    power = (frames * frames).sum(axis=(0, 2))  # whole numbers: the sum is exact in any order
    mean = power.astype(np.float64) / (2 * VIZ_SAMPLES * 32768.0**2)
    levels: F32 = np.sqrt(mean).astype(np.float32)
    return levels


def instrument_samples(instrument: Instrument) -> int:
    """Return how many samples each note of an instrument has: whole viz frames."""
    frames = round(instrument.length_s * SAMPLE_RATE_HZ) // VIZ_SAMPLES
    return frames * VIZ_SAMPLES


def render_pitches(instrument: Instrument, pitches: Iterable[int]) -> list[I16]:
    """Render some pitches of an instrument, each shape (2, n_samples)."""
    n_samples = instrument_samples(instrument)
    dry = np.stack([instrument.synth(pitch, n_samples) for pitch in pitches])
    if instrument.wet:
        dry += room(dry, instrument.t60_s) * np.float32(instrument.wet)
    n_fade = round(_FADE_S * SAMPLE_RATE_HZ)
    dry[:, :, -n_fade:] *= release_curve(_FADE_S)
    loudest = np.float32(_PEAK / instrument.chord_tones)
    rendered = []
    for note in dry:
        peak = np.float32(np.abs(note).max())
        rendered.append(np.rint(note * (loudest / peak)).astype(np.int16))
    return rendered


def batches_of(instruments: Iterable[Instrument]) -> list[tuple[Instrument, range]]:
    """Return the work of building a bank in pieces of a few notes, to be spread over threads."""
    return [
        (instrument, range(low, min(low + _BATCH, instrument.highest + 1)))
        for instrument in instruments
        for low in range(instrument.lowest, instrument.highest + 1, _BATCH)
    ]


def assemble(instruments: Iterable[Instrument], rendered: dict[tuple[str, int], I16]) -> Bank:
    """Return the bank made of rendered notes, whoever rendered or loaded them."""
    notes: dict[tuple[str, int], BankNote] = {}
    for instrument in instruments:
        release = release_curve(instrument.release_s)
        for pitch in range(instrument.lowest, instrument.highest + 1):
            pcm = rendered[instrument.name, pitch]
            notes[instrument.name, pitch] = BankNote(
                pcm, levels_of(pcm), band_shares(pcm), instrument.chord_tones, release
            )
    return Bank(notes)


def build_bank(instruments: tuple[Instrument, ...]) -> Bank:
    """Return the bank of an instrument table, rendered here and now on this thread."""
    rendered: dict[tuple[str, int], I16] = {}
    for instrument, pitches in batches_of(instruments):
        for pitch, pcm in zip(pitches, render_pitches(instrument, pitches), strict=True):
            rendered[instrument.name, pitch] = pcm
    return assemble(instruments, rendered)

"""The note bank: every instrument and pitch of a model, rendered once, room included.

The bank is int16, so that what little could differ between machines before rounding is gone after
it, and stereo, shape (2, n_samples) a note; what sits dry in the middle has one channel. Beside
each note lies its envelope, one level per viz frame, so that the picture knows how loud a note is
without listening to it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from astradio_stream.audio import kernels
from astradio_stream.audio.bands import N_BANDS, band_shares
from astradio_stream.audio.hall import hall
from astradio_stream.audio.room import room
from astradio_stream.audio.steady import steadied
from astradio_stream.units import SAMPLE_RATE_HZ, VIZ_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from astradio_stream.audio.exact import F32
    from astradio_stream.audio.instrument import Instrument

I16 = NDArray[np.int16]

_PEAK: Final = 30_000.0
_FADE_S: Final = 0.35
"""Every note that ends by itself ends in a fade, so that no tail is cut; a short one sooner."""
_SETTLE_S: Final = 0.35
"""How long the loop of a note takes to hand over from its second round to its first."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """A note as it is rendered and kept, whatever its instrument makes of it."""

    pcm: I16
    """Samples, shape (2, n_samples), or (1, n_samples) where both channels are alike."""
    levels: F32
    """Root mean square of each viz frame (0-1 of full scale), shape (n_frames,)."""
    bands: NDArray[np.float64]
    """Share of its energy in each of eight bands, lowest first, shape (8,)."""


@dataclass(frozen=True, slots=True)
class BankNote:
    """One rendered note."""

    pcm: I16
    """Samples, shape (2, n_samples), or (1, n_samples) where both channels are alike."""
    mixed: I16
    """The same as the mix takes them: one channel also of a drum that is dry in the middle."""
    levels: F32
    """Root mean square of each viz frame (0-1 of full scale), shape (n_frames,)."""
    bands: NDArray[np.float64]
    """Share of its energy in each of eight bands, lowest first, shape (8,)."""
    chord_tones: int
    """How many such notes int16 can hold the sum of."""
    release: F32
    """Gain from 1 to 0 along which the note is let go, shape (n_release,)."""
    loop: int = 0
    """How many samples at its end are gone round for as long as it is held; 0 if it just ends."""
    gain: float = 1.0
    """What makes it as loud as other instruments' notes (ratio); the mix applies it."""
    half_rate: bool = False
    """Whether it has 24 000 samples per second."""


class Bank:
    """All notes of one audio model, read by instrument name and pitch; and as tables by row."""

    def __init__(
        self,
        notes: dict[tuple[str, int], BankNote],
        samples: I16,
        offsets: Mapping[tuple[str, int], int],
    ) -> None:
        """Gather the notes' tables.

        Args:
            notes: All of them.
            samples: Where the samples of all lie, shape (n,).
            offsets: Where in it each note begins, channel after channel.
        """
        self._notes = notes
        self._rows = {name: row for row, name in enumerate(notes)}
        self.samples = samples.view()
        self.samples.flags.writeable = False
        kinds: dict[str, int] = {}
        release_at: dict[str, int] = {}
        releases: list[F32] = []
        n_level_frames = max((len(note.levels) for note in notes.values()), default=0)
        self.levels = np.zeros((len(notes), n_level_frames), np.float32)
        self.table = np.zeros((len(notes), kernels.N_COLUMNS), np.int64)
        for row, (name, note) in enumerate(notes.items()):
            instrument = name[0]
            if instrument not in kinds:
                kinds[instrument] = len(kinds)
                release_at[instrument] = sum(map(len, releases))
                releases.append(note.release)
            self.levels[row, : len(note.levels)] = note.levels
            facts = self.table[row]
            facts[kernels.OFFSET] = offsets[name]
            facts[kernels.N_SAMPLES] = note.pcm.shape[1]
            facts[kernels.N_CHANNELS] = len(note.mixed)
            facts[kernels.LOOP] = note.loop
            facts[kernels.IS_HALF] = note.half_rate
            facts[kernels.TONES] = note.chord_tones
            facts[kernels.KIND] = kinds[instrument]
            facts[kernels.RELEASE_AT] = release_at[instrument]
            facts[kernels.N_RELEASE] = len(note.release)
            facts[kernels.N_LEVELS] = len(note.levels)
        self.releases = np.concatenate(releases) if releases else np.zeros(0, np.float32)
        self.gains = np.array([note.gain for note in notes.values()], np.float64)
        self.bands = np.array([note.bands for note in notes.values()]).reshape(-1, N_BANDS)

    def note(self, instrument: str, pitch: int) -> BankNote:
        """Return the rendering of a pitch (MIDI number) on an instrument.

        Raises:
            KeyError: The pitch lies outside the instrument's range.
        """
        return self._notes[instrument, pitch]

    def rows(self, names: Iterable[tuple[str, int]]) -> NDArray[np.int64]:
        """Return in which row of `table`, `gains`, `levels` and `bands` each note is found.

        Args:
            names: Instrument and pitch (MIDI number) of each.

        Raises:
            KeyError: A pitch lies outside its instrument's range.
        """
        return np.array([*map(self._rows.__getitem__, names)], np.int64)

    @property
    def n_bytes(self) -> int:
        """Memory that the samples take (bytes)."""
        return sum(note.pcm.nbytes for note in self._notes.values())

    def __len__(self) -> int:
        return len(self._notes)


def release_curve(release_s: float, rate_hz: int = SAMPLE_RATE_HZ) -> F32:
    """Return a release from 1 to 0 over `release_s` seconds along (1 - x)², shape (n,)."""
    n_release = round(release_s * rate_hz)
    x = np.arange(1, n_release + 1, dtype=np.float32) / np.float32(n_release)
    rest = np.float32(1.0) - x
    curve: F32 = rest * rest
    return curve


def levels_of(pcm: I16, frame_samples: int = VIZ_SAMPLES) -> F32:
    """Return the root mean square per viz frame (0-1 of full scale), shape (n_frames,)."""
    n_frames = pcm.shape[1] // frame_samples
    frames = pcm[:, : n_frames * frame_samples].reshape(-1, n_frames, frame_samples)
    wide = frames.astype(np.int64)
    power = (wide * wide).sum(axis=(0, 2))  # whole numbers: the sum is exact in any order
    mean = power.astype(np.float64) / (len(pcm) * frame_samples * 32768.0**2)
    levels: F32 = np.sqrt(mean).astype(np.float32)
    return levels


def stored_samples(instrument: Instrument, pitch: int) -> int:
    """Return how many samples a note has in the bank, its loop included."""
    return instrument.length_samples(pitch) + instrument.loop_samples(pitch)


def _closed(note: F32, n_attack: int, n_loop: int) -> F32:
    """Return the attack and one round of a loop, cut from a note that is longer than both.

    Where the loop begins, the note is that of one round later, so that its end leads into its
    beginning exactly; before and after that point it blends into what it was, where the room
    has not quite settled::

        first round    ────────╲      ╱──────────────────
        second round            ╲____╱
                         attack    |    loop              |
    """
    n_after = note.shape[-1] - n_attack - n_loop
    n_before = min(n_attack // 2, n_after)
    up = np.arange(n_before, dtype=np.float32) / np.float32(n_before)
    down = np.float32(1.0) - np.arange(n_after, dtype=np.float32) / np.float32(n_after)
    share = np.concatenate([up, down])
    share = share * share * (np.float32(3.0) - np.float32(2.0) * share)
    span = slice(n_attack - n_before, n_attack + n_after)
    later = slice(span.start + n_loop, span.stop + n_loop)
    closed = note[:, : n_attack + n_loop].copy()
    closed[:, span] += (note[:, later] - note[:, span]) * share
    return closed


def render_pitches(instrument: Instrument, pitches: Iterable[int]) -> list[I16]:
    """Render some pitches of an instrument, each shape (n_channels, n_samples).

    The pitches are neighbours that share their length: one of `Instrument.batches`.
    """
    pitches = tuple(pitches)
    stored = [stored_samples(instrument, pitch) for pitch in pitches]
    # An even number, for rooms that halve the rate.
    n_settle = round(_SETTLE_S * instrument.rate_hz) if instrument.loop_s else 0
    lengths = [-(-(n_stored + n_settle) // 2) * 2 for n_stored in stored]
    dry = np.zeros((len(pitches), 1 if instrument.mono else 2, max(lengths)), np.float32)
    for note, pitch, length in zip(dry, pitches, lengths, strict=True):
        note[:, :length] = instrument.synth(pitch, length)
    if instrument.wet:
        answer = (hall if instrument.half_rate else room)(dry, instrument.t60_s)
        answer *= np.float32(instrument.wet)
        dry += answer
    loudest = np.float32(_PEAK / instrument.chord_tones)
    rendered = []
    for wet, pitch, n_stored in zip(dry, pitches, stored, strict=True):
        if instrument.loop_s:
            n_loop = instrument.loop_samples(pitch)
            note = _closed(wet[:, : n_stored + n_settle], n_stored - n_loop, n_loop)
            if instrument.steady:
                note = steadied(note, n_stored - n_loop)
        else:
            note = wet[:, :n_stored]
            fade_s = min(_FADE_S, n_stored / instrument.rate_hz / 4)
            fade = release_curve(fade_s, instrument.rate_hz)
            note[:, -len(fade) :] *= fade
        note *= loudest / max(note.max(), -note.min())
        rendered.append(np.rint(note, out=note).astype(np.int16))
    return rendered


def batches_of(instruments: Iterable[Instrument]) -> list[tuple[Instrument, tuple[int, ...]]]:
    """Return the work of building a bank, in pieces of a few notes."""
    # glibc keeps freed blocks up to the size of the largest that it ever gave back: without this
    # one, made and dropped, a tenth of the time would go into mapping the same pages anew.
    np.empty(1 << 24, np.uint8)
    return [(instrument, some) for instrument in instruments for some in instrument.batches()]


def rendering_of(instrument: Instrument, pcm: I16) -> Rendering:
    """Return a rendered note with what the picture knows of it."""
    levels = levels_of(pcm, instrument.frame_samples)
    return Rendering(pcm, levels, band_shares(pcm, half_rate=instrument.half_rate))


def assemble(
    instruments: Iterable[Instrument],
    rendered: Mapping[tuple[str, int], Rendering],
    samples: I16,
    offsets: Mapping[tuple[str, int], int],
) -> Bank:
    """Return the bank made of rendered notes, whoever rendered or loaded them.

    Args:
        instruments: The model's.
        rendered: Every pitch of each.
        samples: Where the samples of all lie.
        offsets: Where in it each note begins.
    """
    notes: dict[tuple[str, int], BankNote] = {}
    for instrument in instruments:
        release = release_curve(instrument.release_s, instrument.rate_hz)
        for pitch in instrument.pitches:
            made = rendered[instrument.name, pitch]
            is_dry_drum = instrument.pieces and np.array_equal(made.pcm[:1], made.pcm[1:])
            notes[instrument.name, pitch] = BankNote(
                pcm=made.pcm,
                mixed=made.pcm[:1] if is_dry_drum else made.pcm,
                levels=made.levels,
                bands=made.bands,
                chord_tones=instrument.chord_tones,
                release=release,
                loop=instrument.loop_samples(pitch),
                gain=instrument.gain_at(pitch),
                half_rate=instrument.half_rate,
            )
    return Bank(notes, samples, offsets)


def build_bank(instruments: tuple[Instrument, ...]) -> Bank:
    """Return the bank of an instrument table, rendered here and now on this thread."""
    made = {
        (instrument.name, pitch): pcm
        for instrument, pitches in batches_of(instruments)
        for pitch, pcm in zip(pitches, render_pitches(instrument, pitches), strict=True)
    }
    samples = np.concatenate([pcm.reshape(-1) for pcm in made.values()])
    ends = np.cumsum([pcm.size for pcm in made.values()]).tolist()
    offsets = dict(zip(made, [0, *ends[:-1]], strict=True))
    kinds = {instrument.name: instrument for instrument in instruments}
    rendered = {
        name: rendering_of(kinds[name[0]], samples[offsets[name] :][: pcm.size].reshape(pcm.shape))
        for name, pcm in made.items()
    }
    return assemble(instruments, rendered, samples, offsets)

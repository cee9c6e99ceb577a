"""The one idea, in code: a programme and a segment number make one second of stream.

    segment(programme, k)  ->  PCM, viz frames, events, packets

Nothing else goes in. A `Rendition` remembers what composing found out, so that the next second is
cheap; asked in any order, on any thread, in any process, it answers the same.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.encode import PRE_ROLL_SAMPLES, encoded
from astradio_stream.audio.mix import gathered, mixed, note_levels, render
from astradio_stream.stream.highlights import highlights_of
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.units import (
    QUANTUM_SAMPLES,
    SEGMENT_SAMPLES,
    VIZ_FRAMES_PER_SEGMENT,
    VIZ_SAMPLES,
)
from astradio_stream.viz.frames import frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from astradio_stream.audio.bank import Bank
    from astradio_stream.music.note import Note
    from astradio_stream.music.score import Event, Score
    from astradio_stream.stream.programme import Programme

DEFAULT_BITRATE: Final = 96_000

_FRAMES_AT: Final = VIZ_SAMPLES * np.arange(VIZ_FRAMES_PER_SEGMENT, dtype=np.int64)
"""Where the viz frames of a segment begin, seen from its first sample."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One second of a stream, as rendered."""

    number: int
    """k: it holds the samples [48 000 k, 48 000 (k + 1))."""
    heard: NDArray[np.int16]
    """Pre-roll and segment, interleaved, shape (1 920 + 48 000, 2): what an encoder hears."""
    viz: NDArray[np.uint8]
    """Sixty viz frames, shape (60, n_fields)."""
    events: tuple[Event, ...]
    """What happens in it, its highlights among it, ordered by index."""

    @property
    def pcm(self) -> NDArray[np.int16]:
        """Its samples, interleaved, shape (48 000, 2)."""
        return self.heard[PRE_ROLL_SAMPLES:]

    @property
    def start(self) -> int:
        """First sample index."""
        return self.number * SEGMENT_SAMPLES

    def quantum_pcm(self) -> list[memoryview]:
        """Return the PCM of its ten quanta as the wire has it: interleaved, little-endian."""
        whole = self.pcm.astype("<i2", copy=False).data.cast("B")
        n_bytes = QUANTUM_SAMPLES * 4
        return [whole[at : at + n_bytes] for at in range(0, len(whole), n_bytes)]

    def quantum_crcs(self) -> list[int]:
        """Return the CRC-32 of the PCM of its ten quanta."""
        return [zlib.crc32(pcm) for pcm in self.quantum_pcm()]

    def digest(self) -> str:
        """SHA-256 of PCM and viz frames, the two that are the same on every machine."""
        pcm = self.pcm.astype("<i2", copy=False).tobytes()
        return hashlib.sha256(pcm + self.viz.tobytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class Composed:
    """One second of a stream, as written down and not played yet."""

    number: int
    """k."""
    notes: tuple[Note, ...]
    """All that can be heard in it or its pre-roll."""
    pulses: NDArray[np.float64]
    """Of its sixty viz frames; see `Score.pulses`."""
    events: tuple[Event, ...]
    """What happens in it, its highlights among it, ordered by index."""


class Rendition:
    """A programme being played: its score, and the bank of the model that plays it."""

    def __init__(self, programme: Programme, bank: Bank) -> None:
        """Play `programme` on `bank`, the bank of its audio model."""
        self.programme = programme
        self._bank = bank
        model = AUDIO_MODELS[programme.model_versions.audio]
        self.score: Score = model.score_of(programme)
        self._last: int | None = None

    def pcm(self, start: int, n_samples: int) -> NDArray[np.int16]:
        """Return any span of samples, interleaved, shape (n_samples, 2); before 0 is silence."""
        notes = self.score.notes(start, start + n_samples)
        return render(notes, self._bank, start, n_samples)

    def segment(self, number: int) -> Segment:
        """Return segment k."""
        return self.played(self.composed(number))

    def composed(self, number: int) -> Composed:
        """Return segment k as written down: the half of the work that needs the interpreter."""
        start = number * SEGMENT_SAMPLES
        stop = start + SEGMENT_SAMPLES
        notes = self.score.notes(start - PRE_ROLL_SAMPLES, stop)
        pulses = self.score.pulses(start + _FRAMES_AT)
        events = (*self.score.events(start, stop), *highlights_of(notes, start, stop))
        if self._last is not None and number == self._last + 1:  # somebody listens on
            self.score.look_ahead(start)
        self._last = number
        return Composed(number, notes, pulses, tuple(sorted(events, key=attrgetter("index"))))

    def played(self, composed: Composed) -> Segment:
        """Return a segment that is written down as sound and picture."""
        start = composed.number * SEGMENT_SAMPLES
        played = gathered(composed.notes, self._bank)
        viz = frames(
            composed.pulses,
            played.voices,
            note_levels(played, self._bank, start, VIZ_FRAMES_PER_SEGMENT),
            played.rows,
            self._bank.bands,
        )
        begin, n_samples = start - PRE_ROLL_SAMPLES, PRE_ROLL_SAMPLES + SEGMENT_SAMPLES
        heard = mixed(played, self._bank, begin, n_samples)
        return Segment(composed.number, heard, viz, composed.events)


def segment(programme: Programme, number: int, bank: Bank) -> Segment:
    """Return segment k of a programme: the pure function that everything here serves."""
    return Rendition(programme, bank).segment(number)


def packets_of(segment: Segment, bitrate: int = DEFAULT_BITRATE) -> tuple[bytes, ...]:
    """Return the fifty Opus packets of a segment at a bit rate (bits per second)."""
    return tuple(chain.from_iterable(encoded(segment.heard, bitrate)))

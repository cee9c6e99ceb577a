"""What an instrument is: a range of pitches, and how one note of it is made.

An instrument is rendered once per pitch, tail and room included, into the bank (see `bank`).
A note in the mix is a slice of that rendering, let go along a release when it ends early. An
instrument that sustains ends in a loop, which a note goes round for as long as it is held::

    |<-- attack: length_s -->|<-- loop: about loop_s -->|
    0 ──────────────────────►├─────────────────────────►┐
                             ▲                          │
                             └──────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from astradio_stream.audio.exact import F32, frequency_hz
from astradio_stream.units import SAMPLE_RATE_HZ, VIZ_SAMPLES

Synth = Callable[[int, int], F32]
"""(pitch, n_samples) -> the dry note at unit scale, shape (2, n_samples), or (1, n_samples) of a
mono instrument; at the rate at which it is stored. A looped one repeats every `loop_samples`."""

BATCH = 4
"""Neighbouring pitches that are rendered at once, and share their length."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One row of an instrument table."""

    name: str
    """Short name, as notes and bodies refer to it."""
    lowest: int
    """Lowest pitch in the bank (MIDI number)."""
    highest: int
    """Highest pitch in the bank (MIDI number)."""
    length_s: float
    """How long a note can sound (seconds), room included; of a looped one: its attack."""
    release_s: float
    """How long a note takes to fall silent when it ends before its length (seconds)."""
    wet: float
    """Share of room beside the dry note (ratio)."""
    t60_s: float
    """Reverberation time of its room (seconds)."""
    chord_tones: int
    """How many notes struck together at one strength are added before they are weighed: their
    peaks are kept so low that int16 holds the sum. 1 for what loops."""
    synth: Synth
    """How one dry note is made."""
    loop_s: float = 0.0
    """About how long the loop at its end is (seconds); 0 if it has none and dies by itself."""
    shortest_s: float = 0.0
    """Length of the highest notes, where they die sooner than the lowest (seconds); 0 if equal."""
    mono: bool = False
    """Whether one channel is stored: for what sits dry in the middle."""
    half_rate: bool = False
    """Whether it is stored at 24 kHz: for what has nothing to say above 9 kHz. It stands in the
    `hall` then, otherwise in the `room`."""
    steady: bool = False
    """Whether the level of its loop is evened out (see `steady`): for voices that beat."""
    pieces: tuple[tuple[int, float], ...] = ()
    """Of a kit: each piece's pitch and length (seconds), instead of a range."""
    gains: tuple[float, ...] = (1.0,)
    """Loudness-equalising gains (ratio), at even distances from its lowest pitch to its highest,
    straight lines in between; of a kit one per piece."""

    @property
    def pitches(self) -> tuple[int, ...]:
        """All pitches that the bank holds, ascending."""
        if self.pieces:
            return tuple(pitch for pitch, _ in self.pieces)
        return tuple(range(self.lowest, self.highest + 1))

    @property
    def rate_hz(self) -> int:
        """Samples per second at which it is stored."""
        return SAMPLE_RATE_HZ // 2 if self.half_rate else SAMPLE_RATE_HZ

    @property
    def frame_samples(self) -> int:
        """Samples per viz frame at the rate at which it is stored."""
        return VIZ_SAMPLES // 2 if self.half_rate else VIZ_SAMPLES

    def gain_at(self, pitch: int) -> float:
        """Return the gain (ratio) that makes a note as loud as any other instrument's."""
        if self.pieces:
            return self.gains[self.pitches.index(pitch)]
        if len(self.gains) == 1 or self.highest == self.lowest:
            return self.gains[0]
        place = (pitch - self.lowest) * (len(self.gains) - 1) / (self.highest - self.lowest)
        left = min(int(place), len(self.gains) - 2)
        return self.gains[left] + (self.gains[left + 1] - self.gains[left]) * (place - left)

    def batches(self) -> list[tuple[int, ...]]:
        """Return its pitches in the groups that are rendered at once: a few, or one piece."""
        size = 1 if self.pieces else BATCH
        return [self.pitches[n : n + size] for n in range(0, len(self.pitches), size)]

    def length_samples(self, pitch: int) -> int:
        """Return how many samples come before the end, or before the loop: whole viz frames."""
        if self.pieces:
            length_s = dict(self.pieces)[pitch]
        elif self.shortest_s:
            n_steps = max(1, (self.highest - self.lowest) // BATCH)
            step = (pitch - self.lowest) // BATCH
            length_s = self.length_s + (self.shortest_s - self.length_s) * step / n_steps
        else:
            length_s = self.length_s
        return round(length_s * self.rate_hz) // self.frame_samples * self.frame_samples

    def loop_samples(self, pitch: int) -> int:
        """Return how many samples its loop has, 0 if it has none."""
        return loop_samples(pitch, self.loop_s, self.rate_hz) if self.loop_s else 0


def loop_samples(pitch: int, loop_s: float, rate_hz: int) -> int:
    """Return how many samples hold whole turns of a pitch for about `loop_s` seconds."""
    frequency = frequency_hz(pitch)
    n_turns = max(1, round(loop_s * frequency))
    return round(n_turns * rate_hz / frequency)

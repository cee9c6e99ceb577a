"""What an instrument is: a range of pitches, and how one note of it is made.

An instrument is rendered once per pitch, tail and room included, into the bank (see `bank`).
A note in the mix is a slice of that rendering, let go along a release when it ends early.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from astradio_stream.audio.exact import F32

Synth = Callable[[int, int], F32]
"""(pitch, n_samples) -> the dry note at unit scale, shape (2, n_samples)."""


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
    """How long a note can sound (seconds), room included."""
    release_s: float
    """How long a note takes to fall silent when it ends before its length (seconds)."""
    wet: float
    """Share of room beside the dry note (ratio)."""
    t60_s: float
    """Reverberation time of its room (seconds)."""
    chord_tones: int
    """How many notes struck together at one strength are added before they are weighed: their
    peaks are kept so low that int16 holds the sum."""
    synth: Synth
    """How one dry note is made."""

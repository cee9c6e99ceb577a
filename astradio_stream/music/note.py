"""A note: what a voice plays, when, how strongly, and from where in the room."""

from __future__ import annotations

from functools import partial
from math import sqrt
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

_Fields: TypeAlias = tuple[int, int, int, str, int, float, float, float, int]


class Note(NamedTuple):
    """One note of a score; onset and duration in samples of the stream.

    A tuple, which is made three times as fast as a frozen dataclass: a score makes a hundred a
    second for every stream.
    """

    onset: int
    """Sample index at which it begins."""
    duration: int
    """Samples until it is let go; its release and room sound on."""
    voice: int
    """Which body plays it: position in the canonical order of the ten bodies."""
    instrument: str
    """Name of a row in the model's instrument table."""
    pitch: int
    """MIDI number."""
    velocity: float
    """Strength (ratio, 0-1)."""
    left: float
    """Gain into the left channel (ratio), velocity included."""
    right: float
    """Gain into the right channel (ratio), velocity included."""
    chart: int = 0
    """Whose body it is where two charts play: 0 the first's, 1 the second's or the sky's."""


note_of: Final[Callable[[_Fields], Note]] = partial(tuple.__new__, Note)
"""Makes a note of its fields in their order, at half the cost of naming the class: no code of
Python's runs for it, and composing makes a hundred a second."""


def placed(
    *,
    onset: int,
    duration: int,
    voice: int,
    instrument: str,
    pitch: int,
    velocity: float,
    gain: float,
    pan: float,
) -> Note:
    """Return a note put at `pan` (-1 left … 1 right) with equal power, `gain` at full velocity."""
    strength = gain * velocity
    left = strength * sqrt((1.0 - pan) / 2.0)
    right = strength * sqrt((1.0 + pan) / 2.0)
    return Note(onset, duration, voice, instrument, pitch, velocity, left, right)

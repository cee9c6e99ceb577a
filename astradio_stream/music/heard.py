"""What is really heard in a span of a score: measured on its notes, for the text to tell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from astradio_stream.music.words import instrument_word
from astradio_stream.sky.bodies import BODY_INDEX, PLANET_NAMES
from astradio_stream.units import SAMPLE_RATE_HZ, samples_to_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from astradio_stream.music.note import Note

_CARRIES: Final = SAMPLE_RATE_HZ
"""A note counts for as long as it sounds, a second at most: then it has faded or is a bed."""
_CLEARLY: Final = 1.25
"""How many times as often a line must go up as down before it is said to rise."""
_MOON: Final = BODY_INDEX["moon"]


@dataclass(frozen=True, slots=True)
class Part:
    """What one body has in a span."""

    body: str
    instrument: str
    """In words: the one that sounds most in its hands."""
    power: float
    """Its part of all that sounds (0-1): gains squared, for as long as they carry."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The figures of a span that words may rest on."""

    notes_per_second: float
    parts: tuple[Part, ...]
    """Of the bodies that play, loudest first."""
    moon_line: int
    """1 where the Moon's notes mostly go up, -1 where they mostly go down, else 0."""

    def plays(self, body: str) -> bool:
        """Return whether a body plays at all."""
        return any(part.body == body for part in self.parts)


def heard_of(notes: Iterable[Note], n_samples: int) -> Heard:
    """Return what is heard of the notes that begin in a span of `n_samples`, ordered by onset."""
    power: dict[tuple[int, str], float] = {}
    moon: list[Note] = []
    n_notes = 0
    for note in notes:
        n_notes += 1
        key = (note.voice % len(PLANET_NAMES), instrument_word(note.instrument))
        gain = note.left * note.left + note.right * note.right
        power[key] = power.get(key, 0.0) + gain * min(note.duration, _CARRIES)
        if key[0] == _MOON:
            moon.append(note)
    rate = n_notes / samples_to_seconds(n_samples)
    return Heard(round(rate, 3), _parts_of(power), line_of(moon))


def _parts_of(power: dict[tuple[int, str], float]) -> tuple[Part, ...]:
    total = sum(power.values()) or 1.0
    parts = []
    for voice, body in enumerate(PLANET_NAMES):
        own = {instrument: said for (who, instrument), said in power.items() if who == voice}
        if own:
            instrument = max(sorted(own), key=own.__getitem__)
            parts.append(Part(body, instrument, sum(own.values()) / total))
    return tuple(sorted(parts, key=lambda part: -part.power))


def line_of(notes: Sequence[Note]) -> int:
    """Return 1 where a line mostly goes up, -1 where it mostly goes down, else 0.

    Of notes struck together the lowest is looked at.
    """
    lowest: dict[int, int] = {}
    for note in notes:
        lowest[note.onset] = min(note.pitch, lowest.get(note.onset, note.pitch))
    line = list(lowest.values())
    ups = sum(after > before for before, after in pairwise(line))
    downs = sum(after < before for before, after in pairwise(line))
    return (ups > _CLEARLY * downs) - (downs > _CLEARLY * ups)

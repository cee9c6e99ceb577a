"""Highlights: of all the notes that begin, those that an eye can follow.

A second has four places, each a quarter long, and each takes one note: the strongest that begins
there, drums left aside. So what is told of a segment depends on nothing but the segment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from astradio_stream.music.midi import drum_key_of
from astradio_stream.music.score import Event
from astradio_stream.music.theory import KEY_NAMES
from astradio_stream.sky.bodies import PLANET_NAMES
from astradio_stream.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Iterable

    from astradio_stream.music.note import Note

PLACE_SAMPLES: Final = SAMPLE_RATE_HZ // 4
"""Four highlights a second: about as often as an eye changes what it looks at."""


def highlights_of(notes: Iterable[Note], start: int, stop: int) -> tuple[Event, ...]:
    """Return the highlights in [start, stop), ordered by index.

    Args:
        notes: At least all that begin in the span.
        start: First sample index, the beginning of a place.
        stop: Where the span ends.
    """
    strongest: dict[int, tuple[tuple[float, int, int, int], Note]] = {}
    for note in notes:
        if not start <= note.onset < stop or drum_key_of(note.instrument, note.pitch) is not None:
            continue
        place, rank = note.onset // PLACE_SAMPLES, _rank(note)
        if place not in strongest or rank > strongest[place][0]:
            strongest[place] = rank, note
    return tuple(_event_of(strongest[place][1]) for place in sorted(strongest))


def _rank(note: Note) -> tuple[float, int, int, int]:
    """Return by what one note is chosen before another: the louder, the earlier, the higher."""
    power = note.left * note.left + note.right * note.right
    return power, -note.onset, note.pitch, -note.voice


def _event_of(note: Note) -> Event:
    body = PLANET_NAMES[note.voice]
    name = f"{KEY_NAMES[note.pitch % 12]}{note.pitch // 12 - 1}"
    more = (
        ("pitch", note.pitch),
        ("velocity", round(note.velocity, 3)),
        ("durationSamples", note.duration),
        ("chart", note.chart),
    )
    return Event(note.onset, "note", f"{body.title()} plays {name}", (body,), more)

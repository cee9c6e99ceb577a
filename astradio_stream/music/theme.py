"""Whose line is the melody of a score, and whether it is one: the gates of any span.

The theme is the Sun's. Where the Sun is silent for a whole phrase Venus sings it: she answers for a
second chart, or goes on with the theme alone. A bell that tells of the sky is not part of it.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from astradio_stream.music.gates import melody_gates
from astradio_stream.music.melody import melody_of
from astradio_stream.sky.bodies import BODY_INDEX
from astradio_stream.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from astradio_stream.music.gates import Gates
    from astradio_stream.music.melody import Grid
    from astradio_stream.music.note import Note
    from astradio_stream.music.score import Score

SINGERS: Final = (BODY_INDEX["sun"], BODY_INDEX["venus"])
"""Voices that can have the theme, the first before the second."""
SHORTEST_JUDGED: Final = 60 * SAMPLE_RATE_HZ
"""Fewer samples tell no story: a shorter span is judged by what follows it, too."""
LONGEST_JUDGED: Final = 600 * SAMPLE_RATE_HZ
"""A longer span is judged by its beginning: the longest piece that compose makes."""
_BLOCK: Final = 60 * SAMPLE_RATE_HZ


def notes_begun(score: Score, start: int, stop: int) -> Iterator[Note]:
    """Yield the notes that begin in [start, stop), ordered by onset, a minute at a time."""
    for at in range(start, stop, _BLOCK):
        end = min(at + _BLOCK, stop)
        yield from (note for note in score.notes(at, end) if at <= note.onset < end)


def theme_of(notes: Sequence[Note], grid: Grid) -> list[Note]:
    """Return the notes of the theme, phrase by phrase.

    Args:
        notes: Of all voices, ordered by onset.
        grid: Whose phrases are looked at; what lies outside them is left out.
    """
    theme: list[Note] = []
    for start, stop in pairwise(grid.phrase_edges):
        first, last = (bisect_left(notes, edge, key=attrgetter("onset")) for edge in (start, stop))
        for singer in SINGERS:
            sung = [note for note in notes[first:last] if note.voice == singer]
            if sung:
                families = [_family(note) for note in sung]
                # A voice speaks with one instrument: another in its hands is a bell of the sky.
                own = max(sorted(set(families)), key=families.count)
                theme += [note for note in sung if _family(note) == own]
                break
    return theme


def gates_of_span(score: Score, start: int, stop: int) -> Gates:
    """Return the gates of the melody in [start, stop), of one to ten minutes from `start` on.

    Whole phrases are judged, so a little before and after the span counts too.
    """
    n_samples = min(max(stop - start, SHORTEST_JUDGED), LONGEST_JUDGED)
    grid = score.grid(start, start + n_samples)
    singing = [
        note
        for note in notes_begun(score, grid.bar_edges[0], grid.bar_edges[-1])
        if note.voice in SINGERS
    ]
    return melody_gates(melody_of(theme_of(singing, grid), SINGERS, grid))


def _family(note: Note) -> str:
    """Return the instrument without its velocity layer."""
    return note.instrument.partition(".")[0]

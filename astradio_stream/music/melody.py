"""A melody: one line of notes laid on the grid of beats, free of hands and tempo."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from astradio_stream.music.note import Note

TICKS_PER_BEAT: Final = 12
"""Divides into halves, thirds and quarters; a hand that is 6 ms late stays on its tick."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Where bars and phrases of a span lie, in samples of the stream."""

    bar_edges: tuple[int, ...]
    """Starts of the bars, rising, and the end of the last one."""
    beats: tuple[int, ...]
    """Beats of each bar."""
    phrase_edges: tuple[int, ...]
    """Starts of the whole phrases, rising, and the end of the last one; may be off the bars, for a
    phrase that begins with an upbeat."""


@dataclass(frozen=True, slots=True)
class Melody:
    """One line of notes, in ticks from the first bar; a composer may build candidates of it."""

    ticks: tuple[int, ...]
    """Onsets, strictly rising."""
    lengths: tuple[int, ...]
    """How long each lasts, at least 1."""
    pitches: tuple[int, ...]
    """MIDI numbers."""
    bar_edges: tuple[int, ...]
    """Starts of the bars and the end of the last one."""
    phrase_edges: tuple[int, ...]
    """Starts of the phrases and the end of the last one."""


def melody_of(notes: Iterable[Note], voices: Collection[int], grid: Grid) -> Melody:
    """Return the line that `voices` play: of notes on one tick the highest, each cut by the next.

    Notes that begin outside the bars of the grid are left out.
    """
    edges = grid.bar_edges
    starts = [0]
    for beats in grid.beats:
        starts.append(starts[-1] + beats * TICKS_PER_BEAT)

    def tick_of(index: int) -> int:
        bar = min(max(bisect_right(edges, index) - 1, 0), len(edges) - 2)
        length = edges[bar + 1] - edges[bar]
        ticks = starts[bar + 1] - starts[bar]
        return starts[bar] + (2 * (index - edges[bar]) * ticks + length) // (2 * length)

    line: dict[int, tuple[int, int]] = {}
    for note in notes:
        if note.voice not in voices or not edges[0] <= note.onset < edges[-1]:
            continue
        # A note at the very end of the last bar rounds into the bar that is not there.
        tick = min(tick_of(note.onset), starts[-1] - 1)
        if tick not in line or note.pitch > line[tick][0]:
            line[tick] = (note.pitch, max(1, tick_of(note.onset + note.duration) - tick))
    ticks = sorted(line)
    nexts = [*ticks, starts[-1]][1:]
    return Melody(
        ticks=tuple(ticks),
        lengths=tuple(
            min(line[tick][1], after - tick) for tick, after in zip(ticks, nexts, strict=True)
        ),
        pitches=tuple(line[tick][0] for tick in ticks),
        bar_edges=tuple(starts),
        phrase_edges=tuple(tick_of(edge) for edge in grid.phrase_edges),
    )

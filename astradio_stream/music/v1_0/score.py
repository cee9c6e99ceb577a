"""The composer of model v1.0: bars composed on request and remembered a while, in any order."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.music.melody import Grid
from astradio_stream.music.midi import TempoMark
from astradio_stream.music.remembered import remembered
from astradio_stream.music.score import Event
from astradio_stream.music.v1_0.form import Bar, bar_at, bar_of, movement_of
from astradio_stream.music.v1_0.palette import MOVEMENT_SAMPLES, Palette, Sky, palette_of
from astradio_stream.music.v1_0.voices import Scene, notes_of
from astradio_stream.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from astradio_stream.music.note import Note

LOOK_BACK_SAMPLES: Final = 6 * SAMPLE_RATE_HZ
"""No note of this model sounds longer than this after its onset."""
RELEASE_SAMPLES: Final = SAMPLE_RATE_HZ
"""No note of this model sounds longer than this after its end."""

_SECTION_NAMES: Final = ("the theme", "its answer", "the far field")


class ScoreV10:
    """A programme as model v1.0 composes it.

    What it remembers is only what it could compose again: two scores of one programme are equal.
    """

    def __init__(self, seed: int, sky_at: Callable[[int], Sky]) -> None:
        """Compose with `seed` under the sky that `sky_at` gives for a sample index."""
        self._seed = seed
        self._sky_at = sky_at
        self.palette = remembered(self._palette, 8)
        self.bar = remembered(self._bar, 64)
        self._bar_notes = remembered(self._compose_bar, 64)

    def _palette(self, movement: int) -> Palette:
        return palette_of(self._sky_at(movement * MOVEMENT_SAMPLES))

    def _bar(self, movement: int, number: int) -> Bar:
        return bar_of(self._seed, self.palette(movement), movement, number)

    def _compose_bar(self, movement: int, number: int) -> tuple[Note, ...]:
        palette = self.palette(movement)
        return notes_of(Scene(self._seed, palette, self.bar(movement, number)))

    def _bars_in(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Return (movement, number) of the bars that begin before `stop` and end after `start`."""
        start = max(0, start)
        bars = []
        for movement in range(movement_of(start), movement_of(stop - 1) + 1):
            palette = self.palette(movement)
            base = movement * MOVEMENT_SAMPLES
            first = bar_at(palette, max(start, base))
            last = bar_at(palette, min(stop - 1, base + MOVEMENT_SAMPLES - 1))
            bars += [(movement, number) for number in range(first, last + 1)]
        return bars

    def notes(self, start: int, stop: int) -> tuple[Note, ...]:
        """Return the notes that can sound in [start, stop), in the order of the mix."""
        earliest = start - LOOK_BACK_SAMPLES
        found = [
            note
            for movement, number in self._bars_in(earliest, stop)
            for note in self._bar_notes(movement, number)
            if note.onset < stop and note.onset + note.duration + RELEASE_SAMPLES > start
        ]
        found.sort(key=lambda note: (note.onset, note.voice, note.pitch))
        return tuple(found)

    def look_ahead(self, start: int) -> None:
        """Do nothing: every bar of this model is as little work as any other."""

    def pulses(self, indices: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return `PULSE_FIELDS` at rising sample indices, shape (5, n_indices)."""
        found = np.empty((5, len(indices)))
        for movement, number in self._bars_in(int(indices[0]), int(indices[-1]) + 1):
            palette = self.palette(movement)
            bar = self.bar(movement, number)
            first, last = np.searchsorted(indices, (bar.start, bar.start + bar.length))
            within = indices[first:last] - bar.start
            found[0, first:last] = within * palette.beats % bar.length / bar.length
            found[1, first:last] = within / bar.length
            found[2, first:last] = min(1.0, palette.tension * 0.7 + 0.3 * (bar.phrase_bar == 2))
            found[3, first:last] = min(1.0, 0.6 * palette.brightness + 0.4 * bar.intensity)
            found[4, first:last] = (7 * palette.key % 12) / 12.0
        return found

    def events(self, start: int, stop: int) -> tuple[Event, ...]:
        """Return the beginnings of sections and movements in [start, stop)."""
        found = []
        for movement, number in self._bars_in(start, stop):
            if number % 8:
                continue
            bar = self.bar(movement, number)
            if not start <= bar.start < stop:
                continue
            palette = self.palette(movement)
            if number == 0:
                text = f"A new movement in {palette.key_name} {palette.mode}"
                text += f", {palette.tempo_bpm:.0f} beats a minute"
                found.append(Event(bar.start, "key", text, ("sun",)))
            text = f"Section {bar.section + 1}: {_SECTION_NAMES[bar.material]}"
            found.append(Event(bar.start, "section", text, ()))
        return tuple(found)

    def tempo_map(self, start: int, stop: int) -> tuple[TempoMark, ...]:
        """Return tempo, metre and key from the bar line at or before `start` on, until `stop`."""
        marks = []
        for number in range(movement_of(max(0, start)), movement_of(stop - 1) + 1):
            palette = self.palette(number)
            marks.append(
                TempoMark(
                    index=number * MOVEMENT_SAMPLES,
                    samples_per_beat=Fraction(MOVEMENT_SAMPLES, palette.n_bars * palette.beats),
                    beats_per_bar=palette.beats,
                    key=palette.key_name,
                    mode=palette.mode,
                )
            )
        return tuple(marks)

    def grid(self, start: int, stop: int) -> Grid:
        """Return bars and phrases: the whole phrases that touch [start, stop)."""
        bars = self._bars_in(start, stop)
        first_movement, first = bars[0]
        last_movement, last = bars[-1]
        begin = self.bar(first_movement, first - first % 4).start
        last_bar = self.bar(last_movement, last - last % 4 + 3)
        end = last_bar.start + last_bar.length
        whole = self._bars_in(begin, end)
        edges = [self.bar(*bar).start for bar in whole]
        phrases = [self.bar(*bar).start for bar in whole if bar[1] % 4 == 0]
        beats = [self.palette(movement).beats for movement, _ in whole]
        return Grid((*edges, end), tuple(beats), (*phrases, end))

    def palette_json(self, index: int) -> dict[str, object]:
        """Return the palette at an index as the JSON of `ready`."""
        palette = self.palette(movement_of(index))
        return {
            "key": palette.key_name,
            "mode": palette.mode,
            "tempoBpm": round(palette.tempo_bpm, 4),
            "metre": f"{palette.beats}/4",
            "density": round(palette.density, 4),
            "tension": round(palette.tension, 4),
            "brightness": round(palette.brightness, 4),
            "space": round(palette.space, 4),
        }

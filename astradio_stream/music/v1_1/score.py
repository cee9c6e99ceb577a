"""Model v1.1 as the layers above see it: notes, pulses, events, tempo, palette of any span."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.music.melody import Grid
from astradio_stream.music.midi import TempoMark
from astradio_stream.music.note import Note, note_of
from astradio_stream.music.remembered import remembered
from astradio_stream.music.score import Event
from astradio_stream.music.theory import KEY_NAMES
from astradio_stream.music.v1_1.ahead import Ahead
from astradio_stream.music.v1_1.bells import Happening, bells_of
from astradio_stream.music.v1_1.composer import Composer
from astradio_stream.music.v1_1.form import SECTION_NAMES
from astradio_stream.music.v1_1.loudness import SAMPLED_BARS, gain_of, levels_of
from astradio_stream.music.v1_1.reading import BODY_NAMES, Skies
from astradio_stream.music.v1_1.rings import LONGEST_RING_SAMPLES, end_of
from astradio_stream.music.v1_1.timeline import MOVEMENT_SAMPLES, SECTION_BARS, Stretch
from astradio_stream.music.v1_1.writer import LONGEST_BARS, SHORTEST_SAMPLES
from astradio_stream.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from astradio_stream.music.controls import Controls

_REACH_BARS: Final = LONGEST_BARS + 2
"""A note of a bar, and its echoes, have ended so many bars after the bar began; but for rings."""
_REACH_SAMPLES: Final = 28 * SAMPLE_RATE_HZ
"""`_REACH_BARS` of the slowest bars, and the longest ring."""


@dataclass(frozen=True, slots=True)
class _Sounding:
    """The notes of a bar at their loudness, and when each has rung out (sample index)."""

    notes: tuple[Note, ...]
    ends: tuple[int, ...]
    first_end: int
    """The earliest of them."""
    last_end: int
    """The latest of them."""
    last_onset: int
    """Where the last of them begins."""

    def heard(self, start: int, stop: int) -> Sequence[Note]:
        """Return those that can sound in [start, stop)."""
        if self.last_end <= start:
            return ()
        if self.first_end > start and self.last_onset < stop:
            return self.notes
        return [
            note
            for note, end in zip(self.notes, self.ends, strict=True)
            if end > start and note.onset < stop
        ]


class ScoreV11:
    """A programme as model v1.1 composes it; two scores of one programme are equal."""

    def __init__(
        self,
        seed: int,
        skies_at: Callable[[int], Skies],
        controls_at: Callable[[int], Controls],
        changes: tuple[int, ...] = (),
        happenings: Callable[[int, int], tuple[Happening, ...]] = lambda _start, _stop: (),
        *,
        foresee: Callable[[int], Iterable[Callable[[], object]]] = lambda _index: (),
    ) -> None:
        """Compose.

        Args:
            seed: Which arrangement.
            skies_at: What is read at a sample index.
            controls_at: What the listener wished at a sample index.
            changes: Indices at which wishes change, rising.
            happenings: What becomes exact in [start, stop).
            foresee: What can be worked out in time, piece by piece, before `skies_at` is asked.
        """
        self._composer = Composer(seed, skies_at, controls_at, changes)
        self._happenings = happenings
        self._levels = remembered(self._find_levels, 8)
        self._gain = remembered(self._find_gain, 48)
        self._sounding = remembered(self._play_bar, 24)  # what sounds at once, and some
        self._ahead = Ahead(self._composer, self._gain, happenings, foresee)

    # Loudness

    def _find_levels(self, stretch: Stretch) -> tuple[float, ...]:
        return levels_of(self._composer.seed, self._composer.movement_of(stretch))

    def _find_gain(self, stretch: Stretch, section: int) -> float:
        """Return the gain that brings a section to its loudness."""
        first = section * SECTION_BARS
        bars = [min(first + place, stretch.n_bars - 1) for place in SAMPLED_BARS]
        seconds = MOVEMENT_SAMPLES / stretch.n_bars / SAMPLE_RATE_HZ
        notes = [note for bar in bars for note in self._composer.bar_notes(stretch, bar)]
        movement = self._composer.movement_of(stretch)
        level = self._levels(stretch)[section] * movement.genre.trim
        return gain_of(notes, seconds * len(bars), level)

    def _play_bar(self, stretch: Stretch, bar: int) -> _Sounding:
        """Return the notes of a bar at the loudness of its section."""
        gain = self._gain(stretch, bar // SECTION_BARS)
        notes = tuple(
            [
                _louder(note, gain, stretch.stop)
                for note in self._composer.bar_notes(stretch, bar)
                if note.onset < stretch.stop
            ]
        )
        ends = tuple([end_of(note) for note in notes])
        last_onset = max([note.onset for note in notes], default=0)
        return _Sounding(notes, ends, min(ends, default=0), max(ends, default=0), last_onset)

    # What the layers above ask

    def notes(self, start: int, stop: int) -> tuple[Note, ...]:
        """Return the notes that can sound in [start, stop), in the order of the mix."""
        found: list[Note] = []
        for stretch in self._composer.timeline.stretches(start - _REACH_SAMPLES, stop):
            reach = _REACH_BARS * (MOVEMENT_SAMPLES // stretch.n_bars) + LONGEST_RING_SAMPLES
            first, end = stretch.first_bar, min(stop, stretch.stop)
            if stretch.base + reach <= start:
                first = stretch.bar_at(start - reach) + 1
            for bar in range(first, min(stretch.bar_at(end - 1) + 1, stretch.n_bars)):
                found += self._sounding(stretch, bar).heard(start, stop)
        found.extend(self._bells(start, stop))
        found.sort(key=_place_in_the_mix)
        return tuple(found)

    def _bells(self, start: int, stop: int) -> list[Note]:
        """Return the bells of what becomes exact in the sky."""
        found: list[Note] = []
        for happening in self._happenings(max(0, start - _REACH_SAMPLES), stop):
            stretch = self._composer.timeline.at(happening.index)
            section = stretch.bar_at(happening.index) // SECTION_BARS
            movement = self._composer.movement_of(stretch)
            found += bells_of(happening, movement, self._gain(stretch, section))
        return [note for note in found if note.onset < stop and end_of(note) > start]

    def look_ahead(self, start: int) -> None:
        """Compose a little of the next section, while the second from `start` on is made."""
        self._ahead.go_on(start)

    def pulses(self, indices: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return `PULSE_FIELDS` at rising sample indices, shape (5, n_indices)."""
        # Plain numbers: after an encode numpy's calls cost more than the sixty of a second do.
        places: list[int] = indices.tolist()
        beats: list[float] = []
        bars: list[float] = []
        colours: tuple[list[float], list[float], list[float]] = ([], [], [])
        for stretch, number in self._composer.timeline.bars(places[0], places[-1] + 1):
            scene = self._composer.scene(stretch, number)
            start, end = stretch.bar_start(number), stretch.bar_start(number + 1)
            length, n_beats, palette = end - start, scene.beats, scene.movement.palette
            stop = bisect_left(places, min(end, stretch.stop))
            within = [place - start for place in places[len(bars) : stop]]
            beats += [since * n_beats % length / length for since in within]
            bars += [since / length for since in within]
            colour = (
                min(1.0, 0.75 * palette.tension + 0.25 * (scene.place == 2)),
                min(1.0, 0.6 * palette.brightness + 0.4 * scene.fullness),
                (7 * scene.movement.tonic % 12) / 12.0,
            )
            for row, value in zip(colours, colour, strict=True):
                row.extend([value] * len(within))
        return np.array([beats, bars, *colours])

    def events(self, start: int, stop: int) -> tuple[Event, ...]:
        """Return sections, keys and what becomes exact in [start, stop)."""
        found = []
        for stretch, number in self._composer.timeline.bars(start, stop):
            at = stretch.bar_start(number)
            if not start <= at < stop or number % 8:
                continue
            movement = self._composer.movement_of(stretch)
            lead = BODY_NAMES[movement.lead].title()
            if number == 0:
                text = (
                    f"{lead} leads, in {KEY_NAMES[movement.tonic]} {movement.palette.mode}, "
                    f"{movement.tempo_bpm:.0f} beats a minute"
                )
                bodies = (BODY_NAMES[movement.lead], BODY_NAMES[movement.partner])
                found.append(Event(at, "key", text, bodies))
            kind = SECTION_NAMES[movement.section_kind(number // 8)]
            text = f"Section {number // 8 + 1}: {kind}"
            found.append(Event(at, "section", text, (BODY_NAMES[movement.lead],)))
        found += [
            Event(h.index, h.kind, h.text, h.bodies)
            for h in self._happenings(max(0, start), stop)
            if h.index >= start
        ]
        found.sort(key=lambda event: (event.index, event.kind))
        return tuple(found)

    def tempo_map(self, start: int, stop: int) -> tuple[TempoMark, ...]:
        """Return tempo, metre and key from the bar line at or before `start` on, until `stop`."""
        marks = []
        index = max(0, start)
        while index < stop:
            stretch = self._composer.timeline.at(index)
            movement = self._composer.movement_of(stretch)
            marks.append(
                TempoMark(
                    index=stretch.base,
                    samples_per_beat=Fraction(MOVEMENT_SAMPLES, stretch.n_bars * movement.beats),
                    beats_per_bar=movement.beats,
                    key=KEY_NAMES[movement.tonic],
                    mode=movement.palette.mode,
                )
            )
            index = stretch.stop
        return tuple(marks)

    def grid(self, start: int, stop: int) -> Grid:
        """Return bars and phrases: the whole phrases that touch [start, stop)."""
        begin = self._phrase_edges(max(0, start))[0]
        end = self._phrase_edges(stop - 1)[1]
        edges, beats, phrases = [], [], []
        for stretch, bar in self._composer.timeline.bars(begin, end):
            edges.append(stretch.bar_start(bar))
            beats.append(self._composer.movement_of(stretch).beats)
            if bar % 4 == 0 or bar == stretch.first_bar:
                phrases.append(edges[-1])
        return Grid((*edges, end), tuple(beats), (*phrases, end))

    def _phrase_edges(self, index: int) -> tuple[int, int]:
        """Return the first sample of the phrase that holds an index, and the first after it."""
        stretch = self._composer.timeline.at(index)
        bar = stretch.bar_at(index)
        first = max(stretch.first_bar, bar - bar % 4)
        end = min(stretch.stop, stretch.bar_start(bar - bar % 4 + 4))
        return stretch.bar_start(first), end

    def palette_json(self, index: int) -> dict[str, object]:
        """Return the palette at an index as the JSON of `ready`."""
        movement = self._composer.movement_of(self._composer.timeline.at(index))
        palette = movement.palette
        shares = {
            "tempoNorm": palette.tempo,
            "density": palette.density,
            "brightness": palette.brightness,
            "tension": palette.tension,
            "syncopation": palette.syncopation,
            "stepBias": palette.step_bias,
            "motifRate": palette.motif_rate,
            "arcShape": palette.arc_shape,
            "space": palette.space,
            "drums": palette.drums,
        }
        return {
            "key": KEY_NAMES[movement.tonic],
            "mode": palette.mode,
            "tempoBpm": round(movement.tempo_bpm, 4),
            "metre": f"{movement.beats}/4",
            "genre": palette.genre,
            "lead": BODY_NAMES[movement.lead],
            "voices": [
                {"body": body, "instrument": role.instrument}
                for body, role in zip(BODY_NAMES, movement.genre.roles, strict=True)
                if role.instrument
            ],
            "leapCap": palette.leap_cap,
            **{name: round(value, 4) for name, value in shares.items()},
        }


_place_in_the_mix = attrgetter("onset", "voice", "instrument", "pitch")


def _louder(note: Note, gain: float, stop: int) -> Note:
    """Return a note at its loudness, let go at `stop`, where a change of wishes may come."""
    onset, duration, voice, instrument, pitch, velocity, left, right, chart = note
    if onset + duration > stop:
        duration = min(duration, max(SHORTEST_SAMPLES, stop - onset))
    sides = left * gain, right * gain
    return note_of((onset, duration, voice, instrument, pitch, velocity, *sides, chart))

"""The composer of model v1.1: bars composed on request and remembered a while, in any order."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.music.melody import Grid
from astradio_stream.music.midi import TempoMark
from astradio_stream.music.note import Note
from astradio_stream.music.score import Event
from astradio_stream.music.theory import KEY_NAMES
from astradio_stream.music.v1_1.bells import Happening, bells_of
from astradio_stream.music.v1_1.bending import bent
from astradio_stream.music.v1_1.ensemble import Stage, heard_in
from astradio_stream.music.v1_1.form import (
    CONTRAST,
    SECTION_NAMES,
    Movement,
    Phrase,
    bars_and_beats,
    fullness_of,
    lead_of,
    led_by,
    movement_of,
    phrase_of,
)
from astradio_stream.music.v1_1.melody import melodies_of
from astradio_stream.music.v1_1.palette import Palette, palette_of
from astradio_stream.music.v1_1.parts import Scene, with_basses
from astradio_stream.music.v1_1.reading import BODY_NAMES, Skies
from astradio_stream.music.v1_1.timeline import MOVEMENT_SAMPLES, Stretch, Timeline
from astradio_stream.music.v1_1.writer import LONGEST_SAMPLES, Writer
from astradio_stream.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from astradio_stream.music.controls import Controls
    from astradio_stream.music.v1_1.tones import Tone

RELEASE_SAMPLES: Final = 4 * SAMPLE_RATE_HZ
"""No note of this model sounds longer than this after its end."""

_LOUDNESS: Final = 0.16
"""Power of a movement (see `_power`) that stands at -16 LUFS."""
_GUEST: Final = 0x5A5A5A5A5A5A
"""What is turned over in a seed (below 2^53, as seeds are) for the melodies of a second chart."""


class ScoreV11:
    """A programme as model v1.1 composes it; two scores of one programme are equal."""

    def __init__(
        self,
        seed: int,
        skies_at: Callable[[int], Skies],
        controls_at: Callable[[int], Controls],
        changes: tuple[int, ...] = (),
        happenings: Callable[[int, int], tuple[Happening, ...]] = lambda _start, _stop: (),
    ) -> None:
        """Compose.

        Args:
            seed: Which arrangement.
            skies_at: What is read at a sample index.
            controls_at: What the listener wished at a sample index.
            changes: Indices at which wishes change, rising.
            happenings: What becomes exact in [start, stop).
        """
        self._seed = seed
        self._skies_at = lru_cache(maxsize=16)(skies_at)
        self._controls_at = controls_at
        self._changes = tuple(index for index in changes if index > 0)
        self._happenings = happenings
        self.movement = lru_cache(maxsize=16)(self._movement)
        self.period = lru_cache(maxsize=48)(self._period)
        self.guest_melodies = lru_cache(maxsize=32)(self._guest_melodies)
        self._bar_notes = lru_cache(maxsize=96)(self._compose_bar)
        self._gain = lru_cache(maxsize=16)(self._find_gain)
        self._timeline = Timeline(self._changes, self._bars_of)

    # What holds for a movement

    def _palette(self, era: int, movement: int, index: int) -> tuple[Palette, Skies, int]:
        skies = self._skies_at(index)
        start = self._changes[era - 1] if era else 0
        lead = lead_of(self._seed, movement, skies.reading)
        return palette_of(skies.mood, self._controls_at(start), lead), skies, lead

    def _bars_of(self, era: int, movement: int, base: int) -> int:
        palette, skies, _ = self._palette(era, movement, base)
        return bars_and_beats(palette, skies.mood)[0]

    def _movement(self, era: int, number: int, base: int) -> Movement:
        palette, skies, lead = self._palette(era, number, base)
        return movement_of(self._seed, number, palette, skies.reading, lead=lead, mood=skies.mood)

    def _movement_of(self, stretch: Stretch) -> Movement:
        return self.movement(stretch.era, stretch.movement, stretch.base)

    def _guest(self, stretch: Stretch) -> Movement | None:
        """Return the movement as the second chart would lead it, over the same chords."""
        skies = self._skies_at(stretch.base)
        if skies.other is None:
            return None
        home = self._movement_of(stretch)
        lead = lead_of(self._seed ^ _GUEST, home.number, skies.other)
        return led_by(home, lead, skies.other)

    # Phrases and bars

    def _period(
        self, stretch: Stretch, number: int
    ) -> tuple[tuple[Phrase, ...], tuple[tuple[Tone, ...], ...]]:
        """Return the one or two phrases of a period of eight bars, and their melodies."""
        movement = self._movement_of(stretch)
        n_phrases = movement.n_bars // 4
        found = []
        for place in range(2 * number, min(2 * number + 2, n_phrases)):
            next_tonic = movement.tonic
            if place == n_phrases - 1:
                after = self._timeline.at(stretch.bar_start(movement.n_bars))
                next_tonic = self._movement_of(after).tonic
            found.append(phrase_of(self._seed, movement, place, next_tonic))
        phrases = tuple(found)
        composed = melodies_of(self._seed, movement, phrases)
        melodies = bent(self._seed, movement, phrases, composed)
        return with_basses(movement, phrases, melodies), melodies

    def _phrase(self, stretch: Stretch, number: int) -> tuple[Phrase, tuple[Tone, ...]]:
        phrases, melodies = self.period(stretch, number // 2)
        return phrases[number % 2], melodies[number % 2]

    def _guest_melodies(self, stretch: Stretch, number: int) -> tuple[tuple[Tone, ...], ...]:
        guest = self._guest(stretch)
        phrases, melodies = self.period(stretch, number)
        if guest is None:
            return melodies
        theirs = melodies_of(self._seed ^ _GUEST, guest, phrases)
        return bent(self._seed ^ _GUEST, guest, phrases, theirs)

    def _scene(self, stretch: Stretch, bar: int) -> Scene:
        movement = self._movement_of(stretch)
        phrase, melody = self._phrase(stretch, bar // 4)
        place = bar % 4
        return Scene(
            movement=movement,
            phrase=phrase,
            place=place,
            bar=bar,
            fullness=fullness_of(self._seed, movement, bar // 8),
            melody=melody,
            statement=self.period(stretch, 0)[1][0] if phrase.kind == CONTRAST else melody,
            chord_begins=place % movement.chord_bars == 0,
        )

    def _stage(self, stretch: Stretch, bar: int) -> Stage:
        home, guest = self._scene(stretch, bar), self._guest(stretch)
        skies = self._skies_at(stretch.base)
        if guest is None:
            return Stage(home, None, (), is_pair=False)
        number, half = divmod(bar // 4, 2)
        melody = self.guest_melodies(stretch, number)[half]
        theirs = replace(home, movement=guest, melody=melody, statement=melody)
        return Stage(home, theirs, skies.between, is_pair=skies.is_pair)

    def _compose_bar(self, stretch: Stretch, bar: int) -> tuple[Note, ...]:
        start = stretch.bar_start(bar)
        length = stretch.bar_start(bar + 1) - start
        notes: list[Note] = []
        for scene, voice, role, played in heard_in(self._seed, self._stage(stretch, bar)):
            writer = Writer(scene, start, length, stretch.stop)
            writer.play(voice, role, played)
            notes += writer.notes
        return tuple(notes)

    # Loudness

    def _power(self, stretch: Stretch, bar: int) -> float:
        """Return the mean power of a bar's notes: gain squared for as long as they carry."""
        start, stop = stretch.bar_start(bar), stretch.bar_start(bar + 1)
        total = 0.0
        for note in self._bar_notes(stretch, bar):
            carried = min(note.duration, SAMPLE_RATE_HZ)
            total += (note.left * note.left + note.right * note.right) * carried
        return total / (stop - start)

    def _find_gain(self, stretch: Stretch) -> float:
        """Return the gain that brings a movement to its loudness, from eight of its bars."""
        n_bars = stretch.n_bars
        total = 0.0
        for part in range(8):
            total += self._power(stretch, min(n_bars - 1, (2 * part + 1) * n_bars // 16))
        return self._movement_of(stretch).genre.trim * sqrt(_LOUDNESS / max(total / 8.0, 0.05))

    # What the layers above ask

    def notes(self, start: int, stop: int) -> tuple[Note, ...]:
        """Return the notes that can sound in [start, stop), in the order of the mix."""
        earliest = start - LONGEST_SAMPLES - RELEASE_SAMPLES
        found: list[Note] = []
        for stretch, bar in self._timeline.bars(earliest, stop):
            gain = None
            for note in self._bar_notes(stretch, bar):
                if note.onset >= stop or note.onset + note.duration + RELEASE_SAMPLES <= start:
                    continue
                gain = self._gain(stretch) if gain is None else gain
                found.append(_louder(note, gain))
        found.extend(self._bells(earliest, start, stop))
        found.sort(key=lambda note: (note.onset, note.voice, note.instrument, note.pitch))
        return tuple(found)

    def _bells(self, earliest: int, start: int, stop: int) -> list[Note]:
        """Return the bells of what becomes exact in the sky."""
        found: list[Note] = []
        for happening in self._happenings(max(0, earliest), stop):
            stretch = self._timeline.at(happening.index)
            found += bells_of(happening, self._movement_of(stretch), self._gain(stretch))
        return [
            note
            for note in found
            if note.onset < stop and note.onset + note.duration + RELEASE_SAMPLES > start
        ]

    def pulses(self, indices: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return `PULSE_FIELDS` at rising sample indices, shape (5, n_indices)."""
        found = np.zeros((5, len(indices)))
        for stretch, number in self._timeline.bars(int(indices[0]), int(indices[-1]) + 1):
            scene = self._scene(stretch, number)
            start, end = stretch.bar_start(number), stretch.bar_start(number + 1)
            first, last = np.searchsorted(indices, (start, min(end, stretch.stop)))
            within = indices[first:last] - start
            length = end - start
            palette = scene.movement.palette
            found[0, first:last] = within * scene.beats % length / length
            found[1, first:last] = within / length
            found[2, first:last] = min(1.0, 0.75 * palette.tension + 0.25 * (scene.place == 2))
            found[3, first:last] = min(1.0, 0.6 * palette.brightness + 0.4 * scene.fullness)
            found[4, first:last] = (7 * scene.movement.tonic % 12) / 12.0
        return found

    def events(self, start: int, stop: int) -> tuple[Event, ...]:
        """Return sections, keys and what becomes exact in [start, stop)."""
        found = []
        for stretch, number in self._timeline.bars(start, stop):
            at = stretch.bar_start(number)
            if not start <= at < stop or number % 8:
                continue
            movement = self._movement_of(stretch)
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
            stretch = self._timeline.at(index)
            movement = self._movement_of(stretch)
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
        for stretch, bar in self._timeline.bars(begin, end):
            edges.append(stretch.bar_start(bar))
            beats.append(self._movement_of(stretch).beats)
            if bar % 4 == 0 or bar == stretch.first_bar:
                phrases.append(edges[-1])
        return Grid((*edges, end), tuple(beats), (*phrases, end))

    def _phrase_edges(self, index: int) -> tuple[int, int]:
        """Return the first sample of the phrase that holds an index, and the first after it."""
        stretch = self._timeline.at(index)
        bar = stretch.bar_at(index)
        first = max(stretch.first_bar, bar - bar % 4)
        end = min(stretch.stop, stretch.bar_start(bar - bar % 4 + 4))
        return stretch.bar_start(first), end

    def palette_json(self, index: int) -> dict[str, object]:
        """Return the palette at an index as the JSON of `ready`."""
        movement = self._movement_of(self._timeline.at(index))
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


def _louder(note: Note, gain: float) -> Note:
    return Note(
        note.onset,
        note.duration,
        note.voice,
        note.instrument,
        note.pitch,
        note.velocity,
        note.left * gain,
        note.right * gain,
    )

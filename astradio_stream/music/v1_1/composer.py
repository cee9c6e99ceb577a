"""Composes bars of model v1.1 on request and remembers them a while, in any order."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from astradio_stream.music.remembered import remembered
from astradio_stream.music.v1_1.bending import bent
from astradio_stream.music.v1_1.craft import Harmony
from astradio_stream.music.v1_1.ensemble import Stage, heard_in
from astradio_stream.music.v1_1.form import (
    CONTRAST,
    Movement,
    Phrase,
    bars_and_beats,
    fullness_of,
    lead_of,
    led_by,
    movement_of,
    phrase_of,
)
from astradio_stream.music.v1_1.ground import with_basses
from astradio_stream.music.v1_1.melody import search_for
from astradio_stream.music.v1_1.palette import Palette, palette_of
from astradio_stream.music.v1_1.scene import Scene
from astradio_stream.music.v1_1.timeline import Stretch, Timeline
from astradio_stream.music.v1_1.variation import varied
from astradio_stream.music.v1_1.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from astradio_stream.music.controls import Controls
    from astradio_stream.music.note import Note
    from astradio_stream.music.v1_1.melody import Search
    from astradio_stream.music.v1_1.reading import Skies
    from astradio_stream.music.v1_1.tones import Tone

_GUEST: Final = 0x5A5A5A5A5A5A
"""What is turned over in a seed (below 2^53, as seeds are) for the melodies of a second chart."""

_phrase_of = lru_cache(maxsize=1024)(phrase_of)
"""Shared by all composers, as themes are: most phrases of a programme that is steered remain."""


def _material_of(phrases: tuple[Phrase, ...]) -> tuple[int, tuple[Harmony, ...]]:
    """Return what a theme is made over: which material, and the harmony of its phrases."""
    material = 1 if phrases[0].kind == CONTRAST else 0
    return material, tuple(Harmony(phrase.chords, phrase.closes) for phrase in phrases)


class Composer:
    """The bars of a programme; two composers of one programme write the same."""

    def __init__(
        self,
        seed: int,
        skies_at: Callable[[int], Skies],
        controls_at: Callable[[int], Controls],
        changes: tuple[int, ...],
    ) -> None:
        """Compose.

        Args:
            seed: Which arrangement.
            skies_at: What is read at a sample index.
            controls_at: What the listener wished at a sample index.
            changes: Indices at which wishes change, rising.
        """
        self.seed = seed
        self.skies_at = lru_cache(maxsize=16)(skies_at)
        self._controls_at = controls_at
        self._changes = tuple(index for index in changes if index > 0)
        self.movement = remembered(self._movement, 16)
        self.phrases = remembered(self._phrases, 4)
        self.search = remembered(self._search, 4)
        self.period = remembered(self._period, 48)
        self.guest_melodies = remembered(self._guest_melodies, 32)
        self.scene = remembered(self._scene, 64)
        self.bar_notes = remembered(self._compose_bar, 24)  # most bars are asked for once
        self.timeline = Timeline(self._changes, remembered(self._bars_of, 64))

    # What holds for a movement

    def _palette(self, era: int, movement: int, index: int) -> tuple[Palette, Skies, int]:
        skies = self.skies_at(index)
        start = self._changes[era - 1] if era else 0
        lead = lead_of(self.seed, movement, skies.reading)
        return palette_of(skies.mood, self._controls_at(start), lead), skies, lead

    def _bars_of(self, era: int, movement: int, base: int) -> int:
        palette, skies, _ = self._palette(era, movement, base)
        return bars_and_beats(palette, skies.mood)[0]

    def _movement(self, era: int, number: int, base: int) -> Movement:
        palette, skies, lead = self._palette(era, number, base)
        return movement_of(self.seed, number, palette, skies.reading, lead=lead, mood=skies.mood)

    def movement_of(self, stretch: Stretch) -> Movement:
        """Return the movement that a stretch of the timeline belongs to."""
        return self.movement(stretch.era, stretch.movement, stretch.base)

    def _guest(self, stretch: Stretch) -> Movement | None:
        """Return the movement as the second chart would lead it, over the same chords."""
        skies = self.skies_at(stretch.base)
        if skies.other is None:
            return None
        home = self.movement_of(stretch)
        lead = lead_of(self.seed ^ _GUEST, home.number, skies.other)
        return led_by(home, lead, skies.other)

    # Phrases and bars

    def _phrases(self, stretch: Stretch, number: int) -> tuple[Phrase, ...]:
        """Return the one or two phrases of a period of eight bars, but for their basses."""
        movement = self.movement_of(stretch)
        n_phrases = movement.n_bars // 4
        found = []
        for place in range(2 * number, min(2 * number + 2, n_phrases)):
            leads_to = None
            if place == n_phrases - 1:
                # As if nothing more were steered: no later change may be heard before it comes.
                after = self.movement(stretch.era, stretch.movement + 1, stretch.end)
                if after.key != movement.key:
                    leads_to = after.tonic
            found.append(_phrase_of(self.seed, movement, place, leads_to))
        return tuple(found)

    def _search(self, stretch: Stretch, number: int) -> Search:
        """Return the search for the theme of a period."""
        material = _material_of(self.phrases(stretch, number))
        return search_for(self.seed, self.movement_of(stretch), *material)

    def _period(
        self, stretch: Stretch, number: int
    ) -> tuple[tuple[Phrase, ...], tuple[tuple[Tone, ...], ...]]:
        """Return the one or two phrases of a period of eight bars, and their melodies."""
        movement = self.movement_of(stretch)
        phrases = self.phrases(stretch, number)
        theme = self.search(stretch, number).theme()
        composed = varied(self.seed, movement, phrases, theme)
        melodies = bent(self.seed, movement, phrases, composed)
        return with_basses(movement, phrases, melodies), melodies

    def _phrase(self, stretch: Stretch, number: int) -> tuple[Phrase, tuple[Tone, ...]]:
        phrases, melodies = self.period(stretch, number // 2)
        return phrases[number % 2], melodies[number % 2]

    def _guest_melodies(self, stretch: Stretch, number: int) -> tuple[tuple[Tone, ...], ...]:
        guest = self._guest(stretch)
        phrases, melodies = self.period(stretch, number)
        if guest is None:
            return melodies
        theme = search_for(self.seed ^ _GUEST, guest, *_material_of(phrases)).theme()
        theirs = varied(self.seed ^ _GUEST, guest, phrases, theme)
        return bent(self.seed ^ _GUEST, guest, phrases, theirs)

    def _scene(self, stretch: Stretch, bar: int) -> Scene:
        """Return everything that a voice may look at in a bar."""
        movement = self.movement_of(stretch)
        phrase, melody = self._phrase(stretch, bar // 4)
        place = bar % 4
        return Scene(
            movement=movement,
            phrase=phrase,
            place=place,
            bar=bar,
            fullness=fullness_of(self.seed, movement, bar // 8),
            melody=melody,
            statement=self.period(stretch, 0)[1][0] if phrase.kind == CONTRAST else melody,
            chord_begins=place % movement.chord_bars == 0,
        )

    def _stage(self, stretch: Stretch, bar: int) -> Stage:
        home, guest = self.scene(stretch, bar), self._guest(stretch)
        skies = self.skies_at(stretch.base)
        if guest is None:
            return Stage(home, None, (), is_pair=False)
        number, half = divmod(bar // 4, 2)
        melody = self.guest_melodies(stretch, number)[half]
        theirs = replace(home, movement=guest, melody=melody, statement=melody)
        return Stage(home, theirs, skies.between, is_pair=skies.is_pair)

    def _compose_bar(self, stretch: Stretch, bar: int) -> tuple[Note, ...]:
        """Return the notes of a bar, whether or not a change of wishes cuts it short."""
        start = stretch.bar_start(bar)
        length = stretch.bar_start(bar + 1) - start
        stage = self._stage(stretch, bar)
        writer = Writer(stage.home, start, length, stretch.end)
        for scene, voice, role, played in heard_in(self.seed, stage):
            writer.play(scene, voice, role, played)
        return tuple(writer.notes)

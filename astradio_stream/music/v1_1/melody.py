"""Melodies: a motif from the chart, spoken over a phrase, chosen among candidates by craft.

A phrase is statement, answer, tension, cadence. Candidates differ by chance; the first that is well
made is taken, else the best. Sections say it plainly or varied (see `variation`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from astradio_stream.music.chance import Draws, draws
from astradio_stream.music.v1_1.craft import GOOD_ENOUGH, Harmony, craft_of_line, outline_of
from astradio_stream.music.v1_1.form import Decision, Movement
from astradio_stream.music.v1_1.rhythms import rhythms_of
from astradio_stream.music.v1_1.tones import Tone, chord_step, register_of, restful_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astradio_stream.music.melody import Melody
    from astradio_stream.music.v1_1.harmony import Chord
    from astradio_stream.music.v1_1.tones import Rhythm

Theme = tuple[tuple[Tone, ...], ...]
"""The tones of each phrase of a period."""

N_CANDIDATES: Final = 20
_CANDIDATE_DRAWS: Final = 48
_RISING: Final = (0, 1, 3, 0)
_FALLING: Final = (1, 3, 1, 0)
"""Steps by which each bar's anchor lies above the phrase's. While the Moon waxes a phrase climbs
for long, to a high point in its third bar; while it wanes it descends for long, from its second."""


def _motif(movement: Movement, material: int) -> tuple[int, ...]:
    """Return five small motions drawn from the angles between the leading body and the others.

    Taken together they rise; the second material speaks them backwards. A phrase turns them upside
    down where it falls.
    """
    reading = movement.reading
    signs = [body.sign for body in reading.bodies]
    lead = signs[movement.lead]
    motions = []
    for place in range(5):
        other = signs[(movement.partner + place) % 10]
        apart = (other - lead) % 12
        motion = (1, 1, 2, -1, -2, 1, 0, -1, 2, 1, -1, -1)[apart]
        motions.append(motion)
    if reading.bodies[movement.lead].is_retrograde != (material == 1):
        motions.reverse()
    if sum(motions[1:]) < 0:  # the first motion is the one into the bar: its anchor decides
        motions = [-motion for motion in motions]
    return tuple(motions)


def _last_word(chord: Chord, step: int, lowest: int, highest: int) -> int:
    """Return the tonic: from below if it is a third away or less, else from above.

    Where another key is led to, it is the nearest tone of the chord that leads.
    """
    if all(tone % 7 for tone in chord.steps[:3]):
        return chord_step(chord, step)
    home = 7 * ((step + 2) // 7)
    return home + 7 * ((home < lowest) - (home > highest))


def _bars_of(rhythms: Sequence[Rhythm], phrase: Harmony, beats: int) -> tuple[Rhythm, ...]:
    """Return the rhythm of each bar of a phrase: one that comes to rest ends on one long note."""
    if phrase.closes:
        return (*rhythms[:3], ((0.0, float(beats)),))
    return tuple(rhythms)


def _candidate(
    movement: Movement,
    phrase: Harmony,
    bars: Sequence[Rhythm],
    chance: Draws,
    motif: tuple[int, ...],
) -> list[int]:
    """Return the steps (see `Tone`) that are sung to the rhythms of a phrase's bars."""
    palette = movement.palette
    cap = palette.leap_cap
    slow = movement.genre.theme == "long"
    contour = _FALLING if movement.reading.line < 0.0 else _RISING
    peak = contour.index(max(contour))
    _, lowest, highest = register_of(movement)
    anchor = (lowest + highest) // 2 - 2 + round(palette.brightness) + chance.below(3)
    steps: list[int] = []
    step = chord_step(phrase.chords[0], anchor)
    leapt = 0
    for bar, rhythm in enumerate(bars):
        chord = phrase.chords[bar]
        if bar == 3 and phrase.closes:
            steps.append(_last_word(chord, step, lowest, highest))
            break
        goal = chord_step(chord, anchor + contour[bar])
        for place, (beat, _) in enumerate(rhythm):
            if place == 0 and slow and bar:
                # A slow line walks: over a held chord a ninth or a sixth may rest.
                toward = max(-2, min(2, anchor + contour[bar] - step)) or -1
                step = restful_step(chord, step + toward, palette.mode)
            elif place == 0:
                # A bar begins nearer to its anchor, on a chord tone: by a step where there is one.
                reach = min(cap, 4 if bar == 0 else 2)
                step = chord_step(chord, step + max(-reach, min(reach, goal - step)))
            else:
                motion = motif[place % len(motif)]
                if slow:  # few notes: each has to bring the line nearer to its high point, or home
                    motion = abs(motion)
                if bar >= peak:
                    motion = -motion
                if chance.unit() > 0.72 + 0.26 * palette.step_bias:
                    motion = motion * 2 or 2
                if abs(leapt) > 2:  # a leap turns back by step
                    motion = -1 if leapt > 0 else 1
                step += max(-cap, min(cap, motion))
                if slow:
                    step = restful_step(chord, step, palette.mode)
                elif beat == 2.0:
                    step = chord_step(chord, step)
            step = max(lowest, min(highest, step))
            leapt = step - steps[-1] if steps else 0
            steps.append(step)
    return steps


class _Standing(NamedTuple):
    """How a search stands: a function of what is sought and of how many were tried."""

    steps: tuple[list[int], ...]
    """Of the best of them, phrase by phrase."""
    craft: float
    """How well made it is (see `craft`)."""
    chances: tuple[Draws, ...]
    """Of those that are left to try; none once it is found."""


class Search:
    """The search for a theme, a candidate at a time, so that it can begin in good time.

    The theme is that of one material over the harmony of its one or two phrases, which begin alike.
    Periods of one material come from one theme; how a section says it is the matter of `variation`.
    Threads may share a search: each goes on from where it stands, and finds the same.
    """

    def __init__(
        self, seed: int, movement: Movement, material: int, harmony: tuple[Harmony, ...]
    ) -> None:
        """Seek the theme of a material (0 or 1) of a movement."""
        self._movement = movement
        self._harmony = harmony
        self._motif = _motif(movement, material)
        rhythms = rhythms_of(seed, movement, material)
        self._bars = [_bars_of(rhythms, phrase, movement.beats) for phrase in harmony]
        self._outline = outline_of(self._bars, movement.beats)
        run = draws(
            seed, Decision.THEME, movement.number, 100 + material, n=_CANDIDATE_DRAWS * N_CANDIDATES
        )
        self._standing = _Standing((), -1.0, tuple(run.split(N_CANDIDATES)))

    def go_on(self) -> bool:
        """Try a candidate more; return whether there are others to try."""
        standing = self._standing
        if standing.chances:
            self._standing = standing = self._after(standing)
        return bool(standing.chances)

    def theme(self) -> Theme:
        """Return what is found once nothing is left to try."""
        while self.go_on():
            pass
        return tuple(map(_sung, self._bars, self._standing.steps))

    def _after(self, standing: _Standing) -> _Standing:
        chance, *others = standing.chances
        fresh = chance.copies(len(self._harmony))
        each = zip(self._harmony, self._bars, fresh, strict=True)
        steps = tuple(
            _candidate(self._movement, phrase, bars, chance, self._motif)
            for phrase, bars, chance in each
        )
        craft = craft_of_line(self._line(steps), standing.craft)
        if craft > standing.craft:
            standing = _Standing(steps, craft, ())
        left = () if craft >= GOOD_ENOUGH else tuple(others)
        return standing._replace(chances=left)

    def _line(self, steps: Sequence[Sequence[int]]) -> Melody:
        """Return what is sung as the gates read it: all candidates have one outline."""
        tonic, _, _ = register_of(self._movement)
        mode = self._movement.palette.mode
        pitches = []
        for phrase, bars, sung in zip(self._harmony, self._bars, steps, strict=True):
            upcoming = iter(sung)
            for chord, rhythm in zip(phrase.chords, bars, strict=True):
                pitches += [chord.pitch(tonic, mode, next(upcoming)) for _ in rhythm]
        return replace(self._outline, pitches=tuple(pitches))


def _sung(bars: Sequence[Rhythm], steps: Sequence[int]) -> tuple[Tone, ...]:
    places = ((bar, *place) for bar, rhythm in enumerate(bars) for place in rhythm)
    return tuple(
        Tone(bar, float(beat), float(beats), step)
        for (bar, beat, beats), step in zip(places, steps, strict=True)
    )


search_for = lru_cache(maxsize=256)(Search)
"""Shared by all composers: a programme that is steered is a new one, most of its themes are not."""

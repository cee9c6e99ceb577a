"""How well made a period is: the quality gates, asked of a candidate before it is played."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from astradio_stream.music.gates import (
    melody_arc,
    melody_narrative,
    melody_step_leap,
    rhythm_diversity,
)
from astradio_stream.music.melody import TICKS_PER_BEAT, Melody
from astradio_stream.music.v1_1.tones import register_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astradio_stream.music.v1_1.form import Movement
    from astradio_stream.music.v1_1.harmony import Chord
    from astradio_stream.music.v1_1.tones import Rhythm, Tone

WANTED: Final = (0.55, 0.5, 0.45, 0.5)
"""Arc, steps and leaps, narrative and rhythm of a period that is good enough to be taken."""
_CHEAPEST_FIRST: Final = (
    (3, rhythm_diversity),  # remembered: candidates share it
    (0, melody_arc),
    (1, melody_step_leap),
    (2, melody_narrative),
)
"""The gates by their place in `WANTED`."""
GOOD_ENOUGH: Final = float(len(WANTED))
"""Craft of such a period; none has more."""


@dataclass(frozen=True, slots=True)
class Harmony:
    """What a melody looks at of a phrase."""

    chords: tuple[Chord, ...]
    """One per bar."""
    closes: bool
    """Whether it comes to rest."""


def outline_of(bars: Sequence[Sequence[Rhythm]], beats: int) -> Melody:
    """Return the rhythms of the bars of each phrase as the gates read them, without pitches."""
    places = [
        (n, beat, length)
        for n, rhythm in enumerate(chain.from_iterable(bars))
        for beat, length in rhythm
    ]
    return _laid_out(places, (), len(bars), beats)


def _line_of(
    period: Sequence[Sequence[Tone]], movement: Movement, phrases: Sequence[Harmony]
) -> Melody:
    """Return a period as the gates read it."""
    tonic, _, _ = register_of(movement)
    mode = movement.palette.mode
    places, pitches = [], []
    for n_before, (tones, phrase) in enumerate(zip(period, phrases, strict=True)):
        for tone in tones:
            places.append((4 * n_before + tone.bar, tone.beat, tone.beats))
            pitches.append(phrase.chords[tone.bar].pitch(tonic, mode, tone.step))
    return _laid_out(places, tuple(pitches), len(phrases), movement.beats)


def _laid_out(
    places: Sequence[tuple[int, float, float]], pitches: tuple[int, ...], n_phrases: int, beats: int
) -> Melody:
    """Return notes at (bar of the period, beat, beats) on the grid of the gates."""
    bar_ticks = beats * TICKS_PER_BEAT
    return Melody(
        ticks=tuple([bar * bar_ticks + round(beat * TICKS_PER_BEAT) for bar, beat, _ in places]),
        lengths=tuple([max(1, round(length * TICKS_PER_BEAT)) for _, _, length in places]),
        pitches=pitches,
        bar_edges=tuple(range(0, (4 * n_phrases + 1) * bar_ticks, bar_ticks)),
        phrase_edges=tuple(range(0, (4 * n_phrases + 1) * bar_ticks, 4 * bar_ticks)),
    )


def craft_of(
    period: Sequence[Sequence[Tone]],
    movement: Movement,
    phrases: Sequence[Harmony],
    best: float = -1.0,
) -> float:
    """Return how well made a period is (0 to `GOOD_ENOUGH`), by the gates of the whole.

    Of one that is not better made than `best`, the craft of another, 0 is returned, as soon as a
    gate decides it.
    """
    return craft_of_line(_line_of(period, movement, phrases), best)


def craft_of_line(line: Melody, best: float = -1.0) -> float:
    """Return how well made a period is as the gates read it; see `craft_of`."""
    scores = list(WANTED)
    for place, gate in _CHEAPEST_FIRST:
        scores[place] = gate(line)
        craft = _craft_of(scores)  # at the most: what is not asked yet counts in full
        if craft <= best:
            return 0.0
    return craft


def _craft_of(scores: Sequence[float]) -> float:
    total = 0.0
    for score, wanted in zip(scores, WANTED, strict=True):
        total += min(1.0, score / wanted)
    return total

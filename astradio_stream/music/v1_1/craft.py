"""How well made a period is: the quality gates, asked of a candidate before it is played."""

from __future__ import annotations

from dataclasses import dataclass
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
    from astradio_stream.music.v1_1.tones import Tone

WANTED: Final = (0.55, 0.5, 0.45, 0.5)
"""Arc, steps and leaps, narrative and rhythm of a period that is good enough to be taken."""
GOOD_ENOUGH: Final = float(len(WANTED))
"""Craft of such a period; none has more."""


@dataclass(frozen=True, slots=True)
class Harmony:
    """What a melody looks at of a phrase."""

    chords: tuple[Chord, ...]
    """One per bar."""
    closes: bool
    """Whether it comes to rest."""


def _line_of(
    period: Sequence[Sequence[Tone]], movement: Movement, phrases: Sequence[Harmony]
) -> Melody:
    """Return a period as the gates read it."""
    tonic, _, _ = register_of(movement)
    mode = movement.palette.mode
    bar = movement.beats * TICKS_PER_BEAT
    ticks, lengths, pitches = [], [], []
    for n_before, (tones, phrase) in enumerate(zip(period, phrases, strict=True)):
        for tone in tones:
            start = (4 * n_before + tone.bar) * bar
            ticks.append(start + round(tone.beat * TICKS_PER_BEAT))
            lengths.append(max(1, round(tone.beats * TICKS_PER_BEAT)))
            pitches.append(phrase.chords[tone.bar].pitch(tonic, mode, tone.step))
    n_phrases = len(phrases)
    return Melody(
        ticks=tuple(ticks),
        lengths=tuple(lengths),
        pitches=tuple(pitches),
        bar_edges=tuple(n * bar for n in range(4 * n_phrases + 1)),
        phrase_edges=tuple(4 * n * bar for n in range(n_phrases + 1)),
    )


def craft_of(
    period: Sequence[Sequence[Tone]],
    movement: Movement,
    phrases: Sequence[Harmony],
    best: float = -1.0,
) -> float:
    """Return how well made a period is (0 to `GOOD_ENOUGH`), by the gates of the whole.

    Of one that cannot be better made than `best`, the craft of another, 0 is returned: then the
    dearest of the gates is not asked.
    """
    line = _line_of(period, movement, phrases)
    arc, steps, rhythm = melody_arc(line), melody_step_leap(line), rhythm_diversity(line)
    if _craft_of(arc, steps, WANTED[2], rhythm) <= best:
        return 0.0
    return _craft_of(arc, steps, melody_narrative(line), rhythm)


def _craft_of(*scores: float) -> float:
    total = 0.0
    for score, wanted in zip(scores, WANTED, strict=True):
        total += min(1.0, score / wanted)
    return total

"""Tones of a melody: scale steps, where they may rest, and the register they lie in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from astradio_stream.music.theory import nearest_octave, pitch_of

if TYPE_CHECKING:
    from astradio_stream.music.v1_1.form import Movement
    from astradio_stream.music.v1_1.harmony import Chord


Rhythm = tuple[tuple[float, float], ...]
"""(beat, beats) of each note in a bar."""


@dataclass(frozen=True, slots=True)
class Tone:
    """One note of a melody."""

    bar: int
    """0-3 within the phrase."""
    beat: float
    beats: float
    step: int
    """Scale steps above the tonic of the theme's register."""


def chord_step(chord: Chord, step: int) -> int:
    """Return the step of the triad, in any octave, nearest to `step`; the lower of two."""
    best, distance = step, 99
    for tone in chord.steps[:3]:
        candidate = tone + 7 * ((step - tone + 3) // 7)
        apart = abs(candidate - step)
        if apart < distance or (apart == distance and candidate < best):
            best, distance = candidate, apart
    return best


def restful_step(chord: Chord, step: int, mode: str) -> int:
    """Return the nearest step at which a slow line may rest over a chord; the lower of two.

    Restful are the chord's own tones, its sixth and its ninth, but for those that lie a semitone
    above a tone of the triad.
    """
    tones = [pitch_of(0, mode, tone) % 12 for tone in chord.steps[:3]]

    def rests(candidate: int) -> bool:
        above = (candidate - chord.degree) % 7
        if above in (0, 2, 4):
            return True
        pitch = chord.pitch(0, mode, candidate) % 12
        return above in (1, 5) and all((pitch - tone) % 12 != 1 for tone in tones)

    return next(s for s in (step, step - 1, step + 1, step - 2, step + 2) if rests(s))


def register_of(movement: Movement) -> tuple[int, int, int]:
    """Return where the theme lies: pitch of the tonic, lowest and highest step above it."""
    role = movement.genre.roles[0]
    return _register_in(role.lowest, role.highest, movement.tonic, movement.palette.mode)


@lru_cache(maxsize=256)
def _register_in(lowest: int, highest: int, tonic: int, mode: str) -> tuple[int, int, int]:
    home = nearest_octave(tonic, (lowest + highest) // 2 - 6)
    steps = [s for s in range(-14, 22) if lowest <= pitch_of(home, mode, s) < highest]
    return home, steps[0], steps[-1]


def pitch_in(movement: Movement, chord: Chord, step: int, lowest: int, highest: int) -> int:
    """Return the pitch of a scale step, moved by octaves into a range of an octave or more."""
    tonic = nearest_octave(movement.tonic, 60)
    pitch = chord.pitch(tonic, movement.palette.mode, step)
    while pitch < lowest:
        pitch += 12
    while pitch > highest:
        pitch -= 12
    return pitch

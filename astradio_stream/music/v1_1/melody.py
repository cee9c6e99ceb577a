"""Melodies: a motif from the chart, spoken over a phrase, chosen among candidates by craft.

A phrase is statement, answer, tension, cadence. Candidates differ by chance; the best by stated
rules is taken: mostly steps, leaps that turn back, one high point, rest on a chord tone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from astradio_stream.music.chance import Draws, draws
from astradio_stream.music.gates import melody_arc, melody_step_leap
from astradio_stream.music.melody import Melody
from astradio_stream.music.theory import nearest_octave, pitch_of
from astradio_stream.music.v1_1.form import CONTRAST, VARY, Decision, Movement, Phrase

if TYPE_CHECKING:
    from astradio_stream.music.v1_1.harmony import Chord

Rhythm = tuple[tuple[float, float], ...]
"""(beat, beats) of each note in a bar."""

# fmt: off
RHYTHMS: Final[dict[str, dict[int, tuple[Rhythm, ...]]]] = {
    "long": {4: (
        ((0, 3), (3, 1)), ((0, 2), (2, 2)), ((0, 4),), ((1, 1), (2, 2)), ((0, 1.5), (1.5, 2.5)),
    )},
    "song": {4: (
        ((0, 1), (1, 1), (2, 1), (3, 1)), ((0, 1.5), (1.5, .5), (2, 2)),
        ((0, 2), (2, 1), (3, 1)), ((0, 1), (1, .5), (1.5, .5), (2, 2)),
        ((.5, .5), (1, 1), (2, 1), (3, .5), (3.5, .5)),
    ), 3: (
        ((0, 2), (2, 1)), ((0, 1), (1, 1), (2, 1)), ((0, 1.5), (1.5, .5), (2, 1)), ((0, 3),),
        ((0, 1), (1, .5), (1.5, .5), (2, 1)),
    )},
    "swing": {4: (
        ((0, .5), (.5, .5), (1, 1), (2.5, .5), (3, 1)), ((.5, .5), (1, .5), (1.5, 1), (3, .5),
        (3.5, .5)), ((0, 1.5), (1.5, .5), (2.5, 1.5)), ((0, .5), (.5, 1), (1.5, .5), (2, .5),
        (2.5, 1.5)), ((1, .5), (1.5, .5), (2, 1.5), (3.5, .5)),
    )},
    "riff": {4: (
        ((0, .75), (.75, .75), (1.5, .5), (2, 1), (3, 1)), ((0, .5), (.75, .75), (1.5, 1),
        (2.5, .5), (3, 1)), ((.5, .5), (1.5, .5), (2.5, .5), (3.5, .5)), ((0, 1.5), (1.5, 1.5),
        (3, 1)), ((0, .5), (.5, .5), (1.5, .5), (2, .75), (2.75, 1.25)),
    )},
}
# fmt: on
_N_CANDIDATES: Final = 14
_CONTOUR: Final = (0, 1, 3, 0)
"""Steps by which each bar's anchor lies above the phrase's: the high point is in the third."""


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


def _motif(movement: Movement, variant: int) -> tuple[int, ...]:
    """Return five small motions drawn from the angles between the leading body and the others."""
    reading = movement.reading
    signs = [body.sign for body in reading.bodies]
    lead = signs[movement.lead]
    motions = []
    for place in range(5):
        other = signs[(movement.partner + place * (variant + 1)) % 10]
        apart = (other - lead) % 12
        motion = (1, 1, 2, -1, -2, 1, 0, -1, 2, 1, -1, -1)[apart]
        motions.append(motion)
    if reading.bodies[movement.lead].is_retrograde:
        motions.reverse()
    if reading.line < 0.0:
        motions = [-motion for motion in motions]
    return tuple(motions)


def _candidate(
    movement: Movement, phrase: Phrase, rhythms: list[Rhythm], chance: Draws, motif: tuple[int, ...]
) -> list[Tone]:
    palette = movement.palette
    cap = palette.leap_cap
    _, lowest, highest = register_of(movement)
    anchor = (lowest + highest) // 2 - 2 + round(palette.brightness) + chance.below(3)
    tones: list[Tone] = []
    step = chord_step(phrase.chords[0], anchor)
    leapt = 0
    for bar in range(4):
        chord = phrase.chords[bar]
        if bar == 3 and phrase.closes:
            # The last word is the tonic, in the octave that lies nearest.
            step = 7 * ((step + 3) // 7)
            tones.append(Tone(bar, 0.0, float(movement.beats), step))
            break
        goal = chord_step(chord, anchor + _CONTOUR[bar])
        for place, (beat, beats) in enumerate(rhythms[bar]):
            if place == 0:
                # A bar begins nearer to its anchor, on a chord tone: by a step where there is one.
                reach = min(cap, 4 if bar == 0 else 2)
                step = chord_step(chord, step + max(-reach, min(reach, goal - step)))
            else:
                motion = motif[place % len(motif)]
                if bar == 2:
                    motion = -motion
                if chance.unit() > 0.72 + 0.26 * palette.step_bias:
                    motion = motion * 2 or 2
                if abs(leapt) > 2:  # a leap turns back by step
                    motion = -1 if leapt > 0 else 1
                step += max(-cap, min(cap, motion))
                if beat == 2.0 and movement.genre.theme != "long":
                    step = chord_step(chord, step)
            step = max(lowest, min(highest, step))
            leapt = step - tones[-1].step if tones else 0
            tones.append(Tone(bar, float(beat), float(beats), step))
    return tones


def _craft(tones: list[Tone], movement: Movement, phrase: Phrase) -> float:
    """Return how well made a candidate is, by the gates that the whole is judged with."""
    tonic, _, _ = register_of(movement)
    mode, ticks = movement.palette.mode, 12
    bar = movement.beats * ticks
    line = Melody(
        ticks=tuple(tone.bar * bar + round(tone.beat * ticks) for tone in tones),
        lengths=tuple(max(1, round(tone.beats * ticks)) for tone in tones),
        pitches=tuple(phrase.chords[tone.bar].pitch(tonic, mode, tone.step) for tone in tones),
        bar_edges=tuple(n * bar for n in range(5)),
        phrase_edges=(0, 4 * bar),
    )
    return 2.0 * melody_arc(line) + melody_step_leap(line)


def _rhythms(seed: int, movement: Movement, material: int) -> list[Rhythm]:
    table = RHYTHMS[movement.genre.theme].get(movement.beats) or RHYTHMS["song"][movement.beats]
    chance = draws(seed, Decision.THEME, movement.number, material, n=8)
    cell, other = chance.pick(table), chance.pick(table)
    # The motif's rhythm is heard twice before it is answered.
    return [cell, cell if movement.palette.motif_rate > 0.35 else other, other, cell]


def melodies_of(
    seed: int, movement: Movement, phrases: tuple[Phrase, ...]
) -> tuple[tuple[Tone, ...], ...]:
    """Return the melodies of the one or two phrases of a period.

    Both begin alike. Periods of one material are the same wherever they return; a variation turns
    the motif and keeps the rhythm.
    """
    kind = phrases[0].kind
    material = 1 if kind == CONTRAST else 0
    rhythms = _rhythms(seed, movement, material)
    motif = _motif(movement, material + 2 * (kind == VARY))
    run = draws(seed, Decision.THEME, movement.number, 100 + material, n=48 * _N_CANDIDATES)
    best: tuple[tuple[Tone, ...], ...] = ()
    best_score = -1e9
    for part in run.split(_N_CANDIDATES):
        candidate = [
            _candidate(movement, phrase, rhythms, fresh, motif)
            for phrase, fresh in zip(phrases, part.copies(len(phrases)), strict=True)
        ]
        score = 0.0
        for tones, phrase in zip(candidate, phrases, strict=True):
            score += _craft(tones, movement, phrase)
        if score > best_score:
            best, best_score = tuple(map(tuple, candidate)), score
    return best


def register_of(movement: Movement) -> tuple[int, int, int]:
    """Return where the theme lies: pitch of the tonic, lowest and highest step above it."""
    role = movement.genre.roles[0]
    mode = movement.palette.mode
    tonic = nearest_octave(movement.tonic, (role.lowest + role.highest) // 2 - 6)
    steps = [s for s in range(-14, 22) if role.lowest <= pitch_of(tonic, mode, s) < role.highest]
    return tonic, steps[0], steps[-1]


def pitch_in(movement: Movement, chord: Chord, step: int, lowest: int, highest: int) -> int:
    """Return the pitch of a scale step, moved by octaves into a range of an octave or more."""
    tonic = nearest_octave(movement.tonic, 60)
    pitch = chord.pitch(tonic, movement.palette.mode, step)
    while pitch < lowest:
        pitch += 12
    while pitch > highest:
        pitch -= 12
    return pitch

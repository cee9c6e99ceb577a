"""Ten voices, one for each body: what each plays in a bar of model v1.0.

========  ==========  =============================================  ==========================
body      instrument  what it plays                                  why
========  ==========  =============================================  ==========================
Sun       flute       the theme                                      the centre
Moon      keys        broken chords that rise and fall with it       tides
Mercury   pluck       quick figures; backwards when retrograde       speech
Venus     keys        thirds and sixths beside the theme             harmony
Mars      pluck       low accents off the beat                       drive
Jupiter   pad         the wide upper chord                           growth
Saturn    bass        roots and fifths                               the ground, time
Uranus    bell        single strokes where none is expected          surprise
Neptune   pad         the chord itself                               dream
Pluto     sub         the deep root                                  depth
========  ==========  =============================================  ==========================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from astradio_stream.music.chance import Draws, draws
from astradio_stream.music.note import Note, placed
from astradio_stream.music.theory import nearest_octave, pitch_of
from astradio_stream.music.v1_0.form import Bar, Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from astradio_stream.music.v1_0.palette import Palette

SUN, MOON, MERCURY, VENUS, MARS, JUPITER, SATURN, URANUS, NEPTUNE, PLUTO = range(10)

_TICKS: Final = 12
"""Ticks per beat: divides into halves, thirds, quarters."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a voice may look at to play one bar."""

    seed: int
    palette: Palette
    bar: Bar

    def chord(self) -> tuple[int, ...]:
        """Scale steps of the chord above the tonic: triad, and a ninth or seventh when bright."""
        root = self.bar.degree
        colour = root + 8 if self.palette.brightness > 0.5 else root + 6
        return (root, root + 2, root + 4, colour)

    def pitch(self, step: int) -> int:
        """Pitch of a scale step above the tonic that lies nearest to C4."""
        return pitch_of(nearest_octave(self.palette.key, 60), self.palette.mode, step)


@dataclass(frozen=True, slots=True)
class Voice:
    """How one body takes part."""

    play: Callable[[Scene, Draws], Iterator[tuple[float, float, int, float]]]
    """Yields (beat, beats, pitch, velocity) for a scene."""
    instrument: str
    lowest: int
    highest: int
    gain: float
    """Loudness in the mix (ratio)."""
    enters: float
    """Intensity from which the voice takes part (0-1)."""
    rests: float
    """Chance to rest for a whole section all the same (0-1)."""


def _into(pitch: int, lowest: int, highest: int) -> int:
    """Return the pitch moved by octaves into a range of at least an octave."""
    while pitch < lowest:
        pitch += 12
    while pitch > highest:
        pitch -= 12
    return pitch


_THEME_RHYTHMS: Final = {
    4: (
        ((0.0, 1.5), (1.5, 0.5), (2.0, 2.0)),
        ((0.0, 1.0), (1.0, 1.0), (2.0, 1.5), (3.5, 0.5)),
        ((0.0, 2.0), (2.0, 1.0), (3.0, 1.0)),
        ((0.5, 0.5), (1.0, 1.0), (2.0, 0.5), (2.5, 1.5)),
        ((0.0, 3.0), (3.0, 0.5), (3.5, 0.5)),
    ),
    3: (
        ((0.0, 2.0), (2.0, 1.0)),
        ((0.0, 1.0), (1.0, 1.0), (2.0, 1.0)),
        ((0.0, 1.5), (1.5, 0.5), (2.0, 1.0)),
        ((0.5, 0.5), (1.0, 2.0)),
        ((0.0, 2.5), (2.5, 0.5)),
    ),
}

_CONTOUR: Final = (0, 1, 3, 0)
"""Where the line lies in the four bars of a phrase: its high point is in the third."""


def _nearest_chord_step(chord: tuple[int, ...], step: int) -> int:
    """Return the step of the triad, in any octave, nearest to `step`; the lower of two."""
    best = step
    distance = 99
    for tone in chord[:3]:
        candidate = tone + 7 * ((step - tone + 3) // 7)
        apart = abs(candidate - step)
        if apart < distance or (apart == distance and candidate < best):
            best, distance = candidate, apart
    return best


def _theme(scene: Scene) -> list[tuple[float, float, int]]:
    """Return the theme of a bar as (beat, beats, step): motif, its sequence, its turn, its rest."""
    bar, palette = scene.bar, scene.palette
    chance = draws(scene.seed, Decision.MOTIF, bar.movement, bar.material, bar.phrase_bar % 2)
    rhythm = chance.pick(_THEME_RHYTHMS[palette.beats])
    turn = chance.below(5)
    rise = 1 if palette.line >= 0.0 else -1
    start = 4 + _CONTOUR[bar.phrase_bar] + round(2.0 * palette.brightness) + chance.below(2)
    step = _nearest_chord_step(scene.chord(), start)
    if bar.phrase_bar == 3 and bar.closes:
        return [(0.0, float(palette.beats), _nearest_chord_step(scene.chord(), step))]

    notes: list[tuple[float, float, int]] = []
    for place, (beat, beats) in enumerate(rhythm):
        notes.append((beat, beats, step))
        motion = palette.steps[(turn + place) % len(palette.steps)] - 3
        motion = max(-2, min(2, motion)) or rise
        if bar.phrase_bar == 2:
            motion = -motion  # the third bar answers in inversion
        step = max(1, min(13, step + motion))
        if place + 1 < len(rhythm) and rhythm[place + 1][0] % 2.0 == 0.0:
            step = _nearest_chord_step(scene.chord(), step)
    return notes


def _sun(scene: Scene, chance: Draws) -> Iterator[tuple[float, float, int, float]]:
    for beat, beats, step in _theme(scene):
        yield beat, beats * 0.94, scene.pitch(step), 0.78 + 0.1 * chance.signed()


def _venus(scene: Scene, chance: Draws) -> Iterator[tuple[float, float, int, float]]:
    chord = scene.chord()
    for beat, beats, step in _theme(scene):
        if beats < 1.0:
            continue
        below = step - 2 if (step - 2) % 7 in {tone % 7 for tone in chord[:3]} else step - 5
        yield beat, beats * 1.1, scene.pitch(below), 0.62 + 0.1 * chance.signed()


def _moon(scene: Scene, chance: Draws) -> Iterator[tuple[float, float, int, float]]:
    palette, chord = scene.palette, scene.chord()
    tones = [chord[0] - 7, chord[2] - 7, chord[0], chord[1], chord[2], chord[1] + 7]
    if palette.line < 0.0:
        tones.reverse()
    n_notes = palette.beats * (2 if palette.density + scene.bar.intensity > 0.95 else 1)
    each = palette.beats / n_notes
    for place in range(n_notes):
        if place > 0 and chance.unit() < 0.24 - 0.2 * palette.fullness:
            continue
        strength = 0.55 + 0.12 * (place == 0) + 0.08 * chance.signed()
        yield place * each, each * 1.7, scene.pitch(tones[place % len(tones)]), strength


def _mercury(scene: Scene, chance: Draws) -> Iterator[tuple[float, float, int, float]]:
    palette, chord = scene.palette, scene.chord()
    turn = draws(scene.seed, Decision.MOTIF, scene.bar.movement, scene.bar.material, 7)
    figure = [turn.pick((0, 1, 2, 3, 2, 1)) for _ in range(4)]
    if palette.retrograde[MERCURY]:
        figure.reverse()
    per_beat = 4 if palette.density > 0.62 else 2
    for place in range(palette.beats * per_beat):
        if chance.unit() > 0.28 + 0.5 * palette.density * scene.bar.intensity:
            continue
        step = chord[figure[place % 4]] + (7 if place % 8 < 5 else 14)
        strength = 0.42 + 0.14 * (place % per_beat == 0) + 0.1 * chance.signed()
        yield place / per_beat, 0.75, scene.pitch(step), strength


def _mars(scene: Scene, chance: Draws) -> Iterator[tuple[float, float, int, float]]:
    chord = scene.chord()
    for beat in range(scene.palette.beats):
        if chance.unit() > 0.25 + 0.6 * scene.palette.tension:
            continue
        off = 0.5 if beat % 2 else 0.75 if chance.unit() < scene.palette.tension else 0.0
        yield beat + off, 0.5, scene.pitch(chord[2 * (beat % 2)] - 7), 0.5 + 0.15 * chance.unit()


def _jupiter(scene: Scene, _chance: Draws) -> Iterator[tuple[float, float, int, float]]:
    beats = float(scene.palette.beats)
    for step in scene.chord()[2:]:
        yield 0.0, beats, nearest_octave(scene.pitch(step), 68), 0.6


def _neptune(scene: Scene, _chance: Draws) -> Iterator[tuple[float, float, int, float]]:
    beats = float(scene.palette.beats)
    # Where Jupiter brings the fifth, two tones are enough.
    for step in scene.chord()[: 2 if scene.bar.intensity > VOICES[JUPITER].enters else 3]:
        # Each tone in the octave around one centre: the nearest inversion, found without memory.
        yield 0.0, beats, nearest_octave(scene.pitch(step), 58), 0.7


def _saturn(scene: Scene, chance: Draws) -> Iterator[tuple[float, float, int, float]]:
    palette, root = scene.palette, scene.bar.degree
    low = nearest_octave(scene.pitch(root), 37)
    beats = palette.beats
    half = beats / 2 if beats == 4 else 2.0
    yield 0.0, half * 0.95, low, 0.82
    if scene.bar.phrase_bar == 3 and scene.bar.closes:
        return
    if scene.bar.intensity > 0.45:
        fifth = nearest_octave(scene.pitch(root + 4), 41)
        answer = fifth if chance.unit() < 0.5 else low
        yield half, (beats - half) * 0.9, answer, 0.66
    if scene.bar.intensity > 0.7 and chance.unit() < 0.45:
        yield beats - 0.5, 0.45, nearest_octave(scene.pitch(root + 1), 40), 0.5


def _uranus(scene: Scene, chance: Draws) -> Iterator[tuple[float, float, int, float]]:
    if chance.unit() < 0.42:
        beat = 0.5 + chance.below(2 * scene.palette.beats - 1) * 0.5
        yield beat, 4.0, scene.pitch(chance.pick(scene.chord()) + 14), 0.45 + 0.2 * chance.unit()


def _pluto(scene: Scene, _chance: Draws) -> Iterator[tuple[float, float, int, float]]:
    yield 0.0, float(scene.palette.beats), nearest_octave(scene.pitch(scene.bar.degree), 34), 0.7


VOICES: Final = (
    #     play      instrument  range    gain  enters rests
    Voice(_sun, "flute", 62, 86, 0.30, 0.40, 0.10),
    Voice(_moon, "keys", 50, 84, 0.34, 0.00, 0.12),
    Voice(_mercury, "pluck", 67, 89, 0.26, 0.34, 0.25),
    Voice(_venus, "keys", 57, 84, 0.30, 0.52, 0.25),
    Voice(_mars, "pluck", 57, 69, 0.27, 0.58, 0.30),
    Voice(_jupiter, "pad", 60, 74, 0.39, 0.50, 0.15),
    Voice(_saturn, "bass", 28, 50, 0.42, 0.30, 0.05),
    Voice(_uranus, "bell", 72, 95, 0.13, 0.25, 0.20),
    Voice(_neptune, "pad", 50, 74, 0.51, 0.00, 0.00),
    Voice(_pluto, "sub", 28, 39, 0.20, 0.62, 0.20),
)
"""The ten voices in the canonical order of bodies."""


_DRAWS: Final = 64
"""Numbers that a voice may use in a bar."""


def notes_of(scene: Scene) -> tuple[Note, ...]:
    """Return all notes that begin in a bar, in the order of voices."""
    bar, palette = scene.bar, scene.palette
    ticks = palette.beats * _TICKS
    notes: list[Note] = []
    texture = draws(scene.seed, Decision.TEXTURE, bar.movement, bar.section, n=len(VOICES))
    rests = [texture.unit() < voice.rests for voice in VOICES]
    run = draws(scene.seed, Decision.BAR, bar.movement, bar.number, n=_DRAWS * len(VOICES))
    for number, (voice, chance) in enumerate(zip(VOICES, run.split(len(VOICES)), strict=True)):
        if bar.intensity < voice.enters or rests[number]:
            continue
        for beat, beats, pitch, velocity in voice.play(scene, chance):
            tick, length = round(beat * _TICKS), round(beats * _TICKS)
            # Sustained chords begin on the bar; the others by up to 6 ms late, as hands do.
            late = 0 if voice.instrument in ("pad", "sub") else (pitch * 7919 + bar.number) % 288
            notes.append(
                placed(
                    onset=bar.start + bar.length * tick // ticks + late,
                    duration=bar.length * length // ticks,
                    voice=number,
                    instrument=voice.instrument,
                    pitch=_into(pitch, voice.lowest, voice.highest),
                    velocity=velocity,
                    gain=voice.gain * palette.weights[number],
                    pan=0.0 if number in (SATURN, PLUTO) else palette.pans[number],
                )
            )
    return tuple(notes)

"""Ten bodies, ten idioms: what each plays in a bar, whatever the genre lends it as instrument.

========  ==================================================  ===================================
body      what it plays                                       when retrograde
========  ==================================================  ===================================
Sun       the theme                                           (never is)
Moon      the moving chord: rises while the Moon waxes,       (never is)
          falls while it wanes, wide when full, bare when new
Mercury   quick figures, upward                               downward
Venus     thirds and sixths below the theme                   above it
Mars      the drums, with the groove of the rising sign;      leans on the weak beats
          without them, low accents off the beat
Jupiter   swelling chords above, stabs where the genre        comes in the middle of the chord
          dances
Saturn    the bass: pedal, walk or groove                     goes down where it went up
Uranus    pairs of strokes where none is expected, upward     downward
Neptune   the chord itself, all at once                       from the top down, blurred
Pluto     the deep root, or what lies under everything        enters late
========  ==================================================  ===================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from astradio_stream.music.theory import nearest_octave
from astradio_stream.music.v1_1.grooves import strokes_of
from astradio_stream.music.v1_1.ground import ground
from astradio_stream.music.v1_1.scene import (
    JUPITER,
    MARS,
    MERCURY,
    NEPTUNE,
    PLUTO,
    URANUS,
    VENUS,
    Played,
    Scene,
    fitted,
    folded,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from astradio_stream.music.chance import Draws
    from astradio_stream.music.v1_1.genres import Role

_COMPS: Final = {
    "swing": ((0.0, 1.4), (1.5, 1.0)),
    "boombap": ((0.0, 1.8), (2.5, 1.2)),
    "house": ((0.5, 0.6), (1.5, 0.6), (2.25, 0.5), (3.5, 0.5)),
}
"""(beat, beats) of the chords that a groove is accompanied with; else they are broken."""
_FIGURES: Final = ((0, 1, 2, 3), (0, 2, 1, 3), (1, 0, 2, 3))
"""Mercury's figures, one to a phrase: places in a chord of four tones, upward as a whole."""


def _theme(scene: Scene, _role: Role, chance: Draws) -> Played:
    for tone in scene.melody:
        if tone.bar == scene.place:
            strength = 0.70 + 0.10 * (tone.beat == 0.0) + 0.08 * chance.signed()
            yield tone.beat, tone.beats * 0.95, scene.theme_pitch(tone.step), strength


def _moving_chord(scene: Scene, role: Role, chance: Draws) -> Played:
    reading, palette = scene.movement.reading, scene.movement.palette
    voicing = [folded(pitch, role) for pitch in scene.phrase.voicings[scene.place]]
    if scene.movement.genre.groove in _COMPS:
        yield from _comping(scene, role, sorted(set(voicing)), chance)
        return
    # New, the Moon is bare; half, it has an octave; full, it is at its widest.
    added = (reading.fullness > 0.25) + (reading.fullness > 0.7)
    tones = sorted({*voicing, *(p + 12 for p in voicing[:added] if p + 12 <= role.highest)})
    if reading.line < 0.0:
        tones.reverse()
    # Notes a beat: from one, thin, to three, dense; a full Moon leaves none out.
    rate = 1 + (palette.density > 0.35) + (palette.density + scene.fullness > 1.25)
    rate = rate if scene.movement.genre.name != "ambient" else max(1, rate - 1)
    each = 1.0 / rate
    for n in range(scene.beats * rate):
        left_out = chance.unit() < 0.30 - 0.26 * reading.fullness - 0.15 * palette.density
        hand = chance.signed()
        if n and left_out:
            continue
        strength = 0.52 + 0.14 * (n == 0) + 0.08 * hand
        yield n * each, max(0.8, each * 1.8), tones[n % len(tones)], strength


def _comping(scene: Scene, role: Role, voicing: list[int], chance: Draws) -> Played:
    """Play whole chords: each further one of a bar is turned up, or down while the Moon wanes."""
    reading, palette = scene.movement.reading, scene.movement.palette
    chord = list(voicing)
    for n, (beat, beats) in enumerate(_COMPS[scene.movement.genre.groove]):
        plays, late, hand = chance.unit(), chance.unit(), chance.signed()
        if n:
            turned = [chord[0] + 12, *chord[1:]] if reading.line >= 0.0 else []
            turned = turned or [chord[-1] - 12, *chord[:-1]]
            if role.lowest <= min(turned) and max(turned) <= role.highest:
                chord = sorted(turned)
        if n and plays > 0.25 + 0.65 * palette.density + 0.2 * reading.fullness:
            continue
        # What syncopates comes an eighth after the beat.
        at = beat + 0.5 if beat == 0.0 and late < 1.2 * (palette.syncopation - 0.3) else beat
        for pitch in chord:
            yield at, beats, pitch, 0.5 + 0.06 * hand


def _figures(scene: Scene, role: Role, chance: Draws) -> Played:
    palette, chord = scene.movement.palette, scene.chord
    figure = list(_FIGURES[scene.phrase.number % len(_FIGURES)])
    if scene.is_retrograde(MERCURY):
        figure.reverse()
    tonic = nearest_octave(scene.movement.tonic, 60)
    steps = [*chord.steps[:3], chord.steps[0] + 7]
    line = [chord.pitch(tonic, palette.mode, step) for step in steps]
    tones = fitted(line, role)
    rate = 4 if palette.density > 0.7 else 2
    if scene.movement.genre.name == "ambient":
        rate = 1
    odds = 0.06 + 0.48 * palette.density * (0.3 + 0.7 * scene.fullness)
    for n in range(scene.beats * rate):
        plays, strength = chance.unit(), chance.unit()
        if plays <= odds:
            yield n / rate, 0.6, tones[figure[n % 4]], 0.44 + 0.12 * strength


def _companion(scene: Scene, role: Role, chance: Draws) -> Played:
    classes = {step % 7 for step in scene.chord.steps}
    side = 1 if scene.is_retrograde(VENUS) else -1
    for tone in scene.melody:
        if tone.bar != scene.place or tone.beats < 0.75:
            continue
        third, sixth = 2 * side, 5 * side
        first, second = (third, sixth) if (tone.step + third) % 7 in classes else (sixth, third)
        # Where the instrument does not reach, the same on the other side of the theme.
        places = [scene.theme_pitch(tone.step + by) for by in (first, second, -second, -first)]
        pitch = next((p for p in places if role.lowest <= p <= role.highest), places[0])
        strength = 0.52 + 0.08 * chance.signed()
        yield tone.beat, tone.beats * 1.02, folded(pitch, role), strength


def _drive(scene: Scene, role: Role, chance: Draws) -> Played:
    palette = scene.movement.palette
    drive = palette.drums * (0.45 + 0.65 * scene.fullness)
    turned = scene.is_retrograde(MARS)
    for beat in range(scene.beats):
        plays, off, strength = chance.unit(), chance.unit(), chance.unit()
        if plays > 0.10 + 0.9 * drive:
            continue
        step = scene.chord.steps[2 * (beat % 2)]
        accent = 0.08 if (beat % 2 == 1) == turned else 0.0
        at = beat + (0.5 if off < palette.syncopation else 0.0)
        yield at, 0.8, scene.pitch(step - 7, role), 0.46 + accent + 0.12 * strength


def drum_strokes(scene: Scene, chance: Draws) -> Iterator[tuple[float, int, float]]:
    """Yield (beat, piece, velocity): what Mars plays on the drums of the genre."""
    palette, genre = scene.movement.palette, scene.movement.genre
    rhythmic = genre.groove not in ("", "heartbeat")
    base = 0.30 if rhythmic else 0.0  # a dance without a beat would not be one
    wish = palette.drums
    drive = (base + 0.75 * wish) * (0.45 + 0.65 * scene.fullness) if wish > 0.0 else 0.0
    lean = 0.12 if scene.is_retrograde(MARS) else 0.0
    strokes = strokes_of(
        genre.groove,
        drive,
        palette.syncopation,
        scene.movement.reading.rising % 3,
        fills=scene.bar % 8 == 7,
        turns=scene.bar % 8 == 3,
        opens=scene.bar % 8 == 0,
        chance=chance,
    )
    for beat, piece, velocity in strokes:
        weak = beat % 2.0 >= 1.0
        yield beat, piece, min(1.0, velocity * (1.0 + (lean if weak else -lean)))


def _swell(scene: Scene, role: Role, chance: Draws) -> Played:
    voicing = scene.phrase.voicings[scene.place]
    late = 0.5 * scene.beats if scene.is_retrograde(JUPITER) else 0.0
    if role.instrument == "stab":
        palette = scene.movement.palette
        off = palette.syncopation
        spots = (0.0 if off < 0.35 else 0.75, 1.5, 3.0 if off < 0.6 else 2.75)
        for place, beat in enumerate(spots):
            plays = chance.unit() < 0.45 + 0.5 * palette.density
            if plays and not (late and place == 0):
                for pitch in voicing[-3:]:
                    yield beat, 0.4, folded(pitch, role), 0.5
    elif scene.chord_begins:
        for pitch in voicing[-2:]:
            yield late, scene.held_beats - late, folded(pitch + 12, role), 0.55


def _surprise(scene: Scene, role: Role, chance: Draws) -> Played:
    palette = scene.movement.palette
    if chance.unit() < 0.18 + 0.45 * palette.syncopation:
        beat = 0.5 + chance.below(2 * scene.beats - 2) * 0.5
        step, way = chance.pick(scene.chord.steps), -1 if scene.is_retrograde(URANUS) else 1
        strength = 0.46 + 0.2 * chance.unit()
        first = scene.pitch(step + 7, role)
        yield beat, 2.0, first, strength
        second = scene.theme_pitch(step + 2 * way) - scene.theme_pitch(step) + first
        if role.lowest <= second <= role.highest:
            yield beat + 0.5, 2.0, second, 0.8 * strength


def _blur(scene: Scene, role: Role, _chance: Draws) -> Played:
    if not scene.chord_begins:
        return
    voicing = scene.phrase.voicings[scene.place]
    # Of five tones the fifth is left out: the bass's overtones have it.
    chord, movement = scene.chord, scene.movement
    fifth = chord.pitch(movement.tonic, movement.palette.mode, chord.steps[2])
    bed = [p for p in voicing if (p - fifth) % 12] if len(voicing) > 4 else voicing
    spread = 0.5 if scene.is_retrograde(NEPTUNE) else 0.0
    for place, pitch in enumerate(sorted({folded(pitch, role) for pitch in bed}, reverse=True)):
        late = spread * place
        yield late, scene.held_beats - late, pitch, 0.6


def _depth(scene: Scene, role: Role, _chance: Draws) -> Played:
    late = 0.5 * scene.beats if scene.is_retrograde(PLUTO) else 0.0
    if role.instrument in ("vinyl", "noise"):
        yield 0.0, float(scene.beats), 60, 0.5
    elif scene.chord_begins:
        # A pedal on the tonic, whatever the chord: the floor under everything.
        floor = nearest_octave(scene.movement.tonic, role.lowest + 6)
        yield late, scene.held_beats - late, floor, 0.6


IDIOMS: Final[tuple[Callable[[Scene, Role, Draws], Played], ...]] = (
    _theme,
    _moving_chord,
    _figures,
    _companion,
    _drive,
    _swell,
    ground,
    _surprise,
    _blur,
    _depth,
)
"""Sun to Pluto."""

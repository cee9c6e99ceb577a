"""Ten bodies, ten idioms: what each plays in a bar, whatever the genre lends it as instrument.

========  =====================================================================================
Sun       the theme
Moon      the moving chord: rises while the Moon waxes, falls while it wanes, fullest when full
Mercury   quick figures, backwards when retrograde
Venus     thirds and sixths beside the theme
Mars      the drums; without them, low accents off the beat
Jupiter   swelling chords above, stabs where the genre dances
Saturn    the bass: pedal, walk or groove
Uranus    single strokes where none is expected
Neptune   the chord itself, blurred
Pluto     the deep root, or what lies under everything
========  =====================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from astradio_stream.music.theory import nearest_octave
from astradio_stream.music.v1_1.grooves import strokes_of
from astradio_stream.music.v1_1.melody import Tone, pitch_in, register_of

if TYPE_CHECKING:
    from astradio_stream.music.chance import Draws
    from astradio_stream.music.v1_1.form import Movement, Phrase
    from astradio_stream.music.v1_1.genres import Role
    from astradio_stream.music.v1_1.harmony import Chord

SUN, MOON, MERCURY, VENUS, MARS, JUPITER, SATURN, URANUS, NEPTUNE, PLUTO = range(10)

Played = Iterator[tuple[float, float, int, float]]
"""(beat, beats, pitch, velocity) of each note."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a voice may look at to play one bar."""

    movement: Movement
    phrase: Phrase
    place: int
    """Bar of the phrase, 0-3."""
    bar: int
    """Bar of the movement."""
    fullness: float
    melody: tuple[Tone, ...]
    """The phrase's."""
    chord_begins: bool
    """Whether the chord changes here."""

    @property
    def chord(self) -> Chord:
        """The chord of this bar."""
        return self.phrase.chords[self.place]

    @property
    def beats(self) -> int:
        """Beats of the bar."""
        return self.movement.beats

    def theme_pitch(self, step: int) -> int:
        """Pitch of a step of the theme, in its own register."""
        tonic, _, _ = register_of(self.movement)
        return self.chord.pitch(tonic, self.movement.palette.mode, step)

    def pitch(self, step: int, role: Role) -> int:
        """Pitch of a scale step within the range of a role."""
        return pitch_in(self.movement, self.chord, step, role.lowest, role.highest)


def _theme(scene: Scene, _role: Role, chance: Draws) -> Played:
    for tone in scene.melody:
        if tone.bar == scene.place:
            strength = 0.70 + 0.10 * (tone.beat == 0.0) + 0.08 * chance.signed()
            yield tone.beat, tone.beats * 0.95, scene.theme_pitch(tone.step), strength


def _moving_chord(scene: Scene, role: Role, chance: Draws) -> Played:
    reading, palette = scene.movement.reading, scene.movement.palette
    voicing = scene.phrase.voicings[scene.place]
    tones = [*voicing, voicing[0] + 12]
    if reading.line < 0.0:
        tones.reverse()
    comps = scene.movement.genre.groove in ("swing", "boombap", "house")
    if comps:
        spots = {
            "swing": ((0.0, 1.4), (1.5, 1.0)),
            "boombap": ((0.0, 1.8), (2.5, 1.2)),
            "house": ((0.5, 0.6), (1.5, 0.6), (2.25, 0.5), (3.5, 0.5)),
        }[scene.movement.genre.groove]
        for beat, beats in spots:
            if beat and chance.unit() > 0.55 + 0.4 * palette.density:
                continue
            for pitch in voicing:
                yield beat, beats, _folded(pitch, role), 0.5 + 0.06 * chance.signed()
        return
    # Notes a beat: from one, thin, to four, dense; a full Moon leaves none out.
    rate = 1 + (palette.density > 0.35) + (palette.density + scene.fullness > 1.25)
    rate = rate if scene.movement.genre.name != "ambient" else max(1, rate - 1)
    each = 1.0 / rate
    for n in range(scene.beats * rate):
        if n and chance.unit() < 0.30 - 0.26 * reading.fullness - 0.15 * palette.density:
            continue
        strength = 0.52 + 0.14 * (n == 0) + 0.08 * chance.signed()
        yield n * each, max(0.8, each * 1.8), _folded(tones[n % len(tones)], role), strength


def _folded(pitch: int, role: Role) -> int:
    while pitch < role.lowest:
        pitch += 12
    while pitch > role.highest:
        pitch -= 12
    return pitch


def _figures(scene: Scene, role: Role, chance: Draws) -> Played:
    palette, chord = scene.movement.palette, scene.chord
    figure = [0, 1, 2, 3] if chance.unit() < 0.5 else [0, 2, 1, 3]
    if scene.movement.reading.bodies[MERCURY].is_retrograde:
        figure.reverse()
    steps = [*chord.steps[:3], chord.steps[0] + 7]
    rate = 4 if palette.density > 0.7 else 2
    if scene.movement.genre.name == "ambient":
        rate = 1
    odds = 0.06 + 0.48 * palette.density * (0.3 + 0.7 * scene.fullness)
    for n in range(scene.beats * rate):
        if chance.unit() > odds:
            continue
        step = steps[figure[n % 4]] + 7
        yield n / rate, 0.6, scene.pitch(step, role), 0.44 + 0.12 * chance.unit()


def _companion(scene: Scene, role: Role, chance: Draws) -> Played:
    classes = {step % 7 for step in scene.chord.steps}
    for tone in scene.melody:
        if tone.bar != scene.place or tone.beats < 0.75:
            continue
        below = tone.step - 2 if (tone.step - 2) % 7 in classes else tone.step - 5
        strength = 0.52 + 0.08 * chance.signed()
        yield tone.beat, tone.beats * 1.02, scene.pitch(below, role), strength


def _drive(scene: Scene, role: Role, chance: Draws) -> Played:
    palette = scene.movement.palette
    drive = palette.drums * (0.45 + 0.65 * scene.fullness)
    for beat in range(scene.beats):
        if chance.unit() > 0.10 + 0.9 * drive:
            continue
        off = 0.5 if chance.unit() < palette.syncopation else 0.0
        step = scene.chord.steps[2 * (beat % 2)]
        yield beat + off, 0.8, scene.pitch(step - 7, role), 0.46 + 0.16 * chance.unit()


def drum_strokes(scene: Scene, chance: Draws) -> Iterator[tuple[float, int, float]]:
    """Yield (beat, piece, velocity): what Mars plays on the drums of the genre."""
    palette, genre = scene.movement.palette, scene.movement.genre
    rhythmic = genre.groove not in ("", "heartbeat")
    base = 0.30 if rhythmic else 0.0  # a dance without a beat would not be one
    wish = palette.drums
    drive = (base + 0.75 * wish) * (0.45 + 0.65 * scene.fullness) if wish > 0.0 else 0.0
    ends_section = scene.bar % 8 == 7
    yield from strokes_of(
        genre.groove, drive, fills=ends_section, opens=scene.bar % 8 == 0, chance=chance
    )


def _swell(scene: Scene, role: Role, chance: Draws) -> Played:
    voicing = scene.phrase.voicings[scene.place]
    if role.instrument == "stab":
        spots = (0.75, 1.5, 2.75) if scene.movement.palette.syncopation > 0.45 else (0.0, 1.5, 3.0)
        for beat in spots:
            if chance.unit() < 0.45 + 0.5 * scene.movement.palette.density:
                for pitch in voicing[-3:]:
                    yield beat, 0.4, _folded(pitch, role), 0.5
        return
    if scene.chord_begins:
        beats = float(scene.beats * scene.movement.genre.chord_bars)
        for pitch in voicing[-2:]:
            yield 0.0, beats, _folded(pitch + 12, role), 0.55


def _ground(scene: Scene, role: Role, chance: Draws) -> Played:
    genre, beats = scene.movement.genre, scene.beats
    root = _folded(scene.phrase.basses[scene.place], role)
    if genre.groove == "swing":
        yield from _walk(scene, role, root, chance)
    elif genre.groove == "house":
        for beat in (0.5, 1.5, 2.5, 3.5):
            octave = 12 if beat == 2.5 and root + 12 <= role.highest else 0
            yield beat, 0.42, root + octave, 0.66
        if chance.unit() < scene.movement.palette.syncopation:
            yield 3.75, 0.25, root, 0.5
    elif genre.groove == "four":
        for n in range(8):
            if n % 2 == 0 or chance.unit() < 0.4 + 0.5 * scene.movement.palette.density:
                yield n * 0.5, 0.42, root, 0.64 + 0.06 * (n % 4 == 0)
    elif genre.groove == "boombap":
        yield 0.0, 1.4, root, 0.74
        yield 2.5, 1.0, _folded(scene.phrase.basses[scene.place] + 7, role), 0.6
    elif genre.name == "ambient":
        if scene.chord_begins:
            yield 0.0, float(beats * genre.chord_bars) * 0.98, root, 0.6
    else:
        half = 2.0
        yield 0.0, half * 0.95, root, 0.7
        if scene.fullness > 0.4:
            fifth = _folded(scene.pitch(scene.chord.steps[2] - 14, role), role)
            yield half, (beats - half) * 0.9, fifth, 0.56


def _walk(scene: Scene, role: Role, root: int, chance: Draws) -> Played:
    """Walk in quarters: root, chord tone, chord tone, and a step into the next root."""
    here = scene.phrase.basses
    onward = here[scene.place + 1] if scene.place < 3 else here[0]
    target = _folded(onward, role)
    third = _folded(nearest_octave(scene.pitch(scene.chord.steps[1], role), root + 4), role)
    fifth = _folded(nearest_octave(scene.pitch(scene.chord.steps[2], role), root + 5), role)
    middle = (third, fifth) if chance.unit() < 0.6 else (fifth, third)
    approach = target + (1 if chance.unit() < 0.5 else -1)
    tonic = nearest_octave(scene.movement.tonic, 60)
    scale = {
        (scene.chord.pitch(tonic, scene.movement.palette.mode, step)) % 12 for step in range(7)
    }
    if approach % 12 not in scale:
        approach = 2 * target - approach
    if approach % 12 not in scale:
        approach = fifth
    for beat, pitch in enumerate((root, *middle, _folded(approach, role))):
        yield float(beat), 0.92, pitch, 0.62 + 0.06 * (beat % 2 == 0) + 0.05 * chance.signed()


def _surprise(scene: Scene, role: Role, chance: Draws) -> Played:
    palette = scene.movement.palette
    if chance.unit() < 0.18 + 0.45 * palette.syncopation:
        beat = 0.5 + chance.below(2 * scene.beats - 1) * 0.5
        step = chance.pick(scene.chord.steps) + 14
        yield beat, 2.0, scene.pitch(step, role), 0.46 + 0.2 * chance.unit()


def _blur(scene: Scene, role: Role, _chance: Draws) -> Played:
    if scene.chord_begins:
        beats = float(scene.beats * scene.movement.genre.chord_bars)
        for pitch in scene.phrase.voicings[scene.place][:3]:
            yield 0.0, beats, _folded(pitch, role), 0.6


def _depth(scene: Scene, role: Role, _chance: Draws) -> Played:
    if role.instrument in ("vinyl", "noise"):
        yield 0.0, float(scene.beats), 60, 0.5
    elif scene.chord_begins:
        # A pedal on the tonic, whatever the chord: the floor under everything.
        beats = float(scene.beats * scene.movement.genre.chord_bars)
        yield 0.0, beats, nearest_octave(scene.movement.tonic, role.lowest + 6), 0.6


IDIOMS: Final[tuple[Callable[[Scene, Role, Draws], Played], ...]] = (
    _theme,
    _moving_chord,
    _figures,
    _companion,
    _drive,
    _swell,
    _ground,
    _surprise,
    _blur,
    _depth,
)
"""Sun to Pluto."""

"""Saturn's bass: pedal, walk or groove, one way for each genre, under chords and theme."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from astradio_stream.music.theory import nearest_octave
from astradio_stream.music.v1_1.harmony import basses_under
from astradio_stream.music.v1_1.scene import SATURN, SUN, Played, Scene, folded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from astradio_stream.music.chance import Draws
    from astradio_stream.music.v1_1.form import Movement, Phrase
    from astradio_stream.music.v1_1.genres import Role
    from astradio_stream.music.v1_1.tones import Tone


def with_basses(
    movement: Movement, phrases: Sequence[Phrase], melodies: Sequence[Sequence[Tone]]
) -> tuple[Phrase, ...]:
    """Return the phrases of a period with a bass that runs neither with theme nor with chords."""
    theme, ground = movement.genre.roles[SUN], movement.roles[SATURN]
    tonic = nearest_octave(movement.tonic, (theme.lowest + theme.highest) // 2 - 6)
    basses, tops, sung = [], [], []
    for phrase, melody in zip(phrases, melodies, strict=True):
        first = {tone.bar: tone.step for tone in reversed(melody) if tone.beat == 0.0}
        for bar, chord in enumerate(phrase.chords):
            basses.append(folded(phrase.basses[bar], ground))
            tops.append(phrase.voicings[bar][-1])
            step = first.get(bar)
            mode = movement.palette.mode
            sung.append(None if step is None else chord.pitch(tonic, mode, step))
    led = basses_under(basses, tops, sung, ground.lowest, ground.highest)
    return tuple(replace(phrase, basses=led[4 * n : 4 * n + 4]) for n, phrase in enumerate(phrases))


def ground(scene: Scene, role: Role, chance: Draws) -> Played:
    """Play the bass of a bar, as the genre wants it."""
    root = folded(scene.phrase.basses[scene.place], role)
    yield from _GROUNDS[scene.movement.genre.name](scene, role, root, chance)


def _drone(scene: Scene, _role: Role, root: int, _chance: Draws) -> Played:
    if scene.chord_begins:
        yield 0.0, scene.held_beats * 0.98, root, 0.6


def _halves(scene: Scene, role: Role, root: int, _chance: Draws) -> Played:
    """Root and fifth, half a bar each; alone where little else plays."""
    half = 2.0
    yield 0.0, half * 0.95, root, 0.7
    if scene.fullness > 0.4:
        yield half, (scene.beats - half) * 0.9, _fifth(scene, role, root), 0.56


def _eighths(scene: Scene, role: Role, root: int, chance: Draws) -> Played:
    """Driving eighths, and what syncopates an anticipation of the next bar."""
    palette = scene.movement.palette
    for n in range(8):
        plays = chance.unit() < 0.4 + 0.5 * palette.density
        if n % 2 == 0 or plays:
            yield n * 0.5, 0.42, root, 0.64 + 0.06 * (n % 4 == 0)
    if chance.unit() < palette.syncopation - 0.3:
        yield 3.75, 0.25, _fifth(scene, role, root), 0.5


def _lazy(scene: Scene, role: Role, root: int, chance: Draws) -> Played:
    yield 0.0, 1.4, root, 0.74
    if chance.unit() < scene.movement.palette.syncopation:
        yield 1.75, 0.5, root, 0.56
    yield 2.5, 1.0, _fifth(scene, role, root), 0.6


def _off_beats(scene: Scene, role: Role, root: int, chance: Draws) -> Played:
    for beat in (0.5, 1.5, 2.5, 3.5):
        octave = 12 if beat == 2.5 and root + 12 <= role.highest else 0
        yield beat, 0.42, root + octave, 0.66
    if chance.unit() < scene.movement.palette.syncopation:
        yield 3.75, 0.25, root, 0.5


def _fifth(scene: Scene, role: Role, root: int) -> int:
    """Return the fifth of the chord above a root, or below it where Saturn goes backwards."""
    tonic = nearest_octave(scene.movement.tonic, 60)
    chord, mode = scene.chord, scene.movement.palette.mode
    rise = (
        chord.pitch(tonic, mode, chord.steps[2]) - chord.pitch(tonic, mode, chord.steps[0])
    ) % 12
    down = scene.is_retrograde(SATURN)
    wanted = root + rise - (12 if down else 0)
    other = root + rise - (0 if down else 12)
    if role.lowest <= wanted <= role.highest:
        return wanted
    return other if role.lowest <= other <= role.highest else root


def _walk(scene: Scene, role: Role, root: int, chance: Draws) -> Played:
    """Walk in quarters: root, chord tone, chord tone, and a step into the next root."""
    here = scene.phrase.basses
    onward = here[scene.place + 1] if scene.place < 3 else here[0]
    target = folded(onward, role)
    third = folded(nearest_octave(scene.pitch(scene.chord.steps[1], role), root + 4), role)
    fifth = folded(nearest_octave(scene.pitch(scene.chord.steps[2], role), root + 5), role)
    upward = (chance.unit() < 0.8) != scene.is_retrograde(SATURN)
    middle = (third, fifth) if upward else (fifth, third)
    approach = target + (1 if chance.unit() < 0.5 else -1)
    tonic = nearest_octave(scene.movement.tonic, 60)
    scale = {
        (scene.chord.pitch(tonic, scene.movement.palette.mode, step)) % 12 for step in range(7)
    }
    if approach % 12 not in scale:
        approach = 2 * target - approach
    if approach % 12 not in scale:
        approach = fifth
    for beat, pitch in enumerate((root, *middle, folded(approach, role))):
        yield float(beat), 0.92, pitch, 0.62 + 0.06 * (beat % 2 == 0) + 0.05 * chance.signed()


_GROUNDS: Final[dict[str, Callable[[Scene, Role, int, Draws], Played]]] = {
    "ambient": _drone,
    "classical": _halves,
    "jazz": _walk,
    "electronic": _eighths,
    "lofi": _lazy,
    "house": _off_beats,
}
"""What Saturn makes of the bass, by genre."""

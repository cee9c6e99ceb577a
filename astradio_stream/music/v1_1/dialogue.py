"""Aspects as dialogue: how the speaker of a movement takes part in the theme, by its bond.

=============  =====================================================================
conjunction    doubles the theme
sextile        a third above it
trine          a sixth below it, bound together
square         rhythm against rhythm: dotted beats against straight ones
opposition     answers the bar before, upside down and twice as fast
in a contrast  the statement of the movement, half as fast, whatever the bond
=============  =====================================================================

Minor aspects speak like the major one of their nature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from astradio_stream.music.chance import draws
from astradio_stream.music.v1_1.form import CONTRAST, Decision
from astradio_stream.music.v1_1.scene import fitted, nearby
from astradio_stream.music.v1_1.tones import chord_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from astradio_stream.music.v1_1.genres import Role
    from astradio_stream.music.v1_1.scene import Played, Scene
    from astradio_stream.music.v1_1.tones import Tone

Said = tuple[float, float, int]
"""(beat within the phrase, beats, scale step)."""

IN_THIRDS: Final = "sextile"
CROSSED: Final = "square"
"""How two charts that are at ease, or in friction, play together."""
_STRENGTH: Final = 0.58


def speaks(seed: int, scene: Scene) -> bool:
    """Return whether the speaker joins in a phrase: the oftener, the more motifs are to return."""
    movement = scene.movement
    if scene.fullness < 0.25 or not (movement.bond or scene.phrase.kind == CONTRAST):
        return False
    chance = draws(seed, Decision.DIALOGUE, movement.number, scene.phrase.number, n=1)
    return chance.unit() < 0.12 + 0.85 * movement.palette.motif_rate


def recalls(seed: int, scene: Scene) -> bool:
    """Return whether Mercury recalls the head of the theme at the end of this phrase."""
    movement = scene.movement
    chance = draws(seed, Decision.HEAD, movement.number, scene.phrase.number, n=1).unit()
    rate = movement.palette.motif_rate
    return chance < (rate if scene.phrase.closes else 2.0 * rate - 1.0)


def recalled(scene: Scene, role: Role) -> Played:
    """Yield the head of the theme over the last bar of its phrase, carried to that chord."""
    head = [tone for tone in scene.melody if tone.bar == 0]
    if not head:
        return
    home = chord_step(scene.chord, head[0].step) - head[0].step
    pitches = fitted([scene.theme_pitch(tone.step + home) for tone in head], role)
    for tone, pitch in zip(head, pitches, strict=True):
        yield tone.beat, 0.9 * tone.beats, pitch, 0.5 + 0.05 * (tone.beat == 0.0)


def speech(scene: Scene, role: Role, bond: str) -> Played:
    """Yield what the speaker says in a bar, in one octave for the whole phrase, near the theme."""
    beats = scene.beats
    way = _augmented if scene.phrase.kind == CONTRAST else _WAYS[bond]
    said = list(way(scene))
    pitches = nearby([scene.theme_pitch(step) for _, _, step in said], role)
    for (at, lasts, _), pitch in zip(said, pitches, strict=True):
        place, beat = divmod(at, beats)
        if place == scene.place:
            strength = _STRENGTH + 0.05 * (beat == 0.0)
            yield beat, min(lasts, 2.0 * beats - beat), pitch, strength


def _at(scene: Scene, tone: Tone) -> float:
    return float(tone.bar * scene.beats) + tone.beat


def _augmented(scene: Scene) -> Iterator[Said]:
    """The first two bars of the statement take four; their accents fit the chords of these."""
    for tone in scene.statement:
        at = 2.0 * _at(scene, tone)
        place = int(at // scene.beats)
        if tone.bar < 2:
            accented = tone.beat % 1.0 == 0.0
            chord = scene.phrase.chords[place]
            yield at, 1.9 * tone.beats, chord_step(chord, tone.step) if accented else tone.step


def _doubled(scene: Scene) -> Iterator[Said]:
    for tone in scene.melody:
        yield _at(scene, tone), 0.95 * tone.beats, tone.step


def _thirds(scene: Scene) -> Iterator[Said]:
    for tone in scene.melody:
        if tone.beats >= 0.5:
            yield _at(scene, tone), 0.9 * tone.beats, tone.step + 2


def _sixths(scene: Scene) -> Iterator[Said]:
    for tone in scene.melody:
        if tone.beats >= 0.5:
            yield _at(scene, tone), 1.05 * tone.beats, tone.step - 5


def _against(scene: Scene) -> Iterator[Said]:
    """Beats of one and a half, over the tense tones of each chord, down from the highest."""
    n_beats = 4 * scene.beats
    for n in range(int(n_beats / 1.5)):
        at = 1.5 * n
        chord = scene.phrase.chords[int(at // scene.beats)]
        tones = chord.steps[::-1]
        yield at, 1.2, tones[n % len(tones)]


def _answered(scene: Scene) -> Iterator[Said]:
    """Bars 1 and 3 answer bars 0 and 2 in their second half, mirrored at their first note."""
    for bar in (0, 2):
        called = [tone for tone in scene.melody if tone.bar == bar]
        for tone in called:
            at = (bar + 1.5) * scene.beats + 0.5 * tone.beat
            chord = scene.phrase.chords[bar + 1]
            mirrored = 2 * called[0].step - tone.step
            first = tone is called[0]
            yield at, 0.5 * tone.beats, chord_step(chord, mirrored) if first else mirrored


_WAYS: Final[dict[str, Callable[[Scene], Iterator[Said]]]] = {
    "conjunction": _doubled,
    "sextile": _thirds,
    "semisextile": _thirds,
    "quintile": _thirds,
    "trine": _sixths,
    "square": _against,
    "semisquare": _against,
    "sesquisquare": _against,
    "quincunx": _against,
    "opposition": _answered,
}
"""How the speaker takes part, by the kind of the bond."""


def touched(scene: Scene, role: Role, bond: str, *, calls: bool) -> Played:
    """Yield one half of an exchange between two charts: a transit, or two people, touching.

    The body that is touched calls in the first half of a phrase with the head of its theme; the one
    that touches answers in the second half: alike if the aspect is soft, upside down if it is hard.
    """
    head = [tone for tone in scene.melody if tone.bar == 0]
    if not head:
        return
    turns = _WAYS[bond] in (_against, _answered)
    steps = [tone.step if calls or not turns else 2 * head[0].step - tone.step for tone in head]
    first = 1 if calls else 3
    if scene.place != first:
        return
    home = chord_step(scene.chord, steps[0]) - steps[0]
    pitches = nearby([scene.theme_pitch(step + home) for step in steps], role)
    for tone, pitch in zip(head, pitches, strict=True):
        yield tone.beat, 0.95 * tone.beats, pitch, _STRENGTH + 0.04 * (tone.beat == 0.0)

"""Seams: the opening gesture of the rising sign, runs into sections, the wave before a movement.

What drums do with a fill, the other voices do with a run: a new section is always prepared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from astradio_stream.music.theory import nearest_octave, pitch_of
from astradio_stream.music.v1_1.genres import Role
from astradio_stream.music.v1_1.scene import MERCURY, MOON, NEPTUNE, fitted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astradio_stream.music.v1_1.scene import Scene

Gesture = tuple[int, Role, list[tuple[float, float, int, float]]]
"""(voice, role, notes as of `parts.Played`)."""

WAVE: Final = Role("noise", 60, 60, 0.10, 0.0, 0.0)
"""The sea that swells towards a new movement: the same in every genre, and soft."""
_FIRE, _EARTH, _AIR, _WATER = range(4)


def gestures_of(scene: Scene) -> Iterator[Gesture]:
    """Yield what a bar has beside its voices, if it lies at a seam."""
    last = scene.bar == scene.movement.n_bars - 1
    if scene.bar == 0:
        yield from _opening(scene)
    elif scene.bar % 8 == 7 or last:
        yield _run(scene)
    if scene.bar == scene.movement.n_bars - 2:
        yield NEPTUNE, WAVE, [(0.0, 2.0 * scene.beats, 60, 0.5)]


def _scale(scene: Scene, first: int, count: int, role: Role) -> list[int]:
    tonic = nearest_octave(scene.movement.tonic, 60)
    mode = scene.movement.palette.mode
    return fitted([pitch_of(tonic, mode, first + n) for n in range(count)], role)


def _opening(scene: Scene) -> Iterator[Gesture]:
    """Yield the gesture of the rising sign: fire runs, earth strikes, air flutters, water falls."""
    element = scene.movement.reading.rising % 4
    voice = MOON if element in (_EARTH, _WATER) else MERCURY
    role = scene.movement.roles[voice]
    scale = _scale(scene, 0, 8, role)
    if element == _FIRE:
        notes = [(0.25 * n, 0.5, pitch, 0.44 + 0.02 * n) for n, pitch in enumerate(scale)]
    elif element == _EARTH:
        notes = [(0.0, 2.0, pitch, 0.66) for pitch in (scale[0], scale[4], scale[7])]
    elif element == _AIR:
        order = (7, 4, 7, 5, 7, 4, 7)
        notes = [(0.25 * n, 0.5, scale[place], 0.46) for n, place in enumerate(order)]
    else:
        notes = [(0.5 * n, 1.5, scale[place], 0.5) for n, place in enumerate((7, 5, 4, 2, 0))]
    yield voice, role, notes


def _run(scene: Scene) -> Gesture:
    """Return a run into the tonic of the next section: up while the Moon waxes, else down."""
    role = scene.movement.roles[MOON]
    long = scene.movement.genre.theme == "long"
    count = 3 if long else 5
    each = 0.5 if long else 0.25
    falls = scene.movement.reading.line < 0.0
    scale = _scale(scene, 1 if falls else 7 - count, count, role)
    if falls:
        scale.reverse()
    start = scene.beats - count * each
    notes = [(start + each * n, 0.6, pitch, 0.36 + 0.05 * n) for n, pitch in enumerate(scale)]
    return MOON, role, notes

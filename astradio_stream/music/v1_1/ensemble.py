"""Who plays in a bar, and what: one chart alone, a sky over a birth, or two people.

==============  ==============================================================================
alone           every body its idiom; the speaker of the movement joins the theme
sky over birth  the birth plays; in sections that vary or contrast the sky says its own theme in
                each second phrase; where a transit touches a body that can speak, the two call
                and answer from left and right
two people      two ensembles, left and right, that take turns each phrase: one has theme and
                figures, the other accompanies with chords and a second voice, in thirds and
                sixths where the charts are at ease, rhythm against rhythm where they rub;
                bass, pad and drums are shared
==============  ==============================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from astradio_stream.music.chance import Draws, draws
from astradio_stream.music.v1_1.dialogue import (
    CROSSED,
    IN_THIRDS,
    recalled,
    recalls,
    speaks,
    speech,
    touched,
)
from astradio_stream.music.v1_1.form import CONTRAST, VARY, Decision, can_speak
from astradio_stream.music.v1_1.genres import Role
from astradio_stream.music.v1_1.gestures import gestures_of
from astradio_stream.music.v1_1.parts import IDIOMS, drum_strokes
from astradio_stream.music.v1_1.scene import (
    JUPITER,
    MARS,
    MERCURY,
    MOON,
    NEPTUNE,
    SUN,
    URANUS,
    VENUS,
    Scene,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from astradio_stream.music.v1_1.reading import AspectReading

Heard = tuple[Scene, int, Role, "Iterable[tuple[float, float, int, float]]"]
"""(whose scene, voice, role, what it plays)."""

_DRAWS: Final = 64
"""Numbers that a voice may use in a bar."""
_SOFT_DRUMS: Final = Role("drums", 0, 127, 0.5, 0.0, 0.0)
"""A heartbeat under a genre whose Mars plays something else."""
_IN_FRONT: Final = (SUN, MERCURY, MARS)
_BEHIND: Final = (MOON, VENUS, JUPITER, URANUS)
_LEFT: Final = -0.6
_RIGHT: Final = 0.6


@dataclass(frozen=True, slots=True)
class Stage:
    """Two charts in one bar."""

    home: Scene
    """Of the chart whose voices play."""
    guest: Scene | None
    """Of the other, with its own theme over the same chords."""
    between: tuple[AspectReading, ...]
    """Aspects from the guest's bodies (`a`) to the home's (`b`), strongest first."""
    is_pair: bool
    """Whether the two are equals."""


def placed_at(scene: Scene, side: float) -> Scene:
    """Return a scene whose voices stand around one side of the room, the pad in the middle."""
    movement = scene.movement
    pans = tuple(
        0.0 if body == NEPTUNE else max(-1.0, min(1.0, side + 0.3 * one.azimuth))
        for body, one in enumerate(movement.reading.bodies)
    )
    return replace(scene, movement=replace(movement, pans=pans))


def heard_in(seed: int, stage: Stage) -> Iterator[Heard]:
    """Yield what is played in a bar, voice by voice."""
    scene = stage.home
    movement = scene.movement
    texture = draws(seed, Decision.TEXTURE, movement.number, scene.bar // 8, n=len(IDIOMS))
    rests = [texture.unit() < role.rests for role in movement.genre.roles]
    run = draws(seed, Decision.BAR, movement.number, scene.bar, n=_DRAWS * len(IDIOMS))
    exchange = _exchange(stage)
    if stage.guest is not None and stage.is_pair:
        leads = (placed_at(scene, _LEFT), placed_at(stage.guest, _RIGHT))
        front, behind = leads if scene.phrase.number % 2 == 0 else leads[::-1]
        behind = replace(behind, melody=front.melody)
    else:
        front = behind = scene
    for voice, chance in enumerate(run.split(len(IDIOMS))):
        whose = front if voice in _IN_FRONT else behind if voice in _BEHIND else scene
        if _is_silent(whose, voice, rests=rests[voice]):
            continue
        if exchange is not None and voice in (exchange.a, exchange.b):
            continue
        if voice == SUN and _sky_sings(stage) and stage.guest is not None:
            whose = placed_at(stage.guest, _RIGHT)
        yield from _part(seed, stage, whose, voice, chance)
    if exchange is not None and stage.guest is not None:
        yield from _called(stage, stage.guest, exchange)
    for voice, role, notes in gestures_of(scene):
        yield scene, voice, role, notes


def _is_silent(scene: Scene, voice: int, *, rests: bool) -> bool:
    movement = scene.movement
    role = movement.roles[voice]
    leads = voice in (movement.lead, movement.partner)
    enters = role.enters - (0.25 if leads else 0.0)
    opens = voice == SUN and scene.bar < 8  # no movement begins without its theme
    if not role.instrument or scene.fullness < enters:
        return True
    return rests and voice != movement.lead and not opens


def _part(seed: int, stage: Stage, scene: Scene, voice: int, chance: Draws) -> Iterator[Heard]:
    """Yield what one voice plays: its idiom, or its part in a dialogue."""
    movement = scene.movement
    role = movement.roles[voice]
    if voice == MARS and role.instrument == "drums":
        yield scene, voice, role, _struck(scene, chance)
        return
    if voice == VENUS and stage.is_pair:
        mood = movement.palette
        bond = CROSSED if mood.tension > 0.5 else IN_THIRDS
        yield scene, voice, role, speech(scene, role, bond)
        return
    if voice == movement.speaker and not stage.is_pair and speaks(seed, scene):
        yield scene, voice, role, speech(scene, role, movement.bond)
        return
    if voice == MERCURY and scene.place == 3 and recalls(seed, scene):
        yield scene, voice, role, recalled(scene, role)
        return
    yield scene, voice, role, IDIOMS[voice](scene, role, chance)
    if voice == MARS and movement.genre.groove:
        yield scene, voice, _SOFT_DRUMS, _struck(scene, chance)


def _struck(scene: Scene, chance: Draws) -> list[tuple[float, float, int, float]]:
    return [(beat, 0.5, piece, velocity) for beat, piece, velocity in drum_strokes(scene, chance)]


def _sky_sings(stage: Stage) -> bool:
    """Return whether the sky over a birth has the theme in this phrase."""
    phrase = stage.home.phrase
    return (
        stage.guest is not None
        and not stage.is_pair
        and phrase.kind in (VARY, CONTRAST)
        and phrase.number % 2 == 1
    )


def _exchange(stage: Stage) -> AspectReading | None:
    """Return the aspect between the charts that is spoken in this phrase, in turn."""
    if stage.guest is None or _sky_sings(stage):
        return None
    number = stage.home.phrase.number
    if stage.is_pair and stage.home.phrase.kind not in (VARY, CONTRAST):
        return None
    heard = [
        aspect
        for aspect in stage.between
        if aspect.a != aspect.b
        and can_speak(stage.guest.movement, aspect.a)
        and can_speak(stage.home.movement, aspect.b)
    ]
    return heard[number // 2 % len(heard)] if heard else None


def _called(stage: Stage, guest: Scene, exchange: AspectReading) -> Iterator[Heard]:
    home, guest = placed_at(stage.home, _LEFT), placed_at(guest, _RIGHT)
    for scene, voice, calls in ((home, exchange.b, True), (guest, exchange.a, False)):
        role = scene.movement.roles[voice]
        yield scene, voice, role, touched(scene, role, exchange.kind, calls=calls)

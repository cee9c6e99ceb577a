"""What a melody says in time: rhythms of a bar by kind of theme, and which a movement takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from astradio_stream.music.chance import draws
from astradio_stream.music.gates import rhythm_diversity
from astradio_stream.music.melody import TICKS_PER_BEAT, Melody
from astradio_stream.music.v1_1.craft import WANTED
from astradio_stream.music.v1_1.form import Decision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astradio_stream.music.v1_1.form import Movement
    from astradio_stream.music.v1_1.tones import Rhythm

# fmt: off
RHYTHMS: Final[dict[str, dict[int, tuple[Rhythm, ...]]]] = {
    "long": {4: (
        ((0, 3), (3, 1)), ((0, 2), (2, 1), (3, 1)), ((0, 1), (1, 3)), ((0, 1.5), (1.5, .5), (2, 2)),
        ((1, 1), (2, 1), (3, 1)), ((0, 1.5), (1.5, 2.5)),
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

_N_PAIRS: Final = 5
"""Pairs of rhythms among which the liveliest is taken."""


def _liveliness(rhythms: Sequence[Rhythm], beats: int) -> float:
    """Return the rhythm's gate of a phrase heard twice."""
    bar = beats * TICKS_PER_BEAT
    onsets = [
        n * bar + round(beat * TICKS_PER_BEAT)
        for n, rhythm in enumerate((*rhythms, *rhythms))
        for beat, _ in rhythm
    ]
    flat = (60,) * len(onsets)
    edges = tuple(n * bar for n in range(9))
    return rhythm_diversity(Melody(tuple(onsets), flat, flat, edges, (0, 8 * bar)))


def rhythms_of(seed: int, movement: Movement, material: int) -> list[Rhythm]:
    """Return the rhythm of each bar of a phrase, for a material of a movement (0 or 1)."""
    table = RHYTHMS[movement.genre.theme].get(movement.beats) or RHYTHMS["song"][movement.beats]
    chance = draws(seed, Decision.THEME, movement.number, material, n=2 * _N_PAIRS)
    best: list[Rhythm] = []
    best_life = -1.0
    for _ in range(_N_PAIRS):
        cell, other = chance.pick(table), chance.pick(table)
        # The motif's rhythm is heard twice before it is answered.
        rhythms = [cell, cell if movement.palette.motif_rate > 0.35 else other, other, cell]
        life = _liveliness(rhythms, movement.beats)
        if life > best_life:
            best, best_life = rhythms, life
        if life >= WANTED[3]:
            break
    return best

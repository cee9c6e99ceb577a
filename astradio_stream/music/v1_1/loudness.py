"""How loud each section is: found from its notes, so that the whole stands at -16 LUFS.

A section is brought to a level of its own, louder the fuller it is; the levels of a movement have
the mean power of the target.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final

from astradio_stream.music.v1_1.energies import energy_of
from astradio_stream.music.v1_1.form import fullness_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astradio_stream.music.note import Note
    from astradio_stream.music.v1_1.form import Movement

_POWER: Final = 2.512
"""Of a movement: -16 LUFS, where one is -20."""
_LEAST_POWER: Final = 0.01
"""A section of fewer notes than this is left quiet."""
_QUIETEST: Final = 0.3
"""Amplitude of an empty section against a full one: 10 dB."""
SAMPLED_BARS: Final = (2, 5)
"""Bars of a section from which its power is found: one in each phrase, one with a new chord, one
that may hold the last."""


def levels_of(seed: int, movement: Movement) -> tuple[float, ...]:
    """Return the amplitude of each section of a movement; the mean of their squares is 1."""
    levels = [
        _QUIETEST + (1.0 - _QUIETEST) * fullness_of(seed, movement, section)
        for section in range(movement.n_sections)
    ]
    total = 0.0
    for level in levels:
        total += level * level
    mean = sqrt(total / len(levels))
    return tuple(level / mean for level in levels)


def gain_of(notes: Sequence[Note], seconds: float, level: float) -> float:
    """Return the gain at which notes that are struck in some seconds stand at a level."""
    energy = 0.0
    for note in notes:
        energy += energy_of(note)
    return level * sqrt(_POWER / max(energy / seconds, _LEAST_POWER))

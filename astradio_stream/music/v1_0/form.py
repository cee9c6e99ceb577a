"""The form of a movement: sections, phrases, chords and bars, each found from its own number.

::

    movement 180 s ─ section of 8 bars ─ phrase of 4 bars ─ bar ─ notes

Nothing walks from bar to bar: a level is a function of its number, the movement's palette and
keyed chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from astradio_stream.music.chance import draws
from astradio_stream.music.theory import has_perfect_fifth
from astradio_stream.music.v1_0.palette import MOVEMENT_SAMPLES, Palette


class Decision(IntEnum):
    """Kinds of decisions: each has chance numbers of its own."""

    FORM = 1
    CHORDS = 2
    MOTIF = 3
    BAR = 4
    TEXTURE = 5


_FORMS: Final = (
    (0, 0, 1, 0, 2, 1, 0, 2, 0, 1, 0, 0, 1, 2, 0),
    (0, 1, 0, 2, 0, 1, 1, 0, 2, 0, 1, 0, 2, 1, 0),
    (0, 0, 1, 1, 0, 2, 0, 0, 1, 2, 0, 1, 0, 2, 0),
)
"""Which material each section takes: 0 the theme, 1 its answer, 2 the far field."""

_LOOPS: Final = (
    (0, 5, 3, 4),
    (0, 3, 5, 4),
    (0, 2, 3, 4),
    (0, 5, 1, 4),
    (0, 4, 5, 3),
    (0, 6, 3, 4),
    (0, 3, 1, 4),
    (0, 2, 5, 3),
)
"""Chords of an open phrase, as degrees of the mode (0 = tonic)."""

_CLOSES: Final = ((3, 4, 0, 0), (5, 3, 4, 0), (5, 1, 4, 0), (3, 1, 4, 0), (2, 3, 4, 0))
"""Chords of a closing phrase."""

_RISE_AND_FALL: Final = 0.62
"""Where in a movement it is fullest (0-1): a little before two thirds."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: where it lies and what it stands on."""

    movement: int
    number: int
    """Number within the movement."""
    start: int
    """First sample index."""
    length: int
    """Samples."""
    section: int
    """Number of the section within the movement."""
    material: int
    """0 theme, 1 answer, 2 far field."""
    phrase_bar: int
    """Place in the phrase, 0-3: statement, answer, tension, cadence."""
    closes: bool
    """Whether its phrase ends at rest."""
    degree: int
    """Degree of the chord (0-6)."""
    intensity: float
    """How full the section is (0-1)."""


def movement_of(index: int) -> int:
    """Return the number of the movement that holds a sample index."""
    return index // MOVEMENT_SAMPLES


def bar_start(palette: Palette, movement: int, number: int) -> int:
    """Return the first sample index of a bar; bars divide the movement without remainder."""
    return movement * MOVEMENT_SAMPLES + number * MOVEMENT_SAMPLES // palette.n_bars


def bar_at(palette: Palette, index: int) -> int:
    """Return the number within its movement of the bar that holds a sample index."""
    within = index % MOVEMENT_SAMPLES
    # Bar n begins at floor(n M / N): the last n with n M < (within + 1) N.
    return ((within + 1) * palette.n_bars - 1) // MOVEMENT_SAMPLES


def n_sections(palette: Palette) -> int:
    """Return how many sections of 8 bars a movement has; the last may have 4, a coda."""
    return -(-palette.n_bars // 8)


def _firm(mode: str, degree: int) -> int:
    """Return a degree whose triad has a perfect fifth: a diminished one gives way to its third."""
    return degree if has_perfect_fifth(mode, degree) else (degree + 2) % 7


def intensity_of(seed: int, palette: Palette, movement: int, section: int) -> float:
    """Return how full a section is (0-1): it rises, falls, and breathes by chance."""
    place = (section + 0.5) / n_sections(palette)
    if place < _RISE_AND_FALL:
        arc = place / _RISE_AND_FALL
    else:
        arc = (1.0 - place) / (1.0 - _RISE_AND_FALL)
    breath = draws(seed, Decision.FORM, movement, section + 1, n=1).signed()
    return min(1.0, max(0.0, 0.22 + 0.66 * arc + 0.14 * breath))


def bar_of(seed: int, palette: Palette, movement: int, number: int) -> Bar:
    """Return a bar of a movement, found without any other bar."""
    section, bar_in_section = divmod(number, 8)
    form = draws(seed, Decision.FORM, movement, n=1).pick(_FORMS)
    material = form[section % len(form)]
    phrase, phrase_bar = divmod(bar_in_section, 4)
    last_bar = number >= palette.n_bars - 4
    closes = phrase == 1 or last_bar
    chance = draws(seed, Decision.CHORDS, movement, material, n=2)
    loop, close = chance.pick(_LOOPS), chance.pick(_CLOSES)
    degree = (close if closes else loop)[phrase_bar]
    start = bar_start(palette, movement, number)
    return Bar(
        movement=movement,
        number=number,
        start=start,
        length=bar_start(palette, movement, number + 1) - start,
        section=section,
        material=material,
        phrase_bar=phrase_bar,
        closes=closes,
        degree=_firm(palette.mode, degree),
        intensity=intensity_of(seed, palette, movement, section),
    )

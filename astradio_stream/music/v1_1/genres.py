"""The genres: six tables of tempo, groove, harmony and instruments.

A role is what a body plays (see `parts`); a genre says on which instrument, how loud, and where.
The element of a body's sign chooses among the instruments of its family.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Role:
    """How one body takes part in a genre."""

    instrument: str
    """Name of an instrument, without its velocity layer; empty for none."""
    lowest: int
    highest: int
    gain: float
    """Loudness against the genre's others (ratio; instruments are equally loud at 1)."""
    enters: float
    """Fullness of a section from which it takes part (0-1)."""
    rests: float
    """Chance to rest for a section all the same (0-1)."""


@dataclass(frozen=True, slots=True)
class Genre:
    """One genre."""

    name: str
    slowest_bpm: float
    fastest_bpm: float
    swing: float
    """Where the off-beat lies within its beat or half beat (0.5 straight)."""
    swung_part: int
    """How many parts of a beat are swung: 2 eighths, 4 sixteenths."""
    chord_bars: int
    """Bars per chord."""
    harmony: str
    """Which table of progressions (see `harmony`)."""
    colours: tuple[int, ...]
    """Steps above the root that a chord has."""
    groove: str
    """Which drum patterns (see `grooves`); empty for none."""
    theme: str
    """Which table of rhythms the melody speaks in (see `melody`)."""
    trim: float
    """Gain of the whole (ratio), measured so that the genre stands at -16 LUFS."""
    roles: tuple[Role, ...]
    """Sun to Pluto."""


_NONE: Final = Role("", 0, 0, 0.0, 2.0, 1.0)

# fmt: off
GENRES: Final = {
    genre.name: genre
    for genre in (
        Genre("ambient", 54, 78, 0.5, 2, 2, "modal", (0, 2, 4, 8), "heartbeat", "long", 1.10, (
            #    instrument    range    gain  enters rests
            Role("flute",      62, 84,  0.62, 0.05, 0.04),
            Role("piano",      50, 79,  0.55, 0.00, 0.10),
            Role("celesta",    72, 93,  0.34, 0.30, 0.25),
            Role("glass",      60, 84,  0.40, 0.45, 0.20),
            Role("harp",       55, 79,  0.40, 0.55, 0.35),
            Role("strings",    55, 79,  0.40, 0.50, 0.15),
            Role("sub",        28, 43,  0.62, 0.25, 0.10),
            Role("bell",       72, 93,  0.26, 0.20, 0.20),
            Role("pad",        48, 74,  0.62, 0.00, 0.00),
            Role("air",        48, 67,  0.30, 0.30, 0.15),
        )),
        Genre("classical", 66, 116, 0.5, 2, 1, "functional", (0, 2, 4), "", "song", 1.04, (
            Role("violin",     60, 86,  0.66, 0.05, 0.04),
            Role("harp",       50, 84,  0.50, 0.00, 0.10),
            Role("celesta",    70, 94,  0.40, 0.40, 0.25),
            Role("flute",      60, 84,  0.46, 0.50, 0.20),
            Role("guitar",     52, 74,  0.42, 0.60, 0.25),
            Role("choir",      55, 74,  0.36, 0.58, 0.25),
            Role("upright",    28, 50,  0.66, 0.22, 0.05),
            Role("bell",       72, 91,  0.22, 0.40, 0.35),
            Role("strings",    48, 76,  0.60, 0.00, 0.00),
            Role("organ",      40, 60,  0.22, 0.70, 0.25),
        )),
        Genre("jazz", 84, 148, 0.63, 2, 1, "jazz", (0, 2, 4, 6), "swing", "swing", 1.01, (
            Role("lead",       58, 82,  0.66, 0.05, 0.04),
            Role("epiano",     48, 74,  0.56, 0.00, 0.00),
            Role("vibes",      60, 82,  0.40, 0.42, 0.25),
            Role("flute",      60, 84,  0.44, 0.58, 0.25),
            Role("drums",       0, 127, 0.62, 0.15, 0.04),
            Role("guitar",     50, 72,  0.36, 0.50, 0.25),
            Role("upright",    28, 52,  0.80, 0.10, 0.02),
            Role("celesta",    72, 93,  0.20, 0.55, 0.40),
            Role("strings",    52, 74,  0.26, 0.62, 0.25),
            _NONE,
        )),
        Genre("electronic", 100, 126, 0.5, 4, 1, "loop", (0, 2, 4, 8), "four", "riff", 1.04, (
            Role("saw",        58, 82,  0.52, 0.05, 0.04),
            Role("pluck",      52, 84,  0.52, 0.00, 0.08),
            Role("pluck",      64, 88,  0.36, 0.35, 0.25),
            Role("glass",      60, 86,  0.36, 0.55, 0.25),
            Role("drums",       0, 127, 0.80, 0.22, 0.03),
            Role("strings",    55, 79,  0.36, 0.52, 0.20),
            Role("bass",       28, 50,  0.72, 0.22, 0.04),
            Role("bell",       70, 93,  0.26, 0.35, 0.25),
            Role("pad",        48, 74,  0.50, 0.00, 0.02),
            Role("sub",        28, 41,  0.46, 0.55, 0.15),
        )),
        Genre("lofi", 70, 90, 0.58, 4, 1, "sevenths", (0, 2, 4, 6), "boombap", "song", 1.00, (
            Role("guitar",     57, 79,  0.54, 0.05, 0.04),
            Role("epiano",     46, 74,  0.62, 0.00, 0.00),
            Role("vibes",      60, 82,  0.36, 0.42, 0.25),
            Role("flute",      60, 84,  0.40, 0.55, 0.25),
            Role("drums",       0, 127, 0.74, 0.14, 0.04),
            Role("strings",    55, 76,  0.28, 0.58, 0.25),
            Role("bass",       28, 51,  0.74, 0.16, 0.03),
            Role("celesta",    72, 91,  0.24, 0.45, 0.35),
            Role("pad",        50, 72,  0.38, 0.30, 0.15),
            Role("vinyl",      60, 60,  0.16, 0.00, 0.00),
        )),
        Genre("house", 117, 126, 0.54, 4, 1, "vamp", (0, 2, 4, 6), "house", "riff", 1.05, (
            Role("lead",       58, 80,  0.50, 0.05, 0.04),
            Role("piano",      52, 79,  0.50, 0.32, 0.10),
            Role("pluck",      62, 86,  0.34, 0.42, 0.25),
            Role("strings",    58, 80,  0.34, 0.52, 0.20),
            Role("drums",       0, 127, 0.84, 0.12, 0.02),
            Role("stab",       50, 74,  0.50, 0.28, 0.10),
            Role("organbass",  30, 48,  0.78, 0.20, 0.03),
            Role("vibes",      62, 82,  0.28, 0.48, 0.30),
            Role("pad",        50, 74,  0.42, 0.00, 0.03),
            Role("sub",        28, 41,  0.36, 0.66, 0.20),
        )),
    )
}
# fmt: on

_MOON, _NEPTUNE = 1, 8
_SAME: Final = ("", "", "", "")

# fmt: off
FAMILIES: Final = {
    #   fire        earth       air         water        of Sun to Pluto, as in the tables above
    "ambient": (
        ("lead",    "violin",   "flute",    "glass"),
        ("harp",    "guitar",   "epiano",   "piano"),
        ("bell",    "celesta",  "celesta",  "bell"),
        ("violin",  "strings",  "flute",    "glass"),
        ("pluck",   "guitar",   "harp",     "piano"),
        ("saw",     "strings",  "violin",   "strings"),
        ("organbass", "organbass", "sub",   "sub"),
        ("celesta", "bell",     "celesta",  "bell"),
        ("strings", "organ",    "choir",    "pad"),
        _SAME,
    ),
    "classical": (
        ("violin",  "violin",   "flute",    "flute"),
        ("piano",   "piano",    "harp",     "harp"),
        _SAME,
        ("violin",  "lead",     "flute",    "strings"),
        ("piano",   "guitar",   "harp",     "guitar"),
        ("strings", "organ",    "choir",    "choir"),
        _SAME,
        ("bell",    "harp",     "celesta",  "bell"),
        ("strings", "organ",    "choir",    "strings"),
        _SAME,
    ),
    "jazz": (
        ("lead",    "lead",     "violin",   "violin"),
        ("piano",   "guitar",   "epiano",   "epiano"),
        ("piano",   "vibes",    "celesta",  "vibes"),
        ("lead",    "strings",  "flute",    "violin"),
        _SAME,
        ("piano",   "guitar",   "epiano",   "harp"),
        _SAME,
        ("bell",    "celesta",  "celesta",  "bell"),
        ("strings", "organ",    "choir",    "pad"),
        _SAME,
    ),
    "electronic": (
        ("saw",     "lead",     "lead",     "saw"),
        ("pluck",   "epiano",   "pluck",    "harp"),
        ("pluck",   "celesta",  "bell",     "harp"),
        ("violin",  "glass",    "flute",    "glass"),
        _SAME,
        ("saw",     "strings",  "violin",   "strings"),
        _SAME,
        ("celesta", "bell",     "celesta",  "bell"),
        ("saw",     "strings",  "choir",    "pad"),
        _SAME,
    ),
    "lofi": (
        ("guitar",  "guitar",   "epiano",   "piano"),
        ("piano",   "guitar",   "epiano",   "epiano"),
        ("pluck",   "vibes",    "celesta",  "vibes"),
        ("lead",    "strings",  "flute",    "violin"),
        _SAME,
        ("strings", "organ",    "strings",  "choir"),
        ("bass",    "upright",  "bass",     "upright"),
        ("bell",    "celesta",  "celesta",  "bell"),
        ("strings", "organ",    "choir",    "pad"),
        _SAME,
    ),
    "house": (
        ("saw",     "lead",     "lead",     "violin"),
        ("piano",   "epiano",   "piano",    "epiano"),
        ("pluck",   "pluck",    "celesta",  "harp"),
        ("violin",  "strings",  "strings",  "violin"),
        _SAME,
        _SAME,
        _SAME,
        ("vibes",   "vibes",    "celesta",  "vibes"),
        ("saw",     "strings",  "choir",    "pad"),
        _SAME,
    ),
}
# fmt: on
"""Instruments by the element of a sign. What is held may replace only what is held, what dies away
only what dies away, so that the balance of a genre stays. Neptune, which stays in a sign for
fourteen years, is coloured by the Moon's."""


def coloured(genre: Genre, signs: Sequence[int]) -> tuple[Role, ...]:
    """Return the roles of a genre on the instruments that suit the signs of the ten bodies."""
    roles = []
    for body, role in enumerate(genre.roles):
        sign = signs[_MOON] if body == _NEPTUNE else signs[body]
        instrument = FAMILIES[genre.name][body][sign % 4]
        roles.append(replace(role, instrument=instrument) if instrument else role)
    return tuple(roles)

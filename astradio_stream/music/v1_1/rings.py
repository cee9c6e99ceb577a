"""When notes have rung out: so long a score has to tell of them, and no longer.

The figures are those of the instruments that play model v1.1; a test compares them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from astradio_stream.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from astradio_stream.music.note import Note

_HELD: Final = 1e9

# fmt: off
RINGS_S: Final[dict[str, tuple[float, float]]] = {
    "pad": (0.9, _HELD), "strings": (0.55, _HELD), "choir": (0.7, _HELD), "glass": (0.9, _HELD),
    "organ": (0.09, _HELD), "air": (0.9, _HELD), "flute": (0.16, _HELD), "lead": (0.14, _HELD),
    "violin": (0.22, _HELD), "saw": (0.18, _HELD), "sub": (0.12, _HELD),
    "organbass": (0.08, _HELD), "vinyl": (0.6, _HELD), "noise": (1.5, _HELD),
    "piano.soft": (0.4, 2.8), "piano.hard": (0.4, 2.8), "epiano.soft": (0.25, 2.3),
    "epiano.hard": (0.25, 2.3), "harp": (0.6, 2.0), "guitar": (0.3, 2.2), "pluck": (0.2, 1.2),
    "stab": (0.1, 0.8), "vibes": (0.6, 2.4), "bell": (0.9, 2.75), "celesta": (0.5, 1.7),
    "upright": (0.14, 1.9), "bass": (0.1, 1.8),
}
"""By instrument: how long a note rings after its end, and how long it can sound in all (seconds);
what is held sounds for as long as it is held."""

STROKES_S: Final[dict[int, float]] = {
    35: 0.60, 36: 0.52, 37: 0.30, 38: 0.55, 39: 0.50, 40: 0.60, 41: 0.95, 42: 0.22, 44: 0.20,
    45: 0.90, 46: 0.75, 48: 0.85, 49: 3.20, 51: 1.60, 53: 1.80, 54: 0.35, 69: 0.30, 70: 0.24,
}
"""How long each piece of the drums sounds, however short the stroke (seconds)."""
# fmt: on

_RINGS: Final = {
    name: (round(ring_s * SAMPLE_RATE_HZ), round(longest_s * SAMPLE_RATE_HZ))
    for name, (ring_s, longest_s) in RINGS_S.items()
}
_STROKES: Final = {piece: round(s * SAMPLE_RATE_HZ) for piece, s in STROKES_S.items()}

LONGEST_RING_SAMPLES: Final = max(_STROKES.values())
"""No note of this model sounds longer than this after its end."""


def end_of(note: Note) -> int:
    """Return the sample index from which on a note is silent."""
    if note.instrument == "drums":
        return note.onset + _STROKES[note.pitch]
    ring, longest = _RINGS[note.instrument]
    return note.onset + min(note.duration + ring, longest)

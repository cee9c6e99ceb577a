"""Scales, keys and the naming of pitches: the little music theory that every model shares."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

KEY_NAMES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
"""Names of the twelve pitch classes, from C."""

MODES: Final[dict[str, tuple[int, ...]]] = {
    # from bright to dark: each lowers one step of the one before
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "ionian": (0, 2, 4, 5, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "aeolian": (0, 2, 3, 5, 7, 8, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
}
"""Semitones of the seven steps above the tonic, by mode."""


@lru_cache(maxsize=4096)
def pitch_of(tonic: int, mode: str, step: int) -> int:
    """Return the pitch (MIDI number) `step` scale steps above `tonic`; steps may be negative."""
    octave, degree = divmod(step, 7)
    return tonic + 12 * octave + MODES[mode][degree]


def has_perfect_fifth(mode: str, degree: int) -> bool:
    """Return whether the triad on a degree (0-6) of a mode has a perfect fifth."""
    return pitch_of(0, mode, degree + 4) - pitch_of(0, mode, degree) == 7


def nearest_octave(pitch: int, centre: int) -> int:
    """Return the pitch of the same class that lies in [centre - 6, centre + 6)."""
    return centre - 6 + (pitch - (centre - 6)) % 12

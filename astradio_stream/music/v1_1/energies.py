"""How much the ear gets from one note: by this a section finds its loudness before it sounds.

Energies are K-weighted (ITU-R BS.1770-4), in seconds of a sound at -20 LUFS, of a note at gain 1;
measured on the bank by ``python -m loadtest ears energies``. Notes add up by energy: they are as
good as unrelated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from astradio_stream.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from astradio_stream.music.note import Note

HELD_S: Final = (0.125, 0.5, 2.0, 8.0)
"""Lengths of a note at which its energy was measured (seconds)."""

# fmt: off
ENERGIES: Final[dict[str, tuple[float, ...]]] = {
    "pad": (0.0442, 0.284, 1.72, 7.42),
    "strings": (0.0807, 0.426, 1.86, 7.59),
    "choir": (0.0792, 0.41, 1.87, 7.7),
    "glass": (0.135, 0.523, 2.13, 8.55),
    "organ": (0.149, 0.523, 1.94, 7.77),
    "air": (0.0793, 0.41, 1.97, 8.22),
    "flute": (0.0998, 0.48, 2.02, 8.2),
    "lead": (0.13, 0.492, 1.94, 7.75),
    "violin": (0.108, 0.49, 1.97, 7.92),
    "saw": (0.113, 0.43, 1.69, 6.74),
    "sub": (0.123, 0.489, 1.95, 7.79),
    "organbass": (0.142, 0.496, 1.91, 7.58),
    "piano.soft": (0.261, 0.488, 0.637, 0.641),
    "piano.hard": (0.272, 0.467, 0.582, 0.584),
    "epiano.soft": (0.198, 0.467, 0.717, 0.718),
    "epiano.hard": (0.239, 0.505, 0.761, 0.761),
    "harp": (0.309, 0.525, 0.631, 0.631),
    "guitar": (0.272, 0.451, 0.529, 0.529),
    "pluck": (0.309, 0.398, 0.402, 0.402),
    "stab": (0.364, 0.397, 0.397, 0.397),
    "vibes": (0.263, 0.494, 0.71, 0.711),
    "bell": (0.352, 0.556, 0.704, 0.706),
    "celesta": (0.308, 0.528, 0.593, 0.593),
    "upright": (0.202, 0.443, 0.539, 0.539),
    "bass": (0.166, 0.465, 0.736, 0.736),
    "vinyl": (0.0848, 0.424, 1.48, 7.06),
    "noise": (0.0805, 0.306, 1.84, 5.5),
}
"""By instrument, at `HELD_S`."""

STROKES: Final[dict[int, float]] = {
    35: 0.316,
    36: 0.397,
    37: 0.158,
    38: 0.314,
    39: 0.25,
    40: 0.0992,
    41: 0.253,
    42: 0.0628,
    44: 0.0396,
    45: 0.253,
    46: 0.0793,
    48: 0.253,
    49: 0.134,
    51: 0.0704,
    53: 0.0903,
    54: 0.0314,
    69: 0.0314,
    70: 0.0396,
}
"""By piece of the drums, which always ring out."""
# fmt: on

_SAMPLES: Final = tuple(held_s * SAMPLE_RATE_HZ for held_s in HELD_S)


def energy_of(note: Note) -> float:
    """Return the energy of a note as it is struck, in seconds of a sound at -20 LUFS."""
    gain = note.left * note.left + note.right * note.right
    if note.instrument == "drums":
        return gain * STROKES[note.pitch]
    known, duration = ENERGIES[note.instrument], note.duration
    if duration <= _SAMPLES[0]:
        return gain * known[0]
    place = 1
    while place < len(_SAMPLES) - 1 and duration > _SAMPLES[place]:
        place += 1
    low, high = _SAMPLES[place - 1], _SAMPLES[place]
    share = (duration - low) / (high - low)
    return gain * (known[place - 1] + share * (known[place] - known[place - 1]))

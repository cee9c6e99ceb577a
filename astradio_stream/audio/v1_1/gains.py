"""Gains that make every instrument of v1.1 equally loud, measured once and kept.

One note at gain 1, velocity 1, in the middle, held for a second, has a greatest momentary loudness
of -20 LUFS (K-weighted, 400 ms, ITU-R BS.1770-4), along the whole range; a piece of the kit has
that plus its place in the kit's balance. `python tests/test_audio_v1_1.py` measures them anew: to
be done whenever the sound of an instrument changes, before the model is published.
"""

from __future__ import annotations

from typing import Final

REFERENCE_LUFS: Final = -20.0

KIT_BALANCE_DB: Final = {
    35: -1.0,  # heartbeat
    36: 0.0,  # kick
    37: -4.0,  # rim
    38: -1.0,  # snare
    39: -2.0,  # clap
    40: -6.0,  # brush
    41: -2.0,  # toms
    42: -8.0,  # closed hat
    44: -10.0,  # pedal hat
    45: -2.0,
    46: -7.0,  # open hat
    48: -2.0,
    49: -6.0,  # crash
    51: -8.0,  # ride
    53: -7.0,  # ride bell
    54: -11.0,  # tick
    69: -11.0,  # cabasa
    70: -10.0,  # shaker
}
"""Loudness of each piece against the kick's (dB), as a drummer with good manners plays."""

GAINS: Final[dict[str, tuple[float, ...]]] = {
    "pad": (0.41, 0.366, 0.346, 0.374),
    "strings": (0.369, 0.355, 0.299, 0.27),
    "choir": (0.378, 0.455, 0.393, 0.324),
    "glass": (0.299, 0.216, 0.218, 0.209),
    "organ": (0.347, 0.301, 0.293, 0.282),
    "air": (0.618, 0.479, 0.486, 0.508),
    "flute": (0.27, 0.268, 0.252, 0.213),
    "lead": (0.288, 0.291, 0.251, 0.197),
    "violin": (0.366, 0.293, 0.267, 0.212),
    "saw": (0.349, 0.298, 0.323, 0.285),
    "sub": (0.379, 0.283, 0.236, 0.214),
    "organbass": (0.396, 0.322, 0.287, 0.269),
    "piano.soft": (0.481, 0.417, 0.354, 0.363),
    "piano.hard": (0.493, 0.454, 0.398, 0.37),
    "epiano.soft": (0.258, 0.219, 0.218, 0.217),
    "epiano.hard": (0.274, 0.278, 0.265, 0.268),
    "harp": (0.316, 0.308, 0.29, 0.238),
    "guitar": (0.485, 0.477, 0.434, 0.41),
    "pluck": (0.529, 0.55, 0.61, 0.546),
    "stab": (0.636, 0.609, 0.666, 0.682),
    "vibes": (0.272, 0.257, 0.27, 0.248),
    "bell": (0.28, 0.297, 0.304, 0.256),
    "celesta": (0.267, 0.285, 0.276, 0.228),
    "upright": (0.525, 0.433, 0.315, 0.284),
    "bass": (0.308, 0.247, 0.218, 0.204),
    "drums": (
        0.562,
        0.61,
        0.813,
        0.742,
        0.72,
        0.276,
        0.418,
        0.448,
        0.388,
        0.389,
        0.227,
        0.367,
        0.173,
        0.2,
        0.185,
        0.287,
        0.193,
        0.288,
    ),
    "vinyl": (3.923,),
    "noise": (0.548,),
}
"""Of each instrument along its range, from its lowest pitch to its highest; of the kit by piece."""

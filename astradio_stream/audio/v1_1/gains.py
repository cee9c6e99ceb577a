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
    "pad": (0.381, 0.35, 0.336, 0.331),
    "strings": (0.357, 0.347, 0.301, 0.261),
    "choir": (0.356, 0.414, 0.374, 0.305),
    "glass": (0.336, 0.274, 0.264, 0.237),
    "organ": (0.354, 0.307, 0.298, 0.28),
    "air": (0.514, 0.464, 0.44, 0.426),
    "flute": (0.272, 0.269, 0.254, 0.214),
    "lead": (0.289, 0.291, 0.251, 0.198),
    "violin": (0.367, 0.294, 0.273, 0.22),
    "saw": (0.366, 0.345, 0.314, 0.312),
    "sub": (0.379, 0.283, 0.236, 0.214),
    "organbass": (0.396, 0.322, 0.287, 0.269),
    "piano.soft": (0.468, 0.41, 0.363, 0.338),
    "piano.hard": (0.476, 0.451, 0.395, 0.352),
    "epiano.soft": (0.27, 0.228, 0.227, 0.225),
    "epiano.hard": (0.276, 0.294, 0.284, 0.278),
    "harp": (0.338, 0.321, 0.307, 0.258),
    "guitar": (0.698, 0.571, 0.596, 0.466),
    "pluck": (0.529, 0.55, 0.61, 0.546),
    "stab": (0.636, 0.609, 0.666, 0.682),
    "vibes": (0.285, 0.266, 0.281, 0.257),
    "bell": (0.291, 0.307, 0.302, 0.254),
    "celesta": (0.282, 0.303, 0.288, 0.23),
    "upright": (0.533, 0.445, 0.33, 0.303),
    "bass": (0.309, 0.247, 0.218, 0.207),
    "drums": (
        0.562,
        0.61,
        0.813,
        0.742,
        0.722,
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
    "vinyl": (3.877,),
    "noise": (0.548,),
}
"""Of each instrument along its range, from its lowest pitch to its highest; of the kit by piece."""

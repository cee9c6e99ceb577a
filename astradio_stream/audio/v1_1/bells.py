"""Bars and bells of v1.1: few partials, not harmonic, each with its own life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.exact import frequency_hz
from astradio_stream.audio.v1_1.partials import Partial, rung
from astradio_stream.audio.v1_1.waves import knock, rising, sine_of, turn

if TYPE_CHECKING:
    from astradio_stream.audio.exact import F32

_Mode = tuple[float, float, float, float]
"""Ratio to the pitch, amplitude, half-life (s) at the pitch that a table names, pan."""


def _struck(base_hz: float, n_samples: int, modes: tuple[_Mode, ...], shorter: float) -> F32:
    """Return the modes of a bar or bell, which live `shorter` times as long as their table says."""
    return rung(
        2,
        n_samples,
        [
            Partial(base_hz * ratio, amplitude, half_life_s * shorter, pan)
            for ratio, amplitude, half_life_s, pan in modes
        ],
    )


_VIBES: Final = (
    # at pitch 60; bars are tuned to 1 : 4 : 10, and twist a little in between
    (1.0, 1.0, 0.95, 0.0),
    (4.0, 0.21, 0.24, 0.5),
    (6.8, 0.025, 0.07, -0.5),
    (10.0, 0.09, 0.06, -0.5),
    (13.6, 0.03, 0.03, 0.5),
)


def vibes(pitch: int, n_samples: int) -> F32:
    """Make a vibraphone: tuned bars, a soft mallet, a motor that turns 5 times a second.

    **Source:** T. D. Rossing, "Science of Percussion Instruments", 2000, chapter 7.
    """
    base = frequency_hz(pitch)
    out = _struck(base, n_samples, _VIBES, 1.0 - 0.014 * (pitch - 60))
    tremor = sine_of(turn(5.1, n_samples))
    out[0] *= np.float32(1.0) + tremor * np.float32(0.24)
    out[1] *= np.float32(1.0) + sine_of(turn(5.1, n_samples, 1431655765)) * np.float32(0.24)
    out *= rising(0.003, n_samples)
    knock(38_000 + pitch, 0.005, 4, 0.08, out)
    return out


_BELL: Final = (
    # at pitch 72
    (0.5, 0.10, 0.90, 0.0),
    (1.0, 1.0, 0.80, -0.25),
    (1.0012, 0.45, 0.75, 0.6),
    (2.0, 0.18, 0.55, 0.6),
    (2.76, 0.42, 0.36, -0.6),
    (5.40, 0.20, 0.16, 0.6),
    (8.93, 0.11, 0.08, -0.6),
    (13.34, 0.06, 0.04, 0.6),
)


def bell(pitch: int, n_samples: int) -> F32:
    """Make a small clear bell, a little beating, a hum an octave below.

    **Source:** ratios of an idealised bar-like bell, N. H. Fletcher and T. D. Rossing, "The
    Physics of Musical Instruments", 1998, chapter 19.
    """
    base = frequency_hz(pitch)
    out = _struck(base, n_samples, _BELL, 1.0 - 0.013 * (pitch - 72))
    out *= rising(0.0015, n_samples)
    knock(39_000 + pitch, 0.003, 2, 0.07, out)
    return out


_CELESTA: Final = (
    # at pitch 72
    (1.0, 1.0, 0.42, -0.25),
    (2.0, 0.07, 0.30, 0.6),
    (4.05, 0.25, 0.12, 0.6),
    (6.70, 0.09, 0.06, -0.6),
    (10.6, 0.05, 0.035, 0.6),
)


def celesta(pitch: int, n_samples: int) -> F32:
    """Make a celesta: felt on steel plates over wooden boxes, sweet and soon gone."""
    base = frequency_hz(pitch)
    out = _struck(base, n_samples, _CELESTA, 1.0 - 0.015 * (pitch - 72))
    out *= rising(0.0025, n_samples)
    knock(40_000 + pitch, 0.007, 8, 0.10, out)
    return out

"""Bars and bells of v1.1: few partials, not harmonic, each with its own life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.exact import frequency_hz
from astradio_stream.audio.v1_1.waves import knock, ring, rising, sine_of, turn

if TYPE_CHECKING:
    from astradio_stream.audio.exact import F32

_VIBES: Final = (
    # ratio, amplitude, half-life (s) at pitch 60, pan; bars are tuned to 1 : 4 : 10
    (1.0, 1.0, 0.95, 0.0),
    (4.0, 0.16, 0.22, 0.3),
    (10.0, 0.05, 0.05, -0.3),
)


def vibes(pitch: int, n_samples: int) -> F32:
    """Make a vibraphone: tuned bars, a soft mallet, a motor that turns 5 times a second.

    **Source:** T. D. Rossing, "Science of Percussion Instruments", 2000, chapter 7.
    """
    base = frequency_hz(pitch)
    out = np.zeros((2, n_samples), np.float32)
    shorter = 1.0 - 0.014 * (pitch - 60)
    for ratio, amplitude, half_life_s, pan in _VIBES:
        ring(out, base * ratio, amplitude, half_life_s * shorter, pan=pan)
    tremor = sine_of(turn(5.1, n_samples))
    out[0] *= np.float32(1.0) + tremor * np.float32(0.24)
    out[1] *= np.float32(1.0) + sine_of(turn(5.1, n_samples, 715827882)) * np.float32(0.24)
    out *= rising(0.003, n_samples)
    knock(38_000 + pitch, 0.005, 8, 0.06, out)
    return out


_BELL: Final = (
    # ratio, amplitude, half-life (s) at pitch 72, pan
    (0.5, 0.10, 0.90, 0.0),
    (1.0, 1.0, 0.80, -0.2),
    (1.0012, 0.45, 0.75, 0.4),
    (2.0, 0.16, 0.55, 0.5),
    (2.76, 0.40, 0.36, -0.5),
    (5.40, 0.18, 0.15, 0.6),
    (8.93, 0.07, 0.06, -0.6),
)


def bell(pitch: int, n_samples: int) -> F32:
    """Make a small clear bell, a little beating, a hum an octave below.

    **Source:** ratios of an idealised bar-like bell, N. H. Fletcher and T. D. Rossing, "The
    Physics of Musical Instruments", 1998, chapter 19.
    """
    base = frequency_hz(pitch)
    out = np.zeros((2, n_samples), np.float32)
    shorter = 1.0 - 0.013 * (pitch - 72)
    for ratio, amplitude, half_life_s, pan in _BELL:
        ring(out, base * ratio, amplitude, half_life_s * shorter, pan=pan)
    out *= rising(0.0015, n_samples)
    knock(39_000 + pitch, 0.002, 2, 0.05, out)
    return out


_CELESTA: Final = (
    (1.0, 1.0, 0.42, -0.15),
    (2.0, 0.06, 0.30, 0.4),
    (4.05, 0.22, 0.11, 0.35),
    (6.70, 0.05, 0.05, -0.5),
)


def celesta(pitch: int, n_samples: int) -> F32:
    """Make a celesta: felt on steel plates over wooden boxes, sweet and soon gone."""
    base = frequency_hz(pitch)
    out = np.zeros((2, n_samples), np.float32)
    shorter = 1.0 - 0.015 * (pitch - 72)
    for ratio, amplitude, half_life_s, pan in _CELESTA:
        ring(out, base * ratio, amplitude, half_life_s * shorter, pan=pan)
    out *= rising(0.0025, n_samples)
    knock(40_000 + pitch, 0.008, 16, 0.10, out)
    return out

"""Textures of v1.1: what lies under the music and never repeats soon enough to be noticed."""

from __future__ import annotations

from typing import Final

import numpy as np

from astradio_stream.audio.exact import (
    F32,
    decay,
    noise,
    phase,
    phase_step,
    sine,
    swell,
)
from astradio_stream.audio.instrument import loop_samples
from astradio_stream.audio.v1_1.waves import banded, place, rubbed, tiled
from astradio_stream.units import SAMPLE_RATE_HZ

VINYL_LOOP_S: Final = 6.0
NOISE_LOOP_S: Final = 7.0
_TICKS: Final = 90
_POPS: Final = 9


def _dust(out: F32, key: int, n_specks: int, n_window: int, half_life_s: float) -> None:
    """Add specks of dust at random places (wrapping round) to `out`, (2, n_samples)."""
    n_samples = out.shape[1]
    raw = np.random.Philox(key=key).random_raw(3 * n_specks)
    n_speck = round(9 * half_life_s * SAMPLE_RATE_HZ)
    fall = decay(half_life_s, n_speck) * swell(0.0003, n_speck)
    for number in range(n_specks):
        spot, strength, pan = (int(raw[3 * number + part] >> np.uint64(40)) for part in range(3))
        start = spot * (n_samples - n_speck) >> 24
        loudness = strength / 16_777_216.0
        speck = rubbed(noise(key + 1 + number, n_speck), n_window) * fall
        speck *= np.float32(0.15 + 0.85 * loudness * loudness * loudness)
        place(out[:, start : start + n_speck], speck, pan / 8_388_608.0 - 1.0)


def vinyl(pitch: int, n_samples: int) -> F32:
    """Make the run-in of an old record: crackle, few pops, the air of the groove."""
    n_round = loop_samples(pitch, VINYL_LOOP_S, SAMPLE_RATE_HZ)
    out = np.zeros((2, n_round), np.float32)
    _dust(out, 61_000, _TICKS, 4, 0.0006)
    _dust(out, 62_000, _POPS, 16, 0.0025)
    for side in (0, 1):
        hiss = noise(63_000 + side, n_round)
        out[side] += banded(hiss, 4, 64) * np.float32(0.022)
        out[side] += banded(noise(65_000 + side, n_round), 2, 8) * np.float32(0.006)
    return tiled(out, n_samples) * swell(0.25, n_samples)


def sea(pitch: int, n_samples: int) -> F32:
    """Make a soft sea: dark noise in two waves that come and go, one round long."""
    n_round = loop_samples(pitch, NOISE_LOOP_S, SAMPLE_RATE_HZ)
    once = phase_step(SAMPLE_RATE_HZ / n_round)
    out = np.zeros((2, n_round), np.float32)
    for side in (0, 1):
        rough = noise(64_000 + side, n_round)
        surf = banded(rough, 8, 64)
        deep = banded(rough, 32, 256)
        spray = banded(noise(66_000 + side, n_round), 2, 8)
        near = sine(phase(once, n_round, 715827882 * side))
        far = sine(phase(2 * once, n_round, 1431655765 + 1000000000 * side))
        out[side] += deep * (near * np.float32(0.30) + np.float32(0.75))
        out[side] += surf * (
            near * far * np.float32(0.10) + near * np.float32(0.08) + np.float32(0.16)
        )
        out[side] += spray * (near * np.float32(0.018) + np.float32(0.030))
    return tiled(out, n_samples) * swell(0.8, n_samples)

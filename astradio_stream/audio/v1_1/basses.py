"""Basses of v1.1: dry and in the middle, one channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.exact import frequency_hz
from astradio_stream.audio.v1_1.partials import Partial, rung, wavetable
from astradio_stream.audio.v1_1.waves import (
    fading,
    harmonics,
    knock,
    loop_of,
    low_pass,
    read,
    resonance,
    rising,
    sine_of,
    turn,
    without_offset,
)

if TYPE_CHECKING:
    from astradio_stream.audio.exact import F32

BASS_LOOP_S: Final = 0.8


def sub(pitch: int, n_samples: int) -> F32:
    """Make a deep tone that comes and stays: a sine, warmed so that small speakers tell it."""
    loop = loop_of(pitch, BASS_LOOP_S)
    turned = loop.turn(loop.base_hz, n_samples)
    wave = read(wavetable((1.0, 0.20, 0.09, 0.02)), turned)
    return wave[np.newaxis] * rising(0.035, n_samples)


def upright(pitch: int, n_samples: int) -> F32:
    """Make an upright bass: a finger's thump, a string that growls and soon sings, a big box."""
    base = frequency_hz(pitch)
    string, growl = [], []
    for number, frequency in harmonics(base, 3_600.0):
        if number > 36:
            break
        box = (
            0.45
            + 0.8 * resonance(frequency, 105.0, 60.0)
            + 0.45 * resonance(frequency, 240.0, 120.0)
        )
        amplitude = box * low_pass(frequency, 780.0) / (0.5 + 0.5 * number)
        half_life_s = (0.62 - 0.008 * (pitch - 28)) / (0.75 + 0.25 * number)
        stretched = frequency * (1.0 + 0.00010 * number * number)
        string.append(Partial(stretched, amplitude, half_life_s))
        # The growl: higher harmonics bloom a little after the finger has left.
        if 3 <= number <= 9:
            growl.append(Partial(stretched * 1.0007, amplitude * 0.5, half_life_s * 0.9))
    out = rung(1, n_samples, string)
    out += rung(1, n_samples, growl) * rising(0.09, n_samples)
    out *= rising(0.010, n_samples)
    knock(44_000 + pitch, 0.012, 32, 0.22, out)
    knock(46_000 + pitch, 0.004, 4, 0.035, out)  # the finger leaves the string
    return out


def bass(pitch: int, n_samples: int) -> F32:
    """Make a round electric bass, slightly overdriven: its low-pass falls, its root stays."""
    base = frequency_hz(pitch)
    turned = turn(base, n_samples)
    low, high = [], []
    for number, frequency in harmonics(base, 3_200.0):
        amplitude = low_pass(frequency, 1_000.0) / number
        low.append(amplitude if number < 4 else 0.0)
        high.append(amplitude if number >= 4 else 0.0)
    wave = read(wavetable(low, odd=True), turned) * fading(0.75, n_samples)
    wave += read(wavetable(high, odd=True), turned) * fading(0.14, n_samples)
    wave *= rising(0.006, n_samples)
    # x / (1 + |x| / 3): what a warm stage makes of it; odd, so no direct component.
    wave /= np.float32(1.0) + np.abs(wave) * np.float32(0.45)
    out = without_offset(wave, fading(0.3, n_samples) * rising(0.01, n_samples))[np.newaxis]
    knock(45_000 + pitch, 0.005, 4, 0.05, out)
    return out


def organbass(pitch: int, n_samples: int) -> F32:
    """Make a house organ bass: hollow, with a percussive third harmonic at the start."""
    loop = loop_of(pitch, BASS_LOOP_S)
    turned = loop.turn(loop.base_hz, n_samples)
    wave = read(wavetable((1.0, 0.42, 0.10, 0.16, 0.0, 0.06)), turned)
    wave += sine_of(turned * np.uint32(3)) * fading(0.07, n_samples) * np.float32(0.45)
    wave += sine_of(turned * np.uint32(8)) * fading(0.02, n_samples) * np.float32(0.12)
    return wave[np.newaxis] * rising(0.006, n_samples)

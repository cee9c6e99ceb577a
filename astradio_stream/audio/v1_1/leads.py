"""Solo voices of v1.1: one player each, whose vibrato arrives after the note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.v1_1.ensemble import Voice, opened, section
from astradio_stream.audio.v1_1.partials import wavetable
from astradio_stream.audio.v1_1.waves import (
    RATE_HZ,
    bend,
    fading,
    harmonics,
    loop_of,
    low_pass,
    read,
    resonance,
    rising,
    scatter,
    tiled,
)

if TYPE_CHECKING:
    from astradio_stream.audio.exact import F32
    from astradio_stream.audio.v1_1.waves import Loop

LEAD_LOOP_S: Final = 0.8
SAW_LOOP_S: Final = 1.1
_VIBRATO_WAITS_S: Final = 0.16
_VIBRATO_ARRIVES_S: Final = 0.42


def _late_swing(loop: Loop, rate_hz: float, n_samples: int) -> F32:
    """Return a vibrato's swing that waits, then grows to its full depth."""
    arrival = np.zeros(n_samples, np.float32)
    n_waiting = round(_VIBRATO_WAITS_S * RATE_HZ)
    arrival[n_waiting:] = rising(_VIBRATO_ARRIVES_S, n_samples - n_waiting)
    return loop.slow(rate_hz, n_samples, scatter(loop.pitch, 3)) * arrival


def _breath(loop: Loop, key: int, n_samples: int, windows: tuple[int, int]) -> F32:
    """Return noise between two windows of running means, repeated every round."""
    return tiled(loop.band(key, *windows), n_samples)


def _hiss(loop: Loop, key: int, n_samples: int) -> F32:
    """Return the air about a player, repeated every round."""
    return tiled(loop.hiss(key), n_samples)


def flute(pitch: int, n_samples: int) -> F32:
    """Make a quiet flute: few partials, breath, a chiff, a vibrato more of strength than pitch."""
    loop = loop_of(pitch, LEAD_LOOP_S)
    base = loop.base_hz
    shape = (1.0, 0.0, 0.10, 0.0, 0.02)
    over = (0.0, 0.38, 0.07, 0.06, 0.02, 0.01)
    top = int(8_500.0 / base)
    swing = _late_swing(loop, 4.9, n_samples)
    turned = loop.turn(base, n_samples)
    turned += bend(swing, base, 4.9, 7.0)
    wave = read(wavetable(shape[:top]), turned)
    wave *= swing * np.float32(0.07) + np.float32(1.0)
    bright = read(wavetable(over[:top]), turned)
    bright *= swing * np.float32(0.30) + np.float32(1.0)
    wave += bright * rising(0.16, n_samples)
    wave *= rising(0.06, n_samples)
    air = _breath(loop, 41_000 + pitch, n_samples, (2, 16))
    chiff = fading(0.035, n_samples) * np.float32(0.07) + np.float32(0.020)
    chiff *= rising(0.015, n_samples)
    wave += air * chiff
    wave += _hiss(loop, 51_000 + pitch, n_samples) * (chiff * np.float32(0.7))
    return np.stack([wave, wave])


def lead(pitch: int, n_samples: int) -> F32:
    """Make a reed behind a mute: odd harmonics first, a nasal resonance, a soft tongue."""
    loop = loop_of(pitch, LEAD_LOOP_S)
    body, sheen = [], []
    for number, frequency in harmonics(loop.base_hz, 7_000.0):
        even = 1.0 if number & 1 else 0.28 + 0.03 * number
        mute = 0.40 + 0.75 * resonance(frequency, 1_450.0, 800.0)
        amplitude = even * mute * low_pass(frequency, 2_600.0) / number
        body.append(amplitude if number < 5 else amplitude * 0.3)
        sheen.append(amplitude * 0.8 if number > 2 else 0.0)
    swing = _late_swing(loop, 5.3, n_samples)
    turned = loop.turn(loop.base_hz, n_samples)
    turned += bend(swing, loop.base_hz, 5.3, 11.0)
    wave = read(wavetable(body), turned) * rising(0.035, n_samples)
    bright = read(wavetable(sheen), turned)
    bright *= swing * np.float32(0.14) + np.float32(1.0)
    # The tongue: a moment of brightness more than the note then keeps.
    bright *= fading(0.06, n_samples) * np.float32(0.45) + np.float32(1.0)
    wave += bright * rising(0.055, n_samples)
    air = _breath(loop, 42_000 + pitch, n_samples, (4, 32))
    wave += air * (fading(0.03, n_samples) * np.float32(0.03) + np.float32(0.007))
    wave += _hiss(loop, 53_000 + pitch, n_samples) * np.float32(0.006)
    wave *= rising(0.012, n_samples)
    return np.stack([wave, wave])


def violin(pitch: int, n_samples: int) -> F32:
    """Make a solo violin: its partials pass through the body's resonances as the finger rocks.

    **Source:** resonances as in `sustained.strings`.
    """
    loop = loop_of(pitch, LEAD_LOOP_S)
    body, sheen = [], []
    for number, frequency in harmonics(loop.base_hz, 8_000.0):
        wood = 0.35 + 0.7 * resonance(frequency, 460.0, 120.0)
        wood += 0.6 * resonance(frequency, 705.0, 160.0) + 0.30 * resonance(
            frequency, 1_100.0, 250.0
        )
        wood += 0.75 * resonance(frequency, 2_500.0, 1_000.0)
        amplitude = wood * low_pass(frequency, 7_400.0) / number
        # What rocks with the finger: odd and even harmonics climb opposite sides of resonances.
        body.append(amplitude * (1.0 if number & 1 else 0.55))
        sheen.append(amplitude * (0.10 if number & 1 else 0.45))
    swing = _late_swing(loop, 5.6, n_samples)
    turned = loop.turn(loop.base_hz, n_samples)
    turned += bend(swing, loop.base_hz, 5.6, 17.0)
    wave = read(wavetable(body), turned) * rising(0.075, n_samples)
    bright = read(wavetable(sheen), turned)
    bright *= swing * np.float32(0.40) + np.float32(1.0)
    wave += bright * rising(0.13, n_samples)
    wave *= swing * np.float32(0.05) + np.float32(1.0)
    bow = _breath(loop, 43_000 + pitch, n_samples, (2, 16))
    scratch = fading(0.04, n_samples) * np.float32(0.05) + np.float32(0.012)
    scratch *= rising(0.02, n_samples)
    wave += bow * scratch
    wave += _hiss(loop, 52_000 + pitch, n_samples) * (scratch * np.float32(1.2))
    return np.stack([wave, wave])


_SAW: Final = (
    Voice(-12.0, -0.95, 1.0, 0.0, 0.8, 0.60),
    Voice(-7.0, 0.7, 1.0, 0.0, 1.6, 0.62),
    Voice(-3.5, -0.5, 1.0, 0.0, 0.8, 0.65),
    Voice(0.0, 0.0, 1.0, 0.0, 0.0, 1.00),
    Voice(3.5, 0.5, 1.0, 0.0, 1.6, 0.65),
    Voice(7.0, -0.7, 1.0, 0.0, 0.8, 0.62),
    Voice(12.0, 0.95, 1.0, 0.0, 1.6, 0.60),
)


def saw(pitch: int, n_samples: int) -> F32:
    """Make a wide stack of seven saws with its edge taken off."""
    loop = loop_of(pitch, SAW_LOOP_S)
    body, sheen = [], []
    for number, frequency in harmonics(loop.base_hz, 8_000.0):
        amplitude = low_pass(frequency, 5_600.0) / number
        body.append(amplitude if number < 6 else amplitude * 0.4)
        sheen.append(0.0 if number < 6 else amplitude * 0.6)
    parts = section(loop, _SAW, wavetable(body), wavetable(sheen))
    return opened(parts, n_samples, 0.02, 0.09)

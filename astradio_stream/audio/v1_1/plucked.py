"""Plucked strings and short synthetic tones of v1.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.exact import frequency_hz, noise
from astradio_stream.audio.v1_1.partials import Partial, rung, wavetable
from astradio_stream.audio.v1_1.waves import (
    RATE_HZ,
    cents,
    fading,
    harmonics,
    knock,
    low_pass,
    place,
    read,
    rising,
    rubbed,
    scatter,
    sine_of,
    turn,
)

if TYPE_CHECKING:
    from astradio_stream.audio.exact import F32


def harp(pitch: int, n_samples: int) -> F32:
    """Make a harp string, plucked near its middle by the ball of a finger."""
    base = frequency_hz(pitch)
    string = []
    for number, frequency in harmonics(base):
        if number > 24:
            break
        # Plucked at 0.44 of its length: odd harmonics strong, as in sin(0.44 pi n) / n.
        where = float(sine_of(turn(RATE_HZ * 0.22 * number, 2))[1])
        amplitude = (0.12 + abs(where)) * low_pass(frequency, 4_400.0) / number
        half_life_s = (0.62 - 0.008 * (pitch - 60)) / (0.66 + 0.34 * number)
        stretched = frequency * (1.0 + 0.00006 * number * number)
        pan = 0.50 if number & 1 else -0.65
        start = scatter(pitch, number * number)
        string.append(Partial(stretched, amplitude, half_life_s, pan, start))
    out = rung(2, n_samples, string)
    out *= rising(0.0025, n_samples)
    knock(35_000 + pitch, 0.004, 4, 0.06, out)
    return out


_PICKED_AT: Final = 0.19
"""Where along the string the finger pulls (ratio)."""
_BODY: Final = ((98.0, 0.10, 0.030), (203.0, 0.07, 0.022), (391.0, 0.03, 0.012))
"""Resonances of the box: frequency (Hz), amplitude, half-life (s)."""


def _loss(period: float, half_life_s: float) -> float:
    """Return 2^(-period / half-life) by the Padé approximant that `exact.decay` uses."""
    x = 0.34657359027997264 * period / (half_life_s * RATE_HZ)
    return (1.0 - x + x * x / 3.0) / (1.0 + x + x * x / 3.0)


_N_TAPS: Final = 7
_BLOCK: Final = 640
"""About how many samples of a string are made at once."""
_LEAST_TAP: Final = 1e-6
"""What a tap gives at least, or it is left out: a hundred blocks of it stay below -80 dB."""


def _string_taps(period: float, damping: float, gain: float, whole: int) -> list[float]:
    """Return the taps of a string's loop, from a delay of `whole` samples on.

    The taps are a damping (s, 1 - 2s, s), late by one sample at all frequencies, times Lagrange's
    cubic for the fraction of a sample.

    **Source:** K. Karplus, A. Strong, "Digital synthesis of plucked-string and drum timbres",
    Computer Music Journal 7/2, 1983; T. I. Laakso et al., "Splitting the unit delay", IEEE Signal
    Processing Magazine 13/1, 1996, eq. (42).
    """
    first_tap = int(period) - 2 - whole
    d = period - int(period) + 1.0
    cubic = (
        -(d - 1.0) * (d - 2.0) * (d - 3.0) / 6.0,
        d * (d - 2.0) * (d - 3.0) / 2.0,
        -d * (d - 1.0) * (d - 3.0) / 2.0,
        d * (d - 1.0) * (d - 2.0) / 6.0,
    )
    taps = [0.0] * _N_TAPS
    for first, weight in enumerate(cubic, first_tap):
        taps[first] += gain * damping * weight
        taps[first + 1] += gain * (1.0 - 2.0 * damping) * weight
        taps[first + 2] += gain * damping * weight
    return taps


def _passed(taps: list[float], n_passes: int) -> list[float]:
    """Return the taps of several passes through a loop: their product as polynomials."""
    product = [1.0]
    for _ in range(n_passes):
        longer = [0.0] * (len(product) + len(taps) - 1)
        for here, weight in enumerate(product):
            for there, tap in enumerate(taps):
                longer[here + there] += weight * tap
        product = longer
    return product


def _ring_on(
    string: F32, spans: tuple[int, int, int], delay: int, planes: list[list[float]]
) -> None:
    """Add to a string, (2, n), from `start` to `stop` by `block`, what its past leads to."""
    start, stop, n_block = spans
    weights = [
        (delay + late, np.array(pair, np.float32)[:, np.newaxis])
        for late, pair in enumerate(zip(*planes, strict=True))
        if max(map(abs, pair)) > _LEAST_TAP
    ]
    scratch = np.empty((2, n_block), np.float32)
    for here in range(start, stop, n_block):
        n_here = min(n_block, stop - here)
        block, part = string[:, here : here + n_here], scratch[:, :n_here]
        for late, pair in weights:
            np.multiply(string[:, here - late : here - late + n_here], pair, out=part)
            block += part


def _karplus_strong(pulse: F32, n_pulse: int, whole: int, planes: list[list[float]]) -> F32:
    """Return a string of two planes, shape of `pulse`, each passing its past through its taps.

    A block needs earlier blocks only, so it may be as long as the delay. Once the pulse is over,
    several passes are made as one, that high strings take fewer and longer blocks.

    Args:
        pulse: How it is plucked, shape (2, n_samples).
        n_pulse: Samples after which the pulse is silent.
        whole: Delay of the first tap (samples).
        planes: The taps of each plane.
    """
    n_samples = pulse.shape[1]
    n_passes = max(1, _BLOCK // whole)
    reach = n_passes * (whole + _N_TAPS)
    string = np.zeros((2, reach + n_samples), np.float32)
    string[:, reach:] = pulse
    alone = min(n_samples, n_pulse + reach)
    _ring_on(string, (reach, reach + alone, whole), whole, planes)
    many = [_passed(taps, n_passes) for taps in planes]
    n_block = n_passes * whole
    _ring_on(string, (reach + alone, reach + n_samples, n_block), n_block, many)
    return string[:, reach:]


def guitar(pitch: int, n_samples: int) -> F32:
    """Make a nylon string that swings in two planes, on a small wooden box."""
    base = frequency_hz(pitch)
    period = RATE_HZ / base
    pulse = np.zeros((2, n_samples), np.float32)
    n_period = int(period)
    soft = 8 if pitch < 55 else 4  # samples of string that the finger's flesh covers
    finger = noise(36_000 + pitch, n_period + 2 * soft) * np.float32(0.05)
    finger[soft // 2] += np.float32(soft)
    finger = rubbed(finger, soft)
    picked = round(period * _PICKED_AT)
    pulse[:, : len(finger)] += finger
    pulse[:, picked : picked + len(finger)] -= finger
    half_life_s = 0.95 - 0.011 * (pitch - 40)
    whole = int(period * 0.9998) - 2
    damping = 0.050 - 0.0005 * (pitch - 40)
    taps = [
        _string_taps(period * off, damping, _loss(period, loss_s), whole)
        for off, loss_s in ((1.0002, half_life_s), (0.9998, half_life_s * 0.6))
    ]
    planes = _karplus_strong(pulse, picked + len(finger), whole, taps)
    out = planes + planes[::-1] * np.float32(0.35)
    out *= rising(0.0015, n_samples)
    out += rung(2, n_samples, [Partial(*resonance) for resonance in _BODY])
    knock(37_000 + pitch, 0.005, 8, 0.10, out)
    knock(47_000 + pitch, 0.003, 2, 0.04, out)  # the nail
    out *= rising(0.0010, n_samples)
    return out


def _filtered(
    pitch: int,
    n_samples: int,
    voices: tuple[tuple[float, float, float], ...],
    body_s: float,
    opened: float,
) -> F32:
    """Return saw-like voices (cents, pan, gain) whose higher harmonics die sooner."""
    base = frequency_hz(pitch)
    bands: tuple[list[float], ...] = ([], [], [])
    for number, frequency in harmonics(base, 8_000.0):
        amplitude = low_pass(frequency, 4_200.0) / number
        here = 0 if number < 3 else 1 if number < 7 else 2
        for band, amplitudes in enumerate(bands):
            amplitudes.append(amplitude * (1.0, opened, opened)[band] if band == here else 0.0)
    tables = [wavetable(band) for band in bands]
    falls = [fading(body_s * share, n_samples) for share in (1.0, 0.55, 0.30)]
    out = np.zeros((2, n_samples), np.float32)
    for number, (off, pan, gain) in enumerate(voices):
        # Nearly together at first, or some notes would begin with a hole.
        turned = turn(base * cents(off), n_samples, scatter(pitch, number) >> 3)
        wave = read(tables[0], turned) * falls[0]
        wave += read(tables[1], turned) * falls[1]
        wave += read(tables[2], turned) * falls[2]
        place(out, wave * np.float32(gain), pan)
    return out


def pluck(pitch: int, n_samples: int) -> F32:
    """Make a synthetic pluck: three saws behind a low-pass that falls at once."""
    half_life_s = 0.22 - 0.0022 * (pitch - 60)
    voices = ((-6.0, -0.7, 0.5), (0.0, 0.0, 1.0), (6.0, 0.7, 0.5))
    return _filtered(pitch, n_samples, voices, half_life_s, 1.2) * rising(0.003, n_samples)


def stab(pitch: int, n_samples: int) -> F32:
    """Make one tone of a chord stab: three saws, short, as if sampled from an old record."""
    voices = ((-9.0, -0.8, 0.6), (0.0, 0.1, 1.0), (9.0, 0.8, 0.6))
    body = _filtered(pitch, n_samples, voices, 0.20, 1.1)
    gate = np.ones(n_samples, np.float32)
    n_held = round(0.16 * RATE_HZ)
    gate[n_held:] = fading(0.055, n_samples - n_held)
    return body * gate * rising(0.004, n_samples)

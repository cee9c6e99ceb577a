"""How each instrument of model v1.0 makes one dry note: additive, band-limited, exact.

Sums of sines have no aliases as long as no partial passes half the sample rate, and their decay
per partial is what tells a felt piano from a harp from a bell.
"""

from __future__ import annotations

import numpy as np

from astradio_stream.audio.exact import (
    F32,
    decay,
    frequency_hz,
    n_control_points,
    noise,
    phase,
    phase_step,
    segments_to_samples,
    sine,
    swell,
)
from astradio_stream.units import SAMPLE_RATE_HZ

_HIGHEST_PARTIAL_HZ = 13_000.0
_INAUDIBLE_HALVINGS = 14  # 2^-14 is -84 dB


def _ring(
    out: F32, frequency: float, amplitude: float, half_life_s: float, start_turn: int = 0
) -> None:
    """Add one decaying partial to `out` (n_samples,), for as long as it can be heard."""
    if frequency > _HIGHEST_PARTIAL_HZ:
        return
    n_samples = min(len(out), round(_INAUDIBLE_HALVINGS * half_life_s * SAMPLE_RATE_HZ))
    wave = sine(phase(phase_step(frequency), n_samples, start_turn))
    wave *= decay(half_life_s, n_samples)
    wave *= np.float32(amplitude)
    out[:n_samples] += wave


def _slow_sine(rate_hz: float, n_samples: int, turn: int) -> F32:
    """Return a slow sine drawn by its control points, shape (n_samples,)."""
    n_points = n_control_points(n_samples)
    points = sine(phase(phase_step(rate_hz * 32.0), n_points, turn))
    return segments_to_samples(points.astype(np.float64), n_samples)


def _stereo(left: F32, right: F32) -> F32:
    return np.stack([left, right])


def _scatter(pitch: int, partial: int) -> int:
    """Return a starting phase that differs for every pitch and partial (2^32 to the turn)."""
    return (pitch * 2654435761 + partial * 2246822519) & 0xFFFFFFFF


def pad(pitch: int, n_samples: int) -> F32:
    """Make a slow, breathing chord tone: two detuned choirs left and right, each partial moving."""
    base = frequency_hz(pitch)
    sides = []
    for side, cents in ((0, -4.5), (1, 4.5)):
        out = np.zeros(n_samples, np.float32)
        for partial in range(1, 10):
            frequency = base * partial * (1.0 + cents * 0.000578)
            if frequency > 4500.0:
                break
            turn = _scatter(pitch, partial * 2 + side)
            wave = sine(phase(phase_step(frequency), n_samples, turn))
            motion = _slow_sine(0.11 + 0.043 * partial, n_samples, turn)
            motion *= np.float32(0.16 + 0.05 * partial)
            motion += np.float32(1.0)
            wave *= motion
            wave *= np.float32(1.0 / (partial * (0.55 + 0.45 * partial)))
            out += wave
        sides.append(out)
    left = sides[0] + sides[1] * np.float32(0.45)
    right = sides[1] + sides[0] * np.float32(0.45)
    return _stereo(left, right) * swell(0.85, n_samples)


def bass(pitch: int, n_samples: int) -> F32:
    """Make a round plucked bass: few partials, a soft finger at the start, centre of the room."""
    base = frequency_hz(pitch)
    out = np.zeros(n_samples, np.float32)
    for partial, amplitude, half_life_s in (
        (1, 1.0, 0.95),
        (2, 0.42, 0.55),
        (3, 0.20, 0.30),
        (4, 0.10, 0.16),
        (5, 0.05, 0.09),
        (7, 0.03, 0.05),
    ):
        _ring(out, base * partial, amplitude, half_life_s)
    out *= swell(0.012, n_samples)
    return _stereo(out, out)


def sub(pitch: int, n_samples: int) -> F32:
    """Make a deep drone that comes and stays: a sine and a whisper of its octave."""
    base = frequency_hz(pitch)
    out = sine(phase(phase_step(base), n_samples))
    out += sine(phase(phase_step(base * 2.0), n_samples)) * np.float32(0.22)
    out += sine(phase(phase_step(base * 3.0), n_samples)) * np.float32(0.06)
    out *= swell(0.6, n_samples)
    return _stereo(out, out)


def keys(pitch: int, n_samples: int) -> F32:
    """Make a felt piano: slightly stretched partials, treble that dies first, a soft hammer."""
    base = frequency_hz(pitch)
    brightness = 0.62 - 0.004 * (pitch - 60)
    sides = []
    for side in (0, 1):
        out = np.zeros(n_samples, np.float32)
        amplitude = 1.0
        for partial in range(1, 11):
            stretch = 1.0 + 0.00022 * partial * partial
            beat = 1.0 + (0.00035 if side else -0.00035)
            half_life_s = (1.25 - 0.010 * (pitch - 48)) / (0.6 + 0.4 * partial)
            turn = _scatter(pitch, partial + 32 * side) if partial > 1 else 0
            _ring(out, base * partial * stretch * beat, amplitude, half_life_s, turn)
            amplitude *= brightness
        sides.append(out)
    note = _stereo(*sides) * swell(0.005, n_samples)
    note[:, :] += _hammer(pitch, n_samples)
    return note


def _hammer(pitch: int, n_samples: int) -> F32:
    """Return the knock of felt: 25 ms of dark noise, the same in both channels."""
    n_knock = round(0.06 * SAMPLE_RATE_HZ)
    rough = noise(7_000 + pitch, n_knock + 24)
    dark = np.zeros(n_knock, np.float32)
    for tap in range(24):  # a running mean: the exact low-pass
        dark += rough[tap : tap + n_knock]
    knock = dark * np.float32(1.0 / 24.0) * decay(0.008, n_knock) * np.float32(0.30)
    whole = np.zeros(n_samples, np.float32)
    whole[:n_knock] = knock * swell(0.002, n_knock)
    return whole


def pluck(pitch: int, n_samples: int) -> F32:
    """Make a harp-like string, plucked at a fifth of its length."""
    base = frequency_hz(pitch)
    sides = []
    for side in (0, 1):
        out = np.zeros(n_samples, np.float32)
        for partial in range(1, 15):
            comb = sine(phase(phase_step(SAMPLE_RATE_HZ * 0.1 * partial), 2))[1]
            amplitude = float(comb) / partial**0.5 / (0.5 + 0.5 * partial)
            half_life_s = (0.62 - 0.006 * (pitch - 60)) / (0.5 + 0.5 * partial)
            turn = _scatter(pitch, partial + 32 * side) if partial > 3 else 0
            stretch = 1.0 + 0.00008 * partial * partial + (0.0002 if side else 0.0)
            _ring(out, base * partial * stretch, amplitude, half_life_s, turn)
        sides.append(out)
    return _stereo(*sides) * swell(0.002, n_samples)


def flute(pitch: int, n_samples: int) -> F32:
    """Make a quiet flute: few partials, breath, a vibrato that arrives after the note."""
    base = frequency_hz(pitch)
    vibrato = _slow_sine(4.7 + 0.02 * (pitch - 72), n_samples, 0) * swell(0.9, n_samples)
    # A deviation of 0.46 % (8 cents) swung at 4.7 Hz bends the phase by deviation / 2 pi 4.7 Hz.
    turns = base * 0.0046 / (6.2832 * 4.7)
    bend = np.rint(vibrato * np.float32(turns * 4294967296.0)).astype(np.int64)
    out = np.zeros(n_samples, np.float32)
    for partial, amplitude in ((1, 1.0), (2, 0.34), (3, 0.16), (4, 0.05), (5, 0.03)):
        if base * partial > _HIGHEST_PARTIAL_HZ:
            break
        turn = phase(phase_step(base * partial), n_samples)
        turn += (bend * partial).astype(np.uint32)
        wave = sine(turn)
        wave *= np.float32(amplitude)
        if partial > 1:
            wave *= swell(0.05 * partial, n_samples)
        out += wave
    breath = noise(9_000 + pitch, n_samples + 2)
    air = (breath[:-2] + breath[1:-1] + breath[2:]) * np.float32(0.006)
    tremor = vibrato * np.float32(0.10)
    tremor += np.float32(1.0)
    out *= tremor
    out += air
    out *= swell(0.07, n_samples)
    return _stereo(out, out)


def bell(pitch: int, n_samples: int) -> F32:
    """Make a small bell: four inharmonic partials, decays falling with pitch.

    **Source:** ratios of an idealised bar-like bell, N. H. Fletcher and T. D. Rossing, "The
    Physics of Musical Instruments", 1998, chapter 19.
    """
    base = frequency_hz(pitch)
    left = np.zeros(n_samples, np.float32)
    right = np.zeros(n_samples, np.float32)
    for ratio, amplitude, half_life_s in (
        (1.0, 1.0, 0.85),
        (2.0, 0.18, 0.60),
        (2.76, 0.42, 0.42),
        (5.40, 0.20, 0.17),
        (8.93, 0.08, 0.07),
    ):
        _ring(left, base * ratio * 0.9996, amplitude, half_life_s)
        _ring(right, base * ratio * 1.0004, amplitude, half_life_s)
    return _stereo(left, right) * swell(0.0015, n_samples)

"""Waves and envelopes whose every bit is the same on every machine.

numpy's elementwise `+ - * /`, `sqrt`, `rint`, `minimum` follow IEEE 754 and give the same bits
everywhere. `sin`, `exp`, `sum`, `dot` and FFT do not: they differ in the last place between
CPUs and builds. So everything that reaches the PCM is made here of the first kind: sines from a
polynomial over an integer phase, decays from a product taken in order, noise from a counter.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from astradio_stream.units import SAMPLE_RATE_HZ

F32 = NDArray[np.float32]
U32 = NDArray[np.uint32]

# The equal-tempered semitone ratios 2^(n/12) above a note, as literals: `**` is a libm call.
_SEMITONE: Final = (
    1.0,
    1.0594630943592953,
    1.122462048309373,
    1.189207115002721,
    1.2599210498948732,
    1.3348398541700344,
    1.4142135623730951,
    1.4983070768766815,
    1.5874010519681994,
    1.681792830507429,
    1.7817974362806785,
    1.8877486253633868,
)
_C_MINUS_1_HZ: Final = 8.175798915643707  # MIDI pitch 0 when A4 (69) is 440 Hz

# sin(pi z) on [0, 1/2] as an odd polynomial; least-squares fit, off by 1e-8 (float32 itself 6e-8).
_SINE_ODD: Final = tuple(
    np.float32(c) for c in (0.0774471, -0.59816157, 2.55005101, -5.16770808, 3.14159260)
)

_CONTROL: Final = 32
"""Samples between two points of an envelope; straight lines in between (0.7 ms)."""


def frequency_hz(pitch: float) -> float:
    """Return the frequency (Hz) of an equal-tempered pitch (MIDI number, A4 = 69 = 440 Hz).

    Whole numbers are exact; a fraction bends the semitone by a straight line, which is off by
    less than 0.8 cents and the same everywhere.
    """
    whole = int(pitch // 1)
    octave, step = divmod(whole, 12)
    low = _C_MINUS_1_HZ * _SEMITONE[step] * float(1 << octave)
    return low * (1.0 + (pitch - whole) * (_SEMITONE[1] - 1.0))


def phase_step(frequency: float) -> int:
    """Return the step per sample of a 32-bit phase that turns at `frequency` (Hz)."""
    return round(frequency * 4294967296.0 / SAMPLE_RATE_HZ) & 0xFFFFFFFF


def phase(step: int, n_samples: int, start: int = 0) -> U32:
    """Return the phase (2^32 to the turn) of an oscillator, shape (n_samples,)."""
    ramp = np.arange(n_samples, dtype=np.uint32)
    ramp *= np.uint32(step)
    ramp += np.uint32(start & 0xFFFFFFFF)
    return ramp


def sine(turn: U32) -> F32:
    """Return the sine of a phase (2^32 to the turn) in [-1, 1], the shape of `turn`."""
    x = turn.view(np.int32).astype(np.float32)
    x *= np.float32(2.0**-31)
    z = np.abs(x)
    np.minimum(z, np.float32(1.0) - z, out=z)
    z2 = z * z
    y = z2 * _SINE_ODD[0]
    for coefficient in _SINE_ODD[1:-1]:
        y += coefficient
        y *= z2
    y += _SINE_ODD[-1]
    y *= z
    return np.copysign(y, x)


def segments_to_samples(points: NDArray[np.float64], n_samples: int) -> F32:
    """Return an envelope drawn by straight lines between control points 32 samples apart."""
    left = points[:-1].astype(np.float32)[:, np.newaxis]
    rise = np.diff(points).astype(np.float32)[:, np.newaxis]
    fraction = (np.arange(_CONTROL, dtype=np.float32) / np.float32(_CONTROL))[np.newaxis, :]
    drawn: F32 = (left + rise * fraction).reshape(-1)[:n_samples]
    return drawn


def straight(points: F32, n_between: int) -> F32:
    """Return straight lines between the points of a round, `n_between` samples apart."""
    step = np.float32(1.0 / n_between)
    slopes = (np.concatenate([points[1:], points[:1]]) - points) * step
    along = np.arange(n_between, dtype=np.float32)
    drawn: F32 = points[:, np.newaxis] + slopes[:, np.newaxis] * along
    return drawn.reshape(-1)


def n_control_points(n_samples: int) -> int:
    """Return how many control points cover `n_samples` samples."""
    return -(-n_samples // _CONTROL) + 1


def decay(half_life_s: float, n_samples: int) -> F32:
    """Return a decay from 1 that halves every `half_life_s` seconds, shape (n_samples,).

    The factor per control step is a rational stand-in for 2^(-step/half life), good to 1e-6.
    """
    x = 0.34657359027997264 * _CONTROL / (half_life_s * SAMPLE_RATE_HZ)  # ln 2 / 2 per step
    factor = (1.0 - x + x * x / 3.0) / (1.0 + x + x * x / 3.0)  # Padé approximant of exp(-2x)
    points = np.full(n_control_points(n_samples), factor)
    points[0] = 1.0
    return segments_to_samples(np.multiply.accumulate(points), n_samples)


def swell(attack_s: float, n_samples: int) -> F32:
    """Return a rise from 0 to 1 over `attack_s` seconds along 3x² - 2x³, shape (n_samples,)."""
    n_attack = max(1, round(attack_s * SAMPLE_RATE_HZ))
    x = np.arange(n_samples, dtype=np.float32) / np.float32(n_attack)
    np.minimum(x, np.float32(1.0), out=x)
    rise: F32 = x * x * (np.float32(3.0) - np.float32(2.0) * x)
    return rise


def noise(key: int, n_samples: int) -> F32:
    """Return white noise, uniform in [-1, 1), that belongs to `key`, shape (n_samples,)."""
    raw = np.random.Philox(key=key).random_raw(-(-n_samples // 2))
    whole = raw.view(np.int32)[:n_samples].astype(np.float32)
    return whole * np.float32(2.0**-31)

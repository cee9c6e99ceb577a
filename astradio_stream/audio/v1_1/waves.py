"""What the tonal instruments of v1.1 are put together from, at 24 000 samples a second.

Ringing partials for what is struck and plucked; wavetables read by many slightly different
voices for what is bowed, blown and sung; noise with its treble rubbed off for bows, breath and
felt. Half the rate halves memory and time, and costs only what lies above 9 kHz; drums and
textures, which live there, are made at the full rate (see `drums`, `textures`).

Whatever loops is made of whole turns in a loop: frequencies go through `turns_in`, and after
one loop every phase is where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.audio.exact import (
    F32,
    U32,
    decay,
    frequency_hz,
    noise,
    phase,
    swell,
)
from astradio_stream.audio.instrument import loop_samples

if TYPE_CHECKING:
    from collections.abc import Iterable

RATE_HZ: Final = 24_000
BRIGHTEST_HZ: Final = 9_000.0
"""No partial lies higher: the filter that doubles the rate is flat up to here."""
TABLE_BITS: Final = 15
ONE_TURN: Final = 1 << 32

# sin(pi z) on [-1/2, 1/2] as an odd polynomial, by least squares: with float32 off by 2e-7.
_SINE_ODD: Final = tuple(
    np.float32(c) for c in (0.0774471, -0.59816157, 2.55005101, -5.16770808, 3.14159260)
)
_QUARTER: Final = np.uint32(1 << 30)


def turn(frequency: float, n_samples: int, start: int = 0) -> U32:
    """Return the phase (2^32 to the turn) of an oscillator, shape (n_samples,)."""
    return phase(round(frequency * ONE_TURN / RATE_HZ) & 0xFFFFFFFF, n_samples, start)


def sine_of(turned: U32) -> F32:
    """Return the sine of a phase (2^32 to the turn), the shape of `turned`.

    Eight times as fast as `exact.sine`, since the phase is folded before it is a fraction.
    """
    # A quarter of a turn late, so that the fold at half a turn makes of the phase what the odd
    # polynomial takes, sign and all. The most negative phase is its own absolute value, read as
    # a whole number without a sign.
    folded = (turned - _QUARTER).view(np.int32)
    z = np.abs(folded, out=folded).view(np.uint32).astype(np.float32)
    z *= np.float32(-(2.0**-31))
    z += np.float32(0.5)
    z2 = z * z
    wave: F32 = z2 * _SINE_ODD[0]
    for coefficient in _SINE_ODD[1:-1]:
        wave += coefficient
        wave *= z2
    wave += _SINE_ODD[-1]
    wave *= z
    return wave


def fading(half_life_s: float, n_samples: int) -> F32:
    """Return a decay from 1 that halves every `half_life_s` seconds, shape (n_samples,)."""
    return decay(half_life_s / 2, n_samples)  # `decay` counts 48 000 samples to a second


def rising(attack_s: float, n_samples: int) -> F32:
    """Return a soft rise from 0 to 1 over `attack_s` seconds, shape (n_samples,)."""
    n_attack = min(n_samples, max(1, round(attack_s * RATE_HZ)))
    rise = np.ones(n_samples, np.float32)
    rise[:n_attack] = swell(attack_s / 2, n_attack)  # `swell` counts 48 000 samples to a second
    return rise


def scatter(pitch: int, part: int) -> int:
    """Return a starting phase that differs for every pitch and part (2^32 to the turn)."""
    return (pitch * 2654435761 + part * 2246822519) & 0xFFFFFFFF


def cents(amount: float) -> float:
    """Return the ratio of a small interval (cents); a straight line, 0.02 cents off at 15."""
    return 1.0 + amount * 0.00057779


def sides(pan: float) -> tuple[np.float32, np.float32]:
    """Return gains left and right of a place (-1 left … 1 right), of equal power."""
    return np.float32(sqrt((1.0 - pan) / 2.0)), np.float32(sqrt((1.0 + pan) / 2.0))


def place(out: F32, wave: F32, pan: float) -> None:
    """Add a wave (n_samples,) to `out` (n_channels, n_samples) at a place; one channel has none."""
    if len(out) == 1:
        out += wave
        return
    left, right = sides(pan)
    out[0] += wave * left
    out[1] += wave * right


def without_offset(wave: F32, envelope: F32) -> F32:
    """Return a wave less as much of its envelope as leaves it no direct component."""
    offset = np.add.accumulate(wave, dtype=np.float64)[-1]
    weight = np.add.accumulate(envelope, dtype=np.float64)[-1]
    return wave - envelope * np.float32(offset / weight)


# Noise.


def knock(key: int, half_life_s: float, n_window: int, amplitude: float, out: F32) -> None:
    """Add a short dark noise, the same in all channels, to the beginning of `out`."""
    n_samples = min(out.shape[1], round(9 * half_life_s * RATE_HZ))
    rough = rubbed(noise(key, n_samples), n_window)
    rough *= fading(half_life_s, n_samples)
    rough *= rising(0.0015, n_samples)
    rough *= np.float32(amplitude)
    out[:, :n_samples] += rough


def _running_mean(rough: F32, n_window: int) -> F32:
    """Return two running means over `n_window` (a power of two), going round."""
    reach = 2 * (n_window - 1)
    smooth = np.concatenate([rough[-reach:], rough]) if reach else rough
    for _ in range(2):
        n_summed = 1
        while n_summed < n_window:
            smooth = smooth[n_summed:] + smooth[:-n_summed]
            n_summed *= 2
    return smooth * np.float32(1.0 / (n_window * n_window))


def rubbed(rough: F32, n_window: int) -> F32:
    """Return noise without what lies above the rate / (2 `n_window`), about as loud as it was.

    It goes round: the end leads into the beginning. Windows are powers of two.
    """
    # White noise averaged twice over n keeps 2 / 3n of its power.
    return _running_mean(rough, n_window) * np.float32(sqrt(n_window * 1.5))


def banded(rough: F32, narrow: int, wide: int) -> F32:
    """Return noise between the rate / (2 `wide`) and the rate / (2 `narrow`), about as loud."""
    band = np.roll(_running_mean(rough, narrow), wide - narrow) - _running_mean(rough, wide)
    return band * np.float32(sqrt(narrow * 1.5))


def hissing(rough: F32) -> F32:
    """Return noise of breath, bow and friction, broad around 7 kHz, about as loud as it was.

    Four differences and two means of neighbours, going round: a fiftieth of the power above 10 kHz,
    where doubling the rate begins to mirror.
    """
    n_samples = len(rough)
    wide = np.concatenate([rough[-6:], rough])
    late = [wide[by : by + n_samples] for by in range(7)]
    air = late[3] * np.float32(4.0)
    air += late[0] + late[6]
    air -= late[2] + late[4]
    air -= (late[1] + late[5]) * np.float32(2.0)
    return air * np.float32(1.0 / sqrt(28.0))


# What is held.


def read(table: F32, turned: U32) -> F32:
    """Return a wavetable at a phase (2^32 to the turn), the shape of `turned`."""
    # `take` is six times slower where it must make its own indices of other whole numbers.
    return table.take((turned >> np.uint32(32 - TABLE_BITS)).astype(np.intp))


@dataclass(frozen=True, slots=True)
class Loop:
    """The round that a held note goes: its pitch and its samples."""

    pitch: int
    """MIDI number."""
    n_samples: int
    """Samples in one round."""

    @property
    def base_hz(self) -> float:
        """Frequency of the pitch (Hz): a whole number of turns in a round, within 0.1 cents."""
        return frequency_hz(self.pitch)

    def turn(self, frequency: float, n_samples: int, start: int = 0) -> U32:
        """Return a phase whose frequency is bent to the nearest whole number of turns a round."""
        n_turns = max(1, round(frequency * self.n_samples / RATE_HZ))
        return phase(round(n_turns * ONE_TURN / self.n_samples) & 0xFFFFFFFF, n_samples, start)

    def slow(self, frequency: float, n_samples: int, start: int = 0) -> F32:
        """Return a slow sine of whole turns a round, shape (n_samples,)."""
        return sine_of(self.turn(frequency, n_samples, start))

    def noise(self, key: int, n_window: int) -> F32:
        """Return one round of noise as `rubbed`, shape (n_samples,)."""
        return rubbed(noise(key, self.n_samples), n_window)

    def hiss(self, key: int) -> F32:
        """Return one round of noise as `hissing`, shape (n_samples,)."""
        return hissing(noise(key, self.n_samples))

    def band(self, key: int, narrow: int, wide: int) -> F32:
        """Return one round of noise as `banded`, shape (n_samples,)."""
        return banded(noise(key, self.n_samples), narrow, wide)


def loop_of(pitch: int, loop_s: float) -> Loop:
    """Return the round of a pitch that lasts about `loop_s` seconds."""
    return Loop(pitch, loop_samples(pitch, loop_s, RATE_HZ))


def bend(swing: F32, frequency: float, rate_hz: float, depth_cents: float) -> U32:
    """Return what a vibrato adds to the phase of an oscillator (2^32 to the turn).

    A swing at `rate_hz` by ± d Hz moves the phase by ± d / (2 pi rate) turns.
    """
    turns = frequency * (cents(depth_cents) - 1.0) / (6.283185307179586 * rate_hz)
    # 2^24 to the turn first: as fine as float32 is, and room for 128 turns.
    moved = np.rint(swing * np.float32(turns * (1 << 24))).astype(np.int32)
    added: U32 = moved.view(np.uint32) << np.uint32(8)
    return added


def tiled(round_: F32, n_samples: int) -> F32:
    """Return a round, shape (…, n), repeated up to `n_samples`."""
    n_times = -(-n_samples // round_.shape[-1])
    return np.concatenate([round_] * n_times, axis=-1)[..., :n_samples]


def harmonics(base_hz: float, brightest_hz: float = BRIGHTEST_HZ) -> Iterable[tuple[int, float]]:
    """Return (number, frequency) of the harmonics of a pitch that the bank can hold."""
    last = int(min(brightest_hz, BRIGHTEST_HZ) / (base_hz * 1.02))
    return [(number, base_hz * number) for number in range(1, max(1, last) + 1)]


def resonance(frequency: float, centre_hz: float, width_hz: float) -> float:
    """Return the gain of a resonance, 1 at its centre, one half a `width_hz` away in power."""
    away = (frequency - centre_hz) * 2.0 / width_hz
    return 1.0 / sqrt(1.0 + away * away)


def low_pass(frequency: float, corner_hz: float) -> float:
    """Return the gain of a gentle low-pass of the second order."""
    ratio = frequency / corner_hz
    return 1.0 / (1.0 + ratio * ratio)

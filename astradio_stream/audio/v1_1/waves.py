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
    sine,
    swell,
)
from astradio_stream.audio.instrument import loop_samples

if TYPE_CHECKING:
    from collections.abc import Iterable

RATE_HZ: Final = 24_000
BRIGHTEST_HZ: Final = 9_000.0
"""No partial lies higher: the filter that doubles the rate is flat up to here."""
_INAUDIBLE_HALVINGS: Final = 12  # 2^-12 is -72 dB below the partial's own start
_TABLE_BITS: Final = 15
_ONE_TURN: Final = 1 << 32

SINE: Final = sine(np.arange(1 << 16, dtype=np.uint32) << np.uint32(16))
"""One turn of a sine in 65 536 steps: -86 dB of error, in half the time of the polynomial."""


def turn(frequency: float, n_samples: int, start: int = 0) -> U32:
    """Return the phase (2^32 to the turn) of an oscillator, shape (n_samples,)."""
    return phase(round(frequency * _ONE_TURN / RATE_HZ) & 0xFFFFFFFF, n_samples, start)


def sine_of(turned: U32) -> F32:
    """Return the sine of a phase (2^32 to the turn), the shape of `turned`."""
    wave: F32 = SINE.take(turned >> np.uint32(16))
    return wave


def fading(half_life_s: float, n_samples: int) -> F32:
    """Return a decay from 1 that halves every `half_life_s` seconds, shape (n_samples,)."""
    return decay(half_life_s / 2, n_samples)  # `decay` counts 48 000 samples to a second


def rising(attack_s: float, n_samples: int) -> F32:
    """Return a soft rise from 0 to 1 over `attack_s` seconds, shape (n_samples,)."""
    return swell(attack_s / 2, n_samples)


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


# What rings.


def ring(
    out: F32,
    frequency: float,
    amplitude: float,
    half_life_s: float,
    *,
    pan: float = 0.0,
    start: int = 0,
) -> None:
    """Add one decaying partial to `out` (n_channels, n_samples), for as long as it is heard."""
    if frequency > BRIGHTEST_HZ:
        return
    n_samples = min(out.shape[1], round(_INAUDIBLE_HALVINGS * half_life_s * RATE_HZ))
    wave = sine_of(turn(frequency, n_samples, start))
    wave *= fading(half_life_s, n_samples)
    wave *= np.float32(amplitude)
    place(out[:, :n_samples], wave, pan)


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
    smooth = rough
    for _ in range(2):
        n_summed = 1
        while n_summed < n_window:
            smooth = smooth + np.roll(smooth, n_summed)
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


# What is held.


def wavetable(amplitudes: Iterable[float], *, odd: bool = False) -> F32:
    """Return one turn of a wave of harmonics 1, 2, …, in 32 768 steps.

    An `odd` wave is all sines, so that no odd curve gives it a direct component.
    """
    steps = np.arange(1 << _TABLE_BITS, dtype=np.uint32) << np.uint32(32 - _TABLE_BITS)
    wave = np.zeros(1 << _TABLE_BITS, np.float32)
    for harmonic, amplitude in enumerate(amplitudes, 1):
        if amplitude:
            # Phases apart from each other keep the peaks low (M. R. Schroeder, 1970).
            apart = 0 if odd else harmonic * (harmonic - 1) * (_ONE_TURN // 32)
            start = np.uint32(apart & 0xFFFFFFFF)
            wave += sine_of(steps * np.uint32(harmonic) + start) * np.float32(amplitude)
    return wave


def read(table: F32, turned: U32) -> F32:
    """Return a wavetable at a phase (2^32 to the turn), the shape of `turned`."""
    return table.take(turned >> np.uint32(32 - _TABLE_BITS))


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
        return phase(round(n_turns * _ONE_TURN / self.n_samples) & 0xFFFFFFFF, n_samples, start)

    def slow(self, frequency: float, n_samples: int, start: int = 0) -> F32:
        """Return a slow sine of whole turns a round, shape (n_samples,)."""
        return sine_of(self.turn(frequency, n_samples, start))

    def noise(self, key: int, n_window: int) -> F32:
        """Return one round of noise as `rubbed`, shape (n_samples,)."""
        return rubbed(noise(key, self.n_samples), n_window)

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
    moved = np.rint(swing * np.float32(turns * _ONE_TURN)).astype(np.int64)
    added: U32 = moved.astype(np.uint32)
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

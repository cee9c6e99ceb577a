"""Sums of many sines, made as products: what rings, and the wavetables of what is held.

A sine at sample 256 i + j is sin(a_i) cos(b_j) + cos(a_i) sin(b_j), and a decay splits in the same
way. So a partial costs two multiplies and two adds a sample, without a table or an envelope::

    coarse, one value per 256 samples  │  ×  fine, one value per sample ───
                                       │
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from astradio_stream.audio.exact import straight
from astradio_stream.audio.v1_1.waves import (
    BRIGHTEST_HZ,
    ONE_TURN,
    RATE_HZ,
    TABLE_BITS,
    place,
    sine_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from astradio_stream.audio.exact import F32, U32

F64 = NDArray[np.float64]

_FINE: Final = 256
_QUARTER: Final = np.uint32(1 << 30)
_INAUDIBLE_HALVINGS: Final = 12  # 2^-12 is -72 dB below the partial's own start
_DRAWN: Final = 4
"""Steps of a wavetable to each that is summed."""
_ONE_STEP: Final = ONE_TURN >> TABLE_BITS


class Partial(NamedTuple):
    """One decaying sine."""

    frequency_hz: float
    """Its frequency; one above `BRIGHTEST_HZ` is left out."""
    amplitude: float
    """Its amplitude at the start (ratio)."""
    half_life_s: float
    """Time in which it halves (seconds)."""
    pan: float = 0.0
    """Where it sits (-1 left … 1 right)."""
    start: int = 0
    """Its phase at the start (2^32 to the turn)."""


def _decays(half_lives_s: Iterable[float], n_coarse: int) -> tuple[F64, F64]:
    """Return decays by 256 samples, (n_partials, n_coarse), and by one, (n_partials, 256).

    The factor per sample is the Padé approximant of 2^(-1 / half life) that `exact.decay` uses.
    """
    x = np.array([0.34657359027997264 / (each * RATE_HZ) for each in half_lives_s])
    factor = ((1.0 - x + x * x / 3.0) / (1.0 + x + x * x / 3.0))[:, np.newaxis]
    fine = np.repeat(factor, _FINE, axis=1)
    fine[:, 0] = 1.0
    fine = np.multiply.accumulate(fine, axis=1)
    coarse = np.repeat(fine[:, -1:] * factor, n_coarse, axis=1)
    coarse[:, 0] = 1.0
    return np.multiply.accumulate(coarse, axis=1), fine


def _wheels(steps: U32, starts: U32, n_coarse: int) -> tuple[F32, F32, F32, F32]:
    """Return sine and cosine by 256 samples, (n, n_coarse), then by one, (n, 256)."""
    by_many = np.arange(n_coarse, dtype=np.uint32) * np.uint32(_FINE)
    by_one = np.arange(_FINE, dtype=np.uint32)
    coarse = steps[:, np.newaxis] * by_many + starts[:, np.newaxis]
    fine = steps[:, np.newaxis] * by_one
    return sine_of(coarse), sine_of(coarse + _QUARTER), sine_of(fine), sine_of(fine + _QUARTER)


def _add_products(
    out: F32, n_coarse: int, coarse: tuple[F32, F32], fine: tuple[F32, F32], scratch: F32
) -> None:
    """Add sin a cos b and cos a sin b to the first `n_coarse` rows of `out`, (…, 256)."""
    here, there = out[:n_coarse], scratch[:n_coarse]
    for column, row in zip(coarse, fine, strict=True):
        np.multiply(column[:n_coarse, np.newaxis], row, out=there)
        here += there


def rung(n_channels: int, n_samples: int, partials: Sequence[Partial]) -> F32:
    """Return decaying partials added up, each for as long as it is heard, (n_channels, n_samples).

    Partials at one place are added before they are spread over the channels: few places are cheap.
    """
    heard = [each for each in partials if each.frequency_hz <= BRIGHTEST_HZ]
    out = np.zeros((n_channels, n_samples), np.float32)
    if not heard:
        return out
    n_coarse = -(-n_samples // _FINE)
    steps = [round(each.frequency_hz * ONE_TURN / RATE_HZ) & 0xFFFFFFFF for each in heard]
    starts = [each.start & 0xFFFFFFFF for each in heard]
    sin_a, cos_a, sin_b, cos_b = _wheels(
        np.array(steps, np.uint32), np.array(starts, np.uint32), n_coarse
    )
    falls, fall = _decays([each.half_life_s for each in heard], n_coarse)
    falls *= np.array([each.amplitude for each in heard])[:, np.newaxis]
    sin_a, cos_a = sin_a * falls.astype(np.float32), cos_a * falls.astype(np.float32)
    sin_b, cos_b = sin_b * fall.astype(np.float32), cos_b * fall.astype(np.float32)

    scratch = np.empty((n_coarse, _FINE), np.float32)
    places: dict[float, F32] = {}
    for number, each in enumerate(heard):
        pan = each.pan if n_channels > 1 else 0.0
        if pan not in places:
            places[pan] = np.zeros((n_coarse, _FINE), np.float32)
        n_heard = _INAUDIBLE_HALVINGS * each.half_life_s * RATE_HZ
        n_rows = min(n_coarse, 1 + int(n_heard) // _FINE)
        coarse, fine = (sin_a[number], cos_a[number]), (cos_b[number], sin_b[number])
        _add_products(places[pan], n_rows, coarse, fine, scratch)
    for pan, waves in places.items():
        place(out, waves.reshape(-1)[:n_samples], pan)
    return out


def wavetable(amplitudes: Iterable[float], *, odd: bool = False) -> F32:
    """Return one turn of a wave of harmonics 1, 2, …, in 32 768 steps.

    Every fourth step is a sum of sines, the others lie on straight lines between them: of the
    hundredth harmonic that is 0.07 % off. An `odd` wave is all sines, so that no odd curve gives
    it a direct component.
    """
    rows = [(number, each) for number, each in enumerate(amplitudes, 1) if each]
    n_coarse = (1 << TABLE_BITS) // _DRAWN // _FINE
    wave = np.zeros((n_coarse, _FINE), np.float32)
    if rows:
        steps = [number * (_ONE_STEP * _DRAWN) for number, _ in rows]
        # Phases apart from each other keep the peaks low (M. R. Schroeder, 1970).
        apart = [0 if odd else number * (number - 1) * (ONE_TURN // 32) for number, _ in rows]
        starts = [each & 0xFFFFFFFF for each in apart]
        sin_a, cos_a, sin_b, cos_b = _wheels(
            np.array(steps, np.uint32), np.array(starts, np.uint32), n_coarse
        )
        loudness = np.array([each for _, each in rows], np.float32)[:, np.newaxis]
        sin_a *= loudness
        cos_a *= loudness
        scratch = np.empty_like(wave)
        for row in range(len(rows)):
            coarse, fine = (sin_a[row], cos_a[row]), (cos_b[row], sin_b[row])
            _add_products(wave, n_coarse, coarse, fine, scratch)
    return straight(wave.reshape(-1), _DRAWN)

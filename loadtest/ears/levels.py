"""How loud a sound is, how high it peaks, and whether it steps: loudness by pyloudnorm's filters.

**Source:** ITU-R BS.1770-4 (K-weighting, gates, true peak by fourfold oversampling); EBU Tech 3342
(loudness range: 95th less 10th percentile of the loudness of 3 s, gated 20 LU below the whole).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from pyloudnorm import Meter
from scipy.signal import resample_poly

from astradio_stream.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from loadtest.ears.excerpts import Wave

F64 = np.ndarray[tuple[int], np.dtype[np.float64]]

_STEP: Final = SAMPLE_RATE_HZ // 10
"""Blocks of 400 ms begin every 100 ms."""
_QUIETEST_LUFS: Final = -70.0
_BLOCK: Final = 10 * SAMPLE_RATE_HZ
"""Long sounds are oversampled piece by piece."""
_REACH: Final = 480
"""How far a piece reaches into its neighbours (samples): more than the filter does."""


def powers_of(wave: Wave) -> F64:
    """Return the K-weighted power of both channels together in each 100 ms, shape (n_tenths,)."""
    n_tenths = wave.shape[1] // _STEP
    total = np.zeros(n_tenths)
    for channel in wave:
        weighted = channel.astype(np.float64)
        for stage in Meter(SAMPLE_RATE_HZ)._filters.values():
            weighted = stage.apply_filter(weighted)
        total += np.square(weighted[: n_tenths * _STEP]).reshape(n_tenths, _STEP).mean(axis=1)
    return total


def _lufs(power: F64) -> F64:
    level: F64 = -0.691 + 10.0 * np.log10(np.maximum(power, 1e-12))
    return level


def _lufs_of_mean(power: F64) -> float:
    return float(_lufs(power.mean(keepdims=True))[0])


def _over(powers: F64, n_tenths: int) -> F64:
    """Return the mean power of each span of some tenths, one beginning every 100 ms."""
    summed = np.concatenate([[0.0], np.cumsum(powers)])
    means: F64 = np.maximum(summed[n_tenths:] - summed[:-n_tenths], 0.0) / n_tenths
    return means


def _gated(blocks: F64, below_lu: float) -> F64:
    """Return the blocks above silence that are not `below_lu` quieter than these together."""
    loud = blocks[_lufs(blocks) > _QUIETEST_LUFS]
    if not len(loud):
        return loud
    return loud[_lufs(loud) > _lufs_of_mean(loud) - below_lu]


def integrated_lufs(powers: F64) -> float:
    """Return the integrated loudness (LUFS) of tenths of a second."""
    kept = _gated(_over(powers, 4), 10.0)
    return _lufs_of_mean(kept) if len(kept) else -np.inf


def every_integrated_lufs(powers: F64, window_s: int, step_s: int) -> list[float]:
    """Return the integrated loudness of every window of a sound (LUFS)."""
    n_window = 10 * window_s
    starts = range(0, len(powers) - n_window + 1, 10 * step_s)
    return [integrated_lufs(powers[start : start + n_window]) for start in starts]


def loudness_range_lu(powers: F64) -> float:
    """Return the loudness range (LU)."""
    kept = _lufs(_gated(_over(powers, 30), 20.0))
    return float(np.percentile(kept, 95) - np.percentile(kept, 10))


def true_peak_db(wave: Wave) -> float:
    """Return the highest peak between samples, at four times the rate (dB of full scale)."""
    highest = 0.0
    for start in range(0, wave.shape[1], _BLOCK):
        piece = wave[:, max(0, start - _REACH) : start + _BLOCK + _REACH]
        highest = max(highest, float(np.abs(resample_poly(piece, 4, 1, axis=1)).max()))
    return float(20.0 * np.log10(max(highest, 1e-9)))


def direct_component(wave: Wave) -> float:
    """Return the larger of the channels' means, without sign (full scale 1)."""
    return float(np.abs(wave.mean(axis=1, dtype=np.float64)).max())


@dataclass(frozen=True, slots=True)
class Step:
    """A sample that its neighbours do not lead to."""

    at: int
    """Which sample."""
    height: float
    """How far it stands out (full scale 1)."""
    ratio: float
    """That, against what is ordinary within a few milliseconds."""


_NEAR: Final = 96
"""Samples on either side that say what is ordinary: 2 ms."""
CLICK: Final = 12.0
"""Ratio from which a step is a click."""
_SPREAD: Final = 4
"""The bend of a step touches so many samples on either side: they do not count as ordinary."""


def worst_step(wave: Wave, audible: float = 0.005) -> Step:
    """Return the step that stands out most from what surrounds it.

    A click is where the third difference, which music hardly has, is many times what it is in the
    2 ms before and after; noise and the blow of a drum have it all around. Noise stays below 7
    times, a crackle of vinyl below 10; a step of 2 % of full scale that nothing masks exceeds 50.

    Args:
        wave: Sound.
        audible: What is lower is not looked at (full scale 1): the quantiser's own grain.
    """
    worst = Step(0, 0.0, 0.0)
    for channel in wave:
        bend = np.abs(np.diff(channel, 3))
        places = np.flatnonzero(bend[_NEAR:-_NEAR] > audible) + _NEAR
        squares = np.concatenate([[0.0], np.cumsum(np.square(bend, dtype=np.float64))])
        inner = squares[places + _SPREAD + 1] - squares[places - _SPREAD]
        outer = squares[places + _NEAR] - squares[places - _NEAR] - inner
        usual = np.sqrt(np.maximum(outer, 0.0) / (2 * _NEAR - 2 * _SPREAD - 1))
        ratios = bend[places] / np.maximum(usual, 1e-4)
        if len(ratios) and float(ratios.max()) > worst.ratio:
            found = int(ratios.argmax())
            worst = Step(int(places[found]), float(bend[places[found]]), float(ratios[found]))
    return worst

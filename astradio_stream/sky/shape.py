"""The shape of a chart: how the ten planets are spread around the circle.

Music needs figures more than names: how gathered the planets are, how much of the circle stands
empty, and on which side of the horizon and the meridian they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.sky.bodies import N_PLANETS

if TYPE_CHECKING:
    from collections.abc import Sequence

_RING: Final = 360.0
_SECOND_GAP_DEG: Final = 60.0
"""Smallest second gap that parts the planets into two groups, or sets one of them apart."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How the planets are spread."""

    name: str
    """bundle, bowl, bucket, locomotive, seesaw, splash or splay."""
    occupied_deg: float
    """The shortest arc that holds all ten planets (degrees)."""
    largest_gap_deg: float
    """The longest empty arc (degrees)."""
    gathering: float
    """0 for planets spread evenly, 1 for all at one point: the length of the mean direction."""
    above_horizon: float | None
    """Share of the planets in houses 7 to 12; None without houses."""
    eastern: float | None
    """Share of the planets in houses 10 to 3, the rising side; None without houses."""


def shape_of(longitudes_deg: Sequence[float], houses: Sequence[int] | None) -> Shape:
    """Return the shape of a chart.

    Source of the seven patterns: Jones, The Guide to Horoscope Interpretation (1941). His wording
    leaves room; the figures used here stand in the code.

    Args:
        longitudes_deg: Of bodies in canonical order (degrees); those after Pluto are ignored.
        houses: Their houses, or None.
    """
    ring = np.sort(np.asarray(longitudes_deg[:N_PLANETS]) % _RING)
    gaps = np.diff(ring, append=ring[0] + _RING)
    largest, second = np.sort(gaps)[-1], np.sort(gaps)[-2]
    angle = np.radians(ring)
    gathering = float(np.hypot(np.cos(angle).mean(), np.sin(angle).mean()))
    first = None if houses is None else houses[:N_PLANETS]
    return Shape(
        name=_pattern_of(gaps, float(largest), float(second)),
        occupied_deg=round(_RING - float(largest), 6),
        largest_gap_deg=round(float(largest), 6),
        gathering=round(gathering, 6),
        above_horizon=None if first is None else sum(h >= 7 for h in first) / N_PLANETS,
        eastern=None if first is None else sum(h >= 10 or h <= 3 for h in first) / N_PLANETS,
    )


def _pattern_of(gaps: np.ndarray, largest: float, second: float) -> str:
    """Return the name of the pattern, given the arcs between neighbours in order (degrees)."""
    occupied = _RING - largest
    if occupied <= 120.0:
        return "bundle"
    if occupied <= 180.0:
        return "bowl"
    if second >= _SECOND_GAP_DEG:
        return "bucket" if _one_stands_apart(gaps) else "seesaw"
    if occupied <= 240.0:
        return "locomotive"
    return "splash" if largest <= _SECOND_GAP_DEG else "splay"


def _one_stands_apart(gaps: np.ndarray) -> bool:
    """Return whether one planet is parted from both neighbours by the two largest gaps."""
    i, j = np.argsort(gaps)[-2:]
    return bool(abs(i - j) in (1, gaps.size - 1))

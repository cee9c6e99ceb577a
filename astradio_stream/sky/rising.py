"""When the rising sign changes: twelve times a day, at a place.

The ascendant is looked at every five minutes and each change found by halving. Inside the polar
circles, where a sign may rise within less or not at all, some changes are passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.sky.ephemeris import rotation_at
from astradio_stream.sky.houses import horizon_at
from astradio_stream.sky.moment import FIRST_MOMENT, LAST_MOMENT, Moment
from astradio_stream.units import MICROSECONDS_PER_SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from astradio_stream.sky.values import Place

_GRID_US: Final = 300 * MICROSECONDS_PER_SECOND
_HALVINGS: Final = 12
"""From five minutes to 0.07 s."""


def rising_between(start: Moment, end: Moment, place: Place) -> list[tuple[Moment, int]]:
    """Return (second, sign 0 Aries … 11 Pisces) of each change from `start` to before `end`."""
    # The grid stands on whole five minutes, whatever was asked for: an event has one second only.
    first_us = start.utc_us - start.utc_us % _GRID_US
    grid = np.arange(first_us, end.utc_us + _GRID_US, _GRID_US)
    grid = grid.clip(FIRST_MOMENT.utc_us, LAST_MOMENT.utc_us)
    signs = _signs_at(grid, place)
    turns = np.nonzero(signs[1:] != signs[:-1])[0]
    before, after, old = grid[turns], grid[turns + 1], signs[turns]
    new = signs[turns + 1]
    for _ in range(_HALVINGS):
        # The grid reaches beyond what was asked for: what is known to lie there is left.
        is_asked = (before < end.utc_us) & (after > start.utc_us - MICROSECONDS_PER_SECOND)
        before, after, old, new = before[is_asked], after[is_asked], old[is_asked], new[is_asked]
        if not before.size:
            return []
        middle = (before + after) // 2
        is_old = _signs_at(middle, place) == old
        before, after = np.where(is_old, middle, before), np.where(is_old, after, middle)
    # The first whole second of the new sign.
    seconds = -(-after // MICROSECONDS_PER_SECOND) * MICROSECONDS_PER_SECOND
    found = zip(seconds.tolist(), new.tolist(), strict=True)
    return [(Moment(us), sign) for us, sign in found if start.utc_us <= us < end.utc_us]


def _signs_at(utc_us: NDArray[np.int64], place: Place) -> NDArray[np.int64]:
    """Return the signs that rise at some moments, shape (n_times,)."""
    turned_deg, obliquity_deg = rotation_at(utc_us)
    latitudes = np.full(utc_us.shape, place.lat_deg)
    horizon = horizon_at(turned_deg + place.lon_deg, latitudes, obliquity_deg)
    degrees = np.degrees(horizon.ascendant_rad) % 360.0
    signs: NDArray[np.int64] = (degrees // 30.0).astype(np.int64) % 12
    return signs

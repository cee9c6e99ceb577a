"""Many charts at once, as tenths of a degree: a thousand births in milliseconds, exactly.

`sky.ephemeris` is exact to a hundredth of an arcsecond and takes some 40 microseconds for a moment.
For a million births that is most of a minute, to learn what is then cut to a tenth of a degree. So
for many births the sky is computed on a grid of days, and each birth reads it by interpolation:

    longitudes       four days around the birth, with the speeds there: a polynomial of degree 7
    obliquity, sidereal time (less its mean rate)     the same four days, of degree 3

Wherever an interpolated value comes so close to the edge of a tenth that the error could carry it
over, that birth is computed in full. What comes out is therefore the same as one chart at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.compat.points import ABSENT, N_POINTS, tenths_of_degrees
from astradio_stream.sky.bodies import N_PLANETS, SUN
from astradio_stream.sky.chart import DECIMALS
from astradio_stream.sky.ephemeris import places_at, separation_deg
from astradio_stream.sky.houses import horizon_at
from astradio_stream.sky.moment import FIRST_MOMENT, LAST_MOMENT, MICROSECONDS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from astradio_stream.sky.births import Birth

MANY: Final = 4_096
"""From so many births on the grid pays."""
DOUBT_DEG: Final = 5e-6
"""Nearer than this to the edge of a tenth, a planet is computed in full. The interpolation was
never seen to err by more than a tenth of it (`tests/test_compat_positions.py`), and charts round to
a millionth."""
DOUBT_BY_THE_SUN_DEG: Final = 4e-3
"""The same for a planet by the Sun, whose mass bends its light within hours: too fast for a grid of
days. Seen: half of it."""
BY_THE_SUN_DEG: Final = 3.0
"""How far that reaches: as far as the Sun moves in the two days to the outermost day of the four,
and the width of its disc."""
DOUBT_ANGLE_DEG: Final = 5e-5
"""The same for ascendant and midheaven: an error of sidereal time grows with the latitude."""
STEEP_LATITUDE_DEG: Final = 60.0
"""Beyond, the ascendant may race or jump: always computed in full."""

_BLOCK: Final = 1 << 14
_SIDEREAL_DEG_PER_DAY: Final = 360.985_647_366
_NODES: Final = 4


def tenths_at(
    utc_us: NDArray[np.int64],
    lat_deg: NDArray[np.float64],
    lon_deg: NDArray[np.float64],
    time_known: NDArray[np.bool_],
) -> NDArray[np.uint16]:
    """Return the points of many charts.

    Args:
        utc_us: Moments (microseconds since 1970), shape (n_charts,).
        lat_deg: Latitudes (degrees, north positive), shape (n_charts,).
        lon_deg: Longitudes (degrees, east positive), shape (n_charts,).
        time_known: False where ascendant and midheaven are to be left out, shape (n_charts,).

    Returns:
        Tenths of a degree as in `compat.points`, shape (12, n_charts).

    Raises:
        OutsideEphemeris: if the planets are not known for one of the moments.
    """
    tenths = np.empty((N_POINTS, utc_us.size), dtype=np.uint16)
    if utc_us.size < MANY:
        tenths[:] = _in_full(utc_us, lat_deg, lon_deg, time_known)
        return tenths
    grid = _Grid(int(utc_us.min()), int(utc_us.max()))
    for i in range(0, utc_us.size, _BLOCK):
        block = slice(i, i + _BLOCK)
        birth = (utc_us[block], lat_deg[block], lon_deg[block], time_known[block])
        tenths[:, block], is_doubtful = grid.read(*birth)
        again = np.flatnonzero(is_doubtful)
        if again.size:
            tenths[:, i + again] = _in_full(
                birth[0][again], birth[1][again], birth[2][again], birth[3][again]
            )
    return tenths


def tenths_of_births(births: Sequence[Birth]) -> NDArray[np.uint16]:
    """Return the points of births as people write them, shape (12, n_births)."""
    moments = [birth.civil.moment.utc_us for birth in births]
    return tenths_at(
        np.array(moments, dtype=np.int64),
        np.array([birth.place.lat_deg for birth in births], dtype=np.float64),
        np.array([birth.place.lon_deg for birth in births], dtype=np.float64),
        np.array([birth.civil.time_known for birth in births], dtype=np.bool_),
    )


def _in_full(
    utc_us: NDArray[np.int64],
    lat_deg: NDArray[np.float64],
    lon_deg: NDArray[np.float64],
    time_known: NDArray[np.bool_],
) -> NDArray[np.uint16]:
    places = places_at(utc_us)
    horizon = horizon_at(places.sidereal_time_deg + lon_deg, lat_deg, places.obliquity_deg)
    angles = np.degrees((horizon.ascendant_rad, horizon.midheaven_rad)) % 360.0
    longitude = np.concatenate((places.longitude_deg[:N_PLANETS], angles))
    tenths = tenths_of_degrees(np.round(longitude, DECIMALS))
    tenths[N_PLANETS:, ~time_known] = ABSENT
    return tenths


class _Grid:
    """The sky day by day over a span."""

    def __init__(self, first_us: int, last_us: int) -> None:
        # Two days more on either side; at the ends of the ephemeris the outer nodes are missing and
        # whatever needs them is computed in full.
        day = MICROSECONDS_PER_DAY
        self._start_us = max((first_us // day - 2) * day, FIRST_MOMENT.utc_us)
        n_days = min(last_us // day + 3, LAST_MOMENT.utc_us // day) - self._start_us // day + 1
        days = np.arange(n_days, dtype=np.int64)
        places = places_at(self._start_us + days * day)
        # Rows are days, so that the nodes of a birth lie side by side in memory.
        longitude = np.unwrap(places.longitude_deg[:N_PLANETS], period=360.0)
        self._longitude_deg = np.ascontiguousarray(longitude.T)
        self._speed = np.ascontiguousarray(places.speed_deg_per_day[:N_PLANETS].T)
        sidereal = places.sidereal_time_deg - days * _SIDEREAL_DEG_PER_DAY
        self._slow = np.stack((np.unwrap(sidereal, period=360.0), places.obliquity_deg), axis=1)

    def read(
        self,
        utc_us: NDArray[np.int64],
        lat_deg: NDArray[np.float64],
        lon_deg: NDArray[np.float64],
        time_known: NDArray[np.bool_],
    ) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
        """Return the points of a block of charts, and which of them are to be computed in full."""
        since = (utc_us - self._start_us) / MICROSECONDS_PER_DAY
        first = np.floor(since).astype(np.int64) - 1
        is_inside = (first >= 0) & (first + _NODES <= self._slow.shape[0])
        first = np.clip(first, 0, self._slow.shape[0] - _NODES)
        t = (since - first)[:, None]

        value, slope = hermite_weights(t)
        longitude = np.zeros((utc_us.size, N_PLANETS))
        slow = np.zeros((utc_us.size, 2))
        plain = lagrange_weights(t)
        for node in range(_NODES):
            longitude += value[node] * self._longitude_deg[first + node]
            longitude += slope[node] * self._speed[first + node]
            slow += plain[node] * self._slow[first + node]
        longitude_deg = longitude.T % 360.0

        armc_deg = slow[:, 0] + since * _SIDEREAL_DEG_PER_DAY + lon_deg
        horizon = horizon_at(armc_deg % 360.0, lat_deg, slow[:, 1])
        angles_deg = np.degrees((horizon.ascendant_rad, horizon.midheaven_rad)) % 360.0

        by_the_sun = np.abs(separation_deg(longitude_deg[SUN], longitude_deg)) < BY_THE_SUN_DEG
        by_the_sun[SUN] = False
        doubt_deg = np.where(by_the_sun, DOUBT_BY_THE_SUN_DEG, DOUBT_DEG)
        is_doubtful = ~is_inside | (_edge_deg(longitude_deg) < doubt_deg).any(axis=0)
        is_steep = np.abs(lat_deg) > STEEP_LATITUDE_DEG
        near_edge = (_edge_deg(angles_deg) < DOUBT_ANGLE_DEG).any(axis=0)
        is_doubtful |= time_known & (is_steep | near_edge)
        angles_deg[:, ~time_known] = np.nan
        return tenths_of_degrees(np.concatenate((longitude_deg, angles_deg))), is_doubtful


def _edge_deg(longitude_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each longitude from the nearest edge of a tenth (degrees)."""
    tenths = longitude_deg * 10.0
    distance: NDArray[np.float64] = np.abs(tenths - np.rint(tenths)) / 10.0
    return distance


def lagrange_weights(t: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the weights of four values at 0, 1, 2, 3 for the value at `t`."""
    weights = []
    for node in range(_NODES):
        weight = np.ones_like(t)
        for other in range(_NODES):
            if other != node:
                weight = weight * (t - other) / (node - other)
        weights.append(weight)
    return weights


def hermite_weights(
    t: NDArray[np.float64],
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Return the weights of four values and of four slopes at 0, 1, 2, 3 for the value at `t`.

    Source: Burden and Faires, Numerical Analysis (9th ed., 2011), theorem 3.9.
    """
    values, slopes = [], []
    for node, weight in enumerate(lagrange_weights(t)):
        square = weight * weight
        steepness = sum(1.0 / (node - other) for other in range(_NODES) if other != node)
        values.append((1.0 - 2.0 * (t - node) * steepness) * square)
        slopes.append((t - node) * square)
    return values, slopes

"""Apparent geocentric places of all bodies: one vectorised pipeline from time to angles.

    UT1 -> TT -> TDB -> kernel -> light time, bending, aberration -> ecliptic of date

Positions are apparent, geocentric, on the true ecliptic and equinox of date, as ephemerides for
astrologers print them. Speeds are the derivative of exactly these longitudes, so that a station is
where the speed is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from astradio_stream.errors import OutsideEphemeris
from astradio_stream.sky.bodies import N_BODIES, N_PLANETS
from astradio_stream.sky.earth import (
    Orientation,
    orientation_at,
    sidereal_time_deg,
    to_ecliptic_of_date,
)
from astradio_stream.sky.kernel import load_kernel
from astradio_stream.sky.light import seen_from_earth
from astradio_stream.sky.lunar import mean_points_rad, true_node_rad
from astradio_stream.sky.moment import (
    FIRST_MOMENT,
    J2000_US,
    LAST_MOMENT,
    MICROSECONDS_PER_DAY,
    SPAN_SENTENCE,
)
from astradio_stream.sky.timescale import tt_to_tdb, ut1_to_tt

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPEED_STEP_DAYS: Final = 0.005
"""Half the base of the difference that gives speeds. Wide enough for rounding (5e-9 deg/day for the
Moon), narrow enough for the curve (3e-7 deg/day)."""
_BLOCK: Final = 1024
"""Times per pass: large enough to forget Python, small enough to stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Places:
    """All bodies at n times; rows in the order of `bodies.BODIES`."""

    longitude_deg: NDArray[np.float64]
    """Ecliptic longitude of date (degrees, [0, 360)), shape (n_bodies, n_times)."""
    latitude_deg: NDArray[np.float64]
    """Ecliptic latitude of date (degrees), shape (n_bodies, n_times)."""
    speed_deg_per_day: NDArray[np.float64]
    """Motion in longitude (degrees per day), negative when retrograde, (n_bodies, n_times)."""
    declination_deg: NDArray[np.float64]
    """Declination on the true equator of date (degrees), shape (n_bodies, n_times)."""
    obliquity_deg: NDArray[np.float64]
    """True obliquity of the ecliptic (degrees), shape (n_times,)."""
    sidereal_time_deg: NDArray[np.float64]
    """Greenwich apparent sidereal time (degrees, [0, 360)), shape (n_times,)."""


class _Instants(NamedTuple):
    """What is known of some times before any body is looked at."""

    ut1_days: NDArray[np.float64]
    """The times, shape (n_times,)."""
    tt_three: NDArray[np.float64]
    """Those, and a little before and after, in terrestrial time, shape (3 n_times,)."""
    orientation: Orientation
    """Of the Earth at the latter."""


def places_at(utc_us: NDArray[np.int64]) -> Places:
    """Return where all bodies are at moments given as microseconds since 1970, shape (n_times,).

    Raises:
        OutsideEphemeris: if any moment lies before 1899-07-29 or after 2053-10-08.
    """
    ut1_days = _days_of(utc_us)
    if ut1_days.size <= _BLOCK:
        return _places_of_block(_instants_at(ut1_days))
    blocks = [
        _places_of_block(_instants_at(ut1_days[i : i + _BLOCK]))
        for i in range(0, ut1_days.size, _BLOCK)
    ]
    return Places(
        *(
            np.concatenate([getattr(block, name) for block in blocks], axis=-1)
            for name in Places.__slots__
        )
    )


def rotation_at(utc_us: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how the Earth stands at some moments (microseconds since 1970), shape (n_times,).

    It is what `places_at` says of them, at a quarter of the cost: no body is looked at.

    Returns:
        Greenwich apparent sidereal time (degrees, [0, 360)) and true obliquity (degrees).

    Raises:
        OutsideEphemeris: if any moment lies before 1899-07-29 or after 2053-10-08.
    """
    return _rotation_of(_instants_at(_days_of(utc_us)))


@lru_cache(maxsize=64)
def instants_of(utc_us: int) -> _Instants:
    """Work out the first third of `places_of`, which remembers it."""
    return _instants_at(np.array([(utc_us - J2000_US) / MICROSECONDS_PER_DAY]))


@lru_cache(maxsize=64)
def places_of(utc_us: int) -> Places:
    """Return where all bodies are at one moment, remembered a while; its arrays are read-only.

    Raises:
        OutsideEphemeris: if the moment lies before 1899-07-29 or after 2053-10-08.
    """
    if not FIRST_MOMENT.utc_us <= utc_us <= LAST_MOMENT.utc_us:
        raise OutsideEphemeris(f"{SPAN_SENTENCE}, a moment lies outside")
    places = _places_of_block(instants_of(utc_us))
    for name in Places.__slots__:
        getattr(places, name).flags.writeable = False
    return places


def separation_deg(a_deg: NDArray[np.float64], b_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shorter arc from `a` to `b`, eastward positive.

    Args:
        a_deg: Ecliptic longitudes (degrees), any shape.
        b_deg: Ecliptic longitudes (degrees), any shape that broadcasts with `a_deg`.

    Returns:
        Arc (degrees) in (-180, 180], the broadcast shape.
    """
    return 180.0 - (a_deg - b_deg + 180.0) % 360.0


def _days_of(utc_us: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return moments as days since J2000."""
    if utc_us.size and (utc_us.min() < FIRST_MOMENT.utc_us or utc_us.max() > LAST_MOMENT.utc_us):
        raise OutsideEphemeris(f"{SPAN_SENTENCE}, a moment lies outside")
    days: NDArray[np.float64] = (utc_us - J2000_US) / MICROSECONDS_PER_DAY
    return days


def _instants_at(ut1_days: NDArray[np.float64]) -> _Instants:
    # Three instants for each time, a little before, at, and a little after: the outer ones only
    # serve the speed. For one moment this costs nothing, as numpy's calls are counted, not lengths.
    tt_days = ut1_to_tt(ut1_days)
    tt_three = np.concatenate((tt_days - SPEED_STEP_DAYS, tt_days, tt_days + SPEED_STEP_DAYS))
    return _Instants(ut1_days, tt_three, orientation_at(tt_three))


def _rotation_of(instants: _Instants) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return sidereal time and obliquity (degrees) of the middle instants."""
    ut1_days, _, orientation = instants
    centre = slice(ut1_days.size, 2 * ut1_days.size)
    beyond_rotation_rad = orientation.gmst_offset_rad[centre] + orientation.equinoxes_rad[centre]
    turned_deg = sidereal_time_deg(ut1_days, beyond_rotation_rad)
    return turned_deg, np.degrees(orientation.obliquity_rad[centre])


def _places_of_block(instants: _Instants) -> Places:
    ut1_days, tt_three, orientation = instants
    n_times = ut1_days.size
    seen = seen_from_earth(load_kernel(), tt_to_tdb(tt_three))

    # Ecliptic of date: ten planets, then the points of the Moon's orbit.
    longitude = np.empty((N_BODIES, 3 * n_times))
    latitude = np.zeros((N_BODIES, 3 * n_times))
    x, y, z = to_ecliptic_of_date(seen.directions, orientation)
    longitude[:N_PLANETS] = np.arctan2(y, x) + orientation.psi_rad
    latitude[:N_PLANETS] = np.arcsin(z)
    longitude[10], longitude[12], latitude[12] = mean_points_rad(tt_three, orientation)
    longitude[11] = true_node_rad(seen.moon_km, seen.moon_km_per_day, orientation)
    np.degrees(longitude, out=longitude)
    longitude %= 360.0

    # Only the middle instants are answered.
    before, middle, after = np.split(longitude, 3, axis=1)
    centre = slice(n_times, 2 * n_times)
    beta = latitude[:, centre]
    obliquity = orientation.obliquity_rad[centre]
    sin_declination = np.sin(beta) * np.cos(obliquity) + np.cos(beta) * np.sin(obliquity) * np.sin(
        np.radians(middle)
    )
    turned_deg, obliquity_deg = _rotation_of(instants)
    return Places(
        longitude_deg=middle,
        latitude_deg=np.degrees(beta),
        speed_deg_per_day=separation_deg(before, after) / (2.0 * SPEED_STEP_DAYS),
        declination_deg=np.degrees(np.arcsin(sin_declination)),
        obliquity_deg=obliquity_deg,
        sidereal_time_deg=turned_deg,
    )

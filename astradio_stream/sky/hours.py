"""Planetary hours: the twelfth parts of daylight and of night, each under one of seven planets.

The first hour after sunrise belongs to the planet of the weekday, the following ones go down the
Chaldean order from Saturn to the Moon. Between the polar circles' limits, where the Sun does not
rise and set, there are none.

Source: Ptolemaic tradition as in Agrippa, De occulta philosophia II.34 (1533).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.sky.bodies import SUN
from astradio_stream.sky.ephemeris import places_at
from astradio_stream.sky.moment import FIRST_MOMENT, LAST_MOMENT, MICROSECONDS_PER_DAY, Moment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from astradio_stream.sky.values import Place

CHALDEAN_ORDER: Final = ("saturn", "jupiter", "mars", "sun", "venus", "mercury", "moon")
DAY_RULERS: Final = ("moon", "mars", "mercury", "jupiter", "venus", "saturn", "sun")
"""Of Monday to Sunday."""
HORIZON_DEG: Final = -0.8333
"""Altitude of the Sun's centre at rise and set: refraction 34', radius 16'. Source: Explanatory
Supplement to the Astronomical Almanac (2013), ch. 12."""
_GRID_US: Final = MICROSECONDS_PER_DAY // 72
_HALF_SPAN_US: Final = MICROSECONDS_PER_DAY * 5 // 4
_BISECTIONS: Final = 11
"""From twenty minutes to 0.6 s."""


@dataclass(frozen=True, slots=True)
class PlanetaryHour:
    """One hour of the day or of the night."""

    ruler: str
    number: int
    """1 to 12, from sunrise or from sunset."""
    is_day: bool
    day_ruler: str
    """The planet of the day that began at the last sunrise."""
    start: Moment
    end: Moment


def planetary_hour_at(moment: Moment, place: Place) -> PlanetaryHour | None:
    """Return the planetary hour of a moment and place; None where the Sun does not rise or set."""
    grid = moment.utc_us + np.arange(-_HALF_SPAN_US, _HALF_SPAN_US + 1, _GRID_US)
    grid = grid[(grid >= FIRST_MOMENT.utc_us) & (grid <= LAST_MOMENT.utc_us)]
    is_up = _is_up(grid, place)
    turns = np.nonzero(is_up[1:] != is_up[:-1])[0]
    times = _refined(grid[turns], grid[turns + 1], is_up[turns + 1], place)
    after = int(np.searchsorted(times, moment.utc_us, side="right"))
    # A day begins at sunrise: by night the last one lies two horizons back.
    if not 0 < after < times.size:
        return None
    is_day = bool(is_up[turns[after - 1] + 1])
    sunrise = after - 1 if is_day else after - 2
    start, end = int(times[after - 1]), int(times[after])
    if sunrise < 0 or end - start > MICROSECONDS_PER_DAY:
        return None
    number = min(12 * (moment.utc_us - start) // (end - start), 11)
    day_ruler = DAY_RULERS[_weekday_at(int(times[sunrise]), place)]
    step = number if is_day else number + 12
    ruler = CHALDEAN_ORDER[(CHALDEAN_ORDER.index(day_ruler) + step) % 7]
    return PlanetaryHour(
        ruler=ruler,
        number=number + 1,
        is_day=is_day,
        day_ruler=day_ruler,
        start=Moment(start + (end - start) * number // 12),
        end=Moment(start + (end - start) * (number + 1) // 12),
    )


def sun_altitude_deg(utc_us: NDArray[np.int64], place: Place) -> NDArray[np.float64]:
    """Return the Sun's geometric altitude (degrees) at moments, shape (n_times,)."""
    places = places_at(utc_us)
    longitude = np.radians(places.longitude_deg[SUN])
    obliquity = np.radians(places.obliquity_deg)
    declination = np.radians(places.declination_deg[SUN])
    right_ascension = np.arctan2(np.sin(longitude) * np.cos(obliquity), np.cos(longitude))
    hour_angle = np.radians(places.sidereal_time_deg + place.lon_deg) - right_ascension
    latitude = np.radians(place.lat_deg)
    sine = np.sin(latitude) * np.sin(declination)
    sine += np.cos(latitude) * np.cos(declination) * np.cos(hour_angle)
    altitude: NDArray[np.float64] = np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
    return altitude


def _is_up(utc_us: NDArray[np.int64], place: Place) -> NDArray[np.bool_]:
    return sun_altitude_deg(utc_us, place) > HORIZON_DEG


def _refined(
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    is_up_after: NDArray[np.bool_],
    place: Place,
) -> NDArray[np.int64]:
    """Return the times of rise and set within brackets, all halved together."""
    for _ in range(_BISECTIONS if before.size else 0):
        middle = (before + after) // 2
        is_past = _is_up(middle, place) == is_up_after
        before, after = np.where(is_past, before, middle), np.where(is_past, middle, after)
    return after


def _weekday_at(utc_us: int, place: Place) -> int:
    """Return the weekday, 0 for Monday, by the local mean time of the meridian."""
    local_us = utc_us + round(place.lon_deg / 360.0 * MICROSECONDS_PER_DAY)
    # 1970-01-01 was a Thursday.
    return int(local_us // MICROSECONDS_PER_DAY + 3) % 7

"""Angles and houses: how a place on the Earth divides the sky of a moment.

Everything is vectorised over times and places, shape (n_times,); a chart is the case of one. The
argument is always the same three angles: ARMC (the right ascension that culminates, sidereal time
as an angle), the geographic latitude, and the obliquity of the ecliptic.

Inside the polar circles parts of the ecliptic never rise. Placidus and Koch divide arcs that do not
exist there and fall back to Porphyry. And the degree that rises may stand *west* of the midheaven:
then, as is the custom, the chart's ascendant is the opposite point, so that it always follows the
midheaven by less than half a turn. Regiomontanus, which is built from the same circles, turns as a
whole, and its houses then run clockwise from the ascendant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_QUARTER: Final = np.pi / 2.0
_POLE_DEG: Final = 89.9999
"""Nearest latitude to a pole (degrees): at the pole itself every circle through north and south is
one, and eleven metres away none are."""
_INTERMEDIATE: Final = np.radians([[30.0], [60.0], [120.0], [150.0]])
"""From the midheaven to cusps 11, 12, 2, 3, along the equator."""
_PLACIDUS_THIRDS: Final = np.array([[1.0], [2.0], [2.0], [1.0]]) / 3.0
_PLACIDUS_STEPS: Final = 8
"""Of Newton's method; six reach 1e-7" even where the polar circle is a hair away."""
_KOCH_THIRDS: Final = np.array([[-2.0], [-1.0], [1.0], [2.0]]) / 3.0
_TWELFTHS: Final = np.radians(np.arange(12) * 30.0)[:, None]


@dataclass(frozen=True, slots=True)
class Horizon:
    """What a place and a moment give to every house system; all in radians, shape (n_times,)."""

    armc_rad: NDArray[np.float64]
    latitude_rad: NDArray[np.float64]
    obliquity_rad: NDArray[np.float64]
    ascendant_rad: NDArray[np.float64]
    """Ascendant, turned to follow the midheaven."""
    midheaven_rad: NDArray[np.float64]
    vertex_rad: NDArray[np.float64]
    """Where the prime vertical cuts the ecliptic in the west."""
    is_polar: NDArray[np.bool_]
    """Whether parts of the ecliptic never rise or set here."""
    is_turned: NDArray[np.bool_]
    """Whether the ascendant is opposite to the degree that rises."""


def horizon_at(
    armc_deg: NDArray[np.float64],
    latitude_deg: NDArray[np.float64],
    obliquity_deg: NDArray[np.float64],
) -> Horizon:
    """Return the angles of places at moments, each argument of shape (n_times,), in degrees."""
    armc, obliquity = np.radians(armc_deg), np.radians(obliquity_deg)
    latitude = np.radians(np.clip(latitude_deg, -_POLE_DEG, _POLE_DEG))
    midheaven = np.arctan2(np.sin(armc), np.cos(armc) * np.cos(obliquity))
    rising = _rising(armc + _QUARTER, np.tan(latitude), obliquity)
    is_turned = np.sin(rising - midheaven) < 0.0
    # The vertex is the ascendant of the opposite sidereal time at the complementary latitude.
    pole = np.copysign(_QUARTER, latitude) - latitude
    vertex = _rising(armc - _QUARTER, np.tan(pole), obliquity)
    is_eastern = np.sin(vertex - midheaven) > 0.0
    return Horizon(
        armc_rad=armc,
        latitude_rad=latitude,
        obliquity_rad=obliquity,
        ascendant_rad=rising + np.pi * is_turned,
        midheaven_rad=midheaven,
        vertex_rad=vertex + np.pi * is_eastern,
        is_polar=np.abs(latitude) >= _QUARTER - obliquity,
        is_turned=is_turned,
    )


def cusps_deg_of(system: str, horizon: Horizon) -> NDArray[np.float64]:
    """Return the twelve cusps (degrees, [0, 360)), shape (12, n_times).

    Inside the polar circles systems that have no cusps there are replaced by Porphyry.
    """
    row = HOUSE_SYSTEMS[system]
    cusps = row.cusps_rad(horizon)
    if not row.is_polar_safe and horizon.is_polar.any():
        cusps = np.where(horizon.is_polar, _porphyry(horizon), cusps)
    degrees: NDArray[np.float64] = np.degrees(cusps) % 360.0
    return degrees


def house_of(
    longitude_deg: NDArray[np.float64], cusps_deg: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Return the house, 1 to 12, of each body.

    A body on a cusp is in the house that begins there.

    Args:
        longitude_deg: Ecliptic longitudes (degrees), shape (n_bodies, n_times).
        cusps_deg: Cusps 1 to 12 (degrees), shape (12, n_times).
    """
    eastward = (np.roll(cusps_deg, -1, axis=0) - cusps_deg) % 360.0
    # Turned Regiomontanus houses run clockwise: read eastward, their widths add up to 11 turns.
    sense = np.where(eastward.sum(axis=0) > 400.0, -1.0, 1.0)
    width = (sense * (np.roll(cusps_deg, -1, axis=0) - cusps_deg)) % 360.0
    past_cusp = (sense * (longitude_deg[:, None] - cusps_deg)) % 360.0
    house: NDArray[np.intp] = np.argmax(past_cusp < width, axis=1) + 1
    return house


def _rising(
    oblique_ascension: NDArray[np.float64],
    tan_pole: NDArray[np.float64],
    obliquity: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the longitude (radians) that rises with an oblique ascension under a pole height.

    Source: Meeus, Astronomical Algorithms (2nd ed. 1998), eq. 14.7 and its geometry.
    """
    x = oblique_ascension - _QUARTER
    down = np.sin(x) * np.cos(obliquity) + tan_pole * np.sin(obliquity)
    longitude: NDArray[np.float64] = np.arctan2(np.cos(x), -down)
    return longitude


def _all_twelve(
    horizon: Horizon, intermediate: NDArray[np.float64], turn: NDArray[np.float64] | float = 0.0
) -> NDArray[np.float64]:
    """Return cusps 1 to 12 from those of 11, 12, 2, 3 (4, n_times) and the angles."""
    c11, c12, c2, c3 = intermediate
    east = (horizon.ascendant_rad, c2, c3, horizon.midheaven_rad + turn + np.pi)
    west = (c11 + np.pi, c12 + np.pi)
    half = np.array((*east, *west))
    return np.concatenate((half, half + np.pi))


def _placidus(horizon: Horizon) -> NDArray[np.float64]:
    """Trisect the time that each degree itself takes from horizon to meridian.

    The right ascension of a cusp obeys RA = ARMC + H + f asin(tan(lat) tan(obl) sin RA), solved by
    Newton's method; the slope is at least 1/3 outside the polar circles, so it always converges.
    Source: the definition; Holden, The Elements of House Division (1977).
    """
    k = np.tan(horizon.latitude_rad) * np.tan(horizon.obliquity_rad)
    k = np.clip(k, -1.0, 1.0)
    start = horizon.armc_rad + _INTERMEDIATE
    ra = start
    for _ in range(_PLACIDUS_STEPS):
        k_sin = k * np.sin(ra)
        root = np.sqrt(np.maximum(1.0 - k_sin * k_sin, 1e-12))
        slope = 1.0 - _PLACIDUS_THIRDS * k * np.cos(ra) / root
        ra = ra - (ra - start - _PLACIDUS_THIRDS * np.arcsin(k_sin)) / slope
    longitude = np.arctan2(np.sin(ra), np.cos(ra) * np.cos(horizon.obliquity_rad))
    return _all_twelve(horizon, longitude)


def _koch(horizon: Horizon) -> NDArray[np.float64]:
    """Trisect the time in which the midheaven's degree rose to the meridian.

    Source: Koch and Schaeck, Horoskop und Himmelshaeuser (1971); Holden (1977).
    """
    k = np.tan(horizon.latitude_rad) * np.tan(horizon.obliquity_rad)
    ascensional = np.arcsin(np.clip(np.sin(horizon.armc_rad) * k, -1.0, 1.0))
    oblique = horizon.armc_rad + _INTERMEDIATE + _KOCH_THIRDS * ascensional
    longitude = _rising(oblique, np.tan(horizon.latitude_rad), horizon.obliquity_rad)
    return _all_twelve(horizon, longitude)


def _regiomontanus(horizon: Horizon) -> NDArray[np.float64]:
    """Divide the equator by twelve from the east point, on circles through north and south.

    Source: Regiomontanus, Tabulae directionum (1490); Holden (1977).
    """
    tan_pole = np.tan(horizon.latitude_rad) * np.sin(_INTERMEDIATE)
    longitude = _rising(horizon.armc_rad + _INTERMEDIATE, tan_pole, horizon.obliquity_rad)
    turn = np.where(horizon.is_turned, np.pi, 0.0)
    return _all_twelve(horizon, longitude + turn, turn)


def _porphyry(horizon: Horizon) -> NDArray[np.float64]:
    """Trisect the quadrants of the ecliptic between the angles. Source: Porphyry, Isagoge 43."""
    arc = (horizon.ascendant_rad - horizon.midheaven_rad) % (2.0 * np.pi)
    third, rest = arc / 3.0, (np.pi - arc) / 3.0
    above = horizon.midheaven_rad + np.array((third, 2.0 * third))
    below = horizon.ascendant_rad + np.array((rest, 2.0 * rest))
    return _all_twelve(horizon, np.concatenate((above, below)))


def _equal(horizon: Horizon) -> NDArray[np.float64]:
    """Count thirty degrees from the ascendant."""
    cusps: NDArray[np.float64] = horizon.ascendant_rad + _TWELFTHS
    return cusps


def _whole_sign(horizon: Horizon) -> NDArray[np.float64]:
    """Count whole signs from the one that holds the ascendant."""
    sign = np.floor(np.degrees(horizon.ascendant_rad) % 360.0 / 30.0)
    cusps: NDArray[np.float64] = np.radians(sign * 30.0) + _TWELFTHS
    return cusps


@dataclass(frozen=True, slots=True)
class HouseSystem:
    """One way to divide the sky."""

    cusps_rad: Callable[[Horizon], NDArray[np.float64]]
    is_polar_safe: bool
    """Whether it has cusps beyond the polar circles."""


# fmt: off
HOUSE_SYSTEMS: Final = {
    "placidus":      HouseSystem(_placidus,      is_polar_safe=False),
    "koch":          HouseSystem(_koch,          is_polar_safe=False),
    "regiomontanus": HouseSystem(_regiomontanus, is_polar_safe=True),
    "porphyry":      HouseSystem(_porphyry,      is_polar_safe=True),
    "equal":         HouseSystem(_equal,         is_polar_safe=True),
    "whole_sign":    HouseSystem(_whole_sign,    is_polar_safe=True),
}
# fmt: on
POLAR_FALLBACK: Final = "porphyry"

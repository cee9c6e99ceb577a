"""Three points of the Moon's orbit: mean node, true node, and mean apogee (Lilith).

The nodes are where the orbit's plane cuts the ecliptic northward; Lilith is where the Moon would be
farthest from the Earth, a quarter of a million miles from the node in meaning and in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.sky.earth import to_ecliptic_of_date
from astradio_stream.sky.timescale import DAYS_PER_CENTURY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from astradio_stream.sky.earth import Orientation

# Degrees by powers of Julian centuries of TT, on the mean ecliptic and equinox of date.
# Source: Chapront-Touze and Chapront, Lunar Tables and Programs (1991), as in Meeus, Astronomical
# Algorithms (2nd ed. 1998), eqs. 47.7 (node) and 47.8 (perigee).
_NODE: Final = (125.0445479, -1934.1362891, 0.0020754, 1.0 / 467_441, -1.0 / 60_616_000)
_PERIGEE: Final = (83.3532465, 4069.0137287, -0.0103200, -1.0 / 80_053, 1.0 / 18_999_000)
_INCLINATION_RAD: Final = np.radians(5.145396)
"""Mean inclination of the Moon's orbit. Source: as above, table of mean elements."""


def mean_points_rad(
    tt_days: NDArray[np.float64], orientation: Orientation
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the longitude of the mean node, and longitude and latitude of the mean apogee.

    The apogee is counted along the orbit from the node, then projected on the ecliptic, so that it
    has a latitude, as the Moon would have there. Longitudes are from the true equinox of date.
    """
    t = tt_days / DAYS_PER_CENTURY
    node = np.radians(_polynomial(_NODE, t))
    along_orbit = np.radians(_polynomial(_PERIGEE, t) + 180.0) - node
    sin_u, cos_u = np.sin(along_orbit), np.cos(along_orbit)
    longitude = node + np.arctan2(np.cos(_INCLINATION_RAD) * sin_u, cos_u)
    latitude = np.arcsin(np.sin(_INCLINATION_RAD) * sin_u)
    return node + orientation.nutation_rad, longitude + orientation.nutation_rad, latitude


def true_node_rad(
    moon_km: NDArray[np.float64],
    moon_km_per_day: NDArray[np.float64],
    orientation: Orientation,
) -> NDArray[np.float64]:
    """Return the longitude of the node of the ellipse that the Moon follows at this instant.

    Args:
        moon_km: Geocentric position, shape (3, n_times).
        moon_km_per_day: Geocentric velocity, shape (3, n_times).
        orientation: The frame at the same times.
    """
    x, y, z = to_ecliptic_of_date(moon_km, orientation)
    vx, vy, vz = to_ecliptic_of_date(moon_km_per_day, orientation)
    # The angular momentum r x v stands on the orbit; the node is a right angle east of where it
    # leans to.
    lean_x, lean_y = y * vz - z * vy, z * vx - x * vz
    node: NDArray[np.float64] = np.arctan2(lean_x, -lean_y) + orientation.psi_rad
    return node


def _polynomial(coefficients: tuple[float, ...], t: NDArray[np.float64]) -> NDArray[np.float64]:
    value = np.full_like(t, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        value = value * t + coefficient
    return value

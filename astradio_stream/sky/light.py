"""Where bodies appear: light time, the bending of light by the Sun, and aberration.

What the kernel says is where a body *is*; what a chart shows is where it is *seen* from the centre
of the Earth. All vectors have the shape (3, n_bodies, n_times) and the axes of the kernel (GCRS).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.sky.kernel import (
    EARTH_MOON_ROW,
    EARTH_ROW,
    MOON_ROW,
    N_TARGETS,
    SUN_ROW,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from astradio_stream.sky.kernel import Kernel

LIGHT_KM_PER_DAY: Final = 299_792.458 * 86_400.0
SUN_SCHWARZSCHILD_KM: Final = 2.953250
"""2 GM / c^2 of the Sun. Source: IAU 2015 nominal solar mass parameter."""
SUN_RADIUS_KM: Final = 695_700.0
"""IAU 2015 resolution B3, nominal solar radius."""

# The part of the Sun's mass inside a cylinder around the line of sight, by distance from the axis
# in radii: a beam behind the disc is bent by this part only. (No such light arrives, but
# astrologers count bodies behind the Sun too, and the plain formula tends to infinity there.)
# Integrated from a density proportional to exp(-10.54 r / R). Source: Bahcall, Neutrino
# Astrophysics (1989), ch. 4.
_IMPACT_RADII: Final = np.linspace(0.0, 1.0, 11)
_MASS_IN_CYLINDER: Final = np.array(
    [0.0, 0.204, 0.523, 0.753, 0.882, 0.948, 0.978, 0.991, 0.997, 0.999, 1.0]
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the light shows at n times."""

    directions: NDArray[np.float64]
    """Unit vectors to the ten planets as seen, shape (3, 10, n_times)."""
    moon_km: NDArray[np.float64]
    """The Moon from the Earth, geometric (km), shape (3, n_times)."""
    moon_km_per_day: NDArray[np.float64]
    """Its velocity relative to the Earth (km per day), shape (3, n_times)."""


def seen_from_earth(kernel: Kernel, tdb_days: NDArray[np.float64]) -> Seen:
    """Return how the ten planets are seen from the Earth's centre.

    Args:
        kernel: The ephemeris.
        tdb_days: TDB (days since J2000), shape (n_times,).
    """
    position, velocity = kernel.states_km(tdb_days)
    earth = position[:, EARTH_MOON_ROW] + position[:, EARTH_ROW]
    earth_velocity = velocity[:, EARTH_MOON_ROW] + velocity[:, EARTH_ROW]
    moon = position[:, MOON_ROW] - position[:, EARTH_ROW]
    moon_velocity = velocity[:, MOON_ROW] - velocity[:, EARTH_ROW]

    # Light time: one Newton step on |target(t - tau) - earth(t)| = c tau. What it neglects is the
    # acceleration of the target, at most 20 microseconds of light time (Mercury, 1e-6").
    targets = _from_barycentre(position)
    line = targets - earth[:, None]
    distance = _length(line)
    receding = _dot(line, _from_barycentre(velocity)) / distance
    light_days = np.empty((EARTH_ROW + 1, tdb_days.size))
    light_days[:N_TARGETS] = distance / (LIGHT_KM_PER_DAY + receding)
    light_days[N_TARGETS:] = light_days[MOON_ROW]
    retarded = _from_barycentre(kernel.positions_km(tdb_days - light_days))
    line = retarded - earth[:, None]

    direction = line / _length(line)
    direction = _bent_by_sun(direction, line, earth - position[:, SUN_ROW])
    direction = _aberrated(direction, earth_velocity)
    return Seen(direction, moon, moon_velocity)


def _from_barycentre(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ten targets from the solar system's barycentre, given the kernel's rows."""
    targets = rows[:, :N_TARGETS].copy()
    targets[:, MOON_ROW] += rows[:, EARTH_MOON_ROW]
    return targets


def _bent_by_sun(
    direction: NDArray[np.float64],
    line_km: NDArray[np.float64],
    earth_from_sun_km: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return directions bent by the Sun's mass, up to 1.75" at its limb.

    Source: Urban and Seidelmann, Explanatory Supplement to the Astronomical Almanac (2013),
    eq. 7.63. Jupiter and Saturn bend by less than 0.02" and only at their limb.
    """
    sun_distance = np.sqrt((earth_from_sun_km**2).sum(axis=0))
    e = (earth_from_sun_km / sun_distance)[:, None]
    from_sun = line_km + earth_from_sun_km[:, None]
    q = from_sun / _length(from_sun)
    p_q, q_e, e_p = _dot(direction, q), _dot(q, e), _dot(e, direction)
    # The mass that bends: all of it outside the disc. 1 - e_p^2 is the squared sine of elongation.
    impact = np.sqrt(np.maximum(1.0 - e_p * e_p, 0.0)) * (sun_distance / SUN_RADIUS_KM)
    mass = np.interp(impact, _IMPACT_RADII, _MASS_IN_CYLINDER)
    strength = mass * (SUN_SCHWARZSCHILD_KM / sun_distance) / np.maximum(1.0 + q_e, 1e-12)
    strength[SUN_ROW] = 0.0
    bent: NDArray[np.float64] = direction + strength * (p_q * e - e_p * q)
    return bent


def _aberrated(
    direction: NDArray[np.float64], velocity_km_per_day: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return directions as a moving observer sees them, up to 20.5" forward.

    Source: Explanatory Supplement (2013), eq. 7.40 (Lorentz transformation); the length of the
    result is not kept at one, as only angles are taken from it.
    """
    beta = (velocity_km_per_day / LIGHT_KM_PER_DAY)[:, None]
    inverse_gamma = np.sqrt(1.0 - (beta**2).sum(axis=0))
    forward = 1.0 + _dot(direction, beta) / (1.0 + inverse_gamma)
    seen: NDArray[np.float64] = inverse_gamma * direction + forward * beta
    return seen / _length(seen)


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    product: NDArray[np.float64] = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return product


def _length(a: NDArray[np.float64]) -> NDArray[np.float64]:
    length: NDArray[np.float64] = np.sqrt(_dot(a, a))
    return length

"""How the Earth stands: precession, nutation, obliquity and sidereal time.

The frame of date is reached through the four angles of Fukushima and Williams, which include the
frame bias::

    ecliptic and equinox of date = R3(-(psi + d_psi)) R1(phi) R3(gamma) GCRS

So nutation in longitude is a plain addition to longitudes and leaves latitudes alone, and no
3 x 3 matrix is ever built.

Source: Capitaine and Wallace, High precision methods for locating the celestial intermediate pole
and origin, A&A 450 (2006), eqs. (11)-(13); IERS Conventions (2010), eq. 5.40.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from skyfield.nutationlib import iau2000b

from astradio_stream.sky.timescale import DAYS_PER_CENTURY, J2000_JD

if TYPE_CHECKING:
    from numpy.typing import NDArray

ARCSECOND_RAD: Final = np.pi / 648_000.0
_TENTH_MICROARCSECOND_RAD: Final = ARCSECOND_RAD * 1e-7


# Arcseconds by powers of Julian centuries of TT since J2000, constant term first.
# fmt: off
_GAMMA = (-0.052928,     10.556378, 0.4932044, -0.00031238, -0.000002788,  0.0000000260)
_PHI   = (84381.412819, -46.811016, 0.0511268,  0.00053289, -0.000000440, -0.0000000176)
_PSI   = (-0.041775,   5038.481484, 1.5584175, -0.00018522, -0.000026452, -0.0000000148)
_EPSILON = (84381.406,  -46.836769, -0.0001831, 0.00200340, -0.000000576, -0.0000000434)
# Greenwich mean sidereal time beyond the Earth rotation angle. Source: Capitaine, Wallace and
# Chapront, Expressions for IAU 2000 precession quantities, A&A 412 (2003), eq. (42).
_GMST  = (0.014506,    4612.156534, 1.3915817, -0.00000044, -0.000029956, -0.0000000368)
# Mean longitude of the Moon's node, for the two largest complementary terms of sidereal time.
_OMEGA = (450160.398036, -6962890.5431, 7.4722, 0.007702, -0.00005939)
# fmt: on


@dataclass(frozen=True, slots=True)
class Orientation:
    """The Earth's frame of date at n times; every array has the shape (n_times,)."""

    gamma_rad: NDArray[np.float64]
    """Fukushima-Williams angle gamma, bias and precession."""
    phi_rad: NDArray[np.float64]
    """Fukushima-Williams angle phi, the obliquity of date on the ecliptic of J2000."""
    psi_rad: NDArray[np.float64]
    """Fukushima-Williams angle psi plus the nutation in longitude: added to longitudes."""
    obliquity_rad: NDArray[np.float64]
    """True obliquity of the ecliptic."""
    nutation_rad: NDArray[np.float64]
    """Nutation in longitude, already contained in `psi_rad`."""
    equinoxes_rad: NDArray[np.float64]
    """Equation of the equinoxes: apparent less mean sidereal time."""
    gmst_offset_rad: NDArray[np.float64]
    """Greenwich mean sidereal time less the Earth rotation angle."""


def orientation_at(tt_days: NDArray[np.float64]) -> Orientation:
    """Return the Earth's frame at times of TT (days since J2000, shape (n_times,)).

    Nutation is IAU 2000B, within 1 mas of IAU 2000A in our times at a hundredth of its cost.
    """
    t = tt_days / DAYS_PER_CENTURY
    d_psi, d_epsilon = iau2000b(tt_days + J2000_JD)
    nutation_rad = np.asarray(d_psi) * _TENTH_MICROARCSECOND_RAD
    epsilon_rad = _polynomial_rad(_EPSILON, t)
    omega_rad = _polynomial_rad(_OMEGA, t)
    # Source: IERS Conventions (2010), table 5.2e, terms above 12 microarcseconds.
    complementary_as = 0.00264096 * np.sin(omega_rad) + 0.00006352 * np.sin(2.0 * omega_rad)
    return Orientation(
        gamma_rad=_polynomial_rad(_GAMMA, t),
        phi_rad=_polynomial_rad(_PHI, t),
        psi_rad=_polynomial_rad(_PSI, t) + nutation_rad,
        obliquity_rad=epsilon_rad + np.asarray(d_epsilon) * _TENTH_MICROARCSECOND_RAD,
        nutation_rad=nutation_rad,
        equinoxes_rad=nutation_rad * np.cos(epsilon_rad) + complementary_as * ARCSECOND_RAD,
        gmst_offset_rad=_polynomial_rad(_GMST, t),
    )


def sidereal_time_deg(
    ut1_days: NDArray[np.float64], beyond_rotation_rad: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return Greenwich sidereal time (degrees, [0, 360)) at times of UT1 (days since J2000).

    Args:
        ut1_days: UT1, shape (n_times,).
        beyond_rotation_rad: `gmst_offset_rad`, plus `equinoxes_rad` for apparent time.

    Source: IAU resolution B1.8 (2000) for the Earth rotation angle.
    """
    turns = 0.7790572732640 + 0.00273781191135448 * ut1_days + ut1_days % 1.0
    sidereal: NDArray[np.float64] = (turns * 360.0 + np.degrees(beyond_rotation_rad)) % 360.0
    return sidereal


def to_ecliptic_of_date(
    xyz: NDArray[np.float64], orientation: Orientation
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Turn GCRS vectors into the ecliptic of date, all but the last rotation about its pole.

    Args:
        xyz: Vectors, shape (3, ..., n_times).
        orientation: The frame at the same times.

    Returns:
        x, y, z; add `psi_rad` to the longitude of (x, y) to count it from the true equinox.
    """
    x, y, z = xyz
    cos_gamma, sin_gamma = np.cos(orientation.gamma_rad), np.sin(orientation.gamma_rad)
    cos_phi, sin_phi = np.cos(orientation.phi_rad), np.sin(orientation.phi_rad)
    x, y = cos_gamma * x + sin_gamma * y, cos_gamma * y - sin_gamma * x
    return x, cos_phi * y + sin_phi * z, cos_phi * z - sin_phi * y


def _polynomial_rad(
    coefficients_as: tuple[float, ...], t: NDArray[np.float64]
) -> NDArray[np.float64]:
    value = np.full_like(t, coefficients_as[-1])
    for coefficient in coefficients_as[-2::-1]:
        value = value * t + coefficient
    return value * ARCSECOND_RAD

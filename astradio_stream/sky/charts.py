"""Many charts at once: the same sky as `sky.chart`, as columns of arrays.

For compatibility search and for statistics, where a hundred thousand charts are wanted and objects
would be in the way. Every array has its times last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.sky.aspects import ASPECT_KINDS
from astradio_stream.sky.bodies import BODIES, MOON, N_PLANETS, PLANET_WEIGHTS, SUN
from astradio_stream.sky.chart import DECIMALS, DEFAULT_HOUSE_SYSTEM, require_house_system
from astradio_stream.sky.ephemeris import places_at
from astradio_stream.sky.houses import cusps_deg_of, horizon_at, house_of
from astradio_stream.sky.zodiac import ELEMENTS, MODALITIES, SIGNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from astradio_stream.sky.moment import Moment
    from astradio_stream.sky.values import Place

PAIR_A, PAIR_B = np.triu_indices(N_PLANETS, k=1)
"""The 45 pairs of planets, in the order of the axis `n_pairs`."""
NO_ASPECT: Final = -1
_BLOCK: Final = 4096

_WEIGHTS: Final = np.array(PLANET_WEIGHTS, dtype=np.float64)
_IN_ELEMENT: Final = np.array([[s.element == name for s in SIGNS] for name in ELEMENTS])
_IN_MODALITY: Final = np.array([[s.modality == name for s in SIGNS] for name in MODALITIES])
_LUMINARY: Final = np.array([body.luminary for body in BODIES])
_KIND_ANGLES: Final = np.array([kind.angle_deg for kind in ASPECT_KINDS])[:, None, None]
_KIND_ORBS: Final = (
    np.array([kind.orb_deg for kind in ASPECT_KINDS])[:, None, None]
    + np.array([kind.luminary_extra_deg for kind in ASPECT_KINDS])[:, None, None]
    * (_LUMINARY[PAIR_A] | _LUMINARY[PAIR_B])[:, None]
)


@dataclass(frozen=True, slots=True)
class Charts:
    """n charts as columns. Angles are rounded to 1e-6 degree, as in a single chart."""

    longitude_deg: NDArray[np.float64]
    """Shape (13, n_times), rows as `bodies.BODIES`; so are the next three."""
    latitude_deg: NDArray[np.float64]
    speed_deg_per_day: NDArray[np.float64]
    declination_deg: NDArray[np.float64]
    sign_index: NDArray[np.int8]
    """0 (aries) to 11 (pisces), shape (13, n_times)."""
    house: NDArray[np.int8]
    """1 to 12, shape (13, n_times); 0 where the time is unknown."""
    angles_deg: NDArray[np.float64]
    """Ascendant, midheaven, vertex, shape (3, n_times); NaN where the time is unknown."""
    cusps_deg: NDArray[np.float64]
    """Shape (12, n_times); NaN where the time is unknown."""
    aspect_kind: NDArray[np.int8]
    """Row of `aspects.ASPECT_KINDS` or -1 for each pair of planets, shape (45, n_times)."""
    aspect_strength: NDArray[np.float64]
    """0 without an aspect, shape (45, n_times)."""
    phase_deg: NDArray[np.float64]
    """The Moon's lead over the Sun (degrees), shape (n_times,)."""
    elements: NDArray[np.float64]
    """Shares of fire, earth, air, water, shape (4, n_times)."""
    modalities: NDArray[np.float64]
    """Shares of cardinal, fixed, mutable, shape (3, n_times)."""


def charts_at(
    moments: Sequence[Moment],
    places: Sequence[Place],
    house_system: str = DEFAULT_HOUSE_SYSTEM,
) -> Charts:
    """Return the charts of many moments, each seen from its place.

    Raises:
        OutsideEphemeris: if the planets are not known for one of the moments.
        ValidationFailed: for an unknown house system.
    """
    return charts_of_columns(
        np.array([moment.utc_us for moment in moments], dtype=np.int64),
        np.array([place.lat_deg for place in places], dtype=np.float64),
        np.array([place.lon_deg for place in places], dtype=np.float64),
        house_system,
    )


def charts_of_columns(
    utc_us: NDArray[np.int64],
    lat_deg: NDArray[np.float64],
    lon_deg: NDArray[np.float64],
    house_system: str = DEFAULT_HOUSE_SYSTEM,
    time_known: NDArray[np.bool_] | None = None,
) -> Charts:
    """Return the charts of many moments and places that are columns already.

    Args:
        utc_us: Moments (microseconds since 1970), shape (n_times,).
        lat_deg: Latitudes (degrees, north positive), shape (n_times,).
        lon_deg: Longitudes (degrees, east positive), shape (n_times,).
        house_system: A key of `houses.HOUSE_SYSTEMS`; Porphyry where it has no cusps.
        time_known: False where houses and angles are to be left out, shape (n_times,).

    Raises:
        OutsideEphemeris: if the planets are not known for one of the moments.
        ValidationFailed: for a place that is not on the Earth, or an unknown house system.
    """
    require_house_system(house_system)
    on_earth = (np.abs(lat_deg) <= 90.0) & (np.abs(lon_deg) <= 180.0)
    if not on_earth.all():
        first = int(np.argmin(on_earth))
        raise ValidationFailed([Detail(f"charts[{first}]", "its place is not on the Earth")])
    if time_known is None:
        time_known = np.ones(utc_us.shape, dtype=bool)
    blocks = [
        _block(utc_us[i:j], lat_deg[i:j], lon_deg[i:j], house_system, time_known[i:j])
        for i, j in ((i, i + _BLOCK) for i in range(0, max(utc_us.size, 1), _BLOCK))
    ]
    if len(blocks) == 1:
        return blocks[0]
    return Charts(
        *(
            np.concatenate([getattr(block, name) for block in blocks], axis=-1)
            for name in Charts.__slots__
        )
    )


def _block(
    utc_us: NDArray[np.int64],
    lat_deg: NDArray[np.float64],
    lon_deg: NDArray[np.float64],
    house_system: str,
    time_known: NDArray[np.bool_],
) -> Charts:
    places = places_at(utc_us)
    longitude = _rounded_turn(places.longitude_deg)
    sign_index = (longitude // 30.0).astype(np.int8)

    armc_deg = places.sidereal_time_deg + lon_deg
    horizon = horizon_at(armc_deg, lat_deg, places.obliquity_deg)
    angles = np.degrees((horizon.ascendant_rad, horizon.midheaven_rad, horizon.vertex_rad))
    cusps = _rounded_turn(cusps_deg_of(house_system, horizon))
    house = house_of(longitude, cusps).astype(np.int8)

    kind, strength = _aspects(longitude[:N_PLANETS])
    weight = _WEIGHTS[:, None] / _WEIGHTS.sum()
    planet_signs = sign_index[:N_PLANETS]
    return Charts(
        longitude_deg=longitude,
        latitude_deg=np.round(places.latitude_deg, DECIMALS),
        speed_deg_per_day=np.round(places.speed_deg_per_day, DECIMALS),
        declination_deg=np.round(places.declination_deg, DECIMALS),
        sign_index=sign_index,
        house=np.where(time_known, house, 0).astype(np.int8),
        angles_deg=np.where(time_known, _rounded_turn(angles), np.nan),
        cusps_deg=np.where(time_known, cusps, np.nan),
        aspect_kind=kind,
        aspect_strength=strength,
        phase_deg=_rounded_turn(longitude[MOON] - longitude[SUN]),
        elements=(_IN_ELEMENT[:, planet_signs] * weight).sum(axis=1),
        modalities=(_IN_MODALITY[:, planet_signs] * weight).sum(axis=1),
    )


def _aspects(
    longitude_deg: NDArray[np.float64],
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Return kind and strength of the aspect of each pair of planets, (45, n_times)."""
    arc = np.abs(longitude_deg[PAIR_B] - longitude_deg[PAIR_A])
    separation = np.minimum(arc, 360.0 - arc)
    ratio = np.abs(separation - _KIND_ANGLES) / _KIND_ORBS
    # No two kinds overlap, so that at most one is within its orb.
    kind = np.argmin(ratio, axis=0)
    nearest = np.take_along_axis(ratio, kind[None], axis=0)[0]
    strength = np.where(nearest < 1.0, (1.0 - nearest * nearest) ** 2, 0.0)
    return np.where(nearest < 1.0, kind, NO_ASPECT).astype(np.int8), strength


def _rounded_turn(values_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    turned: NDArray[np.float64] = np.round(values_deg % 360.0, DECIMALS) % 360.0
    return turned

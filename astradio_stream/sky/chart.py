"""A chart: the whole sky of one moment, seen from one place, and what it means.

`chart_at` makes one; `sky.charts` makes many at once; `chart_to_json` writes one down in the shape
of the HTTP contract.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.sky.aspects import Aspect, aspects_among
from astradio_stream.sky.bodies import BODY_NAMES, MOON, SUN
from astradio_stream.sky.chart_json import chart_hash, chart_to_json
from astradio_stream.sky.ephemeris import places_of
from astradio_stream.sky.houses import (
    HOUSE_SYSTEMS,
    POLAR_FALLBACK,
    cusps_deg_of,
    horizon_at,
    house_of,
)
from astradio_stream.sky.judgement import (
    balances_of,
    dominance_of,
    dominant_of,
    phase_name_of,
)
from astradio_stream.sky.moment import Moment, require_in_span, us_to_iso
from astradio_stream.sky.values import Angles, Chart, Place, Position
from astradio_stream.sky.zodiac import DIGNITIES, SIGNS, sign_degree_of, sign_index_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Angles",
    "Chart",
    "Place",
    "Position",
    "chart_at",
    "chart_hash",
    "chart_to_json",
]

DECIMALS: Final = 6
"""Every angle in a chart is rounded to 1e-6 degree (0.0036"). The last bits of sin, arctan2 and dot
differ between processors and numpy builds; rounded, they cannot reach the music, whose bytes must
be the same on every machine."""
DEFAULT_HOUSE_SYSTEM: Final = "placidus"
"""What most astrologers of the West use, and their programs by default."""


@lru_cache(maxsize=64)
def motion_of(utc_us: int) -> tuple[tuple[float, ...], tuple[float, ...], tuple[Aspect, ...]]:
    """Return longitudes (degrees), speeds (degrees per day) and aspects of a moment."""
    places = places_of(utc_us)
    longitudes = tuple(_rounded_turn(places.longitude_deg[:, 0]))
    speeds = tuple(_rounded(places.speed_deg_per_day[:, 0]))
    return longitudes, speeds, tuple(aspects_among(longitudes, speeds))


def chart_at(
    moment: Moment,
    place: Place | None = None,
    house_system: str = DEFAULT_HOUSE_SYSTEM,
    *,
    local: str | None = None,
    tz: str = "UTC",
    time_known: bool = True,
    notes: tuple[str, ...] = (),
) -> Chart:
    """Return the chart of a moment as seen from a place.

    Args:
        moment: When.
        place: Where; without it there are no houses and no angles.
        house_system: A key of `houses.HOUSE_SYSTEMS`.
        local: The reading of the clock that `moment` came from, if not UTC.
        tz: The zone of `local`.
        time_known: False leaves out houses and angles, which change every minute.
        notes: Sentences to carry along, for instance on an ambiguous local time.

    Raises:
        OutsideEphemeris: if the planets are not known for this moment.
        ValidationFailed: if there is no such house system.
    """
    require_in_span(moment)
    require_house_system(house_system)
    places = places_of(moment.utc_us)
    longitudes, speeds, aspects = motion_of(moment.utc_us)

    angles, cusps, houses, used = None, None, None, None
    if place is not None and time_known:
        armc_deg = places.sidereal_time_deg + place.lon_deg
        horizon = horizon_at(armc_deg, np.array([place.lat_deg]), places.obliquity_deg)
        angle_rad = (horizon.ascendant_rad, horizon.midheaven_rad, horizon.vertex_rad)
        angles = Angles(*_rounded_turn(np.degrees(np.concatenate(angle_rad))))
        cusps = _rounded_turn(cusps_deg_of(house_system, horizon)[:, 0])
        houses = house_of(np.array(longitudes)[:, None], np.array(cusps)[:, None])[:, 0].tolist()
        falls_back = bool(horizon.is_polar[0]) and not HOUSE_SYSTEMS[house_system].is_polar_safe
        used = POLAR_FALLBACK if falls_back else house_system
        notes += _polar_notes(house_system, used, bool(horizon.is_turned[0]))

    signs = [sign_index_of(longitude) for longitude in longitudes]
    elements, modalities = balances_of(signs)
    ascendant = angles.ascendant_deg if angles else None
    dominance = dominance_of(signs, houses, ascendant, aspects)
    phase_deg = round((longitudes[MOON] - longitudes[SUN]) % 360.0, DECIMALS) % 360.0
    return Chart(
        moment=moment,
        place=place,
        local=us_to_iso(moment.utc_us) if local is None else local,
        tz=tz,
        time_known=time_known,
        house_system=house_system,
        house_system_used=used,
        notes=notes,
        bodies=tuple(
            Position(
                name=name,
                longitude_deg=longitude,
                latitude_deg=latitude,
                speed_deg_per_day=speed,
                declination_deg=declination,
                sign=SIGNS[sign].name,
                sign_degree=round(sign_degree_of(longitude), DECIMALS),
                house=house,
                dignity=DIGNITIES[name][sign],
            )
            for name, longitude, latitude, speed, declination, sign, house in zip(
                BODY_NAMES,
                longitudes,
                _rounded(places.latitude_deg[:, 0]),
                speeds,
                _rounded(places.declination_deg[:, 0]),
                signs,
                houses or [None] * len(BODY_NAMES),
                strict=True,
            )
        ),
        angles=angles,
        cusps_deg=tuple(cusps) if cusps else None,
        aspects=aspects,
        phase_deg=phase_deg,
        phase_name=phase_name_of(phase_deg),
        elements=elements,
        modalities=modalities,
        dominance=dominance,
        dominant_body=dominant_of(dominance),
        chart_hash=chart_hash(moment, place, house_system, time_known),
    )


def require_house_system(name: str, field: str = "houses") -> str:
    """Return the name of a house system if there is one.

    Raises:
        ValidationFailed: naming those there are.
    """
    if name in HOUSE_SYSTEMS:
        return name
    raise ValidationFailed([Detail(field, f"must be one of {', '.join(HOUSE_SYSTEMS)}")])


def _polar_notes(asked: str, used: str, is_turned: bool) -> tuple[str, ...]:
    notes = []
    if used != asked:
        notes.append(
            f"Beyond the polar circles {asked.capitalize()} has no cusps: "
            f"{used.capitalize()} is used instead."
        )
    if is_turned:
        notes.append(
            "Here the degree that rises stands west of the midheaven: "
            "the ascendant is taken at the opposite point."
        )
        if used == "regiomontanus":
            notes.append("Regiomontanus houses run clockwise in this sky.")
    return tuple(notes)


def _rounded(values: NDArray[np.float64]) -> list[float]:
    # Adding zero turns -0.0 into 0.0: one value, one writing.
    return [round(value, DECIMALS) + 0.0 for value in values.tolist()]


def _rounded_turn(values_deg: NDArray[np.float64]) -> list[float]:
    return [round(value % 360.0, DECIMALS) % 360.0 for value in values_deg.tolist()]

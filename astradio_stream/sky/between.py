"""Between charts: synastry, transits, composite and Davison charts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from astradio_stream.sky.aspects import Aspect, aspects_among, aspects_between
from astradio_stream.sky.bodies import BODIES, N_PLANETS
from astradio_stream.sky.chart import DECIMALS, DEFAULT_HOUSE_SYSTEM, chart_at
from astradio_stream.sky.judgement import (
    balances_of,
    dominance_of,
    dominant_of,
    phase_name_of,
)
from astradio_stream.sky.moment import Moment
from astradio_stream.sky.values import Chart, Place
from astradio_stream.sky.zodiac import sign_index_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Composite:
    """The chart of midpoints between two charts. It belongs to no moment and no place."""

    longitudes_deg: Mapping[str, float]
    """Midpoint of each body on the shorter arc (degrees)."""
    ascendant_deg: float | None
    """Midpoint of the ascendants; None unless both charts have one."""
    midheaven_deg: float | None
    """Midpoint of the midheavens; None unless both charts have one."""
    aspects: tuple[Aspect, ...]
    """Among the midpoints, strongest first; midpoints rest, so none is applying."""
    phase_deg: float
    phase_name: str
    elements: Mapping[str, float]
    modalities: Mapping[str, float]
    dominant_body: str


def synastry_of(a: Chart, b: Chart) -> list[Aspect]:
    """Return the aspects of each planet of one chart with each of another, strongest first.

    Both charts rest: no aspect is applying and none has a time to exactness.
    """
    return aspects_between(_resting(a), _resting(b))


def transits_to(natal: Chart, sky: Chart) -> list[Aspect]:
    """Return the aspects of the moving sky (`a`) to a natal chart (`b`), strongest first."""
    moving = [
        (body.name, body.longitude_deg, body.speed_deg_per_day, row.luminary)
        for body, row in zip(sky.bodies[:N_PLANETS], BODIES, strict=False)
    ]
    return aspects_between(moving, _resting(natal))


def composite_of(a: Chart, b: Chart) -> Composite:
    """Return the composite of two charts: every body at the midpoint of the shorter arc.

    Source: Hand, Planets in Composite (1975).
    """
    pairs = zip(a.bodies, b.bodies, strict=True)
    middles = {x.name: midpoint_deg(x.longitude_deg, y.longitude_deg) for x, y in pairs}
    longitudes = list(middles.values())
    aspects = tuple(aspects_among(longitudes, [0.0] * len(longitudes)))
    signs = [sign_index_of(longitude) for longitude in longitudes]
    elements, modalities = balances_of(signs)
    ascendant = midheaven = None
    if a.angles is not None and b.angles is not None:
        ascendant = midpoint_deg(a.angles.ascendant_deg, b.angles.ascendant_deg)
        midheaven = midpoint_deg(a.angles.midheaven_deg, b.angles.midheaven_deg)
    phase_deg = round((middles["moon"] - middles["sun"]) % 360.0, DECIMALS) % 360.0
    return Composite(
        longitudes_deg=middles,
        ascendant_deg=ascendant,
        midheaven_deg=midheaven,
        aspects=aspects,
        phase_deg=phase_deg,
        phase_name=phase_name_of(phase_deg),
        elements=elements,
        modalities=modalities,
        dominant_body=dominant_of(dominance_of(signs, None, ascendant, aspects)),
    )


def davison_of(a: Chart, b: Chart, house_system: str = DEFAULT_HOUSE_SYSTEM) -> Chart:
    """Return the Davison chart: the sky halfway in time, seen from halfway in place.

    Latitudes are averaged, longitudes halved on the shorter arc.
    Source: Davison, Synastry (1977).
    """
    middle = Moment((a.moment.utc_us + b.moment.utc_us) // 2)
    place = None
    if a.place is not None and b.place is not None:
        lon_deg = midpoint_deg(a.place.lon_deg, b.place.lon_deg)
        lon_deg -= 360.0 * (lon_deg > 180.0)
        lat_deg = (a.place.lat_deg + b.place.lat_deg) / 2.0
        place = Place(round(lat_deg, DECIMALS), round(lon_deg, DECIMALS))
    time_known = a.time_known and b.time_known
    chart = chart_at(middle, place, house_system, time_known=time_known)
    return replace(chart, notes=("A Davison chart: halfway in time and place.", *chart.notes))


def midpoint_deg(a_deg: float, b_deg: float) -> float:
    """Return the middle of the shorter arc (degrees, [0, 360)).

    Of two opposite points it is the one east of the smaller longitude, so that it does not matter
    which is named first.
    """
    low, high = sorted((a_deg % 360.0, b_deg % 360.0))
    arc = 180.0 - (low - high + 180.0) % 360.0
    return round((low + arc / 2.0) % 360.0, DECIMALS) % 360.0


def _resting(chart: Chart) -> list[tuple[str, float, float, bool]]:
    return [
        (body.name, body.longitude_deg, 0.0, row.luminary)
        for body, row in zip(chart.bodies[:N_PLANETS], BODIES, strict=False)
    ]

"""A chart as JSON, in the shape of the HTTP contract, and its identity."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import rfc8785

from astradio_stream.sky.moment import moment_to_iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astradio_stream.sky.aspects import Aspect
    from astradio_stream.sky.moment import Moment
    from astradio_stream.sky.values import Chart, Place

SKY_VERSION: Final = "v1.0"
"""Changes when the same moment and place would give another chart."""


def chart_hash(
    moment: Moment, place: Place | None, house_system: str, time_known: bool = True
) -> str:
    """Return the identity of a chart: SHA-256 (hexadecimal) of what determines it."""
    return sha256(
        rfc8785.dumps(
            {
                "houseSystem": house_system,
                "moment": moment_to_iso(moment),
                "place": place_to_json(place),
                "timeKnown": time_known,
                "version": SKY_VERSION,
            }
        )
    ).hexdigest()


def place_to_json(place: Place | None) -> dict[str, Any] | None:
    """Return a place as `{lat, lon}` in degrees."""
    return None if place is None else {"lat": place.lat_deg, "lon": place.lon_deg}


def aspects_to_json(aspects: Sequence[Aspect]) -> list[dict[str, Any]]:
    """Return aspects in the shape of the contract."""
    return [
        {
            "a": aspect.a,
            "b": aspect.b,
            "kind": aspect.kind,
            "orbDeg": aspect.orb_deg,
            "strength": aspect.strength,
            "applying": aspect.is_applying,
            "exactInHours": aspect.exact_in_hours,
        }
        for aspect in aspects
    ]


def chart_to_json(chart: Chart) -> dict[str, Any]:
    """Return a chart in the shape of the contract; without a time, `angles` and `cuspsDeg` null."""
    angles = chart.angles
    return {
        "chartHash": chart.chart_hash,
        "moment": {
            "utc": moment_to_iso(chart.moment),
            "local": chart.local,
            "tz": chart.tz,
            "timeKnown": chart.time_known,
        },
        "place": place_to_json(chart.place),
        "houseSystem": chart.house_system,
        "houseSystemUsed": chart.house_system_used,
        "notes": list(chart.notes),
        "bodies": [
            {
                "name": body.name,
                "longitudeDeg": body.longitude_deg,
                "latitudeDeg": body.latitude_deg,
                "speedDegPerDay": body.speed_deg_per_day,
                "declinationDeg": body.declination_deg,
                "retrograde": body.is_retrograde,
                "sign": body.sign,
                "signDegree": body.sign_degree,
                "house": body.house,
                "dignity": body.dignity,
            }
            for body in chart.bodies
        ],
        "angles": None
        if angles is None
        else {
            "ascendantDeg": angles.ascendant_deg,
            "midheavenDeg": angles.midheaven_deg,
            "vertexDeg": angles.vertex_deg,
        },
        "cuspsDeg": None if chart.cusps_deg is None else list(chart.cusps_deg),
        "aspects": aspects_to_json(chart.aspects),
        "moon": {"phaseDeg": chart.phase_deg, "phaseName": chart.phase_name},
        "elements": dict(chart.elements),
        "modalities": dict(chart.modalities),
        "dominantBody": chart.dominant_body,
    }

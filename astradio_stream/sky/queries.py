"""What the HTTP interface asks of the sky, as pure functions from query values to JSON-ready data.

The server hands over the values of the query string as they are; every field that is wrong is named
at once.
"""

from __future__ import annotations

import re
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Final

from astradio_stream.errors import Detail, OutsideEphemeris, ValidationFailed
from astradio_stream.sky.almanac import events_between
from astradio_stream.sky.births import birth_of
from astradio_stream.sky.chart import DEFAULT_HOUSE_SYSTEM, require_house_system
from astradio_stream.sky.chart_json import chart_to_json
from astradio_stream.sky.features import FEATURES_VERSION, features_of_chart
from astradio_stream.sky.gazetteer import LONGEST_NAME, fold
from astradio_stream.sky.hours import planetary_hour_at
from astradio_stream.sky.moment import (
    SPAN_SENTENCE,
    Moment,
    moment_to_iso,
    parse_moment,
    require_in_span,
)
from astradio_stream.sky.shape import shape_of
from astradio_stream.sky.zodiac import sign_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astradio_stream.sky.almanac import SkyEvent
    from astradio_stream.sky.gazetteer import Gazetteer
    from astradio_stream.sky.hours import PlanetaryHour
    from astradio_stream.sky.values import Chart

DEFAULT_SKY_HOURS: Final = 48
LONGEST_SKY_HOURS: Final = 24 * 366
"""A year and a day: about half a second of work."""
DEFAULT_PLACES: Final = 10
MOST_PLACES: Final = 50

_NUMBER: Final = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?", re.ASCII)
"""As JSON writes numbers, and a little more."""
_NUMERIC_FIELDS: Final = ("lat", "lon", "fold")


def chart_answer(values: Mapping[str, str]) -> dict[str, Any]:
    """Answer `GET /api/chart`: a chart in full.

    Args:
        values: `datetime` (local to `tz`, or with an offset; a date alone if the time is unknown),
            `tz`, `lat`, `lon`, and the optional `houses` and `fold`.

    Raises:
        ValidationFailed: naming every field that is wrong.
    """
    fields: dict[str, object] = dict(values)
    for name in _NUMERIC_FIELDS:
        if name in values:
            number = _number(values[name])
            fields[name] = values[name] if number is None else number  # its reader will refuse it
    details: list[Detail] = []
    houses = values.get("houses", DEFAULT_HOUSE_SYSTEM)
    try:
        require_house_system(houses)
    except ValidationFailed as error:
        details += error.details
    try:
        birth = birth_of(fields)
    except ValidationFailed as error:
        raise ValidationFailed([*error.details, *details]) from None
    if details:
        raise ValidationFailed(details)
    return chart_in_full(birth.chart(houses))


def chart_in_full(chart: Chart) -> dict[str, Any]:
    """Return a chart in the shape of the contract, and after it shape, hour and features."""
    houses = [body.house for body in chart.bodies if body.house is not None]
    shape = shape_of([body.longitude_deg for body in chart.bodies], houses or None)
    hour = None
    if chart.place is not None and chart.time_known:
        hour = planetary_hour_at(chart.moment, chart.place)
    return chart_to_json(chart) | {
        "dominance": dict(chart.dominance),
        "shape": {
            "name": shape.name,
            "occupiedDeg": shape.occupied_deg,
            "largestGapDeg": shape.largest_gap_deg,
            "gathering": shape.gathering,
            "aboveHorizon": shape.above_horizon,
            "eastern": shape.eastern,
        },
        "planetaryHour": None if hour is None else _hour_to_json(hour),
        "features": {
            "version": FEATURES_VERSION,
            "values": [round(float(value), 6) for value in features_of_chart(chart)],
        },
    }


def sky_answer(values: Mapping[str, str], now: Moment) -> dict[str, Any]:
    """Answer `GET /api/sky`: the coming events.

    Args:
        values: The optional `from` (an instant with offset) and `hours` (1 to 8784).
        now: What `from` is when it is left out.

    Raises:
        ValidationFailed: naming every field that is wrong.
    """
    details: list[Detail] = []
    start = now
    try:
        start = parse_moment(values["from"], "from") if "from" in values else require_in_span(now)
    except ValidationFailed as error:
        details += error.details
    hours = _number(values.get("hours", str(DEFAULT_SKY_HOURS)))
    if hours is None or not 1 <= hours <= LONGEST_SKY_HOURS:
        details.append(Detail("hours", f"must be a number from 1 to {LONGEST_SKY_HOURS}"))
    if details or hours is None:
        raise ValidationFailed(details)
    end = start.plus_seconds(hours * 3_600.0)
    try:
        require_in_span(end, "hours")
    except OutsideEphemeris:
        message = f"{SPAN_SENTENCE}, so many hours lead beyond it"
        raise ValidationFailed([Detail("hours", message)]) from None
    return {
        "from": moment_to_iso(start),
        "to": moment_to_iso(end),
        "events": [event_to_json(event) for event in events_between(start, end)],
    }


def event_to_json(event: SkyEvent) -> dict[str, Any]:
    """Return an event of the almanac as JSON-ready data."""
    return {
        "at": moment_to_iso(event.moment),
        "kind": event.kind,
        "name": event.name,
        "bodies": list(event.bodies),
        "longitudeDeg": event.longitude_deg,
        "sign": event.name if event.kind == "ingress" else sign_of(event.longitude_deg).name,
        "text": event.text,
    }


def places_answer(values: Mapping[str, str], gazetteer: Gazetteer) -> list[dict[str, Any]]:
    """Answer `GET /api/places`: towns whose name begins with `q`, at most `limit` of them.

    Raises:
        ValidationFailed: naming every field that is wrong.
    """
    details: list[Detail] = []
    query = values.get("q", "")
    if not fold(query) or len(query) > LONGEST_NAME:
        details.append(Detail("q", f"must be the beginning of a name, 1 to {LONGEST_NAME} letters"))
    limit = _number(values.get("limit", str(DEFAULT_PLACES)))
    if limit is None or limit != int(limit) or not 1 <= limit <= MOST_PLACES:
        details.append(Detail("limit", f"must be a whole number from 1 to {MOST_PLACES}"))
    if details or limit is None:
        raise ValidationFailed(details)
    return [
        {
            "name": town.name,
            "region": town.region,
            "country": town.country,
            "lat": town.lat_deg,
            "lon": town.lon_deg,
            "tz": town.tz,
            "population": town.population,
        }
        for town in gazetteer.search(query, int(limit))
    ]


def _number(text: str) -> float | None:
    """Return a decimal number, or None: neither nan nor inf nor 1_000 nor 1e400 is one."""
    number = float(text) if _NUMBER.fullmatch(text) else inf
    return number if isfinite(number) else None


def _hour_to_json(hour: PlanetaryHour) -> dict[str, Any]:
    return {
        "ruler": hour.ruler,
        "number": hour.number,
        "isDay": hour.is_day,
        "dayRuler": hour.day_ruler,
        "start": moment_to_iso(hour.start),
        "end": moment_to_iso(hour.end),
    }

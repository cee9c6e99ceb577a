"""The almanac finds what others published, misses nothing, and is quick."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.errors import OutsideEphemeris, ValidationFailed
from astradio_stream.sky import almanac
from astradio_stream.sky.almanac import SkyEvent, events_between
from astradio_stream.sky.aspects import KIND_BY_NAME
from astradio_stream.sky.bodies import BODY_INDEX, N_PLANETS
from astradio_stream.sky.ephemeris import places_at, separation_deg
from astradio_stream.sky.moment import FIRST_MOMENT, LAST_MOMENT, Moment, parse_moment
from astradio_stream.sky.queries import sky_answer
from astradio_stream.sky.zodiac import SIGN_NAMES

TABLE = Path(__file__).parent / "authorities" / "almanac.csv"
PUBLISHED = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))
DAY_S = 86_400.0
DAY_US = 86_400_000_000
NOW = parse_moment("2026-11-23T22:51:00Z")


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["utc"])
def test_published_times(row: dict[str, str]) -> None:
    """To the minute where minutes were printed; 10 s where seconds were, half of it delta T."""
    published = parse_moment(row["utc"])
    limit_s = {"60": 60.0, "1": 10.0}[row["precision_s"]]
    wanted = (row["kind"], tuple(row["bodies"].split()), row["name"])
    found = [
        event
        for event in events_between(published.plus_seconds(-DAY_S), published.plus_seconds(DAY_S))
        if (event.kind, event.bodies, event.name) == wanted
    ]
    assert len(found) == 1
    assert abs(found[0].moment.utc_us - published.utc_us) <= limit_s * 1e6


@settings(max_examples=12, deadline=None)
@given(st.integers(FIRST_MOMENT.utc_us, LAST_MOMENT.utc_us - 86_400_000_000 * 40))
def test_every_event_is_exact_to_a_second(start_us: int) -> None:
    """A second before and after, each function has different signs."""
    events = list(events_between(Moment(start_us), Moment(start_us + 86_400_000_000 * 30)))
    assert events == sorted(events)
    times = np.array([event.moment.utc_us for event in events])
    before, after = places_at(times - 1_000_000), places_at(times + 1_000_000)
    for n, event in enumerate(events):
        values = [_value(event, places, n) for places in (before, after)]
        assert values[0] * values[1] <= 0.0, event


def _value(event: SkyEvent, places, n: int) -> float:
    i = BODY_INDEX[event.bodies[-1]]
    longitude = places.longitude_deg[i, n]
    if event.kind == "station":
        return float(places.speed_deg_per_day[i, n])
    if event.kind == "ingress":
        return float(separation_deg(np.round(longitude / 30.0) * 30.0, longitude))
    arc = longitude - places.longitude_deg[BODY_INDEX[event.bodies[0]], n]
    lunations = {"new_moon": 0.0, "first_quarter": 90.0, "full_moon": 180.0, "last_quarter": 270.0}
    if event.kind == "lunation":
        return float(separation_deg(np.array(lunations[event.name]), arc))
    angle = KIND_BY_NAME[event.name].angle_deg
    side = 1.0 if separation_deg(np.array(0.0), arc) >= 0.0 else -1.0
    return float(separation_deg(np.array(side * angle), arc))


def test_nothing_is_missed_in_a_year() -> None:
    """As many aspects and ingresses as a search on an hourly grid counts."""
    start, end = parse_moment("2001-01-01T00:00:00Z"), parse_moment("2002-01-01T00:00:00Z")
    events = list(events_between(start, end))
    fine = np.arange(start.utc_us, end.utc_us, 3_600_000_000)
    longitude = places_at(fine).longitude_deg[:N_PLANETS]
    a, b = np.triu_indices(N_PLANETS, k=1)
    arcs = (longitude[b] - longitude[a]) % 360.0
    sectors = np.searchsorted([60.0, 90.0, 120.0, 180.0, 240.0, 270.0, 300.0], arcs)
    counted = np.count_nonzero(np.diff(sectors, axis=1))
    assert sum(event.kind in ("aspect", "lunation") for event in events) == counted
    signs = (longitude // 30.0).astype(int)
    assert sum(event.kind == "ingress" for event in events) == np.count_nonzero(np.diff(signs))


def test_each_retrograde_period_has_two_stations_and_planets_take_turns() -> None:
    start = parse_moment("1990-01-01T00:00:00Z")
    stations: dict[str, list[str]] = {}
    for event in events_between(start, start.plus_seconds(3 * 365 * DAY_S)):
        if event.kind == "station":
            stations.setdefault(event.bodies[0], []).append(event.name)
    assert set(stations) == set(list(BODY_INDEX)[2:N_PLANETS])
    for names in stations.values():
        assert all(x != y for x, y in zip(names, names[1:], strict=False))


def test_an_ingress_names_the_sign_that_the_body_is_in_afterwards() -> None:
    start = parse_moment("2020-01-01T00:00:00Z")
    for event in events_between(start, start.plus_seconds(400 * DAY_S)):
        if event.kind == "ingress":
            later = places_at(np.array([event.moment.utc_us + 60_000_000])).longitude_deg[:, 0]
            sign = SIGN_NAMES[int(later[BODY_INDEX[event.bodies[0]]] // 30.0)]
            assert sign == event.name


def test_a_span_in_pieces_has_the_same_events() -> None:
    start = parse_moment("2026-01-01T00:00:00Z")
    whole = list(events_between(start, start.plus_seconds(100 * DAY_S)))
    cuts = [start.plus_seconds(x * DAY_S) for x in (0, 13.7, 50.123, 100)]
    pieces = [e for a, b in zip(cuts, cuts[1:], strict=False) for e in events_between(a, b)]
    assert pieces == whole


@pytest.mark.parametrize("offset_s", [0, 1, 299, 599])
def test_short_spans_miss_nothing(offset_s: int) -> None:
    """Ten minutes at a time, wherever the cuts lie; stations and turns included."""
    start = parse_moment("2026-03-18T00:00:00Z")
    whole = list(events_between(start, Moment(start.utc_us + 40 * 86_400_000_000)))
    for event in whole:
        begin = event.moment.utc_us - offset_s * 1_000_000
        span = Moment(begin), Moment(begin + 600_000_000)
        near = [other for other in whole if span[0] <= other.moment < span[1]]
        assert event in near
        assert list(events_between(*span)) == near
        after = Moment(event.moment.utc_us + 1_000_000), Moment(event.moment.utc_us + 120_000_000)
        assert event not in events_between(*after)


def test_no_planet_is_faster_than_the_bounds_say() -> None:
    """Of two moments 90 minutes apart, every other day of the whole span."""
    some_us = np.arange(FIRST_MOMENT.utc_us, LAST_MOMENT.utc_us - DAY_US, 2 * DAY_US)
    places = [places_at(some_us), places_at(some_us + DAY_US // 16)]
    speed, later = (place.speed_deg_per_day[:N_PLANETS] for place in places)
    assert (np.abs(speed).max(axis=1) < almanac.FASTEST_DEG_PER_DAY).all()
    longitude = places[0].longitude_deg[:N_PLANETS]
    is_clear = np.abs(separation_deg(longitude[0], longitude)) > almanac.CLEAR_OF_SUN_DEG
    change = np.abs(later - speed)[1:] * 16 * is_clear[1:]
    assert (change.max(axis=1) < almanac.HARDEST_DEG_PER_DAY2[1:]).all()
    assert np.abs(later - speed)[0].max() * 16 < almanac.HARDEST_DEG_PER_DAY2[0]


@settings(max_examples=300)
@given(
    st.integers(FIRST_MOMENT.utc_us + DAY_US, LAST_MOMENT.utc_us - 2 * DAY_US),
    st.sampled_from([1, 60, 600, 3_600]),
)
def test_where_nothing_is_near_nothing_happens(start_us: int, seconds: int) -> None:
    """The short way to no answer, held to the whole search."""
    start, end = Moment(start_us), Moment(start_us + seconds * 1_000_000)
    if almanac.nothing_is_near(start, end):
        around = events_between(start.plus_seconds(-DAY_S), end.plus_seconds(DAY_S))
        assert not [event for event in around if start <= event.moment < end]


def test_most_minutes_of_a_year_are_known_to_be_quiet() -> None:
    start = parse_moment("2026-01-01T00:00:00Z")
    minutes = [start.plus_seconds(3_600.0 * 8.77 * n) for n in range(1_000)]
    far = [almanac.nothing_is_near(minute, minute.plus_seconds(60.0)) for minute in minutes]
    assert 0.85 < np.mean(far) < 1.0


def test_sentences_for_people() -> None:
    texts = {event.text for event in events_between(NOW, NOW.plus_seconds(30 * DAY_S))}
    assert {"Moon enters Gemini", "Full moon in Gemini", "Sun trine Neptune"} <= texts


def test_the_answer_lists_what_is_coming() -> None:
    answer = sky_answer({}, NOW)
    assert (answer["from"], answer["to"]) == ("2026-11-23T22:51:00Z", "2026-11-25T22:51:00Z")
    first = answer["events"][0]
    assert list(first) == ["at", "kind", "name", "bodies", "longitudeDeg", "sign", "text"]
    assert sky_answer({"from": "2020-01-01T00:00:00Z", "hours": "1"}, NOW)["events"] is not None


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"from": "2026-01-01"}, ["from"]),
        ({"from": "2026-01-01T24:00:00Z", "hours": "0"}, ["from", "hours"]),
        ({"hours": "8785"}, ["hours"]),
        ({"hours": "nan"}, ["hours"]),
        ({"hours": "-1"}, ["hours"]),
        ({"from": "2053-10-08T00:00:00Z", "hours": "25"}, ["hours"]),
        ({"from": "1850-01-01T00:00:00Z"}, ["from"]),
    ],
)
def test_wrong_queries_name_every_field(values: dict[str, str], fields: list[str]) -> None:
    with pytest.raises(ValidationFailed) as caught:
        sky_answer(values, NOW)
    assert [detail.field for detail in caught.value.details] == fields


def test_spans_beyond_the_kernel_are_refused() -> None:
    with pytest.raises(OutsideEphemeris):
        next(events_between(Moment(FIRST_MOMENT.utc_us - 1), NOW))
    last = list(events_between(LAST_MOMENT.plus_seconds(-5 * DAY_S), LAST_MOMENT))
    assert last

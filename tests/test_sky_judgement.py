"""Signs, dignities, phases, shapes, planetary hours: tables read in both directions."""

from __future__ import annotations

from contextlib import closing
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skyfield import almanac
from skyfield.api import load, wgs84
from skyfield.jpllib import SpiceKernel

from astradio_stream.errors import ValidationFailed
from astradio_stream.sky.bodies import BODIES, N_PLANETS, PLANET_NAMES
from astradio_stream.sky.chart import Place, chart_at
from astradio_stream.sky.ephemeris import places_at
from astradio_stream.sky.hours import CHALDEAN_ORDER, planetary_hour_at
from astradio_stream.sky.judgement import balances_of, dominance_of, dominant_of, phase_name_of
from astradio_stream.sky.moment import Moment, parse_moment
from astradio_stream.sky.queries import chart_answer
from astradio_stream.sky.shape import shape_of
from astradio_stream.sky.zodiac import (
    DIGNITIES,
    ELEMENTS,
    MODALITIES,
    SIGN_NAMES,
    SIGNS,
    sign_degree_of,
    sign_index_of,
    sign_of,
)


def test_signs_repeat_elements_by_three_and_modalities_by_four() -> None:
    for i, sign in enumerate(SIGNS):
        assert (sign.element, sign.modality) == (ELEMENTS[i % 4], MODALITIES[i % 3])


@pytest.mark.parametrize(
    ("longitude_deg", "name"),
    [(0.0, "aries"), (29.999999, "aries"), (30.0, "taurus"), (359.9, "pisces"), (-0.1, "pisces"),
     (360.0, "aries"), (-1e-20, "aries"), (720.5, "aries")],
)  # fmt: skip
def test_signs_around_the_circle(longitude_deg: float, name: str) -> None:
    assert sign_of(longitude_deg).name == name


@given(st.floats(-1e4, 1e4))
def test_sign_and_degree_make_the_longitude(longitude_deg: float) -> None:
    whole = sign_index_of(longitude_deg) * 30.0 + sign_degree_of(longitude_deg)
    assert min((whole - longitude_deg) % 360.0, (longitude_deg - whole) % 360.0) < 1e-9


@pytest.mark.parametrize(
    ("body", "sign", "dignity"),
    [
        ("sun", "leo", "domicile"), ("sun", "aries", "exaltation"),
        ("sun", "aquarius", "detriment"), ("sun", "libra", "fall"),
        ("moon", "cancer", "domicile"), ("moon", "scorpio", "fall"),
        ("mercury", "virgo", "domicile"), ("mercury", "pisces", "detriment"),
        ("venus", "pisces", "exaltation"), ("mars", "capricorn", "exaltation"),
        ("jupiter", "cancer", "exaltation"), ("saturn", "aries", "fall"),
        ("uranus", "aquarius", "domicile"), ("neptune", "virgo", "detriment"),
        ("pluto", "scorpio", "domicile"), ("sun", "gemini", None), ("mean_node", "leo", None),
    ],
)  # fmt: skip
def test_dignities(body: str, sign: str, dignity: str | None) -> None:
    assert DIGNITIES[body][SIGN_NAMES.index(sign)] == dignity


@pytest.mark.parametrize("body", PLANET_NAMES)
def test_loss_stands_opposite_to_gain(body: str) -> None:
    opposite = {"domicile": "detriment", "exaltation": "fall"}
    for i, dignity in enumerate(DIGNITIES[body]):
        if dignity in opposite and body != "mercury":
            assert DIGNITIES[body][(i + 6) % 12] == opposite[dignity]


@pytest.mark.parametrize(
    ("phase_deg", "name"),
    [(0.0, "new_moon"), (22.4, "new_moon"), (45.0, "waxing_crescent"), (90.0, "first_quarter"),
     (135.0, "waxing_gibbous"), (180.0, "full_moon"), (225.0, "waning_gibbous"),
     (270.0, "last_quarter"), (315.0, "waning_crescent"), (337.6, "new_moon"), (359.9, "new_moon")],
)  # fmt: skip
def test_phase_names(phase_deg: float, name: str) -> None:
    assert phase_name_of(phase_deg) == name


def test_balances_weigh_bodies() -> None:
    in_aries = [0] * N_PLANETS
    elements, modalities = balances_of(in_aries)
    assert elements == {"fire": 1.0, "earth": 0.0, "air": 0.0, "water": 0.0}
    assert modalities == {"cardinal": 1.0, "fixed": 0.0, "mutable": 0.0}
    only_sun_in_taurus, _ = balances_of([1, *in_aries[1:]])
    total = sum(body.weight for body in BODIES)
    assert only_sun_in_taurus["earth"] == pytest.approx(BODIES[0].weight / total, abs=1e-6)


def test_dominance_is_traceable() -> None:
    # Everything in Gemini, where only Mercury is dignified, no houses, no aspects.
    points = dominance_of([2] * N_PLANETS, None, None, [])
    assert points["sun"] == 4.0
    assert points["mercury"] == 3.0 + 2.5
    assert points["jupiter"] == 2.0 - 2.5
    assert dominant_of(points) == "mercury"
    # Mars in the tenth house of a chart with Aries rising.
    houses = [2, 2, 2, 2, 10, 2, 2, 2, 2, 2]
    with_houses = dominance_of([2] * N_PLANETS, houses, 5.0, [])
    assert with_houses["mars"] == 3.0 + 2.5 + 2.5
    # Of equals, the first: Sun and Moon, both with four points.
    assert dominant_of(dict.fromkeys(PLANET_NAMES, 1.0)) == "sun"


@pytest.mark.parametrize(
    ("longitudes", "name"),
    [
        ([10 * i for i in range(10)], "bundle"),
        ([350 + 18 * i for i in range(10)], "bowl"),
        ([20 * i for i in range(9)] + [250], "bucket"),
        ([26 * i for i in range(10)], "locomotive"),
        ([5 * i for i in range(5)] + [180 + 5 * i for i in range(5)], "seesaw"),
        ([36 * i for i in range(10)], "splash"),
        ([0, 10, 20, 75, 85, 95, 150, 200, 205, 250], "splay"),
    ],
)
def test_shapes(longitudes: list[float], name: str) -> None:
    shape = shape_of([x % 360 for x in longitudes], None)
    assert shape.name == name
    assert shape.occupied_deg + shape.largest_gap_deg == pytest.approx(360.0)


@given(st.lists(st.floats(0, 360), min_size=10, max_size=10), st.floats(-360, 360))
def test_a_shape_turns_with_the_circle(longitudes: list[float], turn: float) -> None:
    before, after = shape_of(longitudes, None), shape_of([x + turn for x in longitudes], None)
    assert after.largest_gap_deg == pytest.approx(before.largest_gap_deg, abs=1e-5)
    assert after.gathering == pytest.approx(before.gathering, abs=1e-5)
    assert 0.0 <= before.gathering <= 1.0


NEW_YORK = Place(40.7128, -74.006)
VALUES = {"datetime": "1990-01-01T12:00", "tz": "America/New_York", "lat": "40.7", "lon": "-74"}
PLACES = [NEW_YORK, Place(-33.9, 151.2), Place(0.0, 0.0), Place(60.0, 25.0)]


def test_hours_follow_the_chaldean_order_and_begin_with_the_day() -> None:
    """Saturday 2000-01-01: the hours of daylight in New York run from Saturn."""
    first = planetary_hour_at(parse_moment("2000-01-01T12:40:00Z"), NEW_YORK)
    assert first is not None
    assert (first.number, first.ruler, first.is_day) == (1, "saturn", True)
    rulers = []
    hour = first
    for _ in range(24):
        rulers.append(hour.ruler)
        following = planetary_hour_at(Moment(hour.end.utc_us + 2_000_000), NEW_YORK)
        assert following is not None
        hour = following
    assert rulers == [CHALDEAN_ORDER[i % 7] for i in range(24)]
    assert (hour.number, hour.ruler, hour.day_ruler) == (1, "sun", "sun")


@pytest.mark.parametrize(
    "place", [NEW_YORK, Place(-33.9, 151.2), Place(0.0, 0.0), Place(60.0, 25.0)]
)
def test_sunrise_and_sunset_agree_with_skyfield(place: Place) -> None:
    """Within two seconds of Skyfield's own almanac, an outside implementation."""
    start = parse_moment("2024-05-01T00:00:00Z")
    timescale = load.timescale(builtin=True)
    with closing(SpiceKernel(str(files("skyfield_data") / "data" / "de421.bsp"))) as kernel:
        observer = kernel["earth"] + wgs84.latlon(place.lat_deg, place.lon_deg)
        span = (timescale.ut1_jd(start.julian_date + x) for x in (0.0, 2.0))
        times, _ = almanac.find_risings(observer, kernel["sun"], *span)
    for time in times:
        rise_us = round((time.ut1 - 2_440_587.5) * 86_400e6)
        hour = planetary_hour_at(Moment(rise_us + 5_000_000), place)
        assert hour is not None
        assert (hour.number, hour.is_day) == (1, True)
        assert abs(hour.start.utc_us - rise_us) < 2_000_000


def test_where_the_sun_does_not_rise_there_are_no_hours() -> None:
    assert planetary_hour_at(parse_moment("2024-12-21T12:00:00Z"), Place(78.0, 15.0)) is None
    assert planetary_hour_at(parse_moment("2024-06-21T12:00:00Z"), Place(78.0, 15.0)) is None
    assert planetary_hour_at(parse_moment("1899-07-29T00:00:00Z"), Place(90.0, 0.0)) is None


def test_the_true_node_is_where_the_moon_crosses_the_ecliptic() -> None:
    """When the Moon's latitude is zero, northward, its longitude is the node's (within 2")."""
    start = parse_moment("2024-01-01T00:00:00Z")
    places = places_at(start.utc_us + np.arange(28 * 144, dtype=np.int64) * 600_000_000)
    latitude = places.latitude_deg[1]
    (i,) = np.nonzero((latitude[:-1] < 0.0) & (latitude[1:] >= 0.0))[0][:1]
    part = latitude[i] / (latitude[i] - latitude[i + 1])
    moon, node = (
        places.longitude_deg[row, i] * (1 - part) + places.longitude_deg[row, i + 1] * part
        for row in (1, 11)
    )
    assert abs(moon - node) * 3600 < 2.0
    assert np.abs(places.longitude_deg[11] - places.longitude_deg[10]).max() < 2.0


def test_the_full_answer_carries_shape_hour_and_features() -> None:
    values = {
        "datetime": "1990-01-01T12:00",
        "tz": "America/New_York",
        "lat": "40.7128",
        "lon": "-74.006",
    }
    answer = chart_answer(values)
    assert answer["planetaryHour"]["ruler"] == "mercury"
    assert answer["shape"]["name"] == "bucket"
    assert len(answer["features"]["values"]) == 64
    assert (
        answer["chartHash"] == chart_at(parse_moment("1990-01-01T17:00:00Z"), NEW_YORK).chart_hash
    )
    unknown = chart_answer(values | {"datetime": "1990-01-01"})
    assert unknown["planetaryHour"] is None
    assert unknown["moment"]["timeKnown"] is False
    assert unknown["shape"]["aboveHorizon"] is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"datetime": "1990-02-30T12:00"}, "datetime"),
        ({"tz": "America/NewYork"}, "tz"),
        ({"lat": "90.0000001"}, "lat"),
        ({"lat": "nan"}, "lat"),
        ({"lon": "1e3"}, "lon"),
        ({"lon": "1e999"}, "lon"),
        ({"fold": "1e999"}, "fold"),
        ({"lon": ""}, "lon"),
        ({"houses": "topocentric"}, "houses"),
        ({"fold": "2"}, "fold"),
        ({"datetime": "9999-12-31T23:59"}, "datetime"),
        ({"datetime": "x" * 1000}, "datetime"),
    ],
)
def test_each_wrong_value_is_named(change: dict[str, str], field: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        chart_answer(VALUES | change)
    assert [detail.field for detail in caught.value.details] == [field]

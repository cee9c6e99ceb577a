"""A chart is complete, exact in the shape of the contract, and the same for ever."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.errors import OutsideEphemeris, ValidationFailed
from astradio_stream.sky.bodies import BODY_NAMES
from astradio_stream.sky.chart import Place, chart_at, chart_to_json
from astradio_stream.sky.houses import HOUSE_SYSTEMS
from astradio_stream.sky.moment import FIRST_MOMENT, LAST_MOMENT, Moment, parse_moment
from tests.authorities.charts import rows

MOMENT = parse_moment("1990-01-01T17:00:00Z")
NEW_YORK = Place(40.7128, -74.006)
moments = st.integers(FIRST_MOMENT.utc_us, LAST_MOMENT.utc_us).map(Moment)
places = st.builds(Place, st.floats(-90, 90), st.floats(-180, 180))

SHAPE = {
    "": "chartHash moment place houseSystem houseSystemUsed notes bodies angles cuspsDeg aspects "
    "moon elements modalities dominantBody",
    "moment": "utc local tz timeKnown",
    "place": "lat lon",
    "angles": "ascendantDeg midheavenDeg vertexDeg",
    "moon": "phaseDeg phaseName",
    "elements": "fire earth air water",
    "modalities": "cardinal fixed mutable",
}
BODY_SHAPE = (
    "name longitudeDeg latitudeDeg speedDegPerDay declinationDeg retrograde sign signDegree "
    "house dignity"
)


def test_the_shape_is_the_contract() -> None:
    chart = chart_to_json(chart_at(MOMENT, NEW_YORK))
    for name, keys in SHAPE.items():
        assert list(chart[name] if name else chart) == keys.split()
    assert [body["name"] for body in chart["bodies"]] == list(BODY_NAMES)
    assert all(list(body) == BODY_SHAPE.split() for body in chart["bodies"])
    aspect_keys = ["a", "b", "kind", "orbDeg", "strength", "applying", "exactInHours"]
    assert all(list(aspect) == aspect_keys for aspect in chart["aspects"])
    assert len(chart["cuspsDeg"]) == 12
    assert re.fullmatch("[0-9a-f]{64}", chart["chartHash"])
    json.dumps(chart, allow_nan=False)


def test_new_york_1990_reads_as_in_any_program() -> None:
    chart = chart_at(MOMENT, NEW_YORK)
    assert chart.body("sun").sign == "capricorn"
    assert chart.body("moon").sign == "pisces"
    assert chart.angles is not None
    assert chart.angles.ascendant_deg == pytest.approx(20.664924, abs=5e-6)
    assert chart.body("venus").sign == "aquarius"
    assert chart.body("mercury").is_retrograde
    assert chart.body("saturn").dignity == "domicile"
    assert chart.body("jupiter").dignity == "exaltation"
    assert (chart.phase_name, round(chart.phase_deg)) == ("waxing_crescent", 55)
    assert sum(chart.elements.values()) == pytest.approx(1.0, abs=1e-5)


def test_polar_rows_say_what_was_done() -> None:
    polar = [row for row in rows() if not row["placidus_2_deg"]]
    assert len(polar) == 10
    for row in polar:
        place = Place(float(row["lat_deg"]), float(row["lon_deg"]))
        chart = chart_at(parse_moment(row["ut1"]), place)
        assert (chart.house_system, chart.house_system_used) == ("placidus", "porphyry")
        assert "Porphyry is used instead" in chart.notes[0]


def test_unknown_time_leaves_out_houses_and_angles() -> None:
    chart = chart_at(MOMENT, NEW_YORK, time_known=False)
    assert (chart.angles, chart.cusps_deg, chart.house_system_used) == (None, None, None)
    assert all(body.house is None for body in chart.bodies)
    assert chart_to_json(chart)["angles"] is None
    assert chart.chart_hash != chart_at(MOMENT, NEW_YORK).chart_hash


def test_without_a_place_there_are_planets_only() -> None:
    chart = chart_at(MOMENT)
    assert chart.angles is None
    assert chart_to_json(chart)["place"] is None


def test_the_hash_knows_moment_place_and_system_and_nothing_else() -> None:
    base = chart_at(MOMENT, NEW_YORK).chart_hash
    assert (
        chart_at(MOMENT, NEW_YORK, local="1990-01-01T12:00:00", tz="America/New_York").chart_hash
        == base
    )
    others = [
        chart_at(Moment(MOMENT.utc_us + 1), NEW_YORK),
        chart_at(MOMENT, Place(40.7128, -74.0061)),
        chart_at(MOMENT, NEW_YORK, "koch"),
        chart_at(MOMENT),
    ]
    assert len({base, *(chart.chart_hash for chart in others)}) == 5
    # Frozen: a change here changes every identity that was ever given out.
    assert base == "5cc7ab09fbef6f0961135859f1aee5637d009a0cb7bd1d370ed6fae18155f04a"


@settings(max_examples=150, deadline=None)
@given(moments, places, st.sampled_from(sorted(HOUSE_SYSTEMS)))
def test_any_moment_and_place_give_a_chart(moment: Moment, place: Place, system: str) -> None:
    chart = chart_at(moment, place, system)
    assert chart.cusps_deg is not None
    assert all(
        0.0 <= x < 360.0 for x in (*chart.cusps_deg, *(b.longitude_deg for b in chart.bodies))
    )
    assert all(b.house is not None and 1 <= b.house <= 12 for b in chart.bodies)
    text = json.dumps(chart_to_json(chart), allow_nan=False)
    assert "-0.0," not in text


@pytest.mark.parametrize(
    ("lat", "lon", "fields"),
    [
        (90.0000001, 0.0, ["lat"]),
        (-91.0, 181.0, ["lat", "lon"]),
        (float("nan"), float("inf"), ["lat", "lon"]),
    ],
)
def test_what_is_not_on_the_earth_is_refused(lat: float, lon: float, fields: list[str]) -> None:
    with pytest.raises(ValidationFailed, match="must be a number from") as caught:
        Place(lat, lon)
    assert [detail.field for detail in caught.value.details] == fields


def test_the_edges_of_the_earth_are_on_it() -> None:
    for lat in (-90.0, 90.0, 0.0):
        for lon in (-180.0, 180.0):
            assert chart_at(MOMENT, Place(lat, lon)).cusps_deg is not None


def test_an_unknown_house_system_names_those_there_are() -> None:
    with pytest.raises(ValidationFailed, match="placidus, koch, regiomontanus"):
        chart_at(MOMENT, NEW_YORK, "topocentric")


def test_outside_the_span() -> None:
    with pytest.raises(OutsideEphemeris):
        chart_at(Moment(LAST_MOMENT.utc_us + 1), NEW_YORK)

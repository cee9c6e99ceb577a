"""Two charts: synastry is symmetric, midpoints lie on the shorter arc, Davison is halfway."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.sky.between import (
    composite_of,
    davison_of,
    midpoint_deg,
    synastry_of,
    transits_to,
)
from astradio_stream.sky.chart import Place, chart_at
from astradio_stream.sky.moment import moment_to_iso, parse_moment

A = chart_at(parse_moment("1990-01-01T17:00:00Z"), Place(40.7128, -74.006))
B = chart_at(parse_moment("1985-06-16T01:30:00Z"), Place(34.0522, -118.2437))
turns = st.floats(0.0, 360.0, exclude_max=True)


def test_synastry_is_the_same_from_both_sides() -> None:
    there = {(x.a, x.b, x.kind, x.strength) for x in synastry_of(A, B)}
    back = {(x.b, x.a, x.kind, x.strength) for x in synastry_of(B, A)}
    assert there == back
    assert all(x.exact_in_hours is None for x in synastry_of(A, B))


def test_a_chart_with_itself_has_ten_exact_conjunctions() -> None:
    exact = [x for x in synastry_of(A, A) if x.a == x.b]
    assert len(exact) == 10
    assert all((x.kind, x.orb_deg, x.strength) == ("conjunction", 0.0, 1.0) for x in exact)


def test_transits_move_and_the_natal_chart_rests() -> None:
    found = transits_to(B, A)
    jupiter = next(x for x in found if (x.a, x.b) == ("jupiter", "mercury"))
    assert jupiter.kind == "conjunction"
    assert jupiter.is_applying
    # Jupiter at 95.120789 goes back to 94.999636 at 0.134365 degrees a day.
    assert jupiter.exact_in_hours == pytest.approx(24 * 0.121153 / 0.134365, abs=0.01)


@given(turns, turns)
def test_a_midpoint_is_as_far_from_both(a: float, b: float) -> None:
    middle = midpoint_deg(a, b)
    to_a, to_b = (min((x - middle) % 360.0, (middle - x) % 360.0) for x in (a, b))
    assert to_a == pytest.approx(to_b, abs=3e-6)
    assert to_a <= 90.0 + 1e-6


def test_midpoints_across_zero() -> None:
    assert midpoint_deg(350.0, 20.0) == 5.0
    assert midpoint_deg(359.9, 0.1) == 0.0
    assert midpoint_deg(10.0, 190.0) == 100.0


def test_the_composite_of_a_chart_with_itself_is_that_chart() -> None:
    composite = composite_of(A, A)
    assert list(composite.longitudes_deg.values()) == [b.longitude_deg for b in A.bodies]
    assert composite.elements == A.elements
    assert composite.phase_name == A.phase_name
    assert {(x.a, x.b, x.kind) for x in composite.aspects} == {
        (x.a, x.b, x.kind) for x in A.aspects
    }


def test_the_composite_is_the_same_from_both_sides() -> None:
    assert composite_of(A, B) == composite_of(B, A)


def test_the_composite_without_a_time_has_no_angles() -> None:
    untimed = chart_at(B.moment, B.place, time_known=False)
    assert composite_of(A, untimed).ascendant_deg is None


def test_davison_is_halfway_in_time_and_place() -> None:
    chart = davison_of(A, B)
    assert moment_to_iso(chart.moment) == "1987-09-24T09:15:00Z"
    assert chart.place == Place(37.3825, -96.12485)
    assert "Davison" in chart.notes[0]
    assert davison_of(B, A).chart_hash == chart.chart_hash


def test_davison_takes_the_shorter_way_round_the_earth() -> None:
    east = chart_at(A.moment, Place(0.0, 170.0))
    west = chart_at(A.moment, Place(0.0, -170.0))
    place = davison_of(east, west).place
    assert place is not None
    assert abs(place.lon_deg) == 180.0

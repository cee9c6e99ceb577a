"""Positions agree with the Swiss Ephemeris, with plain Skyfield, and with themselves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.resources import files

import numpy as np
import pytest
from skyfield.api import load
from skyfield.framelib import ecliptic_frame
from skyfield.jpllib import SpiceKernel

from astradio_stream.errors import OutsideEphemeris
from astradio_stream.sky.bodies import BODIES, BODY_NAMES, N_PLANETS, PLANET_NAMES
from astradio_stream.sky.ephemeris import Places, places_at, rotation_at, separation_deg
from astradio_stream.sky.moment import FIRST_MOMENT, LAST_MOMENT, UNIX_EPOCH_JD, parse_moment
from astradio_stream.sky.timescale import delta_t_s
from tests.authorities.charts import ARCSECOND, column, moments_us, worst_arc, years

DAY_US = 86_400_000_000


@pytest.fixture(scope="module")
def reference_places() -> Places:
    return places_at(moments_us())


@pytest.mark.parametrize("name", [name for name in BODY_NAMES if name != "true_node"])
def test_every_row_of_the_reference(name: str, reference_places: Places) -> None:
    """Planets within 1" (the Moon 3" after 2026), mean node and Lilith within 2"."""
    i = BODY_NAMES.index(name)
    limit = (1.0 if name in PLANET_NAMES else 2.0) * ARCSECOND
    until_2026 = years() <= 2026
    longitudes, expected = reference_places.longitude_deg[i], column(f"{name}_lon_deg")
    later_limit = 3.0 * ARCSECOND if name == "moon" else limit
    assert worst_arc(longitudes[until_2026], expected[until_2026]) < limit
    assert worst_arc(longitudes[~until_2026], expected[~until_2026]) < later_limit
    assert worst_arc(reference_places.latitude_deg[i], column(f"{name}_lat_deg")) < limit
    speeds = column(f"{name}_speed_deg_per_day")
    assert np.abs(reference_places.speed_deg_per_day[i] - speeds).max() < 0.001


def test_delta_t_of_the_reference() -> None:
    days = (moments_us() - 946_728_000_000_000) / DAY_US
    error_s = np.abs(delta_t_s(days) - column("delta_t_s"))
    assert error_s[years() <= 2026].max() < 0.7
    assert error_s.max() < 3.5


def test_agrees_with_plain_skyfield_over_the_whole_span() -> None:
    """Within 0.01" of `earth.at(t).observe(b).apparent()`: precession, nutation, light, frames."""
    rng = np.random.default_rng(20261123)
    utc_us = rng.integers(FIRST_MOMENT.utc_us + DAY_US, LAST_MOMENT.utc_us - DAY_US, 300)
    places = places_at(utc_us)
    with closing(SpiceKernel(_kernel_path())) as kernel:
        time = load.timescale(builtin=True).ut1_jd(UNIX_EPOCH_JD + utc_us / DAY_US)
        earth = kernel["earth"].at(time)
        for i, body in enumerate(BODIES[:N_PLANETS]):
            seen = earth.observe(kernel[body.target]).apparent()
            latitude, longitude, _ = seen.frame_latlon(ecliptic_frame)
            _, declination, _ = seen.radec("date")
            assert worst_arc(places.longitude_deg[i], longitude.degrees) < 0.01 * ARCSECOND
            assert worst_arc(places.latitude_deg[i], latitude.degrees) < 0.01 * ARCSECOND
            assert worst_arc(places.declination_deg[i], declination.degrees) < 0.01 * ARCSECOND
        assert worst_arc(places.sidereal_time_deg, time.gast * 15.0) < 0.005 * ARCSECOND


def _kernel_path() -> str:
    return str(files("skyfield_data") / "data" / "de421.bsp")


def test_one_moment_equals_the_same_moment_among_thousands() -> None:
    rng = np.random.default_rng(7)
    utc_us = rng.integers(FIRST_MOMENT.utc_us, LAST_MOMENT.utc_us, 2500)
    many = places_at(utc_us)
    for k in (0, 1, 1023, 1024, 2499):
        one = places_at(utc_us[k : k + 1])
        for name in Places.__slots__:
            both = getattr(one, name)[..., 0], getattr(many, name)[..., k]
            np.testing.assert_allclose(*both, rtol=0, atol=2e-11, err_msg=name)


def test_the_earth_alone_turns_as_it_does_among_the_bodies() -> None:
    some_us = np.linspace(FIRST_MOMENT.utc_us, LAST_MOMENT.utc_us, 500).astype(np.int64)
    places = places_at(some_us)
    turned_deg, obliquity_deg = rotation_at(some_us)
    assert np.array_equal(turned_deg, places.sidereal_time_deg)
    assert np.array_equal(obliquity_deg, places.obliquity_deg)
    with pytest.raises(OutsideEphemeris):
        rotation_at(np.array([LAST_MOMENT.utc_us + 1]))


def test_speed_is_the_derivative_of_longitude() -> None:
    step_us = 60_000_000
    utc_us = np.array([FIRST_MOMENT.utc_us + 12_345 * DAY_US])
    here, later = places_at(utc_us - step_us), places_at(utc_us + step_us)
    slope = separation_deg(here.longitude_deg, later.longitude_deg) * DAY_US / (2 * step_us)
    np.testing.assert_allclose(places_at(utc_us).speed_deg_per_day, slope, atol=1e-5)


def test_any_thread_gets_the_same_answer() -> None:
    utc_us = np.arange(50, dtype=np.int64) * DAY_US
    expected = places_at(utc_us).longitude_deg
    with ThreadPoolExecutor(4) as pool:
        for places in pool.map(lambda _: places_at(utc_us), range(16)):
            assert np.array_equal(places.longitude_deg, expected)


def test_both_ends_of_the_kernel_are_covered_and_not_more() -> None:
    edges = np.array([FIRST_MOMENT.utc_us, LAST_MOMENT.utc_us])
    inside = places_at(edges + np.array([DAY_US, -DAY_US]))
    at_edges = places_at(edges)
    moved = separation_deg(at_edges.longitude_deg, inside.longitude_deg) * np.array([1.0, -1.0])
    drift = np.abs(moved - at_edges.speed_deg_per_day)[:N_PLANETS]
    assert drift.max() < 0.5
    for beyond in (edges[0] - 1, edges[1] + 1):
        with pytest.raises(OutsideEphemeris, match="1899-07-29 to 2053-10-08"):
            places_at(np.array([0, beyond]))


def test_no_times_give_no_places() -> None:
    assert places_at(np.array([], dtype=np.int64)).longitude_deg.shape == (13, 0)


def test_bodies_behind_the_sun_stay_near_their_geometric_place() -> None:
    """Venus passed behind the Sun's disc on 2000-06-11; light bent without bound would show."""
    start = parse_moment("2000-06-11T00:00:00Z").utc_us
    places = places_at(start + np.arange(0, 48 * 60, 5, dtype=np.int64) * 60_000_000)
    venus = np.unwrap(places.longitude_deg[3], period=360.0)
    bend = np.diff(venus, 2)
    assert np.abs(bend).max() < 0.1 * ARCSECOND


def test_separation_is_the_shorter_arc() -> None:
    a = np.array([359.9, 0.1, 10.0, 0.0, 0.0])
    b = np.array([0.1, 359.9, 350.0, 180.0, 0.0])
    np.testing.assert_allclose(separation_deg(a, b), [0.2, -0.2, -20.0, 180.0, 0.0], atol=1e-12)

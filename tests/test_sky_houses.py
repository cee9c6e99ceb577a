"""Angles and cusps agree with the Swiss Ephemeris and divide the circle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.sky.ephemeris import places_at
from astradio_stream.sky.houses import (
    HOUSE_SYSTEMS,
    Horizon,
    cusps_deg_of,
    horizon_at,
    house_of,
)
from tests.authorities.charts import ARCSECOND, column, moments_us, worst_arc, years

CUSPS_IN_REFERENCE = {"placidus": tuple(range(1, 13))} | dict.fromkeys(
    ("koch", "regiomontanus", "porphyry"), (2, 3, 11, 12)
)
latitudes = st.floats(-90.0, 90.0) | st.sampled_from([0.0, 66.56, -66.56, 90.0, -90.0])
turns = st.floats(0.0, 360.0)


@pytest.fixture(scope="module")
def reference_horizon() -> Horizon:
    places = places_at(moments_us())
    armc_deg = places.sidereal_time_deg + column("lon_deg")
    return horizon_at(armc_deg, column("lat_deg"), places.obliquity_deg)


def limits() -> tuple[np.ndarray, float]:
    """Return 2", and 5" from 2050 on, where the reference changes its sidereal time."""
    return years() < 2050, 2.0 * ARCSECOND


@pytest.mark.parametrize("name", ["ascendant", "midheaven", "vertex"])
def test_every_angle_of_the_reference(name: str, reference_horizon: Horizon) -> None:
    before_2050, limit = limits()
    angle = np.degrees(getattr(reference_horizon, f"{name}_rad"))
    expected = column(f"{name}_deg")
    assert worst_arc(angle[before_2050], expected[before_2050]) < limit
    assert worst_arc(angle, expected) < 5.0 * ARCSECOND


@pytest.mark.parametrize("system", CUSPS_IN_REFERENCE)
def test_every_cusp_of_the_reference(system: str, reference_horizon: Horizon) -> None:
    before_2050, limit = limits()
    cusps = cusps_deg_of(system, reference_horizon)
    for house in CUSPS_IN_REFERENCE[system]:
        expected = column(f"{system}_{house}_deg")
        ours = cusps[house - 1]
        assert worst_arc(ours[before_2050], expected[before_2050]) < limit
        assert worst_arc(ours, expected) < 5.0 * ARCSECOND


def test_beyond_the_polar_circles_placidus_and_koch_are_porphyry(
    reference_horizon: Horizon,
) -> None:
    polar = reference_horizon.is_polar
    assert np.array_equal(polar, np.isnan(column("placidus_2_deg")))
    porphyry = cusps_deg_of("porphyry", reference_horizon)
    for system in ("placidus", "koch"):
        cusps = cusps_deg_of(system, reference_horizon)
        assert np.array_equal(cusps[:, polar], porphyry[:, polar])
        assert not np.allclose(cusps[:, ~polar], porphyry[:, ~polar])


@given(turns, latitudes, st.floats(23.4, 23.5), st.sampled_from(sorted(HOUSE_SYSTEMS)))
def test_houses_partition_the_circle(
    armc_deg: float, lat_deg: float, obliquity_deg: float, system: str
) -> None:
    horizon = horizon_at(np.array([armc_deg]), np.array([lat_deg]), np.array([obliquity_deg]))
    cusps = cusps_deg_of(system, horizon)
    assert np.isfinite(cusps).all()
    widths = (np.roll(cusps, -1, axis=0) - cusps + 1e-9) % 360.0
    direct, clockwise = widths.sum(), (360.0 - widths).sum()
    assert min(abs(direct - 360.0), abs(clockwise - 360.0)) < 1e-5
    # Opposite cusps are opposite.
    assert worst_arc(cusps[:6] + 180.0, cusps[6:]) < 1e-9


@given(turns, st.floats(-66.5, 66.5), st.sampled_from(["placidus", "koch", "regiomontanus"]))
def test_outside_the_polar_circles_houses_run_eastward(
    armc_deg: float, lat_deg: float, system: str
) -> None:
    horizon = horizon_at(np.array([armc_deg]), np.array([lat_deg]), np.array([23.44]))
    cusps = cusps_deg_of(system, horizon)
    assert not horizon.is_turned[0]
    assert ((np.roll(cusps, -1, axis=0) - cusps) % 360.0).sum() == pytest.approx(360.0)
    assert worst_arc(cusps[0], np.degrees(horizon.ascendant_rad)) < 1e-9
    assert worst_arc(cusps[9], np.degrees(horizon.midheaven_rad)) < 1e-9


@given(turns, latitudes, st.sampled_from(sorted(HOUSE_SYSTEMS)))
def test_a_body_on_a_cusp_begins_that_house(armc_deg: float, lat_deg: float, system: str) -> None:
    horizon = horizon_at(np.array([armc_deg]), np.array([lat_deg]), np.array([23.44]))
    cusps = np.round(cusps_deg_of(system, horizon), 6) % 360.0
    if np.unique(cusps).size == 12:
        assert house_of(cusps, cusps)[:, 0].tolist() == list(range(1, 13))


@given(turns, turns)
def test_houses_turn_with_the_circle(start_deg: float, longitude_deg: float) -> None:
    """Equal houses from any start, also over 0 degrees: house n is the n-th thirty degrees."""
    cusps = ((start_deg + 30.0 * np.arange(12)) % 360.0)[:, None]
    from_start = (longitude_deg - start_deg) % 360.0
    if min(from_start % 30.0, 30.0 - from_start % 30.0) > 1e-9:
        house = house_of(np.array([[longitude_deg]]), cusps)[0, 0]
        assert house == int(from_start // 30.0) + 1


def test_placidus_cusps_divide_the_semi_arc() -> None:
    """Cusp 11 stands at a third of its own way from the meridian to the horizon."""
    armc, lat, obliquity = 100.0, 52.0, 23.44
    horizon = horizon_at(np.array([armc]), np.array([lat]), np.array([obliquity]))
    cusps = np.radians(cusps_deg_of("placidus", horizon)[:, 0])
    for house, part in ((11, 1 / 3), (12, 2 / 3)):
        longitude = cusps[house - 1]
        ra = np.degrees(
            np.arctan2(np.sin(longitude) * np.cos(np.radians(obliquity)), np.cos(longitude))
        )
        declination = np.arcsin(np.sin(longitude) * np.sin(np.radians(obliquity)))
        semi_arc = 90.0 + np.degrees(np.arcsin(np.tan(np.radians(lat)) * np.tan(declination)))
        assert (ra - armc) % 360.0 == pytest.approx(part * semi_arc, abs=1e-9)

"""Synthetic people are plausible, reproducible, and plainly synthetic."""

from __future__ import annotations

import re

import numpy as np
import pytest

from astradio_stream.compat.profiles import (
    FIRST_DAY,
    HOUR_PARTS,
    TIME_KNOWN_SHARE,
    Births,
    births_of,
    profile_of,
)
from astradio_stream.sky.births import birth_of
from astradio_stream.sky.gazetteer import Town, load_gazetteer
from astradio_stream.sky.moment import MICROSECONDS_PER_DAY

N = 50_000


@pytest.fixture(scope="module")
def towns() -> tuple[Town, ...]:
    return load_gazetteer().towns


@pytest.fixture(scope="module")
def born(towns: tuple[Town, ...]) -> Births:
    return births_of(7, 0, N, towns)


def test_a_profile_is_a_function_of_seed_and_number(towns: tuple[Town, ...], born: Births) -> None:
    for first, n_births in ((0, 100), (4_090, 20), (12_345, 9_000), (5, 0)):
        part = births_of(7, first, n_births, towns)
        for name in Births.__slots__:
            whole = getattr(born, name)[first : first + n_births]
            np.testing.assert_array_equal(getattr(part, name), whole)
    assert (births_of(8, 0, 100, towns).utc_us != born.utc_us[:100]).mean() > 0.99


def test_days_hours_and_places_are_plausible(towns: tuple[Town, ...], born: Births) -> None:
    years = born.utc_us / MICROSECONDS_PER_DAY / 365.2425 + 1970.0
    assert years.min() > 1939.99
    assert years.max() < 2008.1
    assert 1983 < np.median(years) < 1993
    assert born.utc_us.min() >= (FIRST_DAY - 1) * MICROSECONDS_PER_DAY
    local_hours = (born.utc_us / 3.6e9 + born.lon_deg / 15.0) % 24.0
    share = np.histogram(local_hours, bins=24, range=(0.0, 24.0))[0] / N
    np.testing.assert_allclose(share, np.array(HOUR_PARTS) / sum(HOUR_PARTS), atol=0.006)
    assert born.time_known.mean() == pytest.approx(TIME_KNOWN_SHARE, abs=0.01)
    # By population: the largest town is born in as often as its share of all people says.
    population = np.array([town.population for town in towns])
    expected = population[:20].sum() / population.sum()
    assert (born.town < 20).mean() == pytest.approx(expected, abs=0.005)


def test_rows_read_back_as_the_same_moments(towns: tuple[Town, ...], born: Births) -> None:
    for n in range(0, N, 199):
        profile = profile_of(born, n, 0, towns)
        assert re.fullmatch(r"Demo [A-Z][a-z]+ [A-Z][a-z]+ \d{6}", profile.name)
        birth = birth_of(
            {
                "datetime": profile.local,
                "tz": profile.tz,
                "lat": profile.lat_deg,
                "lon": profile.lon_deg,
                "fold": profile.fold,
            }
        )
        assert birth.civil.time_known == born.time_known[n]
        if birth.civil.time_known:
            assert birth.civil.moment.utc_us == born.utc_us[n]
        else:
            assert abs(birth.civil.moment.utc_us - born.utc_us[n]) < MICROSECONDS_PER_DAY
        assert profile.place.startswith(towns[int(born.town[n])].name)


def test_names_count_through(towns: tuple[Town, ...], born: Births) -> None:
    later = births_of(7, 300, 5, towns)
    assert profile_of(later, 2, 300, towns) == profile_of(born, 302, 0, towns)
    assert profile_of(later, 2, 300, towns).name.endswith(" 000302")

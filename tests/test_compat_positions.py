"""Charts by the million are the charts one by one, to the tenth of a degree."""

from __future__ import annotations

import numpy as np
import pytest

from astradio_stream.compat import positions
from astradio_stream.compat.points import (
    ABSENT,
    MIDHEAVEN,
    N_POINTS,
    POINT_NAMES,
    TENTHS,
    house_in,
    tenths_of,
    tenths_of_degrees,
)
from astradio_stream.compat.positions import MANY, hermite_weights, lagrange_weights, tenths_at
from astradio_stream.errors import OutsideEphemeris
from astradio_stream.sky.bodies import N_PLANETS, SUN
from astradio_stream.sky.chart import Place, chart_at
from astradio_stream.sky.ephemeris import places_at, separation_deg
from astradio_stream.sky.moment import FIRST_MOMENT, LAST_MOMENT, MICROSECONDS_PER_DAY, Moment

YEAR_US = 366 * MICROSECONDS_PER_DAY


def births(seed: int, n: int, first_us: int, last_us: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    return (
        rng.integers(first_us, last_us, n),
        np.round(rng.uniform(-75.0, 75.0, n), 4),
        np.round(rng.uniform(-180.0, 180.0, n), 4),
        rng.random(n) < 0.8,
    )


@pytest.mark.parametrize(
    ("first_us", "last_us"),
    [
        (FIRST_MOMENT.utc_us, FIRST_MOMENT.utc_us + YEAR_US),
        (0, 3 * YEAR_US),
        (LAST_MOMENT.utc_us - YEAR_US, LAST_MOMENT.utc_us),
    ],
    ids=["the first year", "three years", "the last year"],
)
def test_the_grid_gives_what_the_ephemeris_gives(first_us: int, last_us: int) -> None:
    columns = births(1, MANY + 4_000, first_us, last_us)
    by_grid = tenths_at(*columns)
    parts = [tuple(c[i : i + 4_000] for c in columns) for i in range(0, columns[0].size, 4_000)]
    in_full = np.concatenate([tenths_at(*part) for part in parts], axis=1)
    np.testing.assert_array_equal(by_grid, in_full)


def test_few_are_computed_in_full() -> None:
    columns = births(2, 8_000, 10**15, 10**15 + YEAR_US)
    grid = positions._Grid(int(columns[0].min()), int(columns[0].max()))
    columns[1][:] = np.clip(columns[1], -60.0, 60.0)
    assert 0.0 < grid.read(*columns)[1].mean() < 0.05


def test_interpolation_errs_by_a_tenth_of_the_doubt_at_most() -> None:
    for first_us in (FIRST_MOMENT.utc_us + 10 * MICROSECONDS_PER_DAY, 0, 10**15):
        utc_us = births(3, 3_000, first_us, first_us + YEAR_US)[0]
        grid = positions._Grid(int(utc_us.min()), int(utc_us.max()))
        since = (utc_us - grid._start_us) / MICROSECONDS_PER_DAY
        first = np.floor(since).astype(int) - 1
        value, slope = hermite_weights((since - first)[:, None])
        longitude = sum(
            value[k] * grid._longitude_deg[first + k] + slope[k] * grid._speed[first + k]
            for k in range(4)
        ).T
        places = places_at(utc_us)
        exact = places.longitude_deg[:N_PLANETS]
        error = np.abs(separation_deg(exact, longitude))
        near_sun = np.abs(separation_deg(exact[SUN], exact)) < positions.BY_THE_SUN_DEG
        near_sun[SUN] = False
        assert error[~near_sun].max() < positions.DOUBT_DEG / 10.0
        assert error[near_sun].max() < positions.DOUBT_BY_THE_SUN_DEG / 1.5


def test_weights_reproduce_polynomials() -> None:
    t = np.array([0.2, 1.0, 1.5, 2.9])
    cubic = sum(w * k**3 for k, w in enumerate(lagrange_weights(t)))
    np.testing.assert_allclose(cubic, t**3, atol=1e-12)
    values, slopes = hermite_weights(t)
    seventh = sum(
        v * k**7 + s * 7.0 * k**6 for k, (v, s) in enumerate(zip(values, slopes, strict=True))
    )
    np.testing.assert_allclose(seventh, t**7, atol=1e-9)


def test_a_column_is_the_chart() -> None:
    utc_us, lat, lon, known = births(4, 60, FIRST_MOMENT.utc_us, LAST_MOMENT.utc_us)
    columns = tenths_at(utc_us, lat, lon, known)
    for n in range(60):
        chart = chart_at(Moment(int(utc_us[n])), Place(lat[n], lon[n]), time_known=bool(known[n]))
        assert tuple(columns[:, n].tolist()) == tenths_of(chart)
        assert (columns[MIDHEAVEN, n] == ABSENT) == (not known[n])


def test_a_tenth_never_leaves_its_sign_nor_falls_short_of_it() -> None:
    degrees = np.array([0.0, 4.3, 29.999999, 30.0, 359.999999, 1.1, 2.3, np.nan])
    assert tenths_of_degrees(degrees).tolist() == [0, 43, 299, 300, 3_599, 11, 23, ABSENT]
    every = np.arange(TENTHS) / 10.0
    assert tenths_of_degrees(every).tolist() == list(range(TENTHS))
    assert len(POINT_NAMES) == N_POINTS == 12


def test_houses_for_overlays_are_equal_from_the_ascendant() -> None:
    assert [house_in(tenth, 3_500) for tenth in (3_500, 3_599, 0, 199, 200, 3_499)] == [
        1, 1, 1, 1, 2, 12,
    ]  # fmt: skip


def test_what_the_ephemeris_does_not_know_is_refused() -> None:
    zeros, known = np.zeros(1), np.ones(1, bool)
    with pytest.raises(OutsideEphemeris):
        tenths_at(np.array([LAST_MOMENT.utc_us + 1]), zeros, zeros, known)
    many = np.full(MANY, LAST_MOMENT.utc_us + 1)
    with pytest.raises(OutsideEphemeris):
        tenths_at(many, np.zeros(MANY), np.zeros(MANY), np.ones(MANY, bool))
    assert tenths_at(np.empty(0, np.int64), zeros[:0], zeros[:0], known[:0]).shape == (12, 0)

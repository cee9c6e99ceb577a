"""Many charts at once are the same charts, and their features lie where they are said to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.errors import OutsideEphemeris, ValidationFailed
from astradio_stream.sky.aspects import ASPECT_KINDS
from astradio_stream.sky.bodies import BODY_NAMES, PLANET_NAMES
from astradio_stream.sky.chart import Place, chart_at
from astradio_stream.sky.charts import PAIR_A, PAIR_B, Charts, charts_at, charts_of_columns
from astradio_stream.sky.features import N_FEATURES, features_of, features_of_chart
from astradio_stream.sky.houses import HOUSE_SYSTEMS
from astradio_stream.sky.moment import FIRST_MOMENT, LAST_MOMENT, Moment, parse_moment
from astradio_stream.sky.zodiac import ELEMENTS, MODALITIES, SIGN_NAMES

ROUNDING_DEG = 1.1e-6


@pytest.fixture(scope="module")
def columns() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(64)
    n = 5000
    utc_us = rng.integers(FIRST_MOMENT.utc_us, LAST_MOMENT.utc_us, n)
    return utc_us, rng.uniform(-90, 90, n), rng.uniform(-180, 180, n)


@pytest.mark.parametrize("system", sorted(HOUSE_SYSTEMS))
def test_vectorised_equals_single(
    columns: tuple[np.ndarray, np.ndarray, np.ndarray], system: str
) -> None:
    charts = charts_of_columns(*columns, house_system=system)
    for k in (0, 1, 2, 3, 4095, 4096, 4999):
        utc_us, lat, lon = (column[k] for column in columns)
        chart = chart_at(Moment(int(utc_us)), Place(float(lat), float(lon)), system)
        bodies = chart.bodies
        assert near(charts.longitude_deg[:, k], [b.longitude_deg for b in bodies])
        assert near(charts.latitude_deg[:, k], [b.latitude_deg for b in bodies])
        assert near(charts.speed_deg_per_day[:, k], [b.speed_deg_per_day for b in bodies])
        assert near(charts.declination_deg[:, k], [b.declination_deg for b in bodies])
        assert near(charts.cusps_deg[:, k], chart.cusps_deg)
        assert near(charts.phase_deg[k], chart.phase_deg)
        assert [SIGN_NAMES[i] for i in charts.sign_index[:, k]] == [b.sign for b in bodies]
        assert charts.house[:, k].tolist() == [b.house for b in bodies]
        assert chart.angles is not None
        assert near(
            charts.angles_deg[:2, k], [chart.angles.ascendant_deg, chart.angles.midheaven_deg]
        )
        assert near(charts.elements[:, k], [chart.elements[e] for e in ELEMENTS])
        assert near(charts.modalities[:, k], [chart.modalities[m] for m in MODALITIES])
        assert aspects_in(charts, k) == {
            (a.a, a.b, a.kind): pytest.approx(a.strength, abs=2e-6) for a in chart.aspects
        }
        np.testing.assert_allclose(features_of(charts)[:, k], features_of_chart(chart), atol=1e-6)


def test_objects_and_columns_are_the_same_charts() -> None:
    moments, places = [Moment(0), Moment(10**15)], [Place(10.0, 20.0), Place(-70.0, 0.0)]
    charts = charts_at(moments, places, "koch")
    zero, later = (chart_at(m, p, "koch") for m, p in zip(moments, places, strict=True))
    assert charts.house[:, 0].tolist() == [body.house for body in zero.bodies]
    assert charts.house[:, 1].tolist() == [body.house for body in later.bodies]


def near(ours: object, theirs: object) -> bool:
    return bool(np.allclose(ours, theirs, rtol=0.0, atol=ROUNDING_DEG))  # type: ignore[arg-type]


def aspects_in(charts: Charts, k: int) -> dict[tuple[str, str, str], float]:
    return {
        (BODY_NAMES[PAIR_A[p]], BODY_NAMES[PAIR_B[p]], ASPECT_KINDS[kind].name): float(strength)
        for p, (kind, strength) in enumerate(
            zip(charts.aspect_kind[:, k], charts.aspect_strength[:, k], strict=True)
        )
        if kind >= 0
    }


def test_features_lie_in_their_ranges(columns: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    features = features_of(charts_of_columns(*columns))
    assert features.shape == (N_FEATURES, 5000)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert np.abs(features).max() <= 1.0 + 1e-6
    assert features[39:].min() >= -1.0
    assert (features[39:51] >= 0.0).all()
    # Nothing is constant but the last: every figure tells charts apart.
    assert (features[:63].std(axis=1) > 0.005).all()


def test_features_of_a_known_chart() -> None:
    chart = chart_at(parse_moment("1990-01-01T17:00:00Z"), Place(40.7128, -74.006))
    features = features_of_chart(chart)
    assert features[0] == pytest.approx(np.cos(np.radians(281.026650)), abs=1e-6)
    assert features[10] == pytest.approx(np.sin(np.radians(281.026650)), abs=1e-6)
    assert features[31] == pytest.approx(chart.elements["earth"], abs=1e-6)
    assert features[55] == pytest.approx(np.cos(np.radians(20.664924)), abs=1e-6)
    assert features[63] == 1.0
    retrograde = [b.name for b in chart.bodies[:10] if b.is_retrograde]
    assert retrograde == ["mercury", "venus", "jupiter"]
    assert features[62] == pytest.approx((3 + 3 + 2) / 24, abs=1e-6)


def test_without_a_time_the_features_of_houses_are_zero() -> None:
    chart = chart_at(
        parse_moment("1990-01-01T17:00:00Z"), Place(40.7128, -74.006), time_known=False
    )
    features = features_of_chart(chart)
    assert (features[55:62] == 0.0).all()
    assert features[63] == 0.0
    assert features[62] > 0.0


def test_charts_with_and_without_time_may_be_mixed() -> None:
    utc_us = np.array([0, 0])
    charts = charts_of_columns(utc_us, np.zeros(2), np.zeros(2), time_known=np.array([True, False]))
    assert charts.house[:, 0].all()
    assert not charts.house[:, 1].any()
    assert np.isnan(charts.cusps_deg[:, 1]).all()
    assert np.array_equal(charts.longitude_deg[:, 0], charts.longitude_deg[:, 1])


def test_wrong_columns_are_refused() -> None:
    zeros = np.zeros(1)
    with pytest.raises(OutsideEphemeris):
        charts_of_columns(np.array([LAST_MOMENT.utc_us + 1]), zeros, zeros)
    with pytest.raises(ValidationFailed, match="not on the Earth"):
        charts_of_columns(np.array([0]), np.array([90.0000001]), zeros)
    with pytest.raises(ValidationFailed, match="must be one of"):
        charts_of_columns(np.array([0]), zeros, zeros, "nobody")
    assert charts_of_columns(np.array([], dtype=np.int64), zeros[:0], zeros[:0]).house.shape == (
        13,
        0,
    )


@settings(max_examples=60, deadline=None)
@given(
    st.integers(FIRST_MOMENT.utc_us, LAST_MOMENT.utc_us),
    st.floats(-90, 90),
    st.floats(-180, 180),
)
def test_shares_add_up(utc_us: int, lat: float, lon: float) -> None:
    charts = charts_of_columns(np.array([utc_us]), np.array([lat]), np.array([lon]))
    assert charts.elements.sum() == pytest.approx(1.0)
    assert charts.modalities.sum() == pytest.approx(1.0)
    assert len(PLANET_NAMES) == 10

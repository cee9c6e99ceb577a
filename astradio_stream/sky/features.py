"""Sixty-four figures per chart, for compatibility and for music: version v1.0.

Every figure lies in [-1, 1] or [0, 1], so that no one outweighs the others by its unit. Figures of
houses and angles are 0 where the time is unknown; the last one says whether it is.

| row | what | range |
|---|---|---|
| 0-9 | cosine of the longitude of sun ... pluto | -1 ... 1 |
| 10-19 | sine of the same | -1 ... 1 |
| 20-29 | speed of sun ... pluto / `FASTEST_DEG_PER_DAY`, cut at 1 | -1 ... 1 |
| 30-33 | shares of fire, earth, air, water | 0 ... 1 |
| 34-36 | shares of cardinal, fixed, mutable | 0 ... 1 |
| 37, 38 | cosine and sine of the Moon's phase | -1 ... 1 |
| 39-48 | part of each of the ten aspect kinds in all strengths | 0 ... 1 |
| 49 | sum of all aspect strengths / 45 pairs | 0 ... 1 |
| 50 | gathering: length of the planets' mean direction | 0 ... 1 |
| 51, 52 | cosine and sine of the mean node | -1 ... 1 |
| 53, 54 | cosine and sine of mean Lilith | -1 ... 1 |
| 55, 56 | cosine and sine of the ascendant | -1 ... 1 |
| 57, 58 | cosine and sine of the midheaven | -1 ... 1 |
| 59 | share of the planets' weight above the horizon | 0 ... 1 |
| 60 | the same on the rising side | 0 ... 1 |
| 61 | the same in angular houses | 0 ... 1 |
| 62 | share of the planets' weight that is retrograde | 0 ... 1 |
| 63 | 1 if the time is known | 0, 1 |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.sky.aspects import ASPECT_KINDS
from astradio_stream.sky.bodies import BODY_INDEX, N_PLANETS, PLANET_WEIGHTS
from astradio_stream.sky.charts import charts_of_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from astradio_stream.sky.charts import Charts
    from astradio_stream.sky.values import Chart

FEATURES_VERSION: Final = "v1.0"
N_FEATURES: Final = 64
FASTEST_DEG_PER_DAY: Final = (
    1.02, 15.4, 2.21, 1.26, 0.80, 0.245, 0.131, 0.064, 0.041, 0.042,
)  # fmt: skip
"""The largest geocentric speed of each planet in either direction, 1900-2050 (degrees per day)."""

_WEIGHTS: Final = np.array(PLANET_WEIGHTS, dtype=np.float64)[:, None] / sum(PLANET_WEIGHTS)
_FASTEST: Final = np.array(FASTEST_DEG_PER_DAY)[:, None]


def features_of(charts: Charts) -> NDArray[np.float32]:
    """Return the features of many charts, shape (64, n_times)."""
    planets = charts.longitude_deg[:N_PLANETS]
    cosine, sine = _cosine_and_sine(planets)
    strength = charts.aspect_strength
    by_kind = np.array(
        [
            np.where(charts.aspect_kind == k, strength, 0.0).sum(axis=0)
            for k in range(len(ASPECT_KINDS))
        ]
    )
    total = by_kind.sum(axis=0)
    house = charts.house[:N_PLANETS]
    known = charts.house[0] > 0
    points = [
        _cosine_and_sine(charts.longitude_deg[BODY_INDEX[name]])
        for name in ("mean_node", "mean_lilith")
    ]
    angles = [_cosine_and_sine(angle) for angle in charts.angles_deg[:2]]
    rows = np.concatenate(
        (
            cosine,
            sine,
            np.clip(charts.speed_deg_per_day[:N_PLANETS] / _FASTEST, -1.0, 1.0),
            charts.elements,
            charts.modalities,
            _cosine_and_sine(charts.phase_deg),
            by_kind / np.maximum(total, 1e-9),
            [total / strength.shape[0]],
            [np.hypot(cosine.mean(axis=0), sine.mean(axis=0))],
            *points,
            *np.where(known, angles, 0.0),
            [_share(house >= 7)],
            [_share((house >= 10) | ((house >= 1) & (house <= 3)))],
            [_share((house % 3 == 1) & known)],
            [_share(charts.speed_deg_per_day[:N_PLANETS] < 0.0)],
            [known.astype(np.float64)],
        )
    )
    return rows.astype(np.float32)


def features_of_chart(chart: Chart) -> NDArray[np.float32]:
    """Return the features of one chart, shape (64,)."""
    has_place = chart.place is not None
    charts = charts_of_columns(
        np.array([chart.moment.utc_us]),
        np.array([chart.place.lat_deg if chart.place is not None else 0.0]),
        np.array([chart.place.lon_deg if chart.place is not None else 0.0]),
        chart.house_system,
        np.array([chart.time_known and has_place]),
    )
    return features_of(charts)[:, 0]


def _share(holds: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the part of the planets' weight for which something holds, shape (n_times,)."""
    share: NDArray[np.float64] = (_WEIGHTS * holds).sum(axis=0)
    return share


def _cosine_and_sine(angle_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    angle = np.radians(angle_deg)
    return np.array((np.cos(angle), np.sin(angle)))

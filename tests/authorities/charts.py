"""The reference charts as columns, and the language to compare with them."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from astradio_stream.sky.ephemeris import separation_deg
from astradio_stream.sky.moment import parse_moment

if TYPE_CHECKING:
    from numpy.typing import NDArray

ARCSECOND = 1.0 / 3600.0
CSV = Path(__file__).with_name("charts.csv")


@cache
def rows() -> list[dict[str, str]]:
    with CSV.open(newline="") as file:
        return list(csv.DictReader(file))


def column(name: str) -> NDArray[np.float64]:
    """Return a column of numbers, NaN where the authority says nothing."""
    return np.array([float(row[name]) if row[name] else np.nan for row in rows()])


def moments_us() -> NDArray[np.int64]:
    return np.array([parse_moment(row["ut1"]).utc_us for row in rows()])


def years() -> NDArray[np.int64]:
    return np.array([int(row["ut1"][:4]) for row in rows()])


def worst_arc(a_deg: NDArray[np.float64], b_deg: NDArray[np.float64]) -> float:
    """Return the largest distance around the circle (degrees); NaN pairs do not count."""
    return float(np.nanmax(np.abs(separation_deg(a_deg, b_deg))))

"""Measure the sky: cost of one chart, of many, and of the almanac; accuracy against the reference.

Run ``python -m loadtest.bench_sky`` on a machine with nothing else to do. Costs are also given as a
ratio to plain Skyfield objects in the same process.
"""

from __future__ import annotations

import csv
import platform
from contextlib import closing
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from skyfield.api import load
from skyfield.framelib import ecliptic_frame
from skyfield.jpllib import SpiceKernel

from astradio_stream.sky.almanac import events_between
from astradio_stream.sky.bodies import BODIES, BODY_NAMES, N_PLANETS
from astradio_stream.sky.chart import Place, chart_at, chart_to_json
from astradio_stream.sky.charts import charts_of_columns
from astradio_stream.sky.ephemeris import places_at, separation_deg
from astradio_stream.sky.features import features_of
from astradio_stream.sky.gazetteer import load_gazetteer
from astradio_stream.sky.houses import cusps_deg_of, horizon_at
from astradio_stream.sky.moment import FIRST_MOMENT, LAST_MOMENT, Moment, parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable

REFERENCE = Path(__file__).parent.parent / "tests" / "authorities" / "charts.csv"
GREENWICH = Place(51.4779, 0.0)
START = parse_moment("2026-11-23T22:51:00Z")
MONTH_S = 30 * 86_400.0


def seconds_of(work: Callable[[], Any], tries: int = 1) -> float:
    """Return the shortest of some runs (seconds)."""
    times = []
    for _ in range(tries):
        begin = perf_counter()
        work()
        times.append(perf_counter() - begin)
    return min(times)


def print_costs() -> None:
    """Print what charts and events cost."""
    first_s = seconds_of(lambda: chart_at(START, GREENWICH))
    place_s = seconds_of(lambda: places_at(np.array([START.utc_us])), 300)
    chart_s = seconds_of(lambda: chart_to_json(chart_at(START, GREENWICH)), 300)
    plain_s = plain_skyfield_s()
    month_s = seconds_of(lambda: list(events_between(START, START.plus_seconds(MONTH_S))), 5)
    n = 100_000
    rng = np.random.default_rng(0)
    utc_us = rng.integers(FIRST_MOMENT.utc_us, LAST_MOMENT.utc_us, n)
    lat_deg, lon_deg = rng.uniform(-90, 90, n), rng.uniform(-180, 180, n)
    made: list[Any] = []
    charts_s = seconds_of(lambda: made.append(charts_of_columns(utc_us, lat_deg, lon_deg)))
    features_s = seconds_of(lambda: features_of(made[0]))
    gazetteer_s = seconds_of(load_gazetteer)
    search_s = seconds_of(lambda: load_gazetteer().search("são", 10), 50)
    print(f"{'plain Skyfield, ten bodies, one moment':44}{plain_s * 1e3:10.2f} ms")
    print(f"{'places_at, thirteen bodies, one moment':44}{place_s * 1e3:10.2f} ms")
    print(f"{'  plain Skyfield / places_at':44}{plain_s / place_s:10.1f} times")
    print(f"{'chart_at + chart_to_json, one moment':44}{chart_s * 1e3:10.2f} ms")
    print(f"{'the first chart of a process':44}{first_s * 1e3:10.2f} ms")
    print(f"{'charts_of_columns, 100 000 moments and places':44}{charts_s:10.2f} s")
    print(f"{'  per second':44}{n / charts_s:10.0f} charts")
    print(f"{'features_of, the same':44}{features_s:10.2f} s")
    print(f"{'almanac of a month, all kinds of events':44}{month_s * 1e3:10.2f} ms")
    print(f"{'load_gazetteer':44}{gazetteer_s:10.2f} s")
    print(f"{'search for a place':44}{search_s * 1e3:10.3f} ms")


def plain_skyfield_s() -> float:
    """Return what plain Skyfield objects need for the ten planets of one moment (seconds)."""
    timescale = load.timescale(builtin=True)
    with closing(SpiceKernel(str(files("skyfield_data") / "data" / "de421.bsp"))) as kernel:

        def work(moment: Moment) -> None:
            earth = kernel["earth"].at(timescale.ut1_jd(moment.julian_date))
            for body in BODIES[:N_PLANETS]:
                seen = earth.observe(kernel[body.target]).apparent()
                seen.frame_latlon(ecliptic_frame)

        moments = iter([START.plus_seconds(60.0 * i) for i in range(30)])
        return seconds_of(lambda: work(next(moments)), 30)


def print_errors() -> None:
    """Print the worst error of everything that the reference states."""
    with REFERENCE.open(newline="") as file:
        rows = list(csv.DictReader(file))

    def column(name: str) -> np.ndarray:
        return np.array([float(row[name]) if row[name] else np.nan for row in rows])

    def worst(name: str, ours: np.ndarray, early: np.ndarray) -> tuple[float, float]:
        error_as = np.abs(separation_deg(column(name), ours)) * 3600.0
        return float(np.nanmax(error_as[early])), float(np.nanmax(error_as[~early]))

    years = np.array([int(row["ut1"][:4]) for row in rows])
    places = places_at(np.array([parse_moment(row["ut1"]).utc_us for row in rows]))
    print(f"\n{'worst error':18}{'to 2026':>12}{'later':>12}{'latitude':>12}{'deg/day':>12}")
    for i, name in enumerate(BODY_NAMES):
        if name == "true_node":
            continue
        early, late = worst(f"{name}_lon_deg", places.longitude_deg[i], years <= 2026)
        lat = np.abs(column(f"{name}_lat_deg") - places.latitude_deg[i]).max() * 3600.0
        speed = np.abs(column(f"{name}_speed_deg_per_day") - places.speed_deg_per_day[i]).max()
        print(f'{name:18}{early:11.3f}"{late:11.3f}"{lat:11.3f}"{speed:12.6f}')
    armc_deg = places.sidereal_time_deg + column("lon_deg")
    horizon = horizon_at(armc_deg, column("lat_deg"), places.obliquity_deg)
    print(f"\n{'worst error':18}{'to 2049':>12}{'2050':>12}")
    for name in ("ascendant", "midheaven", "vertex"):
        angle = np.degrees(getattr(horizon, f"{name}_rad"))
        early, late = worst(f"{name}_deg", angle, years < 2050)
        print(f'{name:18}{early:11.4f}"{late:11.4f}"')
    for system in ("placidus", "koch", "regiomontanus", "porphyry"):
        cusps = cusps_deg_of(system, horizon)
        houses = range(1, 13) if system == "placidus" else (2, 3, 11, 12)
        errors = [worst(f"{system}_{h}_deg", cusps[h - 1], years < 2050) for h in houses]
        early, late = (max(error) for error in zip(*errors, strict=True))
        print(f'{system:18}{early:11.4f}"{late:11.4f}"')


def main() -> None:
    """Print all tables."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "skyfield", "tzdata"))
    print(f"{platform.machine()}, Python {platform.python_version()}, {versions}\n")
    print_costs()
    print_errors()


if __name__ == "__main__":
    main()

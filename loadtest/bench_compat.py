"""Compatibility: what an exact search costs at 10^5, 10^6 and 10^7 charts, and what it is beside.

The machine is rarely idle, so that each figure is also given as processor time of the searching
thread, which waiting for a core does not lengthen, and beside a conventional scorer: the same rules
pair by pair, in plain Python, and pair by pair over whole columns in numpy.
"""

from __future__ import annotations

from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.compat.contacts import score_micro
from astradio_stream.compat.index import Index
from astradio_stream.compat.points import N_POINTS
from astradio_stream.compat.positions import tenths_at
from astradio_stream.compat.profiles import births_of
from astradio_stream.compat.search import search
from astradio_stream.compat.weights import FACETS, load_weights
from astradio_stream.sky.gazetteer import load_gazetteer
from loadtest.brute_compat import brute_scores_micro
from loadtest.table import percentile, print_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES: Final = (100_000, 1_000_000, 10_000_000)
N_SEARCHES: Final = {100_000: 120, 1_000_000: 120, 10_000_000: 60}
PAGE: Final = 20
PART: Final = 1_000_000
"""Births made at a time, as an index would be built at a start."""


def run() -> None:
    """Print the tables."""
    load_weights()
    tenths = np.empty((N_POINTS, SIZES[-1]), dtype=np.uint16)
    made = _fill(tenths)
    rows = [["charts", "p50", "p95", "p99", "cpu p50", "cpu p95", "bytes/chart", "index built"]]
    median_s = {}
    for n_charts in SIZES:
        begin = perf_counter()
        index = Index.of_columns(
            np.arange(n_charts), np.zeros(n_charts, np.int32), tenths[:, :n_charts]
        )
        built_s = perf_counter() - begin
        wall_s, cpu_s = _search_s(index, tenths[:, :n_charts], N_SEARCHES[n_charts])
        median_s[n_charts] = percentile(cpu_s, 0.5)
        rows.append(
            [
                f"{n_charts:,}",
                *(f"{1e3 * percentile(wall_s, share):.2f} ms" for share in (0.5, 0.95, 0.99)),
                *(f"{1e3 * percentile(cpu_s, share):.1f} ms" for share in (0.5, 0.95)),
                f"{index.nbytes / n_charts:.1f}",
                f"{built_s:.2f} s",
            ]
        )
    print_table(f"exact search, best {PAGE}, facets in turn, one thread", rows)
    _print_ratios(tenths[:, : SIZES[1]], median_s[SIZES[1]])
    print_table(
        "index from births (positions computed)",
        [["births", "seconds", "cpu", "cpu per million"]]
        + [[f"{n:,}", f"{s:.1f}", f"{c:.1f}", f"{c / n * 1e6:.1f}"] for n, s, c in made],
    )


def _fill(tenths: NDArray[np.uint16]) -> list[tuple[int, float, float]]:
    """Fill in the points of synthetic people; return how many took how long, wall and processor."""
    towns = load_gazetteer().towns
    made, seconds, cpu_s = [], 0.0, 0.0
    for first in range(0, tenths.shape[1], PART):
        births = births_of(1, first, PART, towns)
        columns = (births.utc_us, births.lat_deg, births.lon_deg, births.time_known)
        begin, begin_cpu = perf_counter(), thread_time()
        tenths[:, first : first + PART] = tenths_at(*columns)
        seconds += perf_counter() - begin
        cpu_s += thread_time() - begin_cpu
        if first in {0, tenths.shape[1] - PART}:
            made.append((first + PART, seconds, cpu_s))
    return made


def _search_s(
    index: Index, tenths: NDArray[np.uint16], n_searches: int
) -> tuple[list[float], list[float]]:
    """Return wall and processor time of some searches (seconds)."""
    weights, rng = load_weights(), np.random.Generator(np.random.Philox(key=[5, 5]))
    wall_s, cpu_s = [], []
    for n in range(-len(FACETS), n_searches):
        who = int(rng.integers(tenths.shape[1]))
        a = tuple(tenths[:, who].tolist())
        begin, begin_cpu = perf_counter(), thread_time()
        found = search(index.snapshot, a, FACETS[n % 6], PAGE, weights, without_charts=[who])
        if n >= 0:  # the first of each facet compiles its tables
            cpu_s.append(thread_time() - begin_cpu)
            wall_s.append(perf_counter() - begin)
        if len(found) != PAGE:
            raise SystemExit("a search found too few")
    return wall_s, cpu_s


def _print_ratios(tenths: NDArray[np.uint16], search_s: float) -> None:
    """Print what conventional scorers need for as many charts."""
    weights, n_plain, n_columns = load_weights(), 2_000, 50_000
    a = tuple(tenths[:, 0].tolist())
    charts = [tuple(column) for column in tenths[:, :n_plain].T.tolist()]
    begin = thread_time()
    for n, b in enumerate(charts):
        score_micro(a, b, FACETS[n % 6], weights)
    plain_s = (thread_time() - begin) / n_plain * tenths.shape[1]
    columns = tenths[:, :n_columns].astype(np.int64)
    begin = thread_time()
    for facet in FACETS:
        brute_scores_micro(columns, a, facet, weights)
    numpy_s = (thread_time() - begin) / n_columns / len(FACETS) * tenths.shape[1]
    print_table(
        f"{tenths.shape[1]:,} charts, processor time",
        [
            ["how", "time", "ratio"],
            ["this search, median", f"{search_s * 1e3:.1f} ms", "1"],
            ["every pair, numpy columns", f"{numpy_s:.1f} s", f"{numpy_s / search_s:,.0f}"],
            ["every pair, plain Python", f"{plain_s:.0f} s", f"{plain_s / search_s:,.0f}"],
        ],
    )

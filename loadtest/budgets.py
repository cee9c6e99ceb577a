"""The budgets of the design, read off the tables of the benchmarks, each with a verdict.

A figure that was not measured is said to be missing: a budget never passes in silence.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from loadtest.table import Table, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_NUMBER: Final = re.compile(r"-?[0-9][0-9,]*(?:\.[0-9]+)?")

AT_MOST: Final = "<="
AT_LEAST: Final = ">="
_KEEPS: Final[dict[str, Callable[[float, float], bool]]] = {
    AT_MOST: operator.le, AT_LEAST: operator.ge,
}  # fmt: skip
_WORST: Final[dict[str, Callable[[list[float]], float]]] = {AT_MOST: max, AT_LEAST: min}


@dataclass(frozen=True, slots=True)
class Budget:
    """One figure and what it may be."""

    what: str
    """As the design says it."""
    benchmark: str
    """That measures it."""
    title: str
    """How the title of its table begins."""
    row: str
    """What the first cell of its row holds, nothing for all; the worst of several counts."""
    column: str
    """The heading of its column."""
    limit: float
    """What it may be at the most, or at the least."""
    beside: tuple[str, str, str] = ("", "", "")
    """A baseline of the same run: title, row and column."""
    bound: str = AT_MOST
    """Whether the limit is the most or the least."""

    def is_kept(self, measured: float | None) -> bool:
        """Say whether a figure is what it may be; one that is missing is not."""
        return measured is not None and _KEEPS[self.bound](measured, self.limit)


_SEARCH: Final = "exact search"
_PAIRS: Final = "1,000,000 charts, processor time"
_FANOUT: Final = "Listeners of one station on one core"
_HELLO: Final = "Hello to first quantum"
_SEEK: Final = "Seek to any index"
_START: Final = "Start to ready"
_MUSIC: Final = "Render and picture"
_DISTINCT: Final = "Distinct live streams"
_DEAF: Final = "Lateness of quanta"
_WAIT: Final = "In the page"
_PICTURE: Final = "Picture while sound plays"
_OUTAGE: Final = "A server killed and started again"

BUDGETS: Final = (
    Budget(
        "distinct stream ÷ bare encode",
        "segment",
        "Cost of a distinct stream",
        "all of it",
        "/ bare encode",
        1.5,
    ),
    Budget("model v1.1, render and picture ÷ bare encode", "music", _MUSIC, "", "/ encode", 0.5),
    Budget("… distinct stream ÷ bare encode", "music", _MUSIC, "", "stream / encode", 1.5),
    Budget("… worst segment ÷ median", "music", _MUSIC, "", "worst/median", 3),
    Budget(
        "100 distinct streams on one core, late segments",
        "distinct",
        _DISTINCT,
        "100",
        "late segments",
        0,
    ),
    Budget("… that ran dry", "distinct", _DISTINCT, "100", "ran dry", 0),
    Budget("… refused", "distinct", _DISTINCT, "100", "refused", 0),
    Budget("… quanta late by 0.1 s", "distinct", _DISTINCT, "100", "quanta late by 0.1 s", 0),
    Budget("lateness beside the deaf, p99 grows by, ms", "slow", _DEAF, "beside -", "p99", 5),
    Budget("gaps beside the deaf", "slow", _DEAF, "gaps", "max", 0),
    Budget(
        "steer → audible, p95, ms", "steer", "Steering at once", "steer to effective", "p95", 300
    ),
    Budget(
        "… at hand before it is heard, ms",
        "steer",
        "Steering at once",
        "at hand before",
        "worst",
        0,
        bound=AT_LEAST,
    ),
    Budget(
        "10 000 listeners of a station, loop lag p99, ms",
        "fanout",
        _FANOUT,
        "10,000",
        "loop lag p99, ms",
        25,
    ),
    Budget("… who ran dry", "fanout", _FANOUT, "10,000", "ran dry", 0),
    Budget("… gaps", "fanout", _FANOUT, "10,000", "gaps", 0),
    Budget("… refused or lost", "fanout", _FANOUT, "10,000", "refused", 0),
    Budget("… memory of each, KB", "fanout", _FANOUT, "10,000", "KB each", 32),
    # A core of a bare broadcast is known to carry 9 000 listeners, 10 000 are wanted: nine tenths
    # of its cost, where it is full.
    Budget(
        "quantum to one listener ÷ bare websockets.broadcast",
        "broadcast",
        "Fan-out beside a bare broadcast",
        "9,000 listeners: this server, all of it",
        "/ bare",
        0.9,
    ),
    Budget("hello → first quantum, new, p95, ms", "server", _HELLO, "new programme", "p95", 25),
    Budget("hello → first quantum, cached, p95, ms", "server", _HELLO, "cached", "p95", 5),
    Budget("click → first sample, p95, ms", "page", _WAIT, "click to first sample", "p95", 120),
    Budget("first picture, p95, ms", "page", _WAIT, "first picture", "p95", 15),
    Budget("picture against sound, p95, ms", "page", _WAIT, "against sound", "p95", 8.3),
    Budget("picture, frames per second", "page", _PICTURE, "", "fps", 55, bound=AT_LEAST),
    Budget("… frame p99, ms", "page", _PICTURE, "", "frame p99, ms", 16.7),
    Budget("outage ≤ 10 s, underruns", "page", _OUTAGE, "", "underruns", 0),
    Budget("… silence heard, samples", "page", _OUTAGE, "", "silent samples", 0),
    Budget("… never heard, samples", "page", _OUTAGE, "", "skipped samples", 0),
    Budget("seek to any index of 1 000 h, p95, ms", "seek", _SEEK, "at the server", "p95", 30),
    Budget(
        "piece of 60 s, not cached, p95, ms", "compose", "A piece of 60 s", "not cached", "p95", 400
    ),
    Budget("piece of 60 s, cached, p95, ms", "compose", "A piece of 60 s", ", cached", "p95", 10),
    Budget(
        "exact search, 1 M charts, p95, ms",
        "compat",
        _SEARCH,
        "1,000,000",
        "p95",
        30,
        (_PAIRS, "every pair, numpy", "ratio"),
    ),
    Budget("… 10 M charts, p95, ms", "compat", _SEARCH, "10,000,000", "p95", 250),
    Budget("start → ready, cold, s", "server", _START, "cold", "measured", 5),
    Budget("… warm, s", "server", _START, "warm", "measured", 2),
)


def number_in(cell: str) -> float | None:
    """Return the first number of a cell, None if it holds none."""
    found = _NUMBER.search(cell)
    return float(found[0].replace(",", "")) if found else None


def figure(
    tables: Sequence[Table], title: str, row: str, column: str, bound: str = AT_MOST
) -> float | None:
    """Return the worst figure of the rows that hold some words, None if there is none."""
    found: list[float] = []
    for table in tables:
        if table.title.startswith(title) and column in table.rows[0]:
            place = table.rows[0].index(column)
            cells = [one[place] for one in table.rows[1:] if _is_meant(row, one[0])]
            found += [number for number in map(number_in, cells) if number is not None]
    return _WORST[bound](found) if found else None


def _is_meant(row: str, cell: str) -> bool:
    return cell == row if row[:1].isdigit() else row in cell


def print_budgets(tables: Sequence[Table], names: Sequence[str]) -> None:
    """Print what the benchmarks with these names say of the budgets."""
    rows = [["budget", "measured", "may be", "holds", "baseline ÷ ours"]]
    for one, measured in _measured(tables, names):
        ratio = figure(tables, *one.beside) if one.beside[0] else None
        rows.append(
            [
                one.what,
                "missing" if measured is None else f"{measured:g}",
                f"{one.bound} {one.limit:g}",
                "yes" if one.is_kept(measured) else "NO",
                "" if ratio is None else f"{ratio:,.0f}",
            ]
        )
    if len(rows) > 1:
        print_table("Budgets of the design", rows)


def failures_of(tables: Sequence[Table], names: Sequence[str]) -> list[str]:
    """Return a line for each budget of these benchmarks that does not hold."""
    return [
        f"FAILED {one.benchmark}: {one.what.removeprefix('… ')} may be {one.bound} {one.limit:g}: "
        + ("it is missing" if measured is None else f"it is {measured:g}")
        for one, measured in _measured(tables, names)
        if not one.is_kept(measured)
    ]


def _measured(
    tables: Sequence[Table], names: Sequence[str]
) -> Iterator[tuple[Budget, float | None]]:
    """Yield each budget of these benchmarks and its figure, None where it is missing."""
    for one in BUDGETS:
        if one.benchmark in names:
            yield one, figure(tables, one.title, one.row, one.column, one.bound)

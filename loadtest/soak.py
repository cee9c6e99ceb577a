"""Hours of the same: does memory grow, do tasks or files, is a quantum ever late?

Half the listeners play the station, half a programme of their own, and every minute all of them
have left, a tenth at a time, and others have come. What is kept for later (programmes, looks,
charts, themes, segments) is bounded; the first quarter, the warm-up, sends enough passers-by, each
with a sky of its own, to fill it. Growth after that is growth.
"""

from __future__ import annotations

import math
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from loadtest.crowd import Crowd, NeverAnswered, hello_of
from loadtest.process import difference, server
from loadtest.table import print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loadtest.member import Member, Tally
    from loadtest.process import Samples, Server

_LISTENERS: Final = 100
_GROUPS: Final = 10
_TURN_S: Final = 6.0
_PASSERS_BY_PER_S: Final = 6
_WARM_UP_SHARE: Final = 0.25
_MB_PER_H: Final = 1.0
_FEW: Final = 5
"""Fewer points than these make no line."""
_FLAT: Final = 0.05
"""More tasks or files than this, as a share, are growth."""
_POINTS: Final = 8
"""Rows of the table that tells how memory went."""
_FIRST_MOMENT: Final = 946_728_000
"""2000-01-01T12:00Z (Unix seconds)."""


@dataclass(frozen=True)
class _Point:
    """How the server stood at some time."""

    at_s: float
    rss_kb: int
    n_tasks: float
    n_files: int


def _programme_of(turn: int, n: int) -> dict[str, Any]:
    """Return what the n-th listener of a turn plays."""
    return {"station": "now"} if n % 2 else {"seed": turn * 1_000 + n, "at": "2026-03-20T12:00Z"}


def _passers_by() -> Iterator[dict[str, Any]]:
    """Return programmes without end, no two with the same sky."""
    number = 0
    while True:
        number += 1
        day = time.gmtime(_FIRST_MOMENT + 86_400 * number)
        yield {"seed": number, "at": time.strftime("%Y-%m-%dT%H:%MZ", day)}


def _point_of(running: Server, began: float) -> _Point:
    tasks = running.samples()["astradio_tasks", ""]
    return _Point(time.monotonic() - began, running.rss_kb(), tasks, running.n_files())


def _slope_mb_per_h(points: list[_Point]) -> float:
    """Return how fast memory grows by the line of least squares; NaN of too few points."""
    if len(points) < _FEW:
        return math.nan
    at_s, rss_kb = zip(*((point.at_s, point.rss_kb) for point in points), strict=True)
    return float(np.polyfit(at_s, rss_kb, 1)[0]) * 3_600 / 1_024


def _course(values: list[float] | list[int]) -> str:
    if not values:
        return "?"
    return f"{values[0]:.0f} / {max(values):.0f} / {values[-1]:.0f}"


def _growth(values: list[float] | list[int]) -> float:
    """Return how much more there is in the last quarter than in the first, as a share (medians)."""
    if not values:
        return 0.0
    quarter = -(-len(values) // 4)
    return float(np.median(values[-quarter:]) / max(np.median(values[:quarter]), 1)) - 1


def _lateness(when: str, grown: Samples, budget: str) -> list[list[str]]:
    """Return the rows that tell what came late."""
    name = "astradio_quantum_lateness_seconds"
    n_quanta = grown[f"{name}_count", ""]
    late = " / ".join(f"{n_quanta - grown[f'{name}_bucket', le]:.0f}" for le in ("0.025", "0.1"))
    return [
        [f"quanta late by 25 / 100 ms {when}", f"{late} of {n_quanta:.0f}", f"- / {budget}"],
        [f"late segments {when}", f"{grown['astradio_late_segments_total', '']:.0f}", budget],
    ]


def _tell_points(points: list[_Point]) -> None:
    """Print how memory, tasks and files went, at some points in time."""
    if not points:
        return
    last = len(points) - 1
    chosen = [points[round(n * last / (_POINTS - 1))] for n in range(_POINTS)]
    rows = [["minutes", "RSS, MB", "tasks", "files"]]
    rows += [
        [f"{point.at_s / 60:.1f}", f"{point.rss_kb / 1_024:.1f}", f"{point.n_tasks:.0f}",
         str(point.n_files)]
        for point in chosen
    ]  # fmt: skip
    print_table("As time went by", rows)


def _n_late(grown: Samples) -> float:
    """Return how many quanta were late by a tenth of a second."""
    name = "astradio_quantum_lateness_seconds"
    return grown[f"{name}_count", ""] - grown[f"{name}_bucket", "0.1"]


def failures_of(points: list[_Point], grown: Samples, heard: Tally) -> list[str]:
    """Return a line for each thing that does not hold.

    Args:
        points: How the server stood after the warm-up.
        grown: By how much the figures of the server grew after it.
        heard: What the listeners went through.
    """
    found = {
        "late by 0.1 s": _n_late(grown),
        "late segments": grown["astradio_late_segments_total", ""],
        "gaps": heard.n_gaps,
        "skips": heard.n_skips,
        "ran dry": heard.n_dry,
        "closes": heard.closes.total(),
    }
    failures = [f"FAILED {what}<=0: it is {n:g}" for what, n in found.items() if n]
    if not (slope_mb_per_h := _slope_mb_per_h(points)) <= _MB_PER_H:
        failures.append(f"FAILED MB per hour<={_MB_PER_H:g}: it is {slope_mb_per_h:.2f}")
    for what, values in (
        ("tasks", [point.n_tasks for point in points]),
        ("files", [point.n_files for point in points]),
    ):
        if (share := _growth(values)) > _FLAT:
            failures.append(f"FAILED {what} are flat: they grew by {share:.0%}")
    return failures


def run(hours: float) -> int:
    """Listen, then print what grew; return the exit code, 1 where something does not hold."""
    points: list[_Point] = []
    mishaps: list[str] = []
    strangers = _passers_by()
    turn = n_passed = most_groups = 0
    with TemporaryDirectory() as folder, server(folder) as running:
        began = time.monotonic()
        warm_s = _WARM_UP_SHARE * 3_600 * hours
        until = began + 3_600 * hours
        before = warm = running.samples()
        crowd = Crowd(("127.0.0.1", running.port))
        groups: deque[list[Member]] = deque()
        while time.monotonic() < until:
            if len(groups) == _GROUPS:
                crowd.leave(groups.popleft())
            fresh = [_programme_of(turn, n) for n in range(_LISTENERS // _GROUPS)]
            try:
                groups.append(crowd.join([hello_of(one, 2_000) for one in fresh], 50.0)[0])
            except NeverAnswered as reason:
                mishaps.append(f"FAILED everybody is answered: {reason}")
                break
            turn += 1
            most_groups = max(most_groups, len(groups))
            turn_ends = min(time.monotonic() + _TURN_S, until)
            while time.monotonic() < turn_ends:
                if time.monotonic() - began < warm_s:
                    some = [next(strangers) for _ in range(_PASSERS_BY_PER_S)]
                    crowd.leave(crowd.join([hello_of(one, 200) for one in some], 100.0)[0])
                    n_passed += len(some)
                    with suppress(OSError):  # the next look will do
                        warm = running.samples()
                crowd.listen(1.0)
            with suppress(OSError):
                points.append(_point_of(running, began))
        now = running.samples()
        heard = crowd.tally
        crowd.close()
    kept = [point for point in points if point.at_s >= warm_s]
    n_each = _LISTENERS // _GROUPS
    _tell_points(points)
    rows = [
        ["", "measured", "budget"],
        ["hours", f"{hours:g}", "2"],
        ["listeners at once / in all / passers-by",
         " / ".join(map(str, (most_groups * n_each, turn * n_each, n_passed))), ""],
        ["memory after warm-up, MB / h", f"{_slope_mb_per_h(kept):+.2f}", f"{_MB_PER_H:g}"],
        ["tasks, after warm-up / at the most / at the end",
         _course([point.n_tasks for point in kept]), "flat"],
        ["files, after warm-up / at the most / at the end",
         _course([point.n_files for point in kept]), "flat"],
        *_lateness("in the warm-up", difference(warm, before), "-"),
        *_lateness("after it", difference(now, warm), "0"),
        ["gaps / skips / times a listener ran dry",
         f"{heard.n_gaps} / {heard.n_skips} / {heard.n_dry} in {heard.n_quanta} quanta",
         "0 / 0 / 0"],
        ["closes", str(dict(heard.closes)), "{}"],
    ]  # fmt: skip
    print_table("Soak", rows)
    failures = mishaps + failures_of(kept, difference(now, warm), heard)
    print("\n".join(failures))
    return 1 if failures else 0

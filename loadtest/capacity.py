"""`python -m loadtest capacity`: how much one core carries while it keeps the stated quality.

Each step is a server of its own on one core, and a crowd that checks all it is sent on the others.
The search doubles until something does not hold, then halves what lies between, until that is a
twentieth or the time is over; what then stands in the table was measured, not interpolated.

Newcomers come at the rate of `bench fanout`, and as there the lag of the server's loop is taken
when all have come: it tells what a core carries, not how fast it can be filled. Nobody may run dry
or be refused while they come, either.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from loadtest.driver import drive
from loadtest.options import PROMPT
from loadtest.plan import Plan
from loadtest.process import ServerFailed, difference, server
from loadtest.report import progress_line
from loadtest.run import split_cores
from loadtest.scenarios import SERVED
from loadtest.table import machine, print_table
from loadtest.thresholds import threshold_of, verdicts_of
from loadtest.watch import Watch, quantile_ms

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from loadtest.outcome import Outcome
    from loadtest.process import Samples, Server

_LISTEN_S: Final = 8.0
_NEAR: Final = 0.05
"""A step smaller than this share is not worth a run."""
_VERIFY_S: Final = 5.0
_SAMPLES: Final = 50
_NONE: Final = "none"
_ALL: Final = 0.98
"""Of those who should be inside are, beside the few that come last."""
_LOOKS: Final = 4
"""Seconds of the loop's lag that are too few to judge it by."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is counted, and the quality that must be kept."""

    what: str
    """In words."""
    scenario: str
    """Which load."""
    first: int
    """Where the search begins."""
    most: int
    """Where it ends at the latest."""
    per_s: float
    """Arrivals per second."""
    quality: tuple[str, ...]
    """What must hold."""


# fmt: off
KINDS: Final = {
    "station": Kind(
        "listeners of one station", "steady", 4_000, 20_000, 500,
        (*SERVED, "underrun<=0", "refused<=0", "shed<=0", "loop_lag_p99_ms<=25")),
    "distinct": Kind(
        "distinct streams", "distinct", 60, 400, 15,
        (*SERVED, "underrun<=0", "refused<=0", "shed<=0", "late_segments<=0",
         "late_max_ms<=100")),
}
# fmt: on


@dataclass
class Search:
    """What was found so far."""

    most: int
    """Where it ends at the latest."""
    held: int = 0
    """The largest number that kept the quality."""
    broke: int = 0
    """The smallest that did not, 0 while there is none."""
    tried: dict[int, str] = field(default_factory=dict)
    """What did not hold, by number; an empty line where all did."""

    def next(self, first: int) -> int | None:
        """Return the number to try next, None where it is known well enough."""
        if not self.tried:
            return first
        if not self.broke:
            return None if self.held >= self.most else min(self.most, 2 * self.held)
        if self.broke - self.held <= max(1, _NEAR * self.broke):
            return None
        return (self.held + self.broke) // 2

    def heed(self, number: int, failure: str) -> None:
        """Heed what came of a number."""
        self.tried[number] = failure
        if failure:
            self.broke = min(self.broke or number, number)
        else:
            self.held = max(self.held, number)


def search(first: int, most: int, until_s: float, failure_of: Callable[[int], str]) -> Search:
    """Search the largest number that keeps the quality, until a moment (monotonic seconds)."""
    found = Search(most)
    while (number := found.next(first)) is not None:
        found.heed(number, failure_of(number))
        if time.monotonic() > until_s:
            break
    return found


class Watched:
    """What the metrics of a server tell of the seconds in which all listened."""

    def __init__(self, running: Server, number: int) -> None:
        """Look from when nearly so many are inside."""
        self._running = running
        self._number = number
        self._first: Samples = {}
        self._last: Samples = self._first
        self._n_looks = 0

    def show(self, row: dict[str, Any]) -> None:
        """Look once a second, and show some of them."""
        if row["open"] >= _ALL * self._number:
            with suppress(OSError):  # a server that says nothing has no figure
                self._last = self._running.samples()
                self._first = self._first or self._last
                self._n_looks += 1
        if row["atS"] % 5 == 0:
            print(progress_line("capacity", row), file=sys.stderr, flush=True)

    @property
    def has_seen_all(self) -> bool:
        """Whether nearly all were inside for long enough to look at it for some seconds."""
        return self._n_looks > _LOOKS

    def loop_lag_p99_ms(self) -> float:
        """Return how late its loop was; not a number if not all came, or nobody saw it."""
        return quantile_ms(difference(self._last, self._first), "astradio_loop_lag_seconds", 0.99)


def measure(kind: Kind, number: int, folder: str) -> Outcome:
    """Load a server of its own, on one core, with so many."""
    theirs, ours = split_cores(())
    settings = {
        "ASTRADIO_MAX_LISTENERS": str(number + 100),
        "RATE_LIMIT_MAX": "1000000",
        "ASTRADIO_CACHE_MB": "512",
    }
    outcome = None
    try:
        with server(folder, None, theirs[:1], **settings) as running:
            plan = Plan(
                scenario=kind.scenario, url=f"ws://127.0.0.1:{running.port}/stream", is_owned=False,
                listeners=number, programmes=number, duration_s=number / kind.per_s + _LISTEN_S,
                per_s=kind.per_s, processes=1, buffer_ms=2_000, seed=1, samples=_SAMPLES,
                prompt=PROMPT, asks_per_s=0.0, verify_s=_VERIFY_S, folder=folder, cores=ours,
            )  # fmt: skip
            watched = Watched(running, number)
            watch = Watch(f"http://127.0.0.1:{running.port}", running)
            outcome = drive(plan, watch, watched.show)
    except ServerFailed as failed:
        if outcome is None:
            raise
        outcome.mishaps.append(str(failed))  # the steps before it are worth telling
    outcome.server["loop_lag_p99_ms"] = watched.loop_lag_p99_ms()
    if not watched.has_seen_all:
        outcome.mishaps.append("not all were inside before the end")
    return outcome


def _row(kind: Kind, found: Search, outcomes: dict[int, Outcome]) -> list[str]:
    """Return a line of the table: the largest number that held, and what stopped the next."""
    limit = found.tried.get(found.broke, "") or "the end of the search"
    if not found.held:
        return [kind.what, _NONE, "", "", "", limit]
    outcome = outcomes[found.held]
    figures = outcome.figures()
    listening = [row for row in outcome.seconds if row["open"] >= _ALL * found.held]
    share = sum(row["serverCpu"] for row in listening) / max(len(listening), 1)
    return [
        kind.what,
        f"{found.held:,}",
        f"{share:.0%}",
        f"{share * 1e6 / found.held / 10:.1f}",
        f"{figures['late_p99_ms']:.1f}",
        limit,
    ]


def searched(kind: Kind, folder: str, until_s: float) -> list[str]:
    """Search one of them; return its line of the table."""
    outcomes: dict[int, Outcome] = {}

    def failure_of(number: int) -> str:
        outcome = outcomes[number] = measure(kind, number, folder)
        verdicts = verdicts_of(outcome, map(threshold_of, kind.quality))
        failure = next((one.line for one in verdicts if not one.holds), "")
        print(f"  {number:,} {kind.what}: {failure or 'held'}", flush=True)
        return failure.removeprefix("FAILED ")

    return _row(kind, search(kind.first, kind.most, until_s, failure_of), outcomes)


def run(args: Namespace) -> int:
    """Search, then print the table; return the exit code: 1 where there was nothing that held."""
    print(machine())
    rows = [
        ["on one core", "at most", "CPU of it", "us / quantum", "late p99, ms", "what stopped more"]
    ]
    for name in args.kinds or KINDS:
        until_s = time.monotonic() + 60.0 * args.minutes / len(args.kinds or KINDS)
        with TemporaryDirectory() as folder:
            rows.append(searched(KINDS[name], folder, until_s))
    print_table("Capacity", rows)
    for name in args.kinds or KINDS:
        print(f"  {KINDS[name].what}: {', '.join(KINDS[name].quality)}")
    failed = [row[0] for row in rows if row[1] == _NONE]
    for what in failed:
        print(f"FAILED {what}: the search found no number of them that holds")
    return 1 if failed else 0

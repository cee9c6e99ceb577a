"""How many listeners of one station a core carries, and what each costs.

The server has one core, the crowd the other. Each step is a server of its own: the crowd joins, a
few seconds pass, then CPU, lag of the loop, lateness and memory are taken over the rest.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any, Final

from loadtest.cores import server_core
from loadtest.crowd import SETTLING_S, Crowd, hello_of
from loadtest.crowding import crowding
from loadtest.process import Samples, Server, difference, quantile_s, server
from loadtest.table import print_table

_STEPS: Final = (1_000, 3_000, 6_000, 10_000)
_SECONDS: Final = 12.0
_PER_S: Final = 500.0
_FIRST: Final = 50
_WARM_UP_S: Final = 4.0
_LATE_CROWD_MS: Final = 250.0
"""A crowd that is later than this in reading may take for dry who was not."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a crowd and its server tell of the seconds in which it listened."""

    told: dict[str, Any]
    """By the crowd."""
    join_p95_s: float
    """From when a member was due to its first quantum (seconds)."""
    grown: Samples
    """By how much the figures of the server grew."""
    share: float
    """Processor time of the server, as a share of a core."""
    kb_before: int
    """Its memory before they came ..."""
    kb_after: int
    """... and at the end (KB)."""

    @property
    def n_refused(self) -> int:
        """How many are not inside at the end."""
        return int(sum(self.told["closes"].values()))

    def late_words(self) -> str:
        """Return a line if some ran dry and the crowd itself was late, else nothing."""
        lag_ms = float(self.told["lagMs"])
        if lag_ms <= _LATE_CROWD_MS or not self.told["dry"]:
            return ""
        return f"the crowd was late by {lag_ms:.0f} ms itself: not all it says ran dry need have"


def heard_by(running: Server, n: int, seconds: float, per_s: float = _PER_S, *args: str) -> Heard:
    """Let a crowd join and listen."""
    warm_up = Crowd(("127.0.0.1", running.port))
    warm_up.join([hello_of({"station": "now"}, 2_000)] * _FIRST, _PER_S)
    warm_up.listen(_WARM_UP_S)  # what all listeners share is there before memory is weighed
    warm_up.close()
    before_kb = running.rss_kb()
    with crowding(running.port, n, seconds + 1, per_s, *args) as crowd:
        time.sleep(SETTLING_S + 1)
        samples, cpu_s, began = running.samples(), running.cpu_s(), time.perf_counter()
        time.sleep(max(0.0, seconds - 1))
        share = (running.cpu_s() - cpu_s) / (time.perf_counter() - began)
        grown = difference(running.samples(), samples)
        after_kb = running.rss_kb()
        return Heard(crowd.told(), crowd.join_p95_s, grown, share, before_kb, after_kb)


def print_doubts(steps: tuple[int, ...], doubts: list[str]) -> None:
    """Say at which steps the crowd was late."""
    for n, doubt in zip(steps, doubts, strict=True):
        if doubt:
            print(f"  {n:,}: {doubt}")


def run(steps: tuple[int, ...] = _STEPS, seconds: float = _SECONDS) -> None:
    """Measure and print."""
    rows = [
        ["listeners", "joined p95, ms", "CPU of a core", "us / quantum", "loop lag p99, ms",
         "late p99, ms", "KB each", "gaps", "ran dry", "refused"],
    ]  # fmt: skip
    doubts = []
    with TemporaryDirectory() as folder:
        for n in steps:
            with server(folder, core=server_core(), ASTRADIO_MAX_LISTENERS="20000") as running:
                heard = heard_by(running, n, seconds)
            n_quanta = heard.grown["astradio_quantum_lateness_seconds_count", ""]
            cost_us = heard.share * 1e6 * (seconds - 1) / max(n_quanta, 1)
            n_inside = n - heard.n_refused
            rows.append(
                [
                    f"{n:,}",
                    f"{1_000 * heard.join_p95_s:.0f}",
                    f"{heard.share:.0%}",
                    f"{cost_us:.1f}",
                    quantile_s(heard.grown, "astradio_loop_lag_seconds", 0.99),
                    quantile_s(heard.grown, "astradio_quantum_lateness_seconds", 0.99),
                    f"{(heard.kb_after - heard.kb_before) / max(n_inside, 1):.1f}",
                    str(heard.told["gaps"]),
                    str(heard.told["dry"]),
                    str(heard.n_refused),
                ]
            )
            doubts.append(heard.late_words())
    title = "Listeners of one station on one core, budget 10,000 at lag <= 25 ms, 32 KB each"
    print_table(title, rows)
    print_doubts(steps, doubts)


if __name__ == "__main__":
    run()

"""How many listeners of one station a core carries, and what each costs.

The server has one core, the crowd the other. Each step is a server of its own: the crowd joins, a
few seconds pass, then CPU, lag of the loop, lateness and memory are taken over the rest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from tempfile import TemporaryDirectory
from typing import Any, Final

from loadtest.crowd import Crowd, hello_of
from loadtest.process import Samples, Server, difference, quantile_s, server
from loadtest.table import print_table

_STEPS: Final = (1_000, 3_000, 6_000, 10_000)
_SECONDS: Final = 12.0
_PER_S: Final = 500.0
_FIRST: Final = 50
_WARM_UP_S: Final = 4.0


def crowd(
    running: Server, n: int, seconds: float, *args: str
) -> tuple[dict[str, Any], Samples, float, int, int]:
    """Let a crowd listen.

    Returns:
        What it tells, by how much the figures grew, the CPU share (1 is a core), and the memory
        before and at the end (KB).
    """
    warm_up = Crowd(("127.0.0.1", running.port), [hello_of({"station": "now"}, 2_000)] * _FIRST)
    warm_up.join(_PER_S)
    warm_up.listen(_WARM_UP_S)  # what all listeners share is there before memory is weighed
    warm_up.close()
    before_kb = running.rss_kb()
    core = str((os.cpu_count() or 1) - 1)
    with subprocess.Popen(  # noqa: S603 - our own crowd
        [sys.executable, "-m", "loadtest.crowd", str(running.port), str(n), str(seconds + 3),
         "--core", core, "--per-s", str(_PER_S), *args],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None  # noqa: S101
        process.stdout.readline()  # all have joined
        time.sleep(3)
        samples, cpu_s, began = running.samples(), running.cpu_s(), time.perf_counter()
        time.sleep(max(0.0, seconds - 1))
        share = (running.cpu_s() - cpu_s) / (time.perf_counter() - began)
        grown = difference(running.samples(), samples)
        after_kb = running.rss_kb()
        told: dict[str, Any] = json.loads(process.stdout.readline())
    return told, grown, share, before_kb, after_kb


def run(steps: tuple[int, ...] = _STEPS, seconds: float = _SECONDS) -> None:
    """Measure and print."""
    rows = [
        ["listeners", "CPU of a core", "us / quantum", "loop lag p99, ms", "late p99, ms",
         "KB each", "gaps", "ran dry", "refused"],
    ]  # fmt: skip
    with TemporaryDirectory() as folder:
        for n in steps:
            with server(folder, core=0, ASTRADIO_MAX_LISTENERS="20000") as running:
                told, grown, share, before_kb, after_kb = crowd(running, n, seconds)
            n_quanta = grown["astradio_quantum_lateness_seconds_count", ""]
            cost_us = share * 1e6 * (seconds - 1) / max(n_quanta, 1)
            n_inside = n - sum(told["closes"].values())
            rows.append(
                [
                    f"{n:,}",
                    f"{share:.0%}",
                    f"{cost_us:.1f}",
                    quantile_s(grown, "astradio_loop_lag_seconds", 0.99),
                    quantile_s(grown, "astradio_quantum_lateness_seconds", 0.99),
                    f"{(after_kb - before_kb) / max(n_inside, 1):.0f}",
                    str(told["gaps"]),
                    str(told["dry"]),
                    str(n - n_inside),
                ]
            )
    title = "Listeners of one station on one core, budget 10,000 at lag <= 25 ms, 32 KB each"
    print_table(title, rows)


if __name__ == "__main__":
    run()

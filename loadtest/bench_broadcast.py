"""What a quantum to one listener more costs, beside a bare `websockets.broadcast` of as many bytes.

The same crowd joins both, one after the other, each server on the first core and the crowd on the
last; processor time is the server's, over the same seconds. Once with as many as fill a core of the
bare one, which is where a budget means something, and once with few, where this server has time and
writes every quantum by itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from loadtest.cores import server_core
from loadtest.crowd import SETTLING_S
from loadtest.crowding import crowding
from loadtest.process import Server, free_port, server
from loadtest.table import print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTENERS: Final = (2_000, 9_000)
_SECONDS: Final = 8.0
_PER_S: Final = 400.0
_PLAUSIBLE: Final = 0.9
"""Of the quanta that are due come at least, or of the core is taken: else something was lost."""


class Implausible(RuntimeError):
    """Less came than was due, with time to send it: a cost of it would say nothing."""


@contextmanager
def _bare(n: int) -> Iterator[Server]:
    """Run the baseline for so many listeners until the block ends."""
    port = free_port()
    began = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - our own baseline
        [sys.executable, "-m", "loadtest.bare_broadcast", str(port), str(n)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        os.sched_setaffinity(process.pid, {server_core()})
        try:
            assert process.stdout is not None  # noqa: S101
            if not process.stdout.readline():
                raise RuntimeError(f"the bare broadcast ended with exit code {process.wait()}")
            yield Server(process.pid, port, time.perf_counter() - began)
        finally:
            process.kill()


def _cost_us(running: Server, n: int) -> float:
    """Return the processor time of the server for one quantum to one listener (microseconds)."""
    with crowding(running.port, n, _SECONDS, _PER_S) as crowd:
        time.sleep(SETTLING_S + 0.5)
        cpu_s, began = running.cpu_s(), time.perf_counter()
        time.sleep(_SECONDS - 1.0)
        share = (running.cpu_s() - cpu_s) / (time.perf_counter() - began)
        per_s = float(crowd.told()["quanta"]) / _SECONDS
    return cost_us(share, per_s, n)


def cost_us(share: float, per_s: float, n: int) -> float:
    """Return what a quantum to one listener costs (microseconds).

    Args:
        share: Of a core, that the server took.
        per_s: Quanta that came to all listeners in a second.
        n: How many listeners there should be, ten quanta a second each.

    Raises:
        Implausible: Fewer came than that, and the core was not full.
    """
    if per_s < _PLAUSIBLE * 10 * n and share < _PLAUSIBLE:
        raise Implausible(
            f"{per_s:,.0f} quanta a second came to {n:,} listeners, {10 * n:,} were due, and the "
            f"server took {share:.0%} of its core: some were lost, or it never began"
        )
    return share * 1e6 / max(per_s, 1.0)


def run() -> None:
    """Measure and print."""
    rows = [["", "us / quantum", "/ bare"]]
    for n in _LISTENERS:
        with (
            TemporaryDirectory() as folder,
            server(folder, core=server_core(), ASTRADIO_MAX_LISTENERS="20000") as running,
        ):
            ours = _cost_us(running, n)
        with _bare(n) as running:
            bare = _cost_us(running, n)
        rows += [
            [f"{n:,} listeners: this server, all of it", f"{ours:.1f}", f"{ours / bare:.3f}"],
            [f"{n:,} listeners: bare websockets.broadcast", f"{bare:.1f}", "1.00"],
        ]
    print_table("Fan-out beside a bare broadcast", rows)

"""What a quantum to one listener more costs, beside a bare `websockets.broadcast` of as many bytes.

The same crowd joins both, one after the other, each server on the first core and the crowd on the
last; processor time is the server's, over the same seconds. Once with as many as fill a core of the
bare one, which is where a budget means something, and once with few, where this server has time and
writes every quantum by itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from loadtest.process import Server, free_port, server
from loadtest.table import print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTENERS: Final = (2_000, 9_000)
_SECONDS: Final = 8.0
_PER_S: Final = 400.0


@contextmanager
def _bare(n: int) -> Iterator[Server]:
    """Run the baseline for so many listeners until the block ends."""
    port = free_port()
    process = subprocess.Popen(  # noqa: S603 - our own baseline
        [sys.executable, "-m", "loadtest.bare_broadcast", str(port), str(n)]
    )
    os.sched_setaffinity(process.pid, {0})
    try:
        time.sleep(1.5)  # it answers by now; a crowd that comes too soon would fail
        yield Server(process.pid, port, 1.5)
    finally:
        process.terminate()
        process.wait(10)


def _cost_us(running: Server, n: int) -> float:
    """Return the processor time of the server for one quantum to one listener (microseconds)."""
    core = str((os.cpu_count() or 1) - 1)
    with subprocess.Popen(  # noqa: S603 - our own crowd
        [sys.executable, "-m", "loadtest.crowd", str(running.port), str(n),
         str(_SECONDS + 2), "--core", core, "--per-s", str(_PER_S)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None  # noqa: S101
        process.stdout.readline()  # all have joined
        time.sleep(2.5)
        cpu_s, began = running.cpu_s(), time.perf_counter()
        time.sleep(_SECONDS - 1.0)
        share = (running.cpu_s() - cpu_s) / (time.perf_counter() - began)
        told = json.loads(process.stdout.readline())
    per_s = float(told["quanta"]) / (_SECONDS + 2)
    return share * 1e6 / max(per_s, 1.0)


def run() -> None:
    """Measure and print."""
    rows = [["", "us / quantum", "/ bare"]]
    for n in _LISTENERS:
        with (
            TemporaryDirectory() as folder,
            server(folder, core=0, ASTRADIO_MAX_LISTENERS="20000") as running,
        ):
            ours = _cost_us(running, n)
        with _bare(n) as running:
            bare = _cost_us(running, n)
        rows += [
            [f"{n:,} listeners: this server, all of it", f"{ours:.1f}", f"{ours / bare:.2f}"],
            [f"{n:,} listeners: bare websockets.broadcast", f"{bare:.1f}", "1.00"],
        ]
    print_table("Fan-out beside a bare broadcast", rows)

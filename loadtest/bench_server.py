"""How soon a server answers: start to ready, and hello to the first quantum."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from websockets.sync.client import connect

from loadtest.table import percentile, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

_HELLOS: Final = 200
_START_LIMIT_S: Final = 60.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


@contextmanager
def server(folder: str) -> Iterator[tuple[int, float]]:
    """Run a server of its own; yield its port and the seconds from start to ready."""
    port = _free_port()
    environment = os.environ | {
        "ASTRADIO_PORT": str(port),
        "ASTRADIO_DATA_DIR": folder,
        "ASTRADIO_LOG_FILE": f"{folder}/app.log",
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "astradio_stream", "serve"],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        while not _is_ready(port):
            if process.poll() is not None or time.perf_counter() - began > _START_LIMIT_S:
                raise RuntimeError("the server did not become ready")
            time.sleep(0.01)
        yield port, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(30)


def _first_quantum_ms(port: int, programme: dict[str, object]) -> float:
    """Return the milliseconds from hello to the first binary message of a new connection."""
    hello = json.dumps({"type": "hello", "protocol": 1, "programme": programme, "codecs": ["opus"]})
    with connect(f"ws://127.0.0.1:{port}/stream", compression=None) as socket_:
        began = time.perf_counter()
        socket_.send(hello)
        while not isinstance(socket_.recv(10), bytes):
            pass
        return (time.perf_counter() - began) * 1000.0


def run() -> None:
    """Measure and print."""
    with TemporaryDirectory() as folder:
        with server(folder) as (_, cold_s):
            pass
        with server(folder) as (port, warm_s):
            _first_quantum_ms(port, {"station": "now"})
            new, cached = [], []
            for seed in range(_HELLOS):
                at = f"{1900 + seed % 150}-{1 + seed % 12:02d}-{1 + seed % 28:02d}T12:00:00Z"
                programme: dict[str, object] = {"seed": seed, "at": at}
                new.append(_first_quantum_ms(port, programme))
                cached.append(_first_quantum_ms(port, programme))
    rows = [["", "p50", "p95", "max", "budget p95"]]
    for name, values, budget in (("new programme", new, "25"), ("cached", cached, "5")):
        figures = [f"{percentile(values, share):.1f}" for share in (0.5, 0.95)]
        rows.append([name, *figures, f"{max(values):.1f}", budget])
    print_table(f"Hello to first quantum, ms ({_HELLOS} connections each)", rows)
    print_table(
        "Start to ready, s",
        [
            ["", "measured", "budget"],
            ["cold", f"{cold_s:.2f}", "5"],
            ["warm", f"{warm_s:.2f}", "2"],
        ],
    )

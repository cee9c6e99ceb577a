"""How soon a server answers: start to ready, and hello to the first quantum."""

from __future__ import annotations

import json
import time
from tempfile import TemporaryDirectory
from typing import Final

from websockets.sync.client import connect

from loadtest.process import server
from loadtest.table import percentile, print_table

_HELLOS: Final = 200


def _first_quantum_ms(port: int, programme: dict[str, object]) -> float:
    """Return the milliseconds from hello to the first binary message of a new connection."""
    hello = json.dumps({"type": "hello", "protocol": 1, "programme": programme, "codecs": ["opus"]})
    with connect(f"ws://127.0.0.1:{port}/stream", compression=None, max_queue=None) as socket_:
        began = time.perf_counter()
        socket_.send(hello)
        while not isinstance(socket_.recv(10), bytes):
            pass
        return (time.perf_counter() - began) * 1000.0


def run() -> None:
    """Measure and print."""
    with TemporaryDirectory() as folder:
        with server(folder) as cold:
            pass
        with server(folder) as warm:
            port = warm.port
            _first_quantum_ms(port, {"station": "now"})
            new, cached = [], []
            for seed in range(_HELLOS):
                at = f"{1900 + seed % 150}-{1 + seed % 12:02d}-{1 + seed % 28:02d}T12:00:00Z"
                programme: dict[str, object] = {"seed": seed, "at": at}
                new.append(_first_quantum_ms(port, programme))
                cached.append(_first_quantum_ms(port, programme))
    rows = [["", "p50", "p95", "max", "budget p95"]]
    for name, values, budget in (("new programme", new, "25"), ("cached", cached, "5")):
        figures = [f"{percentile(values, share):.2f}" for share in (0.5, 0.95)]
        rows.append([name, *figures, f"{max(values):.1f}", budget])
    print_table(f"Hello to first quantum, ms ({_HELLOS} connections each)", rows)
    print_table(
        "Start to ready, s",
        [
            ["", "measured", "budget"],
            ["cold", f"{cold.ready_s:.2f}", "5"],
            ["warm", f"{warm.ready_s:.2f}", "2"],
        ],
    )

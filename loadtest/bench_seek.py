"""How soon a seek to any index of a thousand hours is answered: at the client, at the server."""

from __future__ import annotations

import json
import random
import time
from tempfile import TemporaryDirectory
from typing import Final

from websockets.sync.client import ClientConnection, connect

from astradio_stream.units import SAMPLE_RATE_HZ
from astradio_stream.wire.quantum import unpack_quantum
from loadtest.process import Samples, server
from loadtest.table import percentile, print_table

_SEEKS: Final = 120
_HOURS: Final = 1_000
_HELLO: Final = {"type": "hello", "protocol": 1, "codecs": ["opus"], "bufferMs": 500}
_PROGRAMME: Final = {"seed": 11, "at": "2026-03-20T12:00:00Z"}


def _seek_ms(connection: ClientConnection, index: int, epoch: int) -> float:
    """Return the milliseconds from a seek to the first quantum of its epoch."""
    began = time.perf_counter()
    connection.send(json.dumps({"type": "seek", "to": index}))
    while True:
        message = connection.recv(10)
        if isinstance(message, bytes) and unpack_quantum(message).epoch == epoch:
            return (time.perf_counter() - began) * 1e3


def _bound_ms(samples: Samples, share: float) -> float:
    """Return the least bound (ms) of the server's histogram that so many seeks stay within."""
    n_seeks = samples["astradio_seek_seconds_count", ""]
    within = {
        float(bound): n
        for (name, bound), n in samples.items()
        if name == "astradio_seek_seconds_bucket"
    }
    return min(bound for bound, n in within.items() if n >= share * n_seeks) * 1e3


def run() -> None:
    """Measure and print."""
    chance = random.Random(1)
    with TemporaryDirectory() as folder, server(folder) as running:
        url = f"ws://127.0.0.1:{running.port}/stream"
        time.sleep(2.0)  # the towns are read
        with connect(url, compression=None, max_queue=None) as connection:
            connection.send(json.dumps(_HELLO | {"programme": _PROGRAMME}))
            while not isinstance(connection.recv(10), bytes):
                pass
            values = []
            for epoch in range(1, _SEEKS + 1):
                index = chance.randrange(_HOURS * 3_600 * SAMPLE_RATE_HZ)
                values.append(_seek_ms(connection, index, epoch))
                time.sleep(0.05)  # the burst behind it is over
        samples = running.samples()
    figures = [f"{percentile(values, share):.2f}" for share in (0.5, 0.95)]
    at_server = [_bound_ms(samples, share) for share in (0.5, 0.95, 1.0)]
    rows = [
        ["", "p50", "p95", "max", "budget"],
        ["at the client", *figures, f"{max(values):.1f}", ""],
        ["at the server", *(f"≤ {bound:g}" for bound in at_server), "30"],
    ]
    print_table(f"Seek to any index of {_HOURS:,} h, ms ({_SEEKS} seeks)", rows)

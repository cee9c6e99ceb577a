"""How soon a piece is answered, and what a storm of composers does to those who listen."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import os
import re
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import av
import numpy as np
from websockets.asyncio.client import connect

from astradio_stream.audio.opus import Encoder
from astradio_stream.stream.modes import MODEL_ACCEPTS
from astradio_stream.stream.segment import DEFAULT_BITRATE
from astradio_stream.stream.versions import VERSIONS
from astradio_stream.units import SAMPLE_RATE_HZ
from loadtest.process import server
from loadtest.table import percentile, print_table

_PIECES: Final = 40
_LISTENERS: Final = 10
_COMPOSERS: Final = 8
_WATCHED_S: Final = 15.0
_BIRTHS: Final = (
    {"datetime": "1990-05-04T12:30", "tz": "Europe/Berlin", "lat": 52.5, "lon": 13.4},
    {"datetime": "1971-11-30T04:05", "tz": "Australia/Sydney", "lat": -33.9, "lon": 151.2},
)
_N_BIRTHS: Final = {"natal": 1, "overlay": 1, "compatibility": 2}


def _order(audio: str, mode: str, seed: int) -> dict[str, Any]:
    """Return an order of a minute, unlike any other."""
    order: dict[str, Any] = {"mode": mode, "seed": seed, "modelVersions": {"audio": audio}}
    if mode in ("transit", "overlay"):
        order["at"] = f"{1900 + seed % 150}-{1 + seed % 12:02d}-{1 + seed % 28:02d}T12:00:00Z"
    return order | {"charts": list(_BIRTHS[: _N_BIRTHS.get(mode, 0)])}


def _composed(port: int, order: dict[str, Any]) -> tuple[int, float]:
    """Return status and milliseconds of one request on a new connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    began = time.perf_counter()
    connection.request("POST", "/api/compose", json.dumps(order))
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, (time.perf_counter() - began) * 1000.0


def _bare_encode_ms(port: int) -> float:
    """Return the milliseconds that libopus alone takes for a minute of ours, on one thread."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/api/compose", json.dumps(_order("v1.0", "transit", 0)))
    url = json.loads(connection.getresponse().read())["audio"]["url"]
    connection.request("GET", url)
    file = io.BytesIO(connection.getresponse().read())
    with av.open(file, "r") as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    connection.close()
    sound = np.concatenate(frames, axis=1).T[: 60 * SAMPLE_RATE_HZ]
    pcm = np.ascontiguousarray(np.clip(sound * 32_767, -32_768, 32_767).astype(np.int16))
    encoder = Encoder(DEFAULT_BITRATE)
    began = time.perf_counter()
    encoder.encode(pcm)
    return (time.perf_counter() - began) * 1000.0


def _measure_answers(port: int) -> None:
    rows = [["", "p50", "p95", "max", "budget p95"]]
    bare: list[float] = []
    for audio in VERSIONS["audio"]:
        for mode in MODEL_ACCEPTS[audio].modes:
            orders = [_order(audio, mode, seed) for seed in range(_PIECES)]
            _composed(port, _order(audio, mode, _PIECES))
            for name, budget in (("not cached", "400"), ("cached", "10")):
                values = [_composed(port, order)[1] for order in orders]
                figures = [f"{percentile(values, share):.2f}" for share in (0.5, 0.95)]
                bare.append(_bare_encode_ms(port))
                title = f"{audio} {mode}, {name}"
                rows.append([title, *figures, f"{max(values):.1f}", budget])
    figures = [f"{percentile(bare, share):.2f}" for share in (0.5, 0.95)]
    rows.append(["bare libopus encode of as much on one thread", *figures, f"{max(bare):.1f}", ""])
    print_table(f"A piece of 60 s, ms ({_PIECES} each)", rows)


def _lateness(port: int) -> dict[str, float]:
    """Return how many quanta were sent by each bound of lateness (seconds), since the start."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    row = r'^astradio_quantum_lateness_seconds_bucket\{le="([^"]+)"\} ([0-9.e+]+)$'
    return {bound: float(n) for bound, n in re.findall(row, text, re.MULTILINE)}


async def _listen(port: int, seed: int, until: float) -> None:
    """Listen to a programme of one's own, in real time, and say so once a second."""
    hello = {
        "type": "hello",
        "protocol": 1,
        "programme": {"seed": seed, "at": "2026-03-20T12:00:00Z"},
        "codecs": ["opus"],
    }
    async with connect(f"ws://127.0.0.1:{port}/stream", compression=None) as socket:
        await socket.send(json.dumps(hello))
        began, reported, n_quanta = time.monotonic(), 0.0, 0
        while (now := time.monotonic()) < until:
            if isinstance(await socket.recv(), bytes):
                n_quanta += 1
            if now - reported >= 1.0:
                reported = now
                played = min(n_quanta, int((now - began) * 10)) * 4_800
                report = {"played": played, "received": n_quanta * 4_800, "underruns": 0}
                await socket.send(json.dumps({"type": "report"} | report))


def _storm(port: int, number: int, until: float, statuses: list[int]) -> None:
    seed = 1_000_000 * (number + 1)
    while time.monotonic() < until:
        seed += 1
        status, _ = _composed(port, _order(VERSIONS["audio"][-1], "transit", seed))
        statuses.append(status)
        if status != 200:
            time.sleep(0.2)


def _measure_lateness(port: int) -> None:
    rows = [["", "quanta", "> 25 ms late", "> 100 ms late", "pieces", "refused"]]
    for name, n_composers in (("alone", 0), (f"beside {_COMPOSERS} composers", _COMPOSERS)):
        before, until = _lateness(port), time.monotonic() + _WATCHED_S
        statuses: list[int] = []
        storms = [
            threading.Thread(target=_storm, args=(port, number, until, statuses))
            for number in range(n_composers)
        ]
        for storm in storms:
            storm.start()

        async def listen(until: float = until) -> None:
            await asyncio.gather(*(_listen(port, seed, until) for seed in range(_LISTENERS)))

        asyncio.run(listen())
        for storm in storms:
            storm.join()
        after = _lateness(port)
        in_time = {bound: after[bound] - before.get(bound, 0.0) for bound in after}
        late = [in_time["+Inf"] - in_time[bound] for bound in ("0.025", "0.1")]
        shares = [f"{count:.0f} ({count / in_time['+Inf']:.2%})" for count in late]
        n_made = statuses.count(200)
        rows.append(
            [name, f"{in_time['+Inf']:.0f}", *shares, str(n_made), str(len(statuses) - n_made)]
        )
    print_table(f"{_LISTENERS} listeners of programmes of their own, {_WATCHED_S:.0f} s", rows)


def run() -> None:
    """Measure and print."""
    os.environ["RATE_LIMIT_MAX"] = "1000000"
    with TemporaryDirectory() as folder:
        with server(folder):
            pass  # the banks are made
        with server(folder) as running:
            port = running.port
            time.sleep(2.0)  # the towns are read
            _measure_answers(port)
            _measure_lateness(port)
            n_files = sum(1 for _ in (Path(folder) / "media").rglob("*.*"))
    print(f"  files left in the media folder: {n_files}")

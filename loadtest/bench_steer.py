"""How soon a steer is heard: where it comes to sound, against what is heard as it is said."""

from __future__ import annotations

import json
import struct
import time
from tempfile import TemporaryDirectory
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

from loadtest.process import server
from loadtest.table import percentile, print_table

_STEERS: Final = 150
_EVERY_S: Final = 0.337
"""Beside the grid of quanta and of reports, so that every phase of both is met."""
_SAMPLE_RATE_HZ: Final = 48_000
_QUANTUM_SAMPLES: Final = 4_800
_FORE_SAMPLES: Final = 48
"""A change replaces quanta from so much before its index on (docs/PROTOCOL.md)."""


class _Player:
    """A listener whose sound card is exact: it hears a sample at its time, from the first on."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._began_s = self._reported_s = 0.0
        self.end = 0
        self.epoch = 0

    def heard(self) -> int:
        return int((time.monotonic() - self._began_s) * _SAMPLE_RATE_HZ)

    def say(self, message: dict[str, Any]) -> None:
        self._connection.send(json.dumps(message))

    def take(self, timeout_s: float) -> dict[str, Any] | None:
        """Take one message; report if it is time to. Return it if it is a text."""
        now_s = time.monotonic()
        if self.end and now_s - self._reported_s >= 1.0:
            self._reported_s = now_s
            self.say({"type": "report", "played": self.heard(), "received": self.end,
                      "underruns": 0})  # fmt: skip
        try:
            message = self._connection.recv(timeout_s)
        except TimeoutError:
            return None
        if isinstance(message, str):
            text: dict[str, Any] = json.loads(message)
            return text
        _, _, self.epoch, _, index = struct.unpack_from(">BBHIq", message)
        if not self.end:
            self._began_s = time.monotonic()
        self.end = index + _QUANTUM_SAMPLES
        return None

    def listen(self, duration_s: float) -> None:
        """Take what comes for a while."""
        until_s = time.monotonic() + duration_s
        while (left_s := until_s - time.monotonic()) > 0:
            self.take(left_s)


def _ms(n_samples: int) -> float:
    return n_samples * 1_000 / _SAMPLE_RATE_HZ


def run(n_steers: int = _STEERS) -> None:
    """Measure and print."""
    waits: list[float] = []
    margins: list[float] = []
    n_refused = 0
    with TemporaryDirectory() as folder, server(folder) as running:
        url = f"ws://127.0.0.1:{running.port}/stream"
        with connect(url, compression=None, max_queue=None) as connection:
            player = _Player(connection)
            programme = {"seed": 7, "at": "2026-03-20T12:00Z"}
            player.say({"type": "hello", "protocol": 1, "programme": programme})
            player.listen(2.0)
            for n in range(n_steers):
                player.listen(_EVERY_S)
                asked_at = player.heard()
                wish = {"tension": n % 7 / 6, "density": n % 5 / 4}
                player.say({"type": "steer", "controls": wish, "quantise": "now"})
                told = None
                while told is None or told["type"] not in ("steered", "error"):
                    told = player.take(5.0)
                if told["type"] == "error":
                    n_refused += 1
                    continue
                while player.epoch != told["epoch"]:
                    player.take(5.0)  # the first quantum of the new epoch
                first = (told["effective"] - _FORE_SAMPLES) // _QUANTUM_SAMPLES * _QUANTUM_SAMPLES
                margins.append(_ms(first - player.heard()))
                waits.append(_ms(told["effective"] - asked_at))
    rows = [["", "p50", "p95", "worst", "budget"]]
    figures = [f"{percentile(waits, share):.0f}" for share in (0.5, 0.95)]
    rows.append(["steer to effective, ms", *figures, f"{max(waits):.0f}", "p95 300"])
    figures = [f"{percentile([-m for m in margins], share) * -1:.0f}" for share in (0.5, 0.95)]
    rows.append(["at hand before it is heard, ms", *figures, f"{min(margins):.0f}", ">= 0"])
    rows.append(["refused", "", "", f"{n_refused}", "0"])
    print_table("Steering at once", rows)
    print(f"  {n_steers} steers")


if __name__ == "__main__":
    run()

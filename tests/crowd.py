"""A crowd of healthy listeners: what each hears is checked, and nobody may be disturbed.

Each plays in real time, reports once a second, and goes on elsewhere, at the sample where it was,
when its connection is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from astradio_stream.units import QUANTUM_SAMPLES, SAMPLE_RATE_HZ
from astradio_stream.wire.messages import SUBPROTOCOL
from astradio_stream.wire.quantum import Quantum, unpack_quantum
from loadtest.toxic import Background
from tests.listener import hello_of

JOIN_S = 30.0
BUFFER_MS = 5_000
"""Enough to sit out what a busy machine does to tests."""
FIRST_BURST = BUFFER_MS // 100
"""Quanta that fill it."""


class Member:
    """One listener of the crowd."""

    def __init__(self, urls: Sequence[str], hello: dict[str, Any]) -> None:
        self.quanta: list[Quantum] = []
        """All that was heard, over all connections."""
        self.n_connections = 0
        self.n_skipped = 0
        """Announced losses (samples)."""
        self.least_ahead_s = float("inf")
        """How long the sound that it held would have lasted, at worst since its buffer was first
        full (seconds)."""
        self.first = 0
        self._urls = urls
        self._hello = hello
        self._began = 0.0
        self._epoch = 0
        self.end = 0
        """First index not yet received."""

    async def listen(self) -> None:
        """Listen until told to stop; a lost connection is followed by the next."""
        while True:
            url = self._urls[self.n_connections % len(self._urls)]
            self.n_connections += 1
            try:
                await self._listen_at(url)
            except (ConnectionClosed, OSError):
                assert self.n_connections < 20, "no server will have it"

    async def _listen_at(self, url: str) -> None:
        resumed = {"from": self.end} if self.quanta else {}
        async with connect(
            url, subprotocols=[SUBPROTOCOL], compression=None, max_queue=None, ping_interval=None
        ) as connection:  # type: ignore[var-annotated]
            await connection.send(json.dumps(self._hello | resumed))
            reported = time.monotonic()
            async for message in connection:
                if isinstance(message, bytes):
                    self._take(unpack_quantum(message))
                else:
                    self._heed(json.loads(message))
                if time.monotonic() - reported >= 1.0:
                    reported = time.monotonic()
                    report = {"played": self.playhead(), "received": self.end, "underruns": 0}
                    await connection.send(json.dumps({"type": "report"} | report))

    def playhead(self) -> int:
        """Return what is heard now."""
        if not self.quanta:
            return self.first
        return self.first + min(
            self.end - self.first, int((time.monotonic() - self._began) * SAMPLE_RATE_HZ)
        )

    def _heed(self, text: dict[str, Any]) -> None:
        assert text["type"] in ("ready", "event", "pong", "discontinuity", "drain"), text
        if text["type"] == "ready":
            if self.quanta:
                assert text["from"] == self.end, "it did not go on where it was"
                assert text["resumed"]
            else:
                self.first = self.end = text["from"]
            self._epoch = text["epoch"]
            self._hello["programme"] = text["programme"]
        elif text["type"] == "discontinuity":
            assert text["from"] == self.end
            self.n_skipped += text["to"] - text["from"]
            self.end = text["to"]

    def _take(self, quantum: Quantum) -> None:
        assert quantum.index == self.end, "a gap or a duplicate that nobody announced"
        assert quantum.epoch == self._epoch
        if not self.quanta:
            self._began = time.monotonic()
        elif len(self.quanta) >= FIRST_BURST:
            held_s = (self.end - self.first) / SAMPLE_RATE_HZ - (time.monotonic() - self._began)
            self.least_ahead_s = min(self.least_ahead_s, held_s)
        self.quanta.append(quantum)
        self.end += QUANTUM_SAMPLES


class Crowd:
    """Listeners that have joined and play."""

    def __init__(self, members: Sequence[Member], background: Background) -> None:
        self.members = members
        self._background = background
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(member.listen()) for member in self.members]

    async def stop(self) -> None:
        """Stop; what went wrong for anyone is raised."""
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if not isinstance(result, asyncio.CancelledError) and result is not None:
                raise result

    def wait_until(self, is_so: Callable[[Member], bool], timeout_s: float = JOIN_S) -> None:
        """Wait until something holds for every member."""
        deadline = time.monotonic() + timeout_s
        while not all(map(is_so, self.members)):
            assert not any(task.done() for task in self._tasks), "somebody gave up"
            assert time.monotonic() < deadline, "somebody waits in vain"
            time.sleep(0.02)

    def check(self, crc_of: Callable[[int], int]) -> None:
        """Check every quantum that anyone heard against a local render."""
        for member in self.members:
            assert member.quanta
            for quantum in member.quanta:
                assert quantum.crc32 == crc_of(quantum.index), quantum.index


@contextlib.contextmanager
def crowd_of(n_members: int, urls: Sequence[str], programme: Any, **hello: Any) -> Iterator[Crowd]:
    """Let so many listen to a programme; all have their first quantum when this begins."""
    hello = {"bufferMs": BUFFER_MS} | hello
    members = [Member(urls, hello_of(programme, **hello)) for _ in range(n_members)]
    background = Background()
    crowd = Crowd(members, background)
    try:
        background.do(crowd.start())
        crowd.wait_until(lambda member: bool(member.quanta))
        yield crowd
        background.do(crowd.stop())
    finally:
        background.end()

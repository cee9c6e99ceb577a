"""A TCP proxy that does to a connection what networks do: delay, jitter, thin, stop, slice, cut.

It shares a process with whoever made it, and may be late itself: `ToxicProxy.lag` tells.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from loadtest.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

SMALL_BUFFER: Final = 8_192
"""Of the sockets of the proxy (bytes): what is stopped here is soon felt by the sender."""

_MOST_WAITING: Final = 1_000
"""Pieces under way; then the sender feels it."""
_TICK_S: Final = 0.01
"""How often it looks how late it is."""


@dataclass
class Toxics:
    """What is done to one direction; may be changed at any time."""

    latency_s: float = 0.0
    """Each piece is passed on so much later."""
    jitter_s: float = 0.0
    """And up to so much later still, in order."""
    bytes_per_s: float = 0.0
    """How much gets through; 0 is all."""
    piece_bytes: int = 65_536
    """How much is passed on at once."""
    is_stopped: bool = False
    """Nothing is read until this is over."""
    delay_of_s: Callable[[float], float] | None = None
    """Moment since the start -> how much later what came then is passed on (seconds), in order and
    however much is under way; the rest of these is not heeded."""


class Background:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        """Start it."""
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, Any], timeout_s: float = 60.0) -> Any:
        """Return what some work returns."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout_s)

    def end(self) -> None:
        """Stop the loop, whatever is still under way."""
        self.do(_cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class ToxicProxy:
    """Carries every connection on to one server."""

    def __init__(self, url: str) -> None:
        """Listen on a free port of the loopback, before the server at `url`."""
        parts = urlsplit(url)
        self.up, self.down = Toxics(), Toxics()
        """What is done on the way to the server, and back."""
        self.began_s = math.inf
        """When the first connection came, from which delays count (monotonic seconds)."""
        self._to = (parts.hostname, parts.port)
        self._path = parts.path
        self._chance = random.Random(1)
        self._writers: set[asyncio.StreamWriter] = set()
        self._lag = Histogram()
        self.background = Background()
        self._server = self.background.do(self._serve())
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        """Where to connect instead."""
        return f"ws://127.0.0.1:{self.port}{self._path}"

    def lag(self) -> Histogram:
        """Return how late its loop has been, each hundredth of a second.

        What it passes on is later than its toxics say by so much, and by no more.
        """
        made: Histogram = self.background.do(self._copied_lag())
        return made

    async def _copied_lag(self) -> Histogram:
        return self._lag.copy()

    async def _watch_itself(self) -> None:
        due_s = time.monotonic()
        while True:
            due_s += _TICK_S
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            self._lag.record_s(time.monotonic() - due_s)

    def cut(self) -> None:
        """Reset all connections, in the middle of whatever they carry."""
        self.background.do(self._cut())

    async def _cut(self) -> None:
        for writer in tuple(self._writers):
            linger = struct.pack("ii", 1, 0)  # RST instead of FIN
            bare = writer.get_extra_info("socket")
            if bare.fileno() < 0:
                continue  # it is gone
            with contextlib.suppress(OSError):
                bare.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()

    async def close(self) -> None:
        """Take no more and let go of all there are."""
        self._watching.cancel()
        self._server.close()
        await self._cut()
        await asyncio.sleep(0.05)  # a transport is closed in the turn after

    async def _serve(self) -> asyncio.Server:
        self._watching = asyncio.create_task(self._watch_itself())
        return await asyncio.start_server(self._carry, "127.0.0.1", 0, limit=SMALL_BUFFER)

    async def _carry(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self._writers.add(back)
        self.began_s = min(self.began_s, time.monotonic())
        try:
            there, on = await asyncio.open_connection(*self._to, limit=SMALL_BUFFER)
        except OSError:
            self._writers.discard(back)
            back.close()  # the client must not wait for a server that is not there
            return
        for writer in (back, on):
            bare = writer.get_extra_info("socket")
            bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                bare.setsockopt(socket.SOL_SOCKET, option, SMALL_BUFFER)
            writer.transport.set_write_buffer_limits(SMALL_BUFFER)
        self._writers.add(on)
        with contextlib.suppress(asyncio.CancelledError):  # else asyncio logs it as an error
            await asyncio.gather(self._pass(here, on, self.up), self._pass(there, back, self.down))
        self._writers -= {back, on}

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, toxics: Toxics
    ) -> None:
        if toxics.delay_of_s is not None:
            await self._pass_later(reader, writer, toxics.delay_of_s)
            return
        with contextlib.suppress(OSError):
            while True:
                while toxics.is_stopped:
                    await asyncio.sleep(0.01)
                piece = await reader.read(toxics.piece_bytes)
                if not piece:
                    break
                delay_s = toxics.latency_s + self._chance.random() * toxics.jitter_s
                if toxics.bytes_per_s:
                    delay_s += len(piece) / toxics.bytes_per_s
                if delay_s:
                    await asyncio.sleep(delay_s)
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def _pass_later(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        delay_of_s: Callable[[float], float],
    ) -> None:
        """Pass on what comes, each piece at its own time, none before the one that came before."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_MOST_WAITING)

        async def take() -> None:
            piece = b"."
            while piece:
                try:
                    piece = await reader.read(65_536)
                except OSError:
                    piece = b""
                now_s = time.monotonic()
                await waiting.put((now_s + delay_of_s(now_s - self.began_s), piece))

        taking = asyncio.create_task(take())
        try:
            while True:
                due_s, piece = await waiting.get()
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
                if not piece:
                    break
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        finally:
            taking.cancel()
            writer.close()


@contextlib.contextmanager
def toxic(url: str) -> Iterator[ToxicProxy]:
    """Put a proxy before a server."""
    proxy = ToxicProxy(url)
    try:
        yield proxy
    finally:
        proxy.background.do(proxy.close())
        proxy.background.end()

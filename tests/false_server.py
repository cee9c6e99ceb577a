"""A server of the protocol that does wrong in one way for each listener, and right for the others.

It sends what a real one would: a programme rendered here. What it does wrong is chosen by the
address that a listener comes from, so that one crowd meets all of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from astradio_stream.audio import opus
from astradio_stream.wire.quantum import pack_quantum, unpack_quantum
from loadtest.toxic import Background

QUANTUM = 4_800
FIRST_WRONG = 25
"""Beyond the burst: the first quantum with which anything is wrong."""

WRONGS = (
    "gap", "duplicate", "wrong_epoch", "malformed", "before_ready", "wrong_discontinuity",
    "wrong_programme", "wrong_crc", "bad_opus", "wrong_packet", "wrong_picture", "silent", "late",
    "unexpected_close", "unexpected_error", "refused",
)  # fmt: skip


class FalseServer:
    """Serves ready-made quanta of one programme, from its beginning."""

    def __init__(self, quanta: list[bytes], programme: dict[str, Any], programme_id: str) -> None:
        self._quanta = quanta
        self._programme = programme
        self._id = programme_id

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """Serve until the block ends; gives the address."""
        background = Background()
        server = background.do(self._start())
        try:
            port = next(iter(server.sockets)).getsockname()[1]
            yield f"ws://127.0.0.1:{port}/stream"
        finally:
            background.do(_stop(server))
            background.end()

    async def _start(self) -> Server:
        return await serve(
            self._serve, "127.0.0.1", 0, subprotocols=["astradio.v1"],  # type: ignore[list-item]
            compression=None, ping_interval=None, process_request=_refuse,
        )  # fmt: skip

    async def _serve(self, connection: ServerConnection) -> None:
        wrong = wrong_of(connection)
        hello = json.loads(await connection.recv())
        if wrong == "before_ready":
            await connection.send(self._quanta[0])
        name = self._id if wrong != "wrong_programme" else "0" * 64
        codec = {"name": "opus", "version": opus.library().version, "bitrate": 96_000}
        await self._tell(
            connection, type="ready", epoch=0, programme=self._programme, programmeId=name,
            codec=codec | {"preSkip": 120}, **{"from": 0},
        )  # fmt: skip
        with contextlib.suppress(ConnectionClosed):
            async for message in self._paced(connection, hello["bufferMs"], wrong):
                await connection.send(message)

    async def _paced(
        self, connection: ServerConnection, buffer_ms: int, wrong: str
    ) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for n, right in enumerate(self._quanta):
            due_s = began_s + (n + 1) / 10 - buffer_ms / 1e3
            if n == FIRST_WRONG + 1 and wrong == "late":
                due_s += 0.5
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            if n != FIRST_WRONG:
                yield right
                continue
            if wrong == "silent":
                await connection.wait_closed()
            if wrong == "unexpected_close":
                await connection.close(1011, "internal")
                return
            if wrong == "unexpected_error":
                error = {"code": "INTERNAL", "message": "something went wrong"}
                await self._tell(connection, type="error", error=error, fatal=False)
            if wrong == "wrong_discontinuity":
                far = {"from": (n + 5) * QUANTUM}
                await self._tell(
                    connection, type="discontinuity", to=(n + 6) * QUANTUM, reason="slow", **far
                )
            for message in spoilt(right, wrong):
                yield message

    @staticmethod
    async def _tell(connection: ServerConnection, **message: Any) -> None:
        await connection.send(json.dumps(message))


def wrong_of(connection: ServerConnection) -> str:
    """Return what is done wrong to a listener; nothing to those beyond the table."""
    number = int(connection.remote_address[0].rsplit(".", 1)[1]) - 1
    return WRONGS[number] if number < len(WRONGS) else ""


async def _stop(server: Server) -> None:
    server.close()
    await server.wait_closed()


def _refuse(connection: ServerConnection, _request: Any) -> Any:
    if wrong_of(connection) == "refused":
        return connection.respond(503, "full")
    return None


def spoilt(message: bytes, wrong: str) -> list[bytes]:
    """Return what is sent in the place of a right quantum."""
    one = unpack_quantum(message)
    crc, packets, frames, epoch, index = (
        one.crc32, list(one.packets), list(one.viz_frames), one.epoch, one.index,
    )  # fmt: skip
    if wrong == "gap":
        return []
    if wrong == "duplicate":
        return [message, message]
    if wrong == "malformed":
        return [message, message[:-1]]
    if wrong == "wrong_epoch":
        return [message, pack_quantum(one.codec, 7, crc, index + QUANTUM, packets, frames)]
    if wrong == "wrong_crc":
        crc ^= 1
    elif wrong == "bad_opus":
        packets[2] = b"\xff\x00"
    elif wrong == "wrong_packet":
        packets[2] = packets[2][:-1] + bytes([packets[2][-1] ^ 1])
    elif wrong == "wrong_picture":
        frames[0] = bytes([frames[0][0] ^ 1]) + frames[0][1:]
    return [pack_quantum(one.codec, epoch, crc, index, packets, frames)]

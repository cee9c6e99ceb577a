"""A server of the protocol that does wrong in one way for each listener, and right for the others.

It sends what a real one would: a programme rendered here. What it does wrong is chosen by the
address that a listener comes from, so that one crowd meets all of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from astradio_stream.audio import opus
from astradio_stream.wire.quantum import pack_quantum, unpack_quantum
from loadtest.toxic import Background

QUANTUM = 4_800
FIRST_WRONG = 25
"""Beyond the burst: the first quantum with which anything is wrong."""
N_CORRUPTED = 50
"""So many quanta from the beginning may be spoilt here and there: those that are sent for sure
before the generator ends, else one might be counted here that nobody took any more."""

# fmt: off
WRONGS: Final = {
    # what is done      what must be found, beside lateness and what a listener suffers from it
    "gap":              "gap",
    "begins_elsewhere": "gap",
    "duplicate":        "duplicate",
    "wrong_epoch":      "wrong_epoch",
    "malformed":        "malformed",
    "half_a_ready":     "malformed",
    "before_ready":     "before_ready",
    "wrong_discontinuity": "wrong_discontinuity",
    "resumed_elsewhere": "not_resumed",
    "wrong_start":      "wrong_start",
    "wrong_programme":  "wrong_programme",
    "other_programme":  "wrong_programme",
    "wrong_crc":        "wrong_crc",
    "bad_opus":         "bad_opus",
    "wrong_packet":     "wrong_packet",
    "wrong_sound":      "wrong_sound",
    "wrong_picture":    "wrong_picture",
    "no_picture":       "wrong_picture",
    "silent":           "silent",
    "silent_after_resume": "silent",
    "unexpected_close": "unexpected_close",
    "normal_close":     "unexpected_close",
    "unexpected_error": "unexpected_error",
    "refused":          "refused",
    "shed":             "shed",
    "mute":             "unserved",
    "late":             "late",
}
# fmt: on
_CLOSES: Final = {"unexpected_close": 1011, "normal_close": 1000, "shed": 4100}
_COME_BACK: Final = ("resumed_elsewhere", "silent_after_resume")


class FalseServer:
    """Serves ready-made quanta of one programme, from its beginning.

    Args:
        quanta: What it serves.
        programme: Of what.
        programme_id: Its id.
        wrongs: What is done wrong, by the number of the listener; to those beyond nothing is.
        corrupted: The share of quanta (0-1) that are spoilt for everybody, here and there.
    """

    def __init__(
        self,
        quanta: list[bytes],
        programme: dict[str, Any],
        programme_id: str,
        wrongs: Sequence[str] = (),
        corrupted: float = 0.0,
    ) -> None:
        self._quanta = quanta
        self._programme = programme
        self._id = programme_id
        self._wrongs = wrongs
        self._corrupted = corrupted
        self._chance = random.Random("false server")
        self.n_spoilt: Counter[str] = Counter()
        """Quanta that were spoilt here and there, by what was done to them."""

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
            compression=None, ping_interval=None, process_request=self._refuse, open_timeout=None,
        )  # fmt: skip

    def _wrong_of(self, connection: ServerConnection) -> str:
        number = int(connection.remote_address[0].rsplit(".", 1)[1]) - 1
        return self._wrongs[number] if number < len(self._wrongs) else ""

    async def _refuse(self, connection: ServerConnection, _request: Any) -> Any:
        wrong = self._wrong_of(connection)
        if wrong == "mute":
            await connection.wait_closed()
        return connection.respond(503, "full") if wrong == "refused" else None

    async def _serve(self, connection: ServerConnection) -> None:
        wrong = self._wrong_of(connection)
        with contextlib.suppress(ConnectionClosed):
            with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
                await self._play(connection, json.loads(await connection.recv()), wrong)
            async for _ in connection:
                pass  # whatever is said: it is not answered

    async def _play(self, connection: ServerConnection, hello: dict[str, Any], wrong: str) -> None:
        first, buffer_ms = hello.get("from", 0) // QUANTUM, hello["bufferMs"]
        if first and wrong == "resumed_elsewhere":
            first += 3
        if wrong == "wrong_start":
            first = 3
        if wrong == "before_ready":
            await connection.send(self._quanta[0])
        await self._ready(connection, first, wrong)
        if wrong == "begins_elsewhere":
            first += 3
        async for message in self._paced(connection, first, buffer_ms, wrong):
            await connection.send(message)

    async def _ready(self, connection: ServerConnection, first: int, wrong: str) -> None:
        version = opus.library().version if wrong != "wrong_sound" else "libopus 9.9"
        programme = self._programme
        if wrong == "other_programme":
            programme = programme | {"seed": programme["seed"] + 1}
        await self._tell(
            connection, type="ready", epoch=0, programme=programme,
            programmeId="0" * 64 if wrong == "wrong_programme" else self._id,
            codec={"name": "opus", "version": version, "bitrate": 96_000, "preSkip": 120},
            **{"from": first * QUANTUM},
        )  # fmt: skip

    async def _paced(
        self, connection: ServerConnection, first: int, buffer_ms: int, wrong: str
    ) -> AsyncIterator[bytes]:
        if first and wrong == "silent_after_resume":
            return
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for n, right in enumerate(self._quanta[first:], first):
            due_s = began_s + (n + 1 - first) / 10 - buffer_ms / 1e3
            if n == FIRST_WRONG + 1 and wrong == "late":
                due_s += 0.5
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            if n != FIRST_WRONG or first:
                yield self._here_and_there(right) if n < N_CORRUPTED else right
                continue
            if wrong == "silent":
                await connection.wait_closed()
            if wrong in _CLOSES:
                await connection.close(_CLOSES[wrong], "internal")
                return
            if wrong in _COME_BACK:
                await self._tell(connection, type="drain", reconnectAfterMs=100)
                await connection.close(1012, "drain")
                return
            for text in self._texts(wrong, n):
                await connection.send(text)
            for message in spoilt(right, wrong, self._quanta[0]):
                yield message

    def _here_and_there(self, right: bytes) -> bytes:
        if self._chance.random() >= self._corrupted:
            return right
        wrong = self._chance.choice(("wrong_crc", "bad_opus", "wrong_packet", "wrong_picture"))
        self.n_spoilt[wrong] += 1
        return spoilt(right, wrong, right)[0]

    @staticmethod
    def _texts(wrong: str, n: int) -> list[str]:
        """Return what is told in words at the first wrong quantum."""
        if wrong == "unexpected_error":
            error = {"code": "INTERNAL", "message": "something went wrong"}
            return [json.dumps({"type": "error", "error": error, "fatal": False})]
        if wrong == "half_a_ready":
            return ['{"type":"ready"}']
        if wrong == "wrong_discontinuity":
            gap = {"from": (n + 5) * QUANTUM, "to": (n + 6) * QUANTUM, "reason": "slow"}
            return [json.dumps({"type": "discontinuity"} | gap)]
        return []

    @staticmethod
    async def _tell(connection: ServerConnection, **message: Any) -> None:
        await connection.send(json.dumps(message))


async def _stop(server: Server) -> None:
    server.close()
    await server.wait_closed()


def spoilt(message: bytes, wrong: str, other: bytes) -> list[bytes]:
    """Return what is sent in the place of a right quantum; `other` is one that sounds otherwise."""
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
    elif wrong == "wrong_sound":
        packets = list(unpack_quantum(other).packets)
    elif wrong == "wrong_picture":
        frames[0] = bytes([frames[0][0] ^ 1]) + frames[0][1:]
    elif wrong == "no_picture":
        frames = []
    return [pack_quantum(one.codec, epoch, crc, index, packets, frames)]

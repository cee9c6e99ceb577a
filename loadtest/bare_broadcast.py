"""The baseline of fan-out: nothing but `websockets.broadcast`, ten messages a second to everyone.

``python -m loadtest.bare_broadcast PORT`` sends each connection messages of the size of a quantum
and hears nothing of what it says.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import Final

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from astradio_stream.wire.quantum import Codec, pack_quantum

_PACKET: Final = bytes(240)
"""20 ms at 96 kb/s."""
_VIZ: Final = tuple(bytes(24) for _ in range(6))


async def _serve(port: int) -> None:
    everyone: set[ServerConnection] = set()

    async def hear(connection: ServerConnection) -> None:
        everyone.add(connection)
        with suppress(ConnectionClosed):
            async for _ in connection:
                pass
        everyone.discard(connection)

    async with serve(hear, "127.0.0.1", port, compression=None, ping_interval=None, backlog=4_096):
        loop = asyncio.get_running_loop()
        next_s, index = loop.time(), 0
        while True:
            message = pack_quantum(Codec.OPUS, 0, 0, index, [_PACKET] * 5, _VIZ)
            broadcast(everyone, message)
            index += 4_800
            next_s += 0.1
            await asyncio.sleep(max(0.0, next_s - loop.time()))


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))

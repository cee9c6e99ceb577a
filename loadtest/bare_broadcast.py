"""The baseline of fan-out: nothing but `websockets.broadcast`, ten messages a second to everyone.

``python -m loadtest.bare_broadcast PORT N`` sends each connection messages of the size of a quantum
and hears nothing of what it says. A newcomer gets one at once; the broadcast begins when N have
come, for beside it nobody could join any more: at 9 000 it takes the whole core. It prints a line
when it can be joined.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import Final

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from astradio_stream.units import QUANTUM_SAMPLES
from astradio_stream.wire.quantum import Codec, pack_quantum

_PACKET: Final = bytes(240)
"""20 ms at 96 kb/s."""
_VIZ: Final = tuple(bytes(24) for _ in range(6))


def _quantum(index: int) -> bytes:
    return pack_quantum(Codec.OPUS, 0, 0, index, [_PACKET] * 5, _VIZ)


async def _serve(port: int, n: int) -> None:
    everyone: set[ServerConnection] = set()
    n_come = 0
    have_come = asyncio.Event()

    async def hear(connection: ServerConnection) -> None:
        nonlocal n_come
        n_come += 1
        if n_come == n:  # whoever has been lost since does not keep the others waiting
            have_come.set()
        with suppress(ConnectionClosed):
            await connection.send(_quantum(0))
            everyone.add(connection)
            async for _ in connection:
                pass
        everyone.discard(connection)

    async with serve(hear, "127.0.0.1", port, compression=None, ping_interval=None, backlog=4_096):
        print("ready", flush=True)
        await have_come.wait()
        loop = asyncio.get_running_loop()
        next_s, index = loop.time(), QUANTUM_SAMPLES
        while True:
            broadcast(everyone, _quantum(index))
            index += QUANTUM_SAMPLES
            next_s += 0.1
            await asyncio.sleep(max(0.0, next_s - loop.time()))


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), int(sys.argv[2])))

"""The way out to one listener: WebSocket frames made in advance, written below Starlette.

A quantum of a station is the same bytes for everyone, so its frame is made once and handed to each
listener's transport. What that leaves out is ten calls through ASGI for each quantum and each
listener, four fifths of the cost. What it keeps is flow control: what a listener does not take
gathers in its transport up to a limit, then nothing more is written until it has room.

What a listener says takes the short way too: a task and a queue would cost more than heeding it.

The seam to uvicorn is here and in `handshake`. Of its `WebSocketsSansIOProtocol` we read
`transport`, `conn`, `queue`, `writable`, `close_sent`, `disconnected` and `handshake_initiated`;
accept and close stay with Starlette. An unfragmented data frame leaves no trace in the state of
`conn`, so writing one past it is sound, and so is reading one while its parser waits for the first
byte of the next (`frames`).
`tests/test_server_outlet.py` holds both libraries to that.

::

    socket buffer      64 KB asked for (Linux counts 128 with its own overhead)
    transport          64 KB, then `has_room` is false; what was being written may go beyond by
    one write          64 KB
                       together less than the 512 KB that one listener may cost
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Final

from websockets.protocol import State

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import Any

    from astradio_stream.server.handshake import StreamProtocol

EXTENSION: Final = "astradio.outlet"
"""Where the scope of a WebSocket holds its outlet, among its extensions."""
SOCKET_BYTES: Final = 65_536
"""Of the socket's send buffer."""
UNSENT_BYTES: Final = 32_768
"""What the kernel takes beyond what the network is carrying: the rest stays where we count it."""
WRITE_HIGH_BYTES: Final = 65_536
WRITE_LOW_BYTES: Final = 16_384
LARGEST_WRITE_BYTES: Final = 65_536
"""Frames are gathered into one write up to here."""
LINGER_S: Final = 20.0
"""How long who was too slow may take to read that it was."""

_FIN_TEXT, _FIN_BINARY = 0x81, 0x82  # RFC 6455 §5.2
_TCP_NOTSENT_LOWAT: Final = getattr(socket, "TCP_NOTSENT_LOWAT", None)


def framed(payload: bytes, first_byte: int = _FIN_BINARY) -> bytes:
    """Return a server's frame around a binary message."""
    size = len(payload)
    if size < 126:
        head = bytes((first_byte, size))
    elif size < 65_536:
        head = struct.pack(">BBH", first_byte, 126, size)
    else:
        head = struct.pack(">BBQ", first_byte, 127, size)
    return head + payload


def framed_text(text: str) -> bytes:
    """Return a server's frame around a text message."""
    return framed(text.encode(), _FIN_TEXT)


class OutletClosed(Exception):
    """The connection is gone, or is closing: nothing more can be said."""


class Outlet:
    """Where the frames of one listener go."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: StreamProtocol) -> None:
        """Bound what may gather on the way out of a connection."""
        self._protocol = protocol
        transport = protocol.transport
        transport.set_write_buffer_limits(WRITE_HIGH_BYTES, WRITE_LOW_BYTES)
        with contextlib.suppress(OSError):  # a peer that has gone already
            bound = transport.get_extra_info("socket")
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
            if _TCP_NOTSENT_LOWAT is not None:
                bound.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, UNSENT_BYTES)

    def listen(self, on_message: Callable[[str | bytes], None]) -> None:
        """Let messages come straight from the protocol, unless some wait in its queue already."""
        if self._protocol.queue.empty():
            self._protocol.on_message = on_message

    @property
    def is_open(self) -> bool:
        """Whether frames may still be written."""
        protocol = self._protocol
        return not (
            protocol.close_sent
            or protocol.disconnected
            or protocol.conn.state is not State.OPEN
            or protocol.transport.is_closing()
        )

    @property
    def has_room(self) -> bool:
        """Whether the listener takes what we write."""
        return self._protocol.writable.is_set()

    @property
    def n_bytes(self) -> int:
        """Bytes that wait in the transport."""
        return self._protocol.transport.get_write_buffer_size()

    def write(self, frames: bytes) -> None:
        """Hand over whole frames; ask `has_room` before.

        Raises:
            OutletClosed: nobody would get them.
        """
        if not self.is_open:
            raise OutletClosed
        self._protocol.transport.write(frames)

    async def room(self, timeout_s: float) -> bool:
        """Wait until there is room; return whether there was in time."""
        if self._protocol.writable.is_set():
            return True
        try:
            async with asyncio.timeout(timeout_s):
                await self._protocol.writable.wait()
        except TimeoutError:
            return False
        return True

    def close(self, code: int, word: str) -> None:
        """Say goodbye behind what still waits, and cut the connection if that takes too long.

        Starlette's close waits for room first, which who takes nothing would never make.
        """
        protocol = self._protocol
        if self.is_open:
            protocol.conn.send_close(code, word)
            protocol.transport.write(b"".join(protocol.conn.data_to_send()))
            protocol.close_sent = True
        protocol.transport.close()  # once all is written
        protocol.loop.call_later(LINGER_S, protocol.transport.abort)


def outlet_of(scope: MutableMapping[str, Any]) -> Outlet:
    """Return the outlet of a WebSocket's scope, where `StreamProtocol` has put it."""
    found: Outlet = scope["extensions"][EXTENSION]
    return found

"""One listener on the network: a socket that never waits, and the checking listener behind it.

It speaks the raw protocol: a library costs several times what the check of a quantum does, and
thousands of these share one core with nothing to spare. Loopback listeners come from addresses of
their own, so that neither ports nor limits for each address run out.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from loadtest.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    MalformedFrames,
    frame,
    is_accepted,
    split,
)

if TYPE_CHECKING:
    from loadtest.tally import Tally
    from loadtest.target import Target

IP_BIND_ADDRESS_NO_PORT: Final = 24  # Linux: choose the port when connecting, not when binding
_READ_BYTES: Final = 1 << 18
HANDSHAKE_S: Final = 10.0
"""How long a client waits for the answer to its handshake, connecting included."""
CUT: Final = 1006
"""What a connection that ended without a close frame is said to have ended with."""


def source_of(number: int) -> str:
    """Return the loopback address that a listener comes from: 62 500 different ones."""
    return f"127.{1 + number // 62_500 % 200}.{number // 250 % 250}.{1 + number % 250}"


class Hearer(Protocol):
    """Who stands behind a client: a checking listener, or someone who means ill."""

    tally: Tally

    def handshake(self, host: str, path: str) -> bytes:
        """Return the request for a WebSocket."""

    def greeting(self, now_s: float) -> bytes:
        """Return what is sent once there is a WebSocket."""

    def take_binary(self, message: bytes, now_s: float) -> None:
        """Take a binary message."""

    def take_text(self, payload: bytes, now_s: float) -> None:
        """Take a text message."""

    def report(self, now_s: float) -> str | None:
        """Return what is told once a second, if anything."""

    def lost(self, now_s: float) -> None:
        """Heed that the connection is gone."""


class Client:
    """One connection after another of one listener."""

    __slots__ = (
        "_asked_s", "_buffer", "_is_upgraded", "_number", "_receive_bytes", "_sock", "_target",
        "closed", "listener", "n_bytes", "refused", "retry_after_s",
    )  # fmt: skip

    def __init__(
        self, target: Target, number: int, listener: Hearer, receive_bytes: int = 0
    ) -> None:
        """Prepare; `receive_bytes` bounds what the kernel holds (bytes), 0 leaves it."""
        self.listener = listener
        self.closed: int | None = None
        """The code that the last connection ended with, once it has."""
        self.refused: int | None = None
        """The HTTP status that refused it, if one did."""
        self.retry_after_s = 1.0
        """When it may ask again, as the refusal said (seconds)."""
        self.n_bytes = 0
        """Read so far."""
        self._target = target
        self._number = number
        self._receive_bytes = receive_bytes
        self._sock: socket.socket | None = None
        self._buffer = b""
        self._is_upgraded = False
        self._asked_s = 0.0

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, or one is on its way."""
        return self._sock is not None

    @property
    def is_upgraded(self) -> bool:
        """Whether it is a WebSocket by now."""
        return self._is_upgraded

    def connect(self, now_s: float) -> int:
        """Begin to connect; return the number of the socket, which is written to when ready.

        Raises:
            OSError: The system has no socket, no address or no way there.
        """
        self.closed = self.refused = None
        sock = socket.socket(self._target.family)
        try:
            sock.setblocking(False)
            if self._target.has_sources:
                sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
                sock.bind((source_of(self._number), 0))
            if self._receive_bytes:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_bytes)
            with suppress(BlockingIOError):
                sock.connect(self._target.address)
        except OSError:
            sock.close()
            raise
        self._sock, self._buffer, self._is_upgraded, self._asked_s = sock, b"", False, now_s
        return sock.fileno()

    def is_unanswered(self, now_s: float) -> bool:
        """Return whether its handshake has waited for an answer for too long."""
        return self.is_open and not self._is_upgraded and now_s - self._asked_s > HANDSHAKE_S

    def give_up(self) -> None:
        """Close a connection that brought no WebSocket."""
        self._drop()

    def connected(self) -> bool:
        """Ask for a WebSocket on a connection that can be written to; False if there is none."""
        assert self._sock is not None  # noqa: S101
        if self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._drop()
            return False
        self._send(self.listener.handshake(self._target.host, self._target.path))
        return True

    def read(self, now_s: float, at_most: int = _READ_BYTES) -> None:
        """Take what came."""
        if self._sock is None:
            return
        try:
            data = self._sock.recv(at_most)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._ended(CUT, now_s)
            return
        self.n_bytes += len(data)
        if self._buffer:
            data = self._buffer + data
        if self._is_upgraded:
            self._take(data, now_s)
        else:
            self._take_head(data, now_s)

    def say(self, text: str) -> None:
        """Send a text message; what finds no room is not said."""
        self.send(frame(TEXT, text.encode()))

    def send(self, data: bytes) -> None:
        """Send bytes as they are, right or wrong."""
        if self._sock is not None:
            self._send(data)

    def report(self, now_s: float) -> None:
        """Say what is heard."""
        if self._is_upgraded:
            text = self.listener.report(now_s)
            if text is not None:
                self.say(text)

    def cut(self, now_s: float) -> None:
        """Lose the connection, as networks do: without a word."""
        if self._sock is not None:
            self.listener.lost(now_s)
            self._drop()

    def _take_head(self, data: bytes, now_s: float) -> None:
        head, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            self._buffer = data
        elif is_accepted(head):
            self._is_upgraded, self._buffer = True, b""
            self.send(self.listener.greeting(now_s))
            self._take(rest, now_s)
        else:
            self._refuse(head)

    def _refuse(self, head: bytes) -> None:
        words = head.split(maxsplit=2)
        is_status = len(words) > 1 and words[1].isdigit()
        self.refused = int(words[1]) if is_status else 0
        for line in head.lower().split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name == b"retry-after" and value.strip().isdigit():
                self.retry_after_s = float(value)
        self._drop()

    def _take(self, data: bytes, now_s: float) -> None:
        listener = self.listener
        try:
            found, self._buffer = split(data)
        except MalformedFrames as error:
            listener.tally.find("malformed", str(error))
            self._ended(CUT, now_s)
            return
        for opcode, payload in found:
            if opcode == BINARY:
                listener.take_binary(payload, now_s)
            elif opcode == TEXT:
                listener.take_text(payload, now_s)
            elif opcode == PING:
                self.send(frame(PONG, payload))
            elif opcode == CLOSE:
                self._ended(int.from_bytes(payload[:2]) if payload else 1005, now_s)
                return

    def _ended(self, code: int, now_s: float) -> None:
        if self._sock is not None:
            self.closed = code
            self.listener.lost(now_s)
            self._drop()

    def _drop(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock, self._is_upgraded = None, False

    def _send(self, data: bytes) -> None:
        with suppress(OSError):
            self._sock.send(data)  # type: ignore[union-attr]

"""A peer that holds the bare socket: it reads what it wants, when it wants."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri


class RawPeer:
    """A WebSocket client without a thread of its own: unread bytes stay in the kernel."""

    def __init__(self, url: str, receive_bytes: int = 4_096) -> None:
        """Connect with a small receive buffer and shake hands."""
        uri = parse_uri(url)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.connect((uri.host, uri.port))
        self._protocol = ClientProtocol(uri, max_size=None)
        self._protocol.send_request(self._protocol.connect())
        self._events: list[Any] = []
        self._flush()
        while not self._events:
            self.read()
        assert isinstance(self._events.pop(0), Response)

    def say(self, message: dict[str, Any]) -> None:
        """Send a message as JSON."""
        self._protocol.send_text(json.dumps(message).encode())
        self._flush()

    def read(self, n_bytes: int = 65_536) -> int:
        """Take some bytes; return how many came, 0 at the end."""
        try:
            data = self.socket.recv(n_bytes)
        except ConnectionResetError:
            return 0
        if data:
            self._protocol.receive_data(data)
            self._events += self._protocol.events_received()
        return len(data)

    def read_all(self, timeout_s: float) -> None:
        """Read until the connection ends."""
        self.socket.settimeout(timeout_s)
        while self.read():
            pass

    def take_messages(self) -> list[bytes | dict[str, Any]]:
        """Return the messages that were read since: quanta as bytes, texts parsed."""
        frames, self._events = self._events, []
        return [
            json.loads(frame.data) if frame.opcode is Opcode.TEXT else bytes(frame.data)
            for frame in frames
            if isinstance(frame, Frame) and frame.opcode in (Opcode.TEXT, Opcode.BINARY)
        ]

    @property
    def close_code(self) -> int | None:
        """The code of the server's close frame, if one was read."""
        return None if self._protocol.close_rcvd is None else self._protocol.close_rcvd.code

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            with contextlib.suppress(OSError):
                self.socket.sendall(data)


@contextlib.contextmanager
def raw_peer(url: str, receive_bytes: int = 4_096) -> Iterator[RawPeer]:
    """Connect and shake hands."""
    peer = RawPeer(url, receive_bytes)
    with peer.socket:
        yield peer


def wait_until(statement: Any, timeout_s: float = 10.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + timeout_s
    while not statement():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)

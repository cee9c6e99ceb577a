"""The WebSocket protocol beneath the sessions; bad handshakes are in test_server_malformed.py."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from astradio_stream.server.handshake import ControlFrames, StreamProtocol


def test_pings_of_a_peer_that_takes_no_answers_do_not_pile_up() -> None:
    protocol: Any = object.__new__(StreamProtocol)
    written: list[bytes] = []
    protocol.transport = SimpleNamespace(write=written.append)
    protocol.control_frames = ControlFrames()
    counted: list[None] = []
    protocol.control_frames.listen(lambda: counted.append(None))
    protocol.conn = SimpleNamespace(data_to_send=lambda: [b"pong"])
    protocol.writable = asyncio.Event()
    protocol.handle_ping()
    assert written == []
    protocol.writable.set()
    protocol.handle_ping()
    assert written == [b"pong"]
    assert len(counted) == 2

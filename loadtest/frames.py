"""WebSocket frames as a client needs them, from bytes to bytes: fast, and no more than that."""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import Final

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

KEY: Final = "bG9hZHRlc3QgbG9hZHRlcw=="
"""One for all: the server's answer to it is checked, and need be computed only once."""
_GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
ACCEPT: Final = base64.b64encode(
    hashlib.sha1((KEY + _GUID).encode(), usedforsecurity=False).digest()
).decode()


class MalformedFrames(ValueError):
    """The bytes are no frames that a server of this protocol sends."""


def handshake(host: str, path: str, version: int = 13, more: str = "") -> bytes:
    """Return the request that asks for a WebSocket, with more header lines where they are given."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: {version}\r\nSec-WebSocket-Key: {KEY}\r\n"
        f"Sec-WebSocket-Protocol: astradio.v1\r\n{more}\r\n"
    ).encode()


def is_accepted(head: bytes) -> bool:
    """Return whether the head of an answer is the right one to `handshake`."""
    return head.startswith(b"HTTP/1.1 101") and ACCEPT.encode() in head


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a client's frame; a masking key of zeros leaves the payload readable."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65_536:
        length = b"\xfe" + struct.pack(">H", size)
    else:
        length = b"\xff" + struct.pack(">Q", size)
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


def split(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Return the whole frames of a server as (opcode, payload), and the bytes left over.

    Raises:
        MalformedFrames: A frame is masked, fragmented, compressed or of an unknown kind.
    """
    found: list[tuple[int, bytes]] = []
    at, end = 0, len(data)
    while end - at >= 2:
        head, size, start = data[at], data[at + 1], at + 2
        if size == 126:
            if end - start < 2:
                break
            size, start = (data[start] << 8) | data[start + 1], start + 2
        elif size == 127:
            if end - start < 8:
                break
            size, start = int.from_bytes(data[start : start + 8]), start + 8
        elif size > 127:
            raise MalformedFrames("a server masks nothing")
        if head not in _HEADS:
            raise MalformedFrames(f"a frame cannot begin with {head:#x}")
        if end - start < size:
            break
        at = start + size
        found.append((head & 15, data[start:at]))
    return found, data[at:]


_HEADS: Final = frozenset(0x80 | opcode for opcode in (TEXT, BINARY, CLOSE, PING, PONG))

"""One listener of a crowd: a socket, the frames on it, and what a player would have to play.

A player without a loudspeaker stands behind it. It has run dry where all that had been read of it
was played before more was read: what it counts is never better than the truth.
"""

from __future__ import annotations

import json
import socket
import struct
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from astradio_stream.units import QUANTUM_SAMPLES
from loadtest.client import IP_BIND_ADDRESS_NO_PORT
from loadtest.frames import BINARY, CLOSE, TEXT, frame, handshake, is_accepted
from loadtest.playout import Playout

_HEAD: Final = struct.Struct(">BBHIq")
_READ_BYTES: Final = 1 << 18


@dataclass
class Tally:
    """What a crowd went through."""

    n_quanta: int = 0
    """Quanta that came."""
    n_gaps: int = 0
    """Indices that did not follow, unannounced."""
    n_skips: int = 0
    """Announced discontinuities."""
    n_dry: int = 0
    """Times a listener had nothing left to play, as far as it was read."""
    closes: Counter[int] = field(default_factory=Counter)
    """Close codes and statuses of refusals; 0 is a connection that was cut or never there."""


class Member:
    """One listener of the crowd."""

    __slots__ = (
        "_address", "_buffer", "_hello", "_is_dry", "_playout", "_sock", "_tally", "end", "is_open",
    )  # fmt: skip

    def __init__(self, address: tuple[str, int], source: str, hello: bytes, tally: Tally) -> None:
        """Begin to connect; it is read and written to when that is done."""
        self._address = address
        self._tally = tally
        self._hello = hello
        """What is to be said yet."""
        self._buffer = b""
        self._playout = Playout()
        self.end = -1
        """First index that has not come; -1 before sound."""
        self.is_open = True
        self._is_dry = False
        """Whether it has run dry, and nothing came since."""
        self._sock = socket.socket()
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        self._sock.bind((source, 0))
        with suppress(BlockingIOError):
            self._sock.connect(address)

    @property
    def is_playing(self) -> bool:
        """Whether sound has come."""
        return self.end >= 0

    def fileno(self) -> int:
        """Return the number of its socket, -1 once it is closed."""
        return self._sock.fileno()

    def close(self) -> None:
        """Go without a word."""
        self.is_open = False
        self._sock.close()

    def connected(self) -> None:
        """Ask for a WebSocket: the connection is there, or it failed."""
        if self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._ended(0)
        else:
            self._send(handshake("{}:{}".format(*self._address), "/stream"))

    def held_s(self, now_s: float) -> float:
        """Return for how long there is sound to play (seconds)."""
        return self._playout.ahead_s(now_s) if self.is_playing else 0.0

    def read(self, now_s: float) -> None:
        """Take what came."""
        try:
            data = self._sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._ended(0)
            return
        if self._buffer:
            data = self._buffer + data
        if self._hello:
            self._take_head(data, now_s)
        else:
            self._take(data, now_s)

    def report(self, now_s: float) -> None:
        """Say what is heard now, as a player that began with the first quantum."""
        if not self.is_playing or not self.is_open:
            return
        if self._playout.dry_s(now_s):
            self._ran_dry()
        heard = self._playout.playhead(now_s)
        text = f'{{"type":"report","played":{heard},"received":{self.end},"underruns":0}}'
        self._send(frame(TEXT, text.encode()))

    def _take_head(self, data: bytes, now_s: float) -> None:
        """Take the answer to the handshake, and what came with it."""
        head, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            self._buffer = data
        elif not is_accepted(head):
            self._ended(int(head[9:12]) if head[9:12].isdigit() else 0)
        else:
            self._send(frame(TEXT, self._hello))
            self._hello = self._buffer = b""
            self._take(rest, now_s)

    def _take(self, data: bytes, now_s: float) -> None:
        """Take whole frames; keep the rest."""
        at, end = 0, len(data)
        while end - at >= 2:
            opcode, size, start = data[at] & 15, data[at + 1], at + 2
            if size == 126:
                if end - start < 2:
                    break
                size, start = int.from_bytes(data[start : start + 2]), start + 2
            elif size == 127:
                if end - start < 8:
                    break
                size, start = int.from_bytes(data[start : start + 8]), start + 8
            if end - start < size:
                break
            if opcode == BINARY:
                self._quantum(_HEAD.unpack_from(data, start)[4], now_s)
            elif opcode == CLOSE:
                self._ended(int.from_bytes(data[start : start + 2]))
                break
            elif data.startswith(b'{"type":"discontinuity"', start):
                self._skip(json.loads(data[start : start + size])["to"], now_s)
            at = start + size
        self._buffer = data[at:]
        self._hold(now_s)

    def _quantum(self, index: int, now_s: float) -> None:
        tally = self._tally
        tally.n_quanta += 1
        if self.end < 0:
            self._playout.start(index, now_s)
        elif index != self.end:
            tally.n_gaps += 1
        self.end = index + QUANTUM_SAMPLES

    def _skip(self, to: int, now_s: float) -> None:
        """Leave out what an announced gap leaves out."""
        self._tally.n_skips += 1
        self._hold(now_s)
        if self.is_playing:
            self._playout.skip(to)
            self.end = to

    def _hold(self, now_s: float) -> None:
        """Give the player what was read, all of it at once: it came by now, if not before."""
        if self.end > self._playout.end:
            if self._playout.arrived(self.end, now_s):
                self._ran_dry()
            self._is_dry = False

    def _ran_dry(self) -> None:
        """Count it, once until something comes."""
        if not self._is_dry:
            self._is_dry = True
            self._tally.n_dry += 1

    def _send(self, data: bytes) -> None:
        """Send what finds room; a connection that is lost shows when it is read."""
        with suppress(OSError):
            self._sock.send(data)

    def _ended(self, code: int) -> None:
        if self.is_open:
            self._tally.closes[code] += 1
            self.close()

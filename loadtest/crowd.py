"""A crowd of listeners in one process: cheap enough to load a server, strict enough to believe.

Every listener joins a programme, reads what came about once a second, as a player's network stack
does for it, checks that indices follow each other, and reports what it must be hearing. Run as a
process of its own, so that its work is not the server's: ``python -m loadtest.crowd URL N SECONDS``
prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import struct
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

QUANTUM_SAMPLES: Final = 4_800
SAMPLE_RATE_HZ: Final = 48_000
_HEAD: Final = struct.Struct(">BBHIq")
_TEXT, _BINARY, _CLOSE = 1, 2, 8
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
    """Seconds in which a listener had nothing left to play."""
    n_bytes: int = 0
    """Bytes that came."""
    closes: Counter[int] = field(default_factory=Counter)
    """Close codes; 0 is a connection that was cut."""


def masked(opcode: int, payload: bytes) -> bytes:
    """Return a client's frame; a masking key of zeros leaves the payload readable."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


class Member:
    """One listener of the crowd."""

    __slots__ = (
        "_buffer", "_hello", "_sock", "_tally", "began_s", "end", "first", "is_open", "joined_s",
    )  # fmt: skip

    def __init__(self, address: tuple[str, int], source: str, hello: bytes, tally: Tally) -> None:
        """Begin to connect."""
        self._sock = socket.socket()
        self._sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        self._sock.bind((source, 0))
        self._sock.connect(address)
        self._sock.setblocking(False)
        self._sock.send(
            f"GET /stream HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        self._hello: bytes | None = hello
        self._buffer = b""
        self._tally = tally
        self.began_s = time.monotonic()
        self.joined_s = 0.0
        self.first = self.end = -1
        self.is_open = True

    def fileno(self) -> int:
        """Return the number of its socket."""
        return self._sock.fileno()

    def close(self) -> None:
        """Go without a word."""
        self._sock.close()

    def read(self) -> None:
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
        self._tally.n_bytes += len(data)
        if self._hello is None:
            self._take(self._buffer + data if self._buffer else data)
            return
        head, found, rest = (self._buffer + data).partition(b"\r\n\r\n")
        if not found:
            self._buffer += data
        elif not head.startswith(b"HTTP/1.1 101"):
            self._ended(int(head[9:12]))
        else:
            self._sock.send(masked(_TEXT, self._hello))
            self._hello = None
            self._take(rest)

    def report(self, now_s: float) -> None:
        """Say what is heard now, as a player that began with the first quantum."""
        if self.first < 0 or not self.is_open:
            return
        heard = self.first + int((now_s - self.joined_s) * SAMPLE_RATE_HZ)
        if heard > self.end:
            self._tally.n_dry += 1
            self.joined_s = now_s - (self.end - self.first) / SAMPLE_RATE_HZ
            heard = self.end
        text = f'{{"type":"report","played":{heard},"received":{self.end},"underruns":0}}'
        with suppress(OSError):
            self._sock.send(masked(_TEXT, text.encode()))

    def _take(self, data: bytes) -> None:
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
            if opcode == _BINARY:
                self._quantum(_HEAD.unpack_from(data, start)[4])
            elif opcode == _CLOSE:
                self._ended(int.from_bytes(data[start : start + 2]))
                return
            elif data.startswith(b'{"type":"discontinuity"', start):
                self.end = json.loads(data[start : start + size])["to"]
                self._tally.n_skips += 1
            at = start + size
        self._buffer = data[at:]

    def _quantum(self, index: int) -> None:
        tally = self._tally
        tally.n_quanta += 1
        if self.first < 0:
            self.first, self.joined_s = index, time.monotonic()
        elif index != self.end:
            tally.n_gaps += 1
        self.end = index + QUANTUM_SAMPLES

    def _ended(self, code: int) -> None:
        if self.is_open:
            self.is_open = False
            self._tally.closes[code] += 1
            self._sock.close()


class Crowd:
    """All of them, read in turn."""

    def __init__(self, address: tuple[str, int], hellos: Sequence[dict[str, Any]]) -> None:
        """Prepare to join, one listener for each hello."""
        self._address = address
        self._hellos = [json.dumps(hello).encode() for hello in hellos]
        self.tally = Tally()
        self.members: list[Member] = []

    def join(self, per_s: float) -> list[float]:
        """Join at some rate; return the seconds from connecting to the first quantum, sorted."""
        poll = select.epoll()
        waiting: dict[int, Member] = {}
        began = time.monotonic()
        todo = deque(enumerate(self._hellos))
        times: list[float] = []
        due: deque[Member] = deque()
        while todo or waiting:
            now = time.monotonic()
            while todo and len(self.members) < (now - began) * per_s and len(waiting) < 500:
                n, hello = todo.popleft()
                source = f"127.{1 + n // 62_500 % 200}.{n // 250 % 250}.{1 + n % 250}"
                member = Member(self._address, source, hello, self.tally)
                self.members.append(member)
                waiting[member.fileno()] = member
                poll.register(member.fileno(), select.EPOLLIN)
            for number, _ in poll.poll(0.002):
                member = waiting[number]
                member.read()
                if member.first >= 0 or not member.is_open:
                    times.append(time.monotonic() - member.began_s)
                    due.append(member)
                    if member.is_open:
                        poll.unregister(number)
                    del waiting[number]
            self._attend(due, time.monotonic())
        poll.close()
        return sorted(times)

    def listen(self, duration_s: float) -> float:
        """Listen for a while; return the CPU share it took."""
        return listen(self.members, duration_s)

    def close(self) -> None:
        """Leave."""
        for member in self.members:
            member.close()

    @staticmethod
    def _attend(due: deque[Member], now: float) -> None:
        """Read for those who have joined, once a second, while others still come."""
        for _ in range(min(len(due), 50)):
            member = due[0]
            if now - member.joined_s < 1.0 or now - member.began_s < 1.0:
                return
            due.rotate(-1)
            if member.is_open:
                member.read()
                member.report(now)
                member.began_s = now


def listen(members: Sequence[Member], duration_s: float) -> float:
    """Read and report, each once a second, spread over it; return the CPU share it took.

    Args:
        members: Everybody who is there: who is left out of this is a listener that never reads.
        duration_s: How long; in whole seconds each has its turn equally often.
    """
    began, cpu_s = time.monotonic(), time.process_time()
    n = len(members)
    done = 0
    while (now := time.monotonic()) < began + duration_s:
        until = int((now - began) * n)
        for turn in range(done, min(until, done + n)):
            member = members[turn % n]
            if member.is_open:
                member.read()
                member.report(now)
        done = max(done, until)
        time.sleep(0.002)
    return (time.process_time() - cpu_s) / (time.monotonic() - began)


def hello_of(programme: dict[str, Any], buffer_ms: int) -> dict[str, Any]:
    """Return a hello."""
    return {
        "type": "hello", "protocol": 1, "programme": programme, "codecs": ["opus"],
        "bufferMs": buffer_ms, "client": "crowd",
    }  # fmt: skip


def main() -> None:
    """Join, listen, tell."""
    parser = argparse.ArgumentParser("python -m loadtest.crowd", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("n", type=int, help="how many listeners")
    parser.add_argument("seconds", type=float, help="how long they listen once all have joined")
    parser.add_argument("--distinct", action="store_true", help="each its own programme")
    parser.add_argument("--buffer-ms", type=int, default=2_000)
    parser.add_argument("--per-s", type=float, default=400.0, help="newcomers per second")
    parser.add_argument("--core", type=int, default=None, help="the core to stay on")
    args = parser.parse_args()
    if args.core is not None:
        os.sched_setaffinity(0, {args.core})
    programmes: list[dict[str, Any]] = [{"station": "now"}] * args.n
    if args.distinct:
        programmes = [{"seed": n, "at": "2026-03-20T12:00:00Z"} for n in range(args.n)]
    crowd = Crowd(("127.0.0.1", args.port), [hello_of(one, args.buffer_ms) for one in programmes])
    joined_s = crowd.join(args.per_s)
    print(json.dumps({"joined": len(joined_s)}), flush=True)
    crowd.listen(2.0)
    before = crowd.tally.n_quanta
    cpu = crowd.listen(args.seconds)
    tally = crowd.tally
    print(
        json.dumps(
            {
                "quanta": tally.n_quanta - before,
                "gaps": tally.n_gaps,
                "skips": tally.n_skips,
                "dry": tally.n_dry,
                "closes": dict(tally.closes),
                "joinP95": joined_s[int(0.95 * (len(joined_s) - 1))],
                "clientCpu": cpu,
            }
        ),
        flush=True,
    )
    crowd.close()


if __name__ == "__main__":
    main()

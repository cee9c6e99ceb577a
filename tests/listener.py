"""A listener that speaks the protocol and believes nothing: the oracle of the server's tests."""

from __future__ import annotations

import contextlib
import json
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from astradio_stream.stream.steering import first_replaced
from astradio_stream.units import QUANTUM_SAMPLES
from astradio_stream.wire.messages import SUBPROTOCOL
from astradio_stream.wire.quantum import Codec, Quantum, unpack_quantum

STATION: dict[str, Any] = {"station": "now"}
TRANSIT: dict[str, Any] = {
    "mode": "transit",
    "seed": 7,
    "at": "2026-03-20T12:00:00Z",
    "rate": 1,
    "place": {"lat": 48.2, "lon": 16.4},
}
TIMEOUT_S = 10.0


def hello_of(programme: Any = None, **changes: Any) -> dict[str, Any]:
    """Return a hello; a change to None leaves the field out, and an id stands for a programme."""
    if programme is None and "programmeId" not in changes:
        programme = STATION
    message = {
        "type": "hello",
        "protocol": 1,
        "programme": programme,
        "codecs": ["opus"],
        "client": "test",
    } | changes
    return {name: value for name, value in message.items() if value is not None}


class Listener:
    """One connection: every message that it hands out has been checked."""

    def __init__(
        self, connection: ClientConnection, crc_of: Callable[[int], int] | None = None
    ) -> None:
        """Listen on a connection.

        Args:
            connection: An open WebSocket.
            crc_of: index -> CRC-32 of the PCM that should be heard there, if it is known.
        """
        self.connection = connection
        self.ready: dict[str, Any] = {}
        """The last `ready`."""
        self.received: list[Quantum] = []
        """Quanta since the last `ready`, without those that a steer replaced."""
        self.skipped: list[tuple[int, int]] = []
        """Announced losses: first index that does not come, first that comes again."""
        self.texts: list[dict[str, Any]] = []
        """All text messages."""
        self.epoch = 0
        """The epoch that the last `ready` or `steered` began."""
        self.first = 0
        """First index of the last `ready`."""
        self._splice: int | None = None
        self._crc_of = crc_of

    def say(self, message: Any) -> None:
        """Send a message as JSON."""
        self.connection.send(json.dumps(message))

    def report(self, played: int | None = None) -> None:
        """Say what is heard: as much as has arrived, or less."""
        end = self.end
        heard = end if played is None else played
        self.say({"type": "report", "played": heard, "received": end, "underruns": 0})

    @property
    def end(self) -> int:
        """First index not yet received."""
        if self._splice is not None:
            return self._splice
        return self.received[-1].index + QUANTUM_SAMPLES if self.received else self.first

    def take(self, timeout_s: float = TIMEOUT_S) -> dict[str, Any] | Quantum:
        """Return the next message, checked."""
        message = self.connection.recv(timeout_s)
        if isinstance(message, bytes):
            return self._take_quantum(unpack_quantum(message))
        text: dict[str, Any] = json.loads(message)
        self.texts.append(text)
        if text["type"] == "ready":
            assert text["epoch"] == (self.epoch + 1 if self.ready else 0)
            assert text["from"] % QUANTUM_SAMPLES == 0
            self.ready, self.received, self._splice = text, [], None
            self.epoch, self.first = text["epoch"], text["from"]
        elif text["type"] == "steered":
            self._take_steered(text)
        elif text["type"] == "discontinuity":
            self._take_discontinuity(text)
        return text

    def take_text(self, *kinds: str) -> dict[str, Any]:
        """Return the next text message of some types; quanta before it are checked and kept."""
        while True:
            message = self.take()
            if isinstance(message, dict) and message["type"] in kinds:
                return message

    def take_quanta(self, n_quanta: int) -> list[Quantum]:
        """Return the next quanta of the present epoch; texts in between are kept."""
        n_before = len(self.received)
        while len(self.received) < n_before + n_quanta:
            self.take()
        return self.received[n_before:]

    def take_for(self, duration_s: float) -> int:
        """Take what comes for a while; return how many quanta came."""
        n_before = len(self.received)
        deadline = time.monotonic() + duration_s
        while (left_s := deadline - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                self.take(left_s)
        return len(self.received) - n_before

    def take_close(self) -> tuple[int, str]:
        """Take all that still comes; return code and reason of the close."""
        try:
            while True:
                self.take()
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                return 1006, ""
            return closed.rcvd.code, closed.rcvd.reason

    def _take_steered(self, text: dict[str, Any]) -> None:
        """Drop what the new epoch replaces: from the quantum on that holds the change."""
        assert text["epoch"] == self.epoch + 1
        self.epoch = text["epoch"]
        self._splice = min(self.end, first_replaced(text["effective"]))
        self.received = [q for q in self.received if q.index < self._splice]

    def _take_discontinuity(self, text: dict[str, Any]) -> None:
        """Go on behind what will not come."""
        assert text["from"] == self.end
        assert text["to"] > text["from"]
        assert text["to"] % QUANTUM_SAMPLES == 0
        self.skipped.append((text["from"], text["to"]))
        self._splice = text["to"]

    def _take_quantum(self, quantum: Quantum) -> Quantum:
        assert self.ready, "a quantum came before ready"
        assert quantum.epoch == self.epoch
        assert quantum.index == self.end, "a gap or a duplicate that nobody announced"
        self._splice = None
        assert quantum.codec.word == self.ready["codec"]["name"]
        if quantum.codec is Codec.PCM_S16LE:
            assert zlib.crc32(quantum.packets[0]) == quantum.crc32
        if self._crc_of is not None:
            assert quantum.crc32 == self._crc_of(quantum.index)
        self.received.append(quantum)
        return quantum


@contextlib.contextmanager
def connected(
    url: str,
    crc_of: Callable[[int], int] | None = None,
    *,
    subprotocols: list[str] | None = None,
    **options: Any,
) -> Iterator[Listener]:
    """Connect, without a hello."""
    offered: Any = [SUBPROTOCOL] if subprotocols is None else (subprotocols or None)
    # Without a bound on its queue the client reads on, and so sees a close behind a burst.
    options |= {"compression": None, "max_queue": None}
    with connect(url, subprotocols=offered, **options) as connection:
        yield Listener(connection, crc_of)


@contextlib.contextmanager
def listening(
    url: str, programme: Any = None, crc_of: Callable[[int], int] | None = None, **changes: Any
) -> Iterator[Listener]:
    """Connect, say hello and take `ready`."""
    with connected(url, crc_of) as listener:
        listener.say(hello_of(programme, **changes))
        listener.take_text("ready")
        yield listener

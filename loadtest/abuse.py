"""Who breaks the protocol: every way there is, and the close that must follow.

The contract names the close for each; a server that answers otherwise, or not at all, is found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from loadtest.frames import BINARY, PING, TEXT, frame, handshake

if TYPE_CHECKING:
    from loadtest.tally import Tally


def _text(message: Any) -> bytes:
    return frame(TEXT, json.dumps(message).encode())


_HELLO: Final = {
    "type": "hello", "protocol": 1, "programme": {"station": "now"}, "codecs": ["opus"],
    "client": "abuser",
}  # fmt: skip
_REPORT: Final = {"type": "report", "played": 0, "received": 0, "underruns": 0}


@dataclass(frozen=True, slots=True)
class Abuse:
    """One way to break the protocol."""

    opening: bytes
    """Sent once there is a WebSocket."""
    codes: tuple[int, ...]
    """Any of these closes is right, or of these HTTP statuses where the handshake is the abuse."""
    version: int = 13
    """Of WebSocket, as the handshake says."""
    header: str = ""
    """More lines of the handshake's header."""


# fmt: off
ABUSES: Final = {
    "no_json":         Abuse(frame(TEXT, b"{hello"), (4000,)),
    "no_type":         Abuse(_text({"protocol": 1}), (4000,)),
    "wrong_version":   Abuse(_text(_HELLO | {"protocol": 9}), (4001,)),
    "no_such_station": Abuse(_text(_HELLO | {"programme": {"station": "nowhere"}}), (4000, 4004)),
    "report_first":    Abuse(_text(_REPORT), (4005,)),
    "hello_twice":     Abuse(_text(_HELLO) * 2, (4005,)),
    "binary":          Abuse(frame(BINARY, b"\1" * 64), (1003,)),
    "bad_utf8":        Abuse(frame(TEXT, b"\xff\xfe"), (1007,)),
    "too_big":         Abuse(frame(TEXT, b" " * 5_000), (1009,)),
    "unmasked":        Abuse(b"\x81\x02{}", (1002,)),
    "reserved_bits":   Abuse(b"\xf1\x80" + bytes(4), (1002,)),
    "flood":           Abuse(_text(_HELLO) + frame(PING, b"") * 200, (4101,)),
    "deep_json":       Abuse(frame(TEXT, b'{"type":' + b"[" * 3_000), (4000,)),
    "no_hello":        Abuse(b"", (4104,)),
    "old_websocket":   Abuse(b"", (426,), version=8),
    "foreign_origin":  Abuse(b"", (403,), header="Origin: https://elsewhere.example\r\n"),
}
# fmt: on

PATIENCE_S: Final = 14.0
"""The longest wait of the contract is ten seconds, for a `hello`."""


class Abuser:
    """Someone who breaks the protocol in one way; stands where a listener stands."""

    def __init__(self, name: str, tally: Tally, now_s: float) -> None:
        self.tally = tally
        self.name = name
        self._deadline_s = now_s + PATIENCE_S

    def handshake(self, host: str, path: str) -> bytes:
        """Return the request for a WebSocket, which may be the abuse already."""
        abuse = ABUSES[self.name]
        return handshake(host, path, abuse.version, abuse.header)

    def greeting(self, now_s: float) -> bytes:
        """Return the abuse."""
        self._deadline_s = now_s + PATIENCE_S
        return ABUSES[self.name].opening

    def take_binary(self, _message: bytes, _now_s: float) -> None:
        """Take what a right server may have sent before it knew."""

    def take_text(self, _payload: bytes, _now_s: float) -> None:
        """Take an `error`, or a `ready`."""

    def report(self, _now_s: float) -> None:
        """Say no more."""

    def lost(self, _now_s: float) -> None:
        """Expect it."""

    def is_over(self, now_s: float) -> bool:
        """Return whether it has waited long enough."""
        return now_s > self._deadline_s

    def judge(self, code: int | None) -> None:
        """Judge the close that came, or the status that refused it; None if there was neither."""
        self.tally.counts["abuses"] += 1
        if code not in ABUSES[self.name].codes:
            self.tally.find("not_closed", f"{self.name}: {code}, not {ABUSES[self.name].codes}")

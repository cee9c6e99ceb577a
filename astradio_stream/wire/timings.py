"""How long a session waits for its peer."""

from __future__ import annotations

from dataclasses import dataclass

from astradio_stream.wire.bucket import NS_PER_S


@dataclass(frozen=True, slots=True)
class Timings:
    """The waits of one session."""

    hello_ns: int = 10 * NS_PER_S
    """For a hello (nanoseconds)."""
    heartbeat_ns: int = 30 * NS_PER_S
    """For the next report or ping (nanoseconds)."""

"""Whether this server should be sent listeners: the states, their legal edges, and the checks.

::

    STARTING -> READY <-> DEGRADED      something optional is missing, listeners are served
        |         ^ |         | ^
        |         | v         v |
        |       OVERLOADED <----+       those inside play on, newcomers are refused
        v
      FAILED                            something needed is missing
    every state -> DRAINING             on the way out; nothing leads back
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from astradio_stream import __version__
from astradio_stream.units import UNIX_EPOCH

if TYPE_CHECKING:
    from astradio_stream.server.clock import Clock


class Readiness(Enum):
    """How the server stands; the value says whether it should be sent listeners."""

    STARTING = ("STARTING", False)
    READY = ("READY", True)
    DEGRADED = ("DEGRADED", True)
    OVERLOADED = ("OVERLOADED", False)
    DRAINING = ("DRAINING", False)
    FAILED = ("FAILED", False)

    @property
    def is_ready(self) -> bool:
        """Whether newcomers are welcome."""
        return self.value[1]


_R = Readiness
EDGES: Final = {
    _R.STARTING: frozenset({_R.READY, _R.DEGRADED, _R.FAILED, _R.DRAINING}),
    _R.READY: frozenset({_R.DEGRADED, _R.OVERLOADED, _R.FAILED, _R.DRAINING}),
    _R.DEGRADED: frozenset({_R.READY, _R.OVERLOADED, _R.FAILED, _R.DRAINING}),
    _R.OVERLOADED: frozenset({_R.READY, _R.DEGRADED, _R.FAILED, _R.DRAINING}),
    _R.FAILED: frozenset({_R.DRAINING}),
    _R.DRAINING: frozenset(),
}


class IllegalEdge(RuntimeError):
    """A change of state that the table does not have."""


@dataclass(slots=True)
class Checks:
    """What is loaded and works; each is a fact, not a wish."""

    model_audio: bool = False
    """The audio model rendered a segment."""
    model_text: bool = False
    """The texts of a composed piece."""
    viz_engine_loaded: bool = False
    """The picture; false also where it is switched off."""
    compat_weights_loaded: bool = False
    """The weights of the compatibility search."""
    ephemeris_loaded: bool = False
    """The positions of the planets."""
    codec_loaded: bool = False
    """libopus encoded a segment."""
    store_writable: bool = False
    """The data directory takes files, and the database changes."""

    def to_json(self) -> dict[str, bool]:
        """Return the checks by name."""
        return {name: getattr(self, name) for name in self.__slots__}


class ReadinessState:
    """The present state, since when, and the checks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._state = Readiness.STARTING
        self._since_us = clock.unix_us()
        self.checks = Checks()

    @property
    def state(self) -> Readiness:
        """How the server stands."""
        return self._state

    def become(self, state: Readiness) -> None:
        """Change the state; becoming what one is already changes nothing.

        Raises:
            IllegalEdge: the table has no such edge.
        """
        if state is self._state:
            return
        if state not in EDGES[self._state]:
            raise IllegalEdge(f"{self._state.name} cannot become {state.name}")
        self._state = state
        self._since_us = self._clock.unix_us()

    def to_json(self) -> dict[str, Any]:
        """Return the body of `/readyz`, but for the request id."""
        return {
            "ready": self._state.is_ready,
            "state": self._state.name,
            "since": iso_of(self._since_us),
            "timestamp": iso_of(self._clock.unix_us()),
            "version": __version__,
            "checks": self.checks.to_json(),
        }


def iso_of(unix_us: int) -> str:
    """Return a Unix time (microseconds) as ISO 8601 in UTC, rounded down to the millisecond."""
    moment = UNIX_EPOCH + timedelta(milliseconds=unix_us // 1_000)
    return moment.isoformat(timespec="milliseconds") + "Z"

"""What all listeners and pages of one server share."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from astradio_stream.server.doors import Doors
from astradio_stream.server.logs import log, log_failure
from astradio_stream.server.readiness import Readiness
from astradio_stream.wire import answers
from astradio_stream.wire.closing import Closing
from astradio_stream.wire.session import Timings

if TYPE_CHECKING:
    from pathlib import Path

    from astradio_stream.server.clock import Clock
    from astradio_stream.server.listener import Listener
    from astradio_stream.server.metrics import Metrics
    from astradio_stream.server.readiness import ReadinessState
    from astradio_stream.server.renderer import ReadyMade
    from astradio_stream.settings import Settings
    from astradio_stream.stream.programme import Programme
    from astradio_stream.wire.actions import Steer
    from astradio_stream.wire.answers import ReadyParts
    from astradio_stream.wire.messages import Hello
    from astradio_stream.wire.quantum import Codec

RETRY_AFTER_S: Final = 2
"""When a refused listener may ask again (seconds)."""
GOODBYE_S: Final = 2.0
"""How long a stop waits for listeners to take their close frame."""


class MakesStreams(Protocol):
    """What the shell asks of the engine, or of what stands in for it in a test."""

    async def start(self) -> None:
        """Load what is needed and make one second of everything."""

    async def join(self, hello: Hello) -> tuple[Programme, ReadyParts]:
        """Return the programme of a hello and what `ready` tells of it."""

    async def seek(self, programme: Programme, hello: Hello, to_index: int) -> ReadyParts:
        """Return what `ready` tells of a programme from an index on."""

    async def steer(
        self, programme: Programme, steer: Steer, first_open: int
    ) -> tuple[Programme, int]:
        """Return the programme steered once more, and from which index on."""

    async def segment(self, programme: Programme, k: int, codec: Codec) -> ReadyMade:
        """Return segment k as listeners receive it, at epoch 0."""

    def prefetch(self, programme: Programme, k: int, codec: Codec) -> None:
        """Begin to make segment k if nobody has."""

    def close(self) -> None:
        """Let go of threads."""


@dataclass(slots=True)
class Shell:
    """One server."""

    settings: Settings
    """As of this start."""
    clock: Clock
    """Where time comes from."""
    metrics: Metrics
    """What is counted."""
    readiness: ReadinessState
    """How it stands."""
    engine: MakesStreams
    """Who makes the sound."""
    timings: Timings = field(default_factory=Timings)
    """How long listeners are waited for."""
    listeners: set[Listener] = field(default_factory=set)
    """Who is connected."""
    doors: Doors = field(default_factory=Doors)
    """Who knocked how often."""
    failure: BaseException | None = None
    """Why it did not start."""

    @property
    def is_full(self) -> bool:
        """Whether newcomers must be refused."""
        return len(self.listeners) >= self.settings.max_listeners

    def enter(self, listener: Listener) -> None:
        """Count a listener in."""
        self.listeners.add(listener)
        self._settle()

    def leave(self, listener: Listener) -> None:
        """Count a listener out."""
        self.listeners.discard(listener)
        self._settle()

    def _settle(self) -> None:
        """Say so when the server becomes full, or is so no more."""
        self.metrics.listeners.set(len(self.listeners))
        if self.readiness.state in (Readiness.READY, Readiness.OVERLOADED):
            self.readiness.become(Readiness.OVERLOADED if self.is_full else Readiness.READY)

    async def start(self) -> None:
        """Load everything, test it, and become ready.

        Raises:
            Exception: something needed is missing or broken; it is kept in `failure`.
        """
        checks = self.readiness.checks
        try:
            checks.store_writable = is_writable(self.settings.data_dir)
            await self.engine.start()
        except Exception as error:
            self.failure = error
            self.readiness.become(Readiness.FAILED)
            log_failure("START_FAILED", error)
            raise
        checks.model_audio = checks.ephemeris_loaded = checks.codec_loaded = True
        checks.viz_engine_loaded = self.settings.enable_viz_engine
        whole = checks.store_writable
        self.readiness.become(Readiness.READY if whole else Readiness.DEGRADED)
        log("READY", **checks.to_json())

    async def stop(self) -> None:
        """Tell every listener to go elsewhere, and wait a moment for them to take it."""
        self.readiness.become(Readiness.DRAINING)
        log("DRAINING", listeners=len(self.listeners))
        for listener in tuple(self.listeners):
            listener.leave(answers.drain(0), Closing.RESTART)
        deadline_ns = self.clock.now_ns() + int(GOODBYE_S * 1e9)
        while self.listeners and self.clock.now_ns() < deadline_ns:
            await asyncio.sleep(0.02)


def is_writable(data_dir: Path) -> bool:
    """Return whether files can be made in the data directory, which is made if absent."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data_dir):
            return True
    except OSError:
        return False

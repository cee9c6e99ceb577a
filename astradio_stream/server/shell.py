"""What all listeners and pages of one server share."""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from astradio_stream.errors import RETRY_AFTER_S, Draining, Overloaded
from astradio_stream.server.collecting import Collecting
from astradio_stream.server.doors import Doors
from astradio_stream.server.logs import log, log_failure, set_level
from astradio_stream.server.pulse import Pulse
from astradio_stream.server.readiness import Readiness
from astradio_stream.server.renderer import LAST_PLACE
from astradio_stream.settings import TABLE
from astradio_stream.wire.timings import Timings

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

    from astradio_stream.audio.bank import Bank
    from astradio_stream.server.clock import Clock
    from astradio_stream.server.listener import Listener
    from astradio_stream.server.load import Load
    from astradio_stream.server.metrics import Metrics
    from astradio_stream.server.pump import Pump
    from astradio_stream.server.readiness import ReadinessState
    from astradio_stream.server.renderer import ReadyMade
    from astradio_stream.server.saved import SavedBirths
    from astradio_stream.settings import Settings
    from astradio_stream.stream.programme import Programme
    from astradio_stream.wire.actions import Steer
    from astradio_stream.wire.answers import ReadyParts
    from astradio_stream.wire.messages import Hello
    from astradio_stream.wire.quantum import Codec

SERVING: Final = frozenset({Readiness.READY, Readiness.DEGRADED, Readiness.OVERLOADED})
"""States between which load and facts decide."""


class MakesStreams(Protocol):
    """What the shell asks of the engine, or of what stands in for it in a test."""

    async def start(self) -> None:
        """Load what is needed and make one second of everything."""

    async def join(self, hello: Hello) -> tuple[Programme, ReadyParts]:
        """Return the programme of a hello and what `ready` tells of it."""

    def remember(self, programme: Programme) -> None:
        """Know a programme from now on by its id."""

    async def seek(self, programme: Programme, hello: Hello, to_index: int) -> ReadyParts:
        """Return what `ready` tells of a programme from an index on."""

    async def steer(
        self, programme: Programme, steer: Steer, first_open: int
    ) -> tuple[Programme, int]:
        """Return the programme steered once more, and from which index on."""

    async def segment(
        self,
        programme: Programme,
        k: int,
        codec: Codec,
        due_ns: int | None = None,
        place: int = LAST_PLACE,
    ) -> ReadyMade:
        """Return segment k as listeners receive it, at epoch 0; wanted at `due_ns`, or now.

        With a `place` less than the last it may end after the quantum there (0-9).
        """

    def at_hand(self, programme: Programme, k: int, codec: Codec) -> ReadyMade | None:
        """Return segment k if it is made already."""

    def prefetch(
        self, programme: Programme, k: int, codec: Codec, due_ns: int | None = None
    ) -> None:
        """Begin to make segment k if nobody has; it is wanted at `due_ns`, or at once."""

    async def reload(self, settings: Settings) -> None:
        """Heed settings that may change while the server runs."""

    async def bank(self, audio_version: str) -> Bank:
        """Return the bank of an audio model, loaded now unless it is."""

    async def made_again(self) -> bool | None:
        """Return whether a served segment made once more is the same; None without one."""

    def later(self, work: Callable[[], object]) -> asyncio.Future[object]:
        """Do some work on a render thread, after what listeners wait for."""

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
    pump: Pump
    """Who sends it when it is due."""
    load: Load
    """What that costs."""
    timings: Timings = field(default_factory=Timings)
    """How long listeners are waited for."""
    listeners: set[Listener] = field(default_factory=set)
    """Who is connected."""
    collecting: Collecting = field(default_factory=Collecting)
    """When garbage is looked for."""
    doors: Doors = field(default_factory=Doors)
    """Who knocked how often."""
    saved: SavedBirths | None = None
    """Who looks up saved charts; without one there are none."""
    failure: BaseException | None = None
    """Why it did not start."""
    pulse: Pulse = field(init=False)
    """How late the loop is."""
    _sent_ns: int = 0

    def __post_init__(self) -> None:
        self.pulse = Pulse(self.clock, self.metrics, self.judge)

    @property
    def is_full(self) -> bool:
        """Whether newcomers must be refused."""
        return self.load.is_full or len(self.listeners) >= self.settings.max_listeners

    def require_serving(self) -> None:
        """Refuse new work on the way out.

        Raises:
            Draining: this server is going down.
        """
        if self.readiness.state is Readiness.DRAINING:
            raise Draining

    def require_room(self) -> None:
        """Refuse work that listeners leave no time for.

        Raises:
            Overloaded: there is none.
        """
        if self.is_full:
            raise Overloaded("listeners take all the time there is", RETRY_AFTER_S)

    def enter(self, listener: Listener) -> None:
        """Count a listener in."""
        self.listeners.add(listener)
        self._settle()

    def leave(self, listener: Listener) -> None:
        """Count a listener out."""
        self.listeners.discard(listener)
        self._settle()

    def judge(self, now_ns: int, lag_ns: int) -> None:
        """Judge the last second: is there room for more?"""
        sent_ns, self._sent_ns = self.pump.sending_ns - self._sent_ns, self.pump.sending_ns
        self.load.judge(now_ns, lag_ns, sent_ns)
        self.metrics.busy_ratio.set(self.load.busy)
        self.metrics.programmes.set(self.load.n_programmes)
        self.metrics.ready.set(self.readiness.state.is_ready)
        self._settle()

    def _settle(self) -> None:
        """Say so when the server becomes full, or is so no more."""
        self.metrics.listeners.set(len(self.listeners))
        if self.readiness.state not in SERVING:
            return
        whole = Readiness.READY if self.readiness.checks.store_writable else Readiness.DEGRADED
        state = Readiness.OVERLOADED if self.is_full else whole
        if state is not self.readiness.state:
            self.readiness.become(state)
            log(state.name, listeners=len(self.listeners), busy=round(self.load.busy, 2))

    def heed_store(self, *, is_writable: bool) -> None:
        """Hear whether what is stored can be written: accounts need it, the music does not."""
        self.readiness.checks.store_writable = is_writable
        self._settle()

    async def start(self) -> None:
        """Load what makes the music, and test it.

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

    def welcome(self) -> None:
        """Become ready, and say so; by now all checks are known."""
        checks = self.readiness.checks
        whole = checks.store_writable
        self.readiness.become(Readiness.READY if whole else Readiness.DEGRADED)
        self.metrics.ready.set(1)
        self.pulse.start()
        log("READY", **checks.to_json())

    async def reload(self, settings: Settings) -> None:
        """Take over those of new settings that may change while listeners listen."""
        changed = {
            row.attribute: getattr(settings, row.attribute)
            for row in TABLE
            if row.reloadable
            and getattr(settings, row.attribute) != getattr(self.settings, row.attribute)
        }
        settings = dataclasses.replace(self.settings, **changed)
        await self.engine.reload(settings)
        self.settings = settings
        self.readiness.checks.viz_engine_loaded = settings.enable_viz_engine
        set_level(settings.log_level)
        log("RELOADED", **changed)


def is_writable(data_dir: Path) -> bool:
    """Return whether files can be made in the data directory, which is made if absent."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data_dir):
            return True
    except OSError:
        return False

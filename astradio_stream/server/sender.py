"""The quanta of one listener: fetched when they are due, written when there is room.

What a slow listener gets instead is decided in `patience`; when something is due, by the session.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from astradio_stream.server.outlet import LARGEST_WRITE_BYTES
from astradio_stream.server.patience import HOPELESS_NS, Patience, Step
from astradio_stream.server.renderer import LAST_PLACE
from astradio_stream.units import (
    QUANTA_PER_SEGMENT,
    QUANTUM_SAMPLES,
    SEGMENT_SAMPLES,
    floor_to_quantum,
    milliseconds_to_samples,
)
from astradio_stream.wire.bucket import NS_PER_S
from astradio_stream.wire.closing import Closing
from astradio_stream.wire.pacer import ns_to_samples, samples_to_ns
from astradio_stream.wire.quantum import CODEC_OF_WORD
from astradio_stream.wire.session import State

if TYPE_CHECKING:
    from prometheus_client import Histogram

    from astradio_stream.server.answering import Answering
    from astradio_stream.server.outlet import Outlet
    from astradio_stream.server.renderer import ReadyMade
    from astradio_stream.server.shell import Shell
    from astradio_stream.stream.programme import Programme
    from astradio_stream.wire.messages import Hello
    from astradio_stream.wire.quantum import Codec
    from astradio_stream.wire.session import Session

BUFFER_MS_PER_GATHERED: Final = 250
"""For each quantum that is gathered beyond the first so much of the listener's buffer (ms): of the
default buffer never more than two fifths are missing."""


class Lack(Enum):
    """What keeps a quantum that is due from being sent."""

    NOTHING = "all that is due is sent"
    A_TURN = "there is more than one write takes"
    ROOM = "the listener does not take what was written before"
    A_SEGMENT = "it is not made yet"


class Sender:
    """What goes out to one listener as time passes."""

    def __init__(
        self, shell: Shell, session: Session, answering: Answering, outlet: Outlet
    ) -> None:
        """Send what `session` says is due of the programme that `answering` found out."""
        self.most_gathered = 0
        """How many quanta may wait for a later one: as many as the buffer does not feel."""
        self._shell = shell
        self._clock = shell.clock
        self._session = session
        self._answering = answering
        self._outlet = outlet
        self._patience = Patience()
        self._made: tuple[Programme, int, ReadyMade] | None = None
        self._awaited: tuple[int, int | None, Histogram] | None = None

    def greeted(self, hello: Hello) -> None:
        """Heed that a hello came: from now on the first quantum is waited for."""
        self._awaited = self._clock.now_ns(), None, self._shell.metrics.first_quantum_seconds
        self.most_gathered = max(0, hello.buffer_ms // BUFFER_MS_PER_GATHERED - 1)

    def sought(self) -> None:
        """Heed that another place is wanted; until then the epoch that is sent goes on."""
        now_ns, metrics = self._clock.now_ns(), self._shell.metrics
        self._awaited = now_ns, self._session.epoch, metrics.seek_seconds

    def send_due(self, now_ns: int) -> Lack:
        """Send all quanta that are due and at hand, as one write; return what others lack."""
        session = self._session
        if session.due(now_ns) is None:
            if session.state is State.PAUSED:
                self._awaited = None  # who pauses waits for nothing
            return Lack.NOTHING
        if not self._outlet.has_room:
            return Lack.ROOM
        metrics = self._shell.metrics
        gathered_ns = self._shell.pump.gather_ns(self.most_gathered)
        viz = (
            session.viz
            and self._shell.settings.enable_viz_engine
            and not self._patience.is_dark(now_ns)
        )
        frames: list[bytes] = []
        n_bytes, lack = 0, Lack.NOTHING
        while (index := session.due(now_ns)) is not None:
            if n_bytes >= LARGEST_WRITE_BYTES:
                lack = Lack.A_TURN
                break
            k, first = divmod(index // QUANTUM_SAMPLES, QUANTA_PER_SEGMENT)
            made = self._at_hand(k, first)
            if made is None:
                lack = Lack.A_SEGMENT
                break
            fit = 1 + (LARGEST_WRITE_BYTES - n_bytes) // len(made.with_viz[first])
            n_quanta = session.n_due(now_ns, min(len(made.with_viz) - first, fit))
            run = made.frames(first, n_quanta, session.epoch, viz=viz)
            frames.append(run)
            n_bytes += len(run)
            late_ns = session.quantum_sent(len(run), now_ns, n_quanta)
            metrics.sent(late_ns - gathered_ns, len(run), n_quanta)
        if frames:
            self._outlet.write(b"".join(frames))
            if self._awaited is not None and self._awaited[1] != session.epoch:
                began_ns, _, seconds = self._awaited
                seconds.observe((self._clock.now_ns() - began_ns) / NS_PER_S)
                self._awaited = None
        return lack

    def _at_hand(self, k: int, place: int) -> ReadyMade | None:
        """Return segment k of the programme if it is ready, or as much as holds a quantum."""
        kept = self._kept(k)
        if kept is not None and place < len(kept.with_viz):
            return kept
        made = self._shell.engine.at_hand(*self._played(k))
        if made is not None:
            self._take(k, made)
        return made

    def _kept(self, k: int) -> ReadyMade | None:
        kept = self._made
        is_it = kept is not None and kept[1] == k and kept[0] is self._answering.programme
        return kept[2] if kept is not None and is_it else None

    async def fetch(self) -> None:
        """Wait for the segment of the quantum that is due, or for that quantum if it has none."""
        index = self._session.due(self._clock.now_ns())
        if index is not None:
            k, place = divmod(index // QUANTUM_SAMPLES, QUANTA_PER_SEGMENT)
            programme, k, codec = self._played(k)
            if self._kept(k) is not None:
                place = LAST_PLACE
            made = await self._shell.engine.segment(programme, k, codec, self._due_ns(k), place)
            if programme is self._answering.programme:
                self._take(k, made)

    def _take(self, k: int, made: ReadyMade) -> None:
        """Keep segment k until another is wanted; the next will be wanted in a second."""
        programme, following, codec = self._played(k + 1)
        self._made = (programme, k, made)
        self._shell.engine.prefetch(programme, following, codec, self._due_ns(following))

    def _due_ns(self, k: int) -> int:
        """Return by when segment k must be made.

        That is when its first quantum is due. While a buffer is filled for the first time all are
        due at once; then half the time until it is heard will do, and who has nothing comes first.
        """
        now_ns = self._clock.now_ns()
        playhead, hello = self._session.playhead(now_ns), self._session.hello
        if playhead is None or hello is None:
            return now_ns
        unheard = k * SEGMENT_SAMPLES - playhead
        unsent = unheard + QUANTUM_SAMPLES - milliseconds_to_samples(hello.buffer_ms)
        return now_ns + samples_to_ns(unsent if unsent > 0 else max(0, unheard // 2))

    def _played(self, k: int) -> tuple[Programme, int, Codec]:
        """Return what names segment k: the programme, k, and how its sound is written."""
        hello, programme = self._session.hello, self._answering.programme
        if hello is None or programme is None:
            raise RuntimeError("a quantum is due before ready")
        return programme, k, CODEC_OF_WORD[hello.codecs[0]]

    async def room(self) -> None:
        """Wait until the listener takes what we write; who was slow gets less, or a close."""
        session, began_ns = self._session, self._clock.now_ns()
        has_room = await self._outlet.room(HOPELESS_NS / NS_PER_S)
        now_ns = self._clock.now_ns()
        if not has_room:
            session.close(Closing.SLOW_CONSUMER)
            return
        index = session.due(now_ns)
        if index is None:
            return
        waited_ns = now_ns - began_ns
        step = self._patience.waited(waited_ns, now_ns)
        if step is Step.GIVE_UP:
            session.close(Closing.SLOW_CONSUMER)
        elif step is Step.SKIP:
            self._shell.metrics.skips.inc()
            session.skip(floor_to_quantum(index + ns_to_samples(waited_ns)), "slow", now_ns)

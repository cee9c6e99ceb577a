"""The shell around one session: takes from the socket, feeds the session, sends what it produced.

One task reads, one writes; every decision is the session's. Quanta that are due and ready are sent
by the pump, without waking a task.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from enum import Enum
from typing import TYPE_CHECKING, Final

from starlette.websockets import WebSocketDisconnect

from astradio_stream.server.answering import Answering
from astradio_stream.server.http import request_id_of
from astradio_stream.server.logs import log, log_failure
from astradio_stream.server.outlet import (
    LARGEST_WRITE_BYTES,
    OutletClosed,
    framed_text,
    outlet_of,
)
from astradio_stream.server.patience import HOPELESS_NS, Patience, Step
from astradio_stream.stream.programme import mistakes_of
from astradio_stream.strict_json import dump_text
from astradio_stream.units import (
    QUANTA_PER_SEGMENT,
    QUANTUM_SAMPLES,
    SEGMENT_SAMPLES,
    floor_to_quantum,
    milliseconds_to_samples,
)
from astradio_stream.wire.actions import Action, Close, Join, SendText
from astradio_stream.wire.bucket import Rate
from astradio_stream.wire.closing import Closing
from astradio_stream.wire.messages import SUBPROTOCOL, JsonObject
from astradio_stream.wire.pacer import ns_to_samples, samples_to_ns
from astradio_stream.wire.quantum import CODEC_OF_WORD
from astradio_stream.wire.session import Session, State

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from astradio_stream.server.handshake import ControlFrames
    from astradio_stream.server.renderer import ReadyMade
    from astradio_stream.server.shell import Shell
    from astradio_stream.stream.programme import Programme
    from astradio_stream.wire.quantum import Codec

NS_PER_S: Final = 1_000_000_000
GATHERS_FROM_MS: Final = 1_000
"""A buffer of this length does not feel whether quanta come one by one (milliseconds)."""
CLOSED_BY_UVICORN: Final = {row.code: row for row in (Closing.BAD_UTF8, Closing.TOO_BIG)}
"""What never reaches a session because the frames themselves are wrong."""


class Lack(Enum):
    """What keeps a quantum that is due from being sent."""

    NOTHING = "all that is due is sent"
    A_TURN = "there is more than one write takes"
    ROOM = "the listener does not take what was written before"
    A_SEGMENT = "it is not made yet"


def rate_of(shell: Shell) -> Rate:
    """Return how many messages one listener may send."""
    return Rate(shell.settings.rate_limit_max, shell.settings.rate_limit_window_s)


class Listener:
    """One connected player."""

    def __init__(self, shell: Shell, websocket: WebSocket) -> None:
        self._shell = shell
        self._clock = shell.clock
        self._websocket = websocket
        self._outlet = outlet_of(websocket.scope)
        self._patience = Patience()
        self.slot = -1
        """The pump's."""
        self.may_gather = False
        """Whether its buffer is large enough to get several quanta at once."""
        self._wake = asyncio.Event()
        self._made: tuple[Programme, int, ReadyMade] | None = None
        self._hello_ns: int | None = None
        self._left_with = 1006
        self.session = Session(
            f"ses_{secrets.token_hex(8)}",
            self._clock.now_ns(),
            request_id=request_id_of(websocket),
            timings=shell.timings,
            rate=rate_of(shell),
            check_programme=mistakes_of,
        )
        self._answering = Answering(shell, self.session, self._wake.set)

    def tell(self, message: JsonObject) -> None:
        """Say something that changes nothing."""
        self.session.tell(message)
        self._wake.set()

    def leave(self, closing: Closing) -> None:
        """Close."""
        self.session.close(closing)
        self._wake.set()

    async def run(self) -> None:
        """Carry the conversation to its end."""
        offered = self._websocket.scope.get("subprotocols", [])
        try:
            await self._websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        except OSError:  # it left while we answered
            return
        self._outlet.listen(self._on_message)
        frames: ControlFrames | None = getattr(self._websocket.state, "control_frames", None)
        if frames is not None:
            frames.listen(self._on_control_frame)
        reader = asyncio.create_task(self._read())
        try:
            await self._write()
        except (WebSocketDisconnect, OutletClosed):
            self.session.disconnected()
        except Exception as error:
            self._broke(error)
            with contextlib.suppress(WebSocketDisconnect, OutletClosed):
                await self._perform_all()
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader
            await self._answering.stop()
            self._ended()

    async def _read(self) -> None:
        """Feed the session what arrived before we listened, and the end of it all."""
        session = self.session
        try:
            while session.state is not State.CLOSED:
                message = await self._websocket.receive()
                if message["type"] == "websocket.disconnect":
                    self._left_with = message.get("code", 1006)
                    session.disconnected()
                    self._wake.set()
                else:
                    text = message.get("text")
                    self._on_message(message["bytes"] if text is None else text)
        except Exception as error:
            self._broke(error)
            self._wake.set()

    def _on_message(self, message: str | bytes) -> None:
        """Feed the session one message."""
        session, now_ns = self.session, self._clock.now_ns()
        try:
            session.limit(rate_of(self._shell), now_ns)
            if isinstance(message, str):
                session.receive_text(message, now_ns, self._clock.unix_us())
            else:
                session.receive_binary(len(message))
        except Exception as error:
            self._broke(error)
        self._heed()

    def _on_control_frame(self) -> None:
        """Count a ping or a pong of the WebSocket."""
        self.session.receive_control(self._clock.now_ns())
        self._heed()

    async def _write(self) -> None:
        """Carry out what the session wants, send what is due, sleep until there is more."""
        session = self.session
        while True:
            await self._perform_all()
            if session.state is State.CLOSED:
                return
            now_ns = self._clock.now_ns()
            session.advance(now_ns)
            lack = self._send_due(now_ns)
            if lack is Lack.NOTHING:
                await self._sleep()
            elif lack is Lack.A_TURN:
                await asyncio.sleep(0)  # a burst must not keep the loop from the others
            elif lack is Lack.ROOM:
                await self._room()
            else:
                await self._fetch()

    def on_tick(self, now_ns: int) -> int | None:
        """Send what is due; return the next moment (ns), or None if the task goes on.

        The pump calls this while the task sleeps: no task is woken for a quantum that is ready.
        """
        session = self.session
        if self._wake.is_set():
            return None
        try:
            session.advance(now_ns)
            if self._send_due(now_ns) is Lack.NOTHING and not session.has_actions:
                return session.next_wake_ns()
        except Exception as error:
            self._broke(error)
        self._wake.set()
        return None

    def _send_due(self, now_ns: int) -> Lack:
        """Send all quanta that are due and at hand, as one write; return what others lack."""
        session = self.session
        if session.due(now_ns) is None:
            return Lack.NOTHING
        if not self._outlet.has_room:
            return Lack.ROOM
        metrics = self._shell.metrics
        gathered_ns = self._shell.pump.gather_ns if self.may_gather else 0
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
            k, n = divmod(index // QUANTUM_SAMPLES, QUANTA_PER_SEGMENT)
            made = self._at_hand(k)
            if made is None:
                lack = Lack.A_SEGMENT
                break
            frame = made.frame(n, session.epoch, viz=viz)
            frames.append(made.told[n])
            frames.append(frame)
            n_bytes += len(frame)
            metrics.sent(session.quantum_sent(len(frame), now_ns) - gathered_ns, len(frame))
        if frames:
            self._outlet.write(b"".join(frames))
            if self._hello_ns is not None:
                waited_ns = self._clock.now_ns() - self._hello_ns
                metrics.first_quantum_seconds.observe(waited_ns / NS_PER_S)
                self._hello_ns = None
        return lack

    def _at_hand(self, k: int) -> ReadyMade | None:
        """Return segment k of the programme if it is ready."""
        kept = self._made
        if kept is not None and kept[1] == k and kept[0] is self._answering.programme:
            return kept[2]
        made = self._shell.engine.at_hand(*self._played(k))
        if made is not None:
            self._take(k, made)
        return made

    async def _fetch(self) -> None:
        """Wait for the segment of the quantum that is due."""
        index = self.session.due(self._clock.now_ns())
        if index is not None:
            programme, k, codec = self._played(index // SEGMENT_SAMPLES)
            made = await self._shell.engine.segment(programme, k, codec)
            if programme is self._answering.programme:
                self._take(k, made)

    def _take(self, k: int, made: ReadyMade) -> None:
        """Keep segment k until another is wanted; the next will be wanted in a second."""
        programme, following, codec = self._played(k + 1)
        self._made = (programme, k, made)
        self._shell.engine.prefetch(programme, following, codec, self._due_ns(following))

    def _due_ns(self, k: int) -> int:
        """Return when the first quantum of segment k will be due."""
        now_ns = self._clock.now_ns()
        playhead, hello = self.session.playhead(now_ns), self.session.hello
        if playhead is None or hello is None:
            return now_ns
        wanted = k * SEGMENT_SAMPLES + QUANTUM_SAMPLES - milliseconds_to_samples(hello.buffer_ms)
        return now_ns + samples_to_ns(max(0, wanted - playhead))

    def _played(self, k: int) -> tuple[Programme, int, Codec]:
        """Return what names segment k: the programme, k, and how its sound is written."""
        hello, programme = self.session.hello, self._answering.programme
        if hello is None or programme is None:
            raise RuntimeError("a quantum is due before ready")
        return programme, k, CODEC_OF_WORD[hello.codecs[0]]

    async def _room(self) -> None:
        """Wait until the listener takes what we write; who was slow gets less, or a close."""
        session, began_ns = self.session, self._clock.now_ns()
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

    async def _perform_all(self) -> None:
        """Carry out actions until there are none."""
        while actions := self.session.take_actions():
            for action in actions:
                await self._perform(action)

    async def _perform(self, action: Action) -> None:
        """Carry out one action."""
        if isinstance(action, SendText):
            if not self._outlet.has_room:
                await self._room()
            self._outlet.write(framed_text(dump_text(action.message)))
        elif isinstance(action, Close):
            await self._close(action.closing)
        else:
            if isinstance(action, Join):
                self._hello_ns = self._clock.now_ns()
                self.may_gather = action.hello.buffer_ms >= GATHERS_FROM_MS
            self._answering.ask(action)

    async def _close(self, closing: Closing) -> None:
        """Say goodbye; who takes nothing has a while to hear of it, but we do not wait for it."""
        if not self._outlet.has_room:
            self._outlet.close(closing.code, closing.word)
            return
        with contextlib.suppress(RuntimeError):  # uvicorn may have closed already
            await self._websocket.close(closing.code, closing.word)

    async def _sleep(self) -> None:
        """Wait until the session has something to do, or is told something."""
        wake_ns = self.session.next_wake_ns()
        if wake_ns is None:
            return
        self._shell.pump.watch(self, wake_ns)
        await self._wake.wait()
        self._shell.pump.forget(self)
        self._wake.clear()

    def _heed(self) -> None:
        """Wake the task if what arrived asks for more than another moment to wait for."""
        wake_ns = self.session.next_wake_ns()
        if wake_ns is None or self.session.has_actions:
            self._wake.set()
        elif self.slot >= 0:
            self._shell.pump.watch(self, wake_ns)

    def _broke(self, error: Exception) -> None:
        """Log a failure of ours and end the conversation because of it."""
        if isinstance(error, OutletClosed):
            self.session.disconnected()
            return
        log_failure("SESSION_FAILED", error, session=self.session.session_id)
        self.session.failed(error)

    def _ended(self) -> None:
        """Count and log how it ended."""
        session = self.session
        closing = session.closing or CLOSED_BY_UVICORN.get(self._left_with)
        how = "lost" if closing is None else closing.label
        self._shell.metrics.sessions.labels(how).inc()
        if session.last_report is not None:
            self._shell.metrics.underruns.inc(session.last_report.underruns)
        log("LEFT", session=session.session_id, closing=how, bytes=session.n_bytes_sent)

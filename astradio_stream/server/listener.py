"""The shell around one session: takes from the socket, feeds the session, sends what it produced.

One task reads, one writes; every decision is the session's.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import TYPE_CHECKING, Final

from starlette.websockets import WebSocketDisconnect

from astradio_stream.server.answering import Answering
from astradio_stream.server.http import request_id_of
from astradio_stream.server.logs import log, log_failure
from astradio_stream.stream.programme import mistakes_of
from astradio_stream.strict_json import dump_text
from astradio_stream.units import QUANTA_PER_SEGMENT, QUANTUM_SAMPLES
from astradio_stream.wire import answers
from astradio_stream.wire.actions import Action, Close, Join, SendText
from astradio_stream.wire.bucket import Rate
from astradio_stream.wire.closing import Closing
from astradio_stream.wire.messages import SUBPROTOCOL, JsonObject
from astradio_stream.wire.quantum import CODEC_OF_WORD, with_epoch
from astradio_stream.wire.session import Session, State

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.websockets import WebSocket

    from astradio_stream.server.handshake import ControlFrames
    from astradio_stream.server.renderer import ReadyMade
    from astradio_stream.server.shell import Shell

NS_PER_S: Final = 1_000_000_000
SEND_TIMEOUT_S: Final = 10.0
"""A listener that takes nothing for so long is cut off as too slow."""
CLOSE_TIMEOUT_S: Final = 1.0
CLOSED_BY_UVICORN: Final = {row.code: row for row in (Closing.BAD_UTF8, Closing.TOO_BIG)}
"""What never reaches a session because the frames themselves are wrong."""


def rate_of(shell: Shell) -> Rate:
    """Return how many messages one listener may send."""
    return Rate(shell.settings.rate_limit_max, shell.settings.rate_limit_window_s)


class Listener:
    """One connected player."""

    def __init__(self, shell: Shell, websocket: WebSocket) -> None:
        self._shell = shell
        self._clock = shell.clock
        self._websocket = websocket
        self._wake = asyncio.Event()
        self._made: tuple[str, int, ReadyMade] | None = None
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

    def leave(self, message: JsonObject, closing: Closing) -> None:
        """Say a last message and close."""
        self.session.tell(message)
        self.session.close(closing)
        self._wake.set()

    async def run(self) -> None:
        """Carry the conversation to its end."""
        offered = self._websocket.scope.get("subprotocols", [])
        try:
            await self._websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        except OSError:  # it left while we answered
            return
        reader = asyncio.create_task(self._read())
        try:
            await self._write()
        except WebSocketDisconnect:
            self.session.disconnected()
        except Exception as error:
            log_failure("SESSION_FAILED", error, session=self.session.session_id)
            self.session.failed(error)
            with contextlib.suppress(WebSocketDisconnect):
                await self._perform_all()
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader
            await self._answering.stop()
            self._ended()

    async def _read(self) -> None:
        """Feed the session what arrives."""
        session = self.session
        frames: ControlFrames | None = getattr(self._websocket.state, "control_frames", None)
        if frames is not None:
            frames.listen(self._on_control_frame)
        try:
            while session.state is not State.CLOSED:
                message = await self._websocket.receive()
                session.limit(rate_of(self._shell), self._clock.now_ns())
                if message["type"] == "websocket.disconnect":
                    self._left_with = message.get("code", 1006)
                    session.disconnected()
                elif (text := message.get("text")) is not None:
                    session.receive_text(text, self._clock.now_ns(), self._clock.unix_us())
                else:
                    session.receive_binary(len(message["bytes"]))
                self._wake.set()
        except Exception as error:
            log_failure("SESSION_FAILED", error, session=session.session_id)
            session.failed(error)
            self._wake.set()

    def _on_control_frame(self) -> None:
        """Count a ping or a pong of the WebSocket."""
        self.session.receive_control(self._clock.now_ns())
        self._wake.set()

    async def _write(self) -> None:
        """Carry out what the session wants, send what is due, sleep until there is more."""
        session = self.session
        while True:
            await self._perform_all()
            if session.state is State.CLOSED:
                return
            now_ns = self._clock.now_ns()
            session.advance(now_ns)
            index = session.due(now_ns)
            if index is not None:
                await self._send_quantum(index)
                await asyncio.sleep(0)  # a burst must not keep the loop from the others
            else:
                await self._sleep()

    async def _send_quantum(self, index: int) -> None:
        """Fetch the quantum at `index` and send it, unless the session has moved on meanwhile."""
        session, metrics = self.session, self._shell.metrics
        epoch = session.epoch
        k, n = divmod(index // QUANTUM_SAMPLES, QUANTA_PER_SEGMENT)
        made = await self._segment(k)
        now_ns = self._clock.now_ns()
        if session.due(now_ns) != index or session.epoch != epoch:
            return
        has_viz = session.viz and self._shell.settings.enable_viz_engine
        message = with_epoch((made.with_viz if has_viz else made.without_viz)[n], epoch)
        late_ns = session.quantum_sent(len(message), now_ns)
        await self._tell_events(made, index)
        await self._send(self._websocket.send_bytes(message))
        metrics.quantum_lateness_seconds.observe(late_ns / NS_PER_S)
        metrics.sent_bytes.inc(len(message))
        if self._hello_ns is not None:
            waited_ns = self._clock.now_ns() - self._hello_ns
            metrics.first_quantum_seconds.observe(waited_ns / NS_PER_S)
            self._hello_ns = None

    async def _segment(self, k: int) -> ReadyMade:
        """Return segment k of the programme; it is kept until another is wanted."""
        hello, programme = self.session.hello, self._answering.programme
        if hello is None or programme is None:
            raise RuntimeError("a quantum is due before ready")
        key = (programme.programme_id, k)
        if self._made is None or self._made[:2] != key:
            codec = CODEC_OF_WORD[hello.codecs[0]]
            self._made = (*key, await self._shell.engine.segment(programme, k, codec))
            self._shell.engine.prefetch(programme, k + 1, codec)
        return self._made[2]

    async def _tell_events(self, made: ReadyMade, index: int) -> None:
        """Announce what is heard within the quantum at `index`, ahead of it."""
        for event in made.events:
            if index <= event.index < index + QUANTUM_SAMPLES:
                told = answers.event(event.index, event.kind, event.text, event.bodies, {})
                await self._send(self._websocket.send_text(dump_text(told)))

    async def _perform_all(self) -> None:
        """Carry out actions until there are none."""
        while actions := self.session.take_actions():
            for action in actions:
                await self._perform(action)

    async def _perform(self, action: Action) -> None:
        """Carry out one action."""
        if isinstance(action, SendText):
            await self._send(self._websocket.send_text(dump_text(action.message)))
        elif isinstance(action, Close):
            with contextlib.suppress(TimeoutError, RuntimeError):  # uvicorn may have closed already
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._websocket.close(action.closing.code, action.closing.word)
        else:
            if isinstance(action, Join):
                self._hello_ns = self._clock.now_ns()
            self._answering.ask(action)

    async def _send(self, sending: Awaitable[None]) -> None:
        """Send, unless the listener takes nothing for too long."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await sending
        except TimeoutError:
            self.session.close(Closing.SLOW_CONSUMER)
        except RuntimeError:  # uvicorn has closed already: bad UTF-8, a message too big
            raise WebSocketDisconnect(1006) from None

    async def _sleep(self) -> None:
        """Wait until the session has something to do, or is told something."""
        wake_ns = self.session.next_wake_ns()
        if wake_ns is None:
            return
        # A loop whose timers count milliseconds would spin through the last one.
        delay_s = max(0.001, (wake_ns - self._clock.now_ns()) / NS_PER_S)
        timer = asyncio.get_running_loop().call_later(delay_s, self._wake.set)
        await self._wake.wait()
        timer.cancel()
        self._wake.clear()

    def _ended(self) -> None:
        """Count and log how it ended."""
        session = self.session
        closing = session.closing or CLOSED_BY_UVICORN.get(self._left_with)
        how = "lost" if closing is None else closing.label
        self._shell.metrics.sessions.labels(how).inc()
        if session.last_report is not None:
            self._shell.metrics.underruns.inc(session.last_report.underruns)
        log("LEFT", session=session.session_id, closing=how, bytes=session.n_bytes_sent)

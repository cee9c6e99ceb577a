"""The shell around one session: takes from the socket, feeds the session, sends what it produced.

One task reads, one writes, and one at a time finds out what the session asks; every decision is the
session's.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import secrets
from collections import deque
from typing import TYPE_CHECKING, Final

from starlette.websockets import WebSocketDisconnect

from astradio_stream.server.http import request_id_of
from astradio_stream.server.logs import log, log_failure
from astradio_stream.server.probes import limits_of
from astradio_stream.stream.programme import Programme, mistakes_of
from astradio_stream.stream.steering import first_replaced
from astradio_stream.strict_json import dump_text
from astradio_stream.units import QUANTA_PER_SEGMENT, QUANTUM_SAMPLES, SEGMENT_SAMPLES
from astradio_stream.wire import answers
from astradio_stream.wire.actions import Action, Close, Join, Question, Seek, SendText, Steer
from astradio_stream.wire.answers import SteeredParts
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
    from astradio_stream.wire.answers import ReadyParts
    from astradio_stream.wire.messages import Hello

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
        self._programme: Programme | None = None
        self._made: tuple[str, int, ReadyMade] | None = None
        self._told_until = 0
        self._questions: deque[Question] = deque()
        self._answering: asyncio.Task[None] | None = None
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
            for task in (reader, self._answering):
                if task is not None:
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task
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
        hello, programme = self.session.hello, self._programme
        if hello is None or programme is None:
            raise RuntimeError("a quantum is due before ready")
        key = (programme.programme_id, k)
        if self._made is None or self._made[:2] != key:
            codec = CODEC_OF_WORD[hello.codecs[0]]
            self._made = (*key, await self._shell.engine.segment(programme, k, codec))
            self._shell.engine.prefetch(programme, k + 1, codec)
        return self._made[2]

    async def _tell_events(self, made: ReadyMade, index: int) -> None:
        """Announce what is heard within the quantum at `index`, ahead of it, and only once."""
        begin, self._told_until = max(index, self._told_until), index + QUANTUM_SAMPLES
        for event in made.events:
            if begin <= event.index < index + QUANTUM_SAMPLES:
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
            self._questions.append(action)
            if self._answering is None:
                self._answering = asyncio.create_task(self._answer_all())

    async def _answer_all(self) -> None:
        """Answer what the session asked, in its order, while the writer goes on.

        Who has gone waits for no answer.
        """
        session = self.session
        try:
            while self._questions and session.state is not State.CLOSED:
                await self._answer(self._questions.popleft())
                self._wake.set()
        finally:
            self._answering = None

    async def _answer(self, question: Question) -> None:
        """Answer one question about the programme."""
        session = self.session
        try:
            if isinstance(question, Steer):
                await self._steer(question)
            elif isinstance(question, Join):
                self._ready(await self._join(question.hello))
            else:
                self._ready(await self._seek(question))
        except Exception as error:
            if isinstance(question, Steer):
                session.not_steered(error)
            else:
                session.refused(error)
            if session.closing is Closing.INTERNAL:
                log_failure("JOIN_FAILED", error, requestId=session.request_id)

    def _ready(self, parts: ReadyParts) -> None:
        """Let the session begin an epoch."""
        self._told_until = 0
        parts = dataclasses.replace(parts, limits=limits_of(self._shell))
        self.session.joined(parts, self._clock.now_ns(), self._clock.unix_us())

    async def _join(self, hello: Hello) -> ReadyParts:
        self._hello_ns = self._clock.now_ns()
        self._programme, parts = await self._shell.engine.join(hello)
        log(
            "JOINED",
            session=self.session.session_id,
            requestId=self.session.request_id,
            programme=self._programme.programme_id,
            codec=hello.codecs[0],
            client=hello.client,
        )
        return parts

    async def _seek(self, seek: Seek) -> ReadyParts:
        if self._programme is None or self.session.hello is None:
            raise RuntimeError("a seek before ready")
        return await self._shell.engine.seek(self._programme, self.session.hello, seek.to_index)

    async def _steer(self, steer: Steer) -> None:
        """Change the programme as soon as it can still be heard in time."""
        session, engine, hello = self.session, self._shell.engine, self.session.hello
        if self._programme is None or hello is None:
            raise RuntimeError("a steer before ready")
        codec = CODEC_OF_WORD[hello.codecs[0]]
        is_in_time = False
        while not is_in_time:
            first_open = session.first_open(self._clock.now_ns())
            programme, effective = await engine.steer(self._programme, steer, first_open)
            first_index = first_replaced(effective)
            await engine.segment(programme, first_index // SEGMENT_SAMPLES, codec)
            parts = SteeredParts(
                programme.to_json(), programme.programme_id, first_index, effective
            )
            is_in_time = session.steered(parts, self._clock.now_ns())
        self._programme = programme
        self._told_until = min(self._told_until, effective)

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

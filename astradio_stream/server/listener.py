"""The shell around one session: takes from the socket, feeds the session, sends what it produced.

One task reads, one writes; every decision is the session's. Quanta that are due and ready are sent
by the pump, without waking a task.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import TYPE_CHECKING, Final

from starlette.websockets import WebSocketDisconnect

from astradio_stream.server.answering import Answering
from astradio_stream.server.http import request_id_of
from astradio_stream.server.light import LightEvent
from astradio_stream.server.limits import rate_of
from astradio_stream.server.logs import log, log_failure
from astradio_stream.server.outlet import OutletClosed, framed_text, outlet_of
from astradio_stream.server.sender import Lack, Sender
from astradio_stream.stream.programme import mistakes_of
from astradio_stream.strict_json import dump_text
from astradio_stream.wire.actions import Action, Close, Join, Seek, SendText
from astradio_stream.wire.closing import Closing
from astradio_stream.wire.messages import SUBPROTOCOL, JsonObject
from astradio_stream.wire.session import Session, State

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from astradio_stream.server.handshake import ControlFrames
    from astradio_stream.server.shell import Shell

CLOSED_BY_UVICORN: Final = {row.code: row for row in (Closing.BAD_UTF8, Closing.TOO_BIG)}
"""What never reaches a session because the frames themselves are wrong."""


class Listener:
    """One connected player."""

    def __init__(self, shell: Shell, websocket: WebSocket) -> None:
        self._shell = shell
        self._clock = shell.clock
        self._websocket = websocket
        self._outlet = outlet_of(websocket.scope)
        self.slot = -1
        """The pump's."""
        self._wake = LightEvent()
        self._left_with = 1006
        self.session = Session(
            f"ses_{secrets.token_hex(8)}",
            self._clock.now_ns(),
            request_id=request_id_of(websocket),
            timings=shell.timings,
            rate=rate_of(shell.settings),
            check_programme=mistakes_of,
        )
        self._answering = Answering(shell, self.session, websocket, self._wake.set)
        self._sender = Sender(shell, self.session, self._answering, self._outlet)

    @property
    def most_gathered(self) -> int:
        """How many quanta may wait for a later one."""
        return self._sender.most_gathered

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
        before = session.last_report
        try:
            session.limit(rate_of(self._shell.settings), now_ns)
            if isinstance(message, str):
                session.receive_text(message, now_ns, self._clock.unix_us())
            else:
                session.receive_binary(len(message))
        except Exception as error:
            self._broke(error)
        if session.last_report is not before and session.last_report is not None:
            self._shell.metrics.reported(session.last_report)
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
            lack = self._sender.send_due(now_ns)
            if lack is Lack.NOTHING:
                await self._sleep()
            elif lack is Lack.A_TURN:
                await asyncio.sleep(0)  # a burst must not keep the loop from the others
            elif lack is Lack.ROOM:
                await self._sender.room()
            else:
                await self._sender.fetch()

    def on_tick(self, now_ns: int) -> int | None:
        """Send what is due; return the next moment (ns), or None if the task goes on.

        The pump calls this while the task sleeps: no task is woken for a quantum that is ready.
        """
        session = self.session
        if self._wake.is_set():
            return None
        try:
            session.advance(now_ns)
            if self._sender.send_due(now_ns) is Lack.NOTHING and not session.has_actions:
                return session.next_wake_ns()
        except Exception as error:
            self._broke(error)
        self._wake.set()
        return None

    async def _perform_all(self) -> None:
        """Carry out actions until there are none."""
        while actions := self.session.take_actions():
            for action in actions:
                await self._perform(action)

    async def _perform(self, action: Action) -> None:
        """Carry out one action."""
        if isinstance(action, SendText):
            if not self._outlet.has_room:
                await self._sender.room()
            self._outlet.write(framed_text(dump_text(action.message)))
        elif isinstance(action, Close):
            await self._close(action.closing)
        else:
            if isinstance(action, Join):
                self._sender.greeted(action.hello)
            elif isinstance(action, Seek):
                self._sender.sought()
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

"""The WebSocket handshakes that are refused before the application hears of them.

uvicorn answers those by itself, in plain text, or not at all; the contract wants the one shape of
error.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import HTTPConnection
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import SecurityError
from websockets.protocol import State
from websockets.server import ServerProtocol

from astradio_stream.server.admission import reason_against
from astradio_stream.server.frames import (
    ends_with_a_frame,
    ends_with_the_request,
    whole_text,
)
from astradio_stream.server.http import kept_request_id
from astradio_stream.server.light import LightEvent, LightQueue
from astradio_stream.server.malformed import early_refusal
from astradio_stream.server.outlet import EXTENSION, Outlet
from astradio_stream.wire.closing import Closing

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from uvicorn.config import Config
    from uvicorn.server import ServerState
    from websockets.frames import Frame
    from websockets.http11 import Request

    from astradio_stream.server.shell import Shell

WEBSOCKET_VERSION: Final = "13"  # RFC 6455 §4.1

# What the websockets library finds wrong with a handshake, by the status it would answer.
# fmt: off
_REFUSALS: Final = {
    HTTPStatus.METHOD_NOT_ALLOWED: ("METHOD_NOT_ALLOWED", "a WebSocket is asked for with GET"),
    HTTPStatus.UPGRADE_REQUIRED:   ("UPGRADE_REQUIRED",   "this is not a WebSocket handshake"),
}
# fmt: on
_BAD_HANDSHAKE: Final = ("BAD_REQUEST", "this is not a WebSocket handshake")
_UPGRADE: Final = {"Upgrade": "websocket", "Connection": "Upgrade, close"}
"""What a 426 must say is spoken here (RFC 9110 §15.5.22), for this connection alone (§7.8)."""


class ControlFrames:
    """Tells whoever listens that a frame came which is no message, so that it is counted too."""

    def __init__(self) -> None:
        self._heed: Callable[[], None] | None = None

    def listen(self, heed: Callable[[], None] | None) -> None:
        """Call `heed` for each from now on."""
        self._heed = heed

    def came(self) -> None:
        """Tell of one."""
        if self._heed is not None:
            self._heed()


class QuietConnection(ServerProtocol):
    """The library's half of a connection, which says no more in a close than the contract does."""

    def fail(self, code: int, reason: str = "") -> None:  # noqa: ARG002 - their words, not ours
        """Give up; the reason is the code's word, and those that end here have none."""
        super().fail(code)


def _take_apart(conn: ServerProtocol) -> None:
    """End a connection's parser, which waits for bytes, and let its errors forget their frames."""
    conn.parser.close()
    errors: list[BaseException | None] = [conn.handshake_exc, conn.parser_exc]
    while errors:
        error = errors.pop()
        if error is not None:
            error.__traceback__ = None
            errors.append(error.__context__)


class StreamProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol with our answers to bad handshakes and bad frames."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        _take_apart(self.conn)
        self.conn = QuietConnection(max_size=config.ws_max_size, logger=self.logger)
        # What the library makes of each costs a tenth of a connection.
        self.queue = LightQueue()  # type: ignore[assignment]
        self.writable = LightEvent()  # type: ignore[assignment]
        self.writable.set()
        self.control_frames = ControlFrames()
        self.on_message: Callable[[str | bytes], None] | None = None
        self._is_between_frames = False

    async def run_asgi(self) -> None:
        """Let the application serve; then forget it, so that neither is left as garbage.

        What refers to itself in a circle waits for a collection of everything, and while that goes
        on nobody is sent anything.
        """
        try:
            await super().run_asgi()
        finally:
            self.on_message = None
            self.control_frames.listen(None)
            self.scope["extensions"].pop(EXTENSION, None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Heed that the connection is gone, and with it what refers to itself."""
        super().connection_lost(exc)
        _take_apart(self.conn)

    def data_received(self, data: bytes) -> None:
        """Heed bytes: a short text the short way; a handshake that cannot be read is refused."""
        if self._is_between_frames:
            text = whole_text(data) if self.on_message and self._is_talking else None
            if text is not None:
                self.on_message(text)  # type: ignore[misc]
                return
            self._is_between_frames = ends_with_a_frame(data)
        elif not self.handshake_initiated:
            self._is_between_frames = ends_with_the_request(data)
        super().data_received(data)
        error = self.conn.handshake_exc
        if error is None or self.handshake_initiated:
            return
        if isinstance(error, SecurityError):
            self._refuse(None, "HEADERS_TOO_LARGE", "the header is too large")
        else:
            self._refuse(None, *_BAD_HANDSHAKE)

    @property
    def _is_talking(self) -> bool:
        """Whether a frame that comes now is a message of its own, and is still wanted."""
        conn = self.conn
        return conn.state is State.OPEN and conn.current_size is None and not self.close_sent

    def handle_connect(self, event: Request) -> None:
        """Begin a handshake, or refuse it."""
        is_version_right = event.headers.get_all("Sec-WebSocket-Version") == [WEBSOCKET_VERSION]
        response = self.conn.accept(event)
        is_proper = response.status_code == HTTPStatus.SWITCHING_PROTOCOLS
        if not (is_version_right and is_proper):
            shell: Shell = self.config.app.state.shell  # type: ignore[union-attr]
            denied = reason_against(shell, self._asking(event))
            if denied is not None:  # what stands before the version in the order of refusals
                self._refuse(event, *denied)
                return
        if not is_version_right:
            sentence = f"this server speaks WebSocket version {WEBSOCKET_VERSION}"
            version = {"Sec-WebSocket-Version": WEBSOCKET_VERSION}
            self._refuse(event, "UPGRADE_REQUIRED", sentence, _UPGRADE | version)
            return
        if not is_proper:
            code, sentence = _REFUSALS.get(HTTPStatus(response.status_code), _BAD_HANDSHAKE)
            headers = _UPGRADE if code == "UPGRADE_REQUIRED" else {}
            if "Allow" in response.headers:
                headers = headers | {"Allow": response.headers["Allow"]}
            self._refuse(event, code, sentence, headers)
            return
        super().handle_connect(event)
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[EXTENSION] = Outlet(self)
        self.scope["state"]["control_frames"] = self.control_frames

    def handle_cont(self, event: Frame) -> None:
        """Heed a fragment; those with nothing in them could go on for ever, so they are counted."""
        if not event.data and not event.fin:
            self.control_frames.came()
        super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Pass a message on: straight to who listens, else by way of uvicorn's queue.

        Text that is no text is no error of ours to log.
        """
        is_text = self.curr_msg_data_type == "text"
        if self.close_sent or not (is_text or self.on_message):
            super().send_receive_event_to_app()
            return
        data = b"".join(self.frames)
        try:
            message = data.decode() if is_text else data
        except UnicodeDecodeError:
            self.frames = []
            self.conn.send_close(Closing.BAD_UTF8.code)
            self.handle_parser_exception()
            return
        if self.on_message is None:
            super().send_receive_event_to_app()
        else:
            self.frames = []
            self.on_message(message)

    def handle_pong(self, event: Frame) -> None:
        """Heed a pong that nobody asked for."""
        self.control_frames.came()
        super().handle_pong(event)

    def handle_ping(self) -> None:
        """Answer a ping, unless its sender does not take the answers: they would pile up here."""
        self.control_frames.came()
        pong = self.conn.data_to_send()
        if self.writable.is_set():
            self.transport.write(b"".join(pong))

    async def send(self, message: Any) -> None:
        """Send what the application says; after a refusal of its own the handshake is complete."""
        was_complete = self.handshake_complete
        await super().send(message)
        if self.handshake_complete and not was_complete:
            # The application has what it needs in its scope; the parser would keep these for ever.
            self.request.headers.clear()
            self.response.headers.clear()
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True  # else uvicorn logs an error that is none

    def _asking(self, event: Request) -> HTTPConnection:
        """Return who asks, before there is a scope for the application."""
        headers = [
            (name.lower().encode("ascii"), value.encode("latin-1", "replace"))
            for name, value in event.headers.raw_items()
        ]
        return HTTPConnection(
            {
                "type": "websocket",
                "scheme": self.scheme,
                "path": event.path,
                "query_string": b"",
                "headers": headers,
                "client": self.client,
                "server": self.server,
            }
        )

    def _refuse(
        self,
        event: Request | None,
        code: str,
        sentence: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Answer in the one shape and close."""
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        given = "" if event is None else ",".join(event.headers.get_all("X-Request-Id"))
        answer = early_refusal(
            self.config.app,
            code,
            sentence,
            request_id=kept_request_id(given),
            headers=headers,
            method="WEBSOCKET",
        )
        self.transport.write(answer)
        self.transport.close()

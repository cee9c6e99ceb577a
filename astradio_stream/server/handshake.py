"""The WebSocket handshakes that are refused before the application hears of them.

uvicorn answers those by itself, in plain text, or not at all; the contract wants the one shape of
error.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import SecurityError

from astradio_stream.server.http import kept_request_id
from astradio_stream.server.malformed import early_refusal
from astradio_stream.server.outlet import EXTENSION, Outlet

if TYPE_CHECKING:
    from websockets.http11 import Request

WEBSOCKET_VERSION: Final = "13"  # RFC 6455 §4.1

# What the websockets library finds wrong with a handshake, by the status it would answer.
# fmt: off
_REFUSALS: Final = {
    HTTPStatus.METHOD_NOT_ALLOWED: ("METHOD_NOT_ALLOWED", "a WebSocket is asked for with GET"),
    HTTPStatus.UPGRADE_REQUIRED:   ("UPGRADE_REQUIRED",   "this is not a WebSocket handshake"),
}
# fmt: on
_BAD_HANDSHAKE: Final = ("BAD_REQUEST", "this is not a WebSocket handshake")


class StreamProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol with our answers to bad handshakes."""

    def data_received(self, data: bytes) -> None:
        """Heed bytes; a handshake that cannot even be read is refused."""
        super().data_received(data)
        error = self.conn.handshake_exc
        if error is None or self.handshake_initiated:
            return
        if isinstance(error, SecurityError):
            self._refuse(None, "HEADERS_TOO_LARGE", "the header is too large")
        else:
            self._refuse(None, *_BAD_HANDSHAKE)

    def handle_connect(self, event: Request) -> None:
        """Begin a handshake, or refuse it."""
        if event.headers.get_all("Sec-WebSocket-Version") != [WEBSOCKET_VERSION]:
            sentence = f"this server speaks WebSocket version {WEBSOCKET_VERSION}"
            version = {"Sec-WebSocket-Version": WEBSOCKET_VERSION}
            self._refuse(event, "UPGRADE_REQUIRED", sentence, version)
            return
        response = self.conn.accept(event)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            code, sentence = _REFUSALS.get(HTTPStatus(response.status_code), _BAD_HANDSHAKE)
            allow = {
                name: response.headers[name] for name in ("Allow",) if name in response.headers
            }
            self._refuse(event, code, sentence, allow)
            return
        super().handle_connect(event)
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[EXTENSION] = Outlet(self)

    def handle_ping(self) -> None:
        """Answer a ping, unless its sender does not take the answers: they would pile up here."""
        pong = self.conn.data_to_send()
        if self.writable.is_set():
            self.transport.write(b"".join(pong))

    async def send(self, message: Any) -> None:
        """Send what the application says; after a refusal of its own the handshake is complete."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True  # else uvicorn logs an error that is none

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

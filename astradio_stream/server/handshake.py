"""The one handshake that is refused before the application hears of it: a version we do not speak.

uvicorn answers it by itself, in plain text; the contract wants the one shape of error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from astradio_stream.server.http import SECURITY_HEADERS, new_request_id
from astradio_stream.server.logs import log
from astradio_stream.strict_json import dump_text

if TYPE_CHECKING:
    from websockets.http11 import Request

WEBSOCKET_VERSION: Final = "13"  # RFC 6455 §4.1


class StreamProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol with our answer to a wrong version."""

    def handle_connect(self, event: Request) -> None:
        """Begin a handshake, or refuse it with 426."""
        if event.headers.get_all("Sec-WebSocket-Version") == [WEBSOCKET_VERSION]:
            super().handle_connect(event)
            return
        request_id = new_request_id()
        sentence = f"this server speaks WebSocket version {WEBSOCKET_VERSION}"
        error = {"code": "UPGRADE_REQUIRED", "message": sentence}
        body = dump_text({"error": error, "requestId": request_id})
        refused = self.conn.reject(426, body)
        refused.headers.update(SECURITY_HEADERS)
        refused.headers["Sec-WebSocket-Version"] = WEBSOCKET_VERSION
        refused.headers["X-Request-Id"] = request_id
        refused.headers["Cache-Control"] = "no-store"
        del refused.headers["Content-Type"]
        refused.headers["Content-Type"] = "application/json"
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        self.conn.send_response(refused)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()
        log("HTTP", method="WEBSOCKET", status=426, requestId=request_id)

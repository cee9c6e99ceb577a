"""What is refused before the application hears of it: what is no HTTP, too long, or too slow.

uvicorn answers some of it by itself, in plain text and without an id, and some of it never; the
contract wants the one shape of error.
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from astradio_stream.server.http import SECURITY_HEADERS, STATUS_OF_CODE, new_request_id
from astradio_stream.server.logs import log
from astradio_stream.strict_json import dump_json

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from astradio_stream.server.shell import Shell

REQUEST_S: Final = 10.0
"""How long a request may take to arrive (seconds); a slow one must not hold its place for ever."""

_ARRIVING: Final = frozenset({h11.IDLE, h11.SEND_BODY})


def early_refusal(
    app: Any,
    code: str,
    message: str,
    *,
    request_id: str | None = None,
    headers: Mapping[str, str] | None = None,
    method: str = "-",
) -> bytes:
    """Count and log a refusal; return all its bytes, after which the connection is closed.

    Args:
        app: The application, for its metrics.
        code: One of the codes of HTTP.md.
        message: A sentence.
        request_id: The client's own, where it could be read.
        headers: What this refusal needs beside the usual.
        method: For the log.
    """
    status = STATUS_OF_CODE[code]
    request_id = request_id or new_request_id()
    body = dump_json({"error": {"code": code, "message": message}, "requestId": request_id})
    head = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Connection": "close",
        "X-Request-Id": request_id,
        **SECURITY_HEADERS,
        **(headers or {}),
    }
    shell: Shell = app.state.shell
    shell.metrics.http_responses.labels(f"{status // 100}xx").inc()
    log("HTTP", method=method, status=status, requestId=request_id)
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in head.items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


class PageProtocol(H11Protocol):
    """uvicorn's HTTP protocol with our answer to what is no HTTP, and a limit for the slow."""

    request_s = REQUEST_S
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Heed bytes; wait for more of them only so long."""
        super().data_received(data)
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over."""
        super().handle_websocket_upgrade(event)
        self._relax()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._relax()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words, not ours
        """Refuse what h11 cannot read; called while its error is being handled."""
        too_large = getattr(sys.exc_info()[1], "error_status_hint", 0) == 431
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # its answer would have no place to go
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            code = "HEADERS_TOO_LARGE" if too_large else "BAD_REQUEST"
            sentence = "the header is too large" if too_large else "this is not an HTTP request"
            self.transport.write(early_refusal(self.config.app, code, sentence))
        self.transport.close()

    def _watch(self) -> None:
        """Limit the wait while part of a request is missing."""
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        if self.conn.their_state not in _ARRIVING:
            self._relax()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.request_s, self.transport.close)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

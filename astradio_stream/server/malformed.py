"""What is refused before the application hears of it: what is no HTTP, too long, or too slow.

uvicorn answers some of it by itself, in plain text and without an id, and some of it never; the
contract wants the one shape of error.
"""

from __future__ import annotations

import re
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from astradio_stream.server.http import SECURITY_HEADERS, STATUS_OF_CODE, log_status, new_request_id
from astradio_stream.strict_json import dump_json

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from astradio_stream.server.shell import Shell

REQUEST_S: Final = 10.0
"""How long a request may take to arrive (seconds); a slow one must not hold its place for ever."""
SENDING_S: Final = 30.0
"""How long nothing of an answer may be taken (seconds). The system takes it from us in steps of a
third of its own buffer, some thirty kilobytes on a slow line: so it is one kilobyte a second."""
MAX_HEAD_BYTES: Final = 32_768
"""Beyond it a head is not even taken apart: a quarter of a megabyte of tiny headers would cost
a tenth of a second. What is less than this and still too large the gate refuses."""

_HEAD_END: Final = re.compile(rb"\n\r?\n")
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
    shell.metrics.answered(status, code)
    log_status(status, request_id, method=method, error_code=code)
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in head.items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


class PageProtocol(H11Protocol):
    """uvicorn's HTTP protocol with our answer to what is no HTTP, and a limit for the slow."""

    request_s = REQUEST_S
    sending_s = SENDING_S
    _deadline: asyncio.TimerHandle | None = None
    _sending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Heed bytes; wait for more of them only so long."""
        if self._is_head_too_large(data):
            self._unset_keepalive_if_required()
            sentence = "the header is too large"
            self.transport.write(early_refusal(self.config.app, "HEADERS_TOO_LARGE", sentence))
            self._leave()
            return
        super().data_received(data)
        if len(self.conn.trailing_data[0]) > MAX_HEAD_BYTES and self._is_answering:
            self.transport.close()  # so much piled up behind a request that is being answered
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over."""
        super().handle_websocket_upgrade(event)
        self._relax()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._relax()
        self._taken()
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
        self._leave()

    def pause_writing(self) -> None:
        """Watch from now on whether the answer is taken."""
        super().pause_writing()
        self._watch_sending()

    def resume_writing(self) -> None:
        """Write on; how much is left says nothing while more is added."""
        self._taken()
        super().resume_writing()
        if self.cycle is not None and self.cycle.response_complete:
            self._watch_sending()

    def on_response_complete(self) -> None:
        """Wait for the next request; this answer may still be on its way."""
        super().on_response_complete()
        self._watch_sending()
        if self.conn.trailing_data[0]:  # part of the next request is here already
            self._watch()

    def _leave(self) -> None:
        """Close as soon as all is sent."""
        self.transport.close()
        self._watch_sending()

    @property
    def _is_answering(self) -> bool:
        """Whether a request arrived whole and its answer is not complete."""
        return self.conn.their_state is h11.DONE

    def _is_head_too_large(self, data: bytes) -> bool:
        """Return whether a head of which this is a part has no end within its bounds."""
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            return False
        before = self.conn.trailing_data[0]
        if len(before) + len(data) <= MAX_HEAD_BYTES:
            return False
        head = before + data[: MAX_HEAD_BYTES - len(before)]
        return _HEAD_END.search(head) is None

    def _watch_sending(self) -> None:
        """Look again soon how much of what was written is still here."""
        if self._sending is None and (n_bytes := self.transport.get_write_buffer_size()):
            self._sending = self.loop.call_later(self.sending_s, self._look_again, n_bytes)

    def _look_again(self, n_bytes_before: int) -> None:
        """Cut the connection of who takes nothing."""
        self._sending = None
        if self.transport.get_write_buffer_size() >= n_bytes_before:
            self.transport.abort()
        else:
            self._watch_sending()

    def _taken(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

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

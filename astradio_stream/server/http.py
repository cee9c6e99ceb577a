"""What every HTTP answer has in common: a request id, security headers, one shape of error."""

from __future__ import annotations

import logging
import math
import re
import secrets
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response

from astradio_stream import errors
from astradio_stream.server.doors import address_of
from astradio_stream.server.logs import REQUEST_ID, log, log_failure
from astradio_stream.server.media_head import FOUND, PREFIX, mismatches_of
from astradio_stream.server.origin import scheme_of
from astradio_stream.strict_json import dump_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from astradio_stream.server.shell import Shell
    from astradio_stream.settings import IpNetwork

# fmt: off
STATUS_OF_CODE: Final = {
    "BAD_REQUEST":            400,
    "BAD_JSON":               400,
    "AUTH_REQUIRED":          401,
    "CSRF_FAILED":            403,
    "ORIGIN_REFUSED":         403,
    "NOT_FOUND":              404,
    "METHOD_NOT_ALLOWED":     405,
    "CONFLICT":               409,
    "PAYLOAD_TOO_LARGE":      413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "RANGE_NOT_SATISFIABLE":  416,
    "VALIDATION_FAILED":      422,
    "RATE_LIMITED":           429,
    "UPGRADE_REQUIRED":       426,
    "HEADERS_TOO_LARGE":      431,
    "INTERNAL":               500,
    "OVERLOADED":             503,
    "DRAINING":               503,
    "STORE_UNAVAILABLE":      503,
}

SECURITY_HEADERS: Final = {
    # Only our own files, no inline script or style; the worklet and the worker are our files too.
    "Content-Security-Policy":
        "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "
        "img-src 'self' data:; font-src 'self'; media-src 'self' blob:; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    # Together these isolate the page, and only an isolated page has SharedArrayBuffer.
    "Cross-Origin-Opener-Policy":   "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options":       "nosniff",
    "Referrer-Policy":              "no-referrer",
    # The page needs none of these, so nothing that got into it can have them either.
    "Permissions-Policy":
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
        "magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
}

HSTS: Final = {"Strict-Transport-Security": "max-age=31536000"}
"""Told over https only (RFC 6797 §7.2); what else the domain serves is not ours to decide."""
# fmt: on

_OWN_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)


class JsonAnswer(Response):
    """A JSON body; the same writer as on the wire."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """Return the bytes of the body."""
        return dump_json(content)


def new_request_id() -> str:
    """Return a request id of our own."""
    return f"req_{secrets.token_hex(8)}"


def kept_request_id(given: str) -> str:
    """Return the client's own request id if it is a proper one, else one of ours."""
    return given if _OWN_REQUEST_ID.fullmatch(given) else new_request_id()


def request_id_of(connection: HTTPConnection) -> str:
    """Return the id under which this request is answered and logged."""
    found: str = connection.state.request_id
    return found


def answer(connection: HTTPConnection, body: Mapping[str, Any], status: int = 200) -> JsonAnswer:
    """Return a JSON answer with its request id, never to be kept by a cache."""
    return JsonAnswer(
        {**body, "requestId": request_id_of(connection)},
        status,
        {"Cache-Control": "no-store"},
    )


def refusal(
    connection: HTTPConnection,
    code: str,
    message: str,
    *,
    details: Iterable[errors.Detail] = (),
    headers: Mapping[str, str] | None = None,
) -> JsonAnswer:
    """Return an error in the one shape."""
    connection.scope.setdefault("state", {})["error_code"] = code
    error: dict[str, Any] = {"code": code, "message": message}
    if named := [{"field": d.field, "message": d.message} for d in details]:
        error["details"] = named
    refused = answer(connection, {"error": error}, STATUS_OF_CODE[code])
    refused.headers.update(headers or {})
    return refused


def retry_after(seconds: float) -> dict[str, str]:
    """Return the header that says when to ask again, in whole seconds and at least one."""
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


async def on_http_exception(request: Request, exception: Exception) -> Response:
    """Answer what the router refuses: no such page, not this method."""
    assert isinstance(exception, HTTPException)  # noqa: S101
    headers = dict(exception.headers or {})
    if exception.status_code == 405:
        return refusal(
            request,
            "METHOD_NOT_ALLOWED",
            f"this page answers {headers.get('Allow', 'other methods')}, not {request.method}",
            headers=headers,
        )
    if exception.status_code == 404:
        return refusal(request, "NOT_FOUND", "there is no such page", headers=headers)
    return internal_error(request)


async def on_our_error(request: HTTPConnection, error: Exception) -> Response:
    """Answer what our own code refuses."""
    assert isinstance(error, errors.AstradioError)  # noqa: S101
    if isinstance(error, errors.TryLater):
        headers = retry_after(error.retry_after_s)
        return refusal(request, error.code, error.message, headers=headers)
    if error.code not in STATUS_OF_CODE or error.code == "INTERNAL":
        log_failure("REQUEST_FAILED", error, requestId=request_id_of(request))
        return internal_error(request)
    details = error.details if isinstance(error, errors.ValidationFailed) else ()
    return refusal(request, error.code, error.message, details=details)


def internal_error(connection: HTTPConnection) -> JsonAnswer:
    """Answer what is our fault: no detail beyond the id."""
    return refusal(connection, "INTERNAL", "something went wrong on our side")


class Envelope:
    """The ASGI layer around everything: ids in, headers out, no exception beyond."""

    def __init__(self, app: ASGIApp, shell: Shell) -> None:
        self._app = app
        self._shell = shell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or carry one WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = kept_request_id(Headers(scope=scope).get("x-request-id", ""))
        scope.setdefault("state", {})["request_id"] = request_id
        REQUEST_ID.set(request_id)  # of this task, and of what it begins
        security_headers = self._security_headers(scope)
        has_answered = False

        async def send_in_envelope(message: Message) -> None:
            nonlocal has_answered
            kind = message["type"]
            if kind in ("http.response.start", "websocket.http.response.start"):
                has_answered = True
                status: int = message["status"]
                self._shell.metrics.answered(status, scope["state"].get("error_code"))
                message.setdefault("headers", [])
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in security_headers.items():
                    headers[name] = value
                self._heed_media(scope, status, headers, request_id)
                proxies = self._shell.settings.trusted_proxies
                log_answer(HTTPConnection(scope), status, request_id, proxies)
            elif kind == "websocket.accept":
                has_answered = True
                message["headers"] = [
                    *message.get("headers", []),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            await self._app(scope, receive, send_in_envelope)
        except ClientDisconnect:
            log("GONE", method=scope["method"], path=scope["path"], requestId=request_id)
        except Exception as error:
            log_failure("REQUEST_FAILED", error, requestId=request_id, path=scope["path"])
            if has_answered or scope["type"] != "http":
                raise
            await internal_error(Request(scope))(scope, receive, send_in_envelope)

    def _heed_media(
        self, scope: Scope, status: int, headers: Mapping[str, str], request_id: str
    ) -> None:
        """Count and tell of a file that went out with other headers than the contract's."""
        is_file = status in FOUND and scope["path"].startswith(PREFIX)
        if is_file and (wrong := mismatches_of(scope["path"], headers.get)):
            self._shell.metrics.media_mismatches.inc()
            told = {"path": scope["path"], "headers": ",".join(wrong)}
            log("MEDIA_MISMATCH", logging.ERROR, **told, requestId=request_id)

    def _security_headers(self, scope: Scope) -> dict[str, str]:
        """Return the headers of every answer to a request."""
        scheme = scheme_of(HTTPConnection(scope), self._shell.settings.trusted_proxies)
        return SECURITY_HEADERS | HSTS if scheme == "https" else SECURITY_HEADERS


def log_answer(
    connection: HTTPConnection, status: int, request_id: str, proxies: Sequence[IpNetwork]
) -> None:
    """Write one line per answer; those that say nothing are for debugging only."""
    scope = connection.scope
    told: dict[str, object] = {"method": scope.get("method", "WEBSOCKET"), "path": scope["path"]}
    code = scope["state"].get("error_code")
    if code is not None:
        told |= {"error_code": code}
        # What an operator must know to tell a false alarm from a true one.
        if code == "RATE_LIMITED":
            told |= {"address": address_of(connection, proxies)}
        elif code in ("ORIGIN_REFUSED", "CSRF_FAILED"):
            told |= {"origin": connection.headers.get("origin", "-")}
    log_status(status, request_id, **told)


def log_status(status: int, request_id: str, **told: object) -> None:
    """Write the line of an answer with this status."""
    if status < 400:
        log("HTTP", logging.DEBUG, status, **told, requestId=request_id)
    else:
        level = logging.INFO if status < 500 else logging.WARNING
        log(f"HTTP_{status // 100}xx", level, status, **told, requestId=request_id)

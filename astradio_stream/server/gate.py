"""What stands between the envelope and the pages: what is refused whatever page was asked.

In this order: a head that is too large or unclear (431, 400), a host that is not ours (400), an
address that asks too much (429), a page that may not ask (403), a token that is not the session's
(403). What passes gets the headers that tell of the limits, and those that a page of an allowed
origin needs to read the answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from astradio_stream.errors import AstradioError
from astradio_stream.server.cookies import SESSION_COOKIE, values_of_cookie
from astradio_stream.server.csrf import SAFE_METHODS, require_right_place, require_token
from astradio_stream.server.http import on_our_error, refusal
from astradio_stream.server.limits import cost_of, limit_headers, standings_of
from astradio_stream.server.origin import is_origin_allowed, is_own_origin

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from astradio_stream.server.desk import Desk

MAX_TARGET_BYTES: Final = 8_192
MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 16_384
"""Of all names and values together: what common proxies allow."""

ALLOWED_METHODS: Final = "GET, HEAD, POST, PATCH, DELETE"
ALLOWED_HEADERS: Final = "Content-Type, Idempotency-Key, X-CSRF-Token, X-Request-Id"
EXPOSED_HEADERS: Final = (
    "Accept-Ranges, Allow, Content-Disposition, Content-Range, ETag, RateLimit, RateLimit-Policy, "
    "Retry-After, X-Request-Id"
)
PREFLIGHT_S: Final = 600
"""How long a browser remembers what another origin may send (seconds)."""

_HOST: Final = re.compile(
    r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?", re.ASCII
)
_ANY_HOST_PATHS: Final = frozenset({"/livez", "/readyz", "/metrics"})
"""Probes ask by address, whatever name the world knows."""


class Gate:
    """The ASGI layer that admits or refuses."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit or refuse one request."""
        if scope["type"] == "websocket":
            await self._stream(scope, receive, send)
        elif scope["type"] == "http":
            await self._page(Request(scope), receive, send)
        else:
            await self._app(scope, receive, send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit a handshake; all but its head is judged elsewhere."""
        fault = self._fault_of_head(HTTPConnection(scope))
        if fault is None:
            await self._app(scope, receive, send)
        else:
            websocket = WebSocket(scope, receive, send)
            await websocket.send_denial_response(refusal(websocket, *fault))

    async def _page(self, request: Request, receive: Receive, send: Send) -> None:
        refused = await self._refusal_of(request)
        app = refused or self._app
        cross_headers = self._cross_headers(request)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                headers = MutableHeaders(scope=message)
                headers.update(limit_headers(standings_of(request)) | cross_headers)
                if self._desk.shell.settings.allowed_origins:
                    headers.add_vary_header("Origin")
            await send(message)

        await app(request.scope, receive, send_with_headers)

    async def _refusal_of(self, request: Request) -> Response | None:
        """Return the answer to what goes no further, or None for what does."""
        fault = self._fault_of_head(request)
        if fault is not None:
            return refusal(request, *fault)
        try:
            if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
                return self._preflight(request)
            cost = cost_of(request.method, request.url.path)
            if cost:
                self._desk.limits.charge_address(request, cost)
            if request.method not in SAFE_METHODS:
                await self._require_no_forgery(request)
        except AstradioError as error:
            return await on_our_error(request, error)
        return None

    def _fault_of_head(self, connection: HTTPConnection) -> tuple[str, str] | None:
        """Return code and sentence against a head, or None where nothing is wrong with it."""
        scope, headers = connection.scope, connection.headers
        if too_large := _excess_of(connection):
            return "HEADERS_TOO_LARGE", too_large
        if scope["type"] == "http" and scope["http_version"] not in ("1.0", "1.1"):
            return "BAD_REQUEST", "this server speaks HTTP/1.1"
        if "transfer-encoding" in headers and "content-length" in headers:
            # Two lengths are two readings: the way to smuggle a request past a proxy.
            return "BAD_REQUEST", "a request has Transfer-Encoding or Content-Length, not both"
        if len(headers.getlist("origin")) > 1:
            return "BAD_REQUEST", "a request comes from one page: there may be one Origin"
        return self._fault_of_host(connection)

    def _fault_of_host(self, connection: HTTPConnection) -> tuple[str, str] | None:
        allowed = self._desk.shell.settings.allowed_hosts
        host = connection.headers.get("host", "")
        match = _HOST.fullmatch(host)
        if host and match is None:
            return "BAD_REQUEST", "the header Host must be a host name, and a port if need be"
        if allowed and connection.scope["path"] not in _ANY_HOST_PATHS:
            name = "" if match is None else match[1].lower().removesuffix(".")
            if name not in allowed:
                return "BAD_REQUEST", "this server does not answer for that host"
        return None

    async def _require_no_forgery(self, request: Request) -> None:
        """Check origin and token of a request that may change something.

        Raises:
            OriginRefused, CsrfFailed: one of them is wrong.
            StoreUnavailable: whether the session lives cannot be told.
        """
        require_right_place(request, self._desk.shell.settings)
        if "cookie" not in request.headers:
            return
        session: bytes | None = b""
        if values_of_cookie(request, SESSION_COOKIE):
            found = await self._desk.session_of(request)
            session = None if found is None else found.digest
        require_token(request, self._desk.key, session)

    def _preflight(self, request: Request) -> Response:
        """Say what a page of another origin may send."""
        settings = self._desk.shell.settings
        if not is_origin_allowed(request, settings.allowed_origins, settings.trusted_proxies):
            return refusal(request, "ORIGIN_REFUSED", "this page may not ask here")
        return Response(
            None,
            204,
            {
                "Access-Control-Allow-Methods": ALLOWED_METHODS,
                "Access-Control-Allow-Headers": ALLOWED_HEADERS,
                "Access-Control-Max-Age": str(PREFLIGHT_S),
                "Cache-Control": "no-store",
            },
        )

    def _cross_headers(self, request: Request) -> dict[str, str]:
        """Return what lets a page of an allowed origin read the answer; nobody else gets it."""
        settings = self._desk.shell.settings
        proxies = settings.trusted_proxies
        if (
            "origin" not in request.headers
            or is_own_origin(request, proxies)
            or not is_origin_allowed(request, settings.allowed_origins, proxies)
        ):
            return {}
        return {
            "Access-Control-Allow-Origin": request.headers["origin"],
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": EXPOSED_HEADERS,
        }


def _excess_of(connection: HTTPConnection) -> str:
    """Return the sentence against a head that is too large, or nothing."""
    scope, headers = connection.scope, connection.headers
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_TARGET_BYTES:
        return f"the address may have {MAX_TARGET_BYTES} bytes at most"
    if len(headers.raw) > MAX_HEADERS:
        return f"there may be {MAX_HEADERS} headers at most"
    if sum(len(name) + len(value) for name, value in headers.raw) > MAX_HEADER_BYTES:
        return f"the headers may have {MAX_HEADER_BYTES} bytes at most"
    return ""

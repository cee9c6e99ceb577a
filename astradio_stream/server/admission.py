"""Who may come in: what is refused before the upgrade, in the order of the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from astradio_stream.errors import RETRY_AFTER_S
from astradio_stream.server.doors import address_of
from astradio_stream.server.http import JsonAnswer, refusal, retry_after
from astradio_stream.server.limits import rate_of
from astradio_stream.server.listener import Listener
from astradio_stream.server.origin import is_origin_allowed
from astradio_stream.server.readiness import Readiness
from astradio_stream.wire.bucket import NS_PER_S

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.websockets import WebSocket

    from astradio_stream.server.shell import Shell

Reason: TypeAlias = tuple[str, str, dict[str, str]]
"""Code of HTTP.md, a sentence, and what headers the refusal needs."""


async def stream(shell: Shell, websocket: WebSocket) -> None:
    """Serve `GET /stream`: refuse, or carry one listener to its end."""
    denial = denial_of(shell, websocket)
    if denial is not None:
        await websocket.send_denial_response(denial)
        return
    listener = Listener(shell, websocket)
    shell.enter(listener)
    try:
        await listener.run()
    finally:
        shell.leave(listener)


def denial_of(shell: Shell, websocket: WebSocket) -> JsonAnswer | None:
    """Return the answer that refuses a handshake, or None for a welcome."""
    denied = reason_against(shell, websocket)
    if denied is None:
        return None
    code, sentence, headers = denied
    return refusal(websocket, code, sentence, headers=headers)


def reason_against(shell: Shell, asking: HTTPConnection) -> Reason | None:
    """Return what speaks against a handshake, or None if nothing does; it counts as one knock."""
    settings = shell.settings
    if not is_origin_allowed(asking, settings.allowed_origins, settings.trusted_proxies):
        return "ORIGIN_REFUSED", "this page may not open a stream here", {}
    later = retry_after(RETRY_AFTER_S)
    if shell.readiness.state is Readiness.DRAINING:
        return "DRAINING", "this server is going down", later
    if shell.is_full:
        return "OVERLOADED", "this server is full", later
    address = address_of(asking, settings.trusted_proxies)
    wait_ns = shell.doors.knock(address, rate_of(settings), shell.clock.now_ns())
    if wait_ns:
        sentence = "too many connections were opened from this address; wait a little"
        return "RATE_LIMITED", sentence, retry_after(wait_ns / NS_PER_S)
    return None

"""Who may come in: what is refused before the upgrade, in the order of the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astradio_stream.server.http import JsonAnswer, refusal, retry_after
from astradio_stream.server.listener import Listener
from astradio_stream.server.load import RETRY_AFTER_S
from astradio_stream.server.origin import is_origin_allowed
from astradio_stream.server.readiness import Readiness

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from astradio_stream.server.shell import Shell


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
    settings = shell.settings
    if not is_origin_allowed(websocket, settings.allowed_origins, settings.trusted_proxies):
        return refusal(websocket, "ORIGIN_REFUSED", "this page may not open a stream here")
    later = retry_after(RETRY_AFTER_S)
    if shell.readiness.state is Readiness.DRAINING:
        return refusal(websocket, "DRAINING", "this server is going down", headers=later)
    if shell.is_full:
        return refusal(websocket, "OVERLOADED", "this server is full", headers=later)
    return None

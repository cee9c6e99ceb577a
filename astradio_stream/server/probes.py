"""What watches and what asks about this server: probes, metrics, status, flags for the page."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from astradio_stream.errors import RETRY_AFTER_S
from astradio_stream.server.http import answer
from astradio_stream.stream.modes import MODEL_ACCEPTS
from astradio_stream.stream.station import stations_of
from astradio_stream.stream.versions import VERSIONS
from astradio_stream.units import LAST_PLAYED_INDEX
from astradio_stream.wire.messages import BUFFER_MS_RANGE, MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from starlette.requests import Request

    from astradio_stream.server.shell import Shell


def probe_routes(shell: Shell) -> list[Route]:
    """Return the routes that tell how the server stands."""

    async def livez(request: Request) -> Response:
        return answer(request, {"alive": True})

    async def readyz(request: Request) -> Response:
        is_ready = shell.readiness.state.is_ready
        return answer(request, shell.readiness.to_json(), 200 if is_ready else 503)

    async def metrics(_request: Request) -> Response:
        shell.metrics.tasks.set(len(asyncio.all_tasks()))
        body, media_type = shell.metrics.to_text()
        return Response(body, 200, {"Cache-Control": "no-store"}, media_type)

    async def status(request: Request) -> Response:
        return answer(request, status_of(shell))

    async def config(request: Request) -> Response:
        return answer(request, config_of(shell))

    return [
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
        Route("/api/status", status),
        Route("/api/config", config),
    ]


def status_of(shell: Shell) -> dict[str, Any]:
    """Return what a refused player may ask."""
    state = shell.readiness.state
    return {
        "state": state.name,
        "retryAfterMs": 0 if state.is_ready else RETRY_AFTER_S * 1_000,
        "listeners": len(shell.listeners),
        "capacity": shell.settings.max_listeners,
    }


def config_of(shell: Shell) -> dict[str, Any]:
    """Return the flags for the page."""
    return {
        "viz": shell.settings.enable_viz_engine,
        "stations": list(stations_of(shell.settings.default_audio_model)),
        "modes": list(MODEL_ACCEPTS[shell.settings.default_audio_model].modes),
        "modelVersions": {name: versions[-1] for name, versions in VERSIONS.items()}
        | {"audio": shell.settings.default_audio_model},
        "limits": limits_of(shell),
    }


def limits_of(shell: Shell) -> dict[str, Any]:
    """Return what this server allows, as in `ready.limits`."""
    low, high = BUFFER_MS_RANGE
    return {
        "messageBytes": MAX_MESSAGE_BYTES,
        "bufferMsMin": low,
        "bufferMsMax": high,
        "lastIndex": LAST_PLAYED_INDEX,
        "capacity": shell.settings.max_listeners,
    }

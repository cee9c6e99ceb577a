"""The application: routes, layers, start and stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute

from astradio_stream.errors import AstradioError
from astradio_stream.server import http
from astradio_stream.server.account_routes import account_routes
from astradio_stream.server.admission import stream
from astradio_stream.server.block_routes import block_routes
from astradio_stream.server.chart_routes import chart_routes
from astradio_stream.server.clock import Clock, SystemClock
from astradio_stream.server.compat_routes import compat_routes
from astradio_stream.server.compose import ComposePage, compose_routes
from astradio_stream.server.control import Control
from astradio_stream.server.desk import Desk
from astradio_stream.server.engine import Engine
from astradio_stream.server.gate import Gate
from astradio_stream.server.load import Load
from astradio_stream.server.matchmaker import Matchmaker
from astradio_stream.server.media import MediaFolder
from astradio_stream.server.media_routes import media_routes
from astradio_stream.server.metrics import Metrics
from astradio_stream.server.midi_routes import midi_routes
from astradio_stream.server.minute import every_minute
from astradio_stream.server.openapi import description_routes
from astradio_stream.server.pages import WEB_DIR, load_pages, page_routes
from astradio_stream.server.probes import probe_routes
from astradio_stream.server.pump import Pump
from astradio_stream.server.readiness import ReadinessState
from astradio_stream.server.saved import SavedBirths
from astradio_stream.server.shell import MakesStreams, Shell
from astradio_stream.server.sky_routes import sky_routes
from astradio_stream.server.studio import Studio
from astradio_stream.server.towns import warm_up

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

    from astradio_stream.settings import Settings


def cores_of(settings: Settings) -> int:
    """Return how many cores one process of this server may count on."""
    try:
        n_cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        n_cores = os.cpu_count() or 1
    return max(1, n_cores // settings.workers)


def build_app(
    settings: Settings,
    engine: MakesStreams | None = None,
    clock: Clock | None = None,
    web_dir: Path = WEB_DIR,
) -> Starlette:
    """Return the application; `app.state.shell` is what its parts share.

    Args:
        settings: As loaded.
        engine: Who makes the sound; the real one where none is given.
        clock: Where time comes from; the machine where none is given.
        web_dir: The files of the player.
    """
    clock = clock or SystemClock()
    metrics = Metrics()
    load = Load(cores_of(settings))
    engine = engine or Engine(settings, metrics, clock, load)
    shell = Shell(settings, clock, metrics, ReadinessState(clock), engine, Pump(clock), load)
    desk = Desk(shell)
    shell.saved = SavedBirths(desk)
    matchmaker = Matchmaker(desk)
    folder = MediaFolder(settings.data_dir / "media", settings.media_mb * 1_000_000)
    studio = Studio(engine, folder, settings, clock, metrics)
    page = ComposePage(desk, studio)

    app = Starlette(
        routes=[
            *page_routes(load_pages(web_dir)),
            *probe_routes(shell),
            *sky_routes(clock, settings.data_dir),
            *account_routes(desk, page),
            *chart_routes(desk, page),
            *block_routes(desk),
            *compat_routes(desk, matchmaker),
            *compose_routes(page),
            *midi_routes(desk, studio),
            *media_routes(page, folder),
            *description_routes(settings),
            *_stream_routes(shell),
        ],
        middleware=[Middleware(http.Envelope, shell=shell), Middleware(Gate, desk=desk)],
        exception_handlers={
            HTTPException: http.on_http_exception,
            AstradioError: http.on_our_error,
        },
        lifespan=_lifespan_of(shell, desk, matchmaker, studio, page),
    )
    app.router.redirect_slashes = False
    app.state.shell = shell
    app.state.desk = desk
    return app


def _lifespan_of(
    shell: Shell, desk: Desk, matchmaker: Matchmaker, studio: Studio, page: ComposePage
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """Return what happens from start to end, in order."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        try:
            await shell.start()
            await desk.open()
            await matchmaker.open()
            await page.rehearse()
            shell.welcome()
            works = (warm_up(shell.settings.data_dir), every_minute(shell))
            beside = [asyncio.create_task(work) for work in works]
            control = Control(shell, desk.limits)
            await control.open()
            yield
            await control.close()
            for task in beside:
                task.cancel()
        finally:
            await studio.close()
            await matchmaker.close()
            await desk.close()
            shell.engine.close()

    return lifespan


def _stream_routes(shell: Shell) -> list[BaseRoute]:
    """Return the routes of the stream; all other paths refuse a WebSocket."""

    async def on_stream(websocket: WebSocket) -> None:
        await stream(shell, websocket)

    async def on_plain_stream(request: Request) -> Response:
        return http.refusal(
            request,
            "UPGRADE_REQUIRED",
            "this address speaks WebSocket only",
            headers={"Upgrade": "websocket", "Connection": "Upgrade"},
        )

    async def on_unknown_stream(websocket: WebSocket) -> None:
        denial = http.refusal(websocket, "NOT_FOUND", "there is no stream at this path")
        await websocket.send_denial_response(denial)

    return [
        WebSocketRoute("/stream", on_stream),
        Route("/stream", on_plain_stream),
        WebSocketRoute("/{path:path}", on_unknown_stream),
    ]

"""Compatibility over HTTP: how the search stands, the best matches, one pair in full."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.routing import Route

from astradio_stream.compat.weights import load_weights
from astradio_stream.errors import RETRY_AFTER_S, StoreUnavailable, TryLater
from astradio_stream.server.bodies import read_as_json
from astradio_stream.server.compat_answers import page_of_matches, pair_in_full
from astradio_stream.server.compat_asked import pair_of_body, search_of_body, search_of_query
from astradio_stream.server.http import answer
from astradio_stream.server.readiness import iso_of
from astradio_stream.server.sky_routes import values_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from astradio_stream.server.compat_asked import SearchAsked
    from astradio_stream.server.desk import Desk
    from astradio_stream.server.matchmaker import Matchmaker

SERVICE = "compat"


class CompatPages:
    """What is answered about compatibility."""

    def __init__(self, desk: Desk, matchmaker: Matchmaker) -> None:
        self._desk = desk
        self._shell = desk.shell
        self._matchmaker = matchmaker

    async def health(self, request: Request) -> Response:
        """Tell how the search stands; it is asked often, so it waits for nothing long."""
        is_loaded = self._shell.readiness.checks.compat_weights_loaded
        status, profiles = "unavailable", self._matchmaker.n_charts
        if is_loaded:
            try:
                profiles = await self._matchmaker.ask(lambda _, snapshot: snapshot.n_charts)
                status = "ok"
            except TryLater:
                pass
        return answer(
            request,
            {
                "status": status,
                "service": SERVICE,
                "profiles": profiles,
                "weightsVersion": load_weights().version if is_loaded else None,
                "timestamp": iso_of(self._shell.clock.unix_us()),
            },
        )

    async def search_saved(self, request: Request) -> Response:
        """Answer with the best matches of a saved chart."""
        asked = await asyncio.to_thread(search_of_query, values_of(request))
        return await self._search(request, asked)

    async def search_any(self, request: Request) -> Response:
        """Answer with the best matches of a chart, saved or not."""
        body = await read_as_json(request)
        return await self._search(request, await asyncio.to_thread(search_of_body, body.fields))

    async def search(self, request: Request) -> Response:
        """Answer with the best matches."""
        return await (self.search_any if request.method == "POST" else self.search_saved)(request)

    async def pair(self, request: Request) -> Response:
        """Answer with all facets of a pair."""
        body = await read_as_json(request)
        pair = await asyncio.to_thread(pair_of_body, body.fields)
        user_id = await self._desk.user_of(request)
        self._require_weights()
        told = await self._matchmaker.ask(lambda store, _: pair_in_full(store, pair, user_id))
        return answer(request, told)

    async def _search(self, request: Request, asked: SearchAsked) -> Response:
        clock = self._shell.clock
        user_id = await self._desk.user_of(request)
        self._require_weights()
        began_ns = clock.now_ns()
        told = await self._matchmaker.ask(
            lambda store, snapshot: page_of_matches(store, snapshot, asked, user_id)
        )
        took_ms = (clock.now_ns() - began_ns) / 1e6
        self._shell.metrics.compat_search_latency_ms.observe(took_ms)
        return answer(request, told | {"tookMs": round(took_ms, 3)})

    def _require_weights(self) -> None:
        if not self._shell.readiness.checks.compat_weights_loaded:
            trouble = "the weights of the search could not be loaded"
            raise StoreUnavailable("there is no search here now", RETRY_AFTER_S, trouble)


def compat_routes(desk: Desk, matchmaker: Matchmaker) -> list[Route]:
    """Return the routes of compatibility."""
    pages = CompatPages(desk, matchmaker)
    return [
        Route("/api/compat/health", pages.health),
        Route("/api/compat/search", pages.search, methods=["GET", "POST"]),
        Route("/api/compat/pair", pages.pair, methods=["POST"]),
    ]

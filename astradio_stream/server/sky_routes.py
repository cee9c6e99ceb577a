"""The sky over HTTP: a chart, the coming events, the towns of the world.

Answers are pure functions of the query (see `sky.queries`); they are worked out on a thread, so
that nobody who listens waits for them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.server.http import JsonAnswer, answer
from astradio_stream.server.towns import towns
from astradio_stream.sky.moment import Moment
from astradio_stream.sky.queries import chart_answer, places_answer, sky_answer

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from astradio_stream.server.clock import Clock


def values_of(request: Request) -> dict[str, str]:
    """Return the values of a query string.

    Raises:
        ValidationFailed: A name comes twice, so that two readers might read two values.
    """
    pairs = request.query_params.multi_items()
    counts = Counter(name for name, _ in pairs)
    if doubled := [name for name in counts if counts[name] > 1]:
        raise ValidationFailed(Detail(name, "must be given once") for name in sorted(doubled))
    return dict(pairs)


def sky_routes(clock: Clock, data_dir: Path) -> list[Route]:
    """Return the routes that answer from the sky alone."""

    async def chart(request: Request) -> Response:
        return answer(request, await asyncio.to_thread(chart_answer, values_of(request)))

    async def sky(request: Request) -> Response:
        now = Moment(clock.unix_us())
        return answer(request, await asyncio.to_thread(sky_answer, values_of(request), now))

    async def places(request: Request) -> Response:
        values = values_of(request)

        def search() -> list[dict[str, Any]]:
            return places_answer(values, towns(data_dir))

        # A bare list, as the contract has it; its request id stands in the header alone.
        found = await asyncio.to_thread(search)
        return JsonAnswer(found, headers={"Cache-Control": "public, max-age=86400"})

    return [
        Route("/api/chart", chart),
        Route("/api/sky", sky),
        Route("/api/places", places),
    ]

"""Blocks over HTTP: one meets nothing more of the owner of a chart, nor they of oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response
from starlette.routing import Route

from astradio_stream.errors import ValidationFailed
from astradio_stream.fields import Field, read_fields, short_text
from astradio_stream.server.bodies import read_object
from astradio_stream.server.http import answer
from astradio_stream.server.readiness import iso_of
from astradio_stream.store import blocks
from astradio_stream.stream.charts import MAX_CHART_ID_CHARACTERS

if TYPE_CHECKING:
    from starlette.requests import Request

    from astradio_stream.fields import Details
    from astradio_stream.server.desk import Desk
    from astradio_stream.store.blocks import Block

_FIELDS: Final = (Field("chartId", "chart_id", short_text(MAX_CHART_ID_CHARACTERS)),)


class BlockPages:
    """What is answered about blocks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def index(self, request: Request) -> Response:
        """Tell the blocks of the account."""
        session = await self._desk.require_session(request)
        found = await self._desk.store.read(lambda store: blocks.blocks_of(store, session.user.id))
        return answer(request, {"blocks": [block_to_json(block) for block in found]})

    async def add(self, request: Request) -> Response:
        """Block the owner of a chart; done twice it is one block."""
        session = await self._desk.require_session(request)
        body = await read_object(request)
        details: Details = []
        chart_id = read_fields(_FIELDS, body.fields, details)["chart_id"]
        if details:
            raise ValidationFailed(details)
        now_us = self._desk.shell.clock.unix_us()
        made = await self._desk.store.write(
            lambda store: blocks.add_block(store, session.user.id, chart_id, now_us)
        )
        return answer(request, block_to_json(made), 201)

    async def delete(self, request: Request) -> Response:
        """Take a block back."""
        session = await self._desk.require_session(request)
        block_id: str = request.path_params["id"]
        await self._desk.store.write(
            lambda store: blocks.delete_block(store, block_id, session.user.id)
        )
        return Response(None, 204, {"Cache-Control": "no-store"})

    async def collection(self, request: Request) -> Response:
        """Answer about all blocks."""
        return await (self.add if request.method == "POST" else self.index)(request)


def block_routes(desk: Desk) -> list[Route]:
    """Return the routes of blocks."""
    pages = BlockPages(desk)
    return [
        Route("/api/blocks", pages.collection, methods=["GET", "POST"]),
        Route("/api/blocks/{id}", pages.delete, methods=["DELETE"]),
    ]


def block_to_json(block: Block) -> dict[str, Any]:
    """Return a block as its maker sees it; who is blocked is told to nobody."""
    return {
        "id": block.id,
        "chartId": block.chart_id,
        "name": block.name,
        "createdAt": iso_of(block.created_us),
    }

"""`POST /api/midi`: the notes of any span of a programme, as a Standard MIDI File.

A player has the sound of a span already, or takes it from the stream; the notes are known here
alone. They follow from the question, so nothing is kept. It is a POST because births are asked
with it, which belong into no log of addresses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response
from starlette.routing import Route

from astradio_stream.errors import ValidationFailed
from astradio_stream.fields import integer
from astradio_stream.server.bodies import read_as_json
from astradio_stream.server.orders import read_order, require_readable
from astradio_stream.server.saved import has_saved_charts, with_saved_charts
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.programme import mistakes_of
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import LAST_PLAYED_INDEX

if TYPE_CHECKING:
    from starlette.requests import Request

    from astradio_stream.fields import Details
    from astradio_stream.server.desk import Desk
    from astradio_stream.server.studio import Studio

PATH: Final = "/api/midi"
MEDIA_TYPE: Final = "audio/midi"
LAST_START: Final = LAST_PLAYED_INDEX
"""The last index that a span may begin at."""


def midi_routes(desk: Desk, studio: Studio) -> list[Route]:
    """Return the route of the notes.

    Args:
        desk: What all pages share.
        studio: Where the notes are found, in turn with pieces.
    """
    shell = desk.shell

    async def notes(request: Request) -> Response:
        shell.require_serving()
        defaults = ModelVersions(audio=shell.settings.default_audio_model)
        fields = (await read_as_json(request)).fields
        user_id = await desk.user_of(request)
        start = _start_of(fields, defaults)
        if has_saved_charts(fields):
            require_readable(fields, defaults)
            written = fields
            fields = await desk.store.read(lambda store: with_saved_charts(store, written, user_id))
        order = read_order(fields, Moment(shell.clock.unix_us()), defaults)
        shell.require_room()
        file = await studio.notes(order, start)
        return Response(file, headers={"Cache-Control": "no-store"}, media_type=MEDIA_TYPE)

    return [Route(PATH, notes, methods=["POST"])]


def _start_of(fields: dict[str, Any], defaults: ModelVersions) -> int:
    """Return the sample index at which the span begins."""
    details: Details = []
    start: int = integer(0, LAST_START)(fields.get("from", 0), "from", details)
    if details:
        raise ValidationFailed([*mistakes_of(fields, defaults), *details])
    return start

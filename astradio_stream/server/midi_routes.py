"""`POST /api/midi`: the notes of any span of a programme, as a Standard MIDI File.

A player has the sound of a span already, or takes it from the stream; the notes are known here
alone. They follow from the question, so nothing is kept. It is a POST because births are asked
with it, which belong into no log of addresses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response
from starlette.routing import Route

from astradio_stream.errors import Overloaded, ValidationFailed
from astradio_stream.fields import integer
from astradio_stream.server.bodies import read_object
from astradio_stream.server.http import refusal, retry_after
from astradio_stream.server.limits import cost_of
from astradio_stream.server.orders import read_order, require_readable
from astradio_stream.server.readiness import Readiness
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
_RETRY_AFTER_S: Final = 2.0


def midi_routes(desk: Desk, studio: Studio) -> list[Route]:
    """Return the route of the notes.

    Args:
        desk: What all pages share.
        studio: Where the notes are found, in turn with pieces.
    """
    shell = desk.shell

    async def notes(request: Request) -> Response:
        if shell.readiness.state is Readiness.DRAINING:
            later = retry_after(_RETRY_AFTER_S)
            return refusal(request, "DRAINING", "this server is going down", headers=later)
        defaults = ModelVersions(audio=shell.settings.default_audio_model)
        # As a piece is asked for: a plain request is JSON whatever its Content-Type says.
        is_plain = not {"cookie", "origin"} & set(request.headers)
        fields = (await read_object(request, is_any_type=is_plain)).fields
        session = await desk.session_of(request)
        user_id = None if session is None else session.user.id
        if user_id is not None:
            desk.limits.charge_account(request, user_id, cost_of("POST", PATH))
        start = _start_of(fields, defaults)
        if has_saved_charts(fields):
            require_readable(fields, defaults)
            written = fields
            fields = await desk.store.read(lambda store: with_saved_charts(store, written, user_id))
        order = read_order(fields, Moment(shell.clock.unix_us()), defaults)
        if shell.is_full:
            raise Overloaded("listeners take all the time there is", _RETRY_AFTER_S)
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

"""Saved charts over HTTP.

Birth data is what people trust us with. A private chart is told to nobody but its owner: for all
others it does not exist, and no line of the log holds more of it than its id. Of a public one
others are told its name and three signs.
"""

from __future__ import annotations

import asyncio
import dataclasses
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response
from starlette.routing import Route

from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.fields import Field, one_of, read_fields
from astradio_stream.server.bodies import read_object
from astradio_stream.server.compat_answers import signs_of, tenths_of_saved
from astradio_stream.server.http import answer
from astradio_stream.server.idempotency import answer_again, asked_under_key
from astradio_stream.server.publishing import publish_if_public
from astradio_stream.server.readiness import iso_of
from astradio_stream.sky.births import birth_of
from astradio_stream.store import answers, charts
from astradio_stream.store.answers import KeptAnswer
from astradio_stream.store.charts import PRIVATE, VISIBILITIES, SavedChart
from astradio_stream.store.compositions import forget_pieces_of
from astradio_stream.stream.charts import MAX_NAME_CHARACTERS, NamedBirth
from astradio_stream.strict_json import dump_json

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from starlette.requests import Request

    from astradio_stream.fields import Details
    from astradio_stream.server.compose import ComposePage
    from astradio_stream.server.desk import Desk

_BIRTH_FIELDS: Final = ("datetime", "tz", "lat", "lon", "fold")
_UNNAMEABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's categories of what controls or breaks lines, and of halves of characters."""


class ChartPages:
    """What is answered about saved charts."""

    def __init__(self, desk: Desk, pieces: ComposePage) -> None:
        self._desk = desk
        self._pieces = pieces

    async def index(self, request: Request) -> Response:
        """Tell the charts of the account."""
        session = await self._desk.require_session(request)
        found = await self._desk.store.read(lambda store: charts.charts_of(store, session.user.id))
        return answer(request, {"charts": [saved_chart_to_json(chart) for chart in found]})

    async def add(self, request: Request) -> Response:
        """Save a chart."""
        session = await self._desk.require_session(request)
        body = await read_object(request)
        asked = asked_under_key(request, body, session.user.id, session.user.id)
        values = await asyncio.to_thread(chart_values, body.fields)
        now_us = self._desk.shell.clock.unix_us()
        chart = SavedChart(
            id=charts.new_chart_id(),
            user_id=session.user.id,
            created_us=now_us,
            changed_us=now_us,
            **values,
        )

        def save(store: sqlite3.Connection) -> KeptAnswer:
            if asked is not None and (kept := answers.kept_answer(store, asked, now_us)):
                return kept
            charts.add_chart(store, chart)
            publish_if_public(store, chart)
            made = KeptAnswer(201, dump_json(saved_chart_to_json(chart)))
            if asked is not None:
                answers.keep_answer(store, asked, made, now_us)
            return made

        return answer_again(request, await self._desk.store.write(save))

    async def show(self, request: Request) -> Response:
        """Tell a chart to who may see it."""
        user_id = await self._desk.user_of(request)
        chart_id: str = request.path_params["id"]
        found = await self._desk.store.read(
            lambda store: charts.visible_chart(store, chart_id, user_id)
        )
        if found.user_id != user_id:
            return answer(request, await asyncio.to_thread(veiled_chart_to_json, found))
        return answer(request, saved_chart_to_json(found))

    async def change(self, request: Request) -> Response:
        """Change some fields of a chart."""
        session = await self._desk.require_session(request)
        chart_id: str = request.path_params["id"]
        body = await read_object(request)
        now_us = self._desk.shell.clock.unix_us()

        def write(store: sqlite3.Connection) -> SavedChart:
            kept = charts.own_chart(store, chart_id, session.user.id)
            fields = _given(kept) | body.fields
            if "datetime" in body.fields and "fold" not in body.fields:
                del fields["fold"]  # it told two hours of another day apart
            changed = dataclasses.replace(kept, changed_us=now_us, **chart_values(fields))
            charts.change_chart(store, changed)
            publish_if_public(store, changed)
            return changed

        return answer(request, saved_chart_to_json(await self._desk.store.write(write)))

    async def delete(self, request: Request) -> Response:
        """Delete a chart, and the pieces of the account that play its birth."""
        session = await self._desk.require_session(request)
        chart_id: str = request.path_params["id"]

        def forget(store: sqlite3.Connection) -> list[tuple[str, str]]:
            birth = played_birth(charts.delete_chart(store, chart_id, session.user.id))
            if birth is None:
                return []
            answers.forget_answers_with(store, session.user.id, birth)
            return forget_pieces_of(store, session.user.id, birth)

        files = await self._desk.store.write(forget)
        await self._desk.store.forget()
        await self._pieces.forget(files)
        return Response(None, 204, {"Cache-Control": "no-store"})

    async def collection(self, request: Request) -> Response:
        """Answer about all charts."""
        return await (self.add if request.method == "POST" else self.index)(request)

    async def one(self, request: Request) -> Response:
        """Answer about one."""
        pages = {"PATCH": self.change, "DELETE": self.delete}
        return await pages.get(request.method, self.show)(request)


def chart_routes(desk: Desk, pieces: ComposePage) -> list[Route]:
    """Return the routes of saved charts."""
    pages = ChartPages(desk, pieces)
    return [
        Route("/api/charts", pages.collection, methods=["GET", "POST"]),
        Route("/api/charts/{id}", pages.one, methods=["GET", "PATCH", "DELETE"]),
    ]


def saved_chart_to_json(chart: SavedChart) -> dict[str, Any]:
    """Return a chart as its owner sees it."""
    times = {"createdAt": iso_of(chart.created_us), "changedAt": iso_of(chart.changed_us)}
    fold = {} if chart.fold is None else {"fold": chart.fold}
    return {
        "id": chart.id,
        "name": chart.name,
        "datetime": chart.datetime,
        "tz": chart.tz,
        "lat": chart.lat_deg,
        "lon": chart.lon_deg,
        **fold,
        "visibility": chart.visibility,
        **times,
    }


def veiled_chart_to_json(chart: SavedChart) -> dict[str, Any]:
    """Return a public chart as others see it: never when or where, nor whose it is."""
    return {
        "id": chart.id,
        "name": chart.name,
        "signs": signs_of(tenths_of_saved(chart)),
        "visibility": chart.visibility,
    }


def chart_values(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a chart is made of, once all of it was found right.

    Raises:
        ValidationFailed: naming every field that is wrong.
    """
    details: Details = []
    values = read_fields(_FIELDS, fields, details)
    try:
        birth_of({name: fields[name] for name in _BIRTH_FIELDS if name in fields})
    except ValidationFailed as error:
        details += error.details
    if details:
        raise ValidationFailed(details)
    fold = fields.get("fold")
    return values | {
        "datetime": fields["datetime"],
        "tz": fields.get("tz"),
        "lat_deg": float(fields["lat"]),
        "lon_deg": float(fields["lon"]),
        "fold": None if fold is None else int(fold),
    }


def played_birth(chart: SavedChart) -> dict[str, Any] | None:
    """Return how the birth of a chart stands in a programme; None where none can play it today."""
    given = {name: value for name, value in _given(chart).items() if name in _BIRTH_FIELDS}
    try:
        birth = birth_of({name: value for name, value in given.items() if value is not None})
    except ValidationFailed:  # zones are renamed
        return None
    played = NamedBirth(birth, None).to_json()
    return {name: played[name] for name in ("datetime", "lat", "lon")}


def _given(chart: SavedChart) -> dict[str, Any]:
    """Return a chart as the fields that would make it."""
    return {
        "name": chart.name,
        "visibility": chart.visibility,
        "datetime": chart.datetime,
        "tz": chart.tz,
        "lat": chart.lat_deg,
        "lon": chart.lon_deg,
        "fold": chart.fold,
    }


def _name(value: object, path: str, details: Details) -> str:
    """Read a name: some characters on one line."""
    if isinstance(value, str):
        name = unicodedata.normalize("NFC", value.strip())
        is_plain = not any(unicodedata.category(one) in _UNNAMEABLE for one in name)
        if is_plain and 1 <= len(name) <= MAX_NAME_CHARACTERS:
            return name
    sentence = f"{path} must be a text of 1 to {MAX_NAME_CHARACTERS} characters on one line"
    details.append(Detail(path, sentence))
    return ""


_FIELDS: Final = (
    Field("name", "name", _name),
    Field("visibility", "visibility", one_of(*VISIBILITIES), required=False, default=PRIVATE),
)

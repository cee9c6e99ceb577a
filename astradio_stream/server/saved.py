"""Saved charts in programmes: births stand in for those that a client named.

A private chart can only be named by its owner, and becomes the birth that it is. A public one stays
a name, for everybody and its owner too, so that the programme can be passed on: whoever plays it
has it looked up anew, and is refused once it is hidden, changed, deleted, or its owner blocked.
"""

from __future__ import annotations

import dataclasses
import hmac
from typing import TYPE_CHECKING, Any, Final

from astradio_stream.errors import NotFound
from astradio_stream.server.publishing import birth_of_chart
from astradio_stream.store.charts import PUBLIC, SavedChart, visible_chart
from astradio_stream.store.users import signing_key
from astradio_stream.stream.charts import (
    BIRTH_FIELDS,
    MAX_CHART_ID_CHARACTERS,
    MAX_CHARTS,
    SAVED_FIELDS,
    NamedBirth,
    SavedChartName,
)
from astradio_stream.strict_json import dump_json

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from starlette.requests import HTTPConnection

    from astradio_stream.server.desk import Desk
    from astradio_stream.stream.programme import Programme
    from astradio_stream.wire.messages import Hello

_VERSION_DIGITS: Final = 16


class SavedBirths:
    """What listeners ask of the saved charts."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def looked_up(self, hello: Hello, asking: HTTPConnection) -> Hello:
        """Return a hello in whose programme births stand in for saved charts.

        Raises:
            NotFound: there is no such chart for who asks.
            StoreUnavailable: nobody can tell.
        """
        fields = hello.programme
        if fields is None or not has_saved_charts(fields):
            return hello
        user_id = await self._user_of(asking)
        programme = await self._desk.store.read(
            lambda store: with_saved_charts(store, fields, user_id)
        )
        return dataclasses.replace(hello, programme=programme)

    async def require_visible(self, programme: Programme, asking: HTTPConnection) -> None:
        """Find out whether who asks may hear a programme that was made earlier.

        Raises:
            NotFound: a chart in it is hidden from them, or is another one now.
            StoreUnavailable: nobody can tell.
        """
        named = programme.saved_charts
        if named:
            user_id = await self._user_of(asking)
            await self._desk.store.read(lambda store: require_present(store, named, user_id))

    async def _user_of(self, asking: HTTPConnection) -> str | None:
        session = await self._desk.session_of(asking)
        return None if session is None else session.user.id


def has_saved_charts(fields: dict[str, Any]) -> bool:
    """Return whether a programme names a saved chart."""
    charts = fields.get("charts")
    return isinstance(charts, list) and len(charts) <= MAX_CHARTS and any(map(_is_saved, charts))


def with_saved_charts(
    store: sqlite3.Connection, fields: dict[str, Any], user_id: str | None
) -> dict[str, Any]:
    """Return a programme in which births stand in for saved charts.

    Args:
        store: Where they are saved.
        fields: As a client wrote it; whatever else is wrong in it is left to its reader.
        user_id: Who asks; None for nobody in particular.

    Raises:
        NotFound: there is no such chart for them.
    """
    if not has_saved_charts(fields):
        return fields
    charts = [
        birth_in_programme(store, visible(store, chart, user_id)) if _is_saved(chart) else chart
        for chart in fields["charts"]
    ]
    return fields | {"charts": charts}


def require_present(
    store: sqlite3.Connection, named: Iterable[SavedChartName], user_id: str | None
) -> None:
    """Look up saved charts.

    Raises:
        NotFound: one is hidden from who asks, or is another one now.
    """
    for name in named:
        visible(store, name.to_json(), user_id)


def visible(store: sqlite3.Connection, named: dict[str, Any], user_id: str | None) -> SavedChart:
    """Return a saved chart that is named, in the version that is named.

    Raises:
        NotFound: there is none for who asks.
    """
    chart = visible_chart(store, named["chartId"], user_id)
    version = named.get("version")
    if version is not None and version != version_of(store, chart):
        raise NotFound("the chart was changed; ask for it without its version")
    return chart


def birth_in_programme(store: sqlite3.Connection, chart: SavedChart) -> NamedBirth | dict[str, Any]:
    """Return a saved chart as programmes have it: veiled if it is public, else as it was given."""
    if chart.visibility == PUBLIC:
        named = SavedChartName(chart.id, version_of(store, chart))
        return NamedBirth(birth_of_chart(chart), chart.name, named)
    optional = {"tz": chart.tz, "fold": chart.fold}
    return {
        "datetime": chart.datetime,
        "lat": chart.lat_deg,
        "lon": chart.lon_deg,
        "name": chart.name,
        **{name: value for name, value in optional.items() if value is not None},
    }


def version_of(store: sqlite3.Connection, chart: SavedChart) -> str:
    """Return what another birth of this chart would not have, and from which none follows.

    It is keyed: a plain digest could be found by trying all births there are.
    """
    birth = [chart.id, chart.datetime, chart.tz, chart.lat_deg, chart.lon_deg, chart.fold]
    told = hmac.digest(signing_key(store), b"birth of chart\0" + dump_json(birth), "sha256")
    return told.hex()[:_VERSION_DIGITS]


def _is_saved(chart: object) -> bool:
    """Return whether a saved chart is named, and so that it can be looked up.

    What is unknown beside the name is ignored, as everywhere; what is wrong is left to the reader.
    """
    if not isinstance(chart, dict) or "chartId" not in chart:
        return False
    named = [chart[name] for name in SAVED_FIELDS if name in chart]
    are_names = all(isinstance(one, str) and len(one) <= MAX_CHART_ID_CHARACTERS for one in named)
    return are_names and chart.keys().isdisjoint(BIRTH_FIELDS)

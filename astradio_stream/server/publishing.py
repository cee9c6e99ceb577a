"""From a saved chart to its points in the search, and which of them are not there yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from astradio_stream.compat.points import packed_points
from astradio_stream.compat.positions import tenths_of_births
from astradio_stream.errors import AstradioError
from astradio_stream.server.logs import log_failure
from astradio_stream.sky.births import birth_of
from astradio_stream.store.charts import PUBLIC
from astradio_stream.store.published import publish, unpublished

if TYPE_CHECKING:
    import sqlite3

    from astradio_stream.sky.births import Birth
    from astradio_stream.store.charts import SavedChart

AT_ONCE: Final = 10_000
"""Charts that are put into the search in one transaction."""


def birth_of_chart(chart: SavedChart) -> Birth:
    """Return the birth of a saved chart.

    Raises:
        ValidationFailed: it can no longer be read, as where the history of a zone was corrected.
    """
    return birth_of(
        {
            "datetime": chart.datetime,
            "tz": chart.tz,
            "lat": chart.lat_deg,
            "lon": chart.lon_deg,
            "fold": chart.fold,
        }
    )


def publish_if_public(store: sqlite3.Connection, chart: SavedChart) -> None:
    """Put a chart into the search, in the transaction that saves it, if all may find it."""
    if chart.visibility == PUBLIC:
        points = packed_points(tenths_of_births([birth_of_chart(chart)]))
        publish(store, [(chart.id, chart.user_id, points[0])])


def publish_missing(store: sqlite3.Connection, after: str) -> str | None:
    """Put some public charts into the search that are not in it, as after an update of the program.

    Args:
        store: Where they are saved.
        after: The id after which to go on; empty for the first.

    Returns:
        Where to go on, or None once all are in it.
    """
    charts = unpublished(store, after, AT_ONCE)
    read: list[tuple[SavedChart, Birth]] = []
    for chart in charts:
        try:
            read.append((chart, birth_of_chart(chart)))
        except AstradioError as error:
            log_failure("CHART_UNREADABLE", error, chart=chart.id)
    points = packed_points(tenths_of_births([birth for _, birth in read]))
    publish(
        store,
        ((chart.id, chart.user_id, row) for (chart, _), row in zip(read, points, strict=True)),
    )
    return charts[-1].id if charts else None

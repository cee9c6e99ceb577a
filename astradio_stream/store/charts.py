"""Saved charts. Whose a chart is, and who else may see it, is decided in the question itself."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import astuple, dataclass, fields
from typing import Final

from astradio_stream.errors import AuthRequired, Conflict, NotFound
from astradio_stream.store.answers import forget_answers_about

PRIVATE: Final = "private"
PUBLIC: Final = "public"
VISIBILITIES: Final = (PRIVATE, PUBLIC)

MOST_CHARTS: Final = 500
"""That one account may save."""


@dataclass(frozen=True, slots=True)
class SavedChart:
    """A birth that somebody saved, in the words in which it was given."""

    id: str
    """`chart_` and 20 hexadecimal digits."""
    user_id: str
    """Whose it is."""
    name: str
    """Of whom or what was born."""
    datetime: str
    """As `sky.births` reads it."""
    tz: str | None
    """As `sky.births` reads it; None where `datetime` has its own offset."""
    lat_deg: float
    """Northern latitude (degrees)."""
    lon_deg: float
    """Eastern longitude (degrees)."""
    fold: int | None
    """Which of two equal local times is meant, where it was said."""
    visibility: str
    """`private` or `public`."""
    created_us: int
    """Unix time (microseconds)."""
    changed_us: int
    """Unix time (microseconds)."""


_COLUMNS: Final = [field.name for field in fields(SavedChart)]
_INSERT: Final = (
    f"INSERT INTO charts ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - our own names
)
_CHANGED: Final = ("name", "datetime", "tz", "lat_deg", "lon_deg", "fold", "visibility")
_UPDATE: Final = (
    f"UPDATE charts SET {', '.join(f'{name} = :{name}' for name in _CHANGED)}, "  # noqa: S608
    "changed_us = :changed_us WHERE id = :id AND user_id = :user_id"
)
_VISIBLE: Final = """
    SELECT * FROM charts WHERE id = :id AND (user_id = :user_id OR (visibility = 'public'
        AND NOT EXISTS (SELECT 1 FROM blocks
            WHERE (blocks.user_id = :user_id AND blocked_id = charts.user_id)
               OR (blocked_id = :user_id AND blocks.user_id = charts.user_id))))"""


def new_chart_id() -> str:
    """Return an id that nobody can guess."""
    return f"chart_{secrets.token_hex(10)}"


def add_chart(connection: sqlite3.Connection, chart: SavedChart) -> None:
    """Save a chart.

    Raises:
        Conflict: the account has as many as it may.
        AuthRequired: the account was deleted meanwhile.
    """
    n_charts = connection.execute(
        "SELECT count(*) FROM charts WHERE user_id = ?", (chart.user_id,)
    ).fetchone()[0]
    if n_charts >= MOST_CHARTS:
        raise Conflict(f"an account may save {MOST_CHARTS} charts; delete one first")
    try:
        connection.execute(_INSERT, astuple(chart))
    except sqlite3.IntegrityError:
        raise AuthRequired("the account is gone") from None


def charts_of(connection: sqlite3.Connection, user_id: str) -> list[SavedChart]:
    """Return the charts of an account, oldest first."""
    rows = connection.execute(
        "SELECT * FROM charts WHERE user_id = ? ORDER BY created_us, id", (user_id,)
    )
    return [SavedChart(*row) for row in rows]


def visible_chart(connection: sqlite3.Connection, chart_id: str, user_id: str | None) -> SavedChart:
    """Return a chart that somebody may see: their own, or a public one.

    Args:
        connection: To the database.
        chart_id: Which.
        user_id: Who asks; None for nobody in particular.

    Raises:
        NotFound: there is none; another's private chart is none either, nor is a chart of somebody
            who blocked who asks, or is blocked by them.
    """
    row = connection.execute(_VISIBLE, {"id": chart_id, "user_id": user_id}).fetchone()
    if row is None:
        raise NotFound("there is no such chart")
    return SavedChart(*row)


def own_chart(connection: sqlite3.Connection, chart_id: str, user_id: str) -> SavedChart:
    """Return a chart of an account.

    Raises:
        NotFound: it has no such chart.
    """
    row = connection.execute(
        "SELECT * FROM charts WHERE id = ? AND user_id = ?", (chart_id, user_id)
    ).fetchone()
    if row is None:
        raise NotFound("there is no such chart")
    return SavedChart(*row)


def change_chart(connection: sqlite3.Connection, chart: SavedChart) -> None:
    """Write a changed chart over the one it was."""
    values = {name: getattr(chart, name) for name in _COLUMNS}
    connection.execute(_UPDATE, values)


def delete_chart(connection: sqlite3.Connection, chart_id: str, user_id: str) -> SavedChart:
    """Delete a chart of an account, and what was answered about it; return what it was.

    Raises:
        NotFound: it has no such chart.
    """
    chart = own_chart(connection, chart_id, user_id)
    connection.execute("DELETE FROM charts WHERE id = ?", (chart_id,))
    forget_answers_about(connection, user_id, chart_id)
    return chart


def public_charts(connection: sqlite3.Connection) -> list[SavedChart]:
    """Return all charts that anybody may see, in the order of their ids."""
    rows = connection.execute("SELECT * FROM charts WHERE visibility = ? ORDER BY id", (PUBLIC,))
    return [SavedChart(*row) for row in rows]

"""Public charts as the search holds them: a number, whose, twelve points; and what changed.

A row follows from a public chart and goes with it: the database itself removes it when the chart is
hidden or deleted. Every change to a row leaves its number in a log, so that all processes that hold
these rows in memory learn what to read again. Whoever was away for too long reads all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from astradio_stream.errors import Conflict
from astradio_stream.store.charts import PUBLIC, SavedChart

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

MOST_CHANGES: Final = 20_000
"""More than so many changes are not read one by one: all is read anew, which is faster."""
KEPT_CHANGES: Final = 100_000
"""Numbers that stay in the log."""
_ID_DIGITS: Final = 16
_AT_ONCE: Final = 500
"""Rows that are asked for by one statement."""


@dataclass(frozen=True, slots=True)
class Published:
    """One chart in the search."""

    number: int
    """In the order of the ids of charts."""
    owner: int
    """Whose: a number that stands for the account."""
    points: bytes
    """As they were given."""


def number_of(chart_id: str) -> int | None:
    """Return the number that stands for a chart: 63 bits of its id; None for what is no id of ours.

    Numbers are in the order of ids. That two charts have one is less likely than a hundred
    thousand to one among ten million.
    """
    digits = chart_id.removeprefix("chart_")[:_ID_DIGITS]
    if len(digits) < _ID_DIGITS or not set(digits) <= set("0123456789abcdef"):
        return None
    return int(digits, 16) >> 1


def publish(connection: sqlite3.Connection, charts: Iterable[tuple[str, str, bytes]]) -> None:
    """Put charts into the search, or their new state.

    Args:
        connection: To the database.
        charts: Id, account, and points of each.

    Raises:
        Conflict: another chart has its number already.
    """
    for chart_id, user_id, points in charts:
        connection.execute(
            "INSERT INTO owners (user_id) VALUES (?) ON CONFLICT DO NOTHING", (user_id,)
        )
        done = connection.execute(
            """INSERT INTO published (number, chart_id, owner, points)
               SELECT ?, ?, number, ? FROM owners WHERE user_id = ?
               ON CONFLICT (number) DO UPDATE SET points = excluded.points, owner = excluded.owner
               WHERE chart_id = excluded.chart_id""",
            (number_of(chart_id), chart_id, points, user_id),
        )
        if not done.rowcount:
            raise Conflict("this chart cannot be published; save it anew")


def unpublished(connection: sqlite3.Connection, after: str, limit: int) -> list[SavedChart]:
    """Return public charts that are not in the search yet, in the order of their ids."""
    rows = connection.execute(
        """SELECT charts.* FROM charts LEFT JOIN published ON chart_id = id
           WHERE visibility = ? AND chart_id IS NULL AND id > ? ORDER BY id LIMIT ?""",
        (PUBLIC, after, limit),
    )
    return [SavedChart(*row) for row in rows]


def last_change(connection: sqlite3.Connection) -> int:
    """Return the number of the last change."""
    found: int = connection.execute("SELECT coalesce(max(sequence), 0) FROM publishing").fetchone()[
        0
    ]
    return found


def changed_since(connection: sqlite3.Connection, sequence: int) -> set[int] | None:
    """Return which charts changed after a change, or None where all must be read anew."""
    first, last = connection.execute(
        "SELECT min(sequence), max(sequence) FROM publishing"
    ).fetchone()
    if last is None or last == sequence:
        return set()
    if first > sequence + 1 or last - sequence > MOST_CHANGES or last < sequence:
        return None
    rows = connection.execute("SELECT number FROM publishing WHERE sequence > ?", (sequence,))
    return {row[0] for row in rows}


def forget_changes(connection: sqlite3.Connection) -> None:
    """Delete the oldest part of the log."""
    connection.execute(
        "DELETE FROM publishing WHERE sequence <= (SELECT max(sequence) FROM publishing) - ?",
        (KEPT_CHANGES,),
    )


def all_published(connection: sqlite3.Connection) -> Iterator[tuple[int, int, bytes]]:
    """Return number, owner and points of every chart in the search, in the order of numbers."""
    cursor = connection.cursor()
    cursor.row_factory = None
    return iter(cursor.execute("SELECT number, owner, points FROM published ORDER BY number"))


def published_among(connection: sqlite3.Connection, numbers: Iterable[int]) -> list[Published]:
    """Return those of some charts that are in the search."""
    wanted = sorted(numbers)
    found = []
    for first in range(0, len(wanted), _AT_ONCE):
        part = wanted[first : first + _AT_ONCE]
        rows = connection.execute(
            f"SELECT number, owner, points FROM published WHERE number IN ({_marks(part)})",  # noqa: S608
            part,
        )
        found += [Published(*row) for row in rows]
    return found


def names_of(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Return id and name of some charts in the search, by number."""
    rows = connection.execute(
        f"""SELECT number, chart_id, name FROM published JOIN charts ON id = chart_id
            WHERE number IN ({_marks(numbers)})""",  # noqa: S608 - question marks
        list(numbers),
    )
    return {number: (chart_id, name) for number, chart_id, name in rows}


def owners_apart(connection: sqlite3.Connection, user_ids: Iterable[str]) -> list[int]:
    """Return whose charts some accounts do not meet: their own, and of all who are blocked.

    Args:
        connection: To the database.
        user_ids: The accounts.

    Returns:
        Owners, as in `Published`.
    """
    apart: set[int] = set()
    for user_id in set(user_ids):
        rows = connection.execute(
            """SELECT number FROM owners WHERE user_id IN (
                   SELECT ?1 UNION SELECT blocked_id FROM blocks WHERE user_id = ?1
                   UNION SELECT user_id FROM blocks WHERE blocked_id = ?1)""",
            (user_id,),
        )
        apart.update(row[0] for row in rows)
    return sorted(apart)


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values))

"""Pieces that were composed, and from which programme each of their files can be made again."""

from __future__ import annotations

import sqlite3
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final

from astradio_stream.errors import AuthRequired

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Final = ("audio", "viz", "midi")

MOST_OF_ACCOUNT: Final = 1_000
MOST_OF_NOBODY: Final = 20_000
"""Pieces that are kept, the latest: a kilobyte each, with an account some twenty."""
KEPT_US: Final = 30 * 24 * 3_600 * 1_000_000
"""How long pieces of nobody are kept (microseconds): a month. None of them plays a birth."""


@dataclass(frozen=True, slots=True)
class Composition:
    """One piece."""

    id: str
    """Which piece, for whom and by which build: whatever the caller makes it of."""
    user_id: str | None
    """Whose it is; None for a piece that was asked for without an account."""
    programme: str
    """All that is needed to make it again, as JSON."""
    answer: str
    """What was answered about it, as JSON."""
    created_us: int
    """Unix time (microseconds)."""


def keep_composition(
    connection: sqlite3.Connection, composition: Composition, digests: Mapping[str, str]
) -> None:
    """Keep a piece and the digests of its files by kind; one that is known already stays.

    Raises:
        AuthRequired: the account was deleted meanwhile.
    """
    try:
        added = connection.execute(
            """INSERT INTO compositions (id, user_id, programme, answer, created_us)
               VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING""",
            astuple(composition),
        )
    except sqlite3.IntegrityError:
        raise AuthRequired("the account is gone") from None
    if added.rowcount:
        connection.executemany(
            "INSERT INTO media (composition_id, kind, digest) VALUES (?, ?, ?)",
            [(composition.id, kind, digest) for kind, digest in digests.items()],
        )


def composition_of_id(connection: sqlite3.Connection, composition_id: str) -> Composition | None:
    """Return a piece by its id."""
    row = connection.execute(
        "SELECT * FROM compositions WHERE id = ?", (composition_id,)
    ).fetchone()
    return None if row is None else Composition(*row)


def composition_of_media(
    connection: sqlite3.Connection, kind: str, digest: str
) -> Composition | None:
    """Return a piece to which a file belongs."""
    row = connection.execute(
        """SELECT compositions.* FROM media JOIN compositions ON composition_id = id
           WHERE digest = ? AND kind = ? LIMIT 1""",
        (digest, kind),
    ).fetchone()
    return None if row is None else Composition(*row)


def forget_pieces_of(
    connection: sqlite3.Connection, user_id: str, birth: Mapping[str, object] | None = None
) -> list[tuple[str, str]]:
    """Delete the pieces of an account, or those that play a birth.

    Args:
        connection: To the database.
        user_id: Whose pieces.
        birth: `datetime`, `lat` and `lon` as a programme has them; None for all pieces.

    Returns:
        The files, by kind and digest, that belong to no piece any more.
    """
    known = "user_id = :user_id"
    values: dict[str, object] = {"user_id": user_id}
    if birth is not None:
        known += f" AND {plays('programme')}"
        values |= birth
    files = connection.execute(
        f"""SELECT DISTINCT kind, digest FROM media JOIN compositions ON composition_id = id
            WHERE {known}""",  # noqa: S608 - our own words
        values,
    ).fetchall()
    connection.execute(f"DELETE FROM compositions WHERE {known}", values)  # noqa: S608
    return [
        (kind, digest)
        for kind, digest in files
        if composition_of_media(connection, kind, digest) is None
    ]


def plays(column: str) -> str:
    """Return the condition that the order in a column plays the birth :datetime, :lat, :lon."""
    return (
        f"EXISTS (SELECT 1 FROM json_each({column}, '$.programme.charts') AS chart"  # noqa: S608
        " WHERE chart.value ->> 'datetime' = :datetime"
        " AND chart.value ->> 'lat' = :lat AND chart.value ->> 'lon' = :lon)"
    )


def compositions_of(connection: sqlite3.Connection, user_id: str) -> list[Composition]:
    """Return the pieces of an account, oldest first."""
    rows = connection.execute(
        "SELECT * FROM compositions WHERE user_id = ? ORDER BY created_us, id", (user_id,)
    )
    return [Composition(*row) for row in rows]


def forget_compositions(connection: sqlite3.Connection, before_us: int) -> None:
    """Delete pieces of nobody that are older than a moment."""
    connection.execute(
        "DELETE FROM compositions WHERE user_id IS NULL AND created_us < ?", (before_us,)
    )


def forget_surplus(connection: sqlite3.Connection, user_id: str | None) -> None:
    """Delete the oldest pieces of an account, or of nobody, beyond what is kept."""
    most = MOST_OF_NOBODY if user_id is None else MOST_OF_ACCOUNT
    connection.execute(
        """DELETE FROM compositions WHERE id IN (
               SELECT id FROM compositions WHERE user_id IS ?
               ORDER BY created_us DESC, id LIMIT -1 OFFSET ?)""",
        (user_id, most),
    )

"""Answers that were given under an idempotency key, for whoever asks the same once more.

A COMMIT whose outcome nobody heard of is no failed write. So what a request changed and what it was
answered are kept in one transaction, and the same request with the same key gets that answer again.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from astradio_stream.errors import AuthRequired, Conflict
from astradio_stream.store.compositions import plays

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT_US: Final = 24 * 3_600 * 1_000_000
"""How long an answer is kept (microseconds): a day."""
MOST_OF_OWNER: Final = 1_000
"""Answers that are kept for one page and one owner, the latest: half a kilobyte each."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request under a key."""

    scope: str
    """Whose keys they are, and for which page: the same key elsewhere is another."""
    key: str
    """As the client chose it."""
    request: bytes
    """Digest of what was asked."""
    user_id: str | None
    """With which account the answer goes."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """One answer."""

    status: int
    """Of HTTP."""
    body: bytes
    """As it was, without the request id."""


def kept_answer(connection: sqlite3.Connection, asked: Asked, now_us: int) -> KeptAnswer | None:
    """Return what was answered under a key, if anything was.

    Raises:
        Conflict: something else was asked under this key.
    """
    row = connection.execute(
        """SELECT request, status, body FROM answers
           WHERE scope = ? AND key = ? AND expires_us > ?""",
        (asked.scope, asked.key, now_us),
    ).fetchone()
    if row is None:
        return None
    if row["request"] != asked.request:
        raise Conflict("this Idempotency-Key was used for another request")
    return KeptAnswer(row["status"], row["body"])


def keep_answer(
    connection: sqlite3.Connection, asked: Asked, answer: KeptAnswer, now_us: int
) -> None:
    """Keep an answer for a day; one that is kept already stays, unless its day is over.

    Raises:
        AuthRequired: the account was deleted meanwhile.
    """
    connection.execute(
        "DELETE FROM answers WHERE scope = ? AND key = ? AND expires_us <= ?",
        (asked.scope, asked.key, now_us),
    )
    values = (
        asked.scope,
        asked.key,
        asked.user_id,
        asked.request,
        answer.status,
        answer.body,
        now_us + KEPT_US,
    )
    try:
        connection.execute(
            """INSERT INTO answers (scope, key, user_id, request, status, body, expires_us)
               VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope, key) DO NOTHING""",
            values,
        )
    except sqlite3.IntegrityError:
        raise AuthRequired("the account is gone") from None


def answers_of(
    connection: sqlite3.Connection, user_id: str
) -> list[tuple[str, str, KeptAnswer, int]]:
    """Return what is kept for an account: scope, key, answer and when it ends (microseconds)."""
    rows = connection.execute(
        """SELECT scope, key, status, body, expires_us FROM answers
           WHERE user_id = ? ORDER BY expires_us, scope, key""",
        (user_id,),
    )
    return [
        (row["scope"], row["key"], KeptAnswer(row["status"], row["body"]), row["expires_us"])
        for row in rows
    ]


def forget_answers(connection: sqlite3.Connection, now_us: int) -> None:
    """Delete answers whose day is over, and of one owner the oldest beyond what is kept."""
    connection.execute("DELETE FROM answers WHERE expires_us <= ?", (now_us,))
    connection.execute(
        """DELETE FROM answers WHERE (scope, key) IN (
               SELECT scope, key FROM (
                   SELECT scope, key, row_number() OVER (
                       PARTITION BY scope ORDER BY expires_us DESC, key) AS place FROM answers)
               WHERE place > ?)""",
        (MOST_OF_OWNER,),
    )


def forget_answers_about(connection: sqlite3.Connection, user_id: str, word: str) -> None:
    """Delete the answers to an account that hold a word, such as the id of a deleted chart."""
    connection.execute(
        "DELETE FROM answers WHERE user_id = ? AND instr(body, ?)", (user_id, word.encode())
    )


def forget_answers_with(
    connection: sqlite3.Connection, user_id: str, birth: Mapping[str, object]
) -> None:
    """Delete the answers to an account that are orders which play a birth."""
    connection.execute(
        f"DELETE FROM answers WHERE user_id = :user_id AND {plays('CAST(body AS TEXT)')}",  # noqa: S608 - our own words
        {"user_id": user_id, **birth},
    )

"""Answers that were given under an idempotency key, for whoever asks the same once more.

A COMMIT whose outcome nobody heard of is no failed write. So what a request changed and what it was
answered are kept in one transaction, and the same request with the same key gets that answer again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from astradio_stream.errors import Conflict

if TYPE_CHECKING:
    import sqlite3

KEPT_US: Final = 24 * 3_600 * 1_000_000
"""How long an answer is kept (microseconds): a day."""


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
    """Keep an answer for a day; one that is kept already stays, unless its day is over."""
    connection.execute(
        "DELETE FROM answers WHERE scope = ? AND key = ? AND expires_us <= ?",
        (asked.scope, asked.key, now_us),
    )
    connection.execute(
        """INSERT INTO answers (scope, key, user_id, request, status, body, expires_us)
           VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope, key) DO NOTHING""",
        (
            asked.scope,
            asked.key,
            asked.user_id,
            asked.request,
            answer.status,
            answer.body,
            now_us + KEPT_US,
        ),
    )


def forget_answers(connection: sqlite3.Connection, now_us: int) -> None:
    """Delete answers whose day is over."""
    connection.execute("DELETE FROM answers WHERE expires_us <= ?", (now_us,))


def forget_answers_about(connection: sqlite3.Connection, user_id: str, word: str) -> None:
    """Delete the answers to an account that hold a word, such as the id of a deleted chart."""
    connection.execute(
        "DELETE FROM answers WHERE user_id = ? AND instr(body, ?)", (user_id, word.encode())
    )

"""Accounts and sessions, as rows."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from astradio_stream.errors import AuthRequired, Conflict
from astradio_stream.store.answers import answers_of
from astradio_stream.store.blocks import blocks_of
from astradio_stream.store.charts import charts_of
from astradio_stream.store.compositions import compositions_of, forget_pieces_of
from astradio_stream.store.migrations import SIGNING_KEY

MOST_SESSIONS: Final = 50
"""That one account may have open; the oldest make room."""


@dataclass(frozen=True, slots=True)
class User:
    """One account."""

    id: str
    """`user_` and 20 hexadecimal digits."""
    email: str
    """In lower case."""
    password: str
    """The Argon2 hash, with its parameters."""
    created_us: int
    """Unix time (microseconds)."""


@dataclass(frozen=True, slots=True)
class Session:
    """One account that is logged in, in one browser."""

    digest: bytes
    """SHA-256 of the token in the cookie."""
    user: User
    """Whose it is."""
    expires_us: int
    """Unix time (microseconds) from which it is void."""


def digest_of(token: str) -> bytes:
    """Return what stands in the database for the token of a session."""
    return sha256(token.encode("utf-8", "replace")).digest()


def signing_key(connection: sqlite3.Connection) -> bytes:
    """Return the key that signs what clients carry."""
    row = connection.execute("SELECT value FROM keys WHERE name = ?", (SIGNING_KEY,)).fetchone()
    key: bytes = row["value"]
    return key


def add_user(connection: sqlite3.Connection, email: str, password: str, now_us: int) -> User:
    """Make an account.

    Raises:
        Conflict: the address has one.
    """
    user = User(f"user_{secrets.token_hex(10)}", email, password, now_us)
    try:
        connection.execute(
            "INSERT INTO users (id, email, password, created_us) VALUES (?, ?, ?, ?)",
            (user.id, user.email, user.password, user.created_us),
        )
    except sqlite3.IntegrityError:
        raise Conflict("there is an account with this address") from None
    return user


def user_of_email(connection: sqlite3.Connection, email: str) -> User | None:
    """Return the account of an address."""
    row = connection.execute("SELECT * FROM users WHERE email = ?", (email,)).fetchone()
    return None if row is None else User(*row)


def set_password(connection: sqlite3.Connection, user_id: str, password: str) -> None:
    """Keep another hash of the password."""
    connection.execute("UPDATE users SET password = ? WHERE id = ?", (password, user_id))


def delete_user(connection: sqlite3.Connection, user_id: str) -> list[tuple[str, str]]:
    """Delete an account and, as the references say, all that belongs to it.

    Returns:
        The files, by kind and digest, of pieces that nobody else has.
    """
    files = forget_pieces_of(connection, user_id)
    connection.execute("DELETE FROM users WHERE id = ?", (user_id,))
    return files


def add_session(
    connection: sqlite3.Connection, digest: bytes, user_id: str, now_us: int, expires_us: int
) -> None:
    """Log an account in; beyond `MOST_SESSIONS` the oldest of its sessions ends.

    Raises:
        AuthRequired: the account was deleted meanwhile.
    """
    try:
        connection.execute(
            "INSERT INTO sessions (digest, user_id, created_us, expires_us) VALUES (?, ?, ?, ?)",
            (digest, user_id, now_us, expires_us),
        )
    except sqlite3.IntegrityError:
        raise AuthRequired("the account is gone") from None
    connection.execute(
        """DELETE FROM sessions WHERE digest IN (
             SELECT digest FROM sessions WHERE user_id = ? ORDER BY created_us DESC, digest
             LIMIT -1 OFFSET ?)""",
        (user_id, MOST_SESSIONS),
    )


def session_of(connection: sqlite3.Connection, digest: bytes, now_us: int) -> Session | None:
    """Return the session of a token, if it lives."""
    row = connection.execute(
        """SELECT users.*, sessions.expires_us FROM sessions JOIN users ON users.id = user_id
           WHERE digest = ? AND expires_us > ?""",
        (digest, now_us),
    ).fetchone()
    if row is None:
        return None
    *user, expires_us = row
    return Session(digest, User(*user), expires_us)


def end_session(connection: sqlite3.Connection, digest: bytes) -> None:
    """Log out; a session that is over already stays so."""
    connection.execute("DELETE FROM sessions WHERE digest = ?", (digest,))


def end_sessions_of(connection: sqlite3.Connection, user_id: str) -> None:
    """Log an account out wherever it is logged in."""
    connection.execute("DELETE FROM sessions WHERE user_id = ?", (user_id,))


def end_old_sessions(connection: sqlite3.Connection, now_us: int) -> None:
    """Delete sessions whose time is over."""
    connection.execute("DELETE FROM sessions WHERE expires_us <= ?", (now_us,))


def everything_of(connection: sqlite3.Connection, user: User) -> dict[str, Any]:
    """Return all that is stored about an account, but for the hashes that open it."""
    sessions = connection.execute(
        "SELECT created_us, expires_us FROM sessions WHERE user_id = ? ORDER BY created_us",
        (user.id,),
    )
    return {
        "user": user,
        "sessions": [tuple(row) for row in sessions],
        "charts": charts_of(connection, user.id),
        "blocks": blocks_of(connection, user.id),
        "compositions": compositions_of(connection, user.id),
        "answers": answers_of(connection, user.id),
    }

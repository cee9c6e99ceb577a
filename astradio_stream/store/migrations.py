"""The shape of the database, as numbered steps that each happen whole or not at all.

`PRAGMA user_version` counts the steps taken. A step that was released is never changed: what it
got wrong is the next step's work. Moments are Unix times in microseconds, ids are text.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

# fmt: off
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    # 1: accounts
    (
        """CREATE TABLE keys (
            name       TEXT PRIMARY KEY,
            value      BLOB NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE users (
            id         TEXT PRIMARY KEY,
            email      TEXT NOT NULL UNIQUE,
            password   TEXT NOT NULL,
            created_us INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        # Only the digest of a session's token is kept: who reads the file cannot log in with it.
        """CREATE TABLE sessions (
            digest     BLOB PRIMARY KEY,
            user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            created_us INTEGER NOT NULL,
            expires_us INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX sessions_of_user ON sessions (user_id)",
        "CREATE INDEX sessions_by_end ON sessions (expires_us)",
    ),
    # 2: charts, in the words in which they were given
    (
        """CREATE TABLE charts (
            id         TEXT PRIMARY KEY,
            user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            name       TEXT NOT NULL,
            datetime   TEXT NOT NULL,
            tz         TEXT,
            lat_deg    REAL NOT NULL,
            lon_deg    REAL NOT NULL,
            fold       INTEGER CHECK (fold IN (0, 1)),
            visibility TEXT NOT NULL CHECK (visibility IN ('private', 'public')),
            created_us INTEGER NOT NULL,
            changed_us INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX charts_of_user ON charts (user_id, created_us)",
        "CREATE INDEX public_charts ON charts (changed_us) WHERE visibility = 'public'",
    ),
    # 3: pieces, and which files belong to them; a piece without an owner belongs to nobody
    (
        """CREATE TABLE compositions (
            id         TEXT PRIMARY KEY,
            user_id    TEXT REFERENCES users (id) ON DELETE CASCADE,
            programme  TEXT NOT NULL,
            answer     TEXT NOT NULL,
            created_us INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX compositions_of_user ON compositions (user_id, created_us)",
        """CREATE TABLE media (
            composition_id TEXT NOT NULL REFERENCES compositions (id) ON DELETE CASCADE,
            kind           TEXT NOT NULL CHECK (kind IN ('audio', 'viz', 'midi')),
            digest         TEXT NOT NULL,
            PRIMARY KEY (composition_id, kind)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX media_by_digest ON media (digest, kind)",
    ),
    # 4: answers that a repeated request gets again; `user_id` only so that they go with the account
    (
        """CREATE TABLE answers (
            scope      TEXT NOT NULL,
            key        TEXT NOT NULL,
            user_id    TEXT REFERENCES users (id) ON DELETE CASCADE,
            request    BLOB NOT NULL,
            status     INTEGER NOT NULL,
            body       BLOB NOT NULL,
            expires_us INTEGER NOT NULL,
            PRIMARY KEY (scope, key)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX answers_of_user ON answers (user_id)",
        "CREATE INDEX answers_by_end ON answers (expires_us)",
    ),
    # 5: public charts as the search holds them, what changed about them, and who wants none of whom
    (
        """CREATE TABLE owners (
            number     INTEGER PRIMARY KEY AUTOINCREMENT,
            user_id    TEXT NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE
        ) STRICT""",
        # It follows from `charts`: what is missing here is found and added at the start.
        """CREATE TABLE published (
            number     INTEGER PRIMARY KEY,
            chart_id   TEXT NOT NULL UNIQUE REFERENCES charts (id) ON DELETE CASCADE,
            owner      INTEGER NOT NULL,
            points     BLOB NOT NULL
        ) STRICT""",
        """CREATE TABLE publishing (
            sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
            number     INTEGER NOT NULL
        ) STRICT""",
        """CREATE TRIGGER chart_hidden AFTER UPDATE OF visibility ON charts
           WHEN new.visibility <> 'public'
           BEGIN DELETE FROM published WHERE chart_id = new.id; END""",
        """CREATE TRIGGER published_added AFTER INSERT ON published
           BEGIN INSERT INTO publishing (number) VALUES (new.number); END""",
        """CREATE TRIGGER published_changed AFTER UPDATE ON published
           BEGIN INSERT INTO publishing (number) VALUES (new.number); END""",
        """CREATE TRIGGER published_removed AFTER DELETE ON published
           BEGIN INSERT INTO publishing (number) VALUES (old.number); END""",
        """CREATE TABLE blocks (
            id         TEXT PRIMARY KEY,
            user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            blocked_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            chart_id   TEXT REFERENCES charts (id) ON DELETE SET NULL,
            created_us INTEGER NOT NULL,
            UNIQUE (user_id, blocked_id)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX blocks_by_blocked ON blocks (blocked_id)",
        "CREATE INDEX blocks_by_chart ON blocks (chart_id)",
    ),
)
# fmt: on

VERSION: Final = len(MIGRATIONS)
SIGNING_KEY: Final = "signing"
_KEY_BYTES: Final = 32


class NewerVersion(Exception):
    """The database was made by a later program; this one does not know its shape."""


def version_of(connection: sqlite3.Connection) -> int:
    """Return how many steps a database has taken."""
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


def migrate(connection: sqlite3.Connection) -> int:
    """Take the steps that are missing; return how many there were.

    Several processes may come here at once: who holds the lock takes the step, the others then find
    it taken.

    Raises:
        NewerVersion: there are more steps than we know.
    """
    n_taken = 0
    while True:
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = version_of(connection)
            if version > VERSION:
                raise NewerVersion(f"version {version}, this program knows {VERSION}")
            if version == VERSION:
                _make_key(connection)
                connection.execute("COMMIT")
                return n_taken
            for statement in MIGRATIONS[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        n_taken += 1


def _make_key(connection: sqlite3.Connection) -> None:
    """Make the key that signs what clients carry, once and for all processes."""
    connection.execute(
        "INSERT OR IGNORE INTO keys (name, value) VALUES (?, ?)",
        (SIGNING_KEY, secrets.token_bytes(_KEY_BYTES)),
    )

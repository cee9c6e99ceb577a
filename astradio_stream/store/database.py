"""The database: one thread that writes, some that read, and a verdict on every error.

A write is acknowledged when its COMMIT came back, with a write-ahead log and `synchronous=FULL`:
by then it is on the disk. A COMMIT that fails is an unknown outcome, so the connection is thrown
away and the next write begins on a new one; whoever asked is told 503 and asks again.

Nothing here runs on the event loop. Other processes of ours may share the file: writers wait for
one another inside SQLite, readers for nobody.
"""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

from astradio_stream.errors import RETRY_AFTER_S, Overloaded, StoreUnavailable
from astradio_stream.store.migrations import NewerVersion, migrate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

FILE_NAME: Final = "astradio.db"
N_READERS: Final = 2
MOST_WAITING: Final = 256
"""Questions that may wait for a thread; beyond it there is no sense in waiting too."""
BUSY_MS: Final = 2_000
"""How long a writer waits for those of other processes (milliseconds)."""
_LOOK_AGAIN_S: Final = 0.01
_CHECKED_BYTES: Final = 256 << 20
"""A larger file is not read through at the start: that would take more than a second."""
_PRIMARY: Final = 0xFF
"""SQLite's extended error codes carry the primary one in their lowest byte."""

# What SQLite says of the world rather than of our own mistakes (https://sqlite.org/rescode.html).
# fmt: off
_TROUBLE: Final = {
    sqlite3.SQLITE_BUSY:     "is locked by another program",
    sqlite3.SQLITE_LOCKED:   "is locked by another program",
    sqlite3.SQLITE_NOMEM:    "needs more memory than there is",
    sqlite3.SQLITE_READONLY: "cannot be written: it or its folder is read-only",
    sqlite3.SQLITE_IOERR:    "cannot be read or written: the disk reports an error",
    sqlite3.SQLITE_CORRUPT:  "is damaged: restore it from a backup, or move it away to begin anew",
    sqlite3.SQLITE_FULL:     "cannot grow: the disk is full",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: look at the rights on it and on its folder",
    sqlite3.SQLITE_PROTOCOL: "is locked by another program",
    sqlite3.SQLITE_NOTADB:   "is no database: restore it from a backup, or move it away "
                             "to begin anew",
}
# fmt: on
_CODE_OF_ERRNO: Final = {errno.ENOSPC: sqlite3.SQLITE_FULL, errno.EROFS: sqlite3.SQLITE_READONLY}


class Database:
    """The file, and the threads that work on it."""

    def __init__(self, path: Path, on_health: Callable[[str], None] = lambda _: None) -> None:
        """Work on a file, which `open` makes if it is absent.

        Args:
            path: Of the file.
            on_health: Called with the trouble whenever a write failed, and with an empty text
                whenever one succeeded; from the writer's thread.
        """
        self._path = path
        self._on_health = on_health
        self._writer: sqlite3.Connection | None = None
        self._reading = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._writing_thread = ThreadPoolExecutor(1, "astradio-store-writer")
        self._reading_threads = ThreadPoolExecutor(N_READERS, "astradio-store-reader")
        self._n_waiting = 0

    async def open(self) -> None:
        """Make the file if it is absent, and bring it to the shape of this version.

        Raises:
            StoreUnavailable: it cannot be; the sentence says why.
        """
        await self._run(self._writing_thread, self._check)

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Make a change in one transaction; when this returns, it is on the disk.

        Args:
            change: What to do; an error of its own undoes all of it.

        Raises:
            StoreUnavailable: whether the change was made is not known.
            Overloaded: too many wait already.
        """
        return await self._run(self._writing_thread, lambda: self._write(change))

    async def read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Answer a question from one unchanging state of the database.

        Raises:
            StoreUnavailable: the database cannot be read.
            Overloaded: too many wait already.
        """
        return await self._run(self._reading_threads, lambda: self._read(question))

    def read_here(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Answer a question on the calling thread: one without a loop, that ends before `close`.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        return self._read(question)

    async def forget(self) -> None:
        """Let nothing that was deleted remain in the log of the database."""
        await self._run(self._writing_thread, self._forget)

    def close(self) -> None:
        """Finish what was begun and let go of the file."""
        self._reading_threads.shutdown()
        for reader in self._readers:
            reader.close()
        self._readers.clear()
        self._writing_thread.submit(self._drop_writer)
        self._writing_thread.shutdown()

    async def _run(self, threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        """Do work on a thread, unless too much of it waits already."""
        if self._n_waiting >= MOST_WAITING:
            raise Overloaded("the database has too much to do; try again shortly", RETRY_AFTER_S)
        self._n_waiting += 1
        try:
            # Whoever asked may go away; what was begun is finished all the same.
            return await asyncio.get_running_loop().run_in_executor(threads, work)
        finally:
            self._n_waiting -= 1

    # On the writer's thread ------------------------------------------------------------------

    def _write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._writer_connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = change(connection)
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            trouble = trouble_of(error)
            if trouble is None:
                raise
            self._drop_writer()
            self._on_health(trouble)
            raise self._unavailable(trouble) from error
        self._on_health("")
        return result

    def _check(self) -> None:
        """Open, bring to shape, and look for damage."""
        try:
            connection = self._writer_connection()
            if self._path.stat().st_size <= _CHECKED_BYTES:
                found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if found != "ok":
                    raise sqlite3.DatabaseError(found)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE keys SET value = value")  # a disk that takes nothing
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            trouble = trouble_of(error) or _TROUBLE[sqlite3.SQLITE_CORRUPT]
            self._drop_writer()
            self._on_health(trouble)
            raise self._unavailable(trouble) from error
        except NewerVersion as error:
            self._drop_writer()
            trouble = f"was made by a newer program ({error}): run that one"
            self._on_health(trouble)
            raise self._unavailable(trouble) from error
        self._on_health("")

    def _writer_connection(self) -> sqlite3.Connection:
        if self._writer is None:
            self._make_file()
            connection = self._connect("rwc")
            try:
                _keep_a_log(connection)
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute(f"PRAGMA journal_size_limit = {16 << 20}")
                migrate(connection)
            except BaseException:
                connection.close()
                raise
            self._writer = connection
        return self._writer

    def _make_file(self) -> None:
        """Make folder and file where they are absent; nobody else may read the file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))

    def _forget(self) -> None:
        """Empty the log; one that is being read right now is emptied the next time."""
        try:
            self._writer_connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except (sqlite3.Error, OSError) as error:
            trouble = trouble_of(error)
            if trouble is None:
                raise
            self._drop_writer()

    def _drop_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    # On a reader's thread --------------------------------------------------------------------

    def _read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._reader_connection()
            connection.execute("BEGIN")
            try:
                return question(connection)
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            trouble = trouble_of(error)
            if trouble is None:
                raise
            self._drop_reader()
            raise self._unavailable(trouble) from error

    def _reader_connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._reading, "connection", None)
        if found is None:
            found = self._connect("rw")
            found.execute("PRAGMA query_only = ON")
            self._reading.connection = found
            self._readers.append(found)
        return found

    def _drop_reader(self) -> None:
        reader: sqlite3.Connection | None = getattr(self._reading, "connection", None)
        if reader is not None:
            self._reading.connection = None
            self._readers.remove(reader)
            reader.close()

    # On either ---------------------------------------------------------------------------------

    def _connect(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self._path))}?mode={mode}",
            uri=True,
            timeout=BUSY_MS / 1_000,
            isolation_level=None,  # transactions begin and end where we say so
            check_same_thread=False,  # `close` comes from another thread, when all is quiet
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA trusted_schema = OFF")
        return connection

    def _unavailable(self, trouble: str) -> StoreUnavailable:
        return StoreUnavailable(
            "what is stored cannot be reached now; try again shortly",
            RETRY_AFTER_S,
            f"{self._path} {trouble}",
        )


def _keep_a_log(connection: sqlite3.Connection) -> None:
    """Have changes written to a log ahead of the file; wait for others who do the same.

    SQLite does not wait here by itself. The switch reads before it writes, and of two that do so at
    the same time each would wait for the other, so one of them is told at once that it is locked.
    """
    until = time.monotonic() + BUSY_MS / 1_000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & _PRIMARY == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() >= until:
                raise
            time.sleep(_LOOK_AGAIN_S)
        else:
            return


def trouble_of(error: sqlite3.Error | OSError) -> str | None:
    """Return what is wrong with the world, or None where the mistake is our own."""
    if isinstance(error, OSError):
        return _TROUBLE[_CODE_OF_ERRNO.get(error.errno or 0, sqlite3.SQLITE_CANTOPEN)]
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)  # some of the module's own
    return _TROUBLE.get(code & _PRIMARY)

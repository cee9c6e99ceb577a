"""The search among public charts: its index in memory, kept equal to the store, and its thread.

All of it happens on one thread, one question after the other, so that a storm of
searches takes one core at most and no listener waits. Each question is answered within one
transaction of the database: first the index learns what changed since the question before, then it
is searched, then the names of the matches are read. So an answer shows one moment of the store,
whichever process wrote to it: what is hidden, deleted or blocked by then cannot be in it.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from astradio_stream.compat import tables
from astradio_stream.compat.distribution import load_distribution
from astradio_stream.compat.index import Index
from astradio_stream.compat.points import unpacked_points
from astradio_stream.compat.weights import load_weights
from astradio_stream.errors import RETRY_AFTER_S, Overloaded, TryLater
from astradio_stream.server.logs import log, log_failure
from astradio_stream.server.publishing import publish_missing
from astradio_stream.store.published import (
    all_published,
    changed_since,
    last_change,
    published_among,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from astradio_stream.compat.index import Snapshot
    from astradio_stream.server.desk import Desk

T = TypeVar("T")

MOST_WAITING: Final = 64
"""Questions that may wait for the thread: with ten million charts, some seconds."""
_ROWS_AT_ONCE: Final = 65_536


class Matchmaker:
    """One for each app."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._thread = ThreadPoolExecutor(1, "compat")
        self._n_waiting = 0
        self._index = Index()
        self._seen: int | None = None
        """The last change that the index knows of; None before it was built."""
        self._opening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Load the weights, and begin to build the index.

        Weights that are wrong cost the search, not the music: the check of `/readyz` says so.
        """
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, _load)
        except Exception as error:
            log_failure("WEIGHTS_FAILED", error)
            return
        self._desk.shell.readiness.checks.compat_weights_loaded = True
        self._opening = asyncio.create_task(self._fill())

    async def close(self) -> None:
        """Finish the question that is being answered; drop those that wait."""
        if self._opening is not None:
            self._opening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._opening
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    @property
    def n_charts(self) -> int:
        """How many charts the index holds."""
        return len(self._index)

    async def ask(self, question: Callable[[sqlite3.Connection, Snapshot], T]) -> T:
        """Answer a question about one moment of the store and the index of it.

        Raises:
            Overloaded: too many wait already.
            StoreUnavailable: the database cannot be read.
        """
        if self._n_waiting >= MOST_WAITING:
            raise Overloaded("others search already; try again shortly", RETRY_AFTER_S)
        self._n_waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, partial(self._ask, question))
        finally:
            self._n_waiting -= 1

    async def _fill(self) -> None:
        """Publish what should be in the search and is not; then build the index."""
        after: str | None = ""
        try:
            while after is not None:
                after = await self._desk.store.write(partial(publish_missing, after=after))
            n_charts = await self.ask(lambda _, snapshot: snapshot.n_charts)
            log("SEARCH_READY", charts=n_charts)
        except TryLater:
            pass  # the first question builds it
        except Exception as error:
            log_failure("SEARCH_FAILED", error)

    # On the thread -----------------------------------------------------------------------------

    def _ask(self, question: Callable[[sqlite3.Connection, Snapshot], T]) -> T:
        def answer(connection: sqlite3.Connection) -> T:
            self._catch_up(connection)
            return question(connection, self._index.snapshot)

        return self._desk.store.read_here(answer)

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        """Bring the index to the moment of a transaction."""
        seen, self._seen = self._seen, None  # what fails halfway is built anew
        last = last_change(connection)
        changed = None if seen is None else changed_since(connection, seen)
        if changed is None:
            self._index = index_of(connection)
        else:
            self._heed(connection, changed)
        self._seen = last

    def _heed(self, connection: sqlite3.Connection, changed: set[int]) -> None:
        if not changed:
            return
        found = published_among(connection, changed)
        for row, tenths in zip(
            found, unpacked_points([row.points for row in found]).T, strict=True
        ):
            self._index.put(row.number, row.owner, tuple(tenths.tolist()))
        for number in changed - {row.number for row in found}:
            self._index.remove(number)


def index_of(connection: sqlite3.Connection) -> Index:
    """Return the index of all public charts of a store."""
    rows = all_published(connection)
    ids, owners, points = [], [], []
    while part := list(islice(rows, _ROWS_AT_ONCE)):
        numbers, whose, packed = zip(*part, strict=True)
        ids.append(np.array(numbers, dtype=np.int64))
        owners.append(np.array(whose, dtype=np.int32))
        points.append(unpacked_points(packed))
    if not ids:
        return Index()
    return Index.of_columns(
        np.concatenate(ids), np.concatenate(owners), np.concatenate(points, axis=1)
    )


def _load() -> None:
    """Load weights and distribution, and compile all facets.

    Raises:
        WeightsWrong: they are not what they should be.
    """
    weights = load_weights()
    load_distribution()
    tables.prepare(weights)

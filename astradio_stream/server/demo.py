"""A world to try the search in: people who never lived, each with an account and a public chart.

They are the profiles of `compat.profiles`, so a seed and a number always mean the same person, and
the same seed is never put in twice. Nobody can log in to their accounts: what stands for a password
is the hash of none. All of them come in one transaction, or none.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np
from tqdm import tqdm

from astradio_stream.compat.points import packed_points
from astradio_stream.compat.positions import tenths_at
from astradio_stream.compat.profiles import Profile, births_of, profile_of
from astradio_stream.errors import Conflict
from astradio_stream.sky.civil import civil_moment
from astradio_stream.sky.gazetteer import load_gazetteer
from astradio_stream.store.charts import PUBLIC
from astradio_stream.store.database import FILE_NAME, Database
from astradio_stream.store.published import number_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from astradio_stream.compat.profiles import Births

MOST_PROFILES: Final = 10_000_000
_SKIES_AT_ONCE: Final = 1 << 18
"""Births whose skies are computed together: the grid of days for them takes a second."""
_ROWS_AT_ONCE: Final = 8_192
_ID_DIGITS: Final = 20
_NO_PASSWORD: Final = "none"  # noqa: S105 - the hash of no password


@dataclass(frozen=True, slots=True)
class Demo:
    """What is to be made."""

    n_profiles: int
    """How many people."""
    seed: int
    """Which of many such worlds."""
    among_people: bool
    """Whether to go on where there are accounts already."""
    now_us: int
    """When they are made (Unix time, microseconds)."""


def seed_demo(data_dir: Path, demo: Demo) -> None:
    """Put synthetic people into the database of a data directory, which is made if absent.

    Raises:
        Conflict: there are accounts already, or these very people.
        StoreUnavailable: the database cannot be opened or written.
    """

    async def fill() -> None:
        store = Database(data_dir / FILE_NAME)
        try:
            await store.open()
            await store.write(lambda connection: _fill(connection, demo))
        finally:
            await asyncio.to_thread(store.close)

    asyncio.run(fill())


def id_of(kind: str, seed: int, number: int) -> str:
    """Return the id of a synthetic account or chart: always the same."""
    digest = sha256(f"demo {kind} {seed} {number}".encode()).hexdigest()
    return f"{kind}_{digest[:_ID_DIGITS]}"


def _fill(connection: sqlite3.Connection, demo: Demo) -> None:
    _require_room(connection, demo)
    towns = load_gazetteer().towns
    owner = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM owners").fetchone()[0]
    with tqdm(total=demo.n_profiles, unit=" profiles", desc="seed-demo") as told:
        for first in range(0, demo.n_profiles, _SKIES_AT_ONCE):
            n_here = min(_SKIES_AT_ONCE, demo.n_profiles - first)
            births = births_of(demo.seed, first, n_here, towns)
            profiles = [profile_of(births, n, first, towns) for n in range(n_here)]
            points = _points(births, profiles)
            for n in range(0, n_here, _ROWS_AT_ONCE):
                part = slice(n, n + _ROWS_AT_ONCE)
                _insert(
                    connection,
                    demo,
                    first + n,
                    owner=owner + first + n,
                    profiles=profiles[part],
                    points=points[part],
                )
                told.update(len(profiles[part]))


def _require_room(connection: sqlite3.Connection, demo: Demo) -> None:
    """Raise `Conflict` where these people must not come."""
    known = "SELECT 1 FROM users WHERE id = ?"
    if connection.execute(known, (id_of("user", demo.seed, 0),)).fetchone():
        raise Conflict(f"the people of seed {demo.seed} are here already; choose another --seed")
    n_users = connection.execute("SELECT count(*) FROM users").fetchone()[0]
    if n_users and not demo.among_people:
        raise Conflict(
            f"there are {n_users} accounts here; with --among-people synthetic ones join them"
        )


def _points(births: Births, profiles: Sequence[Profile]) -> list[bytes]:
    """Return the points of profiles as they are saved: without a time, those of noon."""
    utc_us = births.utc_us.copy()
    for n in np.flatnonzero(~births.time_known).tolist():
        utc_us[n] = civil_moment(profiles[n].local, profiles[n].tz).moment.utc_us
    return packed_points(tenths_at(utc_us, births.lat_deg, births.lon_deg, births.time_known))


def _insert(
    connection: sqlite3.Connection,
    demo: Demo,
    first: int,
    *,
    owner: int,
    profiles: Sequence[Profile],
    points: Sequence[bytes],
) -> None:
    numbers = range(first, first + len(profiles))
    users = [id_of("user", demo.seed, number) for number in numbers]
    charts = [id_of("chart", demo.seed, number) for number in numbers]
    connection.executemany(
        "INSERT INTO users (id, email, password, created_us) VALUES (?, ?, ?, ?)",
        (
            (user, f"demo-{demo.seed}-{number}@demo.invalid", _NO_PASSWORD, demo.now_us)
            for user, number in zip(users, numbers, strict=True)
        ),
    )
    connection.executemany(
        """INSERT INTO charts (id, user_id, name, datetime, tz, lat_deg, lon_deg, fold, visibility,
                               created_us, changed_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            (chart, user, row.name, row.local, row.tz, row.lat_deg, row.lon_deg, row.fold or None,
             PUBLIC, demo.now_us, demo.now_us)
            for chart, user, row in zip(charts, users, profiles, strict=True)
        ),
    )  # fmt: skip
    connection.executemany(
        "INSERT INTO owners (number, user_id) VALUES (?, ?)", enumerate(users, owner)
    )
    connection.executemany(
        "INSERT INTO published (number, chart_id, owner, points) VALUES (?, ?, ?, ?)",
        sorted(
            (number_of(chart), chart, owner + n, row)
            for n, (chart, row) in enumerate(zip(charts, points, strict=True))
        ),
    )

"""Pieces in the database: the latest are kept, of an account and of nobody."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from astradio_stream.store import compositions
from astradio_stream.store.compositions import (
    Composition,
    composition_of_media,
    compositions_of,
    forget_surplus,
    keep_composition,
)
from astradio_stream.store.migrations import migrate
from astradio_stream.store.users import add_user


@pytest.fixture
def store() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection)
        yield connection


def keep(store: sqlite3.Connection, n: int, user_id: str | None) -> None:
    made = Composition(f"{n} {user_id}", user_id, "{}", "", n)
    keep_composition(store, made, {"audio": f"{n:064x}"})


def test_the_latest_of_an_account_are_kept_and_their_files_known(
    store: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compositions, "MOST_OF_ACCOUNT", 3)
    users = [add_user(store, f"{name}@radio.example", "x", 0).id for name in ("a", "b")]
    for user_id in (*users, None):
        for n in range(5):
            keep(store, n, user_id)
    forget_surplus(store, users[0])
    assert [piece.created_us for piece in compositions_of(store, users[0])] == [2, 3, 4]
    assert len(compositions_of(store, users[1])) == 5
    assert composition_of_media(store, "audio", f"{0:064x}") is not None  # another's, the same


def test_the_latest_of_nobody_are_kept(
    store: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compositions, "MOST_OF_NOBODY", 2)
    for n in range(4):
        keep(store, n, None)
    forget_surplus(store, None)
    known = [composition_of_media(store, "audio", f"{n:064x}") is not None for n in range(4)]
    assert known == [False, False, True, True]

"""The database: whole migrations, acknowledged writes that stay, and a verdict on every error."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from astradio_stream.errors import Conflict, Overloaded, StoreUnavailable
from astradio_stream.store import database, migrations, users
from astradio_stream.store.database import FILE_NAME, Database
from astradio_stream.store.migrations import MIGRATIONS, VERSION, NewerVersion, migrate

T = TypeVar("T")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")


def in_store(
    path: Path, use: Callable[[Database], Awaitable[T]], health: list[str] | None = None
) -> T:
    """Open a database, use it, close it."""

    async def run() -> T:
        store = Database(path, (lambda _: None) if health is None else health.append)
        try:
            return await use(store)
        finally:
            await asyncio.to_thread(store.close)

    return asyncio.run(run())


async def opened(store: Database) -> None:
    await store.open()


def add(n: int) -> Callable[[sqlite3.Connection], users.User]:
    return lambda connection: users.add_user(connection, f"{n}@radio.example", "hash", n)


def emails_in(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT email FROM users ORDER BY email")]


def connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def schema_of(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    return set(connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))


@contextlib.contextmanager
def small_disk(folder: Path, n_bytes: int = 1 << 20) -> Iterator[Path]:
    """A disk that is soon full."""
    disk = folder / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={n_bytes}", "tmpfs", str(disk)], check=False
    )
    if made.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


# Migrations --------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", range(VERSION + 1))
def test_every_version_becomes_the_newest_and_keeps_what_it_held(
    tmp_path: Path, version: int
) -> None:
    path = tmp_path / FILE_NAME
    with contextlib.closing(connected(path)) as old:
        for step in MIGRATIONS[:version]:
            for statement in step:
                old.execute(statement)
        old.execute(f"PRAGMA user_version = {version}")
        if version:
            users.add_user(old, "kept@radio.example", "hash", 7)
    in_store(path, opened)
    assert emails_in(path) == (["kept@radio.example"] if version else [])
    with (
        contextlib.closing(connected(path)) as migrated,
        contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as new,
    ):
        assert migrate(new) == VERSION
        assert migrate(migrated) == 0
        assert schema_of(migrated) == schema_of(new)
        assert migrated.execute("PRAGMA user_version").fetchone()[0] == VERSION
        assert migrated.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_migration_that_fails_leaves_the_version_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = (*MIGRATIONS, ("CREATE TABLE half (a TEXT)", "THIS IS NO SQL"))
    monkeypatch.setattr(migrations, "MIGRATIONS", broken)
    monkeypatch.setattr(migrations, "VERSION", VERSION + 1)
    with contextlib.closing(connected(tmp_path / FILE_NAME)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="syntax"):
            migrate(connection)
        assert migrations.version_of(connection) == VERSION
        assert "half" not in {name for name, _ in schema_of(connection)}
        assert not connection.in_transaction


def test_a_newer_database_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with contextlib.closing(connected(path)) as connection:
        migrate(connection)
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
        with pytest.raises(NewerVersion):
            migrate(connection)
    with pytest.raises(StoreUnavailable) as caught:
        in_store(path, opened)
    assert "newer program" in caught.value.trouble


def test_processes_that_start_together_migrate_once_and_share_one_key(tmp_path: Path) -> None:
    program = """
import asyncio, sys
from pathlib import Path
from astradio_stream.store.database import Database
from astradio_stream.store.users import signing_key
async def run():
    store = Database(Path(sys.argv[1]))
    await store.open()
    print((await store.read(signing_key)).hex())
    store.close()
asyncio.run(run())
"""
    path = tmp_path / FILE_NAME
    started = [
        subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    keys = {process.communicate(timeout=60)[0] for process in started}
    assert all(process.returncode == 0 for process in started)
    assert len(keys) == 1
    assert len(keys.pop().strip()) == 64


def test_whoever_opens_waits_for_one_who_is_making_the_file(tmp_path: Path) -> None:
    """Between reading and writing the switch to a log is refused at once, whatever the timeout."""
    path = tmp_path / FILE_NAME
    path.touch()
    with contextlib.closing(
        sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE something (a TEXT)")
        later = threading.Timer(0.3, lambda: other.execute("COMMIT"))
        later.start()
        in_store(path, opened)
        later.join()
    with contextlib.closing(connected(path)) as reader:
        assert migrations.version_of(reader) == VERSION
        assert reader.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_whoever_opens_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_MS", 100)
    path = tmp_path / FILE_NAME
    path.touch()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE something (a TEXT)")
        with pytest.raises(StoreUnavailable) as caught:
            in_store(path, opened)
    assert "locked by another program" in caught.value.trouble


# Writes ------------------------------------------------------------------------------------------


def test_a_write_is_in_a_log_and_synchronous(tmp_path: Path) -> None:
    def settings_of(connection: sqlite3.Connection) -> tuple[Any, ...]:
        names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        return tuple(connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)

    full = 2
    assert in_store(tmp_path / FILE_NAME, lambda store: store.write(settings_of)) == (
        "wal", full, 1, 1,
    )  # fmt: skip


def test_only_we_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / FILE_NAME
    in_store(path, opened)
    assert path.stat().st_mode & 0o077 == 0


def test_an_error_of_a_change_undoes_all_of_it_and_nothing_else(tmp_path: Path) -> None:
    async def use(store: Database) -> None:
        await store.write(add(1))

        def change(connection: sqlite3.Connection) -> None:
            add(2)(connection)
            add(1)(connection)

        with pytest.raises(Conflict):
            await store.write(change)
        await store.write(add(3))

    health: list[str] = []
    in_store(tmp_path / FILE_NAME, use, health)
    assert emails_in(tmp_path / FILE_NAME) == ["1@radio.example", "3@radio.example"]
    assert set(health) == {""}


def test_a_mistake_of_ours_is_not_called_trouble(tmp_path: Path) -> None:
    async def use(store: Database) -> None:
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await store.write(lambda connection: connection.execute("DELETE FROM nowhere"))
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await store.read(lambda connection: connection.execute("SELECT * FROM nowhere"))

    in_store(tmp_path / FILE_NAME, use)


def test_a_reader_sees_one_state_and_changes_nothing(tmp_path: Path) -> None:
    async def use(store: Database) -> None:
        await store.write(add(1))
        loop = asyncio.get_running_loop()
        counted, written = asyncio.Event(), asyncio.Event()

        def question(connection: sqlite3.Connection) -> list[int]:
            counts = []
            for _ in range(2):
                counts.append(connection.execute("SELECT count(*) FROM users").fetchone()[0])
                loop.call_soon_threadsafe(counted.set)
                asyncio.run_coroutine_threadsafe(written.wait(), loop).result(20)
            return counts

        reading = asyncio.create_task(store.read(question))
        await counted.wait()
        await store.write(add(2))
        written.set()
        assert await reading == [1, 1]
        with pytest.raises(StoreUnavailable):
            await store.read(add(3))

    in_store(tmp_path / FILE_NAME, use)


def test_too_many_questions_are_refused_not_piled_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "MOST_WAITING", 4)

    async def use(store: Database) -> list[users.User | BaseException]:
        writes = [store.write(add(n)) for n in range(10)]
        return await asyncio.gather(*writes, return_exceptions=True)

    results = in_store(tmp_path / FILE_NAME, use)
    assert [type(result) for result in results] == [users.User] * 4 + [Overloaded] * 6
    assert len(emails_in(tmp_path / FILE_NAME)) == 4


def test_another_programs_lock_is_trouble_that_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_MS", 50)
    path = tmp_path / FILE_NAME

    async def use(store: Database) -> None:
        await store.open()
        with contextlib.closing(connected(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable) as caught:
                await store.write(add(1))
            assert "locked" in caught.value.trouble
            await store.read(lambda connection: users.user_of_email(connection, "x"))
        await store.write(add(1))

    health: list[str] = []
    in_store(path, use, health)
    assert [bool(trouble) for trouble in health] == [False, True, False]


def test_what_is_deleted_is_gone_from_the_files(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME

    async def use(store: Database) -> None:
        user = await store.write(add(424242))
        assert any(b"424242@radio" in file.read_bytes() for file in tmp_path.iterdir())
        await store.write(lambda connection: users.delete_user(connection, user.id))
        await store.forget()
        assert not any(b"424242@radio" in file.read_bytes() for file in tmp_path.iterdir())

    in_store(path, use)


# Trouble -----------------------------------------------------------------------------------------


def trouble_at_start(path: Path) -> str:
    with pytest.raises(StoreUnavailable) as caught:
        in_store(path, opened)
    assert caught.value.code == "STORE_UNAVAILABLE"
    assert str(path) not in caught.value.message
    assert caught.value.trouble.startswith(f"{path} ")
    assert "\n" not in caught.value.trouble
    return caught.value.trouble


def test_what_is_no_database_is_told_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_text("accounts: none\n" * 100)
    assert "is no database: restore it" in trouble_at_start(path)
    assert path.read_text().startswith("accounts")


def test_a_damaged_database_is_told_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME

    async def fill(store: Database) -> None:
        def change(connection: sqlite3.Connection) -> None:
            for n in range(500):
                add(n)(connection)

        await store.write(change)

    in_store(path, fill)
    page = 4_096
    raw = bytearray(path.read_bytes())
    for offset in range(page, len(raw), page):
        raw[offset : offset + 200] = b"\xff" * 200
    path.write_bytes(raw)
    assert "is damaged: restore it" in trouble_at_start(path)


def test_a_folder_in_its_place_is_told_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.mkdir()
    assert "cannot be opened" in trouble_at_start(path)


@needs_root
def test_a_read_only_disk_is_told_at_the_start(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        in_store(disk / FILE_NAME, opened)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert "cannot be written" in trouble_at_start(disk / FILE_NAME)


@needs_root
def test_a_full_disk_is_trouble_that_passes(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        path, ballast = disk / FILE_NAME, disk / "ballast"
        acknowledged: list[str] = []

        async def use(store: Database) -> None:
            await store.open()
            free = os.statvfs(disk)
            ballast.write_bytes(bytes((free.f_bavail - 20) * free.f_bsize))
            trouble, n = None, 0
            while trouble is None:
                n += 1
                try:
                    acknowledged.append((await store.write(add(n))).email)
                except StoreUnavailable as error:
                    trouble = error.trouble
            assert "disk" in trouble
            found = await store.read(lambda connection: users.user_of_email(connection, "x"))
            assert found is None
            ballast.unlink()
            acknowledged.append((await store.write(add(0))).email)

        health: list[str] = []
        in_store(path, use, health)
        assert [bool(trouble) for trouble in health[-2:]] == [True, False]
        # The write whose outcome was not known may be there too.
        assert set(acknowledged) <= set(emails_in(path))
        assert len(emails_in(path)) <= len(acknowledged) + 1


def test_a_file_that_may_not_grow_is_trouble_that_passes(tmp_path: Path) -> None:
    async def use(store: Database) -> None:
        await store.open()

        def stop_growing(connection: sqlite3.Connection) -> None:
            n_pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {n_pages}")

        await store.write(stop_growing)

        def add_many(connection: sqlite3.Connection) -> None:
            for n in range(1_000):
                add(n)(connection)

        with pytest.raises(StoreUnavailable) as caught:
            await store.write(add_many)
        assert "disk is full" in caught.value.trouble
        await store.write(add(2_000))  # on a new connection, which may grow

    in_store(tmp_path / FILE_NAME, use)


KILLED = """
import asyncio, sys
from pathlib import Path
from astradio_stream.store import users
from astradio_stream.store.database import Database

async def run():
    store = Database(Path(sys.argv[1]))
    first, n = int(sys.argv[2]), 0
    while True:
        emails = [f"{first + n + i}@radio.example" for i in range(4)]
        n += 4
        writes = [store.write(lambda c, e=e: users.add_user(c, e, "hash", 0)) for e in emails]
        for user in await asyncio.gather(*writes):
            print(user.email, flush=True)

asyncio.run(run())
"""


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    """Eight times in the middle of writes, on the same file."""
    path = tmp_path / FILE_NAME
    acknowledged: set[str] = set()
    for round_number in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path), str(round_number * 1_000_000)],
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout is not None
            for n, line in enumerate(writer.stdout):
                acknowledged.add(line.strip())
                if n == 20 + 13 * round_number:
                    writer.send_signal(signal.SIGKILL)
                    acknowledged.update(
                        line.strip() for line in writer.stdout if "example\n" in line
                    )
                    break
            assert writer.wait(20) == -signal.SIGKILL
        assert acknowledged <= set(emails_in(path))
    in_store(path, opened)  # looks for damage
    assert len(acknowledged) > 8 * 20

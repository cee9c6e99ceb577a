"""Synthetic people in the database: the same each time, found at once, never twice by accident."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from astradio_stream.cli import main
from astradio_stream.compat.points import packed_points
from astradio_stream.compat.positions import tenths_of_births
from astradio_stream.sky.births import birth_of
from astradio_stream.store.database import FILE_NAME
from tests.serving import SilentEngine, serving, settings_in
from tests.visitor import BIRTH, PASSWORD, visiting

N = 300


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory, in which commands work."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASTRADIO_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def rows(data: Path, question: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(data / FILE_NAME)) as connection:
        return connection.execute(question).fetchall()


def seed(*options: str) -> int:
    return main(["seed-demo", "--profiles", str(N), *options])


PEOPLE = "SELECT id, user_id, name, datetime, tz, lat_deg, lon_deg, fold FROM charts ORDER BY id"


def test_the_same_seed_is_the_same_people(data: Path, tmp_path: Path) -> None:
    assert seed() == 0
    first = rows(data, PEOPLE)
    assert len(first) == N
    (data / FILE_NAME).rename(tmp_path / "first.db")
    assert seed() == 0
    assert rows(data, PEOPLE) == first
    assert all(name.startswith("Demo ") for _, _, name, *_ in first)
    assert len({row[1] for row in first}) == N
    assert len(rows(data, "SELECT 1 FROM users WHERE email LIKE '%@demo.invalid'")) == N


def test_their_points_are_those_of_their_births(data: Path) -> None:
    assert seed() == 0
    kept = rows(
        data,
        """SELECT points, datetime, tz, lat_deg AS lat, lon_deg AS lon, fold
           FROM published JOIN charts ON id = chart_id""",
    )
    names = ("datetime", "tz", "lat", "lon", "fold")
    births = [birth_of(dict(zip(names, row[1:], strict=True))) for row in kept]
    assert [row[0] for row in kept] == packed_points(tenths_of_births(births))
    assert 0.05 < sum(not birth.civil.time_known for birth in births) / N < 0.3


def test_they_do_not_come_twice_nor_among_people(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert seed() == 0
    for options, told in (
        ((), "seed 1 are here already"),
        (("--among-people",), "seed 1 are here already"),
        (("--seed", "2"), f"there are {N} accounts here"),
    ):
        assert seed(*options) == 2
        assert told in capsys.readouterr().err
        assert len(rows(data, "SELECT 1 FROM users")) == N
    assert seed("--seed", "2", "--among-people") == 0
    assert len(rows(data, "SELECT DISTINCT id FROM charts")) == 2 * N


@pytest.mark.parametrize("n", ["0", "-1", "1e3", "10000001", "many"])
def test_so_many_cannot_be(data: Path, n: str) -> None:
    with pytest.raises(SystemExit):
        main(["seed-demo", f"--profiles={n}"])
    assert not data.exists()


def test_a_server_finds_them_and_nobody_logs_in_as_one(data: Path, tmp_path: Path) -> None:
    assert seed() == 0
    settings = settings_in(tmp_path)
    assert settings.data_dir == data
    with serving(settings, SilentEngine()) as served, visiting(served) as visitor:
        health = httpx.get(f"{served.http_url}/api/compat/health").json()
        assert health["profiles"] == N
        found = visitor.post("/api/compat/search", {"chart": BIRTH, "limit": 5}).json()
        assert (found["searched"], len(found["matches"])) == (N, 5)
        visitor.email = "demo-1-0@demo.invalid"
        for password in (PASSWORD, "none", "nonenone"):
            assert visitor.login(password=password).status_code == 401

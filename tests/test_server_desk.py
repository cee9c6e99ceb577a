"""The store under a server: what happens to accounts, and that nothing happens to the music."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from astradio_stream.server import account_routes, desk
from astradio_stream.server.logs import close_logs, open_logs
from tests.listener import listening
from tests.serving import Served, SilentEngine, serving, settings_in
from tests.test_store_database import needs_root, small_disk
from tests.visitor import CHART, Visitor, member, visiting


def readiness_of(server: Served) -> tuple[int, str, bool]:
    answer = httpx.get(f"{server.http_url}/readyz")
    return answer.status_code, answer.json()["state"], answer.json()["checks"]["store_writable"]


def assert_unavailable(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "STORE_UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) >= 1
    assert "astradio.db" not in answer.text


@needs_root
def test_a_full_disk_costs_writes_and_not_the_music_and_recovers(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        settings = settings_in(tmp_path, ASTRADIO_DATA_DIR=str(disk), RATE_LIMIT_MAX="100000")
        with (
            serving(settings, SilentEngine()) as server,
            member(server) as visitor,
            listening(server.ws_url) as inside,
        ):
            kept = [visitor.save()]
            free = os.statvfs(disk)
            (disk / "ballast").write_bytes(bytes((free.f_bavail - 20) * free.f_bsize))
            while (answer := visitor.post("/api/charts", CHART)).status_code == 201:
                kept.append(answer.json()["id"])
            assert_unavailable(answer)
            assert readiness_of(server) == (200, "DEGRADED", False)
            inside.take_quanta(5)
            assert visitor.get("/api/auth/session").json()["user"]["email"] == visitor.email
            assert visitor.get("/api/sky").status_code == 200
            (disk / "ballast").unlink()
            kept.append(visitor.save())
            assert readiness_of(server) == (200, "READY", True)
            inside.take_quanta(5)
            found = {chart["id"] for chart in visitor.get("/api/charts").json()["charts"]}
            assert set(kept) <= found


@pytest.mark.parametrize("damage", ["garbage", "folder", "file for folder"])
def test_a_broken_database_is_told_in_one_line_and_the_music_plays(
    tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "RETRY_S", 0.05)
    settings = settings_in(tmp_path)
    path = settings.data_dir / "astradio.db"
    settings.data_dir.mkdir()
    if damage == "file for folder":
        settings.data_dir.rmdir()
        settings.data_dir.write_text("")
    elif damage == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"garbage" * 1_000)
    log_handlers = open_logs(settings.log_file, "info")
    try:
        with serving(settings, SilentEngine()) as server, listening(server.ws_url) as inside:
            assert readiness_of(server) == (200, "DEGRADED", False)
            inside.take_quanta(3)
            with visiting(server) as visitor:
                visitor.take_token(visitor.get("/api/auth/session"))
                assert_unavailable(visitor.register())
                assert_unavailable(visitor.login())
            # Mended by hand, it serves again by itself.
            if damage == "file for folder":
                settings.data_dir.unlink()
            elif damage == "folder":
                path.rmdir()
            else:
                path.unlink()
            for _ in range(200):
                if readiness_of(server)[2]:
                    break
                inside.take_quanta(1)
            with visiting(server) as visitor:
                assert visitor.register().status_code == 201
    finally:
        close_logs(log_handlers)
    lines = settings.log_file.read_text().splitlines()
    told = [line for line in lines if line.startswith("STORE_")]
    assert len(told) == 2
    assert re.match(r"STORE_UNAVAILABLE time=\S+ level=ERROR ", told[0])
    assert str(path) in told[0]
    assert "accounts and charts answer 503" in told[0]
    assert re.match(r"STORE_AVAILABLE time=\S+ level=INFO ", told[1])
    assert not [line for line in lines if " level=ERROR " in line and line != told[0]]


def test_what_is_over_is_deleted_while_the_server_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "UPKEEP_S", 0.02)
    monkeypatch.setattr(account_routes, "SESSION_S", 0)
    with serving(settings_in(tmp_path, RATE_LIMIT_MAX="100000"), SilentEngine()) as server:
        with member(server) as visitor:
            assert visitor.get("/api/auth/session").json()["user"] is None
        path = server.shell.settings.data_dir / "astradio.db"
        for _ in range(500):
            with contextlib.closing(sqlite3.connect(path)) as connection:
                n_sessions = connection.execute("SELECT count(*) FROM sessions").fetchone()[0]
            if n_sessions == 0:
                break
            httpx.get(f"{server.http_url}/livez")
        assert n_sessions == 0


def test_every_line_that_a_request_leads_to_holds_its_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path)
    handlers = open_logs(settings.log_file, "debug")
    try:
        with serving(settings, SilentEngine()) as server, visiting(server) as visitor:
            for number, ask in enumerate((visitor.register, visitor.login)):
                visitor.headers["X-Request-Id"] = f"my-request-{number}"
                answer = ask()
                assert answer.json()["requestId"] == f"my-request-{number}"
            visitor.headers["X-Request-Id"] = "my-request-2"
            visitor.login(password="wrong guess")  # noqa: S106
    finally:
        close_logs(handlers)
    lines = settings.log_file.read_text().splitlines()
    for number, event in enumerate(("REGISTERED", "LOGGED_IN", "LOGIN_REFUSED")):
        of_request = [line for line in lines if f"requestId=my-request-{number}" in line]
        told = {line.split()[0].removesuffix("_4xx") for line in of_request}
        assert told >= {event, "HTTP"}
    assert not [line for line in lines if re.search(r"requestId=.*requestId=", line)]


SERVE = """
import pathlib, sys, time
from tests.serving import SilentEngine, serving, settings_in
settings = settings_in(pathlib.Path(sys.argv[1]), RATE_LIMIT_MAX="1000000")
with serving(settings, SilentEngine()) as server:
    print(server.http_url, flush=True)
    time.sleep(600)
"""
ROOT = Path(__file__).parent.parent


@contextlib.contextmanager
def served_by_another(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a server in a process of its own; return it and where it answers."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, next(line.strip() for line in process.stdout if "http" in line)
        finally:
            process.kill()


def test_nothing_that_was_acknowledged_is_lost_by_a_kill(tmp_path: Path) -> None:
    """The whole server, killed among writes; the same eight times over: test_store_database."""
    email = ""
    acknowledged: list[str] = []
    for round_number in range(3):
        with served_by_another(tmp_path) as (process, url):
            visitor = Visitor(url)
            with contextlib.closing(visitor.client):
                email = email or visitor.email
                visitor.email = email
                entered = visitor.login() if round_number else visitor.register()
                assert entered.is_success, entered.text
                if round_number:
                    again = visitor.post("/api/charts", CHART, **{"Idempotency-Key": "first"})
                    assert again.json()["id"] == acknowledged[0]
                saved = visitor.post("/api/charts", CHART, **{"Idempotency-Key": "first"})
                acknowledged.append(saved.json()["id"])
                killer = threading.Timer(0.2 + 0.1 * round_number, process.kill)
                killer.start()
                with contextlib.suppress(httpx.TransportError):
                    while True:
                        acknowledged.append(visitor.save())
                killer.join()
    with served_by_another(tmp_path) as (_, url):
        visitor = Visitor(url)
        with contextlib.closing(visitor.client):
            visitor.email = email
            visitor.login()
            found = {chart["id"] for chart in visitor.get("/api/charts").json()["charts"]}
    assert set(acknowledged) <= found
    assert len(set(acknowledged)) > 3

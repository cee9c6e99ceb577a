"""The commands of the operator, against real servers: what they find, forgive, copy and prove."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import socket
import stat
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from astradio_stream.cli import main
from astradio_stream.commands import backup, endpoints
from astradio_stream.commands.asking import Answer, Server, ask_servers
from astradio_stream.server.control import FOLDER
from astradio_stream.stream.segment import Segment
from tests.processes import Running, running
from tests.visitor import PASSWORD, Visitor


@pytest.fixture
def home(tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own, with the note banks, that commands find by the environment."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "banks").symlink_to(data_dir / "banks")
    monkeypatch.setenv("ASTRADIO_DATA_DIR", str(folder))
    monkeypatch.setenv("ASTRADIO_LOG_FILE", str(tmp_path / "app.log"))
    monkeypatch.chdir(tmp_path)
    return folder


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    """Run a command; return exit status, output and the last line of errors."""
    status = main(argv)
    out, err = capsys.readouterr()
    return status, out, (err.strip().splitlines() or [""])[-1]


# Where no server is ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["status"], "no server runs on ASTRADIO_DATA_DIR"),
        (["limits", "show"], "no server runs on ASTRADIO_DATA_DIR"),
        (["limits", "reset"], "say whom to forgive: an address, or --all"),
        (["backup", "b"], "nothing to copy yet"),
        (["restore", "b"], "b is no backup: it has no manifest.json"),
        (["verify", "http://127.0.0.1:1"], "does not play"),
        (["verify", "ftp://x"], "URL must be like http://localhost:3000"),
        (["validate-endpoints", "http://127.0.0.1:1"], "does not answer"),
    ],
)
def test_each_mistake_is_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], argv: list[str], sentence: str
) -> None:
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.startswith("astradio-stream: ")
    assert error.count("\n") == 1


def test_a_socket_that_a_dead_process_left_is_cleared_away(home: Path) -> None:
    (home / FOLDER).mkdir()
    stale = home / FOLDER / "1.sock"
    with socket.socket(socket.AF_UNIX) as left, contextlib.chdir(home / FOLDER):
        left.bind("1.sock")
    with pytest.raises(Exception, match="no server runs"):
        ask_servers(home, "status")
    assert not stale.exists()


def test_settings_are_checked_with_what_they_name(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTRADIO_PORT", "0")
    status, out, _ = told(capsys, "check-config")
    assert status == 0
    assert f"ASTRADIO_DATA_DIR         {home}" in out
    assert "RATE_LIMIT_MAX            50                            default" in out
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("ASTRADIO_PORT", str(taken.getsockname()[1]))
        status, out, _ = told(capsys, "check-config")
    assert status == 1
    assert "FAIL  the port is free: port " in out
    monkeypatch.setenv("ASTRADIO_HOST", "0.0.0.0")  # noqa: S104
    assert "note  ALLOWED_HOSTS is empty" in told(capsys, "check-config")[1]


# Status and limits -------------------------------------------------------------------------------


def test_all_workers_are_asked_and_forgive_together(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limit = {"RATE_LIMIT_MAX": "5", "RATE_LIMIT_WINDOW_S": "86400"}
    with running(tmp_path, home, "--workers", "2", **limit) as server:
        status, out, _ = told(capsys, "status")
        assert (status, out.count("READY")) == (0, 2)
        assert told(capsys, "status", "--pid")[1].split() == [str(server.process.pid)]
        assert all(row["ready"] for row in json.loads(told(capsys, "status", "--json")[1]))
        for path in (home / FOLDER).iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE((home / FOLDER).stat().st_mode) == 0o700

        answers = [httpx.get(f"{server.url}/api/config") for _ in range(30)]
        assert answers[-1].status_code == 429
        _, out, _ = told(capsys, "limits", "show")
        assert out.count("address  127.0.0.1") >= 1
        assert "refused" in out
        assert " has 0 left" in told(capsys, "limits", "show", "127.0.0.1")[1]
        assert told(capsys, "limits", "reset", "127.0.0.1")[0] == 0
        assert httpx.get(f"{server.url}/api/config").status_code == 200
        assert told(capsys, "limits", "reset", "--all")[0] == 0
        assert told(capsys, "limits", "show")[1].count("nobody was refused lately") == 2
        assert server.events().count("LIMITS_RESET") == 4
    log = server.log_file.read_text()
    refused = [line for line in log.splitlines() if "RATE_LIMITED" in line]
    assert all(" address=127.0.0.1 requestId=req_" in line for line in refused)


# Proving a server --------------------------------------------------------------------------------


def test_a_server_is_proved_and_a_false_one_found_out(
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running(tmp_path, home) as server:
        status, out, _ = told(capsys, "verify", server.url, "--seconds", "3", "--seed", "4")
        assert (status, "30 quanta, 3 s, are the samples rendered here" in out) == (0, True)
        status, out, _ = told(capsys, "validate-endpoints", server.url)
        assert (status, "FAIL  " in out) == (0, False), out
        assert "called by the page" in out

        # What the other would be like: here, checksums of other samples.
        monkeypatch.setattr(Segment, "quantum_crcs", lambda _self: list(range(10)))
        status, out, _ = told(capsys, "verify", server.url, "--seconds", "1")
        assert (status, "FAIL  10 of 10 quanta are other samples" in out) == (1, True)
        assert told(capsys, "verify", server.url, "--station", "none")[0] == 1


def test_what_a_server_says_and_does_not_do_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Server("http://radio.example")
    good = {"error": {"code": "NOT_FOUND", "message": "no"}, "requestId": endpoints.REQUEST_ID}
    headers: Any = httpx.Headers(
        {"X-Request-Id": endpoints.REQUEST_ID, "Cache-Control": "no-store", "Allow": "GET"}
    )

    def fault(status: int, body: Any, code: str = "NOT_FOUND") -> str:
        answer = Answer(status, headers, json.dumps(body).encode())
        return endpoints._fault_of(answer, 404, code)

    assert fault(404, good) == ""
    assert fault(500, good) == "answers 500"
    assert fault(404, {"detail": "no"}) == "has not the one shape of an error"
    assert fault(404, good, "CONFLICT") == "says NOT_FOUND"
    assert fault(404, good | {"requestId": "other"}) == "does not carry our request id"

    def answers(status: int, code: str) -> None:
        body = json.dumps(good | {"error": {"code": code, "message": "no"}}).encode()
        monkeypatch.setattr(Server, "ask", lambda *_args, **_more: Answer(status, headers, body))

    answers(404, "NOT_FOUND")
    assert "orphan" in endpoints._matrix_row(asked, "/gone", {"get"}, "others").fault
    answers(405, "METHOD_NOT_ALLOWED")
    assert endpoints._matrix_row(asked, "/there", {"get"}, "others").fault == ""
    assert "allows GET" in endpoints._matrix_row(asked, "/there", {"get", "post"}, "x").fault


# Backup ------------------------------------------------------------------------------------------


class Writers:
    """Visitors who save charts for as long as they are let, and note what was acknowledged."""

    def __init__(self, url: str) -> None:
        self.visitors = [Visitor(url) for _ in range(3)]
        self.saved: list[list[str]] = [[] for _ in self.visitors]
        self._is_over = threading.Event()
        for visitor in self.visitors:
            assert visitor.register().status_code == 201
        self._threads = [
            threading.Thread(target=self._write, args=(n,)) for n in range(len(self.visitors))
        ]
        for thread in self._threads:
            thread.start()

    def _write(self, which: int) -> None:
        while not self._is_over.wait(0.002) and len(self.saved[which]) < 150:
            self.saved[which].append(self.visitors[which].save(name=f"chart {which}"))

    def stop(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def leave(self) -> None:
        for visitor in self.visitors:
            visitor.client.close()


PIECE = {"seed": 9, "durationS": 1, "at": "2020-01-01T00:00Z"}
"""Of a moment of its own: without one it is a piece of the present minute, another in the next."""


def compose(server: Running) -> dict[str, Any]:
    answer = httpx.post(f"{server.url}/api/compose", json=PIECE, timeout=60)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_what_was_acknowledged_is_back_after_a_loss(
    home: Path, tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path / "a", home, RATE_LIMIT_MAX="1000000") as server:
        piece = compose(server)
        writers = Writers(server.url)
        while min(map(len, writers.saved)) < 20:
            assert not writers._is_over.wait(0.01)
        acknowledged = [list(saved) for saved in writers.saved]
        status, out, _ = told(capsys, "backup", "copy")
        writers.stop()
        assert status == 0, out
        assert told(capsys, "restore", "copy")[0] == 2  # a server runs, and a database is there
    files = {path.name: path for path in (tmp_path / "copy").iterdir()}
    assert set(files) == {"astradio.db", "media.json", "limits.json", "versions.json",
                          "settings.json", "manifest.json"}  # fmt: skip
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files.values())
    assert json.loads(files["limits.json"].read_text())[0]["max"] == 1_000_000
    assert {row["kind"] for row in json.loads(files["media.json"].read_text())} == {
        "audio", "viz", "midi",
    }  # fmt: skip
    assert json.loads(files["versions.json"].read_text())["models"]["audio"] == ["v1.0", "v1.1"]

    # All is lost but the copy.
    status, _, error = told(capsys, "restore", "copy")
    assert (status, "nothing is overwritten" in error) == (2, True)
    shutil.rmtree(home)
    home.mkdir()
    (home / "banks").symlink_to(data_dir / "banks")
    assert told(capsys, "restore", "copy")[0] == 0

    with running(tmp_path / "b", home, RATE_LIMIT_MAX="1000000") as server:
        for visitor, charts in zip(writers.visitors, acknowledged, strict=True):
            client = httpx.Client(base_url=server.url, cookies=visitor.client.cookies)
            with contextlib.closing(client):
                kept = client.get("/api/charts").json()["charts"]
                assert {chart["id"] for chart in kept} >= set(charts)
        writers.leave()
        again = Visitor(server.url)
        with contextlib.closing(again.client):
            again.email = writers.visitors[0].email
            assert again.login(password=PASSWORD).status_code == 200
        # Its files are gone, and made again from what the database knows, before it is asked anew.
        audio = httpx.get(server.url + piece["audio"]["url"], timeout=60)
        assert hashlib.sha256(audio.content).hexdigest() in piece["audio"]["digest"]
        fresh = compose(server)
        for part in ("audio", "viz", "midi", "text"):
            assert fresh[part]["digest"] == piece[part]["digest"]
        assert fresh["audio"]["pcmDigest"] == piece["audio"]["pcmDigest"]


def test_a_backup_that_changed_is_not_restored(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path, home):
        assert told(capsys, "backup", "copy")[0] == 0
        status, _, error = told(capsys, "backup", "copy")
        assert (status, "copy is not empty" in error) == (2, True)
    for path in home.glob("astradio.db*"):
        path.unlink()
    database = tmp_path / "copy" / "astradio.db"
    whole = database.read_bytes()
    database.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    status, _, error = told(capsys, "restore", "copy")
    assert (status, "is not the file that was backed up" in error) == (2, True)
    database.write_bytes(whole)
    (tmp_path / "copy" / "manifest.json").rename(tmp_path / "manifest.json")
    assert told(capsys, "restore", "copy")[0] == 2
    (tmp_path / "manifest.json").rename(tmp_path / "copy" / "manifest.json")
    assert told(capsys, "restore", "copy")[0] == 0
    assert (home / "astradio.db").read_bytes() == whole


def test_a_backup_holds_no_secret_of_the_environment(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.environ["MY_SECRET_TOKEN"] = "hunter2hunter2"  # noqa: S105
    try:
        with running(tmp_path, home):
            assert told(capsys, "backup", "copy")[0] == 0
    finally:
        del os.environ["MY_SECRET_TOKEN"]
    for path in (tmp_path / "copy").glob("*.json"):
        assert "hunter2" not in path.read_text()
    assert backup.rows_of(tmp_path / "copy" / "astradio.db")["keys"] == 1

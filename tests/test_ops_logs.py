"""The log of a real server, asked with the real grep as the runbook does, and with a full disk."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.listener import TRANSIT, listening
from tests.processes import Running, running
from tests.visitor import BIRTH, PASSWORD, Visitor

LIMIT = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Running]:
    """A server that has seen a day's life in a few seconds."""
    folder = tmp_path_factory.mktemp("logs")
    (folder / "data").mkdir()
    (folder / "data" / "banks").symlink_to(data_dir / "banks")
    limits = {"RATE_LIMIT_MAX": str(LIMIT), "RATE_LIMIT_WINDOW_S": "86400"}
    with running(folder, folder / "data", **limits) as found:
        visitor = Visitor(found.url)
        assert visitor.register().status_code == 201
        visitor.save()
        headers = visitor.headers | {"X-CSRF-Token": "wrong"}
        forged = visitor.client.post("/api/charts", json={}, headers=headers)
        assert forged.json()["error"]["code"] == "CSRF_FAILED"
        evil = {"Origin": "https://evil.example"}
        refused = httpx.post(f"{found.url}/api/compose", json={}, headers=evil)
        assert refused.json()["error"]["code"] == "ORIGIN_REFUSED"
        for _ in range(2):
            body = {"seed": 3, "durationS": 1, "mode": "natal", "charts": [BIRTH]}
            piece = httpx.post(f"{found.url}/api/compose", json=body, timeout=60)
            assert piece.status_code == 200, piece.text
        httpx.get(f"{found.url}/api/chart", params=BIRTH)
        httpx.get(f"{found.url}/4xx%0A5xx%20FORGED%20requestId=req_x")
        with listening(found.ws_url, TRANSIT, client="a\nFORGED") as listener:
            listener.take_quanta(2)
        visitor.client.close()
        while httpx.get(f"{found.url}/nowhere").status_code != 429:
            pass
        yield found


def asked(server: Running, command: str) -> list[str]:
    """Run a line of the runbook; return what it prints."""
    script = command.replace("logs/app.log", str(server.log_file))
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_greps_of_the_runbook_find_what_they_look_for(server: Running) -> None:
    (limited,) = asked(server, 'grep "RATE_LIMITED" logs/app.log')
    assert re.match(r"HTTP_4xx 429 time=\S+ level=INFO method=GET path=/nowhere ", limited)
    assert " error.code=RATE_LIMITED address=127.0.0.1 requestId=req_" in limited
    (forged,) = asked(server, 'grep "CSRF_FAILED" logs/app.log')
    assert " path=/api/charts error.code=CSRF_FAILED origin=http://127.0.0.1" in forged
    assert asked(server, 'grep "origin" logs/app.log')[-1].split()[0] == "HTTP_4xx"
    assert "https://evil.example" in "".join(asked(server, 'grep "origin" logs/app.log'))

    by_code = asked(server, 'grep "error.code" logs/app.log | sort | uniq -c')
    codes = {match[1] for line in by_code if (match := re.search(r"error\.code=(\w+)", line))}
    assert codes == {"RATE_LIMITED", "CSRF_FAILED", "ORIGIN_REFUSED", "NOT_FOUND"}

    slow = asked(server, "grep \"compose_latency_ms\" logs/app.log | awk '$2 > 0'")
    assert len(slow) == 2
    assert asked(server, "grep \"compose_latency_ms\" logs/app.log | awk '$2 > 2000000'") == []

    counted = asked(server, "grep \"4xx\\|5xx\" logs/app.log | awk '{print $1}' | sort | uniq -c")
    n_4xx = len([line for line in server.log_file.read_text().splitlines() if " 4" in line[:12]])
    assert dict(map(reversed, map(str.split, counted)))["HTTP_4xx"] == str(n_4xx)

    assert any(
        line.startswith("MODEL_LOADED ") for line in asked(server, 'grep "model" logs/app.log')
    )
    cache = asked(server, 'grep "cache" logs/app.log')
    assert [re.search(r"cache=(\w+)", line)[1] for line in cache] == ["miss", "hit"]  # type: ignore[index]


def test_a_visitors_id_leads_to_its_lines(server: Running) -> None:
    request_id = httpx.get(f"{server.url}/nowhere").headers["X-Request-Id"]
    assert request_id.startswith("req_")
    (line,) = asked(server, f'grep "requestId={request_id}" logs/app.log')
    assert line.endswith(f" requestId={request_id}")


def test_every_line_is_an_event_with_a_time_and_an_id(server: Running) -> None:
    lines = server.log_file.read_text().splitlines()
    assert len(lines) > 10
    for line in lines:
        assert re.match(r"\w+( [^= ]+)? time=\S+Z level=[A-Z]+ ", line), line
        assert re.search(r" requestId=[A-Za-z0-9_-]{8,64}$", line), line


def test_nothing_secret_and_nothing_of_a_birth_is_written(server: Running) -> None:
    text = re.sub(r" time=\S+Z ", " ", server.log_file.read_text())  # a clock may say 52.52, too
    for secret in (PASSWORD, "1990-06-15", "52.52", "Europe/Berlin", "Ada", "@radio.example",
                   "astradio_session", "csrfToken"):  # fmt: skip
        assert secret not in text


def test_a_full_disk_of_logs_stops_nothing(tmp_path: Path, data_dir: Path) -> None:
    """Every line fails, and those on standard output go to a pipe that is closed."""
    with running(tmp_path, data_dir, ASTRADIO_LOG_FILE="/dev/full") as full:
        assert full.process.stdout is not None
        full.process.stdout.close()
        with listening(full.ws_url, TRANSIT) as listener:
            listener.take_quanta(5)
        for _ in range(3):
            assert httpx.get(f"{full.url}/none").status_code == 404
        lines = httpx.get(f"{full.url}/metrics").text.splitlines()
        (lost,) = [line for line in lines if line.startswith("astradio_log_lines_lost_total ")]
        assert float(lost.split()[1]) >= 3
        full.process.terminate()
        assert full.process.wait(30) == 0

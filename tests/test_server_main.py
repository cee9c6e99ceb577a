"""The process: it says where it answers, why it cannot, and leaves when it is told to."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from astradio_stream.server.main import announce, bind, url_of
from tests.listener import TRANSIT, listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = """
import os, sys
from astradio_stream.server.main import serve
from astradio_stream.settings import load_settings
from astradio_stream.stream.versions import VERSIONS
sys.exit(serve(load_settings(os.environ, None, VERSIONS["audio"])))
"""


@contextlib.contextmanager
def process(
    folder: Path, data_dir: Path, before: str = "", **environ: str
) -> Iterator[subprocess.Popen[str]]:
    """Start the server as a process of its own, after some lines of Python."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ASTRADIO")}
    files = {
        "ASTRADIO_PORT": "0",
        "ASTRADIO_DATA_DIR": str(data_dir),
        "ASTRADIO_LOG_FILE": str(folder / "logs" / "app.log"),
    }
    with subprocess.Popen(
        [sys.executable, "-c", before + START],
        env=kept | files | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def url_told(started: subprocess.Popen[str]) -> str:
    """Wait for the line that says where the server answers."""
    assert started.stdout is not None
    for line in started.stdout:
        if line.startswith("Astradio Stream answers on "):
            return line.split()[-1].replace("localhost", "127.0.0.1")
    raise AssertionError(f"it never answered: {started.stderr and started.stderr.read()}")


def test_where_it_answers_is_said_in_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of the log go to the same pipe from another thread, and could come between two."""
    written: list[bytes] = []

    class Pipe(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            written.append(bytes(data))
            return len(data)

    unbuffered: Any = Pipe()  # as Python opens it where PYTHONUNBUFFERED is set
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(unbuffered, write_through=True))
    announce("http://127.0.0.1:8000")
    assert written == [b"Astradio Stream answers on http://127.0.0.1:8000\n"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_listeners_go_with_a_word_and_exits_0(
    tmp_path: Path, data_dir: Path, number: signal.Signals
) -> None:
    with process(tmp_path, data_dir) as started:
        url = url_told(started)
        assert httpx.get(f"{url}/readyz").json()["ready"] is True
        with listening(f"{url.replace('http', 'ws')}/stream", TRANSIT) as listener:
            listener.take_quanta(3)
            started.send_signal(number)
            assert listener.take_text("drain")["reconnectAfterMs"] >= 0
            assert listener.take_close() == (1012, "restart")
        assert started.wait(20) == 0
    events = [line.split()[0] for line in (tmp_path / "logs" / "app.log").read_text().splitlines()]
    events.remove("SEARCH_READY")  # which is prepared beside the rest, and so anywhere among it
    assert events == [
        "STARTING",
        "MODEL_LOADED",
        "READY",
        "JOINED",
        "DRAINING",
        "LEFT",
        "DRAINED",
        "STOPPED",
    ]


def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path, data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with process(tmp_path, data_dir, ASTRADIO_PORT=str(port)) as started:
            _, told = started.communicate(timeout=30)
            assert started.returncode == 1
    assert told == (
        f"astradio-stream: port {port} on 127.0.0.1 is taken; "
        "stop the other program or set ASTRADIO_PORT to another port\n"
    )


def test_a_log_file_that_cannot_be_is_one_clear_line(tmp_path: Path, data_dir: Path) -> None:
    (tmp_path / "file").write_text("")
    wrong = str(tmp_path / "file" / "app.log")
    with process(tmp_path, data_dir, ASTRADIO_LOG_FILE=wrong) as started:
        _, told = started.communicate(timeout=30)
        assert started.returncode == 1
    assert told.startswith(f"astradio-stream: cannot write ASTRADIO_LOG_FILE {wrong}")
    assert told.count("\n") == 1


def test_a_start_that_fails_is_one_clear_line(tmp_path: Path, data_dir: Path) -> None:
    broken = """
from astradio_stream.errors import CodecUnavailable
from astradio_stream.server.engine import Engine
async def start(self): raise CodecUnavailable("libopus is missing")
Engine.start = start
"""
    with process(tmp_path, data_dir, before=broken) as started:
        _, told = started.communicate(timeout=30)
        assert started.returncode == 1
    assert told == "astradio-stream: libopus is missing\n"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://localhost:3000"),
        ("0.0.0.0", "http://localhost:3000"),  # noqa: S104
        ("::1", "http://localhost:3000"),
        ("192.0.2.7", "http://192.0.2.7:3000"),
        ("2001:db8::7", "http://[2001:db8::7]:3000"),
        ("radio.example", "http://radio.example:3000"),
    ],
)
def test_the_announced_address_is_one_that_a_browser_takes(host: str, url: str) -> None:
    assert url_of(host, 3000) == url


def test_a_host_that_is_not_known_cannot_be_bound() -> None:
    with pytest.raises(OSError, match=r"."):
        bind("no-such-host.invalid", 0)

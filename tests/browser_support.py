"""A real server and a real Chromium for the tests of the page."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import numpy as np
import pytest
from websockets.sync.client import connect

from astradio_stream.units import QUANTUM_SAMPLES, SAMPLE_RATE_HZ
from astradio_stream.wire.quantum import unpack_quantum
from loadtest.browser import NoBrowser, Visit, play, visit
from loadtest.browser import running_browser as browser_of_the_system
from loadtest.page_figures import captured_runs
from loadtest.process import free_port, is_ready

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from playwright.sync_api import Browser

__all__ = [
    "Server",
    "Visit",
    "assert_heard_is_rendered",
    "captured_runs",
    "correlation",
    "node_path",
    "play",
    "rendered_pcm",
    "running_browser",
    "running_server",
    "visit",
]

WEB = Path(__file__).resolve().parent.parent / "web"
START_TIMEOUT_S = 60.0
BUFFER_SAMPLES = 20 * SAMPLE_RATE_HZ
FADE_FRAMES = 480
SETTLED_FRAMES = 24_000


def node_path() -> str:
    """Return a Node.js: the system's, else the one inside the playwright package."""
    if found := shutil.which("node"):
        return found
    from playwright._impl._driver import compute_driver_executable

    return str(compute_driver_executable()[0])


@dataclass
class Server:
    """The real server as a process of its own."""

    port: int
    directory: Path
    data_dir: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def stream_url(self) -> str:
        """Where the stream is."""
        return f"ws://127.0.0.1:{self.port}/stream"

    def start(self) -> None:
        """Start it and wait until it is ready."""
        environment = {
            **os.environ,
            "ASTRADIO_HOST": "127.0.0.1",
            "ASTRADIO_PORT": str(self.port),
            "ASTRADIO_DATA_DIR": str(self.data_dir),
            "ASTRADIO_LOG_FILE": str(self.directory / "app.log"),
            "RATE_LIMIT_MAX": "1000",
            **self.settings,
        }
        with (self.directory / "server.out").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "astradio_stream", "serve"],
                cwd=self.directory,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not is_ready(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                pytest.fail("the server did not start:\n" + self.output())
            time.sleep(0.1)

    def answers(self, path: str) -> Any:
        """Return what it answers to a GET, out of JSON."""
        with urlopen(f"{self.url}{path}", timeout=10) as response:  # noqa: S310
            return json.load(response)

    def kill(self) -> None:
        """End it without ceremony, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def output(self) -> str:
        """What it has printed."""
        return (self.directory / "server.out").read_text(errors="replace")


@contextmanager
def running_server(directory: Path, data_dir: Path, **settings: str) -> Iterator[Server]:
    """Run the server on a free port for as long as the block lasts; visitors come in crowds."""
    server = Server(free_port(), directory, data_dir, settings)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Run a headless Chromium; without one the test is skipped, or fails in CI."""
    with ExitStack() as stack:
        try:
            browser = stack.enter_context(browser_of_the_system())
        except NoBrowser as reason:
            if os.environ.get("CI") == "true":
                pytest.fail(str(reason))
            pytest.skip(str(reason))
        yield browser


def rendered_pcm(
    server: Server, first: int, n_samples: int, programme: Any = None
) -> NDArray[np.int16]:
    """Return what the server rendered, `(n_samples, 2)`, told to listeners that take PCM.

    No listener gets more than its buffer at once: for each buffer there is another one.
    """
    start = first // QUANTUM_SAMPLES * QUANTUM_SAMPLES
    stop = first + n_samples
    parts: list[bytes] = []
    for index in range(start, stop, BUFFER_SAMPLES):
        parts += _quanta(server, index, min(stop, index + BUFFER_SAMPLES), programme)
    pcm = np.frombuffer(b"".join(parts), "<i2").reshape(-1, 2)
    return pcm[first - start : stop - start]


def _quanta(server: Server, start: int, stop: int, programme: Any) -> Iterator[bytes]:
    hello = {
        "type": "hello",
        "protocol": 1,
        "programme": programme or {"station": "now"},
        "codecs": ["pcm_s16le"],
        "viz": False,
        "from": start,
        "bufferMs": 20_000,
    }
    index = start
    with connect(server.stream_url, compression=None, close_timeout=0.2) as socket:
        socket.send(json.dumps(hello))
        while index < stop:
            message = socket.recv(timeout=30)
            if isinstance(message, bytes):
                quantum = unpack_quantum(message)
                assert quantum.index == index
                index += QUANTUM_SAMPLES
                yield bytes(quantum.packets[0])
        socket.send('{"type":"bye"}')


def correlation(a: NDArray[np.int16], b: NDArray[np.int16]) -> float:
    """Return how alike two pieces of sound are, 1 if they are the same."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def assert_heard_is_rendered(
    server: Server, first: int, heard: NDArray[np.int16], *, is_exact: bool = False
) -> float:
    """Assert that what was heard at each index is what the server rendered for it."""
    rendered = rendered_pcm(server, first, len(heard))
    assert np.sqrt(np.mean(heard.astype(float) ** 2)) > 30, "silence"
    window = heard[SETTLED_FRAMES : 2 * SETTLED_FRAMES]
    by_lag = {
        lag: correlation(window, rendered[SETTLED_FRAMES + lag : 2 * SETTLED_FRAMES + lag])
        for lag in range(-240, 241)
    }
    best = max(by_lag, key=lambda lag: by_lag[lag])
    assert best == 0, f"heard {best} samples beside its index"
    whole = correlation(heard[FADE_FRAMES:], rendered[FADE_FRAMES:])
    assert whole > 0.99
    if is_exact:
        assert np.array_equal(heard[FADE_FRAMES:], rendered[FADE_FRAMES:])
    return whole

"""A real server and a real Chromium for the tests of the page."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from base64 import b64decode
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pytest
from websockets.sync.client import connect

from astradio_stream.units import QUANTUM_SAMPLES, SAMPLE_RATE_HZ
from astradio_stream.wire.quantum import unpack_quantum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from playwright.sync_api import Browser, Page

WEB = Path(__file__).resolve().parent.parent / "web"
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_TIMEOUT_S = 60.0
BUFFER_SAMPLES = 20 * SAMPLE_RATE_HZ
FADE_FRAMES = 480
SETTLED_FRAMES = 24_000
HOOKED = "() => {{ const t = globalThis.astradioTest; return {} }}"


def node_path() -> str:
    """Return a Node.js: the system's, else the one inside the playwright package."""
    if found := shutil.which("node"):
        return found
    from playwright._impl._driver import compute_driver_executable

    return str(compute_driver_executable()[0])


def chromium_path() -> str:
    """Return the system's Chromium; without one the test is skipped, or fails in CI."""
    for name in CHROMIUM_NAMES:
        if found := shutil.which(name):
            return found
    reason = f"no browser: none of {', '.join(CHROMIUM_NAMES)} is on the PATH"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                pytest.fail("the server did not start:\n" + self.output())
            time.sleep(0.1)

    def answers(self, path: str) -> Any:
        """Return what it answers to a GET, out of JSON."""
        with urlopen(f"{self.url}{path}", timeout=10) as response:  # noqa: S310
            return json.load(response)

    def is_ready(self) -> bool:
        """Say whether it answers that it is ready."""
        try:
            with urlopen(f"{self.url}/readyz", timeout=2) as response:  # noqa: S310
                return bool(response.status == 200)
        except (URLError, OSError):
            return False

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


@dataclass
class Visit:
    """One page open in the browser, and everything it complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Note every console warning, page error and failed request."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("requestfailed", self._failed)

    def _failed(self, request: Any) -> None:
        # A request that leaving the page cut short did not fail: nobody waits for its answer.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"failed: {request.url} ({request.failure})")

    def _console(self, message: Any) -> None:
        if message.type in {"warning", "error", "assert"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def open(self, url: str) -> None:
        """Open a page and wait until it is prepared to play."""
        self.page.goto(url)
        self.page.wait_for_selector("body[data-prepared]", timeout=20_000)

    def ask(self, expression: str) -> Any:
        """Evaluate in the page, with the page's test hook as `t`."""
        return self.page.evaluate(
            f"() => {{ const t = globalThis.astradioTest; return {expression} }}"
        )

    def wait_until(self, expression: str, timeout_s: float = 20) -> None:
        """Wait until something holds in the page, with its test hook as `t`."""
        self.page.wait_for_function(HOOKED.format(expression), timeout=1000 * timeout_s)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Run a headless Chromium."""
    from playwright.sync_api import sync_playwright

    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(browser: Browser, **context_options: Any) -> Iterator[Visit]:
    """Give a fresh page, as a new visitor has it."""
    options = {"viewport": {"width": 1280, "height": 720}, **context_options}
    context = browser.new_context(**options)
    try:
        guest = Visit(context.new_page())
        guest.listen()
        yield guest
    finally:
        context.close()


def play(guest: Visit, seconds: float) -> None:
    """Press the button and listen."""
    guest.page.click("#begin")
    guest.wait_until("t.situation.sounds")
    guest.page.wait_for_timeout(1000 * seconds)


class CanBeAsked(Protocol):
    """A page open in some browser."""

    def ask(self, expression: str) -> Any:
        """Evaluate in the page, with the page's test hook as `t`."""


def captured_runs(guest: CanBeAsked) -> list[tuple[int, NDArray[np.int16]]]:
    """Return the unbroken runs of samples that went to the sound card, with their first index."""
    runs = guest.ask("t.hook.takeCaptured()")
    return [
        (int(run["index"]), np.frombuffer(b64decode(run["base64"]), "<i2").reshape(-1, 2))
        for run in runs
    ]


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

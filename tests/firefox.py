"""Debian's Firefox, driven by WebDriver BiDi over a plain WebSocket: what playwright cannot do.

Playwright drives only builds of its own. A stock Firefox speaks BiDi itself.

Source: W3C, "WebDriver BiDi".
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from websockets.sync.client import ClientConnection, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAMES = ("firefox-esr", "firefox")
START_TIMEOUT_S = 60.0
ANSWER_TIMEOUT_S = 30.0
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


class Firefox:
    """One window, and everything it complained about."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self.complaints: list[str] = []
        self.version: str = self.do("session.new", capabilities={})["capabilities"][
            "browserVersion"
        ]
        self._context = self.do("browsingContext.getTree")["contexts"][0]["context"]
        self.do("session.subscribe", events=["log.entryAdded"])

    def do(self, method: str, **params: Any) -> Any:
        """Give a command and return its result."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv(timeout=ANSWER_TIMEOUT_S))
            if told.get("id") == number:
                assert told["type"] == "success", f"{method}: {told.get('message')}"
                return told["result"]
            if told.get("method") == "log.entryAdded":
                entry = told["params"]
                if entry["level"] in {"warn", "error"}:
                    self.complaints.append(f"{entry['level']}: {entry['text']}")

    def open(self, url: str) -> None:
        """Open a page and wait until it has loaded."""
        self.do("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def open_other_tab(self) -> None:
        """Open an empty tab before the page, which is hidden by it."""
        self.do("browsingContext.create", type="tab")

    def return_to_tab(self) -> None:
        """Bring the page back."""
        self.do("browsingContext.activate", context=self._context)

    def ask(self, expression: str) -> Any:
        """Evaluate in the page, with its test hook as `t`; the value travels as JSON."""
        body = f"const t = globalThis.astradioTest; return JSON.stringify({expression})"
        told = self.do(
            "script.evaluate",
            expression=f"(() => {{ {body} }})()",
            target={"context": self._context},
            awaitPromise=False,
        )
        assert told["type"] == "success", told["exceptionDetails"]["text"]
        return json.loads(told["result"].get("value", "null"))

    def wait_until(self, expression: str, timeout_s: float = 30) -> None:
        """Wait until something holds in the page."""
        deadline = time.monotonic() + timeout_s
        while not self.ask(expression):
            assert time.monotonic() < deadline, f"never came true: {expression}"
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        """Click in the middle of something, as a hand does."""
        box = "(({x, y, width, height}) => [x + width / 2, y + height / 2])"
        x, y = self.ask(f"{box}(document.querySelector('{selector}').getBoundingClientRect())")
        steps = [
            {"type": "pointerMove", "x": round(x), "y": round(y)},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        hand = {"type": "pointer", "id": "hand", "actions": steps}
        self.do("input.performActions", context=self._context, actions=[hand])


def program(*names: str) -> str:
    """Return a program of the system; without it the test is skipped, or fails in CI."""
    for name in names:
        if found := shutil.which(name):
            return found
    reason = f"none of {', '.join(names)} is on the PATH"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def running_firefox(folder: Path) -> Iterator[Firefox]:
    """Run a headless Firefox with a profile and a sound card of its own."""
    profile = folder / "profile"
    profile.mkdir()
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in PREFERENCES.items()]
    (profile / "user.js").write_text("".join(lines))
    command = [
        program(*NAMES), "--headless", "--no-remote", "--profile", str(profile),
        "--remote-debugging-port", "0", "about:blank",
    ]  # fmt: skip
    log = folder / "firefox.log"
    with sound_card(folder) as server, _running(command, log, PULSE_SERVER=server) as process:
        address = _awaited(lambda: LISTENING.search(_text(log)), process, log)[1]
        with connect(f"{address}/session", max_size=None, compression=None) as bidi:
            yield Firefox(bidi)


@contextmanager
def sound_card(folder: Path) -> Iterator[str]:
    """Run a sound server whose card is none, and return its address.

    Without any card Firefox holds back every AudioContext: its clock does not run.
    """
    socket = folder / "sound.socket"
    command = [
        program("pulseaudio"), "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1",
        "--disable-shm", "--realtime=no", "--high-priority=no",
        "-L", f"module-native-protocol-unix auth-anonymous=1 socket={socket}",
        "-L", "module-null-sink rate=48000",
    ]  # fmt: skip
    log = folder / "pulseaudio.log"
    with _running(command, log, XDG_RUNTIME_DIR=str(folder)) as process:
        _awaited(socket.exists, process, log)
        yield f"unix:{socket}"


@contextmanager
def _running(command: list[str], log: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {"HOME": str(log.parent), "MOZ_CRASHREPORTER_DISABLE": "1"} | more
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _awaited(ready: Callable[[], Any], process: subprocess.Popen[bytes], log: Path) -> Any:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not (found := ready()):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"it did not start:\n{_text(log)}")
        time.sleep(0.1)
    return found


def _text(log: Path) -> str:
    return log.read_text(errors="replace")

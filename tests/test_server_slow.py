"""Two hundred slow attackers of somebody else's making (slowhttptest): nobody hears of them."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.crowd import crowd_of
from tests.serving import Served, SilentEngine, serving, settings_in

N_ATTACKERS = 200
N_LISTENERS = 5
ATTACK_S = 12
"""Longer than a request may take to arrive, so that the first of them are cut off, too."""
HEALTHY_S = 0.5
"""How long nearly every healthy request may take, beside all of this on two busy cores."""

# fmt: off
ATTACKS = {
    "slow headers": ["-H", "-i", "1", "-u", "{url}/"],
    "slow body":    ["-B", "-i", "1", "-s", "8192", "-u", "{url}/api/compose"],
    "slow read":    ["-X", "-k", "5", "-w", "512", "-y", "1024", "-n", "1", "-z", "32",
                     "-u", "{url}/openapi.json"],
}
# fmt: on


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(settings_in(tmp_path_factory.mktemp("slow")), SilentEngine()) as served:
        yield served


class Healthy:
    """Somebody who asks for a page five times a second."""

    def __init__(self, url: str) -> None:
        self.took_s: list[float] = []
        """How long each answer took (seconds)."""
        self.statuses: set[int] = set()
        self._url = url
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Healthy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._is_over.wait(0.2):
            began_s = time.perf_counter()
            answer = httpx.get(f"{self._url}/api/config", timeout=20)  # a new connection each time
            self.statuses.add(answer.status_code)
            self.took_s.append(time.perf_counter() - began_s)


@pytest.mark.parametrize("name", ATTACKS)
def test_slow_attackers_harm_neither_pages_nor_listeners(
    server: Served, name: str, require_tool: Callable[[str], str], tmp_path: Path
) -> None:
    command = [
        require_tool("slowhttptest"), "-c", str(N_ATTACKERS), "-r", "200", "-l", str(ATTACK_S),
        "-p", "5", *(part.format(url=server.http_url) for part in ATTACKS[name]),
    ]  # fmt: skip
    with crowd_of(N_LISTENERS, [server.ws_url], None) as crowd, Healthy(server.http_url) as healthy:
        found = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )
    told = re.sub(r"\x1b\[[0-9;]*m", "", found.stdout)
    assert re.search(r"service available:\s+YES", told), told[-2_000:]
    assert not re.search(r"service available:\s+NO", told), told[-2_000:]
    made = [int(n) for n in re.findall(r"connected:\s+(\d+)", told)]
    ended = [int(n) for n in re.findall(r"closed:\s+(\d+)", told)]
    assert max(made, default=0) + max(ended, default=0) >= N_ATTACKERS // 2  # they were there
    assert healthy.statuses == {200}
    took_s = sorted(healthy.took_s)
    assert len(took_s) >= 10
    assert took_s[len(took_s) * 9 // 10] < HEALTHY_S
    for member in crowd.members:
        assert (member.n_connections, member.n_skipped) == (1, 0)
        assert member.least_ahead_s >= 0.0, "it had nothing to play"
    print(f"{name}: p90 {took_s[len(took_s) * 9 // 10]:.3f} s, worst {took_s[-1]:.3f} s")

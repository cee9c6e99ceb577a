"""The network between: what it delays can be recorded and replayed; it leaves nobody hanging."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadtest.driver import drive
from loadtest.outcome import Outcome
from loadtest.plan import Plan
from loadtest.process import free_port
from loadtest.toxic import ToxicProxy, toxic
from loadtest.traces import SETTLED_S, STEP_MS, load_trace, recorded, settled
from loadtest.watch import Watch
from tests.processes import Running, running

BEFORE_HANDOVER_S = 13.4
"""Where in `bad-mobile` a run begins: its second handover lies in the middle of it."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("server"), data_dir) as started:
        yield started


def heard_through(
    server: Running, data_dir: Path, delay_of_s: Callable[[float], float]
) -> tuple[Outcome, float]:
    """Return what a listener behind a network saw, and when that began against its arrival (s)."""
    with toxic(server.ws_url) as proxy:
        proxy.down.delay_of_s = delay_of_s
        plan = Plan(
            scenario="steady", url=proxy.url, is_owned=False, listeners=1, programmes=1,
            duration_s=10.0, per_s=1.0, processes=1, buffer_ms=5_000, seed=1, samples=0, prompt=1,
            asks_per_s=0.0, verify_s=0.0, folder=str(data_dir),
        )  # fmt: skip
        outcome = drive(plan, Watch(server.url), lambda _row: None)
        return outcome, outcome.plan.start_s - proxy.began_s


def test_what_is_recorded_of_a_known_network_is_that_network_and_replays_alike(
    server: Running, data_dir: Path
) -> None:
    known = load_trace("bad-mobile")

    def delay_of_s(moment_s: float) -> float:
        return known.delay_s(moment_s + BEFORE_HANDOVER_S)

    first, began_s = heard_through(server, data_dir, delay_of_s)
    assert not first.faults()
    # Each quantum was late by what the trace says of the moment when it was sent.
    seen = settled(first.delays)
    apart_s = [abs(delay_of_s(at_s - late_s + began_s) - late_s) for at_s, late_s in seen]
    assert statistics.median(apart_s) < 0.06
    made = recorded(seen, "made")
    assert min(made.delays_ms) >= 200  # there is no moment without delay in that part of it
    assert max(made.delays_ms) > 1_000  # the handover

    def again_s(moment_s: float) -> float:
        """Begin so much before its start as is left out of what a listener saw."""
        return made.delay_s(moment_s + len(made.delays_ms) * STEP_MS / 1e3 - SETTLED_S)

    second, _ = heard_through(server, data_dir, again_s)
    assert not second.faults()
    before, after = (sorted(late_s for _, late_s in settled(one.delays)) for one in (first, second))
    for share in (0.5, 0.9, 0.99):
        was_s, is_s = (values[int(share * len(values))] for values in (before, after))
        assert is_s == pytest.approx(was_s, abs=0.25), share


def test_what_came_before_the_server_knew_what_is_heard_is_left_out() -> None:
    guessed = [(5.0 + 0.1 * n, 0.0) for n in range(12)]
    known = [(8.0 + 0.1 * n, 0.4) for n in range(20)]
    assert settled(guessed + known) == known
    assert settled(guessed) == guessed  # there is nothing better
    assert not settled([])
    assert set(recorded(settled(guessed + known), "made").delays_ms) == {400}


def test_a_client_of_a_server_that_is_not_there_is_not_left_waiting() -> None:
    with toxic(f"ws://127.0.0.1:{free_port()}/stream") as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port), 30) as client:
            assert client.recv(1) == b""
        assert not proxy._writers


def test_a_connection_that_is_over_is_forgotten() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ws://127.0.0.1:{server.getsockname()[1]}/stream"
        with toxic(url) as proxy, socket.create_connection(("127.0.0.1", proxy.port), 30) as client:
            there, _ = server.accept()
            with there:
                client.sendall(b"hear")
                assert there.recv(4) == b"hear"
                client.close()
                assert there.recv(1) == b""
            wait_until(lambda: not proxy._writers)


def wait_until(is_so: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def test_a_proxy_knows_how_late_it_was() -> None:
    with toxic("ws://127.0.0.1:1/stream") as proxy:
        _stand_still(proxy, 0.5)
        # A loop that stands still for half a second misses fifty turns, and is late to each.
        wait_until(lambda: proxy.lag().n >= 50)
        lag = proxy.lag()
    assert lag.max_us >= 480_000
    assert lag.sum_us >= 10_000_000  # 0.5 + 0.49 + ... s


def _stand_still(proxy: ToxicProxy, duration_s: float) -> None:
    async def stand_still() -> None:
        time.sleep(duration_s)

    proxy.background.do(stand_still())

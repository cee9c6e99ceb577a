"""Requests beside listeners: what waits, is never sent or never answered counts, too."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from loadtest import asking
from loadtest.asking import MOST_UNDER_WAY, ask_all
from loadtest.outcome import Outcome
from loadtest.plan import Plan

N_DUE = 40
FOUND = b'{"matches":[{},{}]}'


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    """As many may connect at one instant."""


@contextlib.contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """Run a server of HTTP that answers every POST in one way."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.server_port}/stream"
        finally:
            server.shutdown()
            thread.join()


def at_once(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(FOUND)))
    request.end_headers()
    request.wfile.write(FOUND)


def never(request: BaseHTTPRequestHandler) -> None:
    """Let go of the connection without a word."""


def plan_of(url: str, *, duration_s: float = 0.5) -> Plan:
    """Return a plan that asks so many times, beginning now."""
    return Plan(
        scenario="compat-storm", url=url, is_owned=False, listeners=1, programmes=1,
        duration_s=duration_s, per_s=1.0, processes=1, buffer_ms=2_000, seed=1, samples=0,
        prompt=0, asks_per_s=N_DUE / duration_s, verify_s=0.0, folder="",
        start_s=time.monotonic(),
    )  # fmt: skip


@pytest.fixture
def few_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST_UNDER_WAY", 2)


@pytest.fixture
def all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "arrivals", lambda *_: [0.0] * N_DUE)


def test_every_request_that_is_answered_is_measured(all_at_once: None) -> None:
    with answering(at_once) as url:
        tally, _ = ask_all(plan_of(url, duration_s=30.0))
    assert tally.counts == {"asked": N_DUE, "status_200": N_DUE, "matches": 2 * N_DUE}
    assert tally.latency("answer").n == N_DUE
    assert not tally.findings


def test_a_request_whose_turn_never_came_has_waited_until_the_end(
    few_under_way: None, all_at_once: None
) -> None:
    is_over = threading.Event()

    def when_it_is_over(request: BaseHTTPRequestHandler) -> None:
        is_over.wait(30)
        at_once(request)

    with answering(when_it_is_over) as url:
        plan = plan_of(url)
        ending = threading.Timer(plan.duration_s + 0.2, is_over.set)
        ending.start()
        tally, _ = ask_all(plan)
        ending.join()
    assert tally.counts == {"asked": 2, "status_200": 2, "unasked": N_DUE - 2, "matches": 4}
    answer = tally.latency("answer")
    assert answer.n == N_DUE
    assert answer.quantile_ms(0.01) >= 500  # each has waited that long, sent or not
    assert not tally.findings
    figures = Outcome(plan, "", {"asks": tally}).figures()
    assert figures["unasked"] == N_DUE - 2
    assert figures["answer_p50_ms"] >= 500


def test_a_request_that_waited_for_others_counts_from_when_it_was_due(
    few_under_way: None, all_at_once: None
) -> None:
    def soon(request: BaseHTTPRequestHandler) -> None:
        time.sleep(0.01)
        at_once(request)

    with answering(soon) as url:
        tally, _ = ask_all(plan_of(url, duration_s=30.0))
    assert tally.counts["asked"] == N_DUE
    # Two at a time, a hundredth of a second each: the last has waited for nineteen before it.
    assert tally.latency("answer").max_us >= 190_000
    assert tally.latency("answer").quantile_ms(0.5) >= 90


def test_a_request_that_is_not_answered_is_a_fault_and_has_waited(all_at_once: None) -> None:
    with answering(never) as url:
        tally, _ = ask_all(plan_of(url, duration_s=30.0))
    assert tally.findings == {"unexpected_error": N_DUE}
    assert tally.latency("answer").n == N_DUE


def test_no_run_orders_the_pieces_of_another() -> None:
    orders = [asking._piece(random.Random(1))[1] for _ in range(2)]
    assert orders[0]["at"] == orders[1]["at"]
    assert orders[0]["seed"] != orders[1]["seed"]


def test_a_process_that_asks_tells_how_it_kept_up(all_at_once: None) -> None:
    def soon(request: BaseHTTPRequestHandler) -> None:
        time.sleep(0.3)
        at_once(request)

    with answering(soon) as url:
        _, own = ask_all(plan_of(url))
    assert own.latency("lag").n >= 40  # every 5 ms
    assert own.counts["wall_us"] >= 300_000
    assert 0 < own.counts["cpu_us"] < own.counts["wall_us"]


def test_the_page_says_how_many_may_be_under_way() -> None:
    page = (Path(__file__).parent.parent / "docs" / "loadtest.md").read_text()
    assert f"while fewer than {MOST_UNDER_WAY} are under way" in page

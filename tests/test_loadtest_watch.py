"""What a server tells of itself, or does not: nobody waits for it, and nothing is made up."""

from __future__ import annotations

import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from loadtest import run as run_module
from loadtest.__main__ import build_parser, main
from loadtest.driver import Inbox, _Gathering, _Process, _Watching, drive
from loadtest.outcome import SERVER_FIGURES, Outcome
from loadtest.plan import Plan
from loadtest.process import server
from loadtest.thresholds import threshold_of, verdicts_of
from loadtest.watch import TIMEOUT_S, Watch

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
STEADY = "--listeners 4 --rate 100 --duration 3 --samples 20"


def plan_of(folder: Path, port: int, duration_s: float) -> Plan:
    words = ["run", "steady", *STEADY.split()]
    args = build_parser().parse_args(words)
    made = run_module.plan_of(args, f"ws://127.0.0.1:{port}/stream", str(folder), ())
    return replace(made, duration_s=duration_s)


def waits(_: socket.socket) -> None:
    """Answer nothing."""


def drips(connection: socket.socket) -> None:
    """Answer for ever, too little at a time for any wait of the reader to be too long."""
    connection.sendall(HEAD + b"\r\n")
    while True:
        connection.sendall(b"#\n")
        time.sleep(0.2)


def breaks_off(connection: socket.socket) -> None:
    """Answer half of what was promised."""
    connection.sendall(HEAD + b"Content-Length: 999\r\n\r\nprocess_cpu_seconds_total 1\n")
    connection.close()


def talks_nonsense(connection: socket.socket) -> None:
    """Answer what is no HTTP."""
    connection.sendall(b"\x00\xff nonsense\r\n\r\n")
    connection.close()


def tells(text: bytes) -> Callable[[socket.socket], None]:
    """Answer with a page."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(text) + text)
        connection.close()

    return answer


@contextmanager
def pages(*answers: Callable[[socket.socket], None]) -> Iterator[str]:
    """Answer one request after the other, the last answer again and again; give the address."""
    held: list[socket.socket] = []

    def answer(connection: socket.socket, do: Callable[[socket.socket], None]) -> None:
        with suppress(OSError):
            connection.recv(65_536)
            do(connection)

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                do = answers[min(len(held), len(answers) - 1)]
                held.append(connection)
                threading.Thread(target=answer, args=(connection, do), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()


@pytest.fixture(scope="module")
def runs_without_metrics(data_dir: Path) -> dict[str, tuple[Outcome, float]]:
    """What came of runs of five seconds, side by side, and how long after its end each was over."""

    def run(answer: Callable[[socket.socket], None]) -> tuple[Outcome, float]:
        with server(str(data_dir)) as running, pages(answer) as http_url:
            plan = plan_of(data_dir, running.port, 5.0)
            outcome = drive(plan, Watch(http_url), lambda _row: None)
            return outcome, time.monotonic() - (outcome.plan.start_s + plan.duration_s)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(("waits", "drips"), pool.map(run, (waits, drips)), strict=True))


@pytest.mark.parametrize("answer", ["waits", "drips"])
def test_metrics_that_do_not_come_hold_nothing_up(
    runs_without_metrics: dict[str, tuple[Outcome, float]], answer: str
) -> None:
    """A run of five seconds tells of each, and is over soon after, with nothing made up."""
    outcome, over_s = runs_without_metrics[answer]
    assert over_s < 3 * TIMEOUT_S
    assert [row["atS"] for row in outcome.seconds] == [*range(1, len(outcome.seconds) + 1)]
    assert len(outcome.seconds) >= 4
    assert not outcome.mishaps
    assert outcome.figures()["quanta"] > 100
    assert all(math.isnan(outcome.figures()[name]) for name in SERVER_FIGURES)
    for text in ("loop_lag_p99_ms<=25", "late_segments<=0"):  # as capacity wants it
        [verdict, *_] = verdicts_of(outcome, [threshold_of(text)])
        assert verdict.line == f"FAILED {text}: it was not measured"


@pytest.mark.parametrize("answer", [drips, breaks_off, talks_nonsense, tells(b'a{b="\n}{ 5 x\n')])
def test_what_is_no_page_of_metrics_is_none(answer: Callable[[socket.socket], None]) -> None:
    with pages(answer) as http_url:
        began_s = time.monotonic()
        watch = Watch(http_url)
        assert time.monotonic() - began_s < TIMEOUT_S + 2
        assert watch.told() == {}


def test_a_look_that_failed_makes_no_peak_of_the_next() -> None:
    """A second of work is that of the whole time since the last look that did not fail."""
    cpu = b"process_cpu_seconds_total %d\nprocess_resident_memory_bytes 1048576\n"
    with pages(tells(cpu % 1_000), breaks_off, tells(cpu % 1_001)) as http_url:
        watch = Watch(http_url)
        began_s = time.monotonic()
        time.sleep(0.3)
        failed = watch.look()
        time.sleep(0.3)
        seen = watch.look()
        took_s = time.monotonic() - began_s
    assert all(math.isnan(value) for value in failed.values())
    assert seen == {"serverCpu": pytest.approx(1 / took_s, rel=0.2), "serverRssMb": 1.0}


LAGS = b"""# TYPE astradio_loop_lag_seconds histogram
astradio_loop_lag_seconds_bucket{le="0.01"} %d
astradio_loop_lag_seconds_bucket{le="0.5"} %d
astradio_loop_lag_seconds_bucket{le="+Inf"} %d
# TYPE astradio_late_segments_total counter
astradio_late_segments_total 3
"""


@pytest.mark.parametrize(
    ("grown", "lag_ms"),
    [((99, 99, 100), 10), ((98, 100, 100), 500), ((0, 98, 100), math.inf), ((0, 0, 0), math.nan)],
)
def test_a_percentile_is_the_bound_of_its_bucket(
    grown: tuple[int, int, int], lag_ms: float
) -> None:
    with pages(tells(LAGS % (5, 5, 5)), tells(LAGS % tuple(5 + n for n in grown))) as http_url:
        watch = Watch(http_url)
        told = watch.told()
    assert told["loop_lag_p99_ms"] == pytest.approx(lag_ms, nan_ok=True)
    assert told["late_segments"] == 0
    assert watch.bounds_ms["loop_lag_p99_ms"] == 500


def test_a_server_that_ended_has_no_memory_and_its_end_is_told(data_dir: Path) -> None:
    """It is a zombie as long as nobody waits for it, and a zombie tells of no memory."""
    with server(str(data_dir)) as running:
        watch = Watch(f"http://127.0.0.1:{running.port}", running)
        assert watch.look()["serverRssMb"] > 50
        assert watch.end() == ""
        os.kill(running.pid, signal.SIGKILL)
        wait_until(lambda: bool(watch.end()))
        with pytest.raises(ProcessLookupError):
            running.rss_kb()
        assert math.isnan(watch.look()["serverRssMb"])
        assert watch.end() == "signal 9"
        assert watch.told() == {}


def wait_until(is_so: Callable[[], bool]) -> None:
    limit_s = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < limit_s
        time.sleep(0.01)


def test_the_last_look_tells_of_a_server_that_ended_after_the_one_before(data_dir: Path) -> None:
    inbox: Inbox = Queue()
    with server(str(data_dir)) as running:
        watch = Watch(f"http://127.0.0.1:{running.port}", running)
        watching = _Watching(watch, time.monotonic(), inbox)
        assert inbox.get(timeout=20)[1]["end"] == ""
        os.kill(running.pid, signal.SIGKILL)
        wait_until(lambda: bool(watch.end()))
        watching.finish()
        while "told" not in (told := inbox.get(timeout=20)[1]):
            pass
    assert told["end"] == "signal 9"


def test_a_last_second_that_nobody_looked_at_is_told_with_the_whole_run() -> None:
    """The end of the listening may come before the look that is due with it."""
    plan = plan_of(Path(), 1, 1.0)
    seen = {"serverCpu": 0.25, "serverRssMb": 80.0}
    at_the_end = {"atS": 2, "end": "", "told": {}, "bounds": {}, "looked": seen}
    for looked_s, wanted in ((1, 0.25), (2, 0.5)):
        gathering = _Gathering(plan, [], lambda _row: None)
        look = {"atS": looked_s, "end": "", "looked": {"serverCpu": 0.5, "serverRssMb": 90.0}}
        gathering.heed("watch", look)
        gathering.heed("watch", at_the_end)
        assert gathering.seconds[2]["serverCpu"] == wanted


def test_what_is_seen_at_the_end_is_of_the_time_since_the_look_before() -> None:
    cpu = b"process_cpu_seconds_total %d\nprocess_resident_memory_bytes 1048576\n"
    with pages(tells(cpu % 1_000), tells(cpu % 1_001)) as http_url:
        times_s = [time.monotonic()]
        watch = Watch(http_url)
        times_s.append(time.monotonic())
        time.sleep(0.1)
        times_s.append(time.monotonic())
        watch.told()
        times_s.append(time.monotonic())
    least, most = 1 / (times_s[3] - times_s[0]), 1 / (times_s[2] - times_s[1])
    assert least <= watch.last_look["serverCpu"] <= most  # a second of work in that time
    assert watch.last_look["serverRssMb"] == 1.0


def test_a_process_that_tells_no_json_has_failed(data_dir: Path) -> None:
    """As one that was killed in the middle of a line; `this` tells the Zen of Python."""
    inbox: Inbox = Queue()
    process = _Process("0", ["this"], plan_of(data_dir, 1, 1.0), inbox)
    name, told = inbox.get(timeout=20)
    process.end()
    assert (name, [*told]) == ("0", ["ended"])


def asked(folder: Path) -> Any:
    return build_parser().parse_args(["run", "steady", *STEADY.split(), "--data-dir", str(folder)])


@pytest.mark.parametrize("words", [f"run steady {STEADY}", "capacity station", "soak"])
def test_a_server_that_does_not_start_is_one_sentence(
    words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASTRADIO_HOST", "no host at all")
    monkeypatch.setattr(sys, "argv", ["loadtest", *words.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    told = capsys.readouterr()
    assert told.err.splitlines()[-1].startswith("the server ended before it was ready: exit code ")


def test_a_server_that_does_not_stop_is_killed_and_costs_no_report(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands still when it is told to stop; what was measured of it is kept."""
    monkeypatch.setattr("loadtest.process._STOP_LIMIT_S", 1.0)
    args = asked(data_dir)
    before = run_module.drive

    def drive_then_stop(plan: Plan, watch: Watch, show: Callable[..., None]) -> Outcome:
        outcome = before(plan, watch, show)
        assert watch._running is not None
        os.kill(watch._running.pid, signal.SIGSTOP)
        return outcome

    monkeypatch.setattr(run_module, "drive", drive_then_stop)
    outcome = run_module.outcome_of(args)
    assert outcome.mishaps == ["the server did not stop within 1 s"]
    assert outcome.figures()["quanta"] > 50

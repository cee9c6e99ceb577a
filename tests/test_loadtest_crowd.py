"""A crowd: who ran dry is seen, whenever it is read; who is not served is not waited for."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from astradio_stream.wire.quantum import Codec, pack_quantum
from loadtest import bench_broadcast, bench_fanout, soak, table
from loadtest import crowd as crowd_module
from loadtest.bench_broadcast import Implausible, cost_us
from loadtest.crowd import Crowd, NeverAnswered, hello_of
from loadtest.crowding import crowding
from loadtest.frames import ACCEPT, BINARY, TEXT
from loadtest.member import Member, Tally
from loadtest.table import Table
from tests.processes import Running, running

STATION = {"station": "now"}
ANSWER = f"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n".encode()
SECOND = 48_000


class Line:
    """A member, and the other end of its connection, held in hand: times are said, not waited."""

    def __init__(self, tally: Tally) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.member = Member(server.getsockname(), "127.0.0.1", b"{}", tally)
            self.there, _ = server.accept()
        select.select([], [self.member], [], 30)
        self.member.connected()
        assert self.there.recv(4_096).startswith(b"GET /stream HTTP/1.1\r\n")
        self.says(ANSWER, 0.0)
        assert self.there.recv(100)  # hello
        self.index = 0

    def says(self, data: bytes, now_s: float) -> None:
        """Send, and let it be read at a moment."""
        self.there.sendall(data)
        select.select([self.member], [], [], 30)
        self.member.read(now_s)

    def plays(self, n_quanta: int, now_s: float) -> None:
        """Send so many quanta."""
        made = b""
        for _ in range(n_quanta):
            quantum = pack_quantum(Codec.OPUS, 0, 0, self.index, [b"x"] * 5, ())
            made += bytes([0x80 | BINARY, len(quantum)]) + quantum
            self.index += 4_800
        self.says(made, now_s)

    def played(self, now_s: float) -> int:
        """Return what it reports as played."""
        self.member.report(now_s)
        told: dict[str, Any] = json.loads(self.there.recv(4_096)[6:])
        return int(told["played"])


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
def line(tally: Tally) -> Iterator[Line]:
    made = Line(tally)
    yield made
    made.member.close()
    made.there.close()


def test_who_held_enough_until_it_was_read_again_did_not_run_dry(line: Line, tally: Tally) -> None:
    line.plays(20, 10.0)
    assert line.played(11.0) == SECOND
    line.plays(10, 11.9)
    assert line.played(11.9) == 1.9 * SECOND
    assert tally.n_dry == 0
    assert tally.n_quanta == 30


def test_a_stall_that_had_caught_up_before_it_was_read_is_seen(line: Line, tally: Tally) -> None:
    line.plays(5, 10.0)
    line.plays(30, 11.0)  # half a second late, and then more than was missing
    assert tally.n_dry == 1
    assert line.played(11.0) == 0.5 * SECOND  # a player stood still there
    assert line.played(12.0) == 1.5 * SECOND
    assert tally.n_dry == 1


def test_one_underrun_is_one_however_long_and_the_next_is_another(line: Line, tally: Tally) -> None:
    line.plays(5, 10.0)
    for now_s in (11.0, 12.0, 13.0):
        assert line.played(now_s) == 0.5 * SECOND
    assert tally.n_dry == 1
    line.plays(5, 14.0)
    assert tally.n_dry == 1
    line.plays(5, 16.0)
    assert tally.n_dry == 2


def test_what_an_announced_gap_leaves_out_is_not_missing(line: Line, tally: Tally) -> None:
    line.plays(10, 10.0)
    line.index = 5 * SECOND
    said = json.dumps({"type": "discontinuity", "from": SECOND, "to": line.index},
                      separators=(",", ":")).encode()  # fmt: skip
    line.says(bytes([0x80 | TEXT, len(said)]) + said, 10.2)
    line.plays(10, 10.5)
    assert line.played(11.5) == 5.5 * SECOND
    assert (tally.n_gaps, tally.n_skips, tally.n_dry) == (0, 1, 0)


def test_an_index_that_does_not_follow_is_a_gap(line: Line, tally: Tally) -> None:
    line.plays(1, 10.0)
    line.index += 4_800
    line.plays(1, 10.0)
    assert tally.n_gaps == 1


def test_a_connection_that_is_lost_is_counted_once(line: Line, tally: Tally) -> None:
    line.there.close()
    select.select([line.member], [], [], 30)
    line.member.read(1.0)
    line.member.report(2.0)
    assert tally.closes == {0: 1}
    assert not line.member.is_open


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("server"), data_dir, RATE_LIMIT_MAX="100000") as started:
        yield started


@contextlib.contextmanager
def crowd_of(server: Running, n: int, buffer_ms: int) -> Iterator[Crowd]:
    crowd = Crowd(("127.0.0.1", server.port))
    crowd.join([hello_of(STATION, buffer_ms)] * n, 200.0)
    crowd.listen(1.0)
    yield crowd
    crowd.close()


def stall(server: Running, crowd: Crowd, duration_s: float) -> None:
    """Stop the whole server for a while; listen until it has caught up."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        crowd.listen(duration_s)
    finally:
        server.process.send_signal(signal.SIGCONT)
    crowd.listen(1.5)


@pytest.mark.parametrize(("buffer_ms", "is_read_by_turns"), [(500, False), (2_000, True)])
def test_a_server_that_stands_still_for_longer_than_buffers_lets_everybody_run_dry(
    server: Running, buffer_ms: int, is_read_by_turns: bool
) -> None:
    with crowd_of(server, 12, buffer_ms) as crowd:
        until_s = time.monotonic() + 30
        while is_read_by_turns and crowd._of_file:
            assert time.monotonic() < until_s
            crowd.listen(0.1)
        assert len(crowd._of_file) == (0 if is_read_by_turns else 12)
        before = crowd.tally.n_dry
        stall(server, crowd, buffer_ms / 1_000 + 0.3)
        assert crowd.tally.n_dry - before >= 12
        assert crowd.tally.n_gaps == 0
        assert not crowd.tally.closes


def test_a_server_that_stands_still_for_less_than_buffers_lets_nobody_run_dry(
    server: Running,
) -> None:
    with crowd_of(server, 12, 20_000) as crowd:
        crowd.listen(1.0)
        stall(server, crowd, 1.0)
        assert crowd.tally.n_dry == 0
        assert crowd.tally.n_quanta > 12 * 100


def test_those_who_leave_are_gone_and_the_others_go_on(server: Running) -> None:
    with crowd_of(server, 4, 5_000) as crowd:
        newcomers, waits = crowd.join([hello_of(STATION, 200)] * 3, 200.0)
        assert len(newcomers) == len(waits) == 3
        crowd.leave(newcomers)
        n_quanta = crowd.tally.n_quanta
        crowd.listen(1.0)
        assert crowd.tally.n_quanta > n_quanta
        assert not any(one.is_open for one in newcomers)
        assert sum(map(len, crowd._slots)) == 4
        assert not crowd.tally.closes


def test_a_refusal_is_counted_and_not_waited_for(tmp_path: Path, data_dir: Path) -> None:
    with running(tmp_path, data_dir, ASTRADIO_MAX_LISTENERS="2") as full:
        crowd = Crowd(("127.0.0.1", full.port))
        members, waits = crowd.join([hello_of(STATION, 2_000)] * 5, 1_000.0)
        assert sum(one.is_playing for one in members) == 2
        assert sum(crowd.tally.closes.values()) == 3
        assert len(waits) == 5
        crowd.close()


def test_a_server_that_is_not_there_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    crowd = Crowd(address)
    crowd.join([hello_of(STATION, 2_000)] * 3, 1_000.0)
    assert crowd.tally.closes == {0: 3}
    crowd.close()


def test_a_server_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        crowd = Crowd(silent.getsockname(), patience_s=0.2)
        with pytest.raises(NeverAnswered, match="sent nothing to 3 of 3 listeners"):
            crowd.join([hello_of(STATION, 2_000)] * 3, 1_000.0)
        crowd.close()


def test_who_had_to_wait_to_come_counts_from_when_they_were_due(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd_module, "_MOST_JOINING", 1)
    crowd = Crowd(("127.0.0.1", server.port))
    began_s = time.monotonic()
    _, waits = crowd.join([hello_of(STATION, 2_000)] * 10, 1e6)
    took_s = time.monotonic() - began_s
    crowd.close()
    # All were due at once and came one after another: the last waited for all of it.
    assert max(waits) >= 0.9 * took_s
    assert sorted(waits) == waits


def test_a_crowd_of_its_own_tells_when_it_has_joined_and_what_it_heard(server: Running) -> None:
    with crowding(server.port, 5, 1.0, 100.0, "--distinct") as crowd:
        assert crowd.join_p95_s > 0
        told = crowd.told()
    assert told["quanta"] > 0
    assert told["gaps"] == 0
    assert told["closes"] == {}


def test_a_crowd_that_fails_is_said_to(server: Running) -> None:
    failed = pytest.raises(RuntimeError, match="the crowd ended with exit code 2")
    with failed, crowding(server.port, 5, 1.0, 100.0, "--nonsense"):
        pass


def test_a_cost_of_quanta_that_did_not_come_is_none() -> None:
    assert cost_us(0.5, 1_000, 100) == 500
    assert cost_us(0.95, 500, 100) == 1_900  # a core that is full sends what it can
    with pytest.raises(Implausible, match="899 quanta a second came to 100 listeners, 1,000 were"):
        cost_us(0.5, 899, 100)


def test_a_bare_broadcast_begins_though_one_was_lost_before_all_had_come() -> None:
    with bench_broadcast._bare(2) as bare:
        crowd = Crowd(("127.0.0.1", bare.port))
        for _ in range(2):
            joined, _ = crowd.join([hello_of(STATION, 2_000)], 100.0)
            if crowd.tally.n_quanta == 1:
                crowd.leave(joined)
        until_s = time.monotonic() + 30
        while crowd.tally.n_quanta < 5:
            assert time.monotonic() < until_s
            crowd.listen(0.1)
        crowd.close()


def test_the_cores_of_a_benchmark_are_those_it_may_run_on() -> None:
    last = max(os.sched_getaffinity(0))
    code = (
        f"import os; os.sched_setaffinity(0, {{{last}}});"
        "from loadtest.cores import *; print(server_core(), crowd_core(), cores_in_words())"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parent.parent,
    ).stdout  # fmt: skip
    assert told.startswith(f"{last} {last} 1 ")
    assert told.endswith("(server and load share it)\n")


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> list[Table]:
    """The tables that are printed; servers find the note banks that are there already."""
    kept: list[Table] = []
    monkeypatch.setattr(table, "PRINTED", kept)
    for module in (bench_fanout, soak):
        banks = contextlib.nullcontext(str(data_dir))
        monkeypatch.setattr(module, "TemporaryDirectory", lambda banks=banks: banks)
    return kept


def test_the_fan_out_of_a_station_is_measured(
    printed: list[Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_fanout, "_WARM_UP_S", 0.5)
    bench_fanout.run((20,), 2.0)
    (row,) = (dict(zip(printed[0].rows[0], cells, strict=True)) for cells in printed[0].rows[1:])
    assert row["listeners"] == "20"
    assert float(row["us / quantum"]) > 0
    assert row["gaps"] == row["refused"] == "0"


def test_a_soak_of_seconds_tells_what_grew(
    printed: list[Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak, "_TURN_S", 0.5)
    monkeypatch.setattr(soak, "_GROUPS", 2)
    monkeypatch.setattr(soak, "_LISTENERS", 4)
    assert soak.run(6 / 3_600) in {0, 1}  # memory of the first seconds may grow as fast as it likes
    course, told = printed
    assert len(course.rows) == 9
    rows = {row[0]: row[1] for row in told.rows}
    come = rows["listeners at once / in all / passers-by"].split(" / ")
    assert come[0] == "4"
    assert int(come[1]) > 4  # some left, and others came
    assert int(come[2]) >= 6
    gaps, _, words = rows["gaps / skips / times a listener ran dry"].split(" / ")
    assert gaps == "0"
    assert int(words.split()[2]) > 0
    assert rows["closes"] == "{}"


def test_a_soak_in_which_something_does_not_hold_says_so() -> None:
    late = "astradio_quantum_lateness_seconds"
    calm = {
        (f"{late}_count", ""): 100.0, (f"{late}_bucket", "0.1"): 100.0,
        ("astradio_late_segments_total", ""): 0.0,
    }  # fmt: skip
    flat = [soak._Point(60.0 * n, 500_000 + 15 * n, 300 + n % 3, 120) for n in range(8)]
    assert soak.failures_of(flat, calm, Tally()) == []  # 0.9 MB per hour
    busy = calm | {(f"{late}_bucket", "0.1"): 98.0, ("astradio_late_segments_total", ""): 3.0}
    bad = Tally(n_gaps=1, n_skips=2, n_dry=4, closes=Counter({1006: 5}))
    assert soak.failures_of(flat[:4], calm, Tally()) == ["FAILED MB per hour<=1: it is nan"]
    growing = [soak._Point(60.0 * n, 500_000 + 26 * n, 300 + 5 * n, 120 + n) for n in range(8)]
    assert soak.failures_of(growing, busy, bad) == [
        "FAILED late by 0.1 s<=0: it is 2",
        "FAILED late segments<=0: it is 3",
        "FAILED gaps<=0: it is 1",
        "FAILED skips<=0: it is 2",
        "FAILED ran dry<=0: it is 4",
        "FAILED closes<=0: it is 5",
        "FAILED MB per hour<=1: it is 1.52",
        "FAILED tasks are flat: they grew by 10%",
    ]

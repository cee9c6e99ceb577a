"""The whole generator before a server that does wrong: all of it is reported, and nothing else."""

from __future__ import annotations

import math
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from astradio_stream.server.renderer import ready_made, sound_of
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import PACKETS_PER_QUANTUM
from astradio_stream.wire.quantum import Codec
from loadtest.abuse import ABUSES, PATIENCE_S
from loadtest.driver import drive
from loadtest.outcome import Outcome
from loadtest.plan import Plan
from loadtest.tally import FAULTS, QUALITY
from loadtest.thresholds import threshold_of
from loadtest.virtual import programme_of, role_of
from loadtest.watch import Watch
from tests.false_server import WRONGS, FalseServer

N_RIGHT = 4


def plan_of(folder: Path, scenario: str, listeners: int, duration_s: float) -> Plan:
    return Plan(
        scenario=scenario, url="", is_owned=False, listeners=listeners, programmes=1,
        duration_s=duration_s, per_s=1_000.0, processes=1, buffer_ms=2_000, seed=1,
        samples=100_000, prompt=100, asks_per_s=0.0, verify_s=60.0, folder=str(folder),
    )  # fmt: skip


@dataclass(frozen=True)
class Runs:
    """What came of the real generator, in a process of its own, before each false server."""

    wrongs: Outcome
    corrupted: Outcome
    n_spoilt: Counter[str]
    deaf_to_steers: Outcome
    deaf_to_abuse: Outcome
    nobody_there: Outcome
    mute: Outcome


def heard(plan: Plan, url: str) -> Outcome:
    http_url = url.replace("ws://", "http://").removesuffix("/stream")
    asked = Plan.from_json(plan.to_json().replace('"url": ""', f'"url": "{url}"'))
    return drive(asked, Watch(http_url), lambda _row: None)


@contextmanager
def a_port(*, is_open: bool) -> Iterator[str]:
    """Give an address where connections are taken but nobody answers, or where nobody is."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        if is_open:
            sock.listen(64)
        yield f"ws://127.0.0.1:{sock.getsockname()[1]}/stream"


@pytest.fixture(scope="module")
def runs(data_dir: Path, bank: Any) -> Runs:
    """All of them side by side: most of the time is spent in waiting."""
    asked = programme_of(plan_of(data_dir, "distinct", 1, 1.0), 0, 0)
    programme = resolve(asked, Moment(0), ModelVersions())
    rendition = Rendition(programme, bank)
    quanta: list[bytes] = []
    for k in range(20):
        segment = rendition.segment(k)
        packets = sound_of(segment, Codec.OPUS, 96_000)
        quanta += ready_made(segment, Codec.OPUS, packets).with_viz

    def false(wrongs: Sequence[str] = (), corrupted: float = 0.0) -> FalseServer:
        told = programme.to_json(), programme.programme_id
        return FalseServer(quanta, *told, wrongs=wrongs, corrupted=corrupted)

    def before(server: FalseServer, *args: Any) -> Outcome:
        with server.running() as url:
            return heard(plan_of(data_dir, *args), url)

    def before_a_port(*, is_open: bool) -> Outcome:
        with a_port(is_open=is_open) as url:
            return heard(plan_of(data_dir, "steady", 3, 11.5), url)

    here_and_there = false(corrupted=0.01)
    n_abused = len(ABUSES) * 3
    with ThreadPoolExecutor(6) as pool:
        outcomes: list[Future[Outcome]] = [
            pool.submit(before, false([*WRONGS]), "distinct", len(WRONGS) + N_RIGHT, 7.0),
            pool.submit(before, here_and_there, "distinct", 24, 6.0),
            pool.submit(before, false(), "steer-storm", 4, 12.0),
            pool.submit(before, false(), "mixed-abuse", n_abused, PATIENCE_S + 4.0),
            pool.submit(before_a_port, is_open=False),
            pool.submit(before_a_port, is_open=True),
        ]
        wrongs, corrupted, steers, abuse, nobody, mute = [one.result() for one in outcomes]
    return Runs(wrongs, corrupted, here_and_there.n_spoilt, steers, abuse, nobody, mute)


def failed(outcome: Outcome) -> set[str]:
    """Return the figures of which the thresholds of a scenario do not hold."""
    figures = outcome.figures()
    standing = [threshold_of(text) for text in outcome.plan.row.thresholds]
    return {one.name for one in standing if not one.verdict(figures).holds}


def test_every_kind_of_finding_has_a_server_that_causes_it() -> None:
    # The others: of servers that hear no steer and no abuse, that are not there, that are dry.
    others = {"no_answer", "not_closed", "unconnected", "unanswered", "underrun", "skip"}
    assert {*WRONGS.values()} | others == {*FAULTS, *QUALITY}


def test_every_fault_is_reported_once_and_none_is_invented(runs: Runs) -> None:
    assert not runs.wrongs.mishaps
    faults = runs.wrongs.faults()
    assert 1 <= faults["wrong_sound"] <= PACKETS_PER_QUANTUM  # of one quantum, all of other sound
    once = faults | {"wrong_sound": 1}
    assert once == Counter(kind for kind in WRONGS.values() if kind in FAULTS)


def test_what_is_slow_is_quality_not_fault(runs: Runs) -> None:
    figures = runs.wrongs.figures()
    assert figures["refused"] >= 1
    assert figures["shed"] == 1
    assert figures["unserved"] == 2  # who was refused, and who got no answer
    assert figures["underrun"] >= 2  # who was sent nothing any more, from the start and resumed
    assert figures["skip"] == 1
    assert figures["late"] >= 3  # half a second of standing still: by 0.4, 0.3, 0.2 s at least
    assert figures["late_max_ms"] >= 350
    assert "late" not in runs.wrongs.faults()


def test_the_right_listeners_are_heard_out(runs: Runs) -> None:
    figures = runs.wrongs.figures()
    # But those who never came in, and those who were closed within the first second.
    assert figures["most_open"] >= len(WRONGS) + N_RIGHT - 8
    assert figures["viz_fps"] == pytest.approx(60.0, abs=0.5)  # one quantum came without
    assert figures["verified"] > 60 * (N_RIGHT + 8)


def test_of_one_in_a_hundred_corrupted_each_is_found_and_no_other(runs: Runs) -> None:
    assert 5 <= runs.n_spoilt.total() <= 60
    assert not runs.corrupted.mishaps
    assert runs.corrupted.faults() == runs.n_spoilt
    assert failed(runs.corrupted) == {"faults"}


def test_a_server_that_answers_no_steer_is_found(runs: Runs) -> None:
    well = runs.deaf_to_steers.groups["well"]
    assert well.counts["steers"] >= 4
    assert runs.deaf_to_steers.faults() == {"no_answer": well.counts["steers"]}


def test_a_server_that_closes_no_abuse_is_found(runs: Runs) -> None:
    """Three abuses are closed by the library of the false server; then the next one comes.

    So it does after an old WebSocket, to which the library answers something else than is right.
    """
    outcome = runs.deaf_to_abuse
    abusers = [n for n in range(outcome.plan.listeners) if role_of(outcome.plan, n) == "abuse"]
    counts = outcome.groups["abuse"].counts
    assert outcome.faults()["not_closed"] == len(abusers) + counts["status_400"]
    assert counts["abuses"] > len(abusers) > len(ABUSES) / 2
    assert {*outcome.faults()} == {"not_closed", "wrong_programme"}  # the half that want `now`


def test_where_nobody_is_or_answers_nothing_holds(runs: Runs) -> None:
    assert failed(runs.nobody_there) == {"quanta", "unconnected", "unserved"}
    assert failed(runs.mute) == {"quanta", "unanswered", "unserved"}
    for outcome in (runs.nobody_there, runs.mute):
        assert not outcome.faults()
        figures = outcome.figures()
        assert figures["unserved"] == 3
        assert figures["first_audio_p50_ms"] > 11_000
        assert math.isnan(figures["loop_lag_p99_ms"])
        # However long its metrics are waited for, the others were heeded each second.
        assert len(outcome.seconds) >= 10
        assert not outcome.mishaps

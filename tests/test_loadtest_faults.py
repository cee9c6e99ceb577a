"""The whole generator before a server that does wrong: all of it is reported, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from astradio_stream.server.renderer import ready_made, sound_of
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.wire.quantum import Codec
from loadtest.driver import drive
from loadtest.outcome import Outcome
from loadtest.plan import Plan
from loadtest.tally import FAULTS
from loadtest.watch import Watch
from tests.false_server import WRONGS, FalseServer

N_RIGHT = 4


@pytest.fixture(scope="module")
def outcome(data_dir: Path, bank: Any) -> Outcome:
    """One run of the real generator, in its own process, with a listener for each wrong."""
    programme = resolve({"seed": 5, "at": "2026-03-20T12:00:00Z"}, Moment(0), ModelVersions())
    rendition = Rendition(programme, bank)
    quanta: list[bytes] = []
    for k in range(9):
        segment = rendition.segment(k)
        packets = sound_of(segment, Codec.OPUS, 96_000)
        quanta += ready_made(segment, Codec.OPUS, packets).with_viz
    false = FalseServer(quanta, programme.to_json(), programme.programme_id)
    with false.running() as url:
        plan = Plan(
            scenario="thundering-herd", url=url, is_owned=False, listeners=len(WRONGS) + N_RIGHT,
            programmes=1, duration_s=6.0, per_s=0.0, processes=1, buffer_ms=2_000, seed=1,
            samples=100_000, prompt=100, asks_per_s=0.0, verify_s=60.0, folder=str(data_dir),
        )  # fmt: skip
        http_url = url.replace("ws://", "http://").removesuffix("/stream")
        return drive(plan, Watch(http_url), lambda _row: None)


def test_every_fault_is_reported_once_and_none_is_invented(outcome: Outcome) -> None:
    assert outcome.faults() == {kind: 1 for kind in WRONGS if kind in FAULTS}


def test_what_is_slow_is_quality_not_fault(outcome: Outcome) -> None:
    figures = outcome.figures()
    assert figures["refused"] >= 1
    assert figures["late"] >= 3  # half a second of standing still: by 0.4, 0.3, 0.2 s at least
    assert figures["late_max_ms"] >= 350
    assert "late" not in outcome.faults()


def test_the_right_listeners_are_heard_out(outcome: Outcome) -> None:
    figures = outcome.figures()
    # But the one that was refused, and the one that was closed within the first second.
    assert figures["most_open"] == len(WRONGS) + N_RIGHT - 2
    assert figures["viz_fps"] == pytest.approx(60.0)
    assert figures["verified"] > 60 * (N_RIGHT + 8)

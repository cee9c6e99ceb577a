"""The search of a capacity with real servers, small: what held, what stopped it, the exit code."""

from __future__ import annotations

import dataclasses
import math
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from loadtest import capacity, outcome, table
from loadtest.__main__ import build_parser
from loadtest.capacity import KINDS, Kind, Watched
from loadtest.table import Table


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[Table]:
    kept: list[Table] = []
    monkeypatch.setattr(table, "PRINTED", kept)
    return kept


@pytest.fixture(autouse=True)
def with_banks(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    """Let servers find the note banks that are there already."""
    monkeypatch.setattr(capacity, "TemporaryDirectory", lambda: nullcontext(str(data_dir)))


def searched(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> int:
    """Search with few listeners, as the command does; return its exit code."""
    monkeypatch.setattr(capacity, "_LISTEN_S", 7.0)
    monkeypatch.setitem(capacity.KINDS, "station", kind)
    return capacity.run(build_parser().parse_args(["capacity", "station", "--minutes", "5"]))


FEW = dataclasses.replace(KINDS["station"], first=2, most=3, per_s=50.0)


def test_what_held_and_what_stopped_more_is_told(
    printed: list[Table], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The lag is any number that was measured; of what is no number nothing holds.
    kind = dataclasses.replace(FEW, quality=("faults<=0", "listeners<=2", "loop_lag_p99_ms<=99999"))
    assert searched(kind, monkeypatch) == 0
    (heading, row) = printed[0].rows
    told = dict(zip(heading, row, strict=True))
    assert told["at most"] == "2"
    assert told["what stopped more"].startswith("listeners<=2: it is 3")
    assert float(told["us / quantum"]) > 0
    assert "2 listeners of one station: held" in capsys.readouterr().out


def test_where_nothing_holds_the_exit_code_is_1(
    printed: list[Table], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = dataclasses.replace(FEW, first=1, quality=("quanta<=0",))
    assert searched(kind, monkeypatch) == 1
    assert printed[0].rows[1][1] == "none"
    last = capsys.readouterr().out.splitlines()[-1]
    expected = "FAILED listeners of one station: the search found no number of them that holds"
    assert last == expected


class Counted:
    """What a server's metrics say of its lag: one value in each bucket more at every look."""

    def __init__(self) -> None:
        self.n = 0.0

    def samples(self) -> dict[tuple[str, str], float]:
        self.n += 100
        name = "astradio_loop_lag_seconds_bucket"
        while_they_come = 1_000.0  # much later than 10 ms, all before the first look
        return {(name, "0.01"): self.n, (name, "+Inf"): self.n + while_they_come}


def test_the_lag_is_taken_from_when_all_are_there() -> None:
    running: Any = Counted()
    watched = Watched(running, 100)
    row = {"atS": 1, "quanta": 0, "lateP99": 0.0}
    watched.show(row | {"open": 97})
    assert running.n == 0
    assert math.isnan(watched.loop_lag_p99_ms())
    assert not watched.has_seen_all
    for n in range(98, 102):
        watched.show(row | {"open": n})
        assert not watched.has_seen_all, "a look or two tell of no time"
    for _ in range(2):
        watched.show(row | {"open": 100})
    assert watched.has_seen_all
    assert watched.loop_lag_p99_ms() == 10


def test_a_step_at_which_the_generator_did_not_keep_up_holds_nothing(
    printed: list[Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "FIT_LAG_MS", -1.0)
    assert searched(dataclasses.replace(FEW, first=1, most=1), monkeypatch) == 1
    assert "the generator keeps up" in printed[0].rows[1][-1]

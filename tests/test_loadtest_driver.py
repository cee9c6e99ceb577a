"""A run from outside: what breaks on the way is told, and nothing that was measured is lost."""

from __future__ import annotations

import csv
import json
import math
import os
import shlex
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtest import plan as plan_module
from loadtest import run as run_module
from loadtest.__main__ import build_parser, main
from loadtest.driver import _Gathering, drive
from loadtest.histogram import Histogram
from loadtest.html import page_of
from loadtest.options import add_run_options, command_of
from loadtest.outcome import SERVER_FIGURES, Outcome, Verdict
from loadtest.plan import Plan
from loadtest.process import Server, server
from loadtest.report import latency_rows, print_report, summary_rows, write_csv, write_json
from loadtest.tally import Tally
from loadtest.thresholds import threshold_of, verdicts_of
from loadtest.watch import Watch


def plan_of(folder: Path, url: str = "", processes: int = 1) -> Plan:
    return Plan(
        scenario="steady", url=url, is_owned=False, listeners=8, programmes=1, duration_s=5.0,
        per_s=100.0, processes=processes, buffer_ms=2_000, seed=1, samples=20, prompt=100,
        asks_per_s=0.0, verify_s=30.0, folder=str(folder),
    )  # fmt: skip


def outcome_of(folder: Path, **fields: Any) -> Outcome:
    return replace(Outcome(plan_of(folder), "a machine"), **fields)


def driven(running: Server, plan: Plan, at_2_s: Callable[[], None]) -> Outcome:
    """Make a run before a server of ours; something happens after two seconds."""
    http_url = f"http://127.0.0.1:{running.port}"
    asked = replace(plan, url=f"ws://127.0.0.1:{running.port}/stream")
    is_done: list[bool] = []

    def show(row: dict[str, Any]) -> None:
        if row["atS"] >= 2 and not is_done:
            is_done.append(True)
            at_2_s()

    return drive(asked, Watch(http_url, running), show)


def failed(outcome: Outcome) -> list[str]:
    standing = [threshold_of(text) for text in outcome.plan.row.thresholds]
    return [one.line for one in verdicts_of(outcome, standing) if not one.holds]


def test_a_server_that_dies_is_told_of_and_what_was_measured_is_kept(data_dir: Path) -> None:
    with server(str(data_dir)) as running:
        outcome = driven(running, plan_of(data_dir), lambda: os.kill(running.pid, signal.SIGKILL))
    [mishap] = outcome.mishaps
    assert mishap.startswith("the server ended after")
    assert mishap.endswith(f"signal {signal.SIGKILL.value}")
    assert f"FAILED nothing breaks: {mishap}" in failed(outcome)
    assert outcome.figures()["quanta"] > 50
    assert outcome.figures()["server_rss_mb"] > 50
    assert outcome.faults()["unexpected_close"] == 8
    assert len(outcome.seconds) >= 4


def test_a_process_of_ours_that_dies_is_told_of_and_the_others_are_kept(data_dir: Path) -> None:
    def kill_one() -> None:
        for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            if b"loadtest.generator\0001" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(int(pid), signal.SIGKILL)

    with server(str(data_dir)) as running:
        outcome = driven(running, plan_of(data_dir, processes=2), kill_one)
    assert outcome.mishaps == ["process 1 of the generator failed"]
    assert "FAILED nothing breaks: process 1 of the generator failed" in failed(outcome)
    assert outcome.figures()["listeners"] == 4  # those of the other
    assert outcome.figures()["verified"] > 0


def test_what_a_server_did_not_tell_keeps_no_threshold(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path)
    for name in SERVER_FIGURES:
        [verdict, *_] = verdicts_of(outcome, [threshold_of(f"{name}<=1000000")])
        assert verdict.line == f"FAILED {name}<=1e+06: it was not measured"
        [verdict, *_] = verdicts_of(outcome, [threshold_of(f"{name}>=0")])
        assert not verdict.holds


def test_what_lies_beyond_what_a_server_measures_keeps_no_threshold(tmp_path: Path) -> None:
    outcome = outcome_of(
        tmp_path, server={"loop_lag_p99_ms": math.inf}, bounds_ms={"loop_lag_p99_ms": 10_000.0}
    )
    for text in ("loop_lag_p99_ms<=25", "loop_lag_p99_ms>=25"):
        [verdict, *_] = verdicts_of(outcome, [threshold_of(text)])
        assert verdict.line == f"FAILED {text}: it is more than the server measures"
    assert ["server says: late p99, loop lag p99", "?, > 10000 ms"] in summary_rows(outcome)
    write_json(outcome, tmp_path)
    write_csv(outcome, tmp_path)
    assert json.loads((tmp_path / "outcome.json").read_text())["figures"]["loop_lag_p99_ms"] is None


@pytest.mark.parametrize(
    ("lag_ms", "cpu_us", "is_fit"), [(5, 500_000, True), (60, 500_000, False), (5, 950_000, False)]
)
def test_a_generator_that_did_not_keep_up_proves_nothing(
    tmp_path: Path, lag_ms: int, cpu_us: int, is_fit: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = Tally()
    loop.counts.update(cpu_us=cpu_us, wall_us=1_000_000)
    for _ in range(98):
        loop.record("lag", 0.001)
    for _ in range(2):
        loop.record("lag", lag_ms / 1e3)
    outcome = outcome_of(tmp_path, generators=[loop])
    assert outcome.is_generator_fit is is_fit
    outcome.verdicts = verdicts_of(outcome, [])
    print_report(outcome)
    told = capsys.readouterr().out
    assert ("FAILED the generator keeps up" in told) is not is_fit
    assert ("the generator did not keep up" in page_of(outcome)) is not is_fit
    assert outcome.to_json()["isGeneratorFit"] is is_fit


def test_a_generator_that_told_nothing_of_itself_proves_nothing(tmp_path: Path) -> None:
    assert not outcome_of(tmp_path).is_generator_fit


def test_what_had_to_hold_stands_in_every_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = [Verdict("quanta>0", "it is 7", holds=True), Verdict("x<=1", "it is 2", holds=False)]
    outcome = outcome_of(tmp_path, verdicts=verdicts, command="python -m loadtest run steady")
    outcome.seconds = [
        {"atS": n, "open": 1, "quanta": 10, "fps": 60.0, "late": 1.0, "lateP99": 2.0,
         "lateMax": 3.0, "underruns": 0, "lag": 0.5, "serverCpu": math.nan, "cpuS": 0.1,
         "serverRssMb": math.nan}
        for n in range(3)
    ]  # fmt: skip
    print_report(outcome)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "FAILED x<=1: it is 2"
    table = lines[lines.index("What must hold") + 1 :]
    assert [line.split() for line in table[1:3]] == [["quanta>0", "7", "yes"], ["x<=1", "2", "NO"]]
    write_json(outcome, tmp_path)
    write_csv(outcome, tmp_path)
    told = json.loads((tmp_path / "outcome.json").read_text())
    assert told["verdicts"][1] == {"wanted": "x<=1", "measured": "it is 2", "holds": False}
    assert told["seconds"][0]["serverCpu"] is None
    rows = list(csv.DictReader((tmp_path / "seconds.csv").read_text().splitlines()))
    assert rows[0]["serverCpu"] == ""
    assert rows[2]["atS"] == "2"
    page = page_of(outcome)
    assert "not all holds that must" in page
    assert "<td>x&lt;=1</td><td>2</td><td>NO</td>" in page
    assert "data:image/png;base64," in page


def test_percentiles_go_towards_what_is_bad(tmp_path: Path) -> None:
    well = Tally()
    for n in range(1, 101):
        well.record("lead", n / 100)
        well.record("hello", n / 100)
    rows = {row[0]: row[1:] for row in latency_rows(outcome_of(tmp_path, groups={"well": well}))}
    assert rows["ms"] == ["p50", "p90", "p99", "p99.9", "worst", "count"]
    lead = [float(cell.replace(",", "")) for cell in rows["lead"][:5]]
    hello = [float(cell.replace(",", "")) for cell in rows["hello → quantum"][:5]]
    assert lead == pytest.approx([500, 100, 10, 10, 10], rel=1 / 16)
    assert hello == pytest.approx([500, 900, 990, 1_000, 1_000], rel=1 / 16)


def test_figures_count_as_the_table_does(tmp_path: Path) -> None:
    well = Tally()
    for n in range(1, 101):
        well.record("lead", n / 100)
    figures = outcome_of(tmp_path, groups={"well": well}).figures()
    assert figures["lead_p99_ms"] == pytest.approx(10, rel=1 / 16)
    assert figures["lead_max_ms"] == pytest.approx(10, rel=1 / 16)


def test_of_what_never_came_nothing_holds(tmp_path: Path) -> None:
    well = Tally()
    well.counts["quanta"] = 100
    outcome = outcome_of(tmp_path, groups={"well": well})
    for text in (
        "late<=0",
        "late_p99_ms<=25",
        "steer_max_ms<=300",
        "answer_p50_ms<=1",
        "lead_p99_ms>=0",
    ):
        verdict = threshold_of(text).verdict(outcome.figures())
        assert not verdict.holds
        assert verdict.measured == "it was not measured"
    assert "late, ?" in [", ".join(row) for row in summary_rows(outcome)]
    well.record("late", 0.001)
    assert threshold_of("late<=0").verdict(outcome.figures()).holds


def test_a_trace_is_of_one_listener(tmp_path: Path) -> None:
    gathering = _Gathering(plan_of(tmp_path, processes=2), ["0", "1"], lambda _row: None)
    gathering.heed("1", {"delays": [[0.2, 0.0], [5.0, 0.1]]})
    gathering.heed("0", {"delays": [[0.1, 0.0], [4.9, 0.2]]})
    assert gathering.outcome.delays == [[0.2, 0.0], [5.0, 0.1]]


def test_one_process_that_lags_is_not_averaged_out(tmp_path: Path) -> None:
    loops = [Tally(), Tally()]
    for n in range(1_000):
        loops[0].record("lag", 0.0)
        loops[1].record("lag", 0.5 if n < 15 else 0.0)
    for one in loops:
        one.counts.update(cpu_us=1, wall_us=1_000)
    outcome = outcome_of(tmp_path, generators=loops)
    assert outcome.figures()["lag_p99_ms"] == 0
    assert outcome.worst_lag_ms >= 500
    assert not outcome.is_generator_fit


def test_the_least_of_a_histogram_is_in_its_bucket() -> None:
    histogram = Histogram()
    assert histogram.min_us == 0
    for value_us in (70_001, 90_000, 500_000):
        histogram.record_s(value_us / 1e6)
    assert 70_001 * 31 / 32 <= histogram.min_us <= 70_001


# fmt: off
OTHER = {
    # option            what is given
    "--url":              "ws://127.0.0.1:1/stream?a=b&c",
    "--i-own-this-server": None,
    "--trace":            "my trace.json",
    "--record-trace":     "it's.json",
    "--assert":           "late_p99_ms<=25",
    "--data-dir":         "some where",
    "--out":              "report",
    "--cores":            "0,1",
}
# fmt: on


def test_the_command_of_a_report_asks_for_the_same_run() -> None:
    parser = ArgumentParser(add_help=False)
    add_run_options(parser)
    words = ["run", "mixed-abuse"]
    for action in parser._actions:
        if action.option_strings:
            option = action.option_strings[-1]
            value = OTHER.get(option, "7")
            words += [option] if value is None else [option, value]
    words += ["--assert", "quanta>=5"]
    args = build_parser().parse_args(words)
    program, again = command_of(args).split(" -m loadtest ")
    assert program == "python"
    parsed = build_parser().parse_args(shlex.split(again))
    assert vars(parsed) == vars(args)
    plain = build_parser().parse_args(["run", "steady"])
    assert command_of(plain) == "python -m loadtest run steady"


# fmt: off
REPEATED = [
    "run steady --listeners 40 --rate 0.1 --duration 86400 --url ws://127.0.0.1:1/stream?a=b&c",
    "run distinct --programmes 3 --processes 2 --buffer-ms 500 --seed 2 --samples 0 --prompt 1",
    "run compat-storm --asks-per-s 0.5 --verify-s 1.25",
    "run steady --assert=late_p99_ms>-5 --assert quanta<=1 --out=-report --cores 0",
]
# fmt: on


@pytest.mark.parametrize("words", REPEATED)
def test_the_command_of_a_report_makes_an_equal_plan(words: str) -> None:
    args = build_parser().parse_args(words.split())
    again = build_parser().parse_args(shlex.split(command_of(args))[3:])
    plans = [plan_module.plan_of(one, "ws://127.0.0.1:1/stream", "", ()) for one in (args, again)]
    assert plans[0] == plans[1]
    assert again.asserts == args.asserts
    assert again.out == args.out


def test_a_run_in_which_nothing_was_heard_has_its_report_but_no_trace(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "made.json"
    words = ["run", "steady", "--listeners", "2", "--duration", "1", "--rate", "100"]
    words += ["--url", "ws://127.0.0.1:9/stream"]
    words += ["--record-trace", str(made), "--data-dir", str(data_dir), "--out", str(tmp_path)]
    assert run_module.run(build_parser().parse_args(words)) == 1
    told = capsys.readouterr().out
    assert "Latencies" in told
    assert "FAILED quanta>0: it is 0" in told
    assert "FAILED a trace is recorded: " in told
    assert not made.exists()
    assert {"outcome.json", "seconds.csv", "report.html"} <= {
        path.name for path in tmp_path.iterdir()
    }


# fmt: off
WRONG = [
    ("run steady --cores abc",               "--cores must be of"),
    ("run steady --cores 4096",              "--cores must be of"),
    ("run steady --duration nan",            "--duration must be from 1 to 86400, got nan"),
    ("run ramp --rate 5",                    "--rate has no meaning in ramp"),
    ("run steady --programmes 3",            "--programmes has no meaning in steady"),
    ("run distinct --asks-per-s 3",          "--asks-per-s has no meaning in distinct"),
    ("run steady --out {file}/report",       "--out: Not a directory"),
    ("run steady --record-trace {file}/a",   "--record-trace: Not a directory"),
    ("run steady --url ws://127.0.0.1:0/stream", "--url: a port is from 1 to 65535"),
    ("run steady --i-own-this-server",       "--i-own-this-server has no meaning without --url"),
    ("run steady --record-trace x --prompt 0", "--record-trace needs a listener that is read at"),
    ("run steady --data-dir {file}",         "--data-dir: File exists"),
    ("run thundering-herd --rate 5",         "--rate has no meaning in thundering-herd"),
    ("run steady --listeners many",          "--listeners: invalid int value: 'many'"),
    ("run moonlight",                        "invalid choice: 'moonlight'"),
    ("run",                                  "required: scenario"),
    ("run steady --url ws://127.0.0.1:99999/stream", "--url: Port out of range"),
    ("soak --hours 0",                       "--hours must be from"),
    ("soak --hours 1000",                    "--hours must be from"),
    ("capacity --minutes -1",                "--minutes must be from"),
    ("bench moonlight --json x",             "invalid choice: 'moonlight'"),
    ("bench segment --json {file}/x",        "--json: Not a directory"),
    ("bench segment --against {file}",       "--against must be a file that --json wrote"),
    ("bench segment --against {file}x",      "--against must be a file that --json wrote"),
]
# fmt: on


@pytest.mark.parametrize(("words", "sentence"), WRONG)
def test_bad_input_is_one_sentence_before_anything_is_measured(
    words: str,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "file"
    file.write_text('{"tables": 5}')
    monkeypatch.setattr(sys, "argv", ["loadtest", *words.format(file=file).split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert "Traceback" not in told
    assert told.count("\n") == 1

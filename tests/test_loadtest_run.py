"""Every scenario, small, against a real server: no fault is invented; and what runs refuse."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from loadtest import run as run_module
from loadtest.__main__ import build_parser
from loadtest.options import PROMPT
from loadtest.outcome import Outcome, figure_names
from loadtest.plan import BOUNDS
from loadtest.scenarios import ROLES, SCENARIOS
from loadtest.target import Refused, target_of
from loadtest.thresholds import threshold_of, verdicts_of
from loadtest.traces import FOLDER, SYNTHETIC, Trace, load_trace, recorded
from tests.processes import running

SMALL = {
    # scenario: what makes it small and still itself
    "ramp": "--processes 2",
    "reconnect-storm": "--duration 6 --rate 20",
    "slow-readers": "--duration 6 --rate 20",
    "mixed-abuse": "--duration 7 --rate 20 --listeners 24",
    "steer-storm": "--duration 10 --rate 4 --listeners 4",
}
SIZE = "--listeners 10 --duration 4 --samples 60 --seed 3 --buffer-ms 5000"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("server"), data_dir) as started:
        yield started.ws_url


@pytest.fixture(scope="module")
def args_of(data_dir: Path, url: str) -> Callable[..., Any]:
    def parse(scenario: str, *more: str) -> Any:
        small = [*SIZE.split(), *SMALL.get(scenario, "").split()]
        if SCENARIOS[scenario].arrival == "poisson" and "--rate" not in small:
            small += ["--rate", "10"]
        here = ["--url", url, "--data-dir", str(data_dir)]
        return build_parser().parse_args(["run", scenario, *small, *here, *more])

    return parse


@pytest.fixture(scope="module")
def outcomes(args_of: Callable[..., Any]) -> dict[str, Outcome]:
    """All scenarios, four at a time."""
    with ThreadPoolExecutor(4) as executor:
        args = [args_of(name) for name in SCENARIOS]
        return dict(zip(SCENARIOS, executor.map(run_module.outcome_of, args), strict=True))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_invents_no_fault(outcomes: dict[str, Outcome], name: str, url: str) -> None:
    outcome = outcomes[name]
    faults = outcome.faults()
    if name == "compat-storm" and not is_offered(url, "/api/compat/search"):
        assert outcome.groups["asks"].counts["status_404"] == faults.pop("unexpected_error")
    assert not faults, [group.examples for group in outcome.groups.values()]
    figures = outcome.figures()
    # A busy machine may refuse newcomers, and says so; those who are let in are served.
    assert figures["quanta"] > 100 or figures["refused"]
    assert figures["verified"] > 0 or figures["refused"]
    assert figures["decoded"] == 5 * figures["verified"]
    assert figures["server_rss_mb"] > 50
    assert outcome.plan.processes == (2 if name == "ramp" else 1)
    asks = name in ("compose-storm", "compat-storm")  # a process of its own, which tells its lag
    assert len(outcome.generators) == outcome.plan.processes + asks


def is_offered(url: str, path: str) -> bool:
    page = url.replace("ws://", "http://").replace("/stream", "/openapi.json")
    with urllib.request.urlopen(page) as answer:  # noqa: S310 - our own server
        return path in json.load(answer)["paths"]


def test_a_role_leaves_its_mark(outcomes: dict[str, Outcome]) -> None:
    well = {name: outcome.groups["well"] for name, outcome in outcomes.items()}
    assert well["reconnect-storm"].latency("resume").n == 30
    assert well["reconnect-storm"].counts["cuts"] == 30
    steering = well["steer-storm"]
    assert steering.counts["steered"] > 0 or steering.findings["refused"]
    assert outcomes["slow-readers"].groups["slow"].counts["listeners"] == 2
    abuse = outcomes["mixed-abuse"].groups["abuse"].counts
    assert {"close_1002", "close_1009", "close_4000", "close_4005"} <= set(abuse)
    asks = outcomes["compose-storm"].groups["asks"]
    assert asks.counts["status_200"] + asks.findings["refused"] == asks.counts["asked"] > 0


def test_a_search_among_nobody_proves_nothing(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["compat-storm"]
    if outcome.groups["asks"].counts["status_200"]:
        [verdict] = [one for one in verdicts_of(outcome, [threshold_of("matches>0")])
                     if one.wanted == "matches>0"]  # fmt: skip
        assert not verdict.holds


def test_a_server_that_is_started_to_be_searched_knows_people(
    tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "_PEOPLE", 300)
    shutil.copytree(data_dir / "banks", tmp_path / "banks")
    small = "compat-storm --listeners 2 --duration 5 --rate 10 --asks-per-s 4 --samples 10"
    words = ["run", *small.split(), "--data-dir", str(tmp_path)]
    for _ in range(2):  # the second time they are there
        outcome = run_module.outcome_of(build_parser().parse_args(words))
        n_answered = outcome.groups["asks"].counts["status_200"]
        assert outcome.figures()["matches"] == 20 * n_answered > 0


def test_the_report_is_written_whole(outcomes: dict[str, Outcome], tmp_path: Path) -> None:
    outcome = outcomes["steady"]
    run_module.write_json(outcome, tmp_path)
    run_module.write_csv(outcome, tmp_path)
    run_module.write_page(outcome, tmp_path)
    told = json.loads((tmp_path / "outcome.json").read_text())
    assert set(told["figures"]) == set(figure_names())
    rows = (tmp_path / "seconds.csv").read_text().splitlines()
    assert rows[0].startswith("atS,open,quanta,fps,late,")
    assert len(rows) >= 5
    page = (tmp_path / "report.html").read_text()
    assert "data:image/png;base64," in page
    assert outcome.command.startswith("python -m loadtest run steady ")
    assert outcome.command.split(" --url")[0] in page


def test_what_does_not_hold_is_printed_and_is_the_exit_code(
    args_of: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    args = args_of("steady", "--duration", "3", "--assert", "quanta<=1", "--rate", "20")
    assert run_module.run(args) == 1
    lines = capsys.readouterr().out.splitlines()
    failed = [line for line in lines if line.startswith("FAILED")]
    assert any(line.startswith("FAILED quanta<=1: it is ") for line in failed)
    # Beside it at the most that this machine was too busy for the generator.
    assert len(failed) == 1 + any("the generator keeps up" in line for line in failed)


def test_a_network_between_is_felt_and_can_be_recorded(
    args_of: Callable[..., Any], tmp_path: Path
) -> None:
    trace = tmp_path / "trace.json"
    trace.write_text(Trace("a second of delay", (1_000,)).to_json())
    made = tmp_path / "recorded.json"
    args = args_of("steady", "--listeners", "2", "--trace", str(trace))
    args.record_trace = str(made)
    outcome = run_module.outcome_of(args)
    assert not outcome.faults()
    assert outcome.figures()["hello_p50_ms"] >= 1_000
    assert outcome.between.n > 100  # its loop watches itself
    assert (
        outcome.latencies()["lag"].n == outcome.between.n + outcome.generators[0].latency("lag").n
    )
    run_module.record(outcome, made)
    assert load_trace(str(made)).what.startswith("Recorded")


def test_recorded_delays_are_put_where_they_arose() -> None:
    """Two seconds of standing still: what was due in them waited for their end."""
    moments = [(0.1 * n if n < 20 or n >= 40 else 4.0) for n in range(60)]
    delays = [(at_s, at_s - 0.1 * n) for n, at_s in enumerate(moments)]
    trace = recorded(delays, "made")
    assert trace.delay_s(1.0) == 0
    assert trace.delay_s(2.05) == pytest.approx(1.95, abs=0.11)
    assert trace.delay_s(3.5) == pytest.approx(0.5, abs=0.11)
    assert trace.delay_s(5.0) == 0


@pytest.mark.parametrize("name", SYNTHETIC)
def test_a_shipped_trace_is_what_its_function_makes_and_is_described(name: str) -> None:
    trace = load_trace(name)
    assert trace == SYNTHETIC[name]()
    assert trace.what.startswith("Synthetic.")
    assert len(trace.delays_ms) >= 600
    assert {path.stem for path in FOLDER.iterdir()} == set(SYNTHETIC)


# fmt: off
REFUSED = [
    ("--listeners 50001",              "--listeners must be from 1 to 50000"),
    ("--duration 86401",               "--duration must be from 1 to 86400"),
    ("--rate 0",                       "--rate must be from 0.01 to 5000"),
    ("--processes 17",                 "--processes must be from 1 to 16"),
    ("--listeners 1000 --rate 10",     "leaves no time to listen"),
    ("--assert nonsense",              "--assert must be a figure"),
    ("--assert moonlight<=1",          "there is no figure moonlight"),
    ("--trace nowhere",                "--trace must be one of"),
    ("--url http://127.0.0.1/",        "--url must be ws://"),
    ("--url ws://192.0.2.1/stream",    "--i-own-this-server"),
    ("--url ws://me:pw@127.0.0.1/",    "a stream has no user"),
    ("--trace=",                       "--trace must be one of"),
    ("--out=",                         "--out must be a folder"),
    ("--data-dir=",                    "--data-dir must be a folder"),
    ("--record-trace=",                "--record-trace must be a file"),
    ("--seed 1" + "0" * 400,           "--seed must be from 0 to 2147483648, got 1"),
]
# fmt: on


@pytest.mark.parametrize(("options", "sentence"), REFUSED)
def test_a_run_that_should_not_be_is_refused(
    options: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    args = build_parser().parse_args(["run", "steady", *options.split()])
    assert run_module.run(args) == 2
    assert sentence in capsys.readouterr().err


def test_a_scenario_without_those_whom_it_is_for_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for few in ("slow-readers --listeners 4", "mixed-abuse --listeners 3"):
        assert run_module.run(build_parser().parse_args(["run", *few.split()])) == 2
        assert "of so few nobody is" in capsys.readouterr().err


@pytest.mark.parametrize("delays", [
    "[1e400]", '"12"', '{"1": 2}', "[1.5]", "[true]", '["1"]', "[" * 100_000, "[60001]", "[]",
])  # fmt: skip
def test_a_file_that_is_no_trace_is_refused(tmp_path: Path, delays: str) -> None:
    file = tmp_path / "trace.json"
    file.write_text(f'{{"what": "made", "stepMs": 100, "delaysMs": {delays}}}')
    with pytest.raises(Refused, match="--trace"):
        load_trace(str(file))


def test_a_query_is_part_of_the_stream() -> None:
    target = target_of("ws://127.0.0.1:3000/stream?x=1", is_owned=False)
    assert target.path == "/stream?x=1"
    assert target.resolved_url == "ws://127.0.0.1:3000/stream?x=1"


def test_the_owner_may_load_another_machine() -> None:
    target = target_of("ws://192.0.2.1:3000/stream", is_owned=True)
    assert not target.is_loopback
    assert target.address == ("192.0.2.1", 3_000)
    assert target_of("ws://localhost:3000/stream", is_owned=False).is_loopback
    with pytest.raises(Refused, match="not this machine"):
        target_of("ws://192.0.2.1:3000/stream", is_owned=False)


def test_every_number_that_can_be_given_is_bounded() -> None:
    parser = build_parser().parse_args(["run", "steady"])
    numbers = {name for name, value in vars(parser).items() if isinstance(value, int | float)}
    assert numbers - {"i_own_this_server"} <= set(BOUNDS)
    assert BOUNDS["prompt"][1] >= PROMPT


def test_scenarios_name_roles_and_thresholds_that_exist() -> None:
    for scenario in SCENARIOS.values():
        assert scenario.role in ROLES
        for text in scenario.thresholds:
            assert threshold_of(text).name in figure_names()
    assert {scenario.role for scenario in SCENARIOS.values()} == set(ROLES)


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [("late_p99_ms<=25", 25, True), ("late_p99_ms<25", 25, False), ("viz_fps>=55", 54.9, False)],
)
def test_a_threshold_compares(text: str, value: float, holds: bool) -> None:
    threshold = threshold_of(text)
    verdict = threshold.verdict({threshold.name: value})
    assert verdict.holds is holds
    assert verdict.line == f"FAILED {text}: it is {value:g}"

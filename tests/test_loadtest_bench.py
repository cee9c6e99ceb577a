"""Benchmarks kept and compared, budgets judged, a capacity searched."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from loadtest import bench, bench_segment, budgets, capacity, table
from loadtest.browser import NoBrowser, chromium_path
from loadtest.budgets import AT_LEAST, AT_MOST, BUDGETS, Budget, figure, print_budgets
from loadtest.outcome import figure_names
from loadtest.table import Table, print_table
from loadtest.target import Refused
from loadtest.thresholds import threshold_of

ROWS = (("", "p50", "p95"), ("new", "3.1", "<= 25"), ("cached, v1", "1,000", "4.5"))


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[Table]:
    kept: list[Table] = []
    for module in (table, bench):
        monkeypatch.setattr(module, "PRINTED", kept)
    return kept


def test_the_worst_figure_of_the_rows_that_are_meant_counts() -> None:
    tables = [Table("Hello, ms", ROWS), Table("Hello, ms", (ROWS[0], ("new", "7", "9")))]
    assert figure(tables, "Hello", "new", "p50") == 7
    assert figure(tables, "Hello", "new", "p95") == 25
    assert figure(tables, "Hello", "new", "p95", AT_LEAST) == 9
    assert figure(tables, "Hello", "cached", "p50") == 1_000
    assert figure(tables, "Hello", "nobody", "p50") is None
    assert figure(tables, "Hello", "new", "p99") is None


def test_a_budget_that_was_not_measured_is_not_kept(
    printed: list[Table], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (
        Budget("kept", "b", "Hello", "new", "p50", 4),
        Budget("broken", "b", "Hello", "new", "p95", 24),
        Budget("missing", "b", "Nothing", "new", "p95", 24),
        Budget("elsewhere", "other", "Nothing", "new", "p95", 24),
    )
    monkeypatch.setattr(budgets, "BUDGETS", rows)
    print_budgets([Table("Hello, ms", ROWS)], ["b"])
    words = [line.split() for line in capsys.readouterr().out.splitlines()[3:]]
    assert words == [
        ["kept", "3.1", "<=", "4", "yes"],
        ["broken", "25", "<=", "24", "NO"],
        ["missing", "missing", "<=", "24", "NO"],
    ]


def test_a_budget_may_be_a_least(
    printed: list[Table], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (
        Budget("kept", "b", "Hello", "new", "p50", 3.1, bound=AT_LEAST),
        Budget("broken", "b", "Hello", "new", "p50", 3.2, bound=AT_LEAST),
        Budget("missing", "b", "Nothing", "new", "p50", 0, bound=AT_LEAST),
    )
    monkeypatch.setattr(budgets, "BUDGETS", rows)
    print_budgets([Table("Hello, ms", ROWS)], ["b"])
    words = [line.split() for line in capsys.readouterr().out.splitlines()[3:]]
    assert words == [
        ["kept", "3.1", ">=", "3.1", "yes"],
        ["broken", "3.1", ">=", "3.2", "NO"],
        ["missing", "missing", ">=", "0", "NO"],
    ]


def _no_browser() -> None:
    raise NoBrowser("there is no browser")


def test_without_a_browser_one_sentence_says_so(
    printed: list[Table], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bench.BENCHMARKS, "page", _no_browser)
    assert bench.run(_args("page")) == 1
    told = capsys.readouterr()
    assert "FAILED page: it was not measured: there is no browser" in told.out.splitlines()
    assert not told.err


def test_without_a_browser_the_others_are_measured_and_its_budgets_are_missing(
    printed: list[Table], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "BENCHMARKS", {"page": _no_browser, "seek": _seek})
    assert bench.run(_args()) == 1
    measured = {row[0]: row[1] for row in printed[-1].rows[1:]}
    assert measured.pop("seek to any index of 1 000 h, p95, ms") == "12"
    assert set(measured.values()) == {"missing"}
    assert len(measured) == sum(one.benchmark == "page" for one in BUDGETS)
    failed = [line for line in capsys.readouterr().out.splitlines() if line.endswith("missing")]
    assert len(failed) == len(measured)
    assert all(line.startswith("FAILED page: ") for line in failed)


def _seek() -> None:
    print_table("Seek to any index", [["", "p95"], ["at the server", "12"]])


def _slow_seek() -> None:
    print_table("Seek to any index", [["", "p95"], ["at the server", "31"]])


def test_budgets_that_hold_are_the_exit_code(
    printed: list[Table], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bench.BENCHMARKS, "seek", _seek)
    assert bench.run(_args("seek")) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "all budgets hold"


def test_a_budget_that_does_not_hold_is_named_last_and_is_the_exit_code(
    printed: list[Table], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bench.BENCHMARKS, "seek", _slow_seek)
    assert bench.run(_args("seek")) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "FAILED seek: seek to any index of 1 000 h, p95, ms may be <= 30: it is 31"


@pytest.mark.parametrize("error", [RuntimeError("it fell"), SystemExit("it fell")])
def test_a_benchmark_that_fails_costs_no_figure_of_the_others(
    printed: list[Table],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    error: BaseException,
) -> None:
    def server() -> None:
        print_table("Start to ready, s", [["", "measured"], ["cold", "4"]])
        raise error

    monkeypatch.setattr(bench, "BENCHMARKS", {"server": server, "seek": _seek})
    file = tmp_path / "now.json"
    assert bench.run(_args("--json", str(file))) == 1
    told = capsys.readouterr()
    reason = f"FAILED server: it was not measured: {type(error).__name__}: it fell"
    assert told.out.splitlines().count(reason) == 2  # when it failed, and at the end
    assert "Traceback" in told.err
    measured = {row[0]: row[1] for row in printed[-1].rows[1:]}
    assert measured["start → ready, cold, s"] == "4"
    assert measured["… warm, s"] == "missing"
    titles = [table["title"] for table in json.loads(file.read_text())["tables"]]
    assert titles == ["Start to ready, s", "Seek to any index", "Budgets of the design"]


def test_whoever_interrupts_the_benchmarks_ends_them(
    printed: list[Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "BENCHMARKS", {"server": interrupted, "seek": _seek})
    with pytest.raises(KeyboardInterrupt):
        bench.run(_args())
    assert not printed


def test_chromium_is_looked_for_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBrowser, match=r"none of chromium, .* is on the PATH"):
        chromium_path()


def test_every_budget_names_a_benchmark_and_a_table_that_it_prints() -> None:
    for one in BUDGETS:
        source = Path(bench.__file__).with_name(f"bench_{one.benchmark}.py").read_text()
        assert one.benchmark in bench.BENCHMARKS
        assert one.bound in {AT_MOST, AT_LEAST}
        for title in filter(None, (one.title, one.beside[0])):
            # Numbers stand in the title as they are computed.
            words = re.escape(re.split(r"[0-9]", title)[-1] or title)
            assert re.search(words, source), title
        assert f'"{one.column}"' in source, one.column


def test_the_cost_of_a_stream_is_measured(
    printed: list[Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_segment, "_ROUNDS", 1)
    monkeypatch.setattr(bench_segment, "_SECONDS", 2)
    bench_segment.run()
    ratio = figure(printed, "Cost of a distinct stream", "all of it", "/ bare encode")
    assert ratio is not None
    assert ratio > 1.0  # it holds an encode


def test_a_run_is_kept_and_compared_with_an_earlier_one(
    printed: list[Table],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cost = iter(("4.0", "5.0"))

    def measure() -> None:
        print_table("Cost", [["", "ms", "how"], ["a thing", next(cost), "well"]])

    monkeypatch.setitem(bench.BENCHMARKS, "bank", measure)
    file = tmp_path / "then.json"
    bench.run(_args("bank", "--json", str(file)))
    told = json.loads(file.read_text())
    assert told["tables"] == [
        {"title": "Cost", "rows": [["", "ms", "how"], ["a thing", "4.0", "well"]]}
    ]
    assert "numpy" in told["machine"]
    printed.clear()
    capsys.readouterr()
    bench.run(_args("bank", "--against", str(file)))
    lines = capsys.readouterr().out.splitlines()
    place = lines.index("Cost: now ÷ then")
    assert lines[place + 2].split() == ["a", "thing", "1.25"]


def test_what_an_earlier_run_does_not_have_is_named(
    printed: list[Table], capsys: pytest.CaptureFixture[str]
) -> None:
    now = [Table("Cost", (("", "ms"), ("a thing", "4"), ("a new one", "5"))),
           Table("News", (("", "ms"), ("all of it", "6")))]  # fmt: skip
    then = {"title": "Cost", "rows": [["", "ms"], ["a thing", "2"]]}
    bench.print_comparison(now, {"tables": [then]})
    told = capsys.readouterr().out
    assert "a thing  2.00" in told
    assert "Cost: not in the earlier run: a new one" in told
    assert "News: not in the earlier run: all of it" in told


def test_no_two_budgets_have_one_name() -> None:
    names = [one.what for one in BUDGETS]  # an earlier run is compared by them
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "told", ['{"machine":"m","tables":[{"rows":[]}]}', "[" * 100_000, "{}", "1"]
)
def test_a_file_that_no_run_wrote_is_refused(tmp_path: Path, told: str) -> None:
    file = tmp_path / "then.json"
    file.write_text(told)
    with pytest.raises(Refused, match="--against"):
        bench.run(_args("bank", "--against", str(file)))


def _args(*words: str) -> object:
    from loadtest.__main__ import build_parser

    return build_parser().parse_args(["bench", *words])


@pytest.mark.parametrize("truth", [0, 1, 37, 60, 61, 119, 399, 400, 1_000])
def test_a_search_finds_the_largest_number_that_holds_to_a_twentieth(truth: int) -> None:
    def failure_of(number: int) -> str:
        return "" if number <= truth else "broke"

    found = capacity.search(60, 400, math.inf, failure_of)
    assert found.held <= min(truth, 400)
    if truth >= 400:
        assert found.held == 400
    else:
        assert found.held < found.broke <= max(found.held * 1.06, found.held + 1)
    assert len(found.tried) <= 12


def test_a_search_ends_when_its_time_is_over() -> None:
    found = capacity.search(60, 400, -math.inf, lambda _number: "")
    assert list(found.tried) == [60]


def test_the_quality_of_a_capacity_is_made_of_figures() -> None:
    for kind in capacity.KINDS.values():
        for text in kind.quality:
            assert threshold_of(text).name in figure_names()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9, 0.95, 0.99, 1.0])
@pytest.mark.parametrize("n", [1, 2, 19, 20, 21, 100, 101])
def test_a_percentile_is_the_smallest_that_so_many_do_not_exceed(share: float, n: int) -> None:
    values = list(range(1, n + 1))[::-1]
    enough = [value for value in values if value * 100 >= round(100 * share) * n]
    assert table.percentile(values, share) == min(enough)

"""`python -m loadtest run` as people start it: what it writes, and its exit code."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from loadtest.outcome import figure_names

ROOT = Path(__file__).parent.parent
SIZE = "--listeners 8 --rate 50 --samples 20"


@dataclass
class Ended:
    """A run that is over."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def failed(self) -> list[str]:
        """The lines of what does not hold."""
        return [line for line in self.out.splitlines() if line.startswith("FAILED")]


def begun(words: str, folder: Path, data_dir: Path) -> subprocess.Popen[str]:
    given = ["run", "steady", *SIZE.split(), *words.split()]
    here = ["--data-dir", str(data_dir), "--out", str(folder / "report")]
    return subprocess.Popen(
        [sys.executable, "-m", "loadtest", *given, *here],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip


def ended(process: subprocess.Popen[str], folder: Path) -> Ended:
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err
    return Ended(process.returncode, out, err, folder / "report")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Ended:
    folder = tmp_path_factory.mktemp("plain")
    words = "--duration 5 --assert quanta>=100 --assert late_segments<=1000"
    return ended(begun(words, folder, data_dir), folder)


def test_a_run_in_which_all_holds_ends_with_0_and_one_in_which_not_with_1(plain: Ended) -> None:
    # This machine may be too busy for the generator or the server; then the code must say so.
    assert plain.code == (1 if plain.failed else 0)
    assert not [line for line in plain.failed if "quanta" in line or "late_segments" in line]
    assert "What must hold" in plain.out


def test_out_has_the_figures_the_seconds_and_the_page(plain: Ended) -> None:
    text = plain.folder.joinpath("outcome.json").read_text()
    assert not re.search(r"\b(NaN|Infinity)\b", text)
    told = json.loads(text)
    assert set(told["figures"]) == set(figure_names())
    assert told["figures"]["loop_lag_p99_ms"] > 0
    assert told["command"].startswith("python -m loadtest run steady --listeners 8 ")
    wanted = {one["wanted"]: one["holds"] for one in told["verdicts"]}
    assert wanted["quanta>=100"] is wanted["late_segments<=1000"] is True
    assert {"faults<=0", "the generator keeps up"} <= set(wanted)
    assert all(wanted.values()) is (plain.code == 0)
    rows = list(csv.DictReader(plain.folder.joinpath("seconds.csv").read_text().splitlines()))
    assert [row["atS"] for row in rows] == [str(n + 1) for n in range(len(rows))]
    assert len(rows) >= 4
    # A look that came half a second late is of the next second: then one is left blank.
    looked = [float(row["serverRssMb"]) for row in rows if row["serverRssMb"]]
    assert len(looked) >= len(rows) // 2
    assert min(looked) > 50
    page = plain.folder.joinpath("report.html").read_text()
    assert len(page.partition("data:image/png;base64,")[2].partition('"')[0]) > 20_000
    assert f"<td>quanta&gt;=100</td><td>{told['figures']['quanta']:g}</td><td>yes</td>" in page


def test_a_server_that_dies_ends_the_run_with_1_and_its_report(
    tmp_path: Path, data_dir: Path
) -> None:
    with begun("--duration 8", tmp_path, data_dir) as process:
        os.kill(served_by(process), signal.SIGKILL)
        run = ended(process, tmp_path)
    assert run.code == 1
    assert any("the server ended after" in line and "signal 9" in line for line in run.failed)
    assert "Latencies" in run.out
    told = json.loads(run.folder.joinpath("outcome.json").read_text())
    assert told["mishaps"][0].endswith("signal 9")
    assert told["figures"]["loop_lag_p99_ms"] is None  # nobody was left to tell
    assert "not all holds that must" in run.folder.joinpath("report.html").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_stopped_tells_what_it_saw_and_leaves_nothing_behind(
    tmp_path: Path, data_dir: Path, number: signal.Signals
) -> None:
    with begun("--duration 60", tmp_path, data_dir) as process:
        server = served_by(process)
        process.send_signal(number)
        run = ended(process, tmp_path)
    assert run.code == 1
    assert "FAILED nothing breaks: it was stopped before its time" in run.failed
    told = json.loads(run.folder.joinpath("outcome.json").read_text())
    assert told["figures"]["quanta"] > 50
    assert told["figures"]["faults"] == 0
    assert told["seconds"]
    assert not Path(f"/proc/{server}").exists()


def test_what_is_stopped_before_it_began_says_so_in_a_line(tmp_path: Path, data_dir: Path) -> None:
    with begun("--duration 60", tmp_path, data_dir) as process:
        limit_s = time.monotonic() + 60
        while b"serve" not in b"".join(children_of(process).values()):
            assert time.monotonic() < limit_s
            time.sleep(0.01)
        time.sleep(0.5)  # Python itself may not be interrupted while it starts a process
        process.send_signal(signal.SIGTERM)
        run = ended(process, tmp_path)
    assert (run.code, run.err) == (130, "stopped before the end\n")


def test_files_are_written_though_nobody_reads_what_is_printed(
    tmp_path: Path, data_dir: Path
) -> None:
    with begun("--duration 4", tmp_path, data_dir) as process:
        assert process.stdout is not None
        process.stdout.readline()  # as `head -1` does
        process.stdout.close()
        assert process.wait(60) == 1
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "outcome.json", "seconds.csv", "report.html",
    }  # fmt: skip


def test_a_proxy_of_the_environment_and_a_poor_terminal_do_not_matter(
    tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    with begun("--duration 4", tmp_path, data_dir) as process:
        run = ended(process, tmp_path)
    assert "hello \\u2192 quantum" in run.out
    assert json.loads(run.folder.joinpath("outcome.json").read_text())["figures"]["quanta"] > 50


def test_what_is_refused_makes_nothing(tmp_path: Path, data_dir: Path) -> None:
    with begun("--trace nosuch", tmp_path, data_dir) as process:
        run = ended(process, tmp_path)
    assert run.code == 2
    assert not run.folder.exists()


def children_of(process: subprocess.Popen[str]) -> dict[int, bytes]:
    """Return the command lines of the processes that one has started."""
    pids = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids}


def served_by(process: subprocess.Popen[str]) -> int:
    """Return the process of the server of a run that listens by now."""
    limit_s = time.monotonic() + 60
    while time.monotonic() < limit_s:
        said = children_of(process)
        servers = [pid for pid, words in said.items() if b"astradio_stream\0serve" in words]
        if servers and any(b"loadtest.generator" in words for words in said.values()):
            time.sleep(3)  # for a generator that has just begun to have heard something
            return servers[0]
        time.sleep(0.05)
    raise AssertionError("there was no server")

"""Log lines: one per event, nobody else can write one, no disk and no pipe stops the service."""

from __future__ import annotations

import ast
import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import astradio_stream
from astradio_stream.server.events import TABLE
from astradio_stream.server.logfiles import LogFile, LogStream, tally
from astradio_stream.server.logs import (
    OWN_ID,
    REQUEST_ID,
    close_logs,
    escaped,
    log,
    log_failure,
    open_logs,
)

ROOT = Path(astradio_stream.__file__).parent
DOCS = ROOT.parent / "docs" / "logs.md"


@contextmanager
def logging_to(path: Path, **options: Any) -> Iterator[None]:
    handlers = open_logs(path, "info", **options)
    try:
        yield
    finally:
        close_logs(handlers)


def without_time(line: str) -> str:
    return re.sub(r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", "", line)


def test_an_event_is_one_line_in_file_and_on_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logging_to(tmp_path / "new" / "app.log"):
        log("JOINED", requestId="req_1", client='a "name"\nFORGED x=1', n=3)
        log("HIDDEN", logging.DEBUG)
        log("compose_latency_ms", value=12.5, error_code="X", requestId="req_2")
        logging.getLogger("uvicorn.error").warning("odd %s", "thing")
        try:
            raise ValueError("why")
        except ValueError as error:
            log_failure("BROKEN", error)
    lines = (tmp_path / "new" / "app.log").read_text().splitlines()
    assert lines == capsys.readouterr().out.splitlines()
    joined, latency, library, broken = map(without_time, lines)
    assert joined == r'JOINED level=INFO client="a \"name\"\nFORGED x=1" n=3 requestId=req_1'
    assert latency == "compose_latency_ms 12.5 level=INFO error.code=X requestId=req_2"
    assert library == (
        f'LIBRARY level=WARNING logger=uvicorn.error message="odd thing" requestId={OWN_ID}'
    )
    assert broken.startswith("BROKEN level=ERROR error=ValueError message=why at=")


def test_every_line_says_for_whom(tmp_path: Path) -> None:
    tally.take()
    with logging_to(tmp_path / "app.log"):
        log("READY")
        log("JOINED")
        token = REQUEST_ID.set("req_of_somebody")
        log("JOINED")
        REQUEST_ID.reset(token)
    own, nameless, named = (tmp_path / "app.log").read_text().splitlines()
    assert own.endswith(f" requestId={OWN_ID}")
    assert nameless.endswith(" requestId=-")
    assert named.endswith(" requestId=req_of_somebody")
    assert tally.take() == (0, 1)


def test_as_json_a_line_is_an_object(tmp_path: Path) -> None:
    with logging_to(tmp_path / "app.log", form="json"):
        log(
            "compose_latency_ms", value=12.5, cache="hit", ok=True, odd=float("inf"), more="x" * 999
        )
    told = json.loads((tmp_path / "app.log").read_text())
    assert (told["event"], told["value"], told["cache"], told["ok"]) == (
        "compose_latency_ms",
        12.5,
        "hit",
        True,
    )
    assert (told["odd"], len(told["more"]), told["requestId"]) == ("inf", 501, "-")


def test_a_file_that_cannot_be_opened_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="exist"):
        open_logs(tmp_path / "file" / "app.log", "info")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "plain"),
        ("/a?b&c", "/a?b&c"),
        ("b=c", '"b=c"'),
        (7, "7"),
        ("", '""'),
        ("two words", '"two words"'),
        ('"', r'"\""'),
        ("é", r'"\u00e9"'),
        ("\x1b[2J", r'"\u001b[2J"'),
    ],
)
def test_values_are_words_or_json_strings(value: object, written: str) -> None:
    assert escaped(value) == written


@given(st.text(max_size=200))
def test_no_value_breaks_a_line(text: str) -> None:
    written = escaped(text)
    assert written.isascii()
    assert written.isprintable()
    assert text == (json.loads(written) if written.startswith('"') else written)


def test_a_long_value_is_cut() -> None:
    assert len(escaped("x" * 10_000)) < 600


# The table ---------------------------------------------------------------------------------------


def logged_events() -> set[str]:
    """Return every event that the source names when it logs."""
    found: set[str] = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "log",
                "log_failure",
            ):
                found |= set(_words_of(node.args[0]))
    return found


def _words_of(expression: ast.expr) -> Iterator[str]:
    """Yield the names in the first argument of a call, which may choose between two."""
    for part in ast.walk(expression):
        if isinstance(part, ast.Constant) and re.fullmatch(r"[A-Za-z]\w{2,}", str(part.value)):
            yield str(part.value)


def test_the_table_has_every_event_that_is_logged_and_no_other() -> None:
    computed = {"READY", "DEGRADED", "OVERLOADED", "LIBRARY", "HTTP_4xx", "HTTP_5xx",
                "4xx_error_rate", "5xx_error_rate"}  # fmt: skip
    logged = logged_events() - {"HTTP_"}
    assert logged | computed == {row.name for row in TABLE}


def test_the_docs_list_every_event() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (yes|no) \|", DOCS.read_text(), re.MULTILINE)
    assert rows == [(row.name, "yes" if row.is_asked else "no") for row in TABLE]


# Rotation ----------------------------------------------------------------------------------------


def record_of(text: str) -> logging.LogRecord:
    return logging.LogRecord("astradio", logging.INFO, "", 0, text, (), None)


def test_a_full_file_is_put_aside_and_some_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    handler = LogFile(path, max_bytes=100, n_kept=2)
    for n in range(40):
        handler.emit(record_of(f"line {n:02d} of many"))
    handler.close()
    kept = [path.with_name("app.log.2"), path.with_name("app.log.1"), path]
    assert sorted(tmp_path.iterdir()) == sorted(kept)
    lines = [line for file in kept for line in file.read_text().splitlines()]
    assert lines == [f"line {n:02d} of many" for n in range(40 - len(lines), 40)]
    assert all(file.stat().st_size <= 100 for file in kept)


def test_several_processes_share_a_file_and_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    handlers = [LogFile(path, max_bytes=2_000, n_kept=1_000) for _ in range(3)]

    def write(which: int) -> None:
        for n in range(300):
            handlers[which].emit(record_of(f"{which} {n}"))

    threads = [threading.Thread(target=write, args=(which,)) for which in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for handler in handlers:
        handler.close()
    lines = {line for file in tmp_path.iterdir() for line in file.read_text().splitlines()}
    assert lines == {f"{which} {n}" for which in range(3) for n in range(300)}
    assert len(list(tmp_path.iterdir())) > 2


def test_a_file_that_was_moved_from_outside_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    handler = LogFile(path, max_bytes=10_000, n_kept=2)
    handler.emit(record_of("one"))
    path.rename(tmp_path / "elsewhere")
    handler.emit(record_of("two"))
    path.unlink()
    handler.emit(record_of("three"))
    handler.close()
    assert (tmp_path / "elsewhere").read_text() == "one\n"
    assert path.read_text() == "three\n"


# What fails --------------------------------------------------------------------------------------


def test_a_full_disk_costs_the_line_and_nothing_else() -> None:
    tally.take()
    handler = LogFile(Path("/dev/full"), max_bytes=10, n_kept=2)
    handler.emit(record_of("too much for it"))
    handler.close()
    assert tally.take() == (1, 0)


def test_a_line_after_one_that_was_torn_begins_on_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write = tmp_path / "app.log", os.write
    handler = LogFile(path, max_bytes=10_000, n_kept=2)
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:3]))
    handler.emit(record_of("torn"))
    monkeypatch.setattr(os, "write", write)
    handler.emit(record_of("whole"))
    handler.close()
    assert path.read_text() == "tor\nwhole\n"


def test_a_pipe_that_nobody_reads_makes_nobody_wait() -> None:
    reader, writer = os.pipe()
    tally.take()
    stream = os.fdopen(writer, "w")
    handler = LogStream(stream)
    for _ in range(20_000):
        handler.emit(record_of("x" * 100))
    assert tally.n_lost > 0
    os.close(reader)
    handler.close()
    stream.close()


def test_a_stream_without_a_number_takes_lines_too() -> None:
    stream = io.StringIO()
    handler = LogStream(stream)
    handler.emit(record_of("one"))
    handler.close()
    assert stream.getvalue() == "one\n"


WRITES_ON = """
import sys, pathlib
from astradio_stream.server.logs import *
from astradio_stream.server.main import announce
handlers = open_logs(pathlib.Path("app.log"), "info")
sys.stdin.readline()
announce("http://localhost:1")
log("READY"); log("STOPPED")
close_logs(handlers)
"""


def test_a_process_whose_output_is_closed_ends_well(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITES_ON],
        cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT.parent)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, complaints = process.communicate(b"\n", 30)
    assert (process.returncode, complaints) == (0, b"")
    events = [line.split()[0] for line in (tmp_path / "app.log").read_text().splitlines()]
    assert events == ["READY", "STOPPED"]

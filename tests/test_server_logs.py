"""Log lines: one per event, and nobody else can write one."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.server.logs import close_logs, escaped, log, log_failure, open_logs


def test_an_event_is_one_line_in_file_and_on_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handlers = open_logs(tmp_path / "new" / "app.log", "info")
    try:
        log("JOINED", session="ses_1", client='a "name"\nFORGED x=1', n=3)
        log("HIDDEN", logging.DEBUG)
        logging.getLogger("uvicorn.error").warning("odd %s", "thing")
        try:
            raise ValueError("why")
        except ValueError as error:
            log_failure("BROKEN", error, requestId="req_1")
    finally:
        close_logs(handlers)
    lines = (tmp_path / "new" / "app.log").read_text().splitlines()
    assert lines == capsys.readouterr().out.splitlines()
    joined, library, broken = lines
    assert joined.split(" ", 1)[1] == (
        r'INFO JOINED session=ses_1 client="a \"name\"\nFORGED x=1" n=3'
    )
    assert joined.split(" ", 1)[0].endswith("Z")
    assert library.split(" ", 1)[1] == ('WARNING LIBRARY logger=uvicorn.error message="odd thing"')
    assert "ERROR BROKEN error=ValueError message=why at=" in broken


def test_a_file_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
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

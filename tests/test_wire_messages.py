"""Client messages: every field wrong in type and in range, alone and together, is named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.errors import BadVersion, Detail, ValidationFailed
from astradio_stream.units import END_INDEX
from astradio_stream.wire import answers
from astradio_stream.wire.messages import (
    FIELDS_OF_TYPE,
    Hello,
    Ping,
    Report,
    SeekTo,
    no_details,
    parse_hello,
    parse_message,
)

HELLO: dict[str, Any] = {
    "type": "hello",
    "protocol": 1,
    "programme": {"station": "now"},
    "codecs": ["opus"],
}
REPORT: dict[str, Any] = {"type": "report", "played": 0, "received": 4_800, "underruns": 0}

# message type, field as named in the refusal, field, values that are wrong there
WRONG_VALUES = [
    ("hello", "protocol", "protocol", ["1", True, None, 1.5, [], {}]),
    ("hello", "programme", "programme", ["now", 1, None, [], True]),
    ("hello", "programmeId", "programmeId", ["", "f" * 63, "F" * 64, "g" * 64, 1, None, {}, []]),
    ("hello", "from", "from", [-1, 2**53, 0.5, "0", True, None, [], 1e300]),
    ("hello", "codecs", "codecs", [[], ["mp3"], "opus", None, 1, {}, ["opus"] * 17]),
    ("hello", "codecs[1]", "codecs", [["opus", 1], ["opus", None], ["mp3", ["opus"]]]),
    ("hello", "viz", "viz", [0, 1, "true", None, []]),
    ("hello", "bufferMs", "bufferMs", [199, 20_001, -1, 0, 2000.5, "2000", True, None, []]),
    ("hello", "client", "client", ["x" * 65, 1, None, []]),
    ("report", "played", "played", [-1, 2**53, 0.5, "0", True, None]),
    ("report", "received", "received", [-1, 2**53, "0", False, None]),
    ("report", "underruns", "underruns", [-1, "0", None, 1.5]),
    ("report", "vizFps", "vizFps", [-1, "60", True, None, 1e7]),
    ("report", "vizInitMs", "vizInitMs", [-1, "60", None]),
    ("report", "outputLatencyMs", "outputLatencyMs", [-1, "60", None]),
    ("steer", "controls", "controls", [None, 1, [], "x"]),
    ("steer", "quantise", "quantise", ["phrase", 1, None, ["bar"]]),
    ("seek", "to", "to", [-1, 2**53, 0.5, "0", True, None]),
    ("viz", "on", "on", [0, 1, "on", None]),
    ("ping", "t", "t", ["0", True, None, []]),
]
RIGHT: dict[str, dict[str, Any]] = {
    "hello": HELLO,
    "report": REPORT,
    "steer": {"controls": {}},
    "seek": {"to": 0},
    "viz": {"on": True},
    "ping": {"t": 0},
    "play": {},
    "pause": {},
    "bye": {},
}
CASES = [
    (kind, path, {field: value}) for kind, path, field, values in WRONG_VALUES for value in values
]


def parse(kind: str, message: dict[str, Any]) -> Any:
    return parse_hello(message, no_details) if kind == "hello" else parse_message(kind, message)


def named_by(kind: str, message: dict[str, Any]) -> list[str]:
    with pytest.raises(ValidationFailed) as caught:
        parse(kind, message)
    return [detail.field for detail in caught.value.details]


def changed_hello(changes: dict[str, Any]) -> dict[str, Any]:
    """Return HELLO with changes, and without the programme where they give an id."""
    message = HELLO | changes
    return {k: v for k, v in message.items() if k != "programme" or "programmeId" not in changes}


@pytest.mark.parametrize(("kind", "path", "change"), CASES)
def test_one_wrong_field_is_named_alone(kind: str, path: str, change: dict[str, Any]) -> None:
    message = changed_hello(change) if kind == "hello" else RIGHT[kind] | change
    assert named_by(kind, message) == [path]


@pytest.mark.parametrize("kind", sorted(RIGHT))
def test_every_field_wrong_at_once_is_named_at_once(kind: str) -> None:
    rows = {field: (path, values) for k, path, field, values in WRONG_VALUES if k == kind}
    rows.pop("programmeId", None)
    if not rows:
        return
    message = {field: values[-1] for field, (_, values) in rows.items()}
    assert sorted(named_by(kind, message)) == sorted(path for path, _ in rows.values())


def test_the_table_of_wrong_values_knows_every_field() -> None:
    ours = {(kind, f.name) for kind, (_, rows) in FIELDS_OF_TYPE.items() for f in rows}
    assert ours == {(kind, field) for kind, _, field, _ in WRONG_VALUES}


@pytest.mark.parametrize(
    ("kind", "field"),
    [(k, f.name) for k, (_, rows) in FIELDS_OF_TYPE.items() for f in rows if f.required],
)
def test_a_required_field_that_is_absent_is_named(kind: str, field: str) -> None:
    message = {name: value for name, value in RIGHT[kind].items() if name != field}
    assert named_by(kind, message) == [field]


def test_programme_and_id_exclude_each_other() -> None:
    assert named_by("hello", HELLO | {"programmeId": "0" * 64}) == ["programme"]


def test_mistakes_in_hello_and_in_its_programme_are_named_together() -> None:
    def check(_programme: object) -> tuple[Detail, ...]:
        return (Detail("seed", "no"), Detail("charts[0].lat", "no"), Detail("", "no"))

    with pytest.raises(ValidationFailed) as caught:
        parse_hello(HELLO | {"bufferMs": 1}, check)
    paths = ["bufferMs", "programme.seed", "programme.charts[0].lat", "programme"]
    assert [detail.field for detail in caught.value.details] == paths


@pytest.mark.parametrize("version", [0, 2, -1, 10**20, 2.0])
def test_another_version_is_refused_before_anything_else_is_judged(version: float) -> None:
    with pytest.raises(BadVersion, match="speaks protocol 1"):
        parse_hello({"type": "hello", "protocol": version, "codecs": 7}, no_details)


def test_defaults_of_hello() -> None:
    assert parse("hello", HELLO) == Hello(
        protocol=1,
        programme={"station": "now"},
        programme_id=None,
        from_index=None,
        codecs=("opus",),
        viz=True,
        buffer_ms=2_000,
        client="",
    )


def test_whole_floats_are_integers_as_in_javascript() -> None:
    hello = parse("hello", HELLO | {"protocol": 1.0, "from": 48_000.0, "bufferMs": 2e3})
    assert (hello.protocol, hello.from_index, hello.buffer_ms) == (1, 48_000, 2_000)
    assert isinstance(hello.from_index, int)


def test_unknown_fields_and_unknown_codecs_are_ignored() -> None:
    hello = parse("hello", HELLO | {"codecs": ["flac", "pcm_s16le", "opus", "opus"], "x": 1})
    assert hello.codecs == ("pcm_s16le", "opus")


@pytest.mark.parametrize(
    ("asked", "index"),
    [(0, 0), (4_799, 0), (4_800, 4_800), (END_INDEX - 1, END_INDEX - 4_800)],
)
def test_seek_is_rounded_down_to_a_quantum(asked: int, index: int) -> None:
    assert parse("seek", {"to": asked}) == SeekTo(index)


@pytest.mark.parametrize(("kind", "field"), [("hello", "from"), ("seek", "to")])
def test_nothing_is_played_beyond_the_last_segment(kind: str, field: str) -> None:
    assert named_by(kind, RIGHT[kind] | {field: END_INDEX}) == [field]


def test_report_reads_its_optional_fields() -> None:
    report = parse("report", REPORT | {"vizFps": 59.9, "vizInitMs": 12, "outputLatencyMs": 0})
    assert report == Report(0, 4_800, 0, 59.9, 12.0, 0.0)


@pytest.mark.parametrize("t", [0, -1, 1.25, 2**62, 1e300])
def test_ping_keeps_its_number(t: float) -> None:
    assert parse("ping", {"t": t}) == Ping(t)


def test_a_number_too_big_for_64_bits_is_echoed_as_a_double() -> None:
    t = parse("ping", {"t": 10**299}).t
    assert isinstance(t, float)
    assert t == 1e299


@given(st.dictionaries(st.sampled_from(["protocol", "codecs", "programme", "from"]), st.text()))
def test_sentences_stay_short_whatever_was_sent(changes: dict[str, str]) -> None:
    try:
        parse("hello", HELLO | changes)
    except ValidationFailed as error:
        assert all(len(detail.message) < 160 for detail in error.details)  # noqa: PT017


def test_error_message_has_the_one_shape() -> None:
    message = answers.error(
        "VALIDATION_FAILED", "no", [Detail("to", "why")], request_id="req_1", fatal=False
    )
    assert message == {
        "type": "error",
        "error": {
            "code": "VALIDATION_FAILED",
            "message": "no",
            "details": [{"field": "to", "message": "why"}],
        },
        "requestId": "req_1",
        "fatal": False,
    }
    bare = answers.error("X", "no", request_id="req_1", fatal=True)
    assert bare["error"] == {"code": "X", "message": "no"}


def test_small_answers_have_the_fields_of_the_contract() -> None:
    assert answers.drain(250) == {"type": "drain", "reconnectAfterMs": 250}
    assert answers.pong(1.5, 7) == {"type": "pong", "t": 1.5, "serverTimeUs": 7}
    assert answers.discontinuity(0, 4_800, "slow") == {
        "type": "discontinuity", "from": 0, "to": 4_800, "reason": "slow",
    }  # fmt: skip
    assert answers.event(9, "aspect", "x", ["sun"], {"orbDeg": 1}) == {
        "type": "event", "index": 9, "kind": "aspect", "text": "x", "bodies": ["sun"], "orbDeg": 1,
    }  # fmt: skip
    assert answers.steered(1, answers.SteeredParts({}, "id", 0, 2)) == {
        "type": "steered", "epoch": 1, "effective": 2, "programme": {}, "programmeId": "id",
    }  # fmt: skip


# The docs ----------------------------------------------------------------------------------------

DOCS = (Path(__file__).parent.parent / "docs" / "PROTOCOL.md").read_text()


def rows_below(heading: str) -> dict[str, set[str]]:
    """Return what stands in backticks in each row of the first table below a heading."""
    table = DOCS.partition(f"\n## {heading}\n")[2].partition("|---|")[2].partition("\n\n")[0]
    rows: dict[str, set[str]] = {}
    for row in table.splitlines()[1:]:
        kinds, told = re.findall(r"`(\w+)`", row.split("|")[1]), row.split("|")[2]
        rows |= {kind: set(re.findall(r"`(\w+)`", told)) for kind in kinds}
    return rows


def test_the_docs_name_every_message_of_a_client_with_its_fields_and_no_other() -> None:
    words = {"opus", "pcm_s16le", "now", "beat", "bar"}
    fields = {kind: {row.name for row in rows} for kind, (_, rows) in FIELDS_OF_TYPE.items()}
    rows = rows_below("What a client says")
    assert {kind: told - words for kind, told in rows.items()} == fields


def test_the_docs_name_every_message_of_a_server_with_its_fields_and_no_other() -> None:
    empty: dict[str, Any] = {}
    parts = answers.ReadyParts(empty, "id", 0, empty, empty, empty, empty, empty, empty)
    messages = [
        answers.ready("ses_1", 0, parts, 0),
        answers.event(0, "note", "x", [], {}),
        answers.steered(0, answers.SteeredParts({}, "id", 0, 0)),
        answers.discontinuity(0, 1, "slow"),
        answers.pong(0, 0),
        answers.drain(0),
        answers.error("X", "x", [Detail("a", "b")], request_id="req_1", fatal=True),
    ]
    inside = {
        "ready": {"name", "version", "bitrate", "preSkip", "index", "utcMs", "fields", "min", "max"}
        | {"key", "mode", "tempoBpm"},
        "event": {"aspect", "ingress", "section", "note"},
        "discontinuity": {"slow", "overload", "live"},
        "error": {"code", "message", "details"},
    }
    fields = {message["type"]: set(message) - {"type"} for message in messages}
    rows = rows_below("What a server says")
    assert {kind: told - inside.get(kind, set()) for kind, told in rows.items()} == fields
    assert all(inside[kind] <= rows[kind] for kind in inside)

"""Controls: each is checked, each has one form, and later wishes win."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.errors import Detail
from astradio_stream.music.controls import (
    CONTROLS,
    GENRES,
    KEY_OF_SPELLING,
    MODE_NAMES,
    Controls,
    controls_to_json,
    read_controls,
)
from astradio_stream.music.theory import KEY_NAMES, MODES

SHARES = (
    "tempoNorm",
    "density",
    "brightness",
    "tension",
    "syncopation",
    "stepBias",
    "motifRate",
    "arcShape",
    "space",
    "drums",
)
NO_WORDS: list[object] = ["", "c", "H", "C##", 3, 0.5, None, True, [], {}]
# fmt: off
WRONG: dict[str, list[object]] = {
    **{name: [-0.01, 1.01, "0.5", None, True, [], {}, float("nan"), float("inf"), 10**300]
       for name in SHARES},
    "leapCap": [0, 8, 3.5, -1, "4", None, True, [], float("nan"), 10**300],
    "key":     [*NO_WORDS, "Cis", "C♯", " C", "C "],
    "mode":    [*NO_WORDS, "major", "Ionian", "natal"],
    "genre":   [*NO_WORDS, "techno", "Jazz", "lo-fi"],
}
# fmt: on

shares = st.floats(0, 1) | st.sampled_from([0, 1])
WISHES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(SHARES, shares),
        "leapCap": st.integers(1, 7),
        "key": st.sampled_from(sorted(KEY_OF_SPELLING)),
        "mode": st.sampled_from(MODE_NAMES),
        "genre": st.sampled_from(GENRES),
    },
)


def controls_of(raw: object) -> Controls:
    details: list[Detail] = []
    read = read_controls(raw, "controls", details)
    assert details == []
    return read


def wrong_in(raw: object, path: str = "controls") -> list[str]:
    details: list[Detail] = []
    read_controls(raw, path, details)
    assert all(detail.field in detail.message for detail in details)
    return [detail.field for detail in details]


def test_the_table_is_the_contract_and_the_dataclass() -> None:
    assert {row.name for row in CONTROLS} == {*SHARES, "leapCap", "key", "mode", "genre"}
    assert [row.attribute for row in CONTROLS] == [field.name for field in fields(Controls)]
    assert set(WRONG) == {row.name for row in CONTROLS}
    assert set(MODE_NAMES) == set(MODES)
    assert all(row.meaning for row in CONTROLS)


def test_every_control_stands_in_the_docs() -> None:
    docs = (Path(__file__).parent.parent / "docs" / "PROTOCOL.md").read_text()
    for row in CONTROLS:
        assert f"`{row.name}`" in docs
    for word in (*GENRES, *MODE_NAMES):
        assert word in docs


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in WRONG.items() for value in values],
    ids=str,
)
def test_each_control_is_checked(name: str, value: object) -> None:
    assert wrong_in({name: value}, "changes[3].controls") == [f"changes[3].controls.{name}"]


@given(
    raw=st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(values) for name, values in WRONG.items()}
    )
)
def test_all_mistakes_are_named_at_once(raw: dict[str, object]) -> None:
    assert sorted(wrong_in(raw)) == sorted(f"controls.{name}" for name in raw)


@pytest.mark.parametrize("raw", [None, [], "x", 1, True])
def test_controls_are_an_object(raw: object) -> None:
    assert wrong_in(raw) == ["controls"]


def test_unknown_names_are_ignored() -> None:
    assert controls_of({"swing": 2, "density": 0.5}) == Controls(density=0.5)


@pytest.mark.parametrize(
    ("spelled", "key"),
    [("C", "C"), ("Db", "C#"), ("D#", "Eb"), ("Gb", "F#"), ("G#", "Ab"), ("A#", "Bb"), ("Cb", "B")],
)
def test_a_key_has_one_name(spelled: str, key: str) -> None:
    assert controls_of({"key": spelled}) == Controls(key=key)


def test_every_key_has_its_name() -> None:
    assert set(KEY_OF_SPELLING.values()) == set(KEY_NAMES)
    assert all(KEY_OF_SPELLING[name] == name for name in KEY_NAMES)


def test_whole_numbers_have_one_writing() -> None:
    raw = {"density": 1.0, "tension": -0.0, "leapCap": 5.0, "space": 0.25}
    written = json.dumps(controls_to_json(controls_of(raw)))
    assert written == '{"density": 1, "tension": 0, "leapCap": 5, "space": 0.25}'


@given(WISHES)
def test_what_was_written_reads_the_same(raw: dict[str, Any]) -> None:
    controls = controls_of(raw)
    written = json.loads(json.dumps(controls_to_json(controls), allow_nan=False))
    assert written.keys() == raw.keys()
    assert controls_of(written) == controls


@given(WISHES, WISHES, WISHES)
def test_later_wishes_win(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    first, then, last = controls_of(a), controls_of(b), controls_of(c)
    assert first.updated_by(then) == controls_of(a | b)
    assert first.updated_by(then).updated_by(last) == first.updated_by(then.updated_by(last))
    assert first.updated_by(Controls()) == Controls().updated_by(first) == first

"""docs/music.md says what the tables of the composer say."""

from __future__ import annotations

from pathlib import Path

import pytest

from astradio_stream.music.controls import CONTROLS
from astradio_stream.music.v1_1.dialogue import _WAYS
from astradio_stream.music.v1_1.genres import GENRES
from astradio_stream.music.v1_1.palette import GENRE_RULES, LEAD_RULES, RULES, Rule
from astradio_stream.music.v1_1.reading import BODY_NAMES
from astradio_stream.stream.modes import MODE_NAMES

PAGE = (Path(__file__).parent.parent / "docs" / "music.md").read_text()


def row_of(rule: Rule) -> str:
    return f"| {rule.feature} | {rule.dimension} | {rule.weight:+.2f} | {rule.reason} |"


@pytest.mark.parametrize("rules", [RULES, GENRE_RULES, LEAD_RULES], ids=["sky", "genre", "lead"])
def test_every_rule_stands_in_the_page_and_no_other(rules: tuple[Rule, ...]) -> None:
    lines = PAGE.splitlines()
    first = lines.index(row_of(rules[0]))
    assert lines[first : first + len(rules)] == [row_of(rule) for rule in rules]
    assert not lines[first + len(rules)].startswith("|")


def test_the_page_names_every_voice_aspect_genre_mode_and_control() -> None:
    for name in BODY_NAMES:
        assert f"| {name.title()} |" in PAGE
    for kind in _WAYS:
        assert kind in PAGE
    for name in GENRES:
        assert f"| {name} |" in PAGE
    for name in (*MODE_NAMES, *(control.name for control in CONTROLS)):
        assert f"`{name}`" in PAGE

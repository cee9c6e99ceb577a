"""Highlights: few enough to follow, the strongest, and the same however the stream is cut."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.music.note import Note
from astradio_stream.sky.bodies import PLANET_NAMES
from astradio_stream.stream.highlights import PLACE_SAMPLES, highlights_of
from astradio_stream.stream.segment import Rendition
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import SEGMENT_SAMPLES
from tests.pieces import BY_MODE, played
from tests.test_stream_steering import PLAIN

if TYPE_CHECKING:
    from astradio_stream.audio.bank import Bank

NOTES = st.lists(
    st.builds(
        Note,
        onset=st.integers(-SEGMENT_SAMPLES, 3 * SEGMENT_SAMPLES),
        duration=st.integers(1, 96_000),
        voice=st.integers(0, 9),
        instrument=st.sampled_from(["pad", "piano.soft", "drums", "bell"]),
        pitch=st.integers(30, 100),
        velocity=st.floats(0, 1),
        left=st.floats(0, 1),
        right=st.floats(0, 1),
    ),
    max_size=60,
)


@given(NOTES)
def test_each_quarter_second_has_its_strongest_note_and_no_other(notes: list[Note]) -> None:
    told = highlights_of(notes, 0, 2 * SEGMENT_SAMPLES)
    places = [event.index // PLACE_SAMPLES for event in told]
    assert places == sorted(set(places))
    for place, event in zip(places, told, strict=True):
        power = {
            (note.onset, PLANET_NAMES[note.voice]): note.left**2 + note.right**2
            for note in sorted(notes, key=lambda note: note.left**2 + note.right**2)
            if note.onset // PLACE_SAMPLES == place and note.instrument != "drums"
        }
        assert power[event.index, event.bodies[0]] == max(power.values())


@given(NOTES)
def test_neither_order_nor_cuts_change_them(notes: list[Note]) -> None:
    whole = highlights_of(notes, 0, 2 * SEGMENT_SAMPLES)
    again = sorted(notes, key=lambda note: (note.pitch, note.onset))
    halves = [
        event
        for start in (0, SEGMENT_SAMPLES)
        for event in highlights_of(again, start, start + SEGMENT_SAMPLES)
    ]
    assert [event.index for event in whole] == [event.index for event in halves]


@pytest.mark.parametrize("version", ["v1.0", "v1.1"])
def test_a_minute_has_some_in_most_seconds_and_says_who_plays(
    banks: dict[str, Bank], version: str
) -> None:
    programme = replace(PLAIN, model_versions=ModelVersions(audio=version))
    rendition = Rendition(programme, banks[version])
    by_second = [
        [event for event in rendition.segment(k).events if event.kind == "note"] for k in range(60)
    ]
    assert max(map(len, by_second)) <= 4
    assert sum(map(bool, by_second)) >= 45
    told = [event for second in by_second for event in second]
    assert len({event.bodies for event in told}) >= 3
    heard = {note.onset for note in rendition.score.notes(0, 60 * SEGMENT_SAMPLES)}
    for event in told:
        assert event.index in heard
        assert event.text.startswith(event.bodies[0].title())
        assert dict(event.more).keys() == {"pitch", "velocity", "durationSamples", "chart"}


@pytest.mark.parametrize(("mode", "charts"), [("natal", {0}), ("compatibility", {0, 1})])
def test_of_two_charts_it_is_told_whose_body_plays(
    banks: dict[str, Bank], mode: str, charts: set[int]
) -> None:
    """Two people take turns each phrase, from left and right: so it is heard, and so it is told."""
    programme, score = played(BY_MODE[mode])
    notes = score.notes(0, 60 * SEGMENT_SAMPLES)
    assert {note.chart for note in notes} == charts
    rendition = Rendition(programme, banks["v1.1"])
    told = [e for k in range(40) for e in rendition.segment(k).events if e.kind == "note"]
    assert {dict(event.more)["chart"] for event in told} == charts
    if mode == "compatibility":
        theme = [note for note in notes if note.voice == 0]
        sides = [(note.chart == 1) == (note.right > note.left) for note in theme]
        assert np.mean(sides) > 0.9

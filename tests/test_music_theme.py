"""Whose line is judged, and what is measured on the notes of a span."""

from __future__ import annotations

import pytest

from astradio_stream.music.heard import heard_of, line_of
from astradio_stream.music.melody import Grid
from astradio_stream.music.note import Note, placed
from astradio_stream.music.theme import (
    LONGEST_JUDGED,
    SHORTEST_JUDGED,
    gates_of_span,
    notes_begun,
    theme_of,
)
from astradio_stream.units import SAMPLE_RATE_HZ
from tests.pieces import BY_MODE, played

SUN, MOON, VENUS, MARS = 0, 1, 3, 4
GRID = Grid((0, 1000, 2000), (4, 4), (0, 1000, 2000))


def note(onset: int, voice: int, instrument: str = "violin", pitch: int = 70, **more: int) -> Note:
    return placed(
        onset=onset,
        duration=more.get("duration", 100),
        voice=voice,
        instrument=instrument,
        pitch=pitch,
        velocity=1.0,
        gain=1.0 if not more.get("soft") else 0.1,
        pan=0.0,
    )


def test_the_theme_is_the_suns_and_where_it_is_silent_venuss() -> None:
    notes = [note(0, SUN), note(0, VENUS), note(500, MOON), note(1000, VENUS), note(1500, MARS)]
    assert theme_of(notes, GRID) == [notes[0], notes[3]]


def test_a_bell_of_the_sky_is_no_part_of_the_theme() -> None:
    soft, hard = note(0, SUN, "piano.soft"), note(100, SUN, "piano.hard")
    bell = note(200, SUN, "bell", 90)
    assert theme_of([soft, hard, bell], GRID) == [soft, hard]


def test_what_lies_outside_the_phrases_is_left_out() -> None:
    assert theme_of([note(0, SUN), note(2000, SUN)], GRID) == [note(0, SUN)]


@pytest.mark.parametrize("version", ["v1.0", "v1.1"])
def test_notes_begun_are_those_of_any_split(version: str) -> None:
    _, score = played(BY_MODE["transit"], version)
    start, stop = 100 * SAMPLE_RATE_HZ + 7, 260 * SAMPLE_RATE_HZ + 11
    whole = list(notes_begun(score, start, stop))
    middle = 171 * SAMPLE_RATE_HZ + 13
    halves = [*notes_begun(score, start, middle), *notes_begun(score, middle, stop)]
    assert whole == halves
    assert [n for n in score.notes(start, stop) if start <= n.onset < stop] == whole


def test_short_and_long_spans_are_judged_by_one_to_ten_minutes() -> None:
    _, score = played(BY_MODE["natal"])
    at = 30 * SAMPLE_RATE_HZ
    assert gates_of_span(score, at, at + 1) == gates_of_span(score, at, at + SHORTEST_JUDGED)
    long = gates_of_span(score, at, at + LONGEST_JUDGED)
    assert gates_of_span(score, at, at + 2 * LONGEST_JUDGED) == long
    assert long != gates_of_span(score, at, at + SHORTEST_JUDGED)


def test_heard_counts_notes_and_orders_by_loudness() -> None:
    notes = [note(0, MOON, "harp", soft=1), note(0, MARS, "drums"), note(10, MARS, "drums")]
    heard = heard_of(notes, 2 * SAMPLE_RATE_HZ)
    assert heard.notes_per_second == 1.5
    assert [(part.body, part.instrument) for part in heard.parts] == [
        ("mars", "drums"),
        ("moon", "harp"),
    ]
    assert sum(part.power for part in heard.parts) == pytest.approx(1.0)
    assert heard.plays("moon")
    assert not heard.plays("sun")


def test_a_body_is_named_with_what_it_plays_most() -> None:
    notes = [note(0, SUN, "piano.hard"), note(1, SUN, "piano.soft"), note(2, SUN, "epiano.soft")]
    assert heard_of(notes, 480).parts[0].instrument == "piano"
    assert heard_of([], 480).parts == ()


@pytest.mark.parametrize(
    ("pitches", "line"),
    [([60, 64, 67, 72], 1), ([72, 67, 64], -1), ([60, 62, 60, 62, 60], 0), ([], 0), ([60], 0)],
)
def test_a_line_rises_where_it_goes_up_more_often(pitches: list[int], line: int) -> None:
    assert line_of([note(n, MOON, pitch=p) for n, p in enumerate(pitches)]) == line


def test_of_a_chord_the_lowest_note_is_the_line() -> None:
    chords = [note(n, MOON, pitch=p) for n in (0, 1) for p in (60 + n, 90 - 20 * n)]
    assert line_of(chords) == 1

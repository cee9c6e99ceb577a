"""MIDI of any span of any programme: what mido reads back is the score, to the tick."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.music.midi import drum_key_of, key_signature_of
from astradio_stream.music.score import Score
from astradio_stream.sky.bodies import PLANET_NAMES
from astradio_stream.stream.piece import Span, piece_midi
from astradio_stream.units import SAMPLE_RATE_HZ
from tests.pieces import BY_MODE, FileClock, played, programmes, read, sounding

HOUR = 3600
CASES = [
    *(("v1.1", mode, second) for mode in BY_MODE for second in (0, 187, 1000 * HOUR)),
    *(("v1.0", "transit", second) for second in (0, 175, 1000 * HOUR)),
]


def begun(score: Score, span: Span) -> list[tuple[str, int, float, float]]:
    """Return (track, key, onset, end) of the notes that begin in a span, in its seconds."""
    notes = [n for n in score.notes(span.start, span.stop) if span.start <= n.onset < span.stop]
    return sorted(
        (
            PLANET_NAMES[n.voice].title(),
            n.pitch if (key := drum_key_of(n.instrument, n.pitch)) is None else key,
            (n.onset - span.start) / SAMPLE_RATE_HZ,
            (min(n.onset + n.duration, span.stop) - span.start) / SAMPLE_RATE_HZ,
        )
        for n in notes
    )


def assert_is_the_score(score: Score, span: Span, file: mido.MidiFile) -> None:
    """Assert that a file has every note of a span within one tick, and none besides."""
    written = sounding(file)
    tick = max((row[4] for row in written), default=0.0)
    expected = begun(score, span)
    by_key: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for track, key, onset, end, _ in written:
        by_key.setdefault((track, key), []).append((onset, end))
    wanted: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for track, key, onset, end in expected:
        wanted.setdefault((track, key), []).append((onset, end))
    assert set(by_key) == set(wanted)
    for part, spans in wanted.items():
        found = by_key[part]
        for onset, _ in spans:
            assert min(abs(onset - on) for on, _ in found) <= tick
        for on, off in found:
            meant = [(onset, end) for onset, end in spans if abs(onset - on) <= tick]
            assert meant, f"{part} strikes at {on}, which the score does not"
            # It is let go when the score says, or when its key is needed again.
            ends = {end for _, end in meant} | {onset for onset, _ in spans if onset > on}
            assert min(abs(off - end) for end in ends) <= 2 * tick
    doubled = sum(
        after[0] - before[0] <= tick
        for spans in wanted.values()
        for before, after in pairwise(sorted(spans))
    )
    assert len(expected) - doubled <= len(written) <= len(expected)
    assert abs(file.length - (span.stop - span.start) / SAMPLE_RATE_HZ) <= max(tick, 0.002)


@pytest.mark.parametrize(("version", "mode", "second"), CASES)
def test_every_note_is_read_back_within_a_tick(version: str, mode: str, second: int) -> None:
    _, score = played(BY_MODE[mode], version)
    span = Span(second * SAMPLE_RATE_HZ + 77, (second + 40) * SAMPLE_RATE_HZ + 1234)
    assert_is_the_score(score, span, read(piece_midi(score, span)))


@given(
    raw=programmes(),
    start=st.integers(0, 1000 * HOUR * SAMPLE_RATE_HZ),
    n_samples=st.integers(1, 60 * SAMPLE_RATE_HZ),
)
@settings(max_examples=25, deadline=None)
def test_any_span_of_any_programme_is_its_score(
    raw: dict[str, Any], start: int, n_samples: int
) -> None:
    _, score = played(raw)
    span = Span(start, start + n_samples)
    file = read(piece_midi(score, span))
    assert_is_the_score(score, span, file)
    for message in (m for track in file.tracks for m in track):
        if message.type == "key_signature":
            assert message.key in mido.midifiles.meta._key_signature_encode


@pytest.mark.parametrize("mode", BY_MODE)
def test_there_is_one_track_for_each_voice_with_the_name_of_its_body(mode: str) -> None:
    _, score = played(BY_MODE[mode])
    span = Span(0, 120 * SAMPLE_RATE_HZ)
    file = read(piece_midi(score, span))
    voices = sorted({n.voice for n in score.notes(0, span.stop) if n.onset >= 0})
    names = [PLANET_NAMES[voice].title() for voice in voices]
    assert [track.name for track in file.tracks] == ["Astradio Stream", *names]


def test_notes_that_cross_an_edge_are_cut_and_written_once() -> None:
    """Two halves hold together what the whole holds: no note is lost or struck twice."""
    _, score = played(BY_MODE["natal"])
    at, middle, stop = (second * SAMPLE_RATE_HZ for second in (20, 51, 80))
    whole, *halves = (
        sounding(read(piece_midi(score, span)))
        for span in (Span(at, stop), Span(at, middle), Span(middle, stop))
    )
    shifted = [
        (track, key, onset + shift)
        for half, shift in zip(halves, (0.0, (middle - at) / SAMPLE_RATE_HZ), strict=True)
        for track, key, onset, *_ in half
    ]
    assert len(shifted) == len(whole)
    for one, other in zip(sorted(whole), sorted(shifted), strict=True):
        assert one[:2] == other[:2]
        assert one[2] == pytest.approx(other[2], abs=0.003)
    held = [n for n in score.notes(middle, middle + 1) if n.onset < middle < n.onset + n.duration]
    assert held, "nothing crosses the edge: choose another"
    assert max(end for *_, end, _ in halves[0]) == pytest.approx(31.0, abs=0.003)


def test_the_bars_of_the_file_are_the_bars_of_the_music_after_hours() -> None:
    """Every bar line of three hours lies on its tick: whole microseconds per beat do not add up."""
    for raw in (BY_MODE["transit"], BY_MODE["sandbox"] | {"controls": {"tempoNorm": 0.37}}):
        _, score = played(raw)
        marks = score.tempo_map(0, 3 * HOUR * SAMPLE_RATE_HZ)
        assert len(marks) > 50
        clock, ticks = _clock_and_marks(score, Span(0, 3 * HOUR * SAMPLE_RATE_HZ))
        assert len(ticks) == len(marks)
        for mark, tick in zip(marks, ticks, strict=True):
            at_s, per_tick = clock.at(tick)
            assert abs(at_s - mark.index / SAMPLE_RATE_HZ) <= per_tick


class _Marks:
    """A score whose tempo map alone is written."""

    def __init__(self, score: Score) -> None:
        self.tempo_map = score.tempo_map

    def notes(self, _start: int, _stop: int) -> tuple[()]:
        return ()


def _clock_and_marks(score: Score, span: Span) -> tuple[FileClock, list[int]]:
    file = read(piece_midi(_Marks(score), span))
    ticks, tick = [], 0
    for message in file.tracks[0]:
        tick += message.time
        if message.type == "set_tempo":
            ticks.append(tick)
    return FileClock(file), ticks


@pytest.mark.parametrize("mode", BY_MODE)
def test_tempo_metre_and_key_are_those_of_the_map(mode: str) -> None:
    _, score = played(BY_MODE[mode])
    span = Span(10 * SAMPLE_RATE_HZ, 1000 * SAMPLE_RATE_HZ)
    told: dict[str, list[Any]] = {}
    for message in read(piece_midi(_Marks(score), span)).tracks[0]:
        told.setdefault(message.type, []).append(message)
    marks = score.tempo_map(span.start, span.stop)
    assert len(marks) >= 5
    for mark, tempo, key in zip(marks, told["set_tempo"], told["key_signature"], strict=True):
        bpm = float(60 * SAMPLE_RATE_HZ / mark.samples_per_beat)
        assert mido.tempo2bpm(tempo.tempo) == pytest.approx(bpm, rel=2e-6)
        assert key.key == key_signature_of(mark.key, mark.mode)
    assert {m.numerator for m in told["time_signature"]} == {m.beats_per_bar for m in marks}


def test_a_change_of_control_is_a_change_of_tempo_where_it_is_heard() -> None:
    at = 30 * SAMPLE_RATE_HZ + 5
    raw = BY_MODE["natal"] | {
        "controls": {"tempoNorm": 0.1},
        "changes": [{"index": at, "controls": {"tempoNorm": 0.9}}],
    }
    _, score = played(raw)
    clock, ticks = _clock_and_marks(score, Span(0, 60 * SAMPLE_RATE_HZ))
    assert len(ticks) == 2
    at_s, per_tick = clock.at(ticks[1])
    assert abs(at_s - at / SAMPLE_RATE_HZ) <= per_tick

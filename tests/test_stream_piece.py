"""A piece: everything that is told of a span follows from programme and span, and is true."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.errors import ValidationFailed
from astradio_stream.music.gates import GATES, melody_gates
from astradio_stream.music.melody import melody_of
from astradio_stream.music.note import Note
from astradio_stream.music.text import STYLES
from astradio_stream.music.theme import SINGERS, theme_of
from astradio_stream.music.words import WORDS, words_of
from astradio_stream.sky.bodies import BODY_INDEX, PLANET_NAMES
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.piece import Piece, Span, piece_of
from astradio_stream.stream.piece_json import compose_parts, piece_to_json
from astradio_stream.strict_json import dump_json, parse_json
from astradio_stream.units import SAMPLE_RATE_HZ
from tests.pieces import BERLIN, BY_MODE, UNTIMED, played, programmes

ADJECTIVES = {word.adjective for word in WORDS}
SKY_KINDS = {"aspect", "ingress", "lunation", "station", "rising"}
MINUTE = 60 * SAMPLE_RATE_HZ


def piece(raw: dict[str, Any], span: Span, style: str = "concise", version: str = "v1.1") -> Piece:
    return piece_of(*played(raw, version), span, style)


def sentences(told: Piece) -> list[str]:
    short, long, bullets = (block["content"] for block in told.blocks)
    return [short, long, *bullets]


def adjectives_in(told: Piece) -> set[str]:
    return set(re.findall(r"[a-z]+", " ".join(sentences(told)).lower())) & ADJECTIVES


def own_chart(told: Piece) -> object:
    """Return the chart whose placements the adjectives may tell, found without the piece."""
    births = told.programme.births
    if births:
        return births[0].chart()
    return None if told.programme.mode == "sandbox" else told.chart


@given(
    raw=programmes(),
    style=st.sampled_from(STYLES),
    start=st.integers(0, 3600 * 1000 * SAMPLE_RATE_HZ),
    seconds=st.integers(1, 200),
)
@settings(max_examples=40, deadline=None)
def test_whatever_is_played_the_text_is_short_and_true(
    raw: dict[str, Any], style: str, start: int, seconds: int
) -> None:
    told = piece(raw, Span(start, start + seconds * SAMPLE_RATE_HZ), style)
    short, long, *bullets = sentences(told)
    assert 20 <= len(short) <= 120
    assert 40 <= len(long) <= 300
    assert 4 <= len(bullets) <= 6
    assert all(line.endswith(".") for line in (short, long, *bullets))
    if told.gates.calibrated["overall"]:
        allowed = words_of(own_chart(told), told.palette)
        assert adjectives_in(told) <= {word.adjective for word in allowed}
    else:
        assert adjectives_in(told) == set()
        failed = [gate.hint for gate in GATES if not told.gates.calibrated[gate.name]]
        assert bullets[: len(failed)] == failed
    for event, why in told.events:
        assert told.span.start <= event.index < told.span.stop
        assert why.endswith(".")
        assert len(why) <= 240
    parse_json(dump_json(piece_to_json(told, "libopus")), 1 << 20)


@pytest.mark.parametrize("version", ["v1.0", "v1.1"])
def test_a_piece_is_the_same_whatever_was_asked_before(version: str) -> None:
    programme, score = played(BY_MODE["transit"], version)
    span = Span(5 * MINUTE + 1, 6 * MINUTE)
    first = piece_of(programme, score, span)
    piece_of(programme, score, Span(90 * MINUTE, 91 * MINUTE), "poetic")
    again = piece_of(programme, score, span)
    fresh = piece_of(*played(BY_MODE["transit"], version), span)
    as_json = [piece_to_json(told, "libopus") for told in (first, again, fresh)]
    assert as_json[0] == as_json[1] == as_json[2]


def test_other_charts_are_other_texts_and_styles_have_names() -> None:
    span = Span(0, MINUTE)
    first, second = (
        piece(BY_MODE["natal"] | {"charts": [birth]}, span) for birth in (BERLIN, UNTIMED)
    )
    assert first.blocks != second.blocks
    with pytest.raises(ValidationFailed, match="style must be one of concise"):
        piece(BY_MODE["natal"], span, "florid")


@pytest.mark.parametrize("mode", BY_MODE)
def test_the_gates_are_those_of_the_notes(mode: str) -> None:
    programme, score = played(BY_MODE[mode])
    told = piece_of(programme, score, Span(0, 2 * MINUTE))
    grid = score.grid(0, 2 * MINUTE)
    notes = score.notes(0, grid.bar_edges[-1])
    sung = theme_of(notes, grid)
    assert sung
    assert told.gates == melody_gates(melody_of(sung, SINGERS, grid))


@pytest.mark.parametrize("mode", BY_MODE)
def test_who_is_said_to_play_plays_and_who_rests_is_silent(mode: str) -> None:
    programme, score = played(BY_MODE[mode])
    span = Span(0, 45 * SAMPLE_RATE_HZ)
    told = piece_of(programme, score, span)
    begun = [n for n in score.notes(span.start, span.stop) if n.onset >= span.start]
    playing = {PLANET_NAMES[n.voice] for n in begun}
    resting = {
        name
        for name, line in zip(PLANET_NAMES, told.voices or (), strict=bool(told.voices))
        if " rests: " in line
    }
    if told.voices:
        assert resting == set(PLANET_NAMES) - playing
    lines = "\n".join(sentences(told)[2:])
    loudest = re.search(r"^Heard most: (.*); ([\d.]+) notes a second", lines, re.MULTILINE)
    assert loudest is not None
    assert float(loudest[2]) == pytest.approx(len(begun) / 45, rel=0.01)
    assert {named.split(" on ")[0].lower() for named in loudest[1].split(", ")} <= playing


@given(raw=programmes())
@settings(max_examples=25, deadline=None)
def test_the_moons_line_rises_and_falls_as_it_is_said(raw: dict[str, Any]) -> None:
    programme, score = played(raw)
    told = piece_of(programme, score, Span(0, MINUTE), "poetic")
    lowest: dict[int, int] = {}
    for note in score.notes(0, MINUTE):
        if note.voice == BODY_INDEX["moon"] and note.onset >= 0:
            lowest[note.onset] = min(note.pitch, lowest.get(note.onset, 200))
    steps = [b - a for a, b in pairwise(lowest.values())]
    ups, downs = sum(s > 0 for s in steps), sum(s < 0 for s in steps)
    long = sentences(told)[1]
    assert "The Moon's line rises." not in long or ups > downs
    assert "The Moon's line falls." not in long or downs > ups


# Events


def test_a_bell_is_told_where_the_notes_have_it() -> None:
    programme, score = played(BY_MODE["sky"] | {"rate": 3600})
    told = piece_of(programme, score, Span(0, 10 * MINUTE))
    of_sky = [(event, why) for event, why in told.events if event.kind in SKY_KINDS]
    assert len(of_sky) > 20
    assert {event.kind for event, _ in of_sky} >= {"aspect", "ingress", "lunation"}
    for event, why in of_sky:
        voices = [BODY_INDEX[body] for body in event.bodies[:1]] or range(10)
        struck = [
            note
            for note in score.notes(event.index, event.index + 1)
            if note.onset == event.index and note.voice in voices
        ]
        assert struck, f"an event of the sky that is not heard: {event}"
        assert "You hear it on the bell, in " in why


def test_a_rising_sign_is_told_with_the_voice_that_rings() -> None:
    told = piece(BY_MODE["transit"] | {"rate": 30}, Span(0, 10 * MINUTE))
    rising = [(event, why) for event, why in told.events if event.kind == "rising"]
    for event, why in rising:
        assert event.text.split()[0] in why
        assert "You hear it on the bell, in " in why
    assert len(rising) >= 2


@pytest.mark.parametrize(
    ("mode", "source"),
    {
        "transit": "the sky",
        "sky": "the sky",
        "natal": "the birth",
        "overlay": "the birth and the sky",
        "compatibility": "both births",
        "sandbox": "the controls",
    }.items(),
)
def test_a_movement_says_what_it_was_read_from(mode: str, source: str) -> None:
    told = piece(BY_MODE[mode], Span(0, MINUTE))
    first = [why for event, why in told.events if event.kind == "key"]
    assert first
    assert first[0].endswith(f" read from {source}.")


# JSON

COMPOSED = {"programmeId", "programme", "chart", "palette", "text", "gates", "provenance"}
ADDED = {"from", "to", "durationS", "births", "voices", "events", "tempoMap"}


@pytest.mark.parametrize("mode", BY_MODE)
def test_the_json_has_the_parts_of_compose_in_its_shapes(mode: str) -> None:
    told = piece(BY_MODE[mode], Span(MINUTE, 3 * MINUTE))
    found = piece_to_json(told, "libopus 1.5")
    assert set(found) == COMPOSED | ADDED
    assert {name: found[name] for name in COMPOSED} == compose_parts(told, "libopus 1.5")
    assert (found["from"], found["to"], found["durationS"]) == (MINUTE, 3 * MINUTE, 120.0)
    assert re.fullmatch("[0-9a-f]{64}", found["programmeId"])
    assert found["programme"] == told.programme.to_json()
    assert [block["type"] for block in found["text"]["blocks"]] == ["short", "long", "bullets"]
    assert re.fullmatch("sha256:[0-9a-f]{64}", found["text"]["digest"])
    assert set(found["gates"]) == {"scores", "calibrated", "strict", "hints"}
    assert set(found["gates"]["calibrated"]) == {*(gate.name for gate in GATES), "overall"}
    assert {"key", "mode", "tempoBpm", "metre", "genre"} <= set(found["palette"])
    assert set(found["provenance"]) == {
        "chartHash",
        "seed",
        "featuresVersion",
        "houseSystem",
        "tzDiscipline",
        "codec",
        "modelVersions",
    }
    assert found["provenance"]["chartHash"] == found["chart"]["chartHash"]
    assert found["provenance"]["codec"] == "libopus 1.5"
    assert len(found["births"]) == len(told.programme.births)
    for event in found["events"]:
        assert set(event) == {"index", "kind", "text", "bodies", "why"}
    assert found["events"]
    assert len(found["voices"]) == (0 if mode == "sandbox" else 10)


def test_the_tempo_map_is_exact_and_covers_the_piece() -> None:
    told = piece(BY_MODE["transit"], Span(MINUTE, 10 * MINUTE))
    marks = piece_to_json(told, "")["tempoMap"]
    assert len(marks) >= 3
    assert marks[0]["index"] <= MINUTE
    for mark, after in pairwise(marks):
        above, below = mark["samplesPerBeat"]
        bar = above * mark["beatsPerBar"] / below
        n_bars = (after["index"] - mark["index"]) / bar
        assert n_bars == pytest.approx(round(n_bars), abs=1e-6)
        assert mark["tempoBpm"] == pytest.approx(60 * SAMPLE_RATE_HZ * below / above, abs=1e-4)


@pytest.mark.parametrize(
    ("mode", "moment", "time_known"),
    [
        ("transit", "2026-11-23T22:02:00Z", True),
        ("overlay", "2026-11-24T18:00:00Z", True),
        ("natal", "1990-05-04T10:30:00Z", True),
        ("compatibility", "1990-05-04T10:30:00Z", True),
    ],
)
def test_the_chart_is_the_sky_at_the_beginning_or_the_birth(
    mode: str, moment: str, time_known: bool
) -> None:
    found = piece_to_json(piece(BY_MODE[mode], Span(2 * MINUTE, 3 * MINUTE)), "")
    assert found["chart"]["moment"]["utc"] == moment
    assert found["chart"]["moment"]["timeKnown"] is time_known


def test_a_birth_without_a_time_has_no_houses() -> None:
    raw = {"mode": "natal", "charts": [UNTIMED]}
    found = piece_to_json(piece(raw, Span(0, MINUTE)), "")
    assert found["chart"]["moment"]["timeKnown"] is False
    assert found["chart"]["angles"] is None
    assert found["provenance"]["houseSystem"] is None
    assert found["births"] == [found["chart"]]


def test_wishes_are_those_that_hold_at_the_beginning() -> None:
    raw = {
        "mode": "natal",
        "charts": [BERLIN],
        "changes": [{"index": MINUTE, "controls": {"key": "F#", "genre": "house"}}],
    }
    before = sentences(piece(raw, Span(0, MINUTE)))
    after = sentences(piece(raw, Span(MINUTE, 2 * MINUTE)))
    assert not any("ished" in line for line in before)
    assert "Wished: key, genre." in after
    assert any(line.startswith("Key: F# ") and line.endswith(", as wished.") for line in after)


# The sound


@pytest.mark.parametrize("version", AUDIO_MODELS)
def test_every_note_is_asked_for_as_long_as_it_rings(version: str) -> None:
    """What rings on after a note's end is heard whole, wherever a span begins.

    Else a cymbal would break off where a segment begins, a little differently for each cut.
    """
    instruments = {one.name: one for one in AUDIO_MODELS[version].instruments}

    def end_of(note: Note) -> float:
        played_on = instruments[note.instrument]
        ring = round(played_on.release_s * SAMPLE_RATE_HZ)
        if played_on.loop_s:
            return note.onset + note.duration + ring
        length = played_on.length_samples(note.pitch) << played_on.half_rate
        return note.onset + min(note.duration + ring, length)

    for mode in ("transit", "natal") if version == "v1.1" else ("transit",):
        _, score = played(BY_MODE[mode], version)
        whole = score.notes(0, 90 * SAMPLE_RATE_HZ)
        assert whole
        for second in range(0, 90, 7):
            at = second * SAMPLE_RATE_HZ
            ringing = {note for note in whole if note.onset < at + 1 and end_of(note) > at}
            assert ringing <= set(score.notes(at, at + 1)), second

"""Words about a score: short, true, traceable, and silent where nothing deserves praise."""

from __future__ import annotations

import re
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.errors import ValidationFailed
from astradio_stream.music.gates import GATES, Gates
from astradio_stream.music.score import Event
from astradio_stream.music.text import STYLES, Block, digest_of, text_of, voice_sentences, why_of
from astradio_stream.music.theory import KEY_NAMES, MODES
from astradio_stream.music.words import ROLES, WORDS, words_of
from astradio_stream.sky.almanac import events_between
from astradio_stream.sky.aspects import ASPECT_KINDS
from astradio_stream.sky.chart import chart_at
from astradio_stream.sky.moment import Moment, parse_moment
from astradio_stream.sky.values import Chart, Place

PASSING = Gates({gate.name: gate.strict for gate in GATES})
FAILING = Gates({gate.name: 0.1 for gate in GATES})
PALETTE = {
    "key": "C",
    "mode": "dorian",
    "tempoBpm": 64.3333,
    "metre": "4/4",
    "density": 0.7,
    "tension": 0.31,
    "brightness": 0.72,
    "space": 0.5,
}
ADJECTIVES = {word.adjective for word in WORDS}
MARKETING = re.compile(
    r"[!]|\b(magic|mystic|cosmic|destiny|soul|energy|journey|universe)", re.IGNORECASE
)


@lru_cache(maxsize=64)
def chart(day: int = 20_000, *, placed: bool = True) -> Chart:
    return chart_at(Moment(day * 86_400_000_000), Place(51.5, 0.0) if placed else None)


def lines(blocks: list[Block]) -> list[str]:
    """Return every sentence of a text."""
    short, long, bullets = (block["content"] for block in blocks)
    assert isinstance(short, str)
    assert isinstance(long, str)
    assert isinstance(bullets, list)
    return [short, long, *bullets]


def adjectives_in(blocks: list[Block]) -> set[str]:
    told = set(re.findall(r"[a-z]+", " ".join(lines(blocks)).lower()))
    return told & ADJECTIVES


def assert_shape(blocks: list[Block]) -> None:
    assert [block["type"] for block in blocks] == ["short", "long", "bullets"]
    short, long, *bullets = lines(blocks)
    assert 20 <= len(short) <= 120
    assert 40 <= len(long) <= 300
    assert 4 <= len(bullets) <= 6
    for line in (short, long, *bullets):
        assert line.endswith(".")
        assert line[0].isupper() or line[0].isdigit()
        assert "  " not in line
        assert not MARKETING.search(line)


shares = st.floats(0.0, 1.0)
palettes = st.fixed_dictionaries(
    {
        "key": st.sampled_from(KEY_NAMES),
        "mode": st.sampled_from(list(MODES)),
        "tempoBpm": st.floats(40.0, 180.0),
        "metre": st.sampled_from(["3/4", "4/4"]),
        "density": shares,
        "tension": shares,
        "brightness": shares,
        "space": shares,
    },
    optional={"genre": st.sampled_from(["ambient", "electronic"])},
)


@given(
    days=st.lists(st.integers(-20_000, 30_000), min_size=1, max_size=2),
    palette=palettes,
    style=st.sampled_from(STYLES),
    passes=st.booleans(),
    placed=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_texts_keep_their_lengths_and_every_adjective_has_its_reason(
    days: list[int], palette: dict[str, object], style: str, passes: bool, placed: bool
) -> None:
    charts = [chart(day, placed=placed) for day in days]
    blocks = text_of(charts, palette, PASSING if passes else FAILING, style)
    assert_shape(blocks)
    allowed = {word.adjective for word in words_of(charts[0], palette)} if passes else set()
    assert adjectives_in(blocks) <= allowed


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_one_failed_gate_is_enough_to_praise_nothing(style: str, gate: object) -> None:
    scores = {row.name: row.strict for row in GATES}
    gates = Gates({**scores, gate.name: gate.calibrated - 0.001})
    blocks = text_of([chart()], PALETTE, gates, style)
    assert_shape(blocks)
    assert adjectives_in(blocks) == set()
    assert lines(blocks)[2] == gate.hint
    assert gate.name in lines(blocks)[1]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.adjective)
def test_each_word_is_used_inside_its_range_only(word: object) -> None:
    if "." in word.source:
        return
    inside = {**PALETTE, word.source: word.lowest}
    assert word in words_of(None, inside)
    assert word not in words_of(None, {**PALETTE, word.source: word.below})
    assert word not in words_of(None, {**PALETTE, word.source: word.lowest - 1e-6})


def test_a_wish_for_a_key_is_not_laid_at_the_suns_door() -> None:
    sun = chart().body("sun").sign
    bullets = [lines(text_of([chart()], {**PALETTE, "key": key}, PASSING))[2] for key in KEY_NAMES]
    credited = [bullet for bullet in bullets if "fifths" in bullet]
    assert len(credited) == 1
    assert all(sun.title() in bullet for bullet in bullets)


def test_styles_differ_and_unknown_ones_are_refused() -> None:
    texts = [str(text_of([chart()], PALETTE, PASSING, style)[:2]) for style in STYLES]
    assert len(set(texts)) == 3
    with pytest.raises(ValidationFailed, match="concise, poetic, technical"):
        text_of([chart()], PALETTE, PASSING, "florid")


def test_the_digest_is_that_of_the_canonical_json() -> None:
    blocks = text_of([chart()], PALETTE, PASSING)
    again = [dict(reversed(list(block.items()))) for block in blocks]
    assert digest_of(again) == digest_of(blocks)
    assert re.fullmatch("[0-9a-f]{64}", digest_of(blocks))
    other = text_of([chart()], {**PALETTE, "tempoBpm": 65.0}, PASSING)
    assert digest_of(other) != digest_of(blocks)
    # SHA-256 of {"content":"a","type":"short"} in a list, by sha256sum.
    assert (
        digest_of([{"type": "short", "content": "a"}])
        == "fe5dc138cd139f95b5a4f0e367c18039daabd8d58c440e585a81a8936c8f8bce"
    )


def test_two_charts_are_both_told() -> None:
    first, second = chart(9_000), chart(12_345)
    told = " ".join(lines(text_of([first, second], PALETTE, PASSING)))
    assert "Between the charts" in told
    assert f"Sun in {second.body('sun').sign.title()}" in told


# Voices and events


def test_voices_say_who_plays_and_where_it_stands() -> None:
    sentences = voice_sentences(chart_at(parse_moment("2025-05-02T12:00:00Z")))
    assert len(sentences) == 10
    assert sentences[1] == "The Moon carries the moving line: waxing, in Cancer, in domicile."
    assert sentences[3] == "Venus adds thirds and sixths: in Aries, in detriment."
    assert sentences[7].startswith("Uranus strikes off the beat: in Taurus")


def test_voices_that_do_not_play_are_not_told() -> None:
    only = voice_sentences(chart(), {"venus": "plays the theme"})
    assert len(only) == 1
    assert only[0].startswith("Venus plays the theme: ")


@pytest.mark.parametrize("kind", ASPECT_KINDS, ids=lambda kind: kind.name)
def test_an_exact_aspect_is_told_by_arc_and_nature(kind: object) -> None:
    event = Event(0, "aspect", f"Venus {kind.name} Mars, exact", ("venus", "mars"))
    why = why_of(event)
    assert why.startswith(f"Venus and Mars stand {kind.angle_deg:g}° apart, a")
    assert f" {kind.name}. " in why
    assert kind.nature == "neutral" or kind.nature in why


def test_a_year_of_the_sky_can_be_told() -> None:
    start = parse_moment("2025-01-01T00:00:00Z")
    kinds = set()
    for event in events_between(start, parse_moment("2026-01-01T00:00:00Z")):
        why = why_of(event)
        kinds.add(event.kind)
        assert why.endswith(".")
        assert len(why) <= 160
        assert why != event.text + "."
        assert not MARKETING.search(why)
    assert kinds == {"aspect", "ingress", "lunation", "station"}


@pytest.mark.parametrize(
    ("kind", "text", "bodies", "says"),
    [
        ("section", "Section 2: its answer", (), "form"),
        ("key", "A new movement in C dorian", ("sun",), "The Sun leads"),
        ("ingress", "Moon enters Taurus", ("moon",), "an earth sign, fixed"),
        ("station", "Mercury turns direct", ("mercury",), "east"),
        ("lunation", "Full moon in Leo", ("sun", "moon"), "opposite the Sun"),
        ("something", "A bell", (), "A bell."),
        ("aspect", "Nobody knows", (), "Nobody knows."),
        ("ingress", "Moon enters the room", ("moon",), "Moon enters the room."),
    ],
)
def test_each_kind_of_event_has_its_reason(
    kind: str, text: str, bodies: tuple[str, ...], says: str
) -> None:
    assert says in why_of(Event(0, kind, text, bodies))


def test_every_planet_has_a_role() -> None:
    assert list(ROLES) == [body.name for body in chart().bodies[:10]]

"""Words about a score: short, true, traceable, and silent where nothing deserves praise."""

from __future__ import annotations

import dataclasses
import re
from functools import lru_cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.errors import ValidationFailed
from astradio_stream.music.controls import CONTROLS, GENRES
from astradio_stream.music.facts import Subject, exactness
from astradio_stream.music.gates import GATES, Gates
from astradio_stream.music.heard import Heard, Part
from astradio_stream.music.text import STYLES, Block, digest_of, text_of, voice_sentences
from astradio_stream.music.theory import KEY_NAMES, MODES
from astradio_stream.music.words import GENRE_NOUNS, ROLES, WORDS, instrument_word, words_of
from astradio_stream.sky.aspects import ASPECT_KINDS
from astradio_stream.sky.bodies import PLANET_NAMES
from astradio_stream.sky.chart import chart_at
from astradio_stream.sky.moment import Moment, parse_moment
from astradio_stream.sky.values import Chart, Place
from astradio_stream.sky.zodiac import SIGNS
from astradio_stream.stream.models import AUDIO_MODELS

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
NAMES = ((), ("sky",), ("birth", "sky"))
INSTRUMENTS = sorted({i.name for model in AUDIO_MODELS.values() for i in model.instruments})


@lru_cache(maxsize=64)
def chart(day: int = 20_000, *, placed: bool = True) -> Chart:
    return chart_at(Moment(day * 86_400_000_000), Place(51.5, 0.0) if placed else None)


def subject(*charts: Chart, **changes: object) -> Subject:
    given: dict[str, object] = {"palette": PALETTE, "names": NAMES[len(charts)], **changes}
    return Subject(charts=charts, **given)


def lines(blocks: list[Block]) -> list[str]:
    """Return every sentence of a text."""
    short, long, bullets = (block["content"] for block in blocks)
    assert isinstance(short, str)
    assert isinstance(long, str)
    assert isinstance(bullets, list)
    return [short, long, *bullets]


def words_in(blocks: list[Block]) -> set[str]:
    return set(re.findall(r"[a-z]+", " ".join(lines(blocks)).lower()))


def adjectives_in(blocks: list[Block]) -> set[str]:
    return words_in(blocks) & ADJECTIVES


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


# Every word has its reason

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
    optional={"genre": st.sampled_from(GENRES), "syncopation": shares, "arcShape": shares},
)
parts = st.builds(
    Part, st.sampled_from(PLANET_NAMES), st.sampled_from(INSTRUMENTS).map(instrument_word), shares
)
subjects = st.builds(
    lambda palette, days, placed, moving, wished, heard: Subject(
        palette=palette,
        charts=tuple(chart(day, placed=placed) for day in days),
        names=NAMES[len(days)],
        is_moving=moving,
        wished=tuple(sorted(wished)),
        heard=heard,
    ),
    palettes,
    st.lists(st.integers(-20_000, 30_000), max_size=2),
    st.booleans(),
    st.booleans(),
    st.sets(st.sampled_from([row.name for row in CONTROLS])),
    st.none()
    | st.builds(
        Heard,
        st.floats(0.0, 60.0),
        st.lists(parts, max_size=10).map(tuple),
        st.sampled_from([-1, 0, 1]),
    ),
)


@given(about=subjects, style=st.sampled_from(STYLES), passes=st.booleans())
@settings(max_examples=250, deadline=None)
def test_texts_keep_their_lengths_and_every_adjective_has_its_reason(
    about: Subject, style: str, passes: bool
) -> None:
    blocks = text_of(about, PASSING if passes else FAILING, style)
    assert_shape(blocks)
    allowed = {word.adjective for word in words_of(about.chart, about.palette)} if passes else set()
    assert adjectives_in(blocks) <= allowed
    assert words_in(blocks) <= vocabulary()
    assert text_of(about, PASSING if passes else FAILING, style) == blocks


@lru_cache(maxsize=1)
def vocabulary() -> set[str]:
    """Return every word that a text may use: the tables' words, and no adjective beside them.

    What is left is listed here, so that a new word is somebody's decision. Of these only `waxing`,
    `waning`, `retrograde`, `exalted`, `dominant`, `largest`, `strongest`, `first`, `second`, `most`
    say how something is, and each is a placement or a count.
    """
    tables = [
        *ADJECTIVES,
        *GENRE_NOUNS.values(),
        *ROLES.values(),
        *(gate.hint for gate in GATES),
        *(gate.name for gate in GATES),
        *(kind.name for kind in ASPECT_KINDS),
        *(f"{sign.name} {sign.element} {sign.modality}" for sign in SIGNS),
        *PLANET_NAMES,
        *MODES,
        *KEY_NAMES,
        *(re.sub("([A-Z])", r" \1 \g<0>", row.name) for row in CONTROLS),
        *(row.name for row in CONTROLS),
        *map(instrument_word, INSTRUMENTS),
    ]
    listed = """
        a ago all alone and aries as aspect beats between birth body both by character controls days
        detriment domicile dominant elements exact exalted fall falls fifths first from
        gates h has heard hints in is key largest leads line meets melody min minute misses moon
        most music no nothing notes of on orb per planets read rests retrograde rises s say second
        share sky stand stands strongest sun suns swell tempo tension the them to under wanes
        waning waxes waxing why wished with words
    """
    return set(re.findall(r"[a-z]+", " ".join([listed, *tables]).lower()))


def test_the_list_of_words_would_notice_praise() -> None:
    assert not vocabulary() & {"beautiful", "gentle", "deep", "warm", "lovely", "great", "quick"}


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.adjective)
def test_each_word_is_used_inside_its_range_only(word: object) -> None:
    def allowed(figure: float) -> bool:
        table, _, name = word.source.partition(".")
        if not name:
            return word in words_of(None, {**PALETTE, table: figure})
        assert word not in words_of(None, PALETTE), "without a sky there is no placement"
        shares = {**getattr(chart(), table), name: figure}
        return word in words_of(dataclasses.replace(chart(), **{table: shares}), PALETTE)

    assert allowed(word.lowest)
    assert not allowed(word.below)
    assert not allowed(word.lowest - 1e-6)


def test_no_figure_has_two_words() -> None:
    by_source: dict[str, list[tuple[float, float]]] = {}
    for word in WORDS:
        by_source.setdefault(word.source, []).append((word.lowest, word.below))
    for ranges in by_source.values():
        assert all(below <= lowest for (_, below), (lowest, _) in pairwise(sorted(ranges)))
    assert len(ADJECTIVES) == len(WORDS)


def test_the_character_gives_the_figure_of_every_word() -> None:
    fiery = dataclasses.replace(
        chart(), elements={"fire": 0.52, "earth": 0.2, "air": 0.2, "water": 0.08}
    )
    palette = {**PALETTE, "genre": "jazz", "syncopation": 0.8}
    blocks = text_of(subject(fiery, palette=palette), PASSING)
    told = lines(blocks)[-1]
    assert told.startswith("Character: slow (tempo 64.3), bright (brightness 0.72), calm (")
    assert "syncopated (syncopation 0.8), fiery (fire 52%)" in told
    assert adjectives_in(blocks) == {word.adjective for word in words_of(fiery, palette)}


@pytest.mark.parametrize("genre", GENRES)
def test_the_music_is_called_by_its_genre(genre: str) -> None:
    short = lines(text_of(subject(chart(), palette={**PALETTE, "genre": genre}), PASSING))[0]
    assert f"Slow, bright and calm {GENRE_NOUNS[genre]} in C dorian" in short
    assert not any(noun in short for name, noun in GENRE_NOUNS.items() if name != genre)


# Fail closed


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
@pytest.mark.parametrize("n_charts", [0, 1, 2])
def test_one_failed_gate_is_enough_to_praise_nothing(
    style: str, gate: object, n_charts: int
) -> None:
    scores = {row.name: row.strict for row in GATES}
    gates = Gates({**scores, gate.name: gate.calibrated - 0.001})
    about = subject(*(chart(9_000 + 1_000 * n) for n in range(n_charts)))
    blocks = text_of(about, gates, style)
    assert_shape(blocks)
    assert adjectives_in(blocks) == set()
    assert lines(blocks)[2] == gate.hint
    assert gate.name in lines(blocks)[1]


def test_all_four_failures_give_all_four_hints() -> None:
    bullets = lines(text_of(subject(chart()), FAILING))[2:]
    assert bullets[:4] == [gate.hint for gate in GATES]
    assert len(bullets) == 6


# Facts


def test_a_key_is_laid_at_the_suns_door_only_where_the_rule_gave_it() -> None:
    sun = chart().body("sun").sign
    bullets = [
        lines(text_of(subject(chart(), palette={**PALETTE, "key": key}), PASSING))[2]
        for key in KEY_NAMES
    ]
    assert sum("fifths" in bullet for bullet in bullets) == 1
    assert all(sun.title() in bullet for bullet in bullets)


@pytest.mark.parametrize("key", KEY_NAMES)
def test_a_wish_for_a_key_is_told_as_one_even_where_the_sun_would_agree(key: str) -> None:
    about = subject(chart(), palette={**PALETTE, "key": key}, wished=("key",))
    bullets = lines(text_of(about, PASSING))[2:]
    assert bullets[0] == f"Key: {key} dorian, as wished."
    assert "Wished: key." in bullets


def test_styles_differ_and_unknown_ones_are_refused() -> None:
    texts = [str(text_of(subject(chart()), PASSING, style)[:2]) for style in STYLES]
    assert len(set(texts)) == 3
    with pytest.raises(ValidationFailed, match="concise, poetic, technical"):
        text_of(subject(chart()), PASSING, "florid")


def test_the_digest_is_that_of_the_canonical_json() -> None:
    blocks = text_of(subject(chart()), PASSING)
    again = [dict(reversed(list(block.items()))) for block in blocks]
    assert digest_of(again) == digest_of(blocks)
    assert re.fullmatch("[0-9a-f]{64}", digest_of(blocks))
    other = text_of(subject(chart(), palette={**PALETTE, "tempoBpm": 65.0}), PASSING)
    assert digest_of(other) != digest_of(blocks)
    # SHA-256 of {"content":"a","type":"short"} in a list, by sha256sum.
    assert (
        digest_of([{"type": "short", "content": "a"}])
        == "fe5dc138cd139f95b5a4f0e367c18039daabd8d58c440e585a81a8936c8f8bce"
    )


def test_two_charts_are_both_told() -> None:
    first, second = chart(9_000), chart(12_345)
    for style in STYLES:
        told = " ".join(lines(text_of(subject(first, second), PASSING, style)))
        assert re.search(r"Strongest between them: \w+ of the birth \w+ \w+ of the sky, orb", told)
        assert f"The birth: Sun in {first.body('sun').sign.title()}, Moon" in told
        assert f"The sky: Sun in {second.body('sun').sign.title()}, Moon" in told


@pytest.mark.parametrize("style", STYLES)
def test_without_a_sky_no_body_is_placed(style: str) -> None:
    about = subject(wished=("density", "key"))
    text = " ".join(lines(text_of(about, PASSING, style)))
    assert "No sky is read. Wished: density, key." in text
    assert not re.search(r"\b(Sun|Moon|Venus)\b", text)
    assert not any(sign.name.title() in text for sign in SIGNS)
    assert "Nothing is wished." in " ".join(lines(text_of(subject(), PASSING, style)))


def test_only_a_moving_sky_says_when_an_aspect_is_exact() -> None:
    still = " ".join(lines(text_of(subject(chart()), PASSING)))
    assert "Strongest aspect: " in still
    assert "exact" not in still
    assert ", exact " in " ".join(lines(text_of(subject(chart(), is_moving=True), PASSING)))


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (None, ""),
        (0.0, ", exact in 0 min"),
        (2.1666, ", exact in 2 h 10 min"),
        (-0.5, ", exact 30 min ago"),
        (72.0, ", exact in 3 days"),
        (-719.0, ", exact 30 days ago"),
        (721.0, ""),
    ],
)
def test_exactness_is_told_in_hours_then_in_days(hours: float | None, said: str) -> None:
    assert exactness(hours) == said


# Who is heard


def test_the_line_is_said_to_rise_only_where_it_was_heard_rising() -> None:
    for line, said in ((1, "The Moon's line rises."), (-1, "The Moon's line falls."), (0, None)):
        heard = Heard(5.0, (Part("moon", "harp", 1.0),), line)
        told = lines(text_of(subject(chart(), heard=heard), PASSING, "poetic"))[1]
        assert (said is None) == ("line" not in told)
        assert said is None or said in told
        assert "The Sun leads" not in told


def test_the_loudest_are_named_with_what_they_play() -> None:
    heard = Heard(7.25, tuple(Part(b, "harp", 0.2) for b in ("mars", "sun", "moon", "pluto")), 0)
    bullets = lines(text_of(subject(chart(), heard=heard), PASSING))[2:]
    assert "Heard most: Mars on harp, Sun on harp, Moon on harp; 7.25 notes a second." in bullets


def test_voices_say_who_plays_and_where_it_stands() -> None:
    sentences = voice_sentences(chart_at(parse_moment("2025-05-02T12:00:00Z")))
    assert len(sentences) == 10
    assert sentences[1] == "The Moon moves the chord: waxing, in Cancer, in domicile."
    assert sentences[3] == "Venus adds thirds and sixths: in Aries, in detriment."
    assert sentences[7].startswith("Uranus strikes off the beat: in Taurus")


def test_voices_that_do_not_play_rest() -> None:
    heard = Heard(1.0, (Part("venus", "harp", 1.0),), 0)
    sentences = voice_sentences(chart(), heard)
    assert sentences[3].startswith("Venus adds thirds and sixths: ")
    assert sum(" rests: " in sentence for sentence in sentences) == 9


def test_voices_without_a_role_are_not_told() -> None:
    only = voice_sentences(chart(), roles={"venus": "plays the theme"})
    assert len(only) == 1
    assert only[0].startswith("Venus plays the theme: ")


def test_every_planet_has_a_role() -> None:
    assert tuple(ROLES) == PLANET_NAMES

"""Model v1.1: rules with direction, forms with random access, voice leading with a conscience."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.audio.v1_1.instruments import INSTRUMENTS
from astradio_stream.music.controls import Controls
from astradio_stream.music.note import Note
from astradio_stream.music.theory import KEY_NAMES, MODES
from astradio_stream.music.v1_1.form import phrase_of
from astradio_stream.music.v1_1.genres import GENRES
from astradio_stream.music.v1_1.harmony import _is_parallel
from astradio_stream.music.v1_1.melody import melodies_of
from astradio_stream.music.v1_1.palette import (
    GENRE_RULES,
    RULES,
    features_of,
    genre_of,
    palette_of,
)
from astradio_stream.music.v1_1.reading import NEUTRAL, Reading, Skies, reading_of
from astradio_stream.music.v1_1.score import Happening, ScoreV11
from astradio_stream.music.v1_1.timeline import MOVEMENT_SAMPLES, Timeline
from astradio_stream.sky.chart import Place, chart_at
from astradio_stream.sky.moment import parse_moment
from astradio_stream.units import SAMPLE_RATE_HZ

GENRE_NAMES = tuple(GENRES)


@cache
def reading_at(text: str) -> Reading:
    return reading_of(chart_at(parse_moment(text), Place(51.5, 0.0)))


def random_reading(number: int) -> Reading:
    chance = random.Random(number)
    day, hour = chance.randint(1, 28), chance.randint(0, 23)
    return reading_at(
        f"{chance.randint(1900, 2050)}-{chance.randint(1, 12):02d}-{day:02d}T{hour:02d}:00Z"
    )


def score_of(reading: Reading, seed: int = 1, controls: Controls | None = None) -> ScoreV11:
    wishes = controls or Controls()
    return ScoreV11(seed, lambda _index: Skies(reading, None, reading), lambda _index: wishes)


def movement_notes(score: ScoreV11, number: int = 0) -> list[Note]:
    start = number * MOVEMENT_SAMPLES
    return [n for n in score.notes(start, start + MOVEMENT_SAMPLES) if n.onset >= start]


@given(number=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_every_sky_has_a_palette(number: int) -> None:
    palette = palette_of(random_reading(number), Controls())
    assert palette.mode in MODES
    assert palette.genre in GENRES
    for name in ("tempo", "density", "brightness", "tension", "syncopation", "space", "drums"):
        assert 0.0 <= getattr(palette, name) <= 1.0


def test_every_rule_has_a_reason_and_is_reachable() -> None:
    for rule in (*RULES, *GENRE_RULES):
        assert rule.reason
        assert rule.weight
        assert rule.feature in features_of(NEUTRAL)
    assert {rule.dimension for rule in GENRE_RULES} == set(GENRES)
    reached = {genre_of(random_reading(number)) for number in range(60)}
    assert reached == set(GENRES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.feature}-{rule.dimension}")
def test_each_rule_moves_the_music_its_way(rule: object) -> None:
    """More of the feature, all else alike, moves the dimension in the direction of its weight."""
    low, high = _with_feature(rule.feature, 0.0), _with_feature(rule.feature, 1.0)  # type: ignore[attr-defined]
    name = rule.dimension  # type: ignore[attr-defined]
    moved = getattr(palette_of(high, Controls()), name) - getattr(palette_of(low, Controls()), name)
    assert moved * rule.weight > 0  # type: ignore[attr-defined]


def _with_feature(feature: str, amount: float) -> Reading:
    bodies = (
        "sun",
        "moon",
        "mercury",
        "venus",
        "mars",
        "jupiter",
        "saturn",
        "uranus",
        "neptune",
        "pluto",
    )
    if feature == "fullness":
        return dataclasses.replace(NEUTRAL, phase=0.5 * amount)
    if feature in bodies:
        changed = list(NEUTRAL.bodies)
        place = bodies.index(feature)
        changed[place] = dataclasses.replace(changed[place], share=0.02 + 0.25 * amount)
        return dataclasses.replace(NEUTRAL, bodies=tuple(changed))
    middle = getattr(NEUTRAL, feature)
    return dataclasses.replace(NEUTRAL, **{feature: middle + (amount - 0.5) * 0.3})


def test_the_sun_sets_the_key() -> None:
    for sign in range(12):
        bodies = (dataclasses.replace(NEUTRAL.bodies[0], sign=sign), *NEUTRAL.bodies[1:])
        palette = palette_of(dataclasses.replace(NEUTRAL, bodies=bodies), Controls())
        assert palette.key == 7 * sign % 12


def test_retrograde_and_the_moon_turn_the_line() -> None:
    direct = score_of(NEUTRAL)
    waning = score_of(dataclasses.replace(NEUTRAL, phase=0.75))
    assert [n.pitch for n in movement_notes(direct) if n.voice == 1] != [
        n.pitch for n in movement_notes(waning) if n.voice == 1
    ]


# Random access


def test_spans_agree_wherever_they_are_cut() -> None:
    whole = score_of(reading_at("1984-06-13T05:00Z")).notes(0, 100 * SAMPLE_RATE_HZ)
    jumping = score_of(reading_at("1984-06-13T05:00Z"))
    found: set[Note] = set()
    for k in random.Random(3).sample(range(100), 100):
        found |= set(jumping.notes(k * SAMPLE_RATE_HZ, (k + 1) * SAMPLE_RATE_HZ))
    assert found == set(whole)


def test_the_far_end_is_composed_like_the_beginning() -> None:
    score = score_of(NEUTRAL)
    assert score.notes(2**53 - 10**6, 2**53 - 1)


@given(
    changes=st.lists(st.integers(1, 40 * MOVEMENT_SAMPLES), max_size=6, unique=True).map(sorted),
    bars=st.lists(st.sampled_from([40, 64, 96, 100]), min_size=7, max_size=7),
    index=st.integers(0, 50 * MOVEMENT_SAMPLES),
)
@settings(max_examples=200, deadline=None)
def test_bars_partition_the_stream_whatever_changes(
    changes: list[int], bars: list[int], index: int
) -> None:
    timeline = Timeline(tuple(changes), lambda era, _movement, _base: bars[era])
    stretch = timeline.at(index)
    number = stretch.bar_at(index)
    assert stretch.base <= index < stretch.stop
    assert stretch.bar_start(number) <= index < stretch.bar_start(number + 1)
    assert 0 <= number < stretch.n_bars
    if stretch.stop < 1 << 61:
        assert timeline.at(stretch.stop).base == stretch.stop
    starts = [(s.base, n) for s, n in timeline.bars(index, index + 10 * MOVEMENT_SAMPLES // 9)]
    assert len(starts) == len(set(starts))


def test_a_change_leaves_what_was_before_it_alone() -> None:
    at = 77 * SAMPLE_RATE_HZ + 1_234
    plain, fast = Controls(), Controls(tempo_norm=1.0, key="E", genre="house")
    reading = reading_at("1984-06-13T05:00Z")
    skies: Callable[[int], Skies] = lambda _index: Skies(reading, None, reading)  # noqa: E731
    before = ScoreV11(1, skies, lambda _index: plain)
    changed = ScoreV11(1, skies, lambda index: fast if index >= at else plain, (at,))
    heard = changed.notes(0, at)
    assert [(n.onset, n.pitch) for n in heard] == [(n.onset, n.pitch) for n in before.notes(0, at)]
    after = changed.palette_json(at)
    assert after["genre"] == "house"
    assert (
        changed.palette_json(at - 1)["genre"] != "house"
        or before.palette_json(0)["genre"] == "house"
    )
    assert min(n.onset for n in changed.notes(at, at + 96_000) if n.onset >= at) < at + 48_000


# Craft


@pytest.mark.parametrize("genre", GENRE_NAMES)
def test_notes_stay_within_their_instruments(genre: str) -> None:
    pitches = {i.name: set(i.pitches) for i in INSTRUMENTS}
    for number in range(8):
        score = score_of(random_reading(number), number, Controls(genre=genre))
        for note in movement_notes(score, number):
            assert note.pitch in pitches[note.instrument], (note.instrument, note.pitch)
            assert note.duration >= 480
            assert note.left >= 0.0
            assert note.right >= 0.0


@pytest.mark.parametrize("genre", GENRE_NAMES)
def test_outer_voices_never_move_in_parallel_fifths_or_octaves(genre: str) -> None:
    """Over 1 000 bars of all genres together, within phrases."""
    for number in range(12):
        score = score_of(random_reading(number), number, Controls(genre=genre))
        movement = score._movement_of(score._timeline.at(0))
        for phrase_number in range(movement.n_bars // 4):
            phrase = phrase_of(number, movement, phrase_number, movement.tonic)
            outer = [(b, v[-1]) for b, v in zip(phrase.basses, phrase.voicings, strict=True)]
            for before, after in zip(outer, outer[1:], strict=False):
                assert not _is_parallel(before, after)
            moved = [
                abs(a - b)
                for one, two in zip(phrase.voicings, phrase.voicings[1:], strict=False)
                for a, b in zip(one, two, strict=False)
            ]
            assert sum(moved) / max(1, len(moved)) < 4.0


def test_melodies_walk_and_leaps_turn_back() -> None:
    steps = leaps = unanswered = total = 0
    for number in range(30):
        reading = random_reading(number)
        score = score_of(reading, number)
        movement = score._movement_of(score._timeline.at(0))
        for phrase_number in range(4):
            phrase = phrase_of(number, movement, phrase_number, movement.tonic)
            (tones,) = melodies_of(number, movement, (phrase,))
            motions = [b.step - a.step for a, b in zip(tones, tones[1:], strict=False)]
            total += len(motions)
            steps += sum(abs(m) <= 1 for m in motions)
            for a, b in zip(motions, motions[1:], strict=False):
                leaps += abs(a) > 2
                unanswered += abs(a) > 2 and a * b > 0 and abs(b) > 2
            assert max((abs(m) for m in motions), default=0) <= 8
            if phrase.closes:
                assert tones[-1].step % 7 == 0
    print(f"steps {steps / total:.0%} of {total} motions, {leaps} leaps, {unanswered} unanswered")
    assert 0.5 < steps / total < 0.9
    assert unanswered <= leaps * 0.1


@pytest.mark.parametrize("genre", GENRE_NAMES)
def test_pitches_belong_to_the_key(genre: str) -> None:
    score = score_of(random_reading(7), 7, Controls(genre=genre))
    movement = score._movement_of(score._timeline.at(0))
    scale = {(movement.tonic + step) % 12 for step in MODES[movement.palette.mode]}
    notes = [
        n for n in movement_notes(score) if n.instrument not in ("drums", "vinyl", "noise", "air")
    ]
    outside = {n.pitch % 12 for n in notes if n.pitch % 12 not in scale}
    assert outside <= {(movement.tonic + 11) % 12}  # the leading tone of a minor cadence


def test_no_voice_is_silent_for_an_hour() -> None:
    for genre in GENRE_NAMES:
        score = score_of(random_reading(3), 3, Controls(genre=genre, drums=0.6))
        voices = {n.voice for m in range(19) for n in movement_notes(score, m)}
        expected = {v for v, role in enumerate(GENRES[genre].roles) if role.instrument}
        assert voices == expected


def test_motifs_return_but_no_two_minutes_are_alike() -> None:
    score = score_of(random_reading(5), 5)
    tunes = Counter()
    for movement in range(19):
        melody = [n for n in movement_notes(score, movement) if n.voice == 0]
        for a in range(len(melody) - 4):
            five = melody[a : a + 5]
            tunes[tuple(b.pitch - a.pitch for a, b in zip(five, five[1:], strict=False))] += 1
    assert max(tunes.values()) >= 4
    minutes = [
        frozenset(
            (n.onset % (120 * SAMPLE_RATE_HZ), n.pitch)
            for n in score.notes(s, s + 120 * SAMPLE_RATE_HZ)
        )
        for s in range(0, 3600 * SAMPLE_RATE_HZ, 120 * SAMPLE_RATE_HZ)
    ]
    assert len(set(minutes)) == len(minutes)


def test_other_seeds_and_other_skies_are_other_pieces() -> None:
    pieces = {
        tuple(
            (n.onset, n.pitch) for n in score_of(random_reading(r), s).notes(0, 60 * SAMPLE_RATE_HZ)
        )
        for r in range(10)
        for s in range(3)
    }
    assert len(pieces) == 30


# Controls


CONTROL_EFFECTS: list[tuple[str, Callable[[ScoreV11], float]]] = [
    ("tempo_norm", lambda s: float(str(s.palette_json(0)["tempoBpm"]))),
    ("density", lambda s: sum(n.instrument != "drums" for n in movement_notes(s))),
    ("drums", lambda s: sum(n.instrument == "drums" for n in movement_notes(s))),
    ("space", lambda s: len(movement_notes(s))),
]


@pytest.mark.parametrize("genre", GENRE_NAMES)
@pytest.mark.parametrize(("name", "effect"), CONTROL_EFFECTS, ids=[n for n, _ in CONTROL_EFFECTS])
def test_controls_do_what_their_name_says(
    genre: str, name: str, effect: Callable[[ScoreV11], float]
) -> None:
    reading = random_reading(11)
    values = [
        effect(score_of(reading, 2, Controls(genre=genre, **{name: amount})))
        for amount in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert values == sorted(values), values
    if name != "drums" or GENRES[genre].groove not in ("", "heartbeat"):
        assert values[-1] > values[0]
    if name == "drums":
        assert values[0] == 0


def test_key_mode_and_genre_are_taken_as_wished() -> None:
    reading = random_reading(12)
    for key in KEY_NAMES:
        palette = palette_of(reading, Controls(key=key, mode="lydian", genre="jazz"))
        assert (palette.key_name, palette.mode, palette.genre) == (key, "lydian", "jazz")


def test_the_leap_cap_bounds_the_melody() -> None:
    for cap in (1, 3, 7):
        score = score_of(random_reading(13), 4, Controls(leap_cap=cap, genre="classical"))
        movement = score._movement_of(score._timeline.at(0))
        for number in range(6):
            phrase = phrase_of(4, movement, number, movement.tonic)
            tones = [t for t in melodies_of(4, movement, (phrase,))[0] if t.bar < 3]
            inside = [
                abs(b.step - a.step)
                for a, b in zip(tones, tones[1:], strict=False)
                if a.bar == b.bar and b.beat % 2.0
            ]
            assert max(inside, default=0) <= cap


# The sky while it plays


def test_what_becomes_exact_is_rung_and_told() -> None:
    at = 50 * SAMPLE_RATE_HZ
    bell = Happening(at, "ingress", "Moon enters Taurus", ("moon",))

    def happenings(start: int, stop: int) -> tuple[Happening, ...]:
        return (bell,) if start <= at < stop else ()

    skies = Skies(NEUTRAL, None, NEUTRAL)
    with_bell = ScoreV11(1, lambda _i: skies, lambda _i: Controls(), (), happenings)
    without = score_of(NEUTRAL)
    rung = set(with_bell.notes(at, at + SAMPLE_RATE_HZ)) - set(
        without.notes(at, at + SAMPLE_RATE_HZ)
    )
    assert {note.instrument for note in rung} == {"bell"}
    assert min(note.onset for note in rung) == at
    events = with_bell.events(at - 48_000, at + 48_000)
    assert [(e.index, e.text) for e in events if e.kind == "ingress"] == [
        (at, "Moon enters Taurus")
    ]


def test_a_second_chart_answers_from_the_other_side() -> None:
    one, two = random_reading(21), random_reading(22)
    skies = Skies(one, two, one)
    both = ScoreV11(1, lambda _i: skies, lambda _i: Controls(genre="classical"))
    melody = [n for n in movement_notes(both) if n.voice in (0, 3)]
    left = [n for n in melody if n.voice == 0]
    right = [n for n in melody if n.voice == 3]
    assert left
    assert right
    assert sum(n.left > n.right for n in left) > 0.4 * len(left)
    assert all(n.right > n.left for n in right)

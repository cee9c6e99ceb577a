"""Model v1.1: rules with direction, forms with random access, voice leading with a conscience."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.music.controls import Controls
from astradio_stream.music.note import Note
from astradio_stream.music.theory import MODES
from astradio_stream.music.v1_1.genres import GENRES
from astradio_stream.music.v1_1.palette import (
    GENRE_RULES,
    RULES,
    features_of,
    genre_of,
    palette_of,
)
from astradio_stream.music.v1_1.reading import NEUTRAL, Reading, Skies
from astradio_stream.music.v1_1.score import ScoreV11
from astradio_stream.music.v1_1.timeline import MOVEMENT_SAMPLES, Timeline
from astradio_stream.units import SAMPLE_RATE_HZ
from tests.composing import MODES as MODES_OF_PROGRAMMES
from tests.composing import movement_notes, random_reading, reading_at, score_in, score_of


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


@pytest.mark.parametrize("mode", MODES_OF_PROGRAMMES)
def test_any_order_on_any_thread_is_the_same_score(mode: str) -> None:
    rate = SAMPLE_RATE_HZ
    seconds = [3, 700, 4, 192, 3_600_000, 5, 383]
    alone = {k: score_in(mode).notes(k * rate, (k + 1) * rate) for k in seconds}
    shared = score_in(mode)
    with ThreadPoolExecutor(4) as pool:
        together = pool.map(
            lambda k: (k, shared.notes(k * rate, (k + 1) * rate)), [*seconds[::-1], *seconds]
        )
        for k, notes in together:
            assert notes == alone[k]
            assert notes


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


# Long form


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

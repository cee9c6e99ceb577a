"""Composing ahead: nobody waits for a section, and nothing sounds different for it."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from astradio_stream.music.controls import GENRES, Controls
from astradio_stream.music.v1_1.score import ScoreV11
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.skies import score_v1_1
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import SEGMENT_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from astradio_stream.music.note import Note
    from astradio_stream.music.score import Score

BIRTH_1 = {"datetime": "1980-05-05T05:05:00Z", "lat": 52.5, "lon": 13.4}
BIRTH_2 = {"datetime": "1991-11-21T23:10:00Z", "lat": 40.4, "lon": -3.7}
MODES: tuple[dict[str, object], ...] = (
    {"at": "1983-08-18T18:00:00Z"},
    {"mode": "compatibility", "charts": [BIRTH_1, BIRTH_2]},
)


def score_of(genre: str, more: dict[str, object], seed: int = 5) -> ScoreV11:
    plain = resolve({"seed": seed, **more}, Moment(0), ModelVersions())
    return score_v1_1(replace(plain, controls=Controls(genre=genre)))


def old_score_of(_genre: str, _more: dict[str, object]) -> Score:
    versions = ModelVersions(audio="v1.0")
    return AUDIO_MODELS["v1.0"].score_of(resolve({"seed": 5}, Moment(0), versions))


def listened(score: ScoreV11, first: int, n: int) -> Iterator[tuple[int, tuple[Note, ...]]]:
    for k in range(first, first + n):
        start = k * SEGMENT_SAMPLES
        yield k, score.notes(start, start + SEGMENT_SAMPLES)
        score.look_ahead(start)


@pytest.mark.parametrize("seed", [1, 5])
@pytest.mark.parametrize("genre", GENRES)
def test_a_section_is_ready_when_it_begins(genre: str, seed: int) -> None:
    """After half a minute of listening no second composes what a whole section needs.

    That is a period, a theme, a movement, a sky, and the bars by which its loudness is found.
    """
    score = score_of(genre, MODES[0], seed)
    composer = score._composer

    def composed() -> int:
        return sum(
            made.cache_info().misses
            for made in (composer.period, composer.movement, composer.skies_at, score._gain)
        )

    late = []
    for k in range(100, 520):
        start = k * SEGMENT_SAMPLES
        before = composed()
        score.notes(start, start + SEGMENT_SAMPLES)
        if composed() > before and k > 132:
            late.append(k)
        score.look_ahead(start)
    assert not late


@pytest.mark.parametrize("more", MODES, ids=["transit", "compatibility"])
@pytest.mark.parametrize("genre", ["ambient", "jazz"])
def test_who_listens_on_hears_what_who_comes_later_hears(
    genre: str, more: dict[str, object]
) -> None:
    for k, notes in listened(score_of(genre, more), 150, 90):
        if k % 15 == 0:
            start = k * SEGMENT_SAMPLES
            assert notes == score_of(genre, more).notes(start, start + SEGMENT_SAMPLES)


def test_going_back_and_far_away_begins_anew() -> None:
    score = score_of("house", MODES[0])
    for first in (500, 20, 3_600_000, 40):
        list(listened(score, first, 40))
    start = 45 * SEGMENT_SAMPLES
    fresh = score_of("house", MODES[0])
    assert score.notes(start, start + 48_000) == fresh.notes(start, start + 48_000)


@pytest.mark.parametrize("make", [score_of, old_score_of], ids=["v1.1", "v1.0"])
@pytest.mark.parametrize("stop", [40, *range(130, 194, 3)])
def test_a_score_nobody_plays_is_gone_at_once(
    make: Callable[[str, dict[str, object]], Score], stop: int
) -> None:
    """Without a collection, which would be heard by others; whatever is left to do ahead."""
    gc.collect()
    gc.disable()
    try:
        score = make("jazz", MODES[0])
        for k in range(stop - 40, stop):
            score.notes(k * SEGMENT_SAMPLES, (k + 1) * SEGMENT_SAMPLES)
            score.look_ahead(k * SEGMENT_SAMPLES)
        parts = [score, *vars(score).values()]
        watched = [weakref.ref(part) for part in parts if type(part).__module__.startswith("astra")]
        del score, parts
        assert [found for ref in watched if (found := ref()) is not None] == []
    finally:
        gc.enable()

"""The search for a theme: the first that is well made, else the best, however it is gone about."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from astradio_stream.music.controls import Controls
from astradio_stream.music.v1_1 import craft, melody
from astradio_stream.music.v1_1.craft import GOOD_ENOUGH, Harmony, craft_of, craft_of_line
from astradio_stream.music.v1_1.genres import GENRES
from astradio_stream.music.v1_1.melody import N_CANDIDATES, Search, Theme
from tests.composing import movement_in, phrases_in, random_reading, score_of

if TYPE_CHECKING:
    from astradio_stream.music.melody import Melody

SEEDS = range(12)


class Sought:
    """What a theme is sought over: the first period of a movement."""

    def __init__(self, genre: str, seed: int) -> None:
        score = score_of(random_reading(seed), seed, Controls(genre=genre))
        self.seed = seed
        self.movement = movement_in(score)
        phrases = [phrase for phrase, _ in phrases_in(score)[:2]]
        self.harmony = tuple(Harmony(phrase.chords, phrase.closes) for phrase in phrases)

    def search(self) -> Search:
        return Search(self.seed, self.movement, 0, self.harmony)

    def craft_of(self, theme: Theme, best: float = -1.0) -> float:
        return craft_of(theme, self.movement, self.harmony, best)


@pytest.fixture(params=GENRES)
def genre(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def bests(search: Search) -> list[tuple[Theme, float]]:
    """Return the best of one candidate, of two, and so on, each with its craft."""
    found, goes_on = [], True
    while goes_on:
        goes_on = search.go_on()
        theme = tuple(map(melody._sung, search._bars, search._standing.steps))
        found.append((theme, search._standing.craft))
    return found


def test_a_theme_is_the_same_at_once_and_step_by_step(genre: str) -> None:
    for seed in SEEDS:
        sought = Sought(genre, seed)
        slow = sought.search()
        while slow.go_on():
            pass
        assert slow.theme() == sought.search().theme()
        assert not slow.go_on()


def test_better_made_themes_only_take_the_place_of_others_until_one_is_well_made(
    genre: str,
) -> None:
    n_tried = []
    for seed in SEEDS:
        sought = Sought(genre, seed)
        themes = bests(sought.search())
        found = [sought.craft_of(theme) for theme, _ in themes]
        assert found == [craft for _, craft in themes]
        assert all(one <= two for one, two in pairwise(found))
        assert all(made < GOOD_ENOUGH for made in found[:-1])
        assert found[-1] >= GOOD_ENOUGH or len(found) == N_CANDIDATES
        n_tried.append(len(found))
    assert len(set(n_tried)) > 1


def test_no_candidate_is_better_made_than_the_theme_that_is_found(
    genre: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked of all gates of all candidates: what is left out of the asking changes nothing."""
    found = [Sought(genre, seed).search().theme() for seed in SEEDS]

    def by_all_gates(line: Melody, _best: float) -> float:
        return craft_of_line(line)

    monkeypatch.setattr(melody, "craft_of_line", by_all_gates)
    assert found == [Sought(genre, seed).search().theme() for seed in SEEDS]


def test_the_dearest_gate_is_asked_only_where_it_can_decide(
    genre: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def counting(line: Melody) -> float:
        asked.append(line)
        return narrative(line)

    *others, (place, narrative) = craft._CHEAPEST_FIRST
    monkeypatch.setattr(craft, "_CHEAPEST_FIRST", (*others, (place, counting)))
    n_left_out = 0
    for seed in SEEDS:
        sought = Sought(genre, seed)
        for theme, _ in bests(sought.search()):
            made = sought.craft_of(theme)
            asked.clear()
            assert sought.craft_of(theme, best=made - 1e-9) == made
            assert asked
            assert sought.craft_of(theme, best=made) == 0.0
            asked.clear()
            assert sought.craft_of(theme, best=GOOD_ENOUGH) == 0.0
            n_left_out += not asked
    assert n_left_out

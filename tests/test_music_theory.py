"""Keyed chance and the little theory that every model shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.music.chance import draws
from astradio_stream.music.theory import MODES, has_perfect_fifth, nearest_octave, pitch_of

SEEDS = st.integers(0, 2**53 - 1)


@given(seed=SEEDS, decision=st.integers(0, 9), place=st.integers(0, 2**40))
def test_chance_remembers_nothing(seed: int, decision: int, place: int) -> None:
    first = [draws(seed, decision, place).unit() for _ in range(2)]
    draws(seed, decision, place + 1).unit()
    assert first[0] == first[1] == draws(seed, decision, place).unit()
    assert 0.0 <= first[0] < 1.0


def test_neighbouring_places_are_unlike() -> None:
    values = {draws(1, 2, bar, voice).unit() for bar in range(100) for voice in range(10)}
    assert len(values) == 1000
    assert sum(values) / 1000 == pytest.approx(0.5, abs=0.05)


@given(SEEDS, st.integers(0, 99), st.lists(st.integers(0, 1 << 40), max_size=3))
def test_chance_is_numpys_philox(seed: int, decision: int, position: list[int]) -> None:
    philox = np.random.Philox(key=[seed, decision], counter=[0, *position, 0, 0, 0][:4])
    ours = draws(seed, decision, *position, n=5)
    assert [ours.unit() for _ in range(5)] == [
        (n >> 11) / 2**53 for n in philox.random_raw(5).tolist()
    ]


def test_chance_is_the_same_for_ever() -> None:
    """Philox 4x64-10 with key (1, 2), counter (0, 3, 0, 0): these numbers may never change."""
    assert draws(1, 2, 3, n=2).unit() == 0.13732203113233543


@given(weights=st.lists(st.floats(0.1, 5), min_size=1, max_size=6), seed=SEEDS)
def test_weighted_stays_within(weights: list[float], seed: int) -> None:
    chance = draws(seed, 1)
    assert 0 <= chance.weighted(weights) < len(weights)
    assert 0 <= chance.below(7) < 7
    assert -1.0 <= chance.signed() < 1.0
    assert chance.pick("abc") in "abc"


def test_modes_run_from_bright_to_dark() -> None:
    sums = [sum(steps) for steps in MODES.values()]
    assert sums == sorted(sums, reverse=True)
    assert all(len(steps) == 7 for steps in MODES.values())


def test_steps_go_on_beyond_the_octave() -> None:
    assert [pitch_of(60, "ionian", step) for step in (-7, -1, 0, 7, 9)] == [48, 59, 60, 72, 76]


def test_one_degree_of_a_mode_is_diminished() -> None:
    for mode in MODES:
        assert sum(not has_perfect_fifth(mode, degree) for degree in range(7)) == 1


@given(pitch=st.integers(0, 127), centre=st.integers(30, 90))
def test_nearest_octave_keeps_the_pitch_class(pitch: int, centre: int) -> None:
    near = nearest_octave(pitch, centre)
    assert near % 12 == pitch % 12
    assert centre - 6 <= near < centre + 6

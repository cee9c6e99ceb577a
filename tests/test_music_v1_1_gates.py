"""Model v1.1 before the quality gates: random charts pass, a chart made to stumble does not."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from astradio_stream.music.controls import GENRES
from astradio_stream.music.gates import GATES
from astradio_stream.music.theme import gates_of_span
from astradio_stream.stream.modes import MODES
from astradio_stream.stream.piece import Span, piece_of
from astradio_stream.units import SAMPLE_RATE_HZ
from tests.pieces import played

MINUTE = 60 * SAMPLE_RATE_HZ
HOUR_1000 = 3_600_000 * SAMPLE_RATE_HZ
N_CHARTS = 100
LEAST = 0.95


def random_birth(chance: Random) -> dict[str, Any]:
    day, month, year = chance.randint(1, 28), chance.randint(1, 12), chance.randint(1905, 2045)
    return {
        "datetime": f"{year}-{month:02d}-{day:02d}T{chance.randint(0, 23):02d}:00",
        "tz": "UTC",
        "lat": round(chance.uniform(-60, 60), 2),
        "lon": round(chance.uniform(-180, 180), 2),
    }


@pytest.mark.parametrize("first", [0, HOUR_1000], ids=["at the start", "at hour 1000"])
def test_nearly_all_random_charts_pass(first: int) -> None:
    chance = Random("gates")
    passed: Counter[str] = Counter()
    for number in range(N_CHARTS):
        raw = {"mode": "natal", "seed": number, "charts": [random_birth(chance)]}
        _, score = played(raw)
        passed.update(
            name
            for name, is_so in gates_of_span(score, first, first + MINUTE).calibrated.items()
            if is_so
        )
    print({name: f"{count / N_CHARTS:.0%}" for name, count in passed.items()})
    assert passed["overall"] >= LEAST * N_CHARTS


@pytest.mark.parametrize("genre", GENRES)
def test_every_genre_passes_at_most_times(genre: str) -> None:
    chance = Random(genre)
    n_passed = 0
    for number in range(20):
        raw = {
            "mode": "natal",
            "seed": number,
            "charts": [random_birth(chance)],
            "controls": {"genre": genre},
        }
        _, score = played(raw)
        n_passed += gates_of_span(score, 0, MINUTE).calibrated["overall"]
    assert n_passed >= 18


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_passes_at_most_times(mode: str) -> None:
    chance = Random(mode)
    n_passed = 0
    for number in range(20):
        raw = {
            "mode": mode,
            "seed": number,
            "charts": [random_birth(chance) for _ in range(MODES[mode].n_charts)],
        }
        if MODES[mode].has_moving_sky:
            raw["at"] = f"{1950 + number}-06-15T12:00:00Z"
        _, score = played(raw)
        n_passed += gates_of_span(score, 0, MINUTE).calibrated["overall"]
    assert n_passed >= 18


def test_a_chart_that_is_made_to_stumble_fails_and_is_not_praised() -> None:
    """All its wishes are against a melody: nothing but leaps, and no motif comes back."""
    raw = {
        "mode": "natal",
        "seed": 1,
        "charts": [random_birth(Random("stumble"))],
        "controls": {"stepBias": 0, "leapCap": 7, "genre": "jazz", "motifRate": 0},
    }
    programme, score = played(raw)
    told = piece_of(programme, score, Span(0, MINUTE))
    assert not told.gates.calibrated["overall"]
    hints = [gate.hint for gate in GATES if not told.gates.calibrated[gate.name]]
    assert hints
    assert all(hint in told.gates.hints for hint in hints)

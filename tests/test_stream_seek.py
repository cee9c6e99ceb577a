"""A seek: any second of a thousand hours costs what the next second costs, and little more."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

import pytest

from astradio_stream.music.v1_0 import palette
from astradio_stream.music.v1_1 import timeline
from astradio_stream.server.engine import _look_at
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.segment import Rendition, packets_of
from astradio_stream.stream.versions import VERSIONS, ModelVersions
from astradio_stream.units import SAMPLE_RATE_HZ
from tests.test_stream_steering import PLAIN

if TYPE_CHECKING:
    from astradio_stream.audio.bank import Bank
    from astradio_stream.stream.programme import Programme

HOURS = 1_000
BUDGET_S = 0.030
MOST_PIECES = 16
"""More bars, phrases or movements than one second of any music can need."""
OF_THE_FORM = {"phrases", "search", "period"}
"""A period, its phrases and its theme: where a section answers the first of its movement they are
looked at, too; one or two more."""


def seek_cost_s(rendition: Rendition, k: int) -> float:
    """Return the CPU time of all that a seek to segment k needs before its first quantum."""
    began = time.thread_time()
    _look_at(rendition, k * 48_000)
    packets_of(rendition.segment(k))
    return time.thread_time() - began


def pieces_composed(programme: Programme, bank: Bank, k: int) -> dict[str, int]:
    """Return how many pieces of each kind a seek to segment k composes, by where they are kept."""
    rendition = Rendition(programme, bank)
    _look_at(rendition, k * 48_000)
    packets_of(rendition.segment(k))
    keepers = rendition.score, getattr(rendition.score, "_composer", None)
    return {
        name: kept.cache_info().misses
        for keeper in keepers
        if keeper is not None
        for name, kept in vars(keeper).items()
        if hasattr(kept, "cache_info")
    }


@pytest.mark.parametrize("version", AUDIO_MODELS)
def test_a_seek_to_hour_1000_composes_what_a_seek_to_hour_1_composes(
    banks: dict[str, Bank], version: str
) -> None:
    """Under a sky that stands still all movements have the same bars, so the counts are equal."""
    programme = replace(PLAIN, rate=0.0, model_versions=ModelVersions(audio=version))
    for model in (palette, timeline):  # far away it is the same place in a movement
        assert HOURS * 3_600 * SAMPLE_RATE_HZ % model.MOVEMENT_SAMPLES == 0
    chance = random.Random(7)
    for k in [3_600 + chance.randrange(3_600) for _ in range(20)]:
        near = pieces_composed(programme, banks[version], k)
        far = pieces_composed(programme, banks[version], k + HOURS * 3_600)
        assert near.keys() - OF_THE_FORM
        for name, n_near in near.items():
            assert abs(far[name] - n_near) <= (2 if name in OF_THE_FORM else 0), (k, name)


@pytest.mark.parametrize("version", AUDIO_MODELS)
def test_a_seek_anywhere_in_a_thousand_hours_composes_a_few_bars(
    banks: dict[str, Bank], version: str
) -> None:
    programme = replace(PLAIN, model_versions=ModelVersions(audio=version))
    chance = random.Random(7)
    for k in [chance.randrange(HOURS * 3_600) for _ in range(40)]:
        composed = pieces_composed(programme, banks[version], k)
        assert 0 < max(composed.values()) <= MOST_PIECES, (k, composed)


@pytest.mark.parametrize("version", VERSIONS["audio"])
def test_a_seek_anywhere_in_a_thousand_hours_takes_30_ms(
    banks: dict[str, Bank], version: str
) -> None:
    programme = replace(PLAIN, model_versions=ModelVersions(audio=version))
    rendition = Rendition(programme, banks[version])
    chance = random.Random(7)
    places = [chance.randrange(HOURS * 3_600) for _ in range(40)]
    seek_cost_s(rendition, 0)  # what is loaded once is not part of it
    costs = sorted(seek_cost_s(rendition, k) for k in places)
    print(
        f"{version}: seek of {median(costs) * 1e3:.1f} ms CPU, p95 {costs[37] * 1e3:.1f} ms, "
        f"{median(costs) / BUDGET_S:.2f} of the budget"
    )
    assert median(costs) <= BUDGET_S

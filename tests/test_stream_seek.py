"""A seek: any second of a thousand hours costs what the next second costs, and little more."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

import pytest

from astradio_stream.server.engine import _look_at
from astradio_stream.stream.segment import Rendition, packets_of
from astradio_stream.stream.versions import VERSIONS, ModelVersions
from tests.test_stream_steering import PLAIN

if TYPE_CHECKING:
    from astradio_stream.audio.bank import Bank

HOURS = 1_000
BUDGET_S = 0.030


def seek_cost_s(rendition: Rendition, k: int) -> float:
    """Return the CPU time of all that a seek to segment k needs before its first quantum."""
    began = time.thread_time()
    _look_at(rendition, k * 48_000)
    packets_of(rendition.segment(k))
    return time.thread_time() - began


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

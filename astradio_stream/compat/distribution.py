"""How pairs score who did not choose each other: the distribution that percentiles are read from.

`distribution.json` holds, for each facet, the score that a given share of random pairs stays below.
It was measured on synthetic profiles (`python -m loadtest.calibrate_compat`) with exactly the
shipped weights, whose digest it names: the two files are only taken together.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from astradio_stream.compat.curves import MICRO
from astradio_stream.compat.weights import FACETS, WeightsWrong, load_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

PERCENTS: Final = (
    0.0, 0.01, 0.1, 0.5, *(float(percent) for percent in range(1, 100)), 99.5, 99.9, 99.99, 100.0,
)  # fmt: skip
"""The shares (percent) at which the distribution is held: finer towards the ends."""
DECIMALS: Final = 2


@dataclass(frozen=True, slots=True)
class Distribution:
    """Scores of random pairs."""

    n_pairs: int
    scores_micro: Mapping[str, tuple[int, ...]]
    """For each facet the scores (millionths) at `PERCENTS`, not falling."""

    def percentile_of(self, facet: str, score_micro: int) -> float:
        """Return the share of random pairs that score less (percent, 0 to 100, two decimals)."""
        scores = self.scores_micro[facet]
        above = bisect_left(scores, score_micro)
        if above == 0:
            return 0.0
        if above == len(scores):
            return 100.0
        low, high = scores[above - 1], scores[above]
        share = (score_micro - low) / (high - low)
        percent = PERCENTS[above - 1] + share * (PERCENTS[above] - PERCENTS[above - 1])
        return round(percent, DECIMALS)


@cache
def load_distribution() -> Distribution:
    """Read and check the shipped distribution (once per process).

    Raises:
        WeightsWrong: if it is not that of the shipped weights, or not a distribution.
    """
    data = json.loads((files("astradio_stream.compat") / "distribution.json").read_bytes())
    if data["weightsDigest"] != load_weights().digest:
        message = (
            "the distribution of scores belongs to other weights: "
            "run python -m loadtest.calibrate_compat"
        )
        raise WeightsWrong(message)
    scores = {facet: tuple(data["scoresMicro"][facet]) for facet in FACETS}
    for facet, row in scores.items():
        is_rising = list(row) == sorted(row) and row[0] >= 0 and row[-1] <= MICRO
        if len(row) != len(PERCENTS) or not is_rising:
            message = f"the distribution of {facet} is not {len(PERCENTS)} rising scores"
            raise WeightsWrong(message)
    return Distribution(data["nPairs"], scores)

"""Measure how random pairs score and write `distribution.json`, beside the weights it belongs to.

Run ``python -m loadtest.calibrate_compat`` after any change of `weights.json`. The table that it
prints says where the halves of the curves should lie: at the medians of the sums.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

import astradio_stream.compat
from astradio_stream.compat.distribution import PERCENTS
from astradio_stream.compat.positions import tenths_at
from astradio_stream.compat.profiles import births_of
from astradio_stream.compat.search import sums_raw
from astradio_stream.compat.weights import FACETS, POINT, load_weights
from astradio_stream.sky.gazetteer import load_gazetteer
from loadtest.table import print_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED: Final = 20
N_ASKING: Final = 1_000
N_MET: Final = 1_000
"""Pairs for each who asks: a million in all."""


def random_charts(seed: int, n_charts: int) -> NDArray[np.int64]:
    """Return the points of synthetic profiles, shape (12, n_charts)."""
    births = births_of(seed, 0, n_charts, load_gazetteer().towns)
    columns = (births.utc_us, births.lat_deg, births.lon_deg, births.time_known)
    return tenths_at(*columns).astype(np.int64)


def main() -> None:
    """Measure, print, write."""
    weights = load_weights()
    charts = random_charts(SEED, N_ASKING + N_MET)
    asking, met = charts[:, :N_ASKING], charts[:, N_ASKING:]
    quantiles = {}
    rows = [["facet", "bonus median", "penalty median", "5 %", "50 %", "95 %", "spread"]]
    for facet in FACETS:
        sums = [sums_raw(met, tuple(a.tolist()), facet, weights) for a in asking.T]
        bonus, penalty = (np.concatenate(side) for side in zip(*sums, strict=True))
        score = weights.curves[facet].scores_micro(bonus, penalty)
        quantiles[facet] = np.percentile(score, PERCENTS).round().astype(int).tolist()
        figures = [*np.percentile(score, (5, 50, 95)) / 1e6, score.std() / 1e6]
        medians = [np.median(bonus) / POINT, np.median(penalty) / POINT]
        rows.append([facet, *(f"{n:.2f}" for n in (*medians, *figures))])
    print_table(f"{N_ASKING * N_MET:,} random pairs", rows)
    path = Path(astradio_stream.compat.__path__[0]) / "distribution.json"
    facets = ",\n".join(f"    {json.dumps(name)}: {row}" for name, row in quantiles.items())
    path.write_text(
        "{\n"
        f'  "weightsDigest": "{weights.digest}",\n'
        f'  "nPairs": {N_ASKING * N_MET},\n'
        f'  "seed": {SEED},\n'
        f'  "percents": {json.dumps(PERCENTS)},\n'
        f'  "scoresMicro": {{\n{facets}\n  }}\n'
        "}\n"
    )


if __name__ == "__main__":
    main()

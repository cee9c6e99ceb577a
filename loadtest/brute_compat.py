"""Every pair by itself: the search that `compat.search` must equal, and what it would cost.

`brute_scores_micro` goes through the rules pair of points by pair of points for all charts at once,
without the tables of `compat.tables`; `tests/test_compat_search.py` holds it against the plain
scorer `compat.contacts`. ``python -m loadtest.brute_compat`` is the whole proof: 20 000 charts, 100
questions, 6 facets, with ties, unknown times and filters.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.compat.contacts import BALANCE_SIGNS, nearness_table, permille_of
from astradio_stream.compat.index import Index
from astradio_stream.compat.points import (
    ABSENT,
    ASCENDANT,
    BODY_WEIGHTS,
    DIGNITY_OF,
    IS_LUMINARY,
    N_POINTS,
    TENTHS,
    TENTHS_PER_HOUSE,
    TENTHS_PER_SIGN,
    Tenths,
)
from astradio_stream.compat.search import Place, search
from astradio_stream.compat.weights import (
    BALANCE_UNIT,
    DIGNITY_UNIT,
    FACETS,
    STRENGTH_UNIT,
    Weights,
    is_harm,
    load_weights,
)
from astradio_stream.sky.bodies import N_PLANETS

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_CHARTS: Final = 20_000
N_QUESTIONS: Final = 100
PAGE: Final = 25


@dataclass(frozen=True, slots=True)
class World:
    """Some charts and whose they are."""

    ids: NDArray[np.int64]
    owners: NDArray[np.int32]
    tenths: NDArray[np.int64]
    """Shape (12, n_charts)."""

    def chart(self, n: int) -> Tenths:
        """Return the points of one chart."""
        return tuple(self.tenths[:, n].tolist())


def world_of(seed: int, n_charts: int) -> World:
    """Return charts that try a search: anywhere in the zodiac, many alike, some points unknown."""
    rng = np.random.Generator(np.random.Philox(key=[seed, 0]))
    tenths = rng.integers(0, TENTHS, (N_POINTS, n_charts))
    tenths[N_PLANETS:, rng.random(n_charts) < 0.2] = ABSENT
    tenths[rng.integers(0, N_POINTS, n_charts // 20), rng.integers(0, n_charts, n_charts // 20)] = (
        ABSENT
    )
    # One in ten is another's twin: equal scores, told apart by id.
    twins = rng.integers(0, n_charts, n_charts // 10)
    tenths[:, twins] = tenths[:, rng.integers(0, n_charts, twins.size)]
    ids = rng.choice(np.int64(2) ** 62, n_charts * 2, replace=True)
    ids = np.unique(ids)[rng.permutation(n_charts)]
    return World(ids, rng.integers(0, n_charts // 3 + 1, n_charts).astype(np.int32), tenths)


def brute_scores_micro(
    tenths: NDArray[np.int64], a: Tenths, facet: str, weights: Weights
) -> NDArray[np.int64]:
    """Return the score of every chart for the one that asks (millionths), shape (n_charts,)."""
    total = np.zeros((2, tenths.shape[1]), dtype=np.int64)
    is_known = tenths != ABSENT
    sign = np.where(is_known, tenths, 0) // TENTHS_PER_SIGN
    for side in (0, 1):
        harm = is_harm(facet, penalty=bool(side))
        freely = np.array([[_dignity(weights, j, s, harm) for s in range(12)] for j in range(12)])
        theirs = freely[np.arange(N_POINTS)[:, None], sign] * is_known
        mine = [
            0 if a[i] == ABSENT else int(freely[i, a[i] // TENTHS_PER_SIGN])
            for i in range(N_POINTS)
        ]
        for (i, j, quality), rows in weights.rows_between.items():
            weight = sum(row.parts[facet][side] for row in rows)
            if weight and mine[i]:
                carried = _carried(quality, IS_LUMINARY[i] or IS_LUMINARY[j], weights)
                arc = (tenths[j] - a[i]) % TENTHS
                total[side] += weight * carried[arc] * mine[i] * theirs[j]
        whole = STRENGTH_UNIT * DIGNITY_UNIT
        for (body, house), row in weights.row_in_house.items():
            weight = row.parts[facet][side] * whole
            if a[ASCENDANT] != ABSENT:
                visits = (tenths[body] - a[ASCENDANT]) % TENTHS // TENTHS_PER_HOUSE + 1 == house
                total[side] += weight * visits * theirs[body]
            if facet != "mentor" and mine[body]:
                hosts = (a[body] - tenths[ASCENDANT]) % TENTHS // TENTHS_PER_HOUSE + 1 == house
                total[side] += weight * (hosts & is_known[ASCENDANT]) * mine[body]
        for balance in weights.balances:
            class_of = np.array(BALANCE_SIGNS[balance.balance])
            for i in range(N_PLANETS):
                if a[i] != ABSENT:
                    alike = (class_of[sign] == class_of[a[i] // TENTHS_PER_SIGN]) & is_known
                    shared = (alike * np.array(BODY_WEIGHTS)[:, None]).sum(axis=0)
                    unit = balance.parts[facet][side] * BALANCE_UNIT * BODY_WEIGHTS[i]
                    total[side] += unit * shared
    return weights.curves[facet].scores_micro(total[0], total[1])


def _dignity(weights: Weights, point: int, sign: int, harm: bool) -> int:
    share = weights.dignities[DIGNITY_OF[point][sign]]
    return share.harming if harm else share.helping


def _carried(quality: str, with_luminary: bool, weights: Weights) -> NDArray[np.int64]:
    return np.array(
        [
            0
            if nearness is None or weights.kinds[nearness.kind].quality != quality
            else permille_of(nearness, weights)
            for nearness in nearness_table(with_luminary)
        ]
    )


def brute_order(world: World, scores_micro: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return all charts, best first, equal ones by id, as numbers in the world."""
    order: NDArray[np.int64] = np.lexsort((world.ids, -scores_micro))
    return order


def main() -> None:
    """Prove it, and say what it took."""
    weights, world = load_weights(), world_of(8, N_CHARTS)
    index = Index.of_columns(world.ids, world.owners, world.tenths)
    rng = np.random.Generator(np.random.Philox(key=[8, 1]))
    brute_s = search_s = 0.0
    n_ties = 0
    for n in range(N_QUESTIONS):
        a = world.chart(int(rng.integers(N_CHARTS)))
        blocked = rng.integers(0, N_CHARTS // 3, 40 * (n % 3)).tolist()
        for facet in FACETS:
            begin = perf_counter()
            scores = brute_scores_micro(world.tenths, a, facet, weights)
            order = brute_order(world, scores)
            order = order[~np.isin(world.owners[order], blocked)]
            brute_s += perf_counter() - begin
            after: Place | None = None
            for page in range(2):
                begin = perf_counter()
                found = search(
                    index.snapshot, a, facet, PAGE, weights, after=after, without_owners=blocked
                )
                search_s += perf_counter() - begin
                wanted = order[page * PAGE : (page + 1) * PAGE]
                if [match.chart_id for match in found] != world.ids[wanted].tolist():
                    message = f"question {n}, {facet}, page {page}: other charts"
                    raise SystemExit(message)
                if [match.score_micro for match in found] != scores[wanted].tolist():
                    message = f"question {n}, {facet}, page {page}: other scores"
                    raise SystemExit(message)
                n_ties += int((np.diff(scores[wanted]) == 0).sum())
                after = Place(found[-1].score_micro, found[-1].chart_id)
    print(
        f"{N_CHARTS:,} charts x {N_QUESTIONS} questions x {len(FACETS)} facets x 2 pages: "
        f"ids and scores equal, {n_ties} ties among them; "
        f"every pair {brute_s:.1f} s, search {search_s:.1f} s"
    )


if __name__ == "__main__":
    main()

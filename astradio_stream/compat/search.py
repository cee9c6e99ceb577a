"""The best matches of a chart among all that are published: exact, without trying every pair.

1. The question becomes tables of whole points (`compat.tables`).
2. From the tables follows, for each pair of points, the most that a key of the index can mean: one
   table of 58 081 entries each. Six look-ups and five additions bound any chart.
3. Whoever's bound does not reach the worst of the best so far is out; that is all but one in a
   thousand. The rest is scored exactly, and the bar rises.

The bound. A score rises with the bonuses P and falls with the penalties N, so the pairs that reach
a given score lie beyond a curve in the plane of P and N. A straight line on the near side of that
curve, ``P - slope * N = level``, needs one sum instead of two. Any slope is right; a good one,
taken from the best of the first rows, is fast. The result does not depend on how well it guesses.

Order: by score (millionths), then by id. A cursor is the last match of a page, so that pages stay
true while charts come and go: nobody twice, nobody left out who stayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.compat.curves import MICRO
from astradio_stream.compat.index import BLOCK, FINE, N_BINS, N_KEYS
from astradio_stream.compat.points import N_POINTS, TENTHS, Tenths
from astradio_stream.compat.tables import Tables, tables_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from astradio_stream.compat.curves import Curve, Saturation
    from astradio_stream.compat.index import Block, Snapshot
    from astradio_stream.compat.weights import Weights

_FIRST_GUESS: Final = 256
"""Rows of the first block, best bounds first, that set the bar and the slope."""
_N_STEPS: Final = 128
"""Steps along the curve by which the level of the line is found."""
_STEEPEST: Final = 1e4
_POINT_ROWS: Final = np.arange(N_POINTS)[:, None]


@dataclass(frozen=True, slots=True)
class Match:
    """A chart that was found."""

    chart_id: int
    owner: int
    score_micro: int
    """Millionths."""
    tenths: Tenths
    """Its points, from which facets and reasons follow."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of results: after it the next page begins."""

    score_micro: int
    chart_id: int


def search(
    snapshot: Snapshot,
    a: Tenths,
    facet: str,
    limit: int,
    weights: Weights,
    *,
    after: Place | None = None,
    without_owners: Sequence[int] = (),
    without_charts: Sequence[int] = (),
) -> list[Match]:
    """Return the best matches for a chart, best first.

    Args:
        snapshot: The index as it is now.
        a: The points of the chart that asks.
        facet: One of `weights.FACETS`.
        limit: How many at most, 1 or more.
        weights: The matching model.
        after: The last match of the page before.
        without_owners: Whose charts are left out: one's own, and who is blocked either way.
        without_charts: Charts that are left out: the one that asks, if it is published.
    """
    wanted = _Wanted(
        limit=limit,
        after=after,
        without_owners=np.unique(np.array(without_owners, dtype=np.int64)),
        without_charts=np.unique(np.array(without_charts, dtype=np.int64)),
    )
    hunt = _Hunt(tables_of(a, facet, weights), weights.curves[facet], wanted)
    for block in snapshot.blocks:
        hunt.look_through(block)
    return hunt.matches()


def sums_raw(
    tenths: NDArray[np.int64], a: Tenths, facet: str, weights: Weights
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return bonuses and penalties of some charts for one that asks (raw points), each (n_charts,).

    Args:
        tenths: Their points, shape (12, n_charts).
        a: The points of the chart that asks.
        facet: One of `weights.FACETS`.
        weights: The matching model.
    """
    return _sums(tables_of(a, facet, weights), tenths)


def scores_micro(
    tenths: NDArray[np.int64], a: Tenths, facet: str, weights: Weights
) -> NDArray[np.int64]:
    """Return the scores of some charts for one that asks (millionths), as `sums_raw` takes them."""
    return weights.curves[facet].scores_micro(*sums_raw(tenths, a, facet, weights))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Who counts."""

    limit: int
    after: Place | None
    without_owners: NDArray[np.int64]
    without_charts: NDArray[np.int64]

    def among(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those of some rows that are live and not left out."""
        rows = rows[block.is_live(rows)]
        if self.without_owners.size:
            rows = rows[~np.isin(block.owners[rows], self.without_owners)]
        if self.without_charts.size:
            rows = rows[~np.isin(block.ids[rows], self.without_charts)]
        return rows


class _Hunt:
    """One search: the best so far, and the bar that others have to reach."""

    def __init__(self, tables: Tables, curve: Curve, wanted: _Wanted) -> None:
        self._tables, self._curve, self._wanted = tables, curve, wanted
        # Steps along all penalties that there can be, and what each takes from the score.
        most_penalty = float(tables.penalty.max(axis=1).sum())
        self._steps = np.linspace(0.0, most_penalty, _N_STEPS + 1)
        self._taken = curve.base_micro * curve.penalty.at(self._steps)
        self._slope = 0.0
        self._bounds: list[NDArray[np.float32]] = []
        self._slack = 0.0
        self._bar = (-1, 0.0)
        """The worst score of the best so far, and the level of the line that belongs to it."""
        self._score = np.empty(0, dtype=np.int64)
        self._ids = np.empty(0, dtype=np.int64)
        self._owners = np.empty(0, dtype=np.int64)
        self._tenths = np.empty((N_POINTS, 0), dtype=np.int64)
        # Work space for one block.
        self._bound = np.empty(BLOCK, dtype=np.float32)
        self._part = np.empty(BLOCK, dtype=np.float32)

    def look_through(self, block: Block) -> None:
        """Take in the charts of one block that belong to the best so far."""
        if not self._bounds:
            self._prepare(block)
        bound = self._bound_of(block)
        if self._score.size < self._wanted.limit:
            # No bar yet. The most promising rows set one, and then the block is read again.
            n_first = max(_FIRST_GUESS, 4 * self._wanted.limit)
            if n_first < block.n_rows:
                first = np.argpartition(bound, -n_first)[-n_first:]
                self._take_in(block, first)
                bound[first] = -np.inf
        if self._score.size < self._wanted.limit:
            rows = np.flatnonzero(bound > -np.inf)
        else:
            rows = np.flatnonzero(bound >= self._level())
        if rows.size:
            self._take_in(block, rows)

    def matches(self) -> list[Match]:
        """Return the best, best first."""
        columns = zip(self._ids, self._owners, self._score, self._tenths.T, strict=True)
        return [
            Match(int(chart_id), int(owner), int(score), tuple(tenths.tolist()))
            for chart_id, owner, score, tenths in columns
        ]

    def _prepare(self, block: Block) -> None:
        """Choose the slope of the line by the best of some rows, and build the tables of bounds."""
        rows = np.arange(0, block.n_rows, max(1, block.n_rows // 2048))
        bonus, penalty = _sums(self._tables, block.tenths(rows))
        best = np.argsort(self._curve.scores_micro(bonus, penalty))[-16:]
        self._slope = _slope_at(self._curve, float(bonus[best].mean()), float(penalty[best].mean()))
        worth = self._tables.bonus - self._slope * self._tables.penalty
        most = np.zeros((N_POINTS, N_BINS), dtype=np.float32)
        most[:, :-1] = worth[:, :TENTHS].reshape(N_POINTS, N_BINS - 1, FINE).max(axis=2)
        self._bounds = [
            np.add(most[j, :, None], most[j + 1]).ravel() for j in range(0, N_POINTS, 2)
        ]
        # Two dozen roundings to 24 bits, of sums that are no larger than this.
        self._slack = float(np.abs(most).max(axis=1).sum()) * 2.0**-18

    def _bound_of(self, block: Block) -> NDArray[np.float32]:
        """Return the most that each row of a block may reach, as ``P - slope * N``."""
        bound, part = self._bound[: block.n_rows], self._part[: block.n_rows]
        # Keys are in range by construction: "clip" only spares numpy a copy.
        self._bounds[0].take(block.keys[0, : block.n_rows], out=bound, mode="clip")
        for k in range(1, N_KEYS):
            self._bounds[k].take(block.keys[k, : block.n_rows], out=part, mode="clip")
            bound += part
        return bound

    def _level(self) -> float:
        """Return what ``P - slope * N`` must be at least for the worst of the best so far."""
        worst = int(self._score[-1])
        if worst != self._bar[0]:
            self._bar = (worst, self._level_of(worst))
        return self._bar[1]

    def _level_of(self, score_micro: int) -> float:
        """Return the level of a line that all sums which reach a score lie beyond."""
        curve = self._curve
        # Half a millionth of rounding for either part.
        needed = score_micro - 1.0 - curve.base_micro
        share = (needed + self._taken) / (MICRO - curve.base_micro)
        reached = _inverse(curve.bonus, np.clip(share, 0.0, 1.0 - 1e-12))
        bonus = np.where(share < 1.0, reached, np.inf)
        # Within a step more is needed than at its start, and less is taken away than at its end.
        levels = bonus[:-1] - self._slope * self._steps[1:]
        lowest = int(np.argmin(levels))
        # Roots are right to a dozen digits; half of them are given away.
        return float(levels[lowest] - bonus[lowest] * 1e-6) - self._slack

    def _take_in(self, block: Block, rows: NDArray[np.int64]) -> None:
        """Score some rows of a block exactly and keep the best."""
        wanted = self._wanted
        rows = wanted.among(block, rows)
        tenths = block.tenths(rows)
        score, ids = self._curve.scores_micro(*_sums(self._tables, tenths)), block.ids[rows]
        keep = np.ones(rows.size, dtype=bool)
        if wanted.after is not None:
            keep = _is_after(score, ids, wanted.after.score_micro, wanted.after.chart_id)
        if self._score.size == wanted.limit:
            keep &= ~_is_after(score, ids, int(self._score[-1]), int(self._ids[-1]))
        self._score = np.concatenate((self._score, score[keep]))
        self._ids = np.concatenate((self._ids, ids[keep]))
        self._owners = np.concatenate((self._owners, block.owners[rows[keep]]))
        self._tenths = np.concatenate((self._tenths, tenths[:, keep]), axis=1)
        best = np.lexsort((self._ids, -self._score))[: wanted.limit]
        self._score, self._ids, self._owners = (
            self._score[best],
            self._ids[best],
            self._owners[best],
        )
        self._tenths = self._tenths[:, best]


def _sums(tables: Tables, tenths: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return bonuses and penalties (raw points) of charts given as points, each (n_charts,)."""
    bonus: NDArray[np.int64] = tables.bonus[_POINT_ROWS, tenths].sum(axis=0, dtype=np.int64)
    penalty: NDArray[np.int64] = tables.penalty[_POINT_ROWS, tenths].sum(axis=0, dtype=np.int64)
    return bonus, penalty


def _is_after(
    score: NDArray[np.int64], ids: NDArray[np.int64], than_score: int, than_id: int
) -> NDArray[np.bool_]:
    """Return which charts come after a place in the order of results."""
    is_after: NDArray[np.bool_] = (score < than_score) | ((score == than_score) & (ids > than_id))
    return is_after


def _slope_at(curve: Curve, bonus_raw: float, penalty_raw: float) -> float:
    """Return how many points of bonus outweigh one of penalty there."""
    gain = (MICRO - curve.base_micro) * _steepness_at(curve.bonus, bonus_raw)
    loss = curve.base_micro * _steepness_at(curve.penalty, penalty_raw)
    return min(loss / gain, _STEEPEST) if gain > 0.0 else 0.0


def _steepness_at(saturation: Saturation, raw: float) -> float:
    step = 0.01 * saturation.half
    return saturation.at(raw + step) - saturation.at(max(raw, 0.0))


def _inverse(saturation: Saturation, share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where a curve reaches some shares (0 to below 1)."""
    x: NDArray[np.float64] = (share / (1.0 - share)) ** (1.0 / saturation.steepness)
    return saturation.half * x

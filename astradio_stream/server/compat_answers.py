"""What the search answers: matches and pairs as JSON, told of one moment of the store.

A match is told by its id, its chosen name, the signs of Sun, Moon and ascendant, and its scores. Of
a chart that is somebody else's orbs are whole degrees (`compat.rationale`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from astradio_stream.compat.cursor import cursor_of, place_of_cursor
from astradio_stream.compat.curves import MICRO
from astradio_stream.compat.points import (
    ABSENT,
    ASCENDANT,
    POINT_INDEX,
    TENTHS_PER_SIGN,
    Tenths,
)
from astradio_stream.compat.positions import tenths_of_births
from astradio_stream.compat.rationale import breakdown_of, pair_to_json, score_to_json, why
from astradio_stream.compat.search import Match, scores_micro, search
from astradio_stream.compat.weights import FACETS, load_weights
from astradio_stream.server.publishing import birth_of_chart
from astradio_stream.server.saved import visible
from astradio_stream.sky.zodiac import SIGN_NAMES
from astradio_stream.store.published import names_of, number_of, owners_apart
from astradio_stream.stream.charts import NamedBirth

if TYPE_CHECKING:
    import sqlite3

    from astradio_stream.compat.index import Snapshot
    from astradio_stream.server.compat_asked import Asking, SearchAsked
    from astradio_stream.store.charts import SavedChart

_YOURS: Final = ("your", "their")
_BOTH: Final = ("the first's", "the second's")


@dataclass(frozen=True, slots=True)
class _Known:
    """A chart whose points are known."""

    tenths: Tenths
    saved: SavedChart | None
    """None for a birth that is not saved."""


def page_of_matches(
    store: sqlite3.Connection, snapshot: Snapshot, asked: SearchAsked, user_id: str | None
) -> dict[str, Any]:
    """Return one page of matches, but for the time that it took.

    Raises:
        NotFound: there is no such chart for who asks.
        ValidationFailed: the cursor is none of this question.
    """
    weights = load_weights()
    asking = _known(store, asked.chart, user_id)
    facet, a = asked.facet, asking.tenths
    after = None if asked.cursor is None else place_of_cursor(asked.cursor, a, facet, weights)
    # Who asks meets neither themselves nor whom they, or the owner of the chart, are blocked from.
    accounts = {user_id, asking.saved.user_id if asking.saved else None} - {None}
    found = search(
        snapshot,
        a,
        facet,
        asked.limit,
        weights,
        after=after,
        without_owners=owners_apart(store, [one for one in accounts if one is not None]),
        without_charts=_number(asking.saved),
    )
    names = names_of(store, [match.chart_id for match in found])
    is_full = len(found) == asked.limit
    return {
        "matches": _matches(found, names, a, facet),
        "facet": facet,
        "searched": snapshot.n_charts,
        "nextCursor": cursor_of(found[-1], a, facet, weights) if is_full else None,
    }


def pair_in_full(
    store: sqlite3.Connection, pair: tuple[Asking, Asking], user_id: str | None
) -> dict[str, Any]:
    """Return all facets of a pair, with every contribution.

    Raises:
        NotFound: there is no such chart for who asks.
    """
    first, second = (_known(store, chart, user_id) for chart in pair)
    is_veiled = any(
        known.saved is not None and known.saved.user_id != user_id for known in (first, second)
    )
    told = pair_to_json(first.tenths, second.tenths, load_weights(), _BOTH, is_veiled=is_veiled)
    charts = [
        {
            "chartId": known.saved.id if known.saved else None,
            "name": known.saved.name if known.saved else asked_name(asked),
            "signs": signs_of(known.tenths),
        }
        for asked, known in zip(pair, (first, second), strict=True)
    ]
    return {"charts": charts, **told}


def signs_of(tenths: Tenths) -> dict[str, str | None]:
    """Return the signs of Sun, Moon and ascendant; null where one is not known."""
    points = {
        "sun": POINT_INDEX["sun"],
        "moon": POINT_INDEX["moon"],
        "rising": ASCENDANT,
    }
    return {
        name: None if tenths[at] == ABSENT else SIGN_NAMES[tenths[at] // TENTHS_PER_SIGN]
        for name, at in points.items()
    }


def asked_name(asked: Asking) -> str | None:
    """Return how a chart that is not saved was called."""
    return asked.name if isinstance(asked, NamedBirth) else None


def tenths_of_saved(chart: SavedChart) -> Tenths:
    """Return the points of a saved chart."""
    return tuple(tenths_of_births([birth_of_chart(chart)])[:, 0].tolist())


def _known(store: sqlite3.Connection, asked: Asking, user_id: str | None) -> _Known:
    if isinstance(asked, NamedBirth):
        return _Known(tuple(tenths_of_births([asked.birth])[:, 0].tolist()), None)
    chart = visible(store, asked.to_json(), user_id)
    return _Known(tenths_of_saved(chart), chart)


def _number(saved: SavedChart | None) -> tuple[int, ...]:
    number = None if saved is None else number_of(saved.id)
    return () if number is None else (number,)


def _matches(
    found: list[Match], names: dict[int, tuple[str, str]], a: Tenths, facet: str
) -> list[dict[str, Any]]:
    if not found:
        return []
    weights = load_weights()
    theirs = np.array([match.tenths for match in found], dtype=np.int64).T
    known = np.array([match.score_micro for match in found], dtype=np.int64)
    scores = {
        each: (known if each == facet else scores_micro(theirs, a, each, weights)) / MICRO
        for each in FACETS
    }
    matches = []
    for n, match in enumerate(found):
        chart_id, name = names[match.chart_id]
        breakdown = breakdown_of(a, match.tenths, facet, weights, _YOURS, is_veiled=True)
        matches.append(
            {
                "chartId": chart_id,
                "name": name,
                **score_to_json(facet, match.score_micro),
                "facets": {each: float(scores[each][n]) for each in FACETS},
                "rationale": why(breakdown),
                "signs": signs_of(match.tenths),
            }
        )
    return matches

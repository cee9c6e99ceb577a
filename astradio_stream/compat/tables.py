"""One chart's question as tables: what each point of an unknown chart adds, wherever it stands.

All points of the one who asks are summed in beforehand, so that

    bonus(b) = sum over the points j of b of  table[j][tenth of j]

and the same for penalties: twelve look-ups for a chart instead of 144 pairs. The entries are the
whole numbers of `compat.contacts`, so that the sums are equal, not nearly. How each rule fits in:

    aspects    the strength over all arcs, turned to the asking point, times its dignity;
               then times the dignity of j, which depends on where j stands
    overlays   bodies of b in a's houses: steps in the table of each body;
               bodies of a in b's houses: steps in the table of b's ascendant
    balances   a body of b in a sign adds its weight times the weight of a's bodies of that kind
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from astradio_stream.compat.contacts import BALANCE_SIGNS, nearness_table, permille_of
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
from astradio_stream.compat.weights import (
    BALANCE_UNIT,
    DIGNITY_UNIT,
    FACETS,
    QUALITIES,
    STRENGTH_UNIT,
    Weights,
    is_harm,
)
from astradio_stream.sky.bodies import N_PLANETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

BONUS: Final = 0
PENALTY: Final = 1
_TENTH: Final = np.arange(TENTHS, dtype=np.int32)
_MASS: Final = np.array(BODY_WEIGHTS, dtype=np.int32)


@dataclass(frozen=True, slots=True)
class Tables:
    """What a chart adds, point by point."""

    bonus: NDArray[np.int32]
    """Raw points, shape (12, 3601); the last column is an absent point and holds zeros."""
    penalty: NDArray[np.int32]
    """The same."""


@dataclass(frozen=True, slots=True)
class _Facet:
    """What does not depend on who asks."""

    aspects: tuple[tuple[int, int, int, NDArray[np.int32]], ...]
    """Side, point of a, point of b, and the raw points (before dignities) over two turns of arc."""
    dignity: NDArray[np.int32]
    """Tenths, shape (2 sides, 12 points, 12 signs)."""
    overlay: NDArray[np.int32]
    """Weights, shape (2 sides, 10 bodies, 12 houses)."""
    balance: tuple[tuple[int, tuple[int, ...], int], ...]
    """Side, the class of each sign, and raw points per product of weights."""


def tables_of(a: Tenths, facet: str, weights: Weights) -> Tables:
    """Return the tables of the chart that asks, for one facet."""
    rules = _facet_of(facet, weights)
    within = np.zeros((2, N_POINTS, TENTHS), dtype=np.int32)
    known = [i for i in range(N_POINTS) if a[i] != ABSENT]
    sign = {i: a[i] // TENTHS_PER_SIGN for i in known}

    # Aspects: arcs count from the asking point, so its pattern is turned to where it stands.
    turned = np.empty(TENTHS, dtype=np.int32)
    for side, i, j, pattern in rules.aspects:
        if a[i] != ABSENT:
            from_a = pattern[TENTHS - a[i] : 2 * TENTHS - a[i]]
            np.multiply(from_a, rules.dignity[side, i, sign[i]], out=turned)
            within[side, j] += turned
    by_sign = within.reshape(2, N_POINTS, 12, TENTHS_PER_SIGN)
    by_sign *= rules.dignity[:, :, :, None]

    # Overlays: theirs in the houses of the one who asks ...
    whole = STRENGTH_UNIT * DIGNITY_UNIT
    if a[ASCENDANT] != ABSENT:
        house = (_TENTH - a[ASCENDANT]) % TENTHS // TENTHS_PER_HOUSE
        for side in (BONUS, PENALTY):
            visits = np.take(rules.overlay[side], house, axis=1)
            visits *= np.repeat(rules.dignity[side, :N_PLANETS] * whole, TENTHS_PER_SIGN, axis=1)
            within[side, :N_PLANETS] += visits
    # ... and the bodies of the one who asks in theirs, wherever their ascendant is.
    if facet != "mentor":
        for i in known:
            if i < N_PLANETS:
                house = (a[i] - _TENTH) % TENTHS // TENTHS_PER_HOUSE
                for side in (BONUS, PENALTY):
                    visits = rules.overlay[side, i] * (rules.dignity[side, i, sign[i]] * whole)
                    within[side, ASCENDANT] += visits[house]

    # Balances.
    for side, class_of, raw in rules.balance:
        mass = [0] * (max(class_of) + 1)
        for i in known:
            mass[class_of[sign[i]]] += BODY_WEIGHTS[i]
        likeness = np.array([raw * mass[kind] for kind in class_of], dtype=np.int32)
        by_sign[side] += (_MASS[:, None] * likeness)[:, :, None]

    table = np.zeros((2, N_POINTS, TENTHS + 1), dtype=np.int32)
    table[:, :, :TENTHS] = within
    return Tables(table[BONUS], table[PENALTY])


def prepare(weights: Weights) -> None:
    """Compile all facets ahead of the first question (a tenth of a second)."""
    for facet in FACETS:
        _facet_of(facet, weights)


_compiled: dict[tuple[str, str], _Facet] = {}


def _facet_of(facet: str, weights: Weights) -> _Facet:
    """Return a facet compiled, once per process and set of weights."""
    key = (weights.digest, facet)
    found = _compiled.get(key)
    if found is None:
        found = _compiled[key] = _compile(facet, weights)
    return found


def _compile(facet: str, weights: Weights) -> _Facet:
    overlay = np.zeros((2, N_PLANETS, 12), dtype=np.int32)
    for row in weights.overlays:
        overlay[:, row.body, row.house - 1] = row.parts[facet]
    shares = [
        [
            [
                share.harming if is_harm(facet, penalty=bool(side)) else share.helping
                for share in (weights.dignities[dignity] for dignity in DIGNITY_OF[point])
            ]
            for point in range(N_POINTS)
        ]
        for side in (BONUS, PENALTY)
    ]
    return _Facet(
        aspects=tuple(_patterns(facet, weights)),
        dignity=np.array(shares, dtype=np.int32),
        overlay=overlay,
        balance=tuple(
            (side, BALANCE_SIGNS[row.balance], weight * BALANCE_UNIT)
            for row in weights.balances
            for side, weight in enumerate(row.parts[facet])
            if weight
        ),
    )


def _patterns(facet: str, weights: Weights) -> Iterator[tuple[int, int, int, NDArray[np.int32]]]:
    """Yield for each side and pair of points what an arc from one to the other is worth."""
    carried = {
        (quality, with_luminary): _carried(quality, weights, with_luminary=with_luminary)
        for quality in QUALITIES
        for with_luminary in (False, True)
    }
    worth: dict[tuple[int, int, int], NDArray[np.int32]] = {}
    for (i, j, quality), rows in weights.rows_between.items():
        for row in rows:
            for side, weight in enumerate(row.parts[facet]):
                if weight:
                    pattern = weight * carried[quality, IS_LUMINARY[i] or IS_LUMINARY[j]]
                    key = (side, i, j)
                    worth[key] = worth[key] + pattern if key in worth else pattern
    for (side, i, j), pattern in worth.items():
        yield side, i, j, np.tile(pattern, 2)


def _carried(quality: str, weights: Weights, *, with_luminary: bool) -> NDArray[np.int32]:
    """Return how much of a quality an arc carries, in thousandths, for each arc of a turn."""
    return np.array(
        [
            permille_of(nearness, weights)
            if nearness is not None and weights.kinds[nearness.kind].quality == quality
            else 0
            for nearness in nearness_table(with_luminary)
        ],
        dtype=np.int32,
    )

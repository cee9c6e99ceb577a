"""Every contact between two charts, one by one: the full scorer, in plain Python.

It is the definition of a score. `compat.tables` regroups the same whole numbers for search; that
both say the same is proved by tests. Charts are called `a`, who asks, and `b`, who is met. All
facets but one are the same both ways; `mentor` asks how good a mentor `b` would be for `a`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from astradio_stream.compat.points import (
    ABSENT,
    ASCENDANT,
    BODY_WEIGHTS,
    DIGNITY_OF,
    ELEMENT_OF,
    IS_LUMINARY,
    MODALITY_OF,
    N_POINTS,
    TENTHS,
    TENTHS_PER_SIGN,
    Tenths,
    house_in,
)
from astradio_stream.compat.weights import (
    BALANCE_UNIT,
    DIGNITY_UNIT,
    STRENGTH_UNIT,
    Row,
    Weights,
    is_harm,
)
from astradio_stream.sky.aspects import ASPECT_KINDS, strength_of
from astradio_stream.sky.bodies import N_PLANETS

if TYPE_CHECKING:
    from collections.abc import Iterator

BALANCE_SIGNS: Final = {"element": ELEMENT_OF, "modality": MODALITY_OF}
"""What each sign counts as in a balance."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """The aspect that two points make."""

    kind: str
    orb_tenths: int
    strength: float
    """1 when exact, falling smoothly to 0 at the orb: that of `sky.aspects`."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One rule that holds between two charts."""

    row: Row
    a: int | None
    """The point of chart a; None for balances, and where a's houses receive a body of b."""
    b: int | None
    """The point of chart b, likewise."""
    nearness: Nearness | None
    """For aspects."""
    likeness: float | None
    """For balances: 0 to 1."""
    bonus_raw: int
    """Raw points added to the bonuses, see `weights.POINT`."""
    penalty_raw: int
    """Raw points added to the penalties."""


@cache
def nearness_table(with_luminary: bool) -> tuple[Nearness | None, ...]:
    """Return the aspect at each arc from 0 to 3 599 tenths of a degree."""
    table: list[Nearness | None] = []
    for arc in range(TENTHS):
        separation = min(arc, TENTHS - arc)
        for kind in ASPECT_KINDS:
            widest = 10.0 * (kind.orb_deg + kind.luminary_extra_deg * with_luminary)
            orb = abs(separation - round(10.0 * kind.angle_deg))
            if orb < widest:
                table.append(Nearness(kind.name, orb, strength_of(orb, widest)))
                break
        else:
            table.append(None)
    return tuple(table)


def permille_of(nearness: Nearness, weights: Weights) -> int:
    """Return how much of its quality an aspect carries here, in whole thousandths."""
    return round(nearness.strength * weights.kinds[nearness.kind].permille)


def nearness_of(a: Tenths, i: int, b: Tenths, j: int) -> Nearness | None:
    """Return the aspect of point `i` of one chart with point `j` of another, if any."""
    if a[i] == ABSENT or b[j] == ABSENT:
        return None
    return nearness_table(IS_LUMINARY[i] or IS_LUMINARY[j])[(b[j] - a[i]) % TENTHS]


def contacts_of(a: Tenths, b: Tenths, facet: str, weights: Weights) -> list[Contact]:
    """Return everything that counts for a facet between two charts, in the order of the rules."""
    found = [
        *_aspect_contacts(a, b, facet, weights),
        *_overlay_contacts(a, b, facet, weights),
        *_balance_contacts(a, b, facet, weights),
    ]
    return [contact for contact in found if contact.bonus_raw or contact.penalty_raw]


def sums_of(contacts: list[Contact]) -> tuple[int, int]:
    """Return the raw points of all bonuses and of all penalties."""
    return (
        sum(contact.bonus_raw for contact in contacts),
        sum(contact.penalty_raw for contact in contacts),
    )


def score_micro(a: Tenths, b: Tenths, facet: str, weights: Weights) -> int:
    """Return the score of `b` for `a` in one facet (millionths, 0 to 1 000 000)."""
    return weights.curves[facet].score_micro(*sums_of(contacts_of(a, b, facet, weights)))


def dignity_tenths(weights: Weights, point: int, tenth: int, *, harm: bool) -> int:
    """Return how strongly a point gives, or offends, where it stands (`DIGNITY_UNIT`: plainly)."""
    share = weights.dignities[DIGNITY_OF[point][tenth // TENTHS_PER_SIGN]]
    return share.harming if harm else share.helping


def _aspect_contacts(a: Tenths, b: Tenths, facet: str, weights: Weights) -> Iterator[Contact]:
    gives_a, gives_b, takes_a, takes_b = (
        _dignities(weights, tenths, harm=is_harm(facet, penalty=penalty))
        for penalty in (False, True)
        for tenths in (a, b)
    )
    for i in range(N_POINTS):
        for j in range(N_POINTS):
            nearness = nearness_of(a, i, b, j)
            if nearness is None:
                continue
            rows = weights.rows_between.get((i, j, weights.kinds[nearness.kind].quality))
            if rows is None:
                continue
            permille = permille_of(nearness, weights)
            gives = permille * gives_a[i] * gives_b[j]
            takes = permille * takes_a[i] * takes_b[j]
            for row in rows:
                bonus, penalty = row.parts[facet]
                yield Contact(row, i, j, nearness, None, bonus * gives, penalty * takes)


def _dignities(weights: Weights, tenths: Tenths, *, harm: bool) -> list[int]:
    """Return `dignity_tenths` of every point of a chart; 0 for what is not known."""
    return [
        0 if tenth == ABSENT else dignity_tenths(weights, point, tenth, harm=harm)
        for point, tenth in enumerate(tenths)
    ]


def _overlay_contacts(a: Tenths, b: Tenths, facet: str, weights: Weights) -> Iterator[Contact]:
    harms = (is_harm(facet, penalty=False), is_harm(facet, penalty=True))
    for is_from_b, visitor, host in ((False, a, b), (True, b, a)):
        # A mentor's bodies count in the learner's houses, not the other way round.
        if host[ASCENDANT] == ABSENT or (facet == "mentor" and not is_from_b):
            continue
        for body in range(N_PLANETS):
            if visitor[body] == ABSENT:
                continue
            row = weights.row_in_house.get((body, house_in(visitor[body], host[ASCENDANT])))
            if row is None:
                continue
            bonus, penalty = (
                weight
                * STRENGTH_UNIT
                * dignity_tenths(weights, body, visitor[body], harm=harm)
                * DIGNITY_UNIT
                for harm, weight in zip(harms, row.parts[facet], strict=True)
            )
            i, j = (None, body) if is_from_b else (body, None)
            yield Contact(row, i, j, None, None, bonus, penalty)


def _balance_contacts(a: Tenths, b: Tenths, facet: str, weights: Weights) -> Iterator[Contact]:
    """Yield likeness: how often a body of `a` and one of `b`, drawn by weight, are of one kind."""
    for row in weights.balances:
        class_of = BALANCE_SIGNS[row.balance]
        mass_a, mass_b = _masses(a, class_of), _masses(b, class_of)
        shared = sum(mine * theirs for mine, theirs in zip(mass_a, mass_b, strict=True))
        bonus, penalty = (weight * BALANCE_UNIT * shared for weight in row.parts[facet])
        yield Contact(row, None, None, None, shared / sum(BODY_WEIGHTS) ** 2, bonus, penalty)


def _masses(tenths: Tenths, class_of: tuple[int, ...]) -> list[int]:
    """Return the weight of a chart's bodies in each class of signs."""
    masses = [0] * (max(class_of) + 1)
    for body in range(N_PLANETS):
        if tenths[body] != ABSENT:
            masses[class_of[tenths[body] // TENTHS_PER_SIGN]] += BODY_WEIGHTS[body]
    return masses

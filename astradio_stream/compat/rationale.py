"""Why two charts score as they do: plain sentences, and a breakdown that adds up exactly.

The curve of a facet saturates, so the parts of a score are not its points. Each side of it, what
the bonuses add and what the penalties take, is shared out among its contacts in proportion to their
points, in whole millionths by largest remainders. So

    score = base + sum of the values of all contributions

holds to the last digit, and removing a row shows what it was worth among the others.

**Veiled.** Orbs to a tenth of a degree, asked for with charts of one's own making, are positions,
and positions are a birth. Of a chart that is somebody else's, orbs are therefore told in whole
degrees, and contributions are shared out as if the orbs were whole: they still add up to the score,
which alone is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from astradio_stream.compat.contacts import (
    Contact,
    Nearness,
    contacts_of,
    permille_of,
    sums_of,
)
from astradio_stream.compat.curves import MICRO
from astradio_stream.compat.distribution import load_distribution
from astradio_stream.compat.points import (
    ASCENDANT,
    IS_LUMINARY,
    POINT_NAMES,
    Tenths,
    house_in,
)
from astradio_stream.compat.weights import FACETS, MATCHING_VERSION, BalanceRow, Weights
from astradio_stream.sky.aspects import KIND_BY_NAME, strength_of

if TYPE_CHECKING:
    from collections.abc import Sequence

STRENGTH_DECIMALS: Final = 3
_VERBS: Final = {
    "conjunction": "meets",
    "opposition": "stands opposite",
    "trine": "is trine",
    "square": "squares",
    "sextile": "is sextile",
    "quincunx": "is quincunx",
    "semisextile": "is semisextile",
    "semisquare": "is semisquare",
    "sesquisquare": "is sesquisquare",
    "quintile": "is quintile",
}
_ANGLES: Final = ("ascendant", "midheaven")
"""Written small in the middle of a sentence; bodies are capitalised."""
_BALANCE_WORDS: Final = {"element": "elements", "modality": "modalities"}


@dataclass(frozen=True, slots=True)
class Speech:
    """How the contacts of a pair are told."""

    a: Tenths
    b: Tenths
    whose: tuple[str, str]
    """How sentences speak of the points of a and of b."""
    decimals: int
    """Of orbs (degrees)."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """One contact and what it is worth in the score."""

    contact: Contact
    value_micro: int
    """Millionths of the score, negative where it takes away."""
    speech: Speech

    @property
    def sentence(self) -> str:
        """Return the contact as a plain sentence, with points, aspect and orb.

        It is put together when it is asked for: a match is told by three of some forty.
        """
        return f"{_fact_of(self.contact, self.speech)}: {self.contact.row.reason}."


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One facet of a pair in full."""

    facet: str
    score_micro: int
    base_micro: int
    """The score that a pair without any contact would have."""
    contributions: tuple[Contribution, ...]
    """Strongest first; with the base they add up to the score."""


def breakdown_of(
    a: Tenths,
    b: Tenths,
    facet: str,
    weights: Weights,
    whose: tuple[str, str] = ("your", "their"),
    *,
    is_veiled: bool = False,
) -> Breakdown:
    """Return a facet of a pair with everything that made it.

    Args:
        a: The chart that asks; for `mentor` the learner.
        b: The chart that is met; for `mentor` the one who would teach.
        facet: One of `weights.FACETS`.
        weights: The matching model.
        whose: How sentences speak of the points of a and of b.
        is_veiled: Whether one of the two is somebody else's, who told their signs only.
    """
    contacts = contacts_of(a, b, facet, weights)
    curve = weights.curves[facet]
    added, taken = curve.parts_micro(*sums_of(contacts))
    if is_veiled:
        contacts = [_veiled(contact, weights) for contact in contacts]
    adds = shared_out(added, [contact.bonus_raw for contact in contacts])
    takes = shared_out(taken, [contact.penalty_raw for contact in contacts])
    speech = Speech(a, b, whose, decimals=0 if is_veiled else 1)
    contributions = [
        Contribution(contact, plus - minus, speech)
        for contact, plus, minus in zip(contacts, adds, takes, strict=True)
    ]
    contributions.sort(key=lambda each: (-abs(each.value_micro), each.contact.row.rule))
    return Breakdown(
        facet, curve.base_micro + added - taken, curve.base_micro, tuple(contributions)
    )


def why(breakdown: Breakdown, n_sentences: int = 3) -> list[str]:
    """Return the sentences of the contacts that raised a score most (for `conflict`, too)."""
    told: dict[str, str] = {}
    for each in breakdown.contributions:
        if each.value_micro > 0:
            # Two rules may speak of one contact, which is told once.
            sentence = each.sentence
            told.setdefault(sentence.partition(": ")[0], sentence)
            if len(told) == n_sentences:
                break
    return list(told.values())


def pair_to_json(
    a: Tenths,
    b: Tenths,
    weights: Weights,
    whose: tuple[str, str] = ("your", "their"),
    *,
    is_veiled: bool = False,
) -> dict[str, Any]:
    """Return all facets of a pair with every contribution, in the shape of the contract."""
    return {
        "modelVersion": MATCHING_VERSION,
        "weightsVersion": weights.version,
        "facets": {
            facet: _breakdown_to_json(
                breakdown_of(a, b, facet, weights, whose, is_veiled=is_veiled)
            )
            for facet in FACETS
        },
    }


def score_to_json(facet: str, score_micro: int) -> dict[str, float]:
    """Return a score (0 to 1) with its percentile among random pairs."""
    percentile = load_distribution().percentile_of(facet, score_micro)
    return {"score": score_micro / MICRO, "percentile": percentile}


def shared_out(total: int, parts: Sequence[int]) -> list[int]:
    """Return a whole number in whole shares proportional to some parts, by largest remainders.

    Args:
        total: What there is, not negative.
        parts: Not negative; if all are zero nobody receives anything, and the total must be zero.
    """
    whole = sum(parts)
    if whole == 0:
        return [0] * len(parts)
    shares = [total * part // whole for part in parts]
    remainders = [(total * part % whole, -n) for n, part in enumerate(parts)]
    for _, minus_n in sorted(remainders, reverse=True)[: total - sum(shares)]:
        shares[-minus_n] += 1
    return shares


def _veiled(contact: Contact, weights: Weights) -> Contact:
    """Return a contact as if its orb were a whole number of degrees."""
    nearness = contact.nearness
    if nearness is None or contact.a is None or contact.b is None:
        return contact
    told = _in_whole_degrees(nearness, IS_LUMINARY[contact.a] or IS_LUMINARY[contact.b])
    # What counts at all stays in the sharing, however wide the rounded orb is.
    was, now = permille_of(nearness, weights), max(1, permille_of(told, weights))
    bonus_raw, penalty_raw = contact.bonus_raw // was * now, contact.penalty_raw // was * now
    return Contact(contact.row, contact.a, contact.b, told, None, bonus_raw, penalty_raw)


@cache
def _in_whole_degrees(nearness: Nearness, with_luminary: bool) -> Nearness:
    """Return an aspect as if its orb were a whole number of degrees."""
    kind = KIND_BY_NAME[nearness.kind]
    widest = 10.0 * (kind.orb_deg + kind.luminary_extra_deg * with_luminary)
    orb = (nearness.orb_tenths + 5) // 10 * 10
    return Nearness(nearness.kind, orb, strength_of(min(orb, widest), widest))


def _fact_of(contact: Contact, speech: Speech) -> str:
    a, b = speech.a, speech.b
    mine, theirs = speech.whose
    if contact.nearness is not None and contact.a is not None and contact.b is not None:
        verb, orb = _VERBS[contact.nearness.kind], contact.nearness.orb_tenths / 10.0
        subject, other = _name(contact.a), _name(contact.b)
        orb_told = f"{orb:.{speech.decimals}f}°"
        return f"{_capital(mine)} {subject} {verb} {theirs} {other} (orb {orb_told})"
    if isinstance(contact.row, BalanceRow):
        kind, percent = (
            _BALANCE_WORDS[contact.row.balance],
            round(100.0 * (contact.likeness or 0.0)),
        )
        return f"{_capital(mine)} and {theirs} {kind} are {percent} % alike"
    if contact.a is not None:
        house = house_in(a[contact.a], b[ASCENDANT])
        return f"{_capital(mine)} {_name(contact.a)} stands in {theirs} {_ordinal(house)} house"
    body = contact.b if contact.b is not None else 0
    house = house_in(b[body], a[ASCENDANT])
    return f"{_capital(theirs)} {_name(body)} stands in {mine} {_ordinal(house)} house"


def _breakdown_to_json(breakdown: Breakdown) -> dict[str, Any]:
    return {
        **score_to_json(breakdown.facet, breakdown.score_micro),
        "base": breakdown.base_micro / MICRO,
        "contributions": [_contribution_to_json(each) for each in breakdown.contributions],
    }


def _contribution_to_json(contribution: Contribution) -> dict[str, Any]:
    contact = contribution.contact
    nearness = contact.nearness
    return {
        "rule": contact.row.rule,
        "value": contribution.value_micro / MICRO,
        "a": None if contact.a is None else POINT_NAMES[contact.a],
        "b": None if contact.b is None else POINT_NAMES[contact.b],
        "kind": None if nearness is None else nearness.kind,
        "orbDeg": None if nearness is None else nearness.orb_tenths / 10.0,
        "strength": None if nearness is None else round(nearness.strength, STRENGTH_DECIMALS),
        "sentence": contribution.sentence,
    }


def _name(point: int) -> str:
    name = POINT_NAMES[point]
    return name if name in _ANGLES else name.capitalize()


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _ordinal(n: int) -> str:
    return f"{n}{({1: 'st', 2: 'nd', 3: 'rd'}).get(n, 'th')}"

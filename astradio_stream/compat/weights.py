"""The weights of compatibility: read from one data file, checked once, held as rows and arrays.

`weights.json` is the whole of matching model v1.0. Its rows say what a contact between two charts
means for each facet, and why:

    aspects    a pair of points, a quality of aspect, points per facet; the same both ways
    directed   what only the mentor's point does to the learner's
    overlays   one chart's body in a house of the other; `mentor` counts the mentor's body only
    balances   likeness of elements and of modalities
    kinds      how much of a quality each kind of aspect carries, in thousandths
    dignities  how freely a body gives and how readily it takes offence, in tenths
    curves     how the sums become a score, see `compat.curves`

`overall` has no column of its own. It counts what the positive facets share: of each row that at
least two of them value, the sum of their points. And it subtracts what makes `conflict`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from astradio_stream.compat.curves import Curve, curve_of
from astradio_stream.compat.points import BODY_WEIGHTS, POINT_INDEX
from astradio_stream.sky.aspects import KIND_BY_NAME
from astradio_stream.sky.bodies import PLANET_NAMES
from astradio_stream.sky.zodiac import DIGNITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

POSITIVE_FACETS: Final = ("friends", "lovers", "creative", "mentor")
WEIGHED_FACETS: Final = (*POSITIVE_FACETS, "conflict")
FACETS: Final = (*WEIGHED_FACETS, "overall")
QUALITIES: Final = ("conjunction", "soft", "opposition", "hard")
BALANCES: Final = ("element", "modality")
MATCHING_VERSION: Final = "v1.0"

STRENGTH_UNIT: Final = 1_000
"""Raw points per point of weight at full strength, before dignities."""
DIGNITY_UNIT: Final = 10
"""A body without dignity: dignities are counted in tenths."""
POINT: Final = STRENGTH_UNIT * DIGNITY_UNIT * DIGNITY_UNIT
"""Raw points of one point of weight: the unit in which sums are taken, as whole numbers."""
BALANCE_UNIT: Final = POINT // sum(BODY_WEIGHTS) ** 2
"""Raw points per point of weight and per product of two bodies' weights (173.6, rounded down)."""

_HIGHEST: Final = 20
"""Largest weight of a row. Sums then stay far below the 2**31 that a table entry has room for."""


class WeightsWrong(ValueError):
    """The data file does not say what it must; the sentence names the row."""


@dataclass(frozen=True, slots=True)
class Row:
    """One rule: when it holds, what it gives to each facet, and why."""

    rule: str
    """Its name, unique: the row's table and key."""
    weights: Mapping[str, int]
    """Points per facet, negative where it takes away; facets without a part are left out."""
    reason: str
    """The end of a sentence that begins with the contact."""
    parts: Mapping[str, tuple[int, int]] = field(init=False)
    """The same for all facets, `overall` too: points for the bonuses and for the penalties."""

    def __post_init__(self) -> None:
        """Work out what each facet takes from the row."""
        parts = {facet: _part(self.weights, facet) for facet in FACETS}
        object.__setattr__(self, "parts", parts)


@dataclass(frozen=True, slots=True)
class AspectRow(Row):
    """A quality of aspect between two points, whichever chart has which."""

    a: int
    b: int
    quality: str


@dataclass(frozen=True, slots=True)
class DirectedRow(Row):
    """A quality of aspect between a mentor's point and a learner's."""

    mentor: int
    learner: int
    quality: str


@dataclass(frozen=True, slots=True)
class OverlayRow(Row):
    """A body of one chart in a house of the other."""

    body: int
    house: int


@dataclass(frozen=True, slots=True)
class BalanceRow(Row):
    """Likeness in elements or in modalities."""

    balance: str


@dataclass(frozen=True, slots=True)
class KindShare:
    """What one kind of aspect carries of its quality."""

    quality: str
    permille: int


@dataclass(frozen=True, slots=True)
class DignityShare:
    """How a dignity changes what a body gives and how it offends, in tenths."""

    helping: int
    harming: int


@dataclass(frozen=True, slots=True)
class Weights:
    """Matching model v1.0, checked."""

    version: str
    digest: str
    """SHA-256 (hexadecimal) of the file: what the shipped distribution belongs to."""
    kinds: Mapping[str, KindShare]
    dignities: Mapping[str | None, DignityShare]
    """By the name of the dignity; None is a body without one."""
    curves: Mapping[str, Curve]
    aspects: tuple[AspectRow, ...]
    directed: tuple[DirectedRow, ...]
    overlays: tuple[OverlayRow, ...]
    balances: tuple[BalanceRow, ...]
    rows_between: Mapping[tuple[int, int, str], tuple[Row, ...]]
    """The rows for point i of the one who asks, point j of the other, and a quality."""
    row_in_house: Mapping[tuple[int, int], Row]
    """The row for a body in a house."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """Return all rules."""
        return (*self.aspects, *self.directed, *self.overlays, *self.balances)


def is_harm(facet: str, *, penalty: bool) -> bool:
    """Return whether what is counted here hurts: penalties do, but what feeds `conflict` too."""
    return (facet == "conflict") != penalty


@cache
def load_weights() -> Weights:
    """Read and check the shipped weights (once per process).

    Raises:
        WeightsWrong: naming what is missing or impossible.
    """
    return weights_of((files("astradio_stream.compat") / "weights.json").read_bytes())


def weights_of(data: bytes) -> Weights:
    """Return the weights that a file says.

    Raises:
        WeightsWrong: naming what is missing or impossible.
    """
    try:
        table: dict[str, Any] = json.loads(data)
        aspects = tuple(_aspect_row(entry) for entry in table["aspects"])
        directed = tuple(_directed_row(entry) for entry in table["directed"])
        overlays = tuple(_overlay_row(entry) for entry in table["overlays"])
        weights = Weights(
            version=table["version"],
            digest=sha256(data).hexdigest(),
            kinds={
                name: KindShare(entry["quality"], entry["permille"])
                for name, entry in table["kinds"].items()
            },
            dignities={None: DignityShare(DIGNITY_UNIT, DIGNITY_UNIT)}
            | {
                name: DignityShare(entry["helpingTenths"], entry["harmingTenths"])
                for name, entry in table["dignities"].items()
            },
            curves={facet: curve_of(table["curves"][facet], POINT) for facet in FACETS},
            aspects=aspects,
            directed=directed,
            overlays=overlays,
            balances=tuple(
                BalanceRow(f"balance:{e['balance']}", e["weights"], e["reason"], e["balance"])
                for e in table["balances"]
            ),
            rows_between=_rows_between(aspects, directed),
            row_in_house={(row.body, row.house): row for row in overlays},
        )
        _check(weights)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, WeightsWrong):
            raise
        message = f"the weights of compatibility cannot be read: {error!r}"
        raise WeightsWrong(message) from error
    return weights


def _aspect_row(entry: Mapping[str, Any]) -> AspectRow:
    a, b, quality = entry["a"], entry["b"], entry["quality"]
    rule = f"aspect:{a}-{b}:{quality}"
    return AspectRow(
        rule, entry["weights"], entry["reason"], POINT_INDEX[a], POINT_INDEX[b], quality
    )


def _directed_row(entry: Mapping[str, Any]) -> DirectedRow:
    mentor, learner, quality = entry["mentor"], entry["learner"], entry["quality"]
    return DirectedRow(
        f"directed:{mentor}>{learner}:{quality}",
        {"mentor": entry["weight"]},
        entry["reason"],
        POINT_INDEX[mentor],
        POINT_INDEX[learner],
        quality,
    )


def _overlay_row(entry: Mapping[str, Any]) -> OverlayRow:
    body, house = entry["body"], entry["house"]
    rule = f"overlay:{body}:{house}"
    return OverlayRow(rule, entry["weights"], entry["reason"], POINT_INDEX[body], house)


def _part(weights: Mapping[str, int], facet: str) -> tuple[int, int]:
    """Return what a row adds to the bonuses and to the penalties of a facet, neither negative."""
    if facet == "overall":
        shared = [weights[name] for name in POSITIVE_FACETS if weights.get(name, 0) > 0]
        return sum(shared) if len(shared) > 1 else 0, max(weights.get("conflict", 0), 0)
    weight = weights.get(facet, 0)
    return max(weight, 0), max(-weight, 0)


def _rows_between(
    aspects: tuple[AspectRow, ...], directed: tuple[DirectedRow, ...]
) -> dict[tuple[int, int, str], tuple[Row, ...]]:
    """Return the rows by the points of the one who asks (the learner) and of the other."""
    found: dict[tuple[int, int, str], tuple[Row, ...]] = {}
    for row in aspects:
        for key in dict.fromkeys(((row.a, row.b, row.quality), (row.b, row.a, row.quality))):
            found[key] = (*found.get(key, ()), row)
    for each in directed:
        key = (each.learner, each.mentor, each.quality)
        found[key] = (*found.get(key, ()), each)
    return found


def _check(weights: Weights) -> None:
    """Refuse weights that break what the package promises.

    Raises:
        WeightsWrong: naming the row.
    """
    _require(weights.version == MATCHING_VERSION, f"version must be {MATCHING_VERSION}")
    _require(set(weights.kinds) == set(KIND_BY_NAME), "kinds must be those of sky.aspects")
    for name, kind in weights.kinds.items():
        _require(kind.quality in QUALITIES, f"kinds.{name}: its quality is unknown")
        _require(0 < kind.permille <= STRENGTH_UNIT, f"kinds.{name}: permille must be 1 to 1000")
    known = {dignity for row in DIGNITIES.values() for dignity in row}
    _require(set(weights.dignities) == known, "dignities must be those of sky.zodiac")
    for share in weights.dignities.values():
        tenths = (share.helping, share.harming)
        _require(all(5 <= n <= 15 for n in tenths), "dignities must be 5 to 15 tenths")

    rules = [row.rule for row in weights.rows]
    for row in weights.rows:
        _require(rules.count(row.rule) == 1, f"{row.rule}: stands twice")
        _require(bool(row.reason.strip()), f"{row.rule}: has no reason")
        _require(bool(row.weights), f"{row.rule}: has no weight, so that it can never count")
        for facet, weight in row.weights.items():
            _require(facet in WEIGHED_FACETS, f"{row.rule}: there is no facet {facet}")
            is_whole = isinstance(weight, int) and not isinstance(weight, bool)
            _require(
                is_whole and 0 < abs(weight) <= _HIGHEST,
                f"{row.rule}: {facet} must be a whole number from -{_HIGHEST} to {_HIGHEST}, not 0",
            )
    contacts: tuple[AspectRow | DirectedRow, ...] = (*weights.aspects, *weights.directed)
    for contact in contacts:
        _require(contact.quality in QUALITIES, f"{contact.rule}: its quality is unknown")
        for facet, weight in contact.weights.items():
            helps = contact.quality == "soft" and facet != "conflict"
            harms = contact.quality in {"hard", "opposition"} and facet == "conflict"
            _require(
                weight > 0 or not (helps or harms),
                f"{contact.rule}: {contact.quality} must not lower {facet}",
            )
    for aspect in weights.aspects:
        _require(aspect.a <= aspect.b, f"{aspect.rule}: name the points in canonical order")
    for overlay in weights.overlays:
        _require(overlay.body < len(PLANET_NAMES), f"{overlay.rule}: only bodies stand in houses")
        _require(1 <= overlay.house <= 12, f"{overlay.rule}: houses are 1 to 12")
    _require(sorted(row.balance for row in weights.balances) == sorted(BALANCES), "two balances")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        message = f"the weights of compatibility are wrong: {otherwise}"
        raise WeightsWrong(message)

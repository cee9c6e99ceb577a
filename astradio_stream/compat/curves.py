"""From sums of points to a score: saturating curves, exact in whole millionths.

::

    score = base + (1 - base) * bonus(P) - base * penalty(N)

    bonus(P)   = x**n / (1 + x**n),  x = P / half

P and N are sums of raw points, whole numbers that do not depend on the order of adding. The curve
(Hill's) is level at both ends: a first small contact hardly counts, and a tenth good aspect adds
less than the second. Half of it is reached at the median of random pairs. Only multiplication,
addition and division are used, which every processor rounds alike, so that a score is the same
number everywhere; each of the three parts is rounded to a millionth by itself, so that they add up.

**Source:** A. V. Hill, "The possible effects of the aggregation of the molecules of haemoglobin on
its dissociation curves", J. Physiol. 40 (1910), iv-vii, for the form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MICRO: Final = 1_000_000
"""A score of 1, in the millionths in which scores are held and compared."""

Number = TypeVar("Number", float, "NDArray[np.float64]")


@dataclass(frozen=True, slots=True)
class Saturation:
    """A curve from 0 to 1."""

    half: int
    """Raw points at which half is reached."""
    steepness: int
    """The exponent, 1 to 6."""

    def at(self, raw: Number) -> Number:
        """Return the curve at a sum of raw points (not negative), one or many."""
        x = raw / self.half
        power = x
        for _ in range(self.steepness - 1):
            power = power * x
        return power / (1.0 + power)


@dataclass(frozen=True, slots=True)
class Curve:
    """How one facet turns its two sums into a score."""

    base_micro: int
    """The score without any contact (millionths): what penalties can take away."""
    bonus: Saturation
    penalty: Saturation

    def parts_micro(self, bonus_raw: int, penalty_raw: int) -> tuple[int, int]:
        """Return what the bonuses add and the penalties take (millionths, neither negative)."""
        return (
            round((MICRO - self.base_micro) * self.bonus.at(float(bonus_raw))),
            round(self.base_micro * self.penalty.at(float(penalty_raw))),
        )

    def score_micro(self, bonus_raw: int, penalty_raw: int) -> int:
        """Return the score (millionths, 0 to 1 000 000)."""
        added, taken = self.parts_micro(bonus_raw, penalty_raw)
        return self.base_micro + added - taken

    def scores_micro(
        self, bonus_raw: NDArray[np.int64], penalty_raw: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the scores of many pairs: the same numbers as `score_micro`, one by one."""
        added = np.rint((MICRO - self.base_micro) * self.bonus.at(bonus_raw.astype(np.float64)))
        taken = np.rint(self.base_micro * self.penalty.at(penalty_raw.astype(np.float64)))
        return self.base_micro + (added - taken).astype(np.int64)


def curve_of(entry: Mapping[str, Any], raw_per_point: int) -> Curve:
    """Return the curve that an entry of the data file describes.

    Raises:
        ValueError: if a figure is out of range.
    """
    base = entry["baseMicro"]
    if not 0 < base < MICRO:
        message = f"baseMicro must lie between 0 and {MICRO}, got {base}"
        raise ValueError(message)
    sides = []
    for side in ("bonus", "penalty"):
        half, steepness = entry[f"{side}Half"], entry[f"{side}Steepness"]
        if not (0 < half < 1_000 and isinstance(steepness, int) and 1 <= steepness <= 6):
            message = f"{side} must have a half from 0 to 1000 and a steepness from 1 to 6"
            raise ValueError(message)
        sides.append(Saturation(round(half * raw_per_point), steepness))
    return Curve(base, *sides)

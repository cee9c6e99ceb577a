"""Judgements: what astrologers read off a chart at a glance.

Balances, the Moon's phase and the dominant body are plain sums over tables, so that every figure
can be traced to the rows that made it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from astradio_stream.sky.bodies import BODIES, N_PLANETS, PLANET_NAMES
from astradio_stream.sky.zodiac import DIGNITIES, ELEMENTS, MODALITIES, SIGNS, sign_index_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astradio_stream.sky.aspects import Aspect

_TOTAL_WEIGHT: Final = sum(body.weight for body in BODIES[:N_PLANETS])

# Eight phases, each an eighth of the cycle around its middle. Quarters are named as in almanacs.
PHASE_NAMES: Final = (
    "new_moon",
    "waxing_crescent",
    "first_quarter",
    "waxing_gibbous",
    "full_moon",
    "waning_gibbous",
    "last_quarter",
    "waning_crescent",
)

# Points towards dominance, beside the body's weight and the strengths of its major aspects.
# Source: Lilly, Christian Astrology (1647), p. 115, whose order (domicile 5, exaltation 4; first
# and tenth house 5, seventh and fourth 4) is scaled to the weights of the bodies.
DIGNITY_POINTS: Final = {"domicile": 2.5, "exaltation": 2.0, "detriment": -2.5, "fall": -2.0}
HOUSE_POINTS: Final = {1: 2.5, 10: 2.5, 7: 2.0, 4: 2.0}
RULER_POINTS: Final = 2.5


def phase_name_of(phase_deg: float) -> str:
    """Return the name of a lunar phase, given the Moon's lead over the Sun (degrees)."""
    return PHASE_NAMES[int((phase_deg + 22.5) % 360.0 // 45.0) % 8]


def balances_of(
    sign_indices: Sequence[int],
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the shares of the elements and of the modalities, each adding up to 1.

    Args:
        sign_indices: The signs of the ten planets in canonical order; each counts by its weight.
    """
    elements = dict.fromkeys(ELEMENTS, 0)
    modalities = dict.fromkeys(MODALITIES, 0)
    for body, sign_index in zip(BODIES[:N_PLANETS], sign_indices, strict=False):
        elements[SIGNS[sign_index].element] += body.weight
        modalities[SIGNS[sign_index].modality] += body.weight
    return _shares(elements), _shares(modalities)


def dominance_of(
    sign_indices: Sequence[int],
    houses: Sequence[int] | None,
    ascendant_deg: float | None,
    aspects: Sequence[Aspect],
) -> dict[str, float]:
    """Return the points of each planet; the dominant body is the one with most.

    Points = weight of the body + its dignity + its angular house + rulership of the ascendant + the
    strengths of the aspects that it takes part in. Without a time the third and fourth are nil.
    """
    ruler = None if ascendant_deg is None else SIGNS[sign_index_of(ascendant_deg)].ruler
    points = {}
    for i, body in enumerate(BODIES[:N_PLANETS]):
        dignity = DIGNITIES[body.name][sign_indices[i]]
        points[body.name] = (
            body.weight
            + (DIGNITY_POINTS[dignity] if dignity else 0.0)
            + (HOUSE_POINTS.get(houses[i], 0.0) if houses is not None else 0.0)
            + (RULER_POINTS if body.name == ruler else 0.0)
        )
    for aspect in aspects:
        points[aspect.a] += aspect.strength
        points[aspect.b] += aspect.strength
    return {name: round(value, 6) for name, value in points.items()}


def dominant_of(points: dict[str, float]) -> str:
    """Return the planet with most points; of equals, the first in canonical order."""
    return max(PLANET_NAMES, key=lambda name: points[name])


def _shares(weights: dict[str, int]) -> dict[str, float]:
    return {name: round(weight / _TOTAL_WEIGHT, 6) for name, weight in weights.items()}

"""The bodies of a chart, in canonical order: one row each.

Ten planets, as astrologers count Sun and Moon among them, then three points of the Moon's orbit.
Everywhere in `sky` the axis `n_bodies` runs in this order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Body:
    """One body or lunar point."""

    name: str
    """As in JSON."""
    target: int | None
    """NAIF number of its segment in the kernel; None for points that are computed."""
    weight: int
    """Its part in balances of the whole chart; points of the lunar orbit have none."""
    luminary: bool
    """Whether aspects with it are given a wider orb."""


# Weights: luminaries 4, personal planets 3, social planets 2, slow planets, which a whole
# generation shares, 1. Source of the habit: Stephen Arroyo, Chart Interpretation Handbook (1989),
# who ranks them in these four groups; the numbers are ours.
# The outer planets are barycentres of their systems, which differ from the planet by < 0.1".
# fmt: off
BODIES: Final = (
    #    name           target  weight  luminary
    Body("sun",             10,      4,  True),
    Body("moon",           301,      4,  True),
    Body("mercury",          1,      3,  False),
    Body("venus",            2,      3,  False),
    Body("mars",             4,      3,  False),
    Body("jupiter",          5,      2,  False),
    Body("saturn",           6,      2,  False),
    Body("uranus",           7,      1,  False),
    Body("neptune",          8,      1,  False),
    Body("pluto",            9,      1,  False),
    Body("mean_node",     None,      0,  False),
    Body("true_node",     None,      0,  False),
    Body("mean_lilith",   None,      0,  False),
)
# fmt: on

N_BODIES: Final = len(BODIES)
N_PLANETS: Final = 10
"""Sun to Pluto: the bodies that have mass, aspects and voices."""
BODY_NAMES: Final = tuple(body.name for body in BODIES)
PLANET_NAMES: Final = BODY_NAMES[:N_PLANETS]
BODY_INDEX: Final = {name: i for i, name in enumerate(BODY_NAMES)}
PLANET_WEIGHTS: Final = tuple(body.weight for body in BODIES[:N_PLANETS])
SUN: Final = BODY_INDEX["sun"]
MOON: Final = BODY_INDEX["moon"]

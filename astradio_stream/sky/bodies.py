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
    mean_speed_deg_per_day: float
    """Mean motion in longitude as seen from the Earth (degrees per day)."""


# Weights: luminaries 4, personal planets 3, social planets 2, slow planets, which a whole
# generation shares, 1. Source of the habit: Stephen Arroyo, Chart Interpretation Handbook (1989),
# who ranks them in these four groups; the numbers are ours.
# The outer planets are barycentres of their systems, which differ from the planet by < 0.1".
# fmt: off
BODIES: Final = (
    #    name           target  weight  luminary  mean motion
    Body("sun",             10,      4,  True,      0.985647),
    Body("moon",           301,      4,  True,     13.176396),
    Body("mercury",          1,      3,  False,     0.985647),
    Body("venus",            2,      3,  False,     0.985647),
    Body("mars",             4,      3,  False,     0.524039),
    Body("jupiter",          5,      2,  False,     0.083091),
    Body("saturn",           6,      2,  False,     0.033460),
    Body("uranus",           7,      1,  False,     0.011733),
    Body("neptune",          8,      1,  False,     0.006020),
    Body("pluto",            9,      1,  False,     0.003979),
    Body("mean_node",     None,      0,  False,    -0.052954),
    Body("true_node",     None,      0,  False,    -0.052954),
    Body("mean_lilith",   None,      0,  False,     0.111404),
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

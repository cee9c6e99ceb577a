"""Aspects: the meaningful angles between bodies, how close, and whether they are forming.

Only longitudes count, as everywhere in astrology. Aspects are taken between the ten planets; the
lunar points are shown in a chart but make none of their own (the two nodes would otherwise stand in
a conjunction for ever).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from astradio_stream.sky.bodies import BODIES, N_PLANETS

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class AspectKind:
    """One kind of aspect."""

    name: str
    angle_deg: float
    orb_deg: float
    """Largest distance from exactness (degrees) at which it counts."""
    luminary_extra_deg: float
    """Added to the orb when Sun or Moon takes part."""
    is_major: bool
    nature: str
    """How tradition hears it: neutral, soft or hard."""


# The five of Ptolemy, Tetrabiblos I.13, then Kepler's, Harmonices Mundi IV. The orbs are this
# program's; no two kinds overlap even when widened.
# fmt: off
ASPECT_KINDS: Final = (
    #          name             angle   orb  extra  major  nature
    AspectKind("conjunction",     0.0,  8.0,  2.0,  True,  "neutral"),
    AspectKind("opposition",    180.0,  8.0,  2.0,  True,  "hard"),
    AspectKind("trine",         120.0,  6.0,  2.0,  True,  "soft"),
    AspectKind("square",         90.0,  6.0,  2.0,  True,  "hard"),
    AspectKind("sextile",        60.0,  4.0,  2.0,  True,  "soft"),
    AspectKind("quincunx",      150.0,  2.0,  1.0,  False, "hard"),
    AspectKind("semisextile",    30.0,  1.5,  1.0,  False, "soft"),
    AspectKind("semisquare",     45.0,  1.5,  1.0,  False, "hard"),
    AspectKind("sesquisquare",  135.0,  1.5,  1.0,  False, "hard"),
    AspectKind("quintile",       72.0,  1.0,  1.0,  False, "soft"),
)
# fmt: on
KIND_BY_NAME: Final = {kind.name: kind for kind in ASPECT_KINDS}
MAJOR_KINDS: Final = tuple(kind for kind in ASPECT_KINDS if kind.is_major)

_STANDSTILL_DEG_PER_DAY: Final = 1e-4
"""Slower than this against each other, two bodies tell nothing about when they will be exact."""


@dataclass(frozen=True, slots=True)
class Aspect:
    """Two bodies at a meaningful angle."""

    a: str
    b: str
    kind: str
    orb_deg: float
    """Distance from exactness (degrees, positive)."""
    strength: float
    """1 when exact, falling smoothly to 0 at the orb."""
    is_applying: bool
    """Whether the bodies are moving towards exactness."""
    exact_in_hours: float | None
    """Hours until exact at the present speeds, negative if it has been; None at a standstill."""


def strength_of(orb_deg: float, widest_deg: float) -> float:
    """Return the strength of an aspect: ``(1 - (orb / widest)^2)^2``, level at both ends."""
    if orb_deg >= widest_deg:
        return 0.0
    ratio = orb_deg / widest_deg
    return (1.0 - ratio * ratio) ** 2


def aspects_between(
    a: Sequence[tuple[str, float, float, bool]], b: Sequence[tuple[str, float, float, bool]]
) -> list[Aspect]:
    """Return the aspects of every body of one list with every body of another, strongest first.

    Args:
        a: Name, longitude (degrees), speed (degrees per day), whether it is a luminary.
        b: The same; a resting chart (a natal one) has speeds of zero.
    """
    found = [
        aspect
        for name_a, longitude_a, speed_a, luminary_a in a
        for name_b, longitude_b, speed_b, luminary_b in b
        if (
            aspect := _aspect_of(
                (name_a, name_b),
                longitude_b - longitude_a,
                speed_b - speed_a,
                luminary_a or luminary_b,
            )
        )
    ]
    return sorted(found, key=_strongest_first)


def aspects_among(longitudes_deg: Sequence[float], speeds: Sequence[float]) -> list[Aspect]:
    """Return the aspects of the ten planets with each other, strongest first.

    Args:
        longitudes_deg: Of bodies in canonical order (degrees); those after Pluto are ignored.
        speeds: The same (degrees per day).
    """
    found = []
    for i in range(N_PLANETS):
        for j in range(i + 1, N_PLANETS):
            aspect = _aspect_of(
                (BODIES[i].name, BODIES[j].name),
                longitudes_deg[j] - longitudes_deg[i],
                speeds[j] - speeds[i],
                BODIES[i].luminary or BODIES[j].luminary,
            )
            if aspect is not None:
                found.append(aspect)
    return sorted(found, key=_strongest_first)


def _aspect_of(
    names: tuple[str, str], arc_deg: float, arc_speed: float, with_luminary: bool
) -> Aspect | None:
    """Return the aspect that an arc from `a` to `b`, growing at a speed, makes, if any."""
    separation = arc_deg % 360.0
    if separation > 180.0:
        separation, arc_speed = 360.0 - separation, -arc_speed
    for kind in ASPECT_KINDS:
        beyond = separation - kind.angle_deg
        widest = kind.orb_deg + kind.luminary_extra_deg * with_luminary
        if abs(beyond) < widest:
            break
    else:
        return None
    # At the ends of the scale, 0 and 180, the separation itself turns round when exact: what counts
    # there is the plain distance.
    orb = abs(beyond)
    closing = -arc_speed if beyond >= 0.0 else arc_speed
    moves = abs(arc_speed) > _STANDSTILL_DEG_PER_DAY
    return Aspect(
        a=names[0],
        b=names[1],
        kind=kind.name,
        orb_deg=round(orb, 6),
        strength=round(strength_of(orb, widest), 6),
        is_applying=closing > 0.0,
        exact_in_hours=round(24.0 * orb / closing, 3) + 0.0 if moves else None,
    )


def _strongest_first(aspect: Aspect) -> tuple[float, str, str]:
    return (-aspect.strength, aspect.a, aspect.b)

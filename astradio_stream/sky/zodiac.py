"""The twelve signs and the essential dignities: one row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from astradio_stream.sky.bodies import BODIES

DEGREES_PER_SIGN: Final = 30.0


@dataclass(frozen=True, slots=True)
class Sign:
    """Thirty degrees of the ecliptic."""

    name: str
    element: str
    modality: str
    ruler: str
    """The body at home here, of the seven that antiquity knew."""
    co_ruler: str | None
    """The later planet that modern astrologers add."""
    exalted: str | None
    """The body in exaltation here."""


# Source: Claudius Ptolemy, Tetrabiblos I.17 (houses of the planets) and I.19 (exaltations);
# co-rulers as in common modern use since Alan Leo.
# fmt: off
SIGNS: Final = (
    #    name           element  modality    ruler      co-ruler   exalted
    Sign("aries",       "fire",  "cardinal", "mars",    None,      "sun"),
    Sign("taurus",      "earth", "fixed",    "venus",   None,      "moon"),
    Sign("gemini",      "air",   "mutable",  "mercury", None,      None),
    Sign("cancer",      "water", "cardinal", "moon",    None,      "jupiter"),
    Sign("leo",         "fire",  "fixed",    "sun",     None,      None),
    Sign("virgo",       "earth", "mutable",  "mercury", None,      "mercury"),
    Sign("libra",       "air",   "cardinal", "venus",   None,      "saturn"),
    Sign("scorpio",     "water", "fixed",    "mars",    "pluto",   None),
    Sign("sagittarius", "fire",  "mutable",  "jupiter", None,      None),
    Sign("capricorn",   "earth", "cardinal", "saturn",  None,      "mars"),
    Sign("aquarius",    "air",   "fixed",    "saturn",  "uranus",  None),
    Sign("pisces",      "water", "mutable",  "jupiter", "neptune", "venus"),
)
# fmt: on

ELEMENTS: Final = ("fire", "earth", "air", "water")
MODALITIES: Final = ("cardinal", "fixed", "mutable")
SIGN_NAMES: Final = tuple(sign.name for sign in SIGNS)


def sign_index_of(longitude_deg: float) -> int:
    """Return 0 (aries) to 11 (pisces) for an ecliptic longitude (degrees, any turn)."""
    # The second remainder: -1e-20 % 360 is 360.0 in floating point, which is 0 Aries.
    return int(longitude_deg % 360.0 // DEGREES_PER_SIGN) % 12


def sign_of(longitude_deg: float) -> Sign:
    """Return the sign of an ecliptic longitude (degrees, any turn)."""
    return SIGNS[sign_index_of(longitude_deg)]


def sign_degree_of(longitude_deg: float) -> float:
    """Return the position within the sign (degrees, in [0, 30))."""
    return longitude_deg % 360.0 % DEGREES_PER_SIGN


def dignity_in(body: str, sign_index: int) -> str | None:
    """Return the essential dignity of a body in a sign: None if it has neither gain nor loss.

    One word only; where two would hold (Mercury in Virgo, Mercury in Pisces) the house of the
    body outranks its exaltation, as in Ptolemy.
    """
    here, opposite = SIGNS[sign_index % 12], SIGNS[(sign_index + 6) % 12]
    if body in (here.ruler, here.co_ruler):
        return "domicile"
    if body in (opposite.ruler, opposite.co_ruler):
        return "detriment"
    if body == here.exalted:
        return "exaltation"
    if body == opposite.exalted:
        return "fall"
    return None


DIGNITIES: Final[dict[str, tuple[str | None, ...]]] = {
    body.name: tuple(dignity_in(body.name, i) for i in range(12)) for body in BODIES
}
"""The same as a table: ``DIGNITIES[body][sign_index]``."""

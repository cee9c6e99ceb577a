"""What the composer reads in a chart: a few numbers for each body and for the whole.

A reading is a plain value, so that charts can be blended (a birth under the present sky) and so
that the rules of the palette see numbers alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from astradio_stream.sky.bodies import PLANET_NAMES
from astradio_stream.sky.zodiac import sign_index_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from astradio_stream.sky.aspects import Aspect
    from astradio_stream.sky.values import Chart

N_VOICES: Final = 10
"""Sun to Pluto: the bodies that play."""

BODY_NAMES: Final = PLANET_NAMES
"""Names of the ten voices, in their order."""

_DIGNITY: Final = {"domicile": 1.0, "exaltation": 0.7, "detriment": -0.6, "fall": -0.8, None: 0.0}
"""How well a body can act in its sign (essential dignity)."""

_DISTANCE: Final = (0.0, 0.5, 1.0)
"""Angular, succedent and cadent houses: near, in between, far."""

_HARDNESS: Final = {"soft": 0.0, "neutral": 0.4, "hard": 1.0}


@dataclass(frozen=True, slots=True)
class BodyReading:
    """One body as a voice."""

    sign: int
    """0 Aries … 11 Pisces."""
    dignity: float
    """-1 (fall) to 1 (domicile)."""
    is_retrograde: bool
    share: float
    """Its share of dominance in the chart (0-1, all ten make 1)."""
    azimuth: float
    """Where it stands: -1 at the ascendant (left) to 1 at the descendant (right)."""
    distance: float
    """0 near (angular house) to 1 far (cadent)."""
    speed: float
    """Motion against its mean (ratio)."""


@dataclass(frozen=True, slots=True)
class AspectReading:
    """Two bodies in aspect."""

    a: int
    b: int
    kind: str
    strength: float
    """0-1."""
    hardness: float
    """0 soft to 1 hard."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole chart as numbers."""

    fire: float
    earth: float
    air: float
    water: float
    cardinal: float
    fixed: float
    mutable: float
    ease: float
    """Soft aspects, 0-1."""
    friction: float
    """Hard aspects, 0-1."""
    phase: float
    """The Moon's lead over the Sun, in turns (0-1)."""
    rising: int
    """Rising sign; the Sun's where it is not known."""
    bodies: tuple[BodyReading, ...]
    """Sun to Pluto."""
    aspects: tuple[AspectReading, ...]
    """Strongest first."""

    @property
    def fullness(self) -> float:
        """Share of the Moon that is lit (0-1)."""
        return 1.0 - abs(2.0 * self.phase - 1.0)

    @property
    def line(self) -> float:
        """1 at the waxing half Moon, -1 at the waning one: where lines go."""
        turn = (self.phase + 0.25) % 1.0
        return 1.0 - abs(4.0 * turn - 2.0)

    def said(self, body: int) -> float:
        """How much a body has to say (around 1): dominance and dignity."""
        one = self.bodies[body]
        return 0.8 + 2.0 * min(one.share, 0.25) + 0.3 * one.dignity


def _azimuth(longitude_deg: float, ascendant_deg: float) -> float:
    """Return the stereo place of a longitude: -1 rising, 1 setting, 0 overhead or below."""
    turn = (longitude_deg - ascendant_deg) % 360.0 / 360.0
    return 4.0 * abs(turn - 0.5) * -1.0 + 1.0


_MEAN_SPEED: Final = (0.986, 13.18, 1.2, 1.1, 0.52, 0.13, 0.08, 0.04, 0.025, 0.02)


def _saturated(total: float, half: float) -> float:
    return total / (total + half)


def reading_of(chart: Chart) -> Reading:
    """Return what the composer reads in a chart."""
    ascendant = chart.angles.ascendant_deg if chart.angles else chart.bodies[0].longitude_deg
    total = 0.0
    for name in BODY_NAMES:
        total += chart.dominance[name]
    bodies = tuple(
        BodyReading(
            sign=sign_index_of(position.longitude_deg),
            dignity=_DIGNITY[position.dignity],
            is_retrograde=position.is_retrograde,
            share=chart.dominance[name] / total,
            azimuth=_azimuth(position.longitude_deg, ascendant),
            distance=0.5 if position.house is None else _DISTANCE[(position.house - 1) % 3],
            speed=abs(position.speed_deg_per_day) / _MEAN_SPEED[number],
        )
        for number, (name, position) in enumerate(
            zip(BODY_NAMES, chart.bodies[:N_VOICES], strict=True)
        )
    )
    aspects = aspect_readings(chart.aspects)
    soft = hard = 0.0
    for aspect in aspects:
        soft += aspect.strength * (1.0 - aspect.hardness)
        hard += aspect.strength * aspect.hardness
    return Reading(
        fire=chart.elements["fire"],
        earth=chart.elements["earth"],
        air=chart.elements["air"],
        water=chart.elements["water"],
        cardinal=chart.modalities["cardinal"],
        fixed=chart.modalities["fixed"],
        mutable=chart.modalities["mutable"],
        ease=_saturated(soft, 2.5),
        friction=_saturated(hard, 2.5),
        phase=chart.phase_deg / 360.0,
        rising=sign_index_of(ascendant),
        bodies=bodies,
        aspects=aspects,
    )


def aspect_readings(aspects: Iterable[Aspect]) -> tuple[AspectReading, ...]:
    """Return aspects among the ten voices, in their order: a chart's have the strongest first."""
    number = {name: n for n, name in enumerate(BODY_NAMES)}
    return tuple(
        AspectReading(
            number[aspect.a],
            number[aspect.b],
            aspect.kind,
            aspect.strength,
            _HARDNESS[_NATURE[aspect.kind]],
        )
        for aspect in aspects
        if aspect.a in number and aspect.b in number
    )


_NATURE: Final = {
    "conjunction": "neutral",
    "opposition": "hard",
    "trine": "soft",
    "square": "hard",
    "sextile": "soft",
    "quincunx": "hard",
    "semisextile": "soft",
    "semisquare": "hard",
    "sesquisquare": "hard",
    "quintile": "soft",
}


def blended(readings: Sequence[Reading], weights: Sequence[float]) -> Reading:
    """Return one reading of several charts: shares are averaged, the first gives the bodies."""
    total = 0.0
    for weight in weights:
        total += weight

    def mean(name: str) -> float:
        value = 0.0
        for reading, weight in zip(readings, weights, strict=True):
            value += getattr(reading, name) * weight / total
        return value

    first = readings[0]
    shares = ("fire", "earth", "air", "water", "cardinal", "fixed", "mutable", "ease", "friction")
    return Reading(
        **{name: mean(name) for name in shares},
        phase=first.phase,
        rising=first.rising,
        bodies=first.bodies,
        aspects=first.aspects,
    )


@dataclass(frozen=True, slots=True)
class Skies:
    """What is read at one index."""

    reading: Reading
    """Whose voices play."""
    other: Reading | None
    """The second chart, or the sky over a birth; it answers."""
    mood: Reading
    """What decides key, mode, tempo and so on: a blend."""
    between: tuple[AspectReading, ...] = ()
    """Aspects from the second chart (`a`) to the first (`b`), strongest first."""
    is_pair: bool = False
    """Whether the two are equals, one ensemble each; else the second passes over the first."""


NEUTRAL: Final = Reading(
    fire=0.25,
    earth=0.25,
    air=0.25,
    water=0.25,
    cardinal=1 / 3,
    fixed=1 / 3,
    mutable=1 / 3,
    ease=0.63,
    friction=0.64,
    phase=0.25,
    rising=0,
    bodies=tuple(
        BodyReading(n % 12, 0.0, False, 0.1, (-1.0) ** n * 0.1 * n, 0.5, 1.0) for n in range(10)
    ),
    aspects=(),
)
"""No sky at all: what a sandbox starts from."""

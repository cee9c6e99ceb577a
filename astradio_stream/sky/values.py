"""The values that a chart is made of: place, positions, angles, and the chart itself."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.sky.bodies import BODY_INDEX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astradio_stream.sky.aspects import Aspect
    from astradio_stream.sky.moment import Moment


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the Earth."""

    lat_deg: float
    """Geographic latitude (degrees, north positive)."""
    lon_deg: float
    """Geographic longitude (degrees, east positive)."""

    def __post_init__(self) -> None:
        """Refuse what is not on the Earth.

        Raises:
            ValidationFailed: naming each coordinate out of range.
        """
        details = [
            Detail(field, f"must be a number from {-limit} to {limit}, got {value}")
            for field, value, limit in (("lat", self.lat_deg, 90), ("lon", self.lon_deg, 180))
            if not (isfinite(value) and abs(value) <= limit)
        ]
        if details:
            raise ValidationFailed(details)
        # Adding zero turns -0.0 into 0.0: one place, one writing, one hash.
        object.__setattr__(self, "lat_deg", float(self.lat_deg) + 0.0)
        object.__setattr__(self, "lon_deg", float(self.lon_deg) + 0.0)


@dataclass(frozen=True, slots=True)
class Position:
    """One body in a chart."""

    name: str
    longitude_deg: float
    """Apparent geocentric ecliptic longitude of date (degrees, [0, 360))."""
    latitude_deg: float
    """Ecliptic latitude (degrees)."""
    speed_deg_per_day: float
    """Motion in longitude (degrees per day)."""
    declination_deg: float
    """Distance from the celestial equator (degrees)."""
    sign: str
    sign_degree: float
    """Position within the sign (degrees, [0, 30))."""
    house: int | None
    """1 to 12; None without a time and place."""
    dignity: str | None
    """domicile, exaltation, detriment or fall."""

    @property
    def is_retrograde(self) -> bool:
        """Return whether the body moves westward among the signs."""
        return self.speed_deg_per_day < 0.0


@dataclass(frozen=True, slots=True)
class Angles:
    """The angles of a chart (degrees, [0, 360))."""

    ascendant_deg: float
    midheaven_deg: float
    vertex_deg: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The sky of one moment and place."""

    moment: Moment
    place: Place | None
    local: str
    """The reading of the clock as it was given, ISO 8601 without offset."""
    tz: str
    """IANA name of the zone of `local`, or an offset."""
    time_known: bool
    house_system: str
    """As asked for."""
    house_system_used: str | None
    """As used; None without houses."""
    notes: tuple[str, ...]
    """Sentences on what was decided for the reader."""
    bodies: tuple[Position, ...]
    """In the order of `bodies.BODIES`."""
    angles: Angles | None
    cusps_deg: tuple[float, ...] | None
    """Cusps 1 to 12 (degrees)."""
    aspects: tuple[Aspect, ...]
    """Strongest first."""
    phase_deg: float
    """The Moon's lead over the Sun (degrees, [0, 360))."""
    phase_name: str
    elements: Mapping[str, float]
    """Share of each element; they add up to 1."""
    modalities: Mapping[str, float]
    """Share of each modality; they add up to 1."""
    dominance: Mapping[str, float]
    """Points of each planet, see `judgement.dominance_of`."""
    dominant_body: str
    chart_hash: str
    """Identity: SHA-256 of moment, place, house system and version."""

    def body(self, name: str) -> Position:
        """Return the position of one body by its name."""
        return self.bodies[BODY_INDEX[name]]

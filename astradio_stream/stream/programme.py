"""A programme: the small frozen value that decides every sample of a stream.

`resolve` reads what a client wrote, names every mistake at once, and fills in every default. The
result written as JSON, sent back on any day to any server, plays the same bytes; its canonical
form (RFC 8785) hashed with SHA-256 is its identity.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import rfc8785

from astradio_stream.errors import Detail, NotFound, ValidationFailed
from astradio_stream.fields import Details, integer, json_object, number, one_of, shown
from astradio_stream.sky.moment import (
    FIRST_MOMENT,
    LAST_MOMENT,
    Moment,
    moment_to_iso,
    parse_moment,
    require_in_span,
)
from astradio_stream.sky.values import Place
from astradio_stream.stream.station import STATIONS
from astradio_stream.stream.versions import VERSIONS, ModelVersions
from astradio_stream.units import LAST_INDEX, SAMPLE_RATE_HZ, index_to_unix_us

MODES: Final = ("transit", "natal", "overlay", "compatibility", "sandbox", "sky")
"""Modes of the protocol; `sky` is another name for `transit`."""
PLAYED_MODES: Final = ("transit",)
"""Modes that a model of this server composes."""

GREENWICH: Final = Place(51.4779, 0.0)
MAX_RATE: Final = 1_000_000.0
"""Sky seconds per stream second: a month in three seconds."""

_KNOWN_FIELDS: Final = (
    "mode",
    "seed",
    "at",
    "rate",
    "charts",
    "place",
    "controls",
    "changes",
)
_US_PER_MINUTE: Final = 60_000_000


@dataclass(frozen=True)
class Programme:
    """What is played, resolved and frozen."""

    station: str | None
    """Name of a station, or None."""
    seed: int
    """Which arrangement (0 … 2^53 - 1)."""
    at: Moment
    """Moment of the sky at index 0."""
    rate: float
    """Sky seconds per stream second (0 … 1 000 000)."""
    place: Place
    """Where the sky is seen from."""
    model_versions: ModelVersions
    """What composes, plays and draws it."""

    def to_json(self) -> dict[str, Any]:
        """Return the programme as clients read it, every default written out."""
        versions = self.model_versions.to_json()
        if self.station is not None:
            return {"station": self.station, "modelVersions": versions}
        return {
            "mode": "transit",
            "seed": self.seed,
            "at": moment_to_iso(self.at),
            "rate": _plain(self.rate),
            "charts": [],
            "place": {"lat": _plain(self.place.lat_deg), "lon": _plain(self.place.lon_deg)},
            "controls": {},
            "changes": [],
            "modelVersions": versions,
        }

    @cached_property
    def programme_id(self) -> str:
        """SHA-256 of the canonical JSON, 64 hexadecimal digits."""
        return hashlib.sha256(rfc8785.dumps(self.to_json())).hexdigest()

    def moment_at(self, index: int) -> Moment:
        """Return the moment of the sky at a sample index.

        A stream has no end, the ephemeris has: beyond its span the sky stands still at its edge.
        """
        if self.station is not None:
            sky_us = index_to_unix_us(index)
        else:
            sky_us = self.at.utc_us + round(index * self.rate * (1_000_000 / SAMPLE_RATE_HZ))
        return Moment(min(max(sky_us, FIRST_MOMENT.utc_us), LAST_MOMENT.utc_us))


def _plain(value: float) -> int | float:
    """Return a whole number as an int, so that 1 and 1.0 are one programme."""
    return int(value) if value.is_integer() else value


def _read_at(raw: object, details: Details) -> Moment:
    try:
        return require_in_span(parse_moment(raw))
    except ValidationFailed as error:
        details.extend(error.details)
        return FIRST_MOMENT


def _read_place(raw: object, details: Details) -> Place:
    place = json_object(raw, "place", details)
    if not isinstance(raw, dict):
        return GREENWICH
    read = {}
    for name, limit in (("lat", 90.0), ("lon", 180.0)):
        if name in place:
            read[name] = number(-limit, limit)(place[name], f"place.{name}", details)
        else:
            details.append(Detail(f"place.{name}", f"place.{name} is required"))
            read[name] = 0.0
    return Place(read["lat"] + 0.0, read["lon"] + 0.0)  # -0.0 is 0.0


def _read_versions(raw: object, defaults: ModelVersions, details: Details) -> ModelVersions:
    chosen = defaults.to_json()
    for name, value in json_object(raw, "modelVersions", details).items():
        if name in VERSIONS:
            path = f"modelVersions.{name}"
            chosen[name] = one_of(*VERSIONS[name])(value, path, details)
    return ModelVersions(**chosen)


def _refuse_filled(raw: dict[str, Any], name: str, kind: type, what: str, details: Details) -> None:
    """Note that a list or object must be empty, or is none at all."""
    value = raw.get(name, kind())
    if not isinstance(value, kind):
        shape = "an object" if kind is dict else "a list"
        details.append(Detail(name, f"{name} must be {shape}, got {shown(value)}"))
    elif value:
        details.append(Detail(name, f"{name} must be left out: {what}"))


def _read_mode(raw: object, details: Details) -> None:
    mode = one_of(*MODES)(raw, "mode", details)
    if mode not in (*PLAYED_MODES, "sky"):
        sentence = f"mode must be transit (or sky, the same): this server does not play {mode} yet"
        details.append(Detail("mode", sentence))


def _resolve_station(raw: dict[str, Any], versions: ModelVersions, details: Details) -> Programme:
    name = raw["station"]
    if not isinstance(name, str):
        details.append(Detail("station", f"station must be a string, got {shown(name)}"))
    given = [field for field in _KNOWN_FIELDS if field in raw]
    details.extend(
        Detail(field, f"{field} must be left out: a station decides everything but modelVersions")
        for field in given
    )
    if details:
        raise ValidationFailed(details)
    if name not in STATIONS:
        raise NotFound(f"there is no station {name[:40]!r}; there are: {', '.join(STATIONS)}")
    return Programme(
        station=name,
        seed=STATIONS[name].seed,
        at=Moment(0),
        rate=1.0,
        place=GREENWICH,
        model_versions=versions,
    )


def resolve(raw: object, now: Moment, defaults: ModelVersions) -> Programme:
    """Return the programme that a client asked for, every default filled in.

    Args:
        raw: The object as parsed from JSON. Names that the protocol does not know are ignored.
        now: The moment of the request; its whole minute is the default of `at`.
        defaults: Versions to use where the client names none.

    Raises:
        ValidationFailed: Fields are wrong; all of them are named, with paths in the programme.
        NotFound: There is no such station.
    """
    details: Details = []
    if not isinstance(raw, dict):
        raise ValidationFailed([Detail("", f"a programme must be an object, got {shown(raw)}")])
    versions = _read_versions(raw.get("modelVersions", {}), defaults, details)
    if raw.get("station") is not None:
        return _resolve_station(raw, versions, details)

    _read_mode(raw.get("mode", "transit"), details)
    minute = now.utc_us - now.utc_us % _US_PER_MINUTE
    at = _read_at(raw["at"], details) if "at" in raw else Moment(minute)
    seed = integer(0, LAST_INDEX)(raw.get("seed", 0), "seed", details)
    rate = number(0.0, MAX_RATE)(raw.get("rate", 1), "rate", details)
    place = _read_place(raw["place"], details) if "place" in raw else GREENWICH
    _refuse_filled(raw, "charts", list, "transit plays the sky, not a birth", details)
    _refuse_filled(raw, "controls", dict, "model v1.0 plays what the sky asks for", details)
    _refuse_filled(raw, "changes", list, "model v1.0 cannot be steered", details)
    if details:
        raise ValidationFailed(details)
    return Programme(None, seed, at, rate + 0.0, place, versions)


def mistakes_of(raw: object) -> tuple[Detail, ...]:
    """Return what is wrong in a programme as a client wrote it, without resolving it."""
    try:
        resolve(raw, Moment(0), ModelVersions())
    except ValidationFailed as error:
        return error.details
    except NotFound:
        return ()
    return ()

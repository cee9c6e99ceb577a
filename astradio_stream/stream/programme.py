"""A programme: the small frozen value that decides every sample of a stream.

`resolve` reads what a client wrote, names every mistake at once, and fills in every default. The
result written as JSON, sent back on any day to any server, plays the same bytes; its canonical
form (RFC 8785) hashed with SHA-256 is its identity.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import rfc8785

from astradio_stream.errors import Detail, NotFound, ValidationFailed
from astradio_stream.fields import Details, integer, shown
from astradio_stream.music.controls import Controls, controls_to_json
from astradio_stream.sky.moment import FIRST_MOMENT, LAST_MOMENT, Moment, moment_to_iso
from astradio_stream.stream.changes import changes_to_json, with_change_after
from astradio_stream.stream.charts import (
    NamedBirth,
    SavedChartName,
    plain_number,
    read_charts,
)
from astradio_stream.stream.modes import MODEL_ACCEPTS, MODES
from astradio_stream.stream.reading import (
    GREENWICH,
    read_mode,
    read_sky,
    read_versions,
    read_wishes,
)
from astradio_stream.stream.station import STATIONS, stations_of
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import LAST_INDEX, SAMPLE_RATE_HZ, index_to_unix_us

if TYPE_CHECKING:
    from astradio_stream.sky.births import Birth
    from astradio_stream.sky.values import Place
    from astradio_stream.stream.changes import Change

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


@dataclass(frozen=True)
class Programme:
    """What is played, resolved and frozen."""

    station: str | None
    """Name of a station, or None."""
    mode: str
    """What is played, a name in `modes.MODES`; of a station it is transit."""
    seed: int
    """Which arrangement (0 … 2^53 - 1)."""
    at: Moment
    """Moment of the sky at index 0; without a moving sky that of the (first) birth."""
    rate: float
    """Sky seconds per stream second (0 … 1 000 000); 0 without a moving sky."""
    place: Place
    """Where the sky is seen from; without a moving sky that of the (first) birth."""
    charts: tuple[NamedBirth, ...]
    """The births that are played, as many as the mode has."""
    controls: Controls
    """What is wished from index 0 on."""
    changes: tuple[Change, ...]
    """What is wished from later indices on; these rise."""
    model_versions: ModelVersions
    """What composes, plays and draws it."""

    def to_json(self) -> dict[str, Any]:
        """Return the programme as clients read it, every default written out."""
        versions = self.model_versions.to_json()
        if self.station is not None:
            return {"station": self.station, "modelVersions": versions}
        lat, lon = plain_number(self.place.lat_deg), plain_number(self.place.lon_deg)
        sky = {
            "at": moment_to_iso(self.at),
            "rate": plain_number(self.rate),
            "place": {"lat": lat, "lon": lon},
        }
        return {
            "mode": self.mode,
            "seed": self.seed,
            **(sky if MODES[self.mode].has_moving_sky else {}),
            "charts": [chart.to_json() for chart in self.charts],
            "controls": controls_to_json(self.controls),
            "changes": changes_to_json(self.changes),
            "modelVersions": versions,
        }

    @cached_property
    def programme_id(self) -> str:
        """SHA-256 of the canonical JSON, 64 hexadecimal digits."""
        return hashlib.sha256(rfc8785.dumps(self.to_json())).hexdigest()

    @property
    def births(self) -> tuple[Birth, ...]:
        """The births that are played."""
        return tuple(chart.birth for chart in self.charts)

    @property
    def saved_charts(self) -> tuple[SavedChartName, ...]:
        """The saved charts by which births in it are veiled."""
        return tuple(chart.saved for chart in self.charts if chart.saved is not None)

    @property
    def shows_veiled(self) -> bool:
        """Whether the chart that is shown of it is a veiled birth: one that no sky moves over."""
        if MODES[self.mode].has_moving_sky or not self.charts:
            return False
        return self.charts[0].saved is not None

    @cached_property
    def change_indices(self) -> tuple[int, ...]:
        """Sample indices at which wishes change, rising."""
        return tuple(index for index, _ in self.changes)

    @cached_property
    def _wishes(self) -> tuple[Controls, ...]:
        """What holds before the first change, and from each change on."""
        changed = (controls for _, controls in self.changes)
        return tuple(accumulate(changed, Controls.updated_by, initial=self.controls))

    def controls_at(self, index: int) -> Controls:
        """Return what is wished at a sample index, all changes up to and including it counted."""
        return self._wishes[bisect_right(self.change_indices, index)]

    def with_change(self, index: int, controls: Controls) -> Programme:
        """Return the programme steered once more: from `index` on, `controls` are wished too.

        At the index of the last change the two become one change.

        Raises:
            ValidationFailed: It cannot be steered at all, not before its last change, or no more.
        """
        if self.station is not None:
            sentence = "a station belongs to everyone and cannot be steered: play a programme"
            raise ValidationFailed([Detail("controls", sentence)])
        if not MODEL_ACCEPTS[self.model_versions.audio].has_controls:
            sentence = f"model {self.model_versions.audio} cannot be steered"
            raise ValidationFailed([Detail("controls", sentence)])
        return replace(self, changes=with_change_after(self.changes, index, controls))

    def moment_at(self, index: int) -> Moment:
        """Return the moment of the sky at a sample index.

        A stream has no end, the ephemeris has: beyond its span the sky stands still at its edge.
        """
        if self.station is not None:
            sky_us = index_to_unix_us(index)
        else:
            sky_us = self.at.utc_us + round(index * self.rate * (1_000_000 / SAMPLE_RATE_HZ))
        return Moment(min(max(sky_us, FIRST_MOMENT.utc_us), LAST_MOMENT.utc_us))


def _births_of(charts: tuple[NamedBirth | SavedChartName, ...]) -> tuple[NamedBirth, ...]:
    """Return the births.

    Raises:
        NotFound: One is a saved chart that nobody looked up.
    """
    for chart in charts:
        if isinstance(chart, SavedChartName):
            raise NotFound(f"there is no stored chart {chart.chart_id!r}")
    return tuple(chart for chart in charts if isinstance(chart, NamedBirth))


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
    offered = stations_of(versions.audio)
    if name not in offered:
        whose = f"model {versions.audio} has" if name in STATIONS else "there are"
        sentence = f"there is no station {name[:40]!r}; {whose}: {', '.join(offered)}"
        raise NotFound(sentence)
    return Programme(
        station=name,
        mode="transit",
        seed=STATIONS[name].seed,
        at=Moment(0),
        rate=1.0,
        place=GREENWICH,
        charts=(),
        controls=STATIONS[name].controls,
        changes=(),
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
        NotFound: There is no such station, or no such stored chart.
    """
    details: Details = []
    if not isinstance(raw, dict):
        raise ValidationFailed([Detail("", f"a programme must be an object, got {shown(raw)}")])
    versions = read_versions(raw.get("modelVersions", {}), defaults, details)
    if "station" in raw:
        return _resolve_station(raw, versions, details)

    # Where the version is wrong, the rest is judged as if none had been named.
    audio = versions.audio if not details else defaults.audio
    mode = read_mode(raw.get("mode", "transit"), audio, details)
    seed = integer(0, LAST_INDEX)(raw.get("seed", 0), "seed", details)
    at, rate, place = read_sky(raw, mode, now, details)
    charts = read_charts(raw.get("charts", []), mode, details)
    controls, changes = read_wishes(raw, audio, details)
    if details or mode is None:
        raise ValidationFailed(details)
    births = _births_of(charts)
    if births and not mode.has_moving_sky:
        at, place = births[0].birth.civil.moment, births[0].birth.place
    return Programme(
        station=None,
        mode=mode.name,
        seed=seed,
        at=at,
        rate=rate,
        place=place,
        charts=births,
        controls=controls,
        changes=changes,
        model_versions=versions,
    )


def mistakes_of(raw: object, defaults: ModelVersions | None = None) -> tuple[Detail, ...]:
    """Return what is wrong in a programme as a client wrote it, without resolving it.

    Args:
        raw: As parsed from JSON.
        defaults: Versions to judge by where the client names none; else the newest.
    """
    try:
        resolve(raw, Moment(0), defaults or ModelVersions())
    except ValidationFailed as error:
        return error.details
    except NotFound:
        return ()
    return ()

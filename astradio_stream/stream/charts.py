"""The births in a programme: read as people write them, kept in one form that never changes.

That form names the instant in UTC, and the zone whose clock showed it. So a doubled hour needs no
`fold`, and a later correction to the history of a zone moves neither a birth nor an identity that
was shared. A birth without a time stays a date in its zone: its noon is found anew each time, and
it alone keeps a `fold`, where noon came twice.

A birth may also be *veiled*: the saved chart of somebody who published it, but not their birth. A
programme then names the chart, and a version of it that another birth would not have; so it stays a
pure function of what is written in it, and says nothing of when and where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from astradio_stream.errors import Detail, ValidationFailed
from astradio_stream.fields import json_object, short_text, shown
from astradio_stream.sky.births import Birth, birth_of
from astradio_stream.sky.civil import DATE_LENGTH, CivilMoment, civil_moment, zone_names
from astradio_stream.sky.moment import moment_to_iso
from astradio_stream.stream.modes import MODES, Mode

if TYPE_CHECKING:
    from astradio_stream.fields import Details

MAX_CHARTS: Final = max(mode.n_charts for mode in MODES.values())
MAX_NAME_CHARACTERS: Final = 100
MAX_CHART_ID_CHARACTERS: Final = 64

BIRTH_FIELDS: Final = ("datetime", "tz", "lat", "lon", "fold", "name")
"""What tells a birth, and may not stand beside the name of a saved one."""
SAVED_FIELDS: Final = ("chartId", "version")
"""What names a saved chart."""


@dataclass(frozen=True, slots=True)
class SavedChartName:
    """A saved chart, as a programme names it."""

    chart_id: str
    """Which."""
    version: str | None
    """Which birth of it: another one has another version; None for the present one."""

    def to_json(self) -> dict[str, Any]:
        """Return it as it is written."""
        version = {} if self.version is None else {"version": self.version}
        return {"chartId": self.chart_id} | version


@dataclass(frozen=True, slots=True)
class NamedBirth:
    """One of a programme's `charts`."""

    birth: Birth
    """As its canonical form is read, its notes included."""
    name: str | None
    """Who or what was born, if it was said."""
    saved: SavedChartName | None = None
    """The saved chart that it is veiled by; None where everybody may know it."""

    def to_json(self) -> dict[str, Any]:
        """Return it in its canonical form."""
        if self.saved is not None:
            return self.saved.to_json()
        name = {} if self.name is None else {"name": self.name}
        return _birth_to_json(self.birth) | name


def plain_number(value: float) -> int | float:
    """Return a whole number as an int, so that 1 and 1.0 are written alike."""
    return int(value) if value.is_integer() else value


def _birth_to_json(birth: Birth) -> dict[str, Any]:
    place = {"lat": plain_number(birth.place.lat_deg), "lon": plain_number(birth.place.lon_deg)}
    return _civil_to_json(birth.civil) | place


def _civil_to_json(civil: CivilMoment) -> dict[str, Any]:
    if civil.time_known:
        has_zone = civil.tz in zone_names()  # else an offset, which is said by then
        text = moment_to_iso(civil.moment)
        return {"datetime": text, "tz": civil.tz if has_zone else "UTC"}
    date = {"datetime": civil.local[:DATE_LENGTH], "tz": civil.tz}
    is_first_noon = civil_moment(*date.values()).moment == civil.moment
    return date if is_first_noon else date | {"fold": 1}


def _read_text(raw: object, max_characters: int, path: str, details: Details) -> str:
    """Read a short text that can be written again: JSON's lone surrogates cannot."""
    text: str = short_text(max_characters)(raw, path, details)
    if any("\ud800" <= character <= "\udfff" for character in text):
        details.append(Detail(path, f"{path} must be Unicode text, without lone surrogates"))
    return text


def _read_saved(fields: dict[str, Any], path: str, details: Details) -> SavedChartName:
    details.extend(
        Detail(f"{path}.{name}", f"{path}.{name} must be left out: the stored chart decides it")
        for name in BIRTH_FIELDS
        if name in fields
    )
    read = {
        name: _read_text(fields[name], MAX_CHART_ID_CHARACTERS, f"{path}.{name}", details)
        for name in SAVED_FIELDS
        if name in fields
    }
    return SavedChartName(read["chartId"], read.get("version"))


def read_chart(raw: object, path: str, details: Details) -> NamedBirth | SavedChartName | None:
    """Return a birth, or a saved chart that is named, or None where something is wrong.

    Args:
        raw: As parsed from JSON; a `NamedBirth` was looked up already.
        path: Of the field.
        details: Where each mistake is noted.
    """
    if isinstance(raw, NamedBirth):
        return raw
    fields = json_object(raw, path, details)
    if not isinstance(raw, dict):
        return None
    if "chartId" in fields:
        return _read_saved(fields, path, details)
    name = _read_text(fields.get("name", ""), MAX_NAME_CHARACTERS, f"{path}.name", details)
    try:
        birth = birth_of(fields, f"{path}.")
    except ValidationFailed as error:
        details.extend(error.details)
        return None
    return NamedBirth(birth_of(_birth_to_json(birth)), name or None)


def read_charts(
    raw: object, mode: Mode | None, details: Details
) -> tuple[NamedBirth | SavedChartName, ...]:
    """Return the births of a programme, or the name where a saved chart is meant.

    Args:
        raw: What `charts` holds, as parsed.
        mode: Says how many there must be; None where that is not known.
        details: Where each mistake is noted.
    """
    if not isinstance(raw, list):
        details.append(Detail("charts", f"charts must be a list, got {shown(raw)}"))
        return ()
    if mode is not None and len(raw) != mode.n_charts:
        right = f"hold {mode.n_charts}, got {len(raw)}" if mode.n_charts else "be left out"
        details.append(Detail("charts", f"charts must {right}: {mode.name} plays {mode.plays}"))
    n_read = MAX_CHARTS if mode is None else mode.n_charts
    read = [read_chart(one, f"charts[{n}]", details) for n, one in enumerate(raw[:n_read])]
    return tuple(one for one in read if one is not None)

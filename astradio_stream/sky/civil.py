"""From the clock on somebody's wall to a moment: local date, time and zone.

Zones are read from the package `tzdata`, never from the machine, so that every server knows the
same history. The daylight-saving rule is that of PEP 495:

* A local time that happened twice (clocks set back) is ambiguous. `fold` 0, the default, is the
  first of the two, `fold` 1 the second; the chart carries a note.
* A local time that never happened (clocks set forward) is refused, with the two readings that may
  have been meant.
* A date without a time is a chart for noon, without houses and angles.
"""

from __future__ import annotations

from dataclasses import dataclass

# Calendar arithmetic and offsets of a given instant only; nothing here asks for the present time.
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from astradio_stream.errors import Detail, OutsideEphemeris, ValidationFailed, wrong_field
from astradio_stream.sky.moment import (
    FIRST_MOMENT,
    LAST_MOMENT,
    MICROSECONDS_PER_DAY,
    SPAN_SENTENCE,
    Moment,
    parse_reading,
    require_in_span,
    us_to_iso,
)
from astradio_stream.units import UNIX_EPOCH

DATE_LENGTH: Final = len("1990-01-01")
_LONGEST_ZONE: Final = 64
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CivilMoment:
    """A moment and how its clock was read."""

    moment: Moment
    local: str
    """The reading of the local clock, ISO 8601 without offset."""
    tz: str
    """IANA name of the zone, or the offset that was given instead, or UTC."""
    time_known: bool
    """False if only a date was given; the moment is then noon."""
    notes: tuple[str, ...]
    """Sentences on what was decided."""


@cache
def zone_names() -> tuple[str, ...]:
    """Return the IANA names of all zones, sorted."""
    text = (files("tzdata") / "zones").read_text(encoding="utf-8")
    return tuple(sorted(text.split()))


def zone_of(name: object, field: str = "tz") -> ZoneInfo:
    """Return a zone by its IANA name.

    Raises:
        ValidationFailed: if there is none of this name; the nearest names are suggested.
    """
    if not isinstance(name, str) or not name or len(name) > _LONGEST_ZONE:
        raise wrong_field(field, "must be the IANA name of a time zone, such as Europe/Berlin")
    if name not in _zone_set():
        raise wrong_field(field, f"there is no time zone {name!r}{_suggestion(name)}")
    return _zone(name)


def civil_moment(
    text: object,
    tz: object = None,
    *,
    fold: int | None = None,
    field: str = "datetime",
    tz_field: str = "tz",
) -> CivilMoment:
    """Return the moment of a local date and time.

    Args:
        text: ISO 8601 date and time, local to `tz` or with its own offset; or a date alone.
        tz: IANA name of the zone. May be left out if the text has an offset.
        fold: Which of two equal readings is meant, 0 (first, the default) or 1.
        field: What to call the text in an error.
        tz_field: What to call the zone in an error.

    Raises:
        ValidationFailed: naming the text, the zone, or both.
        OutsideEphemeris: if the planets are not known for it.
    """
    time_known = not (isinstance(text, str) and len(text) == DATE_LENGTH)
    details: list[Detail] = []
    reading = zone = None
    try:
        reading = parse_reading(text if time_known else f"{text}T12:00:00", field)
    except ValidationFailed as error:
        details += error.details
    try:
        zone = None if tz is None else zone_of(tz, tz_field)
    except ValidationFailed as error:
        details += error.details
    has_no_offset = text is None or (reading is not None and reading.offset_us is None)
    if tz is None and has_no_offset:
        details.append(Detail(tz_field, "a local time needs the IANA name of its time zone"))
    if details or reading is None:
        raise ValidationFailed(details)

    notes: tuple[str, ...] = ()
    if not time_known:
        notes += ("The time is unknown: this is a chart for noon, without houses and angles.",)
    if reading.offset_us is None and zone is not None:
        _require_near_span(reading.local_us, field)
        offset_us, more = _offset_of(reading.local_us, zone, fold, field)
        moment = require_in_span(Moment(reading.local_us - offset_us), field)
        return CivilMoment(moment, us_to_iso(reading.local_us), zone.key, time_known, notes + more)
    offset_us = reading.offset_us or 0
    moment = require_in_span(Moment(reading.local_us - offset_us), field)
    if zone is None:
        name = "UTC" if offset_us == 0 else _offset_text(offset_us)
        return CivilMoment(moment, us_to_iso(reading.local_us), name, time_known, notes)
    # Both were given: the offset says which instant, the zone how its clock reads then.
    local_us = local_us_of(moment, zone)
    if local_us != reading.local_us:
        notes += (f"In {zone.key} the clock showed {us_to_iso(local_us)} at this instant.",)
    return CivilMoment(moment, us_to_iso(local_us), zone.key, time_known, notes)


def local_us_of(moment: Moment, zone: ZoneInfo) -> int:
    """Return what the clocks of a zone show at a moment, as microseconds since 1970 of theirs."""
    utc = UNIX_EPOCH.replace(tzinfo=zone) + timedelta(microseconds=moment.utc_us)
    return int((zone.fromutc(utc).replace(tzinfo=None) - UNIX_EPOCH) / _MICROSECOND)


def _offset_of(
    local_us: int, zone: ZoneInfo, fold: int | None, field: str
) -> tuple[int, tuple[str, ...]]:
    """Return the offset east of UTC (microseconds) of a local reading, and what to say about it."""
    local = UNIX_EPOCH + timedelta(microseconds=local_us)
    first, second = (_offset_us(local.replace(tzinfo=zone, fold=candidate)) for candidate in (0, 1))
    if first < second:
        # Clocks jumped over this reading. Under either offset it means another one.
        later, earlier = (
            us_to_iso(local_us_of(Moment(local_us - offset), zone)) for offset in (first, second)
        )
        raise wrong_field(
            field,
            f"{us_to_iso(local_us)} never happened in {zone.key}, where clocks were set forward: "
            f"say {earlier} or {later}",
        )
    if first > second:
        chosen = second if fold == 1 else first
        which, other = ("second", 0) if fold == 1 else ("first", 1)
        note = (
            f"{us_to_iso(local_us)} happened twice in {zone.key}, where clocks were set back: the "
            f"{which} is taken (UTC{_offset_text(chosen)}); fold={other} means the other."
        )
        return chosen, (note,)
    if local.replace(tzinfo=zone).tzname() == "LMT":
        note = f"{zone.key} had no standard time yet: its local mean time is taken"
        return first, (f"{note} (UTC{_offset_text(first)}).",)
    return first, ()


def _offset_us(local: datetime) -> int:
    return int((local.utcoffset() or timedelta(0)) / _MICROSECOND)


def _offset_text(offset_us: int) -> str:
    sign = "-" if offset_us < 0 else "+"
    minutes, seconds = divmod(abs(offset_us) // 1_000_000, 60)
    text = f"{sign}{minutes // 60:02}:{minutes % 60:02}"
    return f"{text}:{seconds:02}" if seconds else text


def _require_near_span(local_us: int, field: str) -> None:
    """Refuse readings far outside the ephemeris before any zone is asked about them."""
    day = MICROSECONDS_PER_DAY
    if not FIRST_MOMENT.utc_us - day <= local_us <= LAST_MOMENT.utc_us + day:
        raise OutsideEphemeris(f"{SPAN_SENTENCE}, this moment lies outside", field)


@cache
def _zone_set() -> frozenset[str]:
    return frozenset(zone_names())


@cache
def _zone(name: str) -> ZoneInfo:
    path = files("tzdata") / "zoneinfo"
    with path.joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def _suggestion(name: str) -> str:
    """Return the nearest zone names as the end of a sentence, or nothing."""
    by_folded = {zone.casefold(): zone for zone in zone_names()}
    wanted = name.strip().replace(" ", "_").casefold()
    by_city = {folded.rpartition("/")[2]: zone for folded, zone in by_folded.items()}
    near = get_close_matches(wanted, by_folded, n=3, cutoff=0.75)
    found = [by_folded[folded] for folded in near]
    found += [by_city[city] for city in get_close_matches(wanted, by_city, n=2, cutoff=0.8)]
    unique = list(dict.fromkeys(found))[:3]
    return f"; did you mean {' or '.join(unique)}?" if unique else ""

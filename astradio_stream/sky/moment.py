"""Moments: exact instants of civil time, read from and written as ISO 8601.

A moment is a whole number of microseconds since 1970-01-01T00:00:00Z, so that equal texts are
equal moments and arithmetic never drifts. Which place and which clock it came from is left to
`sky.civil`.

Civil time is read as UT1 throughout, as astrologers' programs do. Before 1972 civil time *was*
Universal Time; since then UTC stays within 0.9 s of it, which moves the Moon by at most 0.5" and
the angles by at most 13.5". In return there is no leap second, no jump, and every day has
86 400 s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Only `date` and its day numbers are used: the proleptic Gregorian calendar is arithmetic, not a
# clock. Nothing in this package asks what time it is.
from datetime import date
from typing import Final

from astradio_stream.errors import OutsideEphemeris, wrong_field
from astradio_stream.units import MICROSECONDS_PER_SECOND, SECONDS_PER_DAY

MICROSECONDS_PER_DAY: Final = SECONDS_PER_DAY * MICROSECONDS_PER_SECOND
UNIX_EPOCH_JD: Final = 2_440_587.5
"""Julian date of 1970-01-01T00:00:00."""
J2000_US: Final = 946_728_000 * MICROSECONDS_PER_SECOND
"""The epoch J2000.0, 2000-01-01T12:00:00, in microseconds since 1970."""

_UNIX_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_TEXT: Final = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
    r"T(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6}))?)?"
    r"(?P<offset>Z|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)
_MAX_TEXT: Final = 40
_EXAMPLE: Final = "such as 2026-11-23T22:51:00Z or 2026-11-23T23:51:00+01:00"


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """An instant of civil time."""

    utc_us: int
    """Microseconds since 1970-01-01T00:00:00Z, without leap seconds; negative before."""

    @property
    def julian_date(self) -> float:
        """Return the Julian date (UT1, days), good to about 40 microseconds."""
        return UNIX_EPOCH_JD + self.utc_us / MICROSECONDS_PER_DAY

    @property
    def days_since_j2000(self) -> float:
        """Return the time since J2000.0 (UT1, days), good to a microsecond."""
        return (self.utc_us - J2000_US) / MICROSECONDS_PER_DAY

    def plus_seconds(self, duration_s: float) -> Moment:
        """Return the moment this much later, to the nearest microsecond."""
        return Moment(self.utc_us + round(duration_s * MICROSECONDS_PER_SECOND))


FIRST_MOMENT: Final = Moment(
    (date(1899, 7, 29).toordinal() - _UNIX_EPOCH_ORDINAL) * MICROSECONDS_PER_DAY
)
LAST_MOMENT: Final = Moment(
    (date(2053, 10, 9).toordinal() - _UNIX_EPOCH_ORDINAL) * MICROSECONDS_PER_DAY - 1
)
"""The last microsecond of the last day of the kernel DE421."""
SPAN_SENTENCE: Final = "the planets are known from 1899-07-29 to 2053-10-08 only"


def require_in_span(moment: Moment, field: str = "at") -> Moment:
    """Return the moment if the ephemeris covers it.

    Raises:
        OutsideEphemeris: if it lies before 1899-07-29 or after 2053-10-08.
    """
    if FIRST_MOMENT <= moment <= LAST_MOMENT:
        return moment
    raise OutsideEphemeris(f"{SPAN_SENTENCE}, this moment lies outside", field)


def civil_to_us(day: date, hour: int, minute: int, second: int, microsecond: int) -> int:
    """Return a reading of calendar and clock as microseconds since 1970-01-01T00:00:00."""
    days = day.toordinal() - _UNIX_EPOCH_ORDINAL
    seconds = days * SECONDS_PER_DAY + hour * 3_600 + minute * 60 + second
    return seconds * MICROSECONDS_PER_SECOND + microsecond


@dataclass(frozen=True, slots=True)
class Reading:
    """A date and time as somebody wrote it, with or without an offset."""

    local_us: int
    """The reading of the clock, as microseconds since 1970-01-01T00:00:00 of that clock."""
    offset_us: int | None
    """East of UTC (microseconds), or None if the text names no offset."""


def parse_reading(text: object, field: str = "at") -> Reading:
    """Read an ISO 8601 date and time: calendar, clock, and the offset if there is one.

    Raises:
        ValidationFailed: if it is not one, with a sentence that says what would be right.
    """
    match = _TEXT.fullmatch(text) if isinstance(text, str) and len(text) <= _MAX_TEXT else None
    if match is None:
        raise wrong_field(field, f"must be an ISO 8601 date and time, {_EXAMPLE}")
    year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    if second == 60:
        raise wrong_field(field, "leap seconds are not counted here: seconds run from 00 to 59")
    if hour == 24:
        raise wrong_field(field, "24:00 is written as 00:00 of the next day")
    if hour > 23 or minute > 59 or second > 59:
        raise wrong_field(field, "the time of day must lie between 00:00:00 and 23:59:59")
    if year == 0:
        raise wrong_field(field, f"there is no year 0: {SPAN_SENTENCE}")
    try:
        calendar_day = date(year, month, day)
    except ValueError:
        raise wrong_field(field, f"{year:04}-{month:02}-{day:02} is not in the calendar") from None
    microsecond = int((match["fraction"] or "").ljust(6, "0"))
    local_us = civil_to_us(calendar_day, hour, minute, second, microsecond)
    return Reading(local_us, _offset_us(match["offset"], field))


def parse_moment(text: object, field: str = "at") -> Moment:
    """Read an ISO 8601 instant with an offset or Z that the ephemeris covers.

    Args:
        text: For instance ``2026-11-23T22:51:00Z``; seconds and up to six decimals are optional.
        field: What to call it in an error.

    Raises:
        ValidationFailed: if it is no such instant (no offset, 24:00, :60, 30 February, ...).
        OutsideEphemeris: if the planets are not known for it.
    """
    reading = parse_reading(text, field)
    if reading.offset_us is None:
        raise wrong_field(field, f"needs an offset from UTC or Z, {_EXAMPLE}")
    return require_in_span(Moment(reading.local_us - reading.offset_us), field)


def us_to_iso(local_us: int, suffix: str = "") -> str:
    """Return microseconds since 1970 in the shortest ISO 8601 form, with seconds."""
    days, in_day_us = divmod(local_us, MICROSECONDS_PER_DAY)
    seconds, microsecond = divmod(in_day_us, MICROSECONDS_PER_SECOND)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    day = date.fromordinal(_UNIX_EPOCH_ORDINAL + days).isoformat()
    fraction = f".{microsecond:06}".rstrip("0") if microsecond else ""
    return f"{day}T{hour:02}:{minute:02}:{second:02}{fraction}{suffix}"


def moment_to_iso(moment: Moment) -> str:
    """Return the shortest ISO 8601 form in UTC: ``2026-11-23T22:51:00Z``."""
    return us_to_iso(moment.utc_us, "Z")


def _offset_us(text: str | None, field: str) -> int | None:
    if text is None:
        return None
    if text == "Z":
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise wrong_field(field, "the offset must lie between -23:59 and +23:59")
    offset_us = (hours * 60 + minutes) * 60 * MICROSECONDS_PER_SECOND
    return -offset_us if text[0] == "-" else offset_us

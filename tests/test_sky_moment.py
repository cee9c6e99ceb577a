"""Moments are exact, readable, and refused with a sentence when they are not moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.errors import OutsideEphemeris, ValidationFailed
from astradio_stream.sky.moment import (
    FIRST_MOMENT,
    LAST_MOMENT,
    Moment,
    moment_to_iso,
    parse_moment,
    require_in_span,
)

in_span = st.integers(FIRST_MOMENT.utc_us, LAST_MOMENT.utc_us)


@given(in_span)
def test_written_and_read_again_is_the_same_microsecond(utc_us: int) -> None:
    assert parse_moment(moment_to_iso(Moment(utc_us))).utc_us == utc_us


@given(in_span)
def test_the_calendar_agrees_with_the_standard_library(utc_us: int) -> None:
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=utc_us)
    assert datetime.fromisoformat(moment_to_iso(Moment(utc_us))) == expected


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-11-23T22:51:00Z", "2026-11-23T22:51:00Z"),
        ("2026-11-23T22:51Z", "2026-11-23T22:51:00Z"),
        ("2026-11-23T23:51:00+01:00", "2026-11-23T22:51:00Z"),
        ("2026-11-23T23:51:00+0100", "2026-11-23T22:51:00Z"),
        ("2026-11-23T17:21:00.250000-05:30", "2026-11-23T22:51:00.25Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
        ("1899-07-29T00:00:00Z", "1899-07-29T00:00:00Z"),
        ("2053-10-08T23:59:59.999999Z", "2053-10-08T23:59:59.999999Z"),
        ("2000-02-29T12:00:00-00:00", "2000-02-29T12:00:00Z"),
    ],
)
def test_every_way_to_write_an_instant(text: str, iso: str) -> None:
    assert moment_to_iso(parse_moment(text)) == iso


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2026-11-23T22:51:00", "needs an offset"),
        ("2026-11-23", "ISO 8601"),
        ("2026-11-23T24:00:00Z", "00:00 of the next day"),
        ("2016-12-31T23:59:60Z", "leap seconds"),
        ("0000-01-01T00:00:00Z", "no year 0"),
        ("2025-02-30T00:00:00Z", "2025-02-30 is not in the calendar"),
        ("1900-02-29T00:00:00Z", "not in the calendar"),
        ("2025-13-01T00:00:00Z", "not in the calendar"),
        ("2025-01-01T25:00:00Z", "time of day"),
        ("2025-01-01T12:60:00Z", "time of day"),
        ("2025-01-01T12:00:61Z", "time of day"),
        ("2025-01-01T12:00:00+24:00", "offset"),
        ("2025-01-01T12:00:00.1234567Z", "ISO 8601"),
        ("２025-01-01T12:00:00Z", "ISO 8601"),
        ("2025-01-01T12:00:00Z\n", "ISO 8601"),
        ("9999999-01-01T12:00:00Z", "ISO 8601"),
        ("", "ISO 8601"),
        ("x" * 1000, "ISO 8601"),
        (None, "ISO 8601"),
        (1_700_000_000, "ISO 8601"),
    ],
)
def test_what_is_no_instant_is_refused_with_a_sentence(text: object, sentence: str) -> None:
    with pytest.raises(ValidationFailed, match=sentence) as caught:
        parse_moment(text, "when")
    assert caught.value.details[0].field == "when"


@pytest.mark.parametrize(
    "text",
    [
        "1899-07-28T23:59:59.999999Z",
        "2053-10-09T00:00:00Z",
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
    ],
)
def test_outside_the_kernel_the_sentence_names_the_span(text: str) -> None:
    with pytest.raises(OutsideEphemeris, match="1899-07-29 to 2053-10-08"):
        parse_moment(text)


def test_the_span_is_checked_for_computed_moments_too() -> None:
    assert require_in_span(LAST_MOMENT) is LAST_MOMENT
    with pytest.raises(OutsideEphemeris):
        require_in_span(LAST_MOMENT.plus_seconds(1e-6))


def test_julian_dates() -> None:
    """Sources: Meeus, Astronomical Algorithms, ch. 7 (JD 2436116.31 for 1957-10-04.81)."""
    assert parse_moment("2000-01-01T12:00:00Z").julian_date == 2_451_545.0
    assert parse_moment("1957-10-04T19:26:24Z").julian_date == pytest.approx(2_436_116.31)
    assert parse_moment("2000-01-02T12:00:00Z").days_since_j2000 == 1.0

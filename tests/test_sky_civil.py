"""Local times become moments by a stated rule, or are refused with a way out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.errors import OutsideEphemeris, ValidationFailed
from astradio_stream.sky.births import birth_of
from astradio_stream.sky.civil import civil_moment, local_us_of, zone_names, zone_of
from astradio_stream.sky.moment import Moment, moment_to_iso, us_to_iso


def utc_of(text: str, tz: str | None = None, **options: int) -> str:
    return moment_to_iso(civil_moment(text, tz, **options).moment)


@pytest.mark.parametrize(
    ("local", "tz", "utc"),
    [
        ("1990-01-01T12:00:00", "America/New_York", "1990-01-01T17:00:00Z"),
        ("1985-06-15T18:30", "America/Los_Angeles", "1985-06-16T01:30:00Z"),
        ("1988-03-20T14:45", "Asia/Tokyo", "1988-03-20T05:45:00Z"),
        ("1992-12-25T09:15", "Europe/London", "1992-12-25T09:15:00Z"),
        ("1968-12-25T09:15", "Europe/London", "1968-12-25T08:15:00Z"),  # British Standard Time
        ("1941-07-01T12:00", "Europe/London", "1941-07-01T10:00:00Z"),  # double summer time
        ("2000-01-01T12:00", "Asia/Kathmandu", "2000-01-01T06:15:00Z"),
        ("2011-12-31T12:00", "Pacific/Apia", "2011-12-30T22:00:00Z"),  # after the skipped day
    ],
)
def test_known_local_times(local: str, tz: str, utc: str) -> None:
    assert utc_of(local, tz) == utc


@pytest.mark.parametrize(
    ("local", "tz", "readings"),
    [
        ("2025-03-30T02:30", "Europe/Berlin", ("2025-03-30T01:30:00", "2025-03-30T03:30:00")),
        ("2024-03-10T02:00", "America/New_York", ("2024-03-10T01:00:00", "2024-03-10T03:00:00")),
        ("2011-12-30T12:00", "Pacific/Apia", ("2011-12-29T12:00:00", "2011-12-31T12:00:00")),
    ],
)
def test_a_skipped_time_is_refused_with_both_readings(
    local: str, tz: str, readings: tuple[str, str]
) -> None:
    with pytest.raises(ValidationFailed, match=f"say {readings[0]} or {readings[1]}"):
        civil_moment(local, tz)
    for reading in readings:
        civil_moment(reading, tz)


def test_an_ambiguous_time_is_the_first_unless_fold_says_the_second() -> None:
    assert utc_of("2025-10-26T02:30", "Europe/Berlin") == "2025-10-26T00:30:00Z"
    assert utc_of("2025-10-26T02:30", "Europe/Berlin", fold=0) == "2025-10-26T00:30:00Z"
    assert utc_of("2025-10-26T02:30", "Europe/Berlin", fold=1) == "2025-10-26T01:30:00Z"
    note = civil_moment("2025-10-26T02:30", "Europe/Berlin").notes[0]
    assert "happened twice" in note
    assert "fold=1" in note
    assert civil_moment("2025-10-26T03:30", "Europe/Berlin", fold=1).notes == ()


def test_an_offset_says_the_instant_and_the_zone_only_how_its_clock_reads() -> None:
    both = civil_moment("1990-01-01T12:00+02:00", "Europe/Berlin")
    assert moment_to_iso(both.moment) == "1990-01-01T10:00:00Z"
    assert (both.local, both.tz) == ("1990-01-01T11:00:00", "Europe/Berlin")
    assert "the clock showed 1990-01-01T11:00:00" in both.notes[0]
    alone = civil_moment("1990-01-01T12:00-03:30")
    assert (alone.local, alone.tz, alone.notes) == ("1990-01-01T12:00:00", "-03:30", ())
    assert civil_moment("1990-01-01T12:00Z").tz == "UTC"


def test_a_date_alone_is_noon_with_the_time_unknown() -> None:
    civil = civil_moment("1990-01-01", "America/New_York")
    assert not civil.time_known
    assert moment_to_iso(civil.moment) == "1990-01-01T17:00:00Z"
    assert "unknown" in civil.notes[0]


def test_before_standard_time_the_note_says_local_mean_time() -> None:
    civil = civil_moment("1900-01-01T12:00", "Asia/Kolkata")
    assert civil.notes == () or "mean time" in civil.notes[0]
    lisbon = civil_moment("1905-06-01T12:00", "Europe/Lisbon")
    assert "local mean time" in lisbon.notes[0]
    assert moment_to_iso(lisbon.moment) == "1905-06-01T12:36:45Z"


@given(st.integers(-2_000_000_000, 2_600_000_000), st.sampled_from(zone_names()))
def test_there_and_back(second: int, name: str) -> None:
    """What a zone's clock shows at a moment is read as that moment, or as its twin."""
    moment = Moment(second * 1_000_000)
    local = us_to_iso(local_us_of(moment, zone_of(name)))
    twins = {civil_moment(local, name, fold=fold).moment for fold in (0, 1)}
    assert moment in twins


@given(st.integers(-2_000_000_000, 2_600_000_000), st.sampled_from(zone_names()))
def test_local_time_agrees_with_the_standard_library(second: int, name: str) -> None:
    expected = datetime.fromtimestamp(second, UTC).astimezone(zone_of(name)).replace(tzinfo=None)
    local = us_to_iso(local_us_of(Moment(second * 1_000_000), zone_of(name)))
    assert datetime.fromisoformat(local) == expected


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("Europe/Berln", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("America/NewYork", "America/New_York"),
        ("Asia/Tokio", "Asia/Tokyo"),
    ],
)
def test_a_zone_with_a_typo_gets_the_nearest_name(name: str, suggestion: str) -> None:
    with pytest.raises(ValidationFailed, match=f"did you mean .*{suggestion}"):
        zone_of(name)


@pytest.mark.parametrize("name", ["", "x" * 1000, "../../etc/passwd", "Nowhere/Land", None, 3])
def test_what_is_no_zone_is_refused(name: object) -> None:
    with pytest.raises(ValidationFailed):
        zone_of(name)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2025-02-30T12:00", "not in the calendar"),
        ("2025-02-30", "not in the calendar"),
        ("1990-01-01T24:00", "00:00 of the next day"),
        ("2016-12-31T23:59:60", "leap seconds"),
        ("0000-01-01T00:00", "no year 0"),
        ("", "ISO 8601"),
        ("y" * 1000, "ISO 8601"),
        (None, "ISO 8601"),
    ],
)
def test_what_is_no_local_time_is_refused(text: object, sentence: str) -> None:
    with pytest.raises(ValidationFailed, match=sentence):
        civil_moment(text, "Europe/Berlin")


@pytest.mark.parametrize("text", ["0001-01-01T00:00", "9999-12-31T23:59", "1899-07-27T00:00"])
def test_far_years_are_outside_the_ephemeris(text: str) -> None:
    with pytest.raises(OutsideEphemeris):
        civil_moment(text, "Pacific/Auckland")


def test_a_local_time_needs_a_zone() -> None:
    with pytest.raises(ValidationFailed, match="tz: a local time needs"):
        civil_moment("1990-01-01T12:00")


def test_a_birth_names_every_wrong_field_at_once() -> None:
    wrong = {"datetime": "1990-02-30", "tz": "x", "lat": 90.0000001, "lon": True, "fold": 2}
    with pytest.raises(ValidationFailed) as caught:
        birth_of(wrong, "charts[0].")
    assert {detail.field for detail in caught.value.details} == {
        f"charts[0].{name}" for name in wrong
    }


def test_a_birth_makes_a_chart_that_carries_its_notes() -> None:
    fields = {"datetime": "2025-10-26T02:30", "tz": "Europe/Berlin", "lat": 52.5, "lon": 13.4}
    chart = birth_of(fields).chart("koch")
    assert (chart.tz, chart.local) == ("Europe/Berlin", "2025-10-26T02:30:00")
    assert chart.house_system_used == "koch"
    assert "happened twice" in chart.notes[0]
    unknown = birth_of(fields | {"datetime": "1990-05-05"}).chart()
    assert unknown.angles is None
    assert not unknown.time_known

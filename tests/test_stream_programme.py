"""Programmes: every default resolved, every mistake named, one identity for one piece."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.errors import NotFound, ValidationFailed
from astradio_stream.sky.moment import FIRST_MOMENT, LAST_MOMENT, Moment, parse_moment
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.programme import mistakes_of, resolve
from astradio_stream.stream.versions import VERSIONS, ModelVersions
from astradio_stream.units import SAMPLE_RATE_HZ

NOW = parse_moment("2026-11-23T22:51:17.25Z")
DEFAULTS = ModelVersions()
VALID = {
    "mode": "transit",
    "seed": 7,
    "at": "1990-01-01T17:00:00+02:00",
    "rate": 60,
    "place": {"lat": 40.7128, "lon": -74.006},
}


def resolved(raw: object) -> dict[str, object]:
    return resolve(raw, NOW, DEFAULTS).to_json()


def wrong_fields(raw: object) -> set[str]:
    with pytest.raises(ValidationFailed) as caught:
        resolve(raw, NOW, DEFAULTS)
    assert caught.value.details == mistakes_of(raw) or "at" not in str(raw)
    for detail in caught.value.details:
        assert detail.message
    return {detail.field for detail in caught.value.details}


def test_defaults_are_those_of_the_protocol() -> None:
    assert resolved({}) == {
        "mode": "transit",
        "seed": 0,
        "at": "2026-11-23T22:51:00Z",
        "rate": 1,
        "charts": [],
        "place": {"lat": 51.4779, "lon": 0},
        "controls": {},
        "changes": [],
        "modelVersions": {name: versions[-1] for name, versions in VERSIONS.items()},
    }


def test_the_station_says_all_by_its_name() -> None:
    assert resolved({"station": "now"}) == {
        "station": "now",
        "modelVersions": {"audio": "v1.0", "text": "v1.0", "viz": "v1.0", "matching": "v1.0"},
    }


@pytest.mark.parametrize("raw", [{}, VALID, {"station": "now"}, {"mode": "sky", "rate": 0.25}])
def test_what_was_resolved_resolves_to_itself(raw: dict[str, object]) -> None:
    first = resolve(raw, NOW, DEFAULTS)
    later = resolve(json.loads(json.dumps(first.to_json())), Moment(0), DEFAULTS)
    assert later == first
    assert later.programme_id == first.programme_id


def test_names_of_one_piece_share_an_identity() -> None:
    same = [
        VALID,
        VALID | {"mode": "sky"},
        VALID | {"at": "1990-01-01T15:00:00.000Z"},
        VALID | {"rate": 60.0, "seed": 7.0},
        VALID | {"controls": {}, "changes": [], "charts": []},
        VALID | {"modelVersions": {"audio": "v1.0"}},
        VALID | {"somethingNew": {"from": "a later version"}},
        dict(reversed(list(VALID.items()))),
    ]
    assert len({resolve(raw, NOW, DEFAULTS).programme_id for raw in same}) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"at": "1990-01-01T17:00:01+02:00"},
        {"rate": 61},
        {"place": {"lat": 40.7128, "lon": -74.007}},
    ],
)
def test_other_pieces_have_other_identities(change: dict[str, object]) -> None:
    assert (
        resolve(VALID | change, NOW, DEFAULTS).programme_id
        != resolve(VALID, NOW, DEFAULTS).programme_id
    )


def test_the_identity_is_the_hash_of_the_canonical_json() -> None:
    """Frozen: an identity that changes would break every link that was ever shared."""
    station = resolve({"station": "now"}, NOW, DEFAULTS)
    assert (
        station.programme_id == "2cd74fe859973dd4860d74c7e1eaeda7a173cea9b83d3bc51f500b1a62fc2ad4"
    )


WRONG = [
    ("mode", ["natal", "TRANSIT", "", 3, None, [], True]),
    ("seed", [-1, 2**53, 1.5, "7", None, True, [7], 1e300]),
    (
        "at",
        [
            "yesterday",
            "1990-01-01T17:00:00",
            "1990-02-30T00:00:00Z",
            5,
            None,
            "",
            "1850-01-01T00:00:00Z",
            "2054-01-01T00:00:00Z",
            "1990-01-01T24:00:00Z",
        ],
    ),
    ("rate", [-0.1, 1_000_001, "1", None, False, {}]),
    ("place", [None, [], "here", 7]),
    ("controls", [{"density": 0.5}, [], None, "x"]),
    ("changes", [[{"index": 0, "controls": {}}], {}, None, 3]),
    ("charts", [[{"chartId": "x"}], {}, None, "c"]),
    ("modelVersions", [None, [], "v1.0", 1]),
]


@pytest.mark.parametrize(
    ("field", "value"), [(f, v) for f, values in WRONG for v in values], ids=str
)
def test_each_field_is_checked(field: str, value: object) -> None:
    assert wrong_fields(VALID | {field: value}) == {field}


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        ({}, {"place.lat", "place.lon"}),
        ({"lat": 90.0000001, "lon": 0}, {"place.lat"}),
        ({"lat": 0, "lon": 180.1}, {"place.lon"}),
        ({"lat": "51", "lon": None}, {"place.lat", "place.lon"}),
        ({"lat": True, "lon": 0}, {"place.lat"}),
    ],
)
def test_places_are_checked(place: object, fields: set[str]) -> None:
    assert wrong_fields(VALID | {"place": place}) == fields


def test_versions_are_checked() -> None:
    raw = VALID | {"modelVersions": {"audio": "v9", "viz": 1, "unheardOf": "v1.0"}}
    assert wrong_fields(raw) == {"modelVersions.audio", "modelVersions.viz"}


def test_all_mistakes_are_named_at_once() -> None:
    raw = {field: values[-1] for field, values in WRONG}
    assert wrong_fields(raw) == {field for field, _ in WRONG}


@pytest.mark.parametrize("raw", [None, [], "now", 3, True])
def test_a_programme_is_an_object(raw: object) -> None:
    assert wrong_fields(raw) == {""}


def test_a_station_takes_nothing_but_versions() -> None:
    assert wrong_fields({"station": "now", "seed": 1, "rate": 2}) == {"seed", "rate"}
    assert wrong_fields({"station": 3}) == {"station"}
    with pytest.raises(NotFound, match="there are: now"):
        resolve({"station": "then"}, NOW, DEFAULTS)


def test_every_version_has_its_model() -> None:
    assert set(AUDIO_MODELS) == set(VERSIONS["audio"])


def test_the_sky_moves_with_the_rate() -> None:
    programme = resolve(VALID, NOW, DEFAULTS)
    start = parse_moment("1990-01-01T15:00:00Z")
    assert programme.moment_at(0) == start
    assert programme.moment_at(SAMPLE_RATE_HZ) == start.plus_seconds(60)
    frozen = resolve(VALID | {"rate": 0}, NOW, DEFAULTS)
    assert frozen.moment_at(10**15) == start


def test_the_station_is_utc() -> None:
    station = resolve({"station": "now"}, NOW, DEFAULTS)
    assert station.moment_at(0) == Moment(0)
    assert station.moment_at(SAMPLE_RATE_HZ * 1_795_000_000) == Moment(1_795_000_000_000_000)


@given(index=st.integers(0, 2**53 - 1), rate=st.floats(0, 1_000_000))
def test_beyond_the_ephemeris_the_sky_stands_still(index: int, rate: float) -> None:
    programme = resolve(VALID | {"rate": rate}, NOW, DEFAULTS)
    assert FIRST_MOMENT <= programme.moment_at(index) <= LAST_MOMENT

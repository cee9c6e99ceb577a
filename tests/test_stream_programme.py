"""Programmes: every default resolved, every mistake named, one identity for one piece."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from astradio_stream.errors import NotFound, ValidationFailed
from astradio_stream.music.controls import (
    GENRES,
    KEY_OF_SPELLING,
    MODE_NAMES,
    Controls,
    controls_to_json,
)
from astradio_stream.sky.civil import zone_names
from astradio_stream.sky.moment import FIRST_MOMENT, LAST_MOMENT, Moment, parse_moment, us_to_iso
from astradio_stream.stream.changes import MAX_CHANGES
from astradio_stream.stream.models import AUDIO_MODELS
from astradio_stream.stream.modes import MODEL_ACCEPTS, MODES
from astradio_stream.stream.programme import Programme, mistakes_of, resolve
from astradio_stream.stream.versions import VERSIONS, ModelVersions
from astradio_stream.units import LAST_INDEX, SAMPLE_RATE_HZ

NOW = parse_moment("2026-11-23T22:51:17.25Z")
DEFAULTS = ModelVersions(audio="v1.0")
V1_1 = ModelVersions(audio="v1.1")


@pytest.fixture(autouse=True)
def _all_models_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programmes for a model that is still being made are read like those for any other."""
    monkeypatch.setitem(VERSIONS, "audio", tuple(AUDIO_MODELS))


VALID = {
    "mode": "transit",
    "seed": 7,
    "at": "1990-01-01T17:00:00+02:00",
    "rate": 60,
    "place": {"lat": 40.7128, "lon": -74.006},
}


def resolved(raw: object) -> dict[str, Any]:
    return resolve(raw, NOW, DEFAULTS).to_json()


def played(raw: object) -> Programme:
    """Return what model v1.1 plays."""
    return resolve(raw, NOW, V1_1)


def wrong_fields(raw: object, defaults: ModelVersions = DEFAULTS) -> set[str]:
    with pytest.raises(ValidationFailed) as caught:
        resolve(raw, NOW, defaults)
    assert caught.value.details == mistakes_of(raw, defaults)
    for detail in caught.value.details:
        assert detail.message
    named = [detail.field for detail in caught.value.details]
    assert len(named) == len(set(named))
    return set(named)


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
        "modelVersions": DEFAULTS.to_json(),
    }


def test_the_station_says_all_by_its_name() -> None:
    assert resolved({"station": "now"}) == {
        "station": "now",
        "modelVersions": DEFAULTS.to_json(),
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
    first = {"audio": "v1.0", "text": "v1.0", "viz": "v1.0", "matching": "v1.0"}
    station = resolve({"station": "now", "modelVersions": first}, NOW, V1_1)
    assert (
        station.programme_id == "2cd74fe859973dd4860d74c7e1eaeda7a173cea9b83d3bc51f500b1a62fc2ad4"
    )


WRONG = [
    ("mode", ["TRANSIT", "", 3, None, [], True]),
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
    ("controls", [[], None, "x"]),
    ("changes", [{}, None, 3]),
    ("charts", [[{"chartId": "x"}], {}, None, "c"]),
    ("modelVersions", [None, [], "v1.0", 1]),
]


@pytest.mark.parametrize("defaults", [DEFAULTS, V1_1], ids=lambda versions: versions.audio)
@pytest.mark.parametrize(
    ("field", "value"), [(f, v) for f, values in WRONG for v in values], ids=str
)
def test_each_field_is_checked(field: str, value: object, defaults: ModelVersions) -> None:
    assert wrong_fields(VALID | {field: value}, defaults) == {field}


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


@pytest.mark.parametrize("defaults", [DEFAULTS, V1_1], ids=lambda versions: versions.audio)
def test_all_mistakes_are_named_at_once(defaults: ModelVersions) -> None:
    raw = {field: values[-1] for field, values in WRONG}
    assert wrong_fields(raw, defaults) == {field for field, _ in WRONG}


@pytest.mark.parametrize("raw", [None, [], "now", 3, True])
def test_a_programme_is_an_object(raw: object) -> None:
    assert wrong_fields(raw) == {""}


def test_a_station_takes_nothing_but_versions() -> None:
    assert wrong_fields({"station": "now", "seed": 1, "rate": 2}) == {"seed", "rate"}
    assert wrong_fields({"station": 3}) == {"station"}
    with pytest.raises(NotFound, match="there are: now"):
        resolve({"station": "then"}, NOW, DEFAULTS)


def test_every_version_has_its_model_and_says_what_it_accepts() -> None:
    assert set(AUDIO_MODELS) == set(MODEL_ACCEPTS) >= set(VERSIONS["audio"])


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


# What a model accepts


BIRTH = {"datetime": "1990-01-01T12:00:00", "tz": "America/New_York", "lat": 40.7128, "lon": -74}
OTHER = {"datetime": "1985-06-15T18:30-07:00", "lat": 34.05, "lon": -118.25, "name": "Ada Muster"}
WISHES = {"genre": "jazz", "density": 0.5}
OF_MODE: dict[str, dict[str, Any]] = {
    "transit": {"mode": "transit", "at": "1990-01-01T15:00:00Z", "rate": 60},
    "natal": {"mode": "natal", "charts": [BIRTH]},
    "overlay": {"mode": "overlay", "charts": [BIRTH], "at": "2026-01-01T00:00:00Z", "rate": 0},
    "compatibility": {"mode": "compatibility", "charts": [BIRTH, OTHER]},
    "sandbox": {"mode": "sandbox", "controls": WISHES},
}
OF_MOVING_SKY = {"at": "1990-01-01T15:00:00Z", "rate": 60, "place": {"lat": 1, "lon": 2}}
every_mode = pytest.mark.parametrize("mode", list(MODES))


def test_the_table_of_modes_is_complete() -> None:
    assert set(OF_MODE) == set(MODES)
    for accepts in MODEL_ACCEPTS.values():
        assert set(accepts.modes) <= set(MODES)


@every_mode
def test_v1_0_refuses_what_it_does_not_play(mode: str) -> None:
    raw = OF_MODE[mode] | {"controls": {}}
    if mode == "transit":
        resolve(raw, NOW, DEFAULTS)
    else:
        assert wrong_fields(raw) == {"mode"}


def test_v1_0_takes_no_controls_and_cannot_be_steered() -> None:
    assert wrong_fields(VALID | {"controls": WISHES}) == {"controls"}
    assert wrong_fields(VALID | {"changes": [{"index": 0, "controls": {}}]}) == {"changes"}
    for raw in (VALID, {"station": "now"}):
        with pytest.raises(ValidationFailed, match="cannot be steered"):
            resolve(raw, NOW, DEFAULTS).with_change(0, Controls(density=0.5))


def test_the_version_asked_for_decides_not_the_default() -> None:
    natal = OF_MODE["natal"]
    newer = resolve(natal | {"modelVersions": {"audio": "v1.1"}}, NOW, DEFAULTS)
    assert newer.mode == "natal"
    assert wrong_fields(natal | {"modelVersions": {"audio": "v1.0"}}, V1_1) == {"mode"}
    unknown = natal | {"modelVersions": {"audio": "v9"}}
    assert wrong_fields(unknown, V1_1) == {"modelVersions.audio"}


@every_mode
def test_only_a_moving_sky_has_a_moment_a_rate_and_a_place(mode: str) -> None:
    raw = OF_MODE[mode] | OF_MOVING_SKY
    if MODES[mode].has_moving_sky:
        assert {name: played(raw).to_json()[name] for name in OF_MOVING_SKY} == OF_MOVING_SKY
    else:
        assert wrong_fields(raw, V1_1) == set(OF_MOVING_SKY)
        assert not OF_MOVING_SKY.keys() & played(OF_MODE[mode]).to_json().keys()


@every_mode
@pytest.mark.parametrize("n_given", [0, 1, 2, 3])
def test_every_mode_has_its_number_of_births(mode: str, n_given: int) -> None:
    raw = OF_MODE[mode] | {"charts": [BIRTH, OTHER, BIRTH][:n_given]}
    if n_given == MODES[mode].n_charts:
        assert len(played(raw).births) == n_given
    else:
        assert wrong_fields(raw, V1_1) == {"charts"}


# Births


def test_a_birth_is_kept_as_an_instant_and_its_zone() -> None:
    assert played(OF_MODE["compatibility"]).to_json()["charts"] == [
        BIRTH | {"datetime": "1990-01-01T17:00:00Z"},
        OTHER | {"datetime": "1985-06-16T01:30:00Z", "tz": "UTC"},
    ]
    unknown = {"mode": "natal", "charts": [BIRTH | {"datetime": "1990-01-01"}]}
    assert played(unknown).to_json()["charts"] == unknown["charts"]
    assert played(unknown).births[0].chart().angles is None


def test_a_birth_makes_its_chart() -> None:
    programme = played(OF_MODE["natal"])
    (birth,) = programme.births
    assert birth.chart().local == "1990-01-01T12:00:00"
    assert birth.chart().tz == "America/New_York"
    assert birth.chart().angles is not None
    assert programme.moment_at(10**12) == birth.civil.moment
    assert programme.place == birth.place


def test_names_of_one_birth_share_an_identity() -> None:
    same = [
        BIRTH,
        BIRTH | {"datetime": "1990-01-01T12:00"},
        BIRTH | {"datetime": "1990-01-01T17:00:00.000Z"},
        BIRTH | {"datetime": "1990-01-01T18:00+01:00"},
        BIRTH | {"lon": -74.0, "fold": 0, "name": ""},
    ]
    raws = [{"mode": "natal", "charts": [birth]} for birth in same]
    assert len({played(raw).programme_id for raw in raws}) == 1


@pytest.mark.parametrize("time", ["T02:30", ""])
def test_a_doubled_hour_stays_the_one_that_was_meant(time: str) -> None:
    """In Berlin an hour of October came twice; on Kwajalein, once, nearly a whole day."""
    date, zone = ("2025-10-26", "Europe/Berlin") if time else ("1969-09-30", "Pacific/Kwajalein")
    raw = {"datetime": date + time, "tz": zone, "lat": 0, "lon": 0}
    programmes = [played({"mode": "natal", "charts": [raw | {"fold": n}]}) for n in (0, 1)]
    first, second = (programme.births[0].civil.moment for programme in programmes)
    assert first < second
    for programme in programmes:
        assert played(programme.to_json()) == programme


WRONG_BIRTH: dict[str, list[Any]] = {
    "datetime": ["yesterday", "", 5, "1990-02-30T00:00", "1850-01-01T00:00", "2025-03-30T02:30"],
    "tz": ["Berlin", "", 3, "UTC+1", []],
    "lat": [91, "0", None, True, float("nan"), []],
    "lon": [-180.1, "0", None, False, {}],
    "fold": [2, "0", True, []],
    "name": [5, "x" * 101, None, [], "\ud800"],
}
BERLIN = {"datetime": "1990-05-05T05:05", "tz": "Europe/Berlin", "lat": 52.5, "lon": 13.4}


@pytest.mark.parametrize(
    ("field", "value"), [(f, v) for f, values in WRONG_BIRTH.items() for v in values], ids=str
)
@pytest.mark.parametrize("n", [0, 1])
def test_each_field_of_a_birth_is_checked(field: str, value: object, n: int) -> None:
    charts: list[Any] = [BIRTH, BIRTH]
    charts[n] = BERLIN | {field: value}
    raw = {"mode": "compatibility", "charts": charts}
    assert wrong_fields(raw, V1_1) == {f"charts[{n}].{field}"}


def test_all_mistakes_of_births_are_named_at_once() -> None:
    wrong = {name: values[0] for name, values in WRONG_BIRTH.items()}
    raw = {"mode": "compatibility", "charts": [wrong, {}], "seed": -1, "controls": {"key": "H"}}
    missing = {f"charts[1].{name}" for name in ("datetime", "tz", "lat", "lon")}
    named = {f"charts[0].{name}" for name in wrong} | missing | {"seed", "controls.key"}
    assert wrong_fields(raw, V1_1) == named
    assert wrong_fields({"mode": "natal", "charts": [None]}, V1_1) == {"charts[0]"}


def test_a_stored_chart_is_not_known_here_yet() -> None:
    raw = {"mode": "natal", "charts": [{"chartId": "cht_1"}]}
    with pytest.raises(NotFound, match="cht_1"):
        played(raw)
    assert mistakes_of(raw, V1_1) == ()
    assert wrong_fields(raw | {"seed": -1}, V1_1) == {"seed"}
    for wrong in (5, None, "x" * 65, "\ud800"):
        raw = {"mode": "natal", "charts": [{"chartId": wrong}]}
        assert wrong_fields(raw, V1_1) == {"charts[0].chartId"}
    both = {"mode": "natal", "charts": [{"chartId": "cht_1", "lat": 5}]}
    assert wrong_fields(both, V1_1) == {"charts[0].lat"}


# Controls and their changes


def test_whole_numbers_are_one_programme() -> None:
    one = {"mode": "sandbox", "controls": {"density": 1, "leapCap": 5, "key": "Db"}}
    two = {"mode": "sandbox", "controls": {"leapCap": 5.0, "key": "C#", "density": 1.0}}
    assert played(one).programme_id == played(two).programme_id


def change(index: int, **controls: Any) -> dict[str, Any]:
    return {"index": index, "controls": controls}


def test_changes_add_up() -> None:
    raw = VALID | {
        "controls": {"density": 0.1, "key": "D"},
        "changes": [change(100, density=0.2), change(200, genre="jazz"), change(300, density=0.3)],
    }
    programme = played(raw)
    assert programme.change_indices == (100, 200, 300)
    wished = [controls_to_json(programme.controls_at(index)) for index in (0, 99, 100, 250, 10**15)]
    assert wished == [
        {"density": 0.1, "key": "D"},
        {"density": 0.1, "key": "D"},
        {"density": 0.2, "key": "D"},
        {"density": 0.2, "key": "D", "genre": "jazz"},
        {"density": 0.3, "key": "D", "genre": "jazz"},
    ]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ([None], "changes[0]"),
        ([[0, {}]], "changes[0]"),
        ([{"controls": {}}], "changes[0].index"),
        ([{"index": 0}], "changes[0].controls"),
        ([{"index": 0, "controls": None}], "changes[0].controls"),
        ([change(-1)], "changes[0].index"),
        ([change(LAST_INDEX + 1)], "changes[0].index"),
        ([{"index": 0.5, "controls": {}}], "changes[0].index"),
        ([{"index": True, "controls": {}}], "changes[0].index"),
        ([change(5), change(5)], "changes[1].index"),
        ([change(5), change(4), change(6)], "changes[1].index"),
        ([change(0), change(1), change(2), change(3, key="H")], "changes[3].controls.key"),
        ([change(0, density=None)], "changes[0].controls.density"),
        ([change(n) for n in range(MAX_CHANGES + 1)], "changes"),
    ],
)
@every_mode
def test_changes_are_checked(changes: list[Any], named: str, mode: str) -> None:
    assert wrong_fields(OF_MODE[mode] | {"changes": changes}, V1_1) == {named}


def test_all_mistakes_of_changes_are_named_at_once() -> None:
    changes = [change(9, density=2, key=1), None, {}, change(3, leapCap=0)]
    assert wrong_fields({"changes": changes}, V1_1) == {
        "changes[0].controls.density",
        "changes[0].controls.key",
        "changes[1]",
        "changes[2].index",
        "changes[2].controls",
        "changes[3].index",
        "changes[3].controls.leapCap",
    }


def test_steering_appends_and_replays() -> None:
    programme = played(VALID)
    steered = programme.with_change(4_800, Controls(density=0.9)).with_change(
        9_600, Controls(key="Eb")
    )
    assert steered.to_json()["changes"] == [change(4_800, density=0.9), change(9_600, key="Eb")]
    assert len({programme.programme_id, steered.programme_id}) == 2
    assert played(steered.to_json()) == steered
    assert programme.changes == ()


def test_two_changes_at_one_index_are_one() -> None:
    steered = played(VALID).with_change(0, Controls(density=0.9, key="C"))
    again = steered.with_change(0, Controls(density=0.1))
    assert again.to_json()["changes"] == [change(0, density=0.1, key="C")]


def test_no_change_before_the_last_one_and_none_beyond_the_end() -> None:
    steered = played(VALID).with_change(4_800, Controls(density=0.9))
    for index in (-1, 4_799, LAST_INDEX + 1):
        with pytest.raises(ValidationFailed, match="index from 4800"):
            steered.with_change(index, Controls(density=0.1))
    assert steered.with_change(LAST_INDEX, Controls()).change_indices == (4_800, LAST_INDEX)


def test_a_programme_is_steered_so_often_and_no_more() -> None:
    full = played(VALID | {"changes": [change(n, density=0.5) for n in range(MAX_CHANGES)]})
    merged = full.with_change(MAX_CHANGES - 1, Controls(density=0.6))
    assert len(merged.changes) == MAX_CHANGES
    with pytest.raises(ValidationFailed, match="500 times"):
        full.with_change(MAX_CHANGES, Controls(density=0.6))


def test_a_station_is_not_steered() -> None:
    with pytest.raises(ValidationFailed, match="belongs to everyone"):
        played({"station": "now"}).with_change(0, Controls(density=0.5))


# Any programme


numbers = st.floats(0, 1) | st.sampled_from([0, 1, -0.0])
wishes = st.fixed_dictionaries(
    {},
    optional={
        "density": numbers,
        "tempoNorm": numbers,
        "leapCap": st.integers(1, 7),
        "key": st.sampled_from(sorted(KEY_OF_SPELLING)),
        "mode": st.sampled_from(MODE_NAMES),
        "genre": st.sampled_from(GENRES),
    },
)
instants = st.integers(FIRST_MOMENT.utc_us + 86_400_000_000, LAST_MOMENT.utc_us - 86_400_000_000)
places = st.fixed_dictionaries({"lat": st.floats(-90, 90), "lon": st.floats(-180, 180)})
zones = st.sampled_from([*zone_names()[::20], "Pacific/Kwajalein", "Europe/Lisbon"])
clocks = st.one_of(
    st.fixed_dictionaries({"datetime": st.builds(us_to_iso, instants, st.just("Z")), "tz": zones}),
    st.fixed_dictionaries({"datetime": st.builds(us_to_iso, instants, st.just("-03:30"))}),
    st.fixed_dictionaries(
        {"datetime": st.builds(us_to_iso, instants), "tz": zones, "fold": st.integers(0, 1)}
    ),
    st.fixed_dictionaries(
        {"datetime": st.builds(lambda us: us_to_iso(us)[:10], instants), "tz": zones},
        optional={"fold": st.integers(0, 1)},
    ),
)
names = st.fixed_dictionaries({}, optional={"name": st.text(max_size=100)})
births = st.builds(lambda clock, place, name: clock | place | name, clocks, places, names)
steering = st.lists(
    st.tuples(st.integers(0, LAST_INDEX), wishes), max_size=5, unique_by=lambda change: change[0]
).map(
    lambda changes: [
        {"index": index, "controls": wished}
        for index, wished in sorted(changes, key=lambda change: change[0])
    ]
)


@st.composite
def programmes(draw: st.DrawFn) -> dict[str, Any]:
    mode = draw(st.sampled_from(list(MODES.values())))
    sky = {
        "at": st.builds(us_to_iso, instants, st.just("Z")),
        "rate": st.floats(0, 1_000_000) | st.just(-0.0),
        "place": places,
    }
    n_charts = mode.n_charts
    return {
        "mode": mode.name,
        "seed": draw(st.integers(0, LAST_INDEX)),
        "charts": draw(st.lists(births, min_size=n_charts, max_size=n_charts)),
        "controls": draw(wishes),
        "changes": draw(steering),
        **(draw(st.fixed_dictionaries({}, optional=sky)) if mode.has_moving_sky else {}),
    }


@given(programmes())
def test_any_programme_resolves_to_itself(raw: dict[str, Any]) -> None:
    details = mistakes_of(raw, V1_1)  # only an hour that never happened in its zone
    assert all("never happened" in detail.message for detail in details)
    assume(not details)
    programme = played(raw)
    written = json.dumps(programme.to_json(), allow_nan=False)
    later = resolve(json.loads(written), Moment(0), V1_1)
    assert later == programme
    assert json.dumps(later.to_json()) == written
    assert later.programme_id == programme.programme_id
    assert FIRST_MOMENT <= programme.moment_at(LAST_INDEX) <= LAST_MOMENT
    for index, wished in programme.changes:
        before = programme.controls_at(index - 1) if index else programme.controls
        assert programme.controls_at(index) == before.updated_by(wished)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(raw=programmes(), name=st.sampled_from([name for name, _ in WRONG]), value=ANYTHING)
def test_no_value_of_a_field_is_ever_our_fault(
    raw: dict[str, Any], name: str, value: object
) -> None:
    """Whatever stands in a field: a programme, or a refusal that names it."""
    asked = raw | {name: value}
    for detail in (mistakes := mistakes_of(asked, V1_1)):
        assert detail.field.split(".")[0].split("[")[0] in {name, "charts", "at", "rate", "place"}
    if not mistakes:
        with contextlib.suppress(NotFound):  # a chart stored nowhere
            json.dumps(played(asked).to_json(), allow_nan=False)

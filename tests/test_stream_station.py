"""The table of stations: who offers which, and where a late joiner comes in."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.errors import NotFound
from astradio_stream.music.controls import GENRES, Controls
from astradio_stream.sky.moment import Moment
from astradio_stream.stream import programme as programme_module
from astradio_stream.stream import reading
from astradio_stream.stream.programme import resolve
from astradio_stream.stream.station import (
    LIVE_LEAD_SAMPLES,
    STATIONS,
    joined_at,
    stations_of,
)
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.units import QUANTUM_SAMPLES

V1_0, V1_1 = ModelVersions(audio="v1.0"), ModelVersions(audio="v1.1")


def test_there_is_a_station_for_the_sky_and_for_each_genre_of_it() -> None:
    assert [station.controls.genre for station in STATIONS.values()] == [None, *GENRES]
    assert list(STATIONS) == ["now", *(f"now-{genre}" for genre in GENRES)]


def test_a_model_that_follows_no_controls_has_the_plain_station_only() -> None:
    assert stations_of("v1.0") == ("now",)
    assert stations_of("v1.1") == tuple(STATIONS)
    with pytest.raises(NotFound, match=r"model v1\.0 has: now$"):
        resolve({"station": "now-jazz"}, Moment(0), V1_0)


@pytest.mark.parametrize("name", STATIONS)
def test_a_station_of_the_newer_model_wishes_its_genre_and_is_named_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = {name: (*versions, "v1.1")[-2:] for name, versions in reading.VERSIONS.items()}
    monkeypatch.setattr(reading, "VERSIONS", offered)
    station = resolve({"station": name}, Moment(0), V1_1)
    assert station.controls_at(0) == STATIONS[name].controls
    assert station.to_json() == {"station": name, "modelVersions": V1_1.to_json()}
    assert resolve(station.to_json(), Moment(5), V1_0) == station
    assert station.moment_at(48_000 * 1_700_000_000) == Moment(1_700_000_000_000_000)


def test_stations_are_programmes_of_their_own() -> None:
    ids = set()
    for name in STATIONS:
        row = resolve({"station": "now"}, Moment(0), V1_1)
        ids.add(dataclasses.replace(row, station=name).programme_id)
    assert len(ids) == len(STATIONS)


def test_an_unknown_station_is_not_found_with_those_there_are() -> None:
    with pytest.raises(NotFound, match=r"no station 'then'; there are: now$"):
        resolve({"station": "then"}, Moment(0), V1_0)
    assert programme_module.STATIONS["now"].controls == Controls()


@given(st.integers(0, 2**53))
def test_a_late_joiner_comes_in_two_seconds_before_now(live_index: int) -> None:
    index = joined_at(live_index)
    assert index % QUANTUM_SAMPLES == 0
    assert index >= 0
    if live_index >= LIVE_LEAD_SAMPLES:
        assert LIVE_LEAD_SAMPLES <= live_index - index < LIVE_LEAD_SAMPLES + QUANTUM_SAMPLES

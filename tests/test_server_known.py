"""Known programmes: what is recalled plays the same, and what is kept is bounded by bytes."""

from __future__ import annotations

import pytest

from astradio_stream.errors import NotFound
from astradio_stream.server.known import KnownProgrammes
from astradio_stream.sky.moment import Moment
from astradio_stream.stream.modes import MODES
from astradio_stream.stream.programme import Programme, resolve
from astradio_stream.stream.versions import ModelVersions

BIRTH = {"datetime": "1990-01-02T03:04", "tz": "Europe/Paris", "lat": 48.8, "lon": 2.3}


def programme(**fields: object) -> Programme:
    return resolve(fields, Moment(0), ModelVersions())


@pytest.mark.parametrize("mode", MODES)
def test_what_is_recalled_is_what_was_remembered(mode: str) -> None:
    known = KnownProgrammes()
    played = programme(
        mode=mode,
        seed=2**53 - 1,
        charts=[BIRTH] * MODES[mode].n_charts,
        controls={"genre": "jazz"},
        changes=[{"index": 4_800 * n, "controls": {"density": n / 500}} for n in range(1, 500)],
    )
    known.remember(played)
    recalled = known.recall(played.programme_id)
    assert recalled == played
    assert recalled.programme_id == played.programme_id


def test_station_is_recalled() -> None:
    known = KnownProgrammes()
    known.remember(station := programme(station="now"))
    assert known.recall(station.programme_id) == station


def test_versions_are_those_it_was_made_with_whatever_the_default_is_now() -> None:
    known = KnownProgrammes()
    known.remember(old := programme(modelVersions={"audio": "v1.0"}))
    assert known.recall(old.programme_id).model_versions.audio == "v1.0"


def test_least_recently_named_is_forgotten_first() -> None:
    known = KnownProgrammes(most_bytes=3_000)
    first, *others = (programme(seed=seed) for seed in range(100))
    known.remember(first)
    for other in others:
        known.remember(other)
        known.recall(first.programme_id)
    assert 1 < len(known) < 10
    known.recall(others[-1].programme_id)
    with pytest.raises(NotFound, match="send the programme itself"):
        known.recall(others[0].programme_id)


def test_steered_programmes_take_the_room_of_many() -> None:
    """The bound is on bytes: five hundred changes are not one entry among ten thousand."""
    known = KnownProgrammes(most_bytes=100_000)
    changes = [{"index": 4_800 * n, "controls": {"density": n / 700}} for n in range(1, 500)]
    for seed in range(200):
        known.remember(programme(seed=seed, changes=changes))
    n_steered = len(known)
    for seed in range(2_000):
        known.remember(programme(seed=seed))
    assert len(known) > 5 * n_steered


def test_remembering_again_costs_nothing() -> None:
    known = KnownProgrammes(most_bytes=2_000)
    both = [programme(seed=1), programme(seed=2)]
    for _ in range(100):
        for one in both:
            known.remember(one)
    assert len(known) == 2

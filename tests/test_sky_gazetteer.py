"""Places are found by the beginning of their name, in any writing, the largest first."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.errors import ValidationFailed
from astradio_stream.sky import gazetteer as gazetteer_module
from astradio_stream.sky.civil import zone_names
from astradio_stream.sky.gazetteer import Gazetteer, fold, load_gazetteer
from astradio_stream.sky.queries import places_answer


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return load_gazetteer()


@pytest.mark.parametrize(
    ("query", "name", "country", "tz"),
    [
        ("são", "São Paulo", "Brazil", "America/Sao_Paulo"),
        ("SAO P", "São Paulo", "Brazil", "America/Sao_Paulo"),
        ("lodz", "Łódź", "Poland", "Europe/Warsaw"),
        ("wien", "Vienna", "Austria", "Europe/Vienna"),
        ("münchen", "Munich", "Germany", "Europe/Berlin"),
        ("北京", "Beijing", "China", "Asia/Shanghai"),
        ("new york", "New York City", "United States", "America/New_York"),
        ("paris", "Paris", "France", "Europe/Paris"),
        ("  los   ang", "Los Angeles", "United States", "America/Los_Angeles"),
    ],
)
def test_the_place_one_means_comes_first(
    gazetteer: Gazetteer, query: str, name: str, country: str, tz: str
) -> None:
    first = gazetteer.search(query, 10)[0]
    assert (first.name, first.country, first.tz) == (name, country, tz)


def test_names_with_the_prefix_are_ranked_by_population(gazetteer: Gazetteer) -> None:
    found = gazetteer.search("san", 20)
    assert all(fold(town.name).startswith("san") for town in found)
    populations = [town.population for town in found]
    assert populations == sorted(populations, reverse=True)


def test_every_town_has_a_known_zone_and_a_place_on_earth(gazetteer: Gazetteer) -> None:
    assert len(gazetteer.towns) > 50_000
    assert {town.tz for town in gazetteer.towns} <= set(zone_names())
    assert all(abs(t.lat_deg) <= 90 and abs(t.lon_deg) <= 180 for t in gazetteer.towns)


@given(st.text(max_size=70))
def test_any_text_gives_a_list(query: str) -> None:
    assert len(load_gazetteer().search(query, 5)) <= 5


@given(st.sampled_from(range(60_000)))
def test_every_town_is_found_by_its_own_name(rank: int) -> None:
    town = load_gazetteer().towns[rank]
    if fold(town.name):
        assert town in load_gazetteer().search(town.name, 2000)


def test_a_search_takes_less_than_ten_milliseconds(gazetteer: Gazetteer) -> None:
    """The best of some tries, for the machine may be busy; the usual figure is below 1 ms."""
    for query in ("s", "a", "são", "saint", "zzz"):
        best_s = min(_seconds(gazetteer, query) for _ in range(5))
        assert best_s < 0.010


def _seconds(gazetteer: Gazetteer, query: str) -> float:
    start = perf_counter()
    places_answer({"q": query, "limit": "50"}, gazetteer)
    return perf_counter() - start


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({}, ["q"]),
        ({"q": ""}, ["q"]),
        ({"q": "  "}, ["q"]),
        ({"q": "x" * 1000}, ["q"]),
        ({"q": "x" * 1000, "limit": "0"}, ["q", "limit"]),
        ({"q": "rom", "limit": "51"}, ["limit"]),
        ({"q": "rom", "limit": "nan"}, ["limit"]),
        ({"q": "rom", "limit": "2.5"}, ["limit"]),
    ],
)
def test_wrong_queries_name_every_field(
    gazetteer: Gazetteer, values: dict[str, str], fields: list[str]
) -> None:
    with pytest.raises(ValidationFailed) as caught:
        places_answer(values, gazetteer)
    assert [detail.field for detail in caught.value.details] == fields


def test_the_answer_has_the_fields_of_the_contract(gazetteer: Gazetteer) -> None:
    (first,) = places_answer({"q": "springfield", "limit": "1"}, gazetteer)
    assert list(first)[:6] == ["name", "region", "country", "lat", "lon", "tz"]
    assert first["region"] == "Missouri"


def test_cities_read_one_at_a_time_are_those_read_at_once() -> None:
    at_once = gazetteer_module._data("cities5000.json")
    assert list(gazetteer_module._cities()) == list(at_once.values())

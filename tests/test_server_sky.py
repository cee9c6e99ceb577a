"""The sky over HTTP: charts, coming events and towns through a real server."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving import SilentEngine, serving, settings_in

AUTHORITY = Path(__file__).parent / "authorities" / "charts.csv"
ROWS = list(csv.DictReader(AUTHORITY.read_text().splitlines()))
LONDON = {"datetime": "1992-12-25T09:15:00Z", "lat": "51.5074", "lon": "-0.1278"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("sky")
    with (
        serving(settings_in(folder, RATE_LIMIT_MAX="1000000"), SilentEngine()) as served,
        httpx.Client(base_url=served.http_url, timeout=30) as client,
    ):
        yield client


def refused_fields(client: httpx.Client, path: str, **query: str) -> set[str]:
    answer = client.get(path, params=query)
    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert error["code"] == "VALIDATION_FAILED"
    assert all(detail["message"] for detail in error["details"])
    return {detail["field"] for detail in error["details"]}


def test_a_chart_is_answered_in_full(client: httpx.Client) -> None:
    answer = client.get("/api/chart", params=LONDON)
    assert answer.status_code == 200
    chart = answer.json()
    assert chart["requestId"] == answer.headers["X-Request-Id"]
    contract = {
        "chartHash", "moment", "place", "houseSystem", "houseSystemUsed", "notes", "bodies",
        "angles", "cuspsDeg", "aspects", "moon", "elements", "modalities", "dominantBody",
    }  # fmt: skip
    assert contract <= set(chart)
    assert set(chart["moment"]) == {"utc", "local", "tz", "timeKnown"}
    assert len(chart["bodies"]) == 13
    assert set(chart["bodies"][0]) == {
        "name", "longitudeDeg", "latitudeDeg", "speedDegPerDay", "declinationDeg", "retrograde",
        "sign", "signDegree", "house", "dignity",
    }  # fmt: skip
    assert set(chart["aspects"][0]) == {
        "a", "b", "kind", "orbDeg", "strength", "applying", "exactInHours",
    }  # fmt: skip
    assert len(chart["features"]["values"]) == 64


@pytest.mark.parametrize(
    "row", [r for r in ROWS if r["placidus_1_deg"]][::12], ids=lambda r: r["ut1"]
)
def test_charts_agree_with_the_reference(client: httpx.Client, row: dict[str, str]) -> None:
    query = {"datetime": row["ut1"], "lat": row["lat_deg"], "lon": row["lon_deg"]}
    chart = client.get("/api/chart", params=query).json()
    arcsecond = 1 / 3600
    body = {b["name"]: b["longitudeDeg"] for b in chart["bodies"]}
    assert body["venus"] == pytest.approx(float(row["venus_lon_deg"]), abs=arcsecond)
    assert body["moon"] == pytest.approx(float(row["moon_lon_deg"]), abs=3 * arcsecond)
    cusps = [float(row[f"placidus_{n}_deg"]) for n in range(1, 13)]
    assert chart["cuspsDeg"] == pytest.approx(cusps, abs=5 * arcsecond)


def test_local_time_and_unknown_time(client: httpx.Client) -> None:
    local = client.get(
        "/api/chart",
        params={
            "datetime": "1990-07-01T12:00",
            "tz": "Europe/Paris",
            "lat": "48.85",
            "lon": "2.35",
        },
    ).json()
    assert local["moment"]["utc"] == "1990-07-01T10:00:00Z"
    unknown = client.get(
        "/api/chart",
        params={"datetime": "1990-07-01", "tz": "Europe/Paris", "lat": "48.85", "lon": "2.35"},
    ).json()
    assert unknown["moment"]["timeKnown"] is False
    assert unknown["angles"] is None
    assert unknown["cuspsDeg"] is None
    assert unknown["notes"]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"lat": "90.0000001"}, {"lat"}),
        ({"lat": "nan"}, {"lat"}),
        ({"lon": "181", "lat": "x"}, {"lat", "lon"}),
        ({"datetime": "1990-02-30T00:00:00Z"}, {"datetime"}),
        ({"datetime": "0000-01-01T00:00:00Z"}, {"datetime"}),
        ({"datetime": "9999-01-01T00:00:00Z"}, {"datetime"}),
        ({"datetime": "1990-01-01T24:00:00Z"}, {"datetime"}),
        ({"datetime": "1990-06-30T23:59:60Z"}, {"datetime"}),
        ({"datetime": ""}, {"datetime"}),
        ({"datetime": "1" * 1_000}, {"datetime"}),
        ({"datetime": "1990-01-01T12:00", "tz": "Europe/Pariss"}, {"tz"}),
        ({"houses": "placidos"}, {"houses"}),
    ],
)
def test_wrong_charts_are_refused(
    client: httpx.Client, change: dict[str, str], fields: set[str]
) -> None:
    assert refused_fields(client, "/api/chart", **(LONDON | change)) == fields


def test_a_chart_needs_its_fields(client: httpx.Client) -> None:
    assert refused_fields(client, "/api/chart") >= {"datetime", "lat", "lon"}


def test_a_name_given_twice_is_refused(client: httpx.Client) -> None:
    answer = client.get("/api/chart?datetime=1990-01-01T00:00:00Z&lat=1&lat=2&lon=3")
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["field"] == "lat"


def test_typos_of_zones_are_met_with_the_nearest_name(client: httpx.Client) -> None:
    query = LONDON | {"datetime": "1990-01-01T12:00", "tz": "Europe/Pariss"}
    details = client.get("/api/chart", params=query).json()["error"]["details"]
    assert "Europe/Paris" in details[0]["message"]


def test_the_coming_events_of_the_sky(client: httpx.Client) -> None:
    answer = client.get("/api/sky", params={"from": "2024-04-08T00:00:00Z", "hours": "48"}).json()
    new_moon = [e for e in answer["events"] if e["kind"] == "lunation"]
    # New Moon (and a solar eclipse) of 2024-04-08 18:21 UT. Source: Astronomical Applications
    # Department, U.S. Naval Observatory, "Phases of the Moon", 2024.
    assert new_moon[0]["at"].startswith("2024-04-08T18:2")
    assert [e["at"] for e in answer["events"]] == sorted(e["at"] for e in answer["events"])


def test_the_sky_without_a_question_is_the_next_two_days(client: httpx.Client) -> None:
    answer = client.get("/api/sky")
    assert answer.status_code == 200
    assert answer.json()["events"]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"from": "yesterday"}, {"from"}),
        ({"hours": "0"}, {"hours"}),
        ({"hours": "9000", "from": "2050"}, {"from", "hours"}),
        ({"hours": "1e9"}, {"hours"}),
        ({"from": "2053-10-08T00:00:00Z", "hours": "100"}, {"hours"}),
    ],
)
def test_wrong_questions_about_the_sky(
    client: httpx.Client, query: dict[str, str], fields: set[str]
) -> None:
    assert refused_fields(client, "/api/sky", **query) == fields


def places(client: httpx.Client, **query: str) -> list[dict[str, Any]]:
    answer = client.get("/api/places", params=query)
    assert answer.status_code == 200, answer.text
    assert "X-Request-Id" in answer.headers
    found: list[dict[str, Any]] = answer.json()
    return found


def test_towns_are_found_by_prefix_whatever_the_accents(client: httpx.Client) -> None:
    with_accent, without = places(client, q="são"), places(client, q="sao")
    assert with_accent == without
    first = with_accent[0]
    assert first["name"] == "São Paulo"
    assert {"name", "region", "country", "lat", "lon", "tz"} <= set(first)
    assert first["tz"] == "America/Sao_Paulo"
    assert len(places(client, q="san", limit="3")) == 3
    assert places(client, q="zzzzzz") == []


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({}, {"q"}),
        ({"q": ""}, {"q"}),
        ({"q": "x" * 1_000}, {"q"}),
        ({"q": "rome", "limit": "0"}, {"limit"}),
        ({"q": "rome", "limit": "many"}, {"limit"}),
    ],
)
def test_wrong_questions_about_places(
    client: httpx.Client, query: dict[str, str], fields: set[str]
) -> None:
    assert refused_fields(client, "/api/places", **query) == fields


@pytest.mark.parametrize("path", ["/api/chart", "/api/sky", "/api/places"])
def test_only_get_and_head(client: httpx.Client, path: str) -> None:
    answer = client.post(path)
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]

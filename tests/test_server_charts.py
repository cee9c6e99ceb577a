"""Saved charts: kept as given, changed field by field, told to nobody whom they do not concern."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.serving import Served, SilentEngine, serving, settings_in
from tests.visitor import BIRTH, CHART, Visitor, member, visiting


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = settings_in(tmp_path_factory.mktemp("server"), RATE_LIMIT_MAX="1000000")
    with serving(settings, SilentEngine()) as served:
        yield served


@pytest.fixture(scope="module")
def ada(server: Served) -> Iterator[Visitor]:
    with member(server) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def bob(server: Served) -> Iterator[Visitor]:
    with member(server) as visitor:
        yield visitor


def assert_refused(answer: httpx.Response, status: int, code: str, *fields: str) -> None:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    named = [detail["field"] for detail in answer.json()["error"].get("details", [])]
    assert named == list(fields)


def test_a_chart_is_kept_in_the_words_in_which_it_was_given(ada: Visitor) -> None:
    answer = ada.post("/api/charts", CHART)
    body = answer.json()
    assert answer.status_code == 201
    assert body == CHART | {
        "id": body["id"], "visibility": "private", "createdAt": body["createdAt"],
        "changedAt": body["createdAt"], "requestId": answer.headers["X-Request-Id"],
    }  # fmt: skip
    shown = ada.get(f"/api/charts/{body['id']}").json()
    assert shown | {"requestId": ""} == body | {"requestId": ""}
    assert body["id"] in [chart["id"] for chart in ada.get("/api/charts").json()["charts"]]


@pytest.mark.parametrize(
    "birth",
    [
        {"datetime": "1990-06-15"},
        {"datetime": "1990-06-15T14:30:00+02:00", "tz": None},
        {"datetime": "1990-09-30T02:30", "fold": 1},
        {"lat": -90, "lon": 180, "name": "👩‍🚀 Ada"},
    ],
)
def test_births_are_read_as_everywhere(ada: Visitor, birth: dict[str, Any]) -> None:
    answer = ada.post("/api/charts", CHART | birth)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert {name: body.get(name) for name in birth} == birth


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"name": " "}, ["name"]),
        ({"name": "x" * 101}, ["name"]),
        ({"name": "a\nb"}, ["name"]),
        ({"name": "a\0b"}, ["name"]),
        ({"name": 7}, ["name"]),
        ({"visibility": "secret"}, ["visibility"]),
        ({"visibility": True, "lat": 91, "name": None}, ["name", "visibility", "lat"]),
        ({"datetime": "yesterday"}, ["datetime"]),
        ({"datetime": "1990-06-15T14:30", "tz": "Mars/Olympus"}, ["tz"]),
        ({"datetime": "0001-01-01T00:00"}, ["datetime"]),
        ({"lat": "52", "lon": 1e300}, ["lat", "lon"]),
        ({"fold": 2}, ["fold"]),
    ],
)
def test_every_wrong_field_is_named(
    ada: Visitor, changes: dict[str, Any], fields: list[str]
) -> None:
    assert_refused(ada.post("/api/charts", CHART | changes), 422, "VALIDATION_FAILED", *fields)


def test_one_field_is_changed_and_the_others_stay(ada: Visitor) -> None:
    chart_id = ada.save()
    path = f"/api/charts/{chart_id}"
    before = ada.get(path).json()
    for changes in (
        {"name": "Grace"},
        {"visibility": "public"},
        {"lat": -33.9, "lon": 18.4, "tz": "Africa/Johannesburg"},
        {"datetime": "1990-06-15T14:30:00Z", "tz": None},
        {},
    ):
        answer = ada.send("PATCH", path, changes)
        assert answer.status_code == 200, answer.text
        after = answer.json()
        volatile = {"requestId": "", "changedAt": ""}
        assert after | volatile == before | changes | volatile
        assert after["changedAt"] >= before["changedAt"]
        before = after
    assert_refused(ada.send("PATCH", path, {"lat": 99}), 422, "VALIDATION_FAILED", "lat")
    assert_refused(ada.send("PATCH", path, {"tz": None, "datetime": "1990-06-15T14:30"}),
                   422, "VALIDATION_FAILED", "tz")  # fmt: skip
    assert ada.get(path).json() | {"requestId": ""} == before | {"requestId": ""}


def test_a_fold_belongs_to_its_hour(ada: Visitor) -> None:
    chart_id = ada.save(datetime="1990-09-30T02:30", fold=1)
    changed = ada.send("PATCH", f"/api/charts/{chart_id}", {"datetime": "1990-06-15T14:30"})
    assert "fold" not in changed.json()


def test_a_deleted_chart_is_gone(ada: Visitor) -> None:
    path = f"/api/charts/{ada.save()}"
    assert ada.send("DELETE", path).status_code == 204
    for answer in (ada.get(path), ada.send("DELETE", path), ada.send("PATCH", path, {})):
        assert_refused(answer, 404, "NOT_FOUND")


def test_a_private_chart_does_not_exist_for_anybody_else(
    server: Served, ada: Visitor, bob: Visitor
) -> None:
    path = f"/api/charts/{ada.save(name='Secret')}"
    with visiting(server) as nobody:
        for other in (bob, nobody):
            refused = other.get(path)
            assert_refused(refused, 404, "NOT_FOUND")
            assert refused.json()["error"] == other.get("/api/charts/none").json()["error"]
    for answer in (bob.send("PATCH", path, {"name": "Mine"}), bob.send("DELETE", path)):
        assert_refused(answer, 404, "NOT_FOUND")
    assert "Secret" not in bob.get("/api/charts").text + bob.get("/api/account/export").text
    assert ada.get(path).json()["name"] == "Secret"


def test_a_public_chart_is_told_to_all_by_name_and_signs_alone(
    server: Served, ada: Visitor, bob: Visitor
) -> None:
    chart_id = ada.save(visibility="public")
    path = f"/api/charts/{chart_id}"
    with visiting(server) as nobody:
        for other in (bob, nobody):
            answer = other.get(path)
            assert answer.status_code == 200
            assert answer.json() == {
                "id": chart_id, "name": CHART["name"], "visibility": "public",
                "signs": {"sun": "gemini", "moon": "pisces", "rising": "libra"},
                "requestId": answer.headers["X-Request-Id"],
            }  # fmt: skip
    assert ada.get(path).json()["datetime"] == BIRTH["datetime"]
    assert_refused(bob.send("PATCH", path, {"name": "Mine"}), 404, "NOT_FOUND")
    assert ada.send("PATCH", path, {"visibility": "private"}).status_code == 200
    assert_refused(bob.get(path), 404, "NOT_FOUND")


def test_who_is_not_logged_in_has_no_charts(server: Served) -> None:
    with visiting(server) as nobody:
        for answer in (
            nobody.get("/api/charts"), nobody.post("/api/charts", CHART),
            nobody.get("/api/account/export"), nobody.send("DELETE", "/api/account"),
        ):  # fmt: skip
            assert_refused(answer, 401, "AUTH_REQUIRED")


# Once, however often it is asked -----------------------------------------------------------------


def test_a_repeated_request_saves_one_chart(ada: Visitor) -> None:
    n_before = len(ada.get("/api/charts").json()["charts"])
    answers = [ada.post("/api/charts", CHART, **{"Idempotency-Key": "key-1"}) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len({answer.json()["requestId"] for answer in answers}) == 3
    assert len(ada.get("/api/charts").json()["charts"]) == n_before + 1


def test_requests_at_once_save_one_chart(server: Served, ada: Visitor) -> None:
    def save(_n: int) -> str:
        headers = ada.headers | {"Idempotency-Key": "at-once"}
        cookies = dict(ada.client.cookies)
        answer = httpx.post(
            f"{server.http_url}/api/charts", json=CHART, headers=headers, cookies=cookies
        )
        chart_id: str = answer.json()["id"]
        return chart_id

    with ThreadPoolExecutor(8) as executor:
        assert len(set(executor.map(save, range(16)))) == 1


def test_a_key_stands_for_one_request_of_one_account(ada: Visitor, bob: Visitor) -> None:
    key = {"Idempotency-Key": "key-2"}
    mine = ada.post("/api/charts", CHART, **key)
    assert_refused(ada.post("/api/charts", CHART | {"name": "x"}, **key), 409, "CONFLICT")
    theirs = bob.post("/api/charts", CHART, **key)
    assert theirs.status_code == 201
    assert theirs.json()["id"] != mine.json()["id"]


@pytest.mark.parametrize("key", ["", "a" * 129, "with blank", "a,b"])
def test_a_key_that_is_none_is_refused(ada: Visitor, key: str) -> None:
    refused = ada.post("/api/charts", CHART, **{"Idempotency-Key": key})
    assert_refused(refused, 422, "VALIDATION_FAILED", "Idempotency-Key")


def test_a_refusal_is_not_kept(ada: Visitor) -> None:
    key = {"Idempotency-Key": "key-3"}
    assert ada.post("/api/charts", CHART | {"lat": 99}, **key).status_code == 422
    assert ada.post("/api/charts", CHART, **key).status_code == 201

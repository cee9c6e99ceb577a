"""Compatibility over HTTP: what is found, told, refused; who is left out; what stays true."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from astradio_stream.compat.contacts import score_micro
from astradio_stream.compat.points import Tenths, tenths_of
from astradio_stream.compat.weights import FACETS, WeightsWrong, load_weights
from astradio_stream.server import matchmaker
from astradio_stream.sky.births import birth_of
from tests.serving import Served, SilentEngine, serving, settings_in
from tests.test_server_charts import assert_refused
from tests.visitor import BIRTH, Visitor, member, visiting

ASKER = {"datetime": "1984-02-29T23:15", "tz": "Asia/Tokyo", "lat": 35.68, "lon": 139.69}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = settings_in(tmp_path_factory.mktemp("compat"))
    with serving(settings, SilentEngine()) as served:
        yield served


@pytest.fixture
def fresh(tmp_path: Any) -> Iterator[Served]:
    """A server without a chart."""
    with serving(settings_in(tmp_path), SilentEngine()) as served:
        yield served


def birth(n: int) -> dict[str, Any]:
    """One of many births, all different; every seventh without a time."""
    date = f"{1950 + n % 55}-{1 + n % 12:02}-{1 + n % 28:02}"
    time = "" if n % 7 == 3 else f"T{n * 5 % 24:02}:{n * 17 % 60:02}"
    return {
        "datetime": date + time,
        "tz": ("Europe/Berlin", "America/Lima", "Australia/Perth")[n % 3],
        "lat": n * 37 % 120 - 60,
        "lon": n * 53 % 360 - 180,
    }


def tenths(fields: dict[str, Any]) -> Tenths:
    return tenths_of(birth_of(fields).chart())


def search(url: str, chart: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    answer = httpx.post(
        f"{url}/api/compat/search", json={"chart": chart or ASKER} | more, timeout=30
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(found: dict[str, Any]) -> list[str]:
    return [match["chartId"] for match in found["matches"]]


def ranked(charts: dict[str, Tenths], asking: Tenths, facet: str) -> list[tuple[str, int]]:
    """Return every chart by the full scorer, best first, ties by id."""
    weights = load_weights()
    scores = {name: score_micro(asking, each, facet, weights) for name, each in charts.items()}
    return sorted(scores.items(), key=lambda one: (-one[1], one[0]))


# Found -------------------------------------------------------------------------------------------


def test_a_search_is_that_of_the_full_scorer_on_all_pages_and_facets(fresh: Served) -> None:
    url = fresh.http_url
    with member(fresh) as ada, member(fresh) as bob:
        # Some charts twice and thrice: ties, which their ids decide.
        births = [birth(n) for n in (*range(12), 3, 5, 3)]
        charts = {
            (ada if n % 2 else bob).save(visibility="public", name=f"No {n}", **each): tenths(each)
            for n, each in enumerate(births)
        }
        ada.save(name="hidden")

        @given(
            n=st.integers(0, 400),
            facet=st.sampled_from(FACETS),
            limit=st.integers(1, 20),
        )
        @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        def equals_brute_force(n: int, facet: str, limit: int) -> None:
            expected = ranked(charts, tenths(birth(n)), facet)
            found: list[tuple[str, int]] = []
            cursor: str | None = ""
            while cursor is not None:
                page = search(url, birth(n), facet=facet, limit=limit, cursor=cursor)
                assert (page["facet"], page["searched"]) == (facet, len(charts))
                assert len(page["matches"]) <= limit
                for match in page["matches"]:
                    assert match["facets"][facet] == match["score"]
                    found.append((match["chartId"], round(match["score"] * 1e6)))
                cursor = page["nextCursor"]
            assert found == expected

        equals_brute_force()


def test_a_match_is_told_by_name_signs_scores_and_reasons(fresh: Served) -> None:
    with member(fresh) as ada:
        chart_id = ada.save(visibility="public", **BIRTH)
        (match,) = search(fresh.http_url)["matches"]
    assert set(match) == {
        "chartId", "name", "score", "percentile", "facets", "rationale", "signs",
    }  # fmt: skip
    assert (match["chartId"], match["name"]) == (chart_id, "Ada")
    assert match["signs"] == {"sun": "gemini", "moon": "pisces", "rising": "libra"}
    weights = load_weights()
    for facet in FACETS:
        expected = score_micro(tenths(ASKER), tenths(BIRTH), facet, weights)
        assert round(match["facets"][facet] * 1e6) == expected
    assert 0 <= match["percentile"] <= 100
    assert 1 <= len(match["rationale"]) <= 3
    assert all(sentence.endswith(".") and ": " in sentence for sentence in match["rationale"])


def test_a_pair_adds_up_to_the_score_that_the_search_tells(fresh: Served) -> None:
    with member(fresh) as ada:
        chart_id = ada.save(visibility="public", **BIRTH)
        match = search(fresh.http_url)["matches"][0]
        body = {"charts": [ASKER | {"name": "Me"}, {"chartId": chart_id}]}
        for who in (fresh.http_url, ada):
            if isinstance(who, Visitor):
                answer = who.post("/api/compat/pair", body)
            else:
                answer = httpx.post(f"{who}/api/compat/pair", json=body)
            assert answer.status_code == 200, answer.text
            pair = answer.json()
            assert set(pair["facets"]) == set(FACETS)
            for facet, told in pair["facets"].items():
                assert told["score"] == match["facets"][facet]
                parts = [told["base"], *(each["value"] for each in told["contributions"])]
                assert round(sum(parts) * 1e6) == round(told["score"] * 1e6)
                orbs = [c["orbDeg"] for c in told["contributions"] if c["orbDeg"] is not None]
                is_whole = all(orb == int(orb) for orb in orbs)
                assert is_whole is not isinstance(who, Visitor)  # only the owner sees tenths
        assert [chart["name"] for chart in pair["charts"]] == ["Me", "Ada"]


def test_a_saved_chart_asks_by_its_id(fresh: Served) -> None:
    with member(fresh) as ada, member(fresh) as bob:
        mine, others = (
            ada.save(**ASKER),
            [bob.save(visibility="public", **birth(n)) for n in (1, 2)],
        )
        by_query = ada.get(f"/api/compat/search?chartId={mine}&facet=lovers&limit=5").json()
        body = {"chart": {"chartId": mine}, "facet": "lovers", "limit": 5}
        by_body = ada.post("/api/compat/search", body).json()
        by_birth = search(fresh.http_url, facet="lovers", limit=5)
        assert by_query["matches"] == by_body["matches"] == by_birth["matches"]
        assert sorted(ids(by_query)) == sorted(others)
        for other in (bob.get(f"/api/compat/search?chartId={mine}"),
                      bob.post("/api/compat/search", body),
                      bob.post("/api/compat/pair", {"charts": [ASKER, {"chartId": mine}]}),
                      httpx.get(f"{fresh.http_url}/api/compat/search?chartId={mine}")):  # fmt: skip
            assert_refused(other, 404, "NOT_FOUND")


def test_nobody_meets_their_own_charts(fresh: Served) -> None:
    with member(fresh) as ada, member(fresh) as bob:
        mine = [ada.save(visibility="public", **birth(n)) for n in range(3)]
        theirs = bob.save(visibility="public", **birth(9))
        assert ids(ada.get(f"/api/compat/search?chartId={mine[0]}").json()) == [theirs]
        assert ids(ada.post("/api/compat/search", {"chart": ASKER}).json()) == [theirs]
        # Nor does a chart meet itself or its owner's others when somebody else looks.
        assert ids(search(fresh.http_url, {"chartId": mine[0]})) == [theirs]


# Up to date --------------------------------------------------------------------------------------


def test_every_change_is_in_the_next_answer(fresh: Served) -> None:
    def health() -> int:
        told = httpx.get(f"{fresh.http_url}/api/compat/health").json()
        assert (told["status"], told["service"]) == ("ok", "compat")
        assert told["weightsVersion"]
        count: int = told["profiles"]
        return count

    def found() -> list[str]:
        found = search(fresh.http_url)
        assert found["searched"] == health()
        return ids(found)

    with member(fresh) as ada:
        assert found() == []
        chart_id = ada.save(visibility="public", **birth(1))
        assert found() == [chart_id]
        path = f"/api/charts/{chart_id}"
        before = search(fresh.http_url)["matches"][0]
        assert ada.send("PATCH", path, birth(2) | {"name": "New"}).status_code == 200
        after = search(fresh.http_url)["matches"][0]
        expected = score_micro(tenths(ASKER), tenths(birth(2)), "overall", load_weights())
        assert (after["name"], round(after["score"] * 1e6)) == ("New", expected)
        assert before["score"] != after["score"]
        ada.send("PATCH", path, {"visibility": "private"})
        assert found() == []
        ada.send("PATCH", path, {"visibility": "public"})
        assert found() == [chart_id]
        ada.send("DELETE", path)
        assert found() == []
        again = [ada.save(visibility="public", **birth(n)) for n in range(5)]
        assert sorted(found()) == sorted(again)
        assert ada.send("DELETE", "/api/account").status_code == 204
        assert found() == []


def test_who_is_hidden_between_two_pages_is_on_neither(fresh: Served) -> None:
    with member(fresh) as ada:
        for n in range(6):
            ada.save(visibility="public", **birth(n))
        first = search(fresh.http_url, limit=3)
        rest = ids(search(fresh.http_url, limit=10, cursor=first["nextCursor"]))
        ada.send("PATCH", f"/api/charts/{rest[0]}", {"visibility": "private"})
        second = search(fresh.http_url, limit=10, cursor=first["nextCursor"])
        assert ids(second) == rest[1:]
        # The place of a cursor stays where it was, even when its own chart goes.
        ada.send("DELETE", f"/api/charts/{ids(first)[-1]}")
        assert ids(search(fresh.http_url, limit=10, cursor=first["nextCursor"])) == rest[1:]


def test_what_an_older_program_saved_is_found_after_the_start(tmp_path: Any) -> None:
    async def without_index(store: Any) -> None:
        await store.write(lambda connection: connection.execute("DELETE FROM published"))

    with serving(settings_in(tmp_path), SilentEngine()) as served, member(served) as ada:
        expected = sorted(ada.save(visibility="public", **birth(n)) for n in range(3))
        asyncio.run(without_index(served.app.state.desk.store))
        assert ids(search(served.http_url)) == []
    with serving(settings_in(tmp_path), SilentEngine()) as served:
        began_s = time.monotonic()  # the index is filled while the server answers already
        while sorted(found := ids(search(served.http_url))) != expected:
            assert time.monotonic() < began_s + 20, found


# Blocks ------------------------------------------------------------------------------------------


def test_a_block_holds_both_ways_until_it_is_taken_back(fresh: Served) -> None:
    with member(fresh) as ada, member(fresh) as bob:
        hers = [ada.save(visibility="public", name=f"A{n}", **birth(n)) for n in range(2)]
        his = bob.save(visibility="public", name="B", **birth(7))

        def meets(who: Visitor) -> list[str]:
            return sorted(ids(who.post("/api/compat/search", {"chart": ASKER}).json()))

        assert (meets(ada), meets(bob)) == ([his], sorted(hers))
        made = ada.post("/api/blocks", {"chartId": his})
        assert made.status_code == 201
        block = made.json()
        assert (block["chartId"], block["name"]) == (his, "B")
        assert ada.post("/api/blocks", {"chartId": his}).json()["id"] == block["id"]
        assert bob.email not in ada.get("/api/blocks").text
        for who, theirs in ((ada, [his]), (bob, hers)):
            assert meets(who) == []
            for chart_id in theirs:
                named = {"chartId": chart_id}
                for refused in (
                    who.get(f"/api/charts/{chart_id}"),
                    who.get(f"/api/compat/search?chartId={chart_id}"),
                    who.post("/api/compat/pair", {"charts": [ASKER, named]}),
                    who.post("/api/compose", {"mode": "natal", "charts": [named]}),
                ):
                    assert_refused(refused, 404, "NOT_FOUND")
        # By the chart's id its owner's blocks hold too, whoever asks.
        assert ids(search(fresh.http_url, {"chartId": his})) == []
        assert len(ids(search(fresh.http_url))) == 3
        assert bob.get("/api/blocks").json()["blocks"] == []
        exported = ada.get("/api/account/export").json()["blocks"]
        assert [one["id"] for one in exported] == [block["id"]]
        assert_refused(bob.send("DELETE", f"/api/blocks/{block['id']}"), 404, "NOT_FOUND")
        assert ada.send("DELETE", f"/api/blocks/{block['id']}").status_code == 204
        assert_refused(ada.send("DELETE", f"/api/blocks/{block['id']}"), 404, "NOT_FOUND")
        assert (meets(ada), meets(bob)) == ([his], sorted(hers))


def test_a_block_goes_with_either_account_and_forgets_a_hidden_chart(fresh: Served) -> None:
    with member(fresh) as ada, member(fresh) as bob:
        his = bob.save(visibility="public", name="B", **birth(7))
        ada.post("/api/blocks", {"chartId": his})
        bob.send("PATCH", f"/api/charts/{his}", {"visibility": "private"})
        (block,) = ada.get("/api/blocks").json()["blocks"]
        assert (block["chartId"], block["name"]) == (None, None)
        bob.send("DELETE", "/api/account")
        assert ada.get("/api/blocks").json()["blocks"] == []


def test_blocks_that_cannot_be(server: Served) -> None:
    with member(server) as ada, member(server) as bob, visiting(server) as nobody:
        mine, hidden = ada.save(visibility="public"), bob.save()
        for chart_id in (hidden, "chart_00", ""):
            refused = ada.post("/api/blocks", {"chartId": chart_id})
            assert_refused(refused, 404, "NOT_FOUND")
        assert_refused(
            ada.post("/api/blocks", {"chartId": mine}), 422, "VALIDATION_FAILED", "chartId"
        )
        for body in ({}, {"chartId": 5}, {"chartId": "x" * 65}):
            assert_refused(ada.post("/api/blocks", body), 422, "VALIDATION_FAILED", "chartId")
        assert_refused(nobody.post("/api/blocks", {"chartId": mine}), 401, "AUTH_REQUIRED")
        assert_refused(nobody.get("/api/blocks"), 401, "AUTH_REQUIRED")


# Refused -----------------------------------------------------------------------------------------

# fmt: off
BAD_SEARCHES: list[tuple[dict[str, Any], list[str]]] = [
    ({"chart": None},                             ["chart"]),
    ({"chart": []},                               ["chart"]),
    ({"chart": {"datetime": "now"}},              ["chart.datetime", "chart.lat", "chart.lon"]),
    ({"chart": {"chartId": 5}},                   ["chart.chartId"]),
    ({"chart": {"chartId": "x", "lat": 5}},       ["chart.lat"]),
    ({"limit": 0},                                ["limit"]),
    ({"limit": -1},                               ["limit"]),
    ({"limit": 10**9},                            ["limit"]),
    ({"limit": 101},                              ["limit"]),
    ({"limit": 2.5},                              ["limit"]),
    ({"limit": "5"},                              ["limit"]),
    ({"limit": True},                             ["limit"]),
    ({"facet": "money"},                          ["facet"]),
    ({"facet": None},                             ["facet"]),
    ({"cursor": 7},                               ["cursor"]),
    ({"cursor": "x"},                             ["cursor"]),
    ({"cursor": "x" * 65},                        ["cursor"]),
    ({"cursor": "\u00e4" * 27},                   ["cursor"]),
    ({"chart": {"datetime": "1984-02-29T23:15", "tz": "Nowhere", "lat": 91, "lon": 0},
      "limit": 0, "facet": "x"},                  ["chart.tz", "chart.lat", "facet", "limit"]),
]
# fmt: on


@pytest.mark.parametrize(("changes", "fields"), BAD_SEARCHES)
def test_every_wrong_field_of_a_search_is_named(
    server: Served, changes: dict[str, Any], fields: list[str]
) -> None:
    answer = httpx.post(f"{server.http_url}/api/compat/search", json={"chart": ASKER} | changes)
    assert answer.status_code == 422, answer.text
    named = [detail["field"] for detail in answer.json()["error"]["details"]]
    assert sorted(named) == sorted(fields)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", ["chartId"]),
        ("limit=0&facet=x", ["chartId", "facet", "limit"]),
        ("chartId=a&limit=-1", ["limit"]),
        ("chartId=a&limit=1000000000", ["limit"]),
        ("chartId=a&limit=1e1", ["limit"]),
        ("chartId=a&limit=", ["limit"]),
        ("chartId=a&limit=NaN", ["limit"]),
        ("chartId=a&limit=1&limit=2", ["limit"]),
        (f"chartId={'a' * 65}", ["chartId"]),
    ],
)
def test_every_wrong_value_of_a_query_is_named(
    server: Served, query: str, fields: list[str]
) -> None:
    answer = httpx.get(f"{server.http_url}/api/compat/search?{query}")
    assert_refused(answer, 422, "VALIDATION_FAILED", *fields)


def test_a_cursor_of_another_question_is_refused(fresh: Served) -> None:
    with member(fresh) as ada:
        for n in range(4):
            ada.save(visibility="public", **birth(n))
    cursor = search(fresh.http_url, limit=2)["nextCursor"]
    for other in ({"facet": "lovers"}, {"chart": birth(3)}):
        body = {"chart": ASKER, "cursor": cursor} | other
        answer = httpx.post(f"{fresh.http_url}/api/compat/search", json=body)
        assert_refused(answer, 422, "VALIDATION_FAILED", "cursor")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["charts"]),
        ({"charts": [ASKER]}, ["charts"]),
        ({"charts": [ASKER] * 3}, ["charts"]),
        ({"charts": "ab"}, ["charts"]),
        ({"charts": [ASKER, 5]}, ["charts[1]"]),
        ({"charts": [ASKER | {"lat": "x"}, {"chartId": None}]},
         ["charts[0].lat", "charts[1].chartId"]),
    ],
)  # fmt: skip
def test_every_wrong_field_of_a_pair_is_named(
    server: Served, body: dict[str, Any], fields: list[str]
) -> None:
    answer = httpx.post(f"{server.http_url}/api/compat/pair", json=body)
    assert_refused(answer, 422, "VALIDATION_FAILED", *fields)


@pytest.mark.parametrize("path", ["/api/compat/search", "/api/compat/pair"])
@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"chart": NaN, "charts": [NaN, 1]}', 400),
        (b"[" * 100, 400),
        (b"[]", 422),
        (b'{"charts": [{}, {}], "chart": {}, "chart": {}}', 400),
        (b'{"chart": "' + b"x" * 70_000 + b'"}', 413),
    ],
)
def test_bad_bodies_are_refused(server: Served, path: str, raw: bytes, status: int) -> None:
    answer = httpx.post(server.http_url + path, content=raw)
    assert answer.status_code == status, answer.text


def test_a_search_is_a_request_like_others(server: Served) -> None:
    url = server.http_url
    body = {"chart": ASKER}
    plain = httpx.post(
        f"{url}/api/compat/search", json=body, headers={"Content-Type": "text/plain"}
    )
    assert plain.status_code == 200  # nobody's cookies, no page behind it
    evil = httpx.post(
        f"{url}/api/compat/search", json=body, headers={"Origin": "https://evil.example"}
    )
    assert_refused(evil, 403, "ORIGIN_REFUSED")
    with member(server) as ada:
        forged = ada.client.post("/api/compat/search", json=body, headers={"Origin": url})
        assert_refused(forged, 403, "CSRF_FAILED")
    for method, path in (("DELETE", "search"), ("GET", "pair"), ("POST", "health")):
        answer = httpx.request(method, f"{url}/api/compat/{path}")
        assert_refused(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["Allow"]


def test_a_search_costs_five_and_health_nothing(tmp_path: Any) -> None:
    limited = settings_in(tmp_path, RATE_LIMIT_MAX="12", RATE_LIMIT_WINDOW_S="3600")
    with serving(limited, SilentEngine()) as served:
        url = f"{served.http_url}/api/compat"
        for _ in range(20):
            assert httpx.get(f"{url}/health").status_code == 200
        searched = httpx.post(f"{url}/search", json={"chart": ASKER})
        paired = httpx.post(f"{url}/pair", json={"charts": [ASKER, BIRTH]})
        assert (searched.status_code, paired.status_code) == (200, 200)
        refused = httpx.get(f"{url}/search?chartId=x")
        assert_refused(refused, 429, "RATE_LIMITED")
        assert int(refused.headers["Retry-After"]) > 0


def test_a_search_is_measured_in_seconds(tmp_path: Any) -> None:
    with serving(settings_in(tmp_path), SilentEngine()) as served:
        told = httpx.post(f"{served.http_url}/api/compat/search", json={"chart": ASKER}).json()
        text = httpx.get(f"{served.http_url}/metrics").text
    assert "astradio_compat_search_latency_seconds_count 1.0" in text
    sum_s = re.search(r"^astradio_compat_search_latency_seconds_sum (\S+)$", text, re.MULTILINE)
    assert sum_s is not None
    assert float(sum_s[1]) == pytest.approx(told["tookMs"] / 1e3, abs=1e-6)


def test_readiness_tells_that_the_weights_are_loaded(server: Served) -> None:
    assert httpx.get(f"{server.http_url}/readyz").json()["checks"]["compat_weights_loaded"] is True


def test_weights_that_are_wrong_cost_the_search_alone(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong() -> None:
        raise WeightsWrong("row 7 has no reason")

    monkeypatch.setattr(matchmaker, "load_weights", wrong)
    with serving(settings_in(tmp_path), SilentEngine()) as served:
        ready = httpx.get(f"{served.http_url}/readyz")
        assert (ready.status_code, ready.json()["checks"]["compat_weights_loaded"]) == (200, False)
        health = httpx.get(f"{served.http_url}/api/compat/health").json()
        assert health["status"] == "unavailable"
        answer = httpx.post(f"{served.http_url}/api/compat/search", json={"chart": ASKER})
        assert_refused(answer, 503, "STORE_UNAVAILABLE")

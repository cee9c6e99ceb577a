"""What others learn of a published chart: a name, three signs, a score, the music. Never its birth.

The birth that is planted here has a date, a time, a zone and a place that nothing else has; every
answer of every route and every message of the stream is searched for them, and for all positions of
its chart.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from astradio_stream.sky.births import birth_of
from astradio_stream.sky.chart_json import chart_to_json
from tests.listener import hello_of, listening
from tests.serving import Served
from tests.studios import composing
from tests.visitor import Visitor, member

CANARY = {
    "datetime": "1987-03-19T16:47",
    "tz": "Pacific/Chatham",
    "lat": -43.9533,
    "lon": -176.5597,
}
MINE = {"datetime": "1990-06-15T14:30", "tz": "Europe/Berlin", "lat": 52.52, "lon": 13.4}
V1_1 = {"modelVersions": {"audio": "v1.1"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Served]:
    with composing(tmp_path_factory.mktemp("privacy"), data_dir, "v1.1") as served:
        yield served


@pytest.fixture(scope="module")
def owner(server: Served) -> Iterator[Visitor]:
    with member(server) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def planted(owner: Visitor) -> str:
    return owner.save(name="Canary", visibility="public", **CANARY)


@pytest.fixture(scope="module")
def other(server: Served) -> Iterator[Visitor]:
    with member(server) as visitor:
        yield visitor


def numbers_of(value: Any) -> set[float]:
    """Return all numbers in some JSON."""
    if isinstance(value, dict):
        return set().union(*(numbers_of(one) for one in value.values()), set())
    if isinstance(value, list):
        return set().union(*(numbers_of(one) for one in value), set())
    return (
        {float(value)} if isinstance(value, int | float) and not isinstance(value, bool) else set()
    )


CHART = chart_to_json(birth_of(CANARY).chart())
POSITIONS = {
    number
    for number in numbers_of([CHART[name] for name in ("bodies", "angles", "cuspsDeg", "moon")])
    if abs(number) > 1.0
} | {abs(CANARY["lat"]), abs(CANARY["lon"])}  # type: ignore[arg-type]
WORDS = (
    "1987", "19 March", "16:47", "03:57", "04:02", "Chatham", "43.95", "176.5",
    CHART["chartHash"], CHART["moment"]["utc"], "+12:45",
)  # fmt: skip


OF_THIS_CENTURY = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|20\d\d \d\d:\d\d:\d\d GMT")


def without_the_clock(text: str) -> str:
    """Leave out the moments of this century: once a day what the clock says looks like a birth."""
    return OF_THIS_CENTURY.sub("", text)


def assert_silent(text: str) -> None:
    """Check that nothing of the birth stands in an answer."""
    text = without_the_clock(text)
    for word in WORDS:
        # The digits of a year may stand in those of an id.
        found = re.search(r"(?<![\da-f])" * word.isdigit() + re.escape(word), text)
        assert found is None, f"{word}: {text[max(0, found.start() - 200) :][:400]}"
    told = {round(abs(float(number)), 3) for number in re.findall(r"\d+\.\d{3,}", text)}
    for position in POSITIONS:
        assert round(abs(position), 3) not in told, position


def test_the_scan_finds_what_it_looks_for(owner: Visitor, planted: str) -> None:
    for told in (json.dumps(CHART["bodies"][3]), owner.get(f"/api/charts/{planted}").text):
        with pytest.raises(AssertionError):
            assert_silent(told)


@pytest.mark.parametrize("said", ["16:47:12.345", "03:16:47.000", "04:02:00.100"])
def test_the_scan_knows_the_clock_from_a_birth(said: str) -> None:
    assert_silent(f'{{"createdAt":"2026-11-29T{said}Z"}}')
    assert_silent(f"date: Sun, 29 Nov 2026 {said[:8]} GMT")
    with pytest.raises(AssertionError):
        assert_silent(f'{{"bornAt":"1987-03-19T{said}Z"}}')


def test_no_route_tells_the_birth_of_another(server: Served, other: Visitor, planted: str) -> None:
    named = {"chartId": planted}
    answers = [
        other.get(f"/api/charts/{planted}"),
        httpx.get(f"{server.http_url}/api/charts/{planted}"),
        other.post("/api/compat/search", {"chart": MINE}),
        *(
            other.post("/api/compat/search", {"chart": MINE, "facet": facet})
            for facet in ("friends", "lovers", "creative", "mentor", "conflict")
        ),
        other.get(f"/api/compat/search?chartId={planted}"),
        other.post("/api/compat/pair", {"charts": [MINE, named]}),
        other.post("/api/compat/pair", {"charts": [named, named]}),
        other.post("/api/blocks", named),
        other.get("/api/blocks"),
        other.get("/api/account/export"),
    ]
    for answer in answers:
        assert answer.status_code in (200, 201), answer.text
        assert_silent(answer.text)
    for block in other.get("/api/blocks").json()["blocks"]:
        other.send("DELETE", f"/api/blocks/{block['id']}")
    assert "Canary" in answers[2].text


@pytest.mark.parametrize("mode", ["natal", "overlay", "compatibility", "two veiled"])
def test_no_piece_tells_the_birth_of_another(
    server: Served, other: Visitor, planted: str, mode: str
) -> None:
    named = {"chartId": planted}
    charts = {"compatibility": [named, MINE], "two veiled": [named, named]}.get(mode, [named])
    sky = {"at": "2026-03-20T12:00:00Z"} if mode == "overlay" else {}
    body = {"mode": mode if len(charts) == 1 else "compatibility", "charts": charts} | sky
    answer = other.post("/api/compose", body | V1_1 | {"durationS": 20})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["programme"]["charts"][0]["chartId"] == planted
    if mode != "overlay":
        assert told["chart"]["signs"] == {"sun": "pisces", "moon": "scorpio", "rising": "leo"}
        assert told["chart"]["bodies"] == []
    assert_silent(answer.text)
    for kind in ("audio", "viz", "midi"):
        file = httpx.get(server.http_url + told[kind]["url"], timeout=30)
        assert file.status_code == 200
        assert_silent(file.content.decode("latin-1") if kind != "audio" else "")
        for word in WORDS:
            assert word.encode() not in file.content
    assert_silent(other.get("/api/account/export").text)
    # The programme as it was told plays the same; without its version, too.
    again = other.post("/api/compose", told["programme"] | {"durationS": 20}).json()
    assert again["audio"]["pcmDigest"] == told["audio"]["pcmDigest"]
    assert again["programmeId"] == told["programmeId"]


def test_what_is_unknown_beside_a_chart_is_ignored_wherever_it_is_named(
    server: Served, other: Visitor, planted: str
) -> None:
    named = {"chartId": planted, "later": {"more": [1]}}
    duet = {"mode": "compatibility", "charts": [named, MINE]} | V1_1
    for path, body in (
        ("/api/compose", duet | {"durationS": 1}),
        ("/api/midi", duet | {"durationS": 1}),
        ("/api/compat/search", {"chart": named}),
        ("/api/compat/pair", {"charts": [named, MINE]}),
    ):
        answer = other.post(path, body)
        assert answer.status_code == 200, answer.text
    with listening(server.ws_url, duet) as listener:
        saved = listener.ready["programme"]["charts"][0]
        assert (saved["chartId"], saved.keys()) == (planted, {"chartId", "version"})


def test_the_stream_of_a_duet_tells_ids_only(server: Served, planted: str, owner: Visitor) -> None:
    duet = {"mode": "compatibility", "charts": [{"chartId": planted}, MINE]} | V1_1
    with listening(server.ws_url, duet) as listener:
        assert listener.ready["programme"]["charts"][0]["chartId"] == planted
        listener.take_quanta(40)
        listener.say({"type": "steer", "controls": {"density": 0.9}})
        steered = listener.take_text("steered")
        assert steered["programme"]["charts"][0]["chartId"] == planted
        listener.say({"type": "seek", "to": 48_000 * 600})
        listener.take_text("ready")
        for text in listener.texts:
            assert_silent(json.dumps(text | {"serverTimeUs": 0}))
        first = listener.texts[0]
    # The same object, and the id alone, are the same music.
    same: list[dict[str, Any]] = [
        {"programme": first["programme"]}, {"programmeId": first["programmeId"]},
        {"programme": duet},
    ]  # fmt: skip
    for asked in same:
        with listening(server.ws_url, **asked) as listener:
            assert listener.ready["programmeId"] == first["programmeId"]


def closed_with(server: Served, asked: dict[str, Any], cookies: str = "") -> int:
    headers = {"Cookie": cookies} if cookies else {}
    with connect(server.ws_url, additional_headers=headers) as connection:
        connection.send(json.dumps(hello_of(**asked)))
        with contextlib.suppress(ConnectionClosed):
            for _ in connection:
                pass
        assert connection.close_code is not None
        return connection.close_code


def cookies_of(visitor: Visitor) -> str:
    return "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())


def test_a_stream_named_as_a_piece_is_refused_once_its_chart_is_hidden(
    server: Served, owner: Visitor, other: Visitor
) -> None:
    chart_id = owner.save(visibility="public", **CANARY)
    body = {"mode": "natal", "charts": [{"chartId": chart_id}], "durationS": 1} | V1_1
    asked = {"programmeId": other.post("/api/compose", body).json()["programmeId"]}
    with listening(server.ws_url, **asked) as listener:
        assert_silent(json.dumps(listener.ready | {"serverTimeUs": 0}))
    owner.send("PATCH", f"/api/charts/{chart_id}", {"visibility": "private"})
    assert closed_with(server, asked) == 4004


def test_what_is_hidden_changed_blocked_or_deleted_plays_no_more(
    server: Served, owner: Visitor, other: Visitor
) -> None:
    chart_id = owner.save(visibility="public", **CANARY)
    path, named = f"/api/charts/{chart_id}", {"chartId": chart_id}
    by_chart: dict[str, Any] = {"programme": {"mode": "natal", "charts": [named]} | V1_1}
    with listening(server.ws_url, **by_chart) as listener:
        ready = listener.ready
    by_id = {"programmeId": ready["programmeId"]}
    by_version = {"programme": ready["programme"]}
    every: tuple[dict[str, Any], ...] = (by_chart, by_id, by_version)

    def plays(asked: dict[str, Any]) -> bool:
        with listening(server.ws_url, **asked) as listener:
            return "programmeId" in listener.ready

    assert all(plays(asked) for asked in every)
    # Another birth: the id alone means the new one, what named the old one is refused.
    owner.send("PATCH", path, {"lat": 10, "lon": 10})
    assert plays(by_chart)
    assert [closed_with(server, asked) for asked in (by_id, by_version)] == [4004, 4004]
    owner.send("PATCH", path, {"lat": CANARY["lat"], "lon": CANARY["lon"]})
    assert all(plays(asked) for asked in every)
    owner.send("PATCH", path, {"name": "A new name"})  # another name is the same birth
    assert all(plays(asked) for asked in every)
    # Blocked: for that account alone.
    block = owner.post("/api/blocks", {"chartId": other.save(visibility="public")}).json()
    cookies = cookies_of(other)
    assert [closed_with(server, asked, cookies) for asked in every] == [4004] * 3
    assert all(plays(asked) for asked in every)
    owner.send("DELETE", f"/api/blocks/{block['id']}")
    # Hidden: for all but the owner, who plays it by its birth.
    owner.send("PATCH", path, {"visibility": "private"})
    assert [closed_with(server, asked) for asked in every] == [4004] * 3
    assert other.post("/api/compose", {"mode": "natal", "charts": [named]}).status_code == 404
    mine = owner.post("/api/compose", {"mode": "natal", "charts": [named], "durationS": 1} | V1_1)
    assert mine.json()["programme"]["charts"][0]["lat"] == CANARY["lat"]
    owner.send("PATCH", path, {"visibility": "public"})
    owner.send("DELETE", path)
    assert [closed_with(server, asked) for asked in every] == [4004] * 3


def test_the_log_tells_no_birth(
    server: Served, planted: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        listening(server.ws_url, {"mode": "natal", "charts": [{"chartId": planted}]} | V1_1),
    ):
        httpx.get(f"{server.http_url}/api/compat/search?chartId={planted}")
    assert "JOINED" in caplog.text
    assert_silent(re.sub(r"requestId=\S+|session=\S+|latency\S+", "", caplog.text))

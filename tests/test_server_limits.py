"""Limits: every address and every account has its bucket, every route its price."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from astradio_stream.server.doors import Doors
from astradio_stream.server.limits import COSTS, cost_of
from astradio_stream.wire.bucket import NS_PER_S, Bucket, Rate
from tests.listener import listening
from tests.serving import Served, SilentEngine, serving, settings_in
from tests.visitor import Visitor, member

RATE = Rate(50, 10)
DOCS = Path(__file__).parent.parent / "docs" / "HTTP.md"


# Buckets with prices -----------------------------------------------------------------------------


def test_several_tokens_are_taken_together_or_not_at_all() -> None:
    bucket = Bucket(RATE)
    assert [bucket.take(0, 20) for _ in range(3)] == [True, True, False]
    assert bucket.n_left(0) == 10
    assert bucket.fill_ns(0) == 8 * NS_PER_S
    assert bucket.wait_ns(0, 20) == 2 * NS_PER_S
    assert bucket.n_left(2 * NS_PER_S - 1) == 19
    assert bucket.take(2 * NS_PER_S, 20)
    assert bucket.n_left(1_000 * NS_PER_S) == 50


def test_what_costs_more_than_a_bucket_holds_takes_all_of_it() -> None:
    doors = Doors()
    small = Rate(3, 60)
    assert doors.charge("a", small, 5, 0).wait_ns == 0
    standing = doors.charge("a", small, 5, 20 * NS_PER_S)
    assert (standing.wait_ns, standing.n_left, standing.fill_ns) == (
        40 * NS_PER_S, 1, 40 * NS_PER_S,
    )  # fmt: skip
    assert doors.charge("a", small, 5, 60 * NS_PER_S).wait_ns == 0


# Prices ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "cost"),
    [
        ("GET", "/", 1),
        ("GET", "/static/main.js", 0),
        ("GET", "/static", 1),
        ("GET", "/readyz", 0),
        ("POST", "/readyz", 0),
        ("GET", "/api/status", 0),
        ("GET", "/api/chart", 1),
        ("GET", "/api/charts", 1),
        ("GET", "/api/sky", 2),
        ("HEAD", "/api/sky", 2),
        ("POST", "/api/compose", 5),
        ("GET", "/api/compose", 1),
        ("POST", "/api/midi", 5),
        ("GET", "/api/compat/search", 5),
        ("GET", "/api/compat/health", 0),
        ("POST", "/api/auth/login", 5),
        ("GET", "/nowhere", 1),
    ],
)
def test_a_route_has_its_price(method: str, path: str, cost: int) -> None:
    assert cost_of(method, path) == cost


def test_no_row_of_the_table_is_hidden_by_one_before() -> None:
    for method, path, cost in COSTS:
        assert cost_of(method or "GET", f"{path}x" if path.endswith("/") else path) == cost


# At a real server --------------------------------------------------------------------------------


def standing_of(answer: httpx.Response, name: str) -> tuple[int, int, int, int]:
    """Return tokens in a full bucket, seconds to fill it, tokens left, seconds until it is full."""
    policy = re.search(rf'"{name}";q=(\d+);w=(\d+)', answer.headers["RateLimit-Policy"])
    standing = re.search(rf'"{name}";r=(\d+);t=(\d+)', answer.headers["RateLimit"])
    assert policy is not None
    assert standing is not None
    return int(policy[1]), int(policy[2]), int(standing[1]), int(standing[2])


def few(**environ: str) -> dict[str, str]:
    """Settings with little in a bucket, and long to fill."""
    return {"RATE_LIMIT_MAX": "3", "RATE_LIMIT_WINDOW_S": "3600"} | environ


def test_the_request_too_many_is_429_and_the_music_plays_on(tmp_path: Path) -> None:
    with (
        serving(settings_in(tmp_path, **few()), SilentEngine()) as server,
        listening(server.ws_url) as inside,
    ):
        url = f"{server.http_url}/api/config"
        answers = [httpx.get(url) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [standing_of(answer, "address")[2] for answer in answers] == [2, 1, 0, 0]
        q, w, _, t = standing_of(answers[0], "address")
        assert (q, w, t) == (3, 3600, 1200)
        refused = answers[3]
        assert refused.json()["error"]["code"] == "RATE_LIMITED"
        assert 1_190 <= int(refused.headers["Retry-After"]) <= 1_200
        # Probes, files, and what a refused player may ask are answered all the same.
        for path in ("/livez", "/readyz", "/metrics", "/api/status", "/static/main.js"):
            answer = httpx.get(server.http_url + path)
            assert answer.status_code == 200
            assert "RateLimit" not in answer.headers
        inside.take_quanta(3)
        server.change_settings(rate_limit_max=1_000)
        assert httpx.get(url).status_code == 200


def test_who_is_refused_pays_nothing_for_it(tmp_path: Path) -> None:
    with serving(settings_in(tmp_path, **few()), SilentEngine()) as server:
        for _ in range(20):
            httpx.get(f"{server.http_url}/api/config")
        refused = httpx.get(f"{server.http_url}/api/config")
        assert int(refused.headers["Retry-After"]) <= 1_200


def ask_from(server: Served, *forwarded: str) -> int:
    headers = [("X-Forwarded-For", entry) for entry in forwarded]
    return httpx.get(f"{server.http_url}/api/config", headers=headers).status_code


def test_addresses_are_counted_apart_and_only_a_proxy_of_ours_tells_them(tmp_path: Path) -> None:
    trusted = few(TRUSTED_PROXIES="127.0.0.1")
    with serving(settings_in(tmp_path / "a", **trusted), SilentEngine()) as server:
        assert [ask_from(server, "192.0.2.1") for _ in range(4)] == [200, 200, 200, 429]
        assert ask_from(server, "198.51.100.9, 192.0.2.1") == 429  # what it adds is not believed
        assert ask_from(server, "192.0.2.2") == 200
        household = [ask_from(server, f"2001:db8::{n}") for n in range(1, 5)]
        assert household == [200, 200, 200, 429]
        assert ask_from(server, "2001:db8:0:1::1") == 200
    with serving(settings_in(tmp_path / "b", **few()), SilentEngine()) as server:
        made_up = [ask_from(server, f"192.0.2.{n}") for n in range(4)]
        assert made_up == [200, 200, 200, 429]


def ask_as(visitor: Visitor, address: str) -> httpx.Response:
    return visitor.client.get("/api/charts", headers={"X-Forwarded-For": address})


def test_an_account_at_many_addresses_is_one_account(tmp_path: Path) -> None:
    environ = few(TRUSTED_PROXIES="127.0.0.1", RATE_LIMIT_MAX="50")
    settings = settings_in(tmp_path, **environ)
    with serving(settings, SilentEngine()) as server, member(server) as ada, member(server) as bob:
        answers = [ask_as(ada, f"192.0.2.{n}") for n in range(51)]
        assert [answer.status_code for answer in answers] == [200] * 50 + [429]
        assert standing_of(answers[0], "account")[2] == 49
        assert standing_of(answers[50], "address")[2] == 49
        assert ask_as(bob, "192.0.2.200").status_code == 200


def test_every_page_that_knows_who_asks_charges_the_account(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, RATE_LIMIT_MAX="50", RATE_LIMIT_WINDOW_S="3600")
    with serving(settings, SilentEngine()) as server, member(server) as ada:
        saved = ada.save()
        left = standing_of(ada.get("/api/charts"), "account")[2]
        for answer in (
            ada.get(f"/api/charts/{saved}"),
            ada.get("/api/charts/chart_nobody_has"),
            ada.get("/api/auth/session"),
            ada.post("/api/auth/logout"),
        ):
            left -= 1
            assert standing_of(answer, "account")[2] == left
        assert '"account"' not in ada.get("/api/auth/session").headers["RateLimit"]


def test_an_account_that_others_keep_asking_can_still_be_left(tmp_path: Path) -> None:
    environ = few(TRUSTED_PROXIES="127.0.0.1", RATE_LIMIT_MAX="50")
    with serving(settings_in(tmp_path, **environ), SilentEngine()) as server, member(server) as ada:
        answers = [ask_as(ada, f"192.0.2.{n}") for n in range(51)]
        assert answers[50].status_code == 429
        who = ada.take_token(ada.get("/api/auth/session"))
        assert (who.status_code, who.json()["user"]["email"]) == (200, ada.email)
        gone = ada.post("/api/auth/logout", {"everywhere": True})
        assert (gone.status_code, gone.json()["user"]) == (200, None)
        assert standing_of(gone, "account")[2] == 0


def test_what_an_account_is_refused_its_address_has_paid_for(tmp_path: Path) -> None:
    """Else who is refused could go on asking at no cost, and each time we look up who it is."""
    environ = few(TRUSTED_PROXIES="127.0.0.1", RATE_LIMIT_MAX="50")
    with serving(settings_in(tmp_path, **environ), SilentEngine()) as server, member(server) as ada:
        for n in range(50):
            ask_as(ada, f"192.0.2.{n}")
        refused = [ask_as(ada, "192.0.2.99") for _ in range(2)]
        assert [answer.status_code for answer in refused] == [429, 429]
        assert [standing_of(answer, "address")[2] for answer in refused] == [49, 48]
        assert [standing_of(answer, "account")[2] for answer in refused] == [0, 0]


def test_a_login_costs_more_than_a_page(tmp_path: Path) -> None:
    with serving(settings_in(tmp_path, RATE_LIMIT_MAX="50"), SilentEngine()) as server:
        answer = httpx.post(f"{server.http_url}/api/auth/login", json={})
        assert answer.status_code == 422
        assert standing_of(answer, "address")[2] == 45


def test_the_docs_tell_the_limits() -> None:
    text = DOCS.read_text()
    for sentence in (
        "10 logins in 15 min from one address to one account", "30 from one address",
        "100 in an hour to one account", "20 new accounts in an hour from one address",
    ):  # fmt: skip
        assert sentence in text
    (free,) = re.findall(r"Files of the player, probes, metrics, (.*?) take none", text)
    told = {"/livez", "/readyz", "/metrics", "/static/", *re.findall(r"`([^`]+)`", free)}
    assert told == {path for _, path, cost in COSTS if cost == 0}

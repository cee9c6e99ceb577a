"""Accounts: made, entered, left, exported, gone; and guesses are counted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from astradio_stream.server import limits
from astradio_stream.server.cookies import CSRF_COOKIE, SESSION_COOKIE
from astradio_stream.wire.bucket import Rate
from tests.serving import Served, SilentEngine, serving, settings_in
from tests.visitor import PASSWORD, Visitor, member, visiting

MANY = {"RATE_LIMIT_MAX": "1000000"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    patch = pytest.MonkeyPatch()
    patch.setattr(limits, "ACCOUNTS_OF_ADDRESS", Rate(1_000, 1))
    folder = tmp_path_factory.mktemp("server")
    with serving(settings_in(folder, **MANY), SilentEngine()) as served:
        yield served
    patch.undo()


def assert_refused(answer: httpx.Response, status: int, code: str, *fields: str) -> None:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    named = [detail["field"] for detail in answer.json()["error"].get("details", [])]
    assert named == list(fields)


def who_is(visitor: Visitor) -> str | None:
    user = visitor.get("/api/auth/session").json()["user"]
    return None if user is None else user["email"]


# In and out --------------------------------------------------------------------------------------


def test_an_account_is_made_and_logged_in(server: Served) -> None:
    with visiting(server) as visitor:
        assert who_is(visitor) is None
        answer = visitor.register()
        assert answer.status_code == 201
        assert set(answer.json()) == {"user", "csrfToken", "requestId"}
        assert set(answer.json()["user"]) == {"id", "email", "createdAt"}
        assert answer.headers["Cache-Control"] == "no-store"
        assert who_is(visitor) == visitor.email
        assert PASSWORD not in answer.text


def test_both_cookies_are_out_of_the_reach_of_scripts(server: Served) -> None:
    with visiting(server) as visitor:
        for line in visitor.register().headers.get_list("Set-Cookie"):
            name, *attributes = re.split("; |=", line)
            assert name in (SESSION_COOKIE, CSRF_COOKIE)
            assert {"HttpOnly", "SameSite", "Lax", "Path", "/"} <= set(attributes)
            assert "Secure" not in attributes  # http on this very machine
    answer = httpx.get(f"{server.http_url}/api/auth/session", headers={"Host": "radio.example"})
    assert "; HttpOnly; Secure; SameSite=Lax; Path=/" in answer.headers["Set-Cookie"]


def test_logging_in_again_ends_the_session_and_the_token_before(server: Served) -> None:
    with member(server) as visitor:
        session, token = visitor.client.cookies[SESSION_COOKIE], visitor.headers["X-CSRF-Token"]
        answer = visitor.login()
        assert answer.status_code == 200
        assert visitor.client.cookies[SESSION_COOKIE] != session
        assert answer.json()["csrfToken"] != token
        forged = visitor.post("/api/charts", {}, **{"X-CSRF-Token": token})
        assert_refused(forged, 403, "CSRF_FAILED")
        old = httpx.get(f"{server.http_url}/api/charts", cookies={SESSION_COOKIE: session})
        assert_refused(old, 401, "AUTH_REQUIRED")


def test_logging_out_ends_the_session_here_or_everywhere(server: Served) -> None:
    with member(server) as here, visiting(server) as there, visiting(server) as elsewhere:
        for visitor in (there, elsewhere):
            visitor.email = here.email
            assert visitor.login().status_code == 200
        answer = here.post("/api/auth/logout")
        assert (answer.status_code, answer.json()["user"]) == (200, None)
        assert SESSION_COOKIE not in here.client.cookies
        assert [who_is(visitor) for visitor in (here, there)] == [None, here.email]
        assert here.post("/api/auth/logout").status_code == 200
        assert there.post("/api/auth/logout", {"everywhere": True}).status_code == 200
        assert [who_is(visitor) for visitor in (there, elsewhere)] == [None, None]
        assert_refused(
            here.post("/api/auth/logout", {"everywhere": "yes"}),
            422, "VALIDATION_FAILED", "everywhere",
        )  # fmt: skip


def test_who_is_nobody_is_told_so_however_the_password_is_wrong(server: Served) -> None:
    with member(server) as known, visiting(server) as visitor:
        unknown = visitor.login()
        visitor.email = known.email
        wrong = visitor.login(password="another one")  # noqa: S106
        for answer in (unknown, wrong, visitor.login(password="")):
            assert_refused(answer, 401, "AUTH_REQUIRED")
        assert unknown.json()["error"] == wrong.json()["error"]
        assert visitor.login().status_code == 200
        assert visitor.login(email=known.email.upper()).status_code == 200


def test_an_address_has_one_account(server: Served) -> None:
    with member(server) as known, visiting(server) as visitor:
        visitor.email = known.email.upper()
        assert_refused(visitor.register(), 409, "CONFLICT")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["email", "password"]),
        ({"email": "a@b.c"}, ["password"]),
        ({"email": "a@b.c", "password": "1234567"}, ["password"]),
        ({"email": "a@b.c", "password": "x" * 257}, ["password"]),
        ({"email": "long@enough.c", "password": "LONG@enough.c"}, ["password"]),
        ({"email": "a@b.c", "password": 12345678}, ["password"]),
        ({"email": "a.b.c", "password": PASSWORD}, ["email"]),
        ({"email": "a@b@c", "password": PASSWORD}, ["email"]),
        ({"email": "a @b.c", "password": PASSWORD}, ["email"]),
        ({"email": "a@b.c\n", "password": PASSWORD}, ["email"]),
        ({"email": "a" * 65 + "@b.c", "password": PASSWORD}, ["email"]),
        ({"email": ["a@b.c"], "password": None}, ["email", "password"]),
    ],
)
def test_every_wrong_field_is_named_and_no_password_is_echoed(
    server: Served, body: dict[str, Any], fields: list[str]
) -> None:
    with visiting(server) as visitor:
        answer = visitor.post("/api/auth/register", body)
        assert_refused(answer, 422, "VALIDATION_FAILED", *fields)
        assert str(body.get("password", PASSWORD)) not in answer.text


def test_curl_may_log_in_without_cookies_and_token(server: Served) -> None:
    with member(server) as known:
        answer = httpx.post(f"{server.http_url}/api/auth/login", json=known.credentials())
        assert answer.status_code == 200
        assert SESSION_COOKIE in answer.cookies


# Guesses -----------------------------------------------------------------------------------------


def test_guesses_at_one_account_are_counted_and_others_are_not_locked_out(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOGINS_OF_BOTH", Rate(3, 900))
    monkeypatch.setattr(limits, "LOGINS_OF_ADDRESS", Rate(1_000, 1))
    with member(server) as known, member(server) as other, visiting(server) as visitor:
        visitor.email = known.email
        guesses = [visitor.login(password=f"guess {n}") for n in range(4)]
        assert [guess.status_code for guess in guesses] == [401, 401, 401, 429]
        assert 290 <= int(guesses[3].headers["Retry-After"]) <= 300
        assert_refused(visitor.login(), 429, "RATE_LIMITED")
        visitor.email = other.email
        assert visitor.login().status_code == 200


def test_strangers_do_not_lock_the_owner_out_where_the_password_was_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOGINS_OF_ACCOUNT", Rate(5, 3_600))
    settings = settings_in(tmp_path, **MANY, TRUSTED_PROXIES="127.0.0.1")
    with serving(settings, SilentEngine()) as server, visiting(server) as owner:

        def login(address: str, password: str) -> int:
            body = {"email": owner.email, "password": password}
            headers = {"X-Forwarded-For": address}
            url = f"{server.http_url}/api/auth/login"
            return httpx.post(url, json=body, headers=headers).status_code

        owner.headers["X-Forwarded-For"] = "192.0.2.1"
        assert owner.register().status_code == 201
        guesses = [login(f"198.51.100.{n}", "a wrong guess") for n in range(8)]
        assert guesses == [401] * 5 + [429] * 3
        assert login("203.0.113.9", PASSWORD) == 429  # nobody knows that this is the owner
        assert login("192.0.2.1", PASSWORD) == 200
        # No way around the other limits: who guesses at home is counted there.
        monkeypatch.setattr(limits, "LOGINS_OF_BOTH", Rate(1, 900))
        assert [login("192.0.2.1", "a wrong guess") for _ in range(3)][1:] == [429] * 2


def test_guesses_at_many_accounts_are_counted_too(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with visiting(server) as visitor:
        monkeypatch.setattr(limits, "LOGINS_OF_ADDRESS", Rate(1, 900))
        statuses = []
        for n in range(3):
            visitor.email = f"nobody{n}@radio.example"
            statuses.append(visitor.login().status_code)
        assert statuses[1:] == [429, 429]


def test_new_accounts_are_counted(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ACCOUNTS_OF_ADDRESS", Rate(1, 3_600))
    statuses = []
    for _ in range(3):
        with visiting(server) as visitor:
            statuses.append(visitor.register().status_code)
    assert statuses[1:] == [429, 429]


# My data -----------------------------------------------------------------------------------------


def test_the_export_holds_all_and_no_secret(server: Served) -> None:
    with member(server) as visitor, member(server) as other:
        visitor.save(name="Ada")
        other.save(name="Bob")
        answer = visitor.get("/api/account/export")
        assert answer.headers["Content-Disposition"].startswith("attachment")
        body = answer.json()
        assert set(body) == {
            "user", "sessions", "charts", "blocks", "compositions", "answers", "requestId",
        }  # fmt: skip
        assert body["answers"] == []
        assert body["user"]["email"] == visitor.email
        assert [chart["name"] for chart in body["charts"]] == ["Ada"]
        assert len(body["sessions"]) == 1
        assert "argon2" not in answer.text
        assert visitor.client.cookies[SESSION_COOKIE] not in answer.text


def test_a_deleted_account_is_gone_from_every_file(server: Served) -> None:
    files = [*server.shell.settings.data_dir.glob("astradio.db*")]
    with member(server) as visitor, visiting(server) as elsewhere:
        name = "Countess of Lovelace"
        chart_id = visitor.save(name=name, visibility="public")
        elsewhere.email = visitor.email
        elsewhere.login()
        assert any(name.encode() in file.read_bytes() for file in files)
        answer = visitor.send("DELETE", "/api/account")
        assert (answer.status_code, answer.content) == (204, b"")
        assert [who_is(one) for one in (visitor, elsewhere)] == [None, None]
        assert SESSION_COOKIE not in visitor.client.cookies
        assert_refused(visitor.get(f"/api/charts/{chart_id}"), 404, "NOT_FOUND")
        visitor.take_token(visitor.get("/api/auth/session"))
        assert_refused(visitor.login(), 401, "AUTH_REQUIRED")
        for file in files:
            raw = file.read_bytes()
            assert name.encode() not in raw
            assert visitor.email.encode() not in raw
        assert visitor.register().status_code == 201


def test_no_line_of_the_log_holds_a_name_or_a_secret(
    server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"), member(server) as visitor:
        visitor.save(name="Ada Byron")
        visitor.login(password="a wrong guess")  # noqa: S106
        visitor.send("DELETE", "/api/account")
    lines = [
        json.dumps([record.getMessage(), str(getattr(record, "astradio_fields", ""))])
        for record in caplog.records
    ]
    assert any("LOGIN_REFUSED" in line for line in lines)
    for secret in (visitor.email, PASSWORD, "a wrong guess", "Ada Byron", "1990-06-15"):
        assert not [line for line in lines if secret in line]


def test_accounts_survive_a_restart_and_so_do_sessions_and_tokens(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, **MANY)
    with serving(settings, SilentEngine()) as first, visiting(first) as visitor:
        visitor.register()
        chart_id = visitor.save()
        cookies, token = dict(visitor.client.cookies), visitor.headers["X-CSRF-Token"]
    with serving(settings, SilentEngine()) as second, visiting(second) as visitor:
        visitor.client.cookies.clear()
        for name, value in cookies.items():
            visitor.client.cookies.set(name, value)
        visitor.headers["X-CSRF-Token"] = token
        answer = visitor.send("PATCH", f"/api/charts/{chart_id}", {"name": "Grace"})
        assert (answer.status_code, answer.json()["name"]) == (200, "Grace")

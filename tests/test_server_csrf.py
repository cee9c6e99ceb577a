"""Forged requests: every cell of method × cookies × token × Origin × Sec-Fetch-Site."""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from astradio_stream.server.app import build_app
from astradio_stream.server.cookies import CSRF_COOKIE, SESSION_COOKIE
from astradio_stream.server.csrf import is_token_of, new_token
from tests.serving import SilentEngine, settings_in
from tests.visitor import PASSWORD

HOST = "radio.example:8443"
OWN = f"https://{HOST}"
FRIEND = "https://friend.example"


METHODS = ["GET", "HEAD", "POST", "DELETE"]
COOKIES = ["none", "foreign", "anonymous", "session", "dead session", "two sessions"]
TOKENS = [
    "right", "absent", "of another session", "of nobody", "truncated", "of before the login",
    "after logout", "unsigned", "twice",
]  # fmt: skip
ORIGINS = {
    "own": OWN,
    "absent": None,
    "friend": FRIEND,
    "scheme": f"http://{HOST}",
    "port": "https://radio.example",
    "subdomain": f"https://evil.{HOST}",
    "null": "null",
    "foreign": "https://evil.example",
    "no origin": "javascript:",
}
SITES = [None, "same-origin", "same-site", "cross-site", "none", "nonsense"]


class Browser:
    """Speaks to the app without a socket: ten thousand requests in some seconds."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def ask(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes = b"{}"
    ) -> tuple[int, dict[str, Any], list[str]]:
        raw = [(name.lower().encode(), value.encode()) for name, value in headers]
        raw += [(b"host", HOST.encode()), (b"content-type", b"application/json")]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "https", "path": path, "raw_path": path.encode(), "query_string": b"",
            "root_path": "", "headers": raw, "client": ("192.0.2.1", 1), "server": ("x", 443),
            "state": {},
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        cookies = [
            value.decode() for name, value in sent[0]["headers"] if name.lower() == b"set-cookie"
        ]
        text = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], json.loads(text or b"{}"), cookies

    async def register(self, email: str) -> tuple[str, str, str]:
        """Return the cookies of a new account, and the token that this browser had before."""
        _, told, _ = await self.ask("GET", "/api/auth/session", [])
        before = told["csrfToken"]
        credentials = json.dumps({"email": email, "password": PASSWORD}).encode()
        headers = [
            ("Cookie", f"{CSRF_COOKIE}={before}"), ("X-CSRF-Token", before), ("Origin", OWN),
        ]  # fmt: skip
        status, told, cookies = await self.ask("POST", "/api/auth/register", headers, credentials)
        assert status == 201, told
        session = next(one for one in cookies if one.startswith(SESSION_COOKIE))
        assert "HttpOnly; Secure; SameSite=Lax; Path=/" in session
        return session.split(";")[0].split("=", 1)[1], told["csrfToken"], before


def is_place_right(cookies: str, origin: str, site: str | None) -> bool:
    """The table in `server.csrf`, in words of its own."""
    if origin == "own":
        return site in (None, "same-origin")
    if origin == "friend":
        return site in (None, "same-origin", "same-site", "cross-site")
    if origin == "absent":
        return site == "same-origin" or (cookies == "none" and site in (None, "none"))
    return False


def expected_of(method: str, cookies: str, held: str, origin: str, site: str | None) -> int:
    is_in = cookies == "session"
    if method in ("GET", "HEAD"):
        return 200 if is_in else 401
    if not is_place_right(cookies, origin, site):
        return 403
    if cookies != "none" and not (
        (cookies == "session" and held == "right")
        or (cookies == "anonymous" and held == "of nobody")
    ):
        return 403
    return 405 if method == "DELETE" else 422 if is_in else 401


async def every_cell(app: Starlette) -> list[str]:
    """Return the cells whose status is another than expected."""
    browser = Browser(app)
    session, right, before = await browser.register("ada@radio.example")
    other_session, of_other, _ = await browser.register("bob@radio.example")
    dead_session, of_dead, _ = await browser.register("eve@radio.example")
    leaving = [
        ("Cookie", f"{SESSION_COOKIE}={dead_session}; {CSRF_COOKIE}={of_dead}"),
        ("X-CSRF-Token", of_dead), ("Origin", OWN),
    ]  # fmt: skip
    status, told, _ = await browser.ask("POST", "/api/auth/logout", leaving)
    assert (status, told["user"]) == (200, None)
    nobodys = told["csrfToken"]
    sessions = {
        "session": [session], "dead session": [dead_session],
        "two sessions": [session, other_session],
    }  # fmt: skip
    tokens = {
        "right": right, "absent": right, "of another session": of_other, "of nobody": nobodys,
        "truncated": right[:-1], "of before the login": before, "after logout": of_dead,
        "unsigned": "0" * 32 + "." + "0" * 64, "twice": right,
    }  # fmt: skip

    wrong = []
    for cell in itertools.product(METHODS, COOKIES, TOKENS, ORIGINS, SITES):
        method, cookies, held, origin, site = cell
        headers = []
        pairs = [f"{SESSION_COOKIE}={one}" for one in sessions.get(cookies, [])]
        if cookies == "foreign":
            pairs.append("theme=dark")
        elif cookies != "none":
            pairs.append(f"{CSRF_COOKIE}={tokens[held]}")
        if pairs:
            headers.append(("Cookie", "; ".join(pairs)))
        if held != "absent":
            headers += [("X-CSRF-Token", tokens[held])] * (2 if held == "twice" else 1)
        if (told_origin := ORIGINS[origin]) is not None:
            headers.append(("Origin", told_origin))
        if site is not None:
            headers.append(("Sec-Fetch-Site", site))
        status, told, _ = await browser.ask(method, "/api/charts", headers)
        expected = expected_of(*cell)
        if held == "of before the login" and cookies == "anonymous":  # it is nobody's too
            expected = expected_of(method, cookies, "of nobody", origin, site)
        if status != expected:
            wrong.append(f"{cell}: {status} {told.get('error')}, expected {expected}")
    return wrong


def test_every_cell_has_the_status_of_the_table(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, ALLOWED_ORIGINS=FRIEND, RATE_LIMIT_MAX="1000000")
    app = build_app(settings, SilentEngine())

    async def run() -> list[str]:
        async with app.router.lifespan_context(app):
            return await every_cell(app)

    wrong = asyncio.run(run())
    assert not wrong, "\n".join([str(len(wrong)), *wrong[:20]])


# The token ---------------------------------------------------------------------------------------


@pytest.fixture
def keys() -> tuple[bytes, bytes]:
    return b"k" * 32, b"another" * 5


def test_a_token_is_bound_to_key_and_session(keys: tuple[bytes, bytes]) -> None:
    key, other_key = keys
    token = new_token(key, b"session")
    assert is_token_of(token, key, b"session")
    assert not is_token_of(token, other_key, b"session")
    assert not is_token_of(token, key, b"")
    assert not is_token_of(token, key, b"session2")
    assert new_token(key, b"session") != token


def test_no_other_text_is_a_token(keys: tuple[bytes, bytes]) -> None:
    key, _ = keys
    token = new_token(key, b"")
    for text in (
        "",
        ".",
        token[:-1],
        token + "0",
        token.upper(),
        token.replace(".", ":"),
        "ä" * 97,
    ):
        assert not is_token_of(text, key, b"")
    for n in range(len(token)):
        changed = token[:n] + ("0" if token[n] != "0" else "1") + token[n + 1 :]
        assert not is_token_of(changed, key, b"")

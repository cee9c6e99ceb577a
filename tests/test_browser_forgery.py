"""Pages of somebody else in a real Chromium: they change nothing, open nothing, read nothing."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from astradio_stream.server.cookies import SESSION_COOKIE
from tests.browser_support import running_browser
from tests.serving import Served, SilentEngine, serving, settings_in
from tests.visitor import CHART, PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# To a browser another port is another origin on the same site, whose requests carry our cookies;
# another name is another site, whose requests do not.
SITES = {"same site": "127.0.0.1", "another site": "localhost"}

ATTACK = """
async ({url, chart}) => {
    const text = JSON.stringify(chart);
    const tried = {};
    const attempt = async (name, ask) => {
        try { const got = await ask(); tried[name] = got.type + " " + got.status; }
        catch (error) { tried[name] = "failed"; }
    };
    const to = `${url}/api/charts`;
    const json = {"Content-Type": "application/json"};
    const plain = {method: "POST", mode: "no-cors", credentials: "include", body: text};
    await attempt("fetch no-cors", () => fetch(to, plain));
    await attempt("fetch cors", () => fetch(to, {method: "POST", credentials: "include",
                                                 headers: json, body: text}));
    await attempt("fetch delete", () => fetch(`${url}/api/account`, {method: "DELETE",
                                                                     credentials: "include"}));
    await attempt("fetch logout", () => fetch(`${url}/api/auth/logout`, {method: "POST",
                                              mode: "no-cors", credentials: "include"}));
    await attempt("read", () => fetch(to, {credentials: "include"}));
    await attempt("read the token", () => fetch(`${url}/api/auth/session`,
                                                {credentials: "include"}));
    tried.beacon = String(navigator.sendBeacon(to, new Blob([text], {type: "text/plain"})));
    tried.socket = await new Promise((resolve) => {
        const socket = new WebSocket(url.replace("http", "ws") + "/stream", "astradio.v1");
        socket.onopen = () => resolve("open");
        socket.onerror = () => resolve("failed");
    });
    tried.framed = await new Promise((resolve) => {
        const frame = document.createElement("iframe");
        frame.onload = () => resolve(frame.contentDocument === null ? "hidden" : "readable");
        frame.src = url;
        document.body.append(frame);
    });
    return tried;
}
"""
FORM = """
({url, chart}) => {
    const form = document.createElement("form");
    form.method = "POST";
    form.action = `${url}/api/charts`;
    form.enctype = "text/plain";
    const field = document.createElement("input");
    const text = JSON.stringify(chart);
    [field.name, field.value] = [text.slice(0, -1) + ',"x":"', '"}'];
    form.append(field);
    document.body.append(form);
    form.submit();
}
"""
OWN = """
async ({path, method, body, token}) => {
    const headers = {"Content-Type": "application/json", "X-CSRF-Token": token};
    const answer = await fetch(path, {method, headers, body: body && JSON.stringify(body)});
    return {status: answer.status, body: await answer.json()};
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = settings_in(tmp_path_factory.mktemp("server"), RATE_LIMIT_MAX="100000")
    with serving(settings, SilentEngine()) as served:
        yield served


@pytest.fixture(scope="module")
def foreign_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where somebody else serves a page."""
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "index.html").write_text("<!doctype html><title>Win a prize</title><body>")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as foreign:
        thread = threading.Thread(target=foreign.serve_forever)
        thread.start()
        yield foreign.server_address[1]
        foreign.shutdown()
        thread.join()


class Victim:
    """A browser that is logged in."""

    def __init__(self, page: Page, server: Served, email: str) -> None:
        self._page = page
        page.goto(f"{server.http_url}/livez")
        self.token = self.ask("/api/auth/session")["csrfToken"]
        credentials = {"email": email, "password": PASSWORD}
        self.token = self.ask("/api/auth/register", "POST", credentials)["csrfToken"]
        self.ask("/api/charts", "POST", CHART)

    def ask(self, path: str, method: str = "GET", body: Any = None) -> dict[str, Any]:
        asked = {"path": path, "method": method, "body": body, "token": getattr(self, "token", "")}
        told = self._page.evaluate(OWN, asked)
        assert told["status"] < 300, told
        found: dict[str, Any] = told["body"]
        return found


@pytest.mark.parametrize("site", SITES)
def test_a_foreign_page_changes_nothing_and_opens_nothing(
    browser: Browser, server: Served, foreign_port: int, site: str, tmp_path: Path
) -> None:
    context = browser.new_context()
    try:
        victim = Victim(context.new_page(), server, f"{foreign_port}.{len(site)}@radio.example")
        before = victim.ask("/api/charts")["charts"]
        assert len(before) == 1

        page = context.new_page()
        target = {"url": server.http_url, "chart": CHART | {"name": "Forged"}}
        page.goto(f"http://{SITES[site]}:{foreign_port}/")
        tried = page.evaluate(ATTACK, target)
        assert tried == {
            "fetch no-cors": "failed",  # answered 403, and what was answered stays hidden
            "fetch cors": "failed",
            "fetch delete": "failed",
            "fetch logout": "failed",
            "read": "failed",
            "read the token": "failed",
            "beacon": "true",
            "socket": "failed",
            "framed": "hidden",
        }
        with page.expect_navigation() as navigation:
            page.evaluate(FORM, target)
        assert navigation.value is not None
        assert navigation.value.status == 403

        assert victim.ask("/api/charts")["charts"] == before
        assert victim.ask("/api/auth/session")["user"] is not None
        assert not server.shell.listeners
        cookies = {cookie["name"]: cookie for cookie in context.cookies()}
        assert cookies[SESSION_COOKIE]["httpOnly"]
        assert cookies[SESSION_COOKIE]["sameSite"] == "Lax"
        assert victim.ask("/api/charts", "POST", CHART)["id"]  # its own page still may
    finally:
        context.close()

"""Saved skies in a real Chromium: on the device, with an account on the server, and in no link."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser_support import Server, Visit, running_browser, running_server, visit
from tests.visitor import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

ZURICH = {"lat": 47.37, "lon": 8.54, "tz": "Europe/Zurich"}
TOWN = {"name": "Zürich", "region": None, "country": "Switzerland", **ZURICH}
ANNA = {"datetime": "1990-05-05T14:30", "name": "Anna", "town": TOWN, **ZURICH}
NATAL = "/?test=1&viz=0&mode=natal&birth=1990-05-05T14:30,Europe/Zurich,47.37,8.54,Anna"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), data_dir) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


def enter(guest: Visit, how: str, email: str, password: str = PASSWORD) -> None:
    """Fill in the form of the drawer."""
    guest.page.fill("#account-form [name=email]", email)
    guest.page.fill("#account-form [name=password]", password)
    guest.page.click(f"#account-form [value={how}]")


def come_with_anna(guest: Visit, server: Server) -> None:
    """Open the page on a device that has a birth saved."""
    guest.open(f"{server.url}/?test=1&viz=0#my-sky")
    guest.page.evaluate(
        "(births) => localStorage.setItem('astradio.births', births)", json.dumps([ANNA])
    )
    guest.page.reload()
    guest.page.wait_for_selector("body[data-prepared]")


def saved_names(guest: Visit) -> list[str]:
    """Return who is in the list of saved births."""
    kept = guest.ask("JSON.parse(localStorage.getItem('astradio.births') ?? '[]')")
    return [birth["name"] for birth in kept]


def test_skies_follow_an_account_to_another_device(server: Server, browser: Browser) -> None:
    email = "listener@radio.example"
    with visit(browser) as guest:
        come_with_anna(guest, server)
        assert guest.page.context.cookies() == [], "without an account nothing is asked or set"
        guest.page.click("#open-status")
        enter(guest, "register", email)
        guest.page.wait_for_selector("#account-said:text('One sky is saved with it.')")
        assert guest.page.inner_text("#account-whose") == f"Logged in as {email}."
        assert not guest.page.is_visible("#account-form")
        assert guest.complaints == []
    with visit(browser) as other:
        other.open(f"{server.url}/?test=1&viz=0#my-sky")
        assert saved_names(other) == []
        other.page.click("#open-status")
        enter(other, "login", email, "not the password")
        other.page.wait_for_selector("#account-refused:not(:empty)")
        assert other.page.inner_text("#account-refused") == (
            "There is no account with this address and password."
        )
        enter(other, "login", email)
        other.page.wait_for_selector("#account-said:text('One sky')")
        assert saved_names(other) == ["Anna"]
        # The next visit finds the session, and what is forgotten is gone on the server too.
        other.page.reload()
        other.page.wait_for_selector(".saved li")
        other.page.click("text=Forget")
        other.page.click("#open-status")
        other.page.wait_for_selector("#account-said:text('0 skies are saved with it.')")
        charts: Any = other.page.evaluate("fetch('/api/charts').then((answer) => answer.json())")
        assert charts["charts"] == []
        other.page.click("#log-out")
        other.page.wait_for_selector("#account-form:visible")
        assert other.page.evaluate("fetch('/api/charts').then((answer) => answer.status)") == 401
        assert [one for one in other.complaints if "401" not in one] == []


def test_logging_out_takes_the_skies_off_the_device_and_keeps_them_in_the_account(
    server: Server, browser: Browser
) -> None:
    with visit(browser) as guest:
        come_with_anna(guest, server)
        guest.page.click("#open-status")
        enter(guest, "register", "leaving@radio.example")
        guest.page.wait_for_selector("#account-said:text('One sky')")
        guest.page.click("#log-out")
        guest.page.wait_for_selector("#account-said:text('Logged out')")
        assert saved_names(guest) == []
        enter(guest, "login", "leaving@radio.example")
        guest.page.wait_for_selector("#account-said:text('One sky')")
        assert saved_names(guest) == ["Anna"]
        assert guest.complaints == []


def test_a_server_that_does_not_answer_loses_nothing(
    browser: Browser, tmp_path: Path, data_dir: Path
) -> None:
    with running_server(tmp_path, data_dir) as server, visit(browser) as guest:
        guest.open(f"{server.url}/?test=1&viz=0")
        server.kill()
        guest.page.click("#open-status")
        enter(guest, "login", "nobody@radio.example")
        guest.page.wait_for_selector("#account-refused:not(:empty)")
        assert guest.page.inner_text("#account-refused") == (
            "The server does not answer. What is saved here stays here."
        )


def test_a_link_holds_births_only_where_the_listener_says_so(
    server: Server, browser: Browser
) -> None:
    with visit(browser, permissions=["clipboard-read", "clipboard-write"]) as guest:
        guest.open(f"{server.url}{NATAL}")
        guest.page.evaluate("navigator.clipboard.writeText('nothing')")
        guest.page.click("#link")
        asks = guest.page.inner_text("#share-asks")
        assert "date, time and place of birth of Anna" in asks
        guest.page.keyboard.press("Enter")  # the harmless answer has the focus
        guest.page.wait_for_selector("#share", state="hidden")
        assert guest.page.evaluate("navigator.clipboard.readText()") == "nothing"
        guest.page.click("#link")
        guest.page.click("#share-copy")
        guest.page.wait_for_selector("#toast:not(:empty)")
        assert "birth=1990-05-05" in guest.page.evaluate("navigator.clipboard.readText()")
        guest.open(f"{server.url}/?test=1&viz=0")
        guest.page.click("#link")
        guest.page.wait_for_selector("#toast:not(:empty)")
        assert "birth" not in guest.page.evaluate("navigator.clipboard.readText()")
        assert guest.complaints == []

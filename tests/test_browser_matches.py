"""Matches in a real browser: asked without an account, heard as a duet, passed on by ids alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser_support import Server, running_browser, running_server, visit
from tests.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

ADA: dict[str, Any] = {
    "datetime": "1990-06-15T14:30", "tz": "Europe/Berlin", "lat": 52.52, "lon": 13.4, "name": "Ada",
}  # fmt: skip
TOWN = {"name": "Berlin", "region": None, "country": "Germany"} | {
    name: ADA[name] for name in ("lat", "lon", "tz")
}
THEIRS = {"datetime": "1987-03-19T16:47", "tz": "Pacific/Chatham", "lat": -43.95, "lon": -176.55}
KEEP = "birth => localStorage.setItem('astradio.births', JSON.stringify([birth]))"
SOUNDS = "() => globalThis.astradioTest.situation.sounds"
FIRST = "#match-list > li:first-child"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("matches")
    (folder / "data").mkdir()
    (folder / "data" / "banks").symlink_to(data_dir / "banks")
    with running_server(folder, folder / "data", DEFAULT_AUDIO_MODEL="v1.1") as server:
        owner = Visitor(server.url)
        assert owner.register().status_code == 201
        for n in range(12):
            owner.save(**THEIRS | {"name": f"Match {n}", "visibility": "public", "lat": n * 3.0})
        owner.client.close()
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


def test_a_birth_on_this_device_asks_hears_and_passes_on(server: Server, browser: Browser) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1#matches")
        guest.page.wait_for_selector("#match-nobody:visible")
        guest.page.evaluate(KEEP, ADA | {"town": TOWN})
        guest.page.reload()
        guest.page.wait_for_selector(FIRST)
        assert guest.page.locator("#match-list > li").count() == 10
        guest.page.click("#match-more")
        guest.page.wait_for_selector("#match-list > li:nth-child(12)")
        guest.page.wait_for_selector("#match-more", state="hidden")
        overall = guest.page.inner_text(f"{FIRST} .reasons")
        guest.page.click("#match-facets .chip:has-text('Conflict')")
        guest.page.wait_for_function(
            "before => { const now = document.querySelector('#match-list .reasons');"
            " return now && now.innerText !== before }",
            arg=overall,
        )
        name = guest.page.inner_text(f"{FIRST} .match").split("\n")[0]
        guest.page.click(f"{FIRST} button:has-text('Listen')")
        guest.page.wait_for_function(
            "() => globalThis.astradioTest.situation.sounds", timeout=30_000
        )
        guest.page.wait_for_function(
            "title => document.querySelector('#title').textContent === title",
            arg=f"Ada and {name}",
        )
        charts = guest.page.evaluate("() => globalThis.astradioTest.radio.programme.charts")
        assert set(charts[1]) == {"chartId", "version"}
        guest.page.goto(f"{server.url}/?test=1#matches")
        guest.page.wait_for_selector(FIRST)
        guest.page.click("#match-publish")
        guest.page.wait_for_function(
            "() => document.querySelector('#match-said').textContent.includes('account')"
        )


def test_a_shared_duet_needs_nobodys_birth(server: Server, browser: Browser) -> None:
    found = server.answers("/api/config")
    assert "compatibility" in found["modes"]
    asking = Visitor(server.url)
    first, second = (
        match["chartId"]
        for match in asking.post("/api/compat/search", {"chart": ADA, "limit": 2}).json()["matches"]
    )
    asking.client.close()
    with visit(browser) as guest:
        guest.open(f"{server.url}/?mode=compatibility&birth={first}&birth={second}&test=1")
        guest.page.wait_for_function(
            "() => /^Match \\d+ and Match \\d+$/.test(document.querySelector('#title').textContent)"
        )
        guest.page.click("#begin")
        guest.page.wait_for_function(
            "() => globalThis.astradioTest.situation.sounds", timeout=30_000
        )
        told = guest.page.content() + str(
            guest.page.evaluate("() => globalThis.astradioTest.radio.ready")
        )
        # A year may stand in the digits of an id or of a number, and the page has a clock.
        for word in (r"(?<![\da-f.])1987", "Chatham", "T16:47", "176\\.5"):
            assert not re.search(word, told), word

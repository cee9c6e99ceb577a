"""The views of the page in a real Chromium against the real server: what a visitor can do there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from websockets.sync.client import connect

from tests.browser_support import (
    Server,
    Visit,
    captured_runs,
    play,
    running_browser,
    running_server,
    visit,
)
from tests.node_packages import package_dir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

VIEWS = ("now", "my-sky", "another-time", "two-skies", "matches", "sandbox")
SIZES = {
    "desk": {"width": 1280, "height": 720},
    "phone": {"width": 390, "height": 844},
    "zoomed to 200 %": {"width": 640, "height": 360},
}
PLACE = "t.player.indexHeard(performance.now())"
NOT_OFFERED = "This server does not play that yet."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), data_dir) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def modes(server: Server) -> list[str]:
    """The modes that the server's default model plays: the page follows them, and so do tests."""
    found: list[str] = server.answers("/api/config")["modes"]
    return found


def choose_town(guest: Visit, form: str, typed: str, shown: str) -> None:
    """Type the beginning of a town and take the one that is offered first, by keyboard."""
    field = guest.page.locator(f"{form} [role=combobox]").first
    field.fill(typed)
    guest.page.wait_for_selector(f"{form} [role=option]")
    field.press("ArrowDown")
    field.press("ArrowUp")
    field.press("Enter")
    assert field.input_value().startswith(shown)


def fill_birth(
    guest: Visit, form: str, name: str, *, date: str, time: str | None, town: str
) -> None:
    """Fill in the fields of a birth; without a time, say that it is not known."""
    guest.page.fill(f"{form} [data-field=name]", name)
    guest.page.fill(f"{form} [data-field=date]", date)
    if time is None:
        guest.page.check(f"{form} [data-field=unknown]")
    else:
        guest.page.fill(f"{form} [data-field=time]", time)
    choose_town(guest, form, town, town)


def assert_played_or_said(guest: Visit, form: str, mode: str, modes: list[str], title: str) -> bool:
    """Assert that what the form chose plays, or that the page says why it does not."""
    if mode not in modes:
        assert guest.page.inner_text(f"{form} .refused") == NOT_OFFERED
        assert not guest.ask("t.radio.isPlaying")
        return False
    guest.wait_until("t.situation.sounds")
    guest.page.wait_for_function(f"document.title === {json.dumps(f'Astradio: {title}')}")
    assert guest.ask("t.radio.programme.mode") == mode
    return True


def test_a_birth_is_chosen_kept_and_played(
    server: Server, browser: Browser, modes: list[str]
) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1#my-sky")
        form = "#birth-form"
        fill_birth(guest, form, "Anna", date="1990-05-05", time="14:30", town="Zürich")
        guest.page.click(f"{form} .primary")
        if not assert_played_or_said(guest, form, "natal", modes, "Anna"):
            return
        [birth] = guest.ask("t.radio.programme.charts")
        assert (birth["datetime"], birth["tz"]) == ("1990-05-05T12:30:00Z", "Europe/Zurich")
        assert guest.page.inner_text("#title") == "Anna"
        guest.page.wait_for_selector("#voices li")
        assert " in " in guest.page.inner_text("#voices")
        guest.open(f"{server.url}/?test=1#my-sky")
        guest.page.wait_for_selector(".saved li")
        assert "Anna" in guest.page.inner_text(".saved")
        guest.page.click("text=Under the sky now")
        assert_played_or_said(guest, form, "overlay", modes, "Anna under the sky")
        guest.page.click("nav [href='#my-sky']")
        guest.page.click("text=Forget")
        assert guest.page.locator(".saved li").count() == 0
        assert guest.complaints == []


def test_an_unknown_time_of_birth_is_an_answer(
    server: Server, browser: Browser, modes: list[str]
) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1#my-sky")
        form = "#birth-form"
        fill_birth(guest, form, "", date="1987-11-02", time=None, town="Lisbon")
        guest.page.click(f"{form} .primary")
        if assert_played_or_said(guest, form, "natal", modes, "2 November 1987"):
            assert guest.ask("t.radio.programme.charts[0].datetime") == "1987-11-02"
            guest.wait_until("t.show.wheel.chart.angles === null")
        assert guest.complaints == []


def test_a_town_must_be_chosen_from_the_list(server: Server, browser: Browser) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1#my-sky")
        guest.page.fill("#birth-form [data-field=date]", "1990-05-05")
        guest.page.fill("#birth-form [data-field=time]", "14:30")
        town = guest.page.locator("#birth-form [role=combobox]")
        town.fill("Nowhere at all")
        guest.page.click("#birth-form .primary")
        said = town.evaluate("(field) => field.validationMessage")
        assert said == "Choose a town from the list."
        assert not guest.ask("t.radio.isPlaying")
        assert guest.complaints == []


def test_another_time_is_chosen_by_form_and_its_link_leads_back(
    server: Server, browser: Browser
) -> None:
    with visit(browser, permissions=["clipboard-read", "clipboard-write"]) as guest:
        guest.open(f"{server.url}/?test=1#another-time")
        guest.page.fill("#time-form [name=date]", "1969-07-20")
        guest.page.fill("#time-form [name=time]", "20:17")
        choose_town(guest, "#time-form", "Houst", "Houston")
        guest.page.focus("#time-form [name=rate]")
        guest.page.keyboard.press("ArrowRight")
        guest.page.keyboard.press("ArrowRight")
        assert guest.page.inner_text("#rate-said") == "A day in a minute."
        guest.page.click("#time-form .primary")
        guest.wait_until("t.situation.sounds")
        guest.page.wait_for_timeout(1500)
        assert guest.page.inner_text("#title") == "The sky of 20 July 1969"
        assert guest.page.inner_text("#clock").startswith("20 July 1969, 2")
        assert guest.ask("t.radio.programme.rate") == 1440
        assert guest.ask("t.radio.programme.place.lat") == pytest.approx(29.76, abs=0.1)
        assert " in " in guest.page.inner_text("#coming").replace("\n", " ")
        guest.page.click("#link")
        guest.page.wait_for_selector("#toast:not(:empty)")
        heard = guest.ask(PLACE)
        link = guest.ask("navigator.clipboard.readText()")
        guest.open(f"{link}&test=1")
        play(guest, 1)
        [(first, _)] = captured_runs(guest)
        assert abs(first - heard) < 48_000
        assert guest.complaints == []


def test_the_moon_crosses_a_sign_in_two_and_a_half_minutes(
    server: Server, browser: Browser
) -> None:
    """At a day in a minute, what comes is told in the time of whoever listens."""
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1&at=1969-07-20T20:17Z&rate=1440")
        play(guest, 5)
        guest.page.wait_for_selector("#coming li")
        rows = guest.page.locator("#coming .number").all_inner_texts()
        assert rows
        assert all(re.fullmatch(r"in (\d+ s|\d min \d+ s)", row) for row in rows), rows
        moon = "t.show.wheel.bodies.find(({name}) => name === 'moon').nowDeg"
        before = guest.ask(f"[{moon}, {PLACE}]")
        guest.page.wait_for_timeout(3000)
        after = guest.ask(f"[{moon}, {PLACE}]")
        moved_deg = (after[0] - before[0]) % 360
        stream_s = (after[1] - before[1]) / 48_000
        assert moved_deg == pytest.approx(stream_s * 1440 / 86400 * 13.2, rel=0.25)
        assert guest.complaints == []


def test_two_skies_are_played_together(server: Server, browser: Browser, modes: list[str]) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1#two-skies")
        first, second = "#two-form fieldset:nth-of-type(1)", "#two-form fieldset:nth-of-type(2)"
        fill_birth(guest, first, "Anna", date="1990-05-05", time="14:30", town="Zürich")
        fill_birth(guest, second, "Bento", date="1987-11-02", time=None, town="Lisbon")
        guest.page.click("#two-form .primary")
        if assert_played_or_said(guest, "#two-form", "compatibility", modes, "Anna and Bento"):
            guest.wait_until("t.show.wheel.others.length > 9")
            guest.wait_until("t.show.wheel.dialogue.threads.length > 0")
            guest.wait_until("t.show.wheel.voices.whose.includes(1)")
            label = guest.page.get_attribute("#wheel", "aria-label") or ""
            assert "Chart wheel of Anna." in label
            assert "Chart wheel of Bento." in label
        assert guest.complaints == []


def test_the_sandbox_is_heard_while_it_is_moved(
    server: Server, browser: Browser, modes: list[str]
) -> None:
    """Steered by the server or, where it cannot be, played anew with the change."""
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1#sandbox")
        guest.page.wait_for_selector("#wish-genre")
        guest.page.select_option("#wish-key", "F#")
        guest.page.click("#sandbox-form .primary")
        if "sandbox" not in modes:
            assert guest.page.inner_text("#sandbox-form .refused") == NOT_OFFERED
            return
        guest.wait_until("t.situation.sounds")
        assert guest.ask("t.radio.programme.controls.key") == "F#"
        guest.page.wait_for_selector("#wishes .mark:not([hidden])")
        assert "sky: " in guest.page.inner_text("#wish-tempoNorm-sky")
        guest.page.focus("#wish-drums")
        guest.page.keyboard.press("End")
        guest.wait_until("t.radio.programme.changes.at(-1)?.controls.drums === 1")
        guest.wait_until("t.situation.sounds")
        assert guest.page.inner_text("#steer-said") != ""
        assert guest.page.get_attribute("#wish-drums", "aria-valuetext") == "100 %"
        guest.open(f"{server.url}/?test=1#sandbox")
        assert guest.page.input_value("#wish-drums") == "1"
        assert guest.page.input_value("#wish-key") == "F#"
        assert guest.complaints == []


def test_a_click_on_what_comes_jumps_there_and_the_way_back_leads_to_now(
    server: Server, browser: Browser
) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1")
        play(guest, 1)
        guest.page.wait_for_selector("#coming .coming-row")
        live = guest.ask(PLACE)
        row = guest.page.locator("#coming .coming-row", has_text="h ").last
        text = row.locator(".number").inner_text()
        row.click()
        guest.wait_until(f"t.situation.sounds && {PLACE} > {live} + 48000 * 600")
        guest.page.wait_for_selector("#back-to-now:visible")
        assert "ahead of now" in guest.page.inner_text("#state"), text
        guest.page.click("#back-to-now")
        guest.wait_until(f"t.situation.sounds && Math.abs({PLACE} - {live}) < 48000 * 60")
        guest.page.wait_for_selector("#back-to-now", state="hidden")
        assert guest.ask("t.player.underruns") == 0
        assert guest.complaints == []


def test_the_time_line_is_moved_by_keys_and_jumps(server: Server, browser: Browser) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1&at=1969-07-20T20:17Z")
        play(guest, 1)
        guest.page.focus("#scrub")
        guest.page.keyboard.press("End")
        guest.wait_until(f"t.situation.sounds && {PLACE} > 48000 * 3590")
        assert "into the stream" in (guest.page.get_attribute("#scrub", "aria-valuetext") or "")
        clock = "document.getElementById('clock').textContent"
        guest.wait_until(f"{clock}.startsWith('20 July 1969, 21:1')")
        guest.page.evaluate("document.activeElement.blur()")
        before = guest.ask(PLACE)
        guest.page.keyboard.press("ArrowLeft")
        guest.wait_until(f"t.situation.sounds && {PLACE} < {before}")
        assert guest.ask("t.player.underruns") == 0
        assert guest.complaints == []


def test_what_sounds_is_explained_and_numbers_are_a_click_away(
    server: Server, browser: Browser
) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1")
        play(guest, 2)
        guest.page.wait_for_selector("#voices li .why:not(:empty)")
        [key, tempo, *_] = guest.page.inner_text("#facts").split(" · ")
        assert re.fullmatch(r"[A-G][♭♯]? [a-z]+", key)
        assert re.fullmatch(r"\d+ bpm", tempo)
        guest.page.click("#open-numbers")
        tables = guest.page.inner_text("#tables")
        for word in ("Sun", "Lilith", "Ascendant", "House 12", "Orb", "bpm", "°"):
            assert word in tables
        guest.page.keyboard.press("Escape")
        guest.page.wait_for_selector("#numbers", state="hidden")
        assert guest.complaints == []


def test_media_keys_and_the_lock_screen_know_the_programme(
    server: Server, browser: Browser
) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1")
        play(guest, 1)
        guest.wait_until("navigator.mediaSession.metadata?.title === 'The sky, now'")
        assert guest.ask("navigator.mediaSession.playbackState") == "playing"
        guest.page.click("#play")
        assert guest.ask("navigator.mediaSession.playbackState") == "paused"
        assert guest.complaints == []


def test_a_browser_that_cannot_play_is_told_why(server: Server, browser: Browser) -> None:
    with visit(browser) as guest:
        guest.page.add_init_script("delete globalThis.AudioWorkletNode")
        guest.page.goto(server.url)
        guest.page.wait_for_function("document.getElementById('state').textContent !== 'Ready.'")
        assert guest.page.inner_text("#state") == (
            "To play, the page needs a secure address (https) and AudioWorklet."
        )
        assert guest.page.is_disabled("#begin")
        assert guest.complaints == []


def test_a_programme_that_the_server_refuses_is_refused_in_its_words(
    server: Server, browser: Browser
) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1&at=1812-01-01T00:00Z")
        guest.page.click("#begin")
        guest.wait_until("t.situation.link === 'refused'")
        said = guest.page.inner_text("#state")
        assert said.startswith("The server refused: the planets are known from 1899")
        assert not guest.ask("t.radio.isPlaying")
        assert guest.complaints == []


def test_a_full_server_says_so_and_when_it_is_tried_again(
    browser: Browser, tmp_path: Path, data_dir: Path
) -> None:
    hello = {"type": "hello", "protocol": 1, "programme": {"station": "now"}}
    with (
        running_server(tmp_path, data_dir, ASTRADIO_MAX_LISTENERS="1") as server,
        visit(browser) as guest,
        connect(server.stream_url, compression=None) as other,
    ):
        other.send(json.dumps(hello))
        other.recv(timeout=10)
        guest.open(f"{server.url}/?test=1")
        guest.page.click("#begin")
        full = re.compile(r"^The server is full\. Trying again( in \d+ s)?\.$")
        guest.page.locator("#state").filter(has_text=full).wait_for()
        assert guest.ask("t.radio.isPlaying"), "it goes on trying"
        other.send('{"type":"bye"}')
        guest.wait_until("t.situation.sounds", timeout_s=45)


def test_a_server_that_has_gone_says_so(browser: Browser, tmp_path: Path, data_dir: Path) -> None:
    with running_server(tmp_path, data_dir) as server, visit(browser) as guest:
        guest.open(f"{server.url}/?test=1")
        server.kill()
        guest.page.click("#begin")
        guest.wait_until("t.situation.link === 'lost'")
        guest.page.wait_for_timeout(300)
        state = guest.page.inner_text("#state")
        assert re.fullmatch(r"The server does not answer\. Trying again( in \d+ s)?\.", state)
        server.start()
        guest.wait_until("t.situation.sounds", timeout_s=45)
        assert guest.page.inner_text("#state") == "Playing."


def test_where_nothing_can_be_kept_the_page_plays_all_the_same(
    server: Server, browser: Browser
) -> None:
    forbid = """Object.defineProperty(globalThis, "localStorage", {
        get() { throw new DOMException("forbidden", "SecurityError"); },
    })"""
    with visit(browser) as guest:
        guest.page.add_init_script(forbid)
        guest.open(f"{server.url}/?test=1")
        play(guest, 1)
        for view in VIEWS:
            guest.page.click(f"nav [href='#{view}']")
            guest.page.wait_for_selector(f"#{view} h1", state="visible")  # the hash changes later
        assert guest.complaints == []


def test_the_status_drawer_shows_the_figures(server: Server, browser: Browser) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1")
        play(guest, 2)
        guest.page.click("#open-status")
        figures = guest.page.inner_text("#figures")
        for name in (
            "Codec",
            "Bit rate",
            "Held ahead",
            "Lateness",
            "Underruns",
            "Behind the clock",
            "Output latency",
            "Way to the speaker",
            "Picture",
        ):
            assert name in figures
        guest.page.keyboard.press("Escape")
        guest.page.wait_for_selector("#status", state="hidden")
        assert guest.complaints == []


def test_the_page_is_played_by_keyboard_alone(server: Server, browser: Browser) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1")
        focused = "document.activeElement.id || document.activeElement.getAttribute('href')"

        def press(key: str) -> str:
            guest.page.keyboard.press(key)
            return str(guest.ask(focused))

        assert press("Tab") == "#title"
        assert [press("Tab") for _ in VIEWS] == [f"#{view}" for view in VIEWS]
        assert press("Tab") == "begin"
        guest.page.keyboard.press("Enter")
        guest.wait_until("t.situation.sounds")
        assert guest.ask(focused) == "play"
        assert press("Tab") == "scrub"
        assert press("Tab") == "volume"
        before = guest.ask("t.player.place")
        guest.page.keyboard.press("ArrowLeft")
        assert guest.ask("t.player.place") < before
        assert [press("Tab") for _ in range(3)] == ["sleep", "link", "open-take"]
        guest.page.focus("#play")
        guest.page.keyboard.press("Space")
        guest.wait_until("!t.situation.sounds")
        guest.page.focus("nav [href='#two-skies']")
        guest.page.keyboard.press("Enter")
        guest.page.wait_for_selector("#two-skies:visible")
        assert guest.ask("document.activeElement.id") == "two-skies-label"
        guest.page.keyboard.press("k")
        guest.wait_until("t.situation.sounds")
        assert guest.complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_nothing_runs_over_the_edge_in_any_view(
    server: Server, browser: Browser, size: str
) -> None:
    with visit(browser, viewport=SIZES[size], device_scale_factor=2) as guest:
        guest.open(f"{server.url}/?test=1")
        play(guest, 1)
        width, height = SIZES[size]["width"], SIZES[size]["height"]
        for view in VIEWS:
            guest.page.click(f"nav [href='#{view}']")
            guest.page.wait_for_selector(f"#{view}:visible")
            assert guest.ask("document.documentElement.scrollWidth") == width, view
            box = guest.page.locator("#play").bounding_box()
            assert box is not None
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= height
        assert guest.complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_what_comes_late_does_not_push_the_button_away(
    server: Server, browser: Browser, size: str
) -> None:
    """Stations and what is coming are told after the button stands: a click must still meet it."""
    watch = """
        globalThis.places = [];
        const look = () => {
          const box = document.querySelector("#begin")?.getBoundingClientRect();
          if (box?.width) places.push(`${box.x} ${box.y}`);
          requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    """
    with visit(browser, viewport=SIZES[size]) as guest:
        guest.page.add_init_script(watch)
        guest.open(f"{server.url}/?test=1")
        guest.wait_until(
            "!document.querySelector('#stations').hidden && document.querySelector('#coming li')"
        )
        guest.page.wait_for_timeout(200)
        places = guest.page.evaluate("places")
    assert len(places) > 10
    assert len(set(places)) == 1


def violations(guest: Visit) -> list[Any]:
    """Return what axe finds wrong with the page as it is, each with the places."""
    source = (package_dir("axe-core") / "axe.min.js").read_text(encoding="utf-8")
    guest.page.evaluate(source)
    found = guest.page.evaluate("() => axe.run(document).then(({violations}) => violations)")
    return [
        [one["id"], one["help"], [node["html"][:120] for node in one["nodes"]]] for one in found
    ]


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_axe_finds_nothing_in_any_view(server: Server, browser: Browser, size: str) -> None:
    """Names, roles, contrast and order, judged by an outside authority (axe-core)."""
    with visit(browser, viewport=SIZES[size]) as guest:
        guest.open(f"{server.url}/?test=1")
        guest.page.wait_for_selector("#coming li")
        assert violations(guest) == [], "before play"
        play(guest, 2)
        for view in VIEWS:
            guest.page.click(f"nav [href='#{view}']")
            guest.page.wait_for_selector(f"#{view}:visible")
            assert violations(guest) == [], view
        guest.page.click("nav [href='#my-sky']")
        guest.page.fill("#birth-form [role=combobox]", "Lis")
        guest.page.wait_for_selector("#birth-form [role=option]")
        assert violations(guest) == [], "towns"
        guest.page.click("nav [href='#now']")
        for opener in ("#open-numbers", "#open-take", "#open-status"):
            guest.page.click(opener)
            assert violations(guest) == [], opener
            guest.page.keyboard.press("Escape")

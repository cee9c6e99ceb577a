"""The real page in a real Chromium against the real server: what a visitor hears."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from loadtest.browser import stop
from loadtest.page_figures import (
    CLICK_TO_SOUND_MS,
    FIRST_PICTURE_MS,
    Gap,
    at_each_visit,
    click_to_sound_ms,
    frames_drawn,
    gap_heard,
    wait_until_full,
    watch_silence,
)
from loadtest.toxic import toxic
from tests.browser_support import (
    Server,
    assert_heard_is_rendered,
    captured_runs,
    play,
    running_browser,
    running_server,
    visit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

WAYS = {
    "opus through shared memory": "",
    "opus through messages": "&transport=messages",
    "pcm through shared memory": "&codec=pcm",
    "pcm through messages": "&codec=pcm&transport=messages",
}
"""How sound can reach the speaker: what to add to the page's address."""

SECONDS = {"opus through shared memory": 60}
"""How long each is listened to; ten unless it says otherwise."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), data_dir) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.mark.parametrize("way", WAYS)
def test_what_is_heard_of_the_station_is_what_was_rendered(
    server: Server, browser: Browser, way: str
) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1{WAYS[way]}")
        play(guest, 2)
        seconds = SECONDS.get(way, 10)
        fps = frames_drawn(guest, seconds - 1.5).fps
        figures = guest.ask(
            f"({{click: {CLICK_TO_SOUND_MS}, init: {FIRST_PICTURE_MS},"
            " underruns: t.player.underruns, way: [t.figures.Codec, t.player.transport]})"
        )
        [(first, heard)] = captured_runs(guest)
        codec, transport = figures["way"]
        likeness = assert_heard_is_rendered(server, first, heard, is_exact=codec == "pcm_s16le")
        print(
            f"\n{way}: click to sound {figures['click']:.0f} ms, picture {fps:.1f} fps,"
            f" first frame {figures['init']:.1f} ms, correlation {likeness:.5f}"
        )
        assert len(heard) >= 48_000 * seconds
        assert figures["underruns"] == 0
        assert (codec == "pcm_s16le") == ("pcm" in way)
        assert (transport == "messages") == ("messages" in way)
        assert fps >= 55
        assert guest.complaints == []


def test_from_the_click_to_the_first_sample_is_no_time(server: Server, browser: Browser) -> None:
    """Of twenty visitors who look at the page before they press: everything is prepared then."""
    url = f"{server.url}/?test=1"
    waits_ms = at_each_visit(browser, 20, lambda guest: click_to_sound_ms(guest, url))
    p95 = float(np.percentile(waits_ms, 95))
    print(f"\nclick to sound: median {np.median(waits_ms):.0f} ms, p95 {p95:.0f} ms")
    assert p95 <= 120


@pytest.mark.parametrize(("seconds", "n_sockets"), [(0.5, 1), (7, 0)])
def test_whoever_hovers_over_the_button_and_presses_it_late_hears_the_sky_all_the_same(
    server: Server, browser: Browser, seconds: float, n_sockets: int
) -> None:
    """A socket is opened for whoever is about to press, and closed again if nobody does."""
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1")
        guest.page.hover("#begin")
        guest.page.wait_for_timeout(1000 * seconds)
        assert server.answers("/api/status")["listeners"] == n_sockets
        play(guest, 1)
        assert guest.ask("t.player.underruns") == 0
        assert guest.complaints == []


def test_stop_is_silent_and_play_joins_the_present(server: Server, browser: Browser) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1")
        play(guest, 1)
        stop(guest)
        guest.page.wait_for_timeout(1500)
        guest.page.click("#play")
        guest.wait_until("t.situation.sounds")
        guest.page.wait_for_timeout(1000)
        runs = captured_runs(guest)
        stop(guest)
        assert len(runs) == 2
        (first, heard), (second, _) = runs
        assert second - (first + len(heard)) > 48_000
        assert guest.ask("t.player.underruns") == 0
        assert guest.complaints == []


@pytest.mark.parametrize("away_s", [0, 5])
def test_a_killed_and_restarted_server_is_not_heard(
    browser: Browser, tmp_path: Path, data_dir: Path, away_s: int
) -> None:
    """Twelve seconds are held ahead: the outage is shorter, so not one sample is missing.

    After five seconds, and those that a start takes, back-off alone would come back too late one
    time in four.
    """
    with (
        running_server(tmp_path, data_dir) as server,
        visit(browser) as guest,
    ):
        guest.open(f"{server.url}/?test=1")
        watch_silence(guest)
        play(guest, 0)
        wait_until_full(guest)
        server.kill()
        guest.wait_until("t.situation.link === 'lost'")
        guest.page.wait_for_timeout(300)
        assert guest.page.inner_text("#state") == "Reconnecting. You will not miss a note."
        guest.page.wait_for_timeout(1000 * away_s)
        server.start()
        guest.wait_until("t.situation.link === 'open'", timeout_s=30)
        guest.page.wait_for_timeout(9000)
        assert guest.page.inner_text("#state") == "Playing."
        [(first, heard)] = runs = captured_runs(guest)
        assert gap_heard(guest, runs) == Gap(underruns=0, silent_samples=0, skipped_samples=0)
        assert_heard_is_rendered(server, first, heard)
        allowed = ("WebSocket connection to", "Failed to load resource", "failed: ")
        assert [one for one in guest.complaints if not any(a in one for a in allowed)] == []


def test_a_server_that_falls_silent_is_left_and_found_again(
    browser: Browser, tmp_path: Path, data_dir: Path
) -> None:
    """TCP does not notice a frozen peer; the page does, and has not lost a sample when it thaws."""
    with (
        running_server(tmp_path, data_dir) as server,
        visit(browser) as guest,
    ):
        guest.open(f"{server.url}/?test=1")
        play(guest, 4)
        assert server.process is not None
        server.process.send_signal(signal.SIGSTOP)
        guest.wait_until("t.situation.link !== 'open'")
        server.process.send_signal(signal.SIGCONT)
        guest.wait_until("t.situation.link === 'open'")
        guest.page.wait_for_timeout(8000)
        assert guest.ask("t.player.underruns") == 0
        [(first, heard)] = captured_runs(guest)
        assert_heard_is_rendered(server, first, heard)


DEAF = """
let heard = 0;
const decode = AudioDecoder.prototype.decode;
const flush = AudioDecoder.prototype.flush;
AudioDecoder.prototype.decode = function (chunk) { if (heard++ < GOOD) decode.call(this, chunk); };
AudioDecoder.prototype.flush = async function () { if (heard <= GOOD) await flush.call(this); };
"""
"""Added to the page's decoder: after GOOD packets it takes packets and gives nothing."""


@pytest.mark.parametrize(("good", "when"), [(0, "at the start"), (203, "under way")])
def test_where_opus_falls_silent_plain_samples_come(
    server: Server, browser: Browser, good: int, when: str
) -> None:
    """Some browsers say that they decode Opus, and do not: the test tone and the watchdog tell."""
    with visit(browser) as guest:

        def deafen(route: Any) -> None:
            answer = route.fetch()
            route.fulfill(response=answer, body=answer.text() + DEAF.replace("GOOD", str(good)))

        guest.page.route("**/sound/decoder.js", deafen)
        guest.open(f"{server.url}/?test=1")
        play(guest, 7)
        assert guest.ask("t.figures.Codec") == "pcm_s16le"
        assert guest.ask("t.player.underruns") == 0, when
        [(first, heard)] = captured_runs(guest)
        assert_heard_is_rendered(server, first, heard)
        assert guest.complaints == []


def test_a_stalled_network_is_not_heard(browser: Browser, server: Server) -> None:
    """Nothing comes for eight seconds, and no connection breaks by itself."""
    with toxic(server.stream_url) as proxy, visit(browser) as guest:
        guest.open(f"http://127.0.0.1:{proxy.port}/?test=1")
        play(guest, 0)
        wait_until_full(guest)
        proxy.down.is_stopped = True
        guest.wait_until("t.situation.link !== 'open'")
        guest.page.wait_for_timeout(2000)
        proxy.down.is_stopped = False
        guest.wait_until("t.situation.link === 'open'")
        guest.wait_until("parseFloat(t.figures['Held ahead']) > 10")
        assert guest.ask("t.player.underruns") == 0
        [(first, heard)] = captured_runs(guest)
        assert_heard_is_rendered(server, first, heard)


HIDE = """
const draw = requestAnimationFrame.bind(globalThis);
const waiting = [];
let isHidden = false;
globalThis.requestAnimationFrame = (call) => (isHidden ? waiting.push(call) : draw(call));
Object.defineProperty(document, "hidden", { get: () => isHidden });
const state = () => (isHidden ? "hidden" : "visible");
Object.defineProperty(document, "visibilityState", { get: state });
globalThis.hide = (is) => {
    isHidden = is;
    document.dispatchEvent(new Event("visibilitychange"));
    if (!is) waiting.splice(0).forEach((call) => draw(call));
};
"""
"""What a hidden tab is to a page: no animation frames. Headless, no tab is ever hidden for good."""


def test_a_hidden_tab_plays_on_and_shows_what_is_heard_when_it_returns(
    browser: Browser, server: Server
) -> None:
    with visit(browser) as guest:
        guest.page.add_init_script(HIDE)
        guest.open(f"{server.url}/?test=1")
        play(guest, 1)
        frames = guest.ask("(hide(true), t.show.frames)")
        guest.page.wait_for_timeout(8000)
        assert guest.ask("t.show.frames") <= frames + 1, "nobody looks"
        assert guest.ask("t.player.underruns") == 0
        guest.ask("hide(false)")
        guest.wait_until(f"t.show.frames > {frames + 10}")
        assert guest.ask("Math.abs(t.show.drawnIndex - t.radio.heardNow())") < 4_800
        [(first, heard)] = captured_runs(guest)
        assert_heard_is_rendered(server, first, heard)
        assert guest.complaints == []

"""The real page in a real Chromium against the real server: what a visitor hears."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.browser_support import (
    Server,
    captured_runs,
    correlation,
    play,
    rendered_pcm,
    running_browser,
    running_server,
    visit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from playwright.sync_api import Browser

WAYS = {
    "opus through shared memory": "",
    "opus through messages": "&transport=messages",
    "pcm through shared memory": "&codec=pcm",
    "pcm through messages": "&codec=pcm&transport=messages",
}
"""How sound can reach the speaker: what to add to the page's address."""

FADE_FRAMES = 480
SETTLED_FRAMES = 24_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), data_dir) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


def assert_heard_is_rendered(
    server: Server, first: int, heard: NDArray[np.int16], *, is_exact: bool = False
) -> float:
    """Assert that what was heard at each index is what the server rendered for it."""
    rendered = rendered_pcm(server, first, len(heard))
    assert np.sqrt(np.mean(heard.astype(float) ** 2)) > 30, "silence"
    window = heard[SETTLED_FRAMES : 2 * SETTLED_FRAMES]
    by_lag = {
        lag: correlation(window, rendered[SETTLED_FRAMES + lag : 2 * SETTLED_FRAMES + lag])
        for lag in range(-240, 241)
    }
    best = max(by_lag, key=lambda lag: by_lag[lag])
    assert best == 0, f"heard {best} samples beside its index"
    whole = correlation(heard[FADE_FRAMES:], rendered[FADE_FRAMES:])
    assert whole > 0.99
    if is_exact:
        assert np.array_equal(heard[FADE_FRAMES:], rendered[FADE_FRAMES:])
    return whole


@pytest.mark.parametrize("way", WAYS)
def test_ten_seconds_of_the_station(server: Server, browser: Browser, way: str) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1{WAYS[way]}")
        play(guest, 2)
        before: Any = guest.ask("[t.show.frames, performance.now()]")
        guest.page.wait_for_timeout(8500)
        after: Any = guest.ask("[t.show.frames, performance.now()]")
        fps = 1000 * (after[0] - before[0]) / (after[1] - before[1])
        figures = guest.ask(
            "({click: t.hook.firstSoundMs - t.hook.clickMs, init: t.show.initMs,"
            " underruns: t.player.underruns, way: [t.figures.Codec, t.player.transport]})"
        )
        [(first, heard)] = captured_runs(guest)
        codec, transport = figures["way"]
        likeness = assert_heard_is_rendered(server, first, heard, is_exact=codec == "pcm_s16le")
        print(
            f"\n{way}: click to sound {figures['click']:.0f} ms, picture {fps:.1f} fps,"
            f" first frame {figures['init']:.1f} ms, correlation {likeness:.5f}"
        )
        assert len(heard) >= 480_000
        assert figures["underruns"] == 0
        assert (codec == "pcm_s16le") == ("pcm" in way)
        assert (transport == "messages") == ("messages" in way)
        assert fps >= 55
        assert guest.complaints == []


def test_stop_is_silent_and_play_joins_the_present(server: Server, browser: Browser) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1")
        play(guest, 1)
        guest.page.click("#play")
        guest.wait_until("!t.situation.sounds")
        guest.page.wait_for_timeout(1500)
        guest.page.click("#play")
        guest.wait_until("t.situation.sounds")
        guest.page.wait_for_timeout(1000)
        runs = captured_runs(guest)
        guest.page.click("#play")
        guest.wait_until("!t.situation.sounds")
        assert len(runs) == 2
        (first, heard), (second, _) = runs
        assert second - (first + len(heard)) > 48_000
        assert guest.ask("t.player.underruns") == 0
        assert guest.complaints == []


def test_a_killed_and_restarted_server_is_not_heard(
    browser: Browser, tmp_path: Path, data_dir: Path
) -> None:
    """Twelve seconds are held ahead: the outage is shorter, so not one sample is missing."""
    with (
        running_server(tmp_path, data_dir) as server,
        visit(browser) as guest,
    ):
        guest.open(f"{server.url}/?test=1")
        play(guest, 4)
        server.kill()
        guest.wait_until("t.situation.link === 'lost'")
        guest.page.wait_for_timeout(300)
        assert guest.page.inner_text("#state") == "Reconnecting. You will not miss a note."
        server.start()
        guest.wait_until("t.situation.link === 'open'", timeout_s=30)
        guest.page.wait_for_timeout(9000)
        assert guest.page.inner_text("#state") == "Playing."
        assert guest.ask("t.player.underruns") == 0
        [(first, heard)] = captured_runs(guest)
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

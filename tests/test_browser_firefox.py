"""The way of the sound in Debian's Firefox, against the real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loadtest.page_figures import CLICK_TO_SOUND_MS
from tests.browser_support import (
    Server,
    assert_heard_is_rendered,
    captured_runs,
    running_server,
)
from tests.firefox import Firefox, running_firefox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAYS = {
    "opus through shared memory": "",
    "opus through messages": "&transport=messages",
    "pcm through shared memory": "&codec=pcm",
}
"""How sound can reach the speaker: what to add to the page's address."""
COUNT_LATENCY_ASKED = """(() => {
    globalThis.latencyAsked = 0;
    const ask = (value) => { latencyAsked += 1; return value; };
    const { prototype } = AudioContext;
    Object.defineProperty(prototype, "outputLatency", { get: () => ask(0) });
    prototype.getOutputTimestamp = () => ask({});
    return 0;
})()"""
"""It may hang Firefox on Linux to ask for the latency while sound runs."""
IS_HEARD = "t.situation.sounds && t.radio.heardNow() >= 0"
"""The ear lags behind the audio thread: until the first sample reaches it, what is heard is NaN."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), data_dir) as server:
        yield server


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Firefox]:
    with running_firefox(tmp_path) as firefox:
        yield firefox


@pytest.mark.parametrize("way", WAYS)
def test_what_is_heard_is_what_was_rendered(server: Server, firefox: Firefox, way: str) -> None:
    firefox.open(f"{server.url}/?test=1{WAYS[way]}")
    firefox.wait_until("document.body.dataset.prepared")
    firefox.ask(COUNT_LATENCY_ASKED)
    firefox.click("#begin")
    firefox.wait_until(IS_HEARD)
    start = firefox.ask("t.radio.heardNow()")
    firefox.wait_until(f"t.radio.heardNow() > {start + 6 * 48_000}")
    assert firefox.ask("globalThis.latencyAsked") == 0
    codec, transport, underruns, click_ms = firefox.ask(
        f"[t.figures.Codec, t.player.transport, t.player.underruns, {CLICK_TO_SOUND_MS}]"
    )
    assert (codec == "pcm_s16le") == ("pcm" in way)
    assert (transport == "messages") == ("messages" in way)
    assert underruns == 0
    [(first, heard)] = captured_runs(firefox)
    assert len(heard) > 5 * 48_000
    likeness = assert_heard_is_rendered(server, first, heard, is_exact=codec == "pcm_s16le")
    print(
        f"\nFirefox {firefox.version}, {way}: click to sound {click_ms:.0f} ms,"
        f" correlation {likeness:.5f}"
    )
    firefox.click("#play")
    firefox.wait_until("!t.situation.sounds")
    assert firefox.complaints == []


def test_a_hidden_tab_plays_on_and_shows_what_is_heard_when_it_returns(
    server: Server, firefox: Firefox
) -> None:
    firefox.open(f"{server.url}/?test=1")
    firefox.wait_until("document.body.dataset.prepared")
    firefox.click("#begin")
    firefox.wait_until(f"{IS_HEARD} && t.show.frames > 10")
    firefox.open_other_tab()
    firefox.wait_until("document.hidden")
    start, frames = firefox.ask("[t.radio.heardNow(), t.show.frames]")
    firefox.wait_until(f"t.radio.heardNow() > {start + 8 * 48_000}")
    assert firefox.ask("t.show.frames") < frames + 30, "nobody looks"
    firefox.return_to_tab()
    firefox.wait_until(f"!document.hidden && t.show.frames > {frames + 60}")
    assert firefox.ask("Math.abs(t.show.drawnIndex - t.radio.heardNow())") < 9_600
    assert firefox.ask("t.player.underruns") == 0
    [(first, heard)] = captured_runs(firefox)
    assert_heard_is_rendered(server, first, heard)
    assert firefox.complaints == []

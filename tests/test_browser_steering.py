"""Steering and seeking in a real Chromium: heard without a gap, and as the server renders it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.browser_support import (
    Server,
    Visit,
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

    from playwright.sync_api import Browser

WAYS = {
    "opus through shared memory": "",
    "opus through messages": "&transport=messages",
    "pcm through shared memory": "&codec=pcm",
    "pcm through messages": "&codec=pcm&transport=messages",
}
"""How sound can reach the speaker: what to add to the page's address."""

SKY = "/?test=1&at=2026-03-20T12:00Z&viz=0"
SEEK_EVERY_MS = 120
BLEND_FRAMES = 480
AROUND_FRAMES = 9_600
IN_TIME_FRAMES = 2_880
"""A steer told of later than this (60 ms) before its index may be heard by a blend after it."""
COLD_FRAMES = 1_920
"""What a decoder needs to settle after a jump, and the blend."""

WATCH = """() => {
    const t = globalThis.astradioTest;
    const seen = (t.seen = { steps: [], silences: 0, effective: [], leads: [], looks: 0 });
    let last = Number.NEGATIVE_INFINITY;
    setInterval(() => {
        const index = t.player.indexHeard((t.player.readClock(), performance.now()));
        seen.looks += 1;
        if (index < last) seen.steps.push(index - last);
        last = index;
    }, 10);
    const { sound } = t.player.on;
    t.player.on.sound = (data) => {
        if (data.type === "silent") seen.silences += 1;
        sound(data);
    };
    const { steered } = t.radio.on;
    t.radio.on.steered = (message) => {
        const latency = 48000 * t.player.outputLatencyS;
        seen.leads.push(message.effective - t.radio.heardNow() - latency);
        seen.effective.push(message.effective);
        steered(message);
    };
}"""
"""Notes steps back of the index heard (samples), silences, and where steers took effect
and how far ahead of the audio thread (samples)."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), data_dir) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


def listen(guest: Visit, server: Server, way: str) -> None:
    """Play a programme of one's own and begin to watch."""
    guest.open(f"{server.url}{SKY}{WAYS[way]}")
    play(guest, 1)
    guest.page.evaluate(WATCH)


def assert_unbroken(guest: Visit) -> None:
    """Assert that nothing was missed and nothing complained."""
    assert guest.ask("t.seen.silences") == 0
    assert guest.ask("t.player.underruns") == 0
    assert guest.complaints == []


@pytest.mark.parametrize(
    ("way", "n_steers"), [(way, 50 if n == 0 else 10) for n, way in enumerate(WAYS)]
)
def test_steers_are_heard_as_the_final_programme_plays(
    server: Server, browser: Browser, way: str, n_steers: int
) -> None:
    with visit(browser) as guest:
        listen(guest, server, way)
        for n in range(n_steers):
            wishes = f"{{density: {n % 2}, tension: {n / n_steers}}}"
            guest.ask(f"t.radio.steer({wishes}, '{('now', 'beat')[n % 2]}')")
            guest.wait_until(f"t.seen.effective.length > {n}")
            guest.page.wait_for_timeout(100)
        guest.wait_until("t.radio.heardNow() > t.seen.effective.at(-1) + 24000")
        seen: Any = guest.ask("t.seen")
        programme = guest.ask("t.radio.programme")
        assert_unbroken(guest)
        assert seen["looks"] > 100
        assert seen["steps"] == []
        runs = captured_runs(guest)
        assert len(runs) == 1, "the indices heard have no gap"
        [(first, heard)] = runs
        rendered = rendered_pcm(server, first, len(heard), programme)
        whole = correlation(heard[BLEND_FRAMES:], rendered[BLEND_FRAMES:])
        around = []
        is_due = np.ones(len(heard), bool)
        is_due[:BLEND_FRAMES] = False
        for effective, lead in zip(seen["effective"], seen["leads"], strict=True):
            part = slice(effective - first - AROUND_FRAMES, effective - first + AROUND_FRAMES)
            if lead >= IN_TIME_FRAMES:
                around.append(correlation(heard[part], rendered[part]))
            else:
                is_due[part] = False
        print(
            f"\n{way}: correlation {whole:.5f}; {len(around)} steers told in time,"
            f" around them at least {min(around, default=1):.5f}"
        )
        assert len(around) >= n_steers // 2
        assert min(whole, *around) > 0.99
        if "pcm" in way:
            assert np.array_equal(heard[is_due], rendered[is_due])


@pytest.mark.parametrize(
    ("way", "n_seeks"), [("opus through shared memory", 20), ("pcm through messages", 8)]
)
def test_seeks_are_heard_at_once_in_the_same_conversation(
    server: Server, browser: Browser, way: str, n_seeks: int
) -> None:
    with visit(browser) as guest:
        listen(guest, server, way)
        session = guest.ask("t.radio.ready.sessionId")
        waits = []
        for n in range(n_seeks):
            to = 4_800 * (137 * n * n % 9_001)
            waits.append(
                guest.page.evaluate(
                    f"""async () => {{
                        const t = globalThis.astradioTest;
                        const asked = performance.now();
                        t.radio.seek({to});
                        const isThere = () => Math.abs(t.radio.heardNow() - {to}) < 24000;
                        while (!isThere()) await new Promise((go) => setTimeout(go, 5));
                        return performance.now() - asked;
                    }}"""
                )
            )
            guest.page.wait_for_timeout(SEEK_EVERY_MS)
        assert guest.ask("t.radio.ready.sessionId") == session
        assert guest.ask("t.situation.link") == "open"
        programme = guest.ask("t.radio.programme")
        guest.page.wait_for_timeout(200)
        assert_unbroken(guest)
        runs = captured_runs(guest)
        print(f"\n{way}: seek to heard, median {np.median(waits):.0f} ms, max {max(waits):.0f} ms")
        assert len(runs) == 1 + n_seeks
        for first, heard in runs[1:]:
            assert len(heard) > COLD_FRAMES
            rendered = rendered_pcm(server, first, len(heard), programme)
            whole = correlation(heard[COLD_FRAMES:], rendered[COLD_FRAMES:])
            assert whole > 0.99
            if "pcm" in way:
                assert np.array_equal(heard[BLEND_FRAMES:], rendered[BLEND_FRAMES:])

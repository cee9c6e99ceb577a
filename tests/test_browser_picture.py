"""The picture in a real Chromium: when it appears, how smooth it is, whether it is in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.browser_support import Server, play, running_browser, running_server, visit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), data_dir) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


def test_the_picture_shows_what_is_heard(server: Server, browser: Browser) -> None:
    """The drawn index against a line fitted through all readings of the audio clock."""
    record = """() => new Promise((resolve) => {
        const { show, player } = globalThis.astradioTest;
        const rows = [];
        const step = () => {
            const { contextTime, performanceTime } = player.context.getOutputTimestamp();
            rows.push([show.lastMs, show.drawnIndex, contextTime, performanceTime, player.offset]);
            if (rows.length < 300) requestAnimationFrame(step);
            else resolve({rows, origin: player.timeline.indexAt(1e6) - 1e6});
        };
        requestAnimationFrame(step);
    })"""
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1")
        play(guest, 2)
        recorded = guest.page.evaluate(record)
        rows = np.array(recorded["rows"])
        page_ms, drawn, context_s, reading_ms, offset = rows.T
        slope, start = np.polyfit(reading_ms - reading_ms[0], context_s, 1)
        heard_s = start + slope * (page_ms - reading_ms[0])
        error_ms = (drawn - recorded["origin"] - (48_000 * heard_s - offset)) / 48
        p95 = float(np.percentile(np.abs(error_ms), 95))
        print(f"\npicture against sound: p95 {p95:.2f} ms, worst {np.abs(error_ms).max():.2f} ms")
        assert p95 <= 8.3
        assert guest.complaints == []


def test_without_a_picture_the_sound_plays_alone(server: Server, browser: Browser) -> None:
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1&viz=0")
        play(guest, 2)
        assert guest.ask("t.show === null && t.player.underruns === 0")
        assert not guest.page.is_visible("#wheel")
        assert not guest.page.is_visible("#sounding")
        assert guest.complaints == []


def test_under_reduced_motion_the_wheel_stands_still(server: Server, browser: Browser) -> None:
    with visit(browser, reduced_motion="reduce") as guest:
        guest.open(f"{server.url}/?test=1")
        play(guest, 2)
        assert guest.ask("t.show.frames") == 0
        assert guest.page.inner_text("#voices") != ""
        assert guest.complaints == []


def test_the_first_picture_is_there_at_once(server: Server, browser: Browser) -> None:
    """Context and first frame, assets already there: as the page itself reports it."""
    init_ms = []
    for _ in range(20):
        with visit(browser) as guest:
            guest.open(f"{server.url}/?test=1")
            init_ms.append(guest.ask("t.show.initMs"))
            assert guest.complaints == []
    p95 = float(np.percentile(init_ms, 95))
    print(f"\nfirst picture: median {np.median(init_ms):.1f} ms, p95 {p95:.1f} ms")
    assert p95 <= 15


def test_the_picture_runs_smoothly_while_sound_plays(server: Server, browser: Browser) -> None:
    """Frame by frame, as animation frames come, with 60 Hz and software rendering."""
    record = """() => new Promise((resolve) => {
        const times = [];
        const step = (ms) => {
            times.push(ms);
            if (times.length < 480) requestAnimationFrame(step);
            else resolve(times);
        };
        requestAnimationFrame(step);
    })"""
    with visit(browser) as guest:
        guest.open(f"{server.url}/?test=1")
        play(guest, 2)
        before = guest.ask("t.show.frames")
        frame_ms = np.diff(np.array(guest.page.evaluate(record)))
        drawn = guest.ask("t.show.frames") - before
        fps = 1000 * len(frame_ms) / frame_ms.sum()
        print(
            f"\npicture: {fps:.1f} fps, frame p50 {np.percentile(frame_ms, 50):.1f} ms,"
            f" p99 {np.percentile(frame_ms, 99):.1f} ms, worst {frame_ms.max():.1f} ms"
        )
        assert fps >= 55
        assert drawn >= len(frame_ms) - 2
        assert guest.ask("t.player.underruns") == 0
        assert guest.complaints == []
